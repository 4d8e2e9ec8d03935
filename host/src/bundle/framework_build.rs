//! Builds what Heat is given for a cluster: one template, one file
//! for each class of nodes, and who may reach what. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::access_rules::{AccessWishes, claimed_ports, make_access_rules};
use super::class_content::class_content;
use super::manifest::ManifestSources;
use super::member_news::MemberLines;
use super::merge::{EndpointOutput, computed_url, merge_templates, outer_address};
use super::node_classes::{NodeClass, node_classes};
use super::node_conflicts::find_conflicts;
use super::node_rest::lay_rests;
use super::node_script::{NodeContent, script_file_name};
use super::node_surroundings::NodeSurroundings;
use super::node_user_data::{NodeUserData, assemble_user_data, find_excess};
use super::plugin_template::{NameGrants, PluginTemplate};
use super::policy;
use super::sizes::LimitViolation;
use super::{
    BuildError, ContractViolation, ContractViolations, MAX_MESSAGE_CHARS, check_whole, refuse,
    too_large,
};
use crate::cluster::component::{ComponentPlacement, placement_of};
use crate::cluster::default_groups::OUTER_GROUP;
use crate::cluster::framework::NodeGroup;
use crate::cluster::framework_bundle::{ComponentEndpoint, FrameworkBundle};
use crate::cluster::framework_descriptor::{FrameworkDescriptor, host_fact};
use crate::cluster::framework_request::{ComponentGrant, GenerateQuestion};
use crate::cluster::problem::cut_text;

pub use super::node_classes::name_classes;

/// Bytes of what plugins have stand on nodes, each kind of nodes counted: all of it is held and packed
/// before anybody knows whether a node takes it.
pub const MAX_CONTENT_BYTES: usize = 64 << 20;

/// What a cluster of frameworks is built of; all lists in the chain's order, `cluster` first.
pub struct FrameworkBuild<'a> {
    /// Its name.
    pub cluster: &'a str,
    /// For people.
    pub description: &'a str,
    /// The plugins.
    pub chain: &'a [&'a FrameworkDescriptor],
    /// What each was asked: needs, grants, placements of what was claimed, and the nodes' groups.
    pub questions: &'a [Arc<GenerateQuestion>],
    /// The names of those settings of each that the user gave. All others are the plugin's own word.
    pub given: &'a [BTreeSet<String>],
    /// What each answered.
    pub bundles: Vec<FrameworkBundle>,
    /// The nodes, with their addresses.
    pub groups: &'a [NodeGroup],
    /// What operator and user say of the cloud around them.
    pub surroundings: &'a NodeSurroundings,
    /// Who may reach it from outside.
    pub access: &'a AccessWishes,
    /// What nodes find when they boot, beside what stands on them.
    pub boot: &'a MemberLines,
}

/// A cluster of frameworks as Heat takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameworkStack {
    /// HOT as a JSON object, `heat_template_version` first.
    pub template: Value,
    /// By the name that `get_file` uses: `node-` and the class.
    pub files: BTreeMap<String, String>,
    /// What stands on the nodes of each class.
    pub contents: BTreeMap<String, NodeContent>,
    /// The class of each node.
    pub classes: BTreeMap<String, String>,
    /// Of all plugins.
    pub endpoints: Vec<ComponentEndpoint>,
    /// What it was made of, in the chain's order.
    pub bundles: Vec<FrameworkBundle>,
}

