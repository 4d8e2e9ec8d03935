//! Lays a change over the template that a stack has, where no plan of now makes all of it: the
//! plugins that made it were others, or its nodes boot from another image than new ones. What is
//! the same in the plans of both ends of the change is left as the stack has it, whatever these
//! plans say. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    cluster::{GroupSpec, NodeGroups, NodeIds},
    orchestrator::planning::new_node_values::{NamedKind, NewNodeValues, custom_constraint},
};

/// A stack's template, and what the plugins of now make of the cluster before and after a change.
#[derive(Clone)]
pub struct TemplateOverlay {
    /// As the stack has it, without what nodes were notified of.
    pub stack: Value,
    /// The plan of the cluster as it is.
    pub from: Value,
    /// The plan of the cluster as it is to be.
    pub to: Value,
    /// Its groups, those that the change adds among them.
    pub groups: NodeGroups,
    /// What new nodes are made of.
    pub new_nodes: NewNodeValues,
}

/// The parameter of the plugin `cluster` that names the key pair.
const KEY_PARAMETER: &str = "key_name";
/// The sections that are laid over entry by entry; a stack keeps its own parameters.
const SECTIONS: [&str; 2] = ["conditions", "outputs"];

impl TemplateOverlay {
    /// The stack's template with what `target`, the plan of one step, changes: `nodes` are those that
    /// there are then. The same whichever of the change's steps the stack has had.
    pub fn lay(&self, target: &Value, nodes: &NodeIds) -> Value {
        let mut result = self.stack.clone();
        let Some(sections) = result.as_object_mut() else {
            return target.clone();
        };
        let mut parameters = section(&self.stack, "parameters");
        for (name, body) in section(target, "parameters") {
            parameters.entry(name).or_insert(body);
        }
        let resources = self.lay_resources(target, nodes);
        put(sections, "parameters", parameters);
        for name in SECTIONS {
            let laid = lay_value(
                self.stack.get(name),
                self.from.get(name),
                self.to.get(name),
                target.get(name),
            );
            let laid = laid.and_then(|laid| laid.as_object().cloned());
            put(sections, name, laid.unwrap_or_default());
        }
        put(sections, "resources", resources);
        drop_dangling(&mut result);
        result
    }

    fn lay_resources(&self, target: &Value, nodes: &NodeIds) -> Map<String, Value> {
        let [stack, from, to, target_resources] =
            [&self.stack, &self.from, &self.to, target].map(|all| section(all, "resources"));
        let fresh = |name: &str, body: &Value| self.with_own_values(name, body, target);
        let is_gone = |name: &str| is_of_gone_node(name, &self.groups, nodes);
        let mut laid = Map::new();
        for (name, body) in &stack {
            let (before, after) = (from.get(name), to.get(name));
            let kept = match (target_resources.get(name), before, after) {
                (Some(wanted), Some(_), Some(_)) => {
                    lay_value(Some(body), before, after, Some(wanted))
                }
                // It leaves, and is still there.
                (Some(_), Some(_), None) => Some(body.clone()),
                (Some(wanted), _, _) => Some(fresh(name, wanted)),
                (None, None, None) if !is_gone(name) => Some(body.clone()),
                (None, _, _) => None,
            };
            laid.extend(kept.map(|kept| (name.clone(), kept)));
        }
        for (name, wanted) in &target_resources {
            let is_of_both = from.contains_key(name) && to.contains_key(name);
            if !stack.contains_key(name) && !is_of_both {
                laid.insert(name.clone(), fresh(name, wanted));
            }
        }
        // What the plugins of now make for every cluster, and this one has not, is made where
        // something new needs it.
        loop {
            let needed = references(&Value::Object(laid.clone()));
            let missing = needed.iter().filter(|name| !laid.contains_key(*name));
            let missing: Vec<String> = missing
                .filter(|name| target_resources.contains_key(*name))
                .cloned()
                .collect();
            if missing.is_empty() {
                return laid;
            }
            for name in missing {
                let body = target_resources.get(&name);
                let body = body.map(|body| fresh(&name, body)).unwrap_or_default();
                laid.insert(name, body);
            }
        }
    }

