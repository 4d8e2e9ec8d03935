//! Waits: their limit, signals, a reader who goes away, and what goes on afterwards.

use std::time::Duration;

use stampede_tests::{
    fake_openstack::{CreateFails, FaultKind, InjectedFault},
    wait_until,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{DEFAULT_SIGNALS, DEPLOY, Terminal, end_of, run_by, send_signal};

const WAIT: [&str; 1] = ["--wait"];

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_over_has_its_own_code_and_another_goes_on() {
    let terminal = Terminal::standing_still().await;
    let ended = terminal
        .run(&[&DEPLOY[..], &["--wait", "--timeout", "1s"]].concat())
        .await;
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert!(
        ended.err.contains("heat goes on with it") && ended.err.contains("stampede wait demo"),
        "{ended:?}"
    );
    terminal.cloud.finish();
    let waited = terminal.done(&["wait", "demo"]).await;
    assert!(waited.contains("`demo` is active"), "{waited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_end_a_wait_and_say_what_stands() {
    let terminal = Terminal::standing_still().await;
    for (signal, code, arguments) in [
        ("-INT", 130, [&DEPLOY[..], &WAIT].concat()),
        ("-TERM", 143, vec!["wait", "demo"]),
        ("-HUP", 129, vec!["wait", "demo"]),
    ] {
        // Whoever runs the tests may ignore some.
        let mut child = run_by(&terminal.command(&arguments), &DEFAULT_SIGNALS)
            .spawn()
            .unwrap();
        // Its first line is printed once it waits.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.next_line().await.unwrap().unwrap();
        send_signal(&child, signal);
        let ended = end_of(child).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(
            ended.err.contains("`stampede wait demo` goes on"),
            "{ended:?}"
        );
    }
    assert_eq!(terminal.cloud.stacks().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_is_ignored_by_whoever_started_it_ends_nothing() {
    let terminal = Terminal::standing_still().await;
    terminal.done(&DEPLOY).await;
    // As `nohup` does it.
    let by = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"];
    let mut child = run_by(&terminal.command(&["wait", "demo"]), &by)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.next_line().await.unwrap().unwrap();
    send_signal(&child, "-HUP");
    send_signal(&child, "-TERM");
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(143), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_preview_does_not_say_that_anything_stands() {
    let terminal = Terminal::deployed().await;
    let deploy = ["deploy", "hadoop", "--name", "other", "--dry-run"];
    let update = ["update", "demo", "--workers", "2", "--dry-run"];
    for arguments in [&deploy[..], &update[..]] {
        let before = terminal.cloud.count("nova");
        let slow = FaultKind::Slow(Duration::from_secs(60));
        terminal
            .cloud
            .fault(InjectedFault::of("nova", u32::MAX, slow));
        let child = terminal.start(arguments);
        wait_until(30, "nova is asked", async || {
            Ok(terminal.cloud.count("nova") > before)
        })
        .await
        .unwrap();
        send_signal(&child, "-INT");
        let ended = end_of(child).await;
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert_eq!(ended.err, "stampede: interrupted\n");
        terminal.cloud.heal();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_any_more_ends_no_command() {
    let terminal = Terminal::standing_still().await;
    let mut command = terminal.command(&DEPLOY);
    let mut child = command.env("STAMPEDE_LOG", "trace").spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(terminal.cloud.stacks().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_goes_away_ends_no_wait() {
    let terminal = Terminal::standing_still().await;
    terminal.cloud.next_create_fails(CreateFails::Node {
        node: "worker-1".to_owned(),
        text: "hadoop setup line 42: curl: 404".to_owned(),
    });
    let mut child = terminal.start(&[&DEPLOY[..], &WAIT].concat());
    drop(child.stdout.take());
    terminal.first_stack().await;
    terminal.cloud.finish();
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(6), "the cluster failed: {ended:?}");

    let mut child = terminal.start(&["list"]);
    drop(child.stdout.take());
    let ended = end_of(child).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_tells_its_own_progress_and_an_update_of_nothing_is_done() {
    let terminal = Terminal::deployed().await;
    let changed = terminal.done(&["update", "demo", "--workers", "2"]).await;
    assert!(
        changed.contains("worker-2") && !changed.contains("  worker-1 "),
        "{changed}"
    );
    let again = terminal.done(&["update", "demo", "--workers", "2"]).await;
    assert_eq!(again, "`demo`: nothing in the cloud had to change\n");
    let waited = terminal.done(&["wait", "demo", "--timeout", "5m"]).await;
    assert!(waited.contains("`demo` is active"), "{waited}");
    let deleted = terminal.done(&["delete", "demo", "--wait"]).await;
    assert!(deleted.contains("nothing is left of `demo`"), "{deleted}");
}
