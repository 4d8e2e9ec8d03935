//! From what plugins have claimed to what Heat is given: memory is granted on
//! the chosen flavors, every plugin generates in the chain's order, and all of it is built. Calls
//! plugins and nothing else; what was looked up in the cloud is passed in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::ask_claims::{
    FrameworkSource, claimed_groups, claiming_plugins, gather, nodes_of_groups, own_chain, refer,
    run_checks, type_settings_of_all,
};
use super::claims::{ClaimingPlugin, SizedGroup, extensions_of, grant_claims};
use super::cluster_description::{describe_cluster, given_settings, version};
use super::host_facts::{fill_facts, host_facts};
use super::image_check::JavaNeed;
use super::java_needs::java_needs;
use super::node_groups::node_groups;
use super::place_cluster::groups_of_nodes;
use super::plan_error::{PlanError, not_built};
use super::planner::{ClaimedCluster, ResolvedFlavors};
use super::recorded_shares::{ComponentGrants, RecordedShares};
use crate::bundle::access_rules::AccessWishes;
use crate::bundle::framework_build::{
    FrameworkBuild, FrameworkStack, build_frameworks, name_classes,
};
use crate::bundle::member_news::MemberLines;
use crate::bundle::node_surroundings::NodeSurroundings;
use crate::cluster::attributes::way_out;
use crate::cluster::component::ComponentPlacement;
use crate::cluster::flavor_choice::FlavorOffer;
use crate::cluster::framework::NodeGroup;
use crate::cluster::framework_bundle::FrameworkBundle;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{
    FrameworkClaims, FrameworkRequest, FrameworkService, GenerateQuestion,
};
use crate::cluster::{ClusterSpec, PinnedPlugin, Problem};
use crate::system::heavy_work::run_heavy;

/// A cluster of frameworks as Heat takes it, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameworkPlan {
    /// What was built.
    pub stack: FrameworkStack,
    /// What each component has on the nodes of each group, by plugin.
    pub grants: ComponentGrants,
    /// The plugins that made it, without what the host has filled into their settings.
    pub plugins: BTreeMap<String, PinnedPlugin>,
    /// What nodes need of Java, but for what the operator has them fetch.
    pub javas: Vec<JavaNeed>,
}

/// Makes the plan. `claimed` is what the same chain has claimed; `spec` is the same with every open
/// name filled in.
///
/// # Errors
/// Flavors that are too small; then the problems of all plugins that can be asked; then what does not
/// fit together.
pub async fn plan_frameworks(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    claimed: &ClaimedCluster,
    chain: &[&FrameworkDescriptor],
    source: &impl FrameworkSource,
) -> Result<FrameworkPlan, PlanError> {
    let claiming = claiming_plugins(spec, chain, &claimed.claims);
    let groups = node_groups(spec, chosen);
    let grants = granted(spec, chosen, &claiming, claimed)?;
    let mut asker = PluginAsker::new(spec, chosen, claimed, &grants, &claiming, source);
    let (mut questions, mut answers) = (Vec::new(), Vec::new());
    let mut plugins = BTreeMap::new();
    let typed = typed_settings(spec, chain).await?;
    let claims_and_settings = claimed.claims.iter().zip(typed);
    for (plugin, (claims, settings)) in chain.iter().zip(claims_and_settings) {
        let pinned = PinnedPlugin {
            version: version(spec, plugin),
            digest: source.framework_digest(&plugin.name),
            settings: settings.clone(),
        };
        let question = asker.question(plugin, claims, settings);
        answers.extend(asker.ask(plugin, &question).await);
        questions.push(question);
        plugins.insert(plugin.name.clone(), pinned);
    }
    let bundles = gather(answers)?;
    let surroundings = surroundings_of(spec, chosen);
    let javas = java_needs(
        spec,
        chain,
        &bundles,
        &claimed.placements,
        &surroundings.javas,
    );
    let build = BuildInputs {
        spec: spec.clone(),
        description: describe_cluster(spec, chain),
        chain: own_chain(chain),
        questions,
        bundles,
        groups,
        surroundings,
        boot: claimed.boot.clone(),
    };
    let stack = run_heavy(move || build.build())
        .await
        .map_err(|panicked| PlanError::Broken(panicked.to_string()))??;
    Ok(FrameworkPlan {
        stack,
        grants,
        plugins,
        javas,
    })
}

/// What each component has by now, or is to have.
fn granted(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    claiming: &[ClaimingPlugin<'_>],
    claimed: &ClaimedCluster,
) -> Result<ComponentGrants, PlanError> {
    match &claimed.grants {
        Some(grants) => Ok(grants.clone()),
        None => share_nodes(spec, chosen, claiming, &claimed.placements, None)
            .map_err(PlanError::Problems),
    }
}

/// The settings of each plugin, in the chain's order.
async fn typed_settings(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
) -> Result<Vec<Map<String, Value>>, PlanError> {
    let (wanted, plugins) = (spec.clone(), own_chain(chain));
    run_checks(move || type_settings_of_all(&wanted, &refer(&plugins))).await
}

/// Asks plugins one after the other; a later one is told the services of those before it.
pub(super) struct PluginAsker<'a, Source> {
    source: &'a Source,
    spec: &'a ClusterSpec,
    claimed: &'a ClaimedCluster,
    grants: &'a ComponentGrants,
    claiming: &'a [ClaimingPlugin<'a>],
    /// The group of each node.
    nodes: BTreeMap<String, String>,
    facts: Map<String, Value>,
    services: Vec<FrameworkService>,
    /// Services whose plugin has refused, or could not be asked.
    refused: BTreeSet<&'a str>,
}

