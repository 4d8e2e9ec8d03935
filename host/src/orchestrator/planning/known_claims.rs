//! All that plugins have against a request that is refused already, as far as it can be known: whoever
//! is asked for something sound is asked, whatever is wrong beside it, so that all problems come in
//! one answer. Nothing is made of what is found out here. Calls plugins and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::ask_claims::{
    FrameworkSource, claimed_groups, claiming_plugins, keep_computed, nodes_of_groups, own_chain,
    recorded_places, refer, refuse_unclaimed, run_checks, services_beside,
};
use super::claims::{check_percents, extensions_of, smallest_nodes, tell_sums};
use super::cluster_description::version;
use super::framework_plan::share_nodes;
use super::host_facts::{fill_facts, host_facts};
use super::node_groups::node_groups;
use super::place_cluster::{PlacedCluster, groups_of_nodes, place_cluster};
use super::plan_error::PlanError;
use super::planner::{ClaimedCluster, KnownClaims, ResolvedFlavors};
use super::typed_settings::type_settings_of;
use crate::bundle::access_rules::{AccessWishes, ClaimedPort, check_opened};
use crate::bundle::framework_build::name_classes;
use crate::cluster::component::ComponentSpec;
use crate::cluster::framework_bundle::FrameworkBundle;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{FrameworkClaims, FrameworkRequest, GenerateQuestion};
use crate::cluster::{ClusterSpec, Problem};

/// The settings of each plugin; none where they are wrong.
type KnownSettings = Vec<Option<Map<String, Value>>>;

/// Asks every plugin whose settings are sound, about a cluster whose components are where they can
/// be.
pub async fn claim_known(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
    source: &impl FrameworkSource,
) -> KnownClaims {
    let mut known = KnownClaims::default();
    let (wanted, plugins) = (spec.clone(), own_chain(chain));
    let prepared = run_checks(move || Ok(prepare_known(&wanted, &refer(&plugins)))).await;
    let Ok((requests, problems)) = prepared else {
        return known;
    };
    known.problems = problems;
    let mut claims = Vec::new();
    for (plugin, request) in chain.iter().zip(requests) {
        let answer = match &request {
            Some(request) => source.claim(&plugin.name, request).await,
            None => Err(PlanError::Problems(Vec::new())),
        };
        claims.push(match answer {
            Ok(claims) => Some(claims),
            Err(refused) => {
                known.refused.insert(plugin.name.clone());
                known.problems.extend(problems_of(refused));
                None
            }
        });
    }
    let (wanted, plugins) = (spec.clone(), own_chain(chain));
    let held = run_checks(move || Ok(hold_known(&wanted, &refer(&plugins), claims))).await;
    if let Ok((claimed, problems)) = held {
        known.problems.extend(problems);
        known.claimed = claimed;
    }
    known
}

/// Those of the request; what a plugin that broke says, nobody can mend who asks.
fn problems_of(error: PlanError) -> Vec<Problem> {
    match error {
        PlanError::Problems(problems) => problems,
        _ => Vec::new(),
    }
}

/// What each plugin can be asked, and what is wrong with settings and places.
fn prepare_known(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
) -> (Vec<Option<FrameworkRequest>>, Vec<Problem>) {
    let (settings, mut problems) = known_settings(spec, chain);
    let places = place_known(spec, &all_components(chain, |_, _| true));
    problems.extend(places.problems);
    let Some(placed) = places.placed else {
        return (chain.iter().map(|_| None).collect(), problems);
    };
    let requests = chain.iter().zip(settings);
    let requests = requests.map(|(plugin, settings)| {
        // Where it would be nobody knows.
        let mut components = plugin.components.iter();
        if components.any(|one| places.misplaced.contains(&one.name)) {
            return None;
        }
        Some(FrameworkRequest {
            cluster: spec.name.clone(),
            version: version(spec, plugin),
            settings: settings?,
            placements: placed.placements.clone(),
            services: services_beside(plugin, chain),
        })
    });
    (requests.collect(), problems)
}

