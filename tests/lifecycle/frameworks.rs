//! What clusters are planned to be, what is recorded of them, and what is refused.

use std::sync::{Arc, LazyLock};

use serde_json::Value;
use stampede::{
    cluster::{ClusterPins, ClusterState, PluginContract},
    orchestrator::{
        Caller, ClusterPlanner, Orchestrator, OrchestratorError,
        planning::plugin_planner::PluginPlanner,
    },
    plugin::{PluginLimits, PluginRegistry},
};
use stampede_tests::artifacts;

use crate::fixture::{LifecycleFixture, pairs, problems};

/// Plugins as they are shipped, and `echo`.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let target = artifacts::target_folder();
    for from in [
        "plugins/cluster.wasm",
        "plugins/hadoop.wasm",
        "guests/echo.wasm",
    ] {
        let from = target.join(from);
        let name = from.file_name().unwrap();
        std::fs::copy(&from, folder.path().join(name)).unwrap();
    }
    folder
});

pub(crate) fn plugins() -> Arc<dyn ClusterPlanner> {
    let cache = artifacts::target_folder().join("guests/cache");
    let limits = PluginLimits::default();
    let registry = PluginRegistry::load(FOLDER.path(), Some(&cache), limits).unwrap();
    assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
    Arc::new(PluginPlanner(registry))
}

pub(crate) const ECHO: &[(&str, &str)] = &[
    ("stampede.framework", "echo"),
    ("stampede.workers", "3"),
    ("stampede.key", "demo-key"),
];

async fn asked(set: &[(&str, &str)]) -> (LifecycleFixture, Orchestrator, Caller) {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", pairs(set)).await.unwrap();
    (world, host, caller)
}

async fn pins(world: &LifecycleFixture) -> ClusterPins {
    let spec = world.records().await[0].spec.clone().unwrap();
    *spec.pins.unwrap()
}

/// What is recorded of that cluster.
fn check_pins(kept: &ClusterPins) {
    assert_eq!(kept.contract, PluginContract::V0_2_0);
    let placed: Vec<(&str, usize)> = kept
        .placements
        .iter()
        .map(|one| (one.component.as_str(), one.members.len()))
        .collect();
    // `echo_page` was not claimed.
    assert_eq!(
        placed,
        [("node", 4), ("echo_server", 3), ("echo_client", 4)]
    );
    let grant = &kept.grants["echo"][1];
    assert_eq!(
        (grant.component.as_str(), grant.memory_mib),
        ("echo_server", 510)
    );
    assert_eq!(kept.needs["echo"][0].ports, [7_007, 7_008]);
    // What the host has filled in is no setting of the user's, and is not kept.
    let settings = &kept.plugins["cluster"].settings;
    assert!(settings.contains_key("spread_workers") && !settings.contains_key("groups"));
    assert_eq!(
        kept.plugins["echo"].settings["copies"], 3,
        "as it was computed"
    );
    assert_eq!(kept.plugins["echo"].digest.len(), 64);
    let snapshot: Value = serde_json::to_value(kept).unwrap();
    assert_eq!(
        snapshot["placements"],
        serde_json::json!([
            "node master=1 worker-1..3=2..4",
            "echo_server worker-1..3=1..3",
            "echo_client master=1 worker-1..3=2..4"
        ])
    );
}

#[tokio::test]
async fn a_cluster_of_components_is_deployed_recorded_and_shown() {
    let (world, host, caller) = asked(ECHO).await;
    let preview = host
        .preview_deploy(&caller, "default", vec![])
        .await
        .unwrap();
    assert_eq!(preview.frameworks, [("Echo".to_owned(), "2.0".to_owned())]);
    let sizes: Vec<(&str, &str)> = preview
        .nodes
        .iter()
        .map(|node| (node.name.as_str(), node.flavor.name.as_str()))
        .collect();
    // A server needs 384 MiB beside the system's 512, and 2 + 1 + 4 GiB of disk; a client 5 GiB.
    let worker = |name| (name, "m1.medium");
    assert_eq!(
        sizes,
        [
            ("master", "m1.small"),
            worker("worker-1"),
            worker("worker-2"),
            worker("worker-3")
        ]
    );
    assert_eq!(world.creates(), 0);

    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Active);
    assert!(view.endpoints.contains_key("echo"), "{:?}", view.endpoints);

    let stack = &world.cloud.stacks()[0].0;
    let (template, files) = world.cloud.template(stack).unwrap();
    let server = &template["resources"]["worker_2_server"]["properties"];
    assert!(server.to_string().contains("node-worker.sh"), "{server}");
    let named: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(named, ["node-master.sh", "node-worker.sh"]);

    check_pins(&pins(&world).await);

    let update = pairs(&[("stampede.workers", "4")]);
    let refused = host.update(&caller, "default", update).await.unwrap_err();
    let OrchestratorError::NotApplicable(words) = &refused else {
        panic!("{refused:?}");
    };
    assert!(
        words.contains("a cluster with components cannot be changed yet"),
        "{words}"
    );

    // Another host, with nothing but the stack, knows as much.
    drop((host, caller));
    world.plugins_are_idle().await;
    let other = world.host_with_empty_store("tests").await;
    let caller = world.caller(&other, "demo").await;
    let view = other.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Active);
    other.delete(&caller, "default").await.unwrap();
    assert_eq!(world.deletes(), 1);
}

