//! Whether nodes that a change takes away are let go by all that may keep something on them: who
//! runs where, by what plugins say of themselves and by what stands on the nodes. Pure.

use std::collections::BTreeSet;

use crate::{
    bundle::node_script::script_owner,
    cluster::{
        ClusterSpec, GroupSpec, Problem,
        change::FileDigests,
        contract_bridge::{DRAINING_ROLE, check_undrained},
        framework_view::FrameworkView,
    },
};

/// The stage whose scripts let nodes go.
const DRAIN: &str = "drain";

/// One problem for each group that gets or loses nodes and on which a plugin runs that lets nodes of
/// other groups go. `standing` is what stands on the nodes before and after.
pub(crate) fn check_drains(
    from: &ClusterSpec,
    to: &ClusterSpec,
    chain: &[FrameworkView<'_>],
    standing: [&FileDigests; 2],
) -> Vec<Problem> {
    let asked = to.frameworks.iter().map(|choice| choice.name.as_str());
    let asked: BTreeSet<&str> = asked.collect();
    let scripts = |group: &str| {
        let files = standing.into_iter().filter_map(move |all| all.get(group));
        let paths = files.flat_map(|files| files.keys());
        paths
            .filter_map(|path| script_owner(path))
            .collect::<Vec<_>>()
    };
    let draining = scripts(DRAINING_ROLE).into_iter();
    let draining = draining.filter(|(_, stage)| *stage == DRAIN);
    let draining: BTreeSet<&str> = draining.map(|(plugin, _)| plugin).collect();
    let runs_on = |plugin: &str, group: &str| {
        let mut placed = chain.iter().filter(|other| other.name == plugin);
        let is_placed = placed.any(|other| other.roles.iter().any(|role| role.name == group));
        asked.contains(plugin) && is_placed
            || scripts(group).iter().any(|(other, _)| *other == plugin)
    };
    let ids = |spec: &ClusterSpec, group: &str| {
        let group = spec.groups.get(group);
        group.map(GroupSpec::node_ids).unwrap_or_default()
    };
    let groups = to.groups.names();
    let moved = groups.filter(|group| ids(from, group) != ids(to, group));
    let problem = |group: &str| {
        let plugins = draining.iter().copied();
        let plugins: Vec<&str> = plugins.filter(|plugin| runs_on(plugin, group)).collect();
        check_undrained(group, &plugins)
    };
    moved.filter_map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::{
            framework::PluginDescriptor, problem::lines, spec::FrameworkChoice, test_groups::group,
        },
        orchestrator::planning::resolve::tests_support::spec,
    };

    fn digests(scripts: &[(&str, &str)]) -> FileDigests {
        let mut all = FileDigests::new();
        for (group, script) in scripts {
            let path = format!("/opt/stampede/scripts/{script}.sh");
            let files = all.entry((*group).to_owned()).or_default();
            files.insert(path, String::new());
        }
        all
    }

    fn plugin(roles: &[&str]) -> PluginDescriptor {
        let role = |name: &&str| {
            serde_json::json!({
                "name": name, "cardinality": "OneOrMore",
                "smallest": { "vcpus": 1, "ram_mib": 1, "disk_gib": 0 },
            })
        };
        let roles: Vec<serde_json::Value> = roles.iter().map(role).collect();
        serde_json::from_value(serde_json::json!({
            "name": "hadoop", "title": "", "description": "", "versions": [], "default_version": "",
            "requires": [], "provides": [], "roles": roles, "parameters": {}, "ports": [],
            "resource_types": [],
        }))
        .unwrap()
    }

    fn told(before: u32, after: u32, roles: &[&str], scripts: &[(&str, &str)]) -> String {
        let with = |count: u32| {
            let mut spec = spec();
            spec.frameworks = vec![FrameworkChoice {
                name: "hadoop".to_owned(),
                version: None,
            }];
            spec.groups.add(group("edge", count));
            spec.with_workers((1..=3 - count).collect())
        };
        let (installed, none) = (digests(scripts), FileDigests::new());
        let plugin = plugin(roles);
        let all = check_drains(
            &with(before),
            &with(after),
            &[(&plugin).into()],
            [&installed, &none],
        );
        lines(&all)
    }

    #[test]
    fn who_lets_go_of_others_alone_keeps_its_nodes_and_gets_none() {
        let drain = ("master", "01-hadoop/drain.decommissioned");
        let setup = ("edge", "01-hadoop/setup.hadoop");
        let refusal = "edge.count: `hadoop` runs on group `edge` and lets go of workers alone, so \
                       that its nodes can neither come nor leave (leave the group as it is, or \
                       deploy a new cluster)";
        for (before, after) in [(2, 1), (1, 0), (1, 2), (0, 1)] {
            assert_eq!(told(before, after, &[], &[drain, setup]), refusal);
            assert_eq!(told(before, after, &["edge"], &[drain]), refusal);
        }
        assert_eq!(told(1, 1, &["edge"], &[drain, setup]), "", "none moves");
        assert_eq!(
            told(2, 1, &["worker"], &[drain]),
            "",
            "it does not run there"
        );
        assert_eq!(
            told(2, 1, &["edge"], &[setup]),
            "",
            "nobody lets anybody go"
        );
        let other = ("master", "02-spark/drain.quiet");
        assert_eq!(told(2, 1, &["edge"], &[other, setup]), "", "another does");
    }
}
