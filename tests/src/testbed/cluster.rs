//! Requests clusters on the testbed, and finds the nodes that come of them.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::client::OcciClient;
use crate::testbed::cloud::{MIRROR, PROXY, TestbedCloud, TestbedSession};
use crate::testbed::node::TestbedNode;

/// A client with this session's token.
pub fn occi_client(url: &str, session: &TestbedSession) -> Result<OcciClient> {
    OcciClient::new(url, &session.token, &session.project)
}

/// The attributes of a Hadoop cluster on the testbed: its mirror, its distribution's checksum, its
/// proxy.
pub fn hadoop_attributes(
    cloud: &TestbedCloud,
    version: &str,
    more: &[(&str, &str)],
) -> Result<Vec<(String, String)>> {
    let sha512 = cloud.sha512(version)?;
    let mut all = BTreeMap::from([
        ("stampede.framework", "hadoop"),
        ("stampede.framework.version", version),
        ("stampede.workers", "2"),
        ("stampede.image", "debian-12"),
        ("stampede.master.flavor", "m1.xlarge"),
        ("stampede.worker.flavor", "m1.xlarge"),
        ("stampede.network.external", "public"),
        ("stampede.mirror", MIRROR),
        ("stampede.proxy", PROXY),
        ("stampede.hadoop.sha512", sha512.as_str()),
    ]);
    all.extend(more.iter().copied());
    Ok(all
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect())
}

/// Borrowed pairs, as the client takes them.
pub fn borrow_pairs(attributes: &[(String, String)]) -> Vec<(&str, &str)> {
    attributes
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect()
}

/// The nodes of a stack: the master first.
pub async fn find_nodes(
    session: &TestbedSession,
    stack: &str,
    workers: usize,
) -> Result<Vec<TestbedNode>> {
    let names: Vec<String> = std::iter::once("master".to_owned())
        .chain((1..=workers).map(|n| format!("worker-{n}")))
        .collect();
    find_named(
        session,
        stack,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await
}

/// The nodes of these names.
pub async fn find_named(
    session: &TestbedSession,
    stack: &str,
    names: &[&str],
) -> Result<Vec<TestbedNode>> {
    let mut nodes = Vec::new();
    for name in names {
        nodes.push(TestbedNode::new(
            name,
            &session.find_server(stack, name).await?,
        )?);
    }
    Ok(nodes)
}
