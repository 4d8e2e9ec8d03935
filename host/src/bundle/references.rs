//! That a merged template holds together: every function is one that may be used, and what it names
//! is there.

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
pub fn check(
    template: &Value,
    parts: &[PluginBundle],
    files: &BTreeMap<String, String>,
) -> Vec<ContractViolation> {
    let mut walk = ReferenceWalk {
        template,
        files,
        plugin: "",
        place: String::new(),
        faults: Vec::new(),
    };
    for part in parts {
        walk.plugin = &part.plugin;
        for section in SECTIONS {
            for (name, body) in part.section(section) {
                walk.place = format!("{section}.{name}");
                if section == "resources" {
                    walk.resource(body);
                }
                walk.value(body, section == "conditions");
            }
        }
    }
    let mut faults = walk.faults;
    let text = template.to_string();
    for name in files
        .keys()
        .filter(|name| !text.contains(&format!("{{\"get_file\":\"{name}\"}}")))
    {
        faults.push(ContractViolation::of_all(format!(
            "no node is given `{name}`: no server's user data names it by get_file"
        )));
    }
    faults
}

struct ReferenceWalk<'a> {
    template: &'a Value,
    files: &'a BTreeMap<String, String>,
    plugin: &'a str,
    place: String,
    faults: Vec<ContractViolation>,
}

impl ReferenceWalk<'_> {
    fn fault(&mut self, message: String) {
        self.faults.push(ContractViolation::of(
            self.plugin,
            format!("{}: {message}", self.place),
        ));
    }

    fn there(&self, section: &str, name: &str) -> bool {
        self.template
            .get(section)
            .is_some_and(|section| section.get(name).is_some())
    }

    fn named(&mut self, function: &str, section: &str, name: Option<&Value>) {
        match name.and_then(Value::as_str) {
            Some(name)
                if self.there(section, name)
                    || section == "parameters" && PSEUDO_PARAMETERS.contains(&name) => {}
            Some(name) => self.fault(format!(
                "{function} names `{name}`, which is not in {section}"
            )),
            None => self.fault(format!("{function} must name one of {section}")),
        }
    }

    fn resource(&mut self, body: &Value) {
        match body.get("depends_on") {
            None => {}
            Some(Value::Array(names)) => names
                .iter()
                .for_each(|name| self.named("depends_on", "resources", Some(name))),
            name => self.named("depends_on", "resources", name),
        }
        if let Some(condition) = body.get("condition") {
            self.condition(condition);
        }
    }

    /// A condition is the name of one, a function of conditions, or true or false.
    fn condition(&mut self, condition: &Value) {
        match condition {
            Value::String(_) => self.named("condition", "conditions", Some(condition)),
            other => self.value(other, true),
        }
    }

    fn value(&mut self, value: &Value, in_condition: bool) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item, in_condition)),
            Value::Object(map) => {
                let function = map.iter().next().filter(|_| map.len() == 1);
                match function {
                    Some((name, argument)) if FUNCTIONS.contains(&name.as_str()) => {
                        self.function(name, argument, in_condition)
                    }
                    Some((name, _))
                        if REFUSED_FUNCTIONS.contains(&name.as_str())
                            || name.starts_with("Fn::") =>
                    {
                        self.fault(format!("the function `{name}` may not be used"));
                    }
                    _ => map
                        .values()
                        .for_each(|value| self.value(value, in_condition)),
                }
            }
            _ => {}
        }
    }

    fn function(&mut self, name: &str, argument: &Value, in_condition: bool) {
        let first = argument
            .as_array()
            .map_or(Some(argument), |items| items.first());
        match name {
            "get_resource" => self.named(name, "resources", Some(argument)),
            "get_attr" => self.named(name, "resources", first),
            "get_param" => self.named(name, "parameters", first),
            "get_file" => match argument.as_str() {
                Some(file) if self.files.contains_key(file) => {}
                _ => {
                    let there = self.files.keys().cloned().collect::<Vec<_>>().join(", ");
                    self.fault(format!("get_file names {argument}, there are: {there}"));
                }
            },
            "if" => {
                if let Some(condition) = first {
                    self.condition(condition);
                }
                argument
                    .as_array()
                    .into_iter()
                    .flatten()
                    .skip(1)
                    .for_each(|value| self.value(value, in_condition));
            }
            "not" if in_condition => self.condition(argument),
            "and" | "or" if in_condition => argument
                .as_array()
                .into_iter()
                .flatten()
                .for_each(|value| self.condition(value)),
            _ => self.value(argument, in_condition),
        }
        if matches!(name, "get_attr" | "get_param") {
            argument
                .as_array()
                .into_iter()
                .flatten()
                .skip(1)
                .for_each(|value| self.value(value, in_condition));
        }
    }
}
