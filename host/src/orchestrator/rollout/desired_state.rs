//! Computes what a running cluster is to be from what it is and what a request names, and refuses
//! what cannot be changed. Asks no cloud: the operator's defaults, the limits and the plugins'
//! descriptors come with the context.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::orchestrator::{
    context::{ClientAttributes, Context},
    error::OrchestratorError,
    planning::merge_attributes,
    rollout::steps,
};
use crate::{
    cluster::{
        ClusterSpec, Problem, attribute_changes,
        attribute_schema::{WORKERS_TO_REMOVE, find_attribute},
        attributes,
        framework::FIXED_KEYWORD,
        limits::MAX_WORKER_ID,
    },
    store::ClusterRecord,
};

/// The attribute that names the workers to take away. It is used up by the update that bears it.
pub(crate) const REMOVE: &str = WORKERS_TO_REMOVE;

/// What a request asks for.
pub(crate) struct UpdateRequest {
    /// All but the workers to take away.
    pub(crate) given: ClientAttributes,
    /// The workers to take away.
    pub(crate) remove: Vec<String>,
    /// Whether it says how many workers there are to be.
    counted: bool,
}

impl UpdateRequest {
    pub(crate) fn from_attributes(given: ClientAttributes) -> Self {
        let named = |name: &str, wanted| name.strip_prefix(attributes::PREFIX) == Some(wanted);
        let (remove, given): (ClientAttributes, ClientAttributes) =
            given.into_iter().partition(|(name, _)| named(name, REMOVE));
        let remove = remove
            .last()
            .map(|(_, value)| split_names(value))
            .unwrap_or_default();
        let counted = given.iter().any(|(name, _)| named(name, "workers"));
        Self {
            given,
            remove,
            counted,
        }
    }

    /// Its attributes that are not ours.
    pub(crate) fn foreign(&self) -> ClientAttributes {
        self.given
            .iter()
            .filter(|(name, _)| !attributes::is_ours(name))
            .cloned()
            .collect()
    }
}

/// From what to what, and the attributes afterwards.
pub(crate) struct ChangeTarget {
    pub(crate) from: ClusterSpec,
    pub(crate) to: ClusterSpec,
    pub(crate) attributes: BTreeMap<String, String>,
}

/// What the request makes of the cluster. What cannot be changed is refused, each by its name.
pub(crate) fn change_target(
    context: &Context,
    record: &ClusterRecord,
    request: &UpdateRequest,
) -> Result<ChangeTarget, OrchestratorError> {
    let Some(from) = record.spec.clone() else {
        return Err(OrchestratorError::internal(format!(
            "the record of `{}` holds no plan; delete the cluster",
            record.name
        )));
    };
    let mut attributes = merge_attributes::merge_attributes(
        &record.attributes,
        request.given.clone(),
        &context.state.limits,
    )?;
    let to = wanted_spec(context, record, &from, &request.given)?;
    let to = with_workers(&from, to, &request.remove, request.counted)?;
    if !request.remove.is_empty() {
        attributes.insert(
            format!("{}workers", attributes::PREFIX),
            to.workers.to_string(),
        );
    }
    reject_without_new_workers(&from, &to)?;
    Ok(ChangeTarget {
        from,
        to,
        attributes,
    })
}

fn only_for_new_workers(name: &str) -> Problem {
    Problem::new(
        name,
        "cannot be changed in a running cluster but for new workers",
        "raise `workers` in the same update, or leave it as it is",
    )
}

/// What is said of new workers alone means nothing without any.
fn reject_without_new_workers(
    from: &ClusterSpec,
    to: &ClusterSpec,
) -> Result<(), OrchestratorError> {
    if joining_workers(from, to).next().is_some() {
        return Ok(());
    }
    let changed = attributes::changed(from, to).into_iter();
    let problems: Vec<Problem> = changed
        .filter(|name| FOR_NEW_WORKERS.contains(&name.as_str()))
        .map(|name| only_for_new_workers(&name))
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(OrchestratorError::Invalid(problems))
    }
}

/// The ids of the workers that a change adds.
pub(crate) fn joining_workers(
    from: &ClusterSpec,
    to: &ClusterSpec,
) -> impl Iterator<Item = u32> + use<> {
    let there = from.ids();
    to.ids().into_iter().filter(move |id| !there.contains(id))
}

/// Whether a change only takes workers away.
pub(crate) fn only_removes(from: &ClusterSpec, to: &ClusterSpec) -> bool {
    let settings = attributes::changed(from, to).into_iter();
    joining_workers(from, to).next().is_none()
        && to.ids() != from.ids()
        && settings.filter(|name| name != "workers").count() == 0
}

