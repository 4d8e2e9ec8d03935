//! Where stacks were looked through for clusters that the store does not know, each project and
//! region in single flight. Asks nobody.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::{
    orchestrator::{error::OrchestratorError, locks::lock_mutex},
    system::clock::monotonic_now,
};

/// Whoever holds its lock looks; the others wait.
type SharedRecovery = Arc<tokio::sync::Mutex<RecoveryState>>;

/// By project and region.
#[derive(Debug, Default)]
pub(crate) struct RecoveryTable {
    states: Mutex<HashMap<(String, String), SharedRecovery>>,
}

/// What became of looking through the stacks of one project in one region.
#[derive(Debug, Default)]
pub(crate) struct RecoveryState {
    ended: Option<(Instant, Result<(), OrchestratorError>)>,
    /// By their clusters' names, the stacks that Heat lists and could not show, and its words.
    pub(crate) skipped: BTreeMap<String, String>,
}

impl RecoveryTable {
    /// The state of this project and region.
    pub(crate) fn state_of(&self, project: &str, region: &str) -> SharedRecovery {
        let key = (project.to_owned(), region.to_owned());
        Arc::clone(lock_mutex(&self.states).entry(key).or_default())
    }
}

impl RecoveryState {
    /// What is known, where it need not be asked again: everything was found; a stack that could
    /// not be shown was asked for less than `retry` ago; the cloud failed less than `share` ago, for
    /// those who waited for the same answer.
    pub(crate) fn known(
        &self,
        share: Duration,
        retry: Duration,
    ) -> Option<Result<(), OrchestratorError>> {
        let (at, outcome) = self.ended.as_ref()?;
        let age = monotonic_now().duration_since(*at);
        let is_known = match outcome {
            Ok(()) => self.skipped.is_empty() || age < retry,
            // A token's failure is its user's alone.
            Err(OrchestratorError::Cloud(_)) => age < share,
            Err(_) => false,
        };
        is_known.then(|| outcome.clone())
    }

    /// How it has ended.
    pub(crate) fn end(&mut self, outcome: Result<(), OrchestratorError>) {
        self.ended = Some((monotonic_now(), outcome));
    }
}
