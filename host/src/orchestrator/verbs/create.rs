//! Changes the record and nothing in the cloud: creates one for a cluster that is asked for.

use std::collections::BTreeMap;

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context, ProjectIdentity},
    error::OrchestratorError,
    planning::merge_attributes,
    stack::stack_request,
    state::{
        cluster_registry::InsertOutcome,
        view::{CreateOutcome, show_cluster},
    },
    verbs::{
        cluster_end::{end_of, without_end},
        find::find_here,
    },
};
use crate::{
    cluster::LifecyclePhase,
    store::{ClusterRecord, RecordIdentity, RequestMark},
};

/// Creates the record of a cluster, where the project has none of that name.
pub(super) async fn create_cluster(
    context: &Context,
    caller: &Caller,
    name: &str,
    attributes: ClientAttributes,
    mark: Option<&RequestMark>,
) -> Result<CreateOutcome, OrchestratorError> {
    let project = caller.project_id();
    match find_here(context, caller, name).await {
        Ok(handle) => {
            return Ok(CreateOutcome::Existing(show_cluster(
                &handle,
                &handle.record(),
            )));
        }
        Err(OrchestratorError::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let region = caller.region()?;
    let attributes =
        merge_attributes::merge_attributes(&BTreeMap::new(), attributes, &context.state.limits)?;
    let (spec, _) = context
        .parse_deploy(&caller.session, name, &attributes)
        .await?;
    check_room(context, caller).await?;
    let (attributes, said) = without_end(attributes);
    let mut record = new_record(context, caller, region, name, attributes);
    let at_s = end_of(spec.expires);
    record
        .set_first_end(at_s, said.as_deref())
        .map_err(|refused| OrchestratorError::internal(refused.to_string()))?;
    if let Some(mark) = mark {
        record
            .mark_request(mark)
            .map_err(|refused| OrchestratorError::internal(refused.to_string()))?;
    }
    tracing::info!(cluster.id = %record.id, project.id = %project, "asked for `{name}`");
    let (registry, most) = (&context.state.registry, room(context, caller));
    match registry.insert_within(record, most).await? {
        InsertOutcome::Entered(Some(handle)) => {
            context.state.ends.look_at(at_s);
            Ok(CreateOutcome::New(show_cluster(&handle, &handle.record())))
        }
        // Two asked at once.
        outcome => match registry.find(project, region, name).await {
            Err(OrchestratorError::NotFound(_)) if matches!(outcome, InsertOutcome::Full) => {
                Err(full_project(context, caller))
            }
            found => {
                found.map(|there| CreateOutcome::Existing(show_cluster(&there, &there.record())))
            }
        },
    }
}

/// Whether the project may have one cluster more.
pub(crate) async fn check_room(
    context: &Context,
    caller: &Caller,
) -> Result<(), OrchestratorError> {
    let store = context.state.registry.store();
    if store.count(caller.project_id()).await? >= room(context, caller) {
        return Err(full_project(context, caller));
    }
    Ok(())
}

/// How many clusters the caller's project may have.
pub(crate) fn room(context: &Context, caller: &Caller) -> usize {
    let policy = context.policy_of(ProjectIdentity::of_session(&caller.session));
    let most = context.state.limits.clusters_per_project;
    let allowed = policy.max_clusters.map(|most| most as usize);
    allowed.map_or(most, |allowed| allowed.min(most))
}

/// The project has as many clusters as it may.
pub(crate) fn full_project(context: &Context, caller: &Caller) -> OrchestratorError {
    let most = room(context, caller);
    let policy = context.policy_of(ProjectIdentity::of_session(&caller.session));
    if let Err(why) = policy.check_room(most) {
        return OrchestratorError::TooMany(why);
    }
    OrchestratorError::TooMany(format!(
        "project `{}` has {} clusters, which is the most; delete one first",
        caller.project_name(),
        most
    ))
}

/// The record of a cluster that is only asked for.
pub(crate) fn new_record(
    context: &Context,
    caller: &Caller,
    region: &str,
    name: &str,
    attributes: BTreeMap<String, String>,
) -> ClusterRecord {
    let id = crate::system::random::new_uuid().to_string();
    let identity = RecordIdentity {
        stack_name: stack_request::stack_name(name, &id),
        id,
        project_id: caller.project_id().to_owned(),
        project_name: caller.project_name().to_owned(),
        name: name.to_owned(),
        region: region.to_owned(),
    };
    ClusterRecord::requested(identity, attributes, context.state.clock.unix_now_s())
}

/// Whether provision is allowed: once, after deploy.
pub(crate) fn check_provision(record: &ClusterRecord) -> Result<(), OrchestratorError> {
    let name = &record.name;
    match record.phase() {
        LifecyclePhase::Deployed => Ok(()),
        LifecyclePhase::Initialised => Err(OrchestratorError::NotApplicable(format!(
            "`{name}` is not deployed yet; deploy it first"
        ))),
        LifecyclePhase::Provisioned => Err(OrchestratorError::NotApplicable(format!(
            "`{name}` is provisioned already"
        ))),
    }
}
