//! `--server URL`: the same words, answers and exit codes, by the API of a host that is a process of its
//! own.

use std::time::Duration;

use stampede_tests::endless_lists::{EndlessLists, ListedPages};
use stampede_tests::fake_openstack::StackPace;
use stampede_tests::host::HostProcess;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;

use super::words::{CREATE, live_and_end};
use super::{Ended, Terminal, end_of};

/// A terminal whose commands drive a host, and that host.
async fn served(pace: StackPace) -> (Terminal, HostProcess) {
    let mut terminal = Terminal::with_pace(pace).await;
    let data = terminal.home.path().join("host");
    let keystone = terminal.cloud.url();
    let host = HostProcess::start(&data, &keystone, &[]).await;
    let host = host.unwrap();
    terminal.server = Some(host.url.clone());
    (terminal, host)
}

const TICK: StackPace = StackPace::Tick(Duration::from_millis(50));

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_a_host_lives_and_ends_by_the_same_words() {
    let (terminal, _host) = served(TICK).await;
    live_and_end(&terminal).await;
    // Nothing is kept on this side.
    assert!(!terminal.home.path().join(".local").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_plans_what_it_would_make_and_makes_nothing() {
    let (terminal, _host) = served(TICK).await;
    let plan = terminal.done(&[&CREATE[..], &["--dry-run"]].concat()).await;
    for part in [
        "`demo` would be made",
        "worker-1",
        "workers",
        "OS::Nova::Server",
        "quota",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let plan = terminal.json(&[&CREATE[..], &["--dry-run"]].concat()).await;
    assert!(plan["template"]["resources"].is_object(), "{plan}");
    assert!(terminal.cloud.stacks().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_refuses_is_told_as_if_it_were_refused_here() {
    let (mut terminal, _host) = served(TICK).await;
    let server = terminal.server.clone();
    for (arguments, code) in [
        (
            &[
                "deploy",
                "hadoop",
                "--name",
                "x",
                "--set",
                "hadoop.nope=1",
                "--set",
                "workers=0",
            ][..],
            3,
        ),
        (
            &[
                "deploy",
                "hadoop",
                "--name",
                "x",
                "--set",
                "key=nobodys",
                "--dry-run",
            ][..],
            3,
        ),
        (&["show", "nobody"][..], 4),
        (&["events", "nobody"][..], 4),
        (&["update", "nobody", "--workers", "2"][..], 4),
        (&["wait", "nobody"][..], 4),
        (&["delete", "nobody"][..], 4),
        (&["delete", "nobody", "--if-exists"][..], 0),
    ] {
        terminal.server.clone_from(&server);
        let by_host = terminal.run(arguments).await;
        terminal.server = None;
        let here = terminal.run(arguments).await;
        assert_eq!(here.code, Some(code), "{arguments:?}: {here:?}");
        let lines = |ended: &Ended| {
            let mut lines: Vec<String> = ended.err.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(
            (by_host.code, lines(&by_host), &by_host.out),
            (here.code, lines(&here), &here.out),
            "{arguments:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_none_or_away_is_named() {
    let mut terminal = Terminal::new().await;
    for (server, code, told) in [
        (
            "http://127.0.0.1:9",
            5,
            "the server http://127.0.0.1:9 does not answer",
        ),
        (&*terminal.cloud.url(), 5, "as no host of stampede does"),
        ("example", 2, "must be a URL"),
    ] {
        let ended = terminal.run(&["list", "--server", server]).await;
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
    }
    terminal.server = Some("http://127.0.0.1:9".to_owned());
    for arguments in [&["list", "--orphans"][..], &["adopt", "x"]] {
        let ended = terminal.run(arguments).await;
        assert_eq!(ended.code, Some(3), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains("without --server"), "{ended:?}");
    }
    // An empty variable names none.
    terminal.server = Some(String::new());
    assert!(terminal.done(&["list"]).await.contains("no clusters"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_followed_to_its_end_but_not_for_ever() {
    let mut terminal = Terminal::new().await;
    for (pages, asked, told) in [
        // Of the living, and of those that are being deleted.
        (ListedPages::Number(200), 400, None),
        (ListedPages::Number(201), 200, Some("more than 200 pages")),
        (ListedPages::Repeated, 2, Some("the same page of its list")),
    ] {
        let host = EndlessLists::start(pages).await.unwrap();
        terminal.server = Some(host.url.clone());
        let ended = terminal.run(&["list"]).await;
        let code = told.map_or(0, |_| 5);
        assert_eq!(ended.code, Some(code), "{pages:?}: {ended:?}");
        assert!(ended.err.contains(told.unwrap_or("")), "{ended:?}");
        assert_eq!(host.asked(), asked, "{pages:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_goes_on_when_its_host_is_started_again() {
    let (terminal, host) = served(StackPace::Steps).await;
    terminal.done(&CREATE).await;
    let mut waiting = terminal.start(&["wait", "demo"]);
    let mut said = BufReader::new(waiting.stdout.take().unwrap()).lines();
    let mut next_line = async || said.next_line().await.unwrap();
    // The first event of its stream.
    while !next_line().await.unwrap().contains("deploying") {}
    let again = host.kill_9().await.unwrap();
    let _host = again.start_again().await.unwrap();
    terminal.cloud.finish();
    let mut last = String::new();
    while let Some(line) = next_line().await {
        last += &line;
    }
    let ended = end_of(waiting).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(last.contains("`demo` is active"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_waited_for_while_its_host_is_away() {
    let (terminal, host) = served(StackPace::Steps).await;
    terminal.done(&CREATE).await;
    terminal.cloud.finish();
    terminal.done(&["wait", "demo"]).await;
    let mut waiting = terminal.start(&["delete", "demo", "--wait"]);
    let mut said = BufReader::new(waiting.stdout.take().unwrap()).lines();
    let mut next_line = async || said.next_line().await.unwrap();
    while !next_line().await.unwrap().contains("deleting `demo`") {}
    let address = host.url.trim_start_matches("http://").to_owned();
    let again = host.kill_9().await.unwrap();
    // A look that fails, and one more by a login whose token has ended.
    let nobody = TcpListener::bind(&address).await.unwrap();
    drop(nobody.accept().await.unwrap());
    drop(nobody);
    terminal.cloud.expire_tokens();
    let _host = again.start_again().await.unwrap();
    // Each command's own, and one more.
    terminal.logins(4).await;
    terminal.cloud.finish();
    let mut last = String::new();
    while let Some(line) = next_line().await {
        last += &line;
    }
    let ended = end_of(waiting).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(last.contains("nothing is left of `demo`"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn frameworks_are_those_of_the_host_or_of_this_program() {
    let (mut terminal, _host) = served(TICK).await;
    let asked = ["frameworks", "--long", "-f", "json"];
    let by_host = terminal.done(&asked).await;
    assert_eq!(
        terminal.cloud.count_of("keystone", "POST", "/auth/tokens"),
        1
    );
    assert!(
        by_host.contains("\"hadoop\"") && by_host.contains("\"hdfs\""),
        "{by_host}"
    );
    terminal.server = None;
    assert_eq!(terminal.done(&asked).await, by_host);
    assert_eq!(
        terminal.cloud.count_of("keystone", "POST", "/auth/tokens"),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_have_said_is_listed_by_a_host_and_without_one() {
    let (mut terminal, _host) = served(TICK).await;
    for named in ["by-a-host", "without-one"] {
        let create = [
            "deploy",
            "hadoop",
            "--name",
            named,
            "--workers",
            "1",
            "--wait",
        ];
        terminal.done(&create).await;
        let columns = ["-f", "value", "-c", "node", "-c", "stage", "-c", "outcome"];
        let said = terminal
            .done(&[&["cluster", "events", named][..], &columns].concat())
            .await;
        assert!(
            said.lines().any(|line| line == "worker-1 setup done"),
            "{said}"
        );
        let table = terminal.done(&["events", named, "--long"]).await;
        assert!(table.starts_with("NODE"), "{table}");
        terminal.server = None;
    }
}
