//! Changes to a running cluster: 2 workers to 3 and back while a job runs, other settings, changes
//! that fail or are refused, and those after them.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};

use stampede_tests::client::{OcciClient, WatchedDeploy, wait_until_settled};
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::KEYSTONE;
use stampede_tests::testbed::cluster::{borrow_pairs, find_named, hadoop_attributes, occi_client};
use stampede_tests::testbed::hadoop as health;
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::{must, verified, wait_until};

use crate::TestbedContext;

/// Input files of the job that runs meanwhile: one map task each, two at a time, so that it lasts
/// and leaves the machine to the change.
const INPUTS: usize = 40;

/// Two workers that are complete, on a host of their own.
pub async fn deployed(
    testbed: &TestbedContext,
    folder: &str,
) -> Result<(HostProcess, OcciClient, String)> {
    let host = HostProcess::start(&testbed.scratch.join(folder), KEYSTONE, &[]).await?;
    let client = occi_client(&host.url, &testbed.cloud.demo)?;
    client
        .create(
            "grows",
            &borrow_pairs(&hadoop_attributes(&testbed.cloud, "3.5.0", &[])?),
        )
        .await?;
    let watched = wait_until_settled(&client, "grows", 600).await?;
    must!(
        watched.last.state() == "CREATE_COMPLETE",
        "{}: {}",
        watched.last.state(),
        watched.last.get("stampede.failure")
    );
    let stack = testbed
        .cloud
        .demo
        .stacks()
        .await?
        .first()
        .cloned()
        .context("no stack")?;
    Ok((host, client, stack))
}

pub async fn gone(testbed: &TestbedContext, client: &OcciClient) -> Result<()> {
    let (status, text) = client.delete("grows").await?;
    must!(status.is_success(), "DELETE: {status} {text}");
    super::deletion::nothing_stays(testbed).await
}

/// Other settings, a change that fails, and one more after it.
pub async fn settings_and_failure(testbed: &TestbedContext) -> Result<()> {
    let (_host, client, stack) = deployed(testbed, "settings").await?;
    let two = find_named(
        &testbed.cloud.demo,
        &stack,
        &["master", "worker-1", "worker-2"],
    )
    .await?;
    health::verify_hadoop(&two).await?;
    settings(&client, &two).await?;
    failing(testbed, &client, &stack, &two[0]).await?;
    let three = find_named(
        &testbed.cloud.demo,
        &stack,
        &["master", "worker-1", "worker-2", "worker-4"],
    )
    .await?;
    too_few(&client, &three).await?;
    named_one(&client, &two[0], &two[1]).await?;
    gone(testbed, &client).await
}

/// 2 workers to 3 and back while a job runs.
pub async fn scale(testbed: &TestbedContext) -> Result<()> {
    let (_host, client, stack) = deployed(testbed, "update").await?;
    let before = servers(testbed, &stack, &["master", "worker-1", "worker-2"]).await?;
    let two = find_named(
        &testbed.cloud.demo,
        &stack,
        &["master", "worker-1", "worker-2"],
    )
    .await?;
    health::verify_hadoop(&two).await?;

    let booted = boots(&two).await?;
    start_job(&two[0]).await?;
    more(testbed, &client, &stack, &before).await?;
    must!(
        boots(&two).await? == booted,
        "an old node or its daemons were restarted"
    );
    verified!("the old nodes' servers are the same ids, and none of their daemons was restarted");
    fewer(&client, &two[0]).await?;
    end_job(&two[0]).await?;
    must!(
        servers(testbed, &stack, &["master", "worker-1", "worker-2"]).await? == before,
        "other servers than before"
    );
    gone(testbed, &client).await
}

pub async fn servers(
    testbed: &TestbedContext,
    stack: &str,
    names: &[&str],
) -> Result<BTreeMap<String, String>> {
    Ok(find_named(&testbed.cloud.demo, stack, names)
        .await?
        .into_iter()
        .map(|node| (node.name, node.server))
        .collect())
}

/// When each node's daemons began.
async fn boots(nodes: &[TestbedNode]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for node in nodes {
        all.push(
            node.run_script("systemctl show -p MainPID,ActiveEnterTimestampMonotonic 'hadoop-*'")
                .await?,
        );
    }
    Ok(all)
}

