//! What is claimed, what that comes to on ordinary flavors, and what is refused before anything is
//! chosen.

use proptest::prelude::*;
use serde_json::{Value, json};
use stampede_framework::{Claims, Guest, Need, Request, first_grant, service};

use crate::{
    HadoopPlugin,
    settings::HadoopSettings,
    sizing::{compute_sizes, heap_mib},
    test_cluster::{GroupNodes, ON_MASTER, ON_WORKERS, grants, lines, nothing, request},
};

fn claims(workers: u32, settings: &Value) -> Claims {
    HadoopPlugin::claim(request(workers, settings), None).unwrap()
}

fn refused(request: Request, running: Option<Request>) -> String {
    lines(&HadoopPlugin::claim(request, running).unwrap_err())
}

fn settings(value: &Value) -> HadoopSettings {
    serde_json::from_value(value.clone()).unwrap()
}

/// The smallest node, in steps of 512 MiB, on which these components fit.
fn smallest(claims: &Claims, components: &[&str]) -> u32 {
    let fits = |ram: &u32| grants(claims, &[("group", components, (*ram, 2))]).is_some();
    (2..).map(|half| half * 512).find(fits).unwrap()
}

/// Heaps of NameNode, ResourceManager and history server of a master; of DataNode and NodeManager,
/// containers and their unit of a worker.
fn sizes(ram_mib: u32, vcpus: u32) -> ([u32; 3], [u32; 4]) {
    let groups: [GroupNodes<'_>; 2] = [
        ("master", ON_MASTER, (ram_mib, vcpus)),
        ("worker", ON_WORKERS, (ram_mib, vcpus)),
    ];
    let grants = grants(&claims(3, &nothing()), &groups).unwrap();
    let settings = settings(&nothing());
    let heap = |component| heap_mib(first_grant(&grants, component).unwrap(), &settings);
    let yarn = compute_sizes(&grants, &settings, 3).unwrap();
    (
        ["namenode", "resourcemanager", "jobhistory"].map(heap),
        [
            heap("datanode"),
            heap("nodemanager"),
            yarn.groups[0].granted,
            yarn.containers.minimum,
        ],
    )
}

#[test]
fn ordinary_flavors_get_what_a_person_would_give_them() {
    // beside what the plugin gave before it claimed: NameNode, ResourceManager, history server;
    // DataNode, NodeManager, containers, their unit
    for (ram, vcpus, master, worker) in [
        (2_048, 2, [256, 256, 256], [256, 256, 512, 256]), // 256 256 256; 256 256 512 256
        (4_096, 2, [814, 814, 628], [256, 256, 2_560, 512]), // 837 837 558; 256 256 2560 512
        (8_192, 4, [1_876, 1_876, 1_024], [455, 375, 5_120, 512]), // 1707 1704 1024; 384 384 5120 512
        (16_384, 8, [4_864, 4_096, 1_024], [910, 830, 12_288, 768]), // 4608 4096 1024; 896 896 12288 768
        (
            65_536,
            8,
            [8_192, 4_096, 1_024],
            [1_024, 1_024, 55_296, 2_048],
        ), // 8192 4096 1024; 1024 1024 55296 2048
    ] {
        assert_eq!(sizes(ram, vcpus), (master, worker), "{ram} MiB");
    }
}

#[test]
fn each_component_is_claimed_with_its_ports() {
    let claims = claims(3, &nothing());
    let said: Vec<String> = claims
        .needs
        .iter()
        .map(|need| {
            let Need {
                component,
                least_mib,
                most_mib,
                weight,
                disk_gib,
                ports,
            } = need;
            format!("{component} {least_mib}..{most_mib} x{weight} {disk_gib} GiB {ports:?}")
        })
        .collect();
    assert_eq!(
        said,
        [
            "hadoop_client 0..0 x0 2 GiB []",
            "namenode 768..16640 x6 1 GiB [8020, 9870]",
            "datanode 384..0 x1 1 GiB [9864, 9866, 9867]",
            "resourcemanager 384..4224 x3 0 GiB [8030, 8031, 8032, 8033, 8088]",
            "nodemanager 896..0 x8 1 GiB [8040, 8041, 8042, 13562]",
            "jobhistory 384..1152 x2 0 GiB [10020, 10033, 19888]",
        ]
    );
    let placed: Vec<String> = HadoopPlugin::describe()
        .components
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {}",
                one.name,
                one.groups.join(","),
                one.nodes,
                one.most
            )
        })
        .collect();
    assert_eq!(
        placed,
        [
            "hadoop_client * 0 0",
            "namenode master 1 1",
            "datanode worker 0 0",
            "resourcemanager master 1 1",
            "nodemanager worker,compute 0 0",
            "jobhistory master 1 1",
        ]
    );
    let named = HadoopPlugin::describe().components.into_iter();
    let named: Vec<String> = named.map(|one| one.name).collect();
    let needed: Vec<String> = claims.needs.into_iter().map(|one| one.component).collect();
    assert_eq!(named, needed);
}

