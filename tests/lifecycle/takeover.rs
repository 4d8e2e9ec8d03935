//! Who may not leaves nothing behind; who may takes over what another began.

use secrecy::SecretString;
use stampede::{
    cluster::ClusterState,
    orchestrator::{
        Caller, ClusterView, DeletionAnswer, DeletionStage, Orchestrator, OrchestratorError,
        OrchestratorLimits,
    },
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::{
    fixture::{LifecycleFixture, eventually, limits, pairs},
    update::rest,
};

fn heat(what: FaultKind) -> InjectedFault {
    InjectedFault::of("heat", u32::MAX, what)
}

/// A complete cluster of alice's.
async fn of_alice(world: &LifecycleFixture) -> (Orchestrator, Caller, ClusterView) {
    let (host, alice) = world.complete_of_alice().await;
    let view = host.view(&alice, "default").await.unwrap();
    (host, alice, view)
}

async fn owner(world: &LifecycleFixture) -> Option<String> {
    world.records().await[0].owner.clone()
}

async fn nothing_is_left(world: &LifecycleFixture) {
    eventually("nothing is left", async || {
        world.cloud.finish();
        let records = world.records().await;
        records.is_empty().then_some(())
    })
    .await;
    let stacks = world.cloud.stacks();
    assert!(
        stacks.iter().all(|(_, status)| status == "DELETE_COMPLETE"),
        "{stacks:?}"
    );
}

#[tokio::test]
async fn a_delete_by_somebody_who_may_not_is_told_and_leaves_the_cluster_and_its_owner() {
    for status in [400, 403, 409] {
        let world = LifecycleFixture::new().await;
        let (host, alice, before) = of_alice(&world).await;
        let reader = world.user(&host, "reader").await;
        world.cloud.reader("reader", status);
        let refused = host.delete(&reader, "default").await.unwrap_err();
        assert!(refused.to_string().contains("heat"), "{status}: {refused}");
        assert_eq!(
            owner(&world).await.as_deref(),
            Some("user-alice"),
            "{status}"
        );
        let view = host.view(&alice, "default").await.unwrap();
        assert_eq!(
            (view.id, view.state, view.cloud_error),
            (before.id, ClusterState::Active, None),
            "{status}"
        );
        assert!(host.list_deleting(&alice).await.unwrap().is_empty());
        // Whose it is can do all that they could.
        host.update(&alice, "default", pairs(&[("stampede.workers", "3")]))
            .await
            .unwrap();
        let view = rest(&world, &host, &alice).await;
        assert_eq!(view.attributes["stampede.workers"], "3");
        host.delete(&alice, "default").await.unwrap();
        nothing_is_left(&world).await;
    }
}

#[tokio::test]
async fn a_delete_that_is_refused_in_the_background_is_withdrawn_and_shown_to_all() {
    let world = LifecycleFixture::new().await;
    let (host, alice, before) = of_alice(&world).await;
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    world.cloud.fault(heat(FaultKind::Status(503, None)));
    let asked = host.delete(&reader, "default").await.unwrap();
    assert!(matches!(asked, DeletionAnswer::Recorded(_)), "{asked:?}");
    // Heat has not said anything: it is hidden from nobody, and its name is nobody else's.
    let view = host.view(&alice, "default").await.unwrap();
    let why = view.cloud_error.unwrap();
    assert!(why.contains("user-reader"), "{why}");
    assert_eq!(
        (&view.id, view.state, view.deletion),
        (&before.id, ClusterState::Active, DeletionStage::Wished)
    );
    assert_eq!(host.list(&alice).await.unwrap().len(), 1);
    assert!(host.list_deleting(&alice).await.unwrap().is_empty());
    world.cloud.heal();
    let view = eventually("it is withdrawn", async || {
        let view = host.view(&alice, "default").await.unwrap();
        assert_eq!((&view.id, &view.state), (&before.id, &ClusterState::Active));
        (view.deletion == DeletionStage::NotWanted).then_some(view)
    })
    .await;
    let why = view.cloud_error.unwrap();
    assert!(
        why.contains("withdrawn") && why.contains("forbids"),
        "{why}"
    );
    assert_eq!(owner(&world).await.as_deref(), Some("user-alice"));
    host.delete(&alice, "default").await.unwrap();
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn a_delete_that_is_refused_when_its_name_is_anothers_waits_for_somebody_who_may() {
    let world = LifecycleFixture::new().await;
    let (host, alice, before) = of_alice(&world).await;
    // Whose it is asks for it, and has lost the right to.
    world.cloud.reader("alice", 403);
    world.cloud.fault(heat(FaultKind::Status(503, None)));
    host.delete(&alice, "default").await.unwrap();
    let bob = world.user(&host, "bob").await;
    host.request(&bob, "default", vec![]).await.unwrap();
    world.cloud.heal();
    let deleting = eventually("it is blocked", async || {
        let deleting = host.list_deleting(&bob).await.unwrap();
        deleting
            .into_iter()
            .find(|view| view.state.reason().is_some())
    })
    .await;
    assert_eq!(deleting.id, before.id);
    let why = deleting.state.reason().unwrap().to_owned();
    assert!(why.contains("another cluster `default`"), "{why}");
    // The living one first, then what is left of the other.
    host.delete(&bob, "default").await.unwrap();
    assert_eq!(host.view(&bob, "default").await.unwrap().id, before.id);
    host.delete(&bob, "default").await.unwrap();
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn a_deletion_whose_owner_is_gone_says_for_whom_it_waits_and_is_taken_over() {
    let world = LifecycleFixture::new().await;
    let (host, alice, before) = of_alice(&world).await;
    world.cloud.fault(heat(FaultKind::Status(503, None)));
    host.delete(&alice, "default").await.unwrap();
    drop((host, alice));
    world.ended().await;

    let host = world.host().await;
    let bob = world.user(&host, "bob").await;
    let view = eventually("it is shown", async || {
        host.view(&bob, "default").await.ok()
    })
    .await;
    let why = view.cloud_error.unwrap();
    assert_eq!((view.id, view.state), (before.id, ClusterState::Deleting));
    assert!(
        why.contains("user-alice") && why.contains("delete it again"),
        "{why}"
    );
    assert_eq!(
        host.list_deleting(&bob).await.unwrap()[0].cloud_error,
        Some(why)
    );
    // A reader who tries takes nothing from anybody.
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    let refused = host.delete(&reader, "default").await;
    assert!(
        matches!(refused, Err(OrchestratorError::Forbidden(_))),
        "{refused:?}"
    );
    let id = world.records().await;
    assert_eq!(id.len(), 1, "withdrawn or waiting, it is not forgotten");
    host.delete(&bob, "default").await.unwrap();
    nothing_is_left(&world).await;
    assert_eq!(
        world
            .cloud
            .askers("heat", "DELETE", "/stacks/")
            .last()
            .unwrap(),
        "bob"
    );
}

#[tokio::test]
async fn a_deletion_that_was_given_up_is_shown_and_a_second_delete_tries_again_by_anybody() {
    let world = LifecycleFixture::new().await;
    let (host, alice, before) = of_alice(&world).await;
    drop((host, alice));
    let few = OrchestratorLimits {
        deletes: 2,
        ..limits()
    };
    let host = world.host_with(few).await;
    let alice = world.user(&host, "alice").await;
    world.cloud.next_deletes_fail(u32::MAX);
    host.delete(&alice, "default").await.unwrap();
    let given_up = async |host: &Orchestrator, caller: &Caller| {
        eventually("it is given up", async || {
            world.cloud.finish();
            let view = host.view(caller, "default").await.ok()?;
            view.state.reason().is_some().then_some(view)
        })
        .await
    };
    let view = given_up(&host, &alice).await;
    let why = view.state.reason().unwrap().to_owned();
    assert_eq!(view.id, before.id);
    assert!(
        why.contains("2 times") && why.contains("delete the cluster again"),
        "{why}"
    );
    // Who may not learns it, and what is shown stays.
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    let refused = host.delete(&reader, "default").await;
    assert!(
        matches!(refused, Err(OrchestratorError::Forbidden(_))),
        "{refused:?}"
    );
    assert_eq!(
        host.view(&alice, "default").await.unwrap().state.reason(),
        Some(why.as_str())
    );
    // Bob's has all its tries again.
    let before = world.deletes();
    let bob = world.user(&host, "bob").await;
    host.delete(&bob, "default").await.unwrap();
    given_up(&host, &bob).await;
    assert_eq!(world.deletes() - before, 2);
    world.cloud.next_deletes_fail(0);
    host.delete(&bob, "default").await.unwrap();
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn a_change_whose_owner_is_gone_goes_on_with_another_who_asks_for_the_same() {
    let world = LifecycleFixture::new().await;
    let (host, alice, _) = of_alice(&world).await;
    let wanted = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&alice, "default", wanted.clone())
        .await
        .unwrap();
    drop((host, alice));
    world.ended().await;

    let host = world.host().await;
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    host.update(&reader, "default", wanted.clone())
        .await
        .unwrap();
    eventually("the reader's token is refused", async || {
        world.cloud.step();
        let view = host.view(&reader, "default").await.ok()?;
        view.cloud_error.filter(|why| why.contains("forbids"))
    })
    .await;
    assert_eq!(owner(&world).await.as_deref(), Some("user-alice"));
    let bob = world.user(&host, "bob").await;
    host.update(&bob, "default", wanted).await.unwrap();
    let view = rest(&world, &host, &bob).await;
    assert_eq!(
        (
            view.state,
            view.attributes["stampede.hadoop.replication"].as_str()
        ),
        (ClusterState::Active, "1")
    );
    assert_eq!(owner(&world).await.as_deref(), Some("user-bob"));
}

#[tokio::test]
async fn a_newer_token_that_came_before_the_older_one_was_refused_goes_on() {
    let world = LifecycleFixture::new().await;
    let (host, _, _) = of_alice(&world).await;
    let token = world.cloud.issue_token_of("alice", "demo");
    let older = host
        .authenticate(SecretString::from(token.clone()), "demo")
        .await
        .unwrap();
    let newer = world.user(&host, "alice").await;
    world.cloud.expire_token(&token);
    let refused = host.delete(&older, "default").await;
    assert!(
        matches!(refused, Err(OrchestratorError::Unauthorized(_))),
        "{refused:?}"
    );
    // Nobody asks for anything any more.
    nothing_is_left(&world).await;
    // The same for a deploy.
    host.request(&newer, "default", vec![]).await.unwrap();
    let refused = host.deploy(&older, "default", vec![]).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Unauthorized(_))),
        "{refused:?}"
    );
}
