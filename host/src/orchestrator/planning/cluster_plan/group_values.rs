//! What plugins of contract 0.1.0 are not told of node groups, laid over the template that they make.
//! Pure.

use serde_json::{Map, Value, json};

use crate::{
    bundle::policy::{READY, server_name},
    cluster::{ClusterSpec, GroupSpec},
};

/// Lays it over a template of a cluster.
pub fn lay_group_values(template: &mut Value, spec: &ClusterSpec) {
    for group in spec.groups.with_nodes() {
        for node in group.node_names() {
            let path = format!("/resources/{}/properties", server_name(&node));
            if let Some(Value::Object(server)) = template.pointer_mut(&path) {
                lay_over_server(server, group);
            }
        }
    }
    // The plugins see no group that is gone, and of each the nodes that are there: with groups that
    // come and go beside each other, signals of those that went would count for those that come.
    if let Some(given) = spec.groups.given_beside_others()
        && let Some(count) = template.pointer_mut(&format!("/resources/{READY}/properties/count"))
    {
        *count = count.as_u64().unwrap_or(0).max(u64::from(given)).into();
    }
}

/// A group's own zone and volume, in the place of those of all nodes.
fn lay_over_server(server: &mut Map<String, Value>, group: &GroupSpec) {
    if let Some(zone) = &group.availability_zone {
        server.insert("availability_zone".to_owned(), zone.as_str().into());
    }
    let Some(size) = group.root_volume_gib else {
        return;
    };
    let volume = server.remove(VOLUMES);
    let booted = volume.and_then(|volumes| volumes.pointer("/0/image").cloned());
    let Some(image) = server.remove("image").or(booted) else {
        return;
    };
    if size == 0 {
        server.insert("image".to_owned(), image);
        return;
    }
    // Made of the image with the server, and gone with it.
    let volume = json!({
        "image": image, "volume_size": size, "boot_index": 0, "delete_on_termination": true,
    });
    server.insert(VOLUMES.to_owned(), json!([volume]));
}

/// The property of a server that says what it boots from.
const VOLUMES: &str = "block_device_mapping_v2";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::test_groups::group, orchestrator::planning::resolve::tests_support::spec,
    };

    #[test]
    fn a_groups_own_zone_and_volume_are_its_nodes_and_no_others() {
        let image = json!({ "get_param": "image" });
        let plain = json!({ "properties": { "image": image, "availability_zone": "all" } });
        let volumes = json!([{ "image": image, "volume_size": 9, "boot_index": 0, "delete_on_termination": true }]);
        let booted = json!({ "properties": { "block_device_mapping_v2": volumes } });
        let laid = |server: &Value, size: Option<u32>| {
            let mut spec = spec();
            let own = GroupSpec {
                availability_zone: size.map(|_| "az2".to_owned()),
                root_volume_gib: size,
                ..group("edge", 2)
            };
            spec.groups.add(own);
            let mut template =
                json!({ "resources": { "edge_2_server": server, "worker_1_server": server } });
            lay_group_values(&mut template, &spec);
            let resources = &template["resources"];
            assert_eq!(&resources["worker_1_server"], server);
            resources["edge_2_server"]["properties"].clone()
        };
        for server in [&plain, &booted] {
            assert_eq!(laid(server, None), server["properties"]);
            let own = laid(server, Some(30));
            assert_eq!(own.get("image"), None);
            assert_eq!(own["availability_zone"], "az2");
            let mut wanted = volumes.clone();
            wanted[0]["volume_size"] = json!(30);
            assert_eq!(own["block_device_mapping_v2"], wanted);
            let disk = laid(server, Some(0));
            assert_eq!((&disk["image"], disk.get(VOLUMES)), (&image, None));
        }
    }

    #[test]
    fn every_id_that_was_ever_given_out_counts_where_there_are_or_were_further_groups() {
        let counted = |spec: &ClusterSpec| {
            let count = spec.groups.node_count();
            let ready = json!({ "properties": { "count": count } });
            let mut template = json!({ "resources": { "ready": ready } });
            lay_group_values(&mut template, spec);
            template["resources"]["ready"]["properties"]["count"].clone()
        };
        let alone = spec().with_workers(vec![1, 2, 3]).with_workers(vec![1]);
        assert_eq!(counted(&alone), 2, "as the plugin has it");
        let mut with_edge = alone;
        with_edge.groups.add(group("edge", 2));
        assert_eq!(counted(&with_edge), 1 + 3 + 2);
        let edge = with_edge.groups.get_mut("edge").unwrap();
        *edge = edge.emptied();
        assert_eq!(counted(&with_edge), 1 + 3 + 2, "a group that is gone");
    }
}