/// What a request is refused for, at its deploy or before, a line each.
async fn refusals(set: &[(&str, &str)]) -> Vec<String> {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let given = pairs(set);
    let refused = match host.request(&caller, "default", given).await {
        Err(refused) => refused,
        Ok(_) => host.deploy(&caller, "default", vec![]).await.unwrap_err(),
    };
    assert_eq!(world.creates(), 0);
    problems(&refused)
}

#[tokio::test]
async fn what_cannot_be_is_refused_by_path_before_anything_is_made() {
    let echo = |more: &[(&'static str, &'static str)]| [ECHO, more].concat();
    for (set, wanted) in [
        (
            echo(&[("stampede.groups", "master,worker,echo")]),
            "groups: `echo` is a framework, whose parameters begin with that word (take another name)",
        ),
        (
            echo(&[("stampede.worker.components", "echo_servr")]),
            "worker.components: no framework of this cluster has a component `echo_servr`",
        ),
        (
            echo(&[("stampede.worker.components", "echo_server:4")]),
            "worker.components: wants `echo_server` on 4 nodes, and the group has 3",
        ),
        (
            echo(&[("stampede.worker.components", "echo_server:2")]),
            "worker.components: `echo_server` votes, and would be on 2 nodes",
        ),
        (
            echo(&[("stampede.edge.components", "echo_server")]),
            "edge.components: there is no such attribute (name the group `edge` in `groups`)",
        ),
        (
            echo(&[("stampede.master.components", "echo_page")]),
            "master.components: names `echo_page`, which echo does not install in this cluster (leave it out)",
        ),
        (
            echo(&[("stampede.echo.memory_share", "101")]),
            "echo.memory_share: 101 is too many (1 to 100)",
        ),
        (
            echo(&[("stampede.worker.flavor", "m1.small")]),
            "worker.flavor: `m1.small` has 512 MiB of memory, 1 vCPUs and 5 GiB of disk, a node needs 896 MiB of memory, 1 vCPUs and 7 GiB of disk; each of its nodes needs 896 MiB and 7 GiB: `node` of cluster 0 MiB and 4 GiB, `echo_server` of echo 384 MiB and 2 GiB, `echo_client` of echo 0 MiB and 1 GiB, the node itself the rest (the smallest that fits is `m1.medium`)",
        ),
        (
            echo(&[("stampede.cluster.groups", "[]")]),
            "cluster.groups: there is no such attribute",
        ),
    ] {
        let told = refusals(&set).await;
        assert!(
            told.len() == 1 && told[0].starts_with(wanted),
            "{told:#?} is not {wanted}"
        );
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once() {
    // Before any plugin is asked: settings and places.
    let told = refusals(&[
        ("stampede.framework", "echo"),
        ("stampede.echo.heap_mib", "much"),
        ("stampede.master.components", "nobody, echo_server:3"),
    ])
    .await;
    let paths = |told: &[String]| -> Vec<String> {
        let path = |line: &String| line.split(':').next().unwrap_or_default().to_owned();
        told.iter().map(path).collect()
    };
    assert_eq!(
        paths(&told),
        ["echo.heap_mib", "master.components", "master.components"],
        "{told:#?}"
    );
    // What plugins claim, and what the cloud has not.
    let told = refusals(&[
        ("stampede.framework", "echo"),
        ("stampede.master.components", "echo_page"),
        ("stampede.worker.availability_zone", "nowhere"),
        ("stampede.key", "nobodys"),
    ])
    .await;
    assert_eq!(
        paths(&told),
        ["master.components", "key", "worker.availability_zone"],
        "{told:#?}"
    );
}

#[tokio::test]
async fn endpoints_are_opened_by_name_and_what_cannot_be_is_refused() {
    let open = |name: &'static str| {
        let more = [
            ("stampede.network.open", name),
            ("stampede.network.access", "198.51.100.0/24"),
        ];
        [ECHO, &more[..]].concat()
    };
    let told = refusals(&open("echo_data")).await;
    assert!(told[0].starts_with("network.open: "), "{told:#?}");
    let told = refusals(&open("ecko")).await;
    assert!(told[0].contains("no endpoint `ecko`"), "{told:#?}");
    let (world, host, caller) = asked(&open("echo")).await;
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let (template, _) = world.cloud.template(&world.cloud.stacks()[0].0).unwrap();
    let resources = template["resources"].as_object().unwrap();
    let rules = resources
        .values()
        .filter(|one| one["type"] == "OS::Neutron::SecurityGroupRule");
    let ports: Vec<&Value> = rules
        .map(|rule| &rule["properties"]["port_range_min"])
        .collect();
    assert!(
        ports.contains(&&Value::from(7_007)) && ports.contains(&&Value::from(22)),
        "{ports:?}"
    );
}
