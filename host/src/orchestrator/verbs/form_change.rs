//! What a form shows of a change to a running cluster that may be incomplete or wrong. Nothing is
//! changed.

use std::{collections::BTreeMap, sync::Arc};

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    planning::{
        cloud_choices,
        planner::ClaimedCluster,
        quota::{self, QuotaNeed},
        request_values::ValueInputs,
    },
    rollout::desired_state::{self, ChangeTarget, UpdateRequest},
    state::refresh,
    verbs::{
        cluster_end::take_end,
        find::{find_cluster, live_record},
        form_policy::leave_out_forbidden,
        plan_change::plan_beyond_quotas,
        preview::{self, ChangePreview},
        request_form::{
            NodeMakeup, RequestForm, describe_frameworks, describe_groups, form_quotas,
        },
        request_revision::request_revision,
        update,
    },
};
use crate::{
    cluster::{ClusterSpec, Problem, attribute_names::kept_name, end_time::EXPIRES},
    store::ClusterRecord,
};

/// A change as it was looked at.
struct LookedAtChange {
    /// The cluster as it would be, as far as that is known.
    to: ClusterSpec,
    change: Option<ChangePreview>,
    needs: Vec<QuotaNeed>,
    /// Quotas that do not suffice.
    problems: Vec<Problem>,
}

pub(crate) async fn show_change(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    mut given: ClientAttributes,
) -> Result<RequestForm, OrchestratorError> {
    // Has a form of its own.
    take_end(&mut given);
    let handle = find_cluster(context, caller, name).await?;
    let caller = &caller.at(&handle.record());
    let age = context.state.limits.observe_every;
    refresh::refresh_cluster(&context.state, &handle, &caller.session, age).await;
    let record = live_record(context, &handle, name).await?;
    let mut form = RequestForm {
        name: record.name.clone(),
        revision: Some(request_revision(&record)),
        ..RequestForm::default()
    };
    form.keep(update::at_rest(&record))?;
    form.keep(caller.session.refuse_without_trust().map_err(Into::into))?;
    let looked = match look(context, caller, &record, given.clone(), &form).await {
        Ok(looked) => looked,
        Err(error) => {
            form.keep(Err(error))?;
            let to = record.spec.clone().unwrap_or_default();
            LookedAtChange {
                to,
                change: None,
                needs: Vec::new(),
                problems: Vec::new(),
            }
        }
    };
    form.problems.extend(looked.problems);
    let offered = cloud_choices::take_choices(&caller.session, None).await?;
    form.choices = offered.choices;
    form.quotas = form_quotas(&looked.needs, &offered.quotas);
    leave_out_forbidden(context, caller, 0, &mut form).await?;
    let descriptors = context.planner.descriptors();
    let kept = |(name, value): (String, String)| (kept_name(&name).into_owned(), value);
    let given: BTreeMap<String, String> = given.into_iter().map(kept).collect();
    let inputs = ValueInputs {
        given: &given,
        running: Some(&record.attributes),
        defaults: &context.defaults,
        descriptors: &descriptors,
        spec: &looked.to,
        claimed: &ClaimedCluster::default(),
        cloud: None,
    };
    form.values = inputs.list_values();
    form.values.retain(|value| value.name != EXPIRES);
    form.groups = groups_of(&looked.to);
    form.frameworks = describe_frameworks(&descriptors, &looked.to);
    form.change = looked.change;
    Ok(form)
}

/// Plans the change where nothing is in its way.
async fn look(
    context: &Context,
    caller: &Caller,
    record: &ClusterRecord,
    given: ClientAttributes,
    form: &RequestForm,
) -> Result<LookedAtChange, OrchestratorError> {
    let request = UpdateRequest::from_attributes(given, &context.attribute_names, record);
    let record = &preview::newest_record(caller, record).await?;
    let ChangeTarget {
        from,
        to,
        attributes,
    } = desired_state::change_target(context, record, &request)?;
    let mut looked = LookedAtChange {
        to: to.clone(),
        change: None,
        needs: Vec::new(),
        problems: Vec::new(),
    };
    if form.refusal().is_some() {
        return Ok(looked);
    }
    if record.change().is_none() && desired_state::same_cluster(&from, &to) {
        looked.change = Some(preview::kept_attributes(record, &attributes));
        return Ok(looked);
    }
    let planned = plan_beyond_quotas(context, caller, record, &from, to, attributes).await?;
    looked.problems = quota::check_quotas(&planned.needs);
    looked.to = planned.change.to.clone();
    looked.needs.clone_from(&planned.needs);
    looked.change = Some(preview::describe_change(record, &from, planned));
    Ok(looked)
}

/// The nodes as they were planned.
fn groups_of(spec: &ClusterSpec) -> Vec<super::request_form::FormGroup> {
    let pins = spec.pins.as_deref().cloned().unwrap_or_default();
    describe_groups(&NodeMakeup {
        spec,
        flavors: &pins.flavors.groups,
        placements: &pins.placements,
        sums: &BTreeMap::new(),
        grants: &pins.grants,
    })
}
