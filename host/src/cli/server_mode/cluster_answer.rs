//! A cluster as the JSON API has it, and as this program prints its own: fields that a later host adds are
//! passed over, those that an earlier one does not have are nothing. No I/O.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    cluster::{
        ClusterState, IdleLimit, LifecyclePhase, NewerPlugins,
        attribute_names::PREFIX,
        former_runs::{FormerRuns, RunForecast, RunLikeness},
        framework_bundle::EndpointReach,
        health::{ComponentHealth, HealthColour, ServiceHealth},
        idle_limit::IDLE,
        progress::StageReport,
    },
    orchestrator::{ClusterView, DeletionStage, EndpointAccess, IdleView},
    system::utc_time::parse_rfc3339,
};

/// A cluster: of lists with fewer fields.
#[derive(Deserialize)]
pub(super) struct ClusterAnswer {
    name: String,
    id: String,
    state: String,
    failure: Option<String>,
    #[serde(default)]
    frameworks: Vec<String>,
    #[serde(default)]
    node_counts: BTreeMap<String, u32>,
    #[serde(default)]
    region: String,
    #[serde(default)]
    created_at: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    stack: Option<StackAnswer>,
    #[serde(default)]
    stages: Vec<StageReport>,
    #[serde(default)]
    services: Vec<ServiceAnswer>,
    #[serde(default)]
    endpoints: Vec<EndpointAnswer>,
    change: Option<String>,
    time_left: Option<TimeLeftAnswer>,
    upgrade: Option<UpgradeAnswer>,
    #[serde(default)]
    deletion: String,
    warning: Option<String>,
    expires: Option<String>,
    end_notice: Option<String>,
    idle: Option<IdleAnswer>,
}

#[derive(Deserialize)]
struct UpgradeAnswer {
    #[serde(default)]
    plugins: Vec<String>,
    #[serde(default)]
    frame: bool,
}

#[derive(Deserialize)]
struct IdleAnswer {
    limit: String,
    #[serde(default)]
    busy: bool,
    since: Option<String>,
    ends: Option<String>,
}

impl IdleAnswer {
    /// None where its limit is none that this program knows.
    fn into_view(self) -> Option<IdleView> {
        let limit = IdleLimit::parse(IDLE, &self.limit).ok()?;
        Some(IdleView {
            after_s: limit.seconds()?,
            since_s: self.since.as_deref().and_then(parse_rfc3339),
            ends_s: self.ends.as_deref().and_then(parse_rfc3339),
            is_busy: self.busy,
        })
    }
}

