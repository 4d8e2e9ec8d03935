//! Starts what load is put on: a host with an initialised and a deployed cluster on the fake
//! OpenStack, and the bare handler.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use stampede_tests::client::OcciClient;
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};
use stampede_tests::host::{HostProcess, find_binary};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::generator::answer;

/// A host and its clusters `initialised` and `deployed`, of one master and three workers.
pub struct BenchHost {
    pub host: HostProcess,
    pub at: SocketAddr,
    token: String,
    _cloud: FakeOpenStack,
}

impl BenchHost {
    pub async fn start(scratch: &Path) -> Result<Self> {
        let cloud = FakeOpenStack::start(FakeConfig::default()).await?;
        let host = HostProcess::start(scratch, &cloud.url(), &[]).await?;
        let token = cloud.issue_token("demo");
        let client = OcciClient::new(&host.url, &token, "demo")?;
        for name in ["initialised", "deployed"] {
            let (status, text) = client
                .put(name, &[("stampede.workers", "3"), ("my.own", "value")])
                .await?;
            if !status.is_success() {
                bail!("PUT {name}: {status} {text}");
            }
        }
        let (status, text) = client.action("deployed", "deploy", &[]).await?;
        if !status.is_success() {
            bail!("deploy: {status} {text}");
        }
        cloud.finish();
        stampede_tests::wait_until(30, "the cluster is complete", async || {
            Ok(client
                .fetch_cluster("deployed")
                .await?
                .is_some_and(|seen| seen.state() == "CREATE_COMPLETE"))
        })
        .await?;
        let at = host.url.trim_start_matches("http://").parse()?;
        Ok(Self {
            host,
            at,
            token,
            _cloud: cloud,
        })
    }

    /// A GET as clients send it.
    pub fn get(&self, name: &str, accept: &str) -> String {
        let credentials = format!("X-Auth-Token: {}\r\nX-Tenant-Name: demo", self.token);
        format!(
            "GET /orchestrator/{name} HTTP/1.1\r\nHost: {}\r\nAccept: {accept}\r\n{credentials}\r\n\r\n",
            self.at
        )
    }

    /// What it answers, as it stands on the wire.
    pub async fn answer(&self, request: &str) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.at).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut buffer = Vec::new();
        answer(&mut stream, &mut buffer).await?;
        Ok(buffer)
    }
}

/// A bare handler, which ends when this is dropped.
pub struct BareServer {
    child: Child,
    pub at: SocketAddr,
}

impl BareServer {
    /// Sends these bytes. Its program stands beside the host's, built by the same profile.
    pub fn start(answer: &[u8], scratch: &Path) -> Result<Self> {
        let program = find_binary()?.with_file_name("bare");
        let file = scratch.join("answer");
        std::fs::write(&file, answer)?;
        let child = Command::new(&program)
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.with_context(|| {
            format!(
                "{} must be built by the profile of the host",
                program.display()
            )
        })?;
        let mut line = String::new();
        let out = child.stdout.take().context("no output")?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line)?;
        Ok(Self {
            at: line.trim().parse()?,
            child,
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for BareServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
