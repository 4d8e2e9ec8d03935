//! Tests of the whole plugin: from a request to claims and bundle, or to the problems.

use serde_json::{Value, json};
use stampede_framework::rehearsal::Rehearsal;

use super::*;

const SUM: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn standalone(workers: u32, memory_mib: u32) -> Rehearsal {
    Rehearsal::new(&[("master", 1, 4_096), ("worker", workers, memory_mib)])
        .placing(&SparkPlugin::describe().components)
}

/// A cluster whose NodeManagers give this to containers, by group.
fn on_yarn(containers: &str) -> Rehearsal {
    let groups = [
        ("master", 1, 4_096),
        ("worker", 2, 4_096),
        ("compute", 2, 8_192),
    ];
    Rehearsal::new(&groups)
        .placing(&SparkPlugin::describe().components)
        .with_service("hdfs", &[("url", "hdfs://master:8020")])
        .with_service(
            "yarn",
            &[("containers", containers), ("webapp", "http://master:8088")],
        )
}

fn ask(cluster: &Rehearsal, settings: &Value) -> Request {
    cluster.request(&SparkPlugin::describe(), settings, &[])
}

fn claims(cluster: &Rehearsal, settings: &Value) -> Claims {
    SparkPlugin::claim(ask(cluster, settings), None).unwrap()
}

fn generate(cluster: &Rehearsal, settings: &Value) -> Result<Bundle, Vec<String>> {
    let grants = cluster.grants(&claims(cluster, settings).needs);
    SparkPlugin::generate(ask(cluster, settings), grants, vec![]).map_err(said)
}

/// Each problem as `path: message (hint)`.
fn said(problems: Vec<Problem>) -> Vec<String> {
    let say = |one: &Problem| format!("{}: {} ({})", one.path, one.message, one.hint);
    problems.iter().map(say).collect()
}

fn content<'a>(bundle: &'a Bundle, path: &str) -> &'a str {
    let found = bundle.files.iter().find(|file| file.path == path).unwrap();
    &found.content
}

fn property(bundle: &Bundle, name: &str) -> Option<String> {
    let lines = content(bundle, "/etc/spark/spark-defaults.conf").lines();
    let mut values = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    values.next().map(str::to_owned)
}

fn components(claims: &Claims) -> Vec<&str> {
    claims
        .needs
        .iter()
        .map(|need| need.component.as_str())
        .collect()
}

#[test]
fn what_there_is_decides_what_is_installed() {
    let cluster = standalone(2, 2_048);
    assert_eq!(
        components(&claims(&cluster, &json!({}))),
        [CLIENT, MASTER, WORKER]
    );
    let yarn = on_yarn("{}");
    assert_eq!(components(&claims(&yarn, &json!({}))), [CLIENT, HISTORY]);
    assert_eq!(
        components(&claims(&yarn, &json!({"shuffle_service": true}))),
        [CLIENT, SHUFFLE, HISTORY]
    );
    let files_alone = standalone(2, 2_048).with_service("hdfs", &[]);
    assert_eq!(
        components(&claims(&files_alone, &json!({}))),
        [CLIENT, MASTER, WORKER, HISTORY]
    );
}

#[test]
fn ports_are_claimed_where_somebody_listens() {
    let ports = |claims: &Claims, component: &str| {
        let found = claims.needs.iter().find(|need| need.component == component);
        found.map(|need| need.ports.clone())
    };
    let cluster = standalone(2, 2_048);
    let (without, with) = (
        claims(&cluster, &json!({})),
        claims(&cluster, &json!({"shuffle_service": true})),
    );
    assert_eq!(ports(&without, MASTER), Some(vec![7_077, 8_080]));
    assert_eq!(ports(&without, WORKER), Some(vec![7_078, 8_091]));
    assert_eq!(ports(&with, WORKER), Some(vec![7_078, 8_091, 7_337]));
    let yarn = claims(&on_yarn("{}"), &json!({"shuffle_service": true}));
    assert_eq!(ports(&yarn, SHUFFLE), Some(vec![7_337]));
    assert_eq!(ports(&yarn, CLIENT), Some(vec![]));
}

