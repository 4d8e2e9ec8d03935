//! How far the life of a cluster has come: what is wanted of the cloud for it, and what has to be
//! remembered to get there. Each variant holds what can be known in its situation and nothing
//! else, so that a combination that cannot be cannot be written down. No I/O.

use serde::{Deserialize, Serialize};

use super::ClusterChange;

/// The life of a cluster, from the request for it until its record is dropped:
///
/// ```text
/// Requested --deploy--> Deploying --Heat tells the stack's id--> Running <--> a change
///     |                     |                                       |
///     +-------delete--------+------------------> Deleting <---------+
/// ```
///
/// A deploy that Heat refuses leads back to `Requested`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Lifecycle {
    /// The client has asked for the entity; nothing is wanted of the cloud and nothing is there.
    Requested,
    /// What is to be created is recorded; Heat has not told the id of the stack yet.
    Deploying {
        /// When the last create was sent whose answer is not known, in seconds since 1970: until
        /// it can no longer arrive, a second one could make a second stack.
        create_sent_s: Option<u64>,
        /// How often a create was sent that Heat may have taken, and no stack came of it.
        #[serde(default)]
        creates: u32,
        /// Why it does not go on, where only its user or an operator can help.
        blocked_reason: Option<String>,
    },
    /// The stack is known by its id; whether its nodes are ready is observed, not recorded here.
    Running {
        /// Heat's UUID.
        stack_id: String,
        /// The change that is under way, or how the last one ended.
        rollout: RolloutStatus,
    },
    /// The stack is to be gone, and the record with it. Clients no longer see the cluster.
    Deleting {
        /// What is to be deleted.
        target: DeleteTarget,
        /// How often Heat was asked to delete it.
        deletes: u32,
        /// Why it does not go on, where only an operator can help.
        blocked_reason: Option<String>,
        /// What the cluster is again if Heat refuses; none once Heat has taken the delete.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<Box<DeletionOrigin>>,
    },
}

/// What a cluster was when its deletion was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionOrigin {
    /// How far its life had come.
    pub lifecycle: Lifecycle,
    /// Whose it was.
    pub owner: Option<String>,
}

/// The change of a running cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RolloutStatus {
    /// None is under way. The last one, where there was any, was finished.
    AtRest,
    /// None is under way. The last one failed, and the cluster is as it was before.
    RolledBack {
        /// Why it failed.
        reason: String,
    },
    /// One is under way, forward or back ([`ClusterChange::rolling_back_because`]).
    Changing {
        /// What it leads to, and the steps there.
        change: Box<ClusterChange>,
        /// Why it does not go on, where only its user or an operator can help.
        blocked_reason: Option<String>,
        /// Whose the cluster was before; kept until Heat has taken a step, since it may refuse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        former_owner: Option<String>,
    },
}

/// What is known of the stack of a cluster that is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "known_by", rename_all = "snake_case")]
pub enum DeleteTarget {
    /// Its name alone: it may not be there at all.
    Name {
        /// When a create was sent whose answer is not known: what may still arrive at Heat has to
        /// be waited for, or it would be left behind.
        create_sent_s: Option<u64>,
    },
    /// Its id.
    Id {
        /// Heat's UUID.
        stack_id: String,
    },
}

impl Lifecycle {
    /// One lowercase word: `deploying`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Deploying { .. } => "deploying",
            Self::Running { .. } => "running",
            Self::Deleting { .. } => "deleting",
        }
    }

    /// Whether clients still see the cluster.
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::Deleting { .. })
    }

    /// Heat's UUID, where it is known.
    pub fn stack_id(&self) -> Option<&str> {
        match self {
            Self::Running { stack_id, .. }
            | Self::Deleting {
                target: DeleteTarget::Id { stack_id },
                ..
            } => Some(stack_id),
            _ => None,
        }
    }

    /// When a create was sent whose answer is not known, in seconds since 1970.
    pub fn create_sent_s(&self) -> Option<u64> {
        match self {
            Self::Deploying { create_sent_s, .. }
            | Self::Deleting {
                target: DeleteTarget::Name { create_sent_s },
                ..
            } => *create_sent_s,
            _ => None,
        }
    }

    /// The change that is under way.
    pub fn change(&self) -> Option<&ClusterChange> {
        match self {
            Self::Running {
                rollout: RolloutStatus::Changing { change, .. },
                ..
            } => Some(change.as_ref()),
            _ => None,
        }
    }

    /// Whose the cluster was before the change of which Heat has taken nothing yet.
    pub fn former_owner(&self) -> Option<&str> {
        match self {
            Self::Running {
                rollout: RolloutStatus::Changing { former_owner, .. },
                ..
            } => former_owner.as_deref(),
            _ => None,
        }
    }

    /// Why the last change was rolled back, where it was.
    pub fn rollback_reason(&self) -> Option<&str> {
        match self {
            Self::Running {
                rollout: RolloutStatus::RolledBack { reason },
                ..
            } => Some(reason),
            _ => None,
        }
    }

    /// Why it does not go on, where only a person can help.
    pub fn blocked_reason(&self) -> Option<&str> {
        match self {
            Self::Deploying { blocked_reason, .. }
            | Self::Running {
                rollout: RolloutStatus::Changing { blocked_reason, .. },
                ..
            }
            | Self::Deleting { blocked_reason, .. } => blocked_reason.as_deref(),
            _ => None,
        }
    }

    /// How often Heat was asked to delete the stack.
    pub fn deletes(&self) -> u32 {
        match self {
            Self::Deleting { deletes, .. } => *deletes,
            _ => 0,
        }
    }

    /// Whether the cluster is to be deleted and Heat has not taken that yet: it may still refuse.
    pub fn is_deletion_undecided(&self) -> bool {
        matches!(
            self,
            Self::Deleting {
                origin: Some(_),
                ..
            }
        )
    }

    /// Whether something is left to do that no request waits for: it is not where it is to be,
    /// and nobody has to help first.
    pub fn needs_reconcile(&self) -> bool {
        let is_under_way = match self {
            Self::Requested => false,
            Self::Deploying { .. } | Self::Deleting { .. } => true,
            Self::Running { .. } => self.change().is_some(),
        };
        is_under_way && self.blocked_reason().is_none()
    }
}
