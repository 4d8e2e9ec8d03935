//! Many readers of one cluster: who waits for Heat, and what the others are shown.

use std::time::Duration;

use futures_util::future::join_all;
use stampede::{cluster::ClusterState, orchestrator::OrchestratorLimits};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::fixture::{LifecycleFixture, eventually, limits};

const LONG: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn who_is_shown_what_is_only_slightly_old_does_not_wait_and_heat_is_asked_once() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    // Every observation is old at once, and may be shown all the same.
    let host = world
        .host_with(OrchestratorLimits {
            shown_age: LONG,
            patience: LONG,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    assert_eq!(
        host.view(&caller, "default").await.unwrap().state,
        ClusterState::Deploying,
        "the first one had to wait"
    );
    world
        .cloud
        .fault(InjectedFault::of("heat", u32::MAX, FaultKind::Slow(LONG)));
    let before = world.cloud.count("heat");
    // Nobody would come back who waited.
    let views = join_all((0..600).map(|_| host.view(&caller, "default"))).await;
    assert!(views.iter().all(|view| {
        view.as_ref()
            .is_ok_and(|view| view.cloud_error.is_none() && view.state == ClusterState::Deploying)
    }));
    eventually("heat is asked", async || {
        (world.cloud.count("heat") > before).then_some(())
    })
    .await;
    assert_eq!(world.cloud.count("heat") - before, 1);
}

#[tokio::test]
async fn what_heat_says_in_the_background_is_shown_then() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    let host = world
        .host_with(OrchestratorLimits {
            shown_age: LONG,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    host.view(&caller, "default").await.unwrap();
    world.cloud.finish();
    eventually("the new state", async || {
        (host.view(&caller, "default").await.unwrap().state == ClusterState::Active).then_some(())
    })
    .await;
    world.cloud.fault(InjectedFault::of(
        "heat",
        u32::MAX,
        FaultKind::Status(500, None),
    ));
    eventually("that heat fails", async || {
        host.view(&caller, "default").await.unwrap().cloud_error
    })
    .await;
    world.cloud.heal();
    eventually("that heat is well", async || {
        host.view(&caller, "default")
            .await
            .unwrap()
            .cloud_error
            .is_none()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn so_many_wait_for_one_observation_and_the_others_are_told_that_it_may_be_old() {
    for waiting in [1, 7, 8] {
        let world = LifecycleFixture::new().await;
        world.deployed().await;
        let host = world
            .host_with(OrchestratorLimits {
                waiting,
                ..limits()
            })
            .await;
        let caller = world.caller(&host, "demo").await;
        world.cloud.fault(InjectedFault::of(
            "heat",
            u32::MAX,
            FaultKind::Slow(Duration::from_millis(300)),
        ));
        let views = join_all((0..8).map(|_| host.view(&caller, "default"))).await;
        let told = views
            .iter()
            .filter(|view| view.as_ref().is_ok_and(|view| view.cloud_error.is_some()))
            .count();
        assert_eq!((views.len(), told), (8, 8 - waiting), "{views:?}");
        world.cloud.heal();
        eventually("a later one sees that heat answers", async || {
            host.view(&caller, "default")
                .await
                .unwrap()
                .cloud_error
                .is_none()
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn who_gave_up_waiting_is_told_that_heat_has_not_answered() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    let host = world
        .host_with(OrchestratorLimits {
            patience: Duration::from_millis(1),
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    world
        .cloud
        .fault(InjectedFault::of("heat", u32::MAX, FaultKind::Slow(LONG)));
    for which in ["who waited", "who comes later"] {
        let view = host.view(&caller, "default").await.unwrap();
        assert!(
            view.cloud_error
                .as_ref()
                .is_some_and(|why| why.contains("has not answered")),
            "{which}: {view:?}"
        );
        assert_eq!(
            view.state,
            ClusterState::Deploying,
            "{which} is shown what was known"
        );
    }
}

#[tokio::test]
async fn a_reader_that_goes_away_leaves_its_place_to_another() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    let host = world
        .host_with(OrchestratorLimits {
            waiting: 1,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    world.cloud.fault(InjectedFault::of(
        "heat",
        1,
        FaultKind::Slow(Duration::from_millis(300)),
    ));
    assert!(
        tokio::time::timeout(Duration::from_millis(1), host.view(&caller, "default"))
            .await
            .is_err(),
        "it waits"
    );
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.cloud_error, None, "it has waited in the other's place");
}
