//! Merges the templates of a chain's plugins into one HOT template, section by section; a name that
//! two plugins define is refused by both their names. Knows names and sections, not what resources
//! mean.
//!
//! The order is fixed, so that one request always makes the same bytes: sections as in
//! [`SECTIONS`], in each the plugins in the chain's order, of each what it holds in its own order.
//! Nothing overrides anything: a plugin that wants to change what another has defined cannot.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ContractViolation, PluginBundle};
use crate::cluster::{
    contract_bridge::{OUTER_ADDRESS, OUTER_ROLE},
    framework::{FrameworkEndpoint, PluginRequest, PortAudience},
};

/// The version that every template is written for.
pub const HEAT_TEMPLATE_VERSION: &str = "2018-08-31";
/// The sections a plugin's template may have, in the order that people read them.
pub const SECTIONS: [&str; 4] = ["parameters", "conditions", "resources", "outputs"];

/// One template of all parts, `heat_template_version` first; the endpoints become outputs.
///
/// # Errors
/// What two plugins define, by both names; what is no template.
pub fn merge_templates(
    request: &PluginRequest,
    description: &str,
    parts: &[PluginBundle],
) -> Result<Value, Vec<ContractViolation>> {
    let mut violations = Vec::new();
    let mut template = Map::new();
    template.insert(
        "heat_template_version".to_owned(),
        HEAT_TEMPLATE_VERSION.into(),
    );
    template.insert("description".to_owned(), description.into());
    for section in SECTIONS {
        // By name, so that the one who defined it first can be named too.
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        let mut merged = Map::new();
        for part in parts {
            for (name, body) in part.section(section) {
                if let Some(owner) = owners.get(name.as_str()) {
                    violations.push(ContractViolation::of_two(
                        owner,
                        &part.plugin,
                        format!("both define `{name}` in {section}"),
                    ));
                    continue;
                }
                owners.insert(name, &part.plugin);
                merged.insert(name.clone(), body.clone());
            }
        }
        // Endpoints come behind all outputs, since their URLs refer to one of them.
        if section == "outputs" {
            add_endpoints(request, parts, &mut owners, &mut merged, &mut violations);
        }
        if !merged.is_empty() {
            template.insert(section.to_owned(), Value::Object(merged));
        }
    }
    if violations.is_empty() {
        Ok(Value::Object(template))
    } else {
        Err(violations)
    }
}

impl PluginBundle {
    /// What the part's template holds in a section, by name.
    pub fn section(&self, section: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.template
            .get(section)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    }
}

/// Makes an output of every endpoint. They share the names of outputs: in Heat there is one list.
fn add_endpoints<'a>(
    request: &PluginRequest,
    parts: &'a [PluginBundle],
    owners: &mut BTreeMap<&'a str, &'a str>,
    outputs: &mut Map<String, Value>,
    violations: &mut Vec<ContractViolation>,
) {
    let outer = outputs
        .get(OUTER_ADDRESS)
        .and_then(|output| output.get("value"))
        .cloned();
    for part in parts {
        for endpoint in &part.endpoints {
            if let Some(owner) = owners.get(endpoint.name.as_str()) {
                violations.push(ContractViolation::of_two(
                    owner,
                    &part.plugin,
                    format!("both define the output or endpoint `{}`", endpoint.name),
                ));
                continue;
            }
            owners.insert(&endpoint.name, &part.plugin);
            let output = json!({ "description": endpoint.description, "value": endpoint_url(request, endpoint, outer.as_ref()) });
            outputs.insert(endpoint.name.clone(), output);
        }
    }
}

/// The URL where an endpoint is reached: on the role that has one by its outer address, unless it is
/// for the cluster's own nodes; on other roles, whose nodes have none, a map of URLs by node.
fn endpoint_url(
    request: &PluginRequest,
    endpoint: &FrameworkEndpoint,
    outer: Option<&Value>,
) -> Value {
    let url = |address: &str| {
        format!(
            "{}://{address}:{}{}",
            endpoint.scheme, endpoint.port, endpoint.path
        )
    };
    let nodes: Vec<_> = request
        .groups
        .iter()
        .filter(|group| group.role == endpoint.role)
        .flat_map(|group| &group.nodes)
        .collect();
    match (nodes.as_slice(), outer) {
        ([_], Some(outer))
            if endpoint.role == OUTER_ROLE && endpoint.audience != PortAudience::Cluster =>
        {
            let (scheme, rest) = (
                format!("{}://", endpoint.scheme),
                format!(":{}{}", endpoint.port, endpoint.path),
            );
            json!({ "list_join": ["", [scheme, outer, rest]] })
        }
        ([node], _) => url(&node.address).into(),
        (nodes, _) => Value::Object(
            nodes
                .iter()
                .map(|node| (node.name.clone(), url(&node.address).into()))
                .collect(),
        ),
    }
}
