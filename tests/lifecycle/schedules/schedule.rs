//! One schedule: two hosts, a client at each, and at every point one choice among all that can
//! happen next. The seed decides everything.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use stampede::{
    orchestrator::{Caller, CreateOutcome, Orchestrator, OrchestratorError},
    store::{ClusterRecord, RecordStore},
};
use stampede_tests::fake_openstack::DirectRequest;

use super::{
    cloud_log::LoggedCloud,
    gates::{CloudFailure, GateKeeper, GatePlace},
    invariants,
    seeded_choice::SeededChoice,
    simulated_host::SimulatedHost,
};
use crate::{fixture::pairs, made_up_plans::Plans};

/// The cluster that both clients work on.
const NAME: &str = "contended";
/// Longer than this nothing is on its way to the cloud or back.
const LONGEST_CALL: Duration = Duration::from_secs(100);
/// Requests of one schedule at which the cloud fails, at most.
const MOST_FAILURES: usize = 4;
/// One in so many requests that change something is long on its way, as others are not: while it is,
/// another process may have gone through all that follows.
const SLOW_REQUESTS: usize = 3;
/// In one of so many choices it may arrive.
const LATE_CHANCE: usize = 40;
/// Choices after which a schedule has run away.
const MOST_CHOICES: usize = 20_000;

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientRequest {
    SignIn,
    Create,
    Deploy,
    Workers(u64),
    Replication(u64),
    Delete,
    View,
    List,
}

/// What has become of it.
#[derive(Clone, Debug)]
pub(super) struct ClientAnswer {
    pub(super) asked: ClientRequest,
    /// How many choices had been made when it was asked, and answered.
    pub(super) began: usize,
    pub(super) ended: usize,
    /// The id of the cluster that it was about, where it was told.
    pub(super) outcome: Result<Option<String>, OrchestratorError>,
    /// What the list showed.
    pub(super) listed: Vec<String>,
}

/// A client of one host, that asks for one thing after the other.
#[derive(Default)]
struct SimulatedClient {
    left: Vec<ClientRequest>,
    under_way: Option<(ClientRequest, usize)>,
    answer: Arc<Mutex<Option<AnswerParts>>>,
}

type AnswerParts = (Result<Option<String>, OrchestratorError>, Vec<String>);

/// A request of a host that was killed, still on its way.
struct StrayRequest {
    host: usize,
    request: DirectRequest,
    since: Duration,
}

/// Everything of one schedule.
pub(super) struct RunningSchedule<'a> {
    pub(super) ground: &'a ScheduleGround,
    keeper: Arc<GateKeeper>,
    pub(super) cloud: Arc<LoggedCloud>,
    token: String,
    hosts: Vec<SimulatedHost>,
    clients: Vec<SimulatedClient>,
    strays: Vec<StrayRequest>,
    kills: usize,
    /// Failures of the cloud that are left.
    failures: usize,
    /// Of the requests that were seen, whether they are long on their way.
    is_slow: BTreeMap<u64, bool>,
    choice: SeededChoice,
    choices: usize,
    pub(super) answers: Vec<ClientAnswer>,
    /// What hosts were asked that were killed before they had answered: it may have happened.
    pub(super) cut_off: Vec<ClientRequest>,
    /// What was chosen, for whoever reads a failure.
    pub(super) trace: Vec<String>,
}

enum NextEvent {
    Gate(u64, String),
    Fail(u64, CloudFailure, String),
    Begin(usize),
    Cloud,
    Stray(usize),
    Kill(usize),
}

/// Where one schedule runs after the other: a data directory, which each leaves empty, and a look
/// into it that is nobody's.
pub(super) struct ScheduleGround {
    pub(super) data: tempfile::TempDir,
    pub(super) planner: Arc<Plans>,
    runtime: tokio::runtime::Runtime,
    store: RecordStore,
}

impl ScheduleGround {
    pub(super) fn new(data: tempfile::TempDir) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let store = runtime.block_on(RecordStore::open(data.path())).unwrap();
        Self {
            data,
            planner: Arc::new(Plans::new()),
            runtime,
            store,
        }
    }

    /// All records, read at nobody's gate.
    pub(super) fn records(&self) -> Vec<ClusterRecord> {
        self.runtime.block_on(self.store.all()).unwrap().records
    }
}

