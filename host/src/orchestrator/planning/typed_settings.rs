//! Raw texts to typed settings, by a plugin's own JSON Schema. Knows JSON Schema and no framework.

use std::collections::BTreeMap;

use jsonschema::ValidationError;
use serde_json::{Map, Value};

use crate::cluster::parameter_schema::count_values;
use crate::cluster::{
    ClusterSpec, FrameworkDescriptor, Problem,
    attribute_names::nearest,
    framework_descriptor::host_fact,
    problem::cut_text,
    typed_value::{MAX_WORDS_CHARS, read_typed},
};

/// Problems of one plugin's settings that are told.
const MAX_PROBLEMS: usize = 100;
/// Values of the settings times values of the schema, beyond which one problem is looked for and
/// not all: all of them are gathered before the first is told.
const MAX_CHECKS: usize = 1 << 18;

/// A plugin's settings in a cluster: what it was made with stays, whatever the plugin's defaults
/// are by now, and is not refused by a schema that has become stricter.
///
/// # Errors
/// As [`type_settings`], for what is not pinned.
pub fn type_settings_of(
    descriptor: &FrameworkDescriptor,
    spec: &ClusterSpec,
) -> Result<Map<String, Value>, Vec<Problem>> {
    let pins = spec.pins.as_deref();
    let pinned = pins.and_then(|pins| pins.settings_of(&descriptor.name));
    let raw = spec.settings_of(&descriptor.name);
    type_settings(descriptor, &raw, pinned)
}