#[test]
fn the_smallest_master_and_worker_have_two_gibibytes() {
    let claims = claims(1, &nothing());
    assert_eq!(smallest(&claims, ON_MASTER), 2_048);
    assert_eq!(smallest(&claims, ON_WORKERS), 2_048);
}

fn with_spark(mut request: Request) -> Request {
    request.services.push(service("spark", []));
    request
}

#[test]
fn with_spark_each_worker_has_room_for_a_driver_and_an_executor() {
    let claims = HadoopPlugin::claim(with_spark(request(2, &nothing())), None).unwrap();
    assert_eq!(smallest(&claims, ON_MASTER), 2_048);
    assert_eq!(smallest(&claims, ON_WORKERS), 3_584);
    let set = |settings: Value| HadoopPlugin::claim(with_spark(request(2, &settings)), None);
    let small = json!({"nodemanager_memory_mib": 1_535, "maximum_allocation_mib": 767});
    assert_eq!(
        lines(&set(small).unwrap_err()),
        "hadoop.nodemanager_memory_mib: 1535 MiB do not hold a driver and an executor of Spark's, which take 1536 (at least 1536, or leave it out)\n\
         hadoop.maximum_allocation_mib: 767 MiB do not hold a driver of Spark's, which take 768 (at least 768, or leave it out)"
    );
    assert!(set(json!({"nodemanager_memory_mib": 1_536, "maximum_allocation_mib": 768})).is_ok());
}

#[test]
fn what_the_user_sets_is_claimed_as_it_is() {
    let of = |settings: Value, component: &str| {
        let claims = claims(3, &settings);
        let need = claims
            .needs
            .into_iter()
            .find(|need| need.component == component);
        need.map(|need| (need.least_mib, need.most_mib)).unwrap()
    };
    // its checkpoint loads as much beside it
    let heap = json!({"namenode_heap_mib": 1_280});
    assert_eq!(of(heap, "namenode"), (2_816, 2_816));
    assert_eq!(of(json!({"datanode_heap_mib": 700}), "datanode"), (828, 0));
    assert_eq!(
        of(json!({"nodemanager_heap_mib": 300}), "nodemanager"),
        (940, 0)
    );
    let granted = json!({"nodemanager_memory_mib": 4_000});
    assert_eq!(of(granted, "nodemanager"), (4_384, 5_152));
    // a container that is wished for has to fit
    assert_eq!(
        of(json!({"map_memory_mib": 3_000}), "nodemanager"),
        (3_384, 0)
    );
    let most = json!({"namenode_heap_mib": 4_194_304, "nodemanager_memory_mib": 4_194_304});
    assert!(of(most.clone(), "namenode").0 < 16_777_216);
    assert!(of(most, "nodemanager").0 < 16_777_216);
}

#[test]
fn copies_are_computed_once_and_kept_to_the_number_of_workers() {
    let computed = |workers| claims(workers, &nothing()).computed;
    for (workers, copies) in [(1, "1"), (2, "2"), (3, "3"), (250, "3")] {
        assert_eq!(
            computed(workers),
            [("replication".to_owned(), copies.to_owned())]
        );
    }
    assert_eq!(claims(5, &json!({"replication": 2})).computed, []);
}

#[test]
fn what_cannot_be_is_refused_in_words_all_at_once() {
    let mut old = request(
        2,
        &json!({"replication": 3, "core_site": {"a": "b\nc"}, "hdfs_site": {" ": "x"}}),
    );
    old.version = "2.7.1".to_owned();
    assert_eq!(
        refused(old, None),
        "hadoop.version: there is no Hadoop 2.7.1 here (take one of 3.5.0, 3.4.3)\n\
         hadoop.replication: 3 copies of a block need 3 workers, there are 2 (take at most 2, or more workers)\n\
         hadoop.core_site: the property \"a\" has no name, or a line break or control character in its name or value \
         (Hadoop's XML files cannot carry that: take it out)\n\
         hadoop.hdfs_site: the property \" \" has no name, or a line break or control character in its name or value \
         (Hadoop's XML files cannot carry that: take it out)"
    );
}

