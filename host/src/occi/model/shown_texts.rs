//! The texts of attributes by which this service says something of endpoints, services and nodes.

use super::super::terms::secret_path;
use crate::cluster::health::ServiceHealth;
use crate::cluster::progress::StageReport;
use crate::orchestrator::EndpointAccess;
use crate::system::utc_time::format_utc;

/// `tunnel: the notebooks; asks for a secret, which GET of /orchestrator/demo/secret/jupyterlab tells`.
pub(super) fn describe_access(
    cluster: &str,
    name: &str,
    access: &EndpointAccess,
) -> Option<String> {
    let reach = access.reach?.as_str();
    let secret = match access.asks_for_secret {
        true => format!(
            "; asks for a secret, which GET of {} tells",
            secret_path(cluster, name)
        ),
        false => String::new(),
    };
    let what = access.description.trim_end_matches('.');
    Some(format!("{reach}: {what}{secret}"))
}

/// `red, worker-2: hadoop-datanode is failed; looked at TIME, red since TIME; not green on worker-2,
/// 2 of 3 nodes are green`. Times and no ages, since an answer is sent again until something changes.
pub(super) fn describe_service(service: &ServiceHealth) -> String {
    let ServiceHealth {
        worst,
        node,
        nodes,
        members,
        ..
    } = service;
    let colour = worst.colour.as_str();
    let ailing: Vec<&str> = service.ailing().map(|(node, _)| node.as_str()).collect();
    let shown = ailing.get(..MAX_NODES_NAMED).unwrap_or(&ailing);
    let named = match (shown, ailing.len() - shown.len()) {
        ([], _) => String::new(),
        (_, 0) => format!("not green on {}, ", shown.join(", ")),
        (_, more) => format!("not green on {} and {more} more, ", shown.join(", ")),
    };
    let green = nodes.len() - ailing.len();
    let sentence = &worst.sentence;
    let (looked, since) = (format_utc(worst.looked_s), format_utc(worst.since_s));
    format!(
        "{colour}, {node}: {sentence}; looked at {looked}, {colour} since {since}; {named}{green} of {members} nodes are green"
    )
}

/// Nodes of a service that are named in its attribute.
const MAX_NODES_NAMED: usize = 8;

/// One text for each node: its stages' lines, the newest last, with `; ` between them.
pub(super) fn join_progress(reports: &[StageReport]) -> Vec<(&str, String)> {
    let mut nodes: Vec<(&str, String)> = Vec::new();
    for report in reports {
        let node = if report.node.is_empty() {
            "cluster"
        } else {
            &report.node
        };
        match nodes.iter_mut().find(|(name, _)| *name == node) {
            Some((_, text)) => {
                text.push_str("; ");
                text.push_str(&report.text);
            }
            None => nodes.push((node, report.text.clone())),
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::super::entity::tests::{shown, view};
    use super::*;
    use crate::cluster::ClusterState;
    use crate::cluster::framework_bundle::EndpointReach;
    use crate::cluster::health::{ComponentHealth, HealthColour, NodeHealth};

    #[test]
    fn each_service_has_its_colour_and_the_cluster_that_of_the_worst() {
        let health = |colour: HealthColour, sentence: &str| ComponentHealth {
            colour,
            sentence: sentence.to_owned(),
            looked_s: 1_700_000_060,
            since_s: 1_700_000_000,
            jobs: None,
        };
        let service = |component: &str, red: usize, green: usize| {
            let worker = |n: usize| format!("worker-{n}");
            let said = (1..=red + green).map(|n| match n <= red {
                true => (worker(n), health(HealthColour::Red, "is \"failed\"")),
                false => (worker(n), health(HealthColour::Green, "runs")),
            });
            let said: NodeHealth = said
                .map(|(node, health)| (node, [(component.to_owned(), health)].into()))
                .collect();
            let members: Vec<String> = (1..=red + green + 1).map(worker).collect();
            ServiceHealth::of_component(component, &members, &said).unwrap()
        };
        let mut view = view("default");
        view.state = ClusterState::Active;
        view.health = vec![service("namenode", 0, 1), service("datanode", 1, 2)];
        let told = shown(view.clone());
        for (name, value) in [
            ("stampede.health", "red"),
            (
                "stampede.health.namenode",
                "green, worker-1: runs; looked at 2023-11-14 22:14:20 UTC, green since 2023-11-14 22:13:20 UTC; 1 of 2 nodes are green",
            ),
            (
                "stampede.health.datanode",
                "red, worker-1: is \"failed\"; looked at 2023-11-14 22:14:20 UTC, red since 2023-11-14 22:13:20 UTC; not green on worker-1, 2 of 4 nodes are green",
            ),
            ("stampede.state", "active"),
        ] {
            assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
        }
        let named = |red: usize| {
            let mut view = view.clone();
            view.health = vec![service("datanode", red, 0)];
            shown(view)["stampede.health.datanode"].clone()
        };
        assert!(named(MAX_NODES_NAMED).contains(", worker-8, 0 of 9"));
        assert!(named(MAX_NODES_NAMED + 1).contains(", worker-8 and 1 more, 0 of 10"));
    }

    #[test]
    fn what_an_endpoint_is_for_and_who_reaches_it_is_told() {
        let access = |reach: Option<EndpointReach>, asks_for_secret: bool| EndpointAccess {
            description: "The notebooks.".to_owned(),
            reach,
            asks_for_secret,
            ..EndpointAccess::default()
        };
        for (access, wanted) in [
            (
                access(Some(EndpointReach::Cluster), false),
                Some("cluster: The notebooks"),
            ),
            (
                access(Some(EndpointReach::Outside), false),
                Some("outside: The notebooks"),
            ),
            (
                access(Some(EndpointReach::Tunnel), true),
                Some(
                    "tunnel: The notebooks; asks for a secret, which GET of /orchestrator/demo/secret/lab tells",
                ),
            ),
            (access(None, false), None),
        ] {
            assert_eq!(describe_access("demo", "lab", &access).as_deref(), wanted);
        }
    }
}
