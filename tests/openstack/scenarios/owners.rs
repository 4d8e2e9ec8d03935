//! Who may act on a cluster, and where: a reader of the project, a second region, an owner who is
//! removed from the project while a delete waits. The second Heat is the second region's; it wants
//! the roles of OpenStack's newer defaults, so that a reader may change nothing.

use anyhow::{Context, Result};
use reqwest::StatusCode;

use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::{
    HEAT_AWAY, KEYSTONE, PRIVATE_CA, PRIVATE_HEAT, TestbedSession, bring_up_private,
};
use stampede_tests::testbed::cluster::{borrow_pairs, hadoop_attributes, occi_client};
use stampede_tests::testbed::users::{ProjectUser, SecondRegion, project_user};
use stampede_tests::{must, verified, wait_until};

use super::deletion::project_is_empty;
use crate::TestbedContext;

const NAME: &str = "owned";

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    bring_up_private().await?;
    let region = SecondRegion::register(&testbed.cloud.admin, PRIVATE_HEAT).await?;
    let session = testbed.cloud.apart.on_private_heat();
    let result = in_second_region(testbed, &session).await;
    let _ = std::fs::remove_file(HEAT_AWAY);
    if result.is_err() {
        session.delete_stacks().await?;
    }
    region.remove(&testbed.cloud.admin).await?;
    result
}

async fn in_second_region(testbed: &TestbedContext, session: &TestbedSession) -> Result<()> {
    let admin = &testbed.cloud.admin;
    let owner = project_user(admin, session, "leaver", "member").await?;
    let reader = project_user(admin, session, "reader", "reader").await?;
    let data = testbed.scratch.join("owners");
    let trust = ["--ca-file", PRIVATE_CA];
    let here = ["--region", SecondRegion::NAME];
    let host = HostProcess::start(&data, KEYSTONE, &[trust, here].concat()).await?;
    let attributes = hadoop_attributes(&testbed.cloud, "3.5.0", &[("stampede.workers", "1")])?;
    let attributes = borrow_pairs(&attributes);
    occi_client(&host.url, &owner.session)?
        .create(NAME, &attributes)
        .await?;
    let stack = stack_of(session).await?;
    verified!(
        "a member deploys into the region {}: {stack}",
        SecondRegion::NAME
    );

    reader_changes_nothing(&host, &reader.session, &attributes).await?;
    must!(
        stack_of(session).await? == stack,
        "the reader's requests changed the stack"
    );
    another_region_loses_nothing(&data, &host, session, &stack).await?;
    removed_owner(admin, &host, &owner, session).await
}

/// The only stack of the project in the second region.
async fn stack_of(session: &TestbedSession) -> Result<String> {
    let stacks = session.stacks().await?;
    must!(stacks.len() == 1, "stacks in the second region: {stacks:?}");
    stacks.into_iter().next().context("no stack")
}

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
    let (status, text) = client.delete(NAME).await?;
    must!(
        status == StatusCode::FORBIDDEN,
        "a reader's DELETE: {status} {text}"
    );
    verified!("a reader's DELETE is 403: {}", text.trim());
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
        .context("the cluster is hidden after a reader's DELETE")?;
    must!(
        after.stack_id() == seen.stack_id(),
        "{} after a reader's DELETE",
        after.stack_id()
    );
    Ok(())
}

/// A host of the first region, on the same data directory, asks a Heat that has no such stack.
async fn another_region_loses_nothing(
    data: &std::path::Path,
    host: &HostProcess,
    session: &TestbedSession,
    stack: &str,
) -> Result<()> {
    let elsewhere = HostProcess::start(data, KEYSTONE, &["--region", "RegionOne"]).await?;
    let client = occi_client(&elsewhere.url, session)?;
    let (status, text) = client.delete(NAME).await?;
    must!(
        !status.is_success(),
        "DELETE in another region: {status} {text}"
    );
    must!(
        stack_of(session).await? == stack,
        "the stack of the second region is gone"
    );
    let seen = occi_client(&host.url, session)?.fetch_cluster(NAME).await?;
    must!(
        seen.is_some(),
        "the cluster of the second region is forgotten"
    );
    verified!(
        "a host of the other region: {status} {}; the cluster is there as before",
        text.trim()
    );
    Ok(())
}

/// Heat is away when the owner deletes; then the owner is removed from the project. Another member
/// deletes once more.
async fn removed_owner(
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
    let mut told = String::new();
    wait_until(60, "the delete that waits is shown", async || {
        let seen = member.fetch_cluster(NAME).await?.unwrap_or_default();
        told = format!("{:?}", seen.attributes);
        Ok(!seen.attributes.is_empty())
    })
    .await?;
    verified!("the delete of an owner who was removed waits, and is shown: {told}");
    let (status, text) = member.delete(NAME).await?;
    must!(
        status.is_success(),
        "another member's DELETE: {status} {text}"
    );
    project_is_empty(session).await?;
    verified!("another member takes the delete over: nothing is left");
    Ok(())
}
