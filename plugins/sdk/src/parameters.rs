//! The JSON Schema of a plugin's parameters, and its settings as a type of the plugin's own. Bounds
//! and defaults stand in the schema, which the host applies first.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{Problem, Request, problem};

/// A parameter that cannot be changed in a running cluster has it with the value `true`.
pub const FIXED_KEYWORD: &str = "x-fixed";
/// `basic`, or else `advanced`: folded away at first.
pub const LEVEL_KEYWORD: &str = "x-level";
/// A unit, for people: `MiB`.
pub const UNIT_KEYWORD: &str = "x-unit";
/// What the host fills in, never a user.
pub const HOST_KEYWORD: &str = "x-host";

/// Parameters in the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterList(Map<String, Value>);

/// One parameter, as JSON Schema.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec(Value);

impl ParameterList {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    #[must_use]
    pub fn add(mut self, name: &str, parameter: ParameterSpec) -> Self {
        self.0.insert(name.to_owned(), parameter.0);
        self
    }

    /// As the descriptor carries it: no other parameters are taken.
    #[must_use]
    pub fn into_json(self) -> String {
        json!({"type": "object", "additionalProperties": false, "properties": self.0}).to_string()
    }
}

/// A parameter of a type of JSON: `integer`, `string`, `boolean`, `array`, `object`.
pub fn parameter(kind: &str, description: &str) -> ParameterSpec {
    ParameterSpec(json!({"type": kind, "description": description}))
}

impl ParameterSpec {
    /// Any other keyword: `with("minimum", 1)`.
    #[must_use]
    pub fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        if let Some(schema) = self.0.as_object_mut() {
            schema.insert(keyword.to_owned(), value.into());
        }
        self
    }

    /// What it is unless the user says otherwise.
    #[must_use]
    pub fn or(self, default: impl Into<Value>) -> Self {
        self.with("default", default)
    }

    /// It cannot be changed in a running cluster.
    #[must_use]
    pub fn fixed(self) -> Self {
        self.with(FIXED_KEYWORD, true)
    }

    /// It is shown at first.
    #[must_use]
    pub fn basic(self) -> Self {
        self.with(LEVEL_KEYWORD, "basic")
    }

    /// Its unit, for people.
    #[must_use]
    pub fn in_unit(self, unit: &str) -> Self {
        self.with(UNIT_KEYWORD, unit)
    }
}

/// The request's settings as the plugin's own type. `plugin` is the name that problems begin with.
///
/// # Errors
/// One problem when the settings do not have the type's shape: the host's schema check makes that a
/// mistake of the plugin, unless it is called without a host.
pub fn read_settings<T: DeserializeOwned>(
    plugin: &str,
    request: &Request,
) -> Result<T, Vec<Problem>> {
    serde_json::from_str(&request.settings).map_err(|error| {
        let message = format!("cannot read the settings: {error}");
        vec![problem(plugin, message, "")]
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Settings {
        replication: Option<u32>,
    }

    fn request(settings: &str) -> Request {
        Request {
            cluster: "one".into(),
            version: String::new(),
            settings: settings.into(),
            placements: Vec::new(),
            services: Vec::new(),
        }
    }

    #[test]
    fn parameters_come_in_their_order_and_settings_as_a_type() {
        let copies = parameter("integer", "Copies.").with("minimum", 1).or(3);
        let list = ParameterList::new().add("replication", copies.basic().fixed());
        let schema: Value = serde_json::from_str(&list.into_json()).unwrap();
        assert_eq!(
            schema["properties"]["replication"],
            json!({"type": "integer", "description": "Copies.", "minimum": 1, "default": 3, "x-level": "basic", "x-fixed": true})
        );
        assert_eq!(
            read_settings("one", &request(r#"{"replication":2}"#)),
            Ok(Settings {
                replication: Some(2)
            })
        );
        let problems = read_settings::<Settings>("one", &request("[]x")).unwrap_err();
        assert_eq!(problems[0].path, "one");
    }
}
