//! Tests of the whole plugin: from a request to claims and bundle, or to the problems.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stampede_framework::rehearsal::Rehearsal;

use super::*;

fn cluster(groups: &[(&str, u32, u32)]) -> Rehearsal {
    Rehearsal::new(groups).placing(&JupyterlabPlugin::describe().components)
}

fn alone(memory_mib: u32) -> Rehearsal {
    cluster(&[("master", 1, memory_mib), ("worker", 2, 2_048)])
}

fn with_spark(cluster: Rehearsal) -> Rehearsal {
    cluster.with_service(
        "spark",
        &[
            ("home", "/opt/spark"),
            ("conf_dir", "/etc/spark"),
            ("python", "/usr/bin/python3"),
            (
                "pythonpath",
                "/opt/spark/python:/opt/spark/python/lib/py4j-src.zip",
            ),
            ("group", "spark"),
        ],
    )
}

fn ask(cluster: &Rehearsal, settings: &Value) -> Request {
    cluster.request(&JupyterlabPlugin::describe(), settings, &[])
}

fn need_of(cluster: &Rehearsal, settings: &Value) -> stampede_framework::Need {
    let claims = JupyterlabPlugin::claim(ask(cluster, settings), None).unwrap();
    claims.needs[0].clone()
}

fn bundle(cluster: &Rehearsal, settings: &Value) -> Bundle {
    let grants = cluster.grants(&[need_of(cluster, settings)]);
    JupyterlabPlugin::generate(ask(cluster, settings), grants, vec![]).unwrap()
}

fn refused(request: Request, running: Option<Request>) -> Vec<String> {
    let problems = JupyterlabPlugin::claim(request, running).unwrap_err();
    let say = |one: &Problem| format!("{}: {} ({})", one.path, one.message, one.hint);
    problems.iter().map(say).collect()
}

fn directive<'a>(unit: &'a Unit, name: &str) -> &'a str {
    let found = unit.directives.iter().find(|(key, _)| key == name);
    &found.unwrap().1
}

#[test]
fn it_is_on_the_node_for_people_where_there_is_one() {
    let edge = cluster(&[
        ("master", 1, 4_096),
        ("worker", 2, 2_048),
        ("edge", 2, 2_048),
    ]);
    assert_eq!(edge.nodes_of(NAME), ["edge-1"]);
    assert_eq!(alone(4_096).nodes_of(NAME), ["master"]);
}

#[test]
fn it_takes_what_a_kernel_takes_and_a_notebook_no_more_than_was_granted() {
    let mut table = Vec::new();
    for mib in [2_048, 4_096, 16_384] {
        let own = bundle(&alone(mib), &json!({}));
        table.push((mib, directive(&own.units[0], "MemoryMax").to_owned()));
    }
    let expected = [(2_048, "1536M"), (4_096, "3584M"), (16_384, "15360M")];
    assert_eq!(table, expected.map(|(mib, most)| (mib, most.to_owned())));
    assert_eq!(need_of(&alone(4_096), &json!({})).least_mib, 512);
    assert_eq!(
        need_of(&with_spark(alone(4_096)), &json!({})).least_mib,
        1_024
    );
    assert_eq!(
        need_of(&alone(4_096), &json!({"port": 9_000})).ports,
        [9_000]
    );
}

#[test]
fn every_wheel_is_pinned_by_its_hash_and_fits_a_line() {
    let lines = bundle(&alone(4_096), &json!({})).software[1].names.clone();
    assert!(
        lines.contains(
            &lines
                .iter()
                .find(|line| line.starts_with(&format!("jupyterlab=={VERSION} ")))
                .unwrap()
                .clone()
        )
    );
    assert!(lines.len() < 128 && lines.iter().all(|line| line.len() <= 1_024));
    let hashes = |line: &String| {
        line.split(" --hash=sha256:")
            .skip(1)
            .all(|sum| sum.len() == 64)
    };
    assert!(
        lines.iter().all(
            |line| line.contains("== --") || (line.contains(" --hash=sha256:") && hashes(line))
        )
    );
    let packages: BTreeSet<String> = lines.iter().map(|line| package_of(line)).collect();
    assert_eq!(packages.len(), lines.len());
}

#[test]
fn further_packages_stand_beside_its_own_and_none_twice() {
    let line = |name: &str| format!("{name}==1.0 --hash=sha256:{}", "ab".repeat(32));
    let more = bundle(&alone(4_096), &json!({"requirements": [line("numpy")]}));
    assert_eq!(more.software[1].names.last(), Some(&line("numpy")));
    let twice = json!({"requirements": [line("numpy"), line("NumPy"), line("Jupyter_Core")]});
    assert_eq!(
        refused(ask(&alone(4_096), &twice), None),
        [
            "jupyterlab.requirements: numpy is pinned already (leave it out: JupyterLab brings it, or it stands there twice)",
            "jupyterlab.requirements: jupyter-core is pinned already (leave it out: JupyterLab brings it, or it stands there twice)",
        ]
    );
}

