//! Creates, deploys, provisions and deletes clusters where nothing fails, by one client and by
//! many.

use std::time::Duration;

use futures_util::future::join_all;
use stampede::{
    cluster::ClusterState,
    orchestrator::{
        Caller, ClusterGroup, CreateOutcome, LifecyclePhase, Orchestrator, OrchestratorError,
        OrchestratorLimits,
    },
};

use crate::fixture::{LifecycleFixture, eventually, limits, pairs, problems};

#[tokio::test]
async fn a_cluster_is_asked_for_deployed_watched_provisioned_and_deleted() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let given = pairs(&[
        ("stampede.workers", "3"),
        ("my.param", "kept, \"as it is\""),
    ]);
    let CreateOutcome::New(view) = host.request(&caller, "default", given).await.unwrap() else {
        panic!("it was not there before")
    };
    assert_eq!(
        (view.phase, view.state, view.stack_status),
        (LifecyclePhase::Initialised, ClusterState::Requested, None)
    );
    let again = host
        .request(&caller, "default", pairs(&[("other", "dropped")]))
        .await
        .unwrap();
    assert!(matches!(again, CreateOutcome::Existing(view) if view.attributes.len() == 2));
    let early = host.provision(&caller, "default", vec![]).await;
    assert!(
        matches!(early, Err(OrchestratorError::NotApplicable(_))),
        "{early:?}"
    );

    let view = host
        .deploy(&caller, "default", pairs(&[("stampede.workers", "2")]))
        .await
        .unwrap();
    assert_eq!(
        (view.phase, view.state, view.stack_status.as_deref()),
        (
            LifecyclePhase::Deployed,
            ClusterState::Deploying,
            Some("CREATE_IN_PROGRESS")
        )
    );
    let (region, stack) = view.stack_id.clone().unwrap();
    assert_eq!(
        (region.as_str(), stack.is_empty(), world.creates()),
        ("RegionOne", false, 1)
    );
    assert!(matches!(
        host.deploy(&caller, "default", vec![]).await,
        Err(OrchestratorError::NotApplicable(_))
    ));

    watch_until_active(&world, &host, &caller).await;

    assert_eq!(
        host.provision(&caller, "default", vec![])
            .await
            .unwrap()
            .phase,
        LifecyclePhase::Provisioned
    );
    assert!(matches!(
        host.provision(&caller, "default", vec![]).await,
        Err(OrchestratorError::NotApplicable(_))
    ));
    assert_eq!(host.list(&caller).await.unwrap().len(), 1);

    delete_until_nothing_is_left(&world, &host, &caller).await;
}

async fn watch_until_active(world: &LifecycleFixture, host: &Orchestrator, caller: &Caller) {
    let name = world.cloud.stacks()[0].0.clone();
    assert!(name.starts_with("stampede-default-"), "{name}");
    world.cloud.step();
    assert!(world.cloud.signal(
        &name,
        "progress_handle",
        "worker-1",
        "SUCCESS",
        "worker-1 hadoop setup done 34 s"
    ));
    let view = host.view(caller, "default").await.unwrap();
    let said = view
        .progress
        .iter()
        .find(|report| report.text == "hadoop setup done, 34 s")
        .map(|report| report.node.as_str());
    assert_eq!(said, Some("worker-1"), "{:?}", view.progress);

    world.cloud.finish();
    let view = host.view(caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.stack_status.as_deref()),
        (ClusterState::Active, Some("CREATE_COMPLETE"))
    );
    assert_eq!(view.endpoints["namenode_ui"], "http://192.0.2.7:9870/");
    assert_eq!(view.outputs["namenode_ui"], "http://192.0.2.7:9870/");
    assert_eq!(view.attributes["my.param"], "kept, \"as it is\"");
    assert_eq!(view.attributes["stampede.workers"], "2");
}

