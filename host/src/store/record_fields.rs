//! The fields of a record, and what they hold of nodes and of the cloud's last answer. Pure data: a
//! record lends them for reading, and its transitions alone write them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cluster::{
    ClusterChange, ClusterEnd, ClusterIdle, ClusterSpec, Lifecycle, RolloutStep,
    change::{ChangeReport, FileDigests},
    cluster_endpoint::ClusterEndpoints,
    health::NodeHealth,
    progress::StageReport,
};

/// The fields of a [`ClusterRecord`](super::ClusterRecord).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordFields {
    /// A UUID, the cluster's own: a new one for each request after a delete.
    pub id: String,
    /// Whose it is.
    pub project_id: String,
    /// For people.
    pub project_name: String,
    /// The entity's name, one among the living of its project.
    pub name: String,
    /// The stack's name, fixed with the record's id.
    pub stack_name: String,
    /// Where it lives.
    pub region: String,
    /// The id of the user who asked for what is under way, whose token alone creates and deletes;
    /// none in records of former versions and of clusters that were found again, where every token
    /// of the project does.
    pub owner: Option<String>,
    /// The ids of others who want it gone, while Heat has not said whether they may: until then it
    /// is what it was.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deletion_wishes: BTreeSet<String>,
    /// When it was asked for, in seconds since 1970.
    pub created_s: u64,
    /// When something other than an observation changed it last.
    pub updated_s: u64,
    /// How often it was written; a writer that has an older one is refused.
    pub revision: i64,
    /// How often anything but an observation was written: what a decision was made on.
    #[serde(default)]
    pub decision: u64,
    /// Who is about to have the cloud change something, until the outcome is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<ActionLease>,
    /// How far its life has come.
    pub lifecycle: Lifecycle,
    /// Whether a client was told that its deploy succeeded.
    pub acknowledged: bool,
    /// Whether the client has taken the last step of its own life cycle, which means nothing to
    /// the cloud.
    pub provisioned: bool,
    /// The request that has made it, where it said which it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_mark: Option<RequestMark>,
    /// When it is to be deleted, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<ClusterEnd>,
    /// How long it may be without jobs, where it is deleted for that; none before it is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<ClusterIdle>,
    /// As clients gave them.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of ours as they came with everything but an update: a client that repeats them
    /// with an update may not mean them.
    pub initial_attributes: BTreeMap<String, String>,
    /// What was deployed, defaults of that time included; none before deploy.
    pub spec: Option<ClusterSpec>,
    /// Where it is reached.
    pub endpoints: ClusterEndpoints,
    /// What the nodes were notified of so far.
    pub notified: NodeNotifications,
    /// What the cloud showed last.
    pub observed: ObservedState,
}

/// By which the same request is known when it comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestMark {
    /// What its client calls it.
    pub id: String,
    /// A digest of what it asked for.
    pub digest: String,
}

