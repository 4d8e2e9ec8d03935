//! Computes what a running cluster is to be from what it is and what a request names, and refuses
//! what cannot be changed. Asks no cloud: the operator's defaults, the limits and the plugins'
//! descriptors come with the context.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::orchestrator::{
    context::{ClientAttributes, Context},
    error::OrchestratorError,
    planning::{merge_attributes, newer_plugins::newer_plugins},
    rollout::{
        new_node_attributes::{NewNodes, group_attribute},
        next_nodes,
        update_request::UpdateRequest,
    },
};
use crate::{
    cluster::{
        ClusterSpec, NodeIds, Problem, attribute_changes,
        attribute_schema::UPGRADE,
        attributes,
        framework_descriptor::is_fixed,
        group_attributes::find_row,
        group_value::{GROUPS_ATTRIBUTE, GroupAttribute, GroupValue, attribute_of},
        node_group::nodes_beyond,
    },
    store::ClusterRecord,
};

/// From what to what, and the attributes afterwards.
pub(crate) struct ChangeTarget {
    pub(crate) from: ClusterSpec,
    pub(crate) to: ClusterSpec,
    pub(crate) attributes: BTreeMap<String, String>,
    /// Whether all that stands on the nodes is to be what the plugins of now make.
    pub(crate) is_upgrade: bool,
}

impl ChangeTarget {
    /// Whether anything changes in the cloud.
    pub(crate) fn changes_cluster(&self) -> bool {
        self.is_upgrade || !same_cluster(&self.from, &self.to)
    }
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
    let is_counted = |group: &str| request.counts(group);
    let to = next_nodes::choose_nodes(&from, to, &request.remove, is_counted)
        .map_err(OrchestratorError::Invalid)?;
    for group in to.groups.iter() {
        if request.remove.contains_key(&group.name) {
            let count = attribute_of(&group.name, "count");
            let name = format!("{}{count}", attributes::PREFIX);
            attributes.insert(name, group.count.to_string());
        }
    }
    // What was said of a group that goes is nobody's any more.
    attributes.retain(|name, _| {
        let own = name.strip_prefix(attributes::PREFIX);
        own.is_none_or(|own| !is_of_gone_group(own, &from, &to))
    });
    reject_without_new_nodes(&from, &to)?;
    let wants_upgrade = request.wants_upgrade()?;
    if wants_upgrade && !same_cluster(&from, &to) {
        return Err(invalid(
            UPGRADE,
            "comes by itself: the same request changes other things, too",
            "ask for the upgrade alone, before or after",
        ));
    }
    // What is of now by now needs none.
    let is_upgrade = wants_upgrade
        && newer_plugins(&from, context.planner.as_ref())
            .map_err(|why| invalid(UPGRADE, &why, "deploy a new cluster"))?
            .is_some();
    Ok(ChangeTarget {
        from,
        to,
        attributes,
        is_upgrade,
    })
}

/// Whether an attribute of this name is said of a group that loses all its nodes.
fn is_of_gone_group(name: &str, from: &ClusterSpec, to: &ClusterSpec) -> bool {
    let group = name.split_once('.').map_or("", |(group, _)| group);
    from.groups.has_nodes(group) && !to.groups.has_nodes(group)
}

/// The attributes in which two specs of one cluster differ; of a group that goes, that it does.
fn changed_attributes(from: &ClusterSpec, to: &ClusterSpec) -> Vec<String> {
    let mut changed = attributes::changed(from, to);
    changed.retain(|name| !is_of_gone_group(name, from, to));
    changed
}

/// What is said of new nodes alone means nothing without any.
fn reject_without_new_nodes(from: &ClusterSpec, to: &ClusterSpec) -> Result<(), OrchestratorError> {
    let joining = joining_nodes(from, to);
    let changed = changed_attributes(from, to).into_iter();
    let problem = |name: String| {
        let new = NewNodes::for_attribute(&name, from, to)?;
        (!new.are_among(&joining)).then(|| new.problem(&name))
    };
    let problems: Vec<Problem> = changed.filter_map(problem).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(OrchestratorError::Invalid(problems))
    }
}

