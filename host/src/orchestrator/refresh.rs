//! One observation of a cluster for however many ask: at most one at a time, and not before the
//! last one is old. Who would be shown what is only slightly old does not wait for it; who waits,
//! waits only so long, and is told that what is shown may be old.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use super::{
    Context, cluster_registry::ClusterHandle, cluster_registry::lock_mutex,
    limits::OrchestratorLimits, status,
};
use crate::{
    cluster::DesiredState,
    openstack::{CloudError, CloudSession, HeatStack, StackEvent, StackId},
    store::ClusterRecord,
    system::clock,
};

/// What a reader is told whose patience or whose place among those who wait was not enough.
const LATE: &str = "heat has been asked and has not answered yet, what is shown may be old";
/// What readers are told after an observation that ended in a panic.
const FAILED: &str = "the host failed at the last observation; its log says why";

/// When a cluster was looked at.
#[derive(Debug, Default)]
pub(super) struct RefreshState {
    state: Mutex<RefreshTimes>,
    /// Told when a question has ended.
    ended: Notify,
}

#[derive(Debug, Default)]
struct RefreshTimes {
    /// Since when Heat is asked, while it is.
    begun: Option<Instant>,
    /// When it was asked last.
    ended: Option<Instant>,
    /// Why the last question had no answer.
    error: Option<Arc<str>>,
    /// Readers that wait for the question.
    waiting: usize,
}

/// What a reader has to do.
#[derive(Debug, PartialEq, Eq)]
enum ReadPolicy {
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
    pub(super) fn error(&self) -> Option<Arc<str>> {
        lock_mutex(&self.state).error.clone()
    }

    /// Whether what we know is younger than that.
    pub(super) fn is_fresh(&self, age: Duration) -> bool {
        lock_mutex(&self.state)
            .ended
            .is_some_and(|ended| ended.elapsed() < age)
    }

    /// What a reader has to do who may be shown what is younger than `shown_age`; and whether Heat
    /// must be asked by him. All readers of one slow question give up together.
    fn read_policy(&self, limits: &OrchestratorLimits, shown_age: Duration) -> (ReadPolicy, bool) {
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

    fn is_asking(&self) -> bool {
        lock_mutex(&self.state).begun.is_some()
    }

    fn finish(&self, error: Option<Arc<str>>) {
        let mut state = lock_mutex(&self.state);
        (state.begun, state.ended, state.error) = (None, Some(clock::monotonic_now()), error);
        drop(state);
        self.ended.notify_waiters();
    }

    /// What we did ourselves a moment ago counts as an observation.
    pub(super) fn record_contact(&self, error: Option<String>) {
        let mut state = lock_mutex(&self.state);
        (state.ended, state.error) = (Some(clock::monotonic_now()), error.map(Arc::from));
    }
}

/// A question under way. However it ends, the next one may be asked.
struct RefreshGuard<'a> {
    look: &'a RefreshState,
    error: Option<Arc<str>>,
}

impl Drop for RefreshGuard<'_> {
    fn drop(&mut self) {
        self.look.finish(self.error.take());
    }
}

/// A reader's place among those who wait.
struct WaiterSlot<'a>(&'a RefreshState);

impl Drop for WaiterSlot<'_> {
    fn drop(&mut self) {
        lock_mutex(&self.0.state).waiting -= 1;
    }
}

/// Sees to it that what we know of the cluster is young, that its reader has waited as long as
/// readers wait, or, where what we know is younger than `shown_age`, that Heat is being asked. Why
/// what is known may be old.
pub(super) async fn refresh_cluster(
    inner: &Arc<Context>,
    entity: &Arc<ClusterHandle>,
    session: &CloudSession,
    shown_age: Duration,
) -> Option<Arc<str>> {
    let record = entity.record();
    if record.wish != DesiredState::Deploy || record.stack_id.is_none() {
        return entity.look.error();
    }
    let (due, asks) = entity.look.read_policy(&inner.limits, shown_age);
    let place = matches!(due, ReadPolicy::Wait(_)).then(|| WaiterSlot(&entity.look));
    // From here on an end is noticed, also one that comes before the wait.
    let ended = place.as_ref().map(|_| entity.look.ended.notified());
    if asks {
        let (inner, entity, session) = (Arc::clone(inner), Arc::clone(entity), session.clone());
        // In a task of its own: a reader that goes away must not end the observation for the
        // others.
        tokio::spawn(async move {
            let mut asking = RefreshGuard {
                look: &entity.look,
                error: Some(FAILED.into()),
            };
            asking.error = fetch_status(&inner, &entity, &session).await.map(Arc::from);
        });
    }
    match (due, ended) {
        (ReadPolicy::Wait(patience), Some(ended)) if entity.look.is_asking() => {
            match tokio::time::timeout(patience, ended).await {
                Ok(()) => entity.look.error(),
                Err(_) => Some(LATE.into()),
            }
        }
        (ReadPolicy::Late, _) => Some(LATE.into()),
        _ => entity.look.error(),
    }
}

/// Asks Heat and remembers what it shows; the error's words when it does not answer.
pub(super) async fn fetch_status(
    inner: &Context,
    entity: &ClusterHandle,
    session: &CloudSession,
) -> Option<String> {
    // Another process that shares the store may have gone on meanwhile.
    let record = inner.book.reload(entity).await.ok()?;
    let id = record.stack_id.clone()?;
    let (known, stack) = (
        record.seen.marker.clone(),
        StackId {
            name: record.stack_name.clone(),
            id,
        },
    );
    let news = match fetch_stack_and_events(session, &record, &stack).await {
        Ok(news) => Some(news),
        Err(error) if error.is_not_found() => None,
        Err(error) => {
            if error.is_token() {
                inner.sessions.forget_session(session);
            }
            tracing::warn!(cluster.id = %record.id, stack.id = %stack.id, "cannot observe `{}`: {error}", record.name);
            return Some(error.to_string());
        }
    };
    // Over what is known by now, which need not be what was known when Heat was asked.
    let take = |record: &mut ClusterRecord| match &news {
        Some((shown, events)) if record.seen.marker == known => {
            record.seen = status::fold_events(&record.seen, shown, events)
        }
        Some(_) => {}
        None => record.seen = status::mark_gone(&record.seen),
    };
    let after = match inner.book.change_record(entity, take).await {
        Ok(after) => after,
        Err(error) => return Some(error.to_string()),
    };
    if after.seen.status != record.seen.status {
        let status = after.seen.status.as_deref().unwrap_or_default();
        tracing::info!(cluster.id = %record.id, stack.id = %stack.id, "`{}` is {status}", record.name);
    }
    None
}

/// The stack, then its events: so that what a settled stack's events say is never missed.
async fn fetch_stack_and_events(
    session: &CloudSession,
    record: &ClusterRecord,
    stack: &StackId,
) -> Result<(HeatStack, Vec<StackEvent>), CloudError> {
    let shown = session.show_stack(stack).await?;
    let known = &record.seen;
    let settled = record.change.is_none()
        && known.status.as_deref() == Some(&shown.status)
        && !shown.status.ends_with("_IN_PROGRESS")
        && known.marker.is_some();
    let events = if settled {
        Vec::new()
    } else {
        session.events(stack, None, known.marker.as_deref()).await?
    };
    Ok((shown, events))
}
