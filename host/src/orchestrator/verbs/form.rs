//! What a form shows of a request that may be incomplete or wrong: what a deploy would be refused
//! for, what each attribute comes to and why, the quotas, and what would be made. Nothing is recorded,
//! and of the cloud nothing but Heat's validation is asked that is not a read.

use std::{collections::BTreeMap, sync::Arc};

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context, ProjectIdentity},
    error::OrchestratorError,
    planning::{
        cloud_choices, merge_attributes,
        planner::StackPlan,
        request_values::ValueInputs,
        whole_refusal::{LookedAtRequest, look_at_request},
    },
    stack::{request_size, stack_request},
    state::time_left::former_runs,
    verbs::{
        create, deploy,
        find::{find_here, live_record},
        form_change,
        form_policy::show_room,
        request_form::{
            FormFramework, NodeMakeup, RequestForm, describe_frameworks, describe_groups,
            describe_plan, form_quotas,
        },
    },
};
use crate::{
    cluster::{
        ClusterSpec, Lifecycle, LifecyclePhase, Problem, attributes,
        former_runs::{RunKind, RunShape},
    },
    store::ClusterRecord,
};

/// What stands for a name that is missing or wrong, so that the rest can be looked at.
const STAND_IN_NAME: &str = "unnamed";

/// What forms ask the orchestrator.
pub struct RequestForms {
    context: Arc<Context>,
    /// Whether nothing is shown that was remembered of the cloud.
    is_fresh: bool,
}

/// How much of a request is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormDepth {
    /// All but Heat's own validation: for each change of a form.
    Typing,
    /// What a deploy checks before it records anything.
    Whole,
}

impl RequestForms {
    pub(crate) fn new(context: &Arc<Context>) -> Self {
        Self {
            context: Arc::clone(context),
            is_fresh: false,
        }
    }

    /// The same, with the cloud asked anew: what a request was refused for a moment ago is to be seen.
    #[must_use]
    pub fn afresh(self) -> Self {
        Self {
            is_fresh: true,
            ..self
        }
    }

    /// What a form shows of a cluster that is to be made, or that was asked for and is not deployed.
    ///
    /// # Errors
    /// `Unauthorized`, `Internal`; all else is told in the form.
    pub async fn new_cluster(
        &self,
        caller: &Caller,
        name: &str,
        given: ClientAttributes,
        depth: FormDepth,
    ) -> Result<RequestForm, OrchestratorError> {
        // Large: what plans a cluster is in it.
        Box::pin(show_request(self, caller, name, given, depth)).await
    }

    /// The same of a change to a cluster that is running.
    ///
    /// # Errors
    /// `NotFound`, `Unauthorized`, `Internal`; all else is told in the form.
    pub async fn change(
        &self,
        caller: &Caller,
        name: &str,
        given: ClientAttributes,
    ) -> Result<RequestForm, OrchestratorError> {
        let (context, is_fresh) = (&self.context, self.is_fresh);
        let shown = form_change::show_change(context, caller, name, given, is_fresh);
        Box::pin(shown).await
    }

    /// Who asks the cloud: while somebody types what was asked lately is good enough.
    fn asker(&self, caller: &Caller, depth: FormDepth) -> Caller {
        match depth {
            FormDepth::Typing if !self.is_fresh => caller.remembering(),
            FormDepth::Typing | FormDepth::Whole => caller.clone(),
        }
    }
}

async fn show_request(
    forms: &RequestForms,
    caller: &Caller,
    name: &str,
    given: ClientAttributes,
    depth: FormDepth,
) -> Result<RequestForm, OrchestratorError> {
    let context: &Context = &forms.context;
    let mut form = RequestForm {
        name: name.to_owned(),
        ..RequestForm::default()
    };
    let there = find_there(context, caller, &mut form).await?;
    let caller = &there
        .as_ref()
        .map_or_else(|| caller.clone(), |record| caller.at(record));
    let before = there.as_ref().map(|record| record.attributes.clone());
    let before = before.unwrap_or_default();
    let merged = merge_attributes::merge_attributes(&before, given.clone(), &context.state.limits);
    let merged = match merged {
        Ok(merged) => merged,
        Err(error) => {
            form.keep(Err(error))?;
            before.into_iter().chain(given).collect()
        }
    };
    form.keep(check_phase(context, caller, there.as_deref(), &merged).await)?;
    form.keep(caller.region().map(drop))?;
    form.keep(caller.session.refuse_without_trust().map_err(Into::into))?;
    let asker = &forms.asker(caller, depth);
    let looked = look(context, asker, name, &merged, &mut form).await?;
    if let Some(planned) = &looked.planned {
        let record = planned_record(context, caller, name, &merged, (&looked.spec, planned))?;
        show_plan(context, caller, &record, planned, depth, &mut form).await?;
        let shape = RunShape::new(RunKind::Create, &looked.spec);
        form.former = former_runs(&context.state, caller.project_id(), &shape).await;
    }
    let policy = context.policy_of(ProjectIdentity::of_session(&asker.session));
    let allowed = policy.flavors.as_deref();
    let known = looked.cloud.clone();
    let offered = cloud_choices::take_choices(&asker.session, known, allowed).await?;
    form.choices = offered.choices;
    form.quotas = form_quotas(&looked.needs, &offered.quotas);
    let is_more = u64::from(there.is_none());
    show_room(context, caller, is_more, &mut form).await?;
    let descriptors = context.planner.descriptors();
    let inputs = ValueInputs {
        given: &merged,
        running: None,
        defaults: &context.defaults,
        descriptors: &descriptors,
        spec: &looked.spec,
        claimed: &looked.claimed,
        awaited: &looked.awaited,
        cloud: looked.cloud.as_ref(),
    };
    form.values = inputs.list_values();
    let no_grants = BTreeMap::new();
    form.groups = describe_groups(&NodeMakeup {
        spec: &looked.spec,
        flavors: &looked.flavors,
        placements: &looked.claimed.placements,
        sums: &looked.claimed.sums,
        grants: looked
            .planned
            .as_ref()
            .map_or(&no_grants, |planned| &planned.grants),
    });
    form.frameworks = describe_frameworks(&descriptors, &looked.spec);
    let policy = context.policy_of(ProjectIdentity::of_session(&caller.session));
    let is_shown = |one: &FormFramework| one.is_chosen || policy.allows_framework(&one.name);
    form.frameworks.retain(is_shown);
    Ok(form)
}

