//! What is the same in every call of a guest, whatever it is asked: a deadline over the guest and
//! the look at its answer together, the fault where one of both goes wrong, and the record of how it
//! went.

use std::time::Instant;

use tokio::time::error::Elapsed;

use super::sandbox::{GuestCall, PluginSandbox};
use super::{ContractBreach, GenerateError, PluginFault, PluginLimits};
use crate::cluster::Problem;
use crate::metrics::WorkOutcome;
use crate::system::{clock::monotonic_now, heavy_work::take_place};

/// When a call that begins now has to have been judged.
#[derive(Clone, Copy)]
pub(super) struct CallDeadline {
    start: Instant,
    limits: PluginLimits,
}

impl CallDeadline {
    pub(super) fn from_now(sandbox: &PluginSandbox) -> Self {
        Self {
            start: monotonic_now(),
            limits: sandbox.limits,
        }
    }

    pub(super) fn at(self) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.start) + self.limits.time
    }

    /// Ends the call and looks at what the guest has said, on a thread that may take its time.
    pub(super) async fn judge<Theirs: Send + 'static, Ours: Send + 'static>(
        self,
        call: GuestCall<'_>,
        plugin: &str,
        outcome: Result<wasmtime::Result<Theirs>, Elapsed>,
        judge: impl FnOnce(Theirs) -> Result<Result<Ours, Vec<Problem>>, ContractBreach>
        + Send
        + 'static,
    ) -> Result<Ours, GenerateError> {
        let (theirs, ended) = call.end(plugin, outcome)?;
        // What it said takes time to look at, within the time that it has; that others are looked at
        // first is not its fault.
        let now = tokio::time::Instant::from_std(monotonic_now());
        let left = self.at().saturating_duration_since(now);
        let place = take_place().await;
        let judged = place.run(move || judge(theirs));
        let answer = match tokio::time::timeout(left, judged).await {
            Ok(Ok(judged)) => judged.map_err(PluginFault::Contract),
            Ok(Err(panicked)) => Err(PluginFault::Trap(panicked.to_string())),
            Err(_) => Err(PluginFault::Time {
                limit: self.limits.time,
                waited: false,
            }),
        };
        answer
            .map_err(|fault| ended.fault(plugin, fault))?
            .map_err(GenerateError::Problems)
    }
}

impl PluginSandbox {
    /// Records how a call went that began then.
    pub(super) fn record_answer<T>(&self, answer: &Result<T, GenerateError>, start: Instant) {
        let outcome = match answer {
            Ok(_) => WorkOutcome::Succeeded,
            Err(GenerateError::Problems(_)) => WorkOutcome::Refused,
            Err(GenerateError::Failed(_)) => WorkOutcome::Failed,
        };
        self.record_call(outcome, start.elapsed());
    }
}
