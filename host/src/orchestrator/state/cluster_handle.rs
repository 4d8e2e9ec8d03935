//! One cluster in use: its record, its lock and its last observation, shared by all that work on it
//! in this process. Asks no cloud and no store.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use crate::orchestrator::{
    error::OrchestratorError,
    locks::lock_mutex,
    state::{
        observation::{HealthLooks, RefreshState},
        send_failure::SendFailure,
        status::needs_reconcile,
    },
};
use crate::{
    cluster::former_runs::FormerRuns,
    openstack::CloudSession,
    store::{ActionLease, ClusterRecord},
    system::utc_time::format_utc,
};

/// Volunteers for one cluster that are remembered.
const MAX_VOLUNTEERS: usize = 16;

/// What a record says, and is waited for no longer than a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WatchedFact {
    /// Another process may have the cloud change something.
    Lease(ActionLease),
    /// A create was sent at that time, and may still arrive.
    Create(u64),
    /// The step of this generation was sent at that time.
    Step(u32, u64),
}

/// What was found of former runs like the one that is under way, and when that was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownRun {
    /// How often anything but an observation had been written to the record.
    pub(crate) decision: u64,
    /// When it was read.
    pub(crate) read_at: Instant,
    /// When the run began, and how long it took before; none where nothing is known.
    pub(crate) found: Option<(u64, FormerRuns)>,
}

/// One cluster in use.
#[derive(Debug)]
pub(crate) struct ClusterHandle {
    /// Taken by [`ClusterHandle::lock`] only.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// The last observation.
    pub(crate) refresh: RefreshState,
    /// When it was looked at for what its nodes tell of their health.
    pub(crate) health_looks: HealthLooks,
    /// Whether a background task takes care of it.
    pub(crate) has_worker: std::sync::atomic::AtomicBool,
    /// The sessions, by user, with which a service forbade what is wanted, and its words; the same
    /// is not tried again in the background.
    forbidden: Mutex<BTreeMap<String, (CloudSession, Arc<str>)>>,
    /// Who asked that what another has begun goes on, the last one last. They become the owner once
    /// Heat has taken something of theirs; until then nothing is taken from the owner.
    volunteers: Mutex<Vec<String>>,
    /// Why the last delete was withdrawn, where nobody waited for the answer.
    withdrawn: Mutex<Option<Arc<str>>>,
    /// Why the last try to send what is pending failed.
    send_failure: Mutex<Option<SendFailure>>,
    /// Since when this process has seen what the record says, of each kind the latest.
    watched: Mutex<Vec<(WatchedFact, Instant)>>,
    /// What is known of runs like the one under way.
    known_run: Mutex<Option<KnownRun>>,
    record: RwLock<Arc<ClusterRecord>>,
    /// When the store was read or written last.
    current_at: Mutex<Instant>,
}

impl ClusterHandle {
    pub(super) fn new(record: ClusterRecord, now: Instant) -> Arc<Self> {
        let record = RwLock::new(Arc::new(record));
        Arc::new(Self {
            turn: tokio::sync::Mutex::new(()),
            refresh: RefreshState::default(),
            health_looks: HealthLooks::default(),
            has_worker: false.into(),
            forbidden: Mutex::default(),
            volunteers: Mutex::default(),
            withdrawn: Mutex::default(),
            send_failure: Mutex::default(),
            watched: Mutex::default(),
            known_run: Mutex::default(),
            current_at: Mutex::new(now),
            record,
        })
    }

    /// Whether all that there is to know of it stands in the store: nothing is left to do, nobody
    /// takes care of it or asks Heat, no lease is waited for, and nothing has still to be told.
    pub(super) fn is_at_rest(&self) -> bool {
        let record = self.record();
        let has_worker = self.has_worker.load(std::sync::atomic::Ordering::Acquire);
        let is_told = !record.is_live() || lock_mutex(&self.withdrawn).is_none();
        !has_worker
            && !needs_reconcile(&record)
            && record.lease.is_none()
            && !self.refresh.is_asking()
            && is_told
    }

