//! The part of a record that a stack carries of its cluster, so that a host with an empty disk, or
//! another host, can go on from Heat alone. Pure data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ClusterRecord, NodeNotifications};
use crate::cluster::{
    ClusterChange, ClusterSpec, cluster_endpoint::ClusterEndpoints, lifecycle::RolloutStatus,
};

/// What a stack carries of its cluster. The aliases are the names that stacks of former versions
/// carry it under.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StackSnapshot {
    /// As clients gave them until deploy.
    pub attributes: BTreeMap<String, String>,
    /// As they came with what is not an update.
    #[serde(alias = "brought")]
    pub initial_attributes: BTreeMap<String, String>,
    /// What was deployed.
    pub spec: Option<ClusterSpec>,
    /// Where it is reached.
    pub endpoints: ClusterEndpoints,
    /// When it was to end, when the stack was last given anything: it may have been put off since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_s: Option<u64>,
    /// How long it might be without jobs then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_s: Option<u64>,
    /// A change that was under way.
    pub change: Option<ClusterChange>,
    /// What the nodes were notified of so far.
    #[serde(alias = "told")]
    pub notified: NodeNotifications,
    /// Why the last change was rolled back.
    #[serde(alias = "setback")]
    pub rollback_reason: Option<String>,
}

impl StackSnapshot {
    /// What a stack is to carry of this cluster.
    pub fn from_record(record: &ClusterRecord) -> Self {
        Self {
            attributes: record.attributes.clone(),
            initial_attributes: record.initial_attributes.clone(),
            spec: record.spec.clone(),
            endpoints: record.endpoints.clone(),
            end_s: record.end.map(|end| end.at_s),
            idle_s: record.idle.map(|idle| idle.after_s),
            change: record.change().cloned(),
            notified: record.notified.clone(),
            rollback_reason: record.rollback_reason().map(str::to_owned),
        }
    }

    /// Whether it tells of steps that this record knows nothing of.
    pub fn is_newer(&self, record: &ClusterRecord) -> bool {
        self.notified.generation > record.notified.generation
    }

    /// The change of the cluster that it tells of.
    pub(super) fn rollout(&self) -> RolloutStatus {
        match (&self.change, &self.rollback_reason) {
            (Some(change), _) => RolloutStatus::Changing {
                change: Box::new(change.clone()),
                blocked_reason: None,
                former_owner: None,
            },
            (None, Some(reason)) => RolloutStatus::RolledBack {
                reason: reason.clone(),
            },
            (None, None) => RolloutStatus::AtRest,
        }
    }
}
