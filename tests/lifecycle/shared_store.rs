//! What does not harm a cluster: another process on the same data directory, a busy store, a defect
//! of this host, a clock that is set, and a line that somebody forged.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::Executor as _;
use stampede::{
    cluster::ClusterState,
    orchestrator::{CreateOutcome, Orchestrator, OrchestratorError, OrchestratorLimits},
    store::{GatePoint, StoreGate},
    system::clock::{self, ClockDriver, HostClock},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault, UpdateFails};
use tokio::sync::{Notify, Semaphore};

use crate::{
    fixture::{LifecycleFixture, eventually, limits, pairs},
    update::{complete, rest, servers},
};

/// Holds one call to the store whose answer is there, once it is armed.
#[derive(Debug)]
struct OneHold {
    is_armed: AtomicBool,
    is_held: Notify,
    release: Semaphore,
}

impl OneHold {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            is_armed: AtomicBool::new(false),
            is_held: Notify::new(),
            release: Semaphore::new(0),
        })
    }
}

impl StoreGate for OneHold {
    fn pass(&self, point: GatePoint) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if point == GatePoint::After && self.is_armed.swap(false, Ordering::AcqRel) {
                self.is_held.notify_one();
                drop(self.release.acquire().await);
            }
        })
    }
}

/// A clock that somebody sets ahead.
#[derive(Debug, Default)]
pub(crate) struct SetClock {
    pub(crate) ahead_s: AtomicU64,
    pauses: AtomicU64,
}

impl ClockDriver for SetClock {
    fn monotonic_now(&self) -> Instant {
        clock::monotonic_now()
    }

    fn unix_now_s(&self) -> u64 {
        clock::unix_now_s() + self.ahead_s.load(Ordering::Relaxed)
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.pauses
            .fetch_add(u64::from(!pause.is_zero()), Ordering::Relaxed);
        Box::pin(tokio::time::sleep(pause))
    }
}

#[tokio::test]
async fn a_list_beside_a_delete_brings_nothing_back() {
    let world = LifecycleFixture::new().await;
    let hold = OneHold::new();
    let store = world.store().await.with_gate(Arc::clone(&hold) as _);
    let host = world
        .host_made_of(store, HostClock::default(), limits())
        .await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    hold.is_armed.store(true, Ordering::Release);
    let listing = tokio::spawn({
        let (host, caller) = (host.clone(), caller.clone());
        async move { host.list(&caller).await.unwrap() }
    });
    // The list has its rows, and goes on after the delete.
    hold.is_held.notified().await;
    host.delete(&caller, "default").await.unwrap();
    hold.release.add_permits(1);
    assert!(listing.await.unwrap().is_empty());
    let seen = host.view(&caller, "default").await;
    assert!(
        matches!(seen, Err(OrchestratorError::NotFound(_))),
        "{seen:?}"
    );
    let again = host.request(&caller, "default", vec![]).await.unwrap();
    assert!(matches!(again, CreateOutcome::New(_)), "{again:?}");
}

#[tokio::test]
async fn what_another_process_has_deleted_or_made_anew_is_not_shown_from_memory() {
    let world = LifecycleFixture::new().await;
    let (one, other) = (world.host().await, world.host().await);
    let (caller, others) = (
        world.caller(&one, "demo").await,
        world.caller(&other, "demo").await,
    );
    one.request(&caller, "default", vec![]).await.unwrap();
    let first = other.view(&others, "default").await.unwrap().id;
    one.delete(&caller, "default").await.unwrap();
    let seen = other.view(&others, "default").await;
    assert!(
        matches!(seen, Err(OrchestratorError::NotFound(_))),
        "{seen:?}"
    );
    one.request(&caller, "default", vec![]).await.unwrap();
    let second = other.view(&others, "default").await.unwrap().id;
    assert_ne!(first, second);
    let made = other.deploy(&others, "default", vec![]).await.unwrap();
    assert_eq!(made.id, second);
    assert_eq!(
        one.view(&caller, "default").await.unwrap().stack_id,
        made.stack_id
    );
}

#[tokio::test]
async fn a_store_that_others_keep_busy_is_no_defect_of_the_host() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "one", vec![]).await.unwrap();
    let mut other = world.database().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let refused = host.request(&caller, "two", vec![]).await;
    assert!(
        matches!(refused, Err(OrchestratorError::Busy { retry_after_s }) if retry_after_s > 0),
        "{refused:?}"
    );
    other.execute("ROLLBACK").await.unwrap();
    host.request(&caller, "two", vec![]).await.unwrap();
}

