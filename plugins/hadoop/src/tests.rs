//! Tests of the whole plugin: from a request to the bundle, or to the problems.

use proptest::prelude::*;
use serde_json::{Value, json};
use stampede_framework::{Effect, Reach, Stage};

use super::*;
use crate::test_cluster::{
    ON_MASTER, ON_WORKERS, bundle, content, generated, lines, nothing, property, request, value,
};

fn told(workers: u32, settings: &Value) -> String {
    lines(&bundle(workers, 4_096, settings).unwrap_err())
}

/// What stands on nodes, without the texts of programs and scripts.
fn shown(bundle: &Bundle) -> Value {
    let files = bundle.files.iter().map(|file| {
        let path = &file.path;
        let is_configuration = path.starts_with("/etc/hadoop/") || path.ends_with(".env");
        let text: Vec<&str> = if is_configuration { file.content.lines().collect() } else { vec![] };
        let on = file.components.join(",");
        json!({
            "path": path, "on": on, "groups": file.groups, "owner": file.owner, "mode": format!("{:o}", file.mode),
            "effect": format!("{:?}", file.effect), "text": text,
        })
    });
    let units = bundle.units.iter().map(|unit| {
        let directives = unit.directives.iter().map(|(name, value)| format!("{name}={value}"));
        json!({
            "name": unit.name, "of": unit.component, "groups": unit.groups, "owner": unit.owner, "exec": unit.exec,
            "data": unit.data, "directives": directives.collect::<Vec<_>>(),
        })
    });
    let checks = bundle
        .checks
        .iter()
        .map(|check| format!("{} {}", check.component, check.probe));
    let scripts = bundle
        .scripts
        .iter()
        .map(|script| format!("{} {:?}", script.component, script.stage));
    let services = bundle
        .services
        .iter()
        .map(|service| json!({"name": service.name, "attributes": service.attributes}));
    json!({
        "software": bundle.software.iter().map(|one| format!("{} {:?}", one.kind, one.names)).collect::<Vec<_>>(),
        "artifacts": bundle.artifacts.iter().map(|one| format!("{} {} {:?} {}", one.to, one.path, one.bases, one.sha512)).collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(), "units": units.collect::<Vec<_>>(), "checks": checks.collect::<Vec<_>>(),
        "scripts": scripts.collect::<Vec<_>>(), "services": services.collect::<Vec<_>>(),
    })
}

#[test]
fn a_cluster_of_one_worker_is_as_recorded() {
    insta::assert_json_snapshot!(shown(&bundle(1, 2_048, &nothing()).unwrap()));
}

#[test]
fn a_cluster_of_three_workers_is_as_recorded() {
    insta::assert_json_snapshot!(shown(&bundle(3, 8_192, &nothing()).unwrap()));
}

#[test]
fn three_workers_get_a_cluster_of_the_default_sizes() {
    let got = bundle(3, 4_096, &nothing()).unwrap();
    assert_eq!(value(&got, "core", "fs.defaultFS"), "hdfs://master:8020");
    assert_eq!(value(&got, "hdfs", "dfs.replication"), "3");
    assert_eq!(
        value(&got, "yarn", "yarn.nodemanager.resource.memory-mb"),
        "2560"
    );
    assert_eq!(value(&got, "mapred", "mapreduce.map.memory.mb"), "512");
    assert!(
        value(&got, "mapred", "yarn.app.mapreduce.am.command-opts")
            .contains("--add-opens=java.base/java.lang=ALL-UNNAMED")
    );
    assert_eq!(got, bundle(3, 4_096, &nothing()).unwrap());
    assert_eq!(got.template, "");
}

