//! What one who may not, or of whom Heat has not said whether they may, does to what another one has
//! asked for: nothing.

use std::{sync::Arc, time::Duration};

use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, DeletionAnswer, DeletionStage, Orchestrator, OrchestratorError},
    store::{ClusterRecord, deletion_transitions::MAX_DELETION_WISHES},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault, UpdateFails};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::rest,
};

fn away() -> InjectedFault {
    InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None))
}

/// A host, and alice who has asked for a cluster that Heat has not made: it is away.
async fn planned(world: &LifecycleFixture) -> (Orchestrator, Caller) {
    let host = world.host().await;
    let alice = world.user(&host, "alice").await;
    host.request(&alice, "default", vec![]).await.unwrap();
    world.cloud.fault(away());
    let view = host.deploy(&alice, "default", vec![]).await.unwrap();
    assert_eq!(view.state, ClusterState::Planned);
    (host, alice)
}

async fn record(world: &LifecycleFixture) -> ClusterRecord {
    world.records().await.remove(0)
}

async fn nothing_is_left(world: &LifecycleFixture) {
    eventually("nothing is left", async || {
        world.cloud.finish();
        world.records().await.is_empty().then_some(())
    })
    .await;
    let stacks = world.cloud.stacks();
    let is_gone = |(_, status): &(String, String)| status == "DELETE_COMPLETE";
    assert!(stacks.iter().all(is_gone), "{stacks:?}");
}

#[tokio::test]
async fn a_reader_takes_back_no_deploy_of_anothers_by_asking_for_it_again() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let alice = world.user(&host, "alice").await;
    host.request(&alice, "default", vec![]).await.unwrap();
    // Her token ends before Heat has the create: it is recorded, and she was not told of a success.
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, FaultKind::Expired).only("POST", "/stacks"));
    let ended = host.deploy(&alice, "default", vec![]).await;
    assert!(
        matches!(ended, Err(OrchestratorError::Unauthorized(_))),
        "{ended:?}"
    );
    drop((host, alice));
    world.ended().await;

    let before = record(&world).await;
    let host = world.host().await;
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    let again = host
        .deploy(&reader, "default", pairs(&[("their.own", "1")]))
        .await;
    assert!(
        matches!(again, Err(OrchestratorError::Forbidden(_))),
        "{again:?}"
    );
    let after = record(&world).await;
    assert_eq!(
        (&after.lifecycle, &after.owner, &after.attributes),
        (&before.lifecycle, &before.owner, &before.attributes)
    );
    // Who may goes on with it, and it is theirs once Heat has taken it.
    let bob = world.user(&host, "bob").await;
    host.deploy(&bob, "default", vec![]).await.unwrap();
    assert_eq!(record(&world).await.owner.as_deref(), Some("user-bob"));
    assert_eq!(world.cloud.stacks().len(), 1);
}

#[tokio::test]
async fn a_reader_deletes_no_deploy_of_anothers_that_heat_has_not_made_yet() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = planned(&world).await;
    drop((host, alice));
    world.ended().await;
    let host = world.host().await;
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    let refused = host.delete(&reader, "default").await;
    assert!(
        matches!(refused, Err(OrchestratorError::Forbidden(_))),
        "{refused:?}"
    );
    let kept = record(&world).await;
    assert!(kept.is_live() && kept.deletion_wishes.is_empty());
    assert_eq!(kept.owner.as_deref(), Some("user-alice"));
    // Who may delete in Heat may forget what nobody has made.
    let bob = world.user(&host, "bob").await;
    let answer = host.delete(&bob, "default").await.unwrap();
    assert_eq!(answer, DeletionAnswer::Gone);
    assert!(world.records().await.is_empty());
}

#[tokio::test]
async fn a_wish_goes_on_while_its_owners_change_does_and_who_may_not_ends_neither() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    host.update(
        &alice,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    let (bob, reader) = (
        world.user(&host, "bob").await,
        world.user(&host, "reader").await,
    );
    world.cloud.reader("reader", 403);
    world.cloud.fault(away().only("DELETE", "/stacks/"));
    for user in [&bob, &reader] {
        host.delete(user, "default").await.unwrap();
    }
    let view = rest(&world, &host, &alice).await;
    assert_eq!(view.attributes["stampede.hadoop.replication"], "1");
    assert_eq!(view.deletion, DeletionStage::Wished);
    assert_eq!(record(&world).await.owner.as_deref(), Some("user-alice"));
    world.cloud.heal();
    nothing_is_left(&world).await;
    let askers = world.cloud.askers("heat", "DELETE", "/stacks/");
    assert_eq!(askers.last().map(String::as_str), Some("bob"));
}