impl<'a, Source: FrameworkSource> PluginAsker<'a, Source> {
    pub(super) fn new(
        spec: &'a ClusterSpec,
        chosen: &ResolvedFlavors,
        claimed: &'a ClaimedCluster,
        grants: &'a ComponentGrants,
        claiming: &'a [ClaimingPlugin<'a>],
        source: &'a Source,
    ) -> Self {
        let nodes = groups_of_nodes(spec);
        let classes = name_classes(&claimed.placements, &nodes);
        Self {
            source,
            spec,
            claimed,
            grants,
            claiming,
            facts: host_facts(spec, chosen, &node_groups(spec, chosen), &classes),
            nodes,
            services: Vec::new(),
            refused: BTreeSet::new(),
        }
    }

    /// What it is asked, with what the host fills into its settings.
    pub(super) fn question(
        &self,
        plugin: &FrameworkDescriptor,
        claims: &FrameworkClaims,
        mut settings: Map<String, Value>,
    ) -> Arc<GenerateQuestion> {
        fill_facts(plugin, &self.facts, &mut settings);
        Arc::new(GenerateQuestion {
            request: FrameworkRequest {
                cluster: self.spec.name.clone(),
                version: version(self.spec, plugin),
                settings,
                placements: self.claimed.placements.clone(),
                services: self.services.clone(),
            },
            grants: self.grants.get(&plugin.name).cloned().unwrap_or_default(),
            extensions: extensions_of(&plugin.provides, self.claiming),
            needs: claims.needs.clone(),
            node_groups: self.nodes.clone(),
        })
    }

    /// What it answers; none where what it would have to be told is not there.
    pub(super) async fn ask(
        &mut self,
        plugin: &'a FrameworkDescriptor,
        question: &Arc<GenerateQuestion>,
    ) -> Option<Result<FrameworkBundle, PlanError>> {
        let mut wanted = plugin.requires.iter().chain(&plugin.uses);
        let answer = if wanted.any(|service| self.refused.contains(service.as_str())) {
            None
        } else {
            Some(self.source.add(&plugin.name, question).await)
        };
        match &answer {
            Some(Ok(bundle)) => self.services.extend(bundle.services.iter().cloned()),
            _ => self.pass_over(plugin),
        }
        answer
    }

    /// Nothing will be known of its services.
    pub(super) fn pass_over(&mut self, plugin: &'a FrameworkDescriptor) {
        let services = plugin.provides.iter();
        self.refused.extend(services.map(String::as_str));
    }
}

/// What each component has on the flavors that were chosen; `recorded` is what those of a running
/// cluster have.
///
/// # Errors
/// All that does not fit.
pub fn share_nodes(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    claiming: &[ClaimingPlugin<'_>],
    placements: &[ComponentPlacement],
    recorded: Option<RecordedShares<'_>>,
) -> Result<ComponentGrants, Vec<Problem>> {
    let (nodes, groups) = (nodes_of_groups(spec), node_groups(spec, chosen));
    let sized: Vec<SizedGroup<'_>> = claimed_groups(&nodes)
        .into_iter()
        .zip(&groups)
        .map(|(group, sized)| SizedGroup {
            group,
            flavor: &sized.flavor,
            root_volume_gib: spec
                .groups
                .get(group.name)
                .and_then(|asked| spec.root_volume_of(asked)),
            volume_gib: spec
                .groups
                .get(group.name)
                .and_then(|asked| asked.volume_gib)
                .unwrap_or(0),
        })
        .collect();
    let offers: Vec<FlavorOffer<'_>> = chosen.flavors.iter().map(FlavorOffer::from).collect();
    grant_claims(claiming, &sized, placements, &offers, recorded)
}

fn surroundings_of(spec: &ClusterSpec, chosen: &ResolvedFlavors) -> NodeSurroundings {
    NodeSurroundings {
        cidr: spec.cidr.clone(),
        external_network: way_out(spec).map(str::to_owned),
        key: spec.key.clone(),
        signal_transport: chosen.signal_transport.clone(),
        mirror: spec.mirror.clone(),
        proxy: spec.proxy.clone(),
        timeout_s: spec.timeout_s,
        cloud: chosen.access.clone(),
        javas: spec.javas.clone(),
        python_index: spec.python_index.clone(),
    }
}

/// All that a stack is built of, to be handed to a thread that may take its time.
struct BuildInputs {
    spec: ClusterSpec,
    description: String,
    chain: Vec<FrameworkDescriptor>,
    questions: Vec<Arc<GenerateQuestion>>,
    bundles: Vec<FrameworkBundle>,
    groups: Vec<NodeGroup>,
    surroundings: NodeSurroundings,
    boot: MemberLines,
}

impl BuildInputs {
    fn build(self) -> Result<FrameworkStack, PlanError> {
        let chain = refer(&self.chain);
        let given = chain
            .iter()
            .map(|plugin| given_settings(&self.spec, &plugin.name));
        let given: Vec<BTreeSet<String>> = given.collect();
        let access = AccessWishes::of_cluster(&self.spec);
        let build = FrameworkBuild {
            cluster: &self.spec.name,
            description: &self.description,
            chain: &chain,
            questions: &self.questions,
            given: &given,
            bundles: self.bundles,
            groups: &self.groups,
            surroundings: &self.surroundings,
            access: &access,
            boot: &self.boot,
        };
        build_frameworks(build).map_err(|error| not_built(error, &self.spec))
    }
}

#[cfg(test)]
#[path = "framework_plan_tests.rs"]
mod tests;
