//! How commands end: each exit code, and what is said with it.

use stampede_tests::fake_openstack::{CreateFails, FaultKind, InjectedFault};

use super::{DEPLOY, Terminal};

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_with_what_is_allowed() {
    let terminal = Terminal::standing_still().await;
    let mistakes: [(&[&str], &str); 10] = [
        (&["deploy", "hadoop", "--workers", "-1"], "from 1 to 250"),
        (&["deploy", "hadoop", "--workers=abc"], "from 1 to 250"),
        (&["update", "demo", "--workers", "251"], "from 1 to 250"),
        (&["generate", "hadoop", "--workers", "-3"], "from 1 to 250"),
        (&["deploy", "hadoop", "--set", "workers"], "NAME=VALUE"),
        (&["update", "demo", "--set", "=3"], "NAME=VALUE"),
        (&["wait", "demo", "--timeout", "5x"], "90s, 30m or 1h30m"),
        (&["update", "demo", "--timeout", "0"], "90s, 30m or 1h30m"),
        (&["delete", "demo", "--timeout", "5m"], "--wait"),
        (&["list", "-f", "xml"], "table, json"),
    ];
    for (arguments, words) in mistakes {
        let ended = terminal.run(arguments).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains(words), "{arguments:?}: {ended:?}");
        assert!(ended.out.is_empty(), "{ended:?}");
    }
    let mut without_password = terminal.command(&["list"]);
    let output = without_password
        .env_remove("OS_PASSWORD")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(terminal.cloud.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_leaves_nothing() {
    let terminal = Terminal::new().await;
    let refused = terminal
        .run(&[&DEPLOY[..], &["--set", "hadoop.replication=0"]].concat())
        .await;
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("hadoop.replication: 0 is less"));
    assert_eq!(terminal.json(&["list"]).await, serde_json::json!([]));
    terminal.done(&DEPLOY).await;
    let again = terminal.run(&DEPLOY).await;
    assert_eq!(again.code, Some(3), "{again:?}");
    assert!(again.err.contains("deployed already"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_not_there_is_told_apart() {
    let terminal = Terminal::standing_still().await;
    for arguments in [
        ["show", "demo"],
        ["delete", "demo"],
        ["wait", "demo"],
        ["update", "demo"],
    ] {
        let ended = terminal.run(&arguments).await;
        assert_eq!(ended.code, Some(4), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains("no cluster `demo`"), "{ended:?}");
    }
    let out = terminal.done(&["delete", "demo", "--if-exists"]).await;
    assert_eq!(out, "there is no cluster `demo`\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_refuses_or_is_away_is_told_apart() {
    let terminal = Terminal::standing_still().await;
    let mut wrong_password = terminal.command(&["list"]);
    let output = wrong_password
        .env("OS_PASSWORD", "x")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    // Nova is away before anything was recorded: the name is free again.
    terminal.cloud.fault(InjectedFault::of(
        "nova",
        u32::MAX,
        FaultKind::Status(503, None),
    ));
    let ended = terminal.run(&DEPLOY).await;
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.err.contains("nova"), "{ended:?}");
    terminal.cloud.heal();
    assert_eq!(terminal.json(&["list"]).await, serde_json::json!([]));
    let mut nobody_there = terminal.command(&["list"]);
    let output = nobody_there
        .env("OS_AUTH_URL", "http://127.0.0.1:9/v3")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_heat_does_not_take_is_no_success_and_wait_goes_on_with_it() {
    let terminal = Terminal::new().await;
    let away = |method| {
        let fault = InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None));
        terminal.cloud.fault(fault.only(method, "/stacks"));
    };
    away("POST");
    let deployed = terminal.run(&DEPLOY).await;
    assert_eq!(deployed.code, Some(5), "{deployed:?}");
    assert!(deployed.out.is_empty(), "{deployed:?}");
    assert!(
        deployed.err.contains("heat has not taken it")
            && deployed.err.contains("`stampede wait demo` does"),
        "{deployed:?}"
    );
    assert!(terminal.cloud.stacks().is_empty());
    terminal.cloud.heal();
    let waited = terminal.done(&["wait", "demo"]).await;
    assert!(waited.contains("`demo` is active"), "{waited}");

    away("DELETE");
    let deleted = terminal.run(&["delete", "demo"]).await;
    assert_eq!(deleted.code, Some(5), "{deleted:?}");
    assert!(
        deleted.err.contains("the deletion of `demo` is recorded"),
        "{deleted:?}"
    );
    // Once more it has no more taken it than before.
    let again = terminal.run(&["delete", "demo"]).await;
    assert_eq!((again.code, again.out.as_str()), (Some(5), ""), "{again:?}");
    assert!(again.err.contains("heat has not taken it"), "{again:?}");
    terminal.cloud.heal();
    let waited = terminal.done(&["wait", "demo"]).await;
    assert!(waited.contains("nothing is left of `demo`"), "{waited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_wait_it_says_that_heat_has_it() {
    let terminal = Terminal::standing_still().await;
    let deployed = terminal.done(&DEPLOY).await;
    assert!(deployed.contains("heat has taken it"), "{deployed}");
    let deleted = terminal.done(&["delete", "demo"]).await;
    assert!(deleted.contains("heat has taken it"), "{deleted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_and_a_change_that_fail_end_so() {
    let terminal = Terminal::new().await;
    terminal.cloud.next_create_fails(CreateFails::Node {
        node: "worker-1".to_owned(),
        text: "hadoop setup line 42: curl: 404".to_owned(),
    });
    let ended = terminal.run(&[&DEPLOY[..], &["--wait"]].concat()).await;
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.err.contains("line 42: curl: 404"), "{ended:?}");
    let shown = terminal.done(&["show", "demo"]).await;
    assert!(
        shown.contains("failure     worker-1: hadoop setup"),
        "{shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_lists_the_codes_and_a_shell_can_complete() {
    let terminal = Terminal::standing_still().await;
    let help = terminal.done(&["--help"]).await;
    for line in [
        "    0  done as asked",
        "    7  --timeout was over",
        "  129  the terminal was closed",
        "  130  interrupted",
    ] {
        assert!(help.contains(line), "{help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = terminal.done(&["completion", shell]).await;
        assert!(script.contains("if-exists"), "{shell}");
    }
}
