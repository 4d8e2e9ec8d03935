//! The JSON documents of `-f json`. Their fields are documented in host/docs/operating.md and only
//! ever added to.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    api::{
        shapes::UpgradeOffer,
        time_shapes::{IdleState, TimeLeft},
    },
    cluster::{
        default_groups::{WORKERS, sized_group},
        framework_bundle::EndpointReach,
        health::{ComponentHealth, HealthColour, ServiceHealth, cluster_colour},
        progress::{StageOutcome, StageReport},
    },
    orchestrator::ClusterView,
    system::{clock::unix_now_s, utc_time::format_rfc3339},
};

/// The fields of a cluster.
pub(super) const CLUSTER_FIELDS: [&str; 25] = [
    "name",
    "id",
    "state",
    "failure",
    "change",
    "time_left",
    "upgrade",
    "frameworks",
    WORKERS,
    "groups",
    "created_at",
    "age_s",
    "expires",
    "end_notice",
    "idle",
    "region",
    "stack_id",
    "stack_status",
    "stack_status_reason",
    "cloud_error",
    "attributes",
    "endpoints",
    "endpoint_access",
    "health",
    "progress",
];

/// A cluster.
#[derive(Serialize)]
pub(super) struct ClusterDocument<'a> {
    name: &'a str,
    id: &'a str,
    state: &'static str,
    failure: Option<&'a str>,
    change: Option<&'a str>,
    /// How long what is under way will take, by former runs.
    time_left: Option<TimeLeft>,
    /// What made it and is another by now.
    upgrade: Option<UpgradeOffer>,
    frameworks: &'a [String],
    /// How large it is, under the name of that attribute.
    #[serde(flatten)]
    size: BTreeMap<&'static str, Option<u32>>,
    /// How many nodes each of its groups has.
    groups: &'a BTreeMap<String, u32>,
    created_at: String,
    age_s: u64,
    /// When it is to be deleted.
    expires: Option<String>,
    /// That this is near, or has come.
    end_notice: Option<&'a str>,
    /// How long it may be without jobs, and since when it is.
    idle: Option<IdleState>,
    region: &'a str,
    stack_id: Option<&'a str>,
    stack_status: Option<&'a str>,
    stack_status_reason: &'a str,
    /// Why all this may be old.
    cloud_error: Option<&'a str>,
    attributes: &'a BTreeMap<String, String>,
    endpoints: &'a BTreeMap<String, String>,
    endpoint_access: BTreeMap<&'a str, AccessDocument<'a>>,
    health: HealthDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Vec<ReportDocument<'a>>>,
}

/// What a node said.
#[derive(Serialize)]
struct ReportDocument<'a> {
    node: &'a str,
    plugin: &'a str,
    stage: &'a str,
    outcome: StageOutcome,
    seconds: Option<u32>,
    text: &'a str,
}

/// How an endpoint is reached.
#[derive(Serialize)]
struct AccessDocument<'a> {
    component: &'a str,
    description: &'a str,
    reach: Option<EndpointReach>,
    /// Whether it asks for one.
    secret: bool,
}

/// How well it works.
#[derive(Serialize)]
struct HealthDocument<'a> {
    colour: Option<HealthColour>,
    services: Vec<ServiceDocument<'a>>,
}

/// How well a component works.
#[derive(Serialize)]
struct ServiceDocument<'a> {
    component: &'a str,
    /// Of the node where it is worst.
    #[serde(flatten)]
    worst: NodeHealthDocument<'a>,
    /// How many nodes have it.
    members: usize,
    /// How many have said something of it.
    told: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<Vec<NodeHealthDocument<'a>>>,
}

/// What a node said of a component.
#[derive(Serialize)]
struct NodeHealthDocument<'a> {
    node: &'a str,
    colour: HealthColour,
    sentence: &'a str,
    looked_at: String,
    looked_age_s: u64,
    since: String,
}

impl<'a> NodeHealthDocument<'a> {
    fn new(node: &'a str, health: &'a ComponentHealth) -> Self {
        Self {
            node,
            colour: health.colour,
            sentence: &health.sentence,
            looked_at: format_rfc3339(health.looked_s),
            looked_age_s: unix_now_s().saturating_sub(health.looked_s),
            since: format_rfc3339(health.since_s),
        }
    }
}

impl<'a> HealthDocument<'a> {
    fn new(view: &'a ClusterView, with_nodes: bool) -> Self {
        let service = |service: &'a ServiceHealth| {
            let nodes = service.nodes.iter();
            let nodes = nodes.map(|(node, health)| NodeHealthDocument::new(node, health));
            ServiceDocument {
                component: &service.component,
                worst: NodeHealthDocument::new(&service.node, &service.worst),
                members: service.members,
                told: service.nodes.len(),
                nodes: with_nodes.then(|| nodes.collect()),
            }
        };
        Self {
            colour: cluster_colour(&view.health),
            services: view.health.iter().map(service).collect(),
        }
    }
}

fn access_documents(view: &ClusterView) -> BTreeMap<&str, AccessDocument<'_>> {
    let documents = view.endpoint_access.iter().map(|(name, access)| {
        let document = AccessDocument {
            component: &access.component,
            description: &access.description,
            reach: access.reach,
            secret: access.asks_for_secret,
        };
        (name.as_str(), document)
    });
    documents.collect()
}

impl<'a> ClusterDocument<'a> {
    /// For lists.
    pub(super) fn new(view: &'a ClusterView) -> Self {
        Self {
            name: &view.name,
            id: &view.id,
            state: view.state.as_str(),
            failure: view.failure.as_deref().or_else(|| view.state.reason()),
            change: view.change.as_deref(),
            time_left: view.time_left.map(TimeLeft::from),
            upgrade: view.upgrade.clone().map(UpgradeOffer::from),
            frameworks: &view.frameworks,
            size: BTreeMap::from([(
                sized_group().many,
                view.node_counts.get(sized_group().name).copied(),
            )]),
            groups: &view.node_counts,
            created_at: format_rfc3339(view.created_s),
            age_s: age_s(view),
            expires: view.ends_s.map(format_rfc3339),
            end_notice: view.end_notice.as_deref(),
            idle: view.idle.map(IdleState::from),
            region: &view.region,
            stack_id: view.stack_id.as_ref().map(|(_, id)| id.as_str()),
            stack_status: view.stack_status.as_deref(),
            stack_status_reason: &view.stack_status_reason,
            cloud_error: view.cloud_error.as_deref(),
            attributes: &view.attributes,
            endpoints: &view.endpoints,
            endpoint_access: access_documents(view),
            health: HealthDocument::new(view, false),
            progress: None,
        }
    }

    /// With what its nodes said.
    pub(super) fn with_progress(view: &'a ClusterView) -> Self {
        let report = |report: &'a StageReport| ReportDocument {
            node: &report.node,
            plugin: &report.plugin,
            stage: &report.stage,
            outcome: report.outcome,
            seconds: report.seconds,
            text: &report.text,
        };
        Self {
            health: HealthDocument::new(view, true),
            progress: Some(view.progress.iter().map(report).collect()),
            ..Self::new(view)
        }
    }
}

/// How long ago the cluster was asked for.
pub(super) fn age_s(view: &ClusterView) -> u64 {
    unix_now_s().saturating_sub(view.created_s)
}