#[tokio::test]
async fn as_many_wishes_as_may_wait_do_and_one_more_is_told() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    world.cloud.fault(away());
    for number in 0..MAX_DELETION_WISHES {
        let user = world.user(&host, &format!("u{number}")).await;
        host.delete(&user, "default").await.unwrap();
    }
    let user = world.user(&host, "one-more").await;
    let refused = host.delete(&user, "default").await;
    assert!(
        matches!(refused, Err(OrchestratorError::TooMany(_))),
        "{refused:?}"
    );
    world.cloud.heal();
    drop(alice);
    nothing_is_left(&world).await;
}

#[tokio::test]
async fn a_reader_turns_no_blocked_change_of_anothers() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    let fails = |text: &str| UpdateFails::Answer {
        node: "master".into(),
        text: text.into(),
    };
    world.cloud.next_update_fails(fails("one"));
    host.update(
        &alice,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    world.cloud.next_update_fails(fails("two"));
    rest(&world, &host, &alice).await;
    let before = record(&world).await;
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    let refused = host.update(&reader, "default", vec![]).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Forbidden(_))),
        "{refused:?}"
    );
    let after = record(&world).await;
    assert_eq!(
        (&after.lifecycle, &after.owner),
        (&before.lifecycle, &before.owner)
    );
    let bob = world.user(&host, "bob").await;
    host.update(&bob, "default", vec![]).await.unwrap();
    let view = rest(&world, &host, &bob).await;
    assert_eq!(view.state, ClusterState::Active);
}

#[tokio::test]
async fn an_orphan_whose_delete_heat_did_not_answer_is_listed_again() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    let stack = world.cloud.stacks().remove(0).0;
    drop((host, alice));
    let host = world.host_with_empty_store("another").await;
    let reader = world.user(&host, "reader").await;
    world.cloud.fault(away().only("DELETE", "/stacks/"));
    let refused = host.delete_orphan(&reader, &stack).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Cloud(_))),
        "{refused:?}"
    );
    assert_eq!(host.list_orphans(&reader).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_host_that_ends_has_its_answers_and_leaves_no_lease() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let alice = world.user(&host, "alice").await;
    host.request(&alice, "default", vec![]).await.unwrap();
    let slow = FaultKind::Slow(Duration::from_millis(300));
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, slow).only("POST", "/stacks"));
    let deploying = tokio::spawn({
        let (host, alice) = (host.clone(), alice.clone());
        async move { host.deploy(&alice, "default", vec![]).await }
    });
    eventually("heat is asked", async || {
        (world.creates() > 0).then_some(())
    })
    .await;
    // Nobody waits for the deploy's answer any more, as at an interrupt.
    deploying.abort();
    host.settle(Duration::from_secs(60)).await;
    let kept = record(&world).await;
    assert_eq!(kept.lease, None);
    assert!(kept.stack_id().is_some());
    // Nothing begins any more.
    let host = Arc::new(host);
    let more = tokio::spawn({
        let (host, alice) = (Arc::clone(&host), alice.clone());
        async move { host.delete(&alice, "default").await }
    });
    eventually("the delete is recorded", async || {
        (!record(&world).await.is_live()).then_some(())
    })
    .await;
    assert_eq!(record(&world).await.lease, None);
    assert_eq!(world.deletes(), 0);
    more.abort();
}

/// Heat takes no step of any change, and answers all else.
fn takes_no_step() -> InjectedFault {
    away().only("PUT", "/stacks/")
}

