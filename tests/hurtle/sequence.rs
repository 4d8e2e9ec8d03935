//! The Service Manager's sequence of requests, with each kind of interruption.

use std::path::Path;
use std::time::Duration;

use stampede_tests::fake_openstack::{CreateFails, FakeConfig, FakeOpenStack, StackPace};
use stampede_tests::host::HostProcess;
use stampede_tests::service_manager::{ServiceManager, value};
use stampede_tests::wait_until;

/// Its pauses are a hundredth of the real ones: 7 s become 70 ms.
const PACE: f64 = 0.01;
/// The parameters of the service and of its client, as it sends them.
const ACTIVATE: [(&str, &str); 2] = [
    ("activate.integer", "1"),
    ("activate.string", "immutable_init_value"),
];
const DEPLOY: [(&str, &str); 1] = [("deploy.float", "0.11")];
const CLIENT: [(&str, &str); 2] = [("my.param", "hello"), ("stampede.workers", "2")];

struct HurtleFixture {
    cloud: FakeOpenStack,
    data: tempfile::TempDir,
}

impl HurtleFixture {
    async fn start() -> Self {
        let cloud = FakeOpenStack::start(FakeConfig {
            pace: StackPace::Tick(Duration::from_millis(50)),
            ..FakeConfig::default()
        })
        .await
        .unwrap();
        Self {
            cloud,
            data: tempfile::tempdir().unwrap(),
        }
    }

    /// A cloud whose stacks stand still.
    async fn start_still() -> Self {
        Self {
            cloud: FakeOpenStack::start(FakeConfig::default()).await.unwrap(),
            data: tempfile::tempdir().unwrap(),
        }
    }

    async fn start_host(&self) -> HostProcess {
        HostProcess::start(self.data.path(), &self.cloud.url(), &[])
            .await
            .unwrap()
    }

    fn new_service_manager(&self, host: &HostProcess) -> ServiceManager {
        ServiceManager::new(&host.url, &self.cloud.issue_token("demo"), "demo", PACE)
    }
}

async fn run_to_deploy(sm: &mut ServiceManager) {
    sm.start().await.unwrap();
    sm.activate(&ACTIVATE, &CLIENT).await.unwrap();
    sm.deploy(&DEPLOY).await.unwrap();
}

/// The rest of the recorded sequence, from #5: waits, provisions, reads, updates, deletes.
async fn run_from_provision(sm: &mut ServiceManager, cloud: &FakeOpenStack) {
    sm.provisionable().await.unwrap();
    sm.provision().await.unwrap();
    let shown = sm.shown().await.unwrap();
    for (name, wanted) in [
        ("my.param", "hello"),
        ("occi.mcn.stack.state", "CREATE_COMPLETE"),
        ("activate.integer", "1"),
    ] {
        assert_eq!(value(&shown, name), wanted, "{shown:?}");
    }
    assert!(
        shown
            .iter()
            .any(|(name, _)| name.starts_with("stampede.endpoint.")),
        "{shown:?}"
    );
    run_update(sm).await;
    sm.destroy().await.unwrap();
    wait_until(20, "nothing is left", async || {
        cloud.finish();
        Ok(cloud
            .stacks()
            .iter()
            .all(|(_, status)| status == "DELETE_COMPLETE"))
    })
    .await
    .unwrap();
    assert_eq!(cloud.stacks().len(), 1, "one stack in the whole life");
}

/// #8, with a parameter of its client, one worker more, and a parameter again.
async fn run_update(sm: &mut ServiceManager) {
    let taken = sm.update(&[("my.param", "good day")]).await.unwrap();
    assert_eq!(taken.status, 200, "{}", taken.body);
    sm.updated().await.unwrap();
    assert_eq!(
        value(&sm.shown().await.unwrap(), "my.param"),
        "good day",
        "the last of duplicates wins"
    );
    let workers = sm.update(&[("stampede.workers", "3")]).await.unwrap();
    assert_eq!(workers.status, 200, "{}", workers.body);
    sm.updated().await.unwrap();
    assert_eq!(value(&sm.shown().await.unwrap(), "stampede.workers"), "3");
    let taken = sm.update(&[("my.param", "good night")]).await.unwrap();
    assert_eq!(taken.status, 200, "{}", taken.body);
    sm.updated().await.unwrap();
    let shown = sm.shown().await.unwrap();
    assert_eq!(
        (value(&shown, "my.param"), value(&shown, "stampede.workers")),
        ("good night", "3"),
        "what it repeats is no wish"
    );
}

