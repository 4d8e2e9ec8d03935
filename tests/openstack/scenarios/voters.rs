//! ZooKeeper's voters on three of four workers, beside Spark by itself: one is killed, a worker comes
//! and one goes, and no write that was taken is lost.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use stampede_tests::testbed::cluster::find_named;
use stampede_tests::testbed::mirror;
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::{must, verified, wait_until};

use super::by_hand::run_stampede;
use super::frameworks::{deploy, settings};
use crate::TestbedContext;

const NAME: &str = "voters";
/// What the scripts of ZooKeeper's component share.
const SHARED: &str = ". /usr/local/lib/zookeeper/servers.sh";
/// Writes numbers one after the other, and notes those that were taken.
const WRITER: &str = r#"
try=0
while [[ ! -e /tmp/enough ]]; do
  {
    for ((n = 0; n < 50; n++)); do echo "create /kept/$((try * 50 + n)) x"; done
    echo quit
  } | sed 's/^/ /' | timeout 60 "$(readlink -f /opt/java-zookeeper)/bin/java" -Xmx64m -Dzookeeper.level=ERROR -cp '/etc/zookeeper:/opt/zookeeper/lib/*' \
    org.apache.zookeeper.ZooKeeperMain -waitforconnection -timeout 20000 -server worker-1:2181,worker-2:2181,worker-3:2181 2>&1 | sed -n 's#^.*Created /kept/##p' >>/tmp/taken || true
  try=$((try + 1))
done
"#;

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    mirror::make(&["spark-4.2.0", "zookeeper-3.9.5"])?;
    let mut sets = settings(&["zookeeper", "spark"])?;
    sets.extend(
        [
            "master.flavor=m1.large",
            "worker.flavor=m1.large",
            "workers=4",
        ]
        .map(str::to_owned),
    );
    let names = ["master", "worker-1", "worker-2", "worker-3", "worker-4"];
    let nodes = deploy(testbed, "zookeeper,spark", NAME, &sets, &names).await?;
    let three: BTreeSet<String> = ["worker-1", "worker-2", "worker-3"]
        .map(str::to_owned)
        .into();
    let first = voters(&nodes[1]).await?;
    must!(first == three, "these vote: {first:?}");
    in_component(
        &nodes[1],
        r#"printf '%s\n' 'create /kept' quit | zk_run worker-1"#,
    )
    .await?;
    let begin = format!(
        "rm -f /tmp/enough /tmp/taken; cat >/tmp/writer.sh <<'END'\n{WRITER}END\nsystemd-run --quiet --collect --unit=proof-writer bash /tmp/writer.sh"
    );
    nodes[1].run_script(&begin).await?;
    more_is_taken(&nodes[1]).await?;
    kill_the_leader(&nodes[1..4]).await?;
    more_is_taken(&nodes[1]).await?;

    run_stampede(testbed, &["update", NAME, "--workers", "5"])?;
    run_stampede(testbed, &["update", NAME, "--remove", "worker-4"])?;
    let still = voters(&nodes[1]).await?;
    must!(
        still == three,
        "after a worker came and one went these vote: {still:?}"
    );
    verified!("worker-5 came and worker-4 went: the same three vote");
    run_stampede(testbed, &["update", NAME, "--remove", "worker-2"])?;
    let stack = testbed.cloud.demo.stacks().await?;
    let stack = stack.first().context("no stack")?;
    let left = find_named(
        &testbed.cloud.demo,
        stack,
        &["worker-1", "worker-3", "worker-5"],
    )
    .await?;
    let now = voters(&left[0]).await?;
    must!(
        now.len() == 3 && !now.contains("worker-2"),
        "after a voter went these vote: {now:?}"
    );
    more_is_taken(&left[0]).await?;
    nothing_is_lost(&left, &now).await?;
    run_stampede(testbed, &["delete", NAME, "--wait"])?;
    super::deletion::nothing_stays(testbed).await
}

/// Runs bash as a script of the component does.
async fn in_component(node: &TestbedNode, script: &str) -> Result<String> {
    let text = format!(
        "cat >/tmp/script.sh <<'END'\n{SHARED}; {script}\nEND\nSTAMPEDE_PLUGIN=zookeeper STAMPEDE_COMPONENT=zookeeper_server /opt/stampede/run script /tmp/script.sh"
    );
    node.run_script(&text).await
}

/// Who votes, as this node's server says.
async fn voters(node: &TestbedNode) -> Result<BTreeSet<String>> {
    let said = in_component(node, r#"zk_voters "$STAMPEDE_NODE""#).await?;
    let names = said.lines().filter_map(|line| line.split(' ').nth(1));
    Ok(names.map(str::to_owned).collect())
}

async fn count_taken(node: &TestbedNode) -> Result<usize> {
    Ok(node
        .run_script("cat /tmp/taken 2>/dev/null | wc -l")
        .await?
        .trim()
        .parse()?)
}

async fn more_is_taken(node: &TestbedNode) -> Result<()> {
    let before = count_taken(node).await?;
    wait_until(90, "writes are taken", async || {
        Ok(count_taken(node).await? > before)
    })
    .await
}

async fn kill_the_leader(voters: &[TestbedNode]) -> Result<()> {
    let mode = r#"zk_mode "$STAMPEDE_NODE""#;
    for node in voters {
        if in_component(node, mode).await? == "leader" {
            node.run_script("systemctl kill --signal=KILL zookeeper")
                .await?;
            wait_until(60, "it serves again", async || {
                in_component(node, mode).await.map(|_| true)
            })
            .await?;
            verified!("{} led, was killed, and serves again", node.name);
            return Ok(());
        }
    }
    anyhow::bail!("nobody leads")
}

/// Every server has all that was taken.
async fn nothing_is_lost(nodes: &[TestbedNode], voters: &BTreeSet<String>) -> Result<()> {
    nodes[0].run_script("touch /tmp/enough; for i in $(seq 120); do systemctl is-active --quiet proof-writer || exit 0; sleep 1; done; exit 1").await?;
    let taken = nodes[0].run_script("cat /tmp/taken").await?;
    let taken: BTreeSet<&str> = taken.lines().collect();
    for node in nodes.iter().filter(|node| voters.contains(&node.name)) {
        let list = r#"printf '%s\n' 'sync /kept' 'ls /kept' quit | zk_run "$STAMPEDE_NODE" | grep -o '\[[0-9, ]*\]' | tail -n 1"#;
        let there = in_component(node, list).await?;
        let there: BTreeSet<&str> = there.trim_matches(['[', ']']).split(", ").collect();
        let lost: Vec<_> = taken.difference(&there).collect();
        must!(
            lost.is_empty(),
            "{} lacks {lost:?} of {}",
            node.name,
            taken.len()
        );
    }
    verified!(
        "none of {} writes that were taken is lost on any of {voters:?}",
        taken.len()
    );
    Ok(())
}
