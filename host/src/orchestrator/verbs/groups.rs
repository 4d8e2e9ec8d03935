//! Groups that projects make of their clusters: remembered in the store, read once, and of no
//! meaning here.

use std::{collections::BTreeSet, sync::Arc};

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    verbs::find::find_cluster,
};
pub use crate::store::MembershipChange;
use crate::store::{self, ClusterGroup};

pub(crate) async fn project_groups(
    context: &Context,
    caller: &Caller,
) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
    let project = caller.project_id();
    let (state, cache) = (&context.state, &context.groups);
    let now = state.clock.monotonic_now();
    match cache.get(project, now, state.limits.observe_every) {
        Some(groups) => Ok(groups),
        None => read_groups(context, project).await,
    }
}

/// The groups as the store has them now: another process may have changed them.
async fn read_groups(
    context: &Context,
    project: &str,
) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
    let (state, cache) = (&context.state, &context.groups);
    let ticket = cache.begin_read();
    let groups = Arc::new(Box::pin(state.registry.store().groups(project)).await?);
    let now = state.clock.monotonic_now();
    cache.keep(ticket, project, &groups, now, state.limits.sessions);
    Ok(groups)
}

pub(super) async fn define_group(
    context: &Context,
    caller: &Caller,
    group: ClusterGroup,
) -> Result<(), OrchestratorError> {
    let turn = context.groups.turn(caller.project_id());
    let _turn = turn.lock().await;
    let groups = read_groups(context, caller.project_id()).await?;
    let is_same = |known: &&ClusterGroup| {
        known.name == group.name
            && known.place == group.place
            && known.definition == group.definition
    };
    if groups.iter().any(|known| is_same(&known)) {
        return Ok(());
    }
    let most = context.state.limits.groups_per_project;
    let full = || {
        OrchestratorError::TooMany(format!(
            "the project has {most} mixins of its own, which is the most; delete one first"
        ))
    };
    if groups.len() >= most {
        return Err(full());
    }
    let bytes = group.name.len() + group.place.len() + group.definition.len();
    if bytes > context.state.limits.group_bytes {
        return Err(OrchestratorError::TooMany(format!(
            "{bytes} bytes of one mixin, at most {} are kept",
            context.state.limits.group_bytes
        )));
    }
    let written = context
        .state
        .registry
        .store()
        .insert_group(caller.project_id(), &group, most)
        .await;
    forget_groups(context, caller);
    match written {
        Err(store::StoreError::Full) => Err(full()),
        Err(store::StoreError::Taken) => Err(OrchestratorError::Conflict(format!(
            "`{}` or its location {} is in use already",
            group.name, group.place
        ))),
        other => Ok(other?),
    }
}

pub(super) async fn remove_group(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<(), OrchestratorError> {
    let turn = context.groups.turn(caller.project_id());
    let _turn = turn.lock().await;
    let written = context
        .state
        .registry
        .store()
        .remove_group(caller.project_id(), name)
        .await;
    forget_groups(context, caller);
    Ok(written?)
}

pub(super) async fn change_members(
    context: &Context,
    caller: &Caller,
    name: &str,
    how: MembershipChange,
    clusters: &[String],
) -> Result<(), OrchestratorError> {
    let mut named = BTreeSet::new();
    for cluster in clusters {
        named.insert(
            find_cluster(context, caller, cluster)
                .await?
                .record()
                .id
                .clone(),
        );
    }
    let turn = context.groups.turn(caller.project_id());
    let _turn = turn.lock().await;
    let groups = read_groups(context, caller.project_id()).await?;
    if !groups.iter().any(|group| group.name == name) {
        return Err(OrchestratorError::NotFound(name.to_owned()));
    }
    // Only what is named changes, whatever another process makes of the others meanwhile.
    let written = context
        .state
        .registry
        .store()
        .change_members(caller.project_id(), name, how, &named)
        .await;
    forget_groups(context, caller);
    Ok(written?)
}

fn forget_groups(context: &Context, caller: &Caller) {
    context.groups.forget(caller.project_id());
}
