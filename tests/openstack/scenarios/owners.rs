//! Who may act on a cluster, and where: a reader of the project, a second region, an owner who is
//! removed from the project while a change, and then a delete, waits. The second Heat is the second
//! region's; it and its Keystone want the roles of OpenStack's newer defaults, so that a reader may
//! change nothing.

use std::path::Path;

use anyhow::{Context, Result};
use reqwest::StatusCode;

use stampede_tests::client::{ShownCluster, wait_until_settled};
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::{
    HEAT_AWAY, KEYSTONE, PRIVATE_CA, PRIVATE_HEAT, PRIVATE_KEYSTONE, TestbedSession,
    bring_up_private,
};
use stampede_tests::testbed::cluster::{borrow_pairs, find_nodes, hadoop_attributes, occi_client};
use stampede_tests::testbed::users::{ProjectUser, SecondRegion, project_user};
use stampede_tests::{must, verified, wait_until};

use super::deletion::project_is_empty;
use crate::TestbedContext;

const NAME: &str = "owned";

/// A change of two steps, the master's and the worker's.
const HEAP: [(&str, &str); 1] = [("stampede.hadoop.datanode_heap_mib", "300")];

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    let admin = &testbed.cloud.admin;
    let session = bring_up_private(&testbed.cloud).await?;
    SecondRegion::register(admin, PRIVATE_HEAT).await?;
    let result = in_second_region(testbed, &session).await;
    let _ = std::fs::remove_file(HEAT_AWAY);
    if result.is_err() {
        // Heat deletes by the trust of who made the stack
        project_user(admin, &session, "leaver", "member").await?;
        session.delete_stacks().await?;
    }
    SecondRegion::remove(admin).await?;
    result
}

async fn in_second_region(testbed: &TestbedContext, session: &TestbedSession) -> Result<()> {
    let admin = &testbed.cloud.admin;
    let owner = project_user(admin, session, "leaver", "member").await?;
    let reader = project_user(admin, session, "reader", "reader").await?;
    let data = testbed.scratch.join("owners");
    let arguments = ["--region", SecondRegion::NAME, "--ca-file", PRIVATE_CA];
    let host = HostProcess::start(&data, PRIVATE_KEYSTONE, &arguments).await?;
    let small = [
        ("stampede.workers", "1"),
        ("stampede.hadoop.replication", "1"),
    ];
    let attributes = hadoop_attributes(&testbed.cloud, "3.5.0", &small)?;
    let attributes = borrow_pairs(&attributes);
    let client = occi_client(&host.url, &owner.session)?;
    client.create(NAME, &attributes).await?;
    let stack = stack_of(session).await?;
    verified!(
        "a member deploys into the region {}: {stack}",
        SecondRegion::NAME
    );
    reader_changes_nothing(&host, &reader.session, &attributes).await?;
    let watched = wait_until_settled(&client, NAME, 600).await?;
    must!(
        watched.last.state() == "CREATE_COMPLETE",
        "{}: {}",
        watched.last.state(),
        watched.last.get("stampede.failure")
    );
    reader_changes_nothing(&host, &reader.session, &attributes).await?;
    another_region_loses_nothing(testbed, &data, session, &watched.last).await?;
    removed_in_a_change(admin, &host, &owner, session).await?;
    let owner = project_user(admin, session, "leaver", "member").await?;
    removed_in_a_delete(admin, &host, &owner, session).await
}

/// The only stack of the project in the second region.
async fn stack_of(session: &TestbedSession) -> Result<String> {
    let stacks = session.stacks().await?;
    must!(stacks.len() == 1, "stacks in the second region: {stacks:?}");
    stacks.into_iter().next().context("no stack")
}

/// Every verb that changes something, while the cluster is made and when it is complete.
async fn reader_changes_nothing(
    host: &HostProcess,
    reader: &TestbedSession,
    attributes: &[(&str, &str)],
) -> Result<()> {
    let client = occi_client(&host.url, reader)?;
    let seen = client
        .fetch_cluster(NAME)
        .await?
        .context("a reader does not see the cluster")?;
    let complete = seen.state() == "CREATE_COMPLETE";
    let (status, text) = client.delete(NAME).await?;
    must!(
        status == StatusCode::FORBIDDEN,
        "a reader's DELETE: {status} {text}"
    );
    verified!("a reader's DELETE is 403: {}", text.trim());
    let (status, text) = client.update(NAME, &HEAP).await?;
    let wanted = if complete {
        StatusCode::FORBIDDEN
    } else {
        StatusCode::BAD_REQUEST
    };
    must!(status == wanted, "a reader's change: {status} {text}");
    verified!("a reader's change is {status}: {}", text.trim());
    let (status, text) = client.put("readers", attributes).await?;
    must!(status.is_success(), "PUT: {status} {text}");
    let (status, text) = client.action("readers", "deploy", &[]).await?;
    must!(
        status == StatusCode::FORBIDDEN,
        "a reader's deploy: {status} {text}"
    );
    verified!("a reader's deploy is 403: {}", text.trim());
    client.delete("readers").await?;
    let after = client
        .fetch_cluster(NAME)
        .await?
        .context("the cluster is hidden after a reader's requests")?;
    must!(
        after.stack_id() == seen.stack_id()
            && (!complete || after.state() == seen.state())
            && after.get(HEAP[0].0) == seen.get(HEAP[0].0),
        "after a reader's requests: {:?}",
        after.attributes
    );
    Ok(())
}

