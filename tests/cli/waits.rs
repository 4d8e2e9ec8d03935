//! Waits: their limit, signals, a reader who goes away, and what goes on afterwards.

use stampede_tests::fake_openstack::CreateFails;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{DEPLOY, Terminal, end_of, send_signal};

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
    ] {
        let mut child = terminal.start(&arguments);
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
