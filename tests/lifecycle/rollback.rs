//! Changes to a running cluster that fail are rolled back, and nothing of the old cluster is lost.

use stampede::{
    cluster::{ClusterState, OperatorDefaults},
    orchestrator::{LifecyclePhase, OrchestratorError},
};
use stampede_tests::fake_openstack::UpdateFails;

use crate::{
    fixture::{LifecycleFixture, eventually, pairs},
    update::{complete, metadata, rest, servers, told},
};

#[tokio::test]
async fn new_workers_that_may_hold_data_are_let_go_before_they_are_taken_away_again() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Node {
        node: "worker-4".into(),
        text: "hadoop setup line 42: no".into(),
    });
    host.update(&caller, "default", pairs(&[("stampede.workers", "5")]))
        .await
        .unwrap();
    world.cloud.step();
    assert!(world.cloud.signal(
        &stack,
        "progress_handle",
        "worker-3",
        "SUCCESS",
        "worker-3 hadoop setup done 4 s"
    ));
    world.cloud.next_update_fails(UpdateFails::Silence);
    world.cloud.finish();
    let view = eventually("it is being taken back", async || {
        world.cloud.finish();
        host.view(&caller, "default")
            .await
            .ok()
            .filter(|_| metadata(&world, &stack, "master")["stampede_stages"] == "drain")
    })
    .await;
    assert_eq!(view.state, ClusterState::Updating);
    // What it is told is made first.
    world.cloud.step();
    assert!(
        told(&world, &stack, "master")
            .contains("leaving\tcomponent=on_worker\tnodes=worker-[3-4]\tindexes=3-4\n")
    );
    // worker-5 never said a word: there is nothing that it could hold.
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "worker-3", "worker-4"]
    );
    let generation = metadata(&world, &stack, "master")["stampede_generation"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(world.cloud.signal(
        &stack,
        "progress_handle",
        "change-master",
        "SUCCESS",
        &format!("master change {generation} done")
    ));
    let view = rest(&world, &host, &caller).await;
    let why = "failed, and the cluster is as it was before: worker-4: hadoop setup line 42: no";
    assert_eq!(
        (view.state, view.change.as_deref()),
        (ClusterState::Active, Some(why))
    );
    assert_eq!(servers(&world, &stack), ["master", "worker-1", "worker-2"]);
    assert!(
        !view
            .progress
            .iter()
            .any(|line| line.text.contains("line 42")),
        "a later failure is not told in these words"
    );
}

#[tokio::test]
async fn a_worker_that_was_to_leave_is_called_back_once_the_master_takes_it() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let text = "hadoop drain: /data keeps 2 copies, 1 workers would remain".to_owned();
    world.cloud.next_update_fails(UpdateFails::Answer {
        node: "master".into(),
        text: text.clone(),
    });
    host.update(&caller, "default", pairs(&[("stampede.workers", "1")]))
        .await
        .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (view.state, view.change),
        (
            ClusterState::Active,
            Some(format!(
                "failed, and the cluster is as it was before: master: {text}"
            ))
        )
    );
    let number = |node: &str| {
        metadata(&world, &stack, node)["stampede_generation"]
            .as_str()
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    assert_eq!(
        (number("master"), number("worker-2")),
        (4, 3),
        "a NodeManager that its master has sent away has ended"
    );
    assert_eq!(
        metadata(&world, &stack, "worker-2")["stampede_stages"],
        "setup ready"
    );
}

#[tokio::test]
async fn a_change_that_cannot_be_taken_back_says_what_is_broken_and_is_tried_again_on_demand() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let fails = |text: &str| UpdateFails::Answer {
        node: "master".into(),
        text: text.into(),
    };
    world.cloud.next_update_fails(fails("one"));
    host.update(
        &caller,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    world.cloud.next_update_fails(fails("two"));
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.stack_status.as_deref(), Some("UPDATE_FAILED"));
    let why = "a change failed (master: one) and could not be taken back (master: two); master may run with either setting";
    assert_eq!(view.state, ClusterState::Failed(why.into()));

    let refused = host
        .update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, OrchestratorError::Conflict(words) if words.contains("ask again")),
        "{refused:?}"
    );
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.failure), (ClusterState::Active, None));
    assert_eq!(
        view.change.as_deref(),
        Some("failed, and the cluster is as it was before: master: one")
    );
    assert!(
        told(&world, &stack, "master").contains("<<'STAMPEDE_END'\n2\nSTAMPEDE_END\n"),
        "the old file came back"
    );
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (view.state, view.change, servers(&world, &stack).len()),
        (ClusterState::Active, None, 4)
    );
}

