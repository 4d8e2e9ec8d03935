//! What one project has going on leaves the others their turns at the cloud.

use std::time::Duration;

use stampede::orchestrator::{Caller, Orchestrator, OrchestratorLimits};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::fixture::{LifecycleFixture, eventually, limits};

const CLUSTERS: usize = 6;

/// So many clusters of the caller's that Heat has been asked to delete, and deletes for ever.
async fn deleting(host: &Orchestrator, caller: &Caller, number: usize) {
    for number in 1..=number {
        let name = format!("c{number}");
        host.request(caller, &name, vec![]).await.unwrap();
        host.deploy(caller, &name, vec![]).await.unwrap();
        host.delete(caller, &name).await.unwrap();
    }
}

#[tokio::test]
async fn a_project_whose_calls_are_slow_takes_its_share_and_no_more() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            actions: 2,
            project_actions: 1,
            ..limits()
        })
        .await;
    let slow = world.caller(&host, "demo").await;
    let other = world.caller(&host, "other").await;
    deleting(&host, &slow, CLUSTERS).await;
    deleting(&host, &other, 1).await;
    let looks = |caller: &Caller| {
        let path = format!("/{}/stacks/", caller.project_id());
        world.cloud.count_of("heat", "GET", &path)
    };
    let never = FaultKind::Slow(Duration::from_secs(600));
    let path = format!("/{}/stacks/", slow.project_id());
    world
        .cloud
        .fault(InjectedFault::of("heat", u32::MAX, never).only("GET", path));
    let (of_slow, of_other) = (looks(&slow), looks(&other));
    eventually("the other project goes on and on", async || {
        (looks(&other) >= of_other + 2 * CLUSTERS).then_some(())
    })
    .await;
    let waiting = looks(&slow) - of_slow;
    assert!(waiting <= 1, "{waiting} calls of the slow project at once");
}
