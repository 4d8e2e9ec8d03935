//! What a change adds to what the stack carries, and what a cluster is told that cannot be changed.

use stampede::cluster::ClusterState;
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::{
    fixture::{LifecycleFixture, pairs, problems},
    update::rest,
};

#[tokio::test]
async fn an_update_of_a_cluster_that_heat_has_not_yet_is_told_to_wait() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let busy = InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None));
    world.cloud.fault(busy.only("POST", "/stacks"));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let set = pairs(&[("stampede.workers", "3")]);
    let said = host.update(&caller, "default", set).await.unwrap_err();
    let said = said.to_string();
    assert!(
        said.contains("wait until heat has made it") && !said.contains("failed"),
        "{said}"
    );
}

/// Between two looks at the cloud.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// So many attributes of 8,000 bytes, which are the client's own.
fn large(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|at| (format!("theirs.{at}"), "\"".repeat(8_000)))
        .collect()
}

#[tokio::test]
async fn a_cluster_that_deploys_can_be_changed_and_changed_back_and_a_larger_one_does_not_deploy() {
    let deploy = async |count: usize, limit: usize| {
        let world = LifecycleFixture::new().await;
        let limits = stampede::orchestrator::OrchestratorLimits {
            attribute_bytes: limit,
            // What is carried is large: to read it without a pause takes all there is.
            observe_every: PAUSE,
            shown_age: PAUSE,
            follow_every: PAUSE,
            ..crate::fixture::limits()
        };
        let host = world.host_with(limits).await;
        let caller = world.caller(&host, "demo").await;
        host.request(&caller, "default", large(count))
            .await
            .unwrap();
        let deployed = host.deploy(&caller, "default", vec![]).await;
        (world, host, caller, deployed)
    };
    // Two copies of the attributes while a change is under way, each quote escaped twice.
    let (world, host, caller, deployed) = deploy(15, 1 << 20).await;
    deployed.unwrap();
    world.cloud.finish();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.state, ClusterState::Active);
    for copies in ["1", "2"] {
        let set = pairs(&[("stampede.hadoop.replication", copies)]);
        host.update(&caller, "default", set).await.unwrap();
        let view = rest(&world, &host, &caller).await;
        assert_eq!((view.state, view.change), (ClusterState::Active, None));
    }
    let set = [large(18), pairs(&[("stampede.hadoop.replication", "1")])].concat();
    let said = problems(&host.update(&caller, "default", set).await.unwrap_err());
    assert!(
        said[0].starts_with("attributes: this change takes a request to Heat of "),
        "{said:?}"
    );
    let (world, _, _, deployed) = deploy(17, 1 << 20).await;
    let said = problems(&deployed.unwrap_err());
    assert!(
        said[0].contains("the cluster with a change to it takes a request to Heat of "),
        "{said:?}"
    );
    assert_eq!(world.creates(), 0);
}
