//! A user who has logged in: what waits for one goes on with the session.

use crate::openstack::CloudSession;
use std::sync::Arc;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    reconcile::{cluster_ends::follow_ends, idle_ends::follow_idle, resume},
    sweeper,
};

/// Remembers the session, and begins what is pending in its project.
pub(crate) async fn register_session(
    context: &Arc<Context>,
    session: CloudSession,
) -> Result<Caller, OrchestratorError> {
    sweeper::start_sweeper(context, |context| {
        Box::pin(async move {
            if follow_ends(&context).await {
                follow_idle(&context).await;
            }
        })
    });
    let sessions = &context.state.sessions;
    if sessions.remember_session(&session) {
        let project = &session.project().id;
        if let Err(error) = Box::pin(resume::resume_project(context, project)).await {
            tracing::warn!(
                "cannot go on with what is pending in project {project}, its next request tries again: {error}"
            );
            sessions.forget_session(&session);
            sessions.add_waits([(project.clone(), None)]);
        }
    }
    Ok(Caller::new(session))
}
