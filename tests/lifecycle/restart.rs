//! The host is killed between two steps, and another one goes on.

use std::time::Duration;

use stampede::{
    cluster::ClusterState,
    orchestrator::{CreateOutcome, LifecyclePhase, OrchestratorError},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};
use tokio::runtime::Runtime;

use crate::fixture::{LifecycleFixture, eventually, pairs};

/// Runs a host in a runtime of its own, which is torn down in the middle of `work` as soon as
/// `until` holds: a `kill -9` without the exit.
fn killed(
    world: &LifecycleFixture,
    work: impl AsyncFnOnce(&LifecycleFixture),
    mut until: impl FnMut(&LifecycleFixture) -> bool,
) {
    let host = Runtime::new().unwrap();
    host.block_on(async {
        let watch = eventually("the moment to kill", async || until(world).then_some(()));
        tokio::select! {
            () = work(world) => panic!("the host was not killed in the middle"),
            () = watch => {}
        }
    });
    host.shutdown_timeout(Duration::from_secs(5));
}

#[test]
fn a_host_killed_before_heat_answered_shows_the_same_cluster_and_makes_no_second_stack() {
    let cloud = Runtime::new().unwrap();
    let world = cloud.block_on(LifecycleFixture::new());
    world.cloud.fault(
        InjectedFault::of("heat", 1, FaultKind::Slow(Duration::from_secs(3_600)))
            .only("POST", "/stacks"),
    );
    let first = async |world: &LifecycleFixture| drop(world.deployed().await);
    killed(&world, first, |world| world.cloud.stacks().len() == 1);
    world.cloud.heal();
    cloud.block_on(async {
        let host = world.host().await;
        let caller = world.caller(&host, "demo").await;
        eventually("the stack is found", async || {
            host.view(&caller, "default").await.unwrap().stack_id
        })
        .await;
        world.cloud.finish();
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(
            (view.state, view.phase),
            (ClusterState::Active, LifecyclePhase::Deployed)
        );
        assert_eq!((world.cloud.stacks().len(), world.creates()), (1, 1));
        assert!(
            host.deploy(&caller, "default", vec![]).await.is_ok(),
            "the client was never told, so its second try is answered"
        );
    });
}

#[test]
fn a_host_killed_between_intent_and_create_makes_the_stack_when_it_is_back() {
    let cloud = Runtime::new().unwrap();
    let world = cloud.block_on(LifecycleFixture::new());
    world
        .cloud
        .fault(InjectedFault::of("heat", u32::MAX, FaultKind::Dropped).only("POST", "/stacks"));
    let first = async |world: &LifecycleFixture| {
        world.deployed().await;
        std::future::pending::<()>().await;
    };
    killed(&world, first, |world| world.creates() > 0);
    world.cloud.heal();
    assert!(world.cloud.stacks().is_empty());
    cloud.block_on(async {
        let host = world.host().await;
        let caller = world.caller(&host, "demo").await;
        eventually("the stack is made", async || {
            host.view(&caller, "default").await.unwrap().stack_id
        })
        .await;
        assert_eq!(world.cloud.stacks().len(), 1);
    });
}

#[tokio::test]
async fn a_restart_shows_the_same() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    host.update(&caller, "default", pairs(&[("my.param", "kept")]))
        .await
        .unwrap();
    world.cloud.finish();
    host.provision(&caller, "default", vec![]).await.unwrap();
    let before = host.view(&caller, "default").await.unwrap();
    drop((host, caller));
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    world.cloud.fault(InjectedFault::of(
        "heat",
        u32::MAX,
        FaultKind::Status(503, None),
    ));
    let mut after = host.view(&caller, "default").await.unwrap();
    assert!(after.cloud_error.take().is_some());
    assert_eq!(after, before, "all of it, without asking heat");
}

#[tokio::test]
async fn a_delete_that_a_host_did_not_finish_is_finished_by_the_next() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    world.cloud.fault(
        InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None)).only("DELETE", ""),
    );
    host.delete(&caller, "default").await.unwrap();
    drop((host, caller));
    world.ended().await;
    let host = world.host().await;
    world.caller(&host, "demo").await;
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
async fn an_emptied_store_finds_its_clusters_in_heat() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    world.cloud.finish();
    host.update(&caller, "default", pairs(&[])).await.unwrap();
    let before = host.view(&caller, "default").await.unwrap();
    drop((host, caller));
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    let after = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (&after.id, &after.stack_id, &after.state),
        (&before.id, &before.stack_id, &before.state)
    );
    assert_eq!(
        (&after.endpoints, &after.attributes),
        (&before.endpoints, &before.attributes)
    );
    let other = world.caller(&host, "other").await;
    assert!(host.list(&other).await.unwrap().is_empty());
    host.delete(&caller, "default").await.unwrap();
    world.until_deleted(&host, &caller).await;
    assert_eq!((world.creates(), world.cloud.stacks().len()), (1, 1));
}