/// The cluster of this name, where there is one.
async fn find_there(
    context: &Context,
    caller: &Caller,
    form: &mut RequestForm,
) -> Result<Option<Arc<ClusterRecord>>, OrchestratorError> {
    let name = form.name.clone();
    if !attributes::is_name(&name) {
        return Ok(None);
    }
    match find_here(context, caller, &name).await {
        Ok(handle) => Ok(Some(live_record(context, &handle, &name).await?)),
        Err(OrchestratorError::NotFound(_)) => Ok(None),
        Err(error) => form.keep(Err(error)).map(|()| None),
    }
}

/// Looks at the request; where the cloud does not answer, at what can be told without it.
async fn look(
    context: &Context,
    caller: &Caller,
    name: &str,
    merged: &BTreeMap<String, String>,
    form: &mut RequestForm,
) -> Result<LookedAtRequest, OrchestratorError> {
    let read_by = |name: &str| {
        let project = ProjectIdentity::of_session(&caller.session);
        context.read_request(project, name, merged)
    };
    let read = match attributes::is_name(name) {
        true => read_by(name),
        // The rest is looked at as if it had one.
        false => {
            form.problems.extend(attributes::check_name(name).err());
            read_by(STAND_IN_NAME)
        }
    };
    let (planner, session) = (context.planner.as_ref(), &caller.session);
    let looked = match look_at_request(planner, session, read.clone()).await {
        Ok(looked) => looked,
        Err(error) => {
            form.keep(Err(error))?;
            let (spec, problems) = match read {
                Ok((spec, _)) => (spec, Vec::new()),
                Err(refused) => (refused.spec, refused.problems),
            };
            LookedAtRequest {
                spec,
                problems,
                ..LookedAtRequest::default()
            }
        }
    };
    form.keep(or_invalid(looked.problems.clone()))?;
    Ok(looked)
}

/// Whether the life of the cluster of this name allows a deploy, and the project has room for it.
async fn check_phase(
    context: &Context,
    caller: &Caller,
    there: Option<&ClusterRecord>,
    merged: &BTreeMap<String, String>,
) -> Result<(), OrchestratorError> {
    match there {
        None => create::check_room(context, caller).await,
        Some(record) if record.phase() != LifecyclePhase::Initialised => {
            Err(deploy::deployed_already(record))
        }
        Some(record) if matches!(record.lifecycle, Lifecycle::Deploying { .. }) => {
            context.reject_own_changes(record, merged)
        }
        Some(_) => Ok(()),
    }
}

/// Shows what Heat would be given, checked as far as `depth` says.
async fn show_plan(
    context: &Context,
    caller: &Caller,
    record: &ClusterRecord,
    planned: &StackPlan,
    depth: FormDepth,
    form: &mut RequestForm,
) -> Result<(), OrchestratorError> {
    let request = stack_request::build_stack_request(record, &context.host, planned);
    form.keep(or_invalid(request_size::check_deploy(record, &request)))?;
    if depth == FormDepth::Whole && form.refusal().is_none() {
        let validated = caller.session.validate(&request).await;
        form.keep(validated.map_err(Into::into))?;
    }
    let timeout_s = record.spec.as_ref().map_or(0, |spec| spec.timeout_s);
    form.preview = Some(describe_plan(timeout_s, planned, request));
    Ok(())
}

fn or_invalid(problems: Vec<Problem>) -> Result<(), OrchestratorError> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(OrchestratorError::Invalid(problems))
    }
}

/// The record that a deploy of this plan would make, as far as Heat is given anything of it.
fn planned_record(
    context: &Context,
    caller: &Caller,
    name: &str,
    merged: &BTreeMap<String, String>,
    made: (&ClusterSpec, &StackPlan),
) -> Result<ClusterRecord, OrchestratorError> {
    let region = caller.region().unwrap_or_default();
    let mut record = create::new_record(context, caller, region, name, merged.clone());
    let intent = deploy::build_intent(caller, region, merged, made.0, made.1);
    record
        .record_intent(&intent)
        .map_err(|refused| OrchestratorError::internal(refused.to_string()))?;
    Ok(record)
}
