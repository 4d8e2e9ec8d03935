//! Tests of [`super`]: merge, policy, references, sizes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::cluster::{
    Flavor,
    framework::{ClusterNetwork, ClusterNode, FrameworkEndpoint, NodeGroup, PortAudience},
};

/// What the plugin `cluster` is asked for one master and so many workers.
pub(super) fn request(workers: u32) -> PluginRequest {
    let flavor = Flavor {
        name: "m1.large".to_owned(),
        vcpus: 2,
        ram_mib: 4096,
        disk_gib: 20,
    };
    let group = |role: &str, nodes: Vec<ClusterNode>| NodeGroup {
        role: role.to_owned(),
        flavor: flavor.clone(),
        image: "debian".to_owned(),
        nodes,
    };
    let master = ClusterNode {
        id: 1,
        name: "master".to_owned(),
        address: "10.77.0.10".to_owned(),
    };
    let worker = |id: u32| ClusterNode {
        id,
        name: format!("worker-{id}"),
        address: format!("10.77.{}.{}", (10 + id) / 256, (10 + id) % 256),
    };
    PluginRequest {
        cluster: "demo".to_owned(),
        version: String::new(),
        groups: vec![
            group("master", vec![master]),
            group("worker", (1..=workers).map(worker).collect()),
        ],
        settings: serde_json::Map::new(),
        given: BTreeSet::new(),
        network: ClusterNetwork {
            cidr: "10.77.0.0/22".to_owned(),
            external: None,
            access: vec![],
        },
        mirror: None,
        proxy: None,
        key: None,
        signal_transport: "CFN_SIGNAL".to_owned(),
        timeout_s: 600,
        services: vec![],
        taken: vec![],
    }
}

pub(super) fn descriptor(name: &str, types: &[&str]) -> PluginDescriptor {
    PluginDescriptor {
        name: name.to_owned(),
        title: String::new(),
        description: String::new(),
        versions: vec![],
        default_version: String::new(),
        requires: vec![],
        provides: vec![],
        roles: vec![],
        parameters: json!({}).into(),
        ports: vec![],
        resource_types: types.iter().map(|t| (*t).to_owned()).collect(),
    }
}

pub(super) fn part(plugin: &str, template: Value) -> PluginBundle {
    PluginBundle {
        plugin: plugin.to_owned(),
        template,
        files: vec![],
        scripts: vec![],
        endpoints: vec![],
        services: vec![],
        taken: vec![],
    }
}

/// A cluster part that satisfies every check.
pub(super) fn nodes(request: &PluginRequest) -> PluginBundle {
    let mut template = test_cluster::nodes_template(request);
    template["outputs"] =
        json!({"master_address": {"value": {"get_attr": ["master_server", "first_address"]}}});
    part("cluster", template)
}

fn built(second: PluginBundle) -> Result<ClusterBundle, String> {
    let request = request(2);
    let parts = vec![nodes(&request), second];
    let descriptors = [
        descriptor("cluster", &test_cluster::NODE_TYPES),
        descriptor(
            "hadoop",
            &["OS::Neutron::SecurityGroupRule", "OS::Cinder::Volume"],
        ),
    ];
    build_bundle(
        &[request.clone(), request],
        &CloudAccess::default(),
        "demo",
        &descriptors.iter().collect::<Vec<_>>(),
        parts,
    )
    .map_err(|violations| violations.to_string())
}

fn hadoop(resources: Value) -> PluginBundle {
    part("hadoop", json!({ "resources": resources }))
}

#[test]
fn a_good_chain_becomes_one_template() {
    let mut second = hadoop(
        json!({"hadoop_volume": {"type": "OS::Cinder::Volume", "properties": {"size": 1}, "depends_on": "ready_handle"}}),
    );
    let endpoint = |name: &str, role: &str, audience| FrameworkEndpoint {
        name: name.to_owned(),
        description: "where".to_owned(),
        role: role.to_owned(),
        scheme: "http".to_owned(),
        port: 9870,
        path: "/".to_owned(),
        audience,
    };
    second.endpoints = vec![
        endpoint("web", "master", PortAudience::Admin),
        endpoint("inner", "master", PortAudience::Cluster),
        endpoint("workers_web", "worker", PortAudience::Admin),
    ];
    let bundle = built(second).unwrap();
    let sections: Vec<&String> = bundle.template.as_object().unwrap().keys().collect();
    assert_eq!(
        sections,
        [
            "heat_template_version",
            "description",
            "resources",
            "outputs"
        ]
    );
    let outputs = &bundle.template["outputs"];
    assert_eq!(
        outputs["web"]["value"],
        json!({"list_join": ["", ["http://", {"get_attr": ["master_server", "first_address"]}, ":9870/"]]})
    );
    assert_eq!(outputs["inner"]["value"], "http://10.77.0.10:9870/");
    assert_eq!(
        outputs["workers_web"]["value"]["worker-2"],
        "http://10.77.0.12:9870/"
    );
    assert_eq!(
        bundle.files.keys().collect::<Vec<_>>(),
        ["node-master.sh", "node-worker.sh"]
    );
}

