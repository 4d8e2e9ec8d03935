//! Runs commands on a node of the testbed, as root: what an operator would do over SSH, without
//! needing a way in.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::testbed::cloud::STATE;

/// One booted node.
#[derive(Clone, Debug)]
pub struct TestbedNode {
    /// `master`, `worker-2`.
    pub name: String,
    /// The Nova server's id.
    pub server: String,
}

impl TestbedNode {
    pub fn new(name: &str, server: &Value) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            server: server["id"]
                .as_str()
                .context("a server without id")?
                .to_owned(),
        })
    }

    fn directory(&self) -> PathBuf {
        Path::new(STATE).join("nova/instances").join(&self.server)
    }

    /// The pid of the node's init, once it has one.
    pub fn init_pid(&self) -> Result<u32> {
        let nspawn = std::fs::read_to_string(self.directory().join("pid"))
            .with_context(|| format!("{} does not run", self.name))?;
        let children = format!("/proc/{0}/task/{0}/children", nspawn.trim());
        let children = std::fs::read_to_string(&children)
            .with_context(|| format!("{} does not run", self.name))?;
        children
            .split_whitespace()
            .next()
            .with_context(|| format!("{} has no init", self.name))?
            .parse()
            .context("a pid")
    }

    /// Runs a bash script in the node; its output, or an error with what it wrote.
    pub async fn run_script(&self, script: &str) -> Result<String> {
        let target = self.init_pid()?.to_string();
        let output = tokio::process::Command::new("nsenter")
            .args([
                "--target",
                &target,
                "--mount",
                "--uts",
                "--ipc",
                "--net",
                "--pid",
                "--",
                "/usr/bin/env",
                "-i",
            ])
            .args([
                "HOME=/root",
                "TERM=dumb",
                "LC_ALL=C.UTF-8",
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ])
            .args(["bash", "-lc", script])
            .stdin(Stdio::null())
            .output()
            .await?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            bail!(
                "on {}: `{script}` ended with {}: {stdout}{stderr}",
                self.name,
                output.status
            );
        }
        Ok(stdout.trim_end().to_owned())
    }

    /// A JSON document from a URL, as the node sees it.
    pub async fn fetch_json(&self, url: &str) -> Result<Value> {
        let text = self
            .run_script(&format!(
                "curl -sf -m 20 -H 'Accept: application/json' '{url}'"
            ))
            .await?;
        serde_json::from_str(&text).with_context(|| format!("{url} on {}: {text}", self.name))
    }

    /// The processor time that the node has had, in seconds.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let file = format!("/sys/fs/cgroup/cpuacct/nova-{}/cpuacct.usage", self.server);
        Ok(std::fs::read_to_string(&file)
            .with_context(|| file.clone())?
            .trim()
            .parse::<f64>()?
            / 1e9)
    }

    /// How often the kernel killed a process of this node for want of memory.
    pub fn oom_kills(&self) -> Result<u64> {
        let file = format!(
            "/sys/fs/cgroup/memory/nova-{}/memory.oom_control",
            self.server
        );
        let text = std::fs::read_to_string(&file).with_context(|| file.clone())?;
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix("oom_kill "))
            .context("no oom_kill line")?;
        Ok(line.trim().parse()?)
    }

    /// The memory limit that Nova's driver gave the node, in MiB.
    pub fn memory_limit_mib(&self) -> Result<u64> {
        let file = format!(
            "/sys/fs/cgroup/memory/nova-{}/memory.limit_in_bytes",
            self.server
        );
        Ok(std::fs::read_to_string(&file)
            .with_context(|| file.clone())?
            .trim()
            .parse::<u64>()?
            >> 20)
    }
}
