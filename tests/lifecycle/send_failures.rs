//! What the cloud has not taken stays in sight, with since when and what to do, until it has taken
//! it: a create, a step, a delete, and what waits for somebody.

use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, ClusterView, Orchestrator},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::rest,
};

/// Heat fails at each such call; all others it answers.
fn fails(method: &'static str, status: u16) -> InjectedFault {
    let status = FaultKind::Status(status, None);
    InjectedFault::of("heat", u32::MAX, status).only(method, "/stacks")
}

/// The cluster once it says all of this of what the cloud has not taken.
async fn told(
    host: &Orchestrator,
    caller: &Caller,
    cloud: &LifecycleFixture,
    words: &[&str],
) -> ClusterView {
    let mut last = None;
    let view = eventually("it is told", async || {
        cloud.cloud.step();
        let view = host.view(caller, "default").await.ok()?;
        last.clone_from(&view.cloud_error);
        let why = view.cloud_error.as_ref()?;
        words.iter().all(|word| why.contains(word)).then_some(view)
    });
    view.await
}

#[tokio::test]
async fn a_step_that_heat_fails_at_says_whose_rights_heat_needs_until_heat_takes_it() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    let wanted = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&alice, "default", wanted.clone())
        .await
        .unwrap();
    world.cloud.fault(fails("PUT", 500));
    let words = [
        "since 2",
        "step 2 of",
        "status 500",
        "user user-alice",
        "give the role back, or delete the cluster",
    ];
    let view = told(&host, &alice, &world, &words).await;
    assert_eq!(view.state, ClusterState::Updating);
    // Heat is looked at all the time, and says that all is well.
    for _ in 0..5 {
        let again = host.view(&alice, "default").await.unwrap();
        assert_eq!(again.cloud_error, view.cloud_error);
        let listed = host.list(&alice).await.unwrap();
        assert_eq!(listed[0].cloud_error, view.cloud_error);
    }
    // Another one who asks for the same changes nothing of whose rights Heat uses.
    let bob = world.user(&host, "bob").await;
    host.update(&bob, "default", wanted).await.unwrap();
    told(&host, &bob, &world, &words).await;
    world.cloud.heal();
    let view = rest(&world, &host, &alice).await;
    assert_eq!((view.state, view.cloud_error), (ClusterState::Active, None));
}

#[tokio::test]
async fn the_first_step_says_it_at_once() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    world.cloud.fault(fails("PUT", 500));
    let bob = world.user(&host, "bob").await;
    let view = host
        .update(&bob, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let why = view.cloud_error.unwrap();
    // Heat has taken nothing from bob, so that it is still alice's rights that count.
    assert!(
        why.contains("step 1 of") && why.contains("user user-alice"),
        "{why}"
    );
    world.cloud.heal();
    let view = rest(&world, &host, &alice).await;
    assert_eq!((view.state, view.cloud_error), (ClusterState::Active, None));
}

#[tokio::test]
async fn a_create_that_heat_fails_at_says_how_to_give_it_up_until_heat_takes_it() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let alice = world.user(&host, "alice").await;
    host.request(&alice, "default", vec![]).await.unwrap();
    world.cloud.fault(fails("POST", 503));
    let view = host.deploy(&alice, "default", vec![]).await.unwrap();
    assert_eq!(view.state, ClusterState::Planned);
    let words = ["since 2", "the create of its stack", "status 503"];
    told(&host, &alice, &world, &words).await;
    world.cloud.heal();
    let view = eventually("heat has it", async || {
        let view = host.view(&alice, "default").await.ok()?;
        view.stack_id.is_some().then_some(view)
    })
    .await;
    assert_eq!(view.cloud_error, None);
}

#[tokio::test]
async fn a_delete_that_heat_fails_at_says_so_until_heat_takes_it() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    world.cloud.fault(fails("DELETE", 500));
    host.delete(&alice, "default").await.unwrap();
    for _ in 0..3 {
        let deleting = host.list_deleting(&alice).await.unwrap();
        let why = deleting[0].cloud_error.as_deref().unwrap();
        assert!(
            why.contains("since 2") && why.contains("its deletion") && why.contains("status 500"),
            "{why}"
        );
    }
    world.cloud.heal();
    eventually("heat has it", async || {
        let deleting = host.list_deleting(&alice).await.unwrap();
        let is_told = deleting
            .first()
            .is_none_or(|view| view.cloud_error.is_none());
        is_told.then_some(())
    })
    .await;
    world.until_deleted(&host, &alice).await;
}

#[tokio::test]
async fn a_step_that_waits_for_somebodys_token_says_for_whose() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    let wanted = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&alice, "default", wanted).await.unwrap();
    drop((host, alice));
    world.ended().await;
    let host = world.host().await;
    let bob = world.user(&host, "bob").await;
    let words = [
        "since 2",
        "step 2 of",
        "the next request of user user-alice",
        "asks for the same",
    ];
    told(&host, &bob, &world, &words).await;
    let alice = world.user(&host, "alice").await;
    let view = rest(&world, &host, &alice).await;
    assert_eq!((view.state, view.cloud_error), (ClusterState::Active, None));
}
