//! The stack of a cluster: its name, the tags that find it again, and what Heat is given. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::orchestrator::{
    planning::planner::StackPlan,
    stack::snapshot::{REQUEST_PARAMETER, StackSnapshot},
};
use crate::{
    bundle::{
        node_rest::{REST_RESOURCE, metadata_parts},
        node_update::NodeUpdate,
    },
    cluster::RolloutStep,
    openstack::CreateStack,
    store::{ClusterRecord, NodeNotifications},
};

/// Every stack of Stampede's bears it.
pub const TAG: &str = "stampede";

/// What Heat may take beyond what the nodes may take, in seconds: networks, ports, servers.
const HEAT_MARGIN_S: u32 = 1_800;

/// The name of a cluster's stack: `stampede-demo-1f2e3d4c`.
pub fn stack_name(cluster: &str, id: &str) -> String {
    format!("{TAG}-{cluster}-{}", short_id(id))
}

/// The part of a cluster's id that its stack's name ends with.
pub fn short_id(id: &str) -> String {
    id.chars().filter(char::is_ascii_hexdigit).take(8).collect()
}

/// Most characters of a host's name in a tag; Heat takes 80 with what stands before it.
const MAX_HOST_CHARS: usize = 60;

/// The tags of a cluster's stack.
pub fn stack_tags(record: &ClusterRecord, host: &str) -> Vec<String> {
    vec![
        TAG.to_owned(),
        host_tag(host),
        format!("{TAG}.cluster.{}", record.id),
        format!("{TAG}.name.{}", record.name),
    ]
}

/// The tag of all stacks that one host has made: hosts in one project do not take each other's
/// clusters for their own.
pub fn host_tag(host: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
            c
        } else {
            '_'
        }
    };
    format!(
        "{TAG}.host.{}",
        host.chars()
            .take(MAX_HOST_CHARS)
            .map(plain)
            .collect::<String>()
    )
}

/// Whether a stack that bears these tags is this cluster's.
pub fn is_ours(record: &ClusterRecord, tags: &[String]) -> bool {
    tags.contains(&format!("{TAG}.cluster.{}", record.id))
}

/// What Heat is asked to create, from a plan that tells no node of a change.
pub(crate) fn build_stack_request(
    record: &ClusterRecord,
    host: &str,
    planned: &StackPlan,
) -> CreateStack {
    let (updates, of_nodes) = (BTreeMap::new(), BTreeMap::new());
    let news = NodeNews {
        updates: &updates,
        of_nodes,
    };
    let template = render_template(planned, &record.notified, &[], &news);
    let (files, parameters) = (planned.files.clone(), planned.parameters.clone());
    complete_request(record, host, template, files, parameters)
}

/// What the nodes of a change are told.
pub(crate) struct NodeNews<'a> {
    /// What is told in the step that is rendered, by the name of what holds it.
    pub(crate) updates: &'a BTreeMap<String, NodeUpdate>,
    /// What each node was told last.
    pub(crate) of_nodes: BTreeMap<&'a str, &'a str>,
}

/// The template of a plan, with what its nodes are notified of. `steps` are those of the change
/// until and with the one that is rendered.
pub(crate) fn render_template(
    planned: &StackPlan,
    told: &NodeNotifications,
    steps: &[RolloutStep],
    news: &NodeNews<'_>,
) -> Value {
    let mut template = planned.template.clone();
    set_node_metadata(&mut template, told, steps, news);
    let declared = json!({
        "type": "string",
        "default": "",
        "description": "What stampede was asked for; it finds its clusters again by this.",
    });
    if let Some(template) = template.as_object_mut() {
        let parameters = template.entry("parameters").or_insert_with(|| json!({}));
        if let Some(parameters) = parameters.as_object_mut() {
            parameters.insert(REQUEST_PARAMETER.to_owned(), declared);
        }
    }
    template
}

/// A request around a template that is rendered already. The stack carries the record as it is
/// given here.
pub(crate) fn complete_request(
    record: &ClusterRecord,
    host: &str,
    template: Value,
    files: BTreeMap<String, String>,
    parameters: Map<String, Value>,
) -> CreateStack {
    let timeout_s = record.spec.as_ref().map_or(0, |spec| spec.timeout_s) + HEAT_MARGIN_S;
    let mut request = CreateStack {
        name: record.stack_name.clone(),
        template,
        files,
        parameters,
        tags: stack_tags(record, host),
        timeout_mins: timeout_s.div_ceil(60),
    };
    set_snapshot(&mut request, record);
    request
}

