//! Checks what a plugin may put into a bundle (names of its own, resource types that it declared
//! and that every plugin may use), and what the whole must hold: one server a node, and the wait
//! condition that tells when all nodes work. Plugins may come from anyone: these rules keep them to
//! the resources of one cluster.

use serde_json::Value;

use super::{
    ContractViolation,
    merge::SECTIONS,
    plugin_template::PluginTemplate,
    report_violation,
    resource_types::{RULE, SERVER, TypeRule, WAIT_CONDITION, find_type},
};
use crate::cluster::framework::CLUSTER;

/// What a resource may say about itself.
const RESOURCE_KEYS: [&str; 5] = [
    "type",
    "properties",
    "depends_on",
    "condition",
    "deletion_policy",
];
/// What a parameter may say about itself.
const PARAMETER_KEYS: [&str; 7] = [
    "type",
    "label",
    "description",
    "default",
    "constraints",
    "hidden",
    "immutable",
];
/// What an output may say about itself.
const OUTPUT_KEYS: [&str; 2] = ["description", "value"];
/// The names that the host itself gives begin so.
const RESERVED_PREFIX: &str = "stampede";
/// The wait condition that completes when every node has signalled.
pub const READY: &str = "ready";

/// Checks what the plugin of this name adds to the template.
pub fn check_part(name: &str, part: &PluginTemplate<'_>) -> Vec<ContractViolation> {
    let mut violations = Vec::new();
    let mut report = |message: String| report_violation(&mut violations, part.plugin, message);
    if part.plugin != name {
        report(format!("answered in the name of `{name}`"));
    }
    check_sections(part, &mut report);
    for (name, resource) in part.section("resources") {
        check_resource(name, resource, part, &mut report);
    }
    violations
}

/// One server a node and no other; a wait condition that counts them all.
pub fn check_template(nodes: &[&str], template: &Value) -> Vec<ContractViolation> {
    let mut violations = Vec::new();
    let wanted: Vec<String> = nodes.iter().map(|node| server_name(node)).collect();
    let resources = template.get("resources").and_then(Value::as_object);
    let servers: Vec<&String> = resources
        .into_iter()
        .flatten()
        .filter(|(_, r)| r["type"] == SERVER)
        .map(|(name, _)| name)
        .collect();
    for missing in wanted.iter().filter(|name| !servers.contains(name)) {
        violations.push(ContractViolation::of_whole(format!(
            "there is no server `{missing}`"
        )));
    }
    for other in servers.iter().filter(|name| !wanted.contains(name)) {
        violations.push(ContractViolation::of_whole(format!(
            "the server `{other}` belongs to no node that was asked for"
        )));
    }
    let ready = resources
        .and_then(|resources| resources.get(READY))
        .filter(|ready| ready["type"] == WAIT_CONDITION);
    let count = ready
        .and_then(|ready| ready.pointer("/properties/count"))
        .and_then(Value::as_u64);
    match (ready, count) {
        (None, _) => violations.push(ContractViolation::of_whole(format!(
            "there is no wait condition `{READY}`: the stack would complete before any node works"
        ))),
        (Some(_), Some(count)) if count >= nodes.len() as u64 => {}
        (Some(_), count) => {
            let count = count.map_or_else(|| "nothing".to_owned(), |count| count.to_string());
            violations.push(ContractViolation::of_whole(format!(
                "the wait condition `{READY}` counts {count}, there are {} nodes",
                nodes.len()
            )));
        }
    }
    for (name, resource) in resources.into_iter().flatten() {
        let counted = [SERVER, WAIT_CONDITION]
            .iter()
            .any(|kind| resource["type"] == *kind);
        if counted && resource.get("condition").is_some() {
            violations.push(ContractViolation::of_whole(format!(
                "the resource `{name}` has a condition: the cluster is nothing without it"
            )));
        }
    }
    violations
}

/// The name of a node's server in the template.
pub fn server_name(node: &str) -> String {
    format!("{}_server", node.replace('-', "_"))
}

