//! What is remembered of a cluster. Never a token. Pure data: it is changed by the named
//! [`transitions`](super::transitions) only, since its fields can be read everywhere and written in
//! this module alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use serde::{Deserialize, Serialize};

use super::{
    StackSnapshot,
    record_fields::{ObservedState, RecordFields},
    record_v1::RecordV1,
};
use crate::cluster::{
    ClusterEnd, ClusterIdle, Lifecycle, LifecyclePhase, end_time::RECOVERED_NOTICE_S,
    lifecycle::DeleteTarget,
};

/// The version of the JSON that is written. Version 2 says of a cluster how many workers it has,
/// where this one has its node groups: both are read as one. What [`RecordV1`] reads has none.
const VERSION: u32 = 3;

/// One cluster, from the request for it until nothing of it is left in the cloud.
///
/// It lends its fields for reading only: there is no `DerefMut`.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterRecord(pub(super) RecordFields);

/// What never changes in a cluster's life.
#[derive(Clone, Debug, Default)]
pub struct RecordIdentity {
    /// The cluster's UUID.
    pub id: String,
    /// Whose it is.
    pub project_id: String,
    /// For people.
    pub project_name: String,
    /// The entity's name.
    pub name: String,
    /// The stack's name.
    pub stack_name: String,
    /// Where it lives.
    pub region: String,
}

impl Deref for ClusterRecord {
    type Target = RecordFields;

    fn deref(&self) -> &RecordFields {
        &self.0
    }
}

impl ClusterRecord {
    /// A cluster that a client has just asked for.
    pub fn requested(
        identity: RecordIdentity,
        attributes: BTreeMap<String, String>,
        now_s: u64,
    ) -> Self {
        let snapshot = StackSnapshot {
            attributes,
            ..StackSnapshot::default()
        };
        Self::from_snapshot(identity, snapshot, Lifecycle::Requested, now_s)
    }

    /// A cluster whose record was lost, made again from what its stack carries. Its client was told
    /// of its deploy: the stack is there.
    pub fn recovered(
        identity: RecordIdentity,
        snapshot: StackSnapshot,
        stack_id: String,
        observed: ObservedState,
        now_s: u64,
    ) -> Self {
        let status = observed.status.as_deref().unwrap_or_default();
        let lifecycle = if status.starts_with("DELETE_") {
            Lifecycle::Deleting {
                target: DeleteTarget::Id { stack_id },
                deletes: 0,
                blocked_reason: None,
                origin: None,
            }
        } else {
            Lifecycle::Running {
                stack_id,
                rollout: snapshot.rollout(),
            }
        };
        let mut record = Self::from_snapshot(identity, snapshot, lifecycle, now_s);
        record.0.acknowledged = true;
        record.0.observed = observed;
        record
    }

    fn from_snapshot(
        identity: RecordIdentity,
        snapshot: StackSnapshot,
        lifecycle: Lifecycle,
        now_s: u64,
    ) -> Self {
        Self(RecordFields {
            id: identity.id,
            project_id: identity.project_id,
            project_name: identity.project_name,
            name: identity.name,
            stack_name: identity.stack_name,
            region: identity.region,
            owner: None,
            created_s: now_s,
            updated_s: now_s,
            revision: 1,
            decision: 0,
            request_mark: None,
            lease: None,
            deletion_wishes: BTreeSet::new(),
            lifecycle,
            acknowledged: false,
            // Its end may have been put off since the stack was written: nobody is taken by surprise.
            end: snapshot
                .end_s
                .map(|at_s| ClusterEnd::new(at_s.max(now_s + RECOVERED_NOTICE_S))),
            idle: snapshot.idle_s.map(ClusterIdle::new),
            provisioned: false,
            attributes: snapshot.attributes,
            initial_attributes: snapshot.initial_attributes,
            spec: snapshot.spec,
            endpoints: snapshot.endpoints,
            notified: snapshot.notified,
            observed: ObservedState::default(),
        })
    }

    /// How far the client has driven it.
    pub fn phase(&self) -> LifecyclePhase {
        match &self.lifecycle {
            Lifecycle::Requested => LifecyclePhase::Initialised,
            _ if self.provisioned => LifecyclePhase::Provisioned,
            // Its deploy was refused for the token that came with it: it is to be asked for again.
            Lifecycle::Deploying { .. } if !self.acknowledged => LifecyclePhase::Initialised,
            _ => LifecyclePhase::Deployed,
        }
    }

    /// Reads a record of this or a former version.
    ///
    /// # Errors
    /// When it is neither.
    pub(super) fn from_json(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: Option<u32>,
        }
        match serde_json::from_str(text) {
            Ok(fields) => Ok(Self(fields)),
            // Read a second time only where the first failed: old records are few and go away.
            Err(error) => match serde_json::from_str(text)? {
                Version { version: None } => {
                    Ok(Self(serde_json::from_str::<RecordV1>(text)?.into()))
                }
                Version { version: Some(_) } => Err(error),
            },
        }
    }

    /// As it is kept.
    ///
    /// # Errors
    /// When it holds what JSON cannot.
    pub(super) fn to_json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Versioned<'a> {
            version: u32,
            #[serde(flatten)]
            fields: &'a RecordFields,
        }
        serde_json::to_string(&Versioned {
            version: VERSION,
            fields: &self.0,
        })
    }

    /// A record in any situation, for tests; all else goes through the transitions.
    #[cfg(test)]
    pub(crate) fn for_tests(fields: RecordFields) -> Self {
        Self(fields)
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
