//! Checks the references of a merged template by walking all its values: every function is one that
//! may be used, and what it names is there.
//!
//! Heat would find these mistakes too, but only when the stack is made, in the name of the user,
//! and without saying which plugin they are of. The walk goes through the plugins' own templates,
//! so that the fault has an owner, and looks names up in the merged one, since plugins refer to
//! each other's resources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{ContractViolation, PluginBundle, merge::SECTIONS};

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
pub const REFUSED_FUNCTIONS: [&str; 7] = [
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

/// Every reference in the template that leads nowhere, every function that may not be used.
pub fn check_references(
    template: &Value,
    parts: &[PluginBundle],
    files: &BTreeMap<String, String>,
) -> Vec<ContractViolation> {
    let mut walk = ReferenceWalk {
        template,
        files,
        plugin: "",
        place: String::new(),
        violations: Vec::new(),
    };
    for part in parts {
        walk.plugin = &part.plugin;
        for section in SECTIONS {
            for (name, body) in part.section(section) {
                walk.place = format!("{section}.{name}");
                if section == "resources" {
                    walk.check_resource(body);
                }
                walk.check_value(body, section == "conditions");
            }
        }
    }
    let mut violations = walk.violations;
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

struct ReferenceWalk<'a> {
    template: &'a Value,
    files: &'a BTreeMap<String, String>,
    plugin: &'a str,
    place: String,
    violations: Vec<ContractViolation>,
}

impl ReferenceWalk<'_> {
    fn report(&mut self, message: String) {
        self.violations.push(ContractViolation::of_plugin(
            self.plugin,
            format!("{}: {message}", self.place),
        ));
    }

    fn is_defined(&self, section: &str, name: &str) -> bool {
        self.template
            .get(section)
            .is_some_and(|section| section.get(name).is_some())
    }

    /// A name must be one of the section's; parameters have three more, which Heat itself gives.
    fn check_name(&mut self, function: &str, section: &str, name: Option<&Value>) {
        match name.and_then(Value::as_str) {
            Some(name)
                if self.is_defined(section, name)
                    || section == "parameters" && PSEUDO_PARAMETERS.contains(&name) => {}
            Some(name) => self.report(format!(
                "{function} names `{name}`, which is not in {section}"
            )),
            None => self.report(format!("{function} must name one of {section}")),
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
    }

    /// A condition is the name of one, a function of conditions, or true or false.
    fn check_condition(&mut self, condition: &Value) {
        match condition {
            Value::String(_) => self.check_name("condition", "conditions", Some(condition)),
            other => self.check_value(other, true),
        }
    }

    /// An object with one key is a function where the key is a function's name; else it is data, as
    /// in HOT itself. `in_condition`: whether a text below may name a condition.
    fn check_value(&mut self, value: &Value, in_condition: bool) {
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|item| self.check_value(item, in_condition)),
            Value::Object(map) => {
                let function = map.iter().next().filter(|_| map.len() == 1);
                match function {
                    Some((name, argument)) if FUNCTIONS.contains(&name.as_str()) => {
                        self.check_function(name, argument, in_condition)
                    }
                    Some((name, _))
                        if REFUSED_FUNCTIONS.contains(&name.as_str())
                            || name.starts_with("Fn::") =>
                    {
                        self.report(format!("the function `{name}` may not be used"));
                    }
                    _ => map
                        .values()
                        .for_each(|value| self.check_value(value, in_condition)),
                }
            }
            _ => {}
        }
    }

    /// What the function names, by its form: `get_resource: name`, `get_attr: [name, path ...]`,
    /// `if: [condition, then, else]`. Arguments behind the name may hold functions again.
    fn check_function(&mut self, name: &str, argument: &Value, in_condition: bool) {
        let first = argument
            .as_array()
            .map_or(Some(argument), |items| items.first());
        match name {
            "get_resource" => self.check_name(name, "resources", Some(argument)),
            "get_attr" => self.check_name(name, "resources", first),
            "get_param" => self.check_name(name, "parameters", first),
            "get_file" => match argument.as_str() {
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
                    .for_each(|value| self.check_value(value, in_condition));
            }
            // In a condition a text among the arguments names another; elsewhere it is a text.
            "not" if in_condition => self.check_condition(argument),
            "and" | "or" if in_condition => argument
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|value| self.check_condition(value)),
            _ => self.check_value(argument, in_condition),
        }
        if matches!(name, "get_attr" | "get_param") {
            argument
                .as_array()
                .into_iter()
                .flatten()
                .skip(1)
                .for_each(|value| self.check_value(value, in_condition));
        }
    }
}
