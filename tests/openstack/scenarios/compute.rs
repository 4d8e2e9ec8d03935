//! Nodes that only compute come and go while a Spark job runs, and HDFS's workers know nothing of it.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result};

use stampede_tests::testbed::hadoop::count_registered;
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::{must, verified, wait_until};

use super::by_hand::run_stampede;
use super::frameworks::NAME;
use crate::TestbedContext;

/// Computes in rounds until it is told to stop, and writes down where each round was computed, and
/// whether it came out right.
const JOB: &str = r#"
import os, socket, time
from pyspark import SparkContext
context = SparkContext(appName='grows')
def where(number):
    time.sleep(1)
    return socket.gethostname(), number
while not os.path.exists('/tmp/enough'):
    found = context.parallelize(range(24), 24).map(where).collect()
    right = sorted(number for _, number in found) == list(range(24))
    with open('/tmp/rounds', 'a') as rounds:
        print('right' if right else 'WRONG', *sorted({node for node, _ in found}), file=rounds)
context.stop()
"#;

/// What runs on HDFS's workers, and since when.
const DAEMONS: &str = "systemctl show -p MainPID hadoop-datanode hadoop-nodemanager";

/// 1 to 3 and back.
pub async fn grow_and_shrink(testbed: &TestbedContext, nodes: &[TestbedNode]) -> Result<()> {
    let (master, workers) = (&nodes[0], &nodes[1..3]);
    let before = describe(workers).await?;
    let begin = format!(
        "rm -f /tmp/enough /tmp/rounds; cat >/tmp/grows.py <<'END'\n{JOB}END\nsystemd-run --quiet --collect --unit=proof-grows --uid=spark --setenv=HOME=/var/lib/spark --property=WorkingDirectory=/tmp --property=StandardOutput=file:/tmp/grows.log --property=StandardError=inherit spark-submit --conf spark.executor.memory=900m --conf spark.executor.cores=1 --conf spark.dynamicAllocation.executorIdleTimeout=20s /tmp/grows.py"
    );
    master.run_script(&begin).await?;
    wait_until(120, "the job computes", async || {
        Ok(!rounds(master).await?.is_empty())
    })
    .await?;
    let grown = change(testbed, 3).await?;
    wait_until(
        120,
        "the job computes on nodes that have come",
        async || {
            let rounds = rounds(master).await?;
            let last = rounds.last().context("no round")?;
            Ok(last.contains("compute-2") || last.contains("compute-3"))
        },
    )
    .await?;
    let (data_nodes, node_managers) = count_registered(master).await?;
    must!(
        (data_nodes, node_managers) == (2, 5),
        "{data_nodes} DataNodes and {node_managers} NodeManagers"
    );
    let shrunk = change(testbed, 1).await?;
    let seen = rounds(master).await?.len();
    wait_until(120, "the job goes on without them", async || {
        Ok(rounds(master).await?.len() > seen + 1)
    })
    .await?;
    master.run_script("touch /tmp/enough").await?;
    wait_until(120, "the job ends", async || {
        master
            .run_script("! systemctl is-active --quiet proof-grows")
            .await
            .map(|_| true)
    })
    .await?;
    let all = rounds(master).await?;
    must!(
        all.iter().all(|round| round.contains("right")),
        "rounds: {all:?}"
    );
    let after = describe(workers).await?;
    must!(before == after, "HDFS's workers: {before:?} then {after:?}");
    let used: BTreeSet<&String> = all
        .iter()
        .flatten()
        .filter(|word| *word != "right")
        .collect();
    verified!(
        "a group of NodeManagers alone grew from 1 to 3 in {grown} s and shrank in {shrunk} s, while {} rounds of a Spark job came out right on {used:?}; no daemon of HDFS's workers was restarted",
        all.len()
    );
    Ok(())
}

/// What each round says, by words.
async fn rounds(master: &TestbedNode) -> Result<Vec<BTreeSet<String>>> {
    let text = master
        .run_script("cat /tmp/rounds 2>/dev/null || true; ! grep -saE 'SparkException|ERROR SparkContext' /tmp/grows.log >&2")
        .await?;
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    Ok(text.lines().map(words).collect())
}

async fn describe(workers: &[TestbedNode]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for worker in workers {
        all.push(worker.run_script(DAEMONS).await?);
    }
    Ok(all)
}

/// So many nodes that compute; how many seconds it took.
async fn change(testbed: &TestbedContext, count: u32) -> Result<u64> {
    let start = Instant::now();
    let wanted = format!("compute.count={count}");
    run_stampede(testbed, &["update", NAME, "--set", &wanted])?;
    let shown = run_stampede(testbed, &["show", NAME])?;
    must!(shown.contains("UPDATE_COMPLETE"), "it shows: {shown}");
    Ok(start.elapsed().as_secs())
}
