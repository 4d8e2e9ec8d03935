//! Changes to a running cluster: more workers, fewer, other settings, rollback after a failure, a
//! restart in the middle.

use std::io::Read as _;

use base64::Engine as _;
use serde_json::Value;
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, ClusterView, Orchestrator, OrchestratorError},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault, UpdateFails};

use crate::fixture::{LifecycleFixture, eventually, pairs, problems};

/// A cluster of two workers that is complete.
pub(crate) async fn complete(world: &LifecycleFixture) -> (Orchestrator, Caller, String) {
    let (host, caller, _) = world.deployed().await;
    world.cloud.finish();
    assert_eq!(
        host.view(&caller, "default").await.unwrap().state,
        ClusterState::Active
    );
    (host, caller, world.cloud.stacks()[0].0.clone())
}

/// Lets the cloud go on until the cluster has come to rest.
pub(crate) async fn rest(
    world: &LifecycleFixture,
    host: &Orchestrator,
    caller: &Caller,
) -> ClusterView {
    eventually("the cluster rests", async || {
        world.cloud.step();
        host.view(caller, "default")
            .await
            .ok()
            .filter(|view| !view.state.is_moving())
    })
    .await
}

pub(crate) fn servers(world: &LifecycleFixture, stack: &str) -> Vec<String> {
    let (template, _) = world.cloud.template(stack).unwrap();
    let all = template["resources"].as_object().unwrap();
    all.keys()
        .filter_map(|name| name.strip_suffix("_server"))
        .map(|node| node.replace('_', "-"))
        .collect()
}

pub(crate) fn metadata(world: &LifecycleFixture, stack: &str, node: &str) -> Value {
    world
        .cloud
        .property(
            stack,
            &format!("{}_server", node.replace('-', "_")),
            "metadata",
        )
        .unwrap()
}

/// The bash text that a node is told.
pub(crate) fn told(world: &LifecycleFixture, stack: &str, node: &str) -> String {
    let metadata = metadata(world, stack, node);
    let parts: usize = metadata["stampede_parts"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let text: String = (0..parts)
        .map(|part| {
            metadata[format!("stampede_part_{part:03}")]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let packed = base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap();
    let mut bash = String::new();
    flate2::read::GzDecoder::new(packed.as_slice())
        .read_to_string(&mut bash)
        .unwrap();
    bash
}

#[tokio::test]
async fn more_workers_are_added_and_only_the_master_learns_of_them() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let view = host
        .update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    assert_eq!(
        (view.state, view.stack_status.as_deref()),
        (ClusterState::Updating, Some("UPDATE_IN_PROGRESS"))
    );
    assert_eq!(view.change.as_deref(), Some("step 1 of 2: adding worker-3"));
    assert_eq!(
        view.attributes.get("stampede.workers"),
        None,
        "not before it is true"
    );
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (view.state, view.stack_status.as_deref(), view.change),
        (ClusterState::Active, Some("UPDATE_COMPLETE"), None)
    );
    assert_eq!(view.attributes["stampede.workers"], "3");
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "worker-3"]
    );
    assert_eq!(
        metadata(&world, &stack, "worker-1").get("stampede_generation"),
        None
    );
    assert_eq!(
        metadata(&world, &stack, "master")["stampede_generation"],
        "2"
    );
    let joined = "joined\tcomponent=on_worker\tnodes=worker-3\tindexes=3\n";
    assert!(told(&world, &stack, "master").contains(joined));
    assert!(
        !told(&world, &stack, "master").contains("/etc/replication"),
        "what was computed at deploy stays as it was"
    );
}