#[test]
fn more_workers_change_nothing_on_those_that_are_there() {
    let asked = json!({"replication": 3});
    assert_eq!(
        bundle(4, 4_096, &asked).unwrap(),
        bundle(5, 4_096, &asked).unwrap()
    );
    let (few, many) = (
        bundle(32, 4_096, &asked).unwrap(),
        bundle(33, 4_096, &asked).unwrap(),
    );
    let differ = few
        .files
        .iter()
        .zip(&many.files)
        .filter(|(one, other)| one != other);
    let paths: Vec<_> = differ.map(|(one, _)| one.path.as_str()).collect();
    assert_eq!(
        paths, ["/etc/hadoop/yarn-site.xml"; 2],
        "how often many ask"
    );
}

#[test]
fn each_version_has_its_tarball_and_a_checksum_is_taken_in_place_of_apaches() {
    let artifact = |version: &str, settings: &Value| {
        let mut asked = request(1, settings);
        version.clone_into(&mut asked.version);
        let groups = [
            ("master", ON_MASTER, (4_096, 2)),
            ("worker", ON_WORKERS, (4_096, 2)),
        ];
        generated(&asked, &groups, &[]).unwrap().artifacts.remove(0)
    };
    let release = artifact("3.4.3", &nothing());
    assert_eq!(
        release.path,
        "hadoop/common/hadoop-3.4.3/hadoop-3.4.3.tar.gz"
    );
    assert!(release.sha512.starts_with("e25be7e5"));
    assert_eq!(
        release.bases,
        [
            "https://dlcdn.apache.org",
            "https://archive.apache.org/dist"
        ]
    );
    let own = artifact("3.5.0", &json!({"sha512": "ab".repeat(64)}));
    assert_eq!(own.sha512, "ab".repeat(64));
}

#[test]
fn containers_that_do_not_fit_are_refused_in_words() {
    let wide = json!({"nodemanager_memory_mib": 2_560, "map_memory_mib": 2_561});
    assert!(
        told(2, &wide).starts_with("hadoop.map_memory_mib: 2561 MiB are more than the 2560 MiB")
    );
    assert!(bundle(2, 4_096, &json!({"map_memory_mib": 2_560})).is_ok());
    assert!(told(1, &json!({"map_memory_mib": 2_560})).contains("do not fit beside each other"));
    let unit = json!({"nodemanager_memory_mib": 600, "minimum_allocation_mib": 700});
    assert!(
        told(2, &unit)
            .starts_with("hadoop.minimum_allocation_mib: 700 MiB are more than the 600 MiB")
    );
}

