//! A change is planned once: how often the cloud is looked up and how often plugins run, before the
//! first step and until the last one, in one process and across a restart.

use serde_json::{Map, Value};
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, Orchestrator, stack::step_plan::StepPlan},
};
use stampede_tests::fake_openstack::UpdateFails;

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::{complete, metadata, rest, servers},
};

/// Look-ups of the cloud and runs of the plugins since the beginning.
fn counts(world: &LifecycleFixture) -> (usize, usize) {
    (world.look_ups(), world.planner.made())
}

/// What came to them since.
fn since(world: &LifecycleFixture, before: (usize, usize)) -> (usize, usize) {
    let now = counts(world);
    (now.0 - before.0, now.1 - before.1)
}

/// Another host over the same store, or over none, in the place of the first one, which is gone.
async fn restarted(
    world: &LifecycleFixture,
    host: Orchestrator,
    caller: Caller,
    empty: bool,
) -> (Orchestrator, Caller) {
    drop((host, caller));
    world.ended().await;
    let host = if empty {
        world.host_with_empty_store("tests").await
    } else {
        world.host().await
    };
    let caller = world.caller(&host, "demo").await;
    (host, caller)
}

#[tokio::test]
async fn a_change_looks_up_the_cloud_once_and_plans_each_set_of_workers_once() {
    // One more: the step adds it to what stays, one set. One less: it is let go while it is there,
    // and taken away, two sets. New settings: the workers are the same in all three steps, one set.
    for (set, plans) in [
        (("stampede.workers", "3"), 1),
        (("stampede.workers", "1"), 2),
        (("stampede.hadoop.replication", "1"), 1),
    ] {
        let world = LifecycleFixture::new().await;
        let (host, caller, _) = complete(&world).await;
        let before = counts(&world);
        host.update(&caller, "default", pairs(&[set]))
            .await
            .unwrap();
        assert_eq!(since(&world, before), (1, plans), "{set:?}");
        let view = rest(&world, &host, &caller).await;
        assert_eq!((view.state, view.change), (ClusterState::Active, None));
        assert_eq!(since(&world, before), (1, plans), "none again: {set:?}");
    }
}

#[tokio::test]
async fn a_deploy_works_out_the_chain_of_plugins_once_and_sends_what_heat_has_checked() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let (before, ordered) = (counts(&world), world.planner.ordered());
    host.deploy(&caller, "default", vec![]).await.unwrap();
    assert_eq!(since(&world, before), (1, 1));
    assert_eq!(world.planner.ordered() - ordered, 1);
}

#[tokio::test]
async fn new_settings_on_250_workers_are_planned_once_for_all_eleven_steps() {
    let world = LifecycleFixture::new().await;
    world.give_room();
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let many = pairs(&[("stampede.workers", "250")]);
    host.request(&caller, "default", many).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    let before = counts(&world);
    let view = host
        .update(
            &caller,
            "default",
            pairs(&[("stampede.hadoop.replication", "1")]),
        )
        .await
        .unwrap();
    assert_eq!(
        view.change.as_deref(),
        Some("step 1 of 11: new settings on master")
    );
    assert_eq!(since(&world, before), (1, 1));
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    assert_eq!(since(&world, before), (1, 1), "none again");
}

/// The digest of what Heat has of a stack, but for the parameter that carries the record.
fn digest(world: &LifecycleFixture, stack: &str) -> String {
    let (template, files) = world.cloud.template(stack).unwrap();
    StepPlan::new(0, &template, files.into(), Map::new()).digest
}

#[tokio::test]
async fn what_was_checked_is_byte_for_byte_what_heat_is_sent() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let set = pairs(&[
        ("stampede.workers", "1"),
        ("stampede.hadoop.replication", "1"),
    ]);
    host.update(&caller, "default", set).await.unwrap();
    let record = world.records().await.remove(0);
    let steps = record.change().unwrap().steps.clone();
    let planned: Vec<String> = steps.into_iter().filter_map(|step| step.digest).collect();
    assert_eq!(planned.len(), 5);
    let mut sent = vec![digest(&world, &stack)];
    eventually("the cluster rests", async || {
        world.cloud.step();
        let now = digest(&world, &stack);
        if sent.last() != Some(&now) {
            sent.push(now);
        }
        let view = host.view(&caller, "default").await.ok()?;
        (!view.state.is_moving()).then_some(())
    })
    .await;
    assert_eq!(sent, planned);
}

