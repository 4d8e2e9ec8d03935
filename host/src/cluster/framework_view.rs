//! What users are told of a plugin, whichever version of the contract it speaks: one list of all of
//! them for attributes, listings, chains and versions. Pure.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    component::ComponentSpec,
    framework::{FIXED_KEYWORD, NodeRole, PluginDescriptor},
    framework_descriptor::{FIXED_IN_CLUSTER, FrameworkDescriptor, HOST_KEYWORD},
    parameter_schema::ParameterSchema,
};

/// A version of the plugin contract; all plugins of a cluster speak one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PluginContract {
    /// The one of roles.
    #[default]
    #[serde(rename = "0.1.0")]
    V0_1_0,
    /// The one of components.
    #[serde(rename = "0.2.0")]
    V0_2_0,
}

impl PluginContract {
    /// Both. Where several would do, the first one is taken: its clusters can be changed.
    pub const ALL: [Self; 2] = [Self::V0_1_0, Self::V0_2_0];

    /// Whether it is the one that goes without saying in records.
    pub fn is_first(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for PluginContract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
        })
    }
}

/// A plugin of either contract.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameworkView<'a> {
    /// Which contract.
    pub contract: PluginContract,
    /// As users ask for it: `hadoop`.
    pub name: &'a str,
    /// For people: `Apache Hadoop`.
    pub title: &'a str,
    /// One sentence.
    pub description: &'a str,
    /// Of the framework; may be empty.
    pub versions: &'a [String],
    /// What a request gets that names none; empty where there are none.
    pub default_version: &'a str,
    /// Services that must be there.
    pub requires: &'a [String],
    /// Services that it takes if they are there.
    pub uses: &'a [String],
    /// Services that it brings.
    pub provides: &'a [String],
    /// The node groups that it runs on; none where it has components.
    pub roles: &'a [NodeRole],
    /// What is placed on nodes; none where it has roles.
    pub components: &'a [ComponentSpec],
    /// JSON Schema of an object, one property a parameter.
    pub parameters: &'a ParameterSchema,
}

impl<'a> FrameworkView<'a> {
    /// The parameters that users can set, with their schemas.
    pub fn user_parameters(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        let properties = self.parameters.get("properties").and_then(Value::as_object);
        let properties = properties.into_iter().flatten();
        properties.filter(|(_, schema)| host_fact(schema).is_none())
    }

    /// Whether the user can say how much of a node's memory it gets.
    pub fn has_memory_share(&self) -> bool {
        self.contract == PluginContract::V0_2_0 && self.name != super::framework::CLUSTER
    }
}

/// What the host fills a parameter in with, by its schema; none where users set it.
pub fn host_fact(schema: &Value) -> Option<&str> {
    schema.get(HOST_KEYWORD).and_then(Value::as_str)
}

/// Whether a parameter of this schema is fixed with the cluster.
pub fn is_fixed(schema: &Value) -> bool {
    let says = |keyword: &str| schema.get(keyword).and_then(Value::as_bool) == Some(true);
    says(FIXED_KEYWORD) || says(FIXED_IN_CLUSTER)
}

impl<'a> From<&'a PluginDescriptor> for FrameworkView<'a> {
    fn from(descriptor: &'a PluginDescriptor) -> Self {
        Self {
            contract: PluginContract::V0_1_0,
            name: &descriptor.name,
            title: &descriptor.title,
            description: &descriptor.description,
            versions: &descriptor.versions,
            default_version: &descriptor.default_version,
            requires: &descriptor.requires,
            uses: &[],
            provides: &descriptor.provides,
            roles: &descriptor.roles,
            components: &[],
            parameters: &descriptor.parameters,
        }
    }
}

impl<'a> From<&'a FrameworkDescriptor> for FrameworkView<'a> {
    fn from(descriptor: &'a FrameworkDescriptor) -> Self {
        Self {
            contract: PluginContract::V0_2_0,
            name: &descriptor.name,
            title: &descriptor.title,
            description: &descriptor.description,
            versions: &descriptor.versions,
            default_version: descriptor.versions.first().map_or("", String::as_str),
            requires: &descriptor.requires,
            uses: &descriptor.uses,
            provides: &descriptor.provides,
            roles: &[],
            components: &descriptor.components,
            parameters: &descriptor.parameters,
        }
    }
}
