//! Reads the journal, for members of the project that it is of.

use std::sync::Arc;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    state::request_settlement::settle_left,
    verbs::find::find_cluster,
};
use crate::store::request_journal::{JournalPage, JournalQuery};

/// Who has asked for what.
pub struct RequestJournal {
    context: Arc<Context>,
}

impl RequestJournal {
    pub(crate) fn new(context: &Arc<Context>) -> Self {
        Self {
            context: Arc::clone(context),
        }
    }

    /// The part of the caller's project that is meant.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn of_project(
        &self,
        caller: &Caller,
        query: JournalQuery<'_>,
    ) -> Result<JournalPage, OrchestratorError> {
        let query = JournalQuery {
            project_id: caller.project_id(),
            ..query
        };
        let state = &self.context.state;
        let (store, now_s) = (state.registry.store(), state.clock.unix_now_s());
        settle_left(store, now_s, Some(query.project_id)).await;
        Ok(store.requests(&query).await?)
    }

    /// That of the living cluster of this name, else of the one of this id, also where nothing is
    /// left of it.
    ///
    /// # Errors
    /// `NotFound`: the project has no such cluster, and the journal knows none; `Internal`.
    pub async fn of_cluster(
        &self,
        caller: &Caller,
        named: &str,
        query: JournalQuery<'_>,
    ) -> Result<JournalPage, OrchestratorError> {
        let found = match find_cluster(&self.context, caller, named).await {
            Ok(handle) => Some(handle.record().id.clone()),
            Err(OrchestratorError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        let cluster_id = Some(found.as_deref().unwrap_or(named));
        let query = JournalQuery {
            cluster_id,
            ..query
        };
        let page = self.of_project(caller, query).await?;
        if page.matching == 0 && found.is_none() {
            // Its filters may leave nothing of a cluster that there was.
            let all = JournalQuery {
                cluster_id,
                ..JournalQuery::default()
            };
            let store = self.context.state.registry.store();
            let record = store.get(named).await?;
            let is_known = record.is_some_and(|record| record.project_id == caller.project_id());
            if !is_known && self.of_project(caller, all).await?.matching == 0 {
                return Err(OrchestratorError::NotFound(named.to_owned()));
            }
        }
        Ok(page)
    }
}