    /// A resource that is new, with the value of its own in the place of every parameter whose
    /// value in the stack is another one.
    fn with_own_values(&self, resource: &str, body: &Value, target: &Value) -> Value {
        let default = |template: &Value, name: &str| {
            let parameter = template.pointer("/parameters")?.get(name)?;
            Some(parameter.get("default").cloned().unwrap_or(Value::Null))
        };
        let new = &self.new_nodes;
        let group = owner(resource, &self.groups).map(|(group, _)| group.name.as_str());
        let own = |name: &str| {
            let (stack, wanted) = (default(&self.stack, name)?, default(target, name)?);
            let wanted = match (name, &new.key) {
                (KEY_PARAMETER, Some(key)) => Value::from(key.as_str()),
                _ => match parameter_kind(target, name) {
                    Some(kind) => new.value(group, kind, wanted),
                    None => wanted,
                },
            };
            (stack != wanted).then_some(wanted)
        };
        let mut body = body.clone();
        if body.get("type").and_then(Value::as_str) == Some("OS::Nova::Server") {
            for (property, kind) in NAMED_PROPERTIES {
                if let Some(value) = body.pointer_mut(property) {
                    *value = new.value(group, kind, value.take());
                }
            }
            // The condition beside the parameter is the stack's.
            let key = own(KEY_PARAMETER).or_else(|| new.key.clone().map(Value::from));
            if let (Some(key), Some(value)) = (key, body.pointer_mut("/properties/key_name")) {
                *value = match key.as_str() {
                    None | Some("") => Value::Null,
                    Some(_) => key,
                };
            }
        }
        replace_parameters(&mut body, &own);
        body
    }
}

/// The properties of a server that name something of the cloud.
const NAMED_PROPERTIES: [(&str, NamedKind); 3] = [
    ("/properties/image", NamedKind::Image),
    (
        "/properties/block_device_mapping_v2/0/image",
        NamedKind::Image,
    ),
    ("/properties/flavor", NamedKind::Flavor),
];

/// What a parameter of this name names; nothing of a node where it says neither.
fn parameter_kind(template: &Value, name: &str) -> Option<NamedKind> {
    match custom_constraint(template.pointer("/parameters")?.get(name)?)? {
        "glance.image" => Some(NamedKind::Image),
        "nova.flavor" => Some(NamedKind::Flavor),
        _ => None,
    }
}

/// The template of a stack with these nodes alone, by the names of its resources; for plugins that
/// can no longer plan what they once made.
pub fn without_gone_nodes(stack: &Value, groups: &NodeGroups, nodes: &NodeIds) -> Value {
    let mut rest = stack.clone();
    if let Some(resources) = rest.get_mut("resources").and_then(Value::as_object_mut) {
        resources.retain(|name, _| !is_of_gone_node(name, groups, nodes));
    }
    drop_dangling(&mut rest);
    rest
}

fn section(template: &Value, name: &str) -> Map<String, Value> {
    let section = template.get(name).and_then(Value::as_object);
    section.cloned().unwrap_or_default()
}

fn put(template: &mut Map<String, Value>, name: &str, section: Map<String, Value>) {
    if !section.is_empty() || template.contains_key(name) {
        template.insert(name.to_owned(), Value::Object(section));
    }
}

/// `worker_7_server`, `hadoop_worker_7_volume`: of a node that is none of these.
fn is_of_gone_node(resource: &str, groups: &NodeGroups, nodes: &NodeIds) -> bool {
    owner(resource, groups).is_some_and(|(group, id)| {
        let there = nodes.get(&group.name);
        !there.is_some_and(|ids| ids.contains(&id))
    })
}

/// The node that a resource is named after, whether there is one or not. Its group's name stands in
/// it as a word, the id behind it, and something behind that.
pub(super) fn owner<'a>(resource: &str, groups: &'a NodeGroups) -> Option<(&'a GroupSpec, u32)> {
    let words: Vec<&str> = resource.split('_').collect();
    words.windows(2).find_map(|pair| {
        let [name, next] = pair else { return None };
        let group = groups.get(name)?;
        let numbered = next.parse().ok();
        let id = numbered.or_else(|| group.bare_first.then_some(1))?;
        Some((group, id))
    })
}

