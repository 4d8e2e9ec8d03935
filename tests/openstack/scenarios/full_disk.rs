//! Disks that are really full: no room for HDFS at setup, a disk that fills before a worker is
//! ready, HDFS that is full, and then others who take what it left.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use stampede_tests::client::{OcciClient, wait_until_settled};
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::{KEYSTONE, TestbedSession};
use stampede_tests::testbed::cluster::{borrow_pairs, find_named, hadoop_attributes, occi_client};
use stampede_tests::testbed::hadoop::verify_hadoop;
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::testbed::small_disk::SmallDisk;
use stampede_tests::{must, verified, wait_until};

use super::deletion::project_is_empty;
use crate::TestbedContext;

/// Where HDFS and what setup has measured of its disk are.
const DATA: &str = "/var/lib/hadoop";
/// Less than a tenth and 512 MiB.
const TOO_SMALL_MIB: u64 = 500;
/// Room for HDFS, and soon full.
const SMALL_MIB: u64 = 2048;
/// All that is left of a disk: what root's own program writes until it is refused.
const FILL: &str = "dd if=/dev/zero of=/var/lib/hadoop/others bs=1M status=none 2>/dev/null || true; sync -f /var/lib/hadoop; df -m --output=avail /var/lib/hadoop | tail -n 1";

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    let host = HostProcess::start(
        &testbed.scratch.join("disk"),
        KEYSTONE,
        &["--region", "RegionOne"],
    )
    .await?;
    let session = &testbed.cloud.demo;
    let client = occi_client(&host.url, session)?;
    no_room_at_setup(testbed, &client).await?;
    full_before_it_is_ready(testbed, &client).await?;
    full_while_it_runs(testbed, &client).await?;
    project_is_empty(session).await
}

/// Deploys one worker, and gives it a disk before its setup looks.
async fn deploy(
    testbed: &TestbedContext,
    client: &OcciClient,
    name: &str,
    mib: u64,
) -> Result<(Vec<TestbedNode>, SmallDisk)> {
    let one = [
        ("stampede.workers", "1"),
        ("stampede.hadoop.replication", "1"),
    ];
    let wanted = hadoop_attributes(&testbed.cloud, "3.5.0", &one)?;
    client.create(name, &borrow_pairs(&wanted)).await?;
    let session = &testbed.cloud.demo;
    let mut found = None;
    wait_until(240, "the worker boots", async || {
        let worker = nodes_of(session, name, &["worker-1"]).await?.remove(0);
        worker.init_pid()?;
        found = Some(worker);
        Ok(true)
    })
    .await?;
    let worker = &found.context("no worker")?;
    let disk = SmallDisk::mount(worker, DATA, mib, &testbed.scratch).await?;
    let began = worker
        .run_script("[[ ! -e /opt/hadoop && ! -e /var/lib/hadoop/reserved ]] || echo hadoop")
        .await?;
    must!(
        !began.contains("hadoop"),
        "setup was faster than the disk: {began}"
    );
    let mut nodes = Vec::new();
    wait_until(240, "both nodes boot", async || {
        nodes = nodes_of(session, name, &["master", "worker-1"]).await?;
        Ok(true)
    })
    .await?;
    Ok((nodes, disk))
}

async fn nodes_of(
    session: &TestbedSession,
    name: &str,
    nodes: &[&str],
) -> Result<Vec<TestbedNode>> {
    let stacks = session.stacks().await?;
    let stack = stacks.iter().find(|stack| stack.contains(name));
    find_named(session, stack.context("no such stack")?, nodes).await
}

async fn gone(testbed: &TestbedContext, client: &OcciClient, name: &str) -> Result<()> {
    client.delete(name).await?;
    project_is_empty(&testbed.cloud.demo).await
}

async fn no_room_at_setup(testbed: &TestbedContext, client: &OcciClient) -> Result<()> {
    let (_, disk) = deploy(testbed, client, "disk-none", TOO_SMALL_MIB).await?;
    let watched = wait_until_settled(client, "disk-none", 300).await?;
    let failure = watched.last.get("stampede.failure");
    must!(
        watched.last.state() == "CREATE_FAILED"
            && failure.contains("the disk of /var/lib/hadoop/hdfs has")
            && failure.contains("too little for HDFS and YARN"),
        "{}: {failure}",
        watched.last.state()
    );
    verified!(
        "too little room at setup ends the cluster {:.0} s after the nodes booted: {failure}",
        watched.took.as_secs_f32()
    );
    gone(testbed, client, "disk-none").await?;
    drop(disk);
    Ok(())
}

