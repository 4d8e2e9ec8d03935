//! Builds what Heat is given for a whole cluster from the bundles that the plugins of a chain return:
//! checks each, merges them, writes what nodes get, checks the whole. Pure: no I/O, no async. What is wrong here is a plugin's fault, but for sizes; a user's
//! mistakes were found before, by the plan and by the plugins themselves.
//!
//! Layout
//! - [`framework_build`]: all of it
//! - [`merge`]: the templates of a chain to one; what two define is refused by both names
//! - [`policy`], [`references`], [`sizes`]: what a template may hold, that what it names is there,
//!   that the cloud takes it
//! - [`resource_types`], `resource_check`, `secret_values`: the resource types that plugins may add,
//!   what their properties may hold, and what only nodes may read
//! - [`node_script`]: what stands on the nodes of a class, and how bash is told it; [`node_frame`]: the
//!   frame, the same for all
//! - `node_user_data`: the script that they boot by; [`node_rest`]: what that has no room for
//! - [`node_update`]: what a running node is notified of in a change; [`node_upgrade`]: in an upgrade
//! - [`node_classes`], [`node_conflicts`], [`placeholders`]: what plugins have stand on which nodes, and what of
//!   it cannot stand there together (`path_conflicts`, over `component_set`s)
//! - `class_content`, [`manifest`] and `manifest_line` write what nodes get as data;
//!   [`node_surroundings`]: what is around them
//! - [`plugin_template`]: what a plugin adds to the template, and what it may name
//! - [`access_rules`]: who may reach a cluster
//! - [`yaml`]: the template as YAML for people

pub mod access_rules;
mod class_content;
mod component_set;
pub mod computed_size;
mod found_conflicts;
pub mod framework_build;
pub mod manifest;
mod manifest_line;
pub mod member_news;
pub mod merge;
pub mod node_classes;
pub mod node_conflicts;
pub mod node_frame;
pub mod node_rest;
pub mod node_script;
pub mod node_surroundings;
pub mod node_update;
pub mod node_upgrade;
mod node_user_data;
mod packed_text;
mod path_conflicts;
pub mod placeholders;
pub mod plugin_template;
pub mod policy;
pub mod references;
mod resource_check;
pub mod resource_types;
mod secret_values;
pub mod sizes;
pub mod unit_effects;
pub mod yaml;

use std::collections::BTreeMap;

use self::plugin_template::PluginTemplate;

use crate::cluster::{
    framework::NodeGroup,
    problem::{Problem, cut_text, lines},
};

/// Something a plugin may not do, or that a cloud would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractViolation {
    /// The plugins at fault; none where it is the whole that is too large.
    pub plugins: Vec<String>,
    /// A lowercase fragment with what and where.
    pub message: String,
}

/// Why the bundles of a chain make no cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ContractViolation::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ContractViolations(pub Vec<ContractViolation>);

/// Why nothing is built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Plugins returned what makes no cluster; only their authors can mend it.
    #[error(transparent)]
    Violations(#[from] ContractViolations),
    /// What the user opens cannot be opened.
    #[error("{}", lines(.0))]
    Access(Vec<Problem>),
    /// The cloud would not take it: fewer nodes or shorter settings help.
    #[error("{}", .violations.iter().map(sizes::LimitViolation::to_string).collect::<Vec<_>>().join("\n"))]
    TooLarge {
        /// All that is too large.
        violations: Vec<sizes::LimitViolation>,
        /// The group with the most nodes.
        largest_group: String,
        /// The most of them that one stack's resources allow with these settings.
        most_nodes: u32,
    },
}

impl ContractViolation {
    fn of_plugin(plugin: &str, message: impl Into<String>) -> Self {
        Self {
            plugins: vec![plugin.to_owned()],
            message: cut_text(&message.into(), MAX_MESSAGE_CHARS),
        }
    }

    fn of_two(one: &str, other: &str, message: impl Into<String>) -> Self {
        Self {
            plugins: vec![one.to_owned(), other.to_owned()],
            message: cut_text(&message.into(), MAX_MESSAGE_CHARS),
        }
    }

    fn of_whole(message: impl Into<String>) -> Self {
        Self {
            plugins: Vec::new(),
            message: cut_text(&message.into(), MAX_MESSAGE_CHARS),
        }
    }
}

/// Violations that one check tells of at once: who has more has more to learn from the first.
pub const MAX_VIOLATIONS: usize = 100;
/// Characters of one violation's message, which may repeat what a plugin wrote.
pub const MAX_MESSAGE_CHARS: usize = 1_000;

/// Bytes in lower-case hexadecimal, as digests are written.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One violation more of a plugin's, up to [`MAX_VIOLATIONS`].
fn report_violation(violations: &mut Vec<ContractViolation>, plugin: &str, message: String) {
    if violations.len() < MAX_VIOLATIONS {
        violations.push(ContractViolation::of_plugin(plugin, message));
    }
}

impl std::fmt::Display for ContractViolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.plugins.as_slice() {
            [] => write!(f, "the whole: {}", self.message),
            plugins => write!(
                f,
                "plugin {}: {}",
                plugins
                    .iter()
                    .map(|p| format!("`{p}`"))
                    .collect::<Vec<_>>()
                    .join(" and "),
                self.message
            ),
        }
    }
}

fn refuse(violations: Vec<ContractViolation>) -> Result<(), ContractViolations> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(ContractViolations(violations))
    }
}

/// Checks a merged template and its files: what it names is there, it has the nodes and no others,
/// and the cloud takes it.
fn check_whole(
    parts: &[PluginTemplate<'_>],
    groups: &[NodeGroup],
    template: &serde_json::Value,
    files: &BTreeMap<String, String>,
) -> Result<(), BuildError> {
    let nodes = groups.iter().flat_map(|group| &group.nodes);
    let nodes: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
    let mut violations = references::check_references(parts, template, files);
    violations.extend(policy::check_template(&nodes, template));
    refuse(violations)?;
    let violations = sizes::check_sizes(template, files);
    if violations.is_empty() {
        Ok(())
    } else {
        Err(too_large(violations, groups, template))
    }
}

/// Fewer nodes of the largest group would help most.
fn too_large(
    violations: Vec<sizes::LimitViolation>,
    groups: &[NodeGroup],
    template: &serde_json::Value,
) -> BuildError {
    let largest = groups.iter().max_by_key(|group| group.nodes.len());
    let nodes = largest.map_or(&[][..], |group| &group.nodes);
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let sample = nodes.first().map_or("", |node| &node.name);
    BuildError::TooLarge {
        violations,
        largest_group: largest.map(|group| group.role.clone()).unwrap_or_default(),
        most_nodes: sizes::most_nodes(template, sample, count),
    }
}

#[cfg(test)]
mod resource_tests;
#[cfg(test)]
pub(crate) mod test_frameworks;
#[cfg(test)]
mod tests;
