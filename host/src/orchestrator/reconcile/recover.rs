//! Clusters that the store does not know, made again from what their stacks carry: tags and the
//! parameter of [`stack::REQUEST_PARAMETER`]. For a host that starts on an empty disk.

use std::collections::BTreeMap;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    reconcile::worker::spawn_worker,
    stack::stack_request::{self, TAG},
    state::status::{self, needs_reconcile},
};
use crate::{
    cluster::attributes,
    openstack::HeatStack,
    store::{ClusterRecord, ObservedState, RecordIdentity, StackSnapshot},
};

/// Before a cluster's id, and before its name.
pub(crate) const CLUSTER_TAG: &str = "stampede.cluster.";
pub(crate) const NAME_TAG: &str = "stampede.name.";
/// Before the name of the host that made a stack.
pub(crate) const HOST_TAG: &str = "stampede.host.";

/// Looks once in a process's life for clusters in the project, in the caller's region, that a host of
/// our name has made and the store does not know. Those who come meanwhile wait for the same look. A
/// stack that Heat lists and cannot show is put aside and tried again later.
///
/// # Errors
/// Heat cannot be asked: then nobody can say that a cluster is not there.
pub(crate) async fn recover_project(
    context: &Context,
    caller: &Caller,
) -> Result<(), OrchestratorError> {
    let table = &context.recoveries;
    let state = table.state_of(caller.project_id(), caller.region()?);
    let mut state = state.lock().await;
    let limits = &context.state.limits;
    if let Some(known) = state.known(limits.observe_every, limits.backoff_max) {
        return known;
    }
    let outcome = look_through_stacks(context, caller).await;
    let ended = match outcome {
        Ok(skipped) => {
            state.skipped = skipped;
            Ok(())
        }
        Err(error) => Err(error),
    };
    state.end(ended.clone());
    ended
}

/// Why it cannot be said that there is no cluster of this name, where Heat lists a stack of it that
/// it could not show.
pub(crate) async fn skipped_cluster(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<(), OrchestratorError> {
    let table = &context.recoveries;
    let state = table.state_of(caller.project_id(), caller.region()?);
    let state = state.lock().await;
    match state.skipped.get(name) {
        Some(why) => Err(OrchestratorError::cloud(format!(
            "`{name}` is known by its stack alone, which heat cannot show now: {why}"
        ))),
        None => Ok(()),
    }
}

/// Makes records of all stacks of ours that have none; returns those that could not be looked at.
async fn look_through_stacks(
    context: &Context,
    caller: &Caller,
) -> Result<BTreeMap<String, String>, OrchestratorError> {
    let registry = &context.state.registry;
    let listed = registry
        .list_project(caller.project_id(), |_| false)
        .await?;
    let known: Vec<String> = listed.iter().map(|one| one.record.id.clone()).collect();
    let mut skipped = BTreeMap::new();
    let tags = [TAG, &stack_request::host_tag(&context.host)];
    let mut stacks = caller.session.stacks_by_tag(&tags).await?;
    // Of two of one name, the later one is the living one.
    stacks.sort_by(|a, b| b.created.cmp(&a.created));
    for listed in &stacks {
        let is_known = |id: &String| listed.name.ends_with(&stack_request::short_id(id));
        if known.iter().any(is_known) {
            continue;
        }
        let shown = match caller.session.show_stack(&listed.stack_id()).await {
            Ok(shown) => shown,
            // It was deleted since it was listed.
            Err(error) if error.is_not_found() => continue,
            Err(error) if error.is_token() => return Err(error.into()),
            Err(error) => {
                tracing::warn!(stack.id = %listed.id, "cannot look at stack `{}`, the others are looked at: {error}", listed.name);
                let name = find_tag(listed, NAME_TAG).unwrap_or_default();
                skipped.insert(name, error.to_string());
                continue;
            }
        };
        let Some(record) = record_from_stack(&shown, caller, context.state.clock.unix_now_s())
            .filter(|record| !known.contains(&record.id))
        else {
            continue;
        };
        let (id, name) = (record.id.clone(), record.name.clone());
        let Some(handle) = registry.insert(record).await? else {
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
    Ok(skipped)
}

pub(crate) fn find_tag(stack: &HeatStack, prefix: &str) -> Option<String> {
    let mut tags = stack.tags.iter();
    tags.find_map(|tag| tag.strip_prefix(prefix))
        .map(str::to_owned)
}

/// The record that this stack tells of, if it is one of ours.
pub(crate) fn record_from_stack(
    shown: &HeatStack,
    caller: &Caller,
    now_s: u64,
) -> Option<ClusterRecord> {
    let region = caller.region().ok()?.to_owned();
    let id = find_tag(shown, CLUSTER_TAG)?;
    let name = find_tag(shown, NAME_TAG).filter(|name| attributes::is_name(name))?;
    let identity = RecordIdentity {
        id,
        project_id: caller.project_id().to_owned(),
        project_name: caller.project_name().to_owned(),
        name,
        stack_name: shown.name.clone(),
        region,
    };
    Some(ClusterRecord::recovered(
        identity,
        StackSnapshot::from_stack(shown),
        shown.id.clone(),
        status::fold_status(&ObservedState::default(), shown),
        now_s,
    ))
}