/// Builds and checks all of it.
///
/// # Errors
/// What the user opens and cannot be opened; all violations at once, except that a template that does
/// not merge is not looked into; what the cloud would not take.
pub fn build_frameworks(build: FrameworkBuild<'_>) -> Result<FrameworkStack, BuildError> {
    let Some(question) = build.questions.first() else {
        let empty = ContractViolation::of_whole("the chain is empty");
        return Err(ContractViolations(vec![empty]).into());
    };
    let placements = &question.request.placements;
    let classes = node_classes(placements, &question.node_groups);
    let parts = plugin_templates(&build);
    // Each stage trusts the one before: only well-formed bundles are merged, only a merged template has
    // its references and nodes checked, and only a sound one is measured.
    let mut violations = Vec::new();
    for (descriptor, part) in build.chain.iter().zip(&parts) {
        violations.extend(policy::check_part(&descriptor.name, part));
    }
    violations.extend(find_node_violations(&build, &classes));
    let faults = build.surroundings.faults().into_iter();
    violations.extend(faults.map(ContractViolation::of_whole));
    refuse(violations)?;
    let excess = content_excess(count_content_bytes(&build.bundles, &classes));
    if let Some(excess) = excess {
        return Err(too_large(vec![excess], build.groups, &Value::Null));
    }
    let rules = make_rules(&build)?;
    let endpoints = placed_endpoints(&build, placements);
    let mut template = merge_templates(build.description, &parts, &rules, &endpoints)
        .map_err(ContractViolations)?;
    let contents = class_contents(&build, &classes, placements);
    let user_data = boot_data(&contents, build.boot);
    let classes = name_classes(placements, &question.node_groups);
    lay_rests(&mut template, &classes, &user_data);
    let too_long = find_excess(&user_data);
    let files = user_data.into_iter();
    let files = files.map(|(class, data)| (script_file_name(&class), data.script));
    let files = files.collect();
    if !too_long.is_empty() {
        return Err(too_large(too_long, build.groups, &template));
    }
    check_whole(&parts, build.groups, &template, &files)?;
    let endpoints = build.bundles.iter().flat_map(|one| one.endpoints.clone());
    Ok(FrameworkStack {
        template,
        files,
        contents,
        classes,
        endpoints: endpoints.collect(),
        bundles: build.bundles,
    })
}

fn plugin_templates<'a>(build: &'a FrameworkBuild<'_>) -> Vec<PluginTemplate<'a>> {
    let surroundings = build.surroundings;
    let all = build.chain.iter().zip(build.questions).zip(&build.bundles);
    let nothing = BTreeSet::new();
    let mut parts = Vec::new();
    for (place, ((descriptor, question), bundle)) in all.enumerate() {
        let given = build.given.get(place).unwrap_or(&nothing);
        // What the host fills in is as good as the user's word.
        let is_granted = |name: &str| {
            let schema = descriptor.parameter(name);
            given.contains(name) || schema.and_then(host_fact).is_some()
        };
        let settings = question.request.settings.iter();
        let granted = settings.filter(|(name, _)| is_granted(name));
        let mut texts = Vec::new();
        granted.for_each(|(_, value)| collect_texts(value, &mut texts));
        parts.push(PluginTemplate {
            plugin: &bundle.plugin,
            template: &bundle.template,
            resource_types: &descriptor.resource_types,
            grants: NameGrants {
                cluster: build.cluster,
                groups: build.groups,
                key: surroundings.key.as_deref(),
                cidr: &surroundings.cidr,
                external_network: surroundings.external_network.as_deref(),
                signal_transport: &surroundings.signal_transport,
                settings: texts,
            },
        });
    }
    parts
}