#[tokio::test]
async fn a_store_that_is_older_than_the_stack_takes_nothing_back() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let other = world.host_with_empty_store("tests").await;
    let others = world.caller(&other, "demo").await;
    other
        .update(&others, "default", pairs(&[("my.own", "kept")]))
        .await
        .unwrap();
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    rest(&world, &host, &caller).await;

    let later = eventually("the change is known to have ended", async || {
        world.cloud.step();
        other
            .update(
                &others,
                "default",
                pairs(&[("stampede.hadoop.replication", "1")]),
            )
            .await
            .ok()
    })
    .await;
    assert_eq!(later.state, ClusterState::Updating);
    let view = rest(&world, &other, &others).await;
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "worker-3"],
        "who was added by another host is still there"
    );
    let value = |name: &str| view.attributes.get(name).map(String::as_str);
    assert_eq!(
        (
            value("stampede.workers"),
            value("stampede.hadoop.replication"),
            value("my.own")
        ),
        (Some("3"), Some("1"), Some("kept"))
    );
}

#[tokio::test]
async fn a_change_that_has_ended_is_not_judged_anew_by_a_host_that_has_forgotten_it() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    rest(&world, &host, &caller).await;
    drop((host, caller));
    world.ended().await;
    world.cloud.check_fails(&stack);
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (view.stack_status.as_deref(), view.change),
        (Some("CHECK_FAILED"), None)
    );
    assert_eq!(view.attributes["stampede.workers"], "3");
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-2", "worker-3"]
    );
}

#[tokio::test]
async fn an_operators_new_default_is_no_wish_of_a_cluster_that_runs() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    drop((host, caller));
    world.ended().await;
    let defaults = OperatorDefaults::default()
        .with("hadoop.data_volume_gib", "50")
        .with("hadoop.replication", "1");
    let host = world.host_with_defaults(defaults).await;
    let caller = world.caller(&host, "demo").await;
    let view = host
        .update(&caller, "default", pairs(&[("my.own", "value")]))
        .await
        .unwrap();
    assert_eq!(
        (view.state, world.cloud.count_of("heat", "PUT", "/stacks/")),
        (ClusterState::Active, 0)
    );
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    rest(&world, &host, &caller).await;
    let (template, _) = world.cloud.template(&stack).unwrap();
    assert!(
        !template.to_string().contains("OS::Cinder::Volume"),
        "{template}"
    );
    assert_eq!(
        metadata(&world, &stack, "worker-1").get("stampede_generation"),
        None,
        "and nobody is told of it"
    );
}

#[tokio::test]
async fn what_comes_with_provision_changes_nothing_and_is_no_reason_to_refuse() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let others = [
        ("my.own", "kept"),
        ("stampede.workers", "9"),
        ("stampede.image", "another"),
        ("stampede.nonsense", "1"),
    ];
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let view = host
        .provision(&caller, "default", pairs(&others))
        .await
        .unwrap();
    assert_eq!(
        (view.phase, view.state),
        (LifecyclePhase::Provisioned, ClusterState::Updating),
        "also while it is being changed"
    );
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (
            view.phase,
            view.attributes["my.own"].as_str(),
            servers(&world, &stack).len()
        ),
        (LifecyclePhase::Provisioned, "kept", 4)
    );
    assert_eq!(view.brought["stampede.workers"], "9");
}

#[tokio::test]
async fn a_node_without_a_metadata_service_is_a_reason_to_refuse_what_it_would_have_to_be_told() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    let stack = world.cloud.stacks()[0].0.clone();
    world.cloud.step();
    assert!(world.cloud.signal(
        &stack,
        "ready_handle",
        "worker-2",
        "SUCCESS",
        "worker-2 ready, no metadata service"
    ));
    world.cloud.finish();
    let refused = host
        .update(
            &caller,
            "default",
            pairs(&[("stampede.hadoop.replication", "1")]),
        )
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, OrchestratorError::NotApplicable(words) if words.starts_with("worker-2 sees no metadata service")),
        "{refused:?}"
    );
    host.update(
        &caller,
        "default",
        pairs(&[("stampede.workers.remove", "worker-2")]),
    )
    .await
    .unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(
        (view.state, servers(&world, &stack)),
        (
            ClusterState::Active,
            vec!["master".to_owned(), "worker-1".to_owned()]
        )
    );
    host.update(
        &caller,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    assert_eq!(
        rest(&world, &host, &caller).await.change,
        None,
        "it is forgotten with its node"
    );
}
