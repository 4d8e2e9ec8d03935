//! The way to the nodes for people: `stampede ssh` and `stampede tunnel`, with a key of their own.

use std::process::Stdio;

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;
use stampede_tests::{must, testbed::cloud::TestbedSession, verified};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::by_hand::stampede_command;
use crate::TestbedContext;

/// The key pair's name in Nova, and its file's in the scratch folder.
pub const KEY: &str = "terminal";

/// Makes a key and tells Nova its public half; the private half's path.
pub async fn make_key(testbed: &TestbedContext) -> Result<String> {
    let file = testbed.scratch.join(KEY);
    let path = file.to_str().context("a path")?.to_owned();
    if !file.exists() {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", &path])
            .status()
            .await?;
        must!(made.success(), "ssh-keygen: {made}");
    }
    let demo = &testbed.cloud.demo;
    forget_key(demo).await;
    let public = std::fs::read_to_string(format!("{path}.pub"))?;
    let keypair = json!({ "keypair": { "name": KEY, "public_key": public.trim() } });
    demo.send_request(Method::POST, &demo.nova("/os-keypairs"), Some(keypair))
        .await?;
    Ok(path)
}

/// Takes the key pair away, where there is one.
pub async fn forget_key(demo: &TestbedSession) {
    let url = demo.nova(&format!("/os-keypairs/{KEY}"));
    let _ = demo.send_request(Method::DELETE, &url, None).await;
}

/// Logs in on every node of `terminal`, and reads pages of both nodes through a tunnel.
pub async fn log_in_and_look(testbed: &TestbedContext, key: &str) -> Result<()> {
    for node in ["master", "worker-1"] {
        let arguments = ["ssh", "terminal", node, "-i", key, "--", "hostname; id -un"];
        let out = stampede_command(testbed, &arguments)?.output()?;
        let (said, err) = (text(&out.stdout), text(&out.stderr));
        must!(out.status.success(), "ssh to {node}: {said}{err}");
        must!(
            said.lines().eq([node, "debian"]),
            "ssh to {node} said: {said}"
        );
    }
    let out =
        stampede_command(testbed, &["ssh", "terminal", "-i", key, "--", "exit 7"])?.output()?;
    must!(
        out.status.code() == Some(7),
        "{:?} {}",
        out.status,
        text(&out.stderr)
    );
    verified!(
        "`stampede ssh` logs in on the master, through it on the worker, and ends as its command does"
    );
    look_through_tunnel(testbed, key).await
}

async fn look_through_tunnel(testbed: &TestbedContext, key: &str) -> Result<()> {
    let arguments = ["tunnel", "terminal", "hadoop_namenode", "-i", key];
    let mut command = Command::from(stampede_command(testbed, &arguments)?);
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut tunnel = command.spawn()?;
    let (local, proxy) = read_ways(&mut tunnel).await?;
    let pages = [
        (vec![local.as_str()], "on a port of its own"),
        (
            vec!["--proxy", &proxy, "http://master:9870/"],
            "the NameNode's by the proxy",
        ),
        (
            vec!["--proxy", &proxy, "http://worker-1:9864/"],
            "the DataNode's by the proxy",
        ),
    ];
    for (arguments, what) in pages {
        let out = Command::new("curl")
            .args([
                "-sSL",
                "--max-time",
                "30",
                "--write-out",
                "%{http_code}",
                "-o",
                "/dev/null",
            ])
            .args(&arguments)
            .output()
            .await?;
        must!(
            text(&out.stdout) == "200",
            "{what}: {} {}",
            text(&out.stdout),
            text(&out.stderr)
        );
    }
    let pid = tunnel.id().context("it has ended")?.to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().await?;
    must!(sent.success(), "kill: {sent}");
    let ended = tunnel.wait().await?;
    must!(ended.success(), "Ctrl-C ended it with {ended}");
    let again = Command::new("curl")
        .args(["-sS", "--max-time", "5", &local])
        .output()
        .await?;
    must!(!again.status.success(), "the tunnel's port still answers");
    verified!(
        "`stampede tunnel`: pages of the NameNode and of a DataNode, by a port and by a proxy, until Ctrl-C"
    );
    Ok(())
}

/// The URL of the endpoint's own port, and the proxy, as the tunnel prints them.
async fn read_ways(tunnel: &mut Child) -> Result<(String, String)> {
    let mut lines = BufReader::new(tunnel.stdout.take().context("no output")?).lines();
    let mut local = None;
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["hadoop_namenode", url] if local.is_none() => local = Some((*url).to_owned()),
            ["curl", "curl", "--proxy", proxy, ..] => {
                return Ok((local.context("no port was printed")?, (*proxy).to_owned()));
            }
            _ => {}
        }
    }
    anyhow::bail!("the tunnel ended before it was open")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
