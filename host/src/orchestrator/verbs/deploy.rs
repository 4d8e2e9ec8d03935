//! Deploy: look up, choose, plan, check the quota, record what is wanted, create the stack.

use std::{collections::BTreeMap, sync::Arc};

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    planning::{
        inventory, merge_attributes, plan_deploy::PlannedDeploy, planner::StackPlan,
        whole_refusal::plan_asked,
    },
    reconcile::{
        step::{CheckedCreate, reconcile_once},
        worker::spawn_worker,
    },
    requeue::Requeue,
    stack::{request_size, stack_request},
    state::{
        locked_cluster::LockedCluster,
        view::{ClusterView, show_cluster},
    },
    verbs::{
        cluster_end::{SettledAttributes, first_end, take_end},
        cluster_idle::{first_idle, take_idle},
        find::find_cluster,
    },
};
use crate::{
    cluster::{ClusterSpec, Lifecycle, LifecyclePhase},
    openstack::CloudError,
    store::{ClusterRecord, DeployIntent, NodeNotifications},
};

/// Deploys the cluster. Runs to its end even when the request is dropped.
pub(super) async fn deploy_cluster(
    context: Arc<Context>,
    caller: Caller,
    name: String,
    attributes: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    let handle = find_cluster(&context, &caller, &name).await?;
    let caller = caller.at(&handle.record());
    let cluster = handle.lock().await;
    let record = context.state.registry.reload(&cluster).await?;
    if !record.is_live() {
        // The lock may have been held by a delete.
        return Err(OrchestratorError::NotFound(name.to_owned()));
    }
    if record.phase() != LifecyclePhase::Initialised {
        return repeat_deploy(&context, &cluster, &record, attributes).await;
    }
    let merge = |given| {
        merge_attributes::merge_attributes(&record.attributes, given, &context.state.limits)
    };
    let outcome = if matches!(record.lifecycle, Lifecycle::Deploying { .. }) {
        // Its end is what the first try has made of it.
        let mut attributes = attributes;
        take_end(&mut attributes);
        take_idle(&mut attributes);
        let given = merge(attributes)?;
        // An earlier try got as far as recording what was planned: Heat may have it, so that only
        // the same can be asked for.
        retry_intent(&context, &caller, &cluster, &record, &given).await?;
        reconcile_once(&context, &cluster, &caller.session, None).await
    } else {
        let given = merge(attributes)?;
        match record_intent(&context, &caller, &cluster, &record, &given).await? {
            Intent::Checked(request) => {
                cluster.clear_volunteers();
                reconcile_once(&context, &cluster, &caller.session, Some(*request)).await
            }
            Intent::Unanswered(error) => {
                cluster.refresh.record_contact(Some(error.to_string()));
                Err(error.into())
            }
        }
    };
    match outcome {
        Ok(Requeue::Done) => {}
        // A create that was sent before may still arrive at Heat, or, after an error of the cloud,
        // nobody knows whether Heat has it: what is wanted stands, and the background finds out.
        Ok(_) | Err(OrchestratorError::Cloud(_) | OrchestratorError::Busy { .. }) => {
            spawn_worker(&context, &cluster);
        }
        // Somebody else has changed the cluster meanwhile: what is wanted is decided again.
        Err(error @ OrchestratorError::Outdated(_)) => return Err(error),
        // Only this host failed: what is wanted stands, and the background finds out how far it
        // came.
        Err(error @ OrchestratorError::Internal(_)) => {
            spawn_worker(&context, &cluster);
            return Err(error);
        }
        // What is wanted stands until the caller comes with a token that is good for it.
        Err(OrchestratorError::Unauthorized(words)) => {
            context.state.sessions.forget_session(&caller.session);
            // A newer one may have come meanwhile; otherwise the worker notes who is waited for.
            spawn_worker(&context, &cluster);
            return Err(OrchestratorError::Unauthorized(words));
        }
        Err(error) => {
            cluster.drop_volunteer(caller.user_id());
            let is_anothers = record.is_anothers(caller.user_id());
            withdraw_intent(&context, &cluster, &record, is_anothers).await?;
            return Err(error);
        }
    }
    let acknowledged = context
        .state
        .registry
        .change_record(
            &cluster,
            &cluster.record(),
            ClusterRecord::acknowledge_deploy,
        )
        .await?;
    Ok(show_cluster(&cluster, &acknowledged))
}

/// Has a deploy that is recorded go on, for a caller who may be another than its owner.
async fn retry_intent(
    context: &Context,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    given: &BTreeMap<String, String>,
) -> Result<(), OrchestratorError> {
    context.reject_own_changes(record, given)?;
    let retry = |record: &mut ClusterRecord| record.retry_intent(given);
    let registry = &context.state.registry;
    registry.change_record(cluster, record, retry).await?;
    if record.is_anothers(caller.user_id()) {
        cluster.add_volunteer(caller.user_id());
    }
    Ok(())
}

