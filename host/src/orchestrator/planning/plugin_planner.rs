//! The plan as the orchestrator asks for it, on the plugins of a catalogue.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::orchestrator::planning::ask_claims::{
    FrameworkSource, check_request, claim_cluster, missing_plugin,
};
use crate::orchestrator::planning::framework_plan::plan_frameworks;
use crate::orchestrator::planning::known_claims::{claim_known, refuse_known};
use crate::orchestrator::planning::plan_description::PlanDescription;
use crate::orchestrator::planning::plan_error::PlanError;
use crate::orchestrator::planning::plugin_chain;
use crate::{
    cluster::{
        ClusterSpec, FrameworkDescriptor, Problem,
        cluster_endpoint::{ClusterEndpoint, ClusterEndpoints},
        framework_bundle::FrameworkBundle,
        framework_request::{FrameworkClaims, FrameworkRequest, GenerateQuestion},
    },
    orchestrator::planning::planner::{
        ClaimedCluster, ClusterPlanner, KnownClaims, PluginChain, ResolvedFlavors, StackPlan,
    },
    plugin::{GenerateError, PluginRegistry},
};

/// Plans on these plugins.
pub struct PluginPlanner<P>(pub P);

impl<P: FrameworkSource> ClusterPlanner for PluginPlanner<P> {
    fn descriptors(&self) -> Vec<&FrameworkDescriptor> {
        self.0.frameworks()
    }

    fn plugin_digest(&self, name: &str) -> Option<String> {
        let mut plugins = self.0.frameworks().into_iter();
        let is_there = plugins.any(|plugin| plugin.name == name);
        is_there.then(|| self.0.framework_digest(name))
    }

    fn order_plugins(&self, spec: &ClusterSpec) -> Result<PluginChain, Vec<Problem>> {
        let chain = plugin_chain::order_plugins(&spec.frameworks, &self.0.frameworks())?;
        let plugins = chain.iter().map(|one| one.name.clone()).collect();
        Ok(PluginChain { plugins })
    }

    fn check_settings(&self, spec: &ClusterSpec, chain: &PluginChain) -> Vec<Problem> {
        check_request(spec, &self.of_chain(chain))
    }

    fn claim<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
    ) -> BoxFuture<'a, Result<ClaimedCluster, Vec<Problem>>> {
        Box::pin(async move {
            let claimed = claim_cluster(spec, &self.of_chain(chain), &self.0).await;
            claimed.map_err(PlanError::into_problems)
        })
    }

    fn claim_known<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
    ) -> BoxFuture<'a, KnownClaims> {
        Box::pin(async move { claim_known(spec, &self.of_chain(chain), &self.0).await })
    }

    fn refuse_known<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
        known: &'a KnownClaims,
        facts: &'a ResolvedFlavors,
    ) -> BoxFuture<'a, Vec<Problem>> {
        Box::pin(
            async move { refuse_known(spec, facts, known, &self.of_chain(chain), &self.0).await },
        )
    }

    fn plan<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        chain: &'a PluginChain,
        claimed: &'a ClaimedCluster,
        facts: &'a ResolvedFlavors,
    ) -> BoxFuture<'a, Result<StackPlan, Vec<Problem>>> {
        Box::pin(async move {
            let planned = self.plan_chain(spec, chain, claimed, facts).await;
            planned.map_err(PlanError::into_problems)
        })
    }
}

impl<P: FrameworkSource> PluginPlanner<P> {
    async fn plan_chain(
        &self,
        spec: &ClusterSpec,
        chain: &PluginChain,
        claimed: &ClaimedCluster,
        facts: &ResolvedFlavors,
    ) -> Result<StackPlan, PlanError> {
        let plugins = self.of_chain(chain);
        let made = plan_frameworks(spec, facts, claimed, &plugins, &self.0).await?;
        let told = PlanDescription::of_bundles(spec, &made.stack.bundles);
        let mut endpoints = ClusterEndpoints::new();
        let bundles = &made.stack.bundles;
        for bundle in bundles {
            endpoints.extend(bundle.endpoints.iter().map(|one| {
                let kept = ClusterEndpoint::of_plugin(&bundle.plugin, one);
                (one.name.clone(), kept)
            }));
        }
        Ok(StackPlan {
            plugins: made.plugins,
            endpoints,
            template: made.stack.template,
            files: made.stack.files,
            contents: made.stack.contents,
            computed: spec.computed.clone(),
            grants: made.grants,
            javas: made.javas,
            job_tellers: bundles
                .iter()
                .flat_map(FrameworkBundle::job_tellers)
                .collect(),
            told,
            // The request's values are the defaults of the template's parameters.
            parameters: serde_json::Map::new(),
        })
    }

    /// Those of the chain, in its order.
    fn of_chain(&self, chain: &PluginChain) -> Vec<&FrameworkDescriptor> {
        let there = self.0.frameworks();
        let of_name = |name: &String| there.iter().copied().find(|one| one.name == *name);
        chain.plugins.iter().filter_map(of_name).collect()
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
