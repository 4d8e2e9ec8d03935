//! Tests of the whole plugin: from a request to the bundle, or to the problems.

use std::process::Command;

use proptest::prelude::*;
use serde_json::{Value, json};
use stampede_plugin::{Flavor, Network, Node, NodeGroup};

use super::*;

fn request(workers: u32, ram_mib: u32, settings: &Value) -> Request {
    let group = |role: &str, ram_mib, nodes| {
        let flavor = Flavor {
            name: format!("m{ram_mib}"),
            vcpus: 2,
            ram_mib,
            disk_gib: 20,
        };
        NodeGroup {
            role: role.to_owned(),
            flavor,
            image: "debian-12".to_owned(),
            nodes,
        }
    };
    let node = |id: u32, name: String, last: u32| Node {
        id,
        name,
        address: format!("10.77.0.{last}"),
    };
    let groups = vec![
        group("master", 4096, vec![node(1, "master".to_owned(), 10)]),
        group(
            "worker",
            ram_mib,
            (1..=workers)
                .map(|n| node(n, format!("worker-{n}"), 10 + n))
                .collect(),
        ),
    ];
    Request {
        cluster: "demo".to_owned(),
        version: "3.5.0".to_owned(),
        groups,
        settings: settings.to_string(),
        network: Network {
            cidr: "10.77.0.0/22".to_owned(),
            external: None,
            access: vec![],
        },
        mirror: None,
        proxy: None,
        key: None,
        signal_transport: "CFN_SIGNAL".to_owned(),
        timeout_s: 600,
        services: vec![],
        taken: vec![],
    }
}

fn content<'a>(bundle: &'a Bundle, path: &str) -> &'a str {
    &bundle
        .files
        .iter()
        .find(|file| file.path == path)
        .unwrap()
        .content
}

fn value(bundle: &Bundle, file: &str, name: &str) -> String {
    let start = format!("<name>{name}</name><value>");
    let text = content(bundle, &format!("/etc/hadoop/{file}-site.xml"));
    text.split(&start)
        .nth(1)
        .unwrap()
        .split("</value>")
        .next()
        .unwrap()
        .to_owned()
}

