//! Requests that cannot be, with the plugins as they are shipped: each is refused before anything is
//! made, with all that is wrong in one answer, whether it is asked for, deployed, only tried, or typed
//! into a form.

use std::sync::{Arc, LazyLock};

use stampede::{
    orchestrator::{ClusterPlanner, FormDepth, planning::plugin_planner::PluginPlanner},
    plugin::{PluginLimits, PluginRegistry},
};
use stampede_tests::artifacts;

use crate::fixture::{LifecycleFixture, pairs, problems};

/// All plugins that are shipped, and one that goes together with few of them.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let shipped = ["cluster", "hadoop", "jupyterlab", "spark", "zookeeper"];
    let shipped = shipped.map(|name| ("plugins", name));
    for (from, name) in shipped.into_iter().chain([("guests", "rival")]) {
        let file = format!("{name}.wasm");
        let from = artifacts::target_folder().join(from).join(&file);
        let copied = std::fs::copy(&from, folder.path().join(file));
        assert!(copied.is_ok(), "run tests/build first");
    }
    folder
});

pub(crate) fn plugins() -> Arc<dyn ClusterPlanner> {
    static PLUGINS: LazyLock<Arc<dyn ClusterPlanner>> = LazyLock::new(|| {
        let cache = artifacts::target_folder().join("guests/cache");
        let limits = PluginLimits::default();
        let registry = PluginRegistry::load(FOLDER.path(), Some(&cache), limits).unwrap();
        assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
        Arc::new(PluginPlanner(registry))
    });
    Arc::clone(&PLUGINS)
}

/// What is told, a line each: the same whether it is tried, or asked for and deployed.
async fn refusals(set: &[(&str, &str)]) -> Vec<String> {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let given = pairs(set);
    let tried = host.preview_deploy(&caller, "default", given.clone()).await;
    let tried = problems(&tried.unwrap_err());
    let forms = host.forms();
    let form = forms.new_cluster(&caller, "default", given.clone(), FormDepth::Typing);
    let form = form.await.unwrap();
    assert_eq!(
        problems(&form.refusal().unwrap()),
        tried,
        "as the form says"
    );
    let refused = match host.request(&caller, "default", given).await {
        Err(refused) => refused,
        Ok(_) => host.deploy(&caller, "default", vec![]).await.unwrap_err(),
    };
    assert_eq!(world.creates(), 0);
    assert_eq!(problems(&refused), tried);
    tried
}

/// The paths, in their order.
fn paths(told: &[String]) -> Vec<&str> {
    told.iter()
        .map(|line| line.split(':').next().unwrap_or_default())
        .collect()
}

/// Each one has to do something.
fn has_hint(line: &str) -> bool {
    line.ends_with(')')
}

