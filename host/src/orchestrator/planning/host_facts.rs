//! What the host fills in for parameters that ask for it (`x-host`): what the plugin `cluster` is
//! told of the network, the nodes and how they signal. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::planner::ResolvedFlavors;
use crate::bundle::node_script::script_file_name;
use crate::cluster::attributes::way_out;
use crate::cluster::framework::NodeGroup;
use crate::cluster::framework_descriptor::{FrameworkDescriptor, host_fact};
use crate::cluster::{ClusterSpec, GroupSpec};

/// All facts by their names. `groups` are those that have nodes; `classes` says which file each node
/// runs.
pub fn host_facts(
    spec: &ClusterSpec,
    chosen: &ResolvedFlavors,
    groups: &[NodeGroup],
    classes: &BTreeMap<String, String>,
) -> Map<String, Value> {
    let network = json!({ "cidr": spec.cidr, "external": way_out(spec) });
    let groups: Vec<Value> = groups
        .iter()
        .filter_map(|group| {
            Some(describe_group(
                spec,
                spec.groups.get(&group.role)?,
                group,
                classes,
            ))
        })
        .collect();
    let facts = json!({
        "network": network,
        "groups": groups,
        "key": spec.key,
        "signal_transport": chosen.signal_transport,
        "timeout_s": spec.timeout_s,
        "ready_count": ready_count(spec),
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}

/// Fills the facts into the settings of a plugin that asks for them.
pub fn fill_facts(
    plugin: &FrameworkDescriptor,
    facts: &Map<String, Value>,
    settings: &mut Map<String, Value>,
) {
    let properties = plugin.parameters.get("properties");
    let properties = properties.and_then(Value::as_object).into_iter().flatten();
    for (parameter, schema) in properties {
        if let Some(fact) = host_fact(schema).and_then(|name| facts.get(name)) {
            settings.insert(parameter.clone(), fact.clone());
        }
    }
}

fn describe_group(
    spec: &ClusterSpec,
    asked: &GroupSpec,
    group: &NodeGroup,
    classes: &BTreeMap<String, String>,
) -> Value {
    let file = |node: &str| {
        let class = classes.get(node).map_or("", String::as_str);
        script_file_name(class)
    };
    let nodes = group.nodes.iter();
    let nodes = nodes.map(
        |node| json!({ "name": node.name, "address": node.address, "file": file(&node.name) }),
    );
    json!({
        "name": group.role,
        "flavor": group.flavor.name,
        "image": group.image,
        // 0 is said where it is meant, since nothing means that of all nodes.
        "root_volume_gib": asked.root_volume_gib.or_else(|| spec.root_volume_of(asked)),
        "availability_zone": spec.zone_of(asked).map(|(zone, _)| zone),
        "volume_gib": asked.volume_gib.unwrap_or(0),
        "nodes": nodes.collect::<Vec<Value>>(),
    })
}

/// How many signals make the cluster ready: with groups that come and go beside each other, every id
/// that was ever given out, so that signals of those that went do not count for those that come.
fn ready_count(spec: &ClusterSpec) -> u32 {
    let nodes = spec.groups.node_count();
    spec.groups
        .given_beside_others()
        .map_or(nodes, |given| given.max(nodes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::attributes::NO_NETWORK;
    use crate::cluster::component::ComponentSpec;
    use crate::cluster::{CloudAccess, Flavor};
    use crate::orchestrator::planning::node_groups::node_groups;
    use crate::orchestrator::planning::place_cluster::place_cluster;

    fn facts_of(spec: &ClusterSpec) -> Map<String, Value> {
        let flavor = |name: &str| Flavor {
            name: name.to_owned(),
            vcpus: 2,
            ram_mib: 4_096,
            disk_gib: 20,
        };
        let groups = spec.groups.names();
        let chosen = ResolvedFlavors {
            flavors: Vec::new(),
            groups: groups
                .map(|group| (group.to_owned(), flavor("m1.small")))
                .collect(),
            signal_transport: "HEAT_SIGNAL".to_owned(),
            access: CloudAccess::default(),
        };
        let groups = node_groups(spec, &chosen);
        let classes = groups.iter().flat_map(|group| &group.nodes);
        let classes = classes.map(|node| (node.name.clone(), format!("class-{}", node.name)));
        host_facts(spec, &chosen, &groups, &classes.collect())
    }

    #[test]
    fn zones_and_volumes_stand_in_the_facts_of_each_group() {
        let mut spec = crate::cluster::attribute_schema::default_spec();
        spec.image = Some("debian-12".to_owned());
        spec.external_network = Some(NO_NETWORK.to_owned());
        let own = [("root_volume_gib", "20"), ("availability_zone", "az1")];
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        spec.settings.insert("cluster".to_owned(), own.into());
        let worker = spec.groups.get_mut("worker").unwrap();
        (worker.root_volume_gib, worker.availability_zone) = (Some(0), Some("az2".to_owned()));
        let facts = facts_of(&spec);
        assert_eq!(facts["network"]["external"], Value::Null);
        let of = |group: usize, fact: &str| facts["groups"][group][fact].clone();
        assert_eq!(
            [of(0, "root_volume_gib"), of(1, "root_volume_gib")],
            [json!(20), json!(0)]
        );
        assert_eq!(
            [of(0, "availability_zone"), of(1, "availability_zone")],
            ["az1", "az2"]
        );
        assert_eq!(
            of(1, "nodes")[0],
            json!({ "name": "worker-1", "address": "10.77.0.11", "file": "node-class-worker-1.sh" })
        );
    }

    #[test]
    fn every_id_that_was_ever_given_out_counts_where_there_are_or_were_further_groups() {
        let mut spec = crate::cluster::attribute_schema::default_spec();
        spec.groups.get_mut("worker").unwrap().ids_given = 5;
        assert_eq!(facts_of(&spec)["ready_count"], 3);
        let edge = ComponentSpec {
            name: "gateway".to_owned(),
            groups: vec!["edge".to_owned()],
            ..ComponentSpec::default()
        };
        let mut spec = place_cluster(&spec, &[edge], &[]).unwrap().spec;
        assert_eq!(facts_of(&spec)["ready_count"], 1 + 5 + 1);
        let edge = spec.groups.get_mut("edge").unwrap();
        *edge = edge.emptied();
        assert_eq!(facts_of(&spec)["ready_count"], 7, "a group that is gone");
    }

    #[test]
    fn facts_are_filled_in_where_they_are_asked_for_alone() {
        let parameters = json!({ "properties": {
            "nodes": { "type": "array", "x-host": "groups" }, "key": { "type": "string" },
        }});
        let plugin = FrameworkDescriptor {
            parameters: parameters.into(),
            ..FrameworkDescriptor::default()
        };
        let facts = facts_of(&crate::cluster::attribute_schema::default_spec());
        let mut settings = Map::new();
        fill_facts(&plugin, &facts, &mut settings);
        assert_eq!(settings.keys().collect::<Vec<_>>(), ["nodes"]);
        assert_eq!(settings["nodes"], facts["groups"]);
    }
}
