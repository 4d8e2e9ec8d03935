//! Stacks of Stampede's that no record knows: found by their tags in every region of the catalog,
//! taken into the store, or deleted.

use std::sync::Arc;

use crate::orchestrator::{
    context::{Caller, Context},
    error::OrchestratorError,
    reconcile::{
        recover::{CLUSTER_TAG, HOST_TAG, NAME_TAG, find_tag, record_from_stack},
        step::reconcile_once,
        worker::spawn_worker,
    },
    stack::stack_request::TAG,
    state::{
        cluster_registry::InsertOutcome,
        status::needs_reconcile,
        view::{ClusterView, show_cluster},
    },
    verbs::create,
};
use crate::{openstack::CloudError, store::ClusterRecord};

/// A stack of Stampede's that no record of this store knows.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OrphanStack {
    /// The cluster's name; empty where the stack bears none.
    pub cluster: String,
    /// The stack's name.
    pub stack_name: String,
    /// Heat's UUID.
    pub stack_id: String,
    /// Heat's status.
    pub status: String,
    /// The host that made it; it may have a record of it in a store of its own.
    pub host: String,
    /// Where it is.
    pub region: String,
    /// When Heat made it.
    pub created: String,
}

/// All of the caller's project, by region and name.
///
/// # Errors
/// No region answers, `Internal`.
pub(crate) async fn list_orphans(
    context: &Context,
    caller: &Caller,
) -> Result<Vec<OrphanStack>, OrchestratorError> {
    Ok(look_for_orphans(context, caller).await?.0)
}

/// The same, and why a region was left out, where one was.
async fn look_for_orphans(
    context: &Context,
    caller: &Caller,
) -> Result<(Vec<OrphanStack>, Option<CloudError>), OrchestratorError> {
    let store = context.state.registry.store();
    let found = store.of_project(caller.project_id()).await?;
    // One that cannot be read is known all the same.
    let unreadable = found.unreadable.iter().map(|record| (&record.id, None));
    let read = found.records.iter();
    let read = read.map(|record| (&record.id, record.stack_id().map(str::to_owned)));
    let known: Vec<_> = unreadable.chain(read).collect();
    let mut regions = caller.session.heat_regions();
    let ours = caller.session.region().ok();
    if regions.is_empty() {
        regions.extend(ours);
    }
    // Of two regions with one Heat, ours is the one that records have.
    regions.sort_by_key(|region| Some(*region) != ours);
    let mut orphans: Vec<OrphanStack> = Vec::new();
    let (mut asked, mut away) = (false, None);
    for region in regions {
        let session = caller.session.in_region(region);
        let stacks = match session.stacks_by_tag(&[TAG]).await {
            Err(error) if error.is_transient() => {
                tracing::warn!("region `{region}` is left out: {error}");
                away = Some(error);
                continue;
            }
            stacks => stacks?,
        };
        asked = true;
        for stack in stacks {
            if orphans.iter().any(|known| known.stack_id == stack.id) {
                continue;
            }
            let id = find_tag(&stack, CLUSTER_TAG);
            // A second stack of one cluster is not the one that its record knows.
            let is_known = known.iter().any(|(known, stack_id)| {
                stack_id.as_ref() == Some(&stack.id)
                    || (stack_id.is_none() && id.as_ref() == Some(*known))
            });
            if !is_known {
                orphans.push(OrphanStack {
                    cluster: find_tag(&stack, NAME_TAG).unwrap_or_default(),
                    host: find_tag(&stack, HOST_TAG).unwrap_or_default(),
                    stack_name: stack.name,
                    stack_id: stack.id,
                    status: stack.status,
                    region: region.to_owned(),
                    created: stack.created.unwrap_or_default(),
                });
            }
        }
    }
    if let Some(error) = away.take_if(|_| !asked) {
        return Err(error.into());
    }
    orphans.sort_by(|a, b| (&a.region, &a.stack_name).cmp(&(&b.region, &b.stack_name)));
    Ok((orphans, away))
}

