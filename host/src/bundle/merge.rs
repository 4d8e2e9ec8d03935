//! Merges the templates of a chain's plugins into one HOT template, section by section; a name that
//! two plugins define is refused by both their names. Knows names and sections, not what resources
//! mean.
//!
//! The order is fixed, so that one request always makes the same bytes: sections as in
//! [`SECTIONS`], in each the plugins in the chain's order, of each what it holds in its own order.
//! Nothing overrides anything: a plugin that wants to change what another has defined cannot.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::ContractViolation;
use super::plugin_template::{PluginTemplate, section_of};
use crate::cluster::default_groups::OUTER_ADDRESS;

/// The version that every template is written for.
pub const HEAT_TEMPLATE_VERSION: &str = "2018-08-31";
/// The sections a plugin's template may have, in the order that people read them.
pub const SECTIONS: [&str; 4] = ["parameters", "conditions", "resources", "outputs"];

/// An endpoint as an output of the stack.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointOutput<'a> {
    /// Whose it is.
    pub plugin: &'a str,
    /// Its name.
    pub name: &'a str,
    /// For people.
    pub description: &'a str,
    /// A URL, computed or not, or several by their nodes.
    pub url: Value,
}

/// One template of all parts, `heat_template_version` first; `rules` are resources that the host
/// itself adds. The endpoints become outputs.
///
/// # Errors
/// What two plugins define, by both names; what is no template.
pub fn merge_templates(
    description: &str,
    parts: &[PluginTemplate<'_>],
    rules: &Map<String, Value>,
    endpoints: &[EndpointOutput<'_>],
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
                        part.plugin,
                        format!("both define `{name}` in {section}"),
                    ));
                    continue;
                }
                owners.insert(name, part.plugin);
                merged.insert(name.clone(), body.clone());
            }
        }
        if section == "resources" {
            add_rules(rules, &owners, &mut merged, &mut violations);
        }
        // Endpoints come behind all outputs, since their URLs refer to one of them.
        if section == "outputs" {
            add_endpoints(endpoints, &mut owners, &mut merged, &mut violations);
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

/// Adds the host's own rules, whose names no plugin may have.
fn add_rules(
    rules: &Map<String, Value>,
    owners: &BTreeMap<&str, &str>,
    resources: &mut Map<String, Value>,
    violations: &mut Vec<ContractViolation>,
) {
    for (name, rule) in rules {
        match owners.get(name.as_str()) {
            Some(owner) => violations.push(ContractViolation::of_plugin(
                owner,
                format!("`{name}` in resources is the name of a rule that the host makes"),
            )),
            None => drop(resources.insert(name.clone(), rule.clone())),
        }
    }
}

/// Makes an output of every endpoint. They share the names of outputs: in Heat there is one list.
fn add_endpoints<'a>(
    endpoints: &'a [EndpointOutput<'a>],
    owners: &mut BTreeMap<&'a str, &'a str>,
    outputs: &mut Map<String, Value>,
    violations: &mut Vec<ContractViolation>,
) {
    for endpoint in endpoints {
        if let Some(owner) = owners.get(endpoint.name) {
            violations.push(ContractViolation::of_two(
                owner,
                endpoint.plugin,
                format!("both define the output or endpoint `{}`", endpoint.name),
            ));
            continue;
        }
        owners.insert(endpoint.name, endpoint.plugin);
        let output = json!({ "description": endpoint.description, "value": endpoint.url });
        outputs.insert(endpoint.name.to_owned(), output);
    }
}

/// The address where people reach the cluster, as the plugin `cluster` has it.
pub fn outer_address<'a>(templates: impl IntoIterator<Item = &'a Value>) -> Option<&'a Value> {
    let mut templates = templates.into_iter();
    templates.find_map(|template| {
        let mut outputs = section_of(template, "outputs");
        let (_, output) = outputs.find(|(name, _)| *name == OUTER_ADDRESS)?;
        output.get("value")
    })
}

/// A URL at an address that Heat computes.
pub fn computed_url(scheme: &str, address: &Value, port: u16, path: &str) -> Value {
    let (scheme, rest) = (format!("{scheme}://"), format!(":{port}{path}"));
    json!({ "list_join": ["", [scheme, address, rest]] })
}
