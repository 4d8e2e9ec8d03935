//! What whoever deploys the template would notice.

use serde_json::{Value, json};
use stampede_plugin::{Flavor, Guest, Network, Node, NodeGroup, Request};

use super::ClusterPlugin;

/// Heat's default `max_resources_per_stack`.
const HEAT_RESOURCES: usize = 1_000;
/// Heat's default `max_template_size`.
const HEAT_TEMPLATE_BYTES: usize = 524_288;

pub(crate) fn request(workers: u32) -> Request {
    let group = |role: &str, nodes: Vec<Node>| NodeGroup {
        role: role.into(),
        flavor: Flavor {
            name: format!("{role}.flavor"),
            vcpus: 1,
            ram_mib: 256,
            disk_gib: 1,
        },
        image: "debian-12".into(),
        nodes,
    };
    let address = |id: u32| {
        std::net::Ipv4Addr::from_bits(u32::from_be_bytes([10, 77, 0, 10]) + id).to_string()
    };
    let nodes = (1..=workers)
        .map(|id| Node {
            id,
            name: format!("worker-{id}"),
            address: address(id),
        })
        .collect();
    Request {
        cluster: "demo".into(),
        version: String::new(),
        groups: vec![
            group(
                "master",
                vec![Node {
                    id: 1,
                    name: "master".into(),
                    address: address(0),
                }],
            ),
            group("worker", nodes),
        ],
        settings: "{}".into(),
        network: Network {
            cidr: "10.77.0.0/22".into(),
            external: Some("public".into()),
            access: vec!["192.0.2.0/24".into()],
        },
        mirror: None,
        proxy: None,
        key: None,
        signal_transport: "CFN_SIGNAL".into(),
        timeout_s: 1_800,
        services: vec![],
        taken: vec![],
    }
}

fn template(request: Request) -> Value {
    serde_json::from_str(&ClusterPlugin::generate(request).unwrap().template).unwrap()
}

#[test]
fn a_cluster_of_one_worker_is_as_recorded() {
    insta::assert_json_snapshot!(template(request(1)));
}

#[test]
fn two_hundred_and_fifty_workers_stay_inside_heats_default_limits() {
    let bundle = ClusterPlugin::generate(request(250)).unwrap();
    let resources = template(request(250))["resources"]
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
    let (small, large) = (template(request(9)), template(request(12)));
    for (name, body) in small["resources"].as_object().unwrap() {
        if name == "ready" {
            assert_eq!(
                (
                    &body["properties"]["count"],
                    &large["resources"][name]["properties"]["count"]
                ),
                (&json!(10), &json!(13))
            );
        } else {
            assert_eq!(body, &large["resources"][name], "{name}");
        }
    }
}

#[test]
fn workers_beyond_novas_quota_of_a_server_group_are_not_put_into_it() {
    let whole = template(request(11));
    let hints = |node: &str| {
        whole["resources"][format!("{node}_server")]["properties"]
            .get("scheduler_hints")
            .is_some()
    };
    assert_eq!(
        (hints("master"), hints("worker_10"), hints("worker_11")),
        (false, true, false)
    );
    let none = template(Request {
        settings: r#"{"spread_workers":0}"#.into(),
        ..request(2)
    });
    assert_eq!(
        (
            none["resources"].get("server_group"),
            none.to_string().contains("scheduler_hints")
        ),
        (None, false)
    );
}

#[test]
fn signals_of_removed_workers_stay_counted() {
    let mut asked = request(5);
    asked.groups[1].nodes.drain(0..2);
    assert_eq!(
        template(asked)["resources"]["ready"]["properties"]["count"],
        6
    );
}

#[test]
fn without_an_external_network_there_is_no_router_and_the_master_is_reached_inside() {
    let mut asked = request(1);
    asked.network.external = None;
    let whole = template(asked);
    let text = whole.to_string();
    assert!(
        !text.contains("router")
            && !text.contains("external_network")
            && !text.contains("FloatingIP"),
        "{text}"
    );
    assert_eq!(whole["outputs"]["master_address"]["value"], "10.77.0.10");
}

#[test]
fn what_the_user_asked_of_the_network_is_in_it() {
    let settings = r#"{"dns_nameservers":["192.0.2.53"],"mtu":1400}"#;
    let whole = template(Request {
        settings: settings.into(),
        ..request(1)
    });
    assert_eq!(
        whole["resources"]["subnet"]["properties"]["dns_nameservers"],
        json!(["192.0.2.53"])
    );
    assert_eq!(
        whole["resources"]["network"]["properties"]["value_specs"],
        json!({ "mtu": 1400 })
    );
}

#[test]
fn a_network_without_room_and_a_timeout_that_heat_refuses_are_said_together() {
    let mut asked = request(250);
    asked.network.cidr = "10.77.0.0/24".into();
    asked.timeout_s = 43_201;
    let problems = ClusterPlugin::generate(asked).unwrap_err();
    let said: Vec<_> = problems
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
    let mut fits = request(212);
    fits.network.cidr = "10.77.0.0/24".into();
    fits.timeout_s = 43_200;
    assert!(ClusterPlugin::generate(fits).is_ok());
}

#[test]
fn every_type_in_the_template_is_declared() {
    let declared = ClusterPlugin::describe().resource_types;
    for (name, body) in template(request(2))["resources"].as_object().unwrap() {
        assert!(
            declared.iter().any(|kind| body["type"] == kind.as_str()),
            "{name}"
        );
    }
}

#[test]
fn nodes_boot_from_volumes_and_stand_in_a_zone_where_that_is_set() {
    let server = |settings: Value| {
        let request = Request {
            settings: settings.to_string(),
            ..request(1)
        };
        let bundle = ClusterPlugin::generate(request).unwrap();
        let template: Value = serde_json::from_str(&bundle.template).unwrap();
        template["resources"]["worker_1_server"]["properties"].clone()
    };
    let plain = server(json!({}));
    assert_eq!(plain["image"], json!({ "get_param": "image" }));
    assert_eq!(plain.get("availability_zone"), None);
    let set = server(json!({ "root_volume_gib": 30, "availability_zone": "az2" }));
    assert_eq!(
        (set.get("image"), &set["availability_zone"]),
        (None, &json!("az2"))
    );
    assert_eq!(
        set["block_device_mapping_v2"],
        json!([{ "image": { "get_param": "image" }, "volume_size": 30, "boot_index": 0, "delete_on_termination": true }])
    );
}

#[test]
fn nodes_of_a_further_group_are_made_and_nothing_is_taken_of_a_role_that_is_not_its_own() {
    let mut asked = request(1);
    let mut edge = asked.groups[1].clone();
    edge.role = "edge".to_owned();
    edge.nodes[0].name = "edge".to_owned();
    asked.groups.push(edge);
    let bundle = ClusterPlugin::generate(asked.clone()).unwrap();
    let roles: Vec<&str> = bundle
        .taken
        .iter()
        .map(|share| share.role.as_str())
        .collect();
    assert_eq!(roles, ["master", "worker"]);
    assert!(template(asked)["resources"]["edge_server"].is_object());
}
