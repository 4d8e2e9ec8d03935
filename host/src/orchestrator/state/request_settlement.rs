//! What a record that has changed says of requests that were being carried out, and writes it into the
//! journal.

use super::status::cluster_state;
use crate::cluster::{
    ClusterState,
    former_runs::{RunKind, RunShape},
    request_entry::{RequestOutcome, keep_reason},
};
use crate::store::{ClusterRecord, RecordStore, request_journal::RequestEnd, run_times::EndedRun};

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
        settled.push(RequestSettlement {
            of_deletion: true,
            failure: Some("heat has refused it".to_owned()),
            run: None,
        });
    }
    if was != is {
        let is_done = is == ClusterState::Active && now.rollback_reason().is_none();
        let run = run_shape(before, &was).filter(|_| is_done);
        let run = run.map(|shape| EndedRun {
            shape,
            told_s: last_told(now),
        });
        let of_state = settle_state(now, is);
        settled.extend(of_state.map(|settled| RequestSettlement { run, ..settled }));
    }
    settled
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
    cluster_id: &str,
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
        let written = Box::pin(store.settle_requests(
            cluster_id,
            settlement.of_deletion,
            &end,
            settlement.run.as_ref(),
        ));
        if let Err(error) = written.await {
            tracing::warn!(cluster.id = %cluster_id, "the journal is behind: {error}");
        }
    }
}

/// Settles requests that were begun by what the store says of their cluster now.
pub(crate) async fn settle_begun(store: &RecordStore, now_s: u64, cluster_id: &str) {
    let settled = match store.get(cluster_id).await {
        Ok(Some(record)) => {
            let state = cluster_state(&record);
            Vec::from_iter(settle_state(&record, state))
        }
        Ok(None) => settle_gone().to_vec(),
        Err(error) => {
            tracing::warn!(cluster.id = %cluster_id, "the journal is behind: {error}");
            return;
        }
    };
    write_settled(store, now_s, cluster_id, &settled).await;
}