/// Whether the request changes anything in the cloud.
pub(crate) fn changes_cluster(
    context: &Context,
    record: &ClusterRecord,
    request: &UpdateRequest,
) -> Result<bool, OrchestratorError> {
    let ChangeTarget { from, to, .. } = change_target(context, record, request)?;
    Ok(!same_cluster(&from, &to))
}

fn split_names(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

pub(crate) fn invalid(path: &str, message: &str, hint: &str) -> OrchestratorError {
    OrchestratorError::Invalid(vec![Problem::new(path, message, hint)])
}

/// Attributes that a running cluster may be given for workers that the same update adds: what made
/// the others may be gone.
const FOR_NEW_WORKERS: [&str; 4] = ["image", "image.has_java", "worker.flavor", "key"];

/// What the cluster is to be: what was deployed, with what the request changes. What cannot be
/// changed is refused, each by its name. What the request leaves alone is not asked about: the
/// operator's defaults and the plugins may be others by now.
fn wanted_spec(
    context: &Context,
    record: &ClusterRecord,
    from: &ClusterSpec,
    given: &ClientAttributes,
) -> Result<ClusterSpec, OrchestratorError> {
    let to = context.parse_changes(from, &record.attributes, given)?;
    let changed = attributes::changed(from, &to);
    if changed
        .iter()
        .any(|name| !is_changeable(context, from, name))
    {
        let problem = |name: &String| match FOR_NEW_WORKERS.contains(&name.as_str()) {
            true => Some(only_for_new_workers(name)),
            false => (!is_changeable(context, from, name)).then(|| attribute_changes::fixed(name)),
        };
        return Err(OrchestratorError::Invalid(
            changed.iter().filter_map(problem).collect(),
        ));
    }
    Ok(without_outdated_pins(from, to))
}

/// An image or a flavor that is named anew is looked up anew.
fn without_outdated_pins(from: &ClusterSpec, mut to: ClusterSpec) -> ClusterSpec {
    let (image, flavor) = (
        from.image != to.image,
        from.worker_flavor != to.worker_flavor,
    );
    if let Some(pins) = to.pins.as_deref_mut() {
        if image {
            pins.image_id = None;
        }
        if flavor {
            pins.worker_flavor_id = None;
        }
    }
    to
}

fn is_changeable(context: &Context, from: &ClusterSpec, name: &str) -> bool {
    if let Some(attribute) = find_attribute(name) {
        return attribute.may_change || FOR_NEW_WORKERS.contains(&name);
    }
    let Some((plugin, parameter)) = name.split_once('.') else {
        return false;
    };
    if parameter == "version" {
        // Only one that was not known can have been parsed to another one.
        return from.frameworks.iter().any(|choice| choice.name == plugin);
    }
    let descriptors = context.planner.descriptors();
    let schema = descriptors
        .iter()
        .find(|descriptor| descriptor.name == plugin)
        .map(|descriptor| &descriptor.parameters);
    let schema = schema.and_then(|schema| schema.get("properties")?.get(parameter));
    // One that the plugin has no more can only be given up.
    schema.is_none_or(|schema| schema.get(FIXED_KEYWORD).and_then(Value::as_bool) != Some(true))
}

/// The ids without those of the workers named.
fn without(mut ids: Vec<u32>, remove: &[String]) -> Result<Vec<u32>, OrchestratorError> {
    for name in remove {
        let id = name
            .strip_prefix("worker-")
            .and_then(|id| id.parse::<u32>().ok());
        let Some(at) = id.and_then(|id| ids.iter().position(|there| *there == id)) else {
            let there = ids
                .iter()
                .take(8)
                .map(|id| steps::worker_name(*id))
                .collect::<Vec<_>>()
                .join(", ");
            return Err(invalid(
                REMOVE,
                &format!("there is no worker `{name}`"),
                &format!("there are: {there}"),
            ));
        };
        ids.remove(at);
    }
    Ok(ids)
}

/// Which workers there are to be: those named go, or the last ones; new ones get ids that nobody
/// has had.
fn with_workers(
    from: &ClusterSpec,
    to: ClusterSpec,
    remove: &[String],
    counted: bool,
) -> Result<ClusterSpec, OrchestratorError> {
    let mut ids = without(from.ids(), remove)?;
    let wanted = if remove.is_empty() || counted && to.workers != from.workers {
        to.workers as usize
    } else {
        ids.len()
    };
    if !remove.is_empty() && wanted != ids.len() {
        let message = format!(
            "{} workers are asked for, and {} are left without those named",
            wanted,
            ids.len()
        );
        return Err(invalid(
            "workers",
            &message,
            "leave `workers` out, or let both say the same",
        ));
    }
    if ids.is_empty() {
        return Err(invalid(
            REMOVE,
            "no worker would be left",
            "delete the cluster instead",
        ));
    }
    ids.truncate(wanted);
    let mut last = from.last_id();
    while ids.len() < wanted {
        last += 1;
        ids.push(last);
    }
    if last > MAX_WORKER_ID {
        let hint = "ids are never given out twice: deploy a new cluster";
        return Err(invalid(
            "workers",
            &format!(
                "worker-{last} would be the first above worker-{MAX_WORKER_ID}, the last one there can be"
            ),
            hint,
        ));
    }
    let same = ids == from.ids();
    Ok(if same {
        ClusterSpec {
            workers: from.workers,
            ..to
        }
    } else {
        ClusterSpec {
            worker_ids: from.worker_ids.clone(),
            ids_given: from.last_id(),
            ..to
        }
        .with_ids(ids)
    })
}

pub(crate) fn same_cluster(from: &ClusterSpec, to: &ClusterSpec) -> bool {
    let (one, other) = (attributes::render(from), attributes::render(to));
    one == other && from.ids() == to.ids()
}

/// A resource of the stack that the template would make anew, or change under the feet of those who
/// use it, is refused; what is changed is named. A server's metadata is how its node is notified of
/// changes, what it boots with Heat leaves alone; wait conditions count, rules come and go.
pub(crate) fn reject_replacements(
    stack: &Value,
    template: &Value,
    changed: &[String],
) -> Result<(), OrchestratorError> {
    let of = |template: &Value| {
        template
            .get("resources")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (stack, template) = (of(stack), of(template));
    let kind = |body: &Value| {
        body.get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let matters = |body: &Value| {
        let mut properties = body
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        if kind(body) == "OS::Nova::Server" {
            properties.remove("metadata");
            properties.remove("user_data");
        }
        properties
    };
    let unlike = |(name, body): &(&String, &Value)| {
        let may = matches!(
            kind(body).as_str(),
            "OS::Heat::WaitCondition" | "OS::Neutron::SecurityGroupRule" | "OS::Heat::Value"
        );
        !may && template
            .get(*name)
            .is_some_and(|other| kind(other) != kind(body) || matters(other) != matters(body))
    };
    let Some((name, _)) = stack.iter().find(unlike) else {
        return Ok(());
    };
    let message = format!(
        "cannot be changed in a running cluster: `{name}` in the cloud would be another one"
    );
    let problem = |path: &str| {
        Problem::new(
            path,
            message.clone(),
            "leave it as it is, or deploy a new cluster",
        )
    };
    let named: Vec<Problem> = changed
        .iter()
        .filter(|name| *name != "workers")
        .map(|name| problem(name))
        .collect();
    // The plugins themselves may be others than those that made the cluster.
    Err(OrchestratorError::Invalid(if named.is_empty() {
        vec![problem("framework")]
    } else {
        named
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_be_made_anew_is_refused_and_what_only_tells_nodes_is_not() {
        let template = |flavor: &str, metadata: &str, count: u32| {
            json!({ "resources": {
                "master_server": { "type": "OS::Nova::Server", "properties": { "flavor": flavor, "metadata": { "a": metadata }, "user_data": metadata } },
                "ready": { "type": "OS::Heat::WaitCondition", "depends_on": "x", "properties": { "count": count } },
            } })
        };
        let stack = template("small", "1", 2);
        assert_eq!(
            reject_replacements(&stack, &template("small", "2", 3), &["workers".to_owned()]),
            Ok(())
        );
        assert_eq!(
            reject_replacements(&stack, &json!({}), &[]),
            Ok(()),
            "what is gone is not touched"
        );
        let words = |changed: &[&str]| {
            let changed: Vec<String> = changed.iter().map(|name| (*name).to_owned()).collect();
            reject_replacements(&stack, &template("large", "1", 2), &changed)
                .unwrap_err()
                .to_string()
        };
        assert!(
            words(&["workers", "hadoop.x"])
                .contains("hadoop.x: cannot be changed in a running cluster: `master_server`"),
            "{}",
            words(&["hadoop.x"])
        );
        assert!(
            words(&["workers"]).contains("framework: "),
            "{}",
            words(&["workers"])
        );
    }
}
