//! What a stack will take of the project's quotas, counted in its template. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::orchestrator::planning::planner::ResolvedFlavors;
use crate::{
    cluster::{NodeIds, Problem},
    openstack::{ProjectQuotas, ResourceQuota},
};

/// What is summed over the flavors of all nodes.
const VCPUS: &str = "vCPUs";
/// Likewise.
const MEMORY: &str = "MiB of memory";

/// What a stack takes of one quota.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct QuotaNeed {
    /// Of what: `servers`, `MiB of memory`.
    pub what: &'static str,
    /// How much of it.
    pub needed: u64,
    /// How much the project has left; none where there is no limit, or the cloud does not tell it.
    pub free: Option<u64>,
    /// How much of it the project has now; none where the cloud does not tell it.
    pub used: Option<u64>,
    /// The most that it may have, as with `free`.
    pub limit: Option<u64>,
}

impl QuotaNeed {
    /// How much of it the project would have then.
    pub fn after(&self) -> Option<u64> {
        let used = self.used?;
        Some(used.saturating_add(self.needed))
    }

    /// Whether that is more than the project may have.
    pub fn is_exceeded(&self) -> bool {
        self.free.is_some_and(|free| self.needed > free)
    }

    /// For people: `7 ports needed, 3 free`.
    pub fn sentence(&self) -> String {
        let Self { what, needed, .. } = self;
        match self.free {
            Some(free) => format!("{needed} {what} needed, {free} free"),
            None => format!("{needed} {what} needed, no limit is known"),
        }
    }
}

/// One problem for each quota that does not suffice: `needs 7 ports, 3 are free`.
pub fn check_quotas(needs: &[QuotaNeed]) -> Vec<Problem> {
    needs.iter().filter_map(quota_problem).collect()
}

/// Without what is summed over flavors, where not all of those are known.
pub(super) fn forget_sizes(needs: &mut [QuotaNeed]) {
    for need in needs {
        if [VCPUS, MEMORY].contains(&need.what) {
            need.needed = 0;
        }
    }
}

/// What a stack with these nodes takes of each quota.
pub fn count_needs(
    template: &Value,
    nodes: &NodeIds,
    chosen: &ResolvedFlavors,
    quotas: &ProjectQuotas,
) -> Vec<QuotaNeed> {
    let count = |kinds: &[&str]| {
        let resources = template.get("resources").and_then(Value::as_object);
        let kind = |resource: &Value| {
            resource
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| kinds.contains(&kind))
        };
        resources.map_or(0, |resources| {
            resources.values().filter(|resource| kind(resource)).count() as u64
        })
    };
    let sum = |of: fn(&crate::cluster::Flavor) -> u32| -> u64 {
        let each = nodes.iter().map(|(group, ids)| {
            let size = u64::from(of(&chosen.of_group(group)));
            size.saturating_mul(ids.len() as u64)
        });
        each.sum()
    };
    let volumes = count(&["OS::Cinder::Volume"]) + root_volumes(template).count() as u64;
    let needs = [
        ("servers", count(&["OS::Nova::Server"]), quotas.servers),
        (
            "server groups",
            count(&["OS::Nova::ServerGroup"]),
            quotas.server_groups,
        ),
        (
            "servers in one server group",
            largest_group(template),
            quotas.server_group_members,
        ),
        (VCPUS, sum(|flavor| flavor.vcpus), quotas.vcpus),
        (MEMORY, sum(|flavor| flavor.ram_mib), quotas.ram_mib),
        (
            "ports",
            count(&["OS::Neutron::Port", "OS::Neutron::RouterInterface"]),
            quotas.ports,
        ),
        ("networks", count(&["OS::Neutron::Net"]), quotas.networks),
        ("subnets", count(&["OS::Neutron::Subnet"]), quotas.subnets),
        ("routers", count(&["OS::Neutron::Router"]), quotas.routers),
        (
            "floating IPs",
            count(&["OS::Neutron::FloatingIP"]),
            quotas.floating_ips,
        ),
        (
            "security groups",
            count(&["OS::Neutron::SecurityGroup"]),
            quotas.security_groups,
        ),
        (
            "security group rules",
            rules(template),
            quotas.security_group_rules,
        ),
        ("volumes", volumes, quotas.volumes),
        ("GiB of volumes", volume_gib(template), quotas.volume_gib),
    ];
    let need = |(what, needed, quota): (_, _, Option<ResourceQuota>)| QuotaNeed {
        what,
        needed,
        free: quota.and_then(ResourceQuota::free),
        used: quota.map(|quota| quota.used),
        limit: quota.and_then(|quota| quota.limit),
    };
    needs.into_iter().map(need).collect()
}

