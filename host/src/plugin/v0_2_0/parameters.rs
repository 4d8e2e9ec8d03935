//! Reads the JSON Schema of a plugin's parameters, and holds values against it, with a bound on the
//! work that takes: a plugin chooses both.

use serde_json::Value;

use super::forms::{WORD_FORM, check_literal, check_some_text, is_word, shown};
use super::limits;
use crate::bundle::placeholders::PLACEHOLDER_START;
use crate::cluster::framework::CLUSTER;
use crate::cluster::framework_descriptor::{FIXED_IN_CLUSTER, HOST_KEYWORD};
use crate::cluster::parameter_schema::{ParameterSchema, compile_schema, work_fault};
use crate::plugin::fault_list::FaultList;
use crate::plugin::schema_rules::{check_schema, refuse_keywords};

/// Parameters that every plugin has: the host's own.
const HOSTS_PARAMETERS: [&str; 2] = ["version", "memory_share"];
/// What begins a keyword that JSON Schema does not have.
const OWN_KEYWORD: &str = "x-";
/// What the host fills in by it.
const HOST_FACTS: [&str; 6] = [
    "network",
    "groups",
    "key",
    "signal_transport",
    "timeout_s",
    "ready_count",
];
/// Keywords whose values are values, and no schemas.
const VALUE_KEYWORDS: [&str; 4] = ["const", "default", "enum", "examples"];
/// Keywords whose values are schemas by names that are no keywords.
const NAMED_KEYWORDS: [&str; 5] = [
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
    "properties",
];
/// Keywords that name what has to be there.
const REQUIRING_KEYWORDS: [&str; 3] = ["required", "dependentRequired", "dependencies"];

pub(super) fn read_parameters(faults: &mut FaultList, plugin: &str, text: &str) -> ParameterSchema {
    const PLACE: &str = "parameters";
    let schema: ParameterSchema = match serde_json::from_str::<Value>(text) {
        Ok(schema) => schema.into(),
        Err(error) => {
            faults.add(PLACE, format_args!("they are not JSON: {error}"));
            return ParameterSchema::default();
        }
    };
    if schema.get("type") != Some(&Value::from("object")) {
        faults.add(PLACE, "they are not the JSON Schema of an object");
        return schema;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let count = properties.map_or(0, serde_json::Map::len);
    if count > limits::PARAMETERS {
        faults.count(PLACE, count, limits::PARAMETERS);
        return schema;
    }
    let usable = refuse_keywords(&schema).and_then(|()| check_schema(&schema));
    if let Err(breach) = usable {
        faults.add(PLACE, breach);
        return schema;
    }
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        if keyword != "properties" {
            refuse_own_keywords(faults, PLACE, keyword, value);
        }
    }
    for (name, property) in properties.into_iter().flatten() {
        check_parameter(faults, &format!("{PLACE}.{name}"), name, property);
        if property.get(HOST_KEYWORD).is_some() {
            let place = format!("{PLACE}.{name}");
            check_fact(faults, &place, plugin, name, property, &schema);
        }
    }
    schema
}

/// What the host fills in stands in no claim, and never in one plugin's stead in another's.
fn check_fact(
    faults: &mut FaultList,
    place: &str,
    plugin: &str,
    name: &str,
    property: &Value,
    schema: &Value,
) {
    faults.check(
        plugin == CLUSTER,
        place,
        format_args!("{HOST_KEYWORD} is for the plugin `{CLUSTER}` alone"),
    );
    for keyword in ["default", FIXED_IN_CLUSTER] {
        let what = format!("what the host fills in has no {keyword}");
        faults.check(property.get(keyword).is_none(), place, what);
    }
    let what = "what the host fills in is in no claim, and cannot be required";
    faults.check(!requires(schema, name), place, what);
}

/// Whether a schema of the settings may ask for a parameter to be there.
fn requires(schema: &Value, name: &str) -> bool {
    match schema {
        Value::Array(items) => items.iter().any(|item| requires(item, name)),
        Value::Object(map) => map.iter().any(|(keyword, value)| match keyword.as_str() {
            keyword if REQUIRING_KEYWORDS.contains(&keyword) => holds_text(value, name),
            // Of parameters' own values.
            "properties" | "patternProperties" | "additionalProperties" => false,
            keyword if VALUE_KEYWORDS.contains(&keyword) => false,
            _ => requires(value, name),
        }),
        _ => false,
    }
}

