//! What a framework plugin says of itself, as the host uses it. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{component::ComponentSpec, framework::CLUSTER, parameter_schema::ParameterSchema};

/// The keyword of parameters that the host fills in, and no user.
pub const HOST_KEYWORD: &str = "x-host";
/// A keyword of a parameter's schema: it cannot be changed in a running cluster.
pub const FIXED_IN_CLUSTER: &str = "x-fixed";

/// What a framework plugin is and what it can be asked for. Held to the contract when it was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FrameworkDescriptor {
    /// As users ask for it: `hadoop`.
    pub name: String,
    /// For people: `Apache Hadoop`.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// Of the framework; the first is taken where a request names none. May be empty.
    pub versions: Vec<String>,
    /// Services of other plugins that must be in the cluster.
    pub requires: Vec<String>,
    /// Services of other plugins that it takes if they are there.
    pub uses: Vec<String>,
    /// Services that it brings.
    pub provides: Vec<String>,
    /// In the order in which they are set up.
    pub components: Vec<ComponentSpec>,
    /// JSON Schema of an object, one property a parameter.
    pub parameters: ParameterSchema,
    /// The HOT resource types that its template may hold, as far as the operator grants them.
    pub resource_types: Vec<String>,
}

impl FrameworkDescriptor {
    /// Whether it has a component of that name.
    pub fn has_component(&self, name: &str) -> bool {
        self.components
            .iter()
            .any(|component| component.name == name)
    }

    /// A parameter's schema.
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.get("properties")?.get(name)
    }

    /// The parameters that users can set, with their schemas.
    pub fn user_parameters(&self) -> impl Iterator<Item = (&String, &Value)> {
        let properties = self.parameters.get("properties").and_then(Value::as_object);
        let properties = properties.into_iter().flatten();
        properties.filter(|(_, schema)| host_fact(schema).is_none())
    }

    /// The version that a request gets that names none; empty where it has none.
    pub fn default_version(&self) -> &str {
        self.versions.first().map_or("", String::as_str)
    }

    /// Whether the user can say how much of a node's memory it gets.
    pub fn has_memory_share(&self) -> bool {
        self.name != CLUSTER
    }

    /// What the names of its endpoints and resources begin with: its own, with `_` for `-`.
    pub fn prefix(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// What the host fills a parameter in with, by its schema; none where users set it.
pub fn host_fact(schema: &Value) -> Option<&str> {
    schema.get(HOST_KEYWORD).and_then(Value::as_str)
}

/// Whether a parameter of this schema is fixed with the cluster.
pub fn is_fixed(schema: &Value) -> bool {
    schema.get(FIXED_IN_CLUSTER).and_then(Value::as_bool) == Some(true)
}