/// Runs the schedule of this seed.
///
/// # Errors
/// What was lost, doubled or skipped, with what led there.
pub(super) fn run_schedule(seed: u64, ground: &ScheduleGround) -> Result<usize, String> {
    let cloud = Arc::new(LoggedCloud::new());
    let mut schedule = RunningSchedule::new(seed, ground, cloud);
    let outcome = schedule.run();
    outcome.map(|()| schedule.choices).map_err(|why| {
        let from = schedule.trace.len().saturating_sub(400);
        let trace = schedule.trace.get(from..).unwrap_or_default().join("\n  ");
        format!("{why}\n\nwhat led there:\n  {trace}")
    })
}

impl<'a> RunningSchedule<'a> {
    fn new(seed: u64, ground: &'a ScheduleGround, cloud: Arc<LoggedCloud>) -> Self {
        let keeper = GateKeeper::new();
        let hosts = [0, 1].map(|number| SimulatedHost::start(number, ground, &keeper, &cloud));
        Self {
            ground,
            token: cloud.cloud.issue_token("demo"),
            keeper,
            cloud,
            hosts: hosts.into(),
            clients: vec![SimulatedClient::default(), SimulatedClient::default()],
            strays: Vec::new(),
            kills: 0,
            failures: 0,
            is_slow: BTreeMap::new(),
            choice: SeededChoice::new(seed),
            choices: 0,
            answers: Vec::new(),
            cut_off: Vec::new(),
            trace: Vec::new(),
        }
    }

    fn run(&mut self) -> Result<(), String> {
        self.prelude()?;
        self.kills = self.choice.below(3);
        self.failures = self.choice.below(MOST_FAILURES + 1);
        for client in 0..2 {
            let number = 1 + self.choice.below(4);
            let asked = (0..number).map(|_| self.any_request()).collect();
            self.clients[client].left = asked;
        }
        self.drain(false)?;
        // Whoever was killed is asked again, and goes on with what is pending.
        (self.kills, self.failures) = (0, 0);
        for client in 0..2 {
            self.clients[client].left = vec![ClientRequest::View, ClientRequest::SignIn];
        }
        self.drain(false)?;
        invariants::check_rest(self)?;
        for client in 0..2 {
            self.clients[client].left = vec![ClientRequest::List];
        }
        self.drain(true)?;
        invariants::check_lists(self)?;
        let last = self.choice.below(2);
        self.clients[last].left = vec![ClientRequest::Delete];
        self.drain(false)?;
        invariants::check_end(self)
    }

    /// Something that was there before, without haste: nothing, a cluster that is asked for, one
    /// that runs.
    fn prelude(&mut self) -> Result<(), String> {
        let start: &[ClientRequest] = match self.choice.below(4) {
            0 => &[],
            1 => &[ClientRequest::Create],
            _ => &[ClientRequest::Deploy, ClientRequest::Create],
        };
        self.clients[0].left = start.to_vec();
        self.clients[1].left = if self.choice.one_in(2) {
            vec![ClientRequest::SignIn]
        } else {
            Vec::new()
        };
        self.drain(true)
    }

    fn any_request(&mut self) -> ClientRequest {
        match self.choice.below(14) {
            0 | 1 => ClientRequest::Create,
            2..=4 => ClientRequest::Deploy,
            5..=7 => ClientRequest::Workers(1 + self.choice.below(3) as u64),
            8 => ClientRequest::Replication(1 + self.choice.below(3) as u64),
            9 | 10 => ClientRequest::Delete,
            11 => ClientRequest::List,
            _ => ClientRequest::View,
        }
    }

    /// Goes on until nothing is left to happen. In calm, the oldest goes first.
    fn drain(&mut self, is_calm: bool) -> Result<(), String> {
        loop {
            self.collect_answers();
            let mut events = self.events(is_calm);
            if events.is_empty() {
                return Ok(());
            }
            let chosen = if is_calm {
                0
            } else {
                self.choice.below(events.len())
            };
            self.choices += 1;
            if self.choices > MOST_CHOICES {
                return Err(format!(
                    "it goes on for ever\n{}",
                    invariants::describe(self)
                ));
            }
            let event = events.swap_remove(chosen);
            self.take(event);
        }
    }

