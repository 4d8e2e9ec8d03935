//! What is said of a cluster: the versions of its frameworks, its sentence, and which settings are the
//! user's. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{ClusterSpec, FrameworkDescriptor, default_groups::count_nodes};

/// The names of those settings of a plugin that the user gave.
pub(crate) fn given_settings(spec: &ClusterSpec, plugin: &str) -> BTreeSet<String> {
    let given = spec.settings.get(plugin).into_iter();
    given.flat_map(BTreeMap::keys).cloned().collect()
}

/// The version that a plugin is asked for.
pub fn version(spec: &ClusterSpec, descriptor: &FrameworkDescriptor) -> String {
    let asked = spec
        .frameworks
        .iter()
        .find(|framework| framework.name == descriptor.name)
        .and_then(|framework| framework.version.clone());
    asked.unwrap_or_else(|| descriptor.default_version().to_owned())
}

/// `Cluster demo: Apache Hadoop 3.5.0 on a master and 3 workers. Made by Stampede.`
pub(crate) fn describe_cluster(spec: &ClusterSpec, chain: &[&FrameworkDescriptor]) -> String {
    let titles: Vec<String> = chain
        .iter()
        .skip(1)
        .map(|d| {
            format!("{} {}", d.title, version(spec, d))
                .trim()
                .to_owned()
        })
        .collect();
    let frameworks = if titles.is_empty() {
        "no framework".to_owned()
    } else {
        titles.join(", ")
    };
    let groups = spec.groups.iter().filter(|group| !group.is_empty());
    let nodes: Vec<String> = groups
        .map(|group| count_nodes(&group.name, group.count))
        .collect();
    let nodes = match nodes.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.join(", "),
    };
    format!(
        "Cluster {}: {frameworks} on {nodes}. Made by Stampede.",
        spec.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::spec::FrameworkChoice;
    use crate::cluster::test_plugins::plugin_with;
    use crate::cluster::{attribute_schema::default_spec, test_groups::group};

    #[test]
    fn a_cluster_is_said_by_its_frameworks_and_groups_in_their_order() {
        let titled = |name: &str, title: &str, versions: &[&str]| FrameworkDescriptor {
            title: title.to_owned(),
            ..plugin_with(name, versions, &[])
        };
        let hadoop = titled("hadoop", "Apache Hadoop", &["3.5.0", "3.4.3"]);
        let (cluster, notes) = (
            titled("cluster", "Cluster", &[]),
            titled("notes", "Notes", &[]),
        );
        let mut spec = default_spec().with_workers(vec![1, 2, 3]);
        spec.name = "demo".to_owned();
        assert_eq!(
            describe_cluster(&spec, &[&cluster]),
            "Cluster demo: no framework on a master and 3 workers. Made by Stampede."
        );
        spec.groups.add(group("edge", 1));
        spec.frameworks = vec![FrameworkChoice {
            name: "hadoop".to_owned(),
            version: None,
        }];
        assert_eq!(
            describe_cluster(&spec, &[&cluster, &hadoop, &notes]),
            "Cluster demo: Apache Hadoop 3.5.0, Notes on a master, 3 workers and a node of edge. Made by Stampede."
        );
        spec.frameworks[0].version = Some("3.4.3".to_owned());
        assert_eq!(version(&spec, &hadoop), "3.4.3");
    }
}
