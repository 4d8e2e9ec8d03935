//! What a framework plugin of the contract 0.2.0 says of itself, as the host uses it. Beside the
//! types of 0.1.0 in [`super::framework`] until those go.

use serde::{Deserialize, Serialize};

use super::{component::ComponentSpec, parameter_schema::ParameterSchema};

/// The keyword of parameters that the host fills in, and no user.
pub const HOST_KEYWORD: &str = "x-host";
/// A keyword of a parameter's schema: it cannot be changed in a running cluster.
pub const FIXED_IN_CLUSTER: &str = "x-fixed";

/// What a framework plugin is and what it can be asked for. Held to the contract when it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    pub fn parameter(&self, name: &str) -> Option<&serde_json::Value> {
        self.parameters.get("properties")?.get(name)
    }

    /// What the names of its endpoints and resources begin with: its own, with `_` for `-`.
    pub fn prefix(&self) -> String {
        self.name.replace('-', "_")
    }
}