/// The settings that a plugin is asked with: texts typed, defaults filled in, in the schema's
/// order. `pinned` are those that the cluster was made with.
///
/// # Errors
/// All problems at once, each at `<framework>.<parameter>`.
pub fn type_settings(
    descriptor: &FrameworkDescriptor,
    raw: &BTreeMap<String, String>,
    pinned: Option<&Map<String, Value>>,
) -> Result<Map<String, Value>, Vec<Problem>> {
    let none = Map::new();
    let properties = descriptor
        .parameters
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let is_users = |name: &str| {
        let schema = properties.get(name);
        schema.is_some_and(|schema| host_fact(schema).is_none())
    };
    let path = |name: &str| format!("{}.{name}", descriptor.name);
    let mut problems = Vec::new();
    let was = |name: &str| pinned.and_then(|pinned| pinned.get(name));
    let unknown = |name: &&String| !is_users(name) && was(name).is_none();
    for name in raw.keys().filter(unknown) {
        let near = nearest(
            name,
            descriptor.user_parameters().map(|(name, _)| name.as_str()),
        )
        .map(|near| format!("did you mean `{}`?", path(near)));
        problems.push(Problem::new(
            path(name),
            format!("{} has no such parameter", descriptor.name),
            near.unwrap_or_default(),
        ));
    }
    let mut settings = Map::new();
    for (name, schema) in descriptor.user_parameters() {
        let value = match raw.get(name) {
            Some(text) => read_typed(schema, text)
                .map(Some)
                .or_else(|message| was(name).cloned().map(Some).ok_or(message))
                .map_err(|message| Problem::new(path(name), message, about(schema))),
            None => Ok(was(name).or_else(|| schema.get("default")).cloned()),
        };
        match value {
            Ok(Some(value)) => drop(settings.insert(name.clone(), value)),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    let found = validate(descriptor, properties, &settings, &problems);
    // What the cluster was made with was valid then.
    let is_kept = |path: &str| {
        let name = path.strip_prefix(&format!("{}.", descriptor.name));
        let name = name.map(|name| name.split('.').next().unwrap_or_default());
        pinned.is_some() && name.is_none_or(|name| was(name) == settings.get(name))
    };
    problems.extend(found.into_iter().filter(|problem| !is_kept(&problem.path)));
    if problems.is_empty() {
        Ok(settings)
    } else {
        Err(problems)
    }
}

fn about(schema: &Value) -> String {
    schema
        .get("description")
        .and_then(Value::as_str)
        .map(|text| text.trim_end_matches('.').to_owned())
        .unwrap_or_default()
}

/// What the schema as a whole says against the settings, but for parameters that have a problem
/// already.
fn validate(
    descriptor: &FrameworkDescriptor,
    properties: &Map<String, Value>,
    settings: &Map<String, Value>,
    known: &[Problem],
) -> Vec<Problem> {
    let validator = match descriptor.parameters.validator() {
        Ok(validator) => validator,
        Err(error) => {
            return vec![Problem::new(
                descriptor.name.as_str(),
                format!("the plugin's parameters are not a JSON Schema: {error}"),
                "tell its author",
            )];
        }
    };
    let whole = Value::Object(settings.clone());
    let checks = count_values(&whole).saturating_mul(count_values(&descriptor.parameters));
    let errors: Vec<ValidationError<'_>> = if checks > MAX_CHECKS {
        validator.validate(&whole).err().into_iter().collect()
    } else {
        validator.iter_errors(&whole).take(MAX_PROBLEMS).collect()
    };
    let mut problems = Vec::new();
    for error in errors {
        let pointer = error.instance_path().to_string();
        let place = pointer.trim_start_matches('/');
        let path = if place.is_empty() {
            descriptor.name.clone()
        } else {
            format!("{}.{}", descriptor.name, place.replace('/', "."))
        };
        let parameter = place.split('/').next().unwrap_or_default();
        let problem = Problem::new(
            path,
            shortened(&error.to_string()),
            properties.get(parameter).map(about).unwrap_or_default(),
        );
        if !known.iter().any(|k| k.path == problem.path) {
            problems.push(problem);
        }
    }
    problems
}

fn shortened(text: &str) -> String {
    cut_text(text, MAX_WORDS_CHARS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::{problem::lines, test_plugins::plugin};

    #[test]
    fn all_problems_are_told_up_to_a_number_and_one_where_looking_for_all_costs_too_much() {
        let told = |items: usize, rules: usize| {
            let rule = json!({"items": {"maximum": 0}});
            let properties = json!({"list": {"type": "array", "allOf": vec![rule; rules]}});
            let descriptor = plugin("lists", &[], properties);
            let text = json!(vec![1; items]).to_string();
            let raw = BTreeMap::from([("list".to_owned(), text)]);
            type_settings(&descriptor, &raw, None).unwrap_err().len()
        };
        assert_eq!(told(7, 1), 7);
        assert_eq!(told(MAX_PROBLEMS + 1, 1), MAX_PROBLEMS);
        assert_eq!(told(4_000, 4_000), 1);
    }

    /// A parameter of each type.
    fn typed(given: &[(&str, &str)]) -> Result<Value, String> {
        let hadoop = plugin(
            "hadoop",
            &["2", "1"],
            json!({
                "replication": {"type": "integer", "description": "Copies of each block.", "default": 3, "maximum": 10},
                "ratio": {"type": "number", "description": "A share."},
                "on": {"type": "boolean", "description": "Or off."},
                "text": {"type": "string", "description": "Any."},
                "site": {"type": "object", "description": "More.", "additionalProperties": {"type": "string"}},
                "list": {"type": "array", "description": "Numbers."},
                "size": {"type": ["integer", "null"], "description": "Or none."},
                "nodes": {"type": "array", "description": "The host's.", "x-host": "groups"},
            }),
        );
        let raw = given
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let settings = type_settings(&hadoop, &raw.collect(), None);
        settings
            .map(Value::Object)
            .map_err(|problems| lines(&problems))
    }

    #[test]
    fn settings_are_typed_by_the_schema_and_defaults_filled_in() {
        let given = [
            ("ratio", "0.5"),
            ("on", "true"),
            ("text", "1"),
            ("site", r#"{"a": "b"}"#),
            ("list", "[1, 2]"),
            ("size", ""),
        ];
        let wanted = json!({"replication": 3, "ratio": 0.5, "on": true, "text": "1", "site": {"a": "b"}, "list": [1, 2], "size": null});
        assert_eq!(typed(&given).unwrap(), wanted);
    }

    #[test]
    fn settings_that_the_schema_refuses_are_all_told_with_their_description() {
        let given = [
            ("replication", "11"),
            ("ratio", "half"),
            ("on", "yes"),
            ("site", r#"{"a": 1}"#),
            ("list", "1,2"),
            ("size", "1e3"),
        ];
        let wanted = "hadoop.ratio: must be a number, got `half` (A share)\n\
            hadoop.on: must be true or false, got `yes` (Or off)\n\
            hadoop.list: must be a JSON list, got `1,2` (Numbers)\n\
            hadoop.size: must be a whole number or empty, got `1e3` (Or none)\n\
            hadoop.replication: 11 is greater than the maximum of 10 (Copies of each block)\n\
            hadoop.site.a: 1 is not of type \"string\" (More)";
        assert_eq!(typed(&given).unwrap_err(), wanted);
        let unknown =
            "hadoop.replicaton: hadoop has no such parameter (did you mean `hadoop.replication`?)";
        assert_eq!(typed(&[("replicaton", "1")]).unwrap_err(), unknown);
        let hosts = typed(&[("nodes", "[]")]).unwrap_err();
        assert!(
            hosts.starts_with("hadoop.nodes: hadoop has no such parameter"),
            "{hosts}"
        );
    }
}