async fn delete_until_nothing_is_left(
    world: &LifecycleFixture,
    host: &Orchestrator,
    caller: &Caller,
) {
    host.delete(caller, "default").await.unwrap();
    assert_eq!(world.deletes(), 1, "heat was asked before the answer");
    assert_eq!(
        host.view(caller, "default").await,
        Err(OrchestratorError::NotFound("default".into()))
    );
    assert_eq!(
        host.delete(caller, "default").await,
        Err(OrchestratorError::NotFound("default".into()))
    );
    assert_eq!(
        host.list_deleting(caller).await.unwrap()[0].state,
        ClusterState::Deleting
    );
    world.cloud.finish();
    eventually("nothing is left", async || {
        host.list_deleting(caller)
            .await
            .unwrap()
            .is_empty()
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_update_keeps_what_it_is_given_and_names_what_cannot_change_in_a_running_cluster() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let view = host
        .update(
            &caller,
            "default",
            pairs(&[("stampede.workers", "3"), ("a", "1")]),
        )
        .await
        .unwrap();
    assert_eq!(
        (
            view.attributes["stampede.workers"].as_str(),
            view.attributes["a"].as_str()
        ),
        ("3", "1")
    );
    assert_eq!(
        world.cloud.count("heat"),
        1,
        "only the look for forgotten clusters"
    );
    host.deploy(&caller, "default", vec![]).await.unwrap();

    world.cloud.finish();
    let change = pairs(&[
        ("stampede.image", "other"),
        ("stampede.key", "mine"),
        ("a", "2"),
    ]);
    let refused = problems(&host.update(&caller, "default", change).await.unwrap_err());
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert!(
        refused[0].starts_with("image: cannot be changed in a running cluster"),
        "{refused:?}"
    );
    assert!(
        refused[1].starts_with("key: cannot be changed in a running cluster"),
        "{refused:?}"
    );
    assert_eq!(
        host.view(&caller, "default").await.unwrap().attributes["a"],
        "1",
        "a refused update changes nothing"
    );

    let view = host
        .update(
            &caller,
            "default",
            pairs(&[("stampede.workers", "3"), ("a", "2")]),
        )
        .await
        .unwrap();
    assert_eq!(view.attributes["a"], "2");
    let unknown = host
        .update(&caller, "default", pairs(&[("stampede.wokers", "3")]))
        .await
        .unwrap_err();
    assert!(problems(&unknown)[0].contains("workers"), "{unknown}");
}

#[tokio::test]
async fn two_projects_see_nothing_of_each_other() {
    let world = LifecycleFixture::new().await;
    let (host, demo, _) = world.deployed().await;
    let other = world.caller(&host, "other").await;
    let not_found = OrchestratorError::NotFound("default".into());
    assert_eq!(host.view(&other, "default").await.unwrap_err(), not_found);
    assert_eq!(
        host.deploy(&other, "default", vec![]).await.unwrap_err(),
        not_found
    );
    assert_eq!(
        host.update(&other, "default", pairs(&[("a", "1")]))
            .await
            .unwrap_err(),
        not_found
    );
    assert_eq!(
        host.provision(&other, "default", vec![]).await.unwrap_err(),
        not_found
    );
    assert_eq!(host.delete(&other, "default").await.unwrap_err(), not_found);
    assert!(
        host.list(&other).await.unwrap().is_empty()
            && host.list_deleting(&other).await.unwrap().is_empty()
    );
    assert!(matches!(
        host.request(&other, "default", vec![]).await,
        Ok(CreateOutcome::New(_))
    ));
    let view = host.deploy(&other, "default", vec![]).await.unwrap();
    assert_ne!(
        view.stack_id,
        host.view(&demo, "default").await.unwrap().stack_id
    );
    host.delete(&other, "default").await.unwrap();
    world.cloud.finish();
    assert_eq!(
        host.view(&demo, "default").await.unwrap().state,
        ClusterState::Active
    );
}

#[tokio::test]
async fn of_two_deploys_at_once_one_makes_the_stack() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let outcomes = join_all((0..8).map(|_| host.deploy(&caller, "default", vec![]))).await;
    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Err(OrchestratorError::NotApplicable(_))))
        .count();
    assert_eq!(
        (
            outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
            refused
        ),
        (1, 7),
        "{outcomes:?}"
    );
    assert_eq!((world.creates(), world.cloud.stacks().len()), (1, 1));
}

