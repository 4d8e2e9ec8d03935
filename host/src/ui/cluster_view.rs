//! What pages show of a cluster: the view of the orchestrator in words, ready for a template. No I/O.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use url::Url;

use super::BASE_PATH;
use super::commands::{cluster_command, deploy_command, shell_word};
use super::end_view::{EndData, end_data};
use super::stage_chart::{self, StageChart, stage_name};
use super::texts::{say, say_ago, say_duration, say_number};
use super::work_view::{cloud_since, describe_work, say_newer, say_time_left};
use crate::cluster::ClusterState;
use crate::cluster::framework_bundle::EndpointReach;
use crate::cluster::health::{HealthColour, ServiceHealth, cluster_colour};
use crate::cluster::progress::{StageOutcome, StageReport};
use crate::orchestrator::state::node_access::NodeAccess;
use crate::orchestrator::{ClusterView, EndpointAccess};

/// What may stand in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// Failed stages whose lines are shown.
const MAX_FAILURES: usize = 5;
/// What is shorter than this is no line that was cut, and may stand in others by chance.
const CUT_BYTES: usize = 16;

/// A state in a word, with its look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StatePill {
    /// `ok`, `warn`, `bad`, `run`, `idle`: a class of the style sheet.
    pub(super) kind: &'static str,
    /// Names it in URLs.
    pub(super) word: &'static str,
    pub(super) text: String,
}

/// The states that a list can be filtered by.
pub(super) const STATE_WORDS: [&str; 8] = [
    "running",
    "coming_up",
    "changing",
    "ailing",
    "failed",
    "requested",
    "suspended",
    "deleting",
];

/// The state of a cluster.
pub(super) fn state_pill(view: &ClusterView) -> StatePill {
    let (kind, word) = match (&view.state, cluster_colour(&view.health)) {
        (ClusterState::Requested, _) => ("idle", "requested"),
        (ClusterState::Planned | ClusterState::Deploying, _) => ("run", "coming_up"),
        (ClusterState::Active, Some(HealthColour::Red)) => ("bad", "ailing"),
        (ClusterState::Active, Some(HealthColour::Yellow)) => ("warn", "ailing"),
        (ClusterState::Active, _) => ("ok", "running"),
        (ClusterState::Updating, _) => ("run", "changing"),
        (ClusterState::Suspended, _) => ("idle", "suspended"),
        (ClusterState::Deleting | ClusterState::Deleted, _) => ("idle", "deleting"),
        (ClusterState::Failed(_), _) => ("bad", "failed"),
    };
    let text = match (kind, word) {
        ("bad", "ailing") => say("state.broken", &[]),
        _ => say(&format!("state.{word}"), &[]),
    };
    StatePill { kind, word, text }
}