#[test]
fn yarn_is_asked_for_a_java_that_spark_runs_on_and_for_the_shuffle_service_if_it_is_wanted() {
    let extensions = |settings: Value, version: &str| {
        let mut request = ask(&on_yarn("{}"), &settings);
        request.version = version.to_owned();
        let claims = SparkPlugin::claim(request, None).unwrap();
        let say = |one: &Extension| format!("{} {}={}", one.service, one.key, one.value);
        claims.extensions.iter().map(say).collect::<Vec<_>>()
    };
    assert_eq!(extensions(json!({}), "4.2.0"), ["yarn java/oldest=17"]);
    assert_eq!(
        extensions(json!({"sha512": SUM}), "3.5.9"),
        ["yarn java/oldest=11"]
    );
    assert_eq!(
        extensions(json!({"shuffle_service": true}), "4.2.0"),
        [
            "yarn java/oldest=17",
            "yarn aux-service/spark_shuffle=org.apache.spark.network.yarn.YarnShuffleService",
            "yarn yarn-site/yarn.nodemanager.aux-services.spark_shuffle.classpath=/opt/spark/yarn/*",
            "yarn yarn-site/spark.shuffle.service.port=7337",
        ]
    );
    assert_eq!(claims(&standalone(2, 2_048), &json!({})).extensions, []);
}

#[test]
fn workers_give_executors_three_quarters_and_never_more_than_they_were_granted() {
    let mut table = String::new();
    let mut before = 0;
    for gib in [2, 3, 4, 6, 8, 16, 32, 64, 128] {
        let cluster = standalone(3, gib * 1_024);
        let settings = json!({});
        let bundle = generate(&cluster, &settings).unwrap();
        let grants = cluster.grants(&claims(&cluster, &settings).needs);
        let granted = grants_of(&grants, WORKER).next().unwrap().memory_mib;
        let exec = &bundle
            .units
            .iter()
            .find(|unit| unit.component == WORKER)
            .unwrap()
            .exec;
        let memory = exec
            .split(" --memory ")
            .nth(1)
            .and_then(|rest| rest.split('m').next());
        let memory: u32 = memory.unwrap().parse().unwrap();
        let executor = property(&bundle, "spark.executor.memory").unwrap();
        let cores = property(&bundle, "spark.executor.cores").unwrap();
        table += &format!(
            "{gib:3} GiB: granted {granted:6}, executors {memory:6}, one {executor} on {cores}\n"
        );
        assert!(memory + sizes::WORKER_DAEMON_MIB + sizes::OVERHEAD_MIB <= granted);
        assert!(executor.trim_end_matches('m').parse::<u32>().unwrap() <= memory);
        assert!(memory >= before, "more memory is never less");
        before = memory;
    }
    insta::assert_snapshot!(table);
}

#[test]
fn executors_on_yarn_fit_beside_a_driver_on_the_smallest_node() {
    let mut table = String::new();
    for (mib, vcpus) in [
        (1_536, 1),
        (2_560, 2),
        (6_144, 4),
        (14_336, 8),
        (60_416, 16),
    ] {
        let containers = json!({"worker": [mib, vcpus], "compute": [65_536, 32]}).to_string();
        let bundle = generate(&on_yarn(&containers), &json!({})).unwrap();
        let mib_of = |name: &str| -> u32 {
            property(&bundle, name)
                .unwrap()
                .trim_end_matches('m')
                .parse()
                .unwrap()
        };
        let [executor, overhead, driver, beside] = [
            "spark.executor.memory",
            "spark.executor.memoryOverhead",
            "spark.driver.memory",
            "spark.driver.memoryOverhead",
        ]
        .map(mib_of);
        assert!(executor + overhead + driver + beside <= mib);
        let cores = property(&bundle, "spark.executor.cores").unwrap();
        table += &format!(
            "{mib} MiB, {vcpus} processors: executors of {executor}+{overhead} on {cores}, drivers of {driver}+{beside}\n"
        );
    }
    insta::assert_snapshot!(table);
}

