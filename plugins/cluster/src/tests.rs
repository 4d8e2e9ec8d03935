//! What whoever deploys the template would notice.

use serde_json::{Value, json};
use stampede_framework::{Bundle, Guest, Problem, Request};

use super::ClusterPlugin;

/// Heat's default `max_resources_per_stack`.
const HEAT_RESOURCES: usize = 1_000;
/// Heat's default `max_template_size`.
const HEAT_TEMPLATE_BYTES: usize = 524_288;

/// Settings as the host fills them in.
fn facts(workers: u32) -> Value {
    let address = |id: u32| {
        std::net::Ipv4Addr::from_bits(u32::from_be_bytes([10, 77, 0, 10]) + id).to_string()
    };
    let node = |name: String, address: String, group: &str| json!({"name": name, "address": address, "file": format!("node-{group}.sh")});
    let group = |name: &str, nodes: Vec<Value>| {
        json!({
            "name": name, "flavor": format!("{name}.flavor"), "image": "debian-12", "root_volume_gib": null,
            "availability_zone": null, "volume_gib": 0, "nodes": nodes,
        })
    };
    let nodes = (1..=workers).map(|id| node(format!("worker-{id}"), address(id), "worker"));
    json!({
        "network": {"cidr": "10.77.0.0/22", "external": "public"},
        "groups": [group("master", vec![node("master".into(), address(0), "master")]), group("worker", nodes.collect())],
        "key": null, "signal_transport": "CFN_SIGNAL", "timeout_s": 1_800, "ready_count": workers + 1,
    })
}

fn request(settings: &Value) -> Request {
    Request {
        cluster: "demo".into(),
        version: String::new(),
        settings: settings.to_string(),
        placements: vec![],
        services: vec![],
    }
}

fn generated(settings: &Value) -> Result<Bundle, Vec<Problem>> {
    ClusterPlugin::generate(request(settings), vec![], vec![])
}

fn template(settings: &Value) -> Value {
    serde_json::from_str(&generated(settings).unwrap().template).unwrap()
}

/// With one more setting, or another.
fn with(mut settings: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    settings.pointer_mut(parent).unwrap()[key] = value;
    settings
}

#[test]
fn a_cluster_of_one_worker_is_as_recorded() {
    insta::assert_json_snapshot!(template(&facts(1)));
}

#[test]
fn it_claims_a_node_whatever_it_is_told_and_opens_nothing() {
    let claims = ClusterPlugin::claim(request(&json!({})), None).unwrap();
    assert_eq!(claims.needs.len(), 1);
    assert_eq!(
        (claims.needs[0].least_mib, &claims.needs[0].ports),
        (0, &vec![])
    );
    let bundle = generated(&facts(2)).unwrap();
    assert!(!bundle.template.contains("SecurityGroupRule"));
    assert_eq!((bundle.endpoints, bundle.files), (vec![], vec![]));
    assert_eq!(
        bundle.services[0].attributes,
        [("cidr".to_owned(), "10.77.0.0/22".to_owned())]
    );
}

#[test]
fn two_hundred_and_fifty_workers_stay_inside_heats_default_limits() {
    let bundle = generated(&facts(250)).unwrap();
    let resources = template(&facts(250))["resources"]
        .as_object()
        .unwrap()
        .len();
    assert!(
        resources < HEAT_RESOURCES - 400,
        "{resources} resources leave no room for a volume and an attachment a node"
    );
    assert!(
        bundle.template.len() < HEAT_TEMPLATE_BYTES * 3 / 4,
        "{} bytes",
        bundle.template.len()
    );
}

#[test]
fn an_old_node_is_not_touched_when_the_cluster_grows() {
    let (small, large) = (template(&facts(9)), template(&facts(12)));
    for (name, body) in small["resources"].as_object().unwrap() {
        if name == "ready" {
            let count = |whole: &Value| whole["resources"]["ready"]["properties"]["count"].clone();
            assert_eq!((count(&small), count(&large)), (json!(10), json!(13)));
        } else {
            assert_eq!(body, &large["resources"][name], "{name}");
        }
    }
}

#[test]
fn workers_beyond_novas_quota_of_a_server_group_are_not_put_into_it() {
    let whole = template(&facts(11));
    let hints = |node: &str| {
        let server = &whole["resources"][format!("{node}_server")];
        server["properties"].get("scheduler_hints").is_some()
    };
    assert_eq!(
        (hints("master"), hints("worker_10"), hints("worker_11")),
        (false, true, false)
    );
    let none = template(&with(facts(2), "/spread_workers", json!(0)));
    assert_eq!(none["resources"].get("server_group"), None);
    assert!(!none.to_string().contains("scheduler_hints"));
}

#[test]
fn the_condition_waits_for_as_many_signals_as_the_host_says() {
    let whole = template(&with(facts(2), "/ready_count", json!(6)));
    assert_eq!(whole["resources"]["ready"]["properties"]["count"], 6);
}

