//! What made a cluster is recorded, and changes are planned from that: later plugins, and a cloud
//! that has changed, change nothing that nobody asked for, and block nothing that does not need
//! them.

use serde_json::Value;
use stampede::{
    cluster::{ClusterSpec, ClusterState},
    orchestrator::{Caller, Orchestrator},
};

use stampede_tests::fake_openstack::{FaultKind, InjectedFault, UpdateFails};
use stampede_tests::node_script::unpack_node_script;

use crate::{
    fixture::{LifecycleFixture, eventually, pairs, problems},
    moving_plugins::{Lost, TODAY, later, today},
    update::{rest, servers, told},
};

/// A cluster of three workers that the plugins of today have made, and its stack.
pub(crate) async fn made(world: &mut LifecycleFixture, set: &[(&str, &str)]) -> String {
    world.use_plugins(today());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let flavors = [
        ("stampede.master.flavor", "m1.2xlarge"),
        ("stampede.worker.flavor", "m1.xlarge"),
        ("stampede.key", "demo-key"),
        ("stampede.workers", "3"),
    ];
    let set = pairs(&[&flavors[..], set].concat());
    host.request(&caller, "default", set).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Active);
    drop((host, caller));
    world.plugins_are_idle().await;
    world.cloud.stacks()[0].0.clone()
}

/// A host with later plugins.
pub(crate) async fn later_host(world: &mut LifecycleFixture, lost: Lost) -> (Orchestrator, Caller) {
    world.use_plugins(later(lost));
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    (host, caller)
}

pub(crate) async fn changed(
    world: &LifecycleFixture,
    (host, caller): &(Orchestrator, Caller),
    set: &[(&str, &str)],
) {
    host.update(caller, "default", pairs(set)).await.unwrap();
    let view = rest(world, host, caller).await;
    assert_eq!(
        (view.state, view.change),
        (ClusterState::Active, None),
        "{set:?}"
    );
}

pub(crate) async fn refused(
    (host, caller): &(Orchestrator, Caller),
    set: &[(&str, &str)],
) -> Vec<String> {
    problems(
        &host
            .update(caller, "default", pairs(set))
            .await
            .unwrap_err(),
    )
}

pub(crate) async fn deleted(world: &LifecycleFixture, (host, caller): (Orchestrator, Caller)) {
    host.delete(&caller, "default").await.unwrap();
    eventually("nothing is left", async || {
        world.cloud.step();
        let records = world.store().await.all().await.unwrap().records;
        records.is_empty().then_some(())
    })
    .await;
}

pub(crate) async fn spec(world: &LifecycleFixture) -> ClusterSpec {
    let records = world.store().await.all().await.unwrap().records;
    records[0].spec.clone().unwrap()
}

pub(crate) fn resources(world: &LifecycleFixture, stack: &str) -> serde_json::Map<String, Value> {
    let (template, _) = world.cloud.template(stack).unwrap();
    template["resources"].as_object().unwrap().clone()
}

/// The resources of before that are no longer what they were, but for what nodes are told by.
pub(crate) fn differing(
    before: &serde_json::Map<String, Value>,
    world: &LifecycleFixture,
    stack: &str,
) -> Vec<String> {
    let now = resources(world, stack);
    let plain = |body: &Value| {
        let mut body = body.clone();
        if let Some(properties) = body["properties"].as_object_mut() {
            properties.remove("metadata");
        }
        body
    };
    let others = before
        .iter()
        .filter(|(name, body)| now.get(*name).is_none_or(|now| plain(now) != plain(body)));
    let names = others.map(|(name, _)| name.clone());
    names
        .filter(|name| !name.starts_with("stampede_change_"))
        .collect()
}

/// The script of new workers, whether it is packed or not.
fn worker_script(world: &LifecycleFixture, stack: &str) -> String {
    let (_, files) = world.cloud.template(stack).unwrap();
    unpack_node_script(&files["node-worker.sh"])
}

