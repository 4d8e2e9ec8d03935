//! For tests: a small cluster of frameworks, which a test changes before it is built.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::BuildError;
use super::access_rules::AccessWishes;
use super::framework_build::{FrameworkBuild, FrameworkStack, build_frameworks, name_classes};
use super::member_news::MemberLines;
use super::node_surroundings::NodeSurroundings;
use crate::cluster::Flavor;
use crate::cluster::component::{
    ComponentMember, ComponentNeed, ComponentPlacement, ComponentSpec,
};
use crate::cluster::framework::{ClusterNode, NodeGroup};
use crate::cluster::framework_bundle::{
    ComponentEndpoint, ConfigFile, EndpointReach, FileEffect, FrameworkBundle,
};
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{ComponentGrant, FrameworkRequest, GenerateQuestion};

/// The types that [`cluster_template`] adds.
pub(crate) const NODE_TYPES: [&str; 6] = [
    "OS::Neutron::Net",
    "OS::Neutron::SecurityGroup",
    "OS::Neutron::Port",
    "OS::Nova::Server",
    "OS::Heat::WaitCondition",
    "OS::Heat::WaitConditionHandle",
];

/// A master, workers of which the first has the component `agent` too, and the plugin `toy` on them.
#[derive(Clone)]
pub(crate) struct ToyCluster {
    pub(crate) chain: Vec<FrameworkDescriptor>,
    pub(crate) question: GenerateQuestion,
    pub(crate) given: Vec<BTreeSet<String>>,
    pub(crate) bundles: Vec<FrameworkBundle>,
    pub(crate) groups: Vec<NodeGroup>,
    pub(crate) surroundings: NodeSurroundings,
    pub(crate) access: AccessWishes,
}

pub(crate) fn descriptor(name: &str, components: &[&str], types: &[&str]) -> FrameworkDescriptor {
    let component = |name: &&str| ComponentSpec {
        name: (*name).to_owned(),
        ..ComponentSpec::default()
    };
    FrameworkDescriptor {
        name: name.to_owned(),
        title: String::new(),
        description: String::new(),
        versions: vec![],
        requires: vec![],
        uses: vec![],
        provides: vec![],
        components: components.iter().map(component).collect(),
        parameters: json!({"properties": {
            "groups": {"x-host": "groups"}, "kind": {"type": "string"}, "lists": {"type": "array"},
        }})
        .into(),
        resource_types: types.iter().map(|one| (*one).to_owned()).collect(),
    }
}

pub(crate) fn bundle(plugin: &str, template: Value) -> FrameworkBundle {
    FrameworkBundle {
        plugin: plugin.to_owned(),
        template,
        software: vec![],
        artifacts: vec![],
        secrets: vec![],
        files: vec![],
        units: vec![],
        checks: vec![],
        scripts: vec![],
        endpoints: vec![],
        services: vec![],
    }
}

pub(crate) fn endpoint(
    name: &str,
    component: &str,
    port: u16,
    reach: EndpointReach,
) -> ComponentEndpoint {
    ComponentEndpoint {
        name: name.to_owned(),
        description: "A page.".to_owned(),
        component: component.to_owned(),
        scheme: "http".to_owned(),
        port,
        path: "/x".to_owned(),
        reach,
        secret: None,
    }
}

pub(crate) fn placement(component: &str, nodes: &[String]) -> ComponentPlacement {
    let members = (1..).zip(nodes).map(|(index, node)| ComponentMember {
        node: node.clone(),
        index,
    });
    ComponentPlacement {
        component: component.to_owned(),
        members: members.collect(),
    }
}

/// What the smallest plugin `cluster` adds.
pub(crate) fn cluster_template(groups: &[NodeGroup], classes: &BTreeMap<String, String>) -> Value {
    let mut resources = Map::new();
    let mut add = |name: String, kind: &str, properties: Value| {
        resources.insert(name, json!({ "type": kind, "properties": properties }));
    };
    let own = |name: &str| json!({ "get_resource": name });
    add(
        "network".into(),
        "OS::Neutron::Net",
        json!({"name": "demo"}),
    );
    add(
        "security_group".into(),
        "OS::Neutron::SecurityGroup",
        json!({}),
    );
    let mut count = 0;
    for group in groups {
        for node in &group.nodes {
            let prefix = node.name.replace('-', "_");
            add(
                format!("{prefix}_port"),
                "OS::Neutron::Port",
                json!({"network": own("network"), "security_groups": [own("security_group")]}),
            );
            add(
                format!("{prefix}_server"),
                "OS::Nova::Server",
                json!({
                    "image": group.image, "flavor": group.flavor.name,
                    "networks": [{"port": own(&format!("{prefix}_port"))}], "user_data_format": "RAW",
                    "user_data": {"get_file": format!("node-{}.sh", classes[&node.name])},
                }),
            );
            count += 1;
        }
    }
    let handle = json!({"signal_transport": "HEAT_SIGNAL"});
    add(
        "ready_handle".into(),
        "OS::Heat::WaitConditionHandle",
        handle,
    );
    let ready = json!({"handle": own("ready_handle"), "count": count, "timeout": 600});
    add("ready".into(), "OS::Heat::WaitCondition", ready);
    let address = json!({"get_attr": ["master_server", "first_address"]});
    json!({"resources": resources, "outputs": {"master_address": {"value": address}}})
}

