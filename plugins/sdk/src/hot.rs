//! The recurring pieces of a Heat template (HOT, version 2018-08-31), as JSON values. It knows the
//! names that the plugin `cluster` gives its resources, and nothing of what a plugin builds with
//! them.

use serde_json::{Map, Value, json};

/// The security group of all nodes, a resource of the plugin `cluster`.
pub const SECURITY_GROUP: &str = "security_group";
/// The cluster's network.
pub const NETWORK: &str = "network";
/// The cluster's subnet.
pub const SUBNET: &str = "subnet";

/// A plugin's part of the template. Keys keep the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackPart {
    parameters: Map<String, Value>,
    conditions: Map<String, Value>,
    resources: Map<String, Value>,
    outputs: Map<String, Value>,
}

impl StackPart {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A parameter: `{"type": "string", "description": ..., "default": ..., "constraints": [...]}`.
    pub fn parameter(&mut self, name: impl Into<String>, body: Value) -> &mut Self {
        self.parameters.insert(name.into(), body);
        self
    }

    /// A condition, such as `{"not": {"equals": [...]}}`.
    pub fn condition(&mut self, name: impl Into<String>, body: Value) -> &mut Self {
        self.conditions.insert(name.into(), body);
        self
    }

    /// A resource, as [`resource`] makes it.
    pub fn resource(&mut self, name: impl Into<String>, body: Value) -> &mut Self {
        self.resources.insert(name.into(), body);
        self
    }

    /// An output.
    pub fn output(
        &mut self,
        name: impl Into<String>,
        description: &str,
        value: impl Into<Value>,
    ) -> &mut Self {
        self.outputs.insert(
            name.into(),
            json!({ "description": description, "value": value.into() }),
        );
        self
    }

    /// How many resources there are; Heat allows 1,000 a stack.
    pub fn resource_count(&self) -> usize {
        self.resources.len()
    }

    /// As the bundle carries it: empty sections are left out.
    pub fn into_json(self) -> String {
        let sections = [
            ("parameters", self.parameters),
            ("conditions", self.conditions),
            ("resources", self.resources),
            ("outputs", self.outputs),
        ];
        let object: Map<_, _> = sections
            .into_iter()
            .filter(|(_, section)| !section.is_empty())
            .map(|(name, section)| (name.to_owned(), Value::Object(section)))
            .collect();
        Value::Object(object).to_string()
    }
}

/// A resource: `resource("OS::Cinder::Volume", json!({"size": 10}))`. Add `depends_on` and the like
/// with [`with`].
pub fn resource(kind: &str, properties: Value) -> Value {
    json!({ "type": kind, "properties": properties })
}

/// The resource with one more key: `with(volume, "deletion_policy", "Retain")`.
pub fn with(mut resource: Value, key: &str, value: impl Into<Value>) -> Value {
    if let Some(object) = resource.as_object_mut() {
        object.insert(key.to_owned(), value.into());
    }
    resource
}

/// The id of a resource, one's own or of a plugin before.
pub fn get_resource(name: &str) -> Value {
    json!({ "get_resource": name })
}

/// The value of a parameter.
pub fn get_param(name: &str) -> Value {
    json!({ "get_param": name })
}

/// An attribute of a resource: `get_attr("ready_handle", &["signal"])`.
pub fn get_attr(resource: &str, path: &[&str]) -> Value {
    let mut whole = vec![resource];
    whole.extend(path);
    json!({ "get_attr": whole })
}

/// The text of a file that goes with the template.
pub fn get_file(name: &str) -> Value {
    json!({ "get_file": name })
}

/// Texts in a row; unlike `str_replace` it never looks into them.
pub fn concat(pieces: Vec<Value>) -> Value {
    json!({ "list_join": ["", pieces] })
}

/// One value or another: the condition is named, or an expression such as `{"equals": [...]}`.
pub fn when(
    condition: impl Into<Value>,
    then: impl Into<Value>,
    otherwise: impl Into<Value>,
) -> Value {
    json!({ "if": [condition.into(), then.into(), otherwise.into()] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_keeps_the_order_and_leaves_empty_sections_out() {
        let mut template = StackPart::new();
        template
            .resource("b", resource("OS::Heat::Value", json!({ "value": 1 })))
            .resource("a", json!({ "type": "X" }));
        assert_eq!(template.resource_count(), 2);
        assert_eq!(
            template.into_json(),
            r#"{"resources":{"b":{"type":"OS::Heat::Value","properties":{"value":1}},"a":{"type":"X"}}}"#
        );
    }
}
