//! A port and a server a node. Whatever is the same for many stands once, so that 250 workers stay
//! far inside Heat's limits.

use serde_json::{Value, json};
use stampede_plugin::hot::{
    self, TemplatePart, concat, get_attr, get_file, get_param, get_resource, resource, when,
};
use stampede_plugin::{Node, NodeGroup, Request};

use crate::settings::ClusterSettings;

/// What this file may add.
pub(crate) const TYPES: &[&str] = &[
    "OS::Neutron::Port",
    "OS::Nova::Server",
    "OS::Nova::ServerGroup",
];
/// The group of workers that are spread.
const SERVER_GROUP: &str = "server_group";

/// What may be changed by hand when the template is deployed by hand: the request's own values are
/// the defaults.
pub(crate) fn add_parameters(template: &mut TemplatePart, request: &Request) {
    for group in &request.groups {
        let (image, flavor) = (
            image_parameter(request, group),
            format!("{}_flavor", group.role),
        );
        let body = json!({
            "type": "string", "label": "Image", "default": group.image, "constraints": [{ "custom_constraint": "glance.image" }],
            "description": "Name or id of the image that nodes boot from: Debian 12, Ubuntu 22.04 or 24.04.",
        });
        template.parameter(image, body);
        let body = json!({
            "type": "string", "label": format!("Flavor of {}", group.role), "default": group.flavor.name,
            "constraints": [{ "custom_constraint": "nova.flavor" }],
            "description": format!(
                "Name or id of a flavor; the configuration was made for {} MiB of memory, and a node with less says so and stops.", group.flavor.ram_mib
            ),
        });
        template.parameter(flavor, body);
    }
    template.parameter(
        "key_name",
        json!({
            "type": "string", "label": "Key pair", "default": request.key.as_deref().unwrap_or_default(),
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
fn image_parameter(request: &Request, group: &NodeGroup) -> String {
    let first = request.groups.first().map(|first| &first.image);
    if first == Some(&group.image) {
        "image".to_owned()
    } else {
        format!("{}_image", group.role)
    }
}

/// Adds every node.
pub(crate) fn add_nodes(
    template: &mut TemplatePart,
    request: &Request,
    settings: &ClusterSettings,
) {
    let spread = |group: &NodeGroup, node: &Node| {
        group.role == "worker" && node.id <= settings.spread_workers
    };
    if settings.spread_workers > 0 {
        let group = json!({ "name": format!("{}-worker", request.cluster), "policies": ["soft-anti-affinity"] });
        template.resource(SERVER_GROUP, resource("OS::Nova::ServerGroup", group));
    }
    for group in &request.groups {
        for node in &group.nodes {
            template.resource(format!("{}_port", node.prefix()), node_port(request, node));
            template.resource(
                format!("{}_server", node.prefix()),
                node_server(request, group, node, settings, spread(group, node)),
            );
        }
    }
    let servers = request.nodes().map(|node| {
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

fn node_port(request: &Request, node: &Node) -> Value {
    resource(
        "OS::Neutron::Port",
        json!({
            "name": server_name(request, node),
            "network": get_resource(hot::NETWORK),
            "fixed_ips": [{ "subnet": get_resource(hot::SUBNET), "ip_address": node.address }],
            "security_groups": [get_resource(hot::SECURITY_GROUP)],
        }),
    )
}

fn node_server(
    request: &Request,
    group: &NodeGroup,
    node: &Node,
    settings: &ClusterSettings,
    spread: bool,
) -> Value {
    let mut properties = json!({
        "name": server_name(request, node),
        "image": get_param(&image_parameter(request, group)),
        "flavor": get_param(&format!("{}_flavor", group.role)),
        "key_name": when("has_key", get_param("key_name"), Value::Null),
        "networks": [{ "port": get_resource(&format!("{}_port", node.prefix())) }],
        "metadata": { "stampede_cluster": request.cluster, "stampede_role": group.role, "stampede_node": node.name },
        "user_data_format": "RAW",
        "user_data_update_policy": "IGNORE",
        "user_data": user_data(group, node),
    });
    if settings.root_volume_gib > 0
        && let Some(properties) = properties.as_object_mut()
    {
        // Made of the image with the server, and gone with it.
        let volume = json!({
            "image": get_param(&image_parameter(request, group)), "volume_size": settings.root_volume_gib,
            "boot_index": 0, "delete_on_termination": true,
        });
        properties.remove("image");
        properties.insert("block_device_mapping_v2".to_owned(), json!([volume]));
    }
    if let Some(zone) = &settings.availability_zone {
        properties["availability_zone"] = zone.as_str().into();
    }
    if spread {
        properties["scheduler_hints"] = json!({ "group": get_resource(SERVER_GROUP) });
    }
    // It does not wait for the router: a node takes longer to boot than Neutron to join the subnet,
    // and waits for the way out itself.
    resource("OS::Nova::Server", properties)
}

/// The header that says who the node is and how it signals, as `templates/node/README.md` has it,
/// and the role's script.
fn user_data(group: &NodeGroup, node: &Node) -> Value {
    let who = format!(
        "#!/bin/bash\nSTAMPEDE_NODE='{}'\nSTAMPEDE_ADDRESS='{}'\n",
        node.name, node.address
    );
    concat(vec![
        who.into(),
        get_attr("signals", &["value"]),
        get_file(&format!("node-{}.sh", group.role)),
    ])
}

fn server_name(request: &Request, node: &Node) -> String {
    format!("{}-{}", request.cluster, node.name)
}