fn told(request: Request) -> String {
    let problems = HadoopPlugin::generate(request).unwrap_err();
    problems
        .iter()
        .map(|problem| format!("{}: {} ({})", problem.path, problem.message, problem.hint))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn three_workers_get_a_cluster_of_the_default_sizes() {
    let bundle = HadoopPlugin::generate(request(3, 4096, &json!({}))).unwrap();
    assert_eq!(value(&bundle, "core", "fs.defaultFS"), "hdfs://master:8020");
    assert_eq!(value(&bundle, "hdfs", "dfs.replication"), "3");
    assert_eq!(
        value(&bundle, "yarn", "yarn.nodemanager.resource.memory-mb"),
        "2560"
    );
    assert_eq!(value(&bundle, "mapred", "mapreduce.map.memory.mb"), "512");
    assert!(
        value(&bundle, "mapred", "yarn.app.mapreduce.am.command-opts")
            .contains("--add-opens=java.base/java.lang=ALL-UNNAMED")
    );
    let environment = content(&bundle, "/etc/stampede/hadoop.env");
    assert!(environment.contains(
        "HADOOP_URLS='https://dlcdn.apache.org/hadoop/common/hadoop-3.5.0/hadoop-3.5.0.tar.gz \
         https://archive.apache.org/dist/hadoop/common/hadoop-3.5.0/hadoop-3.5.0.tar.gz'"
    ));
    assert_eq!(bundle.template, "{}");
    assert_eq!(
        bundle,
        HadoopPlugin::generate(request(3, 4096, &json!({}))).unwrap()
    );
}

#[test]
fn a_mirror_and_a_checksum_are_taken_in_place_of_apaches() {
    let mut wanted = request(1, 4096, &json!({"sha512": "ab".repeat(64)}));
    wanted.mirror = Some("http://mirror.example:8900".to_owned());
    let bundle = HadoopPlugin::generate(wanted).unwrap();
    let environment = content(&bundle, "/etc/stampede/hadoop.env");
    assert!(environment.contains(
        "HADOOP_URLS='http://mirror.example:8900/hadoop/common/hadoop-3.5.0/hadoop-3.5.0.tar.gz'\n"
    ));
    assert!(environment.contains(&format!("HADOOP_SHA512='{}'\n", "ab".repeat(64))));
}

#[test]
fn ports_are_opened_to_the_named_networks_alone() {
    let mut wanted = request(1, 4096, &json!({}));
    wanted.network.access = vec!["192.0.2.0/24".to_owned(), "198.51.100.0/24".to_owned()];
    let template: Value =
        serde_json::from_str(&HadoopPlugin::generate(wanted).unwrap().template).unwrap();
    let resources = template["resources"].as_object().unwrap();
    let opened = PORTS
        .iter()
        .filter(|port| port.3 != Audience::Cluster)
        .count();
    assert_eq!(resources.len(), 2 * opened);
    let web = &resources["hadoop_namenode_web_198_51_100_0_24"]["properties"];
    assert_eq!(
        (&web["port_range_min"], &web["remote_ip_prefix"]),
        (&json!(9870), &json!("198.51.100.0/24"))
    );
}

#[test]
fn every_worker_gets_the_volume_asked_for() {
    let settings = json!({"data_volume_gib": 50, "data_volume_type": "fast", "data_volume_keep": true, "data_volume_zone": "az1"});
    let bundle = HadoopPlugin::generate(request(2, 4096, &settings)).unwrap();
    let template: Value = serde_json::from_str(&bundle.template).unwrap();
    let volume = &template["resources"]["hadoop_worker_2_volume"];
    assert_eq!(
        volume["properties"],
        json!({"size": 50, "name": "demo-worker-2-hdfs", "volume_type": "fast", "availability_zone": "az1"})
    );
    assert_eq!(volume["deletion_policy"], "Retain");
    assert_eq!(
        template["resources"]["hadoop_worker_2_attachment"]["properties"]["instance_uuid"],
        json!({"get_resource": "worker_2_server"})
    );
    let folders = [
        (
            "hdfs",
            "dfs.datanode.data.dir",
            "file:///var/lib/hadoop/volume/hdfs",
        ),
        (
            "yarn",
            "yarn.nodemanager.local-dirs",
            "${env.STAMPEDE_YARN:-/var/lib/hadoop/yarn}/local",
        ),
        (
            "yarn",
            "yarn.nodemanager.log-dirs",
            "${env.STAMPEDE_YARN_LOGS:-/var/log/hadoop-yarn}",
        ),
    ];
    for (file, name, folder) in folders {
        assert_eq!(value(&bundle, file, name), folder);
    }
    for unit in ["hadoop-datanode", "hadoop-nodemanager"] {
        let text = content(&bundle, &format!("/etc/systemd/system/{unit}.service"));
        assert!(
            text.contains("RequiresMountsFor=/var/lib/hadoop/volume\n"),
            "{unit}"
        );
    }
    let declared = HadoopPlugin::describe().resource_types;
    for resource in template["resources"].as_object().unwrap().values() {
        assert!(
            declared
                .iter()
                .any(|kind| resource["type"] == kind.as_str()),
            "{resource}"
        );
    }
}

#[test]
fn what_cannot_be_is_refused_in_words_all_at_once() {
    let both = told(request(2, 1024, &json!({"replication": 3})));
    assert_eq!(
        both,
        "worker.flavor: flavor `m1024` has 1024 MiB, too little for a DataNode, a NodeManager and 512 MiB of containers \
         (take a flavor with 2048 MiB or more)\n\
         hadoop.replication: 3 copies of a block need 3 workers, there are 2 (take at most 2, or more workers)"
    );
    assert!(
        told(request(2, 4096, &json!({"map_memory_mib": 2561})))
            .starts_with("hadoop.map_memory_mib: 2561 MiB are more than the 2560 MiB")
    );
    assert!(HadoopPlugin::generate(request(2, 4096, &json!({"map_memory_mib": 2560}))).is_ok());
    assert!(
        told(request(1, 4096, &json!({"map_memory_mib": 2560})))
            .contains("do not fit beside each other")
    );
    assert_eq!(
        told(request(2, 4096, &json!({"namenode_heap_mib": 2304}))),
        "master.flavor: flavor `m4096` has 4096 MiB, too little for a NameNode of 2304 MiB, its checkpoint of as much beside it, \
         the ResourceManager and the history server (take a flavor with 7168 MiB or more, or hadoop.namenode_heap_mib of 1280 or less)"
    );
    assert!(HadoopPlugin::generate(request(2, 4096, &json!({"namenode_heap_mib": 1280}))).is_ok());
    assert!(
        told(request(2, 4096, &json!({"nodemanager_memory_mib": 4000})))
            .contains("take a flavor with 4608 MiB or more")
    );
    assert!(
        told(request(2, 4096, &json!({"core_site": {"a": "b\nc"}})))
            .starts_with("hadoop.core_site: the property \"a\"")
    );
    assert!(
        told(request(2, 4096, &json!({"hdfs_site": {" ": "x"}}))).starts_with("hadoop.hdfs_site:")
    );
    let mut old = request(1, 4096, &json!({}));
    old.version = "2.7.1".to_owned();
    assert_eq!(
        told(old),
        "hadoop.version: there is no Hadoop 2.7.1 here (take one of 3.5.0, 3.4.3)"
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
            let told = told(request(2, 4096, &settings));
            let start = format!(
                "hadoop.{file}_site: `{}` is not free: the nodes' scripts",
                name.trim()
            );
            assert!(
                told.starts_with(&start) && told.contains("hadoop.data_volume_gib"),
                "{told}"
            );
        }
    }
    let free = json!({"hdfs_site": {"dfs.replication.max": "64", "dfs.datanode.du.reserved": "0"}});
    let bundle = HadoopPlugin::generate(request(2, 4096, &free)).unwrap();
    assert_eq!(value(&bundle, "hdfs", "dfs.datanode.du.reserved"), "0");
}