#[test]
fn without_an_external_network_there_is_no_router_and_the_master_is_reached_inside() {
    let whole = template(&with(facts(1), "/network/external", Value::Null));
    let text = whole.to_string();
    for absent in ["router", "external_network", "FloatingIP"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
    assert_eq!(whole["outputs"]["master_address"]["value"], "10.77.0.10");
}

#[test]
fn what_the_user_asked_of_the_network_is_in_it() {
    let asked = with(facts(1), "/dns_nameservers", json!(["192.0.2.53"]));
    let whole = template(&with(asked, "/mtu", json!(1400)));
    let properties = |name: &str| &whole["resources"][name]["properties"];
    assert_eq!(
        properties("subnet")["dns_nameservers"],
        json!(["192.0.2.53"])
    );
    assert_eq!(properties("network")["value_specs"], json!({ "mtu": 1400 }));
}

#[test]
fn a_network_without_room_and_a_timeout_that_heat_refuses_are_said_together() {
    let narrow = |workers: u32, timeout_s: u32| {
        let asked = with(facts(workers), "/network/cidr", json!("10.77.0.0/24"));
        generated(&with(asked, "/timeout_s", json!(timeout_s)))
    };
    let said: Vec<_> = narrow(250, 43_201)
        .unwrap_err()
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.message))
        .collect();
    assert_eq!(
        said,
        [
            "network.cidr: 10.77.0.0/24 has no room for worker-213 at 10.77.0.223",
            "timeout: must be 1 to 43200 seconds, got 43201"
        ]
    );
    assert!(narrow(212, 43_200).is_ok());
}

#[test]
fn every_type_in_the_template_is_declared() {
    let declared = ClusterPlugin::describe().resource_types;
    let with_volumes = with(facts(2), "/groups/1/volume_gib", json!(5));
    for (name, body) in template(&with_volumes)["resources"].as_object().unwrap() {
        assert!(
            declared.iter().any(|kind| body["type"] == kind.as_str()),
            "{name}"
        );
    }
    assert!(
        !declared
            .iter()
            .any(|kind| kind == "OS::Neutron::SecurityGroupRule")
    );
}

#[test]
fn a_groups_own_root_volume_and_zone_win_over_those_of_all_nodes() {
    let servers = |settings: &Value| {
        let whole = template(settings);
        ["master_server", "worker_1_server"]
            .map(|name| whole["resources"][name]["properties"].clone())
    };
    let plain = servers(&facts(1));
    assert_eq!(plain[1]["image"], json!({ "get_param": "image" }));
    assert_eq!(plain[1].get("availability_zone"), None);
    let all = with(facts(1), "/root_volume_gib", json!(30));
    let all = with(all, "/availability_zone", json!("az2"));
    let own = with(all.clone(), "/groups/1/root_volume_gib", json!(0));
    let own = with(own, "/groups/1/availability_zone", json!("az3"));
    let volume = json!([{ "image": { "get_param": "image" }, "volume_size": 30, "boot_index": 0, "delete_on_termination": true }]);
    for (settings, volumes, zones) in [
        (all, [true, true], ["az2", "az2"]),
        (own, [true, false], ["az2", "az3"]),
    ] {
        for ((server, boots), zone) in servers(&settings).iter().zip(volumes).zip(zones) {
            assert_eq!(server["availability_zone"], zone);
            assert_eq!(server.get("image").is_none(), boots);
            assert_eq!(
                server.get("block_device_mapping_v2"),
                boots.then_some(&volume)
            );
        }
    }
}

#[test]
fn each_node_of_a_group_has_the_volume_asked_for() {
    let whole = template(&with(facts(2), "/groups/1/volume_gib", json!(50)));
    let resource = |name: &str| {
        whole["resources"]
            .get(name)
            .map(|body| body["properties"].clone())
    };
    assert_eq!(
        resource("worker_2_volume"),
        Some(json!({"name": "demo-worker-2-data", "size": 50}))
    );
    let attachment = json!({
        "instance_uuid": { "get_resource": "worker_2_server" }, "volume_id": { "get_resource": "worker_2_volume" },
    });
    assert_eq!(resource("worker_2_attachment"), Some(attachment));
    assert_eq!(resource("master_volume"), None);
}

#[test]
fn volumes_are_of_the_type_and_in_the_zone_asked_for_and_stay_where_that_is_meant() {
    let plain = with(facts(1), "/groups/1/volume_gib", json!(50));
    let volume = |settings: &Value| template(settings)["resources"]["worker_1_volume"].clone();
    assert_eq!(volume(&plain).get("deletion_policy"), None);
    let asked = with(plain, "/volume_type", json!("ssd"));
    let asked = with(asked, "/volume_zone", json!("cinder-1"));
    let asked = with(asked, "/volume_keep", json!(true));
    let wanted = json!({
        "type": "OS::Cinder::Volume", "deletion_policy": "Retain",
        "properties": {"name": "demo-worker-1-data", "size": 50, "volume_type": "ssd", "availability_zone": "cinder-1"},
    });
    assert_eq!(volume(&asked), wanted);
}

#[test]
fn nodes_of_a_further_group_are_made_with_its_own_image_and_file() {
    let mut asked = facts(1);
    let edge = json!({
        "name": "edge", "flavor": "small", "image": "ubuntu", "volume_gib": 0,
        "nodes": [{"name": "edge", "address": "10.77.1.10", "file": "node-edge-0123abcd.sh"}],
    });
    asked["groups"].as_array_mut().unwrap().push(edge);
    let server = &template(&asked)["resources"]["edge_server"]["properties"];
    assert_eq!(server["image"], json!({ "get_param": "edge_image" }));
    assert_eq!(server["flavor"], json!({ "get_param": "edge_flavor" }));
    assert_eq!(
        server["user_data"]["list_join"][1][2],
        json!({ "get_file": "node-edge-0123abcd.sh" })
    );
}