#[tokio::test]
async fn a_host_that_comes_back_in_the_middle_plans_again_without_the_cloud() {
    for empty in [false, true] {
        let world = LifecycleFixture::new().await;
        let (host, caller, stack) = complete(&world).await;
        world.cloud.next_update_fails(UpdateFails::Silence);
        host.update(&caller, "default", pairs(&[("stampede.workers", "1")]))
            .await
            .unwrap();
        let (host, caller) = restarted(&world, host, caller, empty).await;
        let before = counts(&world);
        world.cloud.finish();
        let line = "master change 1 done";
        assert!(
            world
                .cloud
                .signal(&stack, "progress_handle", "change-master", "SUCCESS", line)
        );
        let view = rest(&world, &host, &caller).await;
        assert_eq!((view.state, view.change), (ClusterState::Active, None));
        assert_eq!(servers(&world, &stack), ["master", "worker-1"]);
        // Only the step that takes it away is left.
        assert_eq!(since(&world, before), (0, 1), "empty: {empty}");
    }
}

#[tokio::test]
async fn the_way_back_is_planned_once_without_the_cloud() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Answer {
        node: "master".into(),
        text: "no".into(),
    });
    let before = counts(&world);
    let set = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&caller, "default", set).await.unwrap();
    let view = rest(&world, &host, &caller).await;
    let why = "failed, and the cluster is as it was before: master: no";
    assert_eq!(view.change.as_deref(), Some(why));
    // The new settings, then the old ones.
    assert_eq!(since(&world, before), (1, 2));
}

#[tokio::test]
async fn a_plugin_that_is_replaced_in_the_middle_leads_back_before_its_step_is_sent() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Silence);
    let set = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&caller, "default", set).await.unwrap();
    world.planner.replace_plugins();
    let (host, caller) = restarted(&world, host, caller, false).await;
    world.cloud.finish();
    let line = "master change 1 done";
    assert!(
        world
            .cloud
            .signal(&stack, "progress_handle", "change-master", "SUCCESS", line)
    );
    let view = rest(&world, &host, &caller).await;
    let why = "failed, and the cluster is as it was before: framework: the plugins are others than \
               those that planned this change: `new settings on worker-1` would not be what was \
               checked (ask for the change again when it has been taken back)";
    assert_eq!(
        (view.state, view.change.as_deref()),
        (ClusterState::Active, Some(why))
    );
    assert_eq!(
        metadata(&world, &stack, "worker-1").get("stampede_generation"),
        None,
        "nobody was told what nobody has checked"
    );
    assert_eq!(view.attributes.get("stampede.hadoop.replication"), None);
}

/// Takes from the stored change what it was planned on, as a version had it that did not record it.
async fn forget_plan(world: &LifecycleFixture) {
    world
        .edit_record(|record| {
            let text = record.to_string();
            assert!(text.contains("\"resolved\"") && text.contains("\"digest\""));
            remove_keys(record, &["resolved", "digest"]);
        })
        .await;
}

fn remove_keys(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            fields
                .values_mut()
                .for_each(|field| remove_keys(field, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove_keys(item, names)),
        _ => {}
    }
}

#[tokio::test]
async fn a_change_that_a_former_version_began_goes_on_with_one_look_at_the_cloud() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Silence);
    let set = pairs(&[("stampede.hadoop.replication", "1")]);
    host.update(&caller, "default", set).await.unwrap();
    drop((host, caller));
    world.ended().await;
    forget_plan(&world).await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let before = counts(&world);
    world.cloud.finish();
    let line = "master change 1 done";
    assert!(
        world
            .cloud
            .signal(&stack, "progress_handle", "change-master", "SUCCESS", line)
    );
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    assert_eq!(since(&world, before), (1, 1), "for the two steps left");
}
