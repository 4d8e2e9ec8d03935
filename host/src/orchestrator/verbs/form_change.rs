//! What a form shows of a change to a running cluster that may be incomplete or wrong. Nothing is
//! changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::cluster::{ClusterSpec, Lifecycle, attribute_names::kept_name, end_time::EXPIRES};
use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context, ProjectIdentity},
    error::OrchestratorError,
    planning::{cloud_choices, planner::ClaimedCluster, request_values::ValueInputs},
    state::{refresh, view::attributes_with_end},
    verbs::{
        at_rest::at_rest,
        cluster_end::take_end,
        cluster_idle::NewIdle,
        find::{find_cluster, live_record},
        form_policy::show_room,
        request_form::{
            NodeMakeup, RequestForm, describe_frameworks, describe_groups, form_quotas,
        },
        request_revision::request_revision,
        update_preview::{described_idle, look_at_update},
    },
};

pub(crate) async fn show_change(
    context: &Arc<Context>,
    caller: &Caller,
    name: &str,
    mut given: ClientAttributes,
    is_fresh: bool,
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
    let is_requested = record.lifecycle == Lifecycle::Requested;
    if !is_requested {
        // Told before anything is typed.
        form.keep(at_rest(&record))?;
        form.keep(caller.session.refuse_without_trust().map_err(Into::into))?;
    }
    let typing = &match is_fresh {
        true => caller.clone(),
        false => caller.remembering(),
    };
    let mut of_spec = given.clone();
    let idle = NewIdle::take(context, &record, caller.user_id(), &mut of_spec);
    form.problems.extend(idle.problems.clone());
    let looked = look_at_update(context, typing, &record, of_spec).await;
    let (to, needs) = match looked {
        Ok(mut looked) => {
            form.problems.extend(looked.problems);
            let attributes = &mut looked.change.attributes;
            attributes.extend(described_idle(&idle, &record));
            form.change = Some(looked.change);
            (looked.to, looked.needs)
        }
        Err(error) => {
            form.keep(Err(error))?;
            (record.spec.clone().unwrap_or_default(), Vec::new())
        }
    };
    let policy = context.policy_of(ProjectIdentity::of_session(&typing.session));
    let allowed = policy.flavors.as_deref();
    let offered = cloud_choices::take_choices(&typing.session, None, allowed).await?;
    form.choices = offered.choices;
    form.quotas = form_quotas(&needs, &offered.quotas);
    show_room(context, caller, 0, &mut form).await?;
    let descriptors = context.planner.descriptors();
    let kept = |(name, value): (String, String)| (kept_name(&name).into_owned(), value);
    let given: BTreeMap<String, String> = given.into_iter().map(kept).collect();
    let running = attributes_with_end(&record);
    let inputs = ValueInputs {
        given: &given,
        running: Some(&running),
        defaults: &context.defaults,
        descriptors: &descriptors,
        spec: &to,
        claimed: &ClaimedCluster::default(),
        awaited: &BTreeSet::new(),
        cloud: None,
    };
    form.values = inputs.list_values();
    form.values.retain(|value| value.name != EXPIRES);
    if is_requested {
        // Nothing of it is there yet.
        for value in &mut form.values {
            value.may_change = true;
        }
    }
    form.groups = groups_of(&to);
    form.frameworks = describe_frameworks(&descriptors, &to);
    Ok(form)
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