/// POSTs the update and watches it to its end; the state must say that it runs.
pub async fn change(client: &OcciClient, attributes: &[(&str, &str)]) -> Result<WatchedDeploy> {
    let start = Instant::now();
    let (status, text) = client.update("grows", attributes).await?;
    must!(
        status.is_success(),
        "update {attributes:?}: {status} {text}"
    );
    let watched = wait_until_settled(client, "grows", 600).await?;
    must!(
        watched.states == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"],
        "states {:?}; {:?}",
        watched.states,
        watched.last.get("stampede.update")
    );
    let failed = watched.last.get("stampede.update");
    println!(
        "        {attributes:?} took {:.0} s{}{failed}",
        start.elapsed().as_secs_f32(),
        if failed.is_empty() { "" } else { ": " }
    );
    Ok(watched)
}

/// A word count over many files, in the background of the master.
async fn start_job(master: &TestbedNode) -> Result<()> {
    let script = format!(
        r#"set -e
        mkdir -p /tmp/job; for i in $(seq {INPUTS}); do yes 'alpha beta alpha' | head -n 1000 >/tmp/job/$i; done
        hdfs dfs -mkdir -p /tmp/job-in; hdfs dfs -put -f /tmp/job/* /tmp/job-in/
        jar=$(ls /opt/hadoop*/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar | head -n 1)
        systemd-run --quiet --unit=job --setenv=HOME=/root --property=StandardOutput=file:/tmp/job.log --property=StandardError=file:/tmp/job.log \
          /usr/local/bin/hadoop jar "$jar" wordcount -D mapreduce.job.running.map.limit=2 /tmp/job-in /tmp/job-out"#
    );
    master.run_script(&script).await?;
    wait_until(120, "the job runs", async || Ok(running(master).await?)).await
}

async fn running(master: &TestbedNode) -> Result<bool> {
    let apps = master
        .fetch_json("http://master:8088/ws/v1/cluster/apps?states=RUNNING")
        .await?;
    Ok(apps["apps"]["app"]
        .as_array()
        .is_some_and(|apps| !apps.is_empty()))
}

async fn end_job(master: &TestbedNode) -> Result<()> {
    wait_until(400, "the job ends", async || {
        Ok(master.run_script("systemctl is-active job || true").await? != "active")
    })
    .await?;
    let log = master.run_script("tail -n 30 /tmp/job.log").await?;
    let answer = master
        .run_script("hdfs dfs -cat '/tmp/job-out/part-*'")
        .await
        .with_context(|| log)?;
    must!(
        answer == format!("alpha\t{}\nbeta\t{}", INPUTS * 2000, INPUTS * 1000),
        "the job's answer: {answer}"
    );
    verified!("the job of {INPUTS} map tasks that ran meanwhile gave the right answer");
    Ok(())
}

async fn more(
    testbed: &TestbedContext,
    client: &OcciClient,
    stack: &str,
    before: &BTreeMap<String, String>,
) -> Result<()> {
    change(client, &[("stampede.workers", "3")]).await?;
    let three = find_named(
        &testbed.cloud.demo,
        stack,
        &["master", "worker-1", "worker-2", "worker-3"],
    )
    .await?;
    must!(
        health::count_registered(&three[0]).await? == (3, 3),
        "registered: {:?}",
        health::count_registered(&three[0]).await?
    );
    must!(
        servers(testbed, stack, &["master", "worker-1", "worker-2"]).await? == *before,
        "other servers than before"
    );
    let on_new = three[3]
        .run_script(
            "hdfs dfs -put -f /etc/hostname /tmp/from-worker-3 && hdfs dfs -cat /tmp/from-worker-3",
        )
        .await?;
    must!(on_new == "worker-3", "{on_new}");
    must!(
        running(&three[0]).await?,
        "the job ended before the change did: give it more inputs"
    );
    verified!(
        "2 workers to 3 while a job runs: 3 DataNodes and 3 NodeManagers, the new one stores and reads"
    );
    Ok(())
}