/// Has the stack carry the record as it is.
pub(crate) fn set_snapshot(request: &mut CreateStack, record: &ClusterRecord) {
    let carried = serde_json::to_string(&StackSnapshot::from_record(record)).unwrap_or_default();
    request
        .parameters
        .insert(REQUEST_PARAMETER.to_owned(), Value::String(carried));
}

/// Puts into the servers' metadata what their nodes are notified of, as `templates/node/README.md`
/// has it. One text stands once, however many nodes are notified; those that were told the same in a
/// step before keep it.
fn set_node_metadata(
    template: &mut Value,
    told: &NodeNotifications,
    steps: &[RolloutStep],
    news: &NodeNews<'_>,
) {
    let Some(resources) = template.get_mut("resources").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, news) in news.updates {
        let mut value = Map::new();
        value.insert("stampede_sha256".to_owned(), news.sha256.clone().into());
        value.insert(
            "stampede_parts".to_owned(),
            news.parts.len().to_string().into(),
        );
        value.extend(metadata_parts(&news.parts));
        resources.insert(
            change_resource(name),
            json!({ "type": "OS::Heat::Value", "properties": { "type": "json", "value": value } }),
        );
    }
    let stages: BTreeMap<&str, &RolloutStep> = steps
        .iter()
        .flat_map(|step| step.told.iter().map(move |node| (node.as_str(), step)))
        .collect();
    for (node, generation) in &told.nodes {
        let server = resources.get_mut(&format!("{}_server", node.replace('-', "_")));
        let Some(metadata) = server.and_then(|server| server.pointer_mut("/properties/metadata"))
        else {
            continue;
        };
        let (mut own, rest) = split_metadata(metadata);
        own.insert(
            "stampede_generation".to_owned(),
            generation.to_string().into(),
        );
        let step = stages
            .get(node.as_str())
            .filter(|step| step.generation == *generation);
        let update = news.of_nodes.get(node.as_str()).copied();
        let update = update.filter(|name| news.updates.contains_key(*name));
        // Of what it booted by and the change, which have parts of one name, the last counts.
        let mut further = rest;
        if let Some((step, update)) = step.zip(update) {
            own.insert("stampede_stages".to_owned(), step.stages.join(" ").into());
            further.push(json!({ "get_attr": [change_resource(update), "value"] }));
        }
        *metadata = join_metadata(own, further);
    }
    drop_unused_rests(resources);
}

/// A server's own metadata, and what is merged into it: what its user data had no room for.
fn split_metadata(metadata: &Value) -> (Map<String, Value>, Vec<Value>) {
    let own = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
    match metadata.get("map_merge").and_then(Value::as_array) {
        Some(maps) => {
            let rest = maps.iter().skip(1).cloned();
            (own(maps.first()).unwrap_or_default(), rest.collect())
        }
        None => (own(Some(metadata)).unwrap_or_default(), Vec::new()),
    }
}

fn join_metadata(own: Map<String, Value>, further: Vec<Value>) -> Value {
    if further.is_empty() {
        return Value::Object(own);
    }
    let mut maps = vec![Value::Object(own)];
    maps.extend(further);
    json!({ "map_merge": maps })
}

/// The resource whose value is merged into metadata.
fn merged_resource(map: &Value) -> Option<&str> {
    map.pointer("/get_attr/0").and_then(Value::as_str)
}

/// What nodes that have gone had booted by.
fn drop_unused_rests(resources: &mut Map<String, Value>) {
    let merged = |body: &Value| {
        let (_, further) = split_metadata(body.pointer("/properties/metadata")?);
        let named = further.iter().filter_map(merged_resource);
        Some(named.map(str::to_owned).collect::<Vec<_>>())
    };
    let used: BTreeSet<String> = resources.values().filter_map(merged).flatten().collect();
    resources.retain(|name, _| !name.starts_with(REST_RESOURCE) || used.contains(name));
}

