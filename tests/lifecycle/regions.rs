//! Clusters of one project in several regions: the region is part of what identifies a cluster, and
//! what another region does not know says nothing.

use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, CreateOutcome, Orchestrator, OrchestratorError},
};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::rest,
};

/// A cloud with Heat in `Alpha`, which its catalog names first, and in `RegionOne`.
async fn two_regions() -> LifecycleFixture {
    let world = LifecycleFixture::new().await;
    world.cloud.edit(|cloud| cloud.regions.push("Alpha"));
    world
}

/// A host for this region, and a complete cluster `default` there.
async fn complete_in(world: &LifecycleFixture, region: &'static str) -> (Orchestrator, Caller) {
    let host = world.host_in(region).await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.region.as_str()),
        (ClusterState::Active, region)
    );
    (host, caller)
}

async fn nothing_is_left(world: &LifecycleFixture) {
    eventually("nothing is left", async || {
        world.cloud.finish();
        world.records().await.is_empty().then_some(())
    })
    .await;
}

fn living(world: &LifecycleFixture) -> usize {
    let stacks = world.cloud.stacks();
    let is_living = |(_, status): &&(String, String)| status != "DELETE_COMPLETE";
    stacks.iter().filter(is_living).count()
}

#[tokio::test]
async fn a_host_whose_region_was_changed_sees_changes_and_deletes_what_it_made_in_the_old_one() {
    for (old, new) in [("RegionOne", "Alpha"), ("Alpha", "RegionOne")] {
        let world = two_regions().await;
        drop(complete_in(&world, old).await);
        let host = world.host_in(new).await;
        let caller = world.caller(&host, "demo").await;
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(
            (view.state, view.cloud_error, view.region.as_str()),
            (ClusterState::Active, None, old)
        );
        assert_eq!(host.list(&caller).await.unwrap().len(), 1);
        host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
            .await
            .unwrap();
        let view = rest(&world, &host, &caller).await;
        assert_eq!(view.attributes["stampede.workers"], "3");
        assert_eq!((living(&world), world.creates()), (1, 1));
        host.delete(&caller, "default").await.unwrap();
        nothing_is_left(&world).await;
        assert_eq!(living(&world), 0, "{old} {new}");
    }
}

#[tokio::test]
async fn a_delete_and_a_change_that_are_pending_go_on_in_their_region() {
    for deletes in [false, true] {
        let world = two_regions().await;
        let (host, caller) = complete_in(&world, "RegionOne").await;
        if deletes {
            host.delete(&caller, "default").await.unwrap();
        } else {
            host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
                .await
                .unwrap();
        }
        drop((host, caller));
        world.ended().await;
        let host = world.host_in("Alpha").await;
        let caller = world.caller(&host, "demo").await;
        if deletes {
            nothing_is_left(&world).await;
            assert_eq!(living(&world), 0);
        } else {
            let view = rest(&world, &host, &caller).await;
            assert_eq!(view.attributes["stampede.workers"], "3");
        }
    }
}

#[tokio::test]
async fn two_clusters_of_one_name_live_in_two_regions_and_a_third_has_to_be_told_which() {
    let world = two_regions().await;
    world.cloud.edit(|cloud| cloud.regions.push("Beta"));
    let (_, one) = complete_in(&world, "Alpha").await;
    let (host, two) = complete_in(&world, "RegionOne").await;
    assert_eq!(living(&world), 2);
    let beta = world.host_in("Beta").await;
    let three = world.caller(&beta, "demo").await;
    let refused = beta.delete(&three, "default").await.unwrap_err();
    assert!(
        matches!(&refused, OrchestratorError::Conflict(why) if why.contains("Alpha, RegionOne")),
        "{refused}"
    );
    assert_eq!(beta.list(&three).await.unwrap().len(), 2);
    // A cluster may be asked for there as well.
    beta.request(&three, "default", vec![]).await.unwrap();
    beta.delete(&three, "default").await.unwrap();
    host.delete(&two, "default").await.unwrap();
    eventually("the one of RegionOne is gone", async || {
        world.cloud.finish();
        (world.records().await.len() == 1).then_some(())
    })
    .await;
    let alpha = world.host_in("Alpha").await;
    let view = alpha.view(&one, "default").await.unwrap();
    assert_eq!(
        (view.state, view.region.as_str(), living(&world)),
        (ClusterState::Active, "Alpha", 1)
    );
}

#[tokio::test]
async fn where_heat_is_in_several_regions_and_none_is_named_a_new_cluster_alone_is_refused() {
    let world = two_regions().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let refused = [
        host.request(&caller, "default", vec![]).await.err(),
        host.preview_deploy(&caller, "default", vec![]).await.err(),
    ];
    for refused in refused {
        assert!(
            matches!(&refused, Some(OrchestratorError::Conflict(why))
                if why.contains("Alpha, RegionOne") && why.contains("STAMPEDE_REGION")),
            "{refused:?}"
        );
    }
    let unknown = host.view(&caller, "default").await;
    assert!(matches!(unknown, Err(OrchestratorError::NotFound(_))));
    assert!(host.list(&caller).await.unwrap().is_empty());
    assert!(world.records().await.is_empty());
    assert_eq!(world.creates(), 0);
}

