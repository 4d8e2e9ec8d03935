//! Update: takes attributes over those that were given before, and begins the change that they mean
//! for a running cluster.

use std::{collections::BTreeMap, sync::Arc};

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    planning::merge_attributes,
    reconcile::worker::spawn_worker,
    rollout::{desired_state, execute as rollout, rollback, update_request::UpdateRequest},
    state::{
        locked_cluster::LockedCluster,
        refresh, status,
        view::{ClusterView, show_cluster},
    },
    verbs::{
        at_rest::at_rest,
        find::{find_cluster, live_record},
        new_ends::NewEnds,
        plan_change::{PlannedChange, plan_change},
        request_revision::check_revision,
    },
};
use crate::{
    cluster::{
        ClusterChange, Lifecycle, attribute_schema::UPGRADE, default_groups::many_nodes,
        former_records::refuse_change, group_value::attribute_of,
    },
    store::ClusterRecord,
};

/// Takes attributes over those that were given before. Of a running cluster, begins the change and
/// returns. `revision` is what the cluster was asked to be when whoever asks looked at it.
pub(super) async fn update_cluster(
    context: Arc<Context>,
    caller: Caller,
    name: String,
    mut given: ClientAttributes,
    revision: Option<String>,
) -> Result<ClusterView, OrchestratorError> {
    let handle = find_cluster(&context, &caller, &name).await?;
    let caller = caller.at(&handle.record());
    // Before the lock, since it may take its time: all that follows is decided by one record.
    refresh::refresh_cluster(
        &context.state,
        &handle,
        &caller.session,
        context.state.limits.observe_every,
    )
    .await;
    let cluster = handle.lock().await;
    let record = live_record(&context, &cluster, &name).await?;
    check_revision(&record, revision.as_deref())?;
    let ends = take_ends(&context, &record, caller.user_id(), &mut given)?;
    if given.is_empty() && ends.are_said() {
        let give = |record: &mut ClusterRecord| ends.give(record);
        let registry = &context.state.registry;
        registry.change_record(&cluster, &record, give).await?;
    } else {
        let request = UpdateRequest::from_attributes(given, &context.attribute_names, &record);
        update_spec(&context, &caller, &cluster, record, (request, &ends)).await?;
    }
    ends.follow(&context, &cluster.record());
    Ok(show_cluster(&cluster, &cluster.record()))
}

/// Takes out of the attributes that this user has given what they say of the cluster's ends.
///
/// # Errors
/// `Invalid`: one is wrong, with all that is wrong with the rest.
pub(crate) fn take_ends(
    context: &Context,
    record: &ClusterRecord,
    user: &str,
    given: &mut ClientAttributes,
) -> Result<NewEnds, OrchestratorError> {
    NewEnds::read(context, record, user, given).check(|| {
        let given = given.clone();
        let request = UpdateRequest::from_attributes(given, &context.attribute_names, record);
        match record.lifecycle {
            Lifecycle::Requested => merge_before_deploy(context, record, request).map(drop),
            _ => desired_state::change_target(context, record, &request).map(drop),
        }
    })
}

/// Changes all that is no matter of its ends alone, which are recorded with it.
async fn update_spec(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    record: Arc<ClusterRecord>,
    (request, ends): (UpdateRequest, &NewEnds),
) -> Result<ClusterView, OrchestratorError> {
    if record.lifecycle == Lifecycle::Requested {
        let merged = merge_before_deploy(context, &record, request)?;
        return store_attributes(context, cluster, &record, (&merged, ends)).await;
    }
    let before = Arc::clone(&record);
    let mut record = match without_lonely_change(context, cluster, &record, &request)? {
        Some(without) => Arc::new(without),
        None => record,
    };
    if record.change().is_none() {
        if !desired_state::changes_cluster(context, &record, &request)? {
            let merged = merge_attributes::merge_attributes(
                &record.attributes,
                request.given,
                &context.state.limits,
            )?;
            return store_attributes(context, cluster, &record, (&merged, ends)).await;
        }
        if let Some(newer) = rollout::catch_up(context, cluster, &record, &caller.session).await? {
            spawn_worker(context, cluster);
            record = newer;
        }
    }
    if let Some(change) = record.change() {
        let asked = (request, ends);
        return match record.blocked_reason() {
            Some(why) => {
                retry_blocked_change(context, caller, cluster, &record, change, why, asked).await
            }
            None => update_during_change(context, caller, cluster, &record, change, asked).await,
        };
    }
    let target = desired_state::change_target(context, &record, &request)?;
    at_rest(&record)?;
    caller.session.refuse_without_trust()?;
    let planned = plan_change(context, caller, &record, target).await?;
    begin_change(context, caller, cluster, &before, (planned, ends)).await?;
    Ok(show_cluster(cluster, &cluster.record()))
}