    /// Its record, as this process read or wrote it last.
    pub(crate) fn record(&self) -> Arc<ClusterRecord> {
        Arc::clone(&self.record.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What keeps the cluster from going on until another token comes, in the words of the service
    /// that forbade it; or why its delete was withdrawn.
    pub(crate) fn rejection_reason(&self, record: &ClusterRecord) -> Option<Arc<str>> {
        let forbidden = lock_mutex(&self.forbidden);
        let rejected = forbidden.values().next().map(|(_, words)| words);
        let rejected = rejected.filter(|_| needs_reconcile(record)).cloned();
        drop(forbidden);
        let withdrawn = || lock_mutex(&self.withdrawn).clone();
        rejected.or_else(|| withdrawn().filter(|_| record.is_live()))
    }

    /// A try to have the cloud take something for the cluster failed: why stays in sight as long as
    /// the record wants it sent.
    pub(crate) fn note_send_failure(
        &self,
        session: &CloudSession,
        error: &OrchestratorError,
        now_s: u64,
    ) {
        if matches!(
            error,
            OrchestratorError::Outdated(_) | OrchestratorError::NotFound(_)
        ) {
            // It is decided again, which is nobody's failure.
            return;
        }
        let (record, user) = (self.record(), &session.user().id);
        let mut known = lock_mutex(&self.send_failure);
        *known = SendFailure::after(known.as_ref(), &record, user, error, now_s);
    }

    /// All that there is to say of why the cluster does not go on, or of why what is shown may be
    /// old: `seen` is why the last observation had no answer.
    pub(crate) fn cloud_error(
        &self,
        record: &ClusterRecord,
        seen: Option<Arc<str>>,
    ) -> Option<Arc<str>> {
        let failure = lock_mutex(&self.send_failure).clone();
        let failure = failure.and_then(|failure| failure.describe(record, format_utc));
        let Some(failure) = failure else {
            return seen.or_else(|| self.rejection_reason(record));
        };
        match seen {
            // What was sent and what was looked at often fail in the same words.
            Some(seen) if !failure.contains(&*seen) => Some(format!("{failure}; {seen}").into()),
            _ => Some(failure.into()),
        }
    }

    /// Whether a service has forbidden this session what the cluster needs.
    pub(crate) fn is_forbidden(&self, session: &CloudSession) -> bool {
        lock_mutex(&self.forbidden)
            .get(&session.user().id)
            .is_some_and(|(forbidden, _)| forbidden.is_same_token(session))
    }

    /// A service has forbidden this session what the cluster needs.
    pub(crate) fn forbid(&self, session: &CloudSession, words: &str) {
        let forbidden = (session.clone(), words.into());
        lock_mutex(&self.forbidden).insert(session.user().id.clone(), forbidden);
    }

    /// Every session may be tried again.
    pub(crate) fn clear_forbidden(&self) {
        lock_mutex(&self.forbidden).clear();
    }

    /// Whether this session may do what is to be done next: the owner's, a volunteer's, and that of
    /// who wants the cluster gone. Records of former versions do not say who asked for it.
    pub(crate) fn may_act(&self, session: &CloudSession) -> bool {
        let actors = self.actors();
        actors.is_empty() || actors.contains(&session.user().id)
    }

    /// Whether this session may create or change what the record wants: the owner's, a volunteer's.
    pub(crate) fn may_change(&self, session: &CloudSession) -> bool {
        let user = &session.user().id;
        let is_owner = |owner: &String| owner == user;
        self.record().owner.as_ref().is_none_or(is_owner)
            || lock_mutex(&self.volunteers).contains(user)
    }

    /// Whose sessions may act, in the order in which they are taken; none where everybody's may.
    pub(crate) fn actors(&self) -> Vec<String> {
        let record = self.record();
        let Some(owner) = record.owner.clone() else {
            return Vec::new();
        };
        let volunteers = lock_mutex(&self.volunteers).clone();
        let those_who_change = std::iter::once(owner).chain(volunteers);
        let those_who_wish = record.deletion_wishes.iter().cloned();
        if !record.has_wish_to_decide() {
            those_who_change.chain(those_who_wish).collect()
        } else if record.lifecycle.needs_reconcile() {
            those_who_wish.chain(those_who_change).collect()
        } else {
            those_who_wish.collect()
        }
    }

    /// This user asks that what another has begun goes on.
    pub(crate) fn add_volunteer(&self, user: &str) {
        let mut volunteers = lock_mutex(&self.volunteers);
        volunteers.retain(|known| known != user);
        if volunteers.len() >= MAX_VOLUNTEERS {
            volunteers.remove(0);
        }
        volunteers.push(user.to_owned());
    }

    /// This volunteer may not; the others may all the same.
    pub(crate) fn drop_volunteer(&self, user: &str) {
        lock_mutex(&self.volunteers).retain(|known| known != user);
    }

    /// What they asked for is not wanted any more.
    pub(crate) fn clear_volunteers(&self) {
        lock_mutex(&self.volunteers).clear();
    }

    /// Whether this session is a volunteer's: what it may not do, the owner still may.
    pub(crate) fn is_volunteer(&self, session: &CloudSession) -> bool {
        let owner = self.record().owner.clone();
        owner.is_some_and(|owner| owner != session.user().id)
    }

    /// The delete was withdrawn, and why; or it was asked for anew.
    pub(crate) fn set_withdrawn(&self, words: Option<String>) {
        *lock_mutex(&self.withdrawn) = words.map(Arc::from);
    }

    /// What was read last of runs like the one under way.
    pub(crate) fn known_run(&self) -> Option<KnownRun> {
        *lock_mutex(&self.known_run)
    }

    /// Keeps what was read of them.
    pub(crate) fn keep_known_run(&self, known: KnownRun) {
        *lock_mutex(&self.known_run) = Some(known);
    }

    /// How long ago the record was read or written.
    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(*lock_mutex(&self.current_at))
    }

    /// How long this process has seen this, by a clock that never jumps: what is too long is
    /// measured so, and not by the times in the record, which another process or a clock that was
    /// set may have written.
    pub(crate) fn watch(&self, fact: &WatchedFact, now: Instant) -> Duration {
        let mut watched = lock_mutex(&self.watched);
        let known = watched.iter().find(|(known, _)| known == fact);
        if let Some((_, since)) = known {
            return now.saturating_duration_since(*since);
        }
        let kind = std::mem::discriminant(fact);
        watched.retain(|(known, _)| std::mem::discriminant(known) != kind);
        watched.push((fact.clone(), now));
        Duration::ZERO
    }

    /// Takes a record that was read or written, where it is not older than the one that is held.
    pub(super) fn set(&self, record: ClusterRecord, now: Instant) -> Arc<ClusterRecord> {
        *lock_mutex(&self.current_at) = now;
        let mut slot = self.record.write().unwrap_or_else(PoisonError::into_inner);
        // Another writer of this process may have been faster to take the lock with what it wrote
        // later.
        if record.revision >= slot.revision {
            *slot = Arc::new(record);
        }
        Arc::clone(&slot)
    }
}
