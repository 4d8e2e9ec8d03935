//! When a cluster was observed last and who waits for the next answer: the state behind a
//! single-flight refresh with stale-while-revalidate. Asks nobody.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::{
    orchestrator::{limits::OrchestratorLimits, locks::lock_mutex},
    system::clock,
};

/// When a cluster was looked at.
#[derive(Debug, Default)]
pub(crate) struct RefreshState {
    state: Mutex<RefreshTimes>,
    /// Notified when a refresh has ended.
    pub(crate) ended: Notify,
}

#[derive(Debug, Default)]
struct RefreshTimes {
    /// Since when Heat is asked, while it is.
    begun: Option<Instant>,
    /// When it was asked last.
    ended: Option<Instant>,
    /// Why the last question had no answer.
    error: Option<Arc<str>>,
    /// When the last answer came, in seconds of the epoch.
    answered_s: Option<u64>,
    /// Readers that wait for the question.
    waiting: usize,
}

/// When a cluster at rest was looked at for the health that its nodes tell of: more seldom than its
/// stack, since it is further calls.
#[derive(Debug, Default)]
pub(crate) struct HealthLooks(Mutex<Option<Instant>>);

impl HealthLooks {
    /// Whether the last look is so long ago, or there was none.
    pub(crate) fn is_due(&self, every: Duration) -> bool {
        let last = *lock_mutex(&self.0);
        last.is_none_or(|last| clock::monotonic_now().duration_since(last) >= every)
    }

    /// It was looked at.
    pub(crate) fn record_look(&self) {
        *lock_mutex(&self.0) = Some(clock::monotonic_now());
    }
}

/// What a reader has to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadPolicy {
    /// Nothing: what we know is young.
    Nothing,
    /// See to it that Heat is asked, and not wait for it.
    Ask,
    /// Wait for Heat, so long at most.
    Wait(Duration),
    /// Be shown what is known: Heat is slow, and enough readers wait.
    Late,
}

impl RefreshState {
    /// Why the last question had no answer.
    pub(crate) fn error(&self) -> Option<Arc<str>> {
        lock_mutex(&self.state).error.clone()
    }

    /// When the cloud has answered last, in seconds of the epoch; none since this process began.
    pub(crate) fn answered_s(&self) -> Option<u64> {
        lock_mutex(&self.state).answered_s
    }

    /// Whether what we know is younger than that.
    pub(crate) fn is_fresh(&self, age: Duration) -> bool {
        lock_mutex(&self.state)
            .ended
            .is_some_and(|ended| ended.elapsed() < age)
    }

    /// What a reader has to do who may be shown what is younger than `shown_age`; and whether Heat
    /// must be asked by him. All readers of one slow question give up together.
    pub(crate) fn read_policy(
        &self,
        limits: &OrchestratorLimits,
        shown_age: Duration,
    ) -> (ReadPolicy, bool) {
        let mut state = lock_mutex(&self.state);
        let now = clock::monotonic_now();
        let younger = |age: Duration| {
            state
                .ended
                .is_some_and(|ended| now.duration_since(ended) < age)
        };
        if younger(limits.observe_every) {
            return (ReadPolicy::Nothing, false);
        }
        let is_shown = younger(shown_age);
        let asks = state.begun.is_none();
        let begun = *state.begun.get_or_insert(now);
        let patience = limits.patience.saturating_sub(now.duration_since(begun));
        let due = if is_shown {
            ReadPolicy::Ask
        } else if patience.is_zero() || state.waiting >= limits.waiting {
            ReadPolicy::Late
        } else {
            state.waiting += 1;
            ReadPolicy::Wait(patience)
        };
        (due, asks)
    }

    pub(crate) fn is_asking(&self) -> bool {
        lock_mutex(&self.state).begun.is_some()
    }

    fn finish(&self, error: Option<Arc<str>>) {
        let mut state = lock_mutex(&self.state);
        state.begun = None;
        state.note_end(error);
        drop(state);
        self.ended.notify_waiters();
    }

    /// What we did ourselves a moment ago counts as an observation.
    pub(crate) fn record_contact(&self, error: Option<String>) {
        lock_mutex(&self.state).note_end(error.map(Arc::from));
    }
}

impl RefreshTimes {
    fn note_end(&mut self, error: Option<Arc<str>>) {
        if error.is_none() {
            self.answered_s = Some(clock::unix_now_s());
        }
        (self.ended, self.error) = (Some(clock::monotonic_now()), error);
    }
}

/// A question under way. However it ends, the next one may be asked.
pub(crate) struct RefreshGuard<'a> {
    pub(crate) refresh: &'a RefreshState,
    pub(crate) error: Option<Arc<str>>,
}

impl Drop for RefreshGuard<'_> {
    fn drop(&mut self) {
        self.refresh.finish(self.error.take());
    }
}

/// A reader's place among those who wait.
pub(crate) struct WaiterSlot<'a>(pub(crate) &'a RefreshState);

impl Drop for WaiterSlot<'_> {
    fn drop(&mut self) {
        lock_mutex(&self.0.state).waiting -= 1;
    }
}