impl ToyCluster {
    pub(crate) fn new(workers: u32) -> Self {
        let groups = node_groups(workers);
        let question = question(&groups);
        let classes = name_classes(&question.request.placements, &question.node_groups);
        let mut toy = bundle("toy", json!({}));
        toy.endpoints = vec![
            endpoint("toy_page", "server", 8_000, EndpointReach::Outside),
            endpoint("toy_agents", "agent", 8_001, EndpointReach::Tunnel),
        ];
        let mut types = NODE_TYPES.to_vec();
        types.extend(["OS::Cinder::Volume", "OS::Heat::Value"]);
        Self {
            chain: vec![
                descriptor("cluster", &["node"], &types),
                descriptor(
                    "toy",
                    &["server", "agent"],
                    &[
                        "OS::Cinder::Volume",
                        "OS::Heat::Value",
                        "OS::Neutron::SecurityGroupRule",
                    ],
                ),
            ],
            question,
            given: vec![BTreeSet::new(), BTreeSet::new()],
            bundles: vec![bundle("cluster", cluster_template(&groups, &classes)), toy],
            groups,
            surroundings: NodeSurroundings {
                cidr: "10.77.0.0/22".to_owned(),
                signal_transport: "HEAT_SIGNAL".to_owned(),
                timeout_s: 1_800,
                ..NodeSurroundings::default()
            },
            access: AccessWishes {
                access: vec!["192.0.2.0/24".to_owned()],
                ..AccessWishes::default()
            },
        }
    }

    pub(crate) fn built(&self) -> Result<FrameworkStack, BuildError> {
        let chain: Vec<&FrameworkDescriptor> = self.chain.iter().collect();
        let questions: Vec<Arc<GenerateQuestion>> = self
            .chain
            .iter()
            .map(|_| Arc::new(self.question.clone()))
            .collect();
        build_frameworks(FrameworkBuild {
            cluster: "demo",
            description: "Cluster demo.",
            chain: &chain,
            questions: &questions,
            given: &self.given,
            bundles: self.bundles.clone(),
            groups: &self.groups,
            surroundings: &self.surroundings,
            access: &self.access,
            boot: &MemberLines::default(),
        })
    }

    /// What comes of the cluster that `change` has spoilt.
    pub(crate) fn said(change: impl FnOnce(&mut Self)) -> String {
        let mut toys = Self::new(2);
        change(&mut toys);
        toys.built()
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    /// The same, with resources of the plugin `toy`.
    pub(crate) fn said_of(resources: Value) -> String {
        Self::said(|toys| toys.bundles[1].template = json!({ "resources": resources }))
    }
}

pub(crate) fn file(path: &str, component: &str) -> ConfigFile {
    ConfigFile {
        components: vec![component.to_owned()],
        groups: vec![],
        path: path.to_owned(),
        owner: "root".to_owned(),
        mode: 0o644,
        effect: FileEffect::Nothing,
        content: "x\n".to_owned(),
    }
}

fn node_groups(workers: u32) -> Vec<NodeGroup> {
    let node = |id: u32, name: String, above: u32| ClusterNode {
        id,
        name,
        address: format!("10.77.{}.{}", (10 + above) / 256, (10 + above) % 256),
    };
    let group = |role: &str, nodes| NodeGroup {
        role: role.to_owned(),
        flavor: Flavor {
            name: "m1.small".to_owned(),
            vcpus: 2,
            ram_mib: 2_048,
            disk_gib: 20,
        },
        image: "debian".to_owned(),
        nodes,
    };
    let worker = |id: u32| node(id, format!("worker-{id}"), id);
    vec![
        group("master", vec![node(1, "master".to_owned(), 0)]),
        group("worker", (1..=workers).map(worker).collect()),
    ]
}

fn question(groups: &[NodeGroup]) -> GenerateQuestion {
    let names = |role: &str| -> Vec<String> {
        let of = groups
            .iter()
            .filter(|group| role.is_empty() || group.role == role);
        of.flat_map(|group| &group.nodes)
            .map(|node| node.name.clone())
            .collect()
    };
    let node_groups: BTreeMap<String, String> = groups
        .iter()
        .flat_map(|group| {
            group
                .nodes
                .iter()
                .map(|node| (node.name.clone(), group.role.clone()))
        })
        .collect();
    let placements = vec![
        placement("node", &names("")),
        placement("server", &names("master")),
        placement("agent", &names("worker")[..1]),
    ];
    let need = |component: &str, port: u16| ComponentNeed {
        component: component.to_owned(),
        ports: vec![port],
        ..ComponentNeed::default()
    };
    let grant = |group: &str, volume_gib: u32| ComponentGrant {
        component: "node".to_owned(),
        group: group.to_owned(),
        volume_gib,
        ..ComponentGrant::default()
    };
    GenerateQuestion {
        request: FrameworkRequest {
            cluster: "demo".to_owned(),
            placements,
            ..FrameworkRequest::default()
        },
        grants: vec![grant("master", 0), grant("worker", 50)],
        needs: vec![need("server", 8_000), need("agent", 8_001)],
        node_groups,
        ..GenerateQuestion::default()
    }
}
