//! The rules of a cluster's security group, which the host makes for all plugins: who may reach SSH,
//! and which endpoints the user has opened. Pure.
//!
//! All nodes are in one group: a rule opens a port on all of them, so a port is opened only where
//! nothing else of the cluster listens on it.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use crate::cluster::component::ComponentNeed;
use crate::cluster::framework_bundle::{ComponentEndpoint, EndpointReach};
use crate::cluster::{ClusterSpec, Problem};

/// The security group of all nodes, a resource of the plugin `cluster`.
const SECURITY_GROUP: &str = "security_group";
/// The attribute that opens endpoints.
const OPEN: &str = "network.open";
/// The attribute that names who may reach the cluster.
const ACCESS: &str = "network.access";
/// SSH.
const SSH_PORT: u16 = 22;
/// A network is narrow with this prefix or a longer one: 256 addresses.
pub const NARROW_PREFIX_V4: u8 = 24;
/// The same of IPv6.
pub const NARROW_PREFIX_V6: u8 = 120;

/// Whom a user lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessWishes {
    /// CIDRs that may reach SSH, and what is opened.
    pub access: Vec<String>,
    /// Endpoints that are opened to them.
    pub open: Vec<String>,
    /// Endpoints that ask for no secret may be opened to wide networks.
    pub is_unauthenticated_meant: bool,
}

impl AccessWishes {
    /// Whom the user of this cluster lets in.
    pub fn of_cluster(spec: &ClusterSpec) -> Self {
        Self {
            access: spec.access.clone(),
            open: spec.open.clone(),
            is_unauthenticated_meant: spec.open_unauthenticated,
        }
    }
}

/// A port that a component listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimedPort<'a> {
    /// The component.
    pub component: &'a str,
    /// The number.
    pub port: u16,
}

/// The ports of all components that are claimed.
pub fn claimed_ports<'a>(
    needs: impl IntoIterator<Item = &'a ComponentNeed>,
) -> Vec<ClaimedPort<'a>> {
    let ports = needs.into_iter().flat_map(|need| {
        let component = need.component.as_str();
        let ports = need.ports.iter();
        ports.map(move |port| ClaimedPort {
            component,
            port: *port,
        })
    });
    ports.collect()
}

