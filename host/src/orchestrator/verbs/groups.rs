//! Groups that projects make of their clusters: remembered in the store, read once, and of no
//! meaning here.

use std::{collections::BTreeSet, sync::Arc};

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    locks::lock_mutex,
    verbs::find::find_cluster,
};
use crate::store::{self, ClusterGroup};

/// What a change makes of the clusters that a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// These too.
    Add,
    /// These no longer.
    Remove,
    /// These and no others.
    Only,
}

pub(crate) async fn project_groups(
    context: &Context,
    caller: &Caller,
) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
    let project = caller.project_id();
    if let Some(groups) = lock_mutex(&context.groups.known).get(project) {
        return Ok(Arc::clone(groups));
    }
    let groups = Arc::new(Box::pin(context.state.registry.store().groups(project)).await?);
    let mut known = lock_mutex(&context.groups.known);
    if known.len() >= context.state.limits.sessions {
        // They are read again when they are asked for.
        known.clear();
    }
    known.insert(project.to_owned(), Arc::clone(&groups));
    Ok(groups)
}

pub(crate) async fn define_group(
    context: &Context,
    caller: &Caller,
    group: ClusterGroup,
) -> Result<(), OrchestratorError> {
    let _turn = context.groups.turn.lock().await;
    let groups = project_groups(context, caller).await?;
    let is_same = |known: &&ClusterGroup| {
        known.name == group.name
            && known.place == group.place
            && known.definition == group.definition
    };
    if groups.iter().any(|known| is_same(&known)) {
        return Ok(());
    }
    if groups.len() >= context.state.limits.groups_per_project {
        return Err(OrchestratorError::TooMany(format!(
            "the project has {} mixins of its own, which is the most; delete one first",
            groups.len()
        )));
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
        .insert_group(caller.project_id(), &group)
        .await;
    forget_groups(context, caller);
    match written {
        Err(store::StoreError::Taken) => Err(OrchestratorError::Conflict(format!(
            "`{}` or its location {} is in use already",
            group.name, group.place
        ))),
        other => Ok(other?),
    }
}

pub(crate) async fn remove_group(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<(), OrchestratorError> {
    let _turn = context.groups.turn.lock().await;
    let written = context
        .state
        .registry
        .store()
        .remove_group(caller.project_id(), name)
        .await;
    forget_groups(context, caller);
    Ok(written?)
}

pub(crate) async fn change_members(
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
    let _turn = context.groups.turn.lock().await;
    let groups = project_groups(context, caller).await?;
    let group = groups
        .iter()
        .find(|group| group.name == name)
        .ok_or_else(|| OrchestratorError::NotFound(name.to_owned()))?;
    let mut wanted = match how {
        MembershipChange::Add => &group.clusters | &named,
        MembershipChange::Remove => &group.clusters - &named,
        MembershipChange::Only => named,
    };
    // Those that were deleted meanwhile are gone from the group too.
    let living: BTreeSet<String> = context
        .state
        .registry
        .list_project(caller.project_id())
        .await?
        .iter()
        .map(|handle| handle.record().id.clone())
        .collect();
    wanted.retain(|id| living.contains(id));
    let written = context
        .state
        .registry
        .store()
        .set_members(caller.project_id(), name, &wanted)
        .await;
    forget_groups(context, caller);
    Ok(written?)
}

fn forget_groups(context: &Context, caller: &Caller) {
    lock_mutex(&context.groups.known).remove(caller.project_id());
}
