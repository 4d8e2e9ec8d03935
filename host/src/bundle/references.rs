//! Checks the references of a merged template by walking all its values: every function is one that
//! may be used, and what it names is there.
//!
//! Heat would find these mistakes too, but only when the stack is made, in the name of the user,
//! and without saying which plugin they are of. The walk goes through the plugins' own templates,
//! so that the fault has an owner, and looks names up in the merged one, since plugins refer to
//! each other's resources.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::plugin_template::PluginTemplate;
use super::{
    ContractViolation, merge::SECTIONS, policy, report_violation, resource_types, secret_values,
};

/// The HOT functions that plugins may use. Not among them: those that replace inside texts
/// (`str_replace`, `repeat`, `map_replace`), since a user's text that happens to hold the
/// placeholder would not arrive as it is; `yaql`; `resource_facade`.
pub const FUNCTIONS: [&str; 18] = [
    "get_resource",
    "get_attr",
    "get_param",
    "get_file",
    "list_join",
    "list_concat",
    "list_concat_unique",
    "map_merge",
    "str_split",
    "digest",
    "if",
    "equals",
    "not",
    "and",
    "or",
    "contains",
    "filter",
    "make_url",
];
/// Functions of HOT that plugins may not use.
pub const REFUSED_FUNCTIONS: [&str; 8] = [
    "Ref",
    "str_replace",
    "str_replace_strict",
    "str_replace_vstrict",
    "map_replace",
    "repeat",
    "yaql",
    "resource_facade",
];
/// Parameters that Heat itself gives.
const PSEUDO_PARAMETERS: [&str; 3] = ["OS::stack_name", "OS::stack_id", "OS::project_id"];

/// What every plugin may refer to beside the nodes.
const NETWORK_NAMES: [&str; 3] = ["network", "subnet", "security_group"];
/// The same, for people.
const OTHERS_NAMES: &str =
    "beside its own it may name the nodes' resources, network, subnet and security_group";

/// Where a value stands, which says what it may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValuePosition {
    /// In a condition, where a text may name another condition.
    Condition,
    /// Where readers of the project see it.
    Shown,
    /// Where the cluster's own nodes alone are to see it: secrets and files may stand here.
    Nodes,
}

/// All that is wrong with what the template's values refer to.
pub fn check_references(
    parts: &[PluginTemplate<'_>],
    template: &Value,
    files: &BTreeMap<String, String>,
) -> Vec<ContractViolation> {
    let mut violations = Vec::new();
    let secret = secret_values::find_secret_values(template);
    let groups = parts
        .first()
        .map_or(&[][..], |part| part.grants.groups)
        .iter();
    let nodes = groups.flat_map(|group| &group.nodes);
    let nodes = nodes.map(|node| node.name.replace('-', "_")).collect();
    for part in parts {
        let mut walk = ReferenceWalk {
            template,
            files,
            secret: &secret,
            part,
            nodes: &nodes,
            place: String::new(),
            violations,
        };
        for section in SECTIONS {
            for (name, body) in part.section(section) {
                walk.place = format!("{section}.{name}");
                walk.check_entry(section, body);
            }
        }
        violations = walk.violations;
    }
    // The other way round: a script that nothing names would be sent and never run.
    let text = template.to_string();
    for name in files
        .keys()
        .filter(|name| !text.contains(&format!("{{\"get_file\":\"{name}\"}}")))
    {
        violations.push(ContractViolation::of_whole(format!(
            "no node is given `{name}`: no server's user data names it by get_file"
        )));
    }
    violations
}

/// Whether Heat takes the map for a call of a function.
pub(super) fn is_function(map: &Map<String, Value>) -> bool {
    let called = |name: &String| {
        FUNCTIONS.contains(&name.as_str())
            || REFUSED_FUNCTIONS.contains(&name.as_str())
            || name.starts_with("Fn::")
    };
    map.len() == 1 && map.keys().all(called)
}

pub(super) struct ReferenceWalk<'a> {
    pub(super) template: &'a Value,
    files: &'a BTreeMap<String, String>,
    secret: &'a BTreeSet<&'a str>,
    pub(super) part: &'a PluginTemplate<'a>,
    /// What the names of the nodes' resources begin with.
    nodes: &'a BTreeSet<String>,
    place: String,
    violations: Vec<ContractViolation>,
}

