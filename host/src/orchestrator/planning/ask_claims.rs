//! What the plugins claim of a cluster that is to be: all of them are asked,
//! and all that they and the host have to say against it comes at once. Calls plugins and nothing
//! else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value};

use super::claims::{ClaimedGroup, ClaimingPlugin, smallest_nodes, tell_sums};
use super::cluster_description::version;
use super::place_cluster::{PlacedCluster, place_cluster};
use super::plan_error::PlanError;
use super::planner::ClaimedCluster;
use super::typed_settings::type_settings_of;
use crate::bundle::member_news::MemberLines;
use crate::cluster::component::{ComponentPlacement, ComponentSpec};
use crate::cluster::framework_bundle::FrameworkBundle;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{
    FrameworkClaims, FrameworkRequest, FrameworkService, GenerateQuestion,
};
use crate::cluster::group_value::attribute_of;
use crate::cluster::{ClusterSpec, Problem};
use crate::system::heavy_work::run_heavy;

/// What a plan asks of plugins; a catalogue of them, or a test's own.
pub trait FrameworkSource: Send + Sync {
    /// All that are there, by name.
    fn frameworks(&self) -> Vec<&FrameworkDescriptor>;

    /// What one that is there claims. `running` is what it was asked of the cluster as it is, where
    /// that is there.
    fn claim<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a FrameworkRequest,
        running: Option<&'a FrameworkRequest>,
    ) -> BoxFuture<'a, Result<FrameworkClaims, PlanError>>;

    /// What one that is there adds.
    fn add<'a>(
        &'a self,
        plugin: &'a str,
        question: &'a Arc<GenerateQuestion>,
    ) -> BoxFuture<'a, Result<FrameworkBundle, PlanError>>;

    /// SHA-256 of one that is there, in hexadecimal; empty where it has none.
    fn framework_digest(&self, _plugin: &str) -> String {
        String::new()
    }
}

/// Why a plugin cannot be asked that was there a moment ago.
pub fn missing_plugin(plugin: &str) -> PlanError {
    PlanError::Broken(format!("there is no plugin `{plugin}`"))
}

/// Asks all plugins of the chain what they claim, and holds it against the nodes that there are to
/// be. `spec.pins` is what a running cluster is made of: then it is the cluster that it is to be.
///
/// # Errors
/// Problems of the settings and of the places, all at once; then those of all plugins; then all of
/// what they claim together.
pub async fn claim_cluster(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
    source: &impl FrameworkSource,
) -> Result<ClaimedCluster, PlanError> {
    let (wanted, plugins) = (spec.clone(), own_chain(chain));
    let requests = run_checks(move || prepare_requests(&wanted, &refer(&plugins))).await?;
    let running = running_requests(spec, chain);
    let asked = chain.iter().zip(&requests).zip(&running);
    let asked = asked
        .map(|((plugin, request), running)| source.claim(&plugin.name, request, running.as_ref()));
    let claims = gather(join_all(asked).await)?;
    let (wanted, plugins) = (spec.clone(), own_chain(chain));
    run_checks(move || hold_claims(&wanted, &refer(&plugins), claims)).await
}

/// All that is wrong with a request before any plugin is asked: settings and places.
pub fn check_request(spec: &ClusterSpec, chain: &[&FrameworkDescriptor]) -> Vec<Problem> {
    prepare_requests(spec, chain).err().unwrap_or_default()
}

/// What each plugin was asked of the running cluster, but for what the host had filled in and what
/// services said; none where there is no such cluster, or it was made without the plugin.
fn running_requests(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
) -> Vec<Option<FrameworkRequest>> {
    let request = |plugin: &&FrameworkDescriptor| {
        let pins = spec.pins.as_deref()?;
        let pinned = pins.plugins.get(&plugin.name)?;
        let mut settings = pinned.settings.clone();
        // What a plugin has no more it is not told of.
        settings.retain(|name, _| plugin.parameter(name).is_some());
        Some(FrameworkRequest {
            cluster: spec.name.clone(),
            version: pinned.version.clone(),
            settings,
            placements: pins.placements.clone(),
            services: services_beside(plugin, chain),
        })
    };
    chain.iter().map(request).collect()
}