/// The template of a stack as its plan had it: without what nodes were notified of, and without the
/// parameter that carries the record.
pub(crate) fn without_notifications(stack: &Value) -> Value {
    let mut plain = stack.clone();
    let parameters = plain.get_mut("parameters").and_then(Value::as_object_mut);
    parameters.and_then(|parameters| parameters.remove(REQUEST_PARAMETER));
    let Some(resources) = plain.get_mut("resources").and_then(Value::as_object_mut) else {
        return plain;
    };
    resources.retain(|name, _| !name.starts_with(CHANGE_RESOURCE));
    for body in resources.values_mut() {
        let Some(metadata) = body.pointer_mut("/properties/metadata") else {
            continue;
        };
        if !metadata.is_object() {
            continue;
        }
        let (mut own, mut further) = split_metadata(metadata);
        own.retain(|name, _| name != "stampede_generation" && name != "stampede_stages");
        further.retain(|map| {
            !merged_resource(map).is_some_and(|name| name.starts_with(CHANGE_RESOURCE))
        });
        *metadata = join_metadata(own, further);
    }
    plain
}

/// What the names of resources begin with that hold what nodes are notified of.
const CHANGE_RESOURCE: &str = "stampede_change_";

/// The resource that holds what nodes are notified of.
fn change_resource(name: &str) -> String {
    format!("{CHANGE_RESOURCE}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::change::ClusterRest;

    #[test]
    fn what_a_node_boots_by_stays_beside_what_it_is_notified_of_and_goes_with_the_node() {
        let rest = |digit: &str| format!("{REST_RESOURCE}{digit}");
        let server = |digit: &str| {
            let metadata = json!({ "map_merge": [{ "stampede_role": "master" }, { "get_attr": [rest(digit), "value"] }] });
            json!({ "type": "OS::Nova::Server", "properties": { "metadata": metadata } })
        };
        let value = json!({ "type": "OS::Heat::Value", "properties": { "value": { "stampede_part_000": "x" } } });
        let plan = json!({ "resources": { "master_server": server("1"), "master_2_server": server("1"), rest("1"): value } });
        let mut template = plan.clone();
        template["resources"][rest("2")] = value.clone();
        let told = NodeNotifications {
            nodes: BTreeMap::from([("master".to_owned(), 7)]),
            ..NodeNotifications::default()
        };
        let step = RolloutStep {
            title: String::new(),
            generation: 7,
            nodes: crate::cluster::NodeIds::new(),
            stack: ClusterRest::Before,
            files: ClusterRest::Before,
            told: vec!["master".to_owned()],
            stages: vec!["setup".to_owned()],
            components: Vec::new(),
            news: None,
            leaving: Vec::new(),
            is_postponed: false,
            brings: None,
            may_be_dead: false,
            digest: None,
        };
        let news = NodeUpdate {
            sha256: "0".to_owned(),
            parts: vec!["y".to_owned()],
        };
        let updates = BTreeMap::from([("master".to_owned(), news)]);
        let news = NodeNews {
            updates: &updates,
            of_nodes: BTreeMap::from([("master", "master")]),
        };
        set_node_metadata(&mut template, &told, &[step], &news);
        let merged = &template["resources"]["master_server"]["properties"]["metadata"]["map_merge"];
        assert_eq!(merged[0]["stampede_generation"], "7");
        let named: Vec<Option<&str>> = merged
            .as_array()
            .unwrap()
            .iter()
            .map(merged_resource)
            .collect();
        assert_eq!(
            named,
            [
                None,
                Some(rest("1").as_str()),
                Some("stampede_change_master")
            ]
        );
        assert!(
            template["resources"].get(rest("2")).is_none(),
            "nobody boots by it"
        );
        assert_eq!(without_notifications(&template), plan);
    }

    #[test]
    fn names_and_tags_fit_heat_for_the_longest_cluster_name() {
        let longest = "a".repeat(crate::cluster::limits::MAX_NAME_CHARS);
        let name = stack_name(&longest, "1f2e3d4c-5b6a-4798-8897-a6b5c4d3e2f1");
        assert!(name.len() <= 255 && name.ends_with("-1f2e3d4c"), "{name}");
        assert!(format!("{TAG}.name.{longest}").len() <= 80);
        assert!(host_tag(&"ü,".repeat(100)).len() <= 80 && !host_tag("a,b").contains(','));
    }
}