fn known_settings(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
) -> (KnownSettings, Vec<Problem>) {
    let mut problems = Vec::new();
    let settings = chain.iter().map(|plugin| {
        let typed = type_settings_of(plugin, spec);
        typed.map_err(|found| problems.extend(found)).ok()
    });
    (settings.collect(), problems)
}

/// Where everything is, and what is wrong with the places. A wish of the user's that cannot be is
/// passed over then.
struct KnownPlaces {
    placed: Option<PlacedCluster>,
    problems: Vec<Problem>,
    /// Components whose wish was passed over.
    misplaced: BTreeSet<String>,
}

fn place_known(spec: &ClusterSpec, components: &[ComponentSpec]) -> KnownPlaces {
    let recorded = recorded_places(spec);
    let problems = match place_cluster(spec, components, recorded) {
        Ok(placed) => {
            return KnownPlaces {
                placed: Some(placed),
                problems: Vec::new(),
                misplaced: BTreeSet::new(),
            };
        }
        Err(problems) => problems,
    };
    let mut sound = spec.clone();
    for group in sound.groups.iter_mut() {
        group.components.clear();
    }
    let mut misplaced = BTreeSet::new();
    for group in spec.groups.iter() {
        for wish in &group.components {
            let mut with = sound.clone();
            if let Some(group) = with.groups.get_mut(&group.name) {
                group.components.push(wish.clone());
            }
            if place_cluster(&with, components, recorded).is_ok() {
                sound = with;
            } else {
                misplaced.insert(wish.0.clone());
            }
        }
    }
    KnownPlaces {
        placed: place_cluster(&sound, components, recorded).ok(),
        problems,
        misplaced,
    }
}

/// The components of all plugins; `is_wanted` is asked with the plugin's place.
fn all_components(
    chain: &[&FrameworkDescriptor],
    is_wanted: impl Fn(usize, &str) -> bool,
) -> Vec<ComponentSpec> {
    let plugins = chain.iter().enumerate();
    let all = plugins.flat_map(|(at, plugin)| plugin.components.iter().map(move |one| (at, one)));
    let wanted = all.filter(|(at, component)| is_wanted(*at, &component.name));
    wanted.map(|(_, component)| component.clone()).collect()
}