/// What each plugin is asked; or all that is wrong with settings and places.
fn prepare_requests(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
) -> Result<Vec<FrameworkRequest>, Vec<Problem>> {
    let components = components_of(chain, |_, _| true);
    let placed = place_cluster(spec, &components, recorded_places(spec));
    let (settings, placed) = match (type_settings_of_all(spec, chain), placed) {
        (Ok(settings), Ok(placed)) => (settings, placed),
        (settings, placed) => {
            let problems = settings.err().into_iter().chain(placed.err());
            return Err(problems.flatten().collect());
        }
    };
    let requests = chain.iter().zip(settings);
    let requests = requests
        .map(|(plugin, settings)| claim_request(spec, plugin, chain, settings, &placed.placements));
    Ok(requests.collect())
}

/// What a plugin is asked that is to claim.
pub fn claim_request(
    spec: &ClusterSpec,
    plugin: &FrameworkDescriptor,
    chain: &[&FrameworkDescriptor],
    settings: Map<String, Value>,
    placements: &[ComponentPlacement],
) -> FrameworkRequest {
    FrameworkRequest {
        cluster: spec.name.clone(),
        version: version(spec, plugin),
        settings,
        placements: placements.to_vec(),
        services: services_beside(plugin, chain),
    }
}

/// The services of the others, without what they say.
fn services_beside(
    plugin: &FrameworkDescriptor,
    chain: &[&FrameworkDescriptor],
) -> Vec<FrameworkService> {
    let others = chain.iter().filter(|other| other.name != plugin.name);
    let services = others.flat_map(|other| &other.provides);
    services
        .map(|name| FrameworkService {
            name: name.clone(),
            attributes: Vec::new(),
        })
        .collect()
}

/// The settings of each plugin of the chain, in its order.
///
/// # Errors
/// Those of all of them.
pub fn type_settings_of_all(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
) -> Result<Vec<Map<String, Value>>, Vec<Problem>> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for plugin in chain {
        match type_settings_of(plugin, spec) {
            Ok(settings) => all.push(settings),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems)
    }
}

/// What the plugins claim, against the nodes that there are to be.
fn hold_claims(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
    claims: Vec<FrameworkClaims>,
) -> Result<ClaimedCluster, Vec<Problem>> {
    let is_claimed = |at: usize, component: &ComponentSpec| {
        let claims = claims.get(at);
        claims.is_some_and(|claims| claims.has_need_of(&component.name))
    };
    let components = components_of(chain, is_claimed);
    let unclaimed = refuse_unclaimed(spec, chain, &components);
    if !unclaimed.is_empty() {
        return Err(unclaimed);
    }
    // Once more, for groups that were made for components that nobody wants.
    let PlacedCluster { spec, placements } =
        place_cluster(spec, &components, recorded_places(spec))?;
    let spec = keep_computed(spec, chain, &claims);
    if claims.iter().any(|claims| !claims.computed.is_empty()) {
        type_settings_of_all(&spec, chain)?;
    }
    let claiming = claiming_plugins(&spec, chain, &claims);
    let nodes = nodes_of_groups(&spec);
    let groups = claimed_groups(&nodes);
    let smallest = smallest_nodes(&claiming, &groups, &placements)?;
    let sums = tell_sums(&claiming, &groups, &placements, &smallest);
    Ok(ClaimedCluster {
        spec,
        smallest,
        sums,
        placements,
        claims,
        grants: None,
        boot: MemberLines::default(),
    })
}

/// Where components of the cluster were before.
pub fn recorded_places(spec: &ClusterSpec) -> &[ComponentPlacement] {
    let pins = spec.pins.as_deref();
    pins.map_or(&[], |pins| &pins.placements)
}

/// The chain for work on another thread.
pub fn own_chain(chain: &[&FrameworkDescriptor]) -> Vec<FrameworkDescriptor> {
    chain.iter().map(|plugin| (*plugin).clone()).collect()
}

/// It again, as plans take it.
pub fn refer(chain: &[FrameworkDescriptor]) -> Vec<&FrameworkDescriptor> {
    chain.iter().collect()
}