#[tokio::test]
async fn a_defect_in_the_background_leaves_no_cluster_without_care() {
    let world = LifecycleFixture::new().await;
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, FaultKind::Dropped).only("POST", "/stacks"));
    // The deploy's own plan is the first; the background's next one breaks off.
    world.planner.panic_at(2);
    let (host, caller, view) = world.deployed().await;
    assert_eq!(view.stack_id, None);
    eventually("the stack is made", async || {
        host.view(&caller, "default").await.unwrap().stack_id
    })
    .await;
    assert!(world.planner.made() > 2, "it was planned once more");
    assert_eq!(world.cloud.stacks().len(), 1);
}

async fn until_asked_on(world: &LifecycleFixture) {
    let asked = world.cloud.count("heat");
    eventually("the background has looked again", async || {
        (world.cloud.count("heat") > asked + 12).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_forged_end_of_a_change_ends_nothing() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let forge = |line: &str| {
        assert!(
            world
                .cloud
                .signal(&stack, "progress_handle", "change-host", "SUCCESS", line)
        );
    };
    for generation in ["4294967295", "4294967296", "1000000"] {
        forge(&format!("host change {generation} done"));
        host.view(&caller, "default").await.unwrap();
    }
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    until_asked_on(&world).await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Updating);
    assert!(view.change.is_some());
    rest(&world, &host, &caller).await;
    assert_eq!(servers(&world, &stack).len(), 4);
}

async fn clocked(
    world: &LifecycleFixture,
    limits: OrchestratorLimits,
) -> (Orchestrator, Arc<SetClock>) {
    let set = Arc::new(SetClock::default());
    let clock = HostClock::driven_by(Arc::clone(&set) as _);
    let host = world.host_made_of(world.store().await, clock, limits).await;
    (host, set)
}

#[tokio::test]
async fn a_clock_that_is_set_fails_no_change() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world, limits()).await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    host.view(&caller, "default").await.unwrap();
    // Heat is done, and the nodes have not answered yet.
    world.cloud.next_update_fails(UpdateFails::Silence);
    host.update(
        &caller,
        "default",
        pairs(&[("stampede.hadoop.replication", "1")]),
    )
    .await
    .unwrap();
    world.cloud.finish();
    until_asked_on(&world).await;
    set.ahead_s.store(24 * 3_600, Ordering::Relaxed);
    until_asked_on(&world).await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Updating);
    let records = world.store().await.all().await.unwrap().records;
    let change = records[0].change().unwrap();
    assert_eq!((change.at, &change.rolling_back_because), (0, &None));
}

#[tokio::test]
async fn a_clock_that_is_set_sends_no_second_create() {
    let world = LifecycleFixture::new().await;
    let limits = OrchestratorLimits {
        create_grace: Duration::from_secs(300),
        ..limits()
    };
    let (host, set) = clocked(&world, limits).await;
    let caller = world.caller(&host, "demo").await;
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, FaultKind::Dropped).only("POST", "/stacks"));
    host.request(&caller, "default", vec![]).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    set.ahead_s.store(24 * 3_600, Ordering::Relaxed);
    until_asked_on(&world).await;
    assert_eq!(world.creates(), 1, "the first one may still arrive");
}

