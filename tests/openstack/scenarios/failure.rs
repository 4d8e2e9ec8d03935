//! A worker that cannot install fails the stack within a minute of its failure, with node, stage
//! and reason.

use std::time::Instant;

use anyhow::{Context, Result};

use stampede_tests::client::wait_until_settled;
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::KEYSTONE;
use stampede_tests::testbed::cluster::{borrow_pairs, find_nodes, hadoop_attributes, occi_client};
use stampede_tests::{must, verified};

use crate::TestbedContext;

pub async fn wrong_checksum(testbed: &TestbedContext) -> Result<()> {
    let (name, wrong) = ("checksum", ("stampede.hadoop.sha512", &*"0".repeat(128)));
    let host = HostProcess::start(&testbed.scratch.join(name), KEYSTONE, &[]).await?;
    let client = occi_client(&host.url, &testbed.cloud.demo)?;
    let attributes = hadoop_attributes(&testbed.cloud, "3.5.0", &[wrong])?;
    client.create(name, &borrow_pairs(&attributes)).await?;
    let watched = wait_until_settled(&client, name, 300).await?;
    let settled = Instant::now();
    must!(
        watched.last.state() == "CREATE_FAILED",
        "{:?}",
        watched.states
    );
    let failure = watched.last.get("stampede.failure").to_owned();
    let known = ["master", "worker-1", "worker-2"]
        .iter()
        .any(|n| failure.contains(n));
    must!(
        known && failure.contains("setup") && failure.contains("sha512"),
        "node, stage or reason is missing: {failure}"
    );
    verified!("GET shows: {failure}");
    let stack = testbed.cloud.demo.stacks().await?;
    let all = find_nodes(&testbed.cloud.demo, stack.first().context("no stack")?, 2).await?;
    let node = all.iter().find(|node| failure.contains(&node.name));
    let node = node.with_context(|| format!("no node has the name in: {failure}"))?;
    let age: f64 = node
        .run_script("echo $(( $(date +%s) - $(date -d \"$(grep -m1 ' failed' /var/log/stampede.log | cut -d' ' -f1)\" +%s) ))")
        .await?
        .parse()?;
    let age = age - settled.elapsed().as_secs_f64();
    must!(age < 60.0, "the stack failed {age} s after the node");
    verified!(
        "the stack had failed {:.0} s after the node wrote its failure",
        age.max(0.0)
    );
    let (status, text) = client.delete(name).await?;
    must!(status.is_success(), "DELETE: {status} {text}");
    crate::scenarios::deletion::nothing_stays(testbed).await
}
