//! A text as a value of the type that a JSON Schema says. Knows JSON Schema and no framework.

use serde_json::Value;

use super::problem::cut_text;

/// Characters of a user's text, or of a validator's own words, that are shown.
pub const MAX_WORDS_CHARS: usize = 200;

/// The text as the first of the schema's types that it can be; texts last, since everything is one.
///
/// # Errors
/// A lowercase fragment: which types it may be, and what it is.
pub fn read_typed(schema: &Value, text: &str) -> Result<Value, String> {
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => vec!["string"],
    };
    let json = |kind: fn(&Value) -> bool| serde_json::from_str::<Value>(text).ok().filter(kind);
    let as_kind = |kind: &str| match kind {
        "integer" => whole(text),
        "number" => whole(text).or_else(|| json(Value::is_number)),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        "object" => json(Value::is_object),
        "array" => json(Value::is_array),
        "null" => text.is_empty().then_some(Value::Null),
        _ => None,
    };
    let string = kinds.contains(&"string").then(|| Value::from(text));
    kinds
        .iter()
        .find_map(|kind| as_kind(kind))
        .or(string)
        .ok_or_else(|| {
            let wanted: Vec<&str> = kinds.iter().map(|kind| named(kind)).collect();
            format!(
                "must be {}, got `{}`",
                wanted.join(" or "),
                cut_text(text, MAX_WORDS_CHARS)
            )
        })
}

/// Digits alone: not `1e3`, not ` 1`.
fn whole(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain {
        text.parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<u64>().map(Value::from))
            .ok()
    } else {
        None
    }
}

fn named(kind: &str) -> &str {
    match kind {
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "object" => "a JSON object",
        "array" => "a JSON list",
        "null" => "empty",
        other => other,
    }
}