fn of_kind<'a>(template: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let resources = template
        .get("resources")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(serde_json::Map::values);
    resources.filter(move |resource| resource.get("type").and_then(Value::as_str) == Some(kind))
}

/// Whether the stack has volumes, which not every cloud has.
pub fn has_volumes(template: &Value) -> bool {
    of_kind(template, "OS::Cinder::Volume").next().is_some()
        || root_volumes(template).next().is_some()
}

/// The sizes of the volumes that servers boot from.
fn root_volumes(template: &Value) -> impl Iterator<Item = u64> {
    of_kind(template, "OS::Nova::Server")
        .filter_map(|server| {
            server
                .pointer("/properties/block_device_mapping_v2")?
                .as_array()
        })
        .flatten()
        .filter_map(|volume| volume.get("volume_size")?.as_u64())
}

/// What a cloud without a volume service is told.
pub fn no_volumes(region: &str) -> Problem {
    let hint = "leave volumes out, such as GROUP.volume_gib = 0 or cluster.root_volume_gib = 0, or take a cloud or region that has one";
    Problem::new(
        "volumes",
        format!(
            "the catalog has no volume service (Cinder) in region `{region}`, and volumes are asked for"
        ),
        hint,
    )
}

fn volume_gib(template: &Value) -> u64 {
    let size = |volume: &Value| {
        volume
            .pointer("/properties/size")
            .and_then(Value::as_u64)
            .unwrap_or(0)
    };
    of_kind(template, "OS::Cinder::Volume")
        .map(size)
        .chain(root_volumes(template))
        .fold(0, u64::saturating_add)
}

/// Servers that the fullest group holds.
fn largest_group(template: &Value) -> u64 {
    let mut groups: BTreeMap<&str, u64> = BTreeMap::new();
    for server in of_kind(template, "OS::Nova::Server") {
        if let Some(group) = server
            .pointer("/properties/scheduler_hints/group/get_resource")
            .and_then(Value::as_str)
        {
            *groups.entry(group).or_default() += 1;
        }
    }
    groups.into_values().max().unwrap_or(0)
}

/// The same for what a change adds to a cluster that is there.
pub fn count_added(
    before: &Value,
    after: &Value,
    joining: &NodeIds,
    chosen: &ResolvedFlavors,
    quotas: &ProjectQuotas,
) -> Vec<QuotaNeed> {
    let there = |name: &String| {
        before
            .get("resources")
            .is_some_and(|all| all.get(name).is_some())
    };
    let all = after
        .get("resources")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let added: serde_json::Map<String, Value> =
        all.into_iter().filter(|(name, _)| !there(name)).collect();
    let added = serde_json::json!({ "resources": added });
    count_needs(&added, joining, chosen, quotas)
}

/// Rules of their own, those inside of groups, and the two that every group begins with.
fn rules(template: &Value) -> u64 {
    let resources = template.get("resources").and_then(Value::as_object);
    let of = |resource: &Value| match resource.get("type").and_then(Value::as_str) {
        Some("OS::Neutron::SecurityGroupRule") => 1,
        Some("OS::Neutron::SecurityGroup") => {
            2 + resource
                .pointer("/properties/rules")
                .and_then(Value::as_array)
                .map_or(0, Vec::len)
        }
        _ => 0,
    };
    resources.map_or(0, |resources| {
        resources.values().map(|resource| of(resource) as u64).sum()
    })
}