#[test]
fn what_the_scripts_own_is_refused_by_name_in_whichever_file() {
    for file in ["core", "hdfs", "yarn", "mapred"] {
        for name in [
            "dfs.datanode.data.dir",
            "dfs.name.dir",
            " yarn.nodemanager.local-dirs",
        ] {
            let mut settings = json!({});
            settings[format!("{file}_site")] = json!({ name: "/data" });
            let told = refused(request(2, &settings), None);
            let start = format!(
                "hadoop.{file}_site: `{}` is not free: the nodes",
                name.trim()
            );
            assert!(
                told.starts_with(&start) && told.contains("the node's volume"),
                "{told}"
            );
        }
    }
    let all = (0..200).map(|n| (format!("dfs.ha.{n}"), json!("x")));
    let settings = json!({"hdfs_site": Value::Object(all.collect())});
    assert_eq!(
        refused(request(2, &settings), None).lines().count(),
        100,
        "what the host takes"
    );
}

#[test]
fn a_running_cluster_keeps_its_version_and_its_namenode() {
    let running = request(3, &json!({"replication": 3}));
    let claim = |request: &Request| HadoopPlugin::claim(request.clone(), Some(running.clone()));
    let mut other = running.clone();
    other.version = "3.4.3".to_owned();
    for placement in &mut other.placements {
        if placement.component == "namenode" {
            "edge".clone_into(&mut placement.members[0].node);
        }
    }
    assert_eq!(
        lines(&claim(&other).unwrap_err()),
        "hadoop.version: HDFS of 3.5.0 is not made into one of 3.4.3 while it runs (leave 3.5.0, or deploy a new cluster)\n\
         framework: the NameNode would move from master to edge, and the names of all files lie on master \
         (keep master and its component namenode, or deploy a new cluster)"
    );
    let mut moved = running.clone();
    for placement in &mut moved.placements {
        if ["resourcemanager", "jobhistory"].contains(&placement.component.as_str()) {
            "edge".clone_into(&mut placement.members[0].node);
        }
    }
    assert!(
        claim(&moved).is_ok(),
        "what they know lies in HDFS, or with a boot"
    );
    assert!(claim(&request(4, &json!({"replication": 2}))).is_ok());
}

#[test]
fn workers_leave_while_as_many_stay_as_there_are_copies() {
    let running = request(3, &json!({"replication": 3}));
    // what was computed stands in the settings of later changes
    assert_eq!(
        refused(
            request(2, &json!({"replication": 3})),
            Some(running.clone())
        ),
        "hadoop.replication: 3 copies of a block need 3 workers, there are 2 (take at most 2, or more workers)"
    );
    let fewer = request(2, &json!({"replication": 2}));
    assert!(HadoopPlugin::claim(fewer, Some(running)).is_ok());
}

proptest! {
    #[test]
    fn whatever_fits_is_never_more_than_there_is_and_more_memory_is_never_less(
        ram in 2_048_u32..1 << 18, more in 0_u32..1 << 14, vcpus in 1_u32..256,
    ) {
        let of = |ram: u32| {
            let groups: [GroupNodes<'_>; 2] = [("master", ON_MASTER, (ram, vcpus)), ("worker", ON_WORKERS, (ram, vcpus))];
            let grants = grants(&claims(3, &nothing()), &groups).unwrap();
            let yarn = compute_sizes(&grants, &settings(&nothing()), 3).unwrap();
            (grants, yarn)
        };
        let ((small, yarn), (large, _)) = (of(ram), of(ram + more));
        let settings = settings(&nothing());
        for (one, other) in small.iter().zip(&large) {
            let heap = heap_mib(one, &settings);
            prop_assert!(heap <= heap_mib(other, &settings), "{}", one.component);
            let jvms = if one.component == "namenode" { 2 } else { 1 };
            prop_assert!(heap == 0 || jvms * (heap + 128) <= one.memory_mib, "{}", one.component);
        }
        let manager = small.iter().find(|grant| grant.component == "nodemanager").unwrap();
        prop_assert!(yarn.groups[0].granted + heap_mib(manager, &settings) + 128 <= manager.memory_mib);
    }
}