/// A host without a region, on a cloud that has one; and a complete cluster there.
async fn complete_without_a_region(world: &LifecycleFixture) -> (Orchestrator, Caller) {
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Active);
    (host, caller)
}

#[tokio::test]
async fn a_second_region_that_appears_leaves_what_is_recorded_where_it_is() {
    // A restarted host, and one that was logged in to before.
    for restarts in [true, false] {
        let world = LifecycleFixture::new().await;
        let (mut host, _) = complete_without_a_region(&world).await;
        world.cloud.edit(|cloud| cloud.regions.push("Alpha"));
        if restarts {
            drop(host);
            world.ended().await;
            host = world.host().await;
        }
        let caller = world.caller(&host, "demo").await;
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(
            (view.state, view.cloud_error, view.region.as_str()),
            (ClusterState::Active, None, "RegionOne")
        );
        assert_eq!(host.list(&caller).await.unwrap().len(), 1);
        host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
            .await
            .unwrap();
        let view = rest(&world, &host, &caller).await;
        assert_eq!(view.attributes["stampede.workers"], "3");
        let refused = host.request(&caller, "other", vec![]).await;
        assert!(
            matches!(refused, Err(OrchestratorError::Conflict(_))),
            "{refused:?}"
        );
        // What is there already needs no region.
        let again = host.request(&caller, "default", vec![]).await;
        assert!(matches!(again, Ok(CreateOutcome::Existing(_))), "{again:?}");
        host.delete(&caller, "default").await.unwrap();
        nothing_is_left(&world).await;
        assert_eq!(living(&world), 0);
    }
}

#[tokio::test]
async fn a_cluster_that_was_asked_for_before_a_second_region_appeared_is_deployed_in_its_own() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world.cloud.edit(|cloud| cloud.regions.push("Alpha"));
    let caller = world.caller(&host, "demo").await;
    let preview = host.preview_deploy(&caller, "default", vec![]).await;
    assert_eq!(preview.unwrap().region, "RegionOne");
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let record = world.records().await.remove(0);
    assert_eq!(record.region, "RegionOne");
    assert_eq!(living(&world), 1);
}

#[tokio::test]
async fn a_host_without_a_region_and_store_finds_and_adopts_what_is_in_any_region() {
    let world = two_regions().await;
    drop(complete_in(&world, "Alpha").await);
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.region.as_str()),
        (ClusterState::Active, "Alpha")
    );
    // One of another name does not take it for its own, and adopts it.
    let other = world.host_with_empty_store("another").await;
    let caller = world.caller(&other, "demo").await;
    let unknown = other.view(&caller, "default").await;
    assert!(matches!(unknown, Err(OrchestratorError::NotFound(_))));
    let orphans = other.list_orphans(&caller).await.unwrap();
    assert_eq!(orphans.len(), 1);
    assert_eq!(orphans[0].region, "Alpha");
    let adopted = other.adopt_orphan(&caller, "default").await.unwrap();
    assert_eq!(adopted.region, "Alpha");
    assert_eq!(
        other.view(&caller, "default").await.unwrap().state,
        ClusterState::Active
    );
}

#[tokio::test]
async fn a_host_without_a_region_names_the_one_that_is_gone_and_forgets_nothing() {
    let world = two_regions().await;
    drop(complete_in(&world, "Alpha").await);
    world.cloud.edit(|cloud| cloud.regions.clear());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let view = host.view(&caller, "default").await.unwrap();
    let why = view.cloud_error.unwrap();
    assert_eq!(
        (view.state, view.region.as_str()),
        (ClusterState::Active, "Alpha")
    );
    assert!(why.contains("region `Alpha`"), "{why}");
    assert_eq!(host.list(&caller).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_region_that_the_catalog_no_longer_has_is_named_and_nothing_is_forgotten() {
    let world = two_regions().await;
    drop(complete_in(&world, "Alpha").await);
    world.cloud.edit(|cloud| cloud.regions.clear());
    let host = world.host_in("RegionOne").await;
    let caller = world.caller(&host, "demo").await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Active);
    assert!(view.cloud_error.unwrap().contains("region `Alpha`"));
    host.delete(&caller, "default").await.unwrap();
    let deleting = host.list_deleting(&caller).await.unwrap();
    assert!(deleting[0].cloud_error.as_ref().unwrap().contains("Alpha"));
    world.cloud.edit(|cloud| cloud.regions.push("Alpha"));
    world.caller(&host, "demo").await;
    nothing_is_left(&world).await;
    assert_eq!(living(&world), 0);
}

#[tokio::test]
async fn a_host_with_an_empty_store_finds_the_clusters_of_its_region() {
    let world = two_regions().await;
    drop(complete_in(&world, "Alpha").await);
    for (region, number) in [("RegionOne", 0), ("Alpha", 1)] {
        drop(world.host_in(region).await);
        let host = world.host_with_empty_store("tests").await;
        let caller = world.caller(&host, "demo").await;
        let found = host.list(&caller).await.unwrap();
        assert_eq!(found.len(), number, "{region}");
        assert!(found.iter().all(|view| view.region == region));
    }
}