/// A part of a path.
pub(super) fn path_part(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

/// Who asked for it: the id where it is somebody else, since Keystone tells members no names.
pub(super) fn owner_name(view: &ClusterView, user_id: &str) -> String {
    match view.owner.as_deref() {
        None => say("list.nobody", &[]),
        Some(owner) if owner == user_id => say("list.you", &[]),
        Some(owner) => owner.chars().take(8).collect(),
    }
}

/// `1 master, 3 workers`.
pub(super) fn node_sentence(view: &ClusterView) -> String {
    let groups = view.node_counts.iter().filter(|(_, count)| **count > 0);
    let told: Vec<String> = groups
        .map(|(group, count)| format!("{count} \u{d7} {group}"))
        .collect();
    told.join(", ")
}

/// A node's stage in the table.
#[derive(Debug, Serialize)]
struct StageRow {
    node: String,
    stage: String,
    kind: &'static str,
    outcome: String,
    took: String,
    line: String,
}

/// A service.
#[derive(Debug, Serialize)]
struct ServiceData {
    name: String,
    kind: &'static str,
    colour: String,
    sentence: String,
    node: String,
    rest: String,
    looked: String,
}

/// An endpoint.
#[derive(Debug, Serialize)]
struct EndpointData {
    name: String,
    description: String,
    component: String,
    /// The URLs, each with its node; a link where a browser can follow it.
    urls: Vec<EndpointUrl>,
    reach: String,
    commands: Vec<String>,
    asks_for_secret: bool,
}

#[derive(Debug, Serialize)]
struct EndpointUrl {
    node: Option<String>,
    url: String,
    linked: bool,
}

/// What the part of a page shows that renews itself.
#[derive(Debug, Serialize)]
pub(super) struct ClusterData {
    pub(super) name: String,
    /// As a part of a path.
    pub(super) path: String,
    /// Its page as a value in a query.
    again: String,
    state: StatePill,
    lead: String,
    since: String,
    now: String,
    doing: Option<String>,
    change: Option<String>,
    time_left: Option<String>,
    /// What an upgrade is offered for.
    upgrade: Option<String>,
    cloud_error: Option<String>,
    end: EndData,
    /// Since when the cloud has not answered, where it does not.
    cloud_since: Option<String>,
    failure: Option<FailureData>,
    chart: Option<StageChart>,
    stages: Vec<StageRow>,
    services: Vec<ServiceData>,
    /// That nodes have said nothing of them yet, and until when.
    no_services: Option<String>,
    endpoints: Vec<EndpointData>,
    login: Option<String>,
    opened_to: Option<String>,
    facts: Vec<(String, String)>,
    attributes: Vec<(String, String)>,
    command: Option<String>,
    pub(super) is_going: bool,
}

/// The first failure.
#[derive(Debug, Serialize)]
struct FailureData {
    text: String,
    lines: Vec<String>,
    command: Option<String>,
}

/// What is shown of a cluster, at a time, to a user.
pub(super) fn cluster_data(
    view: &ClusterView,
    access: Option<&NodeAccess>,
    user_id: &str,
    now_s: u64,
) -> ClusterData {
    let is_moving = view.state.is_moving();
    let entry = access.and_then(|access| Some((access, access.entry_address?)));
    let frameworks = match view.frameworks.join(", ") {
        none if none.is_empty() => say("cluster.no_framework", &[]),
        frameworks => frameworks,
    };
    let nodes = node_sentence(view);
    let lead = match nodes.is_empty() {
        true => frameworks,
        false => say(
            "cluster.lead",
            &[("frameworks", &frameworks), ("nodes", &nodes)],
        ),
    };
    let attributes = view.attributes.iter();
    ClusterData {
        name: view.name.clone(),
        path: path_part(&view.name),
        again: path_part(&format!("{BASE_PATH}/clusters/{}", path_part(&view.name))),
        state: state_pill(view),
        lead,
        since: say(
            "cluster.age",
            &[("age", &say_duration(now_s.saturating_sub(view.created_s)))],
        ),
        now: crate::system::utc_time::format_utc(now_s),
        doing: describe_work(view),
        change: view.change.clone(),
        time_left: view.time_left.as_ref().map(say_time_left),
        upgrade: view.upgrade.as_ref().map(say_newer),
        cloud_error: view.cloud_error.clone(),
        end: end_data(view, now_s),
        cloud_since: cloud_since(view, now_s),
        failure: failure_data(view, entry.is_some()),
        chart: stage_chart::draw(&view.progress, is_moving, now_s),
        stages: stage_rows(view, is_moving, now_s),
        services: view
            .health
            .iter()
            .map(|one| service_data(one, now_s))
            .collect(),
        no_services: no_services(view, now_s),
        endpoints: endpoints(view, access),
        login: entry.map(|_| cluster_command("ssh", &[&view.name])),
        opened_to: access.map(|access| match access.access.as_slice() {
            [] => say("reach.nobody", &[]),
            some => say("reach.networks", &[("networks", &some.join(", "))]),
        }),
        facts: facts(view, user_id, now_s),
        attributes: attributes
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        command: deploy_command(view),
        is_going: matches!(view.state, ClusterState::Deleting | ClusterState::Deleted),
    }
}

fn failure_data(view: &ClusterView, can_log_in: bool) -> Option<FailureData> {
    let text = view.failure.clone().or_else(|| {
        let reason = view.state.reason().filter(|reason| !reason.is_empty());
        reason.map(str::to_owned)
    })?;
    let failed = view
        .progress
        .iter()
        .filter(|one| one.outcome == StageOutcome::Failed);
    let mut failed: Vec<_> = failed.collect();
    failed.sort_by_key(|one| one.told_s.unwrap_or(u64::MAX));
    let node = failed
        .first()
        .map(|one| one.node.as_str())
        .filter(|node| !node.is_empty());
    let command = node.filter(|_| can_log_in).map(|node| {
        let log = cluster_command("ssh", &[&view.name, node]);
        format!("{log} -- sudo tail -n 50 /var/log/cloud-init-output.log")
    });
    Some(FailureData {
        lines: further_lines(&text, &failed),
        text,
        command,
    })
}

/// What failed besides, each once: what the text says already is not said again, whichever of the two
/// was cut or has more behind it.
fn further_lines(text: &str, failed: &[&StageReport]) -> Vec<String> {
    let said = text.split_once(": ").map_or(text, |(_, said)| said);
    let mut lines: Vec<String> = Vec::new();
    for one in failed {
        let line = format!("{}: {}", one.node, one.text);
        let is_cut = said.len() >= CUT_BYTES && one.text.contains(said);
        let is_said =
            text.contains(&one.text) || text.contains(&one.text.replace("failed: ", "")) || is_cut;
        if !is_said && !lines.contains(&line) && lines.len() < MAX_FAILURES {
            lines.push(line);
        }
    }
    lines
}

fn stage_rows(view: &ClusterView, is_moving: bool, now_s: u64) -> Vec<StageRow> {
    let row = |report: &StageReport| {
        let (kind, word) = match report.outcome {
            StageOutcome::Done => ("ok", "done"),
            StageOutcome::Failed => ("bad", "failed"),
            StageOutcome::Began | StageOutcome::Note if is_moving => ("run", "running"),
            StageOutcome::Began | StageOutcome::Note => ("idle", "told"),
        };
        let is_open = kind == "run";
        let end = if is_open { Some(now_s) } else { report.told_s };
        let took = report
            .began_s
            .zip(end)
            .map(|(from, to)| to.saturating_sub(from));
        let took = report.seconds.map(u64::from).or(took);
        StageRow {
            node: report.node.clone(),
            stage: stage_name(report),
            kind,
            outcome: say(&format!("outcome.{word}"), &[]),
            took: took.map(say_duration).unwrap_or_default(),
            line: report.text.clone(),
        }
    };
    view.progress.iter().map(row).collect()
}

fn service_data(service: &ServiceHealth, now_s: u64) -> ServiceData {
    let worst = &service.worst;
    let (kind, word) = match worst.colour {
        HealthColour::Green => ("ok", "health.green"),
        HealthColour::Yellow => ("warn", "health.yellow"),
        HealthColour::Red => ("bad", "health.red"),
    };
    let green = service.nodes.len() - service.ailing().count();
    let rest = match service.members {
        0 | 1 => String::new(),
        all => say("health.of_nodes", &[("green", &green), ("all", &all)]),
    };
    ServiceData {
        name: service.component.clone(),
        kind,
        colour: say(word, &[]),
        sentence: worst.sentence.clone(),
        node: service.node.clone(),
        rest,
        looked: say_ago(now_s.saturating_sub(worst.looked_s)),
    }
}

/// Says of a cluster that is there that no node has reported on its services, as of when.
fn no_services(view: &ClusterView, now_s: u64) -> Option<String> {
    use ClusterState as S;
    let is_there = matches!(
        view.state,
        S::Planned | S::Deploying | S::Active | S::Updating
    );
    let now = crate::system::utc_time::format_utc(now_s);
    let is_silent = is_there && view.health.is_empty() && !view.frameworks.is_empty();
    is_silent.then(|| say("cluster.no_services", &[("now", &now)]))
}

fn endpoints(view: &ClusterView, access: Option<&NodeAccess>) -> Vec<EndpointData> {
    let shown = view.endpoint_access.iter();
    let shown = shown.filter(|(_, one)| !one.urls.is_empty() || !one.description.is_empty());
    shown
        .map(|(name, one)| endpoint_data(view, name, one, access))
        .collect()
}

fn endpoint_data(
    view: &ClusterView,
    name: &str,
    endpoint: &EndpointAccess,
    access: Option<&NodeAccess>,
) -> EndpointData {
    let reach = match endpoint.reach {
        None => String::new(),
        Some(EndpointReach::Cluster) => say("reach.cluster", &[]),
        Some(EndpointReach::Tunnel) => say("reach.tunnel", &[]),
        Some(EndpointReach::Outside) => say("reach.outside", &[]),
    };
    // Nothing is there before the cluster was proved once.
    let is_proved = matches!(view.state, ClusterState::Active | ClusterState::Updating);
    let is_open = endpoint.reach == Some(EndpointReach::Outside);
    let url = |(node, url): &(Option<String>, String)| EndpointUrl {
        node: node.clone(),
        linked: is_proved && is_open && is_web(url),
        url: url.clone(),
    };
    let by_tunnel = endpoint.reach == Some(EndpointReach::Tunnel);
    let mut commands = Vec::new();
    if by_tunnel {
        commands.push(cluster_command("tunnel", &[&view.name, name]));
        commands.extend(access.and_then(|access| ssh_line(access, name)));
    }
    EndpointData {
        name: name.to_owned(),
        description: endpoint.description.clone(),
        component: endpoint.component.clone(),
        urls: endpoint.urls.iter().map(url).collect(),
        reach,
        commands,
        asks_for_secret: endpoint.asks_for_secret && is_proved,
    }
}

/// Whether a browser may be led there: `javascript:` would run in the page.
fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// The same without Stampede; the user is what most images let in.
fn ssh_line(access: &NodeAccess, endpoint: &str) -> Option<String> {
    let address = access.entry_address?;
    let (_, url) = access.endpoints.iter().find(|(name, _)| name == endpoint)?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let forward = shell_word(&format!("{port}:{host}:{port}"));
    Some(format!("ssh -N -L {forward} debian@{address}"))
}

fn facts(view: &ClusterView, user_id: &str, now_s: u64) -> Vec<(String, String)> {
    let mut facts = vec![
        ("cluster.made_by", owner_name(view, user_id)),
        (
            "cluster.made",
            say_ago(now_s.saturating_sub(view.created_s)),
        ),
        (
            "cluster.nodes",
            say_number("cluster.node_count", node_number(view)),
        ),
    ];
    if !view.region.is_empty() {
        facts.push(("cluster.region", view.region.clone()));
    }
    if let Some(status) = &view.stack_status {
        facts.push(("cluster.heat", status.clone()));
    }
    if let Some((_, id)) = &view.stack_id {
        facts.push(("cluster.stack", id.clone()));
    }
    let facts = facts.into_iter();
    facts.map(|(name, value)| (say(name, &[]), value)).collect()
}

/// How many nodes it has.
pub(super) fn node_number(view: &ClusterView) -> u64 {
    view.node_counts
        .values()
        .map(|count| u64::from(*count))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once_however_it_was_cut_and_however_often_it_came() {
        let report = |line: &str| StageReport::parse(line);
        let first = report("worker-1 hadoop setup failed line 4: no space left on device");
        let again = report("worker-1 hadoop setup failed line 9: no route to host");
        let text = format!("{}: {}", first.node, first.text);
        let told = |text: &str| further_lines(text, &[&first, &again, &again]);
        let other = vec![format!("worker-1: {}", again.text)];
        assert_eq!(told(&text), other);
        assert_eq!(told(&format!("{text} (take a larger disk)")), other);
        assert_eq!(told(&text[..text.len() - 7]), other, "it was cut");
        assert_eq!(told("heat gave up").len(), 2);
    }

    #[test]
    fn only_the_web_is_linked() {
        for (url, linked) in [
            ("http://192.0.2.7:9870/", true),
            ("https://h/", true),
            ("javascript:alert(1)", false),
            (" javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("hdfs://h:8020", false),
            ("", false),
        ] {
            assert_eq!(is_web(url), linked, "{url}");
        }
    }

    #[test]
    fn a_name_is_one_part_of_a_path() {
        assert_eq!(path_part("a/b?c#d e"), "a%2Fb%3Fc%23d%20e");
        assert_eq!(path_part("demo-1.x_y~"), "demo-1.x_y~");
    }
}
