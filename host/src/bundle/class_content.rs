//! What stands on the nodes of a class: the frame, what they know of their cluster, and what plugins
//! say as data. Pure.

use super::manifest::{ManifestSources, manifest_files};
use super::node_classes::NodeClass;
use super::manifest_line::node_ranges;
use super::node_frame::frame_files;
use super::node_script::{NodeContent, variables_around};
use crate::cluster::framework::NodeGroup;
use crate::cluster::group_addresses::GroupAddresses;

/// What stands on the nodes of `class`, which are of `group`.
pub(super) fn class_content(
    cluster: &str,
    groups: &[NodeGroup],
    class: &NodeClass,
    volume_gib: u32,
    sources: ManifestSources<'_>,
) -> NodeContent {
    let surroundings = sources.surroundings;
    let mut files = frame_files(&surroundings.cloud);
    files.extend(manifest_files(sources, class, volume_gib));
    let nodes = groups.iter().flat_map(|group| &group.nodes);
    let names = node_ranges(nodes.map(|node| node.name.as_str()));
    let network = surroundings.cidr.parse().ok().map(GroupAddresses::new);
    let blocks = network.map(|network| network.all_blocks(groups));
    let flavor = groups
        .iter()
        .find(|group| group.role == class.group)
        .map(|group| &group.flavor);
    let mut variables = vec![
        ("STAMPEDE_CLUSTER", cluster.to_owned()),
        ("STAMPEDE_NODES", names),
        ("STAMPEDE_GROUPS", blocks.unwrap_or_default()),
    ];
    variables.extend(variables_around(
        surroundings.mirror.as_deref(),
        surroundings.proxy.as_deref(),
        flavor.map_or(0, |flavor| flavor.ram_mib),
        surroundings.timeout_s,
        &surroundings.cloud,
    ));
    NodeContent { variables, files }
}
