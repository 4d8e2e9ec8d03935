//! Whether a cluster can be changed now.

use crate::cluster::LifecyclePhase;
use crate::orchestrator::{error::OrchestratorError, planning::inventory};
use crate::store::ClusterRecord;

/// Whether the cluster can be changed now, and its nodes notified.
pub(crate) fn at_rest(record: &ClusterRecord) -> Result<(), OrchestratorError> {
    let name = &record.name;
    if record.phase() == LifecyclePhase::Initialised {
        return Err(OrchestratorError::NotApplicable(format!(
            "`{name}` is not deployed yet; deploy it first"
        )));
    }
    if let Some(why) = record.blocked_reason() {
        return Err(OrchestratorError::Conflict(format!(
            "`{name}` cannot be changed: {why}"
        )));
    }
    if let Some(change) = record.change() {
        let title = change.step().map_or("ending", |step| &step.title);
        return Err(OrchestratorError::Conflict(format!(
            "a change of `{name}` is under way ({title}); wait for its end"
        )));
    }
    let status = record
        .observed
        .status
        .as_deref()
        .unwrap_or("not created yet");
    if !status.ends_with("_COMPLETE")
        || status.starts_with("DELETE")
        || status.starts_with("SUSPEND")
        || record.observed.deleted_externally
    {
        let hint = if status.ends_with("_IN_PROGRESS") {
            "wait until it is complete"
        } else if record.observed.status.is_none() {
            "wait until heat has made it, or delete it"
        } else {
            "a cluster that failed can only be deleted"
        };
        return Err(OrchestratorError::NotApplicable(format!(
            "`{name}` is {status}; {hint}"
        )));
    }
    if record.notified.transport != inventory::SIGNAL_TRANSPORT {
        let words = "its nodes were given a way to signal that has ended, so that they cannot be told of a change; deploy a new cluster";
        return Err(OrchestratorError::NotApplicable(format!(
            "`{name}`: {words}"
        )));
    }
    Ok(())
}