/// Hosts of the first region: one on the same data directory, which knows where the cluster is, and
/// one whose store is empty, which does not find it in its own region.
async fn another_region_loses_nothing(
    testbed: &TestbedContext,
    data: &Path,
    session: &TestbedSession,
    seen: &ShownCluster,
) -> Result<()> {
    // not by the private Keystone, whose front names the second Heat in every region
    let arguments = ["--region", "RegionOne", "--ca-file", PRIVATE_CA];
    let knows = HostProcess::start(data, KEYSTONE, &arguments).await?;
    let there = occi_client(&knows.url, session)?
        .fetch_cluster(NAME)
        .await?
        .unwrap_or_default();
    must!(
        there.get("occi.mcn.stack.id") == seen.get("occi.mcn.stack.id")
            && there.state() == seen.state(),
        "a host of the other region shows {:?}",
        there.attributes
    );
    let empty = testbed.scratch.join("owners-elsewhere");
    let empty = HostProcess::start(&empty, KEYSTONE, &arguments).await?;
    let client = occi_client(&empty.url, session)?;
    must!(
        client.fetch_cluster(NAME).await?.is_none(),
        "a host of the first region with an empty store shows a cluster of the second"
    );
    let (status, text) = client.delete(NAME).await?;
    must!(
        status == StatusCode::NOT_FOUND,
        "its DELETE: {status} {text}"
    );
    stack_of(session).await?;
    verified!(
        "hosts of the first region: one on the same data directory shows {}, one with an empty store finds nothing and deletes nothing",
        there.get("occi.mcn.stack.id")
    );
    Ok(())
}

/// The owner is removed from the project as soon as the first step of a change is sent. Another
/// member asks for the same, and the rest goes on as soon as Heat can.
async fn removed_in_a_change(
    admin: &TestbedSession,
    host: &HostProcess,
    owner: &ProjectUser,
    session: &TestbedSession,
) -> Result<()> {
    let stack = stack_of(session).await?;
    let (status, text) = occi_client(&host.url, &owner.session)?
        .update(NAME, &HEAP)
        .await?;
    must!(status.is_success(), "the owner's change: {status} {text}");
    owner.remove_from_project(admin).await?;
    let member = occi_client(&host.url, session)?;
    let mut told = ShownCluster::default();
    wait_until(
        300,
        "the change says for whom it waits, or ends",
        async || {
            told = member.fetch_cluster(NAME).await?.unwrap_or_default();
            Ok(
                !told.get("stampede.cloud.error").is_empty()
                    || told.state() != "UPDATE_IN_PROGRESS",
            )
        },
    )
    .await?;
    verified!(
        "a change whose owner was removed: {}, {:?} {:?}",
        told.state(),
        told.get("stampede.cloud.error"),
        told.get("stampede.update")
    );
    let (status, text) = member.update(NAME, &HEAP).await?;
    must!(
        status.is_success(),
        "another member asks for the same: {status} {text}"
    );
    // Heat answers 500 to whoever updates a stack whose trustor lost the role: it asks Keystone with
    // that trust before it looks who asks. What was recorded goes on once the role is back.
    project_user(admin, session, "leaver", "member").await?;
    let watched = wait_until_settled(&member, NAME, 600).await?;
    let last = &watched.last;
    must!(
        last.get("stampede.update").is_empty() && last.get(HEAP[0].0) == HEAP[0].1,
        "{}: {:?}",
        last.state(),
        last.attributes
    );
    must!(
        stack_of(session).await? == stack,
        "the change made another stack"
    );
    let nodes = find_nodes(session, &stack, 1).await?;
    let heap = nodes[1]
        .run_script("tr '\\0' ' ' </proc/$(systemctl show -p MainPID --value hadoop-datanode)/cmdline | grep -o -- '-Xmx[0-9a-z]*'")
        .await?;
    must!(heap == "-Xmx300m", "the DataNode runs with {heap}");
    verified!(
        "nothing of the change is lost: it goes on with the role, and the DataNode runs with {heap}"
    );
    Ok(())
}

/// Heat is away when the owner deletes; then the owner is removed from the project. Another member
/// deletes once more.
async fn removed_in_a_delete(
    admin: &TestbedSession,
    host: &HostProcess,
    owner: &ProjectUser,
    session: &TestbedSession,
) -> Result<()> {
    std::fs::write(HEAT_AWAY, "")?;
    let (status, text) = occi_client(&host.url, &owner.session)?.delete(NAME).await?;
    must!(
        status.is_success(),
        "DELETE while Heat is away: {status} {text}"
    );
    owner.remove_from_project(admin).await?;
    std::fs::remove_file(HEAT_AWAY)?;
    let member = occi_client(&host.url, session)?;
    let mut told = ShownCluster::default();
    wait_until(60, "the delete that waits is shown", async || {
        told = member.fetch_cluster(NAME).await?.unwrap_or_default();
        Ok(!told.get("stampede.cloud.error").is_empty())
    })
    .await?;
    verified!(
        "the delete of an owner who was removed waits, and is shown: {} {:?}",
        told.state(),
        told.get("stampede.cloud.error")
    );
    let (status, text) = member.delete(NAME).await?;
    must!(
        status.is_success(),
        "another member's DELETE: {status} {text}"
    );
    project_is_empty(session).await?;
    verified!("another member takes the delete over: nothing is left");
    Ok(())
}