impl ReferenceWalk<'_> {
    pub(super) fn report(&mut self, message: String) {
        let message = format!("{}: {message}", self.place);
        report_violation(&mut self.violations, self.part.plugin, message);
    }

    fn is_defined(&self, section: &str, name: &str) -> bool {
        self.template
            .get(section)
            .is_some_and(|section| section.get(name).is_some())
    }

    /// The type of one of the template's resources.
    pub(super) fn type_of(&self, name: &str) -> Option<&str> {
        self.template
            .get("resources")?
            .get(name)?
            .get("type")?
            .as_str()
    }

    /// A name must be one of the section's; parameters have three more, which Heat itself gives.
    fn check_name(&mut self, function: &str, section: &str, name: Option<&Value>) {
        match name.and_then(Value::as_str) {
            Some(name)
                if self.is_defined(section, name) && self.may_name(section, name)
                    || section == "parameters" && PSEUDO_PARAMETERS.contains(&name) => {}
            Some(name) if self.is_defined(section, name) => self.report(format!(
                "{function} names `{name}`, which is another plugin's: {OTHERS_NAMES}"
            )),
            Some(name) => self.report(format!(
                "{function} names `{name}`, which is not in {section}"
            )),
            None => self.report(format!("{function} must name one of {section}")),
        }
    }

    /// Whether the contract lets this plugin refer to it.
    fn may_name(&self, section: &str, name: &str) -> bool {
        let mut prefixes = name.match_indices('_').map(|(end, _)| &name[..end]);
        self.part.is_clusters()
            || policy::is_own_name(self.part.plugin, name)
            || section == "resources"
                && (NETWORK_NAMES.contains(&name)
                    || prefixes.any(|prefix| self.nodes.contains(prefix)))
    }

    fn check_entry(&mut self, section: &str, body: &Value) {
        match section {
            "resources" => self.check_resource(body),
            "conditions" => self.check_value(body, ValuePosition::Condition),
            // A parameter's texts are not looked into by Heat, and outputs have a value alone.
            "outputs" => {
                if let Some(value) = body.get("value") {
                    self.check_value(value, ValuePosition::Shown);
                }
            }
            _ => {}
        }
    }

    fn check_resource(&mut self, body: &Value) {
        match body.get("depends_on") {
            None => {}
            Some(Value::Array(names)) => names
                .iter()
                .for_each(|name| self.check_name("depends_on", "resources", Some(name))),
            name => self.check_name("depends_on", "resources", name),
        }
        if let Some(condition) = body.get("condition") {
            self.check_condition(condition);
        }
        let kind = body.get("type").and_then(Value::as_str);
        if let Some(rule) = kind.and_then(resource_types::find_type) {
            self.check_properties(rule, body);
        }
    }

    /// A condition is the name of one, a function of conditions, or true or false.
    fn check_condition(&mut self, condition: &Value) {
        match condition {
            Value::String(_) => self.check_name("condition", "conditions", Some(condition)),
            other => self.check_value(other, ValuePosition::Condition),
        }
    }

    /// An object with one key is a function where the key is a function's name; else it is data, as
    /// in HOT itself.
    pub(super) fn check_value(&mut self, value: &Value, position: ValuePosition) {
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|item| self.check_value(item, position)),
            Value::Object(map) => {
                let function = map.iter().next().filter(|_| map.len() == 1);
                match function {
                    Some((name, argument)) if FUNCTIONS.contains(&name.as_str()) => {
                        self.check_function(name, argument, position)
                    }
                    Some((name, _))
                        if REFUSED_FUNCTIONS.contains(&name.as_str())
                            || name.starts_with("Fn::") =>
                    {
                        self.report(format!("the function `{name}` may not be used"));
                    }
                    _ => map
                        .values()
                        .for_each(|value| self.check_value(value, position)),
                }
            }
            _ => {}
        }
    }

    /// What the function names, by its form: `get_resource: name`, `get_attr: [name, path ...]`,
    /// `if: [condition, then, else]`. Arguments behind the name may hold functions again.
    fn check_function(&mut self, name: &str, argument: &Value, position: ValuePosition) {
        let first = argument
            .as_array()
            .map_or(Some(argument), |items| items.first());
        match name {
            "get_resource" => self.check_name(name, "resources", Some(argument)),
            "get_attr" => self.check_attribute(argument, position),
            "get_param" => self.check_name(name, "parameters", first),
            "get_file" => match argument.as_str() {
                _ if !self.part.is_clusters() => self.report(
                    "get_file is the plugin `cluster`'s: others would read the script".to_owned(),
                ),
                Some(_) if position != ValuePosition::Nodes => self.report(
                    "get_file may stand in a server's user data alone: elsewhere others would read the script".to_owned(),
                ),
                Some(file) if self.files.contains_key(file) => {}
                _ => {
                    let there = self.files.keys().cloned().collect::<Vec<_>>().join(", ");
                    self.report(format!("get_file names {argument}, there are: {there}"));
                }
            },
            "if" => {
                if let Some(condition) = first {
                    self.check_condition(condition);
                }
                argument
                    .as_array()
                    .into_iter()
                    .flatten()
                    .skip(1)
                    .for_each(|value| self.check_value(value, position));
            }
            // In a condition a text among the arguments names another; elsewhere it is a text.
            "not" if position == ValuePosition::Condition => self.check_condition(argument),
            "and" | "or" if position == ValuePosition::Condition => argument
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|value| self.check_condition(value)),
            _ => self.check_value(argument, position),
        }
        if name == "get_param" {
            argument
                .as_array()
                .into_iter()
                .flatten()
                .skip(1)
                .for_each(|value| self.check_value(value, position));
        }
    }

    /// `get_attr: [resource, attribute, path ...]`: an attribute that the resource's type shows, or
    /// a secret one where only nodes read it.
    fn check_attribute(&mut self, argument: &Value, position: ValuePosition) {
        let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        self.check_name("get_attr", "resources", parts.first());
        let name = parts.first().and_then(Value::as_str);
        let Some((name, kind)) = name.and_then(|name| Some((name, self.type_of(name)?))) else {
            return;
        };
        let rule = resource_types::find_type(kind);
        let attribute = parts.get(1).and_then(Value::as_str).unwrap_or_default();
        let secret =
            self.secret.contains(name) || rule.is_some_and(|rule| rule.secret.contains(&attribute));
        let shown = rule.is_some_and(|rule| rule.shown.contains(&attribute));
        if !secret && !shown {
            let known = rule.map(|rule| [rule.shown, rule.secret].concat().join(", "));
            let known = known.filter(|names| !names.is_empty());
            self.report(format!(
                "get_attr of `{name}` must name, written out, one of: {}",
                known.as_deref().unwrap_or("none")
            ));
        } else if secret && position != ValuePosition::Nodes {
            self.report(format!(
                "get_attr of `{name}` shows what only the cluster's own nodes may read: it may stand in their user data alone"
            ));
        }
        if parts
            .iter()
            .skip(2)
            .any(|step| !step.is_string() && !step.is_u64())
        {
            self.report(format!(
                "the path of get_attr of `{name}` must be written out"
            ));
        }
    }
}
