//! What is remembered of a cluster. Never a token. Pure data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::{
    ClusterChange, ClusterSpec, DesiredState, LifecyclePhase,
    change::{ChangeReport, FileDigests},
    progress::StageReport,
};

/// One cluster, from the request for it until nothing of it is left in the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterRecord {
    /// A UUID, the cluster's own: a new one for each request after a delete.
    pub id: String,
    /// Whose it is.
    pub project_id: String,
    /// For people.
    pub project_name: String,
    /// The entity's name, one among the living of its project.
    pub name: String,
    /// When it was asked for, in seconds since 1970.
    pub created_s: u64,
    /// When something other than an observation changed it last.
    pub updated_s: u64,
    /// How often it was written; a writer that has an older one is refused.
    pub revision: i64,
    /// As clients gave them.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of ours as they came with everything but an update: a client that repeats them
    /// with an update may not mean them.
    #[serde(default)]
    pub brought: BTreeMap<String, String>,
    /// What was deployed, defaults of that time included; none before deploy.
    pub spec: Option<ClusterSpec>,
    /// How far the client has driven it.
    pub phase: LifecyclePhase,
    /// Whether a client was told that its deploy succeeded.
    #[serde(default)]
    pub acknowledged: bool,
    /// What is to become of it.
    pub wish: DesiredState,
    /// The id of the user who wished it, whose token alone creates and deletes; none in records of
    /// former versions and of clusters that were found again, where every token of the project
    /// does.
    #[serde(default)]
    pub owner: Option<String>,
    /// The stack's name, fixed with the record's id.
    pub stack_name: String,
    /// Heat's UUID, once Heat has answered.
    pub stack_id: Option<String>,
    /// Where it lives; empty before deploy.
    pub region: String,
    /// When the last create was sent whose answer is not known, in seconds since 1970.
    pub create_sent_s: Option<u64>,
    /// How often a delete was asked for.
    pub deletes: u32,
    /// Endpoint names, each with the output that holds its URL.
    pub endpoints: BTreeMap<String, String>,
    /// Why the wish cannot be fulfilled, where only its user or an operator can help.
    pub stuck: Option<String>,
    /// A change to the running cluster that is under way.
    #[serde(default)]
    pub change: Option<ClusterChange>,
    /// What the nodes were told so far.
    #[serde(default)]
    pub told: NodeNotifications,
    /// Why the last change was taken back, where it was.
    #[serde(default)]
    pub setback: Option<String>,
    /// What the cloud showed last.
    pub seen: ObservedState,
}

/// What the nodes of a cluster were told so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeNotifications {
    /// How the nodes signal: fixed with the stack.
    pub transport: String,
    /// The newest generation that was given out.
    pub generation: u32,
    /// The newest generation of each node that was ever told of a change.
    pub nodes: BTreeMap<String, u32>,
    /// Digests of what stands on the nodes of each role, by path.
    pub installed: FileDigests,
}

impl ClusterRecord {
    /// Whether clients still see it.
    pub fn is_live(&self) -> bool {
        self.wish != DesiredState::Delete
    }
}

/// What the cloud showed last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObservedState {
    /// Heat's status verbatim.
    pub status: Option<String>,
    /// Heat's words beside it.
    pub reason: String,
    /// The stack was there and is gone, and nobody asked us.
    pub gone: bool,
    /// The outputs that have a value.
    pub outputs: BTreeMap<String, Value>,
    /// The latest line of each stage of each node, in the order of arrival.
    pub reports: Vec<StageReport>,
    /// The nodes that said they are ready.
    pub ready: Vec<String>,
    /// The first failure that a node signalled, in its own words.
    pub signalled: Option<String>,
    /// The first resource that failed, and Heat's words about it.
    pub failed: Option<(String, String)>,
    /// What each node answered last when it was told of a change.
    #[serde(default)]
    pub answers: BTreeMap<String, ChangeReport>,
    /// Nodes that cannot be told of changes: they see no metadata service.
    #[serde(default)]
    pub deaf: Vec<String>,
    /// The last event that was read.
    pub marker: Option<String>,
}