/// All texts in a value, wherever they stand.
fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<&'a Value>) {
    match value {
        Value::String(_) => texts.push(value),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(map) => map.values().for_each(|item| collect_texts(item, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What cannot stand on the nodes together, and what nobody could tell apart.
fn find_node_violations(
    build: &FrameworkBuild<'_>,
    classes: &[NodeClass],
) -> Vec<ContractViolation> {
    let bundles: Vec<&FrameworkBundle> = build.bundles.iter().collect();
    let conflicts = find_conflicts(&bundles, classes).into_iter();
    let mut violations: Vec<ContractViolation> = conflicts
        .map(|conflict| ContractViolation {
            plugins: conflict.plugins.into_iter().collect(),
            message: cut_text(&conflict.message, MAX_MESSAGE_CHARS),
        })
        .collect();
    let mut names = BTreeSet::new();
    for class in classes.iter().filter(|class| !names.insert(&class.name)) {
        violations.push(ContractViolation::of_whole(format!(
            "two kinds of nodes would both be called `{}`, {} among them: give a component another name",
            class.name, class.example
        )));
    }
    violations
}

/// What files and scripts come to, of each class.
fn count_content_bytes(bundles: &[FrameworkBundle], classes: &[NodeClass]) -> usize {
    let of_class = |class: &NodeClass| -> usize {
        let files = bundles.iter().flat_map(|one| &one.files);
        let files = files.filter(|file| class.has_thing_of(&file.components, &file.groups));
        let scripts = bundles.iter().flat_map(|one| &one.scripts);
        let scripts = scripts.filter(|script| class.components.contains(&script.component));
        let files = files.map(|file| file.content.len());
        files.chain(scripts.map(|script| script.body.len())).sum()
    };
    classes.iter().map(of_class).sum()
}

fn content_excess(is: usize) -> Option<LimitViolation> {
    (is > MAX_CONTENT_BYTES).then(|| LimitViolation {
        what: "what stands on all kinds of nodes".to_owned(),
        is,
        most: MAX_CONTENT_BYTES,
        unit: "bytes",
    })
}

fn make_rules(build: &FrameworkBuild<'_>) -> Result<Map<String, Value>, BuildError> {
    let endpoints: Vec<&ComponentEndpoint> = build
        .bundles
        .iter()
        .flat_map(|one| &one.endpoints)
        .collect();
    let claimed = claimed_ports(build.questions.iter().flat_map(|one| &one.needs));
    make_access_rules(&endpoints, &claimed, build.access).map_err(BuildError::Access)
}

/// The endpoints with their URLs: of one node as it is, of several by their names. What is opened is
/// reached by the outer address, on the node that has it.
fn placed_endpoints<'a>(
    build: &'a FrameworkBuild<'_>,
    placements: &[ComponentPlacement],
) -> Vec<EndpointOutput<'a>> {
    let outer = outer_address(build.bundles.iter().map(|one| &one.template));
    let outer_node = build
        .groups
        .iter()
        .find(|group| group.role == OUTER_GROUP)
        .and_then(|group| group.nodes.first());
    let nodes = build.groups.iter().flat_map(|group| &group.nodes);
    let addresses: BTreeMap<&str, &str> = nodes
        .map(|node| (node.name.as_str(), node.address.as_str()))
        .collect();
    let url = |endpoint: &ComponentEndpoint, node: &str| {
        let ComponentEndpoint {
            scheme, port, path, ..
        } = endpoint;
        let is_outer = outer_node.is_some_and(|outer| outer.name == node);
        match outer.filter(|_| is_outer && build.access.open.contains(&endpoint.name)) {
            Some(outer) => computed_url(scheme, outer, *port, path),
            None => {
                let address = addresses.get(node).copied().unwrap_or_default();
                format!("{scheme}://{address}:{port}{path}").into()
            }
        }
    };
    let mut outputs = Vec::new();
    for bundle in &build.bundles {
        for endpoint in &bundle.endpoints {
            let placement = placement_of(placements, &endpoint.component);
            let members = placement.map_or(&[][..], |placement| &placement.members);
            let url = match members {
                [member] => url(endpoint, &member.node),
                members => members
                    .iter()
                    .map(|member| (member.node.clone(), url(endpoint, &member.node)))
                    .collect::<Map<_, _>>()
                    .into(),
            };
            outputs.push(EndpointOutput {
                plugin: &bundle.plugin,
                name: &endpoint.name,
                description: &endpoint.description,
                url,
            });
        }
    }
    outputs
}

/// What nodes run when they boot.
fn boot_data(
    contents: &BTreeMap<String, NodeContent>,
    boot: &MemberLines,
) -> BTreeMap<String, NodeUserData> {
    if *boot == MemberLines::default() {
        return assemble_user_data(contents);
    }
    let contents = contents.iter();
    let booting = contents.map(|(class, content)| (class.clone(), boot.lay_over(content)));
    assemble_user_data(&booting.collect())
}

fn class_contents(
    build: &FrameworkBuild<'_>,
    classes: &[NodeClass],
    placements: &[ComponentPlacement],
) -> BTreeMap<String, NodeContent> {
    let sources = ManifestSources {
        chain: build.chain,
        bundles: &build.bundles,
        placements,
        surroundings: build.surroundings,
    };
    let grants = build.questions.iter().flat_map(|one| &one.grants);
    let grants: Vec<&ComponentGrant> = grants.collect();
    let content = |class: &NodeClass| {
        let of_group = grants.iter().filter(|grant| grant.group == class.group);
        let volume_gib = of_group.map(|grant| grant.volume_gib).max();
        let volume_gib = volume_gib.unwrap_or(0);
        class_content(build.cluster, build.groups, class, volume_gib, sources)
    };
    let contents = classes.iter();
    contents
        .map(|class| (class.name.clone(), content(class)))
        .collect()
}

#[cfg(test)]
#[path = "framework_build_tests.rs"]
mod tests;
