//! What a parameter's JSON Schema says, for people: in listings and in forms. Pure.

use serde_json::Value;

/// The keyword of parameters that are shown at first, or folded away.
const LEVEL_KEYWORD: &str = "x-level";
/// The keyword of a unit, for people.
const UNIT_KEYWORD: &str = "x-unit";

/// `integer`, or `integer|null`.
pub fn type_text(schema: &Value) -> String {
    match schema.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join("|")
        }
        _ => String::new(),
    }
}

/// Its default, as a user would write it.
pub fn default_text(schema: &Value) -> Option<String> {
    schema.get("default").map(plain_text)
}

/// A text without quotes, anything else as JSON.
pub fn plain_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What it means; may be empty.
pub fn description(schema: &Value) -> &str {
    let text = schema.get("description").and_then(Value::as_str);
    text.unwrap_or_default()
}

/// Its unit; may be empty.
pub fn unit(schema: &Value) -> &str {
    let unit = schema.get(UNIT_KEYWORD).and_then(Value::as_str);
    unit.unwrap_or_default()
}

/// Whether it is shown at first.
pub fn is_basic(schema: &Value) -> bool {
    schema.get(LEVEL_KEYWORD).and_then(Value::as_str) == Some("basic")
}

/// The words that it may be, where those are all.
pub fn words(schema: &Value) -> Vec<String> {
    if type_text(schema) == "boolean" {
        return vec!["true".to_owned(), "false".to_owned()];
    }
    let all = schema.get("enum").and_then(Value::as_array);
    all.into_iter().flatten().map(plain_text).collect()
}

/// What it bounds: `1 to 512`, `up to 5`.
pub fn range_text(schema: &Value) -> String {
    let bound = |names: [&str; 3]| {
        names
            .iter()
            .find_map(|name| schema.get(name))
            .map(Value::to_string)
    };
    if schema.get("enum").is_some_and(Value::is_array) {
        return words(schema).join(", ");
    }
    match (
        bound(["minimum", "minItems", "minLength"]),
        bound(["maximum", "maxItems", "maxLength"]),
    ) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("from {least}"),
        (None, Some(most)) => format!("up to {most}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_told_in_words() {
        let copies = json!({"type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 3, "x-level": "basic", "x-unit": "copies"});
        let told = (
            type_text(&copies),
            range_text(&copies),
            default_text(&copies),
        );
        assert_eq!(
            told,
            ("integer|null".into(), "1 to 9".into(), Some("3".into()))
        );
        assert_eq!((is_basic(&copies), unit(&copies)), (true, "copies"));
        let size = json!({"type": "string", "enum": ["small", "large"], "default": "small"});
        assert_eq!(range_text(&size), "small, large");
        assert_eq!(words(&size), ["small", "large"]);
        assert_eq!(default_text(&size).as_deref(), Some("small"));
        assert_eq!(words(&json!({"type": "boolean"})), ["true", "false"]);
        assert_eq!(
            (is_basic(&size), range_text(&json!({}))),
            (false, String::new())
        );
    }
}