async fn fewer(client: &OcciClient, master: &TestbedNode) -> Result<()> {
    must!(
        running(master).await?,
        "the job ended before the second change began: give it more inputs"
    );
    change(client, &[("stampede.workers", "2")]).await?;
    must!(
        health::count_registered(master).await? == (2, 2),
        "registered: {:?}",
        health::count_registered(master).await?
    );
    wait_until(
        60,
        "the NameNode counts no block as under-replicated",
        async || {
            let report = master
                .run_script("HADOOP_USER_NAME=hdfs hdfs fsck / 2>&1")
                .await?;
            let zero = |what: &str| {
                report.lines().any(|line| {
                    line.trim().starts_with(what) && line.split_whitespace().any(|word| word == "0")
                })
            };
            Ok(report.contains("is HEALTHY")
                && zero("Under-replicated blocks:")
                && zero("Missing blocks:"))
        },
    )
    .await?;
    verified!(
        "3 workers to 2, begun while the job runs: HDFS is HEALTHY, no block missing or under-replicated"
    );
    Ok(())
}

/// Fewer workers than the setting wants copies are refused at once; fewer than a file has, as soon
/// as the master looks, and nobody has been sent away.
async fn too_few(client: &OcciClient, all: &[TestbedNode]) -> Result<()> {
    let (status, text) = client
        .update(
            "grows",
            &[
                ("stampede.workers", "1"),
                ("stampede.hadoop.replication", "2"),
            ],
        )
        .await?;
    must!(
        status == 400 && text.contains("hadoop.replication"),
        "{status} {text}"
    );
    verified!("fewer workers than HDFS is to keep copies are refused: {text}");
    all[0]
        .run_script("HADOOP_USER_NAME=hdfs hdfs dfs -setrep -w 3 /tmp/proof/file")
        .await?;
    let booted = boots(all).await?;
    let watched = change(client, &[("stampede.workers", "2")]).await?;
    let said = watched.last.get("stampede.update");
    must!(
        said.contains("/tmp/proof/file keeps 3 copies, 2 workers would remain")
            && said.contains("as it was before"),
        "said: {said}"
    );
    must!(
        watched.last.get("stampede.workers") == "3",
        "{:?}",
        watched.last.attributes
    );
    must!(
        health::count_registered(&all[0]).await? == (3, 3),
        "registered: {:?}",
        health::count_registered(&all[0]).await?
    );
    must!(boots(all).await? == booted, "daemons were restarted");
    verified!("fewer than a file has copies: {said}");
    all[0]
        .run_script("HADOOP_USER_NAME=hdfs hdfs dfs -setrep 2 /tmp/proof/file")
        .await?;
    Ok(())
}

/// A worker that is named goes, though it is not the last one.
async fn named_one(client: &OcciClient, master: &TestbedNode, leaving: &TestbedNode) -> Result<()> {
    write_on(leaving).await?;
    let (watched, written) = tokio::try_join!(
        change(client, &[("stampede.workers.remove", "worker-1")]),
        close_once_told(master, leaving)
    )?;
    let kept = master.run_script("hdfs dfs -cat /tmp/open | wc -c").await?;
    must!(
        kept == written,
        "{kept} of {written} bytes are left of the open file"
    );
    verified!(
        "a worker on which alone a file was being written went after it was closed: all {kept} bytes are there"
    );
    must!(
        watched.last.get("stampede.update").is_empty(),
        "{}",
        watched.last.get("stampede.update")
    );
    must!(
        health::count_registered(master).await? == (2, 2),
        "registered: {:?}",
        health::count_registered(master).await?
    );
    let nodes = master
        .fetch_json("http://master:8088/ws/v1/cluster/nodes?states=RUNNING")
        .await?;
    let mut names: Vec<&str> = nodes["nodes"]["node"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|node| node["nodeHostName"].as_str())
        .collect();
    names.sort_unstable();
    must!(names == ["worker-2", "worker-4"], "left: {names:?}");
    health::file_is_whole(master, master).await?;
    verified!("a worker that is named goes, the others stay, and the file is whole");
    Ok(())
}

