//! What no JSON Schema of a plugin's parameters may have, and whether it is one.

use serde_json::Value;

use super::ContractBreach;
use crate::cluster::parameter_schema::ParameterSchema;

/// Keywords by which a schema refers to another, or to itself without end; and those that look at
/// what is inside of them anew at every level, so that each level doubles the work.
const REFUSED_KEYWORDS: [&str; 5] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// A schema that refers to itself could be followed until the host's stack ends, and one of twenty
/// levels could take minutes for one value.
pub(super) fn refuse_keywords(schema: &Value) -> Result<(), ContractBreach> {
    match schema {
        Value::Array(items) => items.iter().try_for_each(refuse_keywords),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            if REFUSED_KEYWORDS.contains(&key.as_str()) {
                return Err(ContractBreach::Keyword(key.clone()));
            }
            refuse_keywords(value)
        }),
        _ => Ok(()),
    }
}

/// Compiles it, once for all requests.
pub(super) fn check_schema(schema: &ParameterSchema) -> Result<(), ContractBreach> {
    let compiled = schema.validator().map(drop);
    compiled.map_err(|source| ContractBreach::NotSchema(Box::new(source)))
}