#[tokio::test]
async fn workers_are_let_go_before_they_are_taken_away_and_their_ids_never_come_back() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let view = host
        .update(
            &caller,
            "default",
            pairs(&[("stampede.workers.remove", "worker-1")]),
        )
        .await
        .unwrap();
    assert_eq!(
        view.change.as_deref(),
        Some("step 1 of 3: letting go of worker-1")
    );
    world.cloud.step();
    assert_eq!(
        metadata(&world, &stack, "master")["stampede_stages"],
        "drain"
    );
    let who = "\tcomponent=on_worker\tnodes=worker-1\tindexes=1\n";
    let leaving = told(&world, &stack, "master");
    assert!(leaving.contains(&format!("leaving{who}")), "{leaving}");
    assert_eq!(servers(&world, &stack).len(), 3, "it is still there");
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (view.state, view.attributes["stampede.workers"].as_str()),
        (ClusterState::Active, "1")
    );
    assert_eq!(servers(&world, &stack), ["master", "worker-2"]);
    let left = told(&world, &stack, "master");
    assert!(
        left.contains(&format!("left{who}")) && !left.contains("leaving"),
        "{left}"
    );

    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    rest(&world, &host, &caller).await;
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-2", "worker-3", "worker-4"]
    );
    host.update(&caller, "default", pairs(&[("stampede.workers", "2")]))
        .await
        .unwrap();
    rest(&world, &host, &caller).await;
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-2", "worker-3"],
        "the last one goes where none is named"
    );
}

#[tokio::test]
async fn settings_are_rolled_out_node_by_node() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    host.update(
        &caller,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    let generations = || {
        ["master", "worker-1", "worker-2"]
            .map(|node| metadata(&world, &stack, node)["stampede_generation"].clone())
    };
    assert_eq!(generations(), ["1".into(), Value::Null, Value::Null]);
    let mut seen = vec![generations()];
    let view = eventually("the cluster rests", async || {
        world.cloud.step();
        if seen.last() != Some(&generations()) {
            seen.push(generations());
        }
        host.view(&caller, "default")
            .await
            .ok()
            .filter(|view| !view.state.is_moving())
    })
    .await;
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert_eq!(seen[1], ["1".into(), "2".into(), Value::Null]);
    assert_eq!(seen[2], ["1", "2", "3"].map(Value::from));
    assert_eq!(
        (
            view.state,
            view.attributes["stampede.hadoop.replication"].as_str()
        ),
        (ClusterState::Active, "1")
    );
    assert!(
        told(&world, &stack, "worker-2").starts_with(
            "stampede_file 0644 '/etc/replication' <<'STAMPEDE_END'\n1\nSTAMPEDE_END\n"
        )
    );
}

#[tokio::test]
async fn a_node_that_fails_leads_back_to_what_was_before() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Answer {
        node: "master".into(),
        text: "hadoop ready line 3: no".into(),
    });
    host.update(
        &caller,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.failure), (ClusterState::Active, None));
    assert_eq!(
        view.change.as_deref(),
        Some("failed, and the cluster is as it was before: master: hadoop ready line 3: no")
    );
    assert_eq!(view.attributes.get("stampede.hadoop.replication"), None);
    assert!(
        told(&world, &stack, "master").contains("<<'STAMPEDE_END'\n2\nSTAMPEDE_END\n"),
        "the old file came back"
    );
    assert_eq!(
        metadata(&world, &stack, "worker-1").get("stampede_generation"),
        None,
        "who was not told is not told"
    );

    host.update(
        &caller,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (
            view.change,
            view.attributes["stampede.hadoop.replication"].as_str()
        ),
        (None, "1"),
        "and the next try may be better"
    );
}

#[tokio::test]
async fn a_new_worker_that_fails_is_taken_away_and_does_not_haunt_the_next_ones() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let text = "hadoop setup line 42: sha512 is wrong".to_owned();
    world.cloud.next_update_fails(UpdateFails::Node {
        node: "worker-3".into(),
        text,
    });
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let view = rest(&world, &host, &caller).await;
    let why = "failed, and the cluster is as it was before: worker-3: hadoop setup line 42: sha512 is wrong";
    assert_eq!(
        (view.state, view.change.as_deref()),
        (ClusterState::Active, Some(why))
    );
    assert_eq!(servers(&world, &stack), ["master", "worker-1", "worker-2"]);
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "worker-4"]
    );
}