/// Makes a record of an orphan, named by its stack's name or id, or by its cluster's name.
pub(super) async fn adopt_orphan(
    context: &Arc<Context>,
    caller: &Caller,
    named: &str,
) -> Result<ClusterView, OrchestratorError> {
    create::check_room(context, caller).await?;
    let (orphan, record) = orphan_record(context, caller, named).await?;
    let name = record.name.clone();
    let most = create::room(context, caller);
    let handle = match context.state.registry.insert_within(record, most).await? {
        InsertOutcome::Entered(Some(handle)) => handle,
        InsertOutcome::Full => return Err(create::full_project(context, caller)),
        InsertOutcome::Entered(None) | InsertOutcome::Taken => {
            return Err(OrchestratorError::Conflict(format!(
                "stack `{}` is of a cluster `{name}`, and there is one of that name in region `{}`; delete one of the two",
                orphan.stack_name, orphan.region
            )));
        }
    };
    let record = handle.record();
    tracing::info!(cluster.id = %record.id, stack.id = %orphan.stack_id, "adopted stack `{}` as `{name}`", orphan.stack_name);
    if needs_reconcile(&record) {
        spawn_worker(context, &handle);
    }
    Ok(show_cluster(&handle, &record))
}

/// Has Heat delete an orphan; the id of the record that sees it to its end.
pub(super) async fn delete_orphan(
    context: Arc<Context>,
    caller: Caller,
    named: String,
) -> Result<String, OrchestratorError> {
    let (orphan, mut record) = orphan_record(&context, &caller, &named).await?;
    let user = caller.user_id();
    let refused =
        |error: crate::store::RefusedTransition| OrchestratorError::internal(error.to_string());
    record.request_deletion(user).map_err(refused)?;
    // There is nothing that it could be again.
    record.accept_deletion(Some(user)).map_err(refused)?;
    let registry = &context.state.registry;
    let handle = registry.insert(record).await?.ok_or_else(|| {
        OrchestratorError::Conflict(format!(
            "the store has a record of the cluster of stack `{}`; delete that one first",
            orphan.stack_name
        ))
    })?;
    let cluster = handle.lock().await;
    let record = cluster.record();
    tracing::info!(cluster.id = %record.id, stack.id = %orphan.stack_id, "asked to delete stack `{}`", orphan.stack_name);
    let step = reconcile_once(&context, &cluster, &caller.session, None).await;
    if let Err(error) = step {
        // Where Heat has it all the same, nothing is left to list; else it is listed again, for
        // those who may.
        registry.drop_record(&cluster, &cluster.record()).await?;
        return Err(error);
    }
    spawn_worker(&context, &cluster);
    Ok(record.id.clone())
}

/// The one orphan of that name or id, and a record of it.
async fn orphan_record(
    context: &Context,
    caller: &Caller,
    named: &str,
) -> Result<(OrphanStack, ClusterRecord), OrchestratorError> {
    let (all, away) = look_for_orphans(context, caller).await?;
    let is_meant = |orphan: &&OrphanStack| {
        [&orphan.stack_id, &orphan.stack_name, &orphan.cluster].contains(&&named.to_owned())
    };
    let mut meant = all.iter().filter(is_meant);
    let orphan = meant.next().cloned().ok_or_else(|| match away {
        // It may be where nobody answers.
        Some(error) => error.into(),
        None => OrchestratorError::Conflict(format!(
            "no stack `{named}` that no record knows; see `stampede list --orphans`"
        )),
    })?;
    let others: Vec<&str> = meant.map(|other| other.stack_id.as_str()).collect();
    if !others.is_empty() {
        return Err(OrchestratorError::Conflict(format!(
            "several stacks are meant by `{named}`: {}, {}; name one by its id",
            orphan.stack_id,
            others.join(", ")
        )));
    }
    let caller = caller.in_region(&orphan.region);
    let id = crate::openstack::StackId {
        name: orphan.stack_name.clone(),
        id: orphan.stack_id.clone(),
    };
    let shown = caller.session.show_stack(&id).await?;
    let now_s = context.state.clock.unix_now_s();
    let record = record_from_stack(&shown, &caller, now_s).ok_or_else(|| {
        OrchestratorError::Conflict(format!(
            "stack `{}` does not bear a cluster's name and id any more; delete it with `openstack stack delete`",
            orphan.stack_name
        ))
    })?;
    Ok((orphan, record))
}