    /// All that can happen next.
    fn events(&mut self, is_calm: bool) -> Vec<NextEvent> {
        let waiting = self.keeper.waiting();
        let now = self.keeper.now();
        let mut events = Vec::new();
        let mut pauses = Vec::new();
        // Whatever is on its way arrives before that.
        let mut latest = Duration::MAX;
        let mut late = Vec::new();
        for (id, gate) in &waiting {
            let place = match &gate.place {
                GatePlace::Pause(until) => {
                    pauses.push((*until, *id, gate.host));
                    continue;
                }
                GatePlace::Store(point) => format!("store {point:?}"),
                GatePlace::Request(request) => format!("{} {}", request.method, request.target),
                GatePlace::Answer => "answer".to_owned(),
            };
            latest = latest.min(gate.since + LONGEST_CALL);
            let words = format!("host {}: {place}", gate.host);
            let is_heats = |target: &str| target.starts_with("/heat-api/");
            if let GatePlace::Request(request) = &gate.place
                && !is_calm
                && is_heats(&request.target)
            {
                if self.failures > 0 && self.choice.one_in(20) {
                    let failure = CloudFailure::ALL[self.choice.below(CloudFailure::ALL.len())];
                    let words = format!("{words}: {failure:?}");
                    events.push(NextEvent::Fail(*id, failure, words));
                }
                if request.method != "GET" && self.is_slow_request(*id) {
                    late.push(NextEvent::Gate(*id, words));
                    continue;
                }
            }
            events.push(NextEvent::Gate(*id, words));
        }
        for (at, stray) in self.strays.iter().enumerate() {
            latest = latest.min(stray.since + LONGEST_CALL);
            events.push(NextEvent::Stray(at));
        }
        for (number, client) in self.clients.iter().enumerate() {
            if client.under_way.is_none() && !client.left.is_empty() {
                events.push(NextEvent::Begin(number));
            }
        }
        if self.kills > 0 && !is_calm && self.choice.one_in(40) {
            events.push(NextEvent::Kill(self.choice.below(2)));
        }
        if self.has_moving_stack() {
            events.push(NextEvent::Cloud);
        }
        let is_due = events.is_empty() || (!is_calm && self.choice.one_in(4));
        pauses.sort_unstable();
        let due = pauses
            .into_iter()
            .filter(|(until, ..)| is_due && (*until).max(now) <= latest);
        events.extend(due.map(|(until, id, host)| {
            NextEvent::Gate(id, format!("host {host}: {} s", until.as_secs()))
        }));
        if events.is_empty() || (!late.is_empty() && self.choice.one_in(LATE_CHANCE)) {
            events.extend(late);
        }
        events
    }

    fn has_moving_stack(&self) -> bool {
        let stacks = self.cloud.cloud.stacks();
        stacks
            .iter()
            .any(|(_, status)| status.ends_with("_IN_PROGRESS"))
    }

    fn take(&mut self, event: NextEvent) {
        match event {
            NextEvent::Gate(id, words) => self.release(id, None, words),
            NextEvent::Fail(id, failure, words) => {
                self.failures -= 1;
                self.release(id, Some(failure), words);
            }
            NextEvent::Begin(number) => self.begin(number),
            NextEvent::Cloud => {
                self.trace.push("the cloud goes on".to_owned());
                self.cloud.cloud.step();
            }
            NextEvent::Stray(at) => {
                let stray = self.strays.swap_remove(at);
                let words = format!(
                    "{} {} arrives late",
                    stray.request.method, stray.request.target
                );
                self.trace.push(words);
                self.cloud.answer(stray.host, &stray.request);
            }
            NextEvent::Kill(host) => self.kill(host),
        }
    }

    fn release(&mut self, id: u64, failure: Option<CloudFailure>, words: String) {
        self.trace.push(words);
        let host = self.keeper.release(id, failure);
        self.hosts[host].settle();
    }