/// Begins a file whose only copy lies on this worker, and goes on writing it.
async fn write_on(worker: &TestbedNode) -> Result<()> {
    worker
        .run_script(
            "systemd-run --quiet --unit=writer --setenv=HOME=/root bash -c \
               '(until [ -e /tmp/stop ]; do head -c 100000 /dev/zero; sleep 1; done) | /usr/local/bin/hdfs dfs -D dfs.replication=1 -appendToFile - /tmp/open'",
        )
        .await?;
    let begun =
        "hdfs fsck /tmp/open -openforwrite -files 2>/dev/null | grep -c OPENFORWRITE || true";
    wait_until(120, "the file is being written", async || {
        Ok(worker.run_script(begun).await? == "1")
    })
    .await
}

/// Closes it once the drain has said that it waits for it; how many bytes were written.
async fn close_once_told(master: &TestbedNode, worker: &TestbedNode) -> Result<String> {
    let told =
        "grep -c 'tmp/open is being written on worker-1 alone' /var/log/stampede.log || true";
    wait_until(400, "the drain tells the open file", async || {
        Ok(master.run_script(told).await? != "0")
    })
    .await?;
    worker.run_script("touch /tmp/stop").await?;
    wait_until(120, "the file is closed", async || {
        Ok(worker
            .run_script("systemctl is-active writer || true")
            .await?
            != "active")
    })
    .await?;
    master.run_script("hdfs dfs -stat %b /tmp/open").await
}

/// Other replication and heap, node by node.
async fn settings(client: &OcciClient, all: &[TestbedNode]) -> Result<()> {
    let watched = change(
        client,
        &[
            ("stampede.hadoop.replication", "1"),
            ("stampede.hadoop.datanode_heap_mib", "300"),
        ],
    )
    .await?;
    must!(
        watched.last.get("stampede.hadoop.replication") == "1",
        "{:?}",
        watched.last.attributes
    );
    for node in all {
        let conf = node
            .run_script("hdfs getconf -confKey dfs.replication")
            .await?;
        must!(conf == "1", "replication on {} is {conf}", node.name);
    }
    for node in &all[1..] {
        let heap = node
            .run_script("tr '\\0' ' ' </proc/$(systemctl show -p MainPID --value hadoop-datanode)/cmdline | grep -o -- '-Xmx[0-9a-z]*'")
            .await?;
        must!(
            heap.contains("-Xmx300m"),
            "the DataNode of {} runs with {heap}",
            node.name
        );
    }
    must!(
        health::count_registered(&all[0]).await? == (2, 2),
        "registered: {:?}",
        health::count_registered(&all[0]).await?
    );
    health::file_is_whole(&all[0], &all[2]).await?;
    verified!(
        "a changed replication and DataNode heap stand on every node, the DataNodes run with it, and the file is whole"
    );
    Ok(())
}

/// A worker that cannot install is taken away again, and the next one is not troubled by it.
async fn failing(
    testbed: &TestbedContext,
    client: &OcciClient,
    stack: &str,
    master: &TestbedNode,
) -> Result<()> {
    let gone = "http://172.31.240.1:8900/gone";
    let watched = change(
        client,
        &[("stampede.workers", "3"), ("stampede.mirror", gone)],
    )
    .await?;
    let said = watched.last.get("stampede.update");
    must!(
        said.contains("as it was before") && said.contains("worker-3") && said.contains("404"),
        "said: {said}"
    );
    must!(
        watched.last.get("stampede.workers") == "2" && watched.last.get("stampede.mirror") != gone,
        "{:?}",
        watched.last.attributes
    );
    must!(
        health::count_registered(master).await? == (2, 2),
        "registered: {:?}",
        health::count_registered(master).await?
    );
    verified!("a new worker that cannot install is taken away again: {said}");
    let watched = change(client, &[("stampede.workers", "3")]).await?;
    must!(
        watched.last.get("stampede.update").is_empty(),
        "{}",
        watched.last.get("stampede.update")
    );
    must!(
        health::count_registered(master).await? == (3, 3),
        "registered: {:?}",
        health::count_registered(master).await?
    );
    let five = find_named(&testbed.cloud.demo, stack, &["worker-4"]).await?;
    verified!("and the next try gives {}", five[0].name);
    Ok(())
}