/// The nodes that a change adds.
pub(crate) fn joining_nodes(from: &ClusterSpec, to: &ClusterSpec) -> NodeIds {
    nodes_beyond(&to.node_ids(), &from.node_ids())
}

/// The attributes in which two specs of one cluster differ, but for how many nodes there are.
pub(crate) fn changed_settings(from: &ClusterSpec, to: &ClusterSpec) -> Vec<String> {
    let is_count = |name: &String| {
        let row = find_row(name, to.groups.names());
        let of_group = row.as_deref().and_then(group_attribute);
        let is_count =
            |of_group: &GroupAttribute| matches!(of_group.value, GroupValue::Count { .. });
        name == GROUPS_ATTRIBUTE || of_group.is_some_and(is_count)
    };
    let mut changed = changed_attributes(from, to);
    changed.retain(|name| !is_count(name));
    changed
}

/// Whether a change only takes nodes away.
pub(crate) fn only_removes(from: &ClusterSpec, to: &ClusterSpec) -> bool {
    joining_nodes(from, to).is_empty()
        && to.node_ids() != from.node_ids()
        && changed_settings(from, to).is_empty()
}

/// Whether the request changes anything in the cloud.
pub(crate) fn changes_cluster(
    context: &Context,
    record: &ClusterRecord,
    request: &UpdateRequest,
) -> Result<bool, OrchestratorError> {
    Ok(change_target(context, record, request)?.changes_cluster())
}

pub(crate) fn invalid(path: &str, message: &str, hint: &str) -> OrchestratorError {
    OrchestratorError::Invalid(vec![Problem::new(path, message, hint)])
}

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
    let changed = changed_attributes(from, &to);
    if changed
        .iter()
        .any(|name| !is_changeable(context, from, &to, name))
    {
        let problem = |name: &String| match NewNodes::for_attribute(name, from, &to) {
            Some(new) => Some(new.problem(name)),
            None => {
                (!is_changeable(context, from, &to, name)).then(|| attribute_changes::fixed(name))
            }
        };
        return Err(OrchestratorError::Invalid(
            changed.iter().filter_map(problem).collect(),
        ));
    }
    Ok(without_outdated_pins(from, to))
}

/// An image or a flavor that is named anew is looked up anew.
fn without_outdated_pins(from: &ClusterSpec, mut to: ClusterSpec) -> ClusterSpec {
    let Some(mut pins) = to.pins.take() else {
        return to;
    };
    for group in from.groups.iter() {
        let (Some(wanted), Some(pinned)) =
            (to.groups.get(&group.name), pins.groups.get_mut(&group.name))
        else {
            continue;
        };
        if from.image_of(group) != to.image_of(wanted) {
            pinned.image_id = None;
        }
        if group.flavor != wanted.flavor {
            pinned.flavor_id = None;
        }
    }
    to.pins = Some(pins);
    to
}

fn is_changeable(context: &Context, from: &ClusterSpec, to: &ClusterSpec, name: &str) -> bool {
    if let Some(attribute) = find_row(name, to.groups.names()) {
        return attribute.may_change || NewNodes::for_attribute(name, from, to).is_some();
    }
    let Some((plugin, parameter)) = name.split_once('.') else {
        return false;
    };
    if parameter == "version" {
        // Only one that was not known can have been parsed to another one.
        return to.frameworks.iter().any(|choice| choice.name == plugin);
    }
    let descriptors = context.planner.descriptors();
    let plugin = descriptors
        .iter()
        .find(|descriptor| descriptor.name == plugin);
    let schema = plugin.and_then(|plugin| plugin.parameter(parameter));
    // One that the plugin has no more can only be given up.
    schema.is_none_or(|schema| !is_fixed(schema))
}