#[tokio::test]
async fn a_host_that_comes_back_in_the_middle_goes_on_with_its_store_and_without() {
    for empty in [false, true] {
        let world = LifecycleFixture::new().await;
        let (host, caller, stack) = complete(&world).await;
        world.cloud.next_update_fails(UpdateFails::Silence);
        host.update(&caller, "default", pairs(&[("stampede.workers", "1")]))
            .await
            .unwrap();
        world.cloud.finish();
        drop((host, caller));
        world.ended().await;
        let host = if empty {
            world.host_with_empty_store("tests").await
        } else {
            world.host().await
        };
        let caller = world.caller(&host, "demo").await;
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(
            (view.state, view.stack_status.as_deref()),
            (ClusterState::Updating, Some("UPDATE_IN_PROGRESS")),
            "empty: {empty}"
        );
        assert_eq!(
            view.change.as_deref(),
            Some("step 1 of 3: letting go of worker-2")
        );
        assert!(world.cloud.signal(
            &stack,
            "progress_handle",
            "change-master",
            "SUCCESS",
            "master change 1 done"
        ));
        let view = rest(&world, &host, &caller).await;
        assert_eq!(
            (view.state, view.attributes["stampede.workers"].as_str()),
            (ClusterState::Active, "1"),
            "empty: {empty}"
        );
        assert_eq!(servers(&world, &stack), ["master", "worker-1"]);
    }
}

#[tokio::test]
async fn a_cloud_that_is_away_in_the_middle_is_waited_for() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    world
        .cloud
        .fault(InjectedFault::of("heat", 6, FaultKind::Status(503, None)));
    let begun = host
        .update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await;
    world.cloud.heal();
    if begun.is_err() {
        host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
            .await
            .unwrap();
    }
    world
        .cloud
        .fault(InjectedFault::of("heat", 30, FaultKind::Dropped));
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (view.state, servers(&world, &stack).len()),
        (ClusterState::Active, 4)
    );
}

#[tokio::test]
async fn a_delete_ends_a_change() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    host.delete(&caller, "default").await.unwrap();
    world.cloud.finish();
    world.until_deleted(&host, &caller).await;
    assert_eq!(world.cloud.stacks()[0].1, "DELETE_COMPLETE");
}

async fn check_refusals(world: &LifecycleFixture, host: &Orchestrator, caller: &Caller) {
    let refused = async |set: &[(&str, &str)]| {
        problems(
            &host
                .update(caller, "default", pairs(set))
                .await
                .unwrap_err(),
        )
    };
    let said = refused(&[
        ("stampede.image", "other"),
        ("stampede.hadoop.data_volume_gib", "9"),
        ("stampede.timeout", "100"),
        ("stampede.workers", "3"),
    ])
    .await;
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0].starts_with("hadoop.data_volume_gib: cannot be changed in a running cluster"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("image: ") && said[2].starts_with("timeout: "),
        "{said:?}"
    );
    let said = refused(&[("stampede.workers.remove", "worker-9")]).await;
    assert_eq!(
        said,
        ["workers.remove: there is no worker `worker-9` (there are: worker-1, worker-2)"]
    );
    let said = refused(&[("stampede.workers.remove", "worker-1 worker-2")]).await;
    assert!(said[0].contains("no worker would be left"), "{said:?}");
    let said = refused(&[
        ("stampede.workers.remove", "worker-1"),
        ("stampede.workers", "3"),
    ])
    .await;
    assert!(
        said[0].contains("3 workers are asked for, and 1 are left"),
        "{said:?}"
    );
    world.cloud.edit(|fixtures| fixtures.quota.instances = 4);
    let said = refused(&[("stampede.workers", "4")]).await;
    assert!(
        said[0].starts_with("quota: needs 2 servers, 1 are free"),
        "{said:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_by_name_and_nothing_is_touched() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    let early = host
        .update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap_err();
    assert!(
        matches!(&early, OrchestratorError::NotApplicable(words) if words.contains("CREATE_IN_PROGRESS")),
        "{early:?}"
    );
    world.cloud.finish();
    check_refusals(&world, &host, &caller).await;
    assert_eq!(
        world.cloud.count_of("heat", "PUT", "/stacks/"),
        0,
        "heat was never asked to change anything"
    );

    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let second = host
        .update(&caller, "default", pairs(&[("stampede.workers", "2")]))
        .await
        .unwrap_err();
    assert!(
        matches!(&second, OrchestratorError::Conflict(words) if words.contains("adding worker-3")),
        "{second:?}"
    );
}