#[tokio::test]
async fn what_another_process_has_made_of_a_checked_deploy_is_seen_and_lost_by_nobody() {
    let world = LifecycleFixture::new().await;
    let hold = OneHold::new();
    let store = world.store().await.with_gate(Arc::clone(&hold) as _);
    let one = world
        .host_made_of(store, HostClock::default(), limits())
        .await;
    let caller = world.caller(&one, "demo").await;
    one.request(&caller, "default", vec![]).await.unwrap();
    let slow = FaultKind::Slow(Duration::from_millis(200));
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, slow).only("POST", "/validate"));
    let deploying = tokio::spawn({
        let (one, caller) = (one.clone(), caller.clone());
        async move { one.deploy(&caller, "default", vec![]).await }
    });
    eventually("heat checks it", async || {
        (world.cloud.count_of("heat", "POST", "/validate") > 0).then_some(())
    })
    .await;
    // What is planned is recorded next, and held; the other process makes the stack of it.
    hold.is_armed.store(true, Ordering::Release);
    hold.is_held.notified().await;
    let other = world.host().await;
    let others = world.caller(&other, "demo").await;
    let made = other.deploy(&others, "default", vec![]).await.unwrap();
    assert!(made.stack_id.is_some(), "{made:?}");
    hold.release.add_permits(1);
    let answer = deploying.await.unwrap();
    assert!(
        matches!(answer, Err(OrchestratorError::NotApplicable(_))),
        "deployed already: {answer:?}"
    );
    world.cloud.finish();
    let view = one.view(&caller, "default").await.unwrap();
    assert_eq!(
        (view.state, view.stack_id),
        (ClusterState::Active, made.stack_id)
    );
    assert_eq!(world.cloud.stacks().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_recorded_as_blocked_is_tried_again_after_a_pause_each_time() {
    let world = LifecycleFixture::new().await;
    let few = OrchestratorLimits {
        creates: 1,
        ..limits()
    };
    let (host, clock) = clocked(&world, few).await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let refuses = "CREATE TRIGGER full BEFORE UPDATE ON cluster \
        WHEN NEW.record LIKE '%\"blocked_reason\":\"%' BEGIN SELECT RAISE(ABORT, 'full'); END";
    let mut database = world.database().await;
    database.execute(refuses).await.unwrap();
    let away = FaultKind::Status(503, None);
    world.cloud.fault(InjectedFault::of("heat", u32::MAX, away));
    host.deploy(&caller, "default", vec![]).await.unwrap();
    until_asked_on(&world).await;
    let (asked, pauses) = (
        world.cloud.count("heat"),
        clock.pauses.load(Ordering::Relaxed),
    );
    until_asked_on(&world).await;
    let asked = world.cloud.count("heat") - asked;
    let pauses = clock.pauses.load(Ordering::Relaxed) - pauses;
    // A look is two tries of the client, and one may just have begun.
    assert!(
        pauses as usize >= asked / 2 - 1,
        "{asked} requests, {pauses} pauses"
    );
    // Once it can be recorded, it is.
    database.execute("DROP TRIGGER full").await.unwrap();
    eventually("it is blocked", async || {
        let view = host.view(&caller, "default").await.unwrap();
        view.state.reason().map(drop)
    })
    .await;
}

#[tokio::test]
async fn a_store_that_fails_after_heat_has_acted_leaves_a_stack_that_is_found() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "default", vec![]).await.unwrap();
    let refuses = "CREATE TRIGGER full BEFORE UPDATE ON cluster \
        WHEN NEW.record LIKE '%\"state\":\"running\"%' BEGIN SELECT RAISE(ABORT, 'full'); END";
    let mut database = world.database().await;
    database.execute(refuses).await.unwrap();
    let failed = host.deploy(&caller, "default", vec![]).await;
    assert!(
        matches!(failed, Err(OrchestratorError::Internal(_))),
        "{failed:?}"
    );
    database.execute("DROP TRIGGER full").await.unwrap();
    // Nobody asks for anything any more.
    eventually("the stack is known", async || {
        let records = world.records().await;
        records[0].stack_id().map(drop)
    })
    .await;
    assert_eq!(world.cloud.stacks().len(), 1);
    // The same for an observation: it says that it is not kept, and is made again.
    let refuses =
        "CREATE TRIGGER full BEFORE UPDATE ON cluster BEGIN SELECT RAISE(ABORT, 'full'); END";
    database.execute(refuses).await.unwrap();
    world.cloud.finish();
    let view = host.view(&caller, "default").await.unwrap();
    let why = view.cloud_error.unwrap();
    assert!(why.contains("full"), "{why}");
    assert_ne!(view.state, ClusterState::Active);
    database.execute("DROP TRIGGER full").await.unwrap();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!((view.state, view.cloud_error), (ClusterState::Active, None));
}

#[tokio::test]
async fn a_change_that_heat_refuses_leaves_the_owner_and_what_was_said_of_the_last_one() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Node {
        node: "worker-3".into(),
        text: "hadoop setup line 42: no".into(),
    });
    host.update(&caller, "default", pairs(&[("stampede.workers", "3")]))
        .await
        .unwrap();
    let before = rest(&world, &host, &caller).await;
    assert!(before.change.is_some(), "it was rolled back, and why");
    let owner = world.store().await.all().await.unwrap().records[0]
        .owner
        .clone();
    let other = world.user(&host, "somebody").await;
    world
        .cloud
        .fault(InjectedFault::of("heat", 1, FaultKind::Status(400, None)).only("PUT", "/stacks/"));
    let refused = host
        .update(&other, "default", pairs(&[("stampede.workers", "4")]))
        .await;
    assert!(
        matches!(refused, Err(OrchestratorError::Invalid(_))),
        "{refused:?}"
    );
    let after = host.view(&caller, "default").await.unwrap();
    assert_eq!(after.change, before.change);
    let kept = world.store().await.all().await.unwrap().records[0]
        .owner
        .clone();
    assert_eq!(kept, owner);
}
