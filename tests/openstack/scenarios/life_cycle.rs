//! One life cycle from end to end: PUT and deploy over OCCI, one worker late on purpose, the host
//! killed in the middle, a verified cluster, a hard reboot of all its nodes, DELETE.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use stampede_tests::client::{OcciClient, WatchedDeploy, wait_until_settled};
use stampede_tests::host::HostProcess;
use stampede_tests::testbed::cloud::KEYSTONE;
use stampede_tests::testbed::cluster::{borrow_pairs, find_nodes, hadoop_attributes, occi_client};
use stampede_tests::testbed::hadoop as health;
use stampede_tests::testbed::node::TestbedNode;
use stampede_tests::wait_until;
use stampede_tests::{must, verified};

use crate::TestbedContext;

/// A value that a shell, YAML, XML or a header could trip over. It must arrive on the node as
/// exactly this text.
const ODD: &str = r##"a"b'c $(touch /tmp/pwned) `id` # ünï <&> %41 {{x}} - yes: no \n"##;
/// How long worker-2 is held back.
const LATE: Duration = Duration::from_secs(45);

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    let data = testbed.scratch.join("life-cycle");
    let host = HostProcess::start(&data, KEYSTONE, &[]).await?;
    let core_site = json!({"stampede.test.odd": ODD}).to_string();
    let attributes = hadoop_attributes(
        &testbed.cloud,
        "3.5.0",
        &[
            ("stampede.hadoop.core_site", &core_site),
            ("my.param", "hello"),
        ],
    )?;
    let client = occi_client(&host.url, &testbed.cloud.demo)?;
    client.create("default", &borrow_pairs(&attributes)).await?;
    verified!("PUT 201 and deploy over OCCI with the demo project's token");

    let stack = testbed
        .cloud
        .demo
        .stacks()
        .await?
        .first()
        .cloned()
        .context("no stack after deploy")?;
    let early = client
        .fetch_cluster("default")
        .await?
        .context("no cluster")?;
    let late = hold_back_worker_2(testbed, &stack).await?;
    let host = kill_and_restart(host, &data).await?;
    let client = occi_client(&host.url, &testbed.cloud.demo)?;
    let after = client
        .fetch_cluster("default")
        .await?
        .context("the cluster is gone after kill -9")?;
    must!(
        after.stack_id() == early.stack_id() && !after.stack_id().contains("N/A"),
        "another stack: {} then {}",
        early.stack_id(),
        after.stack_id()
    );
    let release = tokio::spawn(late);
    let mut watched = wait_until_settled(&client, "default", 600).await?;
    let released = release.await??;
    watched.states.insert(0, early.state().to_owned());
    watched.states.dedup();
    must!(
        testbed.cloud.demo.stacks().await? == [stack.clone()],
        "a second stack was made: {:?}",
        testbed.cloud.demo.stacks().await?
    );
    verified!(
        "kill -9 of the host during the deployment, started again: the same stack {}, no second one",
        after.stack_id()
    );
    came_up(&watched)?;
    order(testbed, &stack, &released).await?;

    let all = find_nodes(&testbed.cloud.demo, &stack, 2).await?;
    must!(
        watched.last.get("my.param") == "hello",
        "the foreign attribute is lost"
    );
    updates(&client).await?;
    odd_value(&all).await?;
    health::verify_hadoop(&all).await?;
    second_run(&all[1]).await?;
    reboot(testbed, &all).await?;
    let (status, text) = client.delete("default").await?;
    must!(status.is_success(), "DELETE: {status} {text}");
    super::deletion::nothing_stays(testbed).await
}

/// When worker-2 was paused and let go, by the clock of this machine.
struct Held {
    paused: String,
    let_go: String,
}

