//! What the faces are shown of a cluster. No HTTP, no OCCI.

use std::collections::BTreeMap;

use crate::cluster::State;
use crate::cluster::progress::Report;

/// How far the client has driven the life cycle (OCCI's actions depend on it), whatever the cloud makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Asked for.
    Initialised,
    /// `deploy` was accepted.
    Deployed,
    /// `provision` was accepted.
    Provisioned,
}

/// A cluster as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The entity's name, one in its project.
    pub name: String,
    /// The cluster's own id, a UUID; a new one after delete and request.
    pub id: String,
    /// What the client may do next.
    pub phase: Phase,
    /// Where it stands.
    pub state: State,
    /// Heat's status verbatim: `CREATE_IN_PROGRESS`; none before deploy.
    pub stack_status: Option<String>,
    /// Region and stack UUID; none before Heat answered.
    pub stack_id: Option<(String, String)>,
    /// Given by clients, ours (`stampede.*`) and foreign, as they were given.
    pub attributes: BTreeMap<String, String>,
    /// The stack's outputs, without hidden ones and those that are endpoints.
    pub outputs: BTreeMap<String, serde_json::Value>,
    /// Endpoint URLs by name: (`namenode_ui`, `http://198.51.100.7:9870/`).
    pub endpoints: BTreeMap<String, String>,
    /// The region where it lives.
    pub region: String,
    /// The latest line of each node and plugin, the master first, then workers by number.
    pub progress: Vec<Report>,
    /// Node, stage and reason of the first failure.
    pub failure: Option<String>,
    /// Why what is shown may be old: the cloud did not answer the last question.
    pub cloud_error: Option<String>,
}

/// What a request for an entity led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Requested {
    /// It was not there.
    New(View),
    /// It was there already; nothing was changed.
    Existing(View),
}
