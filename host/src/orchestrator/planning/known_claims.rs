//! All that plugins have against a request that is refused already, as far as it can be known: whoever
//! is asked for something sound is asked, whatever is wrong beside it, so that all problems come in
//! one answer. Nothing is made of what is found out here. Calls plugins and nothing else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::ask_claims::{
    FrameworkSource, claim_request, claimed_groups, claiming_plugins, components_of, keep_computed,
    nodes_of_groups, own_chain, recorded_places, refer, refuse_unclaimed, run_checks,
};
use super::claims::{check_percents, smallest_nodes, tell_sums};
use super::framework_plan::{PluginAsker, share_nodes};
use super::place_cluster::{PlacedCluster, place_cluster};
use super::plan_error::PlanError;
use super::planner::{ClaimedCluster, KnownClaims, ResolvedFlavors};
use super::typed_settings::type_settings_of;
use crate::bundle::access_rules::{AccessWishes, check_opened, claimed_ports};
use crate::cluster::component::ComponentSpec;
use crate::cluster::framework_bundle::FrameworkBundle;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{FrameworkClaims, FrameworkRequest};
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
            Some(request) => source.claim(&plugin.name, request, None).await,
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
    let places = place_known(spec, &components_of(chain, |_, _| true));
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
        let placements = &placed.placements;
        Some(claim_request(spec, plugin, chain, settings?, placements))
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

/// What those claim who have answered, against the nodes that there are to be.
fn hold_known(
    spec: &ClusterSpec,
    chain: &[&FrameworkDescriptor],
    claims: Vec<Option<FrameworkClaims>>,
) -> (Option<ClaimedCluster>, Vec<Problem>) {
    let components = components_of(chain, |at, component| {
        let claimed = claims.get(at).and_then(Option::as_ref);
        claimed.is_none_or(|claimed| claimed.has_need_of(&component.name))
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
        ..ClaimedCluster::default()
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
    let Ok(grants) = share_nodes(&spec, chosen, &claiming, &claimed.placements, None) else {
        return Vec::new();
    };
    let (settings, _) = known_settings(&spec, chain);
    let mut asker = PluginAsker::new(&spec, chosen, claimed, &grants, &claiming, source);
    let mut problems = Vec::new();
    let mut bundles: Vec<FrameworkBundle> = Vec::new();
    for ((plugin, claims), settings) in chain.iter().zip(&claimed.claims).zip(settings) {
        let Some(settings) = settings.filter(|_| !known.refused.contains(&plugin.name)) else {
            asker.pass_over(plugin);
            continue;
        };
        let question = asker.question(plugin, claims, settings);
        match asker.ask(plugin, &question).await {
            Some(Ok(bundle)) => bundles.push(bundle),
            Some(Err(refused)) => problems.extend(problems_of(refused)),
            None => {}
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
    let ports = claimed_ports(claimed.claims.iter().flat_map(|claims| &claims.needs));
    let are_all = bundles.len() == plugins;
    let known: BTreeSet<&str> = endpoints.iter().map(|one| one.name.as_str()).collect();
    let mut asked = AccessWishes::of_cluster(spec);
    asked
        .open
        .retain(|name| are_all || known.contains(name.as_str()));
    check_opened(&endpoints, &ports, &asked)
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
