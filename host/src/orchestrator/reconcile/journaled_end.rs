//! The deletion of a cluster at its end, as its history tells it: a request that no user has made.

use std::collections::BTreeMap;

use crate::orchestrator::{
    context::Context, error::OrchestratorError, state::request_settlement::settle_begun,
};
use crate::{
    cluster::request_entry::{HOST_ITSELF, RequestEntry, RequestFace, RequestOutcome, RequestVerb},
    store::{
        ClusterRecord, StoreError,
        request_journal::{BegunRequests, JournalQuery, RequestEnd},
    },
};

/// Records a deletion between its entry in the journal and what became of it there. What cannot be
/// journaled is not done, and is tried again.
///
/// # Errors
/// Those of `work`; `Internal`.
pub(super) async fn journal_end<T>(
    context: &Context,
    record: &ClusterRecord,
    work: impl Future<Output = Result<T, OrchestratorError>>,
) -> Result<T, OrchestratorError> {
    let state = &context.state;
    let (store, now_s) = (state.registry.store(), state.clock.unix_now_s());
    let number = open_entry(context, record, now_s).await?;
    let outcome = work.await;
    let end = RequestEnd {
        outcome: RequestOutcome::Accepted,
        reason: "",
        cluster_id: None,
        node_counts: None,
        now_s,
    };
    let told = match &outcome {
        Ok(_) => store.end_request(number, &end, &state.limits.journal).await,
        Err(_) => store.drop_request(number).await,
    };
    if let Err(error) = told {
        tracing::warn!(cluster.id = %record.id, "the journal is behind: {error}");
    }
    let begun = BegunRequests {
        cluster_id: record.id.clone(),
        newest: number,
    };
    // It may have been carried out before that was written.
    settle_begun(store, now_s, &begun).await;
    outcome
}

/// A new entry, or the one of the try before: who may not delete it is not to fill the journal.
async fn open_entry(
    context: &Context,
    record: &ClusterRecord,
    now_s: u64,
) -> Result<i64, StoreError> {
    let store = context.state.registry.store();
    let newest = JournalQuery {
        project_id: &record.project_id,
        cluster_id: Some(&record.id),
        limit: 1,
        ..JournalQuery::default()
    };
    let newest = store.requests(&newest).await?.entries.pop();
    if let Some(before) = newest.filter(|before| before.face == RequestFace::End) {
        store.reopen_request(before.number).await?;
        return Ok(before.number);
    }
    let entry = RequestEntry {
        number: 0,
        project_id: record.project_id.clone(),
        cluster_id: Some(record.id.clone()),
        cluster_name: record.name.clone(),
        user_id: String::new(),
        user_name: HOST_ITSELF.to_owned(),
        face: RequestFace::End,
        verb: RequestVerb::Delete,
        asked_s: now_s,
        attributes: BTreeMap::new(),
        node_counts: BTreeMap::new(),
        request_id: None,
        outcome: RequestOutcome::Asked,
        reason: String::new(),
        ended_s: None,
    };
    store.begin_request(&entry).await
}
