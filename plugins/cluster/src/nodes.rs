//! A port and a server a node. Whatever is the same for many stands once, so that 250 workers stay
//! far inside Heat's limits.

use serde_json::{Value, json};
use stampede_framework::hot::{
    self, StackPart, concat, get_attr, get_file, get_param, get_resource, resource, when,
};

use crate::settings::{ClusterSettings, GroupFacts, HostFacts, NodeFacts};

/// What this file may add.
pub(crate) const TYPES: &[&str] = &[
    "OS::Neutron::Port",
    "OS::Nova::Server",
    "OS::Nova::ServerGroup",
    "OS::Cinder::Volume",
    "OS::Cinder::VolumeAttachment",
];
/// The group of workers that are spread.
const SERVER_GROUP: &str = "server_group";

/// What may be changed by hand when the template is deployed by hand: the request's own values are
/// the defaults.
pub(crate) fn add_parameters(template: &mut StackPart, facts: &HostFacts) {
    for group in &facts.groups {
        let (image, flavor) = (
            image_parameter(facts, group),
            format!("{}_flavor", group.name),
        );
        let body = json!({
            "type": "string", "label": "Image", "default": group.image, "constraints": [{ "custom_constraint": "glance.image" }],
            "description": "Name or id of the image that nodes boot from: Debian 12, Ubuntu 22.04 or 24.04.",
        });
        template.parameter(image, body);
        let body = json!({
            "type": "string", "label": format!("Flavor of {}", group.name), "default": group.flavor,
            "constraints": [{ "custom_constraint": "nova.flavor" }],
            "description": "Name or id of a flavor; the configuration was made for its memory, and a node with less says so and stops.",
        });
        template.parameter(flavor, body);
    }
    template.parameter(
        "key_name",
        json!({
            "type": "string", "label": "Key pair", "default": facts.key.as_deref().unwrap_or_default(),
            "constraints": [{ "custom_constraint": "nova.keypair" }],
            "description": "Name of the key pair that may log in on the nodes; empty for none.",
        }),
    );
    template.condition(
        "has_key",
        json!({ "not": { "equals": [get_param("key_name"), ""] } }),
    );
}

/// `image` for all, unless a group boots from another one than the first.
fn image_parameter(facts: &HostFacts, group: &GroupFacts) -> String {
    let first = facts.groups.first().map(|first| &first.image);
    if first == Some(&group.image) {
        "image".to_owned()
    } else {
        format!("{}_image", group.name)
    }
}

/// Adds every node.
pub(crate) fn add_nodes(
    template: &mut StackPart,
    cluster: &str,
    facts: &HostFacts,
    settings: &ClusterSettings,
) {
    if settings.spread_workers > 0 {
        let group =
            json!({ "name": format!("{cluster}-worker"), "policies": ["soft-anti-affinity"] });
        template.resource(SERVER_GROUP, resource("OS::Nova::ServerGroup", group));
    }
    for group in &facts.groups {
        for node in &group.nodes {
            let (prefix, name) = (node.prefix(), format!("{cluster}-{}", node.name));
            template.resource(format!("{prefix}_port"), node_port(&name, node));
            let mut server = server_properties(cluster, facts, group, node);
            place_server(
                &mut server,
                &get_param(&image_parameter(facts, group)),
                group,
                settings,
            );
            if group.name == "worker" && node.id() <= settings.spread_workers {
                server["scheduler_hints"] = json!({ "group": get_resource(SERVER_GROUP) });
            }
            // It does not wait for the router: a node takes longer to boot than Neutron to join the
            // subnet, and waits for the way out itself.
            template.resource(
                format!("{prefix}_server"),
                resource("OS::Nova::Server", server),
            );
            if group.volume_gib > 0 {
                add_volume(template, &prefix, &name, group.volume_gib, settings);
            }
        }
    }
    let servers = facts.nodes().map(|node| {
        (
            node.name.clone(),
            get_resource(&format!("{}_server", node.prefix())),
        )
    });
    template.output(
        "servers",
        "The nodes' servers in Nova.",
        Value::Object(servers.collect()),
    );
}

fn node_port(name: &str, node: &NodeFacts) -> Value {
    resource(
        "OS::Neutron::Port",
        json!({
            "name": name,
            "network": get_resource(hot::NETWORK),
            "fixed_ips": [{ "subnet": get_resource(hot::SUBNET), "ip_address": node.address }],
            "security_groups": [get_resource(hot::SECURITY_GROUP)],
        }),
    )
}

fn server_properties(
    cluster: &str,
    facts: &HostFacts,
    group: &GroupFacts,
    node: &NodeFacts,
) -> Value {
    json!({
        "name": format!("{cluster}-{}", node.name),
        "image": get_param(&image_parameter(facts, group)),
        "flavor": get_param(&format!("{}_flavor", group.name)),
        "key_name": when("has_key", get_param("key_name"), Value::Null),
        "networks": [{ "port": get_resource(&format!("{}_port", node.prefix())) }],
        "metadata": { "stampede_cluster": cluster, "stampede_role": group.name, "stampede_node": node.name },
        "user_data_format": "RAW",
        "user_data_update_policy": "IGNORE",
        "user_data": user_data(node),
    })
}

/// What its group says of where a server is and what it boots from, or else the settings.
fn place_server(server: &mut Value, image: &Value, group: &GroupFacts, settings: &ClusterSettings) {
    let Some(server) = server.as_object_mut() else {
        return;
    };
    let root_gib = group.root_volume_gib.unwrap_or(settings.root_volume_gib);
    if root_gib > 0 {
        // Made of the image with the server, and gone with it.
        let volume = json!({
            "image": image, "volume_size": root_gib, "boot_index": 0, "delete_on_termination": true,
        });
        server.remove("image");
        server.insert("block_device_mapping_v2".to_owned(), json!([volume]));
    }
    let zone = group.availability_zone.as_ref();
    if let Some(zone) = zone.or(settings.availability_zone.as_ref()) {
        server.insert("availability_zone".to_owned(), zone.as_str().into());
    }
}

/// A disk of its own for what the node's daemons keep; the node finds it by its size.
fn add_volume(
    template: &mut StackPart,
    prefix: &str,
    name: &str,
    gib: u32,
    settings: &ClusterSettings,
) {
    let mut volume = json!({ "name": format!("{name}-data"), "size": gib });
    if let Some(kind) = &settings.volume_type {
        volume["volume_type"] = kind.as_str().into();
    }
    if let Some(zone) = &settings.volume_zone {
        volume["availability_zone"] = zone.as_str().into();
    }
    let mut volume = resource("OS::Cinder::Volume", volume);
    if settings.volume_keep {
        volume["deletion_policy"] = "Retain".into();
    }
    template.resource(format!("{prefix}_volume"), volume);
    let attachment = json!({
        "instance_uuid": get_resource(&format!("{prefix}_server")),
        "volume_id": get_resource(&format!("{prefix}_volume")),
    });
    template.resource(
        format!("{prefix}_attachment"),
        resource("OS::Cinder::VolumeAttachment", attachment),
    );
}

/// The header that says who the node is and how it signals, as `templates/node/README.md` has it,
/// and the script of nodes like it.
fn user_data(node: &NodeFacts) -> Value {
    let who = format!(
        "#!/bin/bash\nSTAMPEDE_NODE='{}'\nSTAMPEDE_ADDRESS='{}'\n",
        node.name, node.address
    );
    concat(vec![
        who.into(),
        get_attr("signals", &["value"]),
        get_file(&node.file),
    ])
}
