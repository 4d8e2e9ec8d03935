//! The plugins as they are shipped: pure functions, the same in the sandbox as natively, and the host
//! takes whatever they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use stampede::bundle::access_rules::AccessWishes;
use stampede::bundle::framework_build::{FrameworkBuild, FrameworkStack, build_frameworks};
use stampede::bundle::node_surroundings::NodeSurroundings;
use stampede::bundle::sizes::MAX_SCRIPT_BYTES;
use stampede::cluster::Flavor;
use stampede::cluster::component::{
    ComponentMember, ComponentNeed, ComponentPlacement, ComponentSpec, EVERY_GROUP,
};
use stampede::cluster::framework::{ClusterNode, NodeGroup};
use stampede::cluster::framework_bundle::{ComponentStage, FrameworkBundle, SoftwareSource};
use stampede::cluster::framework_request::{ComponentGrant, FrameworkRequest, GenerateQuestion};
use stampede::plugin::{LoadedFramework, PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

use super::native::generate_natively;

fn shipped() -> PluginRegistry {
    let registry = PluginRegistry::load(
        &artifacts::plugins_folder().unwrap(),
        None,
        PluginLimits::default(),
    )
    .unwrap();
    assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
    registry
}

/// One master and as many workers.
fn nodes_of(workers: u32) -> Vec<NodeGroup> {
    let group = |role: &str, nodes| NodeGroup {
        role: role.into(),
        flavor: Flavor {
            name: "m1.xlarge".into(),
            vcpus: 2,
            ram_mib: 4_096,
            disk_gib: 20,
        },
        image: "debian-12".into(),
        nodes,
    };
    let node = |id: u32, name: String, host: u32| ClusterNode {
        id,
        name,
        address: format!("10.77.{}.{}", host / 256, host % 256),
    };
    let worker = |id| node(id, format!("worker-{id}"), 10 + id);
    vec![
        group("master", vec![node(1, "master".into(), 10)]),
        group("worker", (1..=workers).map(worker).collect()),
    ]
}

/// The group of each node.
fn groups_of(groups: &[NodeGroup]) -> BTreeMap<String, String> {
    let of = |group: &NodeGroup| {
        let nodes = group.nodes.iter();
        let role = group.role.clone();
        nodes
            .map(move |node| (node.name.clone(), role.clone()))
            .collect::<Vec<_>>()
    };
    groups.iter().flat_map(of).collect()
}

/// What the plugin `cluster` is told of the cloud.
fn facts(groups: &[NodeGroup]) -> Value {
    let group = |group: &NodeGroup| {
        let file = format!("node-{}.sh", group.role);
        let nodes = group.nodes.iter();
        let nodes =
            nodes.map(|node| json!({"name": node.name, "address": node.address, "file": file}));
        json!({
            "name": group.role, "flavor": group.flavor.name, "image": group.image, "root_volume_gib": null,
            "availability_zone": "az1", "volume_gib": if group.role == "worker" { 5 } else { 0 },
            "nodes": nodes.collect::<Vec<_>>(),
        })
    };
    json!({
        "network": {"cidr": "10.77.0.0/22", "external": "public"}, "groups": groups.iter().map(group).collect::<Vec<_>>(),
        "key": null, "signal_transport": "HEAT_SIGNAL", "timeout_s": 1_800,
        "ready_count": groups.iter().map(|group| group.nodes.len()).sum::<usize>(),
    })
}

fn runs_in(component: &ComponentSpec, group: &str) -> bool {
    let mut groups = component.groups.iter();
    groups.any(|one| one == EVERY_GROUP || one == group)
}

/// With the defaults of its schema.
fn request(plugin: &LoadedFramework, groups: &BTreeMap<String, String>) -> FrameworkRequest {
    let descriptor = plugin.descriptor();
    let placement = |component: &ComponentSpec| {
        let here = groups.iter().filter(|(_, group)| runs_in(component, group));
        ComponentPlacement {
            component: component.name.clone(),
            members: (1..)
                .zip(here)
                .map(|(index, (node, _))| ComponentMember {
                    node: node.clone(),
                    index,
                })
                .collect(),
        }
    };
    let mut settings = Map::new();
    for (name, parameter) in descriptor.parameters["properties"].as_object().unwrap() {
        let default = parameter.get("default");
        settings.extend(default.map(|default| (name.clone(), default.clone())));
    }
    FrameworkRequest {
        cluster: "demo".into(),
        version: descriptor.versions.first().cloned().unwrap_or_default(),
        settings,
        placements: descriptor.components.iter().map(placement).collect(),
        services: vec![],
    }
}

/// What is claimed at least, in each group.
fn grants(plugin: &LoadedFramework, needs: &[ComponentNeed]) -> Vec<ComponentGrant> {
    let mut grants = Vec::new();
    for need in needs {
        let mut components = plugin.descriptor().components.iter();
        let component = components.find(|one| one.name == need.component).unwrap();
        for group in ["master", "worker"] {
            if runs_in(component, group) {
                grants.push(ComponentGrant {
                    component: need.component.clone(),
                    group: group.to_owned(),
                    vcpus: 2,
                    memory_mib: need.least_mib,
                    disk_gib: 20,
                    volume_gib: 0,
                });
            }
        }
    }
    grants
}

/// What the host asks after the claims, with what is claimed at least, and what it is answered.
async fn generated(
    plugin: &LoadedFramework,
    nodes: &[NodeGroup],
) -> (Arc<GenerateQuestion>, FrameworkBundle) {
    let groups = groups_of(nodes);
    let mut request = request(plugin, &groups);
    let claims = plugin.claim(&request, None).await.unwrap();
    for (name, value) in &claims.computed {
        let value = serde_json::from_str(value).unwrap();
        request.settings.insert(name.clone(), value);
    }
    if plugin.descriptor().name == "cluster" {
        let facts = facts(nodes);
        request.settings.extend(facts.as_object().cloned().unwrap());
    }
    let question = Arc::new(GenerateQuestion {
        grants: grants(plugin, &claims.needs),
        request,
        extensions: vec![],
        needs: claims.needs,
        node_groups: groups,
    });
    let bundle = plugin.generate(&question).await.unwrap();
    assert!(
        plugin.generate(&question).await.unwrap() == bundle,
        "another answer to the same question"
    );
    (question, bundle)
}

/// Both, as one stack.
async fn stack(registry: &PluginRegistry, workers: u32) -> FrameworkStack {
    let groups = nodes_of(workers);
    let chain = ["cluster", "hadoop"].map(|name| registry.framework(name).unwrap());
    let (mut questions, mut bundles) = (Vec::new(), Vec::new());
    for plugin in chain {
        let (question, bundle) = generated(plugin, &groups).await;
        questions.push(question);
        bundles.push(bundle);
    }
    // Each is asked with the components of all.
    let placements: Vec<ComponentPlacement> = questions
        .iter()
        .flat_map(|question| question.request.placements.clone())
        .collect();
    let questions: Vec<Arc<GenerateQuestion>> = questions
        .iter()
        .map(|question| {
            let mut question = (**question).clone();
            question.request.placements.clone_from(&placements);
            Arc::new(question)
        })
        .collect();
    let surroundings = NodeSurroundings {
        cidr: "10.77.0.0/22".into(),
        external_network: Some("public".into()),
        signal_transport: "HEAT_SIGNAL".into(),
        timeout_s: 1_800,
        ..NodeSurroundings::default()
    };
    let access = AccessWishes {
        access: vec!["192.0.2.0/24".into()],
        open: vec!["hadoop_namenode".into()],
        is_unauthenticated_meant: false,
    };
    build_frameworks(FrameworkBuild {
        cluster: "demo",
        description: "A cluster.",
        chain: &chain.map(LoadedFramework::descriptor),
        questions: &questions,
        given: &[BTreeSet::new(), BTreeSet::new()],
        bundles,
        groups: &groups,
        surroundings: &surroundings,
        access: &access,
        boot: &stampede::bundle::member_news::MemberLines::default(),
    })
    .unwrap()
}

#[tokio::test]
async fn hadoop_adds_what_the_host_takes_whatever_the_size_of_the_cluster() {
    let registry = shipped();
    let plugin = registry.framework("hadoop").unwrap();
    for workers in [1, 3, 250] {
        let (_, bundle) = generated(plugin, &nodes_of(workers)).await;
        assert_eq!(bundle.units.len(), 6);
        assert!(matches!(
            bundle.software[0].source,
            SoftwareSource::Java { .. }
        ));
        assert_eq!(bundle.services.len(), 2);
        let scripts = bundle.scripts.iter();
        let smokes = scripts.filter(|script| script.stage == ComponentStage::Smoke);
        assert_eq!(smokes.count(), 1);
    }
}

#[tokio::test]
async fn both_make_a_stack_that_heat_and_nova_take() {
    let registry = shipped();
    for workers in [1_u32, 3, 100] {
        let stack = stack(&registry, workers).await;
        let resources = stack.template["resources"].as_object().unwrap();
        let of = |kind: &str| resources.values().filter(|one| one["type"] == kind).count();
        let nodes = usize::try_from(workers).unwrap() + 1;
        assert_eq!(of("OS::Nova::Server"), nodes);
        assert_eq!(of("OS::Cinder::VolumeAttachment"), nodes - 1);
        // SSH, ping, and the page that is opened: the host's
        assert_eq!(of("OS::Neutron::SecurityGroupRule"), 3);
        let files: Vec<&str> = stack.files.keys().map(String::as_str).collect();
        assert_eq!(files, ["node-master.sh", "node-worker.sh"]);
        for (name, text) in &stack.files {
            assert!(text.len() < MAX_SCRIPT_BYTES, "{name}: {}", text.len());
        }
    }
}

#[tokio::test]
async fn the_same_question_gives_the_same_answer_in_every_engine() {
    let (one, other) = (shipped(), shipped());
    for workers in [1, 3, 100] {
        for name in ["cluster", "hadoop"] {
            let nodes = nodes_of(workers);
            let (question, bundle) = generated(one.framework(name).unwrap(), &nodes).await;
            let again = other.framework(name).unwrap().generate(&question).await;
            assert!(again.unwrap() == bundle, "{name} with {workers} workers");
        }
    }
}

#[tokio::test]
async fn a_plugin_answers_in_the_sandbox_as_it_does_natively() {
    let registry = shipped();
    let groups = nodes_of(3);
    let (question, ours) = generated(registry.framework("cluster").unwrap(), &groups).await;
    let theirs = generate_natively::<stampede_cluster::ClusterPlugin>(&question).unwrap();
    let template: Value = serde_json::from_str(&theirs.template).unwrap();
    assert_eq!(ours.template, template);
    let (question, ours) = generated(registry.framework("hadoop").unwrap(), &groups).await;
    let theirs = generate_natively::<stampede_hadoop::HadoopPlugin>(&question).unwrap();
    let files = |one: &stampede_framework::File| (one.path.clone(), one.content.clone());
    let theirs: Vec<(String, String)> = theirs.files.iter().map(files).collect();
    let ours: Vec<(String, String)> = ours
        .files
        .iter()
        .map(|one| (one.path.clone(), one.content.clone()))
        .collect();
    assert_eq!(ours, theirs);
    assert!(!ours.is_empty());
}
