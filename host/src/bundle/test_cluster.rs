//! For tests: what the smallest plugin `cluster` that satisfies every check returns.

use serde_json::{Map, Value, json};

use super::{node_script, policy};
use crate::cluster::framework::PluginRequest;

/// The types that [`nodes_template`] adds.
pub(crate) const NODE_TYPES: [&str; 6] = [
    "OS::Neutron::Net",
    "OS::Neutron::SecurityGroup",
    "OS::Neutron::Port",
    "OS::Nova::Server",
    "OS::Heat::WaitCondition",
    "OS::Heat::WaitConditionHandle",
];

/// A network, a group, and a port and a server for each node.
pub(crate) fn nodes_template(request: &PluginRequest) -> Value {
    let own = |name: &str| json!({ "get_resource": name });
    let mut resources = Map::new();
    let mut add = |name: &str, kind: &str, properties: Value| {
        resources.insert(
            name.to_owned(),
            json!({ "type": kind, "properties": properties }),
        );
    };
    add(
        "network",
        "OS::Neutron::Net",
        json!({ "name": request.cluster }),
    );
    add("security_group", "OS::Neutron::SecurityGroup", json!({}));
    let mut count = 0;
    for group in &request.groups {
        for node in &group.nodes {
            let port = format!("{}_port", node.name.replace('-', "_"));
            let properties =
                json!({ "network": own("network"), "security_groups": [own("security_group")] });
            add(&port, "OS::Neutron::Port", properties);
            let properties = json!({
                "image": group.image,
                "flavor": group.flavor.name,
                "networks": [{ "port": own(&port) }],
                "metadata": { "role": group.role },
                "user_data_format": "RAW",
                "user_data": { "get_file": node_script::script_file_name(&group.role) },
            });
            add(
                &policy::server_name(&node.name),
                "OS::Nova::Server",
                properties,
            );
            count += 1;
        }
    }
    let transport = json!({ "signal_transport": request.signal_transport });
    add("ready_handle", "OS::Heat::WaitConditionHandle", transport);
    let ready = json!({ "handle": own("ready_handle"), "count": count, "timeout": 600 });
    add("ready", "OS::Heat::WaitCondition", ready);
    json!({ "resources": resources })
}
