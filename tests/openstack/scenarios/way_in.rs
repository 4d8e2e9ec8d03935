//! The way to the nodes for people: `stampede ssh` and `stampede tunnel`, with a key of their own.

use std::collections::BTreeMap;
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
    let tunnel = OpenTunnel::open(testbed, "terminal", key, &["hadoop_namenode"]).await?;
    let local = tunnel.url("hadoop_namenode")?.to_owned();
    let pages = [
        (vec![local.as_str()], "on a port of its own"),
        (
            vec!["--proxy", &tunnel.proxy, "http://master:9870/"],
            "the NameNode's by the proxy",
        ),
        (
            vec!["--proxy", &tunnel.proxy, "http://worker-1:9864/"],
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
    tunnel.close().await?;
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

/// A `stampede tunnel` that runs; it ends with this.
pub struct OpenTunnel {
    process: Child,
    /// URLs on this machine, by endpoint.
    local: BTreeMap<String, String>,
    /// The proxy's URL.
    pub proxy: String,
}

impl OpenTunnel {
    /// Opens it, with ports of their own for these endpoints.
    pub async fn open(
        testbed: &TestbedContext,
        cluster: &str,
        key: &str,
        endpoints: &[&str],
    ) -> Result<Self> {
        let arguments = [&["tunnel", cluster], endpoints, &["-i", key]].concat();
        let mut command = Command::from(stampede_command(testbed, &arguments)?);
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let (local, proxy) = read_ways(&mut process, endpoints).await?;
        Ok(Self {
            process,
            local,
            proxy,
        })
    }

    /// Where an endpoint is on this machine.
    pub fn url(&self, endpoint: &str) -> Result<&str> {
        let found = self.local.get(endpoint);
        found
            .map(String::as_str)
            .with_context(|| format!("no port for {endpoint}"))
    }

    /// Its port.
    pub fn port(&self, endpoint: &str) -> Result<u16> {
        let url = reqwest::Url::parse(self.url(endpoint)?)?;
        url.port().context("a URL without a port")
    }

    /// Ends it as Ctrl-C does.
    pub async fn close(mut self) -> Result<()> {
        let pid = self.process.id().context("it has ended")?.to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().await?;
        must!(sent.success(), "kill: {sent}");
        let ended = self.process.wait().await?;
        must!(ended.success(), "Ctrl-C ended it with {ended}");
        Ok(())
    }
}

/// The URLs of the endpoints' own ports, and the proxy, as the tunnel prints them.
async fn read_ways(
    tunnel: &mut Child,
    endpoints: &[&str],
) -> Result<(BTreeMap<String, String>, String)> {
    let mut lines = BufReader::new(tunnel.stdout.take().context("no output")?).lines();
    let mut local = BTreeMap::new();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name, url] if endpoints.contains(name) => {
                // of its two URLs the one on this machine comes first
                local.entry((*name).to_owned()).or_insert((*url).to_owned());
            }
            ["curl", "curl", "--proxy", proxy, ..] => return Ok((local, (*proxy).to_owned())),
            _ => {}
        }
    }
    anyhow::bail!("the tunnel ended before it was open")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