#[tokio::test]
async fn a_change_of_somebody_who_may_not_ends_with_its_reason_and_others_may_change_the_cluster() {
    for status in [403, 400, 409] {
        let world = LifecycleFixture::new().await;
        let (host, alice) = world.complete_of_alice().await;
        let reader = world.user(&host, "reader").await;
        world.cloud.fault(takes_no_step());
        host.update(
            &reader,
            "default",
            pairs(&[("stampede.hadoop.replication", "1")]),
        )
        .await
        .unwrap();
        assert_eq!(record(&world).await.owner.as_deref(), Some("user-reader"));
        world.cloud.reader("reader", status);
        world.cloud.heal();
        let view = eventually("the change has ended", async || {
            let view = host.view(&alice, "default").await.unwrap();
            (!view.state.is_moving()).then_some(view)
        })
        .await;
        let change = view.change.unwrap();
        assert!(
            change.contains("failed") && change.contains("user-reader") && change.contains("heat"),
            "{status}: {change}"
        );
        assert_eq!((view.state, view.cloud_error), (ClusterState::Active, None));
        assert_eq!(record(&world).await.owner.as_deref(), Some("user-alice"));
        host.update(&alice, "default", pairs(&[("stampede.workers", "3")]))
            .await
            .unwrap();
        let view = rest(&world, &host, &alice).await;
        assert_eq!(view.attributes["stampede.workers"], "3", "{status}");
        assert!(!view.attributes.contains_key("stampede.hadoop.replication"));
    }
}

#[tokio::test]
async fn who_may_not_ends_no_change_that_somebody_else_has_asked_for_too() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    let (reader, bob) = (
        world.user(&host, "reader").await,
        world.user(&host, "bob").await,
    );
    world.cloud.fault(takes_no_step());
    let once = || pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&reader, "default", once()).await.unwrap();
    host.update(&bob, "default", once()).await.unwrap();
    world.cloud.reader("reader", 403);
    world.cloud.heal();
    let view = rest(&world, &host, &alice).await;
    assert_eq!(view.attributes["stampede.hadoop.replication"], "1");
}

#[tokio::test]
async fn a_refusal_does_not_end_a_change_that_heat_may_have_since_an_earlier_try() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    let reader = world.user(&host, "reader").await;
    let unanswered = InjectedFault::of("heat", u32::MAX, FaultKind::Dropped);
    world.cloud.fault(unanswered.only("PUT", "/stacks/"));
    let once = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&reader, "default", once).await.unwrap();
    world.cloud.reader("reader", 403);
    world.cloud.heal();
    eventually("the refusal is shown", async || {
        let view = host.view(&alice, "default").await.unwrap();
        view.cloud_error.filter(|words| words.contains("forbid"))
    })
    .await;
    assert!(record(&world).await.change().is_some());
}

/// A change of bob's of which Heat has taken nothing, and a host that has no token of his.
async fn left_alone(world: &LifecycleFixture) -> Orchestrator {
    let (host, alice) = world.complete_of_alice().await;
    let bob = world.user(&host, "bob").await;
    world.cloud.fault(takes_no_step());
    host.update(
        &bob,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    drop((host, alice, bob));
    world.ended().await;
    world.host().await
}

#[tokio::test]
async fn a_change_that_nobody_gives_to_heat_leaves_its_place_to_anothers() {
    let world = LifecycleFixture::new().await;
    let host = left_alone(&world).await;
    let alice = world.user(&host, "alice").await;
    host.update(&alice, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let view = rest(&world, &host, &alice).await;
    assert_eq!(view.attributes["stampede.workers"], "3");
    assert!(!view.attributes.contains_key("stampede.hadoop.replication"));
    assert_eq!(record(&world).await.owner.as_deref(), Some("user-alice"));
}

#[tokio::test]
async fn who_may_not_takes_no_place_of_anothers_change() {
    let world = LifecycleFixture::new().await;
    let host = left_alone(&world).await;
    let before = record(&world).await;
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    let refused = host
        .update(&reader, "default", pairs(&[("stampede.workers", "3")]))
        .await;
    assert!(
        matches!(refused, Err(OrchestratorError::Forbidden(_))),
        "{refused:?}"
    );
    let after = record(&world).await;
    assert_eq!(
        (&after.lifecycle, &after.owner, &after.spec),
        (&before.lifecycle, &before.owner, &before.spec)
    );
    // Whose it is goes on with it.
    let bob = world.user(&host, "bob").await;
    let view = rest(&world, &host, &bob).await;
    assert_eq!(view.attributes["stampede.hadoop.replication"], "1");
}
