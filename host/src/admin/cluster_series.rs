//! Prints the figures of clusters in Prometheus' text format: each of the newest in series of its
//! own, and sums of all, so that the number of series is bounded whatever projects do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cluster::health::HealthColour;
use crate::orchestrator::ClusterFigures;

/// Clusters that have series of their own; the others are in the sums.
pub const MAX_CLUSTER_SERIES: usize = 500;

/// The figures of these clusters, the newest first.
pub(super) fn render_clusters(all: &[ClusterFigures]) -> String {
    let mut text = String::new();
    write_sums(&mut text, all);
    let shown = &all[..all.len().min(MAX_CLUSTER_SERIES)];
    let series = |name: &str, help: &str, values: Vec<(String, u64)>| {
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{{{labels}}} {value}");
        }
        text
    };
    let each = |value: &dyn Fn(&ClusterFigures) -> Option<u64>| -> Vec<(String, u64)> {
        let valued = shown.iter().filter_map(|one| Some((one, value(one)?)));
        valued.map(|(one, value)| (labels(one), value)).collect()
    };
    let states = shown
        .iter()
        .map(|one| (format!("{},state=\"{}\"", labels(one), one.state), 1));
    text += &series(
        "stampede_cluster_state",
        "1 for the state that it is in",
        states.collect(),
    );
    text += &series(
        "stampede_cluster_nodes",
        "its nodes",
        each(&|one| Some(one.nodes)),
    );
    text += &series(
        "stampede_cluster_health",
        "its worst service: 0 green, 1 yellow, 2 red; absent while no node has said anything",
        each(&|one| one.health.map(colour_number)),
    );
    text += &series(
        "stampede_cluster_created_timestamp_seconds",
        "when it was asked for, in seconds since 1970",
        each(&|one| Some(one.created_s)),
    );
    text += &series(
        "stampede_cluster_end_timestamp_seconds",
        "when it is to be deleted, in seconds since 1970; absent: never",
        each(&|one| one.ends_s),
    );
    let stages = shown.iter().flat_map(|one| {
        let of_stage = |(stage, seconds): (&&str, &u64)| {
            (format!("{},stage=\"{stage}\"", labels(one)), *seconds)
        };
        one.stages_s.iter().map(of_stage)
    });
    text += &series(
        "stampede_cluster_stage_seconds",
        "how long a stage took on the node where it took longest",
        stages.collect(),
    );
    text
}

/// Of all clusters.
fn write_sums(text: &mut String, all: &[ClusterFigures]) {
    let mut by_state: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for one in all {
        let (clusters, nodes) = by_state.entry(one.state).or_default();
        *clusters += 1;
        *nodes += one.nodes;
    }
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "# TYPE stampede_clusters gauge");
    for (state, (clusters, _)) in &by_state {
        let _ = writeln!(text, "stampede_clusters{{state=\"{state}\"}} {clusters}");
    }
    let _ = writeln!(text, "# TYPE stampede_clusters_nodes gauge");
    for (state, (_, nodes)) in &by_state {
        let _ = writeln!(text, "stampede_clusters_nodes{{state=\"{state}\"}} {nodes}");
    }
    let unlisted = all.len().saturating_sub(MAX_CLUSTER_SERIES);
    let _ = writeln!(
        text,
        "# HELP stampede_clusters_without_series those in the sums alone\n\
         # TYPE stampede_clusters_without_series gauge\n\
         stampede_clusters_without_series {unlisted}"
    );
}

fn colour_number(colour: HealthColour) -> u64 {
    match colour {
        HealthColour::Green => 0,
        HealthColour::Yellow => 1,
        HealthColour::Red => 2,
    }
}

fn labels(one: &ClusterFigures) -> String {
    format!(
        "project=\"{}\",region=\"{}\",cluster=\"{}\"",
        escape(&one.project_id),
        escape(&one.region),
        escape(&one.name)
    )
}

/// As the format has it: what the cloud calls things may hold any sign.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(number: usize) -> ClusterFigures {
        ClusterFigures {
            project_id: "p\"1\\".to_owned(),
            name: format!("c{number}"),
            region: "RegionOne".to_owned(),
            state: "active",
            nodes: 3,
            health: Some(HealthColour::Yellow),
            created_s: 1_000,
            ends_s: Some(2_000),
            stages_s: BTreeMap::from([("setup", 34)]),
        }
    }

    #[test]
    fn each_cluster_has_its_figures() {
        let text = render_clusters(&[figures(1)]);
        let labels = r#"project="p\"1\\",region="RegionOne",cluster="c1""#;
        for line in [
            format!("stampede_cluster_state{{{labels},state=\"active\"}} 1"),
            format!("stampede_cluster_nodes{{{labels}}} 3"),
            format!("stampede_cluster_health{{{labels}}} 1"),
            format!("stampede_cluster_created_timestamp_seconds{{{labels}}} 1000"),
            format!("stampede_cluster_end_timestamp_seconds{{{labels}}} 2000"),
            format!("stampede_cluster_stage_seconds{{{labels},stage=\"setup\"}} 34"),
            "stampede_clusters{state=\"active\"} 1".to_owned(),
            "stampede_clusters_nodes{state=\"active\"} 3".to_owned(),
            "stampede_clusters_without_series 0".to_owned(),
        ] {
            assert!(
                text.lines().any(|one| one == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn more_clusters_than_have_series_are_in_the_sums() {
        for (number, listed, unlisted) in [
            (MAX_CLUSTER_SERIES, MAX_CLUSTER_SERIES, 0),
            (MAX_CLUSTER_SERIES + 1, MAX_CLUSTER_SERIES, 1),
        ] {
            let all: Vec<_> = (0..number).map(figures).collect();
            let text = render_clusters(&all);
            let series = text
                .lines()
                .filter(|line| line.starts_with("stampede_cluster_nodes{"));
            assert_eq!(series.count(), listed);
            for line in [
                format!("stampede_clusters{{state=\"active\"}} {number}"),
                format!("stampede_clusters_nodes{{state=\"active\"}} {}", 3 * number),
                format!("stampede_clusters_without_series {unlisted}"),
            ] {
                assert!(text.lines().any(|one| one == line), "{line}");
            }
        }
    }
}