impl RequestMark {
    /// That of a request for this cluster.
    pub fn new(id: &str, name: &str, attributes: &[(String, String)]) -> Self {
        let mut pairs: Vec<_> = attributes.iter().collect();
        pairs.sort();
        let mut digest = Sha256::new();
        let texts = pairs.into_iter().flat_map(|(name, value)| [name, value]);
        for text in [name].into_iter().chain(texts.map(String::as_str)) {
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        }
        let digest = digest.finalize();
        Self {
            id: id.to_owned(),
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// The lifecycle's questions, asked of the record.
impl RecordFields {
    /// Whether clients still see it.
    pub fn is_live(&self) -> bool {
        self.lifecycle.is_live()
    }

    /// Whether something is left to do that no request waits for.
    pub fn needs_reconcile(&self) -> bool {
        self.has_wish_to_decide() || self.lifecycle.needs_reconcile()
    }

    /// Whether somebody whose cluster it is not wants it gone, and Heat has not answered them.
    pub fn has_wish_to_decide(&self) -> bool {
        self.is_live() && !self.deletion_wishes.is_empty()
    }

    /// Whether a change is recorded of which Heat has taken nothing, and nothing is on its way.
    pub fn is_change_untaken(&self) -> bool {
        self.lease.is_none() && self.change().is_some_and(|change| !change.is_begun())
    }

    /// With whose rights Heat works on the stack: those of the user from whom it took it last.
    pub fn trustor(&self) -> Option<&str> {
        let former = self.lifecycle.former_owner();
        former.or(self.owner.as_deref())
    }

    /// Whether it should be gone by now.
    pub fn is_overdue(&self, now_s: u64) -> bool {
        self.is_live() && self.end.is_some_and(|end| end.at_s <= now_s)
    }

    /// Whether it should be gone by now for having no jobs, as was announced.
    pub fn is_idle_overdue(&self, now_s: u64) -> bool {
        let notice = self.idle.and_then(|idle| idle.notice);
        self.is_live() && notice.is_some_and(|notice| notice.at_s <= now_s)
    }

    /// Heat's UUID, once Heat has answered.
    pub fn stack_id(&self) -> Option<&str> {
        self.lifecycle.stack_id()
    }

    /// A change to the running cluster that is under way.
    pub fn change(&self) -> Option<&ClusterChange> {
        self.lifecycle.change()
    }

    /// Why what is wanted cannot be had, where only its user or an operator can help.
    pub fn blocked_reason(&self) -> Option<&str> {
        self.lifecycle.blocked_reason()
    }

    /// Why the last change was rolled back, where it was.
    pub fn rollback_reason(&self) -> Option<&str> {
        self.lifecycle.rollback_reason()
    }
}

/// The right to have the cloud create, change or delete one cluster, which one process at a time
/// has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionLease {
    /// The process: another one after every start.
    pub holder: String,
    /// Which of the cluster's leases it is; no two have the same.
    pub number: u64,
}

/// What the nodes of a cluster were notified of so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeNotifications {
    /// How the nodes signal: fixed with the stack.
    pub transport: String,
    /// The newest generation that was given out.
    pub generation: u32,
    /// The newest generation of each node that was ever notified of a change.
    pub nodes: BTreeMap<String, u32>,
    /// Digests of what stands on the nodes of each role, by path.
    pub installed: FileDigests,
}

impl NodeNotifications {
    /// What the nodes have been notified of once Heat has this step.
    pub fn after_step(&self, step: &RolloutStep) -> Self {
        let mut after = self.clone();
        after.generation = after.generation.max(step.generation);
        let told = step.told.iter();
        after
            .nodes
            .extend(told.map(|node| (node.clone(), step.generation)));
        after
    }
}

/// What the cloud showed last. The aliases are the names in records without a version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObservedState {
    /// Heat's status verbatim.
    pub status: Option<String>,
    /// Heat's words beside it.
    pub reason: String,
    /// The stack was there and is gone, and nobody asked us.
    #[serde(alias = "gone")]
    pub deleted_externally: bool,
    /// The outputs that have a value.
    pub outputs: BTreeMap<String, Value>,
    /// The latest line of each stage of each node, in the order of arrival.
    pub reports: Vec<StageReport>,
    /// The nodes that said they are ready.
    pub ready: Vec<String>,
    /// The first failure that a node signalled, in its own words.
    #[serde(alias = "signalled")]
    pub failure_signal: Option<String>,
    /// The first resource that failed, and Heat's words about it.
    pub failed: Option<(String, String)>,
    /// What each node answered last when it was notified of a change.
    #[serde(default)]
    pub answers: BTreeMap<String, ChangeReport>,
    /// Nodes that cannot be notified of changes: they see no metadata service.
    #[serde(default, alias = "deaf")]
    pub nodes_without_metadata: Vec<String>,
    /// What nodes said last of their components.
    #[serde(default, skip_serializing_if = "NodeHealth::is_empty")]
    pub health: NodeHealth,
    /// Whether that is all that their handle has of it.
    #[serde(default)]
    pub is_health_read: bool,
    /// The last event that was read.
    pub marker: Option<String>,
}