/// Checks that may take their time, on a thread of their own.
pub async fn run_checks<Checked: Send + 'static>(
    checks: impl FnOnce() -> Result<Checked, Vec<Problem>> + Send + 'static,
) -> Result<Checked, PlanError> {
    run_heavy(checks)
        .await
        .map_err(|panicked| PlanError::Broken(panicked.to_string()))?
        .map_err(PlanError::Problems)
}

/// What each plugin of a chain has claimed, beside what the user gives it.
pub fn claiming_plugins<'a>(
    spec: &ClusterSpec,
    chain: &[&'a FrameworkDescriptor],
    claims: &'a [FrameworkClaims],
) -> Vec<ClaimingPlugin<'a>> {
    claiming_of(
        spec,
        chain.iter().map(|plugin| plugin.name.as_str()),
        claims,
    )
}

/// The same by the names of the plugins.
pub fn claiming_of<'a>(
    spec: &ClusterSpec,
    plugins: impl Iterator<Item = &'a str>,
    claims: &'a [FrameworkClaims],
) -> Vec<ClaimingPlugin<'a>> {
    plugins
        .zip(claims)
        .map(|(name, claims)| ClaimingPlugin {
            name,
            memory_share: spec.memory_shares.get(name).copied(),
            claims,
        })
        .collect()
}

/// The nodes of each group that has any.
pub fn nodes_of_groups(spec: &ClusterSpec) -> Vec<(String, Vec<String>)> {
    let groups = spec.groups.with_nodes();
    groups
        .map(|group| (group.name.clone(), group.node_names()))
        .collect()
}

/// The same, as claims are held against them.
pub fn claimed_groups(nodes: &[(String, Vec<String>)]) -> Vec<ClaimedGroup<'_>> {
    let groups = nodes.iter();
    groups
        .map(|(name, nodes)| ClaimedGroup { name, nodes })
        .collect()
}

/// Of several answers all, or the problems of all: unless one is of a plugin that broke, which only
/// its author can mend.
pub fn gather<Answer>(answers: Vec<Result<Answer, PlanError>>) -> Result<Vec<Answer>, PlanError> {
    let (mut given, mut problems) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Ok(answer) => given.push(answer),
            Err(PlanError::Problems(found)) => problems.extend(found),
            Err(broken) => return Err(broken),
        }
    }
    if problems.is_empty() {
        Ok(given)
    } else {
        Err(PlanError::Problems(problems))
    }
}

/// The components of the chain's plugins, in the order; `is_wanted` is asked with the plugin's place.
pub fn components_of(
    chain: &[&FrameworkDescriptor],
    is_wanted: impl Fn(usize, &ComponentSpec) -> bool,
) -> Vec<ComponentSpec> {
    let mut components = Vec::new();
    for (at, plugin) in chain.iter().enumerate() {
        let own = plugin.components.iter();
        components.extend(own.filter(|component| is_wanted(at, component)).cloned());
    }
    components
}

/// Components that the user wants on a group and that their plugin leaves out.
pub fn refuse_unclaimed(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
    claimed: &[ComponentSpec],
) -> Vec<Problem> {
    let claimed: BTreeSet<&str> = claimed.iter().map(|one| one.name.as_str()).collect();
    let mut problems = Vec::new();
    for group in spec.groups.with_nodes() {
        for (name, _) in &group.components {
            let owner = chain.iter().find(|plugin| plugin.has_component(name));
            if let Some(owner) = owner.filter(|_| !claimed.contains(name.as_str())) {
                problems.push(Problem::new(
                    attribute_of(&group.name, "components"),
                    format!(
                        "names `{name}`, which {} does not install in this cluster",
                        owner.name
                    ),
                    "leave it out",
                ));
            }
        }
    }
    problems
}

/// What plugins have computed stays until the user sets it.
pub fn keep_computed(
    mut spec: ClusterSpec,
    chain: &[&FrameworkDescriptor],
    claims: &[FrameworkClaims],
) -> ClusterSpec {
    for (plugin, claims) in chain.iter().zip(claims) {
        if claims.computed.is_empty() {
            continue;
        }
        let computed: BTreeMap<String, String> = claims.computed.iter().cloned().collect();
        let kept = spec.computed.entry(plugin.name.clone()).or_default();
        kept.extend(computed);
    }
    spec
}
