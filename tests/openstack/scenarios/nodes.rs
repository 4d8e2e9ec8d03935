//! Nodes on images and networks as they are: a name server that is dead, a proxy as the only way
//! out, an image that is no Debian, a cloud whose certificates nobody knows, a Heat that is away.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use stampede_tests::client::{OcciClient, wait_until_settled};
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::{
    HEAT_AWAY, KEYSTONE, MIRROR_BEHIND_PROXY, PRIVATE_CA, PRIVATE_KEYSTONE, TestbedSession,
    bring_up_private,
};
use stampede_tests::testbed::cluster::{borrow_pairs, find_nodes, hadoop_attributes, occi_client};
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::{must, verified, wait_until};

use super::deletion::project_is_empty;
use crate::TestbedContext;

/// What nobody answers at: a documentation address (RFC 5737).
const DEAD_NAME_SERVERS: (&str, &str) = ("stampede.cluster.dns_nameservers", "[\"192.0.2.1\"]");

/// The attributes of a cluster of one worker; an empty value takes one away.
fn attributes(testbed: &TestbedContext, more: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
    let small = [
        ("stampede.workers", "1"),
        ("stampede.hadoop.replication", "1"),
    ];
    let mut all = hadoop_attributes(&testbed.cloud, "3.5.0", &[&small, more].concat())?;
    all.retain(|(_, value)| !value.is_empty());
    Ok(all)
}

/// A name server that is dead, an image that is no Debian, a proxy as the only way out: side by side,
/// since two of them only wait.
pub async fn odd_surroundings(testbed: &TestbedContext) -> Result<()> {
    tokio::try_join!(told_in_words(testbed), proxy_alone(testbed))?;
    project_is_empty(&testbed.cloud.apart).await
}

async fn told_in_words(testbed: &TestbedContext) -> Result<()> {
    let host = HostProcess::start(&testbed.scratch.join("words"), KEYSTONE, &[]).await?;
    let client = occi_client(&host.url, &testbed.cloud.apart)?;
    let unnamed = attributes(
        testbed,
        &[
            DEAD_NAME_SERVERS,
            ("stampede.mirror", "http://mirror.example.org:8900"),
            ("stampede.proxy", ""),
            ("stampede.timeout", "300"),
        ],
    )?;
    let rocky = attributes(testbed, &[("stampede.image", "rocky-9")])?;
    client
        .create("nodes-unnamed", &borrow_pairs(&unnamed))
        .await?;
    client.create("nodes-rocky", &borrow_pairs(&rocky)).await?;
    tokio::try_join!(no_debian(&client), dead_name_server(&client))?;
    for name in ["nodes-unnamed", "nodes-rocky"] {
        client.delete(name).await?;
    }
    Ok(())
}

async fn no_debian(client: &OcciClient) -> Result<()> {
    let watched = wait_until_settled(client, "nodes-rocky", 600).await?;
    let failure = watched.last.get("stampede.failure");
    must!(
        watched.last.state() == "CREATE_FAILED"
            && failure.contains("needs Debian or Ubuntu, this is Rocky Linux 9.4 (Blue Onyx)"),
        "{}: {failure}",
        watched.last.state()
    );
    verified!(
        "an image that is no Debian, after {:.0} s: {failure}",
        watched.took.as_secs_f32()
    );
    Ok(())
}

async fn dead_name_server(client: &OcciClient) -> Result<()> {
    let words = |text: &str| {
        text.contains("no name server answers (192.0.2.1)")
            && text.contains("set cluster.dns_nameservers")
    };
    let (mut began, mut told) = (None, None);
    wait_until(
        400,
        "the dead name server is told as progress",
        async || {
            let seen = client
                .fetch_cluster("nodes-unnamed")
                .await?
                .unwrap_or_default();
            let progress = |wanted: &dyn Fn(&str) -> bool| {
                seen.attributes
                    .iter()
                    .any(|(key, value)| key.starts_with("stampede.progress.") && wanted(value))
            };
            if began.is_none() && progress(&|_| true) {
                began = Some(Instant::now());
            }
            if progress(&words) {
                told = Some(Instant::now());
            }
            Ok(told.is_some() || seen.state() == "CREATE_FAILED")
        },
    )
    .await?;
    let (Some(began), Some(told)) = (began, told) else {
        anyhow::bail!("failed before it was told as progress");
    };
    let after = told.duration_since(began);
    must!(
        after < Duration::from_secs(120),
        "told {after:?} after the nodes' first words"
    );
    verified!(
        "a name server that is dead was told as progress {:.0} s after the nodes' first words",
        after.as_secs_f32()
    );
    let watched = wait_until_settled(client, "nodes-unnamed", 600).await?;
    let failure = watched.last.get("stampede.failure");
    must!(
        watched.last.state() == "CREATE_FAILED" && words(failure),
        "{}: {failure}",
        watched.last.state()
    );
    verified!("and, when half of its time had gone, as the failure: {failure}");
    Ok(())
}