/// What is asked for, and how the first line of the refusal begins.
const BAD_INPUTS: &[(&[(&str, &str)], &str)] = &[
    (
        &[("framework", "spark"), ("groups", "master,worker,spark")],
        "groups: `spark` is a framework, whose parameters begin with that word (take another name)",
    ),
    (
        &[("worker.components", "datanoode")],
        "worker.components: no framework of this cluster has a component `datanoode`",
    ),
    (
        &[("framework", "zookeeper"), ("workers", "2")],
        "zookeeper.least_voters: 3 servers have to vote, the nodes there are give 1",
    ),
    (
        &[
            ("framework", "zookeeper"),
            ("workers", "2"),
            ("worker.components", "zookeeper_server:3"),
        ],
        "worker.components: wants `zookeeper_server` on 3 nodes, and the group has 2",
    ),
    (
        &[("framework", "spark,rival")],
        "framework: `spark` and `rival` both provide `spark`",
    ),
    (
        &[("edge.components", "jupyterlab")],
        "edge.components: there is no such attribute (name the group `edge` in `groups`)",
    ),
    (
        &[("hadoop.memory_share", "101")],
        "hadoop.memory_share: 101 is too many (1 to 100)",
    ),
    (
        &[
            ("framework", "hadoop,spark"),
            ("hadoop.memory_share", "60"),
            ("spark.memory_share", "60"),
        ],
        "spark.memory_share: all shares together are 120 percent: hadoop 60, spark 60",
    ),
    (
        &[
            ("network.open", "hadoop_namenode"),
            ("network.access", "0.0.0.0/0"),
        ],
        "network.open: `hadoop_namenode` asks for no password, and would be open to 0.0.0.0/0",
    ),
    (
        &[("worker.flavor", "m1.medium")],
        "worker.flavor: `m1.medium` has 1024 MiB of memory, 2 vCPUs and 10 GiB of disk, a node needs 1792 MiB",
    ),
    (
        &[("framework", "hadoop,rival")],
        "hadoop.version: Hadoop 3.5.0 runs on Java 17 to 17, and with what other frameworks need no Java from 21 to 17 is left",
    ),
    (
        &[("worker.availability_zone", "nowhere")],
        "worker.availability_zone: there is no availability zone `nowhere`",
    ),
    (
        &[("python.index", "https://user:hunter2@pypi.example.org")],
        "python.index: holds a user name",
    ),
    (
        &[("java.tarballs", "17=https://mirror.example.org/hunter2")],
        "java.tarballs: entry 1 has no checksum",
    ),
    (
        &[("worker.volume_gib", "16385")],
        "worker.volume_gib: 16385 is too many (0 to 16384)",
    ),
    (
        &[("hadoop.data_volume_gib", "10")],
        "hadoop.data_volume_gib: there is no such attribute (it is called `worker.volume_gib` now)",
    ),
];

#[tokio::test]
async fn each_bad_input_is_refused_by_its_path_with_what_to_do() {
    for (set, wanted) in BAD_INPUTS {
        let set: Vec<(String, &str)> = set
            .iter()
            .map(|(name, value)| (format!("stampede.{name}"), *value))
            .collect();
        let set: Vec<(&str, &str)> = set
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let told = refusals(&set).await;
        assert!(
            told[0].starts_with(wanted) && told.iter().all(|line| has_hint(line)),
            "{told:#?} is not {wanted}"
        );
        // What follows from a mistake is told with it, and nothing else.
        assert!(
            paths(&told).iter().all(|path| *path == paths(&told)[0]),
            "{told:#?}"
        );
        assert!(
            told.iter().all(|line| !line.contains("hunter2")),
            "{told:#?}"
        );
    }
}

#[tokio::test]
async fn all_that_is_wrong_comes_in_one_answer() {
    let told = refusals(&[
        ("stampede.framework", "hadoop,rival,zookeeper,spark"),
        ("stampede.workers", "2"),
        ("stampede.groups", "master,worker,spark"),
        ("stampede.edge.components", "jupyterlab"),
        ("stampede.zookeeper.memory_share", "101"),
        ("stampede.hadoop.block_size_mib", "none"),
        ("stampede.worker.components", "datanoode"),
        ("stampede.worker.flavor", "m1.tiny"),
        ("stampede.worker.availability_zone", "nowhere"),
        ("stampede.network.access", "0.0.0.0/0"),
        ("stampede.network.open", "rival"),
        ("stampede.key", "nobodys"),
    ])
    .await;
    let mut sorted = paths(&told);
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "edge.components",
            "framework",
            "groups",
            "hadoop.block_size_mib",
            "key",
            "network.open",
            "worker.availability_zone",
            "worker.components",
            "worker.flavor",
            "zookeeper.least_voters",
            "zookeeper.memory_share",
        ],
        "{told:#?}"
    );
    assert!(told.iter().all(|line| has_hint(line)), "{told:#?}");
    let of = |path: &str| told.iter().find(|line| line.starts_with(path)).unwrap();
    assert!(of("framework").contains("both provide `spark`"));
    // Hadoop's settings are wrong, so that nothing is known of what it needs; the others' sum is.
    assert!(!of("worker.flavor").contains("datanode"), "{told:#?}");
}