/// Takes these attributes, which change nothing in the cloud.
async fn store_attributes(
    context: &Context,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
    (attributes, ends): (&BTreeMap<String, String>, &NewEnds),
) -> Result<ClusterView, OrchestratorError> {
    let store = |record: &mut ClusterRecord| {
        record.store_attributes(attributes)?;
        ends.give(record)
    };
    let registry = &context.state.registry;
    let record = registry.change_record(cluster, decided_on, store).await?;
    Ok(show_cluster(cluster, &record))
}

/// The attributes of a cluster that is not deployed yet, with what is given now over them.
pub(crate) fn merge_before_deploy(
    context: &Context,
    record: &ClusterRecord,
    request: UpdateRequest,
) -> Result<BTreeMap<String, String>, OrchestratorError> {
    let wants_upgrade = request.wants_upgrade()?;
    let merged = merge_attributes::merge_attributes(
        &record.attributes,
        request.given,
        &context.state.limits,
    )?;
    if wants_upgrade {
        return Err(desired_state::invalid(
            UPGRADE,
            "the cluster is not deployed yet, it will be made by the plugins of now",
            "leave it out",
        ));
    }
    if let Some(group) = request.remove.keys().next() {
        return Err(desired_state::invalid(
            &attribute_of(group, "remove"),
            &format!(
                "the cluster is not deployed yet, it has no {}",
                many_nodes(group)
            ),
            &format!("set how many with `{}`", attribute_of(group, "count")),
        ));
    }
    context.parse_spec(record, &merged)?;
    Ok(merged)
}

/// While a change is under way only attributes that are not ours may change; the same request once
/// more is answered once more, and where another has begun the change, it may go on with this
/// caller's token.
async fn update_during_change(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    change: &ClusterChange,
    (request, ends): (UpdateRequest, &NewEnds),
) -> Result<ClusterView, OrchestratorError> {
    if !is_same_change(context, record, &request)? {
        at_rest(record)?;
    }
    let foreign = request.foreign();
    let merged = merge_attributes::merge_attributes(
        &change.attributes,
        request.given,
        &context.state.limits,
    )?;
    let kept =
        merge_attributes::merge_attributes(&record.attributes, foreign, &context.state.limits)?;
    let after = context
        .state
        .registry
        .change_record(cluster, record, |record| {
            record.store_attributes_of_change(&kept, &merged)?;
            ends.give(record)
        })
        .await?;
    cluster.add_volunteer(caller.user_id());
    spawn_worker(context, cluster);
    Ok(show_cluster(cluster, &after))
}

/// Whether the request wants nothing else of Stampede's own than the change that is under way.
fn is_same_change(
    context: &Context,
    record: &ClusterRecord,
    request: &UpdateRequest,
) -> Result<bool, OrchestratorError> {
    let Some(change) = record.change() else {
        return Ok(false);
    };
    let merged = merge_attributes::merge_attributes(
        &change.attributes,
        request.given.clone(),
        &context.state.limits,
    )?;
    let changed = context.changed_names(&change.to, &change.attributes, &merged)?;
    let is_same_upgrade = !request.wants_upgrade()? || change.upgrade.is_some();
    Ok(changed.is_empty() && request.remove.is_empty() && is_same_upgrade)
}

/// The record without the change that the request is to take the place of: one of which Heat has
/// taken nothing, and which waits for a token that may never come, since nobody is there who could
/// give it to Heat. None where the request wants the same, or what there is already.
fn without_lonely_change(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    request: &UpdateRequest,
) -> Result<Option<ClusterRecord>, OrchestratorError> {
    let is_lonely = record.is_change_untaken()
        && record.blocked_reason().is_none()
        && !context.state.sessions.has_actor(cluster);
    if !is_lonely || is_same_change(context, record, request)? {
        return Ok(None);
    }
    let mut without = record.clone();
    let is_dropped = without.drop_untaken_change("").is_ok();
    let replaces = is_dropped && desired_state::changes_cluster(context, &without, request)?;
    Ok(replaces.then_some(without))
}

