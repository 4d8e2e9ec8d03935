//! Three ways from nothing to a verified cluster of one shape: through Stampede, by hand on all nodes
//! at once, node by node over SSH.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use reqwest::Method;
use serde_json::json;
use stampede_tests::client::wait_until_settled;
use stampede_tests::host::{HostProcess, find_binary};
use stampede_tests::testbed::cloud::{KEYSTONE, MIRROR, PROXY, TestbedCloud};
use stampede_tests::testbed::cluster::{borrow_pairs, find_nodes, hadoop_attributes, occi_client};
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::wait_until;

const VERSION: &str = "3.5.0";

/// What is compared.
pub struct ClusterShape {
    pub workers: usize,
    pub image: &'static str,
}

/// What one way took, in seconds.
pub struct WayTimes {
    /// From the request to the first line of the last node.
    pub boot: f64,
    /// From there to the end.
    pub nodes: f64,
    pub cpu: CpuSeconds,
    pub stages: Vec<String>,
}

impl WayTimes {
    pub fn total(&self) -> f64 {
        self.boot + self.nodes
    }
}

/// Processor seconds.
pub struct CpuSeconds {
    /// Of the nodes' control groups.
    pub nodes: f64,
    /// Of everything on this machine.
    pub machine: f64,
    /// What its processors could have given.
    pub most: f64,
}

/// Counts from here to [`Meter::end`].
struct Meter {
    start: Instant,
    at: f64,
    machine: f64,
}

impl Meter {
    fn start() -> Result<Self> {
        Ok(Self {
            start: Instant::now(),
            at: SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64(),
            machine: machine()?,
        })
    }

    /// `booted` is when the last node had booted, by its clock, which is this machine's.
    fn end(&self, booted: f64, all: &[TestbedNode], stages: Vec<String>) -> Result<WayTimes> {
        let total = self.start.elapsed().as_secs_f64();
        let most = total * f64::from(u32::try_from(std::thread::available_parallelism()?.get())?);
        let on_nodes = all
            .iter()
            .map(TestbedNode::cpu_seconds)
            .sum::<Result<f64>>()?;
        let boot = booted - self.at;
        Ok(WayTimes {
            boot,
            nodes: total - boot,
            cpu: CpuSeconds {
                nodes: on_nodes,
                machine: machine()? - self.machine,
                most,
            },
            stages,
        })
    }
}

/// User, nice and system time of this machine.
fn machine() -> Result<f64> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let ticks = text
        .lines()
        .next()
        .context("/proc/stat")?
        .split_whitespace()
        .skip(1)
        .take(3);
    Ok(ticks.map(str::parse::<f64>).sum::<Result<f64, _>>()? / 100.0)
}

/// Asks a host for the cluster and waits until a client is told that it is complete.
pub async fn through_stampede(
    cloud: &TestbedCloud,
    shape: &ClusterShape,
    scratch: &Path,
) -> Result<WayTimes> {
    let host = HostProcess::start(&scratch.join("host"), KEYSTONE, &[]).await?;
    let client = occi_client(&host.url, &cloud.demo)?;
    let workers = shape.workers.to_string();
    let attributes = hadoop_attributes(
        cloud,
        VERSION,
        &[
            ("stampede.workers", workers.as_str()),
            ("stampede.image", shape.image),
        ],
    )?;
    let (status, text) = client.put("bench", &borrow_pairs(&attributes)).await?;
    if !status.is_success() {
        bail!("PUT: {status} {text}");
    }
    let meter = Meter::start()?;
    let (status, text) = client.action("bench", "deploy", &[]).await?;
    if !status.is_success() {
        bail!("deploy: {status} {text}");
    }
    let answered = meter.start.elapsed().as_secs_f64();
    let watched = wait_until_settled(&client, "bench", 900).await?;
    let settled = meter.start.elapsed().as_secs_f64();
    if watched.last.state() != "CREATE_COMPLETE" {
        bail!(
            "{:?}: {}",
            watched.states,
            watched.last.get("stampede.failure")
        );
    }
    let stack = cloud
        .demo
        .stacks()
        .await?
        .first()
        .cloned()
        .context("no stack")?;
    let all = find_nodes(&cloud.demo, &stack, shape.workers).await?;
    let booted = latest(
        &all,
        "date -d \"$(sed -n 's/ node setup began$//p' /var/log/stampede.log | head -n 1)\" +%s",
    )
    .await?;
    let ended = latest(
        &all,
        "date -d \"$(sed -n 's/ [^ ]* ready: .*//p' /var/log/stampede.log | tail -n 1)\" +%s",
    )
    .await?;
    let mut lines = stages(&all).await?;
    lines.push(format!(
        "deploy answered after {answered:.1} s; complete {:.1} s after the last node's last line",
        meter.at + settled - ended
    ));
    let mut took = meter.end(booted, &all, lines)?;
    took.nodes = settled - took.boot;
    client.delete("bench").await?;
    wait_until(240, "the project is empty", async || {
        Ok(cloud.demo.stacks().await?.is_empty())
    })
    .await?;
    Ok(took)
}

