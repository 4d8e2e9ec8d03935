//! From a spec to what Heat is given: which plugins in which order, what each is asked, and whether
//! what they return fits together. Calls the plugins and nothing else; what was looked up in the
//! cloud is passed in.
//!
//! Layout
//! - [`plugin_chain`]: which plugins, in which order
//! - [`typed_settings`]: raw texts to what a plugin's schema says
//! - [`nodes`]: node groups with ids, names and addresses; whether their flavors are large enough
//! - [`group_values`]: what plugins are not told of groups, laid over what they make
//! - [`claims`]: ports and memory that the chain's plugins take of the same nodes
//! - [`plugin_planner`]: the plan as the orchestrator asks for it, on the plugins of a catalogue

pub mod claims;
pub mod group_values;
pub mod nodes;
pub mod plugin_chain;
pub mod plugin_planner;
pub mod typed_settings;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;

use crate::orchestrator::planning::planner::ResolvedFlavors;
use crate::{
    bundle::{
        self, BuildError, ClusterBundle, ContractViolations, PluginBundle, sizes::LimitViolation,
    },
    cluster::{
        ClusterSpec, FrameworkView, Problem,
        attributes::way_out,
        contract_bridge::refuse_newer_values,
        default_groups::{count_nodes, many_nodes},
        framework::{
            ClusterNetwork, PluginDescriptor, PluginRequest, ProvidedService, ResourceClaim,
        },
        group_value::attribute_of,
        problem::lines,
    },
    system::heavy_work::run_heavy,
};

/// What a plan asks of plugins; a catalogue of them, or a test's own.
pub trait PluginSource: Send + Sync {
    /// All that are there, by name.
    fn descriptors(&self) -> Vec<&PluginDescriptor>;
    /// The part of one that is there.
    fn generate<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a PluginRequest,
    ) -> BoxFuture<'a, Result<PluginBundle, PlanError>>;
    /// SHA-256 of one that is there, in hexadecimal; empty where it has none.
    fn digest(&self, _plugin: &str) -> String {
        String::new()
    }
}

/// A cluster as Heat takes it, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterPlan {
    /// The template and its files.
    pub bundle: ClusterBundle,
    /// What each plugin was asked, in the chain's order.
    pub requests: Vec<PluginRequest>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The user's to mend: all that was found at this step.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
    /// A plugin broke: its author's to mend.
    #[error("{0}")]
    Broken(String),
    /// Plugins returned what makes no cluster: their authors' to mend.
    #[error(transparent)]
    Faults(#[from] ContractViolations),
}

impl PlanError {
    /// All of it as problems; what the user cannot mend says so.
    pub fn into_problems(self) -> Vec<Problem> {
        let hint =
            "not a mistake of the request: tell whoever runs this service, or the plugin's author";
        match self {
            Self::Problems(problems) => problems,
            Self::Broken(message) => vec![Problem::new("framework", message, hint)],
            Self::Faults(ContractViolations(faults)) => faults
                .iter()
                .map(|fault| Problem::new("framework", fault.to_string(), hint))
                .collect(),
        }
    }
}

/// Makes the plan. `chosen` is what the cloud has, or what stands for it where there is no cloud;
/// `chain` is what [`plugin_chain`] has made of the spec.
///
/// # Errors
/// Problems of the settings and the flavors all at once; then those of the first plugin
/// that has any; then what does not fit together.
pub async fn plan_cluster(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    chain: &[&PluginDescriptor],
    plugins: &impl PluginSource,
) -> Result<ClusterPlan, PlanError> {
    let descriptors: Vec<PluginDescriptor> = chain.iter().map(|one| (*one).clone()).collect();
    let (wanted, facts, described) = (spec.clone(), chosen.clone(), descriptors.clone());
    let prepared = run_heavy(move || {
        let chain: Vec<&PluginDescriptor> = described.iter().collect();
        prepare(&wanted, &facts, &chain)
    });
    let mut requests = prepared
        .await
        .map_err(|panicked| PlanError::Broken(panicked.to_string()))?
        .map_err(PlanError::Problems)?;
    let (mut services, mut taken): (Vec<ProvidedService>, Vec<ResourceClaim>) =
        (Vec::new(), Vec::new());
    let mut parts = Vec::new();
    for request in chain.iter().zip(&mut requests) {
        let (descriptor, request) = request;
        request.services.clone_from(&services);
        request.taken.clone_from(&taken);
        let part = plugins.generate(&descriptor.name, request).await?;
        services.extend(part.services.iter().cloned());
        taken.extend(part.taken.iter().cloned());
        parts.push(part);
    }
    let Some(first) = requests.first() else {
        return Err(PlanError::Broken("the chain is empty".to_owned()));
    };
    let problems = claims::check_claims(&first.groups, &chosen.flavors, &taken);
    if !problems.is_empty() {
        return Err(PlanError::Problems(problems));
    }
    let description = describe_cluster(spec, chain.iter().map(|one| (*one).into()));
    let access = chosen.access.clone();
    let (bundle, requests) = run_heavy(move || {
        let descriptors: Vec<&PluginDescriptor> = descriptors.iter().collect();
        let built = bundle::build_bundle(&requests, &access, &description, &descriptors, parts);
        (built, requests)
    })
    .await
    .map_err(|panicked| PlanError::Broken(panicked.to_string()))?;
    let mut bundle = bundle.map_err(|error| not_built(error, spec))?;
    group_values::lay_group_values(&mut bundle.template, spec);
    Ok(ClusterPlan { bundle, requests })
}