#[test]
fn what_two_plugins_define_is_refused_by_both_names() {
    let mut second = hadoop(json!({}));
    second.template["outputs"] = json!({});
    second.endpoints = vec![FrameworkEndpoint {
        name: "master_address".to_owned(),
        description: String::new(),
        role: "master".to_owned(),
        scheme: "http".to_owned(),
        port: 1,
        path: String::new(),
        audience: PortAudience::Admin,
    }];
    assert_eq!(
        built(second).unwrap_err(),
        "plugin `cluster` and `hadoop`: both define the output or endpoint `master_address`"
    );
    let request = request(1);
    let twice = [
        part("a", json!({"resources": {"x": {}}})),
        part("b", json!({"resources": {"x": {}}})),
    ];
    let described = [descriptor("a", &[]), descriptor("b", &[])];
    let parts: Vec<PluginTemplate<'_>> = twice
        .iter()
        .zip(&described)
        .map(|(part, descriptor)| PluginTemplate::of_plugin(&request, descriptor, part))
        .collect();
    let violations = merge::merge_templates("", &parts, &serde_json::Map::new(), &[]);
    let violations = ContractViolations(violations.unwrap_err());
    assert_eq!(
        violations.to_string(),
        "plugin `a` and `b`: both define `x` in resources"
    );
}

/// Asserts that each of these resources of the plugin `hadoop` is refused with the text beside it.
fn assert_refused(cases: Vec<(Value, &str)>) {
    for (resources, wanted) in cases {
        let refusal = built(hadoop(resources.clone())).unwrap_err();
        assert!(refusal.contains(wanted), "{resources}: {refusal}");
        assert!(refusal.starts_with("plugin `hadoop`: "), "{refusal}");
    }
}

const RULE_TYPE: &str = "OS::Neutron::SecurityGroupRule";

/// A volume with this metadata: any text may stand there, however it comes about.
fn volume_with(metadata: Value) -> Value {
    json!({"hadoop_volume": {"type": "OS::Cinder::Volume", "properties": {"size": 1, "metadata": metadata}}})
}

#[test]
fn each_resource_that_a_plugin_may_not_have_is_named() {
    assert_refused(vec![
        (
            json!({"rule": {"type": RULE_TYPE}}),
            "must be of a-z, 0-9 and _ and begin with `hadoop_`",
        ),
        (
            json!({"hadoop_x": {"type": "OS::Cinder::VolumeAttachment"}}),
            "which its descriptor does not declare",
        ),
        (
            json!({"hadoop_x": {"type": "OS::Heat::Stack"}}),
            "which no plugin may add",
        ),
        (
            json!({"hadoop_x": {"type": "OS::Keystone::User"}}),
            "which no plugin may add",
        ),
        (
            json!({"hadoop_x": {"type": "http://evil.example/x.yaml"}}),
            "which no plugin may add",
        ),
        (
            json!({"hadoop_x": {"type": "nested.yaml"}}),
            "which no plugin may add",
        ),
        (
            json!({"hadoop_x": {"type": "OS::Nova::Quota"}}),
            "which no plugin may add",
        ),
        (
            json!({"hadoop_x": {"type": "OS::Nova::Server"}}),
            "`OS::Nova::Server` is the plugin `cluster`'s",
        ),
        (
            json!({"hadoop_x": {"type": "OS::Nova::KeyPair"}}),
            "which no plugin may add",
        ),
        (
            json!({"hadoop_x": {"type": RULE_TYPE, "external_id": "1"}}),
            "has `external_id`",
        ),
        (json!({"hadoop_x": {}}), "has no type"),
    ]);
}