/// Pauses worker-2 as soon as it runs; the future lets it go later.
async fn hold_back_worker_2(
    testbed: &TestbedContext,
    stack: &str,
) -> Result<impl Future<Output = Result<Held>> + Send + use<>> {
    let demo = testbed.cloud.demo.clone();
    let stack = stack.to_owned();
    wait_until(180, "worker-2 runs", async || {
        Ok(demo.find_server(&stack, "worker-2").await?["status"] == "ACTIVE")
    })
    .await?;
    let server = demo.find_server(&stack, "worker-2").await?;
    let id = server["id"].as_str().unwrap_or_default().to_owned();
    demo.server_action(&id, json!({"pause": null})).await?;
    let paused = now()?;
    Ok(async move {
        tokio::time::sleep(LATE).await;
        let let_go = now()?;
        demo.server_action(&id, json!({"unpause": null})).await?;
        Ok(Held { paused, let_go })
    })
}

/// UTC, as Heat writes times.
fn now() -> Result<String> {
    let out = std::process::Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()?;
    Ok(String::from_utf8(out.stdout)?.trim().to_owned())
}

async fn kill_and_restart(host: HostProcess, data: &Path) -> Result<HostProcess> {
    host.kill_9().await?;
    HostProcess::start(data, KEYSTONE, &[]).await
}

fn came_up(watched: &WatchedDeploy) -> Result<()> {
    must!(
        watched.states == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"],
        "states {:?}; {}",
        watched.states,
        watched.last.get("stampede.failure")
    );
    verified!("occi.mcn.stack.state walked {}", watched.states.join(", "));
    for node in ["master", "worker-1", "worker-2"] {
        let of_node = watched
            .progress
            .iter()
            .filter(|p| p.starts_with(&format!("{node}:")))
            .count();
        must!(
            of_node > 0,
            "no progress of {node} was visible: {:#?}",
            watched.progress
        );
    }
    verified!("progress by node and stage was visible on the way:");
    for line in &watched.progress {
        println!("        {line}");
    }
    let address = watched.last.output("master_address");
    must!(
        address.starts_with("172.31.240."),
        "master_address is `{address}`"
    );
    let endpoints: BTreeMap<_, _> = watched
        .last
        .attributes
        .iter()
        .filter(|(k, v)| k.starts_with("stampede.endpoint.") && v.contains("://10.77.0.10:"))
        .collect();
    must!(
        endpoints.len() >= 3,
        "endpoints: {endpoints:?} of {:#?}",
        watched.last.attributes
    );
    verified!("outputs and endpoints are there: {endpoints:?}");
    Ok(())
}

/// The master's `ready` came after worker-2 was let go and had set up.
async fn order(testbed: &TestbedContext, stack: &str, held: &Held) -> Result<()> {
    let path = testbed.cloud.demo.stack_path(stack).await?;
    let events = testbed
        .cloud
        .demo
        .get(&testbed.cloud.demo.heat(&format!(
            "{path}/resources/progress_handle/events?limit=1000"
        )))
        .await?;
    let at = |words: &str| -> Result<String> {
        let list = events["events"].as_array().context("no events")?;
        let one = list.iter().find(|e| {
            e["resource_status_reason"]
                .as_str()
                .is_some_and(|r| r.contains(words))
        });
        let time = one
            .and_then(|e: &Value| e["event_time"].as_str())
            .with_context(|| format!("no event `{words}`: {list:#?}"))?;
        Ok(time.to_owned())
    };
    let (slowest, ready) = (
        at("worker-2 hadoop ready done")?,
        at("master hadoop ready done")?,
    );
    must!(
        held.let_go <= slowest && held.let_go <= ready,
        "worker-2 was let go at {}, master ready at {ready}",
        held.let_go
    );
    verified!(
        "worker-1 ready {}, worker-2 paused {} to {}, worker-2 ready {slowest}, master ready {ready} and verified {}",
        at("worker-1 hadoop ready done").unwrap_or_else(|_| "with the others".to_owned()),
        held.paused,
        held.let_go,
        at("master hadoop smoke done")?
    );
    Ok(())
}

