//! What the orchestrator needs to know of a plan, and how it asks for one.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::{
    bundle::{member_news::MemberLines, node_script::NodeContent, node_update},
    cluster::{
        CloudAccess, ClusterSpec, Flavor, FrameworkDescriptor, PinnedPlugin, Problem,
        change::FileDigests,
        cluster_endpoint::ClusterEndpoints,
        component::ComponentPlacement,
        framework::NodeResources,
        framework_request::{ComponentGrant, FrameworkClaims},
    },
    orchestrator::planning::{image_check::JavaNeed, plan_description::PlanDescription},
};

/// Makes plans: the frameworks that are there and what they generate.
pub trait ClusterPlanner: Send + Sync {
    /// Every framework that can be asked for, and the plugin `cluster`, by name.
    fn descriptors(&self) -> Vec<&FrameworkDescriptor>;

    /// SHA-256 of a plugin, in hexadecimal; none where it is not there.
    fn plugin_digest(&self, name: &str) -> Option<String>;

    /// Which plugins make the cluster, in which order. Worked out once a plan; all below are given
    /// it.
    ///
    /// # Errors
    /// The chain cannot be made: a requirement is missing or circular.
    fn order_plugins(&self, spec: &ClusterSpec) -> Result<PluginChain, Vec<Problem>>;

    /// What is wrong with the parameters of the chain's plugins, whatever the cloud. All at once.
    fn check_settings(&self, spec: &ClusterSpec, chain: &PluginChain) -> Vec<Problem>;

    /// What the chain's plugins need of the nodes of a cluster that is to be, whatever the cloud.
    /// `spec.pins` says what it is already, where it is there.
    ///
    /// # Errors
    /// All problems of all of them.
    fn claim<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
    ) -> BoxFuture<'a, Result<ClaimedCluster, Vec<Problem>>>;

    /// The same of a request that is refused already: what can be found out all the same.
    fn claim_known<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
    ) -> BoxFuture<'a, KnownClaims> {
        Box::pin(async move {
            match self.claim(spec, chain).await {
                Ok(claimed) => KnownClaims {
                    claimed: Some(claimed),
                    ..KnownClaims::default()
                },
                Err(problems) => KnownClaims {
                    problems,
                    ..KnownClaims::default()
                },
            }
        })
    }

    /// What the plugins say against such a request when they are to make it; `facts` has something
    /// for all that the cloud has not.
    fn refuse_known<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
        known: &'a KnownClaims,
        facts: &'a ResolvedFlavors,
    ) -> BoxFuture<'a, Vec<Problem>> {
        Box::pin(async move {
            match &known.claimed {
                Some(claimed) => {
                    let planned = self.plan(spec, chain, claimed, facts).await;
                    planned.err().unwrap_or_default()
                }
                None => Vec::new(),
            }
        })
    }

    /// What Heat is to be given. Every name in `spec` is one that the cloud knows; but for those it
    /// is that of `claimed`.
    fn plan<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
        claimed: &'a ClaimedCluster,
        facts: &'a ResolvedFlavors,
    ) -> BoxFuture<'a, Result<StackPlan, Vec<Problem>>>;
}

/// The plugins that make a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginChain {
    /// Their names, in their order.
    pub plugins: Vec<String>,
}

/// What the plugins of a chain need, before anything of the cloud is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClaimedCluster {
    /// What was asked for, with the groups that the host has made and what plugins have computed.
    pub spec: ClusterSpec,
    /// The smallest node of each group.
    pub smallest: BTreeMap<String, NodeResources>,
    /// What makes it so large, by group, for people.
    pub sums: BTreeMap<String, String>,
    /// Which nodes have which of the components that were claimed.
    pub placements: Vec<ComponentPlacement>,
    /// What each plugin has claimed, in the chain's order.
    pub claims: Vec<FrameworkClaims>,
    /// What each component has by now, by plugin; none where it is to be shared out.
    pub grants: Option<BTreeMap<String, Vec<ComponentGrant>>>,
    /// What its nodes find when they boot, beside what stands on them.
    pub boot: MemberLines,
}

/// What is known of the claims on a cluster that will not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownClaims {
    /// All that was found against it.
    pub problems: Vec<Problem>,
    /// Plugins that have refused, or could not be asked.
    pub refused: BTreeSet<String>,
    /// What the others claim, with nothing in the place of those.
    pub claimed: Option<ClaimedCluster>,
}

/// What was looked up for a spec whose open names are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedFlavors {
    /// All flavors of the cloud, smallest first, so that one that fits can be named.
    pub flavors: Vec<Flavor>,
    /// That of each group.
    pub groups: BTreeMap<String, Flavor>,
    /// How nodes signal Heat: `HEAT_SIGNAL`.
    pub signal_transport: String,
    /// What nodes are given to reach it.
    pub access: CloudAccess,
}

impl ResolvedFlavors {
    /// That of a group; one of nothing, into which nothing fits, where none was looked up.
    pub fn of_group(&self, group: &str) -> Flavor {
        let found = self.groups.get(group).cloned();
        found.unwrap_or_else(|| Flavor {
            name: String::new(),
            vcpus: 0,
            ram_mib: 0,
            disk_gib: 0,
        })
    }
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
    /// Where it is reached.
    pub endpoints: ClusterEndpoints,
    /// What stands on the nodes of each class.
    pub contents: BTreeMap<String, NodeContent>,
    /// Parameters by plugin whose computed values are to stay while nodes come and go.
    pub computed: BTreeMap<String, BTreeMap<String, String>>,
    /// The plugins that made it, with what each was asked.
    pub plugins: BTreeMap<String, PinnedPlugin>,
    /// What each component has on the nodes of each group, by plugin.
    pub grants: BTreeMap<String, Vec<ComponentGrant>>,
    /// What nodes need of Java, but for what the operator has them fetch.
    pub javas: Vec<JavaNeed>,
    /// The components that tell of jobs.
    pub job_tellers: BTreeSet<String>,
    /// What is told of it before it is made.
    pub told: PlanDescription,
}

impl StackPlan {
    /// Digests of what stands on the nodes.
    pub fn installed(&self) -> FileDigests {
        self.contents
            .iter()
            .map(|(group, content)| (group.clone(), node_update::file_digests(content)))
            .collect()
    }
}