fn holds_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(other) => other == text,
        Value::Array(items) => items.iter().any(|item| holds_text(item, text)),
        Value::Object(map) => map.values().any(|value| holds_text(value, text)),
        _ => false,
    }
}

fn check_parameter(faults: &mut FaultList, place: &str, name: &str, property: &Value) {
    if !is_word(name) {
        faults.add(place, format_args!("its name is not {WORD_FORM}"));
    } else if HOSTS_PARAMETERS.contains(&name) {
        faults.add(place, "that name is the host's own");
    }
    faults.check(property.get("type").is_some(), place, "it lacks a type");
    match property.get("description").and_then(Value::as_str) {
        Some(text) => check_some_text(faults, place, text, limits::TEXT_BYTES),
        None => faults.add(place, "it lacks a description"),
    }
    for (keyword, value) in property.as_object().into_iter().flatten() {
        if keyword.starts_with(OWN_KEYWORD) {
            check_keyword(faults, place, keyword, value);
        } else {
            refuse_own_keywords(faults, place, keyword, value);
        }
    }
    if let Some(default) = property.get("default") {
        check_default(faults, place, property, default);
    }
}

/// Whoever wrote a keyword where it means nothing believes that it means something.
fn refuse_own_keywords(faults: &mut FaultList, place: &str, keyword: &str, value: &Value) {
    if keyword.starts_with(OWN_KEYWORD) {
        let what = format!("{} stands beside a parameter's type alone", shown(keyword));
        faults.add(place, what);
    } else if NAMED_KEYWORDS.contains(&keyword) {
        for schema in value.as_object().into_iter().flat_map(|map| map.values()) {
            refuse_in_schema(faults, place, schema);
        }
    } else if !VALUE_KEYWORDS.contains(&keyword) {
        refuse_in_schema(faults, place, value);
    }
}

fn refuse_in_schema(faults: &mut FaultList, place: &str, schema: &Value) {
    match schema {
        Value::Array(items) => {
            for item in items {
                refuse_in_schema(faults, place, item);
            }
        }
        Value::Object(map) => {
            for (keyword, value) in map {
                refuse_own_keywords(faults, place, keyword, value);
            }
        }
        _ => {}
    }
}

fn check_default(faults: &mut FaultList, place: &str, property: &Value, default: &Value) {
    let text = default.to_string();
    if let Some(fault) = work_fault(text.len(), property) {
        return faults.add(place, format_args!("its default {fault}"));
    }
    if text.contains(PLACEHOLDER_START) {
        return check_literal(faults, place, PLACEHOLDER_START, limits::TEXT_BYTES);
    }
    if let Err(why) = accept(property, default) {
        let what = format!("its default is refused by its own schema: {why}");
        faults.add(place, what);
    }
}

/// Whether a parameter's schema accepts a value.
pub(super) fn accept(schema: &Value, value: &Value) -> Result<(), String> {
    let validator = compile_schema(schema).map_err(|error| error.to_string())?;
    let accepted = validator.validate(value);
    accepted.map_err(|error| error.to_string())
}

/// Whether the host fills the parameter in.
pub(super) fn is_fact(schema: &Value) -> bool {
    schema.get(HOST_KEYWORD).is_some()
}

fn check_keyword(faults: &mut FaultList, place: &str, keyword: &str, value: &Value) {
    let is_right = match (keyword, value) {
        (FIXED_IN_CLUSTER, value) => value.is_boolean(),
        ("x-level", Value::String(level)) => level == "basic" || level == "advanced",
        ("x-unit", Value::String(unit)) => {
            return check_some_text(faults, place, unit, limits::SHORT_CHARS);
        }
        (HOST_KEYWORD, Value::String(name)) => {
            let is_known = HOST_FACTS.contains(&name.as_str());
            let what = format!("this host fills in no {}", shown(name));
            return faults.check(is_known, place, what);
        }
        ("x-level" | "x-unit" | HOST_KEYWORD, _) => false,
        _ => {
            let what = format!("this host does not know the keyword {}", shown(keyword));
            return faults.add(place, what);
        }
    };
    let what = format!("{keyword} cannot be {}", shown(&value.to_string()));
    faults.check(is_right, place, what);
}
