//! Clusters that the store does not know, made again from what their stacks carry: tags and the
//! parameter of [`stack::REQUEST_PARAMETER`]. For a host that starts on an empty disk.

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    locks::{lock_mutex, now_s},
    reconcile::worker::spawn_worker,
    stack::stack_request::{self, TAG},
    state::status::{self, needs_reconcile},
};
use crate::{
    cluster::attributes,
    openstack::HeatStack,
    store::{ClusterRecord, ObservedState, RecordIdentity, StackSnapshot},
};

/// Looks once in a process's life for clusters in the project that a host of our name has made and
/// the store does not know.
///
/// # Errors
/// Heat cannot be asked: then nobody can say that a cluster is not there.
pub(crate) async fn recover_project(
    context: &Context,
    caller: &Caller,
) -> Result<(), OrchestratorError> {
    let project = caller.project_id();
    if lock_mutex(&context.recovered).contains(project) {
        return Ok(());
    }
    let known: Vec<String> = context
        .state
        .registry
        .list_project(project)
        .await?
        .iter()
        .map(|handle| handle.record().id.clone())
        .collect();
    let mut stacks = caller
        .session
        .stacks_by_tag(&[TAG, &stack_request::host_tag(&context.host)])
        .await?;
    // Of two of one name, the later one is the living one.
    stacks.sort_by(|a, b| b.created.cmp(&a.created));
    for listed in &stacks {
        if known
            .iter()
            .any(|id| listed.name.ends_with(&stack_request::short_id(id)))
        {
            continue;
        }
        let shown = caller.session.show_stack(&listed.stack_id()).await?;
        let Some(record) =
            record_from_stack(&shown, caller).filter(|record| !known.contains(&record.id))
        else {
            continue;
        };
        let (id, name) = (record.id.clone(), record.name.clone());
        let Some(handle) = context.state.registry.insert(record).await? else {
            continue;
        };
        tracing::info!(cluster.id = %id, stack.id = %shown.id, "found `{name}` again by its stack, which is {}", shown.status);
        // Somebody asked for a delete or a change: it is seen to its end.
        if let Some(context) = context
            .me
            .upgrade()
            .filter(|_| needs_reconcile(&handle.record()))
        {
            spawn_worker(&context, &handle);
        }
    }
    lock_mutex(&context.recovered).insert(project.to_owned());
    Ok(())
}

/// The record that this stack tells of, if it is one of ours.
fn record_from_stack(shown: &HeatStack, caller: &Caller) -> Option<ClusterRecord> {
    let tag = |prefix: &str| {
        shown
            .tags
            .iter()
            .find_map(|tag| tag.strip_prefix(prefix))
            .map(str::to_owned)
    };
    let (id, name) = (
        tag("stampede.cluster.")?,
        tag("stampede.name.").filter(|name| attributes::is_name(name))?,
    );
    let identity = RecordIdentity {
        id,
        project_id: caller.project_id().to_owned(),
        project_name: caller.project_name().to_owned(),
        name,
        stack_name: shown.name.clone(),
        region: caller.session.region().to_owned(),
    };
    Some(ClusterRecord::recovered(
        identity,
        StackSnapshot::from_stack(shown),
        shown.id.clone(),
        status::fold_status(&ObservedState::default(), shown),
        now_s(),
    ))
}
