//! A plugin's JSON Schema of its parameters, which is compiled once and validates every request.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, OnceLock};

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes that one pattern may take compiled; a pattern comes from a plugin, and text from a user is
/// held against it.
pub const PATTERN_BYTES: usize = 256 << 10;
/// Patterns in one schema.
pub const PATTERNS: usize = 100;
/// Bytes that all patterns of one schema may take compiled; each has an equal share.
pub const PATTERNS_BYTES: usize = 1 << 20;

/// Bytes of a value times the values in its schema.
pub const SCHEMA_WORK: usize = 1 << 20;

/// A JSON Schema. It reads like the value that it is; its copies share what was compiled.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterSchema {
    schema: Value,
    #[serde(skip)]
    compiled: Arc<OnceLock<Validator>>,
}

impl ParameterSchema {
    /// What validates values by it.
    ///
    /// # Errors
    /// It is no JSON Schema.
    pub fn validator(&self) -> Result<&Validator, ValidationError<'static>> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(compiled);
        }
        let compiled = compile_schema(&self.schema)?;
        Ok(self.compiled.get_or_init(|| compiled))
    }
}

/// Compiles a schema whose patterns are matched in time that grows with the text alone: without
/// looking around and back.
///
/// # Errors
/// It is no JSON Schema, or one with a pattern of another kind, or with too many.
pub fn compile_schema(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let count = count_patterns(schema);
    if count > PATTERNS {
        return Err(ValidationError::custom(format!(
            "it has {count} patterns, at most {PATTERNS} are taken"
        )));
    }
    let share = PATTERN_BYTES.min(PATTERNS_BYTES / count.max(1));
    let patterns = PatternOptions::regex()
        .size_limit(share)
        .dfa_size_limit(share);
    jsonschema::options()
        .with_pattern_options(patterns)
        .build(schema)
}

/// Why it would take too long to hold a value of so many bytes against a schema; both come from a
/// plugin.
pub fn work_fault(bytes: usize, schema: &Value) -> Option<String> {
    let values = count_values(schema);
    (bytes.saturating_mul(values) > SCHEMA_WORK).then(|| {
        format!(
            "has {bytes} bytes and its schema {values} values, more than {SCHEMA_WORK} multiplied"
        )
    })
}

/// All values in a value, itself too.
pub fn count_values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count_values).sum(),
        Value::Object(map) => map.values().map(count_values).sum(),
        _ => 0,
    }
}

/// All that may be compiled as a pattern, wherever it stands.
fn count_patterns(schema: &Value) -> usize {
    match schema {
        Value::Array(items) => items.iter().map(count_patterns).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let own = match (key.as_str(), value) {
                    ("pattern", Value::String(_)) => 1,
                    ("patternProperties", Value::Object(by_pattern)) => by_pattern.len(),
                    _ => 0,
                };
                own + count_patterns(value)
            })
            .sum(),
        _ => 0,
    }
}

impl From<Value> for ParameterSchema {
    fn from(schema: Value) -> Self {
        Self {
            schema,
            compiled: Arc::default(),
        }
    }
}

impl PartialEq for ParameterSchema {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
    }
}

impl Deref for ParameterSchema {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.schema
    }
}

impl DerefMut for ParameterSchema {
    fn deref_mut(&mut self) -> &mut Value {
        self.compiled = Arc::default();
        &mut self.schema
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_compiled_once_and_again_when_it_was_changed() {
        let mut schema = ParameterSchema::from(json!({"type": "integer"}));
        let first: *const Validator = schema.validator().unwrap();
        let second: *const Validator = schema.validator().unwrap();
        assert_eq!(first, second);
        assert!(!schema.validator().unwrap().is_valid(&json!("text")));
        let copy = schema.clone();
        assert_eq!(first, std::ptr::from_ref(copy.validator().unwrap()));
        schema["type"] = "string".into();
        assert!(schema.validator().unwrap().is_valid(&json!("text")));
        assert!(!copy.validator().unwrap().is_valid(&json!("text")));
    }

    #[test]
    fn a_pattern_is_small_and_looks_nowhere_but_ahead() {
        let of = |pattern: &str| compile_schema(&json!({"type": "string", "pattern": pattern}));
        assert!(of("^[a-z]{1,40}$").unwrap().is_valid(&json!("word")));
        // Matched by backtracking, this takes a minute for thirty letters.
        let evil = of("^(a+)+$").unwrap();
        assert!(!evil.is_valid(&json!("a".repeat(10_000) + "b")));
        assert!(of("(?=a)b").is_err() && of("(a)\\1").is_err());
        assert!(of("(x{40}){40}").is_ok() && of("((x{100}){100}){100}").is_err());
    }

    #[test]
    fn what_a_plugin_holds_against_its_own_schema_has_a_bound() {
        let schema = |rules: usize| json!({"allOf": vec![json!(true); rules - 2]});
        let rules = 1 << 10;
        assert_eq!(count_values(&schema(rules)), rules);
        assert_eq!(work_fault(SCHEMA_WORK / rules, &schema(rules)), None);
        let said = work_fault(SCHEMA_WORK / rules + 1, &schema(rules)).unwrap();
        assert_eq!(
            said,
            "has 1025 bytes and its schema 1024 values, more than 1048576 multiplied"
        );
    }

    #[test]
    fn patterns_are_counted_wherever_they_stand_and_share_what_they_may_take() {
        let many = |count: usize| {
            let one = json!({"patternProperties": {"^a": {"items": {"pattern": "b"}}}});
            let odd = (count % 2 == 1).then(|| json!({"not": {"pattern": "^c"}}));
            let all: Vec<Value> = vec![one; count / 2].into_iter().chain(odd).collect();
            compile_schema(&json!({"type": "object", "allOf": all}))
        };
        assert!(many(PATTERNS).is_ok() && many(PATTERNS - 1).is_ok());
        let error = many(PATTERNS + 1).unwrap_err().to_string();
        assert_eq!(error, "it has 101 patterns, at most 100 are taken");
        // A parameter of that name is none.
        let named = json!({"properties": {"pattern": {"type": "string"}}});
        assert_eq!(count_patterns(&named), 0);
        let shared = |count: usize| {
            let large = json!({"pattern": "(x{100}){20}"});
            compile_schema(&json!({"allOf": vec![large; count]}))
        };
        assert!(shared(4).is_ok());
        assert!(shared(PATTERNS).is_err());
    }
}
