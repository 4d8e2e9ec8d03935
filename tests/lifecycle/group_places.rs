//! Where the nodes of a group are and what they boot from: a group's own, from the request to the stack
//! and the quota.

use serde_json::Value;

use crate::{
    fixture::{LifecycleFixture, pairs, problems},
    moving_plugins::today,
    node_groups::{THREE, changed, server},
    pinning::spec,
    update::complete,
};

#[tokio::test]
async fn zones_and_volumes_are_a_groups_own_in_stack_and_quota_and_stay_as_they_are() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(today());
    world.cloud.edit(|cloud| cloud.quota.volumes = 3);
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let set = [
        THREE,
        ("stampede.worker.root_volume_gib", "30"),
        ("stampede.edge.root_volume_gib", "40"),
        ("stampede.edge.availability_zone", "az2"),
        ("stampede.edge.count", "2"),
    ];
    host.request(&caller, "default", pairs(&set)).await.unwrap();
    let deploy = async |set: &[(&str, &str)]| {
        let set = pairs(set);
        host.deploy(&caller, "default", set).await
    };
    let refused = deploy(&[]).await.unwrap_err();
    assert_eq!(
        problems(&refused),
        [
            "quota: needs 4 volumes, 3 are free (ask for fewer nodes or smaller volumes, delete what is no longer used, or have the quota raised)"
        ]
    );
    world.cloud.edit(|cloud| cloud.quota.volumes = 9);
    deploy(&[]).await.unwrap();
    world.cloud.finish();
    let stack = world.cloud.stacks()[0].0.clone();
    let shown = |node: &str| {
        let server = server(&world, &stack, node);
        let volume = server["block_device_mapping_v2"][0]["volume_size"].clone();
        (server["availability_zone"].clone(), volume)
    };
    assert_eq!(shown("edge_2"), ("az2".into(), 40.into()));
    assert_eq!(shown("worker_1"), (Value::Null, 30.into()));
    assert_eq!(shown("master"), (Value::Null, Value::Null));
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.attributes["stampede.edge.root_volume_gib"], "40");
    for (name, value) in [
        ("stampede.edge.availability_zone", "nova"),
        ("stampede.worker.root_volume_gib", "31"),
        ("stampede.worker.availability_zone", "az2"),
    ] {
        let refused = host
            .update(&caller, "default", pairs(&[(name, value)]))
            .await;
        let own = name.strip_prefix("stampede.").unwrap();
        let wanted = format!(
            "{own}: cannot be changed in a running cluster (leave it as it is, or deploy a new cluster)"
        );
        assert_eq!(problems(&refused.unwrap_err()), [wanted]);
    }
    changed(&world, (&host, &caller), &[("stampede.workers", "3")]).await;
    assert_eq!(shown("worker_3"), (Value::Null, 30.into()));
    assert_eq!(shown("edge_1"), ("az2".into(), 40.into()));
    // What new nodes would need is looked at, and what the others have is not asked about.
    world.cloud.edit(|cloud| cloud.zones.clear());
    changed(&world, (&host, &caller), &[("stampede.workers", "4")]).await;
}

#[tokio::test]
async fn zones_that_are_not_there_and_volumes_that_are_too_small_are_refused_at_once() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(today());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", pairs(&[THREE]))
        .await
        .unwrap();
    let wrong = [
        ("stampede.edge.availability_zone", "az9"),
        ("stampede.worker.availability_zone", "az3"),
        ("stampede.cluster.availability_zone", "elsewhere"),
        ("stampede.worker.root_volume_gib", "1"),
    ];
    let refused = problems(
        &host
            .deploy(&caller, "default", pairs(&wrong))
            .await
            .unwrap_err(),
    );
    let there = "(did you mean `az2`? there are: az2, nova)";
    for wanted in [
        format!("edge.availability_zone: there is no availability zone `az9` {there}"),
        format!("worker.availability_zone: there is no availability zone `az3` {there}"),
        "cluster.availability_zone: there is no availability zone `elsewhere` (there are: az2, nova)".to_owned(),
    ] {
        assert!(refused.contains(&wanted), "{wanted}: {refused:?}");
    }
    let small = |problem: &String| problem.starts_with("worker.root_volume_gib: 1 GiB, a node");
    assert!(refused.iter().any(small), "{refused:?}");
}

#[tokio::test]
async fn a_group_that_is_added_may_say_where_it_is_and_the_cloud_must_have_that() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let set = [THREE, ("stampede.edge.availability_zone", "az9")];
    let refused = host.update(&caller, "default", pairs(&set)).await;
    assert_eq!(
        problems(&refused.unwrap_err()),
        [
            "edge.availability_zone: there is no availability zone `az9` (did you mean `az2`? there are: az2, nova)"
        ]
    );
    let set = [
        THREE,
        ("stampede.edge.availability_zone", "az2"),
        ("stampede.edge.root_volume_gib", "20"),
    ];
    changed(&world, (&host, &caller), &set).await;
    let edge = spec(&world).await.groups.get("edge").unwrap().clone();
    assert_eq!(edge.availability_zone.as_deref(), Some("az2"));
    assert_eq!(edge.root_volume_gib, Some(20));
    changed(&world, (&host, &caller), &[("stampede.edge.count", "2")]).await;
    world.cloud.edit(|cloud| cloud.zones.clear());
    let refused = host
        .update(&caller, "default", pairs(&[("stampede.edge.count", "3")]))
        .await;
    assert_eq!(
        problems(&refused.unwrap_err()),
        ["edge.availability_zone: there is no availability zone `az2` (there are none)"]
    );
}
