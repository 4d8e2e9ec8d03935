//! What a cluster is made of, as its record keeps it: ids of what the cloud has, sizes, plugins.
//! And the ids in place of names in a template, so that what is renamed, hidden or doubled later
//! changes nothing. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    bundle::node_frame::host_version,
    cluster::{
        ClusterPins, ClusterSpec, FrameworkDescriptor, GroupSpec, PinnedPlugin, PluginContract,
        change::NodeFlavors, pins::GroupPins,
    },
    orchestrator::planning::{
        inventory::CloudInventory, new_node_values::custom_constraint, planner::ResolvedFlavors,
        template_overlay::owner,
    },
};

/// The same spec with the version of every framework said.
pub fn name_versions(spec: &ClusterSpec, plugins: &[&FrameworkDescriptor]) -> ClusterSpec {
    let mut named = spec.clone();
    for choice in &mut named.frameworks {
        let plugin = plugins.iter().find(|plugin| plugin.name == choice.name);
        let default = plugin.map(|plugin| plugin.default_version().to_owned());
        let default = default.filter(|version| !version.is_empty());
        choice.version = choice.version.take().or(default);
    }
    named
}

/// What a cluster is made of. `spec` is resolved: every name in it is one that the cloud knows.
pub fn pin_cluster(
    spec: &ClusterSpec,
    cloud: &CloudInventory,
    flavors: &ResolvedFlavors,
    plugins: BTreeMap<String, PinnedPlugin>,
) -> ClusterPins {
    let flavor_id = |reference: Option<&str>| cloud.find_flavor(reference?).map(|f| f.id.clone());
    let image_id = |reference: Option<&str>| cloud.find_image(reference?).map(|i| i.id.clone());
    let group_pins = |group: &GroupSpec| GroupPins {
        flavor_id: flavor_id(spec.flavor_reference(group)),
        image_id: image_id(spec.image_reference(group)),
    };
    let groups = spec.groups.iter().filter(|group| !group.is_empty());
    let network = spec.external_network_reference().and_then(|name| {
        let mut named = cloud.networks.iter().filter(|n| n.name == name);
        let by_id = cloud.networks.iter().find(|n| n.id == name);
        by_id.or_else(|| named.next())
    });
    ClusterPins {
        host_version: host_version().to_owned(),
        contract: PluginContract::SPOKEN,
        plugins,
        groups: groups
            .map(|group| (group.name.clone(), group_pins(group)))
            .collect(),
        external_network_id: network.map(|network| network.id.clone()),
        flavors: NodeFlavors {
            groups: flavors.groups.clone(),
            access: flavors.access.clone(),
        },
        mixed: false,
        // What its components have is the plan's to say.
        ..ClusterPins::default()
    }
}

/// Puts the pinned ids in the place of the names that the plugins were told: in the defaults of
/// parameters and in the properties that name something of the cloud. A name may stand for another
/// id in a group that came later: parameters have what the earlier group's nodes were made of, and
/// the later group's servers say their own.
pub fn pin_template(template: &mut Value, spec: &ClusterSpec) {
    let Some(pins) = spec.pins.as_deref() else {
        return;
    };
    let (mut images, mut flavors) = (BTreeMap::new(), BTreeMap::new());
    let mut networks = BTreeMap::new();
    let add = |all: &mut BTreeMap<String, String>, name: Option<&str>, id: &Option<String>| {
        if let (Some(name), Some(id)) = (name, id) {
            all.entry(name.to_owned()).or_insert_with(|| id.clone());
        }
    };
    for group in spec.groups.iter() {
        if let Some(pinned) = pins.groups.get(&group.name) {
            add(&mut images, spec.image_of(group), &pinned.image_id);
            add(&mut flavors, group.flavor.as_deref(), &pinned.flavor_id);
        }
    }
    pin_own_values(template, spec, pins, [&images, &flavors]);
    let network = spec.external_network.as_deref();
    add(&mut networks, network, &pins.external_network_id);
    let put = |value: Option<&mut Value>, ids: &BTreeMap<String, String>| {
        if let Some(value) = value
            && let Some(id) = value.as_str().and_then(|name| ids.get(name))
        {
            *value = Value::from(id.as_str());
        }
    };
    let parameters = template
        .get_mut("parameters")
        .and_then(Value::as_object_mut);
    for parameter in parameters.into_iter().flat_map(serde_json::Map::values_mut) {
        let ids = match custom_constraint(parameter) {
            Some("glance.image") => &images,
            Some("nova.flavor") => &flavors,
            Some("neutron.network") => &networks,
            _ => continue,
        };
        put(parameter.get_mut("default"), ids);
    }
    let resources = template.get_mut("resources").and_then(Value::as_object_mut);
    for resource in resources.into_iter().flat_map(serde_json::Map::values_mut) {
        match resource.get("type").and_then(Value::as_str) {
            Some("OS::Nova::Server") => {
                put(resource.pointer_mut("/properties/image"), &images);
                put(resource.pointer_mut("/properties/flavor"), &flavors);
            }
            Some("OS::Neutron::Router") => put(
                resource.pointer_mut("/properties/external_gateway_info/network"),
                &networks,
            ),
            Some("OS::Neutron::FloatingIP") => put(
                resource.pointer_mut("/properties/floating_network"),
                &networks,
            ),
            _ => {}
        }
    }
}