fn check_sections(part: &PluginTemplate<'_>, report: &mut impl FnMut(String)) {
    let Some(template) = part.template.as_object() else {
        return report("its template is not a JSON object".to_owned());
    };
    for (section, bodies) in template {
        if !SECTIONS.contains(&section.as_str()) {
            report(format!(
                "its template has `{section}`; there are: {}",
                SECTIONS.join(", ")
            ));
            continue;
        }
        let Some(bodies) = bodies.as_object() else {
            report(format!("`{section}` of its template is not an object"));
            continue;
        };
        for (name, body) in bodies {
            if !is_own_name(part.plugin, name) {
                let prefix = part.plugin.replace('-', "_");
                report(format!(
                    "`{name}` in {section} must be of a-z, 0-9 and _ and begin with `{prefix}_`"
                ));
            }
            if section != "conditions" && !body.is_object() {
                report(format!("`{name}` in {section} is not an object"));
            }
            check_keys(section, name, body, report);
        }
    }
}

/// What a parameter or an output says about itself. A parameter has a default, since nobody is
/// asked for its value.
fn check_keys(section: &str, name: &str, body: &Value, report: &mut impl FnMut(String)) {
    let known: &[&str] = match section {
        "parameters" => &PARAMETER_KEYS,
        "outputs" => &OUTPUT_KEYS,
        _ => return,
    };
    for key in body.as_object().into_iter().flat_map(|body| body.keys()) {
        if !known.contains(&key.as_str()) {
            report(format!(
                "`{name}` in {section} has `{key}`; it may have: {}",
                known.join(", ")
            ));
        }
    }
    if section == "parameters" && body.get("default").is_none() {
        report(format!("the parameter `{name}` has no default"));
    }
}

/// The plugin `cluster` gives the names that others refer to; all others keep to their own.
pub(super) fn is_own_name(plugin: &str, name: &str) -> bool {
    let prefix = plugin.replace('-', "_");
    let own = plugin == CLUSTER
        || name == prefix
        || name
            .strip_prefix(&prefix)
            .is_some_and(|rest| rest.starts_with('_'));
    let reserved = name == RESERVED_PREFIX
        || name
            .strip_prefix(RESERVED_PREFIX)
            .is_some_and(|rest| rest.starts_with('_'));
    own && !reserved && is_identifier(name)
}

fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn check_resource(
    name: &str,
    resource: &Value,
    part: &PluginTemplate<'_>,
    report: &mut impl FnMut(String),
) {
    for key in resource
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .filter(|key| !RESOURCE_KEYS.contains(&key.as_str()))
    {
        report(format!(
            "the resource `{name}` has `{key}`; a resource may have: {}",
            RESOURCE_KEYS.join(", ")
        ));
    }
    let Some(kind) = resource.get("type").and_then(Value::as_str) else {
        return report(format!("the resource `{name}` has no type"));
    };
    if kind == RULE {
        return report(format!(
            "the resource `{name}` is not for it to add: rules are the host's"
        ));
    }
    match find_type(kind) {
        None => report(format!(
            "the resource `{name}` is of type `{kind}`, which no plugin may add"
        )),
        Some(rule) if rule.cluster_alone && !part.is_clusters() => {
            report(format!(
                "the resource `{name}` is not for it to add: `{kind}` is the plugin `{CLUSTER}`'s"
            ));
        }
        Some(_) if !part.resource_types.iter().any(|one| one == kind) => report(format!(
            "the resource `{name}` is of type `{kind}`, which its descriptor does not declare"
        )),
        Some(rule) => check_deletion(name, rule, resource, report),
    }
}

/// What stays when its cluster is deleted is paid for, and nobody looks for it.
fn check_deletion(name: &str, rule: &TypeRule, resource: &Value, report: &mut impl FnMut(String)) {
    let policy = resource.get("deletion_policy").map(Value::as_str);
    let known: &[&str] = if rule.may_stay {
        &["Delete", "Retain", "Snapshot"]
    } else {
        &["Delete"]
    };
    if policy.is_some_and(|policy| !policy.is_some_and(|policy| known.contains(&policy))) {
        report(format!(
            "the deletion_policy of the resource `{name}` must be {}, written out",
            known.join(" or ")
        ));
    }
}
