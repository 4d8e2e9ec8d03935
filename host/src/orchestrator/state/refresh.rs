//! Single-flight refresh with stale-while-revalidate: one poll of Heat at a time for each cluster,
//! shared by all readers; what is slightly old is shown while Heat is asked, and nobody waits
//! longer than the limits say.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Map, Value};

use crate::orchestrator::{
    error::{FailureReason, OrchestratorError},
    state::{
        SharedState,
        cluster_handle::ClusterHandle,
        observation::{ReadPolicy, RefreshGuard, WaiterSlot},
        status,
    },
};
use crate::{
    cluster::Lifecycle,
    openstack::{CloudError, CloudSession, HeatStack, StackEvent, StackId},
    store::{ClusterRecord, ObservedState},
};

/// What a reader is told whose patience or whose place among those who wait was not enough.
const LATE: &str = "heat has been asked and has not answered yet, what is shown may be old";
/// What a reader is told while as many observations wait for their turn as may.
const CROWDED: &str =
    "heat is asked about so many clusters that this one has to wait, what is shown may be old";
/// What readers are told after an observation that ended in a panic.
const FAILED: &str = "the host failed at the last observation; its log says why";

/// Sees to it that what we know of the cluster is young, that its reader has waited as long as
/// readers wait, or, where what we know is younger than `shown_age`, that Heat is being asked. Why
/// what is known may be old.
pub(crate) async fn refresh_cluster(
    state: &Arc<SharedState>,
    handle: &Arc<ClusterHandle>,
    session: &CloudSession,
    shown_age: Duration,
) -> Option<Arc<str>> {
    let record = handle.record();
    if !matches!(record.lifecycle, Lifecycle::Running { .. }) {
        return handle.refresh.error();
    }
    let (due, asks) = handle.refresh.read_policy(&state.limits, shown_age);
    let place = matches!(due, ReadPolicy::Wait(_)).then(|| WaiterSlot(&handle.refresh));
    // From here on an end is noticed, also one that comes before the wait.
    let ended = place.as_ref().map(|_| handle.refresh.ended.notified());
    let queue = Arc::clone(&state.queued_looks);
    let queued = asks.then(|| queue.try_acquire_owned().ok());
    if let Some(None) = queued {
        drop(RefreshGuard {
            refresh: &handle.refresh,
            error: Some(CROWDED.into()),
        });
    }
    if let Some(Some(queued)) = queued {
        let session = session.in_region(&record.region);
        let (state, handle) = (Arc::clone(state), Arc::clone(handle));
        // In a task of its own: a reader that goes away must not end the observation for the
        // others.
        tokio::spawn(async move {
            let mut asking = RefreshGuard {
                refresh: &handle.refresh,
                error: Some(FAILED.into()),
            };
            let record = handle.record();
            let _queued = queued;
            let _turn = state.looks.enter(&record.region, &record.project_id).await;
            asking.error = match fetch_status(&state, &handle, &session).await {
                // A record that is gone has nothing that could be old.
                Ok(()) | Err(OrchestratorError::NotFound(_)) => None,
                Err(error) => Some(error.to_string().into()),
            };
        });
    }
    match (due, ended) {
        (ReadPolicy::Wait(patience), Some(ended)) if handle.refresh.is_asking() => {
            match tokio::time::timeout(patience, ended).await {
                Ok(()) => handle.refresh.error(),
                Err(_) => Some(LATE.into()),
            }
        }
        (ReadPolicy::Late, _) => Some(LATE.into()),
        _ => handle.refresh.error(),
    }
}

/// Asks Heat and remembers what it shows.
///
/// # Errors
/// `Unauthorized` and `Forbidden` when this token may not look, `NotFound` when the record was
/// dropped, `Internal`; all else is `Cloud`, since nothing was asked for that could be wrong.
pub(crate) async fn fetch_status(
    state: &SharedState,
    handle: &ClusterHandle,
    session: &CloudSession,
) -> Result<(), OrchestratorError> {
    fetch(state, handle, session, false).await
}

/// The same, with what nodes tell of their jobs at this moment.
///
/// # Errors
/// As there; also where what they tell cannot be read.
pub(crate) async fn fetch_jobs(
    state: &SharedState,
    handle: &ClusterHandle,
    session: &CloudSession,
) -> Result<(), OrchestratorError> {
    fetch(state, handle, session, true).await
}