#[test]
fn containers_are_whole_units_of_yarns() {
    let yarn = on_yarn("{}").request(&SparkPlugin::describe(), &json!({}), &[]);
    let settings: SparkSettings = read_settings(NAME, &yarn).unwrap();
    for unit_mib in [128, 256, 512, 1_024, 2_048] {
        for memory_mib in (0..40).map(|n| n * unit_mib) {
            let groups = [("worker".to_owned(), (memory_mib, 4))].into();
            let Ok(sizes) = size_on_yarn(&settings, &YarnContainers { groups, unit_mib }) else {
                assert!(memory_mib < 2 * 768_u32.next_multiple_of(unit_mib) + 1_024);
                continue;
            };
            let executor = sizes.executor_mib + sizes.executor_overhead_mib;
            let driver = sizes.driver_mib + sizes.driver_overhead_mib;
            let both = executor.next_multiple_of(unit_mib) + driver.next_multiple_of(unit_mib);
            assert!(
                both <= memory_mib,
                "{both} of {memory_mib} in units of {unit_mib}"
            );
        }
    }
}

#[test]
fn nodes_that_run_nothing_are_refused_with_the_sum() {
    let small = r#"{"worker": [1408, 2], "compute": [8192, 4]}"#;
    assert_eq!(
        generate(&on_yarn(small), &json!({})).unwrap_err(),
        [
            "worker.flavor: a node of `worker` gives containers 1408 MiB, a driver takes 768 and an executor beside it 768 (take a flavor with more memory)"
        ]
    );
    let large = json!({"executor_memory_mib": 8_000});
    assert_eq!(
        generate(&on_yarn(r#"{"worker": [4096, 2]}"#), &large).unwrap_err(),
        [
            "spark.executor_memory_mib: a node of `worker` gives containers 4096 MiB, a driver takes 1280 and an executor beside it 9088 (take less, or a flavor with more memory)"
        ]
    );
    assert_eq!(
        generate(&standalone(2, 2_048), &large).unwrap_err(),
        [
            "spark.executor_memory_mib: the smallest worker gives executors 861 MiB, one is to take 8000 (take at most 861, or a flavor with more memory)"
        ]
    );
    assert_eq!(
        generate(&on_yarn("{}"), &json!({})).unwrap_err(),
        [
            "framework: there is no node that YARN has containers on (give a group nodes that compute)"
        ]
    );
    let moved = on_yarn(r#"{"worker": [4096, 2], "compute": [4096, 2]}"#)
        .with_members(CLIENT, &["master", "worker-1", "worker-2"]);
    assert_eq!(
        generate(&moved, &json!({})).unwrap_err(),
        [
            "compute.components: nodes of `compute` run containers of YARN, and have no Spark (give them spark_client)"
        ]
    );
}

#[test]
fn what_cannot_be_set_is_refused_all_at_once() {
    let settings = json!({"defaults": {"spark.master": "local", "spark.authenticate.secret": "x", "spark.ui.port": "1"}, "worker_memory_mib": 1_024});
    let mut request = ask(&on_yarn("{}"), &settings);
    request.version = "3.5.9".to_owned();
    let problems = said(SparkPlugin::claim(request, None).unwrap_err());
    assert_eq!(
        problems,
        [
            "spark.defaults: spark.authenticate.secret is Stampede's own (leave it out; what of it can be set has a parameter of its own)",
            "spark.defaults: spark.master is Stampede's own (leave it out; what of it can be set has a parameter of its own)",
            "spark.sha512: the checksum of Spark 3.5.9 is not known here (set it to what https://archive.apache.org/dist/spark/spark-3.5.9/spark-3.5.9-bin-hadoop3.tgz.sha512 says, or to that of your mirror's file)",
            "spark.worker_memory_mib: on YARN there are no workers of Spark's own (leave it out: what YARN gives to containers is Hadoop's to say)",
        ]
    );
}

#[test]
fn what_a_user_sets_reaches_who_reads_it() {
    let settings = json!({"defaults": {"spark.sql.shuffle.partitions": "8", "spark.worker.timeout": "30", "spark.x": "C:\\y"}, "executor_cores": 3, "driver_memory_mib": 700, "dynamic_allocation": false});
    let bundle = generate(&standalone(2, 8_192), &settings).unwrap();
    assert_eq!(
        property(&bundle, "spark.sql.shuffle.partitions").as_deref(),
        Some("8")
    );
    assert_eq!(
        property(&bundle, "spark.executor.cores").as_deref(),
        Some("3")
    );
    assert_eq!(
        property(&bundle, "spark.driver.memory").as_deref(),
        Some("700m")
    );
    assert_eq!(property(&bundle, "spark.x").as_deref(), Some("C:\\\\y"));
    assert_eq!(
        property(&bundle, "spark.dynamicAllocation.enabled").as_deref(),
        Some("false")
    );
    assert_eq!(property(&bundle, "spark.worker.timeout"), None);
    assert!(content(&bundle, "/etc/spark/daemons.conf").contains("spark.worker.timeout 30\n"));
}

#[test]
fn the_secret_is_for_sparks_group_alone_and_on_yarn_there_is_none() {
    let own = generate(&standalone(2, 2_048), &json!({})).unwrap();
    for file in own
        .files
        .iter()
        .filter(|file| file.content.contains("@{secret."))
    {
        assert_eq!(
            (file.owner.as_str(), file.mode),
            ("root:spark", 0o640),
            "{}",
            file.path
        );
    }
    assert_eq!(own.secrets.len(), 1);
    assert_eq!(own.services[0].attribute("group"), Some("spark"));
    assert_eq!(
        own.services[0].attribute("master"),
        Some("spark://master:7077")
    );
    let yarn = generate(&on_yarn(r#"{"worker": [4096, 2]}"#), &json!({})).unwrap();
    assert!(
        yarn.files
            .iter()
            .all(|file| !file.content.contains("@{secret."))
    );
    assert_eq!(
        (yarn.secrets.len(), yarn.services[0].attribute("group")),
        (0, None)
    );
    assert_eq!(yarn.services[0].attribute("master"), Some("yarn"));
}

#[test]
fn a_change_of_what_applications_begin_with_restarts_no_daemon() {
    let restarting = |settings: Value| {
        let bundle = generate(&standalone(2, 8_192), &settings).unwrap();
        let files = bundle
            .files
            .into_iter()
            .filter(|file| file.effect != stampede_framework::Effect::Nothing);
        files
            .map(|file| (file.path, file.content))
            .collect::<Vec<_>>()
    };
    let plain = restarting(json!({}));
    assert_eq!(
        plain,
        restarting(json!({"executor_memory_mib": 600, "defaults": {"spark.ui.port": "4050"}}))
    );
    assert_ne!(
        plain,
        restarting(json!({"defaults": {"spark.worker.timeout": "30"}}))
    );
}

#[test]
fn what_a_cluster_of_its_own_is_made_of() {
    let bundle = generate(&standalone(2, 4_096), &json!({})).unwrap();
    insta::assert_snapshot!(text_of(&bundle));
}

#[test]
fn executors_let_go_of_a_node_that_leaves_where_spark_can_have_them_do_so() {
    let containers = r#"{"worker":[2560,4]}"#;
    let lets_go = |cluster: &Rehearsal, service: bool| {
        let bundle = generate(cluster, &json!({"shuffle_service": service})).unwrap();
        property(&bundle, "spark.decommission.enabled").is_some()
    };
    assert!(lets_go(&on_yarn(containers), false));
    // Spark passes over it then, and says so in every application's log.
    assert!(!lets_go(&on_yarn(containers), true));
}

#[test]
fn what_spark_on_yarn_is_made_of() {
    let containers = r#"{"worker": [6144, 4], "compute": [8192, 4]}"#;
    let bundle = generate(&on_yarn(containers), &json!({"shuffle_service": true})).unwrap();
    insta::assert_snapshot!(text_of(&bundle));
}

fn text_of(bundle: &Bundle) -> String {
    let mut text = String::new();
    for unit in &bundle.units {
        text += &format!(
            "{} {:?}: {}\n{:?}\n",
            unit.name, unit.groups, unit.exec, unit.directives
        );
    }
    for path in [
        "/etc/spark/spark-defaults.conf",
        "/etc/spark/daemons.conf",
        "/etc/spark/spark-env.sh",
        "/etc/spark/cluster.env",
    ] {
        text += &format!("\n{path}\n{}", content(bundle, path));
    }
    for one in &bundle.services {
        text += &format!("\n{} {:?}\n", one.name, one.attributes);
    }
    text
}
