//! Clusters of one project in several regions: the region is part of what identifies a cluster, and
//! what another region does not know says nothing.

use secrecy::SecretString;
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, Orchestrator, OrchestratorError},
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
async fn where_heat_is_in_several_regions_and_none_is_named_their_names_are_told() {
    let world = two_regions().await;
    let host = world.host().await;
    let token = SecretString::from(world.cloud.issue_token("demo"));
    let refused = host.authenticate(token, "demo").await.err().unwrap();
    assert!(
        refused.to_string().contains("Alpha, RegionOne"),
        "{refused}"
    );
    assert_eq!(world.cloud.count("heat"), 0);
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
