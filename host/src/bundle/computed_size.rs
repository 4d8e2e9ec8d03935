//! How large what Heat computes of a template can become. A few lines of functions that name one
//! another make more than any service holds, and what outputs show travels with every look at the
//! stack. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{references::is_function, resource_types::STACK_VALUE};

/// What is taken for an attribute of a resource that only the cloud knows: a token, a URL.
const ATTRIBUTE_BYTES: usize = 1_024;

/// What stands around a part in JSON, and itself: `"", `.
const PART_BYTES: usize = 4;

/// Walks a template's values.
struct SizeWalk<'a> {
    parameters: Option<&'a Map<String, Value>>,
    resources: Option<&'a Map<String, Value>>,
    /// Values that were walked already.
    known: BTreeMap<&'a str, usize>,
}

/// Bytes that the properties of all resources and all outputs can come to, computed. Scripts are not
/// counted: they are no value that Heat computes with.
pub fn computed_bytes(template: &Value) -> usize {
    let section = |name: &str| template.get(name).and_then(Value::as_object);
    let mut walk = SizeWalk {
        parameters: section("parameters"),
        resources: section("resources"),
        known: BTreeMap::new(),
    };
    walk.know_values();
    let resources = section("resources").into_iter().flatten();
    let properties = resources.filter_map(|(_, resource)| resource.get("properties"));
    let outputs = section("outputs").into_iter().flatten();
    let outputs = outputs.filter_map(|(_, output)| output.get("value"));
    properties
        .chain(outputs)
        .map(|value| walk.bytes(value))
        .fold(0, usize::saturating_add)
}

impl<'a> SizeWalk<'a> {
    /// Each value after those that it names, and not from within: a row of a thousand deep ones would
    /// end the thread's stack. Those that name themselves have no size.
    fn know_values(&mut self) {
        let of_type = |resource: &Value| resource["type"] == STACK_VALUE;
        let resources = self.resources.into_iter().flatten();
        let mut left: BTreeMap<&str, (&Value, BTreeSet<&str>)> = resources
            .filter(|(_, resource)| of_type(resource))
            .filter_map(|(name, one)| Some((name.as_str(), one.pointer("/properties/value")?)))
            .map(|(name, value)| (name, (value, named_by(value))))
            .collect();
        while !left.is_empty() {
            let is_ready = |names: &BTreeSet<&str>| names.iter().all(|one| !left.contains_key(one));
            let ready = left.iter().filter(|(_, (_, names))| is_ready(names));
            let ready: Vec<(&str, &Value)> = ready.map(|(name, (one, _))| (*name, *one)).collect();
            if ready.is_empty() {
                self.known
                    .extend(left.keys().map(|name| (*name, usize::MAX)));
                return;
            }
            for (name, value) in ready {
                let bytes = self.bytes(value);
                self.known.insert(name, bytes);
                left.remove(name);
            }
        }
    }

    fn bytes(&self, value: &Value) -> usize {
        match value {
            Value::String(text) => text.len(),
            Value::Array(items) => self.sum(items.iter()),
            Value::Object(map) if is_function(map) => map
                .iter()
                .map(|(name, argument)| self.function_bytes(name, argument))
                .fold(0, usize::saturating_add),
            Value::Object(map) => {
                let names = map.keys().map(String::len).fold(0, usize::saturating_add);
                self.sum(map.values()).saturating_add(names)
            }
            other => other.to_string().len(),
        }
    }

    fn sum<'v>(&self, values: impl Iterator<Item = &'v Value>) -> usize {
        values
            .map(|value| self.bytes(value).saturating_add(1))
            .fold(0, usize::saturating_add)
    }

    fn function_bytes(&self, name: &str, argument: &Value) -> usize {
        let parts = argument.as_array();
        let first = parts.map_or(Some(argument), |parts| parts.first());
        let named = first.and_then(Value::as_str);
        match name {
            "get_file" => 0,
            "get_param" => self.parameter_bytes(named),
            "get_attr" => self.attribute_bytes(named),
            // What stands between the parts stands there as often as there are parts.
            "list_join" => {
                let between = first.map_or(0, |between| self.bytes(between));
                let joined = self.sum(parts.into_iter().flatten().skip(1));
                joined.saturating_mul(between.saturating_add(1))
            }
            // Each of its characters may become a part of its own.
            "str_split" => self.bytes(argument).saturating_mul(PART_BYTES),
            _ => self.bytes(argument),
        }
    }

    fn parameter_bytes(&self, name: Option<&str>) -> usize {
        let parameter = name.and_then(|name| self.parameters?.get(name));
        let default = parameter.and_then(|parameter| parameter.get("default"));
        default.map_or(ATTRIBUTE_BYTES, |default| match default {
            Value::String(text) => text.len(),
            other => other.to_string().len(),
        })
    }

    fn attribute_bytes(&self, name: Option<&str>) -> usize {
        let known = name.and_then(|name| self.known.get(name));
        known.copied().unwrap_or(ATTRIBUTE_BYTES)
    }
}

