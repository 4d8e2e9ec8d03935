//! What the orchestrator needs to know of a plan, and how it asks for one. The plan itself is
//! `plan`.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::{
    bundle::{node_script::NodeContent, node_update},
    cluster::{
        CloudAccess, ClusterSpec, Flavor, PinnedPlugin, Problem,
        change::FileDigests,
        framework::{NodeResources, PluginDescriptor},
    },
};

/// Makes plans: the frameworks that are there and what they generate.
pub trait ClusterPlanner: Send + Sync {
    /// Every framework that can be asked for, and the plugin `cluster`, by name.
    fn descriptors(&self) -> Vec<&PluginDescriptor>;

    /// Which plugins make the cluster, in which order. Worked out once a plan; all below are given
    /// it.
    ///
    /// # Errors
    /// The chain cannot be made: a requirement is missing or circular.
    fn order_plugins(&self, spec: &ClusterSpec) -> Result<PluginChain, Vec<Problem>>;

    /// What is wrong with the parameters of the chain's plugins, whatever the cloud. All at once.
    fn check_settings(&self, spec: &ClusterSpec, chain: &PluginChain) -> Vec<Problem>;

    /// The smallest size of a node of each role, over the whole chain.
    fn smallest_resources(&self, chain: &PluginChain) -> BTreeMap<String, NodeResources>;

    /// What Heat is to be given. Every name in `spec` is one that the cloud knows.
    fn plan<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
        facts: &'a ResolvedFlavors,
    ) -> BoxFuture<'a, Result<StackPlan, Vec<Problem>>>;
}

/// The names of the plugins that make a cluster, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginChain(pub Vec<String>);

/// What was looked up for a spec whose open names are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedFlavors {
    /// All flavors of the cloud, smallest first, so that one that fits can be named.
    pub flavors: Vec<Flavor>,
    /// The master's flavor.
    pub master: Flavor,
    /// The workers' flavor.
    pub worker: Flavor,
    /// How nodes signal Heat: `HEAT_SIGNAL`.
    pub signal_transport: String,
    /// What nodes are given to reach it.
    pub access: CloudAccess,
}

/// What Heat is given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StackPlan {
    /// HOT as JSON.
    pub template: Value,
    /// What `get_file` names.
    pub files: BTreeMap<String, String>,
    /// Values of the template's parameters.
    pub parameters: Map<String, Value>,
    /// Endpoint names, each with the output that holds its URL.
    pub endpoints: BTreeMap<String, String>,
    /// What stands on the nodes of each role.
    pub contents: BTreeMap<String, NodeContent>,
    /// Parameters by plugin whose computed values are to stay while nodes come and go.
    pub computed: BTreeMap<String, BTreeMap<String, String>>,
    /// The plugins that made it, with what each was asked.
    pub plugins: BTreeMap<String, PinnedPlugin>,
}

impl StackPlan {
    /// Digests of what stands on the nodes.
    pub fn installed(&self) -> FileDigests {
        self.contents
            .iter()
            .map(|(role, content)| (role.clone(), node_update::file_digests(content)))
            .collect()
    }
}
