//! hurtle's Service Manager, replayed against the host on the real cloud: from its first look to
//! destroyed while the host is killed and loses its disk, and with a stack that fails. On the way:
//! what another project can do with the cluster.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use stampede_tests::host::HostProcess;
use stampede_tests::projects::{TestUser, check_isolation};
use stampede_tests::service_manager::{ServiceManager, value};
use stampede_tests::testbed::cloud::{KEYSTONE, TestbedSession};
use stampede_tests::testbed::cluster::{borrow_pairs, hadoop_attributes, occi_client};
use stampede_tests::wait_until;
use stampede_tests::{must, verified};

use crate::TestbedContext;

/// Of its pauses: 7 s become 2.1 s.
const PACE: f64 = 0.3;
/// How long a change may take.
const UPDATE: Duration = Duration::from_secs(300);

/// Create to destroyed, the host killed twice during the deployment, the second time with its
/// store.
pub async fn run(testbed: &TestbedContext) -> Result<()> {
    let data = testbed.scratch.join("service-manager");
    let host = HostProcess::start(&data, KEYSTONE, &[]).await?;
    let url = host.url.clone();
    let demo = &testbed.cloud.demo;
    let mut sm = ServiceManager::new(&url, &demo.token, &demo.project, PACE);
    let client = hadoop_attributes(
        &testbed.cloud,
        "3.5.0",
        &[("stampede.workers", "1"), ("my.param", "hello")],
    )?;
    sm.start().await?;
    sm.activate(&[("activate.integer", "1")], &borrow_pairs(&client))
        .await?;
    sm.deploy(&[("deploy.float", "0.11")]).await?;
    verified!("#1 to #3: {}", sm.log.join("; "));
    let stack = testbed.cloud.demo.stacks().await?;
    let (deployed, host) = tokio::join!(sm.deployed(), interrupt(host, &data, demo));
    let host = host?;
    deployed?;
    must!(
        testbed.cloud.demo.stacks().await? == stack,
        "another stack was made: {:?}",
        testbed.cloud.demo.stacks().await?
    );
    let away = sm.log.iter().filter(|line| line.ends_with("again")).count();
    verified!(
        "#4 ended at complete after {} polls, {away} of them without a host: killed once, and once more with its store emptied",
        sm.polls()
    );
    sm.provisionable().await?;
    sm.provision().await?;
    let shown = sm.shown().await?;
    must!(
        value(&shown, "my.param") == "hello"
            && value(&shown, "occi.mcn.stack.state") == "CREATE_COMPLETE",
        "#7 shows {shown:?}"
    );
    verified!(
        "#5 to #7: its client sees {} attributes, my.param and the state among them",
        shown.len()
    );
    two_projects(testbed, &url).await?;
    update(&mut sm).await?;
    sm.destroy().await?;
    verified!("#9: {}", sm.log.last().context("no request")?);
    super::deletion::nothing_stays(testbed).await?;
    drop(host);
    Ok(())
}

/// Kills the host and starts it again; does so once more, with an emptied store, when the first
/// node has reported.
async fn interrupt(host: HostProcess, data: &Path, demo: &TestbedSession) -> Result<HostProcess> {
    let host = host.kill_9().await?.start_again().await?;
    let client = occi_client(&host.url, demo)?;
    wait_until(180, "a node reports", async || {
        let seen = client
            .fetch_cluster("default")
            .await?
            .context("no cluster")?;
        Ok(seen
            .attributes
            .keys()
            .any(|name| name.starts_with("stampede.progress.")))
    })
    .await?;
    let killed = host.kill_9().await?;
    for file in std::fs::read_dir(data)?
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().contains("sqlite"))
    {
        std::fs::remove_file(file.path())?;
    }
    killed.start_again().await
}

async fn two_projects(testbed: &TestbedContext, url: &str) -> Result<()> {
    let who = |session: &TestbedSession| TestUser {
        token: session.token.clone(),
        project: session.project.clone(),
    };
    let seen = occi_client(url, &testbed.cloud.demo)?
        .fetch_cluster("default")
        .await?
        .context("no cluster")?;
    let marks = ["my.param", seen.stack_id()];
    let tried = check_isolation(
        url,
        &who(&testbed.cloud.demo),
        &who(&testbed.cloud.other),
        "default",
        &marks,
    )
    .await?;
    verified!(
        "{tried} requests of another project, in every rendering and by every verb, saw, changed and deleted nothing"
    );
    Ok(())
}

/// #8: a parameter of its client, then one worker more, then a parameter again: it repeats what the cluster was made with, which is no wish.
async fn update(sm: &mut ServiceManager) -> Result<()> {
    change(sm, "my.param", "good day").await?;
    change(sm, "stampede.workers", "2").await?;
    let shown = change(sm, "my.param", "good night").await?;
    must!(
        value(&shown, "stampede.workers") == "2",
        "#8 shrank the cluster by the way: {shown:?}"
    );
    verified!("#8 with a parameter of its client leaves the new worker where it is");
    Ok(())
}

/// What its client sees afterwards.
async fn change(sm: &mut ServiceManager, name: &str, to: &str) -> Result<Vec<(String, String)>> {
    let answer = sm.update(&[(name, to)]).await?;
    must!(
        answer.status == 200,
        "#8 {name}={to}: {} {}",
        answer.status,
        answer.body
    );
    tokio::time::timeout(UPDATE, sm.updated())
        .await
        .context("#8 does not end")??;
    let shown = sm.shown().await?;
    must!(value(&shown, name) == to, "#8 left {shown:?}");
    verified!(
        "#8 with {name}={to}: {}",
        value(&shown, "occi.mcn.stack.state")
    );
    Ok(shown)
}

/// A mirror that is gone.
pub async fn fails(testbed: &TestbedContext) -> Result<()> {
    let host = HostProcess::start(
        &testbed.scratch.join("service-manager-fails"),
        KEYSTONE,
        &[],
    )
    .await?;
    let demo = &testbed.cloud.demo;
    let mut sm = ServiceManager::new(&host.url, &demo.token, &demo.project, PACE);
    let gone = [
        ("stampede.workers", "1"),
        ("stampede.mirror", "http://172.31.240.1:8900/gone"),
    ];
    let client = hadoop_attributes(&testbed.cloud, "3.5.0", &gone)?;
    sm.start().await?;
    sm.activate(&[], &borrow_pairs(&client)).await?;
    sm.deploy(&[]).await?;
    let ended = sm
        .deployed()
        .await
        .err()
        .context("it went on after a failure")?
        .to_string();
    must!(
        ended.starts_with("HTTPError: 424 ") && ended.contains("CREATE_FAILED"),
        "#4 ended with {ended}"
    );
    verified!("#4 ended after {} polls with {ended}", sm.polls());
    let shown = sm.shown().await?;
    let failure = value(&shown, "stampede.failure");
    let is_whole = ["node setup", "404", "/gone/"]
        .iter()
        .all(|part| failure.contains(part));
    let is_of_node = failure.starts_with("master: ") || failure.starts_with("worker-1: ");
    must!(is_whole && is_of_node, "#7 shows {shown:?}");
    verified!("#7: its client reads {failure}");
    sm.destroy().await?;
    super::deletion::nothing_stays(testbed).await
}
