//! What a deletion waits for, in words for whoever can help: it goes on by itself, or a person is
//! needed.

use crate::orchestrator::state::{SharedState, cluster_handle::ClusterHandle};

/// Why the deletion does not go on by itself, for whom it waits, and how to help; none where it goes
/// on, or the cluster lives.
pub(crate) fn deletion_waits_for(state: &SharedState, handle: &ClusterHandle) -> Option<String> {
    let record = handle.record();
    if record.is_live() {
        return None;
    }
    if let Some(why) = record.blocked_reason() {
        return Some(why.to_owned());
    }
    let status = record.observed.status.as_deref();
    let is_at_it = matches!(status, Some("DELETE_IN_PROGRESS" | "DELETE_COMPLETE"));
    if is_at_it || state.sessions.has_actor(handle) {
        return None;
    }
    let user = record.owner.as_deref().map_or_else(
        || "anybody of this project".to_owned(),
        |user| format!("user {user}, who asked for it,"),
    );
    let words = format!(
        "it is to be deleted, and waits for a token of {user} or of anybody else who may delete its stack: delete it again"
    );
    Some(match handle.rejection_reason(&record) {
        Some(why) => format!("{why}; {words}"),
        None => words,
    })
}
