//! The page in a real browser: `browser.mjs` is told where the host is. Only by name, since it needs
//! what `tests/ui/run` installs.

use std::process::Stdio;

use stampede_tests::fake_openstack::{CreateFails, PASSWORD};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::fixture::PageFixture;

/// What `browser.mjs` prints when the cluster that it watches is to come up.
const GO_ON: &str = "go on";

/// What its nodes have said until then.
const SAID: [&str; 6] = [
    "master node setup done 7 s",
    "master hadoop setup began",
    "worker-1 node setup done 9 s",
    "worker-1 hadoop setup began",
    "worker-2 node setup began",
    "master hadoop setup detail 218 of 357 MiB",
];

#[tokio::test]
#[ignore = "tests/ui/run starts it with the browser that it has installed"]
async fn the_page_in_a_browser() {
    let world = PageFixture::start().await;
    let workers = ("stampede.workers", "3");
    world.cloud.next_create_fails(CreateFails::Node {
        node: "worker-2".into(),
        text: "hadoop setup line 157: curl: (22) The requested URL returned error: 404".into(),
    });
    world.deploy("demo", "broken", &[workers]).await;
    world.cloud.finish();
    let foreign = ("team", "genomes <b>& co</b>");
    world.deploy("demo", "analytics", &[workers, foreign]).await;
    world.cloud.step();
    let stacks = world.cloud.stacks();
    let (stack, _) = stacks
        .iter()
        .find(|(name, _)| name.contains("analytics"))
        .unwrap();
    for (number, line) in SAID.iter().enumerate() {
        let id = format!("browser-{number}");
        assert!(
            world
                .cloud
                .signal(stack, "progress_handle", &id, "SUCCESS", line)
        );
    }
    let mut browser = Command::new("node")
        .arg(format!("{}/ui/browser.mjs", env!("CARGO_MANIFEST_DIR")))
        .env("STAMPEDE_URL", &world.host.url)
        .env("STAMPEDE_USER", "demo")
        .env("STAMPEDE_PASSWORD", PASSWORD)
        .env("STAMPEDE_HOST_PID", world.host.pid().unwrap().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(browser.stdout.take().unwrap()).lines();
    while let Some(line) = said.next_line().await.unwrap() {
        if line == GO_ON {
            world.cloud.finish();
        } else {
            println!("{line}");
        }
    }
    assert!(browser.wait().await.unwrap().success());
}