#[test]
fn groups_that_compute_have_numbers_of_their_own_and_others_none() {
    let groups = [
        ("master", ON_MASTER, (4_096, 2)),
        ("worker", ON_WORKERS, (4_096, 2)),
        (
            "compute",
            &["hadoop_client", "nodemanager"][..],
            (16_384, 8),
        ),
        ("edge", &["hadoop_client"][..], (2_048, 1)),
    ];
    let got = generated(&request(3, &nothing()), &groups, &[]).unwrap();
    let of = |group: &str, name: &str| {
        property(
            &got,
            "yarn-site",
            group,
            &format!("yarn.nodemanager.resource.{name}"),
        )
    };
    assert_eq!(of("worker", "memory-mb").as_deref(), Some("2560"));
    assert_eq!(of("compute", "memory-mb").as_deref(), Some("13824"));
    assert_eq!(of("compute", "cpu-vcores").as_deref(), Some("16"));
    assert_eq!(
        (of("edge", "memory-mb"), of("master", "cpu-vcores")),
        (None, None)
    );
    for group in ["master", "worker", "compute", "edge"] {
        let whole = |name: &str| property(&got, "yarn-site", group, name);
        assert_eq!(
            whole("yarn.scheduler.maximum-allocation-mb").as_deref(),
            Some("13824")
        );
        assert_eq!(
            whole("yarn.scheduler.maximum-allocation-vcores").as_deref(),
            Some("16")
        );
    }
    let yarn = got
        .services
        .iter()
        .find(|service| service.name == "yarn")
        .unwrap();
    assert_eq!(
        yarn.attribute("containers"),
        Some(r#"{"worker":[2560,4],"compute":[13824,16]}"#)
    );
}

#[test]
fn a_node_without_the_client_has_the_configuration_that_its_daemons_read() {
    let groups = [
        (
            "master",
            &["namenode", "resourcemanager", "jobhistory"][..],
            (4_096, 2),
        ),
        ("worker", &["datanode", "nodemanager"][..], (4_096, 2)),
    ];
    let got = generated(&request(3, &nothing()), &groups, &[]).unwrap();
    for group in ["master", "worker"] {
        assert!(property(&got, "yarn-site", group, "yarn.resourcemanager.hostname").is_some());
    }
}

#[test]
fn processors_count_and_the_smallest_worker_runs_a_job() {
    let got = bundle(2, 32_768, &nothing()).unwrap();
    let scheduler = content(&got, "/etc/hadoop/capacity-scheduler.xml", "master");
    assert!(scheduler.contains("resource.DominantResourceCalculator</value>"));
    let vcores = |bundle: &Bundle| value(bundle, "yarn", "yarn.nodemanager.resource.cpu-vcores");
    assert_eq!(vcores(&got), "4", "two processors");
    let groups = [
        ("master", ON_MASTER, (2_048, 1)),
        ("worker", ON_WORKERS, (2_048, 1)),
    ];
    let one = generated(&request(1, &nothing()), &groups, &[]).unwrap();
    assert_eq!(vcores(&one), "2", "an ApplicationMaster and a task");
}

#[test]
fn logs_and_histories_end_and_disks_keep_room() {
    let got = bundle(2, 4_096, &nothing()).unwrap();
    let seven_days = 7 * 24 * 60 * 60;
    assert_eq!(
        value(&got, "yarn", "yarn.log-aggregation.retain-seconds"),
        seven_days.to_string()
    );
    assert_eq!(
        value(&got, "mapred", "mapreduce.jobhistory.max-age-ms"),
        format!("{seven_days}000")
    );
    // a twentieth of the 20 GiB of the flavor
    let cache = "yarn.nodemanager.localizer.cache.target-size-mb";
    assert_eq!(value(&got, "yarn", cache), "1024");
    assert_eq!(
        value(&got, "hdfs", "dfs.datanode.du.reserved"),
        "${env.STAMPEDE_RESERVED:-1073741824}"
    );
    let free = "yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb";
    assert_eq!(value(&got, "yarn", free), "${env.STAMPEDE_FREE_MIB:-0}");
    let free = json!({"hdfs_site": {"dfs.replication.max": "64", "dfs.datanode.du.reserved": "0"}});
    assert_eq!(
        value(
            &bundle(2, 4_096, &free).unwrap(),
            "hdfs",
            "dfs.datanode.du.reserved"
        ),
        "0"
    );
}

#[test]
fn what_the_launcher_says_has_a_value_without_it() {
    let got = bundle(2, 4_096, &nothing()).unwrap();
    for file in got
        .files
        .iter()
        .filter(|file| file.path.ends_with("-site.xml"))
    {
        for variable in file.content.split("${").skip(1) {
            let variable = variable.split('}').next().unwrap();
            let is_bound =
                variable.contains(":-") || ["stampede.recovery", "user.name"].contains(&variable);
            assert!(is_bound, "{}: {variable}", file.path);
        }
    }
    let launch = include_str!("../scripts/launch.sh");
    for name in ["STAMPEDE_RESERVED", "STAMPEDE_FREE_MIB"] {
        assert!(launch.contains(&format!("{name}=")), "{name}");
    }
}

#[test]
fn a_change_restarts_those_alone_who_read_what_has_changed() {
    let restarted = |settings: Value| {
        let (one, other) = (
            bundle(3, 4_096, &nothing()).unwrap(),
            bundle(3, 4_096, &settings).unwrap(),
        );
        let changed = one
            .files
            .iter()
            .zip(&other.files)
            .filter(|(one, other)| one != other);
        let changed: Vec<_> = changed.map(|(one, _)| one).collect();
        let units = one.units.iter().zip(&other.units).filter(|(unit, new)| {
            let reads = |file: &&&stampede_framework::File| {
                file.effect == Effect::Restart
                    && (file.components.is_empty() || file.components.contains(&unit.component))
            };
            unit != new || changed.iter().any(|file| reads(&file))
        });
        units.map(|(unit, _)| unit.name.clone()).collect::<Vec<_>>()
    };
    let hdfs = [
        "namenode",
        "checkpoint",
        "jobhistory",
        "datanode",
        "nodemanager",
    ];
    assert_eq!(
        restarted(json!({"replication": 2})),
        hdfs.map(|name| format!("hadoop-{name}"))
    );
    let jobs = ["hadoop-jobhistory", "hadoop-nodemanager"];
    assert_eq!(restarted(json!({"map_memory_mib": 1_024})), jobs);
    let queues = [
        "hadoop-resourcemanager",
        "hadoop-jobhistory",
        "hadoop-nodemanager",
    ];
    assert_eq!(restarted(json!({"yarn_site": {"a": "b"}})), queues);
    assert_eq!(restarted(json!({"drain_s": 7})), Vec::<String>::new());
    assert_eq!(restarted(json!({"smoke": false})), Vec::<String>::new());
}

#[test]
fn pages_may_be_opened_and_what_only_nodes_can_use_may_not() {
    let got = bundle(1, 4_096, &nothing()).unwrap();
    let said: Vec<_> = got
        .endpoints
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.component.as_str(),
                one.port,
                one.reach,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("hadoop_hdfs", "namenode", 8020, Reach::Cluster),
            ("hadoop_namenode", "namenode", 9870, Reach::Outside),
            (
                "hadoop_resourcemanager",
                "resourcemanager",
                8088,
                Reach::Outside
            ),
            ("hadoop_history", "jobhistory", 19_888, Reach::Outside),
        ]
    );
}

