//! What one plugin adds to the template and what it may name there, of whatever version of the
//! contract: what [`super::merge`], [`super::policy`] and [`super::references`] look at. Pure.

use serde_json::Value;

use super::PluginBundle;
use crate::cluster::framework::{
    CLUSTER, FrameworkPort, NodeGroup, PluginDescriptor, PluginRequest,
};

/// What one plugin adds to the template.
#[derive(Clone, Debug)]
pub struct PluginTemplate<'a> {
    /// Its name.
    pub plugin: &'a str,
    /// A JSON object of HOT's sections.
    pub template: &'a Value,
    /// The types that its descriptor declares.
    pub resource_types: &'a [String],
    /// What it may name.
    pub grants: NameGrants<'a>,
}

/// What a plugin may name in its template beside what it adds itself.
#[derive(Clone, Debug)]
pub struct NameGrants<'a> {
    /// The cluster's name, which names in the project begin with.
    pub cluster: &'a str,
    /// The nodes, their images and flavors.
    pub groups: &'a [NodeGroup],
    /// The key pair.
    pub key: Option<&'a str>,
    /// The cluster's network.
    pub cidr: &'a str,
    /// The network that leads outside.
    pub external_network: Option<&'a str>,
    /// CIDRs that may reach the cluster.
    pub access: &'a [String],
    /// How nodes signal.
    pub signal_transport: &'a str,
    /// The settings that are the user's word, or the host's.
    pub settings: Vec<&'a Value>,
    /// What the contract leaves to plugins.
    pub contract: ContractGrants<'a>,
}

/// What a version of the contract leaves to plugins.
#[derive(Clone, Copy, Debug)]
pub enum ContractGrants<'a> {
    /// 0.1.0: rules that open these ports, volumes, and names of what other plugins add.
    Former(&'a [FrameworkPort]),
    /// 0.2.0: of others the nodes' and the network's resources alone; rules are the host's, volumes
    /// and wait conditions the plugin `cluster`'s.
    Components,
}

impl<'a> PluginTemplate<'a> {
    /// Of a plugin of the contract 0.1.0.
    pub fn of_plugin(
        request: &'a PluginRequest,
        descriptor: &'a PluginDescriptor,
        part: &'a PluginBundle,
    ) -> Self {
        let given = request.given.iter();
        Self {
            plugin: &part.plugin,
            template: &part.template,
            resource_types: &descriptor.resource_types,
            grants: NameGrants {
                cluster: &request.cluster,
                groups: &request.groups,
                key: request.key.as_deref(),
                cidr: &request.network.cidr,
                external_network: request.network.external.as_deref(),
                access: &request.network.access,
                signal_transport: &request.signal_transport,
                settings: given
                    .filter_map(|name| request.settings.get(name))
                    .collect(),
                contract: ContractGrants::Former(&descriptor.ports),
            },
        }
    }

    /// What it holds in a section, by name.
    pub fn section(
        &self,
        section: &str,
    ) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        section_of(self.template, section)
    }

    /// Whether it is the plugin `cluster`'s, which may add what is every plugin's to refer to.
    pub fn is_clusters(&self) -> bool {
        self.plugin == CLUSTER
    }
}

/// What a template holds in a section, by name.
pub fn section_of<'a>(
    template: &'a Value,
    section: &str,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    template
        .get(section)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}
