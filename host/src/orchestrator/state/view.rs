//! What the APIs are shown of a cluster. No HTTP, no OCCI.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

pub use crate::cluster::{ClusterState, LifecyclePhase};
use crate::orchestrator::state::{
    cluster_handle::ClusterHandle,
    idle_jobs::{IdleView, describe_idle_end, idle_view},
    node_access::{self, NodeAccess},
    status,
};
use crate::{
    cluster::{
        ClusterEnd, ClusterSpec, EndStage, NewerPlugins, NodeGroups,
        attribute_names::PREFIX,
        cluster_endpoint::ClusterEndpoint,
        end_time::{EXPIRES, age_text},
        former_runs::RunForecast,
        framework_bundle::EndpointReach,
        group_attributes::split_groups,
        group_value::{GROUPS_ATTRIBUTE, attribute_of},
        health::ServiceHealth,
        idle_limit::IDLE,
        node_group::GroupSpec,
        progress::StageReport,
    },
    store::{ClusterRecord, RequestMark},
    system::utc_time::{format_rfc3339, format_utc},
};

/// A cluster as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterView {
    /// The cluster's name, one in its project.
    pub name: String,
    /// The cluster's own id, a UUID; a new one after delete and request.
    pub id: String,
    /// When it was asked for, in seconds since 1970.
    pub created_s: u64,
    /// The id of the user who asked for what is under way, or was last; none where nobody knows.
    pub owner: Option<String>,
    /// Its frameworks; before it is deployed only those that its client named.
    pub frameworks: Vec<String>,
    /// How many nodes its groups have; before it is deployed only those that its client said.
    pub node_counts: BTreeMap<String, u32>,
    /// What the client may do next.
    pub phase: LifecyclePhase,
    /// Where it stands.
    pub state: ClusterState,
    /// Heat's status verbatim: `CREATE_IN_PROGRESS`; none before deploy.
    pub stack_status: Option<String>,
    /// Region and stack UUID; none before Heat answered.
    pub stack_id: Option<(String, String)>,
    /// Given by clients, ours (`stampede.*`) and foreign, as they were given.
    pub attributes: BTreeMap<String, String>,
    /// Attributes of ours as they came with everything but an update.
    pub brought: BTreeMap<String, String>,
    /// All outputs of the stack that have a value, endpoints among them.
    pub outputs: BTreeMap<String, Value>,
    /// Endpoint URLs by name: (`namenode_ui`, `http://198.51.100.7:9870/`).
    pub endpoints: BTreeMap<String, String>,
    /// How each of these is reached, also where its URL is not known yet.
    pub endpoint_access: BTreeMap<String, EndpointAccess>,
    /// The health of its components, in the order in which they are set up; those alone that a node
    /// has said something of.
    pub health: Vec<ServiceHealth>,
    /// The region where it lives.
    pub region: String,
    /// The latest line of each stage of each node: group by group, in each by number; within a node
    /// the newest last.
    pub progress: Vec<StageReport>,
    /// Heat's own words beside its status, verbatim; may be empty.
    pub stack_status_reason: String,
    /// What is to be said of the change that is under way, or of the last one where it was taken
    /// back.
    pub change: Option<String>,
    /// When it is to be deleted, in seconds since 1970; none: by people alone.
    pub ends_s: Option<u64>,
    /// What is to be said of its end: that it is near, or has come.
    pub end_notice: Option<String>,
    /// How long it may be without jobs, and since when it is; none: no such end.
    pub idle: Option<IdleView>,
    /// How far its deletion has come.
    pub deletion: DeletionStage,
    /// How long what is under way will take by former runs, where some are known.
    pub time_left: Option<RunForecast>,
    /// What made it and is another by now; none where an upgrade would change nothing. In lists it is
    /// not looked for.
    pub upgrade: Option<NewerPlugins>,
    /// Node, stage and reason of the first failure, in words.
    pub failure: Option<String>,
    /// Why what is shown may be old, or does not go on: the cloud did not answer the last question, or
    /// has not taken what it is to be given.
    pub cloud_error: Option<String>,
    /// Since when the cloud has not answered, in seconds of the epoch; none where it does, or never
    /// has since this process began.
    pub silent_since_s: Option<u64>,
}

/// One node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// `worker-7`.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Its flavor, where one is known.
    pub flavor: Option<String>,
    /// Whether it has said that it is ready.
    pub is_ready: bool,
}

/// How an endpoint is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointAccess {
    /// Its URLs: of one node, or each with its node.
    pub urls: Vec<(Option<String>, String)>,
    /// What it is and how it is used; may be empty.
    pub description: String,
    /// Whose it is; may be empty.
    pub component: String,
    /// Who reaches it; none where it is not known.
    pub reach: Option<EndpointReach>,
    /// Whether it asks for a secret, which members of the project are shown when they ask for it.
    pub asks_for_secret: bool,
}

