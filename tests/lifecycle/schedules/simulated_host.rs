//! One host as a process would be: its own runtime, its own store over the shared data directory,
//! its own memory. It runs only while it is told to, until all that it does waits at a gate.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use stampede::{
    cluster::OperatorDefaults,
    openstack::{CloudClient, CloudConfig},
    orchestrator::{Caller, Orchestrator, OrchestratorConfig, OrchestratorLimits},
    store::RecordStore,
    system::clock::HostClock,
};
use tokio::runtime::Runtime;

use super::{
    cloud_log::LoggedCloud,
    gates::{GateKeeper, HostGates},
    schedule::ScheduleGround,
};
use crate::fixture::limits;

/// A host that runs only in [`Self::settle`].
pub(super) struct SimulatedHost {
    runtime: Runtime,
    idle: Arc<IdleSignal>,
    keeper: Arc<GateKeeper>,
    number: usize,
    pub(super) orchestrator: Orchestrator,
    pub(super) caller: Arc<Mutex<Option<Caller>>>,
}

/// That a runtime has nothing left to do.
#[derive(Default)]
struct IdleSignal {
    is_idle: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// Limits on which nothing waits for real time.
fn schedule_limits() -> OrchestratorLimits {
    OrchestratorLimits {
        follow_every: Duration::from_secs(40),
        backoff: Duration::from_secs(20),
        backoff_max: Duration::from_secs(40),
        create_grace: Duration::from_secs(300),
        lease: Duration::from_secs(180),
        ..limits()
    }
}

impl SimulatedHost {
    /// Starts a host over the data directory as it is.
    pub(super) fn start(
        number: usize,
        ground: &ScheduleGround,
        keeper: &Arc<GateKeeper>,
        cloud: &Arc<LoggedCloud>,
    ) -> Self {
        let idle = Arc::new(IdleSignal::default());
        let (signal, gates) = (Arc::clone(&idle), Arc::clone(keeper));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .on_thread_park(move || {
                // What the store's thread does is waited for.
                if !gates.is_in_store(number) {
                    signal.is_idle.store(true, Ordering::Release);
                    let waker = signal
                        .waker
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .take();
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
            })
            .build()
            .unwrap();
        keeper.set_open(true);
        let gates = Arc::new(HostGates {
            keeper: Arc::clone(keeper),
            host: number,
            cloud: Arc::clone(cloud),
        });
        let mut config = CloudConfig::new(cloud.cloud.url());
        config.limits.attempts = 1;
        config.carrier = Some(Arc::clone(&gates) as _);
        let orchestrator = runtime.block_on(async {
            let store = RecordStore::open(ground.data.path()).await.unwrap();
            let parts = OrchestratorConfig {
                host: "tests".to_owned(),
                client: CloudClient::new(config).unwrap(),
                planner: Arc::clone(&ground.planner) as _,
                store: store.with_gate(Arc::clone(&gates) as _),
                defaults: OperatorDefaults::default(),
                limits: schedule_limits(),
                metrics: Arc::default(),
                clock: HostClock::driven_by(gates),
            };
            Orchestrator::new(parts).await.unwrap()
        });
        keeper.set_open(false);
        Self {
            runtime,
            idle,
            keeper: Arc::clone(keeper),
            number,
            orchestrator,
            caller: Arc::default(),
        }
    }

    /// Begins something on this host.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Runs until all that the host does waits at a gate, or has ended.
    pub(super) fn settle(&self) {
        self.idle.is_idle.store(false, Ordering::Release);
        let until_idle = std::future::poll_fn(|context| {
            let is_idle = self.idle.is_idle.swap(false, Ordering::AcqRel);
            if is_idle && !self.keeper.is_in_store(self.number) {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            *self
                .idle
                .waker
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(waker);
            Poll::Pending
        });
        self.runtime.block_on(until_idle);
    }

    /// Ends at once, as by `kill -9`.
    pub(super) fn kill(self) {
        self.runtime.shutdown_background();
    }
}
