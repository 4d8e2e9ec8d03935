//! Clusters whose cloud fails in the middle, whose tokens end, and whose stacks others change.

use std::time::Duration;

use secrecy::SecretString;
use stampede::{
    cluster::ClusterState,
    orchestrator::{LifecyclePhase, OrchestratorError, OrchestratorLimits},
};
use stampede_tests::fake_openstack::{CreateFails, FaultKind, InjectedFault};

use crate::fixture::{LifecycleFixture, eventually, limits, problems};

fn create(what: FaultKind, times: u32) -> InjectedFault {
    InjectedFault::of("heat", times, what).only("POST", "/stacks")
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_makes_one_stack() {
    for what in [FaultKind::Lost, FaultKind::Cut, FaultKind::Html] {
        let world = LifecycleFixture::new().await;
        world.cloud.fault(create(what.clone(), 1));
        let (host, caller, view) = world.deployed().await;
        let stacks = world.cloud.stacks();
        assert_eq!(
            (stacks.len(), view.state, view.phase),
            (1, ClusterState::Deploying, LifecyclePhase::Deployed),
            "{what:?}"
        );
        world.cloud.finish();
        assert_eq!(
            host.view(&caller, "default").await.unwrap().state,
            ClusterState::Active
        );
    }
}

#[tokio::test]
async fn a_create_that_nobody_knows_of_is_found_or_done_once_heat_is_back() {
    for what in [
        FaultKind::Lost,
        FaultKind::Dropped,
        FaultKind::Status(503, None),
    ] {
        let world = LifecycleFixture::new().await;
        world.cloud.fault(create(what.clone(), u32::MAX));
        world.cloud.fault(
            InjectedFault::of("heat", u32::MAX, FaultKind::Dropped).only("GET", "/stacks/stampede"),
        );
        let (host, caller, view) = world.deployed().await;
        assert_eq!(
            (view.state, view.phase),
            (ClusterState::Planned, LifecyclePhase::Deployed),
            "{what:?}"
        );
        assert!(view.cloud_error.is_some(), "{what:?}");
        world.cloud.heal();
        eventually("the stack is known", async || {
            host.view(&caller, "default").await.unwrap().stack_id
        })
        .await;
        world.cloud.finish();
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(
            (view.state, view.cloud_error),
            (ClusterState::Active, None),
            "{what:?}"
        );
        assert_eq!(world.cloud.stacks().len(), 1, "{what:?}");
    }
}

#[tokio::test]
async fn what_heat_finds_wrong_is_told_before_anything_is_recorded_or_created() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world.cloud.fault(
        InjectedFault::of("heat", 1, FaultKind::Status(400, None)).only("POST", "/validate"),
    );
    let refused = host
        .deploy(
            &caller,
            "default",
            vec![("my.param".to_owned(), "x".to_owned())],
        )
        .await
        .unwrap_err();
    assert!(
        problems(&refused)[0].contains("heat refuses to validate")
            && problems(&refused)[0].contains("on purpose"),
        "{refused}"
    );
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (
            view.phase,
            view.state,
            view.attributes.len(),
            world.creates()
        ),
        (LifecyclePhase::Initialised, ClusterState::Requested, 0, 0)
    );
    assert_eq!(
        host.deploy(&caller, "default", vec![]).await.unwrap().state,
        ClusterState::Deploying
    );
}

#[tokio::test]
async fn a_check_that_heat_does_not_answer_is_a_deploy_that_is_tried_again() {
    for what in [
        FaultKind::Lost,
        FaultKind::Dropped,
        FaultKind::Status(500, None),
    ] {
        let world = LifecycleFixture::new().await;
        let host = world.host().await;
        let caller = world.caller(&host, "demo").await;
        host.request(&caller, "default", vec![]).await.unwrap();
        world
            .cloud
            .fault(InjectedFault::of("heat", u32::MAX, what.clone()));
        let view = host.deploy(&caller, "default", vec![]).await.unwrap();
        assert_eq!(
            (view.state, view.phase, view.cloud_error.is_some()),
            (ClusterState::Planned, LifecyclePhase::Deployed, true),
            "{what:?}"
        );
        world.cloud.heal();
        eventually("the stack is made", async || {
            host.view(&caller, "default").await.unwrap().stack_id
        })
        .await;
        assert_eq!(world.cloud.stacks().len(), 1, "{what:?}");
    }
}

