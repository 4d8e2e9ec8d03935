//! An upgrade: a host with another frame and another Hadoop plugin over a cluster that runs. Both are
//! those of now with other words in the same places.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use stampede_tests::artifacts::plugins_folder;
use stampede_tests::client::OcciClient;
use stampede_tests::host::{HostCommand, HostProcess, find_binary};
use stampede_tests::testbed::cluster::find_named;
use stampede_tests::testbed::hadoop as health;
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::{must, verified};

use super::by_hand::run_stampede;
use super::update::{change, deployed, gone, servers};
use crate::TestbedContext;

const NODES: [&str; 3] = ["master", "worker-1", "worker-2"];
/// Of the frame; and what a host of a later day says in its place.
const FRAME: [&str; 2] = [
    "this node takes its turn later",
    "this node takes its turn after",
];
/// Of the plugin `hadoop`, likewise.
const PLUGIN: [&str; 2] = [
    "the ResourceManager has not taken its NodeManager yet",
    "the ResourceManager has not taken its NodeManager now",
];
/// A plugin whose NodeManagers are never ready.
const BROKEN: [&str; 2] = [
    "stampede_wait \"$STAMPEDE_TIMEOUT_S\" 'the ResourceManager",
    "stampede_fail 'made to fail';   :   'the ResourceManager",
];
/// Where a word of each stands on a worker.
const PLACES: [&str; 2] = [
    "/opt/stampede/manifest.sh",
    "/opt/stampede/scripts/*/ready.nodemanager.sh",
];

/// All of it.
pub async fn run(testbed: &TestbedContext) -> Result<()> {
    // The folder of `stampede_command`: the command line finds clusters of a host of its own name alone.
    let (host, client, stack) = deployed(testbed, "command-line").await?;
    let nodes = find_named(&testbed.cloud.demo, &stack, &NODES).await?;
    health::verify_hadoop(&nodes).await?;
    let before = servers(testbed, &stack, &NODES).await?;
    let keep = "echo kept | hdfs dfs -put - /tmp/kept";
    nodes[0].run_script(keep).await?;

    let folder = testbed.scratch.join("broken");
    let host = replace(host, &folder, &[FRAME, PLUGIN, BROKEN]).await?;
    taken_back(&client, &nodes).await?;
    let folder = testbed.scratch.join("newer");
    let host = replace(host, &folder, &[FRAME, PLUGIN]).await?;
    offered(testbed, &host).await?;
    taken(testbed, &host, &nodes).await?;
    must!(
        servers(testbed, &stack, &NODES).await? == before,
        "other servers than before"
    );
    let kept = nodes[1].run_script("hdfs dfs -cat /tmp/kept").await?;
    must!(kept.trim() == "kept", "{kept}");
    verified!("the same servers, with what HDFS held");

    change(&client, &[("stampede.workers", "3")]).await?;
    let three = ["master", "worker-1", "worker-2", "worker-3"];
    let three = find_named(&testbed.cloud.demo, &stack, &three).await?;
    health::verify_hadoop(&three).await?;
    must!(
        words(&three[3]).await? == [1, 1],
        "{:?}",
        words(&three[3]).await?
    );
    verified!(
        "a worker that comes after it is made by the same plugins, and works beside the others"
    );
    gone(testbed, &client).await
}

/// Another host over the same clusters, whose frame and plugins have other words.
async fn replace(host: HostProcess, folder: &Path, words: &[[&str; 2]]) -> Result<HostProcess> {
    let plugins = folder.join("plugins");
    std::fs::create_dir_all(&plugins)?;
    for entry in std::fs::read_dir(plugins_folder()?)? {
        let from = entry?.path();
        let name = from.file_name().context("a file without a name")?;
        let is_hadoop = name == "hadoop.wasm";
        let own = words.iter().filter(|words| is_hadoop && **words != FRAME);
        copy_with(&from, &plugins.join(name), own)?;
    }
    let binary = folder.join("stampede");
    copy_with(&find_binary()?, &binary, [FRAME].iter())?;
    let command: HostCommand = host.kill_9().await?;
    command.with_program(&binary, &plugins).start_again().await
}

