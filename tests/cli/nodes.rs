//! `stampede ssh` and `stampede tunnel`, with a program in ssh's place that notes what it was told:
//! real nodes are for `tests/openstack`.

use std::os::unix::fs::PermissionsExt as _;

use stampede_tests::{host::HostProcess, wait_until};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{
    DEFAULT_SIGNALS, DEPLOY, Ended, Terminal, end_of, health::NOTEBOOK, run_by, send_signal,
};

/// Notes its arguments, a line each. Asked to carry connections it says that it does, and what ends
/// it.
const NOTING_SSH: &str = r#"#!/bin/sh
printf '%s\n' "$@" > "$HOME/told"
case "$*" in
  *stampede-tunnel-ready*) echo 'welcome'; echo stampede-tunnel-ready; cat >/dev/null; echo input > "$HOME/ended" ;;
  *fails*) exit 9 ;;
esac
"#;

struct NodeTerminal(Terminal);

impl NodeTerminal {
    /// A running cluster named `demo` of two workers that lets somebody in.
    async fn deployed(more: &[&str]) -> Self {
        let wanted = [&DEPLOY[..], &["--wait", "--set", "workers=2"], more].concat();
        let wanted: Vec<&str> = wanted
            .into_iter()
            .filter(|word| !["--workers", "1"].contains(word))
            .collect();
        Self::after(&wanted).await
    }

    /// Where this command was run.
    async fn after(wanted: &[&str]) -> Self {
        let nodes = Self::of(Terminal::new().await);
        nodes.0.done(wanted).await;
        nodes
    }

    /// A terminal that has a program in ssh's place.
    fn of(terminal: Terminal) -> Self {
        let bin = terminal.home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::fs::write(bin.join("ssh"), NOTING_SSH).unwrap();
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("ssh"), executable).unwrap();
        Self(terminal)
    }

    async fn open() -> Self {
        Self::deployed(&[
            "--set",
            "network.access=192.0.2.0/24",
            "--set",
            "key=demo-key",
        ])
        .await
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.0.command(arguments);
        let path = std::env::var("PATH").unwrap();
        command.env(
            "PATH",
            format!("{}/bin:{path}", self.0.home.path().display()),
        );
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        end_of(self.command(arguments).spawn().unwrap()).await
    }

    fn told(&self) -> Vec<String> {
        let told = std::fs::read_to_string(self.0.home.path().join("told")).unwrap();
        told.lines().map(str::to_owned).collect()
    }

    /// A tunnel that is open, and what it has printed until then.
    async fn tunnel(&self, arguments: &[&str]) -> (Child, String) {
        let plain = self.command(&[&["tunnel", "demo"], arguments].concat());
        let mut child = run_by(&plain, &DEFAULT_SIGNALS).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = String::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            printed.push_str(&line);
            printed.push('\n');
            if line.trim_start().starts_with("curl") {
                return (child, printed);
            }
        }
        let mut err = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut err)
            .await
            .unwrap();
        panic!("no tunnel: {printed}{err}");
    }
}