/// The mirror listens where only the proxy reaches it, so that all of Hadoop comes through that.
async fn proxy_alone(testbed: &TestbedContext) -> Result<()> {
    let host = HostProcess::start(&testbed.scratch.join("proxy"), KEYSTONE, &[]).await?;
    let client = occi_client(&host.url, &testbed.cloud.apart)?;
    let wanted = attributes(
        testbed,
        &[
            DEAD_NAME_SERVERS,
            ("stampede.mirror", MIRROR_BEHIND_PROXY),
            ("stampede.image", "debian-12-plain"),
        ],
    )?;
    client.create("nodes-proxy", &borrow_pairs(&wanted)).await?;
    let watched = wait_until_settled(&client, "nodes-proxy", 900).await?;
    must!(
        watched.last.state() == "CREATE_COMPLETE",
        "{}: {}",
        watched.last.state(),
        watched.last.get("stampede.failure")
    );
    let nodes = nodes_of(&testbed.cloud.apart, "nodes-proxy").await?;
    let mirror = format!(
        "curl -s -o /dev/null -m 5 {MIRROR_BEHIND_PROXY}/hadoop/ && echo reached || echo not reached"
    );
    let direct = nodes[1].run_script(&mirror).await?;
    must!(direct == "not reached", "{direct} without the proxy");
    verified!(
        "with a proxy as the only way out, and no name server, Java and Hadoop came through it: complete in {:.0} s",
        watched.took.as_secs_f32()
    );
    client.delete("nodes-proxy").await?;
    Ok(())
}

/// Keystone and Heat by names that no name server of the nodes tells, behind TLS of a private
/// authority; Heat is away for a minute while the nodes become ready.
pub async fn private_authority(testbed: &TestbedContext) -> Result<()> {
    private(testbed, "nodes-private", Duration::from_secs(60)).await
}

/// The same, for as long as an operator takes to notice.
pub async fn heat_away(testbed: &TestbedContext) -> Result<()> {
    private(testbed, "nodes-away", Duration::from_secs(600)).await
}

async fn private(testbed: &TestbedContext, name: &str, away: Duration) -> Result<()> {
    let session = bring_up_private(&testbed.cloud).await?;
    let result = private_cluster(testbed, &session, name, away).await;
    let _ = std::fs::remove_file(HEAT_AWAY);
    if result.is_err() {
        session.delete_stacks().await?;
    }
    result
}

async fn private_cluster(
    testbed: &TestbedContext,
    session: &TestbedSession,
    name: &str,
    away: Duration,
) -> Result<()> {
    let trust = ["--ca-file", PRIVATE_CA];
    let host = HostProcess::start(&testbed.scratch.join(name), PRIVATE_KEYSTONE, &trust).await?;
    let client = occi_client(&host.url, session)?;
    let wanted = attributes(testbed, &[DEAD_NAME_SERVERS])?;
    client.create(name, &borrow_pairs(&wanted)).await?;
    let mut failure = String::new();
    wait_until(600, "the nodes' progress arrives over TLS", async || {
        let seen = client.fetch_cluster(name).await?.unwrap_or_default();
        failure = seen.get("stampede.failure").to_owned();
        let began = |node: &str| !seen.get(&format!("stampede.progress.{node}")).is_empty();
        Ok(!failure.is_empty() || (began("master") && began("worker-1")))
    })
    .await?;
    must!(failure.is_empty(), "{failure}");
    verified!(
        "progress arrives by names that no name server of the nodes tells, over TLS of an authority that their image does not know"
    );
    let nodes = nodes_of(session, name).await?;
    std::fs::write(HEAT_AWAY, "")?;
    let left = Instant::now();
    for node in &nodes {
        verdict_is_kept(node).await?;
    }
    tokio::time::sleep(away.saturating_sub(left.elapsed())).await;
    for node in &nodes {
        node.run_script("test -s /var/lib/stampede/verdict -a ! -e /var/lib/stampede/signalled")
            .await?;
    }
    let gone = left.elapsed();
    std::fs::remove_file(HEAT_AWAY)?;
    let watched = wait_until_settled(&client, name, 300).await?;
    must!(
        watched.last.state() == "CREATE_COMPLETE",
        "{}: {}",
        watched.last.state(),
        watched.last.get("stampede.failure")
    );
    verified!(
        "Heat was away for {:.0} s while the nodes became ready, and the cluster is complete {:.0} s after it came back",
        gone.as_secs_f32(),
        watched.took.as_secs_f32()
    );
    fenced(&nodes[1]).await?;
    client.delete(name).await?;
    project_is_empty(session).await
}

/// The master and the worker of a cluster, whose stack's name holds its own.
async fn nodes_of(session: &TestbedSession, name: &str) -> Result<Vec<TestbedNode>> {
    let stacks = session.stacks().await?;
    let stack = stacks.iter().find(|stack| stack.contains(name));
    find_nodes(session, stack.context("no such stack")?, 1).await
}

async fn verdict_is_kept(node: &TestbedNode) -> Result<()> {
    wait_until(600, "a node is done and keeps it", async || {
        Ok(node
            .run_script("head -n 1 /var/lib/stampede/verdict")
            .await
            .is_ok_and(|first| first == "SUCCESS"))
    })
    .await
}

/// What signals is root's alone; the authority is everybody's.
async fn fenced(node: &TestbedNode) -> Result<()> {
    let ask = "curl -s -o /dev/null -m 20 -w '%{http_code}' http://169.254.169.254/openstack/latest/meta_data.json";
    let root = node.run_script(ask).await?;
    let other = node
        .run_script(&format!(
            "setpriv --reuid yarn --clear-groups {ask} || true"
        ))
        .await?;
    must!(
        root == "200" && other == "000",
        "the metadata service answers root {root}, the user yarn {other}"
    );
    verified!("the metadata service answers root, and no user of the cluster");
    node.run_script(
        "openssl x509 -in /usr/local/share/ca-certificates/stampede-cloud-1.crt -noout -subject \
         && grep -q \"$(sed -n 2p /etc/stampede/ca.pem)\" /etc/ssl/certs/ca-certificates.crt",
    )
    .await?;
    verified!("the node's own trust store has the private authority");
    Ok(())
}
