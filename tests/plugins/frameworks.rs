//! The shipped plugins in the host's sandbox, planned as the host plans: the
//! host takes what they claim and add, over flavors and numbers of workers, alone and together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use stampede::bundle::node_classes::node_classes;
use stampede::bundle::node_conflicts::find_conflicts;
use stampede::cluster::component::ComponentPlacement;
use stampede::cluster::framework_bundle::FrameworkBundle;
use stampede::cluster::framework_request::{
    ComponentGrant, FrameworkClaims, FrameworkRequest, FrameworkService, GenerateQuestion,
};
use stampede::cluster::{Flavor, Problem};
use stampede::orchestrator::planning::claims::{
    ClaimedGroup, ClaimingPlugin, SizedGroup, grant_claims,
};
use stampede::orchestrator::planning::memory_share::shareable_mib;
use stampede::orchestrator::planning::placement::{PlacementGroup, place_components};
use stampede::plugin::{GenerateError, LoadedFramework, PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

/// A cluster of one master and workers of one flavor.
struct PlannedCluster {
    grants: BTreeMap<String, Vec<ComponentGrant>>,
    bundles: Vec<FrameworkBundle>,
    placements: Vec<ComponentPlacement>,
    node_groups: BTreeMap<String, String>,
}

fn shipped() -> PluginRegistry {
    let folder = artifacts::target_folder().join("plugins");
    let registry = PluginRegistry::load(&folder, None, PluginLimits::default()).unwrap();
    assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
    registry
}

fn settings_of(plugin: &LoadedFramework) -> Map<String, Value> {
    let parameters = plugin.descriptor().parameters["properties"].as_object();
    let defaults = parameters.into_iter().flatten();
    defaults
        .filter_map(|(name, one)| Some((name.clone(), one.get("default")?.clone())))
        .collect()
}

/// What came of a call: problems are for the user, and a plugin that broke is none.
fn told<T>(answer: Result<T, GenerateError>) -> Result<T, Vec<Problem>> {
    answer.map_err(|error| match error {
        GenerateError::Problems(problems) => problems,
        GenerateError::Failed(error) => panic!("{error}"),
    })
}

fn request_of(
    plugin: &LoadedFramework,
    placements: &[ComponentPlacement],
    services: &[FrameworkService],
) -> FrameworkRequest {
    let provides = &plugin.descriptor().provides;
    let others = services.iter().filter(|one| !provides.contains(&one.name));
    FrameworkRequest {
        cluster: "demo".to_owned(),
        version: plugin.descriptor().versions[0].clone(),
        settings: settings_of(plugin),
        placements: placements.to_vec(),
        services: others.cloned().collect(),
    }
}

/// What nodes of this much memory have for each component.
fn grant_all(
    plugins: &[&LoadedFramework],
    claims: &[FrameworkClaims],
    nodes: &[(&str, Vec<String>); 2],
    placements: &[ComponentPlacement],
    memory_mib: u32,
) -> Result<BTreeMap<String, Vec<ComponentGrant>>, Vec<Problem>> {
    let flavor = Flavor {
        name: "any".to_owned(),
        vcpus: 2,
        ram_mib: memory_mib,
        disk_gib: 40,
    };
    let sized = nodes.each_ref().map(|(name, nodes)| SizedGroup {
        group: ClaimedGroup { name, nodes },
        flavor: &flavor,
        root_volume_gib: None,
        volume_gib: 0,
    });
    let claiming: Vec<ClaimingPlugin<'_>> = plugins
        .iter()
        .zip(claims)
        .map(|(plugin, claims)| ClaimingPlugin {
            name: &plugin.descriptor().name,
            memory_share: None,
            claims,
        })
        .collect();
    grant_claims(&claiming, &sized, placements, &[], None)
}

/// Plans as the host does: place, claim, grant, generate.
async fn plan(
    plugins: &[&LoadedFramework],
    workers: u32,
    memory_mib: u32,
) -> Result<PlannedCluster, Vec<Problem>> {
    let workers: Vec<String> = (1..=workers).map(|id| format!("worker-{id}")).collect();
    let nodes = [("master", vec!["master".to_owned()]), ("worker", workers)];
    let groups = nodes.clone().map(|(name, nodes)| PlacementGroup {
        name: name.to_owned(),
        nodes,
        wishes: Vec::new(),
    });
    let components: Vec<_> = plugins
        .iter()
        .flat_map(|plugin| plugin.descriptor().components.clone())
        .collect();
    let mut placements = place_components(&components, &groups, &[])?;
    let named: Vec<FrameworkService> = plugins
        .iter()
        .flat_map(|plugin| &plugin.descriptor().provides)
        .map(|name| FrameworkService {
            name: name.clone(),
            attributes: Vec::new(),
        })
        .collect();
    let mut claims: Vec<FrameworkClaims> = Vec::new();
    for plugin in plugins {
        let request = request_of(plugin, &placements, &named);
        claims.push(told(plugin.claim(&request, None).await)?);
    }
    let claimed: BTreeSet<&str> = claims
        .iter()
        .flat_map(|one| one.needs.iter().map(|need| need.component.as_str()))
        .collect();
    placements.retain(|one| claimed.contains(one.component.as_str()));
    let grants = grant_all(plugins, &claims, &nodes, &placements, memory_mib)?;
    let node_groups: BTreeMap<String, String> = nodes
        .iter()
        .flat_map(|(name, nodes)| nodes.iter().map(|node| (node.clone(), (*name).to_owned())))
        .collect();
    let mut services = Vec::new();
    let mut bundles = Vec::new();
    for (plugin, claims) in plugins.iter().zip(&claims) {
        let question = Arc::new(GenerateQuestion {
            request: request_of(plugin, &placements, &services),
            grants: grants
                .get(&plugin.descriptor().name)
                .cloned()
                .unwrap_or_default(),
            extensions: Vec::new(),
            needs: claims.needs.clone(),
            node_groups: node_groups.clone(),
        });
        let bundle = told(plugin.generate(&question).await)?;
        services.extend(bundle.services.clone());
        bundles.push(bundle);
    }
    Ok(PlannedCluster {
        grants,
        bundles,
        placements,
        node_groups,
    })
}

/// What a plan is held to: nothing is granted that a node does not have, and nothing of one plugin
/// is in the way of another's.
fn check_plan(plan: &PlannedCluster, memory_mib: u32, what: &str) {
    for group in ["master", "worker"] {
        let grants = plan.grants.values().flatten();
        let granted: u32 = grants
            .filter(|grant| grant.group == group)
            .map(|grant| grant.memory_mib)
            .sum();
        assert!(
            granted <= shareable_mib(memory_mib),
            "{what}: {granted} on {group}"
        );
    }
    let bundles: Vec<&FrameworkBundle> = plan.bundles.iter().collect();
    let classes = node_classes(&plan.placements, &plan.node_groups);
    let conflicts = find_conflicts(&bundles, &classes);
    assert!(conflicts.is_empty(), "{what}: {conflicts:?}");
}

#[tokio::test]
async fn every_set_of_them_is_planned_or_refused_in_words_over_flavors_and_workers() {
    let registry = shipped();
    let names = ["zookeeper", "spark", "jupyterlab"];
    for mask in 1..8_u32 {
        let chosen: Vec<&str> = (0..3)
            .filter(|bit| mask & (1 << bit) != 0)
            .map(|bit| names[bit as usize])
            .collect();
        let plugins: Vec<&LoadedFramework> = chosen
            .iter()
            .map(|name| registry.framework(name).unwrap())
            .collect();
        for workers in [1, 2, 3, 250] {
            let mut was_planned = false;
            for memory_mib in [1, 2, 3, 4, 8, 64].map(|gib| gib << 10) {
                let what = format!("{chosen:?}, {workers} workers of {memory_mib} MiB");
                match plan(&plugins, workers, memory_mib).await {
                    Ok(planned) => {
                        was_planned = true;
                        check_plan(&planned, memory_mib, &what);
                    }
                    Err(problems) => {
                        assert!(
                            !was_planned,
                            "{what} is refused, less was not: {problems:?}"
                        );
                        for one in problems {
                            assert!(
                                !one.message.is_empty() && !one.hint.is_empty(),
                                "{what}: {one:?}"
                            );
                        }
                    }
                }
            }
            let has_voters = workers >= 3 || !chosen.contains(&"zookeeper");
            assert_eq!(was_planned, has_voters, "{chosen:?} with {workers} workers");
        }
    }
}

#[tokio::test]
async fn two_voters_are_refused_and_spark_says_what_notebooks_need() {
    let registry = shipped();
    let of = |name: &str| registry.framework(name).unwrap();
    let Err(problems) = plan(&[of("zookeeper")], 2, 4_096).await else {
        panic!("three voters on two nodes")
    };
    assert_eq!(problems[0].path, "zookeeper.least_voters");
    let planned = plan(&[of("spark"), of("jupyterlab")], 3, 4_096).await;
    let planned = planned.map_err(|problems| format!("{problems:?}")).unwrap();
    let kernels: Vec<Value> = planned.bundles[1]
        .files
        .iter()
        .filter(|file| file.path.ends_with("/kernel.json"))
        .map(|file| serde_json::from_str(&file.content).unwrap())
        .collect();
    assert_eq!(kernels.len(), 1);
    assert_eq!(kernels[0]["env"]["SPARK_HOME"], json!("/opt/spark"));
}
