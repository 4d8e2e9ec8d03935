//! Plans of several frameworks: the real plugin `cluster`, and frameworks that
//! are made up here, so that each says what a test needs.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;
use stampede::cluster::problem::lines;
use stampede::cluster::spec::FrameworkChoice;
use stampede::cluster::{CloudAccess, ClusterSpec, Flavor, attribute_schema};
use stampede::orchestrator::planning::ask_claims::{FrameworkSource as _, claim_cluster};
use stampede::orchestrator::planning::framework_plan::{FrameworkPlan, plan_frameworks};
use stampede::orchestrator::planning::plan_error::PlanError;
use stampede::orchestrator::planning::planner::{ClaimedCluster, ResolvedFlavors};
use stampede::orchestrator::planning::plugin_chain::order_plugins;

use super::made_up::{MadeUp, MadeUpSource, usual};

fn spec(frameworks: &[&str]) -> ClusterSpec {
    let choice = |name: &&str| FrameworkChoice {
        name: (*name).to_owned(),
        version: None,
    };
    ClusterSpec {
        name: "demo".to_owned(),
        frameworks: frameworks.iter().map(choice).collect(),
        image: Some("debian-12".to_owned()),
        external_network: Some("public".to_owned()),
        ..attribute_schema::default_spec()
    }
}

fn flavor(ram_mib: u32) -> Flavor {
    Flavor {
        name: "x".to_owned(),
        vcpus: 2,
        ram_mib,
        disk_gib: 40,
    }
}

async fn planned(
    spec: &ClusterSpec,
    source: &MadeUpSource,
    ram_mib: u32,
) -> Result<(ClaimedCluster, FrameworkPlan), String> {
    let told = |error: PlanError| lines(&error.into_problems());
    let there = source.frameworks();
    let chain = order_plugins(&spec.frameworks, &there).map_err(|problems| lines(&problems))?;
    let claimed = claim_cluster(spec, &chain, source).await.map_err(told)?;
    let mut spec = claimed.spec.clone();
    let names: Vec<String> = spec.groups.names().map(str::to_owned).collect();
    for group in spec.groups.iter_mut() {
        group.flavor = Some("x".to_owned());
    }
    let chosen = ResolvedFlavors {
        flavors: vec![flavor(ram_mib)],
        groups: names
            .into_iter()
            .map(|group| (group, flavor(ram_mib)))
            .collect(),
        signal_transport: "HEAT_SIGNAL".to_owned(),
        access: CloudAccess::default(),
    };
    let plan = plan_frameworks(&spec, &chosen, &claimed, &chain, source).await;
    Ok((claimed, plan.map_err(told)?))
}

async fn refused(spec: &ClusterSpec, frameworks: Vec<MadeUp>) -> String {
    let source = MadeUpSource::of(frameworks);
    planned(spec, &source, 4_096).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn however_a_request_is_written_the_plan_is_one_and_the_same_twice() {
    let mut plans = Vec::new();
    for asked in [
        ["files", "compute", "notes"],
        ["notes", "compute", "files"],
        ["compute", "notes", "files"],
        ["compute", "notes", "files"],
    ] {
        let source = MadeUpSource::of(usual());
        plans.push(planned(&spec(&asked), &source, 4_096).await.unwrap().1);
    }
    for other in &plans[1..] {
        assert_eq!(other, &plans[0]);
    }
}

#[tokio::test]
async fn each_is_told_of_those_before_it_and_of_what_others_want_of_it() {
    let source = MadeUpSource::of(usual());
    let asked = ["notes", "compute", "files"];
    let (claimed, plan) = planned(&spec(&asked), &source, 4_096).await.unwrap();
    let services = |name: &str| -> Vec<String> {
        let services = source.question(name).request.services;
        services.into_iter().map(|service| service.name).collect()
    };
    assert_eq!(services("files"), ["cluster"]);
    assert_eq!(services("notes"), ["cluster", "hdfs", "jobs"]);
    let url = &source.question("compute").request.services[1].attributes;
    assert_eq!(url, &[("url".to_owned(), "x://files".to_owned())]);
    let wanted = source.question("files").extensions;
    assert_eq!(
        (wanted.len(), wanted[0].service.as_str()),
        (1, "hdfs"),
        "none of `nobodys`"
    );
    // The whole of the facts is the plugin `cluster`'s alone, and is in no pin.
    let facts = source.question("cluster").request.settings;
    assert_eq!(facts["groups"][1]["nodes"][1]["file"], "node-worker.sh");
    assert_eq!(facts["ready_count"], 3);
    assert!(
        !source
            .question("files")
            .request
            .settings
            .contains_key("groups")
    );
    assert!(!plan.plugins["cluster"].settings.contains_key("groups"));
    assert!(
        !claimed.smallest.is_empty() && claimed.sums["worker"].contains("`data_node` of files")
    );
}

#[tokio::test]
async fn problems_of_all_plugins_that_can_be_asked_come_at_once() {
    let asked = ["files", "compute", "notes", "alone"];
    let refusing = |at: usize| {
        let mut all = usual();
        all[0].refuses[at] = Some("no files today");
        all[3].refuses[at] = Some("nobody comes");
        all
    };
    let both = "files: no files today\nalone: nobody comes";
    assert_eq!(refused(&spec(&asked), refusing(0)).await, both);
    // Those that would have to be told of its service are not asked.
    let source = MadeUpSource::of(refusing(1));
    let told = planned(&spec(&asked), &source, 4_096)
        .await
        .map(drop)
        .unwrap_err();
    assert_eq!(told, both);
    let names = source.asked.lock().unwrap();
    let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["cluster", "files", "alone"]);
}

