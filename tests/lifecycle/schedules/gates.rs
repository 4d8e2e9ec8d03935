//! Where the hosts of a schedule stop: before and after every call to the store and to the cloud,
//! and in every pause. Whoever holds the gates lets one go at a time, so that what the hosts do
//! between two gates is one piece, in the order that was chosen.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use reqwest::ResponseBuilderExt as _;
use stampede::{
    openstack::RequestCarrier,
    store::{GatePoint, StoreGate},
    system::clock::ClockDriver,
};
use stampede_tests::fake_openstack::{DirectAnswer, DirectRequest};

use super::cloud_log::LoggedCloud;

/// The second at which every schedule begins.
const START_S: u64 = 1_800_000_000;

/// All gates of one schedule, and its time.
#[derive(Debug)]
pub(super) struct GateKeeper {
    state: Mutex<KeeperState>,
    began: Instant,
}

#[derive(Debug, Default)]
struct KeeperState {
    waiting: BTreeMap<u64, WaitingGate>,
    next: u64,
    now: Duration,
    in_store: [usize; 2],
    /// Nobody waits: a host starts, alone.
    is_open: bool,
}

/// A host that waits.
#[derive(Clone, Debug)]
pub(super) struct WaitingGate {
    pub(super) host: usize,
    pub(super) place: GatePlace,
    pub(super) since: Duration,
    is_released: bool,
    failure: Option<CloudFailure>,
    waker: Option<Waker>,
}

/// How the cloud fails at one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum CloudFailure {
    /// It is away: 503, and it does nothing.
    Away,
    /// Something before it gives up, and it does nothing.
    TimedOut,
    /// It acts, and something before it gives up.
    AnswerLost,
}

impl CloudFailure {
    pub(super) const ALL: [Self; 3] = [Self::Away, Self::TimedOut, Self::AnswerLost];

    fn answer(self) -> DirectAnswer {
        let status = match self {
            Self::Away => 503,
            Self::TimedOut | Self::AnswerLost => 504,
        };
        DirectAnswer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }
}

/// Where it waits.
#[derive(Clone, Debug)]
pub(super) enum GatePlace {
    Store(GatePoint),
    /// The cloud was not reached yet.
    Request(DirectRequest),
    /// The cloud has answered.
    Answer,
    /// Until then.
    Pause(Duration),
}

impl GateKeeper {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            began: stampede::system::clock::monotonic_now(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, KeeperState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody through while a host starts.
    pub(super) fn set_open(&self, is_open: bool) {
        self.lock().is_open = is_open;
    }

    pub(super) fn now(&self) -> Duration {
        self.lock().now
    }

    /// All that wait, by number.
    pub(super) fn waiting(&self) -> Vec<(u64, WaitingGate)> {
        let state = self.lock();
        let all = state.waiting.iter().filter(|(_, gate)| !gate.is_released);
        all.map(|(id, gate)| (*id, gate.clone())).collect()
    }

    /// Lets one go on; whose it is. Where it is a request, the cloud may fail at it.
    pub(super) fn release(&self, id: u64, failure: Option<CloudFailure>) -> usize {
        let mut state = self.lock();
        let now = state.now;
        let gate = state.waiting.get_mut(&id).unwrap();
        gate.is_released = true;
        gate.failure = failure;
        let (host, waker) = (gate.host, gate.waker.take());
        if let GatePlace::Pause(until) = gate.place {
            state.now = now.max(until);
        }
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        host
    }

    /// Whether a call of the host's is in the store.
    pub(super) fn is_in_store(&self, host: usize) -> bool {
        self.lock().in_store[host] > 0
    }

    fn pass(self: &Arc<Self>, host: usize, place: GatePlace) -> GatePass {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        let (since, is_released) = (state.now, state.is_open);
        state.waiting.insert(
            id,
            WaitingGate {
                host,
                place,
                since,
                is_released,
                failure: None,
                waker: None,
            },
        );
        drop(state);
        GatePass {
            keeper: Arc::clone(self),
            id,
        }
    }
}

/// Ends when its gate is let go, with how the cloud fails there.
struct GatePass {
    keeper: Arc<GateKeeper>,
    id: u64,
}

impl Future for GatePass {
    type Output = Option<CloudFailure>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.keeper.lock();
        let gate = state.waiting.get_mut(&self.id).unwrap();
        if gate.is_released {
            return Poll::Ready(gate.failure);
        }
        gate.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for GatePass {
    fn drop(&mut self) {
        self.keeper.lock().waiting.remove(&self.id);
    }
}

/// The gates of one host.
#[derive(Debug)]
pub(super) struct HostGates {
    pub(super) keeper: Arc<GateKeeper>,
    pub(super) host: usize,
    pub(super) cloud: Arc<LoggedCloud>,
}

impl StoreGate for HostGates {
    fn pass(&self, point: GatePoint) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if point == GatePoint::After {
                self.keeper.lock().in_store[self.host] -= 1;
            }
            self.keeper.pass(self.host, GatePlace::Store(point)).await;
            if point == GatePoint::Before {
                self.keeper.lock().in_store[self.host] += 1;
            }
        })
    }
}

impl RequestCarrier for HostGates {
    fn carry(
        &self,
        request: reqwest::Request,
    ) -> Pin<Box<dyn Future<Output = reqwest::Response> + Send + '_>> {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let url = request.url();
        let target = url.query().map_or_else(
            || url.path().to_owned(),
            |query| format!("{}?{query}", url.path()),
        );
        let body = request.body().and_then(reqwest::Body::as_bytes);
        let direct = DirectRequest {
            method: request.method().to_string(),
            target,
            token: header("x-auth-token"),
            subject: header("x-subject-token"),
            body: Bytes::copy_from_slice(body.unwrap_or_default()),
        };
        let url = url.clone();
        Box::pin(async move {
            let place = GatePlace::Request(direct.clone());
            let failure = self.keeper.pass(self.host, place).await;
            let answer = match failure {
                None => self.cloud.answer(self.host, &direct),
                Some(failure) => {
                    if matches!(failure, CloudFailure::AnswerLost) {
                        self.cloud.answer(self.host, &direct);
                    }
                    failure.answer()
                }
            };
            self.keeper.pass(self.host, GatePlace::Answer).await;
            let mut response = hyper::Response::builder().status(answer.status).url(url);
            for (name, value) in &answer.headers {
                response = response.header(*name, value);
            }
            let response = response.body(Bytes::from(answer.body));
            reqwest::Response::from(response.unwrap())
        })
    }
}

impl ClockDriver for HostGates {
    fn monotonic_now(&self) -> Instant {
        self.keeper.began + self.keeper.now()
    }

    fn unix_now_s(&self) -> u64 {
        START_S + self.keeper.now().as_secs()
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let until = self.keeper.now() + pause;
        let pass = self.keeper.pass(self.host, GatePlace::Pause(until));
        Box::pin(async move {
            pass.await;
        })
    }
}
