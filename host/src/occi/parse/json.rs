//! Parses JSON bodies in two forms: the one that this service renders (`kind` an object with term
//! and scheme) and the one of OCCI 1.2 (`kind` a text).
//!
//! `{"kind": ..., "action": ..., "mixins": [...], "attributes": {...}}`; other keys are ignored, so
//! that a client can send back an entity as it received it. Entities are named by an array of
//! locations, or by `{"resources": [{"id": ...}]}`.

use serde_json::{Map, Value};

use super::super::error::ApiError;
use super::super::terms::{CORE_SUMMARY, CORE_TITLE, Category, CategoryDefinition, ParsedRequest};
use super::category::is_term;
use crate::cluster::attribute_names::PREFIX;
use crate::cluster::attribute_schema::find_attribute;

/// The categories, attributes and locations of a JSON body.
///
/// # Errors
/// `Json` with line and column, `Malformed` with the key at fault.
pub(super) fn parse_json_body(body: &[u8]) -> Result<ParsedRequest, ApiError> {
    let value: Value = serde_json::from_slice(body).map_err(ApiError::Json)?;
    let mut parsed = ParsedRequest::default();
    match value {
        Value::Object(mut fields) => {
            // A collection of resources: one is what is asked for, several are those that are meant.
            let resources = fields.remove("resources");
            parse_fields(fields, &mut parsed)?;
            if let Some(resources) = resources {
                parse_resources(resources, &mut parsed)?;
            }
        }
        // A list of locations.
        Value::Array(items) if items.iter().all(Value::is_string) && !items.is_empty() => {
            let texts = items.iter().filter_map(Value::as_str);
            parsed.locations.extend(texts.map(str::to_owned));
            parsed.names_entities = true;
        }
        _ => {
            return Err(ApiError::Malformed(
                "body: found something else than a JSON object, expected {\"attributes\": {...}}"
                    .to_owned(),
            ));
        }
    }
    Ok(parsed)
}

fn parse_resources(resources: Value, parsed: &mut ParsedRequest) -> Result<(), ApiError> {
    let expected = || malformed_key("resources", "an array of resources, several by their `id`");
    let Value::Array(mut resources) = resources else {
        return Err(expected());
    };
    parsed.names_entities = true;
    let location = |resource: &Value| {
        resource
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if resources.len() == 1 {
        let Some(Value::Object(fields)) = resources.pop() else {
            return Err(expected());
        };
        return parse_fields(fields, parsed);
    }
    for resource in &resources {
        parsed
            .locations
            .push(location(resource).ok_or_else(expected)?);
    }
    Ok(())
}

/// The members of one entity, action or mixin's definition.
fn parse_fields(fields: Map<String, Value>, parsed: &mut ParsedRequest) -> Result<(), ApiError> {
    for (key, value) in fields {
        match key.as_str() {
            "kind" | "action" => parsed.categories.push(parse_category(&key, &value)?),
            "mixins" => {
                let Value::Array(mixins) = value else {
                    return Err(malformed_key("mixins", "an array of mixins"));
                };
                for mixin in &mixins {
                    parsed.categories.push(parse_category("mixins", mixin)?);
                }
            }
            "attributes" => {
                let Value::Object(fields) = value else {
                    return Err(malformed_key("attributes", "an object"));
                };
                flatten_attributes("", fields, &mut parsed.attributes)?;
            }
            // OCCI 1.2 has these beside the attributes.
            "title" | "summary" => {
                let Value::String(text) = value else {
                    return Err(malformed_key(&key, "a text"));
                };
                let name = if key == "title" {
                    CORE_TITLE
                } else {
                    CORE_SUMMARY
                };
                parsed.attributes.push((name.to_owned(), text));
            }
            "id" => {
                parsed.locations.extend(value.as_str().map(str::to_owned));
                parsed.names_entities = true;
            }
            _ => {}
        }
    }
    Ok(())
}

fn malformed_key(key: &str, expected: &str) -> ApiError {
    ApiError::Malformed(format!("body, key `{key}`: expected {expected}"))
}

/// `"scheme#term"` or `{"term": ..., "scheme": ...}`.
fn parse_category(key: &str, value: &Value) -> Result<CategoryDefinition, ApiError> {
    let text = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    let parts = match value {
        Value::String(identifier) => identifier.find('#').map(|at| identifier.split_at(at + 1)),
        _ => text("scheme").zip(text("term")),
    };
    // The grammar of text renderings is the narrower one: a term that it cannot express would be
    // shown to other clients as something else.
    let (scheme, term) = parts
        .filter(|(_, term)| is_term(term))
        .ok_or_else(|| malformed_key(key, "\"scheme#term\" or an object with term and scheme"))?;
    let parameter = |name: &str| text(name).map(|value| (name.to_owned(), value.to_owned()));
    let mut parameters: Vec<_> = ["class", "rel", "title", "location"]
        .into_iter()
        .filter_map(parameter)
        .collect();
    if key == "mixins" {
        parameters.push(("class".to_owned(), "mixin".to_owned()));
        // What OCCI 1.2 calls the first of several `rel`.
        let depends = value
            .get("depends")
            .and_then(|depends| depends.get(0)?.as_str());
        parameters.extend(depends.map(|depends| ("rel".to_owned(), depends.to_owned())));
    }
    Ok(CategoryDefinition {
        category: Category {
            term: term.to_owned(),
            scheme: scheme.to_owned(),
        },
        parameters,
    })
}

/// Attributes may be nested (`{"stampede": {"workers": 3}}`) or have dots in their names. Values
/// become texts: numbers and booleans as JSON writes them, lists of built-in attributes separated
/// by commas, everything else that a plugin's parameter may be as JSON.
fn flatten_attributes(
    prefix: &str,
    fields: Map<String, Value>,
    attributes: &mut Vec<(String, String)>,
) -> Result<(), ApiError> {
    for (key, value) in fields {
        // An output of the stack that is an object, as entities show it: its name is whole.
        let is_value = prefix.is_empty() && key.contains('.') && !key.starts_with(PREFIX);
        let name = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        if name.is_empty() {
            return Err(malformed_key("attributes", "names that are not empty"));
        }
        match value {
            Value::Object(inner) if !is_parameter(&name) && !is_value => {
                flatten_attributes(&name, inner, attributes)?
            }
            Value::Null => {
                return Err(malformed_key(
                    &format!("attributes.{name}"),
                    "a value, found null",
                ));
            }
            Value::String(text) => attributes.push((name, text)),
            other => {
                let text = if is_builtin(&name) {
                    join_list(&other)
                } else {
                    None
                };
                let text = text.unwrap_or_else(|| other.to_string());
                attributes.push((name, text));
            }
        }
    }
    Ok(())
}

/// Whether the attribute is one of the host's own and not a plugin's; those take lists as texts
/// separated by commas.
fn is_builtin(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| find_attribute(rest).is_some())
}