#[tokio::test]
async fn of_many_requests_for_one_name_at_once_one_makes_the_entity() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let outcomes = join_all((0..16).map(|_| host.request(&caller, "default", vec![]))).await;
    let new = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(CreateOutcome::New(_))))
        .count();
    let existing = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(CreateOutcome::Existing(_))))
        .count();
    assert_eq!((new, existing), (1, 15), "{outcomes:?}");
}

#[tokio::test]
async fn two_hundred_pollers_cost_one_observation() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    let slow = OrchestratorLimits {
        observe_every: Duration::from_secs(3_600),
        ..limits()
    };
    let host = world.host_with(slow).await;
    let caller = world.caller(&host, "demo").await;
    let before = world.cloud.count("heat");
    let views = join_all((0..200).map(|_| host.view(&caller, "default"))).await;
    assert!(views.iter().all(|view| {
        view.as_ref()
            .is_ok_and(|view| view.state == ClusterState::Deploying)
    }));
    assert_eq!(
        world.cloud.count("heat") - before,
        2,
        "the stack and its events, once"
    );
    world.cloud.finish();
    assert_eq!(
        host.view(&caller, "default").await.unwrap().state,
        ClusterState::Deploying,
        "not before the observation is old"
    );
    assert_eq!(world.cloud.count("heat") - before, 2);
}

#[tokio::test]
async fn a_project_has_so_many_clusters_and_no_more() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            clusters_per_project: 2,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    for name in ["one", "two"] {
        host.request(&caller, name, vec![]).await.unwrap();
    }
    let third = host.request(&caller, "three", vec![]).await;
    assert!(
        matches!(&third, Err(OrchestratorError::TooMany(words)) if words.contains("has 2 clusters")),
        "{third:?}"
    );
    let other = world.caller(&host, "other").await;
    assert!(
        host.request(&other, "three", vec![]).await.is_ok(),
        "the other project has its own"
    );
    host.delete(&caller, "one").await.unwrap();
    assert!(host.request(&caller, "three", vec![]).await.is_ok());
}

#[tokio::test]
async fn two_hosts_that_are_asked_at_once_make_no_more_than_a_project_may_have() {
    let world = LifecycleFixture::new().await;
    let few = OrchestratorLimits {
        clusters_per_project: 3,
        groups_per_project: 3,
        ..limits()
    };
    let hosts = [
        world.host_with(few.clone()).await,
        world.host_with(few).await,
    ];
    let callers = [
        world.caller(&hosts[0], "demo").await,
        world.caller(&hosts[1], "demo").await,
    ];
    let names: Vec<String> = (0..12).map(|n| format!("demo-{n}")).collect();
    let asked = (0..12).map(|n| hosts[n % 2].request(&callers[n % 2], &names[n], vec![]));
    let asked = join_all(asked).await;
    let defined = (0..12).map(|n| {
        let group = ClusterGroup {
            name: names[n].clone(),
            place: format!("/{n}/"),
            ..ClusterGroup::default()
        };
        hosts[n % 2].define_group(&callers[n % 2], group)
    });
    let defined = join_all(defined).await;
    let is_full = |error: Option<&OrchestratorError>| {
        matches!(error, None | Some(OrchestratorError::TooMany(_)))
    };
    assert!(asked.iter().all(|one| is_full(one.as_ref().err())));
    assert!(defined.iter().all(|one| is_full(one.as_ref().err())));
    assert_eq!(asked.iter().filter(|one| one.is_ok()).count(), 3);
    assert_eq!(defined.iter().filter(|one| one.is_ok()).count(), 3);
    assert_eq!(world.records().await.len(), 3);
}