#[tokio::test]
async fn a_create_that_never_reached_heat_is_not_waited_for() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            create_grace: Duration::from_secs(3_600),
            creates: u32::MAX,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    world.cloud.edit(|cloud| {
        cloud
            .elsewhere
            .push(("orchestration", format!("http://{nobody}/v1")))
    });
    let caller = world.caller(&host, "demo").await;
    let view = host.deploy(&caller, "default", vec![]).await.unwrap();
    assert_eq!(
        (view.state, view.cloud_error.is_some()),
        (ClusterState::Planned, true)
    );
    world.cloud.edit(|cloud| cloud.elsewhere.clear());
    let caller = world.caller(&host, "demo").await;
    eventually("the stack is made", async || {
        host.view(&caller, "default").await.unwrap().stack_id
    })
    .await;
    assert_eq!(world.cloud.stacks().len(), 1);
}

#[tokio::test]
async fn a_create_that_heat_refuses_leaves_the_cluster_as_it_was() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world.cloud.fault(create(FaultKind::Status(400, None), 1));
    let refused = host.deploy(&caller, "default", vec![]).await.unwrap_err();
    assert!(problems(&refused)[0].contains("heat"), "{refused}");
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.phase, view.state),
        (LifecyclePhase::Initialised, ClusterState::Requested)
    );
    assert_eq!(
        host.deploy(&caller, "default", vec![]).await.unwrap().state,
        ClusterState::Deploying
    );
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_deploy_does_not_lose_the_wish() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world.cloud.fault(create(FaultKind::Expired, 1));
    let refused = host.deploy(&caller, "default", vec![]).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Unauthorized(_))),
        "{refused:?}"
    );
    assert!(world.cloud.stacks().is_empty());

    let caller = world.caller(&host, "demo").await;
    eventually("the next good token goes on", async || {
        host.view(&caller, "default").await.unwrap().stack_id
    })
    .await;
    let answered = host.deploy(&caller, "default", vec![]).await.unwrap();
    assert_eq!(
        answered.state,
        ClusterState::Deploying,
        "the client was never told, so its second try is answered"
    );
    assert!(matches!(
        host.deploy(&caller, "default", vec![]).await,
        Err(OrchestratorError::NotApplicable(_))
    ));
    assert_eq!(world.cloud.stacks().len(), 1);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_delete_does_not_lose_the_wish() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, FaultKind::Expired).only("DELETE", ""));
    let refused = host.delete(&caller, "default").await;
    assert!(
        matches!(refused, Err(OrchestratorError::Unauthorized(_))),
        "{refused:?}"
    );
    let caller = world.caller(&host, "demo").await;
    world.until_deleted(&host, &caller).await;
    assert_eq!(world.cloud.stacks()[0].1, "DELETE_COMPLETE");
}

#[tokio::test]
async fn an_expired_and_a_foreign_token_are_told_apart() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let token = world.cloud.issue_token("demo");
    world.cloud.expire_token(&token);
    let expired = host
        .authenticate(SecretString::from(token), "demo")
        .await
        .err();
    assert!(
        matches!(expired, Some(OrchestratorError::Unauthorized(_))),
        "{expired:?}"
    );
    let foreign = host
        .authenticate(SecretString::from(world.cloud.issue_token("other")), "demo")
        .await
        .err();
    assert!(
        matches!(foreign, Some(OrchestratorError::Forbidden(_))),
        "{foreign:?}"
    );
}

#[tokio::test]
async fn while_heat_is_down_clients_are_shown_what_was_known_and_that_it_may_be_old() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    world.cloud.finish();
    host.view(&caller, "default").await.unwrap();
    world.cloud.fault(InjectedFault::of(
        "heat",
        u32::MAX,
        FaultKind::Status(500, None),
    ));
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.endpoints.len()),
        (ClusterState::Active, 1)
    );
    assert!(view.cloud_error.unwrap().contains("heat"));
    world.cloud.heal();
    assert_eq!(
        host.view(&caller, "default").await.unwrap().cloud_error,
        None
    );
}

