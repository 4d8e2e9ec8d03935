//! Records as they were written before they had a version: read, and written again in the form of
//! today when the cluster changes next. Knows nothing but the old names and what they meant.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{NodeNotifications, ObservedState, record_fields::RecordFields};
use crate::cluster::{
    ClusterChange, ClusterSpec, Lifecycle, LifecyclePhase,
    cluster_endpoint::ClusterEndpoints,
    lifecycle::{DeleteTarget, RolloutStatus},
};

/// What was wanted of the cloud.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WishV1 {
    None,
    Deploy,
    Delete,
}

/// A record without a version. What its JSON holds is said at the fields of [`RecordFields`] and
/// [`Lifecycle`] that it becomes.
#[derive(Deserialize)]
pub(super) struct RecordV1 {
    id: String,
    project_id: String,
    project_name: String,
    name: String,
    created_s: u64,
    updated_s: u64,
    revision: i64,
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    brought: BTreeMap<String, String>,
    spec: Option<ClusterSpec>,
    phase: LifecyclePhase,
    #[serde(default)]
    acknowledged: bool,
    wish: WishV1,
    #[serde(default)]
    owner: Option<String>,
    stack_name: String,
    stack_id: Option<String>,
    region: String,
    create_sent_s: Option<u64>,
    deletes: u32,
    endpoints: ClusterEndpoints,
    stuck: Option<String>,
    #[serde(default)]
    change: Option<ClusterChange>,
    #[serde(default)]
    told: NodeNotifications,
    #[serde(default)]
    setback: Option<String>,
    seen: ObservedState,
}

impl RecordV1 {
    /// The situation that the old fields told of together. What can no longer be said was never
    /// meant: a change of a cluster that is being deleted, a reason to be stuck at rest.
    fn lifecycle(&self) -> Lifecycle {
        let (stack_id, blocked_reason) = (self.stack_id.clone(), self.stuck.clone());
        match (self.wish, stack_id) {
            (WishV1::None, _) => Lifecycle::Requested,
            (WishV1::Deploy, None) => Lifecycle::Deploying {
                create_sent_s: self.create_sent_s,
                creates: 0,
                blocked_reason,
            },
            (WishV1::Deploy, Some(stack_id)) => {
                let rollout = match (self.change.clone(), self.setback.clone()) {
                    (Some(change), _) => RolloutStatus::Changing {
                        change: Box::new(change),
                        blocked_reason,
                        former_owner: None,
                    },
                    (None, Some(reason)) => RolloutStatus::RolledBack { reason },
                    (None, None) => RolloutStatus::AtRest,
                };
                Lifecycle::Running { stack_id, rollout }
            }
            (WishV1::Delete, stack_id) => Lifecycle::Deleting {
                target: match stack_id {
                    Some(stack_id) => DeleteTarget::Id { stack_id },
                    None => DeleteTarget::Name {
                        create_sent_s: self.create_sent_s,
                    },
                },
                deletes: self.deletes,
                blocked_reason,
                origin: None,
            },
        }
    }
}

impl From<RecordV1> for RecordFields {
    fn from(old: RecordV1) -> Self {
        Self {
            lifecycle: old.lifecycle(),
            provisioned: old.phase == LifecyclePhase::Provisioned,
            id: old.id,
            project_id: old.project_id,
            project_name: old.project_name,
            name: old.name,
            stack_name: old.stack_name,
            region: old.region,
            owner: old.owner,
            created_s: old.created_s,
            updated_s: old.updated_s,
            revision: old.revision,
            decision: 0,
            request_mark: None,
            end: None,
            idle: None,
            lease: None,
            deletion_wishes: BTreeSet::new(),
            acknowledged: old.acknowledged,
            attributes: old.attributes,
            initial_attributes: old.brought,
            spec: old.spec,
            endpoints: old.endpoints,
            notified: old.told,
            observed: old.seen,
        }
    }
}
