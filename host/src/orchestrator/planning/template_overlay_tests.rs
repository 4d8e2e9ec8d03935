//! A stack that older plugins made, and what a change of now makes of it.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::cluster::test_groups::{group, with_master};

/// A plan: what the plugins of one day make of a cluster with these workers.
fn plan(day: &str, workers: &[u32], access: &[&str]) -> Value {
    let mut resources = json!({
        "network": { "type": "OS::Neutron::Net", "properties": { "name": day } },
        "ready": { "type": "OS::Heat::WaitCondition", "properties": { "count": 1 + workers.iter().max().unwrap_or(&0), "timeout": { "get_param": "timeout" } } },
        format!("only_{day}"): { "type": "OS::Heat::Value", "properties": { "value": day } },
    });
    let mut servers = Map::new();
    for id in workers {
        resources[format!("worker_{id}_server")] = json!({ "type": "OS::Nova::Server", "properties": {
            "name": format!("{day}-worker-{id}"), "image": { "get_param": "image" },
            "key_name": { "if": ["has_key", { "get_param": "key_name" }, null] },
            "scheduler_hints": { "group": { "get_resource": format!("only_{day}") } },
        } });
        servers.insert(
            format!("worker-{id}"),
            json!({ "get_resource": format!("worker_{id}_server") }),
        );
    }
    for cidr in access {
        resources[format!("rule_{cidr}")] =
            json!({ "type": "OS::Neutron::SecurityGroupRule", "properties": { "cidr": cidr } });
    }
    json!({
        "description": day,
        "parameters": { "image": { "default": format!("image-{day}"), "constraints": [{ "custom_constraint": "glance.image" }] }, "key_name": { "default": "" }, "timeout": { "default": 60 } },
        "conditions": { "has_key": { "not": { "equals": [{ "get_param": "key_name" }, ""] } } },
        "resources": resources,
        "outputs": { "servers": { "value": servers } },
    })
}

fn overlay(from: (&[u32], &[&str]), to: (&[u32], &[&str])) -> TemplateOverlay {
    TemplateOverlay {
        stack: plan("old", from.0, from.1),
        from: plan("new", from.0, from.1),
        to: plan("new", to.0, to.1),
        groups: NodeGroups::default(),
        new_nodes: NewNodeValues::default(),
    }
}

fn names(template: &Value) -> Vec<&str> {
    let resources = template["resources"].as_object().unwrap();
    let mut names: Vec<&str> = resources.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_change_of_nothing_leaves_the_stack_as_it_is() {
    let overlay = overlay((&[1, 2], &["a"]), (&[1, 2], &["a"]));
    let stack = overlay.stack.clone();
    assert_eq!(
        overlay.lay(&plan("new", &[1, 2], &["a"]), &with_master(&[1, 2])),
        stack
    );
}

#[test]
fn new_workers_are_of_now_and_all_others_are_as_they_were() {
    let overlay = overlay((&[1], &[]), (&[1, 2], &[]));
    let laid = overlay.lay(&overlay.to, &with_master(&[1, 2]));
    let old = &overlay.stack;
    for kept in ["network", "worker_1_server", "only_old"] {
        assert_eq!(laid["resources"][kept], old["resources"][kept], "{kept}");
    }
    assert_eq!(laid["parameters"], old["parameters"]);
    assert_eq!(laid["description"], "old");
    assert_eq!(laid["resources"]["ready"]["properties"]["count"], 3);
    let server = &laid["resources"]["worker_2_server"]["properties"];
    assert_eq!(server["name"], "new-worker-2");
    assert_eq!(server["image"], "image-new", "its own, not the parameter's");
    assert!(
        laid["resources"]["only_new"].is_object(),
        "the new worker refers to it"
    );
    let servers = laid["outputs"]["servers"]["value"].as_object().unwrap();
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["worker-1", "worker-2"]);
}

#[test]
fn leaving_workers_go_with_all_that_is_theirs() {
    let mut overlay = overlay((&[1, 2, 3], &[]), (&[1], &[]));
    overlay.stack["resources"]["old_worker_3_volume"] = json!({ "type": "OS::Cinder::Volume" });
    overlay.stack["resources"]["ready"]["depends_on"] = json!(["worker_3_server", "network"]);
    // They are let go of while they are there, then taken away.
    let still = overlay.lay(&overlay.from, &with_master(&[1, 2, 3]));
    assert_eq!(still["resources"], overlay.stack["resources"]);
    let laid = overlay.lay(&overlay.to, &with_master(&[1]));
    assert_eq!(
        names(&laid),
        ["network", "only_old", "ready", "worker_1_server"]
    );
    assert_eq!(laid["resources"]["ready"]["depends_on"], json!(["network"]));
    let servers = laid["outputs"]["servers"]["value"].as_object().unwrap();
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["worker-1"]);
}

#[test]
fn a_changed_setting_changes_what_it_says_and_the_way_back_is_the_same_from_every_step() {
    let mut overlay = overlay((&[1], &["a"]), (&[1, 2], &["b"]));
    let first = overlay.stack.clone();
    let there = overlay.lay(&overlay.to, &with_master(&[1, 2]));
    assert!(names(&there).contains(&"rule_b") && !names(&there).contains(&"rule_a"));
    // Another process, in the middle of the change, lays over what the stack has by then.
    overlay.stack = there.clone();
    assert_eq!(overlay.lay(&overlay.to, &with_master(&[1, 2])), there);
    let back = overlay.lay(&overlay.from, &with_master(&[1]));
    let mut wanted = first;
    // Something new needed it; it harms nobody.
    wanted["resources"]["only_new"] = there["resources"]["only_new"].clone();
    wanted["resources"]["rule_a"] = overlay.from["resources"]["rule_a"].clone();
    assert_eq!(names(&back), names(&wanted));
    assert_eq!(
        back["resources"]["worker_1_server"],
        wanted["resources"]["worker_1_server"]
    );
}

