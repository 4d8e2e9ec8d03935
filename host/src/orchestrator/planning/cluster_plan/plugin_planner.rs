//! The plan as the orchestrator asks for it.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use crate::orchestrator::planning::cluster_plan::{
    PlanError, PluginSource, nodes, plan_cluster, plugin_chain, typed_settings,
};
use crate::{
    bundle::PluginBundle,
    cluster::{
        ClusterSpec, PinnedPlugin, Problem,
        framework::{KEPT_SETTING_PREFIX, NodeResources, PluginDescriptor, PluginRequest},
    },
    orchestrator::planning::planner::{ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan},
    plugin::{GenerateError, PluginRegistry},
};

/// Plans on these plugins.
pub struct PluginPlanner<P>(pub P);

impl<P: PluginSource> ClusterPlanner for PluginPlanner<P> {
    fn descriptors(&self) -> Vec<&PluginDescriptor> {
        self.0.descriptors()
    }

    fn order_plugins(&self, spec: &ClusterSpec) -> Result<PluginChain, Vec<Problem>> {
        let there = self.0.descriptors();
        let chain = plugin_chain::order_plugins(&spec.frameworks, &there)?;
        let names = chain.iter().map(|descriptor| descriptor.name.clone());
        Ok(PluginChain(names.collect()))
    }

    fn check_settings(&self, spec: &ClusterSpec, chain: &PluginChain) -> Vec<Problem> {
        let typed =
            |descriptor: &&PluginDescriptor| typed_settings::type_settings_of(descriptor, spec);
        self.of_chain(chain)
            .iter()
            .filter_map(|descriptor| typed(descriptor).err())
            .flatten()
            .collect()
    }

    fn smallest_resources(&self, chain: &PluginChain) -> BTreeMap<String, NodeResources> {
        nodes::smallest_resources(&self.of_chain(chain))
    }

    fn plan<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
        facts: &'a ResolvedFlavors,
    ) -> BoxFuture<'a, Result<StackPlan, Vec<Problem>>> {
        Box::pin(async move {
            let made = plan_cluster(spec, facts, &self.of_chain(chain), &self.0)
                .await
                .map_err(PlanError::into_problems)?;
            let endpoints = made.bundle.parts.iter().flat_map(|part| &part.endpoints);
            let plugins = chain.0.iter().zip(made.requests);
            let plugins = plugins.map(|(name, request)| {
                let pinned = PinnedPlugin {
                    version: request.version,
                    digest: self.0.digest(name),
                    settings: request.settings,
                };
                (name.clone(), pinned)
            });
            Ok(StackPlan {
                plugins: plugins.collect(),
                endpoints: endpoints
                    .map(|endpoint| (endpoint.name.clone(), endpoint.name.clone()))
                    .collect(),
                template: made.bundle.template,
                files: made.bundle.files,
                contents: made.bundle.contents,
                computed: computed(&made.bundle.parts),
                // The request's values are the defaults of the template's parameters.
                parameters: serde_json::Map::new(),
            })
        })
    }
}

impl<P: PluginSource> PluginPlanner<P> {
    /// The plugins of these names.
    fn of_chain(&self, chain: &PluginChain) -> Vec<&PluginDescriptor> {
        let there = self.0.descriptors();
        let of_name = |name: &String| there.iter().find(|other| other.name == *name).copied();
        chain.0.iter().filter_map(of_name).collect()
    }
}

/// What services say of their plugin's parameters: the attribute `setting.replication` = `2` keeps
/// `replication` at that.
fn computed(parts: &[PluginBundle]) -> BTreeMap<String, BTreeMap<String, String>> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for part in parts {
        for (name, value) in part.services.iter().flat_map(|service| &service.attributes) {
            if let Some(parameter) = name.strip_prefix(KEPT_SETTING_PREFIX) {
                all.entry(part.plugin.clone())
                    .or_default()
                    .insert(parameter.to_owned(), value.clone());
            }
        }
    }
    all
}

impl PluginSource for PluginRegistry {
    fn descriptors(&self) -> Vec<&PluginDescriptor> {
        self.iter().map(|plugin| plugin.descriptor()).collect()
    }

    fn digest(&self, plugin: &str) -> String {
        self.get(plugin)
            .map(|plugin| plugin.digest().to_owned())
            .unwrap_or_default()
    }

    fn generate<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a PluginRequest,
    ) -> BoxFuture<'a, Result<PluginBundle, PlanError>> {
        Box::pin(async move {
            let Some(plugin) = self.get(plugin) else {
                return Err(PlanError::Broken(format!("there is no plugin `{plugin}`")));
            };
            plugin.generate(request).await.map_err(|error| match error {
                GenerateError::Problems(problems) => PlanError::Problems(problems),
                GenerateError::Failed(error) => PlanError::Broken(error.to_string()),
            })
        })
    }
}