/// What follows `-o NAME=`.
fn option<'a>(told: &'a [String], name: &str) -> &'a str {
    told.iter()
        .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nodes_of_a_hosts_cluster_are_reached_by_what_the_host_tells() {
    let mut terminal = Terminal::new().await;
    let data = terminal.home.path().join("host");
    let host = HostProcess::start(&data, &terminal.cloud.url(), &[]).await;
    let host = host.unwrap();
    terminal.server = Some(host.url.clone());
    let mut nodes = NodeTerminal::of(terminal);
    let ended = nodes.run(&["ssh", "demo"]).await;
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let access = ["--set", "network.access=192.0.2.0/24"];
    let wanted = [&DEPLOY[..], &access, &["--set", "key=demo-key", "--wait"]].concat();
    nodes.0.done(&wanted).await;
    let ended = nodes.run(&["ssh", "demo"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = nodes.told();
    let address = told.last().unwrap().strip_prefix("debian@").unwrap();
    assert!(address.starts_with("203.0.113."), "{told:?}");
    assert!(option(&told, "HostKeyAlias").starts_with("master."));
    let (mut child, printed) = nodes.tunnel(&[]).await;
    assert!(printed.contains("hadoop_namenode"), "{printed}");
    child.kill().await.unwrap();
    // Another server may tell of clusters and nodes that are called the same.
    nodes.0.server = Some(host.url.replace("127.0.0.1", "localhost"));
    let ended = nodes.run(&["ssh", "demo"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let other = nodes.told();
    let named = |told| option(told, "HostKeyAlias");
    assert_eq!(named(&other), named(&told));
    let kept = |told| option(told, "UserKnownHostsFile");
    assert_ne!(kept(&other), kept(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_node_is_logged_in_on_directly_and_another_through_it() {
    let nodes = NodeTerminal::open().await;
    let ended = nodes.run(&["ssh", "demo"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let first = nodes.told();
    // A floating IP of the cloud's, and no address of the cluster's own network.
    let address = first.last().unwrap().strip_prefix("debian@").unwrap();
    assert!(address.starts_with("203.0.113."), "{first:?}");
    let alias = option(&first, "HostKeyAlias");
    assert!(
        alias.starts_with("master.") && alias.len() == 7 + 36,
        "{alias}"
    );
    assert_eq!(option(&first, "StrictHostKeyChecking"), "accept-new");

    let ended = nodes
        .run(&[
            "ssh",
            "demo",
            "worker-2",
            "-l",
            "operator",
            "-i",
            "/keys/it's 100%",
            "--",
            "-v",
            "fails",
        ])
        .await;
    assert_eq!(
        ended.code,
        Some(9),
        "the exit code is the command's own: {ended:?}"
    );
    let second = nodes.told();
    let at = second.iter().position(|word| word == "--").unwrap();
    assert_eq!(second[at + 1..], ["operator@worker-2", "-v", "fails"]);
    let proxy = option(&second, "ProxyCommand");
    assert!(
        proxy.contains(&format!("%h:%p 'operator@{address}'")),
        "{proxy}"
    );
    assert!(proxy.contains(r"'/keys/it'\''s 100%%'"), "{proxy}");
    assert_ne!(
        option(&second, "HostKeyAlias"),
        alias,
        "a node's key is its own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_prints_what_a_browser_needs_and_ends_cleanly() {
    let nodes = NodeTerminal::open().await;
    for signal in ["-INT", "-TERM", "-HUP"] {
        let (child, printed) = nodes.tunnel(&["hadoop_namenode"]).await;
        let told = nodes.told();
        let at = told.iter().position(|word| word == "-D").unwrap();
        let port = told[at + 1].strip_prefix("127.0.0.1:").unwrap();
        assert!(
            printed.contains(&format!("--proxy-server=socks5://127.0.0.1:{port} ")),
            "{printed}"
        );
        assert!(printed.contains("http://master:9870/"), "{printed}");
        let at = told.iter().position(|word| word == "-L").unwrap();
        let local = told[at + 1].strip_suffix(":master:9870").unwrap();
        assert!(
            printed.contains(&format!("  http://{local}/")),
            "{printed} {told:?}"
        );
        send_signal(&child, signal);
        let ended = end_of(child).await;
        assert_eq!(
            (ended.code, ended.err.as_str()),
            (Some(0), ""),
            "{signal} {ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_to_what_asks_for_a_secret_says_what_prints_it() {
    let notebook = [
        &NOTEBOOK[..],
        &[
            "--set",
            "key=demo-key",
            "--set",
            "network.access=192.0.2.0/24",
        ],
    ];
    let nodes = NodeTerminal::after(&notebook.concat()).await;
    let (child, printed) = nodes.tunnel(&[]).await;
    assert!(
        printed.contains("  jupyterlab  stampede secret demo jupyterlab\n"),
        "{printed}"
    );
    send_signal(&child, "-INT");
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_whose_command_is_killed_ends_by_itself() {
    let nodes = NodeTerminal::open().await;
    let (child, _) = nodes.tunnel(&[]).await;
    send_signal(&child, "-KILL");
    end_of(child).await;
    let ended = nodes.0.home.path().join("ended");
    wait_until(30, "ssh has ended", async || Ok(ended.exists()))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_refused_in_words() {
    let nodes = NodeTerminal::open().await;
    for (arguments, code, words) in [
        (
            &["ssh", "demo", "worker-3"][..],
            3,
            "`demo` has no node `worker-3` (master, worker-1, worker-2)",
        ),
        (
            &["tunnel", "demo", "namenode"],
            3,
            "`demo` has no endpoint `namenode` (one of ",
        ),
        (&["ssh", "other"], 4, "`other`"),
        (
            &["ssh", "demo", "--user=-oProxyCommand=x"],
            2,
            "must be a login name",
        ),
        (
            &["tunnel", "demo", "--port", "0"],
            2,
            "0 is not in 1..=65535",
        ),
    ] {
        let ended = nodes.run(arguments).await;
        assert_eq!(ended.code, Some(code), "{arguments:?} {ended:?}");
        assert!(ended.err.contains(words), "{arguments:?} {ended:?}");
    }
    assert!(
        !nodes.0.home.path().join("told").exists(),
        "ssh was not started"
    );
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = nodes.run(&["tunnel", "demo", "--port", &port]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("cannot be listened on"), "{ended:?}");

    std::fs::remove_file(nodes.0.home.path().join("bin/ssh")).unwrap();
    let mut command = nodes.0.command(&["ssh", "demo"]);
    let ended = end_of(command.env("PATH", nodes.0.home.path()).spawn().unwrap()).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.err.contains("install the OpenSSH client"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_lets_nobody_in_says_how_it_does() {
    let nodes = NodeTerminal::deployed(&[]).await;
    let update = "stampede update demo --set network.access=";
    for (command, words) in [("ssh", update), ("tunnel", update)] {
        let ended = nodes.run(&[command, "demo"]).await;
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.err.contains(words), "{ended:?}");
    }
    let opened = ["update", "demo", "--set", "network.access=192.0.2.0/24"];
    nodes.0.done(&opened).await;
    let ended = nodes.run(&["ssh", "demo"]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.err.contains("the nodes have no key of yours"),
        "{ended:?}"
    );
    let ended = nodes.run(&["ssh", "demo", "-i", "/of/the/image"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
}