#[tokio::test]
async fn an_emptied_store_takes_up_the_deletes_that_heat_has_not_ended() {
    for fails in [0, 1] {
        let world = LifecycleFixture::new().await;
        let (host, caller, view) = world.deployed().await;
        world.cloud.next_deletes_fail(fails);
        host.delete(&caller, "default").await.unwrap();
        drop((host, caller));
        world.ended().await;
        if fails > 0 {
            world.cloud.finish();
        }
        let host = world.host_with_empty_store("tests").await;
        let caller = world.caller(&host, "demo").await;
        assert!(
            host.list(&caller).await.unwrap().is_empty(),
            "what is being deleted is gone for clients"
        );
        let CreateOutcome::New(next) = host.request(&caller, "default", vec![]).await.unwrap()
        else {
            panic!("the name was not free")
        };
        assert_ne!(next.id, view.id);
        eventually("heat is asked as often as it takes", async || {
            (world.deletes() == 1 + fails as usize).then_some(())
        })
        .await;
        world.until_deleted(&host, &caller).await;
        assert_eq!(
            world.cloud.stacks(),
            [(
                world.cloud.stacks()[0].0.clone(),
                "DELETE_COMPLETE".to_owned()
            )]
        );
    }
}

#[tokio::test]
async fn hosts_of_other_names_leave_each_others_clusters_alone() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    let host = world.host_with_empty_store("another").await;
    let caller = world.caller(&host, "demo").await;
    assert!(host.list(&caller).await.unwrap().is_empty());
    assert!(matches!(
        host.request(&caller, "default", vec![]).await,
        Ok(CreateOutcome::New(_))
    ));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    assert_eq!(world.cloud.stacks().len(), 2);
}

#[tokio::test]
async fn while_heat_cannot_be_asked_nobody_is_told_that_a_forgotten_cluster_is_not_there() {
    let world = LifecycleFixture::new().await;
    world.deployed().await;
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    world.cloud.fault(InjectedFault::of(
        "heat",
        u32::MAX,
        FaultKind::Status(503, None),
    ));
    let answer = host.view(&caller, "default").await;
    assert!(
        matches!(
            answer,
            Err(stampede::orchestrator::OrchestratorError::Cloud(_))
        ),
        "{answer:?}"
    );
    world.cloud.heal();
    assert!(host.view(&caller, "default").await.is_ok());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_put_aside_and_the_others_are_served() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    for name in ["broken", "later"] {
        host.request(&caller, name, vec![]).await.unwrap();
    }
    drop((host, caller));
    world.idle().await;
    let mut db = world.database().await;
    for (name, text) in [("broken", "no JSON"), ("later", "{\"version\":9}")] {
        sqlx::query("UPDATE cluster SET record = ? WHERE name = ?")
            .bind(text)
            .bind(name)
            .execute(&mut db)
            .await
            .unwrap();
    }
    sqlx::Connection::close(db).await.unwrap();
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    world.cloud.finish();
    let names: Vec<String> = host
        .list(&caller)
        .await
        .unwrap()
        .into_iter()
        .map(|view| view.name)
        .collect();
    assert_eq!(names, ["default"]);
    assert_eq!(
        host.view(&caller, "default").await.unwrap().state,
        ClusterState::Active
    );
    // Those who name it are told; it is neither replaced nor dropped.
    for name in ["broken", "later"] {
        let refused = host.request(&caller, name, vec![]).await.err().unwrap();
        assert!(refused.to_string().contains("cannot be read"), "{refused}");
        assert!(host.delete(&caller, name).await.is_err());
    }
    let found = world.store().await.all().await.unwrap();
    assert_eq!((found.records.len(), found.unreadable.len()), (1, 2));
}

#[tokio::test]
async fn a_stack_that_heat_cannot_show_keeps_no_other_cluster_from_being_found_again() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    host.request(&caller, "second", vec![]).await.unwrap();
    host.deploy(&caller, "second", vec![]).await.unwrap();
    world.cloud.finish();
    drop((host, caller));
    world.idle().await;
    world.cloud.fault(
        InjectedFault::of("heat", u32::MAX, FaultKind::Status(500, None))
            .only("GET", "/stacks/stampede-default"),
    );
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    assert_eq!(
        host.view(&caller, "second").await.unwrap().state,
        ClusterState::Active
    );
    host.request(&caller, "third", vec![]).await.unwrap();
    // Of the one that is there, nobody can say that it is not.
    let refused = host
        .request(&caller, "default", vec![])
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&refused, OrchestratorError::Cloud(_))
            && refused.to_string().contains("`default`"),
        "{refused}"
    );
    world.cloud.heal();
    let view = eventually("it is found", async || {
        host.view(&caller, "default").await.ok()
    })
    .await;
    assert_eq!(view.state, ClusterState::Active);
}

#[tokio::test]
async fn however_many_ask_at_once_stacks_are_looked_through_once() {
    let world = LifecycleFixture::new().await;
    drop(world.deployed().await);
    let host = world.host_with_empty_store("tests").await;
    let caller = world.caller(&host, "demo").await;
    let lists = || world.cloud.count_of("heat", "GET", "tags=");
    let before = lists();
    let names: Vec<String> = (0..50).map(|number| format!("unknown-{number}")).collect();
    let asks = names.iter().map(|name| host.view(&caller, name));
    let answers = futures_util::future::join_all(asks).await;
    assert!(answers.iter().all(Result::is_err));
    assert_eq!(lists() - before, 1);
}
