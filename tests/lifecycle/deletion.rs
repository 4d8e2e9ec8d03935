//! Deletes clusters at every moment of their life, and where the cloud does not let them go.

use std::time::Duration;

use stampede::{
    cluster::ClusterState,
    orchestrator::{CreateOutcome, OrchestratorError, OrchestratorLimits},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::fixture::{LifecycleFixture, eventually, limits};

#[tokio::test]
async fn a_delete_in_the_middle_of_a_create_leaves_nothing_and_the_name_is_free_at_once() {
    let world = LifecycleFixture::new().await;
    let (host, caller, first) = world.deployed().await;
    world.cloud.step();
    host.delete(&caller, "default").await.unwrap();
    let CreateOutcome::New(second) = host.request(&caller, "default", vec![]).await.unwrap() else {
        panic!("the name was not free")
    };
    assert_ne!(first.id, second.id);
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let names: Vec<String> = world
        .cloud
        .stacks()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(names.len() == 2 && names[0] != names[1], "{names:?}");
    world.cloud.finish();
    eventually("the first is gone", async || {
        host.list_deleting(&caller)
            .await
            .unwrap()
            .is_empty()
            .then_some(())
    })
    .await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!((view.id, view.state), (second.id, ClusterState::Active));
}

#[tokio::test]
async fn what_was_only_asked_for_is_deleted_without_the_cloud() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let before = world.cloud.count("heat");
    host.delete(&caller, "default").await.unwrap();
    assert!(host.list_deleting(&caller).await.unwrap().is_empty());
    assert_eq!(world.cloud.count("heat"), before);
}

#[tokio::test]
async fn a_delete_that_heat_fails_at_is_tried_again() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    world.cloud.finish();
    world.cloud.next_deletes_fail(2);
    host.delete(&caller, "default").await.unwrap();
    world.until_deleted(&host, &caller).await;
    assert_eq!(world.deletes(), 3);
}

#[tokio::test]
async fn a_delete_that_heat_never_manages_ends_in_words_and_is_tried_again_after_a_restart() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    drop((host, caller));
    let host = world
        .host_with(OrchestratorLimits {
            deletes: 3,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    world.cloud.finish();
    world.cloud.next_deletes_fail(3);
    host.delete(&caller, "default").await.unwrap();
    let why = eventually("it gives up", async || {
        world.cloud.finish();
        host.list_deleting(&caller).await.unwrap()[0]
            .state
            .reason()
            .map(str::to_owned)
    })
    .await;
    assert!(
        why.contains("heat failed 3 times to delete stack `stampede-default-"),
        "{why}"
    );
    assert_eq!(world.deletes(), 3);

    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    world.until_deleted(&host, &caller).await;
    assert_eq!(world.deletes(), 4);
}

#[tokio::test]
async fn a_delete_while_heat_is_away_is_accepted_and_done_later() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    world.cloud.fault(InjectedFault::of(
        "heat",
        u32::MAX,
        FaultKind::Status(503, None),
    ));
    host.delete(&caller, "default").await.unwrap();
    assert_eq!(
        host.list_deleting(&caller).await.unwrap()[0].state,
        ClusterState::Deleting
    );
    world.cloud.heal();
    world.until_deleted(&host, &caller).await;
    assert!(
        world
            .cloud
            .stacks()
            .iter()
            .all(|(_, status)| status == "DELETE_COMPLETE"),
        "{:?}",
        world.cloud.stacks()
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_read_again_is_no_cluster_that_is_gone() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    let away = FaultKind::Status(503, None);
    world.cloud.fault(InjectedFault::of("heat", u32::MAX, away));
    host.delete(&alice, "default").await.unwrap();
    drop((host, alice));
    world.ended().await;
    // It waits for alice, so that nobody but who looks asks heat.
    let host = world.host().await;
    let bob = world.user(&host, "bob").await;
    eventually("it waits", async || host.view(&bob, "default").await.ok()).await;
    let before = world.cloud.count_of("heat", "GET", "/stacks/");
    let slow = FaultKind::Slow(Duration::from_secs(4));
    world.cloud.fault(InjectedFault::of("heat", 1, slow));
    let looking = tokio::spawn({
        let (host, bob) = (host.clone(), bob.clone());
        async move { host.list_deleting(&bob).await }
    });
    eventually("heat is asked", async || {
        (world.cloud.count_of("heat", "GET", "/stacks/") > before).then_some(())
    })
    .await;
    let mut db = world.database().await;
    sqlx::query("UPDATE cluster SET record = 'no JSON'")
        .execute(&mut db)
        .await
        .unwrap();
    let listed = looking.await.unwrap();
    assert!(
        matches!(listed, Err(OrchestratorError::Internal(_))),
        "{listed:?}"
    );
}
