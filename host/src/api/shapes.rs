//! What answers hold, as data: each type here is a schema of the API's document. Times are UTC as in
//! RFC 3339, sizes say their unit in their names.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::time_shapes::{IdleState, TimeLeft};
use crate::cluster::NewerPlugins;
use crate::cluster::attribute_names::PREFIX;
use crate::cluster::health::{ComponentHealth, ServiceHealth};
use crate::cluster::progress::{StageOutcome, StageReport};
use crate::orchestrator::{
    ClusterLookup, ClusterView, DeletionStage, EndpointAccess, NodeView, Orchestrator,
};
use crate::system::utc_time::format_rfc3339;

/// Which API this is.
#[derive(Serialize, ToSchema)]
pub struct ApiRoot {
    /// The API's version.
    #[schema(example = "v1")]
    pub version: String,
    /// Stampede's own.
    pub stampede: String,
    /// The path of the API's document.
    pub openapi: String,
}

/// A cluster, as lists have it.
#[derive(Serialize, ToSchema)]
pub struct ClusterSummary {
    /// Its name, one in its project.
    #[schema(example = "demo")]
    pub name: String,
    /// Its own id, a UUID.
    pub id: String,
    /// `requested`, `planned`, `deploying`, `active`, `updating`, `suspended`, `deleting`, `deleted`
    /// or `failed`.
    #[schema(example = "active")]
    pub state: String,
    /// Why it failed, in words: node, stage and reason of the first failure.
    pub failure: Option<String>,
    /// Its frameworks.
    pub frameworks: Vec<String>,
    /// How many nodes its groups have.
    pub node_counts: BTreeMap<String, u32>,
    /// Where it lives.
    pub region: String,
    /// When it was asked for.
    #[schema(example = "2026-11-26T06:00:00Z")]
    pub created_at: String,
    /// When it is to be deleted; null: by people alone.
    #[schema(example = "2026-11-26T14:00:00Z")]
    pub expires: Option<String>,
}

/// A page of a list of clusters, by name.
#[derive(Serialize, ToSchema)]
pub struct ClusterListing {
    /// The clusters.
    pub clusters: Vec<ClusterSummary>,
    /// How many there are that the filters leave, on all pages.
    pub matching: usize,
    /// How many there are in the project.
    pub total: usize,
    /// The `marker` of the next page; null on the last one.
    pub next_marker: Option<String>,
}

/// A cluster with everything that is known of it.
#[derive(Serialize, ToSchema)]
pub struct ClusterDetail {
    /// Its name, one in its project.
    pub name: String,
    /// Its own id, a UUID.
    pub id: String,
    /// What it is asked to be, as a word for `If-Match`: the same for as long as nobody asks for
    /// something else. The header `ETag` has it, too.
    pub revision: String,
    /// As in lists.
    pub state: String,
    /// Why it failed, in words: node, stage and reason of the first failure.
    pub failure: Option<String>,
    /// Its frameworks.
    pub frameworks: Vec<String>,
    /// How many nodes its groups have.
    pub node_counts: BTreeMap<String, u32>,
    /// Where it lives.
    pub region: String,
    /// When it was asked for.
    pub created_at: String,
    /// When it is to be deleted, which the attribute `expires` sets; null: by people alone.
    #[schema(example = "2026-11-26T14:00:00Z")]
    pub expires: Option<String>,
    /// That its end is near or has come, and what becomes of it; null before.
    pub end_notice: Option<String>,
    /// How long it may be without jobs before it is deleted, which the attribute `idle` sets; null: for
    /// ever.
    pub idle: Option<IdleState>,
    /// What was asked for, by attribute, as it was given.
    pub attributes: BTreeMap<String, String>,
    /// The stack in Heat; null before it is made.
    pub stack: Option<StackState>,
    /// Its nodes; none before it is deployed.
    pub nodes: Vec<NodeState>,
    /// The latest line of each stage of each node.
    pub stages: Vec<StageState>,
    /// The health of each component that a node has said something of.
    pub services: Vec<ServiceState>,
    /// Where it is reached.
    pub endpoints: Vec<EndpointState>,
    /// What is to be said of the change under way, or of the last one where it was taken back.
    pub change: Option<String>,
    /// How long what is under way will take, by former runs of the project; null where nothing is under
    /// way, or nothing like it was carried out before.
    pub time_left: Option<TimeLeft>,
    /// What made it and is another by now: an update with `upgrade` takes what is there now; null where
    /// that would change nothing, or where it cannot be asked for.
    pub upgrade: Option<UpgradeOffer>,
    /// How far its deletion has come: `none`, `wished` (by somebody whose cluster it is not), `asked`
    /// or `taken` (by Heat).
    #[schema(example = "none")]
    pub deletion: String,
    /// Why what is shown may be old, or does not go on.
    pub warning: Option<String>,
}

