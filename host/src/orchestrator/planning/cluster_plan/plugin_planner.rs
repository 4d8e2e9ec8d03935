//! The plan as the orchestrator asks for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::orchestrator::planning::ask_claims::{
    FrameworkSource, check_request, claim_cluster, missing_plugin,
};
use crate::orchestrator::planning::cluster_plan::{
    PlanError, PluginSource, nodes, plan_cluster, plugin_chain, typed_settings,
};
use crate::orchestrator::planning::framework_plan::plan_frameworks;
use crate::{
    bundle::PluginBundle,
    cluster::{
        ClusterSpec, FrameworkView, PinnedPlugin, PluginContract, Problem,
        contract_bridge::refuse_newer_values,
        framework::{KEPT_SETTING_PREFIX, PluginDescriptor, PluginRequest},
        framework_bundle::FrameworkBundle,
        framework_descriptor::FrameworkDescriptor,
        framework_request::{FrameworkClaims, FrameworkRequest, GenerateQuestion},
    },
    orchestrator::planning::planner::{
        ClaimedCluster, ClusterPlanner, PluginChain, ResolvedFlavors, StackPlan,
    },
    plugin::{GenerateError, PluginRegistry},
};

/// Plans on these plugins.
pub struct PluginPlanner<P>(pub P);

impl<P: PluginSource + FrameworkSource> ClusterPlanner for PluginPlanner<P> {
    fn descriptors(&self) -> Vec<FrameworkView<'_>> {
        list_views(&self.0)
    }

    fn order_plugins(&self, spec: &ClusterSpec) -> Result<PluginChain, Vec<Problem>> {
        let pinned = spec.pins.as_deref().map(|pins| pins.contract);
        let contract = match pinned {
            Some(contract) => contract,
            None => plugin_chain::choose_contract(&spec.frameworks, &self.descriptors())?,
        };
        let asked = &spec.frameworks;
        let plugins = match contract {
            PluginContract::V0_1_0 => {
                let chain = plugin_chain::order_plugins(asked, &self.0.descriptors())?;
                chain.iter().map(|one| one.name.clone()).collect()
            }
            PluginContract::V0_2_0 => {
                let chain = plugin_chain::order_plugins(asked, &self.0.frameworks())?;
                chain.iter().map(|one| one.name.clone()).collect()
            }
        };
        Ok(PluginChain { contract, plugins })
    }

    fn check_settings(&self, spec: &ClusterSpec, chain: &PluginChain) -> Vec<Problem> {
        if chain.contract == PluginContract::V0_2_0 {
            return check_request(spec, &of_chain(&self.0.frameworks(), chain));
        }
        let plugins = of_chain(&self.0.descriptors(), chain).into_iter();
        let mistyped = plugins.filter_map(|one| typed_settings::type_settings_of(one, spec).err());
        let mut problems: Vec<Problem> = mistyped.flatten().collect();
        problems.extend(refuse_newer_values(spec));
        problems
    }

    fn claim<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
    ) -> BoxFuture<'a, Result<ClaimedCluster, Vec<Problem>>> {
        Box::pin(async move {
            if chain.contract == PluginContract::V0_2_0 {
                let plugins = of_chain(&self.0.frameworks(), chain);
                let claimed = claim_cluster(spec, &plugins, &self.0).await;
                return claimed.map_err(PlanError::into_problems);
            }
            let plugins = of_chain(&self.0.descriptors(), chain);
            Ok(ClaimedCluster {
                spec: spec.clone(),
                smallest: nodes::smallest_resources(&plugins),
                ..ClaimedCluster::default()
            })
        })
    }

    fn plan<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
        claimed: &'a ClaimedCluster,
        facts: &'a ResolvedFlavors,
    ) -> BoxFuture<'a, Result<StackPlan, Vec<Problem>>> {
        Box::pin(async move {
            let planned = match chain.contract {
                PluginContract::V0_1_0 => self.plan_plugins(spec, chain, facts).await,
                PluginContract::V0_2_0 => self.plan_frameworks(spec, chain, claimed, facts).await,
            };
            planned.map_err(PlanError::into_problems)
        })
    }
}