#[test]
fn notebooks_are_not_left_behind_unasked() {
    let on = |node: &str| {
        cluster(&[("master", 1, 4_096), ("edge", 1, 4_096)]).with_members(NAME, &[node])
    };
    let claim = |settings: Value| {
        let request = ask(&on("edge-1"), &settings);
        JupyterlabPlugin::claim(request, Some(ask(&on("master"), &json!({}))))
    };
    assert_eq!(
        refused(
            ask(&on("edge-1"), &json!({})),
            Some(ask(&on("master"), &json!({})))
        ),
        [
            "jupyterlab: the notebooks are on master, and JupyterLab would be on edge-1 without them (keep it on master (GROUP.components=jupyterlab), or save them and set jupyterlab.leave_notebooks=true)"
        ]
    );
    assert!(claim(json!({"leave_notebooks": true})).is_ok());
    let same = JupyterlabPlugin::claim(
        ask(&on("master"), &json!({})),
        Some(ask(&on("master"), &json!({}))),
    );
    assert!(same.is_ok());
}

#[test]
fn a_kernel_for_pyspark_is_there_where_spark_is() {
    let kernel = |bundle: &Bundle| {
        let files = bundle.files.iter();
        files
            .filter(|file| file.path.contains("/kernels/"))
            .map(|file| file.content.clone())
            .next()
    };
    let (without, with) = (
        bundle(&alone(4_096), &json!({})),
        bundle(&with_spark(alone(4_096)), &json!({})),
    );
    assert_eq!(kernel(&without), None);
    insta::assert_snapshot!(kernel(&with).unwrap());
    assert!(!without.scripts[0].body.contains("pyspark)"));
    assert!(with.scripts[0].body.contains("kernels=(python3 pyspark)"));
}

#[test]
fn it_is_in_the_groups_of_those_whose_files_it_reads() {
    let groups = |cluster: &Rehearsal| bundle(cluster, &json!({})).units[0].member_of.clone();
    assert_eq!(groups(&alone(4_096)), [""; 0]);
    assert_eq!(groups(&with_spark(alone(4_096))), ["spark"]);
    let files = alone(4_096).with_service("hdfs", &[("url", "hdfs://master:8020")]);
    assert_eq!(groups(&with_spark(files.clone())), ["hadoop", "spark"]);
    let stages = bundle(&files, &json!({})).scripts;
    assert_eq!(
        stages.iter().map(|one| one.stage).collect::<Vec<_>>(),
        [Stage::Setup, Stage::Smoke]
    );
}

#[test]
fn its_token_is_shared_and_stands_in_no_argument() {
    let bundle = bundle(&alone(4_096), &json!({}));
    assert!(bundle.secrets[0].shared);
    assert_eq!(bundle.endpoints[0].secret, "token");
    assert_eq!(bundle.endpoints[0].reach, Reach::Outside);
    let with_token: Vec<_> = bundle
        .files
        .iter()
        .filter(|file| file.content.contains("@{secret."))
        .collect();
    assert_eq!(with_token.len(), 1);
    assert_eq!(
        (with_token[0].owner.as_str(), with_token[0].mode),
        ("root", 0o400)
    );
    assert!(!bundle.units[0].exec.contains("@{secret"));
}

#[test]
fn what_its_server_runs_with() {
    let bundle = bundle(
        &alone(4_096),
        &json!({"port": 9_999, "idle_kernel_s": 3_600}),
    );
    let file = bundle
        .files
        .iter()
        .find(|file| file.path.ends_with(".json"))
        .unwrap();
    insta::assert_snapshot!(format!(
        "{}\n{:?}\n{}",
        bundle.units[0].exec, bundle.units[0].directives, file.content
    ));
    assert_eq!(
        bundle.services[0].attribute("url"),
        Some("http://master:9999")
    );
}

/// What the check of jobs prints for what the server answers.
fn busy_kernels(answer: &str) -> (String, bool) {
    let command = count_busy_kernels(8_888);
    let shell = format!(
        "set -Eeuo pipefail; stampede_secret() {{ echo 1234; }}; STAMPEDE_ADDRESS=192.0.2.1
         curl() {{ while [[ $1 != -K ]]; do shift; done; grep -q 'header = \"Authorization: token 1234\"' \"$2\" && {answer}; }}
         {command}"
    );
    let shell = std::process::Command::new("bash")
        .args(["-c", &shell])
        .output();
    let ran = shell.unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    (said.trim_end().to_owned(), ran.status.success())
}

#[test]
fn kernels_that_compute_are_jobs_and_those_that_wait_for_their_user_are_none() {
    let kernel =
        |state: &str| format!(r#"{{"id": "1", "execution_state": "{state}", "connections": 1}}"#);
    let (busy, idle) = (kernel("busy"), kernel("idle"));
    for (kernels, count) in [
        (String::new(), "0"),
        (idle.clone(), "0"),
        (format!("{busy}, {idle}, {busy}"), "2"),
    ] {
        let said = busy_kernels(&format!("echo '[{kernels}]'"));
        assert_eq!(said, (count.to_owned(), true), "{kernels}");
    }
    assert!(
        !busy_kernels("false").1,
        "a server that does not answer is unknown"
    );
}
