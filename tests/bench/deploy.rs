//! From deploy to a proved cluster on the real OpenStack, beside two others in the same run: the same scripts started by hand on
//! nodes that are up already, and pushed node by node over SSH from the master, as Stampede's predecessors did.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stampede_tests::client::watch;
use stampede_tests::host::{Host, binary};
use stampede_tests::rig::cloud::{self, Cloud, KEYSTONE, MIRROR, PROXY};
use stampede_tests::rig::cluster::{hadoop, nodes, occi, pairs};
use stampede_tests::rig::node::Node;
use stampede_tests::until;

const WORKERS: usize = 2;

pub async fn run() -> Result<()> {
    if let Some(why) = cloud::not_here() {
        println!("LEFT OUT: deploy, since {why}");
        return Ok(());
    }
    let cloud = cloud::up().await?;
    let scratch = tempfile::tempdir()?;
    let through = through_stampede(&cloud, scratch.path()).await?;
    let dir = generated(&cloud, scratch.path())?;
    let by_hand = by_hand(&cloud, &dir).await?;
    let pushed = over_ssh(&cloud, &dir).await?;
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    println!("deploy, 1 + {WORKERS}: {:.1} s from deploy to CREATE_COMPLETE, everything proved", through.as_secs_f64());
    println!(
        "by hand on booted nodes, all at once: {:.1} s for the slowest; deploy / by hand {:.2} (reach 1.3)",
        by_hand.as_secs_f64(),
        ratio(through, by_hand)
    );
    println!("node by node over SSH on booted nodes: {:.1} s; SSH / deploy {:.2} (reach 2)", pushed.as_secs_f64(), ratio(pushed, through));
    Ok(())
}

async fn through_stampede(cloud: &Cloud, scratch: &Path) -> Result<Duration> {
    let host = Host::start(&scratch.join("host"), KEYSTONE, &[]).await?;
    let client = occi(&host.url, &cloud.demo)?;
    let attributes = hadoop(cloud, "3.5.0", &[])?;
    let (status, text) = client.put("bench", &pairs(&attributes)).await?;
    if !status.is_success() {
        bail!("PUT: {status} {text}");
    }
    let start = Instant::now();
    let (status, text) = client.action("bench", "deploy", &[]).await?;
    if !status.is_success() {
        bail!("deploy: {status} {text}");
    }
    let answered = start.elapsed();
    let watched = watch(&client, "bench", 600).await?;
    let took = start.elapsed();
    if watched.last.state() != "CREATE_COMPLETE" {
        bail!("{:?}: {}", watched.states, watched.last.get("stampede.failure"));
    }
    println!("deploy answered after {:.1} s; stages by the nodes' own clocks:", answered.as_secs_f64());
    let stack = cloud.demo.stacks().await?.first().cloned().context("no stack")?;
    for node in nodes(&cloud.demo, &stack, WORKERS).await? {
        println!("    {}", node.run("sed -n 's/^[^ ]* //; / ready: /p' /var/log/stampede.log | tail -n 1").await?);
    }
    client.delete("bench").await?;
    empty(cloud).await?;
    Ok(took)
}

async fn empty(cloud: &Cloud) -> Result<()> {
    until(240, "the project is empty", async || Ok(cloud.demo.stacks().await?.is_empty())).await
}

