//! DELETE leaves nothing behind, whenever it comes.

use anyhow::Result;

use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::{KEYSTONE, TestbedSession};
use stampede_tests::testbed::cluster::{borrow_pairs, hadoop_attributes, occi_client};
use stampede_tests::wait_until;
use stampede_tests::{must, verified};

use crate::TestbedContext;

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    let host = HostProcess::start(&testbed.scratch.join("deletion"), KEYSTONE, &[]).await?;
    let client = occi_client(&host.url, &testbed.cloud.demo)?;
    let attributes = hadoop_attributes(&testbed.cloud, "3.5.0", &[])?;
    client.create("brief", &borrow_pairs(&attributes)).await?;
    wait_until(120, "a server of the new stack exists", async || {
        Ok(testbed
            .cloud
            .demo
            .list_holdings()
            .await?
            .contains_key("servers"))
    })
    .await?;
    let seen = client.fetch_cluster("brief").await?.unwrap_or_default();
    must!(
        seen.state() == "CREATE_IN_PROGRESS",
        "{} before DELETE",
        seen.state()
    );
    let (status, text) = client.delete("brief").await?;
    must!(status.is_success(), "DELETE: {status} {text}");
    must!(
        client.fetch_cluster("brief").await?.is_none(),
        "GET still shows it"
    );
    nothing_stays(testbed).await?;
    verified!("DELETE at {} left nothing", seen.state());
    Ok(())
}

/// No stack, server, port, network, router, floating IP or security group in the project.
pub async fn nothing_stays(testbed: &TestbedContext) -> Result<()> {
    project_is_empty(&testbed.cloud.demo).await?;
    verified!(
        "after DELETE the project holds no stack, server, server group, port, network, router, floating IP or security group"
    );
    Ok(())
}

/// Waits until the session's project holds no stack, and sees that it holds nothing else either.
pub async fn project_is_empty(session: &TestbedSession) -> Result<()> {
    wait_until(240, "the project is empty", async || {
        Ok(session.stacks().await?.is_empty())
    })
    .await?;
    let left = session.list_holdings().await?;
    must!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}