#[tokio::test]
async fn a_deploy_records_versions_settings_ids_and_digests() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[("stampede.hadoop.replication", "2")]).await;
    let spec = spec(&world).await;
    assert_eq!(spec.frameworks[0].version.as_deref(), Some(TODAY));
    let pins = spec.pins.unwrap();
    let hadoop = &pins.plugins["hadoop"];
    assert_eq!((hadoop.version.as_str(), hadoop.digest.len()), (TODAY, 64));
    assert_eq!(hadoop.settings["replication"], 2);
    assert_eq!(hadoop.settings["block_size_mib"], 128, "a default");
    assert_eq!(pins.plugins["cluster"].settings["spread_workers"], 10);
    assert!(!pins.host_version.is_empty());
    let (template, _) = world.cloud.template(&stack).unwrap();
    let parameter = |name: &str| {
        template["parameters"][name]["default"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    for (name, id) in [
        ("image", pins.groups["worker"].image_id.clone()),
        ("master_flavor", pins.groups["master"].flavor_id.clone()),
        ("worker_flavor", pins.groups["worker"].flavor_id.clone()),
        ("external_network", pins.external_network_id),
    ] {
        let id = id.unwrap();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{name}: {id}");
        assert_eq!(parameter(name), id, "{name}");
    }
}

#[tokio::test]
async fn later_plugins_add_workers_and_leave_all_others_alone() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[("stampede.hadoop.replication", "2")]).await;
    let before = resources(&world, &stack);
    let host = later_host(&mut world, Lost::default()).await;
    let view = host
        .0
        .update(&host.1, "default", pairs(&[("stampede.workers", "4")]))
        .await
        .unwrap();
    assert_eq!(
        view.change.as_deref(),
        Some("step 1 of 2: adding worker-4"),
        "one that stays is told of it"
    );
    let view = rest(&world, &host.0, &host.1).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    assert_eq!(
        differing(&before, &world, &stack),
        ["ready"],
        "it counts nodes"
    );
    assert_eq!(servers(&world, &stack).len(), 5);
    let script = worker_script(&world, &stack);
    assert!(script.contains("of a later day"), "who made it");
    assert!(script.contains(TODAY) && !script.contains("3.6.0"));
    assert_eq!(
        spec(&world).await.frameworks[0].version.as_deref(),
        Some(TODAY)
    );
    // And once more, now that the cluster is of two days.
    let before = resources(&world, &stack);
    changed(&world, &host, &[("stampede.workers.remove", "worker-1")]).await;
    let gone = |name: &String| !name.contains("worker_1_");
    let others: Vec<String> = differing(&before, &world, &stack)
        .into_iter()
        .filter(gone)
        .collect();
    assert_eq!(others, Vec::<String>::new());
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-2", "worker-3", "worker-4"]
    );
    drop(host);
    // Today's plugins come back: what later ones made stays.
    world.plugins_are_idle().await;
    world.use_plugins(today());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let before = resources(&world, &stack);
    changed(&world, &(host, caller), &[("stampede.workers", "4")]).await;
    assert_eq!(differing(&before, &world, &stack), ["ready"]);
}

#[tokio::test]
async fn later_plugins_change_the_setting_that_was_asked_for_and_no_other() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[]).await;
    let before = resources(&world, &stack);
    let host = later_host(&mut world, Lost::default()).await;
    changed(&world, &host, &[("stampede.hadoop.replication", "2")]).await;
    assert_eq!(differing(&before, &world, &stack), Vec::<String>::new());
    let bash = told(&world, &stack, "worker-1");
    assert!(bash.contains("dfs.replication"), "{bash}");
    assert!(
        bash.contains("134217728") && !bash.contains("268435456"),
        "blocks as they were"
    );
    assert!(
        !bash.contains("of a later day") && !bash.contains("3.6.0"),
        "{bash}"
    );
    let pins = spec(&world).await.pins.unwrap();
    assert_eq!(pins.plugins["hadoop"].settings["replication"], 2);
    // The way back is the same.
    world.cloud.next_update_fails(UpdateFails::Answer {
        node: "master".into(),
        text: "no".into(),
    });
    host.0
        .update(
            &host.1,
            "default",
            pairs(&[("stampede.hadoop.replication", "1")]),
        )
        .await
        .unwrap();
    let view = rest(&world, &host.0, &host.1).await;
    assert_eq!(view.state, ClusterState::Active);
    let bash = told(&world, &stack, "master");
    assert!(
        !bash.contains("of a later day") && bash.contains("<value>2</value>"),
        "{bash}"
    );
    assert_eq!(differing(&before, &world, &stack), Vec::<String>::new());
}