#[test]
fn processors_count_and_the_smallest_worker_runs_a_job() {
    let bundle = HadoopPlugin::generate(request(2, 32768, &json!({}))).unwrap();
    let scheduler = content(&bundle, "/etc/hadoop/capacity-scheduler.xml");
    assert!(scheduler.contains("resource.DominantResourceCalculator</value>"));
    let vcores = |bundle: &Bundle| value(bundle, "yarn", "yarn.nodemanager.resource.cpu-vcores");
    assert_eq!(vcores(&bundle), "4", "two processors");
    let mut one = request(1, 2048, &json!({}));
    one.groups[1].flavor.vcpus = 1;
    let bundle = HadoopPlugin::generate(one).unwrap();
    assert_eq!(vcores(&bundle), "2", "an ApplicationMaster and a task");
}

#[test]
fn logs_and_histories_end_and_disks_keep_room() {
    let bundle = HadoopPlugin::generate(request(2, 4096, &json!({}))).unwrap();
    let seven_days = 7 * 24 * 60 * 60;
    assert_eq!(
        value(&bundle, "yarn", "yarn.log-aggregation.retain-seconds"),
        seven_days.to_string()
    );
    assert_eq!(
        value(&bundle, "mapred", "mapreduce.jobhistory.max-age-ms"),
        format!("{seven_days}000")
    );
    // a twentieth of the 20 GiB of the flavor
    assert_eq!(
        value(
            &bundle,
            "yarn",
            "yarn.nodemanager.localizer.cache.target-size-mb"
        ),
        "1024"
    );
    assert_eq!(
        value(&bundle, "hdfs", "dfs.datanode.du.reserved"),
        "${env.STAMPEDE_RESERVED:-1073741824}"
    );
    assert_eq!(
        value(
            &bundle,
            "yarn",
            "yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb"
        ),
        "${env.STAMPEDE_FREE_MIB:-0}"
    );
}

