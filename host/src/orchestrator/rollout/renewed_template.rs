//! The template of a stack after an upgrade: rules, conditions and outputs as the plugins of now have
//! them, all that nodes are made of as it is. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{
    cluster::{Problem, attribute_schema::UPGRADE},
    orchestrator::planning::template_overlay::drop_dangling,
};

/// Resources that come and go without anybody noticing who does not use them.
const PASSING: [&str; 3] = [
    "OS::Neutron::SecurityGroupRule",
    "OS::Heat::WaitCondition",
    "OS::Heat::Value",
];
/// What a server has that does not make it another one: what it boots with when it is made anew, and
/// where it finds the end of that.
const BOOTED_WITH: [&str; 2] = ["user_data", "metadata"];

/// The stack's template as it is after the upgrade; `target` is the plan of now.
pub(super) fn renew_template(stack: &Value, target: &Value) -> Value {
    let [was, wanted] = [stack, target].map(|template| section(template, "resources"));
    let mut resources = Map::new();
    for (name, body) in &was {
        let kept = match wanted.get(name) {
            Some(new) if is_passing(body) && is_passing(new) => Some(new.clone()),
            Some(new) => Some(boots_with(body, new)),
            None if is_passing(body) => None,
            None => Some(body.clone()),
        };
        resources.extend(kept.map(|kept| (name.clone(), kept)));
    }
    let new = wanted
        .iter()
        .filter(|(name, body)| !was.contains_key(*name) && is_passing(body));
    resources.extend(new.map(|(name, body)| (name.clone(), body.clone())));
    let mut renewed = target.clone();
    let Some(sections) = renewed.as_object_mut() else {
        return stack.clone();
    };
    sections.insert("resources".to_owned(), Value::Object(resources));
    // What is kept refers to its own.
    for name in ["parameters", "conditions"] {
        let mut all = section(target, name);
        all.extend(section(stack, name));
        if !all.is_empty() {
            sections.insert(name.to_owned(), Value::Object(all));
        }
    }
    drop_dangling(&mut renewed);
    renewed
}

/// What plugins of now add that nodes would wait for in vain: it comes when all of them have taken
/// their turn, or could not be told to them at all.
pub(super) fn refuse_new_resources(stack: &Value, target: &Value) -> Vec<Problem> {
    let [was, wanted] = [stack, target].map(|template| section(template, "resources"));
    let new = wanted
        .iter()
        .filter(|(name, body)| !was.contains_key(*name) && !is_passing(body));
    let problem = |(name, body): (&String, &Value)| {
        let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
        let message = format!(
            "the plugins of now also want `{name}` ({kind}), which a running cluster cannot be given"
        );
        Problem::new(UPGRADE, message, "deploy a new cluster")
    };
    new.map(problem).collect()
}

/// What `renewed` does not have as the stack has it, so that it can be put back.
pub(super) fn replaced_resources(
    stack: &Value,
    renewed: &Value,
) -> BTreeMap<String, Option<Value>> {
    let [was, is] = [stack, renewed].map(|template| section(template, "resources"));
    let passing = |body: &&Value| is_passing(body);
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let names = names.into_iter().filter(|name| {
        let [was, is] = [was.get(*name), is.get(*name)];
        was.or(is).is_some_and(|body| passing(&body)) && was != is
    });
    names
        .map(|name| (name.clone(), was.get(name).cloned()))
        .collect()
}

/// The stack's template with what an upgrade has replaced.
pub(super) fn put_back(stack: &Value, replaced: &BTreeMap<String, Option<Value>>) -> Value {
    let mut former = stack.clone();
    let resources = former.get_mut("resources").and_then(Value::as_object_mut);
    if let Some(resources) = resources {
        for (name, body) in replaced {
            match body {
                Some(body) => drop(resources.insert(name.clone(), body.clone())),
                None => drop(resources.remove(name)),
            }
        }
    }
    drop_dangling(&mut former);
    former
}

fn section(template: &Value, name: &str) -> Map<String, Value> {
    let section = template.get(name).and_then(Value::as_object);
    section.cloned().unwrap_or_default()
}

fn is_passing(body: &Value) -> bool {
    let kind = body.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| PASSING.contains(&kind))
}

/// What is there, a server with what it is to boot with from now on.
fn boots_with(body: &Value, new: &Value) -> Value {
    let mut kept = body.clone();
    let is_server = body.get("type").and_then(Value::as_str) == Some("OS::Nova::Server");
    let properties = kept.get_mut("properties").and_then(Value::as_object_mut);
    if let Some(properties) = properties.filter(|_| is_server) {
        for name in BOOTED_WITH {
            match new.get("properties").and_then(|all| all.get(name)) {
                Some(value) => drop(properties.insert(name.to_owned(), value.clone())),
                None => drop(properties.remove(name)),
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_those_of_now_and_servers_stay_what_they_are() {
        let server = |flavor: &str, script: &str| {
            json!({ "type": "OS::Nova::Server", "properties": {
                "flavor": flavor, "image": { "get_param": "image" },
                "user_data": { "get_file": script }, "metadata": { "from": script },
            } })
        };
        let rule = |port: u16| json!({ "type": "OS::Neutron::SecurityGroupRule", "properties": { "port": port } });
        let volume = json!({ "type": "OS::Cinder::Volume", "properties": { "size": 1 } });
        let stack = json!({
            "parameters": { "image": { "default": "then" } },
            "resources": {
                "worker_1_server": server("small", "old.sh"), "worker_1_volume": volume,
                "ui": rule(80), "gone": rule(81),
            },
            "outputs": { "gone": { "value": { "get_attr": ["gone", "id"] } }, "ui": { "value": "before" } },
        });
        let target = json!({
            "heat_template_version": "2018-08-31",
            "parameters": { "image": { "default": "now" }, "more": { "default": 1 } },
            "resources": { "worker_1_server": server("large", "new.sh"), "ui": rule(82), "new": rule(83) },
            "outputs": { "ui": { "value": "now" } },
        });
        let wanted = json!({
            "heat_template_version": "2018-08-31",
            "parameters": { "image": { "default": "then" }, "more": { "default": 1 } },
            "resources": {
                "worker_1_server": server("small", "new.sh"), "worker_1_volume": volume,
                "ui": rule(82), "new": rule(83),
            },
            "outputs": { "ui": { "value": "now" } },
        });
        let renewed = renew_template(&stack, &target);
        assert_eq!(renewed, wanted);
        assert_eq!(renew_template(&renewed, &target), renewed, "once more");

        let replaced = replaced_resources(&stack, &renewed);
        let names: Vec<&str> = replaced.keys().map(String::as_str).collect();
        assert_eq!(names, ["gone", "new", "ui"]);
        let back = put_back(&renewed, &replaced);
        for name in ["worker_1_volume", "ui", "gone", "new"] {
            assert_eq!(
                back["resources"].get(name),
                stack["resources"].get(name),
                "{name}"
            );
        }
        assert_eq!(replaced_resources(&stack, &stack).len(), 0);
        assert_eq!(refuse_new_resources(&stack, &target), []);
        let mut more = target.clone();
        more["resources"]["worker_1_data"] = volume;
        let told = refuse_new_resources(&stack, &more);
        assert!(
            told[0]
                .message
                .contains("`worker_1_data` (OS::Cinder::Volume)"),
            "{told:?}"
        );
        assert_eq!(renew_template(&stack, &more), renewed);
    }
}
