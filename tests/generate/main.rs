//! `stampede generate` as a person runs it, and how `stampede serve` starts: the real binary, the
//! real plugins in their sandbox, no cloud.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod ca_file;
mod examples;
mod hostile;
mod hurtle;
mod readme;
mod refusals;
mod serve;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use stampede_tests::artifacts;

/// `stampede` with these arguments, with nothing of this process's environment that could change
/// what it does.
fn stampede(arguments: &[&str]) -> Output {
    let mut command = Command::new(artifacts::stampede_binary().unwrap());
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STAMPEDE_"))
    {
        command.env_remove(name);
    }
    command
        .env("STAMPEDE_CACHE", artifacts::target_folder().join("cache"))
        .env("STAMPEDE_PLUGINS", artifacts::plugins_folder().unwrap());
    command.args(arguments).output().unwrap()
}

/// `stampede generate` into a folder; what it wrote, by path.
fn generated(arguments: &[&str]) -> BTreeMap<String, String> {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("cluster");
    let mut all = vec!["generate"];
    all.extend(arguments);
    all.extend(["--out", dir.to_str().unwrap()]);
    let output = stampede(&all);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    read(&dir)
}

fn read(dir: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(
                    path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned(),
                    fs::read_to_string(&path).unwrap(),
                );
            }
        }
    }
    files
}

#[test]
fn the_same_request_makes_the_same_bytes() {
    let arguments = [
        "hadoop",
        "--name",
        "twice",
        "--workers",
        "3",
        "--set",
        "hadoop.replication=2",
    ];
    assert_eq!(generated(&arguments), generated(&arguments));
}

#[test]
fn heat_json_is_one_request_of_the_same_cluster() {
    let yaml = generated(&["hadoop", "--name", "demo", "--workers", "2"]);
    let json = generated(&[
        "hadoop",
        "--name",
        "demo",
        "--workers",
        "2",
        "--format",
        "heat-json",
    ]);
    let body: Value = serde_json::from_str(&json["stack.json"]).unwrap();
    assert_eq!(body["stack_name"], "demo");
    for name in ["node-master.sh", "node-worker.sh"] {
        assert_eq!(body["files"][name], yaml[name].as_str());
    }
    for section in [
        "heat_template_version",
        "parameters",
        "resources",
        "outputs",
    ] {
        assert!(
            yaml["cluster.yaml"].contains(&format!("\n{section}:"))
                || yaml["cluster.yaml"].starts_with(section),
            "{section}"
        );
        assert!(body["template"].get(section).is_some(), "{section}");
    }
    assert!(
        json["README.md"].contains("stack.json")
            && yaml["README.md"].contains("openstack stack create -t cluster.yaml")
    );
}

#[test]
fn the_largest_cluster_stays_inside_heats_default_limits() {
    let files = generated(&[
        "hadoop",
        "--workers",
        "250",
        "--format",
        "heat-json",
        "--set",
        "network.access=192.0.2.0/24",
    ]);
    let body: Value = serde_json::from_str(&files["stack.json"]).unwrap();
    let resources = body["template"]["resources"].as_object().unwrap();
    let servers = resources
        .values()
        .filter(|resource| resource["type"] == "OS::Nova::Server")
        .count();
    assert_eq!(servers, 251);
    assert!(resources.len() <= 1_000, "{} resources", resources.len());
    assert!(body["template"].to_string().len() <= 524_288 && body.to_string().len() <= 1_048_576);
}

#[test]
fn explain_says_what_each_plugin_added() {
    let output = stampede(&["generate", "hadoop", "--workers", "2", "--explain"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let has = |words: &[&str]| {
        text.lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(
        has(&[
            "cluster",
            "OS::Nova::Server",
            "3",
            "master_server, worker_1_server, ..."
        ]),
        "{text}"
    );
    assert!(
        has(&["hadoop", "/etc/hadoop/core-site.xml"])
            && has(&["hadoop", "namenode", "setup"])
            && has(&["hadoop", "hdfs", "url=hdfs://"]),
        "{text}"
    );
}

#[test]
fn plugins_lists_every_parameter() {
    let output = stampede(&["plugins"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for name in [
        "worker.flavor",
        "hadoop.replication",
        "hadoop.core_site",
        "network.access",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(name)),
            "{name}: {text}"
        );
    }
    let line = |name: &str| {
        text.lines()
            .find(|line| line.split_whitespace().next() == Some(name))
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert_eq!(line("workers")[1..6], ["integer", "2", "1", "to", "250"]);
    assert_eq!(
        line("timeout")[1..6],
        ["integer", "3600", "60", "to", "43200"]
    );
    assert_eq!(line("network.cidr")[2], "10.77.0.0/22");
    assert_eq!(
        line("hadoop.block_size_mib")[1..6],
        ["integer", "128", "1", "to", "2048"]
    );
}
