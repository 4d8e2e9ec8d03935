//! How well a cluster works, where it is reached, and the secrets that its endpoints ask for.

use serde_json::Value;

use super::{Ended, Terminal};

/// A cluster named `demo` of one worker with a notebook server.
pub(super) const NOTEBOOK: [&str; 7] = [
    "deploy",
    "jupyterlab",
    "--name",
    "demo",
    "--workers",
    "1",
    "--wait",
];

fn hours_ago(hours: u64) -> u64 {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs() - hours * 3_600 - 60
}

#[tokio::test(flavor = "multi_thread")]
async fn show_and_list_tell_colour_sentence_and_age_of_each_service() {
    let terminal = Terminal::deployed().await;
    let stack = terminal.first_stack().await;
    let shown = terminal.json(&["show", "demo"]).await;
    assert_eq!(
        shown["health"]["colour"],
        Value::Null,
        "nobody has said anything"
    );
    let (looked, since) = (hours_ago(1), hours_ago(3));
    let say = |node: &str, data: &str| {
        let line = format!("{node} health namenode red x");
        assert!(terminal.cloud.signal_health(&stack, node, &line, data));
    };
    say(
        "master",
        &format!("namenode red {since} is\u{1b}[31m \u{202e}gone;"),
    );
    terminal.done(&["show", "demo"]).await;
    say(
        "master",
        &format!("namenode red {looked} is\u{1b}[31m \u{202e}gone;"),
    );
    say(
        "worker-1",
        &format!("datanode green {looked} hadoop-datanode runs;"),
    );

    let text = terminal.done(&["show", "demo"]).await;
    for line in [
        "\nhealth\n",
        r"  namenode  red     master: is [31m \u{202e}gone, told 1h1m ago, red for 3h1m",
        "  datanode  green   worker-1: hadoop-datanode runs, told 1h1m ago\n",
        "state       active\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let listed = terminal.done(&["list"]).await;
    let wanted = r"red namenode: master: is [31m \u{202e}gone, 1h1m ago";
    assert!(listed.contains(wanted), "{listed}");

    let shown = terminal.json(&["show", "demo"]).await;
    let listed = terminal.json(&["list"]).await;
    let manual = include_str!("../../host/docs/operating.md");
    for health in [&shown["health"], &listed[0]["health"]] {
        assert_eq!(health["colour"], "red", "{health}");
        let services = health["services"].as_array().unwrap();
        let named: Vec<&str> = services
            .iter()
            .map(|one| one["component"].as_str().unwrap())
            .collect();
        assert_eq!(named, ["namenode", "datanode"]);
        let namenode = &services[0];
        assert_eq!(
            (&namenode["node"], &namenode["colour"]),
            (&"master".into(), &"red".into())
        );
        assert_eq!(
            (&namenode["members"], &namenode["told"]),
            (&1.into(), &1.into())
        );
        for field in services[0].as_object().unwrap().keys().map(String::as_str) {
            assert!(manual.contains(&format!("`{field}`")), "{field}");
        }
    }
    assert_eq!(
        shown["health"]["services"][1]["nodes"][0]["node"],
        "worker-1"
    );
    assert_eq!(listed[0]["health"]["services"][1]["nodes"], Value::Null);
    assert_eq!(shown["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_printed_alone_and_nowhere_else() {
    let terminal = Terminal::new().await;
    let deployed = terminal.done(&NOTEBOOK).await;
    let secret = terminal.done(&["secret", "demo"]).await;
    let digits = secret.strip_suffix('\n').unwrap();
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(digits.len() == 64 && digits.chars().all(is_hex), "{secret}");
    let named = terminal.done(&["secret", "demo", "jupyterlab"]).await;
    assert_eq!(named, secret);

    let text = terminal.done(&["show", "demo"]).await;
    let wanted = "asks for a secret: `stampede secret demo jupyterlab`";
    assert!(text.contains(wanted) && deployed.contains(wanted), "{text}");
    assert!(
        text.contains("reached through `stampede tunnel demo jupyterlab`"),
        "{text}"
    );
    let shown = terminal.json(&["show", "demo"]).await;
    let access = &shown["endpoint_access"]["jupyterlab"];
    assert_eq!(
        (&access["secret"], &access["reach"]),
        (&true.into(), &"tunnel".into())
    );
    assert!(!access["description"].as_str().unwrap().is_empty());
    let all = |ended: Ended| format!("{}{}", ended.out, ended.err);
    for arguments in [&["show", "demo", "-f", "json"][..], &["list", "-f", "json"]] {
        let mut command = terminal.command(arguments);
        command.env("STAMPEDE_LOG", "trace");
        let told = all(super::end_of(command.spawn().unwrap()).await);
        assert!(!told.contains(digits), "{arguments:?}");
    }
    let mut command = terminal.command(&["secret", "demo"]);
    command.env("STAMPEDE_LOG", "trace");
    let told = super::end_of(command.spawn().unwrap()).await;
    assert!(
        !told.err.contains(digits) && !told.err.contains("password-"),
        "{told:?}"
    );

    for (arguments, code, words) in [
        (
            &["secret", "demo", "jupyter"][..],
            3,
            "`demo` has no endpoint `jupyter` (one of jupyterlab)",
        ),
        (&["secret", "other"], 4, "`other`"),
    ] {
        let ended = terminal.run(arguments).await;
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(code), ""),
            "{ended:?}"
        );
        assert!(ended.err.contains(words), "{ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_asks_for_a_secret_there_is_none() {
    let terminal = Terminal::deployed().await;
    let ended = terminal.run(&["secret", "demo"]).await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{ended:?}");
    assert!(
        ended
            .err
            .contains("no endpoint of `demo` asks for a secret"),
        "{ended:?}"
    );
}
