//! How long what is under way for a cluster will take, by former runs of its project. Read from the
//! journal now and then, and not with every look: pages look every two seconds.

use std::time::Duration;

use super::{
    SharedState,
    cluster_handle::{ClusterHandle, KnownRun},
    request_settlement::run_shape,
    status::cluster_state,
};
use crate::cluster::former_runs::{FormerRuns, RunForecast, RunShape};
use crate::store::ClusterRecord;

/// How long what was read of former runs is good for, where nothing was decided on the cluster since.
const KNOWN_FOR: Duration = Duration::from_secs(30);

/// How long what is under way will take; none where nothing is, or nothing is known of former runs.
pub(crate) async fn time_left(
    state: &SharedState,
    handle: &ClusterHandle,
    record: &ClusterRecord,
) -> Option<RunForecast> {
    let shape = run_shape(record, &cluster_state(record))?;
    let (now, now_s) = (state.clock.monotonic_now(), state.clock.unix_now_s());
    let is_good = |known: &KnownRun| {
        let age = now.saturating_duration_since(known.read_at);
        known.decision == record.decision && age < KNOWN_FOR
    };
    let found = match handle.known_run().filter(is_good) {
        Some(known) => known.found,
        None => {
            let found = read_runs(state, record, &shape, now_s).await;
            handle.keep_known_run(KnownRun {
                decision: record.decision,
                read_at: now,
                found,
            });
            found
        }
    };
    let (began_s, former) = found?;
    Some(RunForecast {
        began_s,
        now_s,
        former,
    })
}

async fn read_runs(
    state: &SharedState,
    record: &ClusterRecord,
    shape: &RunShape,
    now_s: u64,
) -> Option<(u64, FormerRuns)> {
    let (project, id) = (&record.project_id, Some(record.id.as_str()));
    let store = state.registry.store();
    // Boxed, since it is deep in what answers a request.
    let reading = Box::pin(store.run_history(project, id, shape, now_s));
    match reading.await {
        Ok(history) => history
            .began_s
            .zip(FormerRuns::like(shape, &history.former)),
        Err(error) => {
            tracing::debug!(cluster.id = %record.id, "former runs are not known: {error}");
            None
        }
    }
}

/// How long runs like this took in this project; none where none is known.
pub(crate) async fn former_runs(
    state: &SharedState,
    project_id: &str,
    shape: &RunShape,
) -> Option<FormerRuns> {
    let now_s = state.clock.unix_now_s();
    let store = state.registry.store();
    let reading = Box::pin(store.run_history(project_id, None, shape, now_s));
    match reading.await {
        Ok(history) => FormerRuns::like(shape, &history.former),
        Err(error) => {
            tracing::debug!("former runs are not known: {error}");
            None
        }
    }
}