/// Copies a file with other words in the place of some that it has.
fn copy_with<'a>(
    from: &Path,
    to: &PathBuf,
    words: impl Iterator<Item = &'a [&'a str; 2]>,
) -> Result<()> {
    std::fs::copy(from, to)?;
    let mut bytes = std::fs::read(to)?;
    for [old, new] in words {
        let (old, new) = (old.as_bytes(), new.as_bytes());
        must!(old.len() == new.len(), "words of another length");
        let at: Vec<usize> = bytes
            .windows(old.len())
            .enumerate()
            .filter(|(_, there)| *there == old)
            .map(|(at, _)| at)
            .collect();
        must!(!at.is_empty(), "{} has no such words", from.display());
        for at in at {
            bytes[at..at + new.len()].copy_from_slice(new);
        }
    }
    Ok(std::fs::write(to, bytes)?)
}

/// How often a node's frame and its plugin's script have the newer words.
async fn words(node: &TestbedNode) -> Result<[u32; 2]> {
    let mut counts = [0; 2];
    for ((count, place), [_, new]) in counts.iter_mut().zip(PLACES).zip([FRAME, PLUGIN]) {
        let script = format!("cat {place} | grep -c '{new}' || true");
        *count = node.run_script(&script).await?.trim().parse()?;
    }
    Ok(counts)
}

async fn taken_back(client: &OcciClient, nodes: &[TestbedNode]) -> Result<()> {
    let standing = "cd /; find opt/stampede etc/stampede -type f ! -name change.sh ! -name node.sh -exec sha256sum {} + | sort";
    let mut before = Vec::new();
    for node in nodes {
        before.push(node.run_script(standing).await?);
    }
    let watched = change(client, &[("stampede.upgrade", "true")]).await?;
    let said = watched.last.get("stampede.update");
    must!(said.contains("made to fail"), "{said}");
    for (node, before) in nodes.iter().zip(before) {
        let now = node.run_script(standing).await?;
        must!(now == before, "{} has others: {now}\n{before}", node.name);
    }
    health::verify_hadoop(nodes).await?;
    verified!("an upgrade that fails on a worker is taken back, byte for byte, and Hadoop works");
    Ok(())
}

/// What the command line tells of it, by the host.
async fn offered(testbed: &TestbedContext, host: &HostProcess) -> Result<()> {
    let shown = show(testbed, host)?;
    let offer = serde_json::json!({ "plugins": ["hadoop"], "frame": true });
    must!(shown["upgrade"] == offer, "{}", shown["upgrade"]);
    let preview = run_stampede(
        testbed,
        &[
            "cluster",
            "upgrade",
            "grows",
            "--dry-run",
            "--server",
            &host.url,
        ],
    )?;
    for text in ["bringing what is new", "new plugins on", "nodemanager"] {
        must!(preview.contains(text), "no `{text}`: {preview}");
    }
    println!("{preview}");
    verified!("`stampede cluster show` offers it, and --dry-run says what it would change");
    Ok(())
}

fn show(testbed: &TestbedContext, host: &HostProcess) -> Result<Value> {
    let arguments = [
        "cluster", "show", "grows", "-f", "json", "--server", &host.url,
    ];
    Ok(serde_json::from_str(&run_stampede(testbed, &arguments)?)?)
}

async fn taken(testbed: &TestbedContext, host: &HostProcess, nodes: &[TestbedNode]) -> Result<()> {
    let start = std::time::Instant::now();
    let upgrade = ["cluster", "upgrade", "grows", "--server", &host.url];
    let told = run_stampede(testbed, &upgrade)?;
    println!("{told}        took {:.0} s", start.elapsed().as_secs_f32());
    let shown = show(testbed, host)?;
    must!(shown["stack_status"] == "UPDATE_COMPLETE", "{shown}");
    for node in &nodes[1..] {
        must!(
            words(node).await? == [1, 1],
            "{}: {:?}",
            node.name,
            words(node).await?
        );
    }
    let log = nodes[1].run_script("cat /var/log/stampede.log").await?;
    must!(
        log.contains("going on with the frame that has come"),
        "{log}"
    );
    must!(
        show(testbed, host)?["upgrade"].is_null(),
        "it is offered still"
    );
    health::verify_hadoop(nodes).await?;
    verified!(
        "upgraded by `stampede cluster upgrade`: frame and scripts are those of now, and Hadoop works"
    );
    Ok(())
}