/// What each plugin of the chain is asked, before the services and shares of those in front of it
/// are known.
///
/// # Errors
/// Problems of the settings and the node groups, all at once.
pub fn prepare(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    chain: &[&PluginDescriptor],
) -> Result<Vec<PluginRequest>, Vec<Problem>> {
    let mut problems = nodes::check_nodes(spec, chosen, chain);
    problems.extend(refuse_newer_values(spec));
    let groups = nodes::node_groups(spec, chosen);
    let mut requests = Vec::new();
    for descriptor in chain {
        let settings = typed_settings::type_settings_of(*descriptor, spec);
        let settings = settings.unwrap_or_else(|found| {
            problems.extend(found);
            serde_json::Map::new()
        });
        requests.push(PluginRequest {
            cluster: spec.name.clone(),
            version: version(spec, *descriptor),
            groups: groups.clone(),
            settings,
            given: given_settings(spec, &descriptor.name),
            network: ClusterNetwork {
                cidr: spec.cidr.clone(),
                external: way_out(spec).map(str::to_owned),
                access: spec.access.clone(),
            },
            mirror: spec.mirror.clone(),
            proxy: spec.proxy.clone(),
            key: spec.key.clone(),
            signal_transport: chosen.signal_transport.clone(),
            timeout_s: spec.timeout_s,
            services: Vec::new(),
            taken: Vec::new(),
        });
    }
    if problems.is_empty() {
        Ok(requests)
    } else {
        Err(problems)
    }
}

/// The names of those settings of a plugin that the user gave.
pub(crate) fn given_settings(spec: &ClusterSpec, plugin: &str) -> BTreeSet<String> {
    let given = spec.settings.get(plugin).into_iter();
    given.flat_map(BTreeMap::keys).cloned().collect()
}

/// What is too large is mended by the request: fewer nodes where there are too many, else less of
/// the settings.
pub(crate) fn not_built(error: BuildError, spec: &ClusterSpec) -> PlanError {
    let (violations, group, most) = match error {
        BuildError::Violations(violations) => return violations.into(),
        BuildError::Access(problems) => return PlanError::Problems(problems),
        BuildError::TooLarge {
            violations,
            largest_group,
            most_nodes,
        } => (violations, largest_group, most_nodes),
    };
    let many = many_nodes(&group);
    let count = spec.groups.get(&group).map_or(0, |group| group.count);
    let hint = if most < count {
        format!("{most} {many} at most with these settings")
    } else {
        format!("shorter settings or fewer {many}")
    };
    let path = attribute_of(&group, "count");
    let problem =
        |excess: &LimitViolation| Problem::new(path.as_str(), excess.to_string(), hint.as_str());
    PlanError::Problems(violations.iter().map(problem).collect())
}

/// The version that a plugin is asked for.
pub fn version<'a>(spec: &ClusterSpec, descriptor: impl Into<FrameworkView<'a>>) -> String {
    let descriptor = descriptor.into();
    let asked = spec
        .frameworks
        .iter()
        .find(|framework| framework.name == descriptor.name)
        .and_then(|framework| framework.version.clone());
    asked.unwrap_or_else(|| descriptor.default_version.to_owned())
}

/// `Cluster demo: Apache Hadoop 3.5.0 on a master and 3 workers. Made by Stampede.`
pub(crate) fn describe_cluster<'a>(
    spec: &ClusterSpec,
    chain: impl Iterator<Item = FrameworkView<'a>>,
) -> String {
    let titles: Vec<String> = chain
        .skip(1)
        .map(|d| {
            format!("{} {}", d.title, version(spec, d))
                .trim()
                .to_owned()
        })
        .collect();
    let frameworks = if titles.is_empty() {
        "no framework".to_owned()
    } else {
        titles.join(", ")
    };
    let groups = spec.groups.iter().filter(|group| !group.is_empty());
    let nodes: Vec<String> = groups
        .map(|group| count_nodes(&group.name, group.count))
        .collect();
    let nodes = match nodes.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        all => all.join(", "),
    };
    format!(
        "Cluster {}: {frameworks} on {nodes}. Made by Stampede.",
        spec.name
    )
}

#[cfg(test)]
#[path = "cluster_plan/tests.rs"]
mod tests;