#[derive(Deserialize)]
struct StackAnswer {
    id: Option<String>,
    status: Option<String>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct TimeLeftAnswer {
    #[serde(default)]
    began_at: String,
    seconds_left: Option<u64>,
    typical_seconds: u64,
    runs: u32,
    #[serde(default)]
    likeness: String,
}

#[derive(Deserialize)]
struct ServiceAnswer {
    component: String,
    #[serde(flatten)]
    worst: HealthAnswer,
    #[serde(default)]
    members: usize,
    #[serde(default)]
    nodes: Vec<HealthAnswer>,
}

#[derive(Deserialize)]
struct HealthAnswer {
    node: String,
    colour: HealthColour,
    #[serde(default)]
    sentence: String,
    #[serde(default)]
    looked_at: String,
    since: Option<String>,
}

#[derive(Deserialize)]
struct EndpointAnswer {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    component: String,
    reach: Option<EndpointReach>,
    #[serde(default)]
    asks_for_secret: bool,
    #[serde(default)]
    urls: Vec<UrlAnswer>,
}

#[derive(Deserialize)]
struct UrlAnswer {
    node: Option<String>,
    url: String,
}

impl ClusterAnswer {
    /// As commands print it.
    pub(super) fn into_view(self) -> ClusterView {
        let state = read_state(&self.state, self.failure.as_deref());
        let stack = self.stack.unwrap_or(StackAnswer {
            id: None,
            status: None,
            reason: String::new(),
        });
        let region = self.region;
        let own = |(name, value)| (format!("{PREFIX}{name}"), value);
        let first_url = |endpoint: &EndpointAnswer| {
            let url = endpoint.urls.first()?;
            Some((endpoint.name.clone(), url.url.clone()))
        };
        ClusterView {
            created_s: parse_rfc3339(&self.created_at).unwrap_or(0),
            owner: None,
            frameworks: self.frameworks,
            node_counts: self.node_counts,
            phase: LifecyclePhase::Deployed,
            // What a failed state says is its failure.
            failure: self.failure.filter(|_| state.reason().is_none()),
            state,
            stack_status: stack.status,
            stack_id: stack.id.map(|id| (region.clone(), id)),
            attributes: self.attributes.into_iter().map(own).collect(),
            brought: BTreeMap::new(),
            outputs: BTreeMap::new(),
            endpoints: self.endpoints.iter().filter_map(first_url).collect(),
            endpoint_access: self
                .endpoints
                .into_iter()
                .map(EndpointAnswer::into_access)
                .collect(),
            health: self
                .services
                .into_iter()
                .map(ServiceAnswer::into_health)
                .collect(),
            region,
            progress: self.stages,
            stack_status_reason: stack.reason,
            change: self.change,
            time_left: self.time_left.map(TimeLeftAnswer::into_forecast),
            upgrade: self.upgrade.map(|offer| NewerPlugins {
                plugins: offer.plugins,
                frame: offer.frame,
            }),
            deletion: match self.deletion.as_str() {
                "wished" => DeletionStage::Wished,
                "asked" => DeletionStage::Asked,
                "taken" => DeletionStage::Taken,
                _ => DeletionStage::NotWanted,
            },
            cloud_error: self.warning,
            silent_since_s: None,
            ends_s: self.expires.as_deref().and_then(parse_rfc3339),
            end_notice: self.end_notice,
            idle: self.idle.and_then(IdleAnswer::into_view),
            name: self.name,
            id: self.id,
        }
    }
}

fn read_state(state: &str, failure: Option<&str>) -> ClusterState {
    match state {
        "requested" => ClusterState::Requested,
        "planned" => ClusterState::Planned,
        "deploying" => ClusterState::Deploying,
        "active" => ClusterState::Active,
        "updating" => ClusterState::Updating,
        "suspended" => ClusterState::Suspended,
        "deleting" => ClusterState::Deleting,
        "deleted" => ClusterState::Deleted,
        "failed" => ClusterState::Failed(failure.unwrap_or_default().to_owned()),
        other => ClusterState::Failed(format!(
            "the server says `{other}`, which this program does not know"
        )),
    }
}

impl TimeLeftAnswer {
    /// By the host's clock, whatever this machine's says.
    fn into_forecast(self) -> RunForecast {
        let began_s = parse_rfc3339(&self.began_at).unwrap_or(0);
        let passed_s = self.typical_seconds;
        let passed_s = passed_s.saturating_sub(self.seconds_left.unwrap_or(0));
        RunForecast {
            began_s,
            now_s: began_s.saturating_add(passed_s),
            former: FormerRuns {
                typical_s: self.typical_seconds,
                runs: self.runs,
                likeness: RunLikeness::from_word(&self.likeness),
            },
        }
    }
}

impl ServiceAnswer {
    fn into_health(self) -> ServiceHealth {
        let nodes: Vec<_> = self
            .nodes
            .into_iter()
            .map(HealthAnswer::into_health)
            .collect();
        let (node, told) = self.worst.into_health();
        // The node's own has also since when.
        let own = nodes.iter().find(|(name, _)| *name == node);
        ServiceHealth {
            component: self.component,
            worst: own.map_or(told, |(_, health)| health.clone()),
            node,
            nodes,
            members: self.members,
        }
    }
}

impl HealthAnswer {
    fn into_health(self) -> (String, ComponentHealth) {
        let looked_s = parse_rfc3339(&self.looked_at).unwrap_or(0);
        let health = ComponentHealth {
            colour: self.colour,
            sentence: self.sentence,
            looked_s,
            since_s: self
                .since
                .and_then(|since| parse_rfc3339(&since))
                .unwrap_or(looked_s),
            jobs: None,
        };
        (self.node, health)
    }
}

impl EndpointAnswer {
    fn into_access(self) -> (String, EndpointAccess) {
        let access = EndpointAccess {
            urls: self
                .urls
                .into_iter()
                .map(|url| (url.node, url.url))
                .collect(),
            description: self.description,
            component: self.component,
            reach: self.reach,
            asks_for_secret: self.asks_for_secret,
        };
        (self.name, access)
    }
}