#[test]
fn whoever_does_not_want_a_job_gets_none() {
    let smokes = |settings: Value| {
        let scripts = bundle(1, 4_096, &settings).unwrap().scripts;
        scripts
            .iter()
            .filter(|script| script.stage == Stage::Smoke)
            .count()
    };
    assert_eq!((smokes(nothing()), smokes(json!({"smoke": false}))), (1, 0));
}

#[test]
fn daemons_come_back_and_nothing_undoes_what_the_frame_gives_them() {
    let got = bundle(1, 4_096, &nothing()).unwrap();
    assert_eq!(got.units.len(), 6);
    for unit in &got.units {
        assert!(unit.owner.ends_with(":hadoop"), "{}", unit.name);
        for (name, _) in &unit.directives {
            assert!(
                !["Restart", "SuccessExitStatus", "StartLimitIntervalSec"].contains(&name.as_str()),
                "{name}"
            );
        }
    }
}

#[test]
fn java_is_opened_alike_for_daemons_and_for_tasks() {
    let launch = include_str!("../scripts/launch.sh");
    let line = launch
        .lines()
        .find(|line| line.starts_with("for package in "))
        .unwrap();
    assert_eq!(
        line,
        format!("for package in {}; do", units::JAVA_OPENS.join(" "))
    );
}

#[test]
fn placeholders_stand_where_the_frame_fills_them_in_and_nowhere_else() {
    let got = bundle(1, 4_096, &nothing()).unwrap();
    for file in &got.files {
        for found in file.content.split("@{").skip(1) {
            assert!(found.starts_with("java}"), "{}", file.path);
        }
    }
    for script in &got.scripts {
        assert!(!script.body.contains("@{"), "{}", script.component);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_property_of_the_user_arrives_in_its_file(name in "[a-z.]{1,20}", text in "\\PC*") {
        let got = bundle(1, 4_096, &json!({"core_site": {name.clone(): text.clone()}})).unwrap();
        let xml = value(&got, "core", &name);
        prop_assert_eq!(xml.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), text);
    }
}