/// Leaves the record as it was before a deploy that was refused: one that somebody else had asked
/// for stays asked for. Where Heat may have the stack, or somebody else has gone on with it, what is
/// wanted stands.
async fn withdraw_intent(
    context: &Arc<Context>,
    cluster: &LockedCluster<'_>,
    before: &ClusterRecord,
    is_anothers: bool,
) -> Result<(), OrchestratorError> {
    let now = cluster.record();
    let withdraw = |record: &mut ClusterRecord| {
        if is_anothers {
            record.withdraw_retry(before)
        } else {
            record.withdraw_intent(before)
        }
    };
    let registry = &context.state.registry;
    match registry.change_record(cluster, &now, withdraw).await {
        Err(OrchestratorError::Outdated(_)) => {
            spawn_worker(context, cluster);
            Ok(())
        }
        other => other.map(drop),
    }
}

/// A deploy that is recorded.
enum Intent {
    /// Heat would take this request.
    Checked(Box<CheckedCreate>),
    /// Heat did not say.
    Unanswered(CloudError),
}

/// What is recorded of a deploy: all that its stack is made of.
pub(crate) fn build_intent(
    caller: &Caller,
    region: &str,
    given: &BTreeMap<String, String>,
    spec: &ClusterSpec,
    planned: &StackPlan,
) -> DeployIntent {
    DeployIntent {
        attributes: SettledAttributes::of(given.clone()).kept,
        endpoints: planned.endpoints.clone(),
        notified: NodeNotifications {
            installed: planned.installed(),
            transport: inventory::SIGNAL_TRANSPORT.to_owned(),
            ..NodeNotifications::default()
        },
        region: region.to_owned(),
        owner: caller.user_id().to_owned(),
        spec: ClusterSpec {
            computed: planned.computed.clone(),
            // The record keeps it.
            expires: None,
            idle: None,
            allowed_flavors: None,
            ..spec.clone()
        },
    }
}

/// Plans, lets Heat check it, and records what is to be created before anything is.
async fn record_intent(
    context: &Context,
    caller: &Caller,
    cluster: &LockedCluster<'_>,
    decided_on: &ClusterRecord,
    given: &BTreeMap<String, String>,
) -> Result<Intent, OrchestratorError> {
    let (spec, chain) = context
        .parse_deploy(&caller.session, &decided_on.name, given)
        .await?;
    let said = SettledAttributes::of(given.clone());
    let at_s = first_end(context, decided_on, said.expires.as_deref(), &spec)?;
    let PlannedDeploy { spec, planned, .. } =
        plan_asked(context.planner.as_ref(), &caller.session, &spec, &chain).await?;
    let intent = build_intent(caller, caller.region()?, given, &spec, &planned);
    let record_it = |record: &mut ClusterRecord| {
        record.set_first_end(at_s, said.expires.as_deref())?;
        record.set_first_idle(first_idle(spec.idle), said.idle.as_deref())?;
        record.record_intent(&intent)
    };
    // Heat checks the stack as it will be, its snapshot included, before anything is recorded.
    let mut wanted = decided_on.clone();
    record_it(&mut wanted).map_err(|_| OrchestratorError::Outdated(decided_on.name.clone()))?;
    let mut request = stack_request::build_stack_request(&wanted, &context.host, &planned);
    let too_large = request_size::check_deploy(&wanted, &request);
    if !too_large.is_empty() {
        return Err(OrchestratorError::Invalid(too_large));
    }
    let unanswered = match caller.session.validate(&request).await {
        Ok(()) => None,
        Err(error) if error.is_transient() => Some(error),
        Err(error) => return Err(error.into()),
    };
    let registry = &context.state.registry;
    let record = registry
        .change_record(cluster, decided_on, record_it)
        .await?;
    context.state.ends.look_at(at_s);
    stack_request::set_snapshot(&mut request, &record);
    let checked = CheckedCreate {
        request,
        decided_on: record,
    };
    Ok(unanswered.map_or_else(|| Intent::Checked(Box::new(checked)), Intent::Unanswered))
}

/// A deploy whose first answer never reached the client is answered once more; any other is not
/// allowed.
async fn repeat_deploy(
    context: &Context,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    mut attributes: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    if record.acknowledged {
        return Err(deployed_already(record));
    }
    take_end(&mut attributes);
    take_idle(&mut attributes);
    let given =
        merge_attributes::merge_attributes(&record.attributes, attributes, &context.state.limits)?;
    context.reject_own_changes(record, &given)?;
    let change = |record: &mut ClusterRecord| {
        record.store_attributes(&given)?;
        record.acknowledge_deploy()
    };
    let record = context
        .state
        .registry
        .change_record(cluster, record, change)
        .await?;
    Ok(show_cluster(cluster, &record))
}

/// Why a second deploy is refused.
pub(crate) fn deployed_already(record: &ClusterRecord) -> OrchestratorError {
    OrchestratorError::NotApplicable(format!(
        "`{}` is deployed already; update or delete it",
        record.name
    ))
}
