//! Tests of [`super`]: merge, policy, references, sizes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::framework_build::FrameworkStack;
use super::plugin_template::NameGrants;
use super::test_frameworks::{ToyCluster, bundle, endpoint};
use super::*;
use crate::cluster::framework_bundle::EndpointReach;

#[test]
fn a_good_chain_becomes_one_template() {
    let stack = ToyCluster::new(2).built().unwrap();
    let sections: Vec<&String> = stack.template.as_object().unwrap().keys().collect();
    assert_eq!(
        sections,
        [
            "heat_template_version",
            "description",
            "resources",
            "outputs"
        ]
    );
    let files: Vec<&str> = stack
        .files
        .keys()
        .map(|name| name.split('-').nth(1).unwrap())
        .collect();
    assert_eq!(files, ["master.sh", "worker", "worker"]);
}

#[test]
fn what_two_plugins_define_is_refused_by_both_names() {
    let said = ToyCluster::said(|toys| {
        let taken = endpoint("master_address", "server", 1, EndpointReach::Tunnel);
        toys.bundles[1].endpoints.push(taken);
    });
    assert_eq!(
        said,
        "plugin `cluster` and `toy`: both define the output or endpoint `master_address`"
    );
    let template = json!({"resources": {"x": {}}});
    let grants = || NameGrants {
        cluster: "demo",
        groups: &[],
        key: None,
        cidr: "",
        external_network: None,
        signal_transport: "",
        settings: vec![],
    };
    let parts = ["a", "b"].map(|plugin| PluginTemplate {
        plugin,
        template: &template,
        resource_types: &[],
        grants: grants(),
    });
    let violations = merge::merge_templates("", &parts, &serde_json::Map::new(), &[]);
    let violations = ContractViolations(violations.unwrap_err());
    assert_eq!(
        violations.to_string(),
        "plugin `a` and `b`: both define `x` in resources"
    );
}

/// Asserts that each of these resources of the plugin `toy` is refused with the text beside it.
fn assert_refused(cases: Vec<(Value, &str)>) {
    for (resources, wanted) in cases {
        let refusal = ToyCluster::said_of(resources.clone());
        assert!(refusal.contains(wanted), "{resources}: {refusal}");
        assert!(refusal.starts_with("plugin `toy`: "), "{refusal}");
    }
}

const VALUE_TYPE: &str = "OS::Heat::Value";

/// A value: anything may stand there, however it comes about.
fn value_of(value: Value) -> Value {
    json!({"toy_value": {"type": VALUE_TYPE, "properties": {"value": value}}})
}

#[test]
fn each_resource_that_a_plugin_may_not_have_is_named() {
    assert_refused(vec![
        (
            json!({"value": {"type": VALUE_TYPE}}),
            "must be of a-z, 0-9 and _ and begin with `toy_`",
        ),
        (
            json!({"toy_x": {"type": "OS::Nova::ServerGroup"}}),
            "`OS::Nova::ServerGroup` is the plugin `cluster`'s",
        ),
        (
            json!({"toy_x": {"type": "OS::Heat::Stack"}}),
            "which no plugin may add",
        ),
        (
            json!({"toy_x": {"type": "OS::Keystone::User"}}),
            "which no plugin may add",
        ),
        (
            json!({"toy_x": {"type": "http://evil.example/x.yaml"}}),
            "which no plugin may add",
        ),
        (
            json!({"toy_x": {"type": "nested.yaml"}}),
            "which no plugin may add",
        ),
        (
            json!({"toy_x": {"type": "OS::Nova::Quota"}}),
            "which no plugin may add",
        ),
        (
            json!({"toy_x": {"type": "OS::Nova::Server"}}),
            "`OS::Nova::Server` is the plugin `cluster`'s",
        ),
        (
            json!({"toy_x": {"type": "OS::Nova::KeyPair"}}),
            "which no plugin may add",
        ),
        (
            json!({"toy_x": {"type": VALUE_TYPE, "external_id": "1"}}),
            "has `external_id`",
        ),
        (json!({"toy_x": {}}), "has no type"),
    ]);
    let undeclared = ToyCluster::said(|toys| {
        toys.chain[1].resource_types.clear();
        toys.bundles[1].template = json!({ "resources": value_of(json!(1)) });
    });
    assert!(
        undeclared.contains("which its descriptor does not declare"),
        "{undeclared}"
    );
}