impl EndpointAccess {
    fn of_record(record: &ClusterRecord, name: &str, endpoint: &ClusterEndpoint) -> Self {
        let open = record.spec.as_ref().map(|spec| spec.open.as_slice());
        let is_open = open.unwrap_or_default().iter().any(|open| open == name);
        let reach = endpoint.reach.map(|reach| match reach {
            EndpointReach::Outside if !is_open => EndpointReach::Tunnel,
            reach => reach,
        });
        let urls = match record.observed.outputs.get(&endpoint.output) {
            None => Vec::new(),
            Some(Value::Object(by_node)) => by_node
                .iter()
                .map(|(node, url)| (Some(node.clone()), text_of(url)))
                .collect(),
            Some(url) => vec![(None, text_of(url))],
        };
        Self {
            urls,
            description: endpoint.description.clone(),
            component: endpoint.component.clone(),
            reach,
            asks_for_secret: endpoint.secret.is_some(),
        }
    }
}

/// How far the deletion of a cluster has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionStage {
    /// Nobody has asked for it.
    #[default]
    NotWanted,
    /// Somebody whose cluster it is not has asked for it: it stays what it is until Heat has taken
    /// that.
    Wished,
    /// It is to be deleted, and Heat has not taken that.
    Asked,
    /// Heat has taken it.
    Taken,
}

impl DeletionStage {
    fn of_record(record: &ClusterRecord) -> Self {
        match (record.is_live(), record.lifecycle.is_deletion_undecided()) {
            (true, _) if record.has_wish_to_decide() => Self::Wished,
            (true, _) => Self::NotWanted,
            (false, true) => Self::Asked,
            (false, false) => Self::Taken,
        }
    }
}

/// What a request for a cluster led to.
#[derive(Clone, Debug, PartialEq)]
pub enum CreateOutcome {
    /// It was not there.
    New(ClusterView),
    /// It was there already; nothing was changed.
    Existing(ClusterView),
}

/// A cluster as it was found for its owner. It is put into words only where they are asked for.
#[derive(Clone, Debug)]
pub struct ClusterLookup {
    record: Arc<ClusterRecord>,
    edition: ViewVersion,
    silent_since_s: Option<u64>,
    time_left: Option<RunForecast>,
    upgrade: Option<NewerPlugins>,
}

/// What a cluster's views depend on: where it is the same, so are they.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewVersion {
    /// How often the cluster's record was written.
    pub revision: i64,
    /// Why what is known may be old.
    pub cloud_error: Option<Arc<str>>,
}

impl ClusterLookup {
    pub(crate) fn new(record: Arc<ClusterRecord>, cloud_error: Option<Arc<str>>) -> Self {
        let edition = ViewVersion {
            revision: record.revision,
            cloud_error,
        };
        Self {
            record,
            edition,
            silent_since_s: None,
            time_left: None,
            upgrade: None,
        }
    }

    /// The same, with what made it and is another by now.
    pub(crate) fn with_upgrade(self, upgrade: Option<NewerPlugins>) -> Self {
        Self { upgrade, ..self }
    }

    /// The same, of a cluster of which the cloud has not answered since this time.
    pub(crate) fn silent_since(self, silent_since_s: Option<u64>) -> Self {
        Self {
            silent_since_s,
            ..self
        }
    }

    /// The same, with how long what is under way will take.
    pub(crate) fn with_time_left(self, time_left: Option<RunForecast>) -> Self {
        Self { time_left, ..self }
    }

    /// The cluster's own id.
    pub fn id(&self) -> &str {
        &self.record.id
    }

    /// All that is remembered of it.
    pub(crate) fn record(&self) -> &ClusterRecord {
        &self.record
    }

    /// The request that has made it, where that said which it was.
    pub fn request_mark(&self) -> Option<&RequestMark> {
        self.record.request_mark.as_ref()
    }

    /// Its nodes, group by group; none before it is deployed.
    pub fn nodes(&self) -> Vec<NodeView> {
        let groups = self.record.spec.iter().flat_map(|spec| spec.groups.iter());
        let nodes_of = |group: &GroupSpec| {
            let of_group = |name: String| NodeView {
                is_ready: self.record.observed.ready.contains(&name),
                name,
                group: group.name.clone(),
                flavor: group.flavor.clone(),
            };
            group
                .node_names()
                .into_iter()
                .map(of_group)
                .collect::<Vec<_>>()
        };
        groups.flat_map(nodes_of).collect()
    }

    /// What the view depends on.
    pub fn edition(&self) -> &ViewVersion {
        &self.edition
    }

    /// How its nodes are reached; none before it is deployed.
    pub fn node_access(&self) -> Option<NodeAccess> {
        node_access::node_access(&self.record)
    }

    /// What its owner sees.
    pub fn view(&self) -> ClusterView {
        ClusterView {
            silent_since_s: self.silent_since_s,
            time_left: self.time_left,
            upgrade: self.upgrade.clone(),
            ..view_of(&self.record, self.edition.cloud_error.as_deref())
        }
    }
}

/// What the owner of a cluster in use is shown.
pub(crate) fn show_cluster(handle: &ClusterHandle, record: &ClusterRecord) -> ClusterView {
    let cloud_error = handle.cloud_error(record, handle.refresh.error());
    view_of(record, cloud_error.as_deref())
}