fn quota_problem(need: &QuotaNeed) -> Option<Problem> {
    let QuotaNeed { what, needed, .. } = *need;
    let free = need.free?;
    let fewer = match what {
        "servers in one server group" => "spread fewer nodes (cluster.spread_workers)",
        "volumes" | "GiB of volumes" => "ask for fewer nodes or smaller volumes",
        _ => "ask for fewer nodes or smaller flavors",
    };
    let hint = format!("{fewer}, delete what is no longer used, or have the quota raised");
    need.is_exceeded().then(|| {
        Problem::new(
            "quota",
            format!("needs {needed} {what}, {free} are free"),
            hint,
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::{Flavor, test_groups::with_master};

    fn problems(
        template: &Value,
        nodes: &NodeIds,
        chosen: &ResolvedFlavors,
        quotas: &ProjectQuotas,
    ) -> Vec<Problem> {
        check_quotas(&count_needs(template, nodes, chosen, quotas))
    }

    fn chosen() -> ResolvedFlavors {
        let flavor = |name: &str, ram_mib, vcpus| Flavor {
            name: name.into(),
            vcpus,
            ram_mib,
            disk_gib: 10,
        };
        let (master, worker) = (flavor("m", 2_048, 2), flavor("w", 1_024, 1));
        ResolvedFlavors {
            flavors: vec![master.clone(), worker.clone()],
            groups: BTreeMap::from([("master".to_owned(), master), ("worker".to_owned(), worker)]),
            signal_transport: String::new(),
            access: crate::cluster::CloudAccess::default(),
        }
    }

    #[test]
    fn sizes_that_no_disk_has_are_more_than_any_quota() {
        let volume = json!({ "type": "OS::Cinder::Volume", "properties": { "size": u64::MAX } });
        let template = json!({ "resources": { "v": volume, "w": volume } });
        assert_eq!(volume_gib(&template), u64::MAX);
    }

    #[test]
    fn groups_and_volumes_are_counted_with_what_is_in_them() {
        let member = json!({ "type": "OS::Nova::Server", "properties": { "scheduler_hints": { "group": { "get_resource": "g" } } } });
        let volume =
            |size: u32| json!({ "type": "OS::Cinder::Volume", "properties": { "size": size } });
        let template = json!({ "resources": {
            "g": { "type": "OS::Nova::ServerGroup" }, "a": member, "b": member, "c": { "type": "OS::Nova::Server" }, "v": volume(10), "w": volume(5),
        } });
        let quota = |limit, used| {
            Some(ResourceQuota {
                limit: Some(limit),
                used,
            })
        };
        let told = |more: u64| -> Vec<String> {
            let quotas = ProjectQuotas {
                server_groups: quota(9 + more, 9),
                server_group_members: quota(1 + more, 0),
                volumes: quota(3 + more, 2),
                volume_gib: quota(114 + more, 100),
                ..ProjectQuotas::default()
            };
            problems(&template, &with_master(&[1, 2]), &chosen(), &quotas)
                .into_iter()
                .map(|problem| problem.message)
                .collect()
        };
        assert_eq!(told(1), Vec::<String>::new());
        let wanted = [
            "needs 1 server groups, 0 are free",
            "needs 2 servers in one server group, 1 are free",
            "needs 2 volumes, 1 are free",
            "needs 15 GiB of volumes, 14 are free",
        ];
        assert_eq!(told(0), wanted);
    }

    #[test]
    fn each_group_takes_its_own_flavor_as_often_as_it_has_nodes() {
        let mut chosen = chosen();
        let edge = Flavor {
            name: "e".into(),
            vcpus: 8,
            ram_mib: 100,
            disk_gib: 0,
        };
        chosen.groups.insert("edge".to_owned(), edge);
        let mut nodes = with_master(&[1, 4, 7]);
        nodes.insert("edge".to_owned(), vec![1, 2]);
        let needed = |nodes: &NodeIds| {
            let quotas = ProjectQuotas::default();
            let needs = count_needs(&json!({}), nodes, &chosen, &quotas);
            let of = |what: &str| needs.iter().find(|need| need.what == what).unwrap().needed;
            (of("vCPUs"), of("MiB of memory"))
        };
        assert_eq!(needed(&nodes), (2 + 3 + 2 * 8, 2_048 + 3 * 1_024 + 2 * 100));
        let joining = NodeIds::from([("edge".to_owned(), vec![3])]);
        assert_eq!(needed(&joining), (8, 100), "of a change what joins alone");
    }

    #[test]
    fn each_short_quota_is_told_with_numbers_and_enough_is_enough() {
        let kinds = [
            "OS::Nova::Server",
            "OS::Nova::Server",
            "OS::Nova::Server",
            "OS::Neutron::Port",
            "OS::Neutron::RouterInterface",
        ];
        let resources: serde_json::Map<String, Value> = kinds
            .iter()
            .enumerate()
            .map(|(n, kind)| (n.to_string(), json!({ "type": kind })))
            .collect();
        let template = json!({ "resources": resources });
        let quota = |limit, used| {
            Some(ResourceQuota {
                limit: Some(limit),
                used,
            })
        };
        let exact = ProjectQuotas {
            servers: quota(10, 7),
            ram_mib: quota(4_096, 0),
            vcpus: quota(4, 0),
            ports: quota(2, 0),
            ..ProjectQuotas::default()
        };
        assert_eq!(
            problems(&template, &with_master(&[1, 2]), &chosen(), &exact),
            vec![]
        );
        let less = ProjectQuotas {
            servers: quota(10, 8),
            ram_mib: quota(4_095, 0),
            vcpus: quota(4, 1),
            ports: quota(9, 9),
            ..ProjectQuotas::default()
        };
        let told: Vec<String> = problems(&template, &with_master(&[1, 2]), &chosen(), &less)
            .into_iter()
            .map(|problem| problem.message)
            .collect();
        let wanted = [
            "needs 3 servers, 2 are free",
            "needs 4 vCPUs, 3 are free",
            "needs 4096 MiB of memory, 4095 are free",
            "needs 2 ports, 0 are free",
        ];
        assert_eq!(told, wanted);
        let group = json!({ "resources": { "g": { "type": "OS::Neutron::SecurityGroup", "properties": { "rules": [{}, {}] } } } });
        let told = problems(
            &group,
            &with_master(&[1, 2]),
            &chosen(),
            &ProjectQuotas {
                security_group_rules: quota(10, 7),
                ..ProjectQuotas::default()
            },
        );
        assert_eq!(told[0].message, "needs 4 security group rules, 3 are free");
        let unlimited = ProjectQuotas {
            servers: Some(ResourceQuota {
                limit: None,
                used: 99,
            }),
            ..ProjectQuotas::default()
        };
        assert_eq!(
            problems(&template, &with_master(&[1, 2]), &chosen(), &unlimited),
            vec![]
        );
    }

    #[test]
    fn a_quota_is_told_as_it_is_and_as_it_would_be() {
        let template = json!({ "resources": { "a": { "type": "OS::Neutron::Port" }, "b": { "type": "OS::Neutron::Port" } } });
        let less = ProjectQuotas {
            ports: Some(ResourceQuota {
                limit: Some(9),
                used: 9,
            }),
            ..ProjectQuotas::default()
        };
        let needs = count_needs(&template, &with_master(&[1, 2]), &chosen(), &less);
        let of = |what: &str| needs.iter().find(|need| need.what == what).unwrap();
        let ports = of("ports");
        assert_eq!(
            (ports.used, ports.after(), ports.limit),
            (Some(9), Some(11), Some(9))
        );
        assert_eq!(ports.sentence(), "2 ports needed, 0 free");
        assert!(ports.is_exceeded() && !of("networks").is_exceeded());
        assert_eq!(
            of("networks").sentence(),
            "0 networks needed, no limit is known"
        );
    }
}