/// Puts a group's own ids into its servers where the name that they were planned by stands for
/// another id in the groups before it.
fn pin_own_values(
    template: &mut Value,
    spec: &ClusterSpec,
    pins: &ClusterPins,
    shared: [&BTreeMap<String, String>; 2],
) {
    let parameters = template.get("parameters").cloned().unwrap_or_default();
    let named = |value: &Value, constraint: &str, name: &str| match value.get("get_param") {
        Some(parameter) => parameter
            .as_str()
            .and_then(|parameter| parameters.get(parameter))
            .is_some_and(|parameter| {
                custom_constraint(parameter) == Some(constraint)
                    && parameter.get("default").and_then(Value::as_str) == Some(name)
            }),
        None => value.as_str() == Some(name),
    };
    let resources = template.get_mut("resources").and_then(Value::as_object_mut);
    for (resource, body) in resources.into_iter().flatten() {
        let is_server = body.get("type").and_then(Value::as_str) == Some("OS::Nova::Server");
        let owner = is_server.then(|| owner(resource, &spec.groups)).flatten();
        let Some((group, _)) = owner else { continue };
        let Some(own) = pins.groups.get(&group.name) else {
            continue;
        };
        let made_of = [
            ("glance.image", spec.image_of(group), &own.image_id),
            ("nova.flavor", group.flavor.as_deref(), &own.flavor_id),
        ];
        for ((constraint, name, id), shared) in made_of.into_iter().zip(shared) {
            let (Some(name), Some(id)) = (name, id) else {
                continue;
            };
            if shared.get(name) == Some(id) {
                continue;
            }
            let volume = "/properties/block_device_mapping_v2/0/image";
            let places: &[&str] = match constraint {
                "nova.flavor" => &["/properties/flavor"],
                _ => &["/properties/image", volume],
            };
            for place in places {
                if let Some(value) = body.pointer_mut(place)
                    && named(value, constraint, name)
                {
                    *value = Value::from(id.as_str());
                }
            }
        }
    }
}