impl<P: PluginSource + FrameworkSource> PluginPlanner<P> {
    async fn plan_plugins(
        &self,
        spec: &ClusterSpec,
        chain: &PluginChain,
        facts: &ResolvedFlavors,
    ) -> Result<StackPlan, PlanError> {
        let plugins = of_chain(&self.0.descriptors(), chain);
        let made = plan_cluster(spec, facts, &plugins, &self.0).await?;
        let endpoints = made.bundle.parts.iter().flat_map(|part| &part.endpoints);
        let plugins = chain.plugins.iter().zip(made.requests);
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
            grants: BTreeMap::new(),
            // The request's values are the defaults of the template's parameters.
            parameters: serde_json::Map::new(),
        })
    }

    async fn plan_frameworks(
        &self,
        spec: &ClusterSpec,
        chain: &PluginChain,
        claimed: &ClaimedCluster,
        facts: &ResolvedFlavors,
    ) -> Result<StackPlan, PlanError> {
        let plugins = of_chain(&self.0.frameworks(), chain);
        let made = plan_frameworks(spec, facts, claimed, &plugins, &self.0).await?;
        let endpoints = made
            .stack
            .endpoints
            .into_iter()
            .map(|endpoint| endpoint.name);
        Ok(StackPlan {
            plugins: made.plugins,
            endpoints: endpoints.map(|name| (name.clone(), name)).collect(),
            template: made.stack.template,
            files: made.stack.files,
            contents: made.stack.contents,
            computed: spec.computed.clone(),
            grants: made.grants,
            parameters: serde_json::Map::new(),
        })
    }
}

/// All plugins that can be asked for, contract by contract.
pub fn list_views<P: PluginSource + FrameworkSource>(plugins: &P) -> Vec<FrameworkView<'_>> {
    let former = plugins.descriptors().into_iter().map(FrameworkView::from);
    let frameworks = plugins.frameworks().into_iter().map(FrameworkView::from);
    former.chain(frameworks).collect()
}

/// Those of the chain, in its order.
fn of_chain<'a, Descriptor>(there: &[&'a Descriptor], chain: &PluginChain) -> Vec<&'a Descriptor>
where
    FrameworkView<'a>: From<&'a Descriptor>,
{
    let of_name = |name: &String| {
        let mut named = there.iter().copied();
        named.find(|one| FrameworkView::from(*one).name == *name)
    };
    chain.plugins.iter().filter_map(of_name).collect()
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
            let plugin = self.get(plugin).ok_or_else(|| missing_plugin(plugin))?;
            plugin.generate(request).await.map_err(refused)
        })
    }
}

impl FrameworkSource for PluginRegistry {
    fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        let frameworks = Self::frameworks(self);
        frameworks.map(|framework| framework.descriptor()).collect()
    }

    fn framework_digest(&self, plugin: &str) -> String {
        let framework = self.framework(plugin);
        framework.map_or_else(String::new, |framework| framework.digest().to_owned())
    }

    fn claim<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a FrameworkRequest,
        running: Option<&'a FrameworkRequest>,
    ) -> BoxFuture<'a, Result<FrameworkClaims, PlanError>> {
        Box::pin(async move {
            let framework = self
                .framework(plugin)
                .ok_or_else(|| missing_plugin(plugin))?;
            framework.claim(request, running).await.map_err(refused)
        })
    }

    fn add<'a>(
        &'a self,
        plugin: &'a str,
        question: &'a Arc<GenerateQuestion>,
    ) -> BoxFuture<'a, Result<FrameworkBundle, PlanError>> {
        Box::pin(async move {
            let framework = self
                .framework(plugin)
                .ok_or_else(|| missing_plugin(plugin))?;
            framework.generate(question).await.map_err(refused)
        })
    }
}

fn refused(error: GenerateError) -> PlanError {
    match error {
        GenerateError::Problems(problems) => PlanError::Problems(problems),
        GenerateError::Failed(error) => PlanError::Broken(error.to_string()),
    }
}