#[test]
fn each_thing_that_a_plugin_may_not_do_is_named() {
    assert_refused(vec![
        (
            volume_with(json!({"a": {"get_resource": "nowhere"}})),
            "get_resource names `nowhere`, which is not in resources",
        ),
        (
            volume_with(json!({"a": [{"get_attr": ["nowhere", "x"]}]})),
            "get_attr names `nowhere`",
        ),
        (
            volume_with(json!({"a": {"get_param": "nowhere"}})),
            "get_param names `nowhere`, which is not in parameters",
        ),
        (
            volume_with(json!({"a": {"get_file": "node-master.sh"}})),
            "get_file may stand in a server's user data alone",
        ),
        (
            volume_with(json!({"a": {"if": ["nowhere", 1, 2]}})),
            "condition names `nowhere`",
        ),
        (
            volume_with(json!({"a": {"list_join": ["", [{"get_param": "x"}]]}})),
            "get_param names `x`",
        ),
        (
            volume_with(json!({"a": {"str_replace": {"template": "", "params": {}}}})),
            "the function `str_replace` may not be used",
        ),
        (
            volume_with(json!({"a": {"yaql": {}}})),
            "the function `yaql` may not be used",
        ),
        (
            json!({"hadoop_x": {"type": RULE_TYPE, "depends_on": ["nowhere"]}}),
            "depends_on names `nowhere`",
        ),
        (
            json!({"hadoop_x": {"type": RULE_TYPE, "condition": "nowhere"}}),
            "condition names `nowhere`",
        ),
    ]);
    assert!(
        built(part("hadoop", json!({"heat_template_version": "x"})))
            .unwrap_err()
            .contains("its template has `heat_template_version`")
    );
    assert!(
        built(part("spark", json!({})))
            .unwrap_err()
            .contains("answered in the name of `hadoop`")
    );
    assert!(
        built(hadoop(volume_with(
            json!({"a": {"get_param": "OS::stack_name"}, "b": "get_param: nowhere"})
        )))
        .is_ok()
    );
}

#[test]
fn every_node_has_one_server_and_readiness_counts_them_all() {
    let request = request(2);
    let descriptors = [descriptor("cluster", &test_cluster::NODE_TYPES)];
    let whole = |change: &dyn Fn(&mut Value)| {
        let mut part = nodes(&request);
        change(&mut part.template["resources"]);
        build_bundle(
            std::slice::from_ref(&request),
            &CloudAccess::default(),
            "",
            &[&descriptors[0]],
            vec![part],
        )
        .map_err(|violations| violations.to_string())
    };
    assert!(whole(&|_| {}).is_ok());
    let missing =
        whole(&|resources| drop(resources.as_object_mut().unwrap().remove("worker_2_server")));
    assert_eq!(
        missing.unwrap_err(),
        "the whole: there is no server `worker_2_server`"
    );
    let more =
        whole(&|resources| resources["worker_3_server"] = resources["worker_2_server"].clone());
    assert_eq!(
        more.unwrap_err(),
        "the whole: the server `worker_3_server` belongs to no node that was asked for"
    );
    let few = whole(&|resources| resources["ready"]["properties"]["count"] = json!(2));
    assert_eq!(
        few.unwrap_err(),
        "the whole: the wait condition `ready` counts 2, there are 3 nodes"
    );
    let none = whole(&|resources| drop(resources.as_object_mut().unwrap().remove("ready")));
    assert!(
        none.unwrap_err()
            .contains("there is no wait condition `ready`")
    );
    let idle =
        whole(&|resources| resources["master_server"]["properties"]["user_data"] = json!(""));
    assert!(
        idle.unwrap_err()
            .contains("no node is given `node-master.sh`")
    );
}

#[test]
fn what_functions_come_to_is_bounded_though_the_template_is_small() {
    let computed = |bytes: usize| {
        let part =
            json!({"type": "OS::Heat::Value", "properties": {"value": "x".repeat(bytes / 32)}});
        let shown = vec![json!({"get_attr": ["v", "value"]}); 31];
        json!({"resources": {"v": part}, "outputs": {"o": {"value": {"list_join": ["", shown]}}}})
    };
    let told = |bytes: usize| {
        let template = computed(bytes);
        assert!(template.to_string().len() < sizes::MAX_TEMPLATE_BYTES);
        let found = sizes::check_sizes(&template, &BTreeMap::new());
        found.iter().map(ToString::to_string).collect::<String>()
    };
    assert_eq!(told(sizes::MAX_COMPUTED_BYTES - 64), "");
    assert!(
        told(sizes::MAX_COMPUTED_BYTES + 64).contains("what Heat computes of the template has")
    );
}

