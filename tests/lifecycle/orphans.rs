//! Stacks of Stampede's that no record knows: found, adopted, deleted.

use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, Orchestrator, OrchestratorError},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::{complete, rest},
};

/// A complete cluster of a host, and another host that has no record of it.
async fn lost(world: &LifecycleFixture) -> (Orchestrator, Caller, String) {
    let (host, caller, stack) = complete(world).await;
    drop((host, caller));
    let other = world.host_with_empty_store("another").await;
    let caller = world.caller(&other, "demo").await;
    assert!(other.list(&caller).await.unwrap().is_empty());
    (other, caller, stack)
}

#[tokio::test]
async fn what_has_a_record_is_no_orphan_and_what_has_none_is_shown_with_who_made_it() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    assert!(host.list_orphans(&caller).await.unwrap().is_empty());
    host.delete(&caller, "default").await.unwrap();
    assert!(host.list_orphans(&caller).await.unwrap().is_empty());
    let other = world.host_with_empty_store("another").await;
    let caller = world.caller(&other, "demo").await;
    let orphans = other.list_orphans(&caller).await.unwrap();
    assert_eq!(orphans.len(), 1);
    let orphan = &orphans[0];
    assert_eq!(
        (
            &*orphan.cluster,
            &*orphan.host,
            &*orphan.region,
            &orphan.stack_name
        ),
        ("default", "tests", "RegionOne", &stack)
    );
    let elsewhere = world.caller(&other, "other").await;
    assert!(other.list_orphans(&elsewhere).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_orphan_is_adopted_by_each_of_its_names_and_is_a_cluster_like_any_other() {
    for by in ["stack", "id", "cluster"] {
        let world = LifecycleFixture::new().await;
        let (host, caller, stack) = lost(&world).await;
        let orphan = host.list_orphans(&caller).await.unwrap().remove(0);
        let named = match by {
            "stack" => stack,
            "id" => orphan.stack_id,
            _ => orphan.cluster,
        };
        let view = host.adopt_orphan(&caller, &named).await.unwrap();
        assert_eq!(
            (view.name.as_str(), view.state),
            ("default", ClusterState::Active)
        );
        assert!(host.list_orphans(&caller).await.unwrap().is_empty());
        host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
            .await
            .unwrap();
        let view = rest(&world, &host, &caller).await;
        assert_eq!(view.attributes["stampede.workers"], "3");
        let again = host.adopt_orphan(&caller, &named).await;
        assert!(
            matches!(again, Err(OrchestratorError::Conflict(_))),
            "{again:?}"
        );
    }
}

#[tokio::test]
async fn an_orphan_whose_name_is_taken_is_not_adopted_but_can_be_deleted() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = lost(&world).await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let refused = host.adopt_orphan(&caller, &stack).await.unwrap_err();
    assert!(
        refused.to_string().contains("delete one of the two"),
        "{refused}"
    );
    let id = host.delete_orphan(&caller, &stack).await.unwrap();
    eventually("nothing of it is left", async || {
        world.cloud.finish();
        let deleting = host.list_deleting(&caller).await.unwrap();
        (!deleting.iter().any(|view| view.id == id)).then_some(())
    })
    .await;
    assert_eq!(
        world.cloud.stacks(),
        [(stack, "DELETE_COMPLETE".to_owned())]
    );
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        view.state,
        ClusterState::Requested,
        "the other one is left alone"
    );
}

#[tokio::test]
async fn an_orphan_that_its_finder_may_not_delete_stays_one() {
    let world = LifecycleFixture::new().await;
    let (host, _, stack) = lost(&world).await;
    let reader = world.user(&host, "reader").await;
    world.cloud.reader("reader", 403);
    let refused = host.delete_orphan(&reader, &stack).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Forbidden(_))),
        "{refused:?}"
    );
    assert_eq!(host.list_orphans(&reader).await.unwrap().len(), 1);
    // While Heat is away nothing is known, and nothing is lost.
    let away = FaultKind::Status(503, None);
    world.cloud.fault(InjectedFault::of("heat", u32::MAX, away));
    let refused = host.list_orphans(&reader).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Cloud(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn orphans_are_looked_for_in_every_region() {
    let world = LifecycleFixture::new().await;
    world.cloud.edit(|cloud| cloud.regions.push("Alpha"));
    drop(world.host_in("Alpha").await);
    let (_, _, stack) = complete(&world).await;
    drop(world.host_in("RegionOne").await);
    let host = world.host_with_empty_store("another").await;
    let caller = world.caller(&host, "demo").await;
    let orphan = host.list_orphans(&caller).await.unwrap().remove(0);
    assert_eq!(
        (orphan.region.as_str(), &orphan.stack_name),
        ("Alpha", &stack)
    );
    let view = host.adopt_orphan(&caller, &stack).await.unwrap();
    assert_eq!(
        (view.region.as_str(), view.state),
        ("Alpha", ClusterState::Active)
    );
}

#[tokio::test]
async fn what_may_be_where_heat_does_not_answer_is_not_called_unknown() {
    let world = LifecycleFixture::new().await;
    let away = || InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None));
    world.cloud.fault(away());
    let host = world.host_with_empty_store("another").await;
    let caller = world.caller(&host, "demo").await;
    // The store knows none, and Heat may.
    let listed = host.list(&caller).await;
    assert!(
        matches!(listed, Err(OrchestratorError::Cloud(_))),
        "{listed:?}"
    );
    world.cloud.heal();
    eventually("heat has been asked", async || {
        host.list(&caller).await.ok()
    })
    .await;

    world.cloud.edit(|cloud| cloud.regions.push("Alpha"));
    let fault = InjectedFault {
        path: "/region/Alpha/".to_owned(),
        ..away()
    };
    world.cloud.fault(fault);
    let host = world.host_with_empty_store("another").await;
    let caller = world.caller(&host, "demo").await;
    for named in [
        host.adopt_orphan(&caller, "theirs").await.err(),
        host.delete_orphan(&caller, "theirs").await.err(),
    ] {
        assert!(
            matches!(named, Some(OrchestratorError::Cloud(_))),
            "{named:?}"
        );
    }
    world.cloud.heal();
    let named = host.adopt_orphan(&caller, "theirs").await;
    assert!(
        matches!(named, Err(OrchestratorError::Conflict(_))),
        "{named:?}"
    );
}