fn replaced(
    kind: NamedKind,
    before: &str,
    after: &str,
) -> BTreeMap<(String, NamedKind), (String, String)> {
    let of = ("worker".to_owned(), kind);
    BTreeMap::from([(of, (before.to_owned(), after.to_owned()))])
}

#[test]
fn an_image_and_a_flavor_of_one_name_are_two_things() {
    let mut overlay = overlay((&[1], &[]), (&[1, 2], &[]));
    let booted = json!([{ "image": "small", "boot_index": 0 }]);
    let named = |image: &Value| json!({ "image": image, "flavor": "small", "block_device_mapping_v2": booted });
    let image = json!({ "get_param": "image" });
    overlay.to["resources"]["worker_2_server"]["properties"] = named(&image);
    let server = |kind, before: &str, after: &str| {
        let mut overlay = overlay.clone();
        overlay.new_nodes.replaced = replaced(kind, before, after);
        let laid = overlay.lay(&overlay.to, &with_master(&[1, 2]));
        let server = &laid["resources"]["worker_2_server"]["properties"];
        let volume = &server["block_device_mapping_v2"][0]["image"];
        [&server["image"], &server["flavor"], volume].map(Value::clone)
    };
    assert_eq!(
        server(NamedKind::Flavor, "small", "large"),
        [json!("image-new"), json!("large"), json!("small")]
    );
    assert_eq!(
        server(NamedKind::Image, "small", "other"),
        [json!("image-new"), json!("small"), json!("other")]
    );
    assert_eq!(
        server(NamedKind::Flavor, "image-new", "large"),
        [json!("image-new"), json!("small"), json!("small")],
        "a parameter says what it names"
    );
}

#[test]
fn new_workers_may_be_made_of_something_else() {
    let mut overlay = overlay((&[1], &[]), (&[1, 2], &[]));
    overlay.new_nodes = NewNodeValues {
        replaced: replaced(NamedKind::Image, "image-new", "image-other"),
        key: Some("laptop".to_owned()),
    };
    let laid = overlay.lay(&overlay.to, &with_master(&[1, 2]));
    let server = |name: &str| &laid["resources"][name]["properties"];
    assert_eq!(server("worker_2_server")["image"], "image-other");
    assert_eq!(server("worker_2_server")["key_name"], "laptop");
    assert_eq!(
        server("worker_1_server")["image"],
        json!({ "get_param": "image" })
    );
    overlay.new_nodes.key = Some(String::new());
    overlay.stack["parameters"]["key_name"]["default"] = json!("gone");
    let laid = overlay.lay(&overlay.to, &with_master(&[1, 2]));
    assert_eq!(
        laid["resources"]["worker_2_server"]["properties"]["key_name"],
        Value::Null
    );
}

#[test]
fn workers_can_be_taken_out_of_a_stack_by_their_names_alone() {
    let stack = plan("old", &[1, 2, 10], &["a"]);
    let rest = without_gone_nodes(&stack, &NodeGroups::default(), &with_master(&[2]));
    assert_eq!(
        names(&rest),
        ["network", "only_old", "ready", "rule_a", "worker_2_server"]
    );
    let servers = rest["outputs"]["servers"]["value"].as_object().unwrap();
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["worker-2"]);
}

#[test]
fn functions_are_taken_whole() {
    let function = |name: &str, of: &str| json!({ name: of });
    let laid = lay_value(
        Some(&function("get_param", "a")),
        Some(&function("get_param", "a")),
        Some(&function("get_file", "b")),
        Some(&function("get_file", "b")),
    );
    assert_eq!(laid, Some(function("get_file", "b")));
}

#[test]
fn nodes_of_every_group_leave_by_name_and_the_first_of_a_group_has_no_number() {
    let mut groups = NodeGroups::default();
    groups.add(group("edge", 1));
    let server = json!({ "type": "OS::Nova::Server" });
    let names = |nodes: &NodeIds| {
        let mut stack = json!({ "resources": {} });
        for name in [
            "master_server",
            "worker_1_server",
            "edge_server",
            "edge_2_server",
            "hadoop_edge_volume",
            "hadoop_edge_2_volume",
            "network",
            "edge",
        ] {
            stack["resources"][name] = server.clone();
        }
        let rest = without_gone_nodes(&stack, &groups, nodes);
        names(&rest)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let with = |edge: &[u32]| {
        let mut nodes = with_master(&[1]);
        nodes.insert("edge".to_owned(), edge.to_vec());
        nodes
    };
    assert_eq!(names(&with(&[1, 2])).len(), 8);
    assert_eq!(
        names(&with(&[2])),
        [
            "edge",
            "edge_2_server",
            "hadoop_edge_2_volume",
            "master_server",
            "network",
            "worker_1_server"
        ]
    );
    assert_eq!(
        names(&with(&[1])),
        [
            "edge",
            "edge_server",
            "hadoop_edge_volume",
            "master_server",
            "network",
            "worker_1_server"
        ]
    );
}