/// One value of four: what the change does not touch is the stack's, the rest is the target's.
fn lay_value(
    stack: Option<&Value>,
    from: Option<&Value>,
    to: Option<&Value>,
    target: Option<&Value>,
) -> Option<Value> {
    if from.is_some() && from == to {
        return stack.cloned();
    }
    match (stack, target) {
        (stack, None) if from.is_none() && to.is_none() => stack.cloned(),
        (_, None) => None,
        (Some(Value::Object(old)), Some(Value::Object(new)))
            if !is_function(old) && !is_function(new) =>
        {
            let mut laid = Map::new();
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let of = |all: Option<&Value>| all.and_then(|all| all.get(name)).cloned();
                let value = lay_value(
                    old.get(name),
                    of(from).as_ref(),
                    of(to).as_ref(),
                    new.get(name),
                );
                laid.extend(value.map(|value| (name.clone(), value)));
            }
            Some(Value::Object(laid))
        }
        (_, Some(target)) => Some(target.clone()),
    }
}

/// `{ get_param: x }` and the like.
fn is_function(map: &Map<String, Value>) -> bool {
    const FUNCTIONS: [&str; 12] = [
        "get_param",
        "get_attr",
        "get_resource",
        "get_file",
        "list_join",
        "str_replace",
        "if",
        "map_merge",
        "equals",
        "not",
        "and",
        "or",
    ];
    map.len() == 1 && map.keys().all(|name| FUNCTIONS.contains(&name.as_str()))
}

fn replace_parameters(value: &mut Value, own: &impl Fn(&str) -> Option<Value>) {
    let named = value.as_object().filter(|map| map.len() == 1);
    let named = named.and_then(|map| map.get("get_param")?.as_str());
    if let Some(replaced) = named.and_then(own) {
        *value = replaced;
        return;
    }
    match value {
        Value::Object(map) => map
            .values_mut()
            .for_each(|inner| replace_parameters(inner, own)),
        Value::Array(list) => list
            .iter_mut()
            .for_each(|inner| replace_parameters(inner, own)),
        _ => {}
    }
}

/// The resources that functions inside of a value refer to.
fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_references(value, &mut found);
    found
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    found.extend(referred(value).map(str::to_owned));
    match value {
        Value::Object(map) => map
            .values()
            .for_each(|inner| collect_references(inner, found)),
        Value::Array(list) => list
            .iter()
            .for_each(|inner| collect_references(inner, found)),
        _ => {}
    }
}

/// The resource that this function itself refers to.
fn referred(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let resource = map.get("get_resource").and_then(Value::as_str);
    resource.or_else(|| map.get("get_attr")?.get(0)?.as_str())
}

/// Takes out whatever refers to a resource that is no longer there.
pub(in crate::orchestrator) fn drop_dangling(template: &mut Value) {
    let there: BTreeSet<String> = section(template, "resources").keys().cloned().collect();
    for name in ["resources", "outputs"] {
        if let Some(section) = template.get_mut(name) {
            prune(section, &there);
        }
    }
    if let Some(outputs) = template.get_mut("outputs").and_then(Value::as_object_mut) {
        outputs.retain(|_, output| output.get("value").is_some());
    }
    let resources = template.get_mut("resources").and_then(Value::as_object_mut);
    for body in resources.into_iter().flat_map(Map::values_mut) {
        match body.get_mut("depends_on") {
            Some(Value::Array(on)) => {
                on.retain(|name| name.as_str().is_none_or(|name| there.contains(name)));
            }
            Some(Value::String(on)) if !there.contains(on.as_str()) => {
                body["depends_on"] = json!([]);
            }
            _ => {}
        }
    }
}

fn prune(value: &mut Value, there: &BTreeSet<String>) {
    let dangles = |value: &Value| referred(value).is_some_and(|name| !there.contains(name));
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !dangles(inner));
            map.values_mut().for_each(|inner| prune(inner, there));
        }
        Value::Array(list) => {
            list.retain(|inner| !dangles(inner));
            list.iter_mut().for_each(|inner| prune(inner, there));
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "template_overlay_tests.rs"]
mod tests;
