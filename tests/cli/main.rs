//! `stampede deploy`, `show`, `list`, `update`, `delete` and `wait` as a person runs them: the
//! program as a process, with the real plugins, on the fake OpenStack.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bad_input;
mod endings;
mod health;
mod json;
mod login;
mod nodes;
mod orphans;
mod printed;
mod server_mode;
mod server_tls;
mod text;
mod waits;
mod words;

use std::{process::Stdio, time::Duration};

use serde_json::Value;
use stampede_tests::{
    artifacts,
    fake_openstack::{FakeConfig, FakeOpenStack, PASSWORD, StackPace},
    wait_until,
};
use tokio::process::{Child, Command};

/// A cloud, and one user's folders.
struct Terminal {
    cloud: FakeOpenStack,
    home: tempfile::TempDir,
    /// The host that commands drive, where one is named.
    server: Option<String>,
}

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Terminal {
    /// On a cloud whose stacks go on by themselves.
    async fn new() -> Self {
        Self::with_pace(StackPace::Tick(Duration::from_millis(50))).await
    }

    /// On a cloud whose stacks stand still until the test steps them.
    async fn standing_still() -> Self {
        Self::with_pace(StackPace::Steps).await
    }

    async fn with_pace(pace: StackPace) -> Self {
        let config = FakeConfig {
            pace,
            ..FakeConfig::default()
        };
        Self {
            cloud: FakeOpenStack::start(config).await.unwrap(),
            home: tempfile::tempdir().unwrap(),
            server: None,
        }
    }

    /// `stampede` with these arguments and nothing of this process's environment that could change
    /// what it does.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(artifacts::stampede_binary().unwrap());
        for (name, _) in std::env::vars_os() {
            let told = name.to_string_lossy();
            if ["STAMPEDE_", "OS_", "XDG_"]
                .iter()
                .any(|of| told.starts_with(of))
            {
                command.env_remove(name);
            }
        }
        command
            .env("HOME", self.home.path())
            .env("STAMPEDE_CACHE", artifacts::target_folder().join("cache"))
            .env("STAMPEDE_PLUGINS", artifacts::plugins_folder().unwrap())
            .env("OS_AUTH_URL", format!("{}/v3", self.cloud.url()))
            .env("OS_USERNAME", "demo")
            .env("OS_PASSWORD", PASSWORD)
            .env("OS_PROJECT_NAME", "demo")
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(server) = &self.server {
            command.env("STAMPEDE_SERVER", server);
        }
        command
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        end_of(self.start(arguments)).await
    }

    /// Runs what must succeed; its standard output.
    async fn done(&self, arguments: &[&str]) -> String {
        let ended = self.run(arguments).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {ended:?}");
        ended.out
    }

    /// The document that a command prints with `-f json`.
    async fn json(&self, arguments: &[&str]) -> Value {
        let out = self.done(&[arguments, &["-f", "json"]].concat()).await;
        serde_json::from_str(&out).unwrap()
    }

    /// A running cluster named `demo` of one worker.
    async fn deployed() -> Self {
        let terminal = Self::new().await;
        terminal.done(&[&DEPLOY[..], &["--wait"]].concat()).await;
        terminal
    }

    /// Until the stack of the first cluster is there; its name.
    async fn first_stack(&self) -> String {
        wait_until(30, "the stack is there", async || {
            Ok(!self.cloud.stacks().is_empty())
        })
        .await
        .unwrap();
        self.cloud.stacks()[0].0.clone()
    }

    /// Until Keystone has given so many tokens.
    async fn logins(&self, number: usize) {
        wait_until(30, "the logins", async || {
            Ok(self.cloud.count_of("keystone", "POST", "/auth/tokens") >= number)
        })
        .await
        .unwrap();
    }
}

/// A cluster named `demo` of one worker.
const DEPLOY: [&str; 6] = ["deploy", "hadoop", "--name", "demo", "--workers", "1"];

async fn end_of(child: Child) -> Ended {
    let output = child.wait_with_output().await.unwrap();
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// What starts a program with the signals that whoever runs the tests may ignore.
const DEFAULT_SIGNALS: [&str; 2] = ["env", "--default-signal=HUP,INT,TERM"];

/// The same command, started by another program, which says what becomes of its signals.
fn run_by(command: &Command, by: &[&str]) -> Command {
    let plain = command.as_std();
    let mut command = Command::new(by[0]);
    command
        .args(&by[1..])
        .arg(plain.get_program())
        .args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Sends a signal to a process that this test has started.
fn send_signal(child: &Child, signal: &str) {
    let pid = child.id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args([signal, &pid])
        .status()
        .unwrap();
    assert!(sent.success());
}