/// A change writes these files anew on nodes whose launcher an older plugin has left there: what
/// that does not say has a value all the same.
#[test]
fn what_the_launcher_says_has_a_value_without_it() {
    let bundle = HadoopPlugin::generate(request(2, 4096, &json!({"data_volume_gib": 10}))).unwrap();
    for file in bundle
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
    for name in [
        "STAMPEDE_RESERVED",
        "STAMPEDE_FREE_MIB",
        "STAMPEDE_YARN",
        "STAMPEDE_YARN_LOGS",
    ] {
        assert!(launch.contains(&format!("{name}=")), "{name}");
    }
}

#[test]
fn the_smallest_flavor_of_the_descriptor_is_one_that_works() {
    for role in HadoopPlugin::describe().roles {
        let ram = role.smallest.ram_mib;
        let mut smallest = request(1, ram, &json!({}));
        smallest.groups[0].flavor.ram_mib = ram;
        assert!(HadoopPlugin::generate(smallest.clone()).is_ok());
        smallest.groups[usize::from(role.name == "worker")]
            .flavor
            .ram_mib = ram - 512;
        assert!(HadoopPlugin::generate(smallest).is_err(), "{}", role.name);
    }
}

#[test]
fn every_file_has_one_owner_and_every_path_of_the_units_stands_there() {
    let bundle = HadoopPlugin::generate(request(1, 4096, &json!({}))).unwrap();
    for (name, user, command, _) in units::DAEMONS {
        let unit = content(&bundle, &format!("/etc/systemd/system/{name}.service"));
        assert!(
            unit.contains(&format!("ExecStart=/usr/local/bin/{command}\n"))
                && unit.contains(&format!("User={user}\n"))
        );
        assert!(units::USERS.contains(&format!("u {user} -")));
    }
    assert!(content(&bundle, "/usr/local/lib/hadoop/launch").starts_with("#!/bin/bash\n"));
    assert!(
        HadoopPlugin::generate(request(1, 4096, &json!({"smoke": false})))
            .unwrap()
            .scripts
            .iter()
            .all(|script| script.stage != Stage::Smoke)
    );
}

#[test]
fn daemons_come_back_however_they_end() {
    let bundle = HadoopPlugin::generate(request(1, 4096, &json!({}))).unwrap();
    let units = bundle.files.iter().filter(|file| {
        file.path.starts_with("/etc/systemd/system/") && !file.content.contains("Type=oneshot")
    });
    let mut daemons = 0;
    for unit in units.filter(|file| file.path.ends_with(".service")) {
        for line in ["Restart=always", "StartLimitIntervalSec=0"] {
            assert!(
                unit.content.lines().any(|told| told == line),
                "{}: {line}",
                unit.path
            );
        }
        daemons += 1;
    }
    assert_eq!(daemons, units::DAEMONS.len());
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_property_of_the_user_arrives_in_its_file(name in "[a-z.]{1,20}", text in "\\PC*") {
        let bundle = HadoopPlugin::generate(request(1, 4096, &json!({"core_site": {name.clone(): text.clone()}}))).unwrap();
        let xml = value(&bundle, "core", &name);
        prop_assert_eq!(xml.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"), text);
    }

    #[test]
    fn any_mirror_reaches_the_scripts_as_it_is(tail in "[^\\x00]*") {
        let mut wanted = request(1, 4096, &json!({}));
        wanted.mirror = Some(format!("http://m/{tail}x"));
        let bundle = HadoopPlugin::generate(wanted).unwrap();
        let output = Command::new("bash").args(["-c", &format!("{}printf %s \"$HADOOP_URLS\"", content(&bundle, "/etc/stampede/hadoop.env"))]).output().unwrap();
        prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("http://m/{tail}x/hadoop/common/hadoop-3.5.0/hadoop-3.5.0.tar.gz"));
    }
}
