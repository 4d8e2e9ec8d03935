//! What forms show of how many clusters the operator allows the project.

use crate::orchestrator::{
    context::{Caller, Context, ProjectIdentity},
    error::OrchestratorError,
    planning::quota::QuotaNeed,
    verbs::{create, request_form::RequestForm},
};

/// Shows how many clusters the project may have, of which there are to be so many more.
pub(crate) async fn show_room(
    context: &Context,
    caller: &Caller,
    more: u64,
    form: &mut RequestForm,
) -> Result<(), OrchestratorError> {
    let policy = context.policy_of(ProjectIdentity::of_session(&caller.session));
    if policy.max_clusters.is_none() {
        return Ok(());
    }
    let store = context.state.registry.store();
    let used = store.count(caller.project_id()).await? as u64;
    let most = create::room(context, caller) as u64;
    let clusters = QuotaNeed {
        what: "clusters",
        needed: more,
        free: Some(most.saturating_sub(used)),
        used: Some(used),
        limit: Some(most),
    };
    form.quotas.insert(0, clusters.into());
    Ok(())
}
