//! Where a cluster stands, in Stampede's own words; Heat's status is kept verbatim beside it. No
//! I/O.

use serde::{Deserialize, Serialize};

/// Where a cluster stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClusterState {
    /// Asked for; nothing was looked up or created.
    Requested,
    /// The plan is made and recorded; Heat has not answered yet.
    Planned,
    /// Heat creates it and the nodes set themselves up.
    Deploying,
    /// Verified: every node is ready and the smoke job ran.
    Active,
    /// A change to the running cluster is under way.
    Updating,
    /// Stopped by its user.
    Suspended,
    /// Being taken away.
    Deleting,
    /// Nothing of it is left in the cloud.
    Deleted,
    /// It stands still, and why, in words for its user.
    Failed(String),
}

impl ClusterState {
    /// One lowercase word: `requested`, `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Planned => "planned",
            Self::Deploying => "deploying",
            Self::Active => "active",
            Self::Updating => "updating",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it stands still, where it does.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Whether waiting alone may change it.
    pub fn is_moving(&self) -> bool {
        matches!(
            self,
            Self::Planned | Self::Deploying | Self::Updating | Self::Deleting
        )
    }
}

impl std::fmt::Display for ClusterState {
    /// The word, and the reason behind it where there is one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(reason) if !reason.is_empty() => write!(f, "failed: {reason}"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// How far the client has driven the life cycle (OCCI's actions depend on it), whatever the cloud
/// makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LifecyclePhase {
    /// Asked for.
    Initialised,
    /// `deploy` was accepted.
    Deployed,
    /// `provision` was accepted.
    Provisioned,
}