/// The latest of the times that this command prints on the nodes.
async fn latest(all: &[TestbedNode], command: &str) -> Result<f64> {
    let mut latest = 0.0_f64;
    for node in all {
        let text = node.run_script(command).await?;
        latest = latest.max(
            text.parse()
                .with_context(|| format!("{}: {text}", node.name))?,
        );
    }
    Ok(latest)
}

/// `master: node setup 1 s, hadoop setup 20 s, ...`, by the nodes' own clocks.
async fn stages(all: &[TestbedNode]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for node in all {
        lines.push(
            node.run_script("sed -n 's/^[^ ]* //; / ready: /p' /var/log/stampede.log | tail -n 1")
                .await?,
        );
    }
    Ok(lines)
}

/// What `generate` writes for the same cluster.
pub fn generated(cloud: &TestbedCloud, shape: &ClusterShape, scratch: &Path) -> Result<PathBuf> {
    let dir = scratch.join("generated");
    let out = std::process::Command::new(find_binary()?)
        .args([
            "generate",
            "hadoop",
            "--name",
            "bench",
            "--workers",
            &shape.workers.to_string(),
            "--flavor",
            "m1.xlarge=4096,2,20",
        ])
        .args([
            "--set",
            "master.flavor=m1.xlarge",
            "--set",
            "worker.flavor=m1.xlarge",
            "--set",
            &format!("image={}", shape.image),
        ])
        .args([
            "--set",
            "network.external=public",
            "--set",
            &format!("mirror={MIRROR}"),
            "--set",
            &format!("proxy={PROXY}"),
        ])
        .args([
            "--set",
            &format!("hadoop.sha512={}", cloud.sha512(VERSION)?),
            "--out",
        ])
        .arg(&dir)
        .output()?;
    if !out.status.success() {
        bail!("generate: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(dir)
}

/// Nodes of the same template on which nothing of Stampede runs; the stack waits for signals that
/// never come. Also when the last had booted as far as to what would have been its script.
async fn bare_nodes(
    cloud: &TestbedCloud,
    shape: &ClusterShape,
    dir: &Path,
    stack: &str,
) -> Result<(Vec<TestbedNode>, f64)> {
    let bare = "date +%s.%N >/root/booted.new && mv /root/booted.new /root/booted\n";
    let body = json!({
        "stack_name": stack,
        "template": std::fs::read_to_string(dir.join("cluster.yaml"))?,
        "files": { "node-master.sh": bare, "node-worker.sh": bare },
        "timeout_mins": 60,
    });
    cloud
        .demo
        .send_request(Method::POST, &cloud.demo.heat("/stacks"), Some(body))
        .await?;
    wait_until(300, "bare nodes are up", async || {
        for node in find_nodes(&cloud.demo, stack, shape.workers).await? {
            node.run_script("test -e /root/booted").await?;
        }
        Ok(true)
    })
    .await?;
    let all = find_nodes(&cloud.demo, stack, shape.workers).await?;
    let booted = latest(&all, "cat /root/booted").await?;
    Ok((all, booted))
}

/// The node's whole script, with a header that signals nobody.
fn script(dir: &Path, number: usize, name: &str) -> Result<String> {
    let role = if name == "master" { "master" } else { "worker" };
    let body = std::fs::read_to_string(dir.join(format!("node-{role}.sh")))?;
    let mut header = format!(
        "#!/bin/bash\nSTAMPEDE_NODE='{name}'\nSTAMPEDE_ADDRESS='10.77.0.{}'\n",
        10 + number
    );
    for name in [
        "READY",
        "READY_ENDPOINT",
        "READY_TOKEN",
        "PROGRESS",
        "PROGRESS_ENDPOINT",
        "PROGRESS_TOKEN",
    ] {
        header.push_str(&format!("STAMPEDE_{name}=''\n"));
    }
    Ok(header + &body)
}

async fn place(dir: &Path, all: &[TestbedNode]) -> Result<()> {
    for (number, node) in all.iter().enumerate() {
        let text =
            base64::engine::general_purpose::STANDARD.encode(script(dir, number, &node.name)?);
        node.run_script(&format!("base64 -d >/root/node.sh <<'END'\n{text}\nEND"))
            .await?;
    }
    Ok(())
}

/// All nodes' scripts at once, as soon as the last has booted.
pub async fn by_hand(cloud: &TestbedCloud, shape: &ClusterShape, dir: &Path) -> Result<WayTimes> {
    let meter = Meter::start()?;
    let (all, booted) = bare_nodes(cloud, shape, dir, "by-hand").await?;
    place(dir, &all).await?;
    let start = Instant::now();
    let running: Vec<_> = all
        .iter()
        .cloned()
        .map(|node| {
            tokio::spawn(async move { node.run_script("bash /root/node.sh").await.map(drop) })
        })
        .collect();
    for one in running {
        one.await??;
    }
    let took = start.elapsed().as_secs_f64();
    let took = WayTimes {
        nodes: took,
        ..meter.end(booted, &all, stages(&all).await?)?
    };
    cloud.delete_all_stacks().await?;
    Ok(took)
}

/// The file of a node's script that runs its stages, and the line of it that names them.
const RUN: &str = "/opt/stampede/run";
const ALL_STAGES: &str = "stages setup ready smoke";

/// Has a node run these stages alone, where its own script would run all of them.
fn run_stages(stages: &str) -> String {
    format!(
        "grep -qx '{ALL_STAGES}' {RUN} && sed 's/^{ALL_STAGES}$/stages {stages}/' {RUN} >{RUN}-some && bash {RUN}-some"
    )
}

/// The files of a node's script and then its setup (Java where there is none, Hadoop,
/// configuration, daemons), and nothing that waits for others.
fn set_up() -> String {
    format!(
        "sed -i '\\|^exec {RUN}$|d' /root/node.sh && bash /root/node.sh && {}",
        run_stages("setup")
    )
}

/// The master sets itself up, then one worker after the other, and verifies the cluster: nothing
/// happens on a worker before the master comes to it.
pub async fn over_ssh(cloud: &TestbedCloud, shape: &ClusterShape, dir: &Path) -> Result<WayTimes> {
    let meter = Meter::start()?;
    let (all, booted) = bare_nodes(cloud, shape, dir, "over-ssh").await?;
    place(dir, &all).await?;
    let (master, workers) = all.split_first().context("no nodes")?;
    let key = master.run_script("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && cat /root/.ssh/id_ed25519.pub").await?;
    let set_up = base64::engine::general_purpose::STANDARD.encode(set_up());
    for node in &all {
        node.run_script(&format!("echo {set_up} | base64 -d >/root/set-up.sh"))
            .await?;
    }
    for worker in workers {
        worker
            .run_script(&format!(
                "mkdir -p -m 700 /root/.ssh && echo '{key}' >>/root/.ssh/authorized_keys"
            ))
            .await?;
    }
    let start = Instant::now();
    let mut lines = Vec::new();
    let mut last = 0.0;
    let mut note = |what: &str| {
        let now = start.elapsed().as_secs_f64();
        lines.push(format!("{what} {:.1} s", now - last));
        last = now;
    };
    // Nodes know what they have downloaded by its checksum.
    let sum = cloud.sha512(VERSION)?;
    let cached = format!("/var/cache/stampede/{sum}");
    let get = format!(
        "curl -sfo /root/{sum} {MIRROR}/hadoop/common/hadoop-{VERSION}/hadoop-{VERSION}.tar.gz && mkdir -p /var/cache/stampede && ln /root/{sum} {cached}"
    );
    master
        .run_script(&format!("{get} && bash /root/set-up.sh"))
        .await?;
    note("master set up");
    for (number, worker) in workers.iter().enumerate() {
        let to = format!("root@10.77.0.{}", 11 + number);
        let ssh = "-o StrictHostKeyChecking=no -o BatchMode=yes";
        let push = format!(
            "ssh {ssh} {to} mkdir -p /var/cache/stampede && scp -q {ssh} /root/{sum} {to}:{cached}"
        );
        master
            .run_script(&format!("{push} && ssh {ssh} {to} bash /root/set-up.sh"))
            .await?;
        note(&format!("{} set up", worker.name));
    }
    master.run_script(&run_stages("ready smoke")).await?;
    note("registered and verified");
    let took = start.elapsed().as_secs_f64();
    let took = WayTimes {
        nodes: took,
        ..meter.end(booted, &all, lines)?
    };
    cloud.delete_all_stacks().await?;
    Ok(took)
}
