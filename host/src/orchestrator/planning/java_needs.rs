//! The Java that the frameworks of a cluster run on, by the groups whose nodes have it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::cluster_description::version;
use super::place_cluster::groups_of_nodes;
use crate::cluster::component::ComponentPlacement;
use crate::cluster::framework_bundle::{FrameworkBundle, SoftwareSource};
use crate::cluster::java_tarball::JavaTarball;
use crate::cluster::{ClusterSpec, FrameworkDescriptor};

/// The Java that a framework runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JavaNeed {
    /// `Apache Hadoop 3.5.0`.
    pub framework: String,
    /// Those whose nodes need it.
    pub groups: BTreeSet<String>,
    /// The oldest.
    pub oldest: u32,
    /// The newest.
    pub newest: u32,
}

/// What the chain's plugins want of Java, each once; not what nodes fetch of the operator.
pub fn java_needs(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
    bundles: &[FrameworkBundle],
    placements: &[ComponentPlacement],
    fetched: &[JavaTarball],
) -> Vec<JavaNeed> {
    let nodes = groups_of_nodes(spec);
    let mut needs = Vec::new();
    for (plugin, bundle) in chain.iter().zip(bundles) {
        for software in &bundle.software {
            let SoftwareSource::Java { oldest, newest } = software.source else {
                continue;
            };
            let fits = |java: &JavaTarball| (oldest..=newest).contains(&java.version);
            if fetched.iter().any(fits) {
                continue;
            }
            needs.push(JavaNeed {
                framework: format!("{} {}", plugin.title, version(spec, plugin)),
                groups: groups_with(&software.components, placements, &nodes),
                oldest,
                newest,
            });
        }
    }
    needs
}

/// The groups that have one of these components on a node.
fn groups_with(
    components: &[String],
    placements: &[ComponentPlacement],
    nodes: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let placed = placements
        .iter()
        .filter(|one| components.contains(&one.component));
    let members = placed.flat_map(|one| &one.members);
    let groups = members.filter_map(|member| nodes.get(&member.node));
    groups.cloned().collect()
}