/// Makes the record what another build of this release had it, whose frame on the nodes is another
/// one: the digests of its files, and its mark.
async fn made_by_another_frame(world: &LifecycleFixture) {
    world
        .edit_record(|record| {
            record["spec"]["pins"]["host_version"] = Value::from("0.1.0+another");
            let mut edited = 0;
            for (_, files) in record["notified"]["installed"].as_object_mut().unwrap() {
                for (path, digest) in files.as_object_mut().unwrap() {
                    if path.starts_with("/opt/stampede/") && !path.contains("hadoop") {
                        *digest = Value::from("of another frame");
                        edited += 1;
                    }
                }
            }
            assert!(edited > 0, "{record}");
        })
        .await;
}

#[tokio::test]
async fn another_build_of_this_release_takes_exactly_the_step_that_was_asked_for() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[]).await;
    made_by_another_frame(&world).await;
    let before = resources(&world, &stack);
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let workers = pairs(&[("stampede.workers", "4")]);
    let view = host.update(&caller, "default", workers).await.unwrap();
    assert_eq!(view.change.as_deref(), Some("step 1 of 2: adding worker-4"));
    rest(&world, &host, &caller).await;
    assert_eq!(differing(&before, &world, &stack), ["ready"]);
    // A setting is told to who has it, and the frame to nobody.
    let set = pairs(&[("stampede.hadoop.replication", "1")]);
    let preview = host.preview_update(&caller, "default", set).await.unwrap();
    let told: Vec<_> = preview.notified.iter().collect();
    assert!(!told.is_empty());
    assert!(!format!("{told:?}").contains("/opt/stampede/"), "{told:?}");
}

#[tokio::test]
async fn a_create_that_is_sent_by_a_later_host_records_what_it_sends() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(today());
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let flavors = pairs(&[
        ("stampede.master.flavor", "m1.2xlarge"),
        ("stampede.worker.flavor", "m1.xlarge"),
    ]);
    host.request(&caller, "default", flavors).await.unwrap();
    let busy = InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None));
    world.cloud.fault(busy.only("POST", "/stacks"));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    drop((host, caller));
    world.cloud.expire_tokens();
    world.plugins_are_idle().await;
    let planned = world.store().await.all().await.unwrap().records.remove(0);
    world.cloud.heal();
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    eventually("the stack is there", async || {
        host.view(&caller, "default").await.ok()?.stack_id
    })
    .await;
    let record = world.store().await.all().await.unwrap().records.remove(0);
    assert_ne!(record.notified.installed, planned.notified.installed);
    let spec = record.spec.clone().unwrap();
    assert_eq!(spec.frameworks[0].version.as_deref(), Some(TODAY));
    let pins = spec.pins.unwrap();
    assert!(pins.plugins["hadoop"].digest.starts_with("later-"));
    assert_eq!(pins.plugins["hadoop"].settings["block_size_mib"], 128);
    world.cloud.finish();
    let host = (host, caller);
    changed(&world, &host, &[("stampede.workers", "3")]).await;
    let record = world.store().await.all().await.unwrap().records.remove(0);
    assert!(
        !record.spec.clone().unwrap().pins.unwrap().mixed,
        "all of one plan"
    );
}

#[tokio::test]
async fn a_later_host_that_is_restarted_in_the_middle_goes_on_with_what_was_checked() {
    let mut world = LifecycleFixture::new().await;
    let stack = made(&mut world, &[("stampede.hadoop.replication", "2")]).await;
    let before = resources(&world, &stack);
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    world.cloud.next_update_fails(UpdateFails::Silence);
    let fewer = pairs(&[("stampede.workers", "2")]);
    host.update(&caller, "default", fewer).await.unwrap();
    drop((host, caller));
    world.cloud.expire_tokens();
    world.plugins_are_idle().await;
    let (host, caller) = later_host(&mut world, Lost::default()).await;
    world.cloud.finish();
    let line = "master change 1 done";
    let is_heard = world
        .cloud
        .signal(&stack, "progress_handle", "change-master", "SUCCESS", line);
    assert!(is_heard);
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    assert_eq!(servers(&world, &stack), ["master", "worker-1", "worker-2"]);
    // It counts nodes.
    let gone = |name: &String| !name.contains("worker_3_") && name != "ready";
    let others = differing(&before, &world, &stack).into_iter().filter(gone);
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
}