#[tokio::test]
async fn a_reader_waits_for_a_slow_heat_only_so_long() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    let host = world
        .host_with(OrchestratorLimits {
            patience: Duration::from_millis(1),
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    world.cloud.fault(InjectedFault::of(
        "heat",
        u32::MAX,
        FaultKind::Slow(Duration::from_secs(3_600)),
    ));
    assert_eq!(
        host.view(&caller, "default").await.unwrap().state,
        ClusterState::Deploying,
        "answered although heat never does"
    );
}

#[tokio::test]
async fn a_stack_that_somebody_else_deleted_is_told_of() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    world.cloud.finish();
    world.cloud.vanish(&world.cloud.stacks()[0].0);
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Deleted);
    assert!(view.failure.unwrap().contains("not by stampede"));
    host.delete(&caller, "default").await.unwrap();
    eventually("the record is gone", async || {
        host.list_deleting(&caller)
            .await
            .unwrap()
            .is_empty()
            .then_some(())
    })
    .await;
    host.request(&caller, "default", vec![]).await.unwrap();
    assert_eq!(
        host.deploy(&caller, "default", vec![]).await.unwrap().state,
        ClusterState::Deploying
    );
}

#[tokio::test]
async fn a_failure_is_told_with_node_stage_and_reason() {
    let node = |node: &str| node.to_owned();
    let text = "hadoop setup line 42: curl -f http://mirror/hadoop.tar.gz: (22) The requested URL returned error: 404".to_owned();
    let cases = [
        (CreateFails::Node { node: node("worker-1"), text: text.clone() }, format!("worker-1: {text}")),
        (
            CreateFails::Server { node: node("worker-2"), reason: "No valid host was found.".to_owned() },
            "worker-2: the server: Went to status ERROR due to \"Message: No valid host was found., Code: 500\"".to_owned(),
        ),
        (CreateFails::Silence, "only 0 of 3 nodes were ready within 3600 s; master never said a word".to_owned()),
    ];
    for (how, wanted) in cases {
        let world = LifecycleFixture::new().await;
        world.cloud.next_create_fails(how);
        let (host, caller, _) = world.deployed().await;
        world.cloud.finish();
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(view.stack_status.as_deref(), Some("CREATE_FAILED"));
        assert!(
            view.failure
                .as_ref()
                .is_some_and(|told| told.starts_with(&wanted)),
            "{:?}",
            view.failure
        );
        assert_eq!(view.state.reason(), view.failure.as_deref());
        assert!(
            view.stack_status_reason
                .starts_with("Resource CREATE failed: "),
            "heat's own words are kept"
        );
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_in_the_middle_is_done_all_the_same() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    // Polled once and dropped: the client went away.
    assert!(
        tokio::time::timeout(Duration::ZERO, host.deploy(&caller, "default", vec![]))
            .await
            .is_err()
    );
    eventually("the stack is there", async || {
        host.view(&caller, "default").await.unwrap().stack_id
    })
    .await;
    assert!(
        tokio::time::timeout(Duration::ZERO, host.delete(&caller, "default"))
            .await
            .is_err()
    );
    eventually("nothing is left", async || {
        world.cloud.finish();
        world
            .cloud
            .stacks()
            .iter()
            .all(|(_, status)| status == "DELETE_COMPLETE")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_create_that_heat_fails_at_for_ever_is_given_up_though_each_is_waited_for() {
    let world = LifecycleFixture::new().await;
    let few = OrchestratorLimits {
        create_grace: Duration::from_secs(1),
        creates: 3,
        ..limits()
    };
    let host = world.host_with(few).await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    world
        .cloud
        .fault(create(FaultKind::Status(500, None), u32::MAX));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    let view = eventually("it is given up", async || {
        let view = host.view(&caller, "default").await.unwrap();
        view.state.reason().is_some().then_some(view)
    })
    .await;
    let why = view.state.reason().unwrap();
    assert!(
        why.contains("3 times") && why.contains("500") && why.contains("delete the cluster"),
        "{why}"
    );
    assert_eq!(world.creates(), 3);
    host.delete(&caller, "default").await.unwrap();
    eventually("nothing is left", async || {
        world.records().await.is_empty().then_some(())
    })
    .await;
}
