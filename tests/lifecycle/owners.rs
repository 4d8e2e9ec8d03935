//! Several users of one project: whose token acts when no request waits for it.

use secrecy::SecretString;
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, DeletionStage, LifecyclePhase, Orchestrator, OrchestratorLimits},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::fixture::{LifecycleFixture, eventually, limits, pairs};

fn away() -> InjectedFault {
    InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None))
}

/// A host that alice has asked for a cluster while Heat was away, started anew: nobody's token is
/// known to it.
async fn planned_by_alice(world: &LifecycleFixture) -> Orchestrator {
    let host = world.host().await;
    let alice = world.user(&host, "alice").await;
    host.request(&alice, "default", vec![]).await.unwrap();
    world.cloud.fault(away());
    assert_eq!(
        host.deploy(&alice, "default", vec![]).await.unwrap().state,
        ClusterState::Planned
    );
    drop((host, alice));
    world.ended().await;
    world.host().await
}

/// Until this user's token was used to look for the stack.
async fn has_looked(world: &LifecycleFixture, user: &str) {
    let looks = || {
        world
            .cloud
            .askers("heat", "GET", "/stacks/stampede-default")
            .iter()
            .filter(|asker| *asker == user)
            .count()
    };
    eventually("a look at the stack", async || (looks() > 0).then_some(())).await;
}

#[tokio::test]
async fn a_stack_is_made_in_the_background_by_who_wished_it_alone() {
    let world = LifecycleFixture::new().await;
    let host = planned_by_alice(&world).await;
    let before = world.creates();
    let bob = world.user(&host, "bob").await;
    has_looked(&world, "bob").await;
    assert_eq!(
        host.view(&bob, "default").await.unwrap().state,
        ClusterState::Planned
    );
    world.user(&host, "alice").await;
    eventually("the stack is made", async || {
        host.view(&bob, "default").await.unwrap().stack_id
    })
    .await;
    let creators = &world.cloud.askers("heat", "POST", "/stacks")[before..];
    assert!(
        !creators.is_empty() && creators.iter().all(|user| user == "alice"),
        "{creators:?}"
    );
}

#[tokio::test]
async fn a_stack_is_deleted_in_the_background_by_who_wished_it_alone_and_anyone_sees_it_to_its_end()
{
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let (alice, bob) = (
        world.user(&host, "alice").await,
        world.user(&host, "bob").await,
    );
    host.request(&alice, "default", vec![]).await.unwrap();
    host.deploy(&alice, "default", vec![]).await.unwrap();
    world.cloud.fault(away());
    host.delete(&bob, "default").await.unwrap();
    drop((host, alice, bob));
    world.ended().await;

    let before = world.deletes();
    let host = world.host().await;
    let alice = world.user(&host, "alice").await;
    // It is alice's as long as heat has not taken the delete from bob.
    let view = host.view(&alice, "default").await.unwrap();
    assert_eq!(view.deletion, DeletionStage::Wished);
    assert_eq!(world.deletes(), before);
    let token = world.cloud.issue_token_of("bob", "demo");
    host.authenticate(SecretString::from(token.clone()), "demo")
        .await
        .unwrap();
    eventually("heat is asked to delete it", async || {
        (world.deletes() > before).then_some(())
    })
    .await;
    // Bob's token ends; alice's shows when nothing is left.
    world.cloud.expire_token(&token);
    world.cloud.finish();
    let store = world.store().await;
    eventually("the record is gone", async || {
        store.all().await.unwrap().records.is_empty().then_some(())
    })
    .await;
    assert_eq!(
        world.cloud.askers("heat", "DELETE", "/stacks/")[before..],
        ["bob"]
    );
}

/// Shows the cluster until Heat's refusal is seen, which must not have ended the request.
async fn refused(host: &Orchestrator, caller: &Caller, words: &str) {
    let why = eventually("the refusal is shown", async || {
        host.view(caller, "default")
            .await
            .unwrap()
            .cloud_error
            .filter(|why| why.contains(words))
    });
    why.await;
    let view = host.view(caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.phase, view.failure),
        (ClusterState::Planned, LifecyclePhase::Deployed, None)
    );
}

#[tokio::test]
async fn what_a_token_may_not_do_in_the_background_waits_for_the_owners_next_one() {
    let world = LifecycleFixture::new().await;
    let host = planned_by_alice(&world).await;
    world.cloud.fault(
        InjectedFault::of("heat", u32::MAX, FaultKind::Status(403, None)).only("POST", "/stacks"),
    );
    let alice = world.user(&host, "alice").await;
    refused(&host, &alice, "forbids").await;
    world.cloud.heal();
    let alice = world.user(&host, "alice").await;
    eventually("the stack is made", async || {
        host.view(&alice, "default").await.unwrap().stack_id
    })
    .await;
    assert_eq!(world.cloud.stacks().len(), 1);
}

#[tokio::test]
async fn a_later_step_of_a_change_that_a_token_may_not_take_waits_for_the_owners_next_one() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    host.update(
        &alice,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    world.cloud.fault(
        InjectedFault::of("heat", u32::MAX, FaultKind::Status(403, None)).only("PUT", "/stacks/"),
    );
    world.cloud.finish();
    let view = eventually("the refusal is shown", async || {
        host.view(&alice, "default").await.ok().filter(|view| {
            view.cloud_error
                .as_ref()
                .is_some_and(|why| why.contains("forbids"))
        })
    })
    .await;
    assert_eq!(view.state, ClusterState::Updating, "it is not taken back");
    assert!(
        view.change
            .as_ref()
            .is_some_and(|step| step.starts_with("step 2 of 3: new settings on worker-1")),
        "{view:?}"
    );
    world.cloud.heal();
    let alice = world.user(&host, "alice").await;
    let view = eventually("the cluster is changed", async || {
        world.cloud.step();
        host.view(&alice, "default")
            .await
            .ok()
            .filter(|view| view.state == ClusterState::Active)
    })
    .await;
    assert_eq!(
        (
            view.attributes["stampede.hadoop.replication"].as_str(),
            view.change
        ),
        ("1", None)
    );
}