#[tokio::test]
async fn from_create_to_destroyed() {
    let world = HurtleFixture::start().await;
    let host = world.start_host().await;
    let mut sm = world.new_service_manager(&host);
    run_to_deploy(&mut sm).await;
    sm.deployed().await.unwrap();
    run_from_provision(&mut sm, &world.cloud).await;
}

#[tokio::test]
async fn a_stack_that_fails_ends_its_polling_with_the_reason_and_its_client_reads_it() {
    let world = HurtleFixture::start().await;
    let host = world.start_host().await;
    let mut sm = world.new_service_manager(&host);
    let text = "hadoop setup line 42: curl: 404, not found".to_owned();
    world.cloud.next_create_fails(CreateFails::Node {
        node: "worker-1".to_owned(),
        text,
    });
    run_to_deploy(&mut sm).await;
    let ended = sm.deployed().await.unwrap_err().to_string();
    assert!(
        ended.starts_with("HTTPError: 424 Client Error: CREATE_FAILED: ")
            && ended.contains("line 42"),
        "{ended}"
    );
    assert!(
        sm.provisionable().await.is_err(),
        "nor does it go on behind it"
    );
    let shown = sm.shown().await.unwrap();
    assert_eq!(value(&shown, "occi.mcn.stack.state"), "CREATE_FAILED");
    assert!(
        value(&shown, "stampede.failure").contains("worker-1"),
        "{shown:?}"
    );
    sm.destroy().await.unwrap();
}

/// Kills the host in the middle of the deployment, does something to its folder, and starts it
/// again on the same port while the Service Manager goes on asking.
async fn run_interrupted(meanwhile: impl FnOnce(&Path)) {
    let world = HurtleFixture::start_still().await;
    let host = world.start_host().await;
    let mut sm = world.new_service_manager(&host);
    run_to_deploy(&mut sm).await;
    let killed = host.kill_9().await.unwrap();
    meanwhile(world.data.path());
    let (deployed, host) = tokio::join!(sm.deployed(), async {
        let host = killed.start_again().await.unwrap();
        world.cloud.finish();
        host
    });
    deployed.unwrap();
    assert!(
        sm.log.iter().any(|line| line.ends_with("again")),
        "it was never away: {:?}",
        sm.log
    );
    // From here on stacks go on by themselves.
    let time = async {
        loop {
            world.cloud.step();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = run_from_provision(&mut sm, &world.cloud) => {}
        () = time => {}
    }
    drop(host);
}

#[tokio::test]
async fn a_host_that_is_killed_in_the_middle_and_started_again() {
    run_interrupted(|_| {}).await;
}

#[tokio::test]
async fn a_host_whose_store_is_emptied_in_the_middle() {
    run_interrupted(|data| {
        for file in std::fs::read_dir(data)
            .unwrap()
            .flatten()
            .filter(|file| file.file_name().to_string_lossy().contains("sqlite"))
        {
            std::fs::remove_file(file.path()).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_host_without_a_disk_that_is_killed_when_all_is_done() {
    let world = HurtleFixture::start().await;
    let host = world.start_host().await;
    let mut sm = world.new_service_manager(&host);
    run_to_deploy(&mut sm).await;
    sm.deployed().await.unwrap();
    let killed = host.kill_9().await.unwrap();
    std::fs::remove_dir_all(world.data.path()).unwrap();
    let _host = killed.start_again().await.unwrap();
    run_from_provision(&mut sm, &world.cloud).await;
}