/// A stack in Heat.
#[derive(Serialize, ToSchema)]
pub struct StackState {
    /// Its UUID; null where Heat has not told it yet.
    pub id: Option<String>,
    /// Heat's own word: `CREATE_IN_PROGRESS`.
    pub status: Option<String>,
    /// Heat's words beside it; may be empty.
    pub reason: String,
}

/// What an upgrade would replace.
#[derive(Serialize, ToSchema)]
pub struct UpgradeOffer {
    /// The plugins that are others by now than those that made the cluster.
    #[schema(example = json!(["hadoop"]))]
    pub plugins: Vec<String>,
    /// Whether the frame of its nodes is another, as it comes with each release of Stampede.
    pub frame: bool,
}

/// A node.
#[derive(Serialize, ToSchema)]
pub struct NodeState {
    /// `worker-7`.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its flavor, where one is known.
    pub flavor: Option<String>,
    /// Whether it has said that it is ready.
    pub ready: bool,
}

/// One stage of one node.
#[derive(Serialize, ToSchema)]
pub struct StageState {
    /// The node; empty where it is not known.
    pub node: String,
    /// The plugin whose script runs, or `node`.
    pub plugin: String,
    /// `setup`, `ready`, `smoke`, `drain`, `change`; may be empty.
    pub stage: String,
    /// `began`, `note`, `done` or `failed`.
    pub outcome: String,
    /// How long it took, where it said so.
    pub seconds: Option<u32>,
    /// The line for people.
    pub text: String,
}

/// A component on all its nodes.
#[derive(Serialize, ToSchema)]
pub struct ServiceState {
    /// Its name.
    pub component: String,
    /// `green`, `yellow` or `red`: that of the node where it is worst.
    pub colour: String,
    /// That node.
    pub node: String,
    /// Why, for people.
    pub sentence: String,
    /// When that node looked, by its own clock.
    pub looked_at: String,
    /// How many nodes have it.
    pub members: usize,
    /// What each node says that has said something.
    pub nodes: Vec<NodeHealthState>,
}

/// What a node says of a component.
#[derive(Serialize, ToSchema)]
pub struct NodeHealthState {
    /// The node.
    pub node: String,
    /// `green`, `yellow` or `red`.
    pub colour: String,
    /// Why, for people.
    pub sentence: String,
    /// When it looked.
    pub looked_at: String,
    /// Since when it has this colour at least.
    pub since: String,
}

/// An endpoint.
#[derive(Serialize, ToSchema)]
pub struct EndpointState {
    /// `hadoop_namenode`.
    pub name: String,
    /// What it is and how it is used; may be empty.
    pub description: String,
    /// Whose it is; may be empty.
    pub component: String,
    /// Who reaches it: `cluster` (its nodes), `tunnel` (people through SSH) or `outside`; null where it
    /// is not known.
    pub reach: Option<String>,
    /// Whether it asks for a secret.
    pub asks_for_secret: bool,
    /// Where; empty while it is not known.
    pub urls: Vec<EndpointUrl>,
}

/// A URL of an endpoint.
#[derive(Serialize, ToSchema)]
pub struct EndpointUrl {
    /// The node whose it is; null where it is the endpoint's only one.
    pub node: Option<String>,
    /// The URL.
    pub url: String,
}

/// What an endpoint asks its users for.
#[derive(Serialize, ToSchema)]
pub struct EndpointSecret {
    /// The secret.
    pub secret: String,
}

/// What became of a request to delete a cluster that Heat has to take.
#[derive(Serialize, ToSchema)]
pub struct DeletionState {
    /// Whether Heat has taken it.
    pub taken: bool,
    /// Why it has not, where it has not: it is tried again in the background.
    pub waits_for: Option<String>,
}

/// Why a stream has ended, other than by the host's end.
#[derive(Serialize, ToSchema)]
pub struct StreamEnd {
    /// `gone` (no such cluster any more) or `token` (the token is no longer good).
    pub reason: String,
    /// In words.
    pub detail: String,
}

impl From<ClusterView> for ClusterSummary {
    fn from(view: ClusterView) -> Self {
        Self {
            state: view.state.as_str().to_owned(),
            failure: view
                .failure
                .or_else(|| view.state.reason().map(str::to_owned)),
            name: view.name,
            id: view.id,
            frameworks: view.frameworks,
            node_counts: view.node_counts,
            region: view.region,
            created_at: format_rfc3339(view.created_s),
            expires: view.ends_s.map(format_rfc3339),
        }
    }
}