pub(crate) fn same_cluster(from: &ClusterSpec, to: &ClusterSpec) -> bool {
    let (one, other) = (attributes::render(from), attributes::render(to));
    one == other && from.node_ids() == to.node_ids()
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
    let defaults = [stack, template].map(|template| template.get("parameters"));
    let (stack, template) = (of(stack), of(template));
    let kind = |body: &Value| {
        body.get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let matters = |body: &Value, parameters: Option<&Value>| {
        let mut properties = body
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        if kind(body) == "OS::Nova::Server" {
            properties.remove("metadata");
            properties.remove("user_data");
        }
        // Heat compares values: another one of a parameter makes another resource too.
        let mut properties = Value::Object(properties);
        put_defaults(&mut properties, parameters);
        properties
    };
    let unlike = |(name, body): &(&String, &Value)| {
        let may = matches!(
            kind(body).as_str(),
            "OS::Heat::WaitCondition" | "OS::Neutron::SecurityGroupRule" | "OS::Heat::Value"
        );
        !may && template.get(*name).is_some_and(|other| {
            let [before, after] = defaults;
            kind(other) != kind(body) || matters(other, after) != matters(body, before)
        })
    };
    // What a node that stays has must not go either.
    let is_lost = |(name, body): &(&String, &Value)| {
        let kinds = [
            "OS::Nova::Server",
            "OS::Cinder::Volume",
            "OS::Cinder::VolumeAttachment",
        ];
        let stays = server_of(name)
            .is_some_and(|server| stack.contains_key(&server) && template.contains_key(&server));
        kinds.contains(&kind(body).as_str()) && stays && !template.contains_key(*name)
    };
    let mut found = stack.iter().filter(|one| unlike(one) || is_lost(one));
    let Some((name, _)) = found.next() else {
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
    let named: Vec<Problem> = changed.iter().map(|name| problem(name)).collect();
    // The plugins themselves may be others than those that made the cluster.
    Err(OrchestratorError::Invalid(if named.is_empty() {
        vec![problem("framework")]
    } else {
        named
    }))
}

/// The server that a volume, or what attaches it, belongs to by its name.
fn server_of(resource: &str) -> Option<String> {
    let (node, _) = resource.rsplit_once('_')?;
    Some(format!("{node}_server"))
}

/// Puts the defaults of parameters in the place of what names them.
fn put_defaults(value: &mut Value, parameters: Option<&Value>) {
    let named = value.as_object().filter(|map| map.len() == 1);
    let named = named.and_then(|map| map.get("get_param")?.as_str());
    let default = named.and_then(|name| parameters?.get(name)?.get("default"));
    let put = |inner: &mut Value| put_defaults(inner, parameters);
    match (default, value) {
        (Some(default), value) => *value = default.clone(),
        (None, Value::Object(map)) => map.values_mut().for_each(put),
        (None, Value::Array(list)) => list.iter_mut().for_each(put),
        _ => {}
    }
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
            reject_replacements(&stack, &template("small", "2", 3), &[]),
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
            words(&["hadoop.x"])
                .contains("hadoop.x: cannot be changed in a running cluster: `master_server`"),
            "{}",
            words(&["hadoop.x"])
        );
        assert!(words(&[]).contains("framework: "), "{}", words(&[]));
    }

    #[test]
    fn a_volume_of_a_node_that_stays_must_not_go() {
        let template = |names: &[&str]| {
            let body = |name: &str| match name.rsplit_once('_') {
                Some((_, "server")) => json!({ "type": "OS::Nova::Server" }),
                _ => json!({ "type": "OS::Cinder::Volume" }),
            };
            let all = names.iter().map(|name| ((*name).to_owned(), body(name)));
            let all: serde_json::Map<String, Value> = all.collect();
            json!({ "resources": all })
        };
        let stack = template(&["worker_1_server", "worker_1_volume"]);
        let told = |names: &[&str]| reject_replacements(&stack, &template(names), &[]);
        assert!(told(&["worker_1_server"]).is_err());
        assert_eq!(told(&["worker_1_server", "worker_1_volume"]), Ok(()));
        assert_eq!(told(&[]), Ok(()), "it goes with its node");
    }

    #[test]
    fn another_value_of_a_parameter_is_another_resource() {
        let template = |image: &str, says: Value| {
            json!({
                "parameters": { "image": { "default": image } },
                "resources": { "master_server": { "type": "OS::Nova::Server", "properties": { "image": says } } },
            })
        };
        let by_parameter = || json!({ "get_param": "image" });
        let stack = template("id1", by_parameter());
        assert_eq!(
            reject_replacements(&stack, &template("id2", json!("id1")), &[]),
            Ok(())
        );
        assert!(reject_replacements(&stack, &template("id2", by_parameter()), &[]).is_err());
    }
}
