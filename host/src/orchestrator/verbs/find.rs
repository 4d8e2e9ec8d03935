//! Finds and lists clusters: what the store knows, what Heat shows, and clusters whose record was
//! lost.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};

use crate::cluster::NewerPlugins;
use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    planning::newer_plugins::newer_plugins,
    reconcile::{recover, worker},
    state::{
        cluster_handle::ClusterHandle,
        refresh, status, time_left,
        view::{ClusterLookup, ClusterView, show_cluster, view_of},
        waiting,
    },
    verbs::at_rest::at_rest,
};
use crate::store::ClusterRecord;

/// The caller's living cluster of this name: in the caller's region, else in the only other one that
/// has it, since a host whose region was changed still has to reach what it made.
///
/// # Errors
/// `NotFound`; `Conflict` where several other regions have it.
pub(crate) async fn find_cluster(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<Arc<ClusterHandle>, OrchestratorError> {
    match find_here(context, caller, name).await {
        Err(OrchestratorError::NotFound(_)) => find_in_all_regions(context, caller, name).await,
        other => other,
    }
}

/// The caller's living cluster of this name in the caller's region, or in the only one that has it
/// where none is named; one that the store does not know is looked for in Heat, once.
///
/// # Errors
/// As [`find_cluster`].
pub(crate) async fn find_here(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<Arc<ClusterHandle>, OrchestratorError> {
    match find_recorded(context, caller, name).await {
        Err(OrchestratorError::NotFound(_)) => {
            for caller in caller.in_its_regions() {
                Box::pin(recover::recover_project(context, &caller)).await?;
            }
            let found = find_recorded(context, caller, name).await;
            if let Err(OrchestratorError::NotFound(_)) = found {
                for caller in caller.in_its_regions() {
                    recover::skipped_cluster(context, &caller, name).await?;
                }
            }
            found
        }
        other => other,
    }
}

/// The same of those that the store knows.
async fn find_recorded(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<Arc<ClusterHandle>, OrchestratorError> {
    match caller.region() {
        Ok(region) => {
            let registry = &context.state.registry;
            registry.find(caller.project_id(), region, name).await
        }
        Err(_) => find_in_all_regions(context, caller, name).await,
    }
}

async fn find_in_all_regions(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<Arc<ClusterHandle>, OrchestratorError> {
    let registry = &context.state.registry;
    let mut found = registry.find_everywhere(caller.project_id(), name).await?;
    match found.len() {
        0 => Err(OrchestratorError::NotFound(name.to_owned())),
        1 => Ok(found.remove(0)),
        _ => {
            let regions = found.iter().map(|one| one.record().region.clone());
            let regions = regions.collect::<Vec<_>>().join(", ");
            let where_not = caller.region().map_or_else(
                |_| String::new(),
                |region| format!("not in region `{region}` but "),
            );
            Err(OrchestratorError::Conflict(format!(
                "`{name}` is {where_not}in several regions: {regions}; name the region that is meant"
            )))
        }
    }
}

/// One cluster, refreshed where what is known of it is old.
pub(crate) async fn look_up_cluster(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<ClusterLookup, OrchestratorError> {
    match find_cluster(context, caller, name).await {
        Ok(handle) => {
            let shown_age = context.state.limits.shown_age;
            let seen =
                refresh::refresh_cluster(&context.state, &handle, &caller.session, shown_age).await;
            let silent_since_s = seen.as_ref().and_then(|_| handle.refresh.answered_s());
            let record = handle.record();
            if record.is_live() {
                let cloud_error = handle.cloud_error(&record, seen);
                let left = time_left::time_left(&context.state, &handle, &record).await;
                let upgrade = offered_upgrade(context, &record);
                let found = ClusterLookup::new(record, cloud_error).with_time_left(left);
                return Ok(found.with_upgrade(upgrade).silent_since(silent_since_s));
            }
        }
        Err(OrchestratorError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    // Its name is free for another, but what is left of it must not be left alone.
    match find_waiting_deletion(context, caller, name).await? {
        Some((handle, words)) => Ok(ClusterLookup::new(handle.record(), Some(words.into()))),
        None => Err(OrchestratorError::NotFound(name.to_owned())),
    }
}

/// One cluster as it is known; Heat is asked only for one that the store does not know.
pub(crate) async fn look_without_asking(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<ClusterLookup, OrchestratorError> {
    let handle = find_cluster(context, caller, name).await?;
    let record = live_record(context, &handle, name).await?;
    let cloud_error = handle.cloud_error(&record, handle.refresh.error());
    let left = time_left::time_left(&context.state, &handle, &record).await;
    let upgrade = offered_upgrade(context, &record);
    let found = ClusterLookup::new(record, cloud_error).with_time_left(left);
    Ok(found.with_upgrade(upgrade))
}

/// What an upgrade of this cluster would replace, where it can be asked for one.
fn offered_upgrade(context: &Context, record: &ClusterRecord) -> Option<NewerPlugins> {
    let spec = record.spec.as_ref()?;
    let newer = newer_plugins(spec, context.planner.as_ref())
        .ok()
        .flatten()?;
    (record.change().is_none() && at_rest(record).is_ok()).then_some(newer)
}

/// The living cluster that a request of this id was for, as it is known.
pub(crate) async fn find_requested(
    context: &Context,
    caller: &Caller,
    request_id: &str,
) -> Result<Option<ClusterLookup>, OrchestratorError> {
    let registry = &context.state.registry;
    let listed = registry
        .list_project(caller.project_id(), |_| false)
        .await?;
    let mut records = listed.into_iter().map(|one| one.record);
    let found = records.find(|record| {
        let mark = record.request_mark.as_ref();
        record.is_live() && mark.is_some_and(|mark| mark.id == request_id)
    });
    Ok(found.map(|record| ClusterLookup::new(record, None)))
}

/// A cluster of this name whose deletion waits for somebody, and what it waits for.
pub(crate) async fn find_waiting_deletion(
    context: &Context,
    caller: &Caller,
    name: &str,
) -> Result<Option<(Arc<ClusterHandle>, String)>, OrchestratorError> {
    let (project, registry) = (caller.project_id(), &context.state.registry);
    for handle in registry.list_deleting(project, name).await? {
        if let Some(words) = waiting::deletion_waits_for(&context.state, &handle) {
            return Ok(Some((handle, words)));
        }
        // Another process may have recorded it, and have ended.
        let is_idle = !handle.record().is_live() && !handle.has_worker.load(Ordering::Acquire);
        if is_idle
            && context.state.sessions.has_actor(&handle)
            && let Some(context) = context.me.upgrade()
        {
            worker::spawn_worker(&context, &handle);
        }
    }
    Ok(None)
}

/// All living clusters of the caller's project, by name.
///
/// # Errors
/// `Internal`; where the store knows none, also that Heat cannot be asked for forgotten ones.
pub(crate) async fn list_clusters(
    context: &Context,
    caller: &Caller,
) -> Result<Vec<ClusterView>, OrchestratorError> {
    let mut unsearched = None;
    for caller in caller.in_its_regions() {
        if let Err(error) = recover::recover_project(context, &caller).await {
            let project = caller.project_name();
            tracing::warn!("cannot look for forgotten clusters of project {project}: {error}");
            unsearched = Some(error);
        }
    }
    let state = &context.state;
    let is_moving = |record: &ClusterRecord| status::cluster_state(record).is_moving();
    let listed = state
        .registry
        .list_project(caller.project_id(), is_moving)
        .await?;
    if let Some(error) = unsearched.filter(|_| listed.is_empty()) {
        // That there is none is not known.
        return Err(error);
    }
    let mut looked_at: Vec<(Arc<ClusterHandle>, Duration)> = listed
        .iter()
        .filter(|one| is_moving(&one.record))
        .filter_map(|one| Some((Arc::clone(one.handle.as_ref()?), state.limits.shown_age)))
        .take(state.limits.list_looks)
        .collect();
    let places = state.limits.list_looks - looked_at.len();
    // What nodes say of their health changes at rest, too.
    for one in listed
        .iter()
        .filter(|one| !is_moving(&one.record) && status::tells_health(&one.record))
        .take(places)
    {
        let registry = &state.registry;
        let handle = match &one.handle {
            Some(handle) => Some(Arc::clone(handle)),
            None => {
                registry
                    .read_by_id(&one.record.project_id, &one.record.id)
                    .await?
            }
        };
        looked_at.extend(handle.map(|handle| (handle, state.limits.health_every)));
    }
    // Collected before the wait: a lazy chain of closures over borrows would keep this future
    // from being `Send`.
    let refreshes: Vec<_> = looked_at
        .iter()
        .map(|(handle, age)| refresh::refresh_cluster(state, handle, &caller.session, *age))
        .collect();
    stream::iter(refreshes)
        .buffer_unordered(state.limits.list_looks)
        .collect::<Vec<_>>()
        .await;
    let views = listed.iter().filter_map(|one| {
        let mut entered = looked_at.iter().map(|(handle, _)| handle);
        let entered = || entered.find(|handle| handle.record().id == one.record.id);
        let handle = one.handle.as_ref().or_else(entered);
        // What was looked at has another record by now.
        let record = handle.map(|handle| handle.record());
        let record = record.unwrap_or_else(|| Arc::clone(&one.record));
        record.is_live().then(|| match handle {
            Some(handle) => show_cluster(handle, &record),
            None => view_of(&record, None),
        })
    });
    Ok(views.collect())
}

/// The clusters of the caller's project that are being deleted, those among them that could not be.
pub(crate) async fn list_deleting(
    context: &Context,
    caller: &Caller,
) -> Result<Vec<ClusterView>, OrchestratorError> {
    let registry = &context.state.registry;
    let mut views: Vec<ClusterView> = Vec::new();
    let is_deleting = |record: &ClusterRecord| !record.is_live();
    let project = caller.project_id();
    for handle in registry.list_needed(project, is_deleting).await? {
        views.extend(view_deleting(context, caller, &handle).await?);
    }
    Ok(views)
}

/// A cluster that is being deleted, with what it waits for; none where nothing is left of it.
async fn view_deleting(
    context: &Context,
    caller: &Caller,
    handle: &Arc<ClusterHandle>,
) -> Result<Option<ClusterView>, OrchestratorError> {
    worker::reconcile_if_idle(context, handle, &caller.session).await;
    let record = match context.state.registry.reload(handle).await {
        // The last step has dropped the record.
        Err(OrchestratorError::NotFound(_)) => return Ok(None),
        reloaded => reloaded?,
    };
    let mut view = show_cluster(handle, &record);
    let waits = waiting::deletion_waits_for(&context.state, handle);
    view.cloud_error = waits.or(view.cloud_error);
    Ok(Some(view))
}

/// The caller's cluster of this id, living or being deleted; none where nothing is left of it.
pub(crate) async fn find_by_id(
    context: &Context,
    caller: &Caller,
    id: &str,
) -> Result<Option<ClusterView>, OrchestratorError> {
    let (state, project) = (&context.state, caller.project_id());
    let Some(handle) = state.registry.read_by_id(project, id).await? else {
        return Ok(None);
    };
    if !handle.record().is_live() {
        return view_deleting(context, caller, &handle).await;
    }
    let shown_age = state.limits.shown_age;
    refresh::refresh_cluster(state, &handle, &caller.session, shown_age).await;
    Ok(Some(show_cluster(&handle, &handle.record())))
}

/// Why nothing goes on with a cluster in use that has something left to do: its background worker
/// has ended for want of a token that may do it.
pub(crate) fn describe_standstill(
    context: &Context,
    caller: &Caller,
    cluster_id: &str,
) -> Option<String> {
    let handle = context.state.registry.in_use(cluster_id)?;
    let record = handle.record();
    if !status::needs_reconcile(&record) || handle.has_worker.load(Ordering::Acquire) {
        return None;
    }
    let is_anothers = !handle.may_act(&caller.session);
    let reason = handle.cloud_error(&record, handle.refresh.error());
    Some(match reason {
        Some(why) => format!("it waits for another login: {why}"),
        None if is_anothers => {
            "another user of the project asked for it, and only that user's login goes on with it"
                .to_owned()
        }
        None => "it waits for another login".to_owned(),
    })
}

/// The record as the store has it now that the cluster is locked.
pub(crate) async fn live_record(
    context: &Context,
    cluster: &ClusterHandle,
    name: &str,
) -> Result<Arc<ClusterRecord>, OrchestratorError> {
    let record = context.state.registry.reload(cluster).await?;
    // The lock may have been held by a delete.
    if record.is_live() {
        Ok(record)
    } else {
        Err(OrchestratorError::NotFound(name.to_owned()))
    }
}
