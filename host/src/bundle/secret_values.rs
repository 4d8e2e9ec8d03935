//! Finds the `OS::Heat::Value` resources of a template whose value is a secret of the nodes: what a
//! handle gives to signal with, a node's script, or another such value.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::resource_types::{STACK_VALUE, find_type};

/// Their names.
pub(super) fn find_secret_values(template: &Value) -> BTreeSet<&str> {
    let Some(resources) = template.get("resources").and_then(Value::as_object) else {
        return BTreeSet::new();
    };
    let kind = |name: &str| resources.get(name)?.get("type")?.as_str();
    let mut secret: Vec<&str> = Vec::new();
    // By name, the values that hold it.
    let mut holders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, body) in resources
        .iter()
        .filter(|(name, _)| kind(name) == Some(STACK_VALUE))
    {
        let mut reads = AttributeReads::default();
        reads.collect(body);
        let read_secret = |(of, attribute): &(&str, &str)| {
            let rule = kind(of).and_then(find_type);
            rule.is_some_and(|rule| rule.secret.contains(attribute))
        };
        if reads.file || reads.attributes.iter().any(read_secret) {
            secret.push(name);
        }
        for (of, _) in reads.attributes {
            holders.entry(of).or_default().push(name);
        }
    }
    let mut found = BTreeSet::new();
    while let Some(name) = secret.pop() {
        if found.insert(name) {
            secret.extend(holders.get(name).into_iter().flatten());
        }
    }
    found
}

/// What a value reads of other resources.
#[derive(Default)]
struct AttributeReads<'a> {
    attributes: Vec<(&'a str, &'a str)>,
    file: bool,
}

impl<'a> AttributeReads<'a> {
    fn collect(&mut self, value: &'a Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(map) => {
                for (key, argument) in map {
                    self.file |= key == "get_file";
                    let text = |at: usize| argument.get(at).and_then(Value::as_str);
                    if let Some(of) = text(0).filter(|_| key == "get_attr") {
                        self.attributes.push((of, text(1).unwrap_or_default()));
                    }
                    self.collect(argument);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_as_secret_as_what_it_holds_however_far_away_and_in_circles() {
        let value = |held: Value| json!({"type": STACK_VALUE, "properties": {"value": held}});
        let template = json!({"resources": {
            "handle": {"type": "OS::Heat::WaitConditionHandle"},
            "open": value(json!({"get_attr": ["server", "name"]})),
            "far": value(json!([{"get_attr": ["near", "value"]}])),
            "near": value(json!({"digest": ["sha512", {"get_attr": ["handle", "token"]}]})),
            "script": value(json!({"get_file": "node-master.sh"})),
            "one": value(json!({"get_attr": ["other", "value"]})),
            "other": value(json!([{"get_attr": ["one", "value"]}, {"get_attr": ["far", "value"]}])),
            "circle": value(json!({"get_attr": ["circle", "value"]})),
        }});
        let found: Vec<&str> = find_secret_values(&template).into_iter().collect();
        assert_eq!(found, ["far", "near", "one", "other", "script"]);
        assert!(find_secret_values(&json!({})).is_empty());
    }
}
