//! Neutron: lists networks by name, id and kind, and shows a project's quotas.

use serde_json::json;

use super::{cloud::FakeCloud, reply::FakeReply, request::FakeRequest};

pub(super) fn answer(cloud: &FakeCloud, call: &FakeRequest, project: &str) -> FakeReply {
    match (call.method.as_str(), call.parts().as_slice()) {
        ("GET", ["v2.0", "networks"]) => list_networks(cloud, call),
        ("GET", ["v2.0", "quotas", of, "details.json"]) if *of == project => {
            show_quotas(cloud, project)
        }
        _ => FakeReply::not_found("neutron"),
    }
}

fn list_networks(cloud: &FakeCloud, call: &FakeRequest) -> FakeReply {
    let fits = |name: &str, value: &str| call.query(name).is_none_or(|wanted| wanted == value);
    let found = cloud.fixtures.networks.iter().filter(|network| {
        fits("name", &network.name)
            && fits("id", &network.id)
            && fits(
                "router:external",
                if network.external { "true" } else { "false" },
            )
    });
    let network = |network: &super::FakeNetwork| {
        json!({"id": network.id, "name": network.name, "tenant_id": "e85423d84efa47248bebb3204589d237", "admin_state_up": true, "mtu": 1500,
            "status": "ACTIVE", "subnets": [], "shared": false, "router:external": network.external, "is_default": network.is_default})
    };
    FakeReply::json(
        200,
        &json!({"networks": found.map(network).collect::<Vec<_>>()}),
    )
}

fn show_quotas(cloud: &FakeCloud, project: &str) -> FakeReply {
    let quota = &cloud.fixtures.quota;
    let of = |limit: i64, kind: &str| json!({"limit": limit, "used": cloud.count_resources(project, kind), "reserved": 0});
    FakeReply::json(
        200,
        &json!({"quota": {
            "network": of(quota.network, "OS::Neutron::Net"), "subnet": of(quota.subnet, "OS::Neutron::Subnet"),
            "port": of(quota.port, "OS::Neutron::Port"), "router": of(quota.router, "OS::Neutron::Router"),
            "floatingip": of(quota.floatingip, "OS::Neutron::FloatingIP"),
            "security_group": of(quota.security_group, "OS::Neutron::SecurityGroup"),
            "security_group_rule": of(quota.security_group_rule, "OS::Neutron::SecurityGroupRule")}}),
    )
}
