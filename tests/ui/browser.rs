//! The page in a real browser: `browser.mjs` is told where the host is. Only by name, since it needs
//! what `tests/ui/run` installs.

use std::process::Stdio;
use std::time::Duration;

use stampede_tests::fake_openstack::{CreateFails, PASSWORD, StackPace};
use tokio::process::Command;

use crate::fixture::PageFixture;

#[tokio::test]
#[ignore = "tests/ui/run starts it with the browser that it has installed"]
async fn the_page_in_a_browser() {
    let world = PageFixture::at_pace(StackPace::Tick(Duration::from_millis(1500))).await;
    let workers = ("stampede.workers", "3");
    world.cloud.next_create_fails(CreateFails::Node {
        node: "worker-2".into(),
        text: "hadoop setup line 157: curl: (22) The requested URL returned error: 404".into(),
    });
    world.deploy("demo", "broken", &[workers]).await;
    world
        .deploy(
            "demo",
            "analytics",
            &[workers, ("team", "genomes <b>& co</b>")],
        )
        .await;
    let program = format!("{}/ui/browser.mjs", env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("node")
        .arg(program)
        .env("STAMPEDE_URL", &world.host.url)
        .env("STAMPEDE_USER", "demo")
        .env("STAMPEDE_PASSWORD", PASSWORD)
        .env("STAMPEDE_HOST_PID", world.host.pid().unwrap().to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .unwrap();
    assert!(status.success());
}