async fn fetch(
    state: &SharedState,
    handle: &ClusterHandle,
    session: &CloudSession,
    needs_jobs: bool,
) -> Result<(), OrchestratorError> {
    // Another process that shares the store may have gone on meanwhile.
    let record = state.registry.reload(handle).await?;
    let Some(id) = record.stack_id().map(str::to_owned) else {
        return Ok(());
    };
    let (known, stack) = (
        record.observed.marker.clone(),
        StackId {
            name: record.stack_name.clone(),
            id,
        },
    );
    let is_due = needs_jobs || handle.health_looks.is_due(state.limits.health_every);
    let look = match status::tells_health(&record) && is_due {
        false => HealthLook::No,
        true if needs_jobs => HealthLook::Afresh,
        true => HealthLook::Due,
    };
    let news = match fetch_news(session, &record, &stack, look).await {
        Ok(news) => news,
        Err(error) => {
            if error.is_token() {
                state.sessions.forget_session(session);
            }
            tracing::warn!(cluster.id = %record.id, stack.id = %stack.id, "cannot observe `{}`: {error}", record.name);
            return Err(match OrchestratorError::from(error.clone()) {
                reason @ (OrchestratorError::Unauthorized(_) | OrchestratorError::Forbidden(_)) => {
                    reason
                }
                _ => OrchestratorError::Cloud(FailureReason::from_source(error)),
            });
        }
    };
    if look != HealthLook::No {
        handle.health_looks.record_look();
    }
    // Over what is known by now, which need not be what was known when Heat was asked.
    let is_taken = AtomicBool::new(false);
    let fold = |seen: &ObservedState| {
        is_taken.store(seen.marker == known, Ordering::Relaxed);
        match &news {
            Some(news) if seen.marker == known => news.fold(seen, &record),
            Some(_) => seen.clone(),
            None => status::mark_gone(seen),
        }
    };
    let after = state
        .registry
        .fold_observation(handle, &record, fold)
        .await?;
    if after.observed.status != record.observed.status {
        let status = after.observed.status.as_deref().unwrap_or_default();
        tracing::info!(cluster.id = %record.id, stack.id = %stack.id, "`{}` is {status}", record.name);
    }
    if needs_jobs && !is_taken.load(Ordering::Relaxed) {
        // Somebody has changed or seen it meanwhile: what is known may be from before that.
        return Err(OrchestratorError::Outdated(record.name.clone()));
    }
    Ok(())
}

/// What Heat shows of a stack.
struct StackNews {
    stack: HeatStack,
    /// Those after the last one that is known.
    events: Vec<StackEvent>,
    /// What the nodes' signals have left in the handle of progress, where that was looked at.
    signals: Option<Map<String, Value>>,
}

impl StackNews {
    fn fold(&self, seen: &ObservedState, record: &ClusterRecord) -> ObservedState {
        let seen = status::fold_events(seen, &self.stack, &self.events);
        match &self.signals {
            Some(signals) => status::fold_health(&seen, record, signals),
            None => seen,
        }
    }
}

/// Whether what nodes tell of their health is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HealthLook {
    /// The last look was a moment ago.
    No,
    /// Where there are news of it.
    Due,
    /// Whatever is known: the stack alone will not do.
    Afresh,
}

/// The stack, then its events, then the handle that they speak of: so that what a settled stack's
/// events say is never missed. `None` where the stack is gone.
async fn fetch_news(
    session: &CloudSession,
    record: &ClusterRecord,
    id: &StackId,
    look: HealthLook,
) -> Result<Option<StackNews>, CloudError> {
    let Some(stack) = session.look_for_stack(id).await? else {
        return Ok(None);
    };
    let known = &record.observed;
    let settled = record.change().is_none()
        && known.status.as_deref() == Some(&stack.status)
        && !stack.status.ends_with("_IN_PROGRESS")
        && known.marker.is_some();
    let events = if settled && look == HealthLook::No {
        Vec::new()
    } else {
        session.events(id, None, known.marker.as_deref()).await?
    };
    // Heat lets go of old events; the handle has each node's latest word.
    let is_unread =
        look == HealthLook::Afresh || !status::fold_events(known, &stack, &events).is_health_read;
    // While a cluster is made its nodes tell of their stages, and of their health after that.
    let is_made = stack.status != "CREATE_IN_PROGRESS";
    let signals = if look != HealthLook::No && is_unread && is_made {
        let handle = session.resource_metadata(id, status::PROGRESS_HANDLE).await;
        // The stack is shown without it; the next look that is due asks again.
        let told = handle.inspect_err(|error| {
            tracing::warn!(stack.id = %id.id, "cannot read what nodes tell of their health: {error}");
        });
        match look {
            HealthLook::Afresh => Some(told?),
            HealthLook::No | HealthLook::Due => told.ok(),
        }
    } else {
        None
    };
    Ok(Some(StackNews {
        stack,
        events,
        signals,
    }))
}
