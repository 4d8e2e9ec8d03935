//! What a record that has changed says of requests that were being carried out, and writes it into the
//! journal.

use super::status::cluster_state;
use crate::cluster::{
    ClusterState,
    former_runs::{RunKind, RunShape},
    request_entry::{RequestOutcome, keep_reason},
};
use crate::store::{
    ClusterRecord, RecordStore, StoreError,
    request_journal::{BegunRequests, RequestEnd},
    run_times::EndedRun,
};

/// What has become of a cluster's requests: of those for its deletion, or of all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestSettlement {
    pub(crate) of_deletion: bool,
    /// Why they have failed; none where they were carried out.
    pub(crate) failure: Option<String>,
    /// What was carried out, where how long it took is to be remembered.
    pub(crate) run: Option<EndedRun>,
}

/// What is settled by what became of the record.
pub(crate) fn settle_by(before: &ClusterRecord, now: &ClusterRecord) -> Vec<RequestSettlement> {
    let (was, is) = (cluster_state(before), cluster_state(now));
    let mut settled = Vec::new();
    let had_wishes = !before.deletion_wishes.is_empty() && now.deletion_wishes.is_empty();
    if now.is_live() && (!before.is_live() || had_wishes) {
        settled.push(settle_withdrawn());
    }
    if was != is {
        let is_done = is == ClusterState::Active && now.rollback_reason().is_none();
        let run = run_shape(before, &was).filter(|_| is_done);
        let run = run.map(|shape| EndedRun {
            // Nodes that go say nothing of how long Heat takes to take them away.
            told_s: last_told(now).filter(|_| shape.kind != RunKind::Shrink),
            shape,
        });
        let of_state = settle_state(now, is);
        settled.extend(of_state.map(|settled| RequestSettlement { run, ..settled }));
    }
    settled
}

/// What is settled by a record whatever it was before.
fn settle_now(now: &ClusterRecord) -> Vec<RequestSettlement> {
    let is_wanted = now.is_live() && now.deletion_wishes.is_empty();
    let withdrawn = is_wanted.then(settle_withdrawn);
    let of_state = settle_state(now, cluster_state(now));
    withdrawn.into_iter().chain(of_state).collect()
}

/// A deletion that is not wanted any more.
fn settle_withdrawn() -> RequestSettlement {
    RequestSettlement {
        of_deletion: true,
        failure: Some("heat has refused it".to_owned()),
        run: None,
    }
}

/// What kind of run a cluster in this state is in; none where nobody has asked for one, or it is
/// taken back.
pub(crate) fn run_shape(record: &ClusterRecord, state: &ClusterState) -> Option<RunShape> {
    match (record.change(), state) {
        (Some(change), ClusterState::Updating) => {
            let is_forward = change.rolling_back_because.is_none();
            is_forward.then(|| RunShape::of_change(change))
        }
        (None, ClusterState::Planned | ClusterState::Deploying) => {
            let spec = record.spec.as_ref()?;
            Some(RunShape::new(RunKind::Create, spec))
        }
        _ => None,
    }
}

/// When its nodes said something last.
fn last_told(record: &ClusterRecord) -> Option<u64> {
    let reports = record.observed.reports.iter();
    reports.filter_map(|report| report.told_s).max()
}

fn settle_state(now: &ClusterRecord, state: ClusterState) -> Option<RequestSettlement> {
    let failure = match state {
        ClusterState::Active => now.rollback_reason().map(str::to_owned),
        ClusterState::Failed(why) => Some(why),
        ClusterState::Deleted if now.is_live() => Some("its stack was deleted".to_owned()),
        _ => return None,
    };
    Some(RequestSettlement {
        of_deletion: !now.is_live(),
        failure,
        run: None,
    })
}

/// What is settled where nothing is left of a cluster.
pub(crate) fn settle_gone() -> [RequestSettlement; 2] {
    let of = |of_deletion: bool, failure: Option<&str>| RequestSettlement {
        of_deletion,
        failure: failure.map(str::to_owned),
        run: None,
    };
    [
        of(true, None),
        of(false, Some("the cluster was deleted before its end")),
    ]
}

/// Writes into the journal what has become of requests. That a record has changed does not depend on
/// it.
pub(crate) async fn write_settled(
    store: &RecordStore,
    now_s: u64,
    begun: &BegunRequests,
    settled: &[RequestSettlement],
) {
    for settlement in settled {
        let outcome = match settlement.failure {
            Some(_) => RequestOutcome::Failed,
            None => RequestOutcome::Succeeded,
        };
        let reason = settlement.failure.as_deref().unwrap_or_default();
        let reason = keep_reason(reason, &[]);
        let end = RequestEnd {
            outcome,
            reason: &reason,
            cluster_id: None,
            node_counts: None,
            now_s,
        };
        // Boxed, since it is deep in what answers a request.
        let run = settlement.run.as_ref();
        let settled = store.settle_requests(begun, settlement.of_deletion, &end, run);
        let written = Box::pin(settled);
        if let Err(error) = written.await {
            tell_behind(&begun.cluster_id, &error);
        }
    }
}

/// Settles requests that were begun by what the store says of their cluster now, where they are as old
/// as that.
pub(crate) async fn settle_begun(store: &RecordStore, now_s: u64, begun: &BegunRequests) {
    let settled = match store.get(&begun.cluster_id).await {
        Ok(Some(record)) => settle_now(&record),
        Ok(None) => settle_gone().to_vec(),
        Err(error) => return tell_behind(&begun.cluster_id, &error),
    };
    write_settled(store, now_s, begun, &settled).await;
}

/// Settles what has come to its end without a word of it in the journal: a host may be killed after it
/// has written a record, and before it has written that. Of one project, or of all.
pub(crate) async fn settle_left(store: &RecordStore, now_s: u64, project_id: Option<&str>) {
    // These were taken before their clusters are looked at.
    match store.begun_requests(project_id).await {
        Ok(all) => {
            for begun in all {
                settle_begun(store, now_s, &begun).await;
            }
        }
        Err(error) => tracing::warn!("cannot read what of the journal is behind: {error}"),
    }
}

fn tell_behind(cluster_id: &str, error: &StoreError) {
    tracing::warn!(cluster.id = %cluster_id, "the journal is behind: {error}");
}
