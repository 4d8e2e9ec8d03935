//! A plugin's JSON Schema of its parameters, which is compiled once and validates every request.

use std::ops::{Deref, DerefMut};
use std::sync::OnceLock;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes that one pattern may take compiled; a pattern comes from a plugin, and text from a user is
/// held against it.
pub const PATTERN_BYTES: usize = 256 << 10;

/// A JSON Schema. It reads like the value that it is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParameterSchema {
    schema: Value,
    #[serde(skip)]
    compiled: OnceLock<Validator>,
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
/// It is no JSON Schema, or one with a pattern of another kind.
pub fn compile_schema(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let patterns = PatternOptions::regex()
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES);
    jsonschema::options()
        .with_pattern_options(patterns)
        .build(schema)
}

impl From<Value> for ParameterSchema {
    fn from(schema: Value) -> Self {
        Self {
            schema,
            compiled: OnceLock::new(),
        }
    }
}

impl Clone for ParameterSchema {
    fn clone(&self) -> Self {
        self.schema.clone().into()
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
        self.compiled = OnceLock::new();
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
        schema["type"] = "string".into();
        assert!(schema.validator().unwrap().is_valid(&json!("text")));
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
}