/// What `generate` writes for the same cluster.
fn generated(cloud: &Cloud, scratch: &Path) -> Result<PathBuf> {
    let dir = scratch.join("generated");
    let out = std::process::Command::new(binary()?)
        .args(["generate", "hadoop", "--name", "bench", "--workers", &WORKERS.to_string(), "--flavor", "m1.xlarge=4096,2,20"])
        .args(["--set", "master.flavor=m1.xlarge", "--set", "worker.flavor=m1.xlarge", "--set", "image=debian-12"])
        .args(["--set", "network.external=public", "--set", &format!("mirror={MIRROR}"), "--set", &format!("proxy={PROXY}")])
        .args(["--set", &format!("hadoop.sha512={}", cloud.sha512("3.5.0")?), "--out"])
        .arg(&dir)
        .output()?;
    if !out.status.success() {
        bail!("generate: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(dir)
}

/// Booted nodes of the same shape, on which nothing of Stampede ran; the stack waits for signals that never come.
async fn bare_nodes(cloud: &Cloud, dir: &Path, stack: &str) -> Result<Vec<Node>> {
    let bare = dir.with_file_name(stack);
    std::fs::create_dir_all(&bare)?;
    for file in ["cluster.yaml", "environment.yaml"] {
        std::fs::copy(dir.join(file), bare.join(file))?;
    }
    for file in ["node-master.sh", "node-worker.sh"] {
        std::fs::write(bare.join(file), "touch /root/booted\n")?;
    }
    cloud.openstack(&["stack", "create", "-t", "cluster.yaml", "-e", "environment.yaml", stack], &bare)?;
    until(180, "bare nodes are up", async || {
        for node in nodes(&cloud.demo, stack, WORKERS).await? {
            node.run("test -e /root/booted").await?;
        }
        Ok(true)
    })
    .await?;
    let nodes = nodes(&cloud.demo, stack, WORKERS).await?;
    // as on real nodes, what cloud-init still has to do must not count
    for node in &nodes {
        node.run("cloud-init status --wait >/dev/null || true").await?;
    }
    Ok(nodes)
}

/// The node's whole script, with a header that signals nobody.
fn script(dir: &Path, number: usize, name: &str) -> Result<String> {
    let role = if name == "master" { "master" } else { "worker" };
    let body = std::fs::read_to_string(dir.join(format!("node-{role}.sh")))?;
    let mut header = format!("#!/bin/bash\nSTAMPEDE_NODE='{name}'\nSTAMPEDE_ADDRESS='10.77.0.{}'\n", 10 + number);
    for name in ["READY", "READY_ENDPOINT", "READY_TOKEN", "PROGRESS", "PROGRESS_ENDPOINT", "PROGRESS_TOKEN"] {
        header.push_str(&format!("STAMPEDE_{name}=''\n"));
    }
    Ok(header + &body)
}

async fn place(dir: &Path, all: &[Node]) -> Result<()> {
    use base64::Engine as _;
    for (number, node) in all.iter().enumerate() {
        let text = base64::engine::general_purpose::STANDARD.encode(script(dir, number, &node.name)?);
        node.run(&format!("base64 -d >/root/node.sh <<'END'\n{text}\nEND")).await?;
    }
    Ok(())
}

async fn by_hand(cloud: &Cloud, dir: &Path) -> Result<Duration> {
    let all = bare_nodes(cloud, dir, "by-hand").await?;
    place(dir, &all).await?;
    let start = Instant::now();
    let running: Vec<_> = all.into_iter().map(|node| tokio::spawn(async move { node.run("bash /root/node.sh").await.map(drop) })).collect();
    for one in running {
        one.await??;
    }
    let took = start.elapsed();
    cloud.sweep().await?;
    Ok(took)
}

async fn over_ssh(cloud: &Cloud, dir: &Path) -> Result<Duration> {
    let all = bare_nodes(cloud, dir, "over-ssh").await?;
    place(dir, &all).await?;
    let (master, workers) = all.split_first().context("no nodes")?;
    let key = master.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519 && cat /root/.ssh/id_ed25519.pub").await?;
    for worker in workers {
        worker.run(&format!("mkdir -p -m 700 /root/.ssh && echo '{key}' >>/root/.ssh/authorized_keys")).await?;
    }
    let ssh = "-o StrictHostKeyChecking=no -o BatchMode=yes";
    let tarball = format!("{MIRROR}/hadoop/common/hadoop-3.5.0/hadoop-3.5.0.tar.gz");
    let start = Instant::now();
    let of_master = master.clone();
    let proved = tokio::spawn(async move { of_master.run("bash /root/node.sh").await.map(drop) });
    until(180, "the master is set up", async || master.run("grep -q 'hadoop setup done' /var/log/stampede.log").await.map(|_| true))
        .await?;
    for number in 1..=workers.len() {
        let to = format!("root@10.77.0.{}", 10 + number);
        // the software and the script go to one node after the other, each waits until its node has set up
        let file = "/var/cache/stampede/hadoop-3.5.0.tar.gz";
        let push = format!(
            "test -e /root/h.tar.gz || curl -sfo /root/h.tar.gz {tarball}; \
             ssh {ssh} {to} mkdir -p /var/cache/stampede && scp -q {ssh} /root/h.tar.gz {to}:{file}"
        );
        master.run(&format!("{push} && ssh {ssh} {to} bash /root/node.sh")).await?;
    }
    proved.await??;
    let took = start.elapsed();
    cloud.sweep().await?;
    Ok(took)
}
