//! Groups that projects make of their clusters: remembered in the store, read once, and of no
//! meaning here.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use super::{Caller, Context, Orchestrator, OrchestratorError, cluster_registry::lock_mutex};
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

/// The groups of the projects that were here.
#[derive(Debug, Default)]
pub(super) struct GroupCache {
    known: Mutex<HashMap<String, Arc<Vec<ClusterGroup>>>>,
    /// Held while one is changed.
    turn: tokio::sync::Mutex<()>,
}

impl Orchestrator {
    /// The groups of the caller's project, by name.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn groups(
        &self,
        caller: &Caller,
    ) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
        of(&self.inner, caller).await
    }

    /// Makes a group, without clusters. The same once more is no error.
    ///
    /// # Errors
    /// `TooMany`, `Conflict` (its name or place is in use).
    pub async fn define_group(
        &self,
        caller: &Caller,
        group: ClusterGroup,
    ) -> Result<(), OrchestratorError> {
        define(&self.inner, caller, group).await
    }

    /// Drops a group; its clusters stay.
    ///
    /// # Errors
    /// `Internal`.
    pub async fn remove_group(&self, caller: &Caller, name: &str) -> Result<(), OrchestratorError> {
        remove(&self.inner, caller, name).await
    }

    /// Changes which clusters a group has; all of those named must be there, or nothing is changed.
    ///
    /// # Errors
    /// `NotFound` with the group's or a cluster's name.
    pub async fn group_members(
        &self,
        caller: &Caller,
        name: &str,
        how: MembershipChange,
        clusters: &[String],
    ) -> Result<(), OrchestratorError> {
        members(&self.inner, caller, name, how, clusters).await
    }
}

async fn of(inner: &Context, caller: &Caller) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
    let project = caller.project_id();
    if let Some(groups) = lock_mutex(&inner.groups.known).get(project) {
        return Ok(Arc::clone(groups));
    }
    let groups = Arc::new(Box::pin(inner.book.store().groups(project)).await?);
    let mut known = lock_mutex(&inner.groups.known);
    if known.len() >= inner.limits.sessions {
        // They are read again when they are asked for.
        known.clear();
    }
    known.insert(project.to_owned(), Arc::clone(&groups));
    Ok(groups)
}

async fn define(
    inner: &Context,
    caller: &Caller,
    group: ClusterGroup,
) -> Result<(), OrchestratorError> {
    let _turn = inner.groups.turn.lock().await;
    let groups = of(inner, caller).await?;
    let is_same = |known: &&ClusterGroup| {
        known.name == group.name
            && known.place == group.place
            && known.definition == group.definition
    };
    if groups.iter().any(|known| is_same(&known)) {
        return Ok(());
    }
    if groups.len() >= inner.limits.groups_per_project {
        return Err(OrchestratorError::TooMany(format!(
            "the project has {} mixins of its own, which is the most; delete one first",
            groups.len()
        )));
    }
    let bytes = group.name.len() + group.place.len() + group.definition.len();
    if bytes > inner.limits.group_bytes {
        return Err(OrchestratorError::TooMany(format!(
            "{bytes} bytes of one mixin, at most {} are kept",
            inner.limits.group_bytes
        )));
    }
    let written = inner
        .book
        .store()
        .insert_group(caller.project_id(), &group)
        .await;
    forget(inner, caller);
    match written {
        Err(store::StoreError::Taken) => Err(OrchestratorError::Conflict(format!(
            "`{}` or its location {} is in use already",
            group.name, group.place
        ))),
        other => Ok(other?),
    }
}

async fn remove(inner: &Context, caller: &Caller, name: &str) -> Result<(), OrchestratorError> {
    let _turn = inner.groups.turn.lock().await;
    let written = inner
        .book
        .store()
        .remove_group(caller.project_id(), name)
        .await;
    forget(inner, caller);
    Ok(written?)
}

async fn members(
    inner: &Context,
    caller: &Caller,
    name: &str,
    how: MembershipChange,
    clusters: &[String],
) -> Result<(), OrchestratorError> {
    let mut named = BTreeSet::new();
    for cluster in clusters {
        named.insert(inner.find(caller, cluster).await?.record().id.clone());
    }
    let _turn = inner.groups.turn.lock().await;
    let groups = of(inner, caller).await?;
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
    let living: BTreeSet<String> = inner
        .book
        .list_project(caller.project_id())
        .await?
        .iter()
        .map(|entity| entity.record().id.clone())
        .collect();
    wanted.retain(|id| living.contains(id));
    let written = inner
        .book
        .store()
        .set_members(caller.project_id(), name, &wanted)
        .await;
    forget(inner, caller);
    Ok(written?)
}

fn forget(inner: &Context, caller: &Caller) {
    lock_mutex(&inner.groups.known).remove(caller.project_id());
}