/// What a record shows.
pub(crate) fn view_of(record: &ClusterRecord, cloud_error: Option<&str>) -> ClusterView {
    let seen = &record.observed;
    let endpoints = record.endpoints.iter();
    let access = endpoints.clone().map(|(name, endpoint)| {
        let access = EndpointAccess::of_record(record, name, endpoint);
        (name.clone(), access)
    });
    let endpoints = endpoints.filter_map(|(name, endpoint)| {
        let url = seen.outputs.get(&endpoint.output)?;
        Some((name.clone(), text_of(url)))
    });
    ClusterView {
        name: record.name.clone(),
        id: record.id.clone(),
        created_s: record.created_s,
        owner: record.owner.clone(),
        frameworks: frameworks(record),
        node_counts: node_counts(record),
        phase: record.phase(),
        state: status::cluster_state(record),
        stack_status: status::shown_status(record),
        stack_id: record
            .stack_id()
            .map(|id| (record.region.clone(), id.to_owned())),
        attributes: attributes_with_end(record),
        brought: record.initial_attributes.clone(),
        outputs: seen.outputs.clone(),
        endpoints: endpoints.collect(),
        endpoint_access: access.collect(),
        health: status::services(record),
        region: record.region.clone(),
        progress: status::progress(record),
        stack_status_reason: seen.reason.clone(),
        change: status::describe_change(record),
        time_left: None,
        upgrade: None,
        failure: record
            .blocked_reason()
            .map(str::to_owned)
            .or_else(|| status::describe_failure(record)),
        ends_s: record.end.map(|end| end.at_s),
        end_notice: join_reasons(
            record
                .end
                .filter(|_| record.is_live())
                .and_then(describe_end)
                .as_deref(),
            describe_idle_end(record),
        ),
        idle: idle_view(record),
        deletion: DeletionStage::of_record(record),
        cloud_error: join_reasons(cloud_error, describe_wishes(record)),
        silent_since_s: None,
    }
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Who wants a cluster gone that is not theirs.
fn describe_wishes(record: &ClusterRecord) -> Option<String> {
    let users: Vec<&str> = record.deletion_wishes.iter().map(String::as_str).collect();
    let words = format!(
        "its deletion was asked for by {}, and heat has not taken that yet: until then it stays what it is",
        users.join(", ")
    );
    record.has_wish_to_decide().then_some(words)
}

/// Those that were given, and those of its ends.
pub(crate) fn attributes_with_end(record: &ClusterRecord) -> BTreeMap<String, String> {
    let mut attributes = record.attributes.clone();
    if let Some(end) = record.end {
        let name = format!("{PREFIX}{EXPIRES}");
        attributes.insert(name, format_rfc3339(end.at_s));
    }
    if let Some(idle) = record.idle {
        let name = format!("{PREFIX}{IDLE}");
        attributes.insert(name, age_text(idle.after_s));
    }
    attributes
}

/// What is to be said of an end that is near, or has come.
fn describe_end(end: ClusterEnd) -> Option<String> {
    let at = format_utc(end.at_s);
    match end.stage {
        EndStage::Ahead => None,
        EndStage::Announced => Some(format!(
            "it will be deleted at {at}, with all that is on it, unless its end is put off before"
        )),
        EndStage::Over => Some(format!(
            "its end was at {at}, and nobody is logged in who may delete it: it is deleted when its owner signs in next"
        )),
    }
}

fn join_reasons(one: Option<&str>, other: Option<String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) => Some(format!("{one}; {other}")),
        (one, other) => one.map(str::to_owned).or(other),
    }
}

fn node_counts(record: &ClusterRecord) -> BTreeMap<String, u32> {
    if let Some(spec) = &record.spec {
        let groups = spec.groups.iter().filter(|group| !group.is_empty());
        return groups
            .map(|group| (group.name.clone(), group.count))
            .collect();
    }
    let named = given(record, GROUPS_ATTRIBUTE).unwrap_or_default();
    let groups = NodeGroups::default();
    let further = split_groups(named).filter(|name| groups.get(name).is_none());
    let said = |group: &str| {
        let count = given(record, &attribute_of(group, "count"))?;
        Some((group.to_owned(), count.trim().parse().ok()?))
    };
    groups.names().chain(further).filter_map(said).collect()
}

fn frameworks(record: &ClusterRecord) -> Vec<String> {
    let chosen = |spec: &ClusterSpec| {
        let names = spec.frameworks.iter().map(|one| one.name.clone());
        names.collect()
    };
    let named = || {
        let names = given(record, "framework").unwrap_or_default().split(',');
        let names = names.map(|name| name.trim().to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    record.spec.as_ref().map_or_else(named, chosen)
}

/// An attribute of ours as the client gave it.
fn given<'a>(record: &'a ClusterRecord, name: &str) -> Option<&'a str> {
    let name = format!("{PREFIX}{name}");
    record.attributes.get(&name).map(String::as_str)
}
