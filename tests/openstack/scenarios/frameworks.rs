//! Clusters of plugins that speak the contract 0.2.0, by what operators type.

use anyhow::{Context, Result};

use stampede_tests::artifacts::plugins_folder;
use stampede_tests::testbed::cloud::{MIRROR, PROXY};
use stampede_tests::testbed::cluster::find_nodes;
use stampede_tests::testbed::hadoop::verify_hadoop;
use stampede_tests::{must, verified};

use super::by_hand::{run_stampede, stampede_command};
use crate::TestbedContext;

/// Hadoop on the contract 0.2.0 works; a change of it is refused in words; nothing of it stays.
pub async fn hadoop(testbed: &TestbedContext) -> Result<()> {
    let plugins = plugins_folder()?;
    let plugins = plugins.to_str().context("a path of text")?;
    let sets = [
        "image=debian-12".to_owned(),
        "master.flavor=m1.xlarge".to_owned(),
        "worker.flavor=m1.xlarge".to_owned(),
        "network.external=public".to_owned(),
        format!("mirror={MIRROR}"),
        format!("proxy={PROXY}"),
        format!("hadoop.sha512={}", testbed.cloud.sha512("3.5.0")?),
    ];
    let mut deploy = vec!["deploy", "hadoop", "--name", "next", "--plugins", plugins];
    deploy.extend(sets.iter().flat_map(|set| ["--set", set.as_str()]));
    deploy.push("--wait");
    let shown = run_stampede(testbed, &deploy)?;
    must!(shown.contains("CREATE_COMPLETE"), "it printed: {shown}");
    verified!("{}", shown.lines().next().context("no line")?.trim());
    let stacks = testbed.cloud.demo.stacks().await?;
    let stack = stacks.first().context("no stack")?;
    let nodes = find_nodes(&testbed.cloud.demo, stack, 2).await?;
    verify_hadoop(&nodes).await?;
    let more = ["update", "next", "--workers", "3", "--plugins", plugins];
    let refused = stampede_command(testbed, &more)?.output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    must!(
        !refused.status.success() && said.contains("contract 0.2.0 cannot be changed yet"),
        "an update said: {said}"
    );
    verified!("a change is refused: {}", said.trim());
    run_stampede(testbed, &["delete", "next", "--wait", "--plugins", plugins])?;
    super::deletion::nothing_stays(testbed).await
}