async fn full_before_it_is_ready(testbed: &TestbedContext, client: &OcciClient) -> Result<()> {
    let (nodes, disk) = deploy(testbed, client, "disk-ready", SMALL_MIB).await?;
    // as soon as setup has found room enough, and before YARN looks
    nodes[1]
        .run_script(&format!(
            "until [[ -s {DATA}/reserved ]]; do sleep 0.05; done; {FILL}"
        ))
        .await?;
    let watched = wait_until_settled(client, "disk-ready", 400).await?;
    let failure = watched.last.get("stampede.failure");
    must!(
        watched.last.state() == "CREATE_FAILED"
            && failure.contains("YARN finds this worker unhealthy")
            && failure.contains("local-dirs"),
        "{}: {failure}",
        watched.last.state()
    );
    verified!(
        "a disk that fills before the worker is ready ends the cluster {:.0} s later: {failure}",
        watched.took.as_secs_f32()
    );
    gone(testbed, client, "disk-ready").await?;
    drop(disk);
    Ok(())
}

async fn full_while_it_runs(testbed: &TestbedContext, client: &OcciClient) -> Result<()> {
    let (nodes, disk) = deploy(testbed, client, "disk-runs", SMALL_MIB).await?;
    let watched = wait_until_settled(client, "disk-runs", 600).await?;
    must!(
        watched.last.state() == "CREATE_COMPLETE",
        "{}: {}",
        watched.last.state(),
        watched.last.get("stampede.failure")
    );
    let daemons = daemons_of(&nodes[1]).await?;
    let refusal = fill_hdfs(&nodes[0]).await?;
    let left = free_mib(&nodes[1]).await?;
    must!(
        left > SMALL_MIB / 20,
        "a full HDFS leaves {left} of {SMALL_MIB} MiB"
    );
    must!(
        yarn_state(&nodes[0]).await? == "RUNNING",
        "YARN on a worker whose HDFS is full"
    );
    verified!(
        "a full HDFS refuses (\"{refusal}\"), leaves {left} of {SMALL_MIB} MiB, and YARN goes on"
    );

    let avail = nodes[1].run_script(FILL).await?;
    let full = Instant::now();
    wait_until(300, "YARN finds the worker unhealthy", async || {
        Ok(yarn_state(&nodes[0]).await? == "UNHEALTHY")
    })
    .await?;
    verified!(
        "with {} MiB left by others YARN gives it no work, {:.0} s later",
        avail.trim(),
        full.elapsed().as_secs_f32()
    );
    let put = nodes[0]
        .run_script("head -c 1000000 /dev/zero | timeout 60 hdfs dfs -put -f - /tmp/more 2>&1 || echo refused")
        .await?;
    must!(put.contains("refused"), "a full disk took a file: {put}");
    // longer than DataNode and NodeManager take to look at their disks
    tokio::time::sleep(Duration::from_secs(130)).await;
    must!(
        daemons_of(&nodes[1]).await? == daemons,
        "a daemon died of a full disk"
    );
    verified!("HDFS refuses, and DataNode and NodeManager are the same processes minutes later");

    nodes[1].run_script(&format!("rm {DATA}/others")).await?;
    nodes[0]
        .run_script("hdfs dfs -rm -r -f -skipTrash '/tmp/fill*' /tmp/more >/dev/null")
        .await?;
    let room = Instant::now();
    wait_until(300, "YARN takes the worker again", async || {
        Ok(yarn_state(&nodes[0]).await? == "RUNNING")
    })
    .await?;
    verified!(
        "with room again YARN takes the worker back {:.0} s later",
        room.elapsed().as_secs_f32()
    );
    verify_hadoop(&nodes).await?;
    must!(
        daemons_of(&nodes[1]).await? == daemons,
        "a daemon was started anew"
    );
    gone(testbed, client, "disk-runs").await?;
    drop(disk);
    Ok(())
}

/// The pids of the worker's daemons, which run.
async fn daemons_of(worker: &TestbedNode) -> Result<String> {
    worker
        .run_script("systemctl is-active hadoop-datanode hadoop-nodemanager && systemctl show -p MainPID --value hadoop-datanode hadoop-nodemanager")
        .await
}

async fn free_mib(worker: &TestbedNode) -> Result<u64> {
    let text = worker
        .run_script(&format!("df -m --output=avail {DATA} | tail -n 1"))
        .await?;
    text.trim().parse().context("a size")
}

async fn yarn_state(master: &TestbedNode) -> Result<String> {
    let nodes = master
        .fetch_json("http://master:8088/ws/v1/cluster/nodes")
        .await?;
    Ok(nodes["nodes"]["node"][0]["state"]
        .as_str()
        .context("no state")?
        .to_owned())
}

/// Puts files until HDFS takes no more; what it said.
async fn fill_hdfs(master: &TestbedNode) -> Result<String> {
    let script = "for i in {1..60}; do head -c 67108864 /dev/zero | timeout 120 hdfs dfs -D dfs.blocksize=67108864 -put -f - /tmp/fill$i >/tmp/said 2>&1 || { grep -o 'could only be written to.*' /tmp/said | head -n 1 | cut -c1-160; exit 0; }; done; echo never";
    let said = master.run_script(script).await?;
    must!(
        said.contains("could only be written to 0 of the 1 minReplication nodes"),
        "HDFS said {said:?}"
    );
    Ok(said)
}
