//! What an update of a stack makes, changes, deletes and leaves alone, from two templates. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Names of resources by type.
pub type ResourceNames = BTreeMap<String, Vec<String>>;

/// What becomes of a stack's resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct ResourceChanges {
    /// Made.
    pub new: ResourceNames,
    /// Changed where they are; a server's metadata is how its node is notified.
    pub changed: ResourceNames,
    /// Deleted.
    pub deleted: ResourceNames,
    /// How many stay as they are.
    pub unchanged: usize,
}

/// Compares the resources of two templates.
pub fn compare_templates(old: &Value, new: &Value) -> ResourceChanges {
    let (old, new) = (resources(old), resources(new));
    let mut changes = ResourceChanges::default();
    for (name, body) in &new {
        match old.get(name) {
            None => push(&mut changes.new, name, body),
            Some(before) if comparable(before) == comparable(body) => changes.unchanged += 1,
            Some(_) => push(&mut changes.changed, name, body),
        }
    }
    for (name, body) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        push(&mut changes.deleted, name, body);
    }
    for names in [&mut changes.new, &mut changes.changed, &mut changes.deleted] {
        names
            .values_mut()
            .for_each(|names| names.sort_by_key(|name| natural(name)));
    }
    changes
}

/// How many resources of each type a template has.
pub fn count_resources(template: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for body in resources(template).values() {
        *counts.entry(kind(body)).or_default() += 1;
    }
    counts
}

fn push(names: &mut ResourceNames, name: &str, body: &Value) {
    names.entry(kind(body)).or_default().push(name.to_owned());
}

/// `worker_2` before `worker_10`.
fn natural(name: &str) -> (usize, String) {
    (name.len(), name.to_owned())
}

fn resources(template: &Value) -> Map<String, Value> {
    let resources = template.get("resources").and_then(Value::as_object);
    resources.cloned().unwrap_or_default()
}

fn kind(body: &Value) -> String {
    let kind = body.get("type").and_then(Value::as_str);
    kind.unwrap_or_default().to_owned()
}

/// What Heat looks at in an update: what a server boots with it leaves alone.
fn comparable(body: &Value) -> Value {
    let mut body = body.clone();
    if kind(&body) == "OS::Nova::Server"
        && let Some(properties) = body.get_mut("properties").and_then(Value::as_object_mut)
    {
        properties.remove("user_data");
    }
    body
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_resource_is_new_changed_deleted_or_left_alone() {
        let server = |metadata: &str, user_data: &str| json!({ "type": "OS::Nova::Server", "properties": { "metadata": metadata, "user_data": user_data } });
        let old = json!({ "resources": {
            "worker_1": server("a", "1"), "worker_2": server("a", "1"), "worker_10": server("a", "1"), "net": { "type": "OS::Neutron::Net" },
        } });
        let new = json!({ "resources": {
            "net": { "type": "OS::Neutron::Net" }, "worker_1": server("b", "1"), "worker_11": server("a", "1"), "worker_9": server("a", "1"),
        } });
        let of = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            ResourceNames::from([("OS::Nova::Server".to_owned(), names)])
        };
        let changes = compare_templates(&old, &new);
        assert_eq!(changes.new, of(&["worker_9", "worker_11"]));
        assert_eq!(changes.changed, of(&["worker_1"]));
        assert_eq!(changes.deleted, of(&["worker_2", "worker_10"]));
        assert_eq!(changes.unchanged, 1);
        let booted = json!({ "resources": { "worker_1": server("a", "2") } });
        assert_eq!(compare_templates(&old, &booted).unchanged, 1);
        assert_eq!(count_resources(&old)["OS::Nova::Server"], 3);
    }
}