/// The rules, by the names of their resources. Their names say to whom and which port, not their
/// place in a list: a rule that is there keeps its name when others come and go.
///
/// # Errors
/// All endpoints that cannot be opened.
pub fn make_access_rules(
    endpoints: &[&ComponentEndpoint],
    claimed: &[ClaimedPort<'_>],
    asked: &AccessWishes,
) -> Result<Map<String, Value>, Vec<Problem>> {
    let problems = check_opened(endpoints, claimed, asked);
    if !problems.is_empty() {
        return Err(problems);
    }
    let opened = endpoints
        .iter()
        .filter(|one| asked.open.contains(&one.name));
    let ports: BTreeSet<u16> = opened.map(|one| one.port).collect();
    let mut rules = Map::new();
    for cidr in &asked.access {
        let name = |what: &str| format!("{what}_{}", cidr_name(cidr));
        rules.insert(name("ssh_in"), rule("tcp", Some(SSH_PORT), cidr));
        rules.insert(name("icmp_in"), rule("icmp", None, cidr));
        for port in ports.iter().filter(|port| **port != SSH_PORT) {
            rules.insert(
                name(&format!("open_{port}")),
                rule("tcp", Some(*port), cidr),
            );
        }
    }
    Ok(rules)
}

/// Endpoints that cannot be opened.
pub fn check_opened(
    endpoints: &[&ComponentEndpoint],
    claimed: &[ClaimedPort<'_>],
    asked: &AccessWishes,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if asked.access.is_empty() && !asked.open.is_empty() {
        problems.push(Problem::new(
            OPEN,
            format!("opens {} to nobody", asked.open.join(", ")),
            format!("name networks by {ACCESS}"),
        ));
    }
    for name in &asked.open {
        match find_openable(name, endpoints) {
            Ok(endpoint) => problems.extend(check_open(endpoint, claimed, asked)),
            Err(problem) => problems.push(problem),
        }
    }
    problems
}

fn find_openable<'a>(
    name: &str,
    endpoints: &[&'a ComponentEndpoint],
) -> Result<&'a ComponentEndpoint, Problem> {
    let openable = || {
        let outside = endpoints
            .iter()
            .filter(|one| one.reach == EndpointReach::Outside);
        let names: Vec<&str> = outside.map(|one| one.name.as_str()).collect();
        if names.is_empty() {
            "this cluster has none that can be opened".to_owned()
        } else {
            format!("what can be opened: {}", names.join(", "))
        }
    };
    let Some(endpoint) = endpoints.iter().find(|one| one.name == name) else {
        let message = format!("this cluster has no endpoint `{name}`");
        return Err(Problem::new(OPEN, message, openable()));
    };
    match endpoint.reach {
        EndpointReach::Outside => Ok(endpoint),
        EndpointReach::Tunnel => {
            let message =
                format!("`{name}` is not opened to networks: it trusts whoever reaches it");
            let hint = format!("reach it by `stampede tunnel`; {}", openable());
            Err(Problem::new(OPEN, message, hint))
        }
        EndpointReach::Cluster => {
            let message = format!("`{name}` is for programs on the cluster's nodes");
            Err(Problem::new(OPEN, message, openable()))
        }
    }
}

fn check_open(
    endpoint: &ComponentEndpoint,
    claimed: &[ClaimedPort<'_>],
    asked: &AccessWishes,
) -> Vec<Problem> {
    let ComponentEndpoint {
        name,
        port,
        component,
        ..
    } = endpoint;
    let mut problems = Vec::new();
    let others = claimed
        .iter()
        .filter(|one| one.port == *port && one.component != component);
    for other in others {
        problems.push(Problem::new(
            OPEN,
            format!(
                "`{name}` is at port {port}, where `{}` listens on other nodes: it would be opened too",
                other.component
            ),
            "give one of them another port",
        ));
    }
    let wide: Vec<&str> = asked
        .access
        .iter()
        .map(String::as_str)
        .filter(|cidr| !is_narrow(cidr))
        .collect();
    if endpoint.secret.is_none() && !asked.is_unauthenticated_meant && !wide.is_empty() {
        problems.push(Problem::new(
            OPEN,
            format!("`{name}` asks for no password, and would be open to {}", wide.join(", ")),
            format!(
                "name networks of 256 addresses at most by {ACCESS}, or say network.open_unauthenticated=true"
            ),
        ));
    }
    problems
}

/// What is no CIDR is not narrow.
fn is_narrow(cidr: &str) -> bool {
    match cidr.parse::<IpNet>() {
        Ok(IpNet::V4(net)) => net.prefix_len() >= NARROW_PREFIX_V4,
        Ok(IpNet::V6(net)) => net.prefix_len() >= NARROW_PREFIX_V6,
        Err(_) => false,
    }
}

fn cidr_name(cidr: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    cidr.chars().map(plain).collect()
}

fn rule(protocol: &str, port: Option<u16>, cidr: &str) -> Value {
    let ethertype = if cidr.contains(':') { "IPv6" } else { "IPv4" };
    let mut properties = json!({
        "security_group": {"get_resource": SECURITY_GROUP},
        "direction": "ingress",
        "ethertype": ethertype,
        "protocol": protocol,
        "remote_ip_prefix": cidr,
    });
    if let Some(port) = port {
        properties["port_range_min"] = port.into();
        properties["port_range_max"] = port.into();
    }
    json!({"type": super::resource_types::RULE, "properties": properties})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(
        name: &str,
        port: u16,
        reach: EndpointReach,
        secret: Option<&str>,
    ) -> ComponentEndpoint {
        ComponentEndpoint {
            name: name.to_owned(),
            description: "A page.".to_owned(),
            component: format!("{name}_server"),
            scheme: "http".to_owned(),
            port,
            path: String::new(),
            reach,
            secret: secret.map(str::to_owned),
        }
    }

    fn all() -> Vec<ComponentEndpoint> {
        vec![
            endpoint("jupyterlab", 8_888, EndpointReach::Outside, Some("token")),
            endpoint("grafana", 3_000, EndpointReach::Outside, None),
            endpoint("hadoop_namenode", 9_870, EndpointReach::Tunnel, None),
            endpoint("hadoop_hdfs", 8_020, EndpointReach::Cluster, None),
        ]
    }

    fn made(
        access: &[&str],
        open: &[&str],
        is_unauthenticated_meant: bool,
    ) -> Result<Vec<String>, Vec<String>> {
        let (access, open): (Vec<String>, Vec<String>) = (
            access.iter().map(|cidr| (*cidr).to_owned()).collect(),
            open.iter().map(|name| (*name).to_owned()).collect(),
        );
        let asked = AccessWishes {
            access,
            open,
            is_unauthenticated_meant,
        };
        let all = all();
        let endpoints: Vec<&ComponentEndpoint> = all.iter().collect();
        let claimed = [
            ClaimedPort {
                component: "jupyterlab_server",
                port: 8_888,
            },
            ClaimedPort {
                component: "grafana_server",
                port: 3_000,
            },
            ClaimedPort {
                component: "hadoop_namenode_server",
                port: 9_870,
            },
        ];
        make_access_rules(&endpoints, &claimed, &asked)
            .map(|rules| rules.keys().cloned().collect())
            .map_err(|problems| problems.iter().map(Problem::to_string).collect())
    }

    #[test]
    fn access_opens_ssh_alone_and_every_other_port_is_asked_for_by_name() {
        assert_eq!(made(&[], &[], false), Ok(Vec::new()));
        assert_eq!(
            made(&["192.0.2.0/24", "0.0.0.0/0"], &[], false).unwrap(),
            [
                "ssh_in_192_0_2_0_24",
                "icmp_in_192_0_2_0_24",
                "ssh_in_0_0_0_0_0",
                "icmp_in_0_0_0_0_0"
            ]
        );
        assert_eq!(
            made(&["0.0.0.0/0"], &["jupyterlab"], false).unwrap(),
            [
                "ssh_in_0_0_0_0_0",
                "icmp_in_0_0_0_0_0",
                "open_8888_0_0_0_0_0"
            ]
        );
        let rules = make_access_rules(
            &[],
            &[],
            &AccessWishes {
                access: vec!["192.0.2.0/24".to_owned()],
                ..AccessWishes::default()
            },
        )
        .unwrap();
        let ssh = &rules["ssh_in_192_0_2_0_24"]["properties"];
        assert_eq!(
            (
                &ssh["port_range_min"],
                &ssh["port_range_max"],
                &ssh["remote_ip_prefix"],
                &ssh["ethertype"]
            ),
            (
                &json!(22),
                &json!(22),
                &json!("192.0.2.0/24"),
                &json!("IPv4")
            )
        );
    }

    #[test]
    fn what_asks_for_no_password_is_opened_to_narrow_networks_or_where_that_is_meant() {
        assert!(made(&["192.0.2.0/24"], &["grafana"], false).is_ok());
        assert!(made(&["192.0.0.0/23"], &["grafana"], true).is_ok());
        assert_eq!(
            made(&["192.0.2.0/24", "192.0.0.0/23"], &["grafana"], false).unwrap_err(),
            [
                "network.open: `grafana` asks for no password, and would be open to 192.0.0.0/23 (name networks of 256 addresses at most by network.access, or say network.open_unauthenticated=true)"
            ]
        );
        assert!(
            is_narrow("2001:db8::/120") && !is_narrow("2001:db8::/119") && !is_narrow("anywhere")
        );
    }

    #[test]
    fn what_cannot_be_opened_is_told_all_at_once() {
        let told = made(&[], &["hadoop_namenode", "hadoop_hdfs", "kibana"], false).unwrap_err();
        assert_eq!(
            told,
            [
                "network.open: opens hadoop_namenode, hadoop_hdfs, kibana to nobody (name networks by network.access)",
                "network.open: `hadoop_namenode` is not opened to networks: it trusts whoever reaches it (reach it by `stampede tunnel`; what can be opened: jupyterlab, grafana)",
                "network.open: `hadoop_hdfs` is for programs on the cluster's nodes (what can be opened: jupyterlab, grafana)",
                "network.open: this cluster has no endpoint `kibana` (what can be opened: jupyterlab, grafana)",
            ]
        );
    }

    #[test]
    fn a_port_where_something_else_listens_on_other_nodes_is_not_opened() {
        let all = all();
        let endpoints: Vec<&ComponentEndpoint> = all.iter().collect();
        let claimed = [ClaimedPort {
            component: "resourcemanager",
            port: 8_888,
        }];
        let asked = AccessWishes {
            access: vec!["192.0.2.1/32".to_owned()],
            open: vec!["jupyterlab".to_owned()],
            is_unauthenticated_meant: false,
        };
        let problems = make_access_rules(&endpoints, &claimed, &asked).unwrap_err();
        assert!(
            problems[0]
                .message
                .contains("where `resourcemanager` listens on other nodes"),
            "{problems:?}"
        );
    }
}
