//! Verifies a Hadoop from its own nodes: registration, a file in HDFS, a job on YARN. Units that
//! run are no evidence of that.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::testbed::node::TestbedNode;
use crate::wait_until;
use crate::{must, verified};

/// DataNodes that the NameNode counts as live and in service, and NodeManagers that the
/// ResourceManager counts as active.
pub async fn count_registered(master: &TestbedNode) -> Result<(u64, u64)> {
    let jmx = master
        .fetch_json("http://master:9870/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")
        .await?;
    let count = |key: &str| {
        jmx["beans"][0][key]
            .as_u64()
            .with_context(|| format!("no {key}"))
    };
    // One that was let go is heard of until it is forgotten.
    let live = count("NumLiveDataNodes")? - count("NumDecomLiveDataNodes")?;
    let metrics = master
        .fetch_json("http://master:8088/ws/v1/cluster/metrics")
        .await?;
    Ok((
        live,
        metrics["clusterMetrics"]["activeNodes"]
            .as_u64()
            .context("no activeNodes")?,
    ))
}

/// All of it: every worker registered, HDFS across nodes, a word count whose tasks ran on all
/// workers, seen by the history server.
pub async fn verify_hadoop(nodes: &[TestbedNode]) -> Result<()> {
    let (master, workers) = nodes.split_first().context("no nodes")?;
    let count = workers.len() as u64;
    let (data_nodes, node_managers) = count_registered(master).await?;
    must!(
        data_nodes == count && node_managers == count,
        "{data_nodes} DataNodes and {node_managers} NodeManagers, not {count}"
    );
    verified!("{data_nodes} live DataNodes, {node_managers} running NodeManagers");
    let last = workers.last().context("no workers")?;
    file_across(&workers[0], last).await?;
    let workers_used = word_count(master).await?;
    let names: BTreeSet<String> = workers.iter().map(|w| w.name.clone()).collect();
    must!(
        workers_used == names,
        "tasks ran on {workers_used:?}, not on {names:?}"
    );
    verified!(
        "a word count on YARN with the right answer, tasks on {}, and the job is in the history server",
        join_names(&workers_used)
    );
    for node in nodes {
        let kills = node.oom_kills()?;
        must!(kills == 0, "{kills} out-of-memory kills on {}", node.name);
    }
    verified!(
        "no out-of-memory kill on any node; limits {:?} MiB",
        nodes
            .iter()
            .map(|n| n.memory_limit_mib())
            .collect::<Result<Vec<_>>>()?
    );
    Ok(())
}

/// Puts a file on one node and reads it on another.
async fn file_across(from: &TestbedNode, to: &TestbedNode) -> Result<()> {
    let sum = from
        .run_script("head -c 5000000 /dev/urandom >/tmp/proof && hdfs dfs -mkdir -p /tmp/proof && hdfs dfs -put -f /tmp/proof /tmp/proof/file && sha256sum </tmp/proof")
        .await?;
    let back = to
        .run_script("hdfs dfs -cat /tmp/proof/file | sha256sum")
        .await?;
    must!(
        sum == back,
        "a file read back on {} is not what {} had put",
        to.name,
        from.name
    );
    verified!(
        "5 MB put to HDFS on {} and read back whole on {}",
        from.name,
        to.name
    );
    Ok(())
}

/// The same file, later: whole, with every block where it should be.
pub async fn file_is_whole(master: &TestbedNode, reader: &TestbedNode) -> Result<()> {
    let report = master.run_script("hdfs fsck /tmp/proof/file").await?;
    must!(report.contains("is HEALTHY"), "fsck: {report}");
    let sums = reader
        .run_script("hdfs dfs -cat /tmp/proof/file | wc -c")
        .await?;
    must!(sums == "5000000", "{sums} bytes of 5000000");
    Ok(())
}

/// Counts words of six files; the workers whose NodeManagers ran the tasks.
async fn word_count(master: &TestbedNode) -> Result<BTreeSet<String>> {
    let script = r#"
        set -e
        work=$(mktemp -d); for i in 1 2 3 4 5 6; do yes 'alpha beta alpha' | head -n 1000 >"$work/$i"; done
        hdfs dfs -rm -r -f -skipTrash /tmp/count-in /tmp/count-out >/dev/null
        hdfs dfs -mkdir -p /tmp/count-in; hdfs dfs -put "$work"/* /tmp/count-in/
        jar=$(ls /opt/hadoop*/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar | head -n 1)
        hadoop jar "$jar" wordcount /tmp/count-in /tmp/count-out >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
        grep -o 'job_[0-9_]*' "$work/log" | head -n 1
        hdfs dfs -cat '/tmp/count-out/part-*'"#;
    let out = master.run_script(script).await?;
    let (job, answer) = out.split_once('\n').context("no answer")?;
    must!(
        answer == "alpha\t12000\nbeta\t6000",
        "the word count's answer is wrong: {answer}"
    );
    let history = format!("http://master:19888/ws/v1/history/mapreduce/jobs/{job}");
    wait_until(60, "the job is in the history server", async || {
        Ok(master.fetch_json(&history).await?["job"]["state"] == "SUCCEEDED")
    })
    .await?;
    let tasks = master.fetch_json(&format!("{history}/tasks")).await?;
    let mut used = BTreeSet::new();
    for id in collect_texts(&tasks, "id")
        .iter()
        .filter(|id| id.starts_with("task_"))
    {
        let attempts = master
            .fetch_json(&format!("{history}/tasks/{id}/attempts"))
            .await?;
        used.extend(
            collect_texts(&attempts, "nodeHttpAddress")
                .iter()
                .filter_map(|a| Some(a.split(':').next()?.to_owned())),
        );
    }
    must!(
        !used.is_empty(),
        "the history server shows no attempt: {tasks}"
    );
    Ok(used)
}

/// Every text of this key, however deep: releases of Hadoop wrap the same fields differently.
fn collect_texts(json: &Value, key: &str) -> Vec<String> {
    match json {
        Value::Object(fields) => {
            let own = fields.get(key).and_then(Value::as_str).map(str::to_owned);
            own.into_iter()
                .chain(fields.values().flat_map(|v| collect_texts(v, key)))
                .collect()
        }
        Value::Array(items) => items.iter().flat_map(|v| collect_texts(v, key)).collect(),
        _ => Vec::new(),
    }
}

fn join_names(names: &BTreeSet<String>) -> String {
    names.iter().cloned().collect::<Vec<_>>().join(" and ")
}