/// The resources of which it takes an attribute.
fn named_by(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(named_by).collect(),
        Value::Object(map) => {
            let own = map.get("get_attr").and_then(|of| of.get(0)?.as_str());
            own.into_iter()
                .chain(map.values().flat_map(named_by))
                .collect()
        }
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(value: &Value) -> Value {
        json!({ "type": STACK_VALUE, "properties": { "value": value } })
    }

    #[test]
    fn values_that_are_made_of_values_are_as_large_as_they_become() {
        let mut resources = Map::from_iter([("v0".to_owned(), value(&json!("tenletters")))]);
        for n in 1..=10 {
            let tenfold = vec![json!({ "get_attr": [format!("v{}", n - 1), "value"] }); 10];
            let joined = value(&json!({ "list_join": ["", tenfold] }));
            resources.insert(format!("v{n}"), joined);
        }
        let bytes = computed_bytes(&json!({ "resources": resources }));
        assert!(bytes > 10_usize.pow(11), "{bytes}");
        let own = json!({ "v": value(&json!({ "get_attr": ["v", "value"] })) });
        assert_eq!(computed_bytes(&json!({ "resources": own })), usize::MAX);
    }

    #[test]
    fn a_long_row_of_deep_values_is_walked_on_a_thread_of_the_usual_stack() {
        let deep = |inner: Value| (0..100).fold(inner, |inner, _| json!([inner]));
        let mut resources = Map::new();
        for n in (1..1_000).rev() {
            let next = json!({ "get_attr": [format!("v{}", n - 1), "value"] });
            resources.insert(format!("v{n}"), value(&deep(next)));
        }
        resources.insert("v0".to_owned(), value(&json!("tenletters")));
        // `value` and what stands between a map's entries counts too.
        let wanted: usize = (0..1_000).map(|n| 6 + 10 + n * 100).sum();
        assert_eq!(computed_bytes(&json!({ "resources": resources })), wanted);
    }

    #[test]
    fn parameters_count_wherever_they_stand_and_what_stands_between_parts_too() {
        let parameters = json!({ "p": { "type": "string", "default": "x".repeat(1_000) } });
        let joined = |between: &str| json!({ "list_join": [between, vec![json!({ "get_param": "p" }); 100]] });
        let shown = |between: &str| {
            let outputs = json!({ "o": { "value": joined(between) } });
            computed_bytes(&json!({ "parameters": parameters, "outputs": outputs }))
        };
        assert!((100_000..101_000).contains(&shown("")), "{}", shown(""));
        assert!(shown(&"y".repeat(1_000)) > 100_000);
    }

    #[test]
    fn a_text_that_is_split_counts_as_the_list_that_it_becomes() {
        let split = json!({ "str_split": [",", ",".repeat(1_000)] });
        let bytes = |value: &Value| {
            let outputs = json!({ "o": { "value": value } });
            computed_bytes(&json!({ "outputs": outputs }))
        };
        let becomes = json!(vec![""; 1_001]).to_string().len();
        assert!(bytes(&split) >= becomes, "{} {becomes}", bytes(&split));
        // Joined again, with something between the parts.
        let joined = json!({ "list_join": ["y".repeat(100), split] });
        assert!(bytes(&joined) >= 100_000, "{}", bytes(&joined));
        // One part is no larger than the text, and counts as all of them.
        let one = json!({ "str_split": [",", "a,b", 0] });
        assert!(bytes(&one) >= 1);
    }
}