/// What those claim who have answered, against the nodes that there are to be.
fn hold_known(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
    claims: Vec<Option<FrameworkClaims>>,
) -> (Option<ClaimedCluster>, Vec<Problem>) {
    let components = all_components(chain, |at, name| {
        let claimed = claims.get(at).and_then(Option::as_ref);
        claimed.is_none_or(|claimed| claimed.needs.iter().any(|need| need.component == name))
    });
    let mut problems = refuse_unclaimed(spec, chain, &components);
    // What is wrong with the places was told when they were placed first.
    let Some(placed) = place_known(spec, &components).placed else {
        return (None, problems);
    };
    let claims: Vec<FrameworkClaims> = claims.into_iter().map(Option::unwrap_or_default).collect();
    let spec = keep_computed(placed.spec, chain, &claims);
    let claiming = claiming_plugins(&spec, chain, &claims);
    let nodes = nodes_of_groups(&spec);
    let groups = claimed_groups(&nodes);
    let smallest = smallest_nodes(&claiming, &groups, &placed.placements);
    let smallest = smallest.unwrap_or_else(|found| {
        problems.extend(found);
        let no_shares: Vec<_> = claiming
            .iter()
            .map(|plugin| super::claims::ClaimingPlugin {
                memory_share: None,
                ..*plugin
            })
            .collect();
        smallest_nodes(&no_shares, &groups, &placed.placements).unwrap_or_default()
    });
    // Where a plugin did not answer, its share counts all the same.
    for problem in check_percents(&claiming) {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let sums = tell_sums(&claiming, &groups, &placed.placements, &smallest);
    let claimed = ClaimedCluster {
        smallest,
        sums,
        placements: placed.placements,
        claims: claims.clone(),
        spec,
    };
    (Some(claimed), problems)
}

/// What plugins say against the cluster when they are to generate, and what cannot be opened of what
/// they offer. `chosen` has a flavor for each group that holds what is claimed.
pub async fn refuse_known(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    known: &KnownClaims,
    chain: &[&FrameworkDescriptor],
    source: &impl FrameworkSource,
) -> Vec<Problem> {
    let Some(claimed) = &known.claimed else {
        return Vec::new();
    };
    // Whoever gave too large a share has been told so.
    let mut spec = spec.clone();
    spec.memory_shares.clear();
    let claiming = claiming_plugins(&spec, chain, &claimed.claims);
    let groups = node_groups(&spec, chosen);
    let Ok(grants) = share_nodes(&spec, &groups, chosen, &claiming, claimed) else {
        return Vec::new();
    };
    let nodes = groups_of_nodes(&spec);
    let facts = host_facts(
        &spec,
        chosen,
        &groups,
        &name_classes(&claimed.placements, &nodes),
    );
    let (settings, _) = known_settings(&spec, chain);
    let (mut problems, mut services) = (Vec::new(), Vec::new());
    let mut missing: BTreeSet<&str> = BTreeSet::new();
    let mut bundles: Vec<FrameworkBundle> = Vec::new();
    for ((plugin, claims), settings) in chain.iter().zip(&claimed.claims).zip(settings) {
        let mut wanted = plugin.requires.iter().chain(&plugin.uses);
        let is_known = !known.refused.contains(&plugin.name)
            && !wanted.any(|service| missing.contains(service.as_str()));
        let answer = match settings.filter(|_| is_known) {
            Some(mut settings) => {
                fill_facts(plugin, &facts, &mut settings);
                let question = Arc::new(GenerateQuestion {
                    request: FrameworkRequest {
                        cluster: spec.name.clone(),
                        version: version(&spec, plugin),
                        settings,
                        placements: claimed.placements.clone(),
                        services: services.clone(),
                    },
                    grants: grants.get(&plugin.name).cloned().unwrap_or_default(),
                    extensions: extensions_of(&plugin.provides, &claiming),
                    needs: claims.needs.clone(),
                    node_groups: nodes.clone(),
                });
                source.add(&plugin.name, &question).await
            }
            None => Err(PlanError::Problems(Vec::new())),
        };
        match answer {
            Ok(bundle) => {
                services.extend(bundle.services.iter().cloned());
                bundles.push(bundle);
            }
            Err(refused) => {
                problems.extend(problems_of(refused));
                missing.extend(plugin.provides.iter().map(String::as_str));
            }
        }
    }
    problems.extend(refuse_opened(&spec, claimed, &bundles, chain.len()));
    problems
}

fn refuse_opened(
    spec: &ClusterSpec,
    claimed: &ClaimedCluster,
    bundles: &[FrameworkBundle],
    plugins: usize,
) -> Vec<Problem> {
    let endpoints: Vec<_> = bundles.iter().flat_map(|one| &one.endpoints).collect();
    let needs = claimed.claims.iter().flat_map(|claims| &claims.needs);
    let ports = needs.flat_map(|need| {
        let component = need.component.as_str();
        need.ports.iter().map(move |port| ClaimedPort {
            component,
            port: *port,
        })
    });
    let are_all = bundles.len() == plugins;
    let known: BTreeSet<&str> = endpoints.iter().map(|one| one.name.as_str()).collect();
    let open = spec.open.iter();
    let asked = AccessWishes {
        access: spec.access.clone(),
        open: open
            .filter(|name| are_all || known.contains(name.as_str()))
            .cloned()
            .collect(),
        is_unauthenticated_meant: spec.open_unauthenticated,
    };
    check_opened(&endpoints, &ports.collect::<Vec<_>>(), &asked)
}

/// Each problem once; one that is told with more is not told with less.
pub fn without_repeats(problems: Vec<Problem>) -> Vec<Problem> {
    let mut all: Vec<Problem> = Vec::new();
    for problem in problems {
        let same = all.iter_mut().find(|known| {
            known.path == problem.path
                && (known.message.starts_with(&problem.message)
                    || problem.message.starts_with(&known.message))
        });
        match same {
            Some(known) if known.message.len() < problem.message.len() => *known = problem,
            Some(_) => {}
            None => all.push(problem),
        }
    }
    all
}