#[tokio::test]
async fn an_application_credential_in_the_background_waits_for_a_token_that_heat_can_trust() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world.cloud.fault(away());
    host.deploy(&caller, "default", vec![]).await.unwrap();
    drop((host, caller));
    world.ended().await;
    let host = world.host().await;
    let token = world.cloud.issue_application_credential_token("demo");
    let caller = host
        .authenticate(SecretString::from(token), "demo")
        .await
        .unwrap();
    refused(&host, &caller, "application credential").await;
    let caller = world.caller(&host, "demo").await;
    eventually("the stack is made", async || {
        host.view(&caller, "default").await.unwrap().stack_id
    })
    .await;
}

#[tokio::test]
async fn a_cluster_is_changed_in_the_background_by_who_wished_it_alone() {
    let world = LifecycleFixture::new().await;
    let (host, alice) = world.complete_of_alice().await;
    world.cloud.fault(
        InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None)).only("PUT", "/stacks/"),
    );
    host.update(&alice, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    drop((host, alice));
    world.ended().await;

    let before = world.cloud.askers("heat", "PUT", "/stacks/").len();
    let host = world.host().await;
    let bob = world.user(&host, "bob").await;
    assert_eq!(
        host.view(&bob, "default").await.unwrap().state,
        ClusterState::Updating
    );
    // Meanwhile bob's token was there for the background alone.
    world.user(&host, "alice").await;
    eventually("heat is given the change", async || {
        (world.cloud.askers("heat", "PUT", "/stacks/").len() > before).then_some(())
    })
    .await;
    assert!(
        world
            .cloud
            .askers("heat", "PUT", "/stacks/")
            .iter()
            // A token that has ended is nobody's: the host may have been about to use alice's.
            .all(|user| user == "alice" || user.is_empty())
    );
}

#[tokio::test]
async fn a_delete_by_another_user_makes_it_theirs() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let alice = world.user(&host, "alice").await;
    host.request(&alice, "default", vec![]).await.unwrap();
    host.deploy(&alice, "default", vec![]).await.unwrap();
    let bob = world.user(&host, "bob").await;
    world.cloud.next_deletes_fail(1);
    host.delete(&bob, "default").await.unwrap();
    world.until_deleted(&host, &alice).await;
    assert_eq!(
        world.cloud.askers("heat", "DELETE", "/stacks/"),
        ["bob", "bob"]
    );
}

/// How many users' tokens are kept.
async fn host_for(world: &LifecycleFixture, sessions: usize) -> Orchestrator {
    let limits = OrchestratorLimits {
        sessions,
        creates: u32::MAX,
        ..limits()
    };
    world.host_with(limits).await
}

#[tokio::test]
async fn tokens_up_to_the_limit_are_kept_and_for_one_above_its_user_must_come_again() {
    for (sessions, is_kept) in [(2, true), (1, false)] {
        let world = LifecycleFixture::new().await;
        let host = host_for(&world, sessions).await;
        let alice = world.user(&host, "alice").await;
        host.request(&alice, "default", vec![]).await.unwrap();
        let token = world.cloud.issue_token_of("bob", "demo");
        let bob = SecretString::from(token);
        host.authenticate(bob, "demo").await.unwrap();
        world.cloud.fault(away());
        // With a session of before: its token is not remembered anew.
        host.deploy(&alice, "default", vec![]).await.unwrap();
        if !is_kept {
            has_looked(&world, "bob").await;
        }
        world.cloud.heal();
        if !is_kept {
            world.user(&host, "alice").await;
        }
        eventually("the stack is made", async || {
            host.view(&alice, "default").await.unwrap().stack_id
        })
        .await;
        assert!(
            world
                .cloud
                .askers("heat", "POST", "/stacks")
                .iter()
                .all(|user| user == "alice"),
            "{sessions}"
        );
    }
}

#[tokio::test]
async fn a_token_that_pending_work_needs_is_not_thrown_out_for_a_newcomers() {
    let world = LifecycleFixture::new().await;
    let host = host_for(&world, 1).await;
    let alice = world.user(&host, "alice").await;
    host.request(&alice, "default", vec![]).await.unwrap();
    world.cloud.fault(away());
    host.deploy(&alice, "default", vec![]).await.unwrap();
    has_looked(&world, "alice").await;
    let bob = world.user(&host, "bob").await;
    world.cloud.heal();
    eventually("the stack is made", async || {
        host.view(&bob, "default").await.unwrap().stack_id
    })
    .await;
    assert_eq!(
        world
            .cloud
            .askers("heat", "POST", "/stacks")
            .last()
            .unwrap(),
        "alice"
    );
}

#[tokio::test]
async fn the_background_ends_with_what_it_took_care_of() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    host.delete(&caller, "default").await.unwrap();
    let store = world.store().await;
    eventually("the record is gone", async || {
        world.cloud.finish();
        store.all().await.unwrap().records.is_empty().then_some(())
    })
    .await;
    drop((host, caller));
    world.idle().await;
}
