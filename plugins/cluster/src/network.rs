//! Network, subnet, router, security group, and the master's floating IP.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use stampede_framework::hot::{self, StackPart, get_attr, get_param, get_resource, resource, with};
use stampede_framework::{Problem, problem};

use crate::settings::{ClusterSettings, HostFacts};

/// What this file may add.
pub(crate) const TYPES: &[&str] = &[
    "OS::Neutron::Net",
    "OS::Neutron::Subnet",
    "OS::Neutron::Router",
    "OS::Neutron::RouterInterface",
    "OS::Neutron::SecurityGroup",
    "OS::Neutron::FloatingIP",
];
/// How many addresses at the end of the subnet Neutron may give to its own ports (DHCP, metadata),
/// at most.
const POOL: u32 = 32;

/// The cluster's addresses: the first is the gateway's, the last ones are Neutron's, the nodes' lie
/// between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AddressRange {
    gateway: Ipv4Addr,
    pool: (Ipv4Addr, Ipv4Addr),
}

impl AddressRange {
    fn parse(cidr: &str) -> Option<Self> {
        let (base, length) = cidr.split_once('/')?;
        let (base, length) = (base.parse::<Ipv4Addr>().ok()?, length.parse::<u32>().ok()?);
        if !(8..=28).contains(&length) {
            return None;
        }
        let size = 1_u32 << (32 - length);
        let base = base.to_bits() & !(size - 1);
        let last = base + size - 2;
        let pool = (last + 1 - POOL.min(size / 8), last);
        Some(Self {
            gateway: Ipv4Addr::from_bits(base + 1),
            pool: (Ipv4Addr::from_bits(pool.0), Ipv4Addr::from_bits(pool.1)),
        })
    }
}

/// A node whose fixed address lies outside the range would clash with the gateway or with Neutron's
/// own ports.
pub(crate) fn check_network(facts: &HostFacts) -> Vec<Problem> {
    let cidr = &facts.network.cidr;
    let Some(range) = AddressRange::parse(cidr) else {
        return vec![problem(
            "network.cidr",
            format!("{cidr} is not an IPv4 network of /8 to /28"),
            "such as 10.77.0.0/22",
        )];
    };
    let fits = |address: &str| {
        address
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| range.gateway < address && address < range.pool.0)
    };
    let outside = facts.nodes().find(|node| !fits(&node.address));
    let hint = "a larger network, such as 10.77.0.0/22, has room for 250 workers";
    outside
        .map(|node| {
            problem(
                "network.cidr",
                format!("{cidr} has no room for {} at {}", node.name, node.address),
                hint,
            )
        })
        .into_iter()
        .collect()
}

/// Adds all of it.
pub(crate) fn add_network(
    template: &mut StackPart,
    cluster: &str,
    facts: &HostFacts,
    settings: &ClusterSettings,
) {
    let mut net = json!({ "name": cluster });
    if let Some(mtu) = settings.mtu {
        net["value_specs"] = json!({ "mtu": mtu });
    }
    template.resource(hot::NETWORK, resource("OS::Neutron::Net", net));
    template.resource(
        hot::SUBNET,
        resource("OS::Neutron::Subnet", subnet(cluster, facts, settings)),
    );
    add_security_group(template, cluster);
    let entry = facts
        .entry()
        .map(|node| (node.prefix(), node.address.clone()));
    let (master, address) = entry.unwrap_or_default();
    let reached = match &facts.network.external {
        Some(external) => {
            add_way_out(template, cluster, external, &master);
            get_attr("master_floating_ip", &["floating_ip_address"])
        }
        None => Value::from(address),
    };
    template.output("master_address", "Where the master is reached.", reached);
    let addresses = facts
        .nodes()
        .map(|node| (node.name.clone(), Value::from(node.address.as_str())));
    template.output(
        "addresses",
        "The nodes' addresses on the cluster's own network.",
        Value::Object(addresses.collect()),
    );
}

fn subnet(cluster: &str, facts: &HostFacts, settings: &ClusterSettings) -> Value {
    let cidr = &facts.network.cidr;
    let mut properties = json!({
        "name": cluster,
        "network": get_resource(hot::NETWORK),
        "ip_version": 4,
        "cidr": cidr,
    });
    if let Some(range) = AddressRange::parse(cidr) {
        properties["gateway_ip"] = range.gateway.to_string().into();
        properties["allocation_pools"] =
            json!([{ "start": range.pool.0.to_string(), "end": range.pool.1.to_string() }]);
    }
    if !settings.dns_nameservers.is_empty() {
        properties["dns_nameservers"] = json!(settings.dns_nameservers);
    }
    properties
}

/// One group for all nodes. Inside it everything is open; the rules for those outside are the host's,
/// resources of their own, since Heat, when it changes `rules`, deletes whatever else stands in the
/// group.
fn add_security_group(template: &mut StackPart, cluster: &str) {
    let inside =
        json!([{ "direction": "ingress", "ethertype": "IPv4", "remote_mode": "remote_group_id" }]);
    // Neutron keeps the name `default` for itself, and hurtle calls every cluster so.
    let name = format!("{cluster}-nodes");
    let group =
        json!({ "name": name, "description": format!("Nodes of {cluster}"), "rules": inside });
    template.resource(
        hot::SECURITY_GROUP,
        resource("OS::Neutron::SecurityGroup", group),
    );
}

/// `master` is the node that people come to: the prefix of its resources.
fn add_way_out(template: &mut StackPart, name: &str, external: &str, master: &str) {
    template.parameter(
        "external_network",
        json!({
            "type": "string", "label": "External network", "default": external, "constraints": [{ "custom_constraint": "neutron.network" }],
            "description": "Name or id of the network that leads outside: for the router and the master's floating IP.",
        }),
    );
    let router = json!({ "name": name, "external_gateway_info": { "network": get_param("external_network") } });
    template.resource("router", resource("OS::Neutron::Router", router));
    let interface =
        json!({ "router": get_resource("router"), "subnet": get_resource(hot::SUBNET) });
    template.resource(
        "router_interface",
        resource("OS::Neutron::RouterInterface", interface),
    );
    let address = json!({ "floating_network": get_param("external_network"), "port_id": get_resource(&format!("{master}_port")) });
    // Neutron refuses a floating IP for a subnet that no router joins to its network.
    let address = with(
        resource("OS::Neutron::FloatingIP", address),
        "depends_on",
        json!(["router_interface"]),
    );
    template.resource("master_floating_ip", address);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutron_gets_the_end_of_the_range_and_the_gateway_its_beginning() {
        let range = |cidr| {
            AddressRange::parse(cidr)
                .map(|r| [r.gateway, r.pool.0, r.pool.1].map(|address| address.to_string()))
        };
        assert_eq!(
            range("10.77.0.0/22"),
            Some(["10.77.0.1", "10.77.3.223", "10.77.3.254"].map(str::to_owned))
        );
        assert_eq!(
            range("10.77.1.7/24"),
            Some(["10.77.1.1", "10.77.1.223", "10.77.1.254"].map(str::to_owned)),
            "host bits do not matter"
        );
        assert_eq!(
            range("192.168.1.16/28"),
            Some(["192.168.1.17", "192.168.1.29", "192.168.1.30"].map(str::to_owned))
        );
        assert_eq!(
            range("10.0.0.0/8").map(|r| r[2].clone()),
            Some("10.255.255.254".to_owned())
        );
        for wrong in [
            "10.77.0.0/29",
            "10.0.0.0/7",
            "10.77.0.0",
            "fd00::/64",
            "10.77.0/24",
            "10.77.0.0/x",
        ] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