#[tokio::test]
async fn what_is_found_when_plugins_generate_stands_beside_the_rest() {
    let told = refusals(&[
        ("stampede.framework", "hadoop,rival,zookeeper"),
        ("stampede.workers", "2"),
        ("stampede.worker.flavor", "m1.medium"),
        ("stampede.network.access", "0.0.0.0/0"),
        ("stampede.network.open", "rival"),
        ("stampede.worker.availability_zone", "nowhere"),
    ])
    .await;
    assert_eq!(
        paths(&told),
        [
            "zookeeper.least_voters",
            "worker.flavor",
            "worker.availability_zone",
            "hadoop.version",
            "network.open",
        ],
        "{told:#?}"
    );
    let flavor = &told[1];
    for part in [
        "`datanode` of hadoop 384 MiB",
        "`nodemanager` of hadoop",
        "`m1.xlarge`",
    ] {
        assert!(flavor.contains(part), "{part}: {flavor}");
    }
}

#[tokio::test]
async fn hadoop_with_spark_and_notebooks_is_planned_or_told_the_sum_and_the_flavor() {
    for frameworks in ["hadoop,spark", "hadoop,spark,jupyterlab"] {
        let told = refusals(&[
            ("stampede.framework", frameworks),
            ("stampede.worker.flavor", "m1.large"),
        ])
        .await;
        assert_eq!(paths(&told), ["worker.flavor"], "{told:#?}");
        let wanted = "`nodemanager` of hadoop 2432 MiB and 1 GiB, `spark_client` of spark 0 MiB and 2 GiB, the node itself the rest (the smallest that fits is `m1.xlarge`)";
        assert!(told[0].contains(wanted), "{told:#?}");
        let mut world = LifecycleFixture::new().await;
        world.use_plugins(plugins());
        let host = world.host().await;
        let caller = world.caller(&host, "demo").await;
        let given = pairs(&[
            ("stampede.framework", frameworks),
            ("stampede.groups", "master,worker,edge"),
        ]);
        let preview = host.preview_deploy(&caller, "default", given).await;
        let sizes: Vec<u32> = preview
            .unwrap()
            .nodes
            .iter()
            .map(|node| node.flavor.ram_mib)
            .collect();
        assert_eq!(sizes[1..3], [4_096; 2], "{frameworks}");
    }
}

/// A volume for data is made, counted and attached; the manifest of its group names it.
#[tokio::test]
async fn volumes_java_and_the_python_index_reach_the_nodes() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let sum = "0".repeat(64);
    let java = format!("17=http://mirror.example.org/jdk.tar.gz#sha256={sum}");
    let given = pairs(&[
        ("stampede.framework", "hadoop,jupyterlab"),
        ("stampede.groups", "master,worker,edge"),
        ("stampede.worker.volume_gib", "30"),
        ("stampede.cluster.volume_type", "ssd"),
        ("stampede.python.index", "http://pypi.example.org/simple/"),
        ("stampede.java.tarballs", &java),
    ]);
    let preview = host
        .preview_deploy(&caller, "default", given.clone())
        .await
        .unwrap();
    let taken = |name: &str| {
        preview
            .quotas
            .iter()
            .find(|one| one.what == name)
            .unwrap()
            .needed
    };
    assert_eq!((taken("volumes"), taken("GiB of volumes")), (2, 60));
    host.request(&caller, "default", given).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let view = host.view(&caller, "default").await.unwrap();
    for (name, value) in [
        ("worker.volume_gib", "30"),
        ("python.index", "http://pypi.example.org/simple/"),
        ("java.tarballs", java.as_str()),
    ] {
        assert_eq!(view.attributes[&format!("stampede.{name}")], value);
    }
    let (template, _) = world.cloud.template(&world.cloud.stacks()[0].0).unwrap();
    let volume = &template["resources"]["worker_2_volume"]["properties"];
    assert_eq!(
        (&volume["size"], &volume["volume_type"]),
        (&30.into(), &"ssd".into())
    );
    assert_eq!(template["resources"].get("master_volume"), None);
    let kept = &world.records().await[0].notified.installed;
    assert!(kept.contains_key("worker"), "{kept:?}");
}
