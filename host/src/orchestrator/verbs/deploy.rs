//! Deploy: look up, choose, plan, check the quota, record the wish, create the stack.

use std::{collections::BTreeMap, sync::Arc};

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    planning::{
        inventory, merge_attributes,
        plan_deploy::{PlannedDeploy, plan_deploy},
    },
    reconcile::{step::reconcile_once, worker::spawn_worker},
    stack::stack_request,
    state::{
        cluster_registry::ClusterHandle,
        sessions,
        view::{ClusterView, show_cluster},
    },
    verbs::find::find_cluster,
};
use crate::{
    cluster::{ClusterSpec, DesiredState, LifecyclePhase, attributes},
    openstack::{CloudError, CreateStack},
    store::{ClusterRecord, NodeNotifications},
};

/// Deploys the cluster. Runs to its end even when the request is dropped.
pub(crate) async fn deploy_cluster(
    context: Arc<Context>,
    caller: Caller,
    name: String,
    attributes: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    let entity = find_cluster(&context, &caller, &name).await?;
    let _turn = entity.turn.lock().await;
    let record = context.state.registry.reload(&entity).await?;
    if !record.is_live() {
        // It waited its turn behind a delete.
        return Err(OrchestratorError::NotFound(name.to_owned()));
    }
    if record.phase != LifecyclePhase::Initialised {
        return repeat_deploy(&context, &entity, &record, attributes).await;
    }
    let given =
        merge_attributes::merge_attributes(&record.attributes, attributes, &context.state.limits)?;
    let outcome = if record.wish == DesiredState::Deploy {
        // An earlier try got as far as recording what was planned: Heat may have it, so that only
        // the same can be asked for.
        context.reject_own_changes(&record, &given)?;
        let owner = caller.user_id();
        let change = |record: &mut ClusterRecord| {
            (record.attributes, record.owner) = (given.clone(), Some(owner.to_owned()))
        };
        context
            .state
            .registry
            .change_record(&entity, change)
            .await?;
        reconcile_once(&context, &entity, &caller.session, None).await
    } else {
        match record_intent(&context, &caller, &entity, &given).await? {
            Intent::Checked(request) => {
                reconcile_once(&context, &entity, &caller.session, Some(*request)).await
            }
            Intent::Unanswered(error) => {
                entity.look.record_contact(Some(error.to_string()));
                Err(error.into())
            }
        }
    };
    match outcome {
        Ok(_) => {}
        // Nobody knows whether Heat has it: the wish stands, and the background finds out.
        Err(OrchestratorError::Cloud(_) | OrchestratorError::Busy { .. }) => {
            context
                .state
                .registry
                .change_record(&entity, |record| record.phase = LifecyclePhase::Deployed)
                .await?;
            spawn_worker(&context, &entity);
        }
        // The wish stands until the caller comes with a token that is good for it.
        Err(OrchestratorError::Unauthorized(words)) => {
            context.state.sessions.forget_session(&caller.session);
            context
                .state
                .sessions
                .add_waits([sessions::owner_wait(&entity.record())]);
            return Err(OrchestratorError::Unauthorized(words));
        }
        Err(error) => {
            context
                .state
                .registry
                .change_record(&entity, withdraw_intent)
                .await?;
            return Err(error);
        }
    }
    let record = context
        .state
        .registry
        .change_record(&entity, |record| record.acknowledged = true)
        .await?;
    Ok(show_cluster(&entity, &record))
}

/// A deploy that is recorded.
enum Intent {
    /// Heat would take this request.
    Checked(Box<CreateStack>),
    /// Heat did not say.
    Unanswered(CloudError),
}

/// Plans, lets Heat check it, and records what is to be created before anything is.
async fn record_intent(
    context: &Context,
    caller: &Caller,
    entity: &ClusterHandle,
    given: &BTreeMap<String, String>,
) -> Result<Intent, OrchestratorError> {
    let (spec, chain) = context.parse_request(&entity.record().name, given)?;
    let PlannedDeploy { spec, planned, .. } =
        plan_deploy(context.planner.as_ref(), &caller.session, &spec, &chain).await?;
    let (region, owner) = (caller.session.region(), caller.user_id());
    let change = |record: &mut ClusterRecord| {
        record.attributes.clone_from(given);
        record.brought = given
            .iter()
            .filter(|(name, _)| attributes::is_ours(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        record.spec = Some(ClusterSpec {
            computed: planned.computed.clone(),
            ..spec.clone()
        });
        record.told = NodeNotifications {
            installed: planned.installed(),
            transport: inventory::SIGNAL_TRANSPORT.to_owned(),
            ..NodeNotifications::default()
        };
        record.endpoints.clone_from(&planned.endpoints);
        region.clone_into(&mut record.region);
        record.owner = Some(owner.to_owned());
        record.wish = if record.wish == DesiredState::Delete {
            DesiredState::Delete
        } else {
            DesiredState::Deploy
        };
    };
    let mut wanted = ClusterRecord::clone(&entity.record());
    change(&mut wanted);
    let mut request = stack_request::build_stack_request(&wanted, &context.host, &planned);
    let unanswered = match caller.session.validate(&request).await {
        Ok(()) => None,
        Err(error) if error.is_transient() => Some(error),
        Err(error) => return Err(error.into()),
    };
    let record = context.state.registry.change_record(entity, change).await?;
    // Another process may have written the record meanwhile, which the stack is to carry.
    stack_request::set_snapshot(&mut request, &record);
    Ok(unanswered.map_or_else(|| Intent::Checked(Box::new(request)), Intent::Unanswered))
}

/// A deploy whose first answer never reached the client is answered once more; any other is not
/// allowed.
async fn repeat_deploy(
    context: &Context,
    entity: &ClusterHandle,
    record: &ClusterRecord,
    attributes: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    if record.acknowledged {
        return Err(deployed_already(record));
    }
    let given =
        merge_attributes::merge_attributes(&record.attributes, attributes, &context.state.limits)?;
    context.reject_own_changes(record, &given)?;
    let change = |record: &mut ClusterRecord| {
        record.attributes.clone_from(&given);
        record.acknowledged = true;
    };
    let record = context.state.registry.change_record(entity, change).await?;
    Ok(show_cluster(entity, &record))
}

/// Why a second deploy is refused.
pub(crate) fn deployed_already(record: &ClusterRecord) -> OrchestratorError {
    OrchestratorError::NotApplicable(format!(
        "`{}` is deployed already; update or delete it",
        record.name
    ))
}

/// Heat has refused: the cluster is as it was before. Where Heat may have taken it and only our
/// store failed, the wish stands.
fn withdraw_intent(record: &mut ClusterRecord) {
    if record.wish == DesiredState::Deploy
        && record.stack_id.is_none()
        && record.create_sent_s.is_none()
    {
        record.wish = DesiredState::None;
        record.spec = None;
    }
}
