//! What others have and do costs a host no memory, tasks or threads without bound: clusters at rest
//! stand in the store alone, and background work goes from cluster to cluster where there is much.

use std::time::Duration;

use futures_util::{FutureExt as _, future::join_all};
use stampede::{
    cluster::ClusterState,
    orchestrator::{Caller, Orchestrator, OrchestratorLimits},
    system::heavy_work::{self, run_heavy},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::fixture::{LifecycleFixture, eventually, limits, pairs};

const CLUSTERS: usize = 5;

fn names() -> impl Iterator<Item = String> {
    (1..=CLUSTERS).map(|number| format!("c{number}"))
}

/// Limits with which clusters at rest leave at once.
fn brief() -> OrchestratorLimits {
    OrchestratorLimits {
        rest: Duration::from_millis(50),
        sweep_every: Duration::from_millis(5),
        ..limits()
    }
}

async fn deploy_all(host: &Orchestrator, caller: &Caller) {
    for name in names() {
        host.request(caller, &name, vec![]).await.unwrap();
        host.deploy(caller, &name, vec![]).await.unwrap();
    }
}

async fn are_gone_from_memory(host: &Orchestrator) {
    eventually("nothing is in memory", async || {
        (host.clusters_in_memory() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_at_rest_leaves_memory_and_comes_back_as_it_was() {
    let world = LifecycleFixture::new().await;
    let host = world.host_with(brief()).await;
    let caller = world.caller(&host, "demo").await;
    deploy_all(&host, &caller).await;
    world.cloud.finish();
    let before = host.view(&caller, "c1").await.unwrap();
    assert_eq!(before.state, ClusterState::Active);
    are_gone_from_memory(&host).await;
    // All that ask at once get one cluster, and one answer of Heat's.
    let path = format!("/stacks/{}", stack_of(&world, "c1"));
    let looks = || world.cloud.count_of("heat", "GET", &path);
    let asked = looks();
    let views = join_all((0..20).map(|_| host.view(&caller, "c1"))).await;
    assert!(views.iter().all(|view| view.as_ref() == Ok(&before)));
    assert!(host.clusters_in_memory() <= 1);
    let asked = looks() - asked;
    assert!((1..20).contains(&asked), "{asked} looks");
    // What happened meanwhile is seen, and what is asked for is done.
    are_gone_from_memory(&host).await;
    world.cloud.delete_outside(&stack_of(&world, "c2"), false);
    let gone = host.view(&caller, "c2").await.unwrap();
    assert_eq!(gone.state, ClusterState::Deleting);
    host.delete(&caller, "c1").await.unwrap();
    eventually("it is deleted", async || {
        world.cloud.step();
        let left = world.records().await;
        (!left.iter().any(|record| record.name == "c1")).then_some(())
    })
    .await;
    are_gone_from_memory(&host).await;
}

fn stack_of(world: &LifecycleFixture, cluster: &str) -> String {
    let mut all = world.cloud.stacks().into_iter();
    let found = all.find(|(name, _)| name.contains(&format!("{cluster}-")));
    found.unwrap().0
}

#[tokio::test]
async fn a_start_brings_nothing_into_memory_and_a_list_what_it_looks_at() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    deploy_all(&host, &caller).await;
    world.cloud.finish();
    for name in names() {
        host.view(&caller, &name).await.unwrap();
    }
    assert_eq!(
        host.clusters_in_memory(),
        CLUSTERS,
        "asked for a moment ago"
    );
    // One that has something left to do.
    host.delete(&caller, "c5").await.unwrap();
    let seldom = OrchestratorLimits {
        list_looks: 1,
        ..limits()
    };
    let after = world.host_with(seldom).await;
    assert_eq!(after.clusters_in_memory(), 0, "the start reads none");
    let caller = world.caller(&after, "demo").await;
    let listed = after.list(&caller).await.unwrap();
    assert_eq!(listed.len(), CLUSTERS - 1);
    assert!(listed.iter().all(|one| one.state == ClusterState::Active));
    assert_eq!(
        after.clusters_in_memory(),
        1,
        "the one under deletion, which comes first"
    );
}

#[tokio::test]
async fn sessions_leave_with_their_token() {
    let world = LifecycleFixture::new().await;
    let host = world.host_with(brief()).await;
    let lasting = world.caller(&host, "other").await;
    world.cloud.set_token_life(Duration::from_secs(3));
    let caller = world.caller(&host, "demo").await;
    assert!(host.knows_session(&caller));
    eventually("its time is up", async || {
        (!host.knows_session(&caller)).then_some(())
    })
    .await;
    assert!(host.knows_session(&lasting));
}

#[tokio::test]
async fn one_task_takes_care_of_all_in_turn_and_what_never_ends_keeps_none_from_it() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            workers: 1,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    deploy_all(&host, &caller).await;
    // Heat never says of the first that it is deleted.
    for name in names() {
        host.delete(&caller, &name).await.unwrap();
    }
    let looks = |name: &str| {
        let path = format!("/stacks/{}", stack_of(&world, name));
        world.cloud.count_of("heat", "GET", &path)
    };
    let before: Vec<usize> = names().map(|name| looks(&name)).collect();
    eventually("each is looked at again and again", async || {
        let mut each = names().zip(&before);
        each.all(|(name, before)| looks(&name) >= before + 3)
            .then_some(())
    })
    .await;
    world.cloud.finish();
    eventually("all are gone", async || {
        world.records().await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_region_that_hangs_leaves_the_others_their_turns() {
    let world = LifecycleFixture::new().await;
    world.cloud.edit(|cloud| cloud.regions.push("Alpha"));
    let there = world.host_in("Alpha").await;
    let projects: Vec<String> = (1..=4).map(|number| format!("many-{number}")).collect();
    for project in &projects {
        let caller = world.caller(&there, project).await;
        there.request(&caller, "away", vec![]).await.unwrap();
        there.deploy(&caller, "away", vec![]).await.unwrap();
        there.delete(&caller, "away").await.unwrap();
    }
    drop(there);
    world.ended().await;
    let never = FaultKind::Slow(Duration::from_secs(600));
    world
        .cloud
        .fault(InjectedFault::of("heat", u32::MAX, never).only("GET", "away-"));
    let asked = || world.cloud.count_of("heat", "GET", "away-");
    let before = asked();
    let host = world
        .host_of_region(
            "RegionOne",
            OrchestratorLimits {
                actions: 3,
                region_actions: 2,
                ..limits()
            },
        )
        .await;
    for project in &projects {
        world.caller(&host, project).await;
    }
    eventually("its share of the turns hangs", async || {
        (asked() == before + 2).then_some(())
    })
    .await;
    let caller = world.caller(&host, "other").await;
    host.request(&caller, "here", vec![]).await.unwrap();
    host.deploy(&caller, "here", vec![]).await.unwrap();
    host.delete(&caller, "here").await.unwrap();
    eventually("it is deleted beside a region that hangs", async || {
        world.cloud.step();
        host.list_deleting(&caller)
            .await
            .unwrap()
            .is_empty()
            .then_some(())
    })
    .await;
    assert_eq!(asked(), before + 2, "no more of them was begun");
}

#[tokio::test]
async fn as_many_observations_wait_as_may_and_one_more_cluster_shows_what_was_known() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            queued_looks: 1,
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    deploy_all(&host, &caller).await;
    let slow = FaultKind::Slow(Duration::from_secs(600));
    let path = format!("/stacks/{}", stack_of(&world, "c1"));
    world
        .cloud
        .fault(InjectedFault::of("heat", u32::MAX, slow).only("GET", path));
    let slow = host.view(&caller, "c1");
    tokio::pin!(slow);
    eventually("heat is asked about the first", async || {
        let none = slow.as_mut().now_or_never();
        assert!(none.is_none(), "{none:?}");
        let asked = world.cloud.requests();
        let last = asked.iter().rfind(|asked| asked.service == "heat");
        last.is_some_and(|asked| asked.method == "GET")
            .then_some(())
    })
    .await;
    let other = host.view(&caller, "c2").await.unwrap();
    let told = other.cloud_error.unwrap();
    assert!(told.contains("so many clusters"), "{told}");
    world.cloud.heal();
}

#[tokio::test]
async fn what_packs_hundreds_of_nodes_waits_for_a_thread_of_its_own_and_all_else_goes_on() {
    let world = LifecycleFixture::new().await;
    world.give_room();
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    for (name, workers) in [("many", "250"), ("few", "3")] {
        let workers = pairs(&[("stampede.workers", workers)]);
        host.request(&caller, name, workers).await.unwrap();
        host.deploy(&caller, name, vec![]).await.unwrap();
    }
    world.cloud.finish();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let ended = std::sync::Arc::new(std::sync::Mutex::new(ended));
    let busy: Vec<_> = (0..heavy_work::AT_ONCE)
        .map(|_| {
            let ended = std::sync::Arc::clone(&ended);
            tokio::spawn(run_heavy(move || {
                drop(ended.lock().map(|ended| ended.recv()));
            }))
        })
        .collect();
    tokio::task::yield_now().await;
    let settings = || pairs(&[("stampede.hadoop.replication", "1")]);
    let many = host.update(&caller, "many", settings());
    tokio::pin!(many);
    assert!(many.as_mut().now_or_never().is_none());
    let few = host.update(&caller, "few", settings()).await.unwrap();
    assert_eq!(few.state, ClusterState::Updating, "small ones go on");
    let sent = |world: &LifecycleFixture| {
        let path = format!("/stacks/{}", stack_of(world, "many"));
        world.cloud.count_of("heat", "PUT", &path) + world.cloud.count_of("heat", "PATCH", &path)
    };
    for _ in 0..20 {
        host.view(&caller, "few").await.unwrap();
    }
    assert!(many.as_mut().now_or_never().is_none());
    assert_eq!(sent(&world), 0, "it waits for a thread");
    drop(end);
    assert_eq!(many.await.unwrap().state, ClusterState::Updating);
    join_all(busy).await;
}