    /// Whether this request is long on its way, which is chosen when it is first seen.
    fn is_slow_request(&mut self, id: u64) -> bool {
        if let Some(known) = self.is_slow.get(&id) {
            return *known;
        }
        let is_slow = self.choice.one_in(SLOW_REQUESTS);
        self.is_slow.insert(id, is_slow);
        is_slow
    }

    fn begin(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let Some(asked) = client.left.pop() else {
            return;
        };
        client.under_way = Some((asked, self.choices));
        client.answer = Arc::default();
        self.trace
            .push(format!("host {number}: asked for {asked:?}"));
        let host = &self.hosts[number];
        let (slot, caller) = (Arc::clone(&client.answer), Arc::clone(&host.caller));
        let (orchestrator, token) = (host.orchestrator.clone(), self.token.clone());
        host.spawn(async move {
            let answer = perform(&orchestrator, &caller, token, asked).await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        });
        host.settle();
    }

    fn collect_answers(&mut self) {
        for number in 0..2 {
            let client = &mut self.clients[number];
            let answer = client
                .answer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let (Some((outcome, listed)), Some((asked, began))) = (answer, client.under_way) else {
                continue;
            };
            client.under_way = None;
            self.trace
                .push(format!("host {number}: {asked:?}: {outcome:?}"));
            self.answers.push(ClientAnswer {
                asked,
                began,
                ended: self.choices,
                outcome,
                listed,
            });
        }
    }

    /// The host ends, and another one starts in its place. What it has sent may arrive all the
    /// same.
    fn kill(&mut self, number: usize) {
        self.kills -= 1;
        self.trace.push(format!("host {number} is killed"));
        for (_, gate) in self.keeper.waiting() {
            if let GatePlace::Request(request) = gate.place
                && gate.host == number
                && request.method != "GET"
                && self.choice.one_in(2)
            {
                self.strays.push(StrayRequest {
                    host: number,
                    request,
                    since: gate.since,
                });
            }
        }
        let client = &mut self.clients[number];
        let asked = client.under_way.take().map(|(asked, _)| asked);
        client.answer = Arc::default();
        self.cut_off.extend(asked);
        let next = SimulatedHost::start(number, self.ground, &self.keeper, &self.cloud);
        std::mem::replace(&mut self.hosts[number], next).kill();
    }
}

async fn perform(
    host: &Orchestrator,
    known: &Mutex<Option<Caller>>,
    token: String,
    asked: ClientRequest,
) -> AnswerParts {
    let known_caller = || known.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let caller = match known_caller() {
        Some(caller) => caller,
        None => match host.authenticate(SecretString::from(token), "demo").await {
            Ok(caller) => {
                *known.lock().unwrap_or_else(PoisonError::into_inner) = Some(caller.clone());
                caller
            }
            Err(error) => return (Err(error), Vec::new()),
        },
    };
    let update = async |attribute: &str, value: u64| {
        let text = value.to_string();
        let view = host
            .update(&caller, NAME, pairs(&[(attribute, &text)]))
            .await?;
        Ok(Some(view.id))
    };
    let mut listed = Vec::new();
    let outcome = match asked {
        ClientRequest::SignIn => Ok(None),
        ClientRequest::Create => {
            let attributes = pairs(&[("stampede.framework", "hadoop"), ("stampede.workers", "2")]);
            host.request(&caller, NAME, attributes)
                .await
                .map(|outcome| match outcome {
                    CreateOutcome::New(view) | CreateOutcome::Existing(view) => Some(view.id),
                })
        }
        ClientRequest::Deploy => host
            .deploy(&caller, NAME, Vec::new())
            .await
            .map(|view| Some(view.id)),
        ClientRequest::Workers(number) => update("stampede.workers", number).await,
        ClientRequest::Replication(number) => update("stampede.hadoop.replication", number).await,
        ClientRequest::Delete => host.delete(&caller, NAME).await.map(|_| None),
        ClientRequest::View => host.view(&caller, NAME).await.map(|view| Some(view.id)),
        ClientRequest::List => host.list(&caller).await.map(|views| {
            listed = views.into_iter().map(|view| view.id).collect();
            None
        }),
    };
    (outcome, listed)
}