/// A change that failed and could not be taken back is taken back once more, whatever else is asked
/// for; that has to be asked for again.
async fn retry_blocked_change(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    change: &ClusterChange,
    why: &str,
    (request, ends): (UpdateRequest, &NewEnds),
) -> Result<ClusterView, OrchestratorError> {
    if let Some(why) = record.spec.as_ref().and_then(refuse_change) {
        return Err(OrchestratorError::NotApplicable(why));
    }
    let wants_more = desired_state::changes_cluster(context, record, &request)?;
    let why = change
        .rolling_back_because
        .clone()
        .unwrap_or_else(|| why.to_owned());
    cluster.add_volunteer(caller.user_id());
    let owner = record.owner.clone();
    let mut turned = rollback::start_rollback(context, cluster, record, why, owner).await?;
    if record.is_anothers(caller.user_id()) {
        send_first_step_back(context, caller, cluster, record, &turned).await?;
        turned = cluster.record();
    }
    spawn_worker(context, cluster);
    if wants_more {
        let words = format!(
            "the last change of `{}` failed and is being taken back once more; ask again when that has ended",
            record.name
        );
        return Err(OrchestratorError::Conflict(words));
    }
    let kept = merge_attributes::merge_attributes(
        &record.attributes,
        request.foreign(),
        &context.state.limits,
    )?;
    store_attributes(context, cluster, &turned, (&kept, ends)).await
}

/// Whether the caller may is Heat's to say, before anything is done with the token of whose change
/// it is: who may not leaves it as it was.
async fn send_first_step_back(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    before: &ClusterRecord,
    turned: &ClusterRecord,
) -> Result<(), OrchestratorError> {
    let sent = rollout::send_step(context, cluster, turned, &caller.session).await;
    let now = cluster.record();
    match sent {
        Ok(_) => Ok(()),
        // Heat may have it: what has become of it is found out in the background.
        Err(_) if now.lease.is_some() => Ok(()),
        Err(error) => {
            cluster.drop_volunteer(caller.user_id());
            let withdraw = |record: &mut ClusterRecord| record.withdraw_rollback(before);
            let registry = &context.state.registry;
            registry.change_record(cluster, &now, withdraw).await?;
            Err(error)
        }
    }
}

/// Records the change, in the place of one that nobody gives to Heat, and gives Heat its first step;
/// what Heat refuses is as if it had never been asked for.
async fn begin_change(
    context: &Arc<Context>,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    before: &ClusterRecord,
    (planned, ends): (PlannedChange, &NewEnds),
) -> Result<(), OrchestratorError> {
    let PlannedChange { change, plan, .. } = planned;
    let registry = &context.state.registry;
    let begin = |record: &mut ClusterRecord| {
        if before.change().is_some() {
            record.drop_untaken_change("another one takes its place")?;
        }
        record.begin_change(&change, caller.user_id())?;
        ends.give(record)
    };
    let kept = registry.change_record(cluster, before, begin).await?;
    cluster.clear_volunteers();
    context.change_plans.insert(&kept.id, Arc::new(plan));
    tracing::info!(cluster.id = %kept.id, "`{}` is to change in {} steps", kept.name, change.steps.len());
    let sent = rollout::send_step(context, cluster, &kept, &caller.session).await;
    let now = cluster.record();
    if status::is_deleted_outside(&now.observed) {
        at_rest(&now)?;
    }
    if now.change().map(|now| &now.to) != Some(&change.to) {
        spawn_worker(context, cluster);
        return Err(OrchestratorError::Conflict(format!(
            "another host has changed `{}` meanwhile; look at it and ask again",
            kept.name
        )));
    }
    match sent {
        // Whether Heat has it is found out in the background.
        Ok(_)
        | Err(
            OrchestratorError::Cloud(_)
            | OrchestratorError::Busy { .. }
            | OrchestratorError::Outdated(_)
            | OrchestratorError::Internal(_),
        ) => {}
        Err(error) => {
            let withdraw = |record: &mut ClusterRecord| record.withdraw_change(before);
            match registry.change_record(cluster, &now, withdraw).await {
                // Somebody else has gone on with it.
                Err(OrchestratorError::Outdated(_)) => spawn_worker(context, cluster),
                withdrawn => {
                    withdrawn?;
                    context.change_plans.remove(&kept.id);
                }
            }
            return Err(error);
        }
    }
    spawn_worker(context, cluster);
    Ok(())
}