impl From<&ClusterLookup> for ClusterDetail {
    fn from(found: &ClusterLookup) -> Self {
        let view = found.view();
        let reason = view.state.reason().map(str::to_owned);
        let short = |(name, value): (String, String)| match name.strip_prefix(PREFIX) {
            Some(own) => (own.to_owned(), value),
            None => (name, value),
        };
        let stack_id = view.stack_id.map(|(_, id)| id);
        let has_stack = stack_id.is_some() || view.stack_status.is_some();
        Self {
            revision: Orchestrator::revision(found),
            state: view.state.as_str().to_owned(),
            failure: view.failure.or(reason),
            name: view.name,
            id: view.id,
            frameworks: view.frameworks,
            node_counts: view.node_counts,
            region: view.region,
            created_at: format_rfc3339(view.created_s),
            expires: view.ends_s.map(format_rfc3339),
            end_notice: view.end_notice,
            idle: view.idle.map(IdleState::from),
            attributes: view.attributes.into_iter().map(short).collect(),
            stack: has_stack.then_some(StackState {
                id: stack_id,
                status: view.stack_status,
                reason: view.stack_status_reason,
            }),
            nodes: found.nodes().into_iter().map(NodeState::from).collect(),
            stages: view.progress.into_iter().map(StageState::from).collect(),
            services: view.health.iter().map(ServiceState::from).collect(),
            endpoints: view
                .endpoint_access
                .into_iter()
                .map(EndpointState::from)
                .collect(),
            change: view.change,
            time_left: view.time_left.map(TimeLeft::from),
            upgrade: view.upgrade.map(UpgradeOffer::from),
            deletion: match view.deletion {
                DeletionStage::NotWanted => "none",
                DeletionStage::Wished => "wished",
                DeletionStage::Asked => "asked",
                DeletionStage::Taken => "taken",
            }
            .to_owned(),
            warning: view.cloud_error,
        }
    }
}

impl From<NewerPlugins> for UpgradeOffer {
    fn from(newer: NewerPlugins) -> Self {
        Self {
            plugins: newer.plugins,
            frame: newer.frame,
        }
    }
}

impl From<NodeView> for NodeState {
    fn from(node: NodeView) -> Self {
        Self {
            name: node.name,
            group: node.group,
            flavor: node.flavor,
            ready: node.is_ready,
        }
    }
}

impl From<StageReport> for StageState {
    fn from(report: StageReport) -> Self {
        let outcome = match report.outcome {
            StageOutcome::Began => "began",
            StageOutcome::Note => "note",
            StageOutcome::Done => "done",
            StageOutcome::Failed => "failed",
        };
        Self {
            node: report.node,
            plugin: report.plugin,
            stage: report.stage,
            outcome: outcome.to_owned(),
            seconds: report.seconds,
            text: report.text,
        }
    }
}

impl From<&ServiceHealth> for ServiceState {
    fn from(service: &ServiceHealth) -> Self {
        let node = |(node, health): &(String, ComponentHealth)| NodeHealthState {
            node: node.clone(),
            colour: health.colour.as_str().to_owned(),
            sentence: health.sentence.clone(),
            looked_at: format_rfc3339(health.looked_s),
            since: format_rfc3339(health.since_s),
        };
        Self {
            component: service.component.clone(),
            colour: service.worst.colour.as_str().to_owned(),
            node: service.node.clone(),
            sentence: service.worst.sentence.clone(),
            looked_at: format_rfc3339(service.worst.looked_s),
            members: service.members,
            nodes: service.nodes.iter().map(node).collect(),
        }
    }
}

impl From<(String, EndpointAccess)> for EndpointState {
    fn from((name, access): (String, EndpointAccess)) -> Self {
        let url = |(node, url)| EndpointUrl { node, url };
        Self {
            name,
            description: access.description,
            component: access.component,
            reach: access.reach.map(|reach| reach.as_str().to_owned()),
            asks_for_secret: access.asks_for_secret,
            urls: access.urls.into_iter().map(url).collect(),
        }
    }
}

/// A new cluster.
#[derive(ToSchema)]
#[schema(as = NewCluster)]
#[expect(
    dead_code,
    reason = "a schema; `request_body` reads it, to tell all problems at once"
)]
pub struct NewClusterSchema {
    /// Its name: a letter, then letters of a-z, digits and `-`.
    #[schema(example = "demo", max_length = 40)]
    name: String,
    /// What is not the default, by attribute: texts, numbers, true, false, or lists of texts.
    #[schema(example = json!({"framework": "hadoop", "hadoop.replication": 3}))]
    attributes: Option<BTreeMap<String, Value>>,
    /// Makes the request one that may come again: the same cluster is the answer for as long as it
    /// lives. The header `Idempotency-Key` says the same.
    #[schema(min_length = 1, max_length = 128)]
    request_id: Option<String>,
}

/// A change.
#[derive(ToSchema)]
#[schema(as = ClusterChange)]
#[expect(
    dead_code,
    reason = "a schema; `request_body` reads it, to tell all problems at once"
)]
pub struct ClusterChangeSchema {
    /// What becomes another, by attribute; null lets what was said of one go.
    #[schema(example = json!({"hadoop.replication": 2}))]
    attributes: BTreeMap<String, Value>,
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_those_of_rfc_3339() {
        assert_eq!(super::format_rfc3339(1_763_880_732), "2025-11-23T06:52:12Z");
    }
}