/// Takes away what parameters say of the cloud: whether it has what their values name. The values
/// are what the nodes were made of, and may be gone by now.
pub fn drop_cloud_constraints(template: &mut Value) {
    let parameters = template
        .get_mut("parameters")
        .and_then(Value::as_object_mut);
    for parameter in parameters.into_iter().flat_map(serde_json::Map::values_mut) {
        let constraints = parameter.get_mut("constraints");
        if let Some(constraints) = constraints.and_then(Value::as_array_mut) {
            constraints.retain(|constraint| constraint.get("custom_constraint").is_none());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::test_plugins::plugin_with;
    use crate::orchestrator::planning::resolve::tests_support::spec;

    fn plugin(default: &str) -> FrameworkDescriptor {
        FrameworkDescriptor {
            title: "Apache Hadoop".to_owned(),
            ..plugin_with("hadoop", &[default], &[])
        }
    }

    fn versions(spec: &ClusterSpec) -> Vec<Option<&str>> {
        let choices = spec.frameworks.iter();
        choices.map(|choice| choice.version.as_deref()).collect()
    }

    fn asked(version: Option<&str>) -> ClusterSpec {
        let choice = crate::cluster::spec::FrameworkChoice {
            name: "hadoop".into(),
            version: version.map(str::to_owned),
        };
        ClusterSpec {
            frameworks: vec![choice],
            ..spec()
        }
    }

    #[test]
    fn a_version_that_nobody_named_is_the_default_of_that_day() {
        let plugin = plugin("3.5.0");
        assert_eq!(
            versions(&name_versions(&asked(None), &[&plugin])),
            [Some("3.5.0")]
        );
        let said = name_versions(&asked(Some("3.4.3")), &[&plugin]);
        assert_eq!(versions(&said), [Some("3.4.3")]);
    }

    #[test]
    fn ids_stand_where_names_stood_and_nowhere_else() {
        let pinned = ClusterSpec {
            image: Some("debian".into()),
            external_network: Some("public".into()),
            pins: Some(Box::new(ClusterPins {
                host_version: String::new(),
                plugins: BTreeMap::new(),
                groups: BTreeMap::from([
                    ("master".to_owned(), made_of("id-l")),
                    ("worker".to_owned(), made_of("id-s")),
                ]),
                external_network_id: Some("id-n".into()),
                flavors: NodeFlavors::default(),
                mixed: false,
                ..ClusterPins::default()
            })),
            ..spec()
        }
        .with_flavors(Some("large"), Some("small"));
        let parameter = |default: &str, constraint: &str| json!({ "default": default, "constraints": [{ "custom_constraint": constraint }] });
        let mut template = json!({
            "parameters": {
                "image": parameter("debian", "glance.image"), "a": parameter("large", "nova.flavor"),
                "b": parameter("small", "nova.flavor"), "n": parameter("public", "neutron.network"),
                "text": { "default": "debian" },
            },
            "resources": {
                "s": { "type": "OS::Nova::Server", "properties": { "name": "debian", "image": "debian", "flavor": "small" } },
                "r": { "type": "OS::Neutron::Router", "properties": { "external_gateway_info": { "network": "public" } } },
                "f": { "type": "OS::Neutron::FloatingIP", "properties": { "floating_network": { "get_param": "n" } } },
            },
        });
        pin_template(&mut template, &pinned);
        let defaults = |name: &str| template["parameters"][name]["default"].clone();
        assert_eq!(
            ["image", "a", "b", "n", "text"].map(defaults),
            ["id-i", "id-l", "id-s", "id-n", "debian"]
        );
        assert_eq!(
            template["resources"]["s"]["properties"],
            json!({ "name": "debian", "image": "id-i", "flavor": "id-s" })
        );
        let gateway = &template["resources"]["r"]["properties"]["external_gateway_info"];
        assert_eq!(gateway["network"], "id-n");
    }

    #[test]
    fn a_name_that_moved_is_another_id_for_the_group_that_came_later_alone() {
        let own = |image: &str, flavor: &str| GroupPins {
            flavor_id: Some(flavor.to_owned()),
            image_id: Some(image.to_owned()),
        };
        let mut pinned = ClusterSpec {
            image: Some("debian".into()),
            pins: Some(Box::new(ClusterPins {
                groups: BTreeMap::from([
                    ("master".to_owned(), own("id1", "f1")),
                    ("worker".to_owned(), own("id1", "f1")),
                    ("edge".to_owned(), own("id2", "f2")),
                ]),
                ..ClusterPins::default()
            })),
            ..spec()
        }
        .with_flavors(Some("small"), Some("small"));
        pinned.groups.add(GroupSpec {
            name: "edge".to_owned(),
            count: 1,
            bare_first: true,
            flavor: Some("small".to_owned()),
            ..GroupSpec::default()
        });
        let server = json!({ "type": "OS::Nova::Server", "properties": {
            "image": { "get_param": "image" }, "flavor": { "get_param": "flavor" },
        } });
        let mut template = json!({
            "parameters": {
                "image": { "default": "debian", "constraints": [{ "custom_constraint": "glance.image" }] },
                "flavor": { "default": "small", "constraints": [{ "custom_constraint": "nova.flavor" }] },
            },
            "resources": { "master_server": server, "worker_1_server": server, "edge_server": server },
        });
        pin_template(&mut template, &pinned);
        assert_eq!(template["parameters"]["image"]["default"], "id1");
        assert_eq!(template["parameters"]["flavor"]["default"], "f1");
        for node in ["master_server", "worker_1_server"] {
            assert_eq!(template["resources"][node], server, "{node}");
        }
        assert_eq!(
            template["resources"]["edge_server"]["properties"],
            json!({ "image": "id2", "flavor": "f2" })
        );
    }

    fn made_of(flavor: &str) -> GroupPins {
        GroupPins {
            flavor_id: Some(flavor.to_owned()),
            image_id: Some("id-i".to_owned()),
        }
    }
}