#[test]
fn each_size_on_both_sides_of_its_limit() {
    let none = BTreeMap::new();
    let violations = |template: &Value, files: &BTreeMap<String, String>| {
        sizes::check_sizes(template, files)
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let text = |bytes: usize| json!({"description": "x".repeat(bytes - json!({"description": ""}).to_string().len())});
    assert_eq!(violations(&text(sizes::MAX_TEMPLATE_BYTES), &none), "");
    assert_eq!(
        violations(&text(sizes::MAX_TEMPLATE_BYTES + 1), &none),
        "the template has 524289 bytes, at most 524288 are taken"
    );
    let resources = |n: usize| json!({"resources": (0..n).map(|i| (format!("r{i}"), json!({}))).collect::<serde_json::Map<_, _>>()});
    assert_eq!(violations(&resources(sizes::MAX_RESOURCES), &none), "");
    assert!(
        violations(&resources(sizes::MAX_RESOURCES + 1), &none)
            .contains("the stack has 1001 resources")
    );
    let file = |bytes: usize| BTreeMap::from([("node-master.sh".to_owned(), "x".repeat(bytes))]);
    assert_eq!(violations(&json!({}), &file(sizes::MAX_SCRIPT_BYTES)), "");
    assert!(
        violations(&json!({}), &file(sizes::MAX_SCRIPT_BYTES + 1))
            .contains("the user data `node-master.sh` with its header has 65536")
    );
    let files = |n: usize| {
        (0..n)
            .map(|i| (format!("{i:02}"), "\n".repeat(20_000)))
            .collect::<BTreeMap<_, _>>()
    };
    let most = (sizes::MAX_REQUEST_BYTES - sizes::REQUEST_RESERVE_BYTES) / 40_004;
    assert_eq!(violations(&json!({}), &files(most)), "");
    assert!(violations(&json!({}), &files(most + 1)).contains("the request to Heat has"));
    let name = |chars: usize| json!({"outputs": {"x".repeat(chars): {}}});
    assert_eq!(violations(&name(sizes::MAX_NAME_CHARS), &none), "");
    assert!(violations(&name(sizes::MAX_NAME_CHARS + 1), &none).contains("has 256 characters"));
    let metadata = |items: usize, chars: usize| {
        let items: serde_json::Map<_, _> = (0..items)
            .map(|i| (format!("k{i}"), json!("x".repeat(chars))))
            .collect();
        json!({"resources": {"r": {"type": "OS::Nova::Server", "properties": {"metadata": items}}}})
    };
    assert_eq!(
        violations(
            &metadata(sizes::MAX_METADATA_ITEMS, sizes::MAX_METADATA_CHARS),
            &none
        ),
        ""
    );
    assert!(
        violations(&metadata(sizes::MAX_METADATA_ITEMS + 1, 1), &none).contains("has 129 items")
    );
    assert!(
        violations(&metadata(1, sizes::MAX_METADATA_CHARS + 1), &none)
            .contains("has 256 characters")
    );
}

#[test]
fn the_most_workers_follow_from_what_each_adds() {
    let template = |workers: u32| {
        let mut resources =
            serde_json::Map::from_iter((0..10).map(|i| (format!("fixed_{i}"), json!({}))));
        for id in 1..=workers {
            resources.extend(
                [
                    "worker_ID_server",
                    "worker_ID_port",
                    "hadoop_worker_ID_volume",
                    "hadoop_worker_ID_attachment",
                ]
                .map(|n| (n.replace("ID", &id.to_string()), json!({}))),
            );
        }
        json!({ "resources": resources })
    };
    assert_eq!(sizes::most_nodes(&template(250), "worker-1", 250), 247);
    let none = BTreeMap::new();
    assert!(sizes::check_sizes(&template(247), &none).is_empty());
    assert_eq!(
        sizes::check_sizes(&template(248), &none)[0].to_string(),
        "the stack has 1002 resources, at most 1000 are taken"
    );
}
