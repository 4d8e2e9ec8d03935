//! The words of OpenStack's client: a noun before the verb, the forms of an answer and its columns; and
//! what a shell and `man` are given.

use std::process::Command;

use serde_json::Value;

use super::{DEPLOY, Terminal};

pub(crate) const CREATE: [&str; 7] = [
    "cluster",
    "create",
    "demo",
    "--framework",
    "hadoop",
    "--workers",
    "1",
];

/// A cluster from its creation to its end, whoever looks after it.
pub(crate) async fn live_and_end(terminal: &Terminal) {
    let values = |fields: &[&'static str]| {
        let named = fields.iter().flat_map(|field| ["-c", field]);
        ["-f", "value"].into_iter().chain(named).collect::<Vec<_>>()
    };
    let columns = values(&["outcome", "name", "stack_status"]);
    let created = [&CREATE[..], &["--wait"], &columns].concat();
    let created = terminal.done(&created).await;
    assert_eq!(created, "active\ndemo\nCREATE_COMPLETE\n");
    let scaled = [
        &["cluster", "scale", "demo", "2"][..],
        &values(&["workers"]),
    ]
    .concat();
    assert_eq!(terminal.done(&scaled).await, "2\n");
    let listed = [
        "cluster", "list", "-f", "csv", "-c", "Name", "-c", "workers",
    ];
    let listed = terminal.done(&listed).await;
    assert_eq!(listed, "\"name\",\"workers\"\n\"demo\",2\n");
    let shown = ["cluster", "show", "demo", "-f", "yaml"];
    let shown = terminal.done(&shown).await;
    let shown: Value = serde_saphyr::from_str(&shown).unwrap();
    let json = terminal.json(&["show", "demo"]).await;
    for field in ["name", "id", "groups", "attributes", "progress"] {
        assert_eq!(shown[field], json[field], "{field}");
    }
    assert_eq!(shown["attributes"]["stampede.workers"], "2");
    assert!(shown["age_s"].as_u64().unwrap() < 3_600, "{shown}");
    assert!(shown["endpoints"]["hadoop_namenode"].is_string(), "{shown}");
    let plan = ["cluster", "scale", "demo", "worker=3", "--dry-run"];
    let plan = terminal.done(&plan).await;
    for part in ["in 2 steps", "added: worker-3", "quota"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let again = terminal.done(&["update", "demo", "--workers", "2"]).await;
    assert!(
        again.contains("nothing in the cloud had to change"),
        "{again}"
    );
    let upgraded = terminal.done(&["cluster", "upgrade", "demo"]).await;
    assert!(
        upgraded.contains("nothing in the cloud had to change"),
        "{upgraded}"
    );
    let watched = terminal.done(&["cluster", "watch", "demo"]).await;
    assert!(watched.contains("`demo` is active"), "{watched}");
    let deleted = ["cluster", "delete", "demo", "--wait"];
    let deleted = [&deleted[..], &values(&["outcome"])].concat();
    assert_eq!(terminal.done(&deleted).await, "deleted\n");
    assert_eq!(terminal.done(&["cluster", "list", "-f", "value"]).await, "");
    let stacks = terminal.cloud.stacks();
    assert!(
        stacks.iter().all(|(_, status)| status == "DELETE_COMPLETE"),
        "{stacks:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_lives_and_ends_by_the_words_of_openstacks_client() {
    live_and_end(&Terminal::new().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_put_off_and_taken_away() {
    let terminal = Terminal::deployed().await;
    let extended = terminal.done(&["cluster", "extend", "demo", "8h"]).await;
    assert!(
        extended.contains("`demo` ends at ") && extended.contains("a service over this data"),
        "who sees to it is said: {extended}"
    );
    let ends = terminal.json(&["show", "demo"]).await["expires"].clone();
    let listed = terminal
        .done(&["cluster", "list", "--long", "-f", "value", "-c", "expires"])
        .await;
    assert_eq!(ends.as_str(), Some(listed.trim()));
    let never = terminal
        .done(&[
            "cluster", "extend", "demo", "never", "-f", "value", "-c", "expires",
        ])
        .await;
    assert!(!never.contains('Z'), "{never}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_columns_come_with_long_and_in_the_order_that_was_asked_for() {
    let terminal = Terminal::deployed().await;
    let usual = terminal.done(&["list"]).await;
    let long = terminal.done(&["list", "--long"]).await;
    for head in ["ID", "CREATED", "REGION"] {
        let has = |table: &str| {
            table
                .lines()
                .next()
                .unwrap()
                .split("  ")
                .any(|cell| cell.trim() == head)
        };
        assert!(!has(&usual) && has(&long), "{head}: {long}");
    }
    let asked = terminal
        .done(&["list", "-c", "heat says", "-c", "id", "-c", "NAME"])
        .await;
    let heads: Vec<_> = asked.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(heads, ["HEAT", "SAYS", "ID", "NAME"]);
    let plugins = terminal
        .done(&["plugins", "-f", "value", "-c", "name"])
        .await;
    assert!(plugins.lines().any(|name| name == "hadoop"), "{plugins}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_not_there_is_refused_before_anything_is_done() {
    let terminal = Terminal::new().await;
    let mut columns = DEPLOY.to_vec();
    columns.extend(["-f", "value", "-c", "flavour"]);
    for arguments in [
        columns,
        vec!["list", "-c", "flavour"],
        vec!["show", "demo", "-c", "flavour"],
        vec!["delete", "demo", "-c", "flavour"],
    ] {
        let ended = terminal.run(&arguments).await;
        assert_eq!(ended.code, Some(3), "{arguments:?}: {ended:?}");
        assert!(
            ended
                .err
                .contains("there is no column `flavour` (there are ")
                && ended.out.is_empty(),
            "{ended:?}"
        );
    }
    assert!(terminal.cloud.stacks().is_empty());
    for (arguments, told) in [
        (&["cluster", "scale", "demo", "more"][..], "GROUP=NUMBER"),
        (&["cluster", "create", "demo"][..], "--framework"),
    ] {
        let ended = terminal.run(arguments).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn man_has_a_page_for_each_command_and_bash_completes_them() {
    let terminal = Terminal::standing_still().await;
    let folder = terminal.home.path().join("man1");
    terminal.done(&["manual", folder.to_str().unwrap()]).await;
    for page in ["stampede", "stampede-deploy", "stampede-cluster-create"] {
        let text = std::fs::read_to_string(folder.join(format!("{page}.1"))).unwrap();
        assert!(
            text.contains(".SH SYNOPSIS") && text.contains(".SH OPTIONS"),
            "{page}"
        );
    }
    let script = terminal.home.path().join("completion");
    std::fs::write(&script, terminal.done(&["completion", "bash"]).await).unwrap();
    let complete = |words: &str| {
        let line = format!(
            "source {}; COMP_WORDS=(stampede {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _stampede stampede \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script.display()
        );
        let output = Command::new("bash").args(["-c", &line]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(complete("clu").lines().any(|word| word == "cluster"));
    let words = complete("cluster ''");
    for verb in ["create", "list", "scale", "extend", "history"] {
        assert!(words.lines().any(|word| word == verb), "{verb}: {words}");
    }
    assert_eq!(complete("comp"), "completion\n", "none that is hidden");
    assert!(complete("cluster sc").lines().any(|word| word == "scale"));
    assert!(complete("list --lo").lines().any(|word| word == "--long"));
}
