//! What a record that has changed says of requests that were being carried out, and writes it into the
//! journal.

use super::status::cluster_state;
use crate::cluster::{
    ClusterState,
    request_entry::{RequestOutcome, keep_reason},
};
use crate::store::{ClusterRecord, RecordStore, request_journal::RequestEnd};

/// What has become of a cluster's requests: of those for its deletion, or of all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestSettlement {
    pub(crate) of_deletion: bool,
    /// Why they have failed; none where they were carried out.
    pub(crate) failure: Option<String>,
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
        });
    }
    if was != is {
        settled.extend(settle_state(now, is));
    }
    settled
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
    })
}

/// What is settled where nothing is left of a cluster.
pub(crate) fn settle_gone() -> [RequestSettlement; 2] {
    let of = |of_deletion: bool, failure: Option<&str>| RequestSettlement {
        of_deletion,
        failure: failure.map(str::to_owned),
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
        let written = store.settle_requests(cluster_id, settlement.of_deletion, &end);
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
