//! Deploy: look up, choose, plan, check the quota, record the wish, create the stack.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Caller, ClientAttributes, ClusterView, Context, OrchestratorError,
    cluster_registry::ClusterHandle,
    inventory::{self, CloudInventory},
    merge_attributes,
    planner::{ResolvedFlavors, StackPlan},
    quota, reconcile, resolve, sessions, stack_request,
};
use crate::{
    cluster::{ClusterSpec, DesiredState, LifecyclePhase, Problem, attributes},
    openstack::{CloudError, CloudSession},
    store::{ClusterRecord, NodeNotifications},
};

/// Deploys the cluster. Runs to its end even when the request is dropped.
pub(super) async fn deploy_cluster(
    inner: Arc<Context>,
    caller: Caller,
    name: String,
    attributes: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    let entity = inner.find(&caller, &name).await?;
    let _turn = entity.turn.lock().await;
    let record = inner.book.reload(&entity).await?;
    if !record.is_live() {
        // It waited its turn behind a delete.
        return Err(OrchestratorError::NotFound(name.to_owned()));
    }
    if record.phase != LifecyclePhase::Initialised {
        return repeat_deploy(&inner, &entity, &record, attributes).await;
    }
    let given = merge_attributes::merge_attributes(&record.attributes, attributes, &inner.limits)?;
    let outcome = if record.wish == DesiredState::Deploy {
        // An earlier try got as far as recording what was planned: Heat may have it, so that only
        // the same can be asked for.
        inner.only_foreign(&record, &given)?;
        let owner = caller.user_id();
        let change = |record: &mut ClusterRecord| {
            (record.attributes, record.owner) = (given.clone(), Some(owner.to_owned()))
        };
        inner.book.change_record(&entity, change).await?;
        reconcile::reconcile_once(&inner, &entity, &caller.session, None).await
    } else {
        match record_intent(&inner, &caller, &entity, &given).await? {
            Intent::Checked(planned) => {
                reconcile::reconcile_once(&inner, &entity, &caller.session, Some(planned)).await
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
            inner
                .book
                .change_record(&entity, |record| record.phase = LifecyclePhase::Deployed)
                .await?;
            reconcile::spawn_worker(&inner, &entity);
        }
        // The wish stands until the caller comes with a token that is good for it.
        Err(OrchestratorError::Unauthorized(words)) => {
            inner.sessions.forget_session(&caller.session);
            inner
                .sessions
                .add_waits([sessions::owner_wait(&entity.record())]);
            return Err(OrchestratorError::Unauthorized(words));
        }
        Err(error) => {
            inner.book.change_record(&entity, withdraw_intent).await?;
            return Err(error);
        }
    }
    let record = inner
        .book
        .change_record(&entity, |record| record.acknowledged = true)
        .await?;
    Ok(inner.show(&entity, &record))
}

/// A deploy that is recorded.
enum Intent {
    /// Heat would take it.
    Checked(StackPlan),
    /// Heat did not say.
    Unanswered(CloudError),
}

/// Plans, lets Heat check it, and records what is to be created before anything is.
async fn record_intent(
    inner: &Context,
    caller: &Caller,
    entity: &ClusterHandle,
    given: &BTreeMap<String, String>,
) -> Result<Intent, OrchestratorError> {
    let spec = inner.parse(&entity.record().name, given)?;
    let (spec, planned) = plan_deploy(inner, &caller.session, &spec).await?;
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
    let unanswered = match caller
        .session
        .validate(&stack_request::build_stack_request(
            &wanted,
            &inner.host,
            &planned,
            &BTreeMap::new(),
        ))
        .await
    {
        Ok(()) => None,
        Err(error) if error.is_transient() => Some(error),
        Err(error) => return Err(error.into()),
    };
    inner.book.change_record(entity, change).await?;
    Ok(unanswered.map_or(Intent::Checked(planned), Intent::Unanswered))
}

/// A deploy whose first answer never reached the client is answered once more; any other is not
/// allowed.
async fn repeat_deploy(
    inner: &Context,
    entity: &ClusterHandle,
    record: &ClusterRecord,
    attributes: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    if record.acknowledged {
        return Err(OrchestratorError::NotApplicable(format!(
            "`{}` is deployed already; update or delete it",
            record.name
        )));
    }
    let given = merge_attributes::merge_attributes(&record.attributes, attributes, &inner.limits)?;
    inner.only_foreign(record, &given)?;
    let change = |record: &mut ClusterRecord| {
        record.attributes.clone_from(&given);
        record.acknowledged = true;
    };
    let record = inner.book.change_record(entity, change).await?;
    Ok(inner.show(entity, &record))
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

/// What a plan must know of the cloud.
pub(super) fn resolve_flavors(
    spec: &ClusterSpec,
    cloud: &CloudInventory,
) -> Result<ResolvedFlavors, OrchestratorError> {
    Ok(ResolvedFlavors {
        flavors: cloud
            .flavors
            .iter()
            .map(|flavor| flavor.size.clone())
            .collect(),
        master: cloud.flavor(spec.master_flavor.as_deref())?,
        worker: cloud.flavor(spec.worker_flavor.as_deref())?,
        signal_transport: cloud.signal_transport.clone(),
    })
}

/// The spec with every open name filled in, and what Heat is to be given; all problems at once, and
/// nothing is created.
pub(super) async fn plan_deploy(
    inner: &Context,
    session: &CloudSession,
    spec: &ClusterSpec,
) -> Result<(ClusterSpec, StackPlan), OrchestratorError> {
    let smallest = inner
        .planner
        .smallest(spec)
        .map_err(OrchestratorError::Invalid)?;
    let cloud = inventory::take_inventory(session, spec).await?;
    let spec =
        resolve::resolve_spec(spec, &cloud, &smallest).map_err(OrchestratorError::Invalid)?;
    let chosen = resolve_flavors(&spec, &cloud)?;
    let planned = inner
        .planner
        .plan(&spec, &chosen)
        .await
        .map_err(OrchestratorError::Invalid)?;
    let mut quotas = cloud.quotas;
    if quota::has_volumes(&planned.template) {
        if !session.has_volumes() {
            return Err(OrchestratorError::Invalid(vec![quota::no_volumes(
                session.region(),
            )]));
        }
        (quotas.volumes, quotas.volume_gib) = inventory::volume_quotas(session).await?;
    }
    let problems = quota::check_quotas(&planned.template, &spec, &chosen, &quotas);
    if problems.is_empty() {
        Ok((spec, planned))
    } else {
        Err(OrchestratorError::Invalid(problems))
    }
}

/// What a running cluster cannot be changed in yet, each by its name.
pub(super) fn reject_changes(names: Vec<String>) -> Vec<Problem> {
    let hint = "leave it as it is, or deploy a new cluster";
    names
        .into_iter()
        .map(|name| {
            Problem::new(
                name,
                "cannot be changed in a running cluster by this version of stampede",
                hint,
            )
        })
        .collect()
}