/// What a running cluster answers to `provision` and to updates: it keeps what it is given and
/// refuses by name what it cannot change.
async fn updates(client: &OcciClient) -> Result<()> {
    let (status, text) = client.action("default", "provision", &[]).await?;
    must!(status.is_success(), "provision: {status} {text}");
    let (status, text) = client.update("default", &[("my.other", "kept")]).await?;
    must!(
        status.is_success(),
        "an update with a foreign attribute: {status} {text}"
    );
    let (status, refusal) = client
        .update("default", &[("stampede.image", "debian-12-java")])
        .await?;
    must!(
        status == 400 && refusal.contains("image"),
        "an update of the image: {status} {refusal}"
    );
    let seen = client
        .fetch_cluster("default")
        .await?
        .context("no cluster")?;
    must!(
        seen.get("my.other") == "kept" && seen.get("stampede.image") == "debian-12",
        "after updates: {:#?}",
        seen.attributes
    );
    verified!(
        "provision is taken; an update keeps a foreign attribute and refuses by name what it cannot change: {refusal}"
    );
    Ok(())
}

async fn odd_value(all: &[TestbedNode]) -> Result<()> {
    let script = r#"python3 -c "
import xml.etree.ElementTree as t, sys
p = [p for p in t.parse('/etc/hadoop/core-site.xml').getroot() if p.findtext('name') == 'stampede.test.odd']
sys.stdout.write(p[0].findtext('value'))""#;
    for node in all {
        let text = node.run_script(script).await?;
        must!(text == ODD, "on {}: {text:?} is not {ODD:?}", node.name);
        must!(
            node.run_script("test ! -e /tmp/pwned && echo no").await? == "no",
            "the value was run as a command on {}",
            node.name
        );
    }
    verified!("the value {ODD} arrived on every node as exactly that text");
    Ok(())
}

/// What is running and when its configuration was last written.
async fn fingerprint(node: &TestbedNode) -> Result<String> {
    node.run_script("systemctl show -p MainPID,ActiveEnterTimestampMonotonic 'hadoop-*' 2>/dev/null; stat -c '%n %Y' /etc/hadoop/* /etc/systemd/system/*.service /etc/hosts").await
}

async fn second_run(node: &TestbedNode) -> Result<()> {
    let before = fingerprint(node).await?;
    must!(before.contains("MainPID"), "no units `hadoop-*`: {before}");
    node.run_script("/opt/stampede/run >/dev/null").await?;
    let after = fingerprint(node).await?;
    must!(
        before == after,
        "a second run changed something:\n{before}\nthen\n{after}"
    );
    verified!(
        "a second run of the scripts on {} changed no file and restarted no daemon",
        node.name
    );
    Ok(())
}

async fn reboot(testbed: &TestbedContext, all: &[TestbedNode]) -> Result<()> {
    for node in all {
        testbed
            .cloud
            .demo
            .server_action(&node.server, json!({"reboot": {"type": "HARD"}}))
            .await?;
    }
    for node in all {
        let url = testbed
            .cloud
            .demo
            .nova(&format!("/servers/{}", node.server));
        wait_until(120, "the node is back", async || {
            Ok(testbed.cloud.demo.get(&url).await?["server"]["status"] == "ACTIVE")
        })
        .await?;
    }
    let start = Instant::now();
    wait_until(240, "every worker is registered again", async || {
        Ok(health::count_registered(&all[0]).await? == (2, 2))
    })
    .await?;
    wait_until(120, "the file is whole", async || {
        health::file_is_whole(&all[0], &all[2]).await.map(|()| true)
    })
    .await?;
    verified!(
        "after a hard reboot of all nodes 2 DataNodes and 2 NodeManagers registered again ({:.0} s), and the file is whole",
        start.elapsed().as_secs_f32()
    );
    Ok(())
}
