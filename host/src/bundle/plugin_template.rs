//! What one plugin adds to the template and what it may name there: what [`super::merge`],
//! [`super::policy`] and [`super::references`] look at. Pure.

use serde_json::Value;

use crate::cluster::framework::{CLUSTER, NodeGroup};

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
    /// How nodes signal.
    pub signal_transport: &'a str,
    /// The settings that are the user's word, or the host's.
    pub settings: Vec<&'a Value>,
}

impl<'a> PluginTemplate<'a> {
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