/// Whether the name is `stampede.<framework>.<parameter>`, whose value may be an object or a list.
fn is_parameter(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.contains('.'))
        && !is_builtin(name)
}

/// A list of texts, joined with commas; `None` where a text holds what would separate it.
fn join_list(value: &Value) -> Option<String> {
    let items: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
    let items = items.filter(|items| {
        items
            .iter()
            .all(|item| !item.is_empty() && !item.contains([',', ' ', '"']))
    })?;
    Some(items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<ParsedRequest, String> {
        parse_json_body(text.as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn both_forms_of_json_mean_the_same() {
        let kind = Category {
            term: "orchestrator".into(),
            scheme: "http://s#".into(),
        };
        let attributes = [
            ("stampede.workers", "3"),
            ("a", "p, q=\"\n"),
            ("b", "true"),
            ("f", "0.11"),
            ("l", "[\"x\",1]"),
        ];
        let attributes = attributes
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .to_vec();
        let ours = r#"{"kind": {"term": "orchestrator", "scheme": "http://s#", "actions": []}, "links": [], "actions": [{"kind": {}, "link": ""}],
            "attributes": {"stampede.workers": 3, "a": "p, q=\"\n", "b": true, "f": 0.11, "l": ["x", 1]}}"#;
        let theirs = r#"{"kind": "http://s#orchestrator", "id": "x",
            "attributes": {"stampede": {"workers": 3}, "a": "p, q=\"\n", "b": true, "f": 0.11, "l": ["x", 1]}}"#;
        for text in [ours, theirs] {
            let found = parsed(text).unwrap();
            assert_eq!(
                found
                    .categories
                    .iter()
                    .map(|described| &described.category)
                    .collect::<Vec<_>>(),
                [&kind]
            );
            assert_eq!(found.attributes, attributes);
        }
        assert_eq!(
            parsed(r#"{"mixins": ["http://m#hadoop"], "action": "http://s#deploy"}"#)
                .unwrap()
                .categories
                .len(),
            2
        );
    }

    #[test]
    fn lists_and_objects_keep_their_meaning() {
        let text = r#"{"attributes": {"stampede": {"framework": ["hadoop", "spark"], "network": {"access": ["192.0.2.0/24"]},
            "hadoop": {"core-site": {"fs.x": "1"}, "l": ["a"]}}, "foreign": ["a"], "servers.RegionOne": {"master": null}}}"#;
        let found = parsed(text).unwrap().attributes;
        let wanted = [
            ("stampede.framework", "hadoop,spark"),
            ("stampede.network.access", "192.0.2.0/24"),
            ("stampede.hadoop.core-site", r#"{"fs.x":"1"}"#),
            ("stampede.hadoop.l", r#"["a"]"#),
            ("foreign", r#"["a"]"#),
            ("servers.RegionOne", r#"{"master":null}"#),
        ];
        assert_eq!(found, wanted.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, place) in [
            ("{\"a\": \n x}", "body: line 2, column 2"),
            ("[]", "body: found something else than a JSON object"),
            (r#"{"kind": 1}"#, "body, key `kind`"),
            (r#"{"kind": "orchestrator"}"#, "body, key `kind`"),
            (r#"{"kind": {"term": "x"}}"#, "body, key `kind`"),
            (
                r#"{"kind": {"term": ", orchestrator", "scheme": "s#"}}"#,
                "body, key `kind`",
            ),
            (r#"{"kind": "s#a b"}"#, "body, key `kind`"),
            (r#"{"mixins": {}}"#, "body, key `mixins`"),
            (r#"{"attributes": []}"#, "body, key `attributes`"),
            (
                r#"{"attributes": {"a": {"b": null}}}"#,
                "body, key `attributes.a.b`",
            ),
            (r#"{"attributes": {"": 1}}"#, "body, key `attributes`"),
        ] {
            let error = parsed(text).expect_err(text);
            assert!(
                error.starts_with(place),
                "{error} does not begin with {place}"
            );
        }
        assert!(parsed(&"[".repeat(100_000)).is_err());
    }
}