#[test]
fn each_thing_that_a_plugin_may_not_do_is_named() {
    assert_refused(vec![
        (
            value_of(json!({"a": {"get_resource": "nowhere"}})),
            "get_resource names `nowhere`, which is not in resources",
        ),
        (
            value_of(json!({"a": [{"get_attr": ["nowhere", "x"]}]})),
            "get_attr names `nowhere`",
        ),
        (
            value_of(json!({"a": {"get_param": "nowhere"}})),
            "get_param names `nowhere`, which is not in parameters",
        ),
        (
            value_of(json!({"a": {"if": ["nowhere", 1, 2]}})),
            "condition names `nowhere`",
        ),
        (
            value_of(json!({"a": {"list_join": ["", [{"get_param": "x"}]]}})),
            "get_param names `x`",
        ),
        (
            value_of(json!({"a": {"str_replace": {"template": "", "params": {}}}})),
            "the function `str_replace` may not be used",
        ),
        (
            value_of(json!({"a": {"yaql": {}}})),
            "the function `yaql` may not be used",
        ),
        (
            json!({"toy_x": {"type": VALUE_TYPE, "depends_on": ["nowhere"]}}),
            "depends_on names `nowhere`",
        ),
        (
            json!({"toy_x": {"type": VALUE_TYPE, "condition": "nowhere"}}),
            "condition names `nowhere`",
        ),
    ]);
    let with = |plugin: &str, template: Value| {
        ToyCluster::said(|toys| {
            toys.bundles[1] = bundle(plugin, template);
        })
    };
    assert!(
        with("toy", json!({"heat_template_version": "x"}))
            .contains("its template has `heat_template_version`")
    );
    assert!(with("spark", json!({})).contains("answered in the name of `toy`"));
    let taken = value_of(json!({"a": {"get_param": "OS::stack_name"}, "b": "get_param: nowhere"}));
    assert_eq!(ToyCluster::said_of(taken), "");
}

#[test]
fn every_node_has_one_server_and_readiness_counts_them_all() {
    let whole = |change: &dyn Fn(&mut Value)| -> Result<FrameworkStack, String> {
        let mut toys = ToyCluster::new(2);
        change(&mut toys.bundles[0].template["resources"]);
        toys.built().map_err(|violations| violations.to_string())
    };
    assert!(whole(&|_| {}).is_ok());
    let missing =
        whole(&|resources| drop(resources.as_object_mut().unwrap().remove("master_server")));
    let missing = missing.unwrap_err();
    assert!(
        missing.contains("the whole: there is no server `master_server`"),
        "{missing}"
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
fn what_is_merged_into_metadata_counts() {
    let none = BTreeMap::new();
    let violations = |template: &Value| told_sizes(template, &none);
    let merged = |parts: usize| {
        let part = |at: usize| (format!("part_{at}"), json!("x"));
        let value: serde_json::Map<_, _> = (0..parts).map(part).collect();
        let maps = json!([{ "own": "x", "part_0": "y" }, { "get_attr": ["rest", "value"] }]);
        json!({ "resources": {
            "rest": { "type": "OS::Heat::Value", "properties": { "value": value } },
            "a_server": { "type": "OS::Nova::Server", "properties": { "metadata": { "map_merge": maps } } },
        } })
    };
    assert_eq!(violations(&merged(sizes::MAX_METADATA_ITEMS - 1)), "");
    assert!(
        violations(&merged(sizes::MAX_METADATA_ITEMS))
            .contains("the metadata of `a_server` has 129 items")
    );
}

fn told_sizes(template: &Value, files: &BTreeMap<String, String>) -> String {
    let violations = sizes::check_sizes(template, files);
    let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

#[test]
fn each_size_on_both_sides_of_its_limit() {
    let none = BTreeMap::new();
    let violations = told_sizes;
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