#[tokio::test]
async fn a_group_is_made_for_what_is_claimed_alone() {
    let groups = |claimed: &ClaimedCluster| -> Vec<String> {
        let groups = claimed.spec.groups.names();
        groups.map(str::to_owned).collect()
    };
    let source = MadeUpSource::of(usual());
    let (claimed, plan) = planned(&spec(&["alone"]), &source, 4_096).await.unwrap();
    assert_eq!(groups(&claimed), ["master", "worker", "quorum"]);
    assert_eq!(plan.stack.classes["quorum-3"], "quorum");
    assert!(
        plan.stack.template["resources"]
            .get("quorum_3_server")
            .is_some()
    );
    let mut idle = usual();
    idle[3].claims.needs.clear();
    let source = MadeUpSource::of(idle.clone());
    let (claimed, _) = planned(&spec(&["alone"]), &source, 4_096).await.unwrap();
    assert_eq!(groups(&claimed), ["master", "worker"]);
    assert!(
        claimed
            .placements
            .iter()
            .all(|one| one.component != "alone_server")
    );
    // Whoever asks for it by name hears of it.
    let mut wished = spec(&["alone"]);
    wished.groups.get_mut("worker").unwrap().components =
        vec![("alone_server".to_owned(), Some(1))];
    assert_eq!(
        refused(&wished, idle).await,
        "worker.components: names `alone_server`, which alone does not install in this cluster (leave it out)"
    );
}

#[tokio::test]
async fn what_is_computed_is_a_setting_from_then_on_until_the_user_says_it() {
    let with = |copies: &str| {
        let mut all = usual();
        all[0].claims.computed = vec![("copies".to_owned(), copies.to_owned())];
        all
    };
    let source = MadeUpSource::of(with("2"));
    let (claimed, plan) = planned(&spec(&["files"]), &source, 4_096).await.unwrap();
    let kept: BTreeMap<String, String> = [("copies".to_owned(), "2".to_owned())].into();
    assert_eq!(claimed.spec.computed["files"], kept);
    assert_eq!(plan.plugins["files"].settings["copies"], json!(2));
    // Of a cluster that was planned before, what was computed then stays.
    let again = claimed.spec.clone();
    let source = MadeUpSource::of(with("3"));
    let (claimed, _) = planned(&again, &source, 4_096).await.unwrap();
    assert_eq!(claimed.spec.computed["files"], kept);
    let mut own = again;
    own.settings.insert(
        "files".to_owned(),
        [("copies".to_owned(), "5".to_owned())].into(),
    );
    let (_, plan) = planned(&own, &source, 4_096).await.unwrap();
    assert_eq!(plan.plugins["files"].settings["copies"], json!(5));
    // The schema as a whole is asked, too.
    let told = refused(&spec(&["files"]), with("13")).await;
    assert!(told.starts_with("files: "), "{told}");
}

#[tokio::test]
async fn shares_over_the_whole_and_ports_of_two_are_refused_before_any_flavor() {
    let mut greedy = spec(&["files", "compute"]);
    greedy.memory_shares = BTreeMap::from([("files".to_owned(), 60), ("compute".to_owned(), 60)]);
    let mut all = usual();
    for (one, component) in [(0, 1), (1, 0)] {
        all[one].claims.needs[component].ports = vec![7_000];
    }
    let told = refused(&greedy, all).await;
    let paths: BTreeSet<&str> = told
        .lines()
        .filter_map(|line| line.split(':').next())
        .collect();
    assert_eq!(
        paths,
        BTreeSet::from(["compute.memory_share", "framework"]),
        "{told}"
    );
    assert!(
        told.contains("120 percent") && told.contains("port 7000"),
        "{told}"
    );
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Every pair of frameworks on every flavor: a plan that gives no more than the node has, or a
    /// refusal with the sum by component; and the same once more.
    #[test]
    fn a_plan_never_gives_more_than_the_node_has(
        asked in prop::sample::subsequence(vec!["files", "compute", "notes", "alone"], 1..=4),
        ram_mib in 512u32..8_192,
        workers in 1u32..5,
    ) {
        let mut spec = spec(&asked);
        spec.groups.get_mut("worker").unwrap().count = workers;
        let runtime = runtime();
        let once = || runtime.block_on(planned(&spec, &MadeUpSource::of(usual()), ram_mib));
        let outcome = once();
        match &outcome {
            Ok((claimed, plan)) => {
                for group in claimed.spec.groups.names() {
                    let grants = plan.grants.values().flatten().filter(|grant| grant.group == group);
                    let sum: u32 = grants.map(|grant| grant.memory_mib).sum();
                    prop_assert!(sum < ram_mib, "{sum} of {ram_mib} on {group}");
                    let smallest = claimed.smallest[group].ram_mib;
                    prop_assert!(smallest <= ram_mib);
                }
            }
            Err(told) => prop_assert!(told.contains("each of its nodes needs"), "{told}"),
        }
        prop_assert_eq!(once(), outcome);
    }
}

#[tokio::test]
async fn a_plan_holds_every_node_once() {
    let source = MadeUpSource::of(usual());
    let all = ["files", "compute", "notes", "alone"];
    let (_, plan) = planned(&spec(&all), &source, 4_096).await.unwrap();
    let resources = plan.stack.template["resources"].as_object().unwrap();
    let servers = resources
        .values()
        .filter(|one| one["type"] == "OS::Nova::Server");
    assert_eq!(servers.count(), 1 + 2 + 3);
    let files: BTreeSet<&str> = plan.stack.files.keys().map(String::as_str).collect();
    assert_eq!(
        files,
        BTreeSet::from(["node-master.sh", "node-quorum.sh", "node-worker.sh"])
    );
}
