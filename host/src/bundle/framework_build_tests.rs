//! Tests of [`super`]: what a cluster of frameworks comes to, and what hostile plugins might add to it.

use serde_json::json;

use super::*;
use crate::bundle::sizes::{MAX_RESOURCES, MAX_SCRIPT_BYTES};
use crate::bundle::test_frameworks::{
    ToyCluster, bundle, cluster_template, descriptor, file, placement,
};

/// Their digests begin with the same eight digits.
const ALIKE: [&str; 2] = ["c4644", "c51182"];

#[test]
fn each_class_has_its_file_and_all_of_it_is_the_same_bytes_each_time() {
    let mut toys = ToyCluster::new(3);
    toys.bundles[1].files = vec![file("/etc/toy", "agent")];
    let stack = toys.built().unwrap();
    let classes: Vec<(&str, &str)> = stack
        .classes
        .iter()
        .map(|(node, class)| (node.as_str(), class.split('-').next().unwrap()))
        .collect();
    assert_eq!(
        classes,
        [
            ("master", "master"),
            ("worker-1", "worker"),
            ("worker-2", "worker"),
            ("worker-3", "worker")
        ]
    );
    let (first, others) = (&stack.classes["worker-1"], &stack.classes["worker-3"]);
    assert!(first != others && stack.classes["worker-2"] == *others);
    let files: BTreeSet<String> = stack
        .contents
        .keys()
        .map(|name| format!("node-{name}.sh"))
        .collect();
    assert_eq!(stack.files.keys().cloned().collect::<BTreeSet<_>>(), files);
    let manifest = |class: &str| {
        let file = stack.contents[class]
            .files
            .iter()
            .find(|file| file.path == "/opt/stampede/manifest");
        file.map(|file| file.content.clone()).unwrap()
    };
    assert!(manifest(first).contains("path=/etc/toy\t") && !manifest(others).contains("/etc/toy"));
    assert!(
        manifest(others).contains("volume\tgib=50\n") && !manifest("master").contains("volume")
    );
    assert_eq!(stack, toys.built().unwrap());
    assert_eq!(
        stack.template.to_string(),
        toys.built().unwrap().template.to_string()
    );
}

#[test]
fn nodes_know_the_cluster_without_a_master_or_workers() {
    let mut toys = ToyCluster::new(2);
    toys.surroundings.mirror = Some("http://mirror".to_owned());
    let stack = toys.built().unwrap();
    let variables = &stack.contents["master"].variables;
    let shown: Vec<(&str, &str)> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("STAMPEDE_CLUSTER", "demo"),
            ("STAMPEDE_NODES", "master,worker-[1-2]"),
            (
                "STAMPEDE_GROUPS",
                "master:10.77.0.10:1:master master:10.77.1.255:68:master-2 worker:10.77.0.11:500:worker-1"
            ),
            ("STAMPEDE_GENERATION", "0"),
            ("STAMPEDE_MIRROR", "http://mirror"),
            ("STAMPEDE_PROXY", ""),
            ("STAMPEDE_RAM_MIB", "2048"),
            ("STAMPEDE_TIMEOUT_S", "1800"),
            ("STAMPEDE_CLOUD_ADDRESSES", ""),
        ]
    );
    let script = &stack.files["node-master.sh"];
    assert!(script.starts_with("# shellcheck") && script.contains("STAMPEDE_CLUSTER='demo'"));
    assert!(!script.contains("STAMPEDE_ROLE=") && !script.contains("STAMPEDE_WORKERS="));
    // The frame with all that manifests need leaves room for what plugins say.
    assert!(script.len() < MAX_SCRIPT_BYTES * 7 / 10, "{}", script.len());
}

#[test]
fn endpoints_are_outputs_and_what_is_opened_is_reached_by_the_outer_address() {
    let mut toys = ToyCluster::new(2);
    let url = |toys: &ToyCluster, name: &str| {
        toys.built().unwrap().template["outputs"][name]["value"].clone()
    };
    assert_eq!(url(&toys, "toy_page"), "http://10.77.0.10:8000/x");
    assert_eq!(url(&toys, "toy_agents"), "http://10.77.0.11:8001/x");
    toys.access.open = vec!["toy_page".to_owned()];
    let outer = json!({"list_join": ["", ["http://", {"get_attr": ["master_server", "first_address"]}, ":8000/x"]]});
    assert_eq!(url(&toys, "toy_page"), outer);
    // On several nodes by their names, and by the outer address where there is one.
    let both = placement("server", &["master".to_owned(), "worker-2".to_owned()]);
    toys.question.request.placements[1] = both;
    let classes = name_classes(
        &toys.question.request.placements,
        &toys.question.node_groups,
    );
    toys.bundles[0].template = cluster_template(&toys.groups, &classes);
    assert_eq!(
        url(&toys, "toy_page"),
        json!({"master": outer, "worker-2": "http://10.77.0.12:8000/x"})
    );
    assert_eq!(toys.built().unwrap().endpoints.len(), 2);
}

#[test]
fn the_host_makes_the_rules_and_refuses_what_cannot_be_opened() {
    let mut toys = ToyCluster::new(1);
    toys.access.open = vec!["toy_page".to_owned()];
    let resources = &toys.built().unwrap().template["resources"];
    for name in [
        "ssh_in_192_0_2_0_24",
        "icmp_in_192_0_2_0_24",
        "open_8000_192_0_2_0_24",
    ] {
        assert_eq!(
            resources[name]["type"], "OS::Neutron::SecurityGroupRule",
            "{name}"
        );
    }
    toys.access.open = vec!["toy_agents".to_owned(), "nothing".to_owned()];
    let Err(BuildError::Access(problems)) = toys.built() else {
        panic!("what trusts whoever reaches it was opened");
    };
    assert_eq!(problems.len(), 2, "{problems:?}");
    let taken = ToyCluster::said(|toys| {
        let taken = json!({"type": "OS::Heat::Value", "properties": {"value": 1}});
        toys.bundles[0].template["resources"]["ssh_in_192_0_2_0_24"] = taken;
    });
    assert_eq!(
        taken,
        "plugin `cluster`: `ssh_in_192_0_2_0_24` in resources is the name of a rule that the host makes"
    );
}

#[test]
fn what_only_the_host_or_the_plugin_cluster_adds_is_refused_of_others() {
    assert_eq!(ToyCluster::said_of(json!({})), "");
    let rule = json!({"type": "OS::Neutron::SecurityGroupRule", "properties": {
        "security_group": {"get_resource": "security_group"}, "protocol": "tcp",
        "port_range_min": 8000, "port_range_max": 8000, "remote_ip_prefix": "192.0.2.0/24",
    }});
    assert!(ToyCluster::said_of(json!({"toy_rule": rule})).contains("rules are the host's"));
    let cluster_rule = ToyCluster::said(|toys| {
        toys.chain[0]
            .resource_types
            .push("OS::Neutron::SecurityGroupRule".to_owned());
        toys.bundles[0].template["resources"]["rule"] = rule.clone();
    });
    assert!(
        cluster_rule.contains("rules are the host's"),
        "{cluster_rule}"
    );
    let mut volume = json!({"type": "OS::Cinder::Volume", "properties": {"size": 1}});
    assert!(
        ToyCluster::said_of(json!({"toy_volume": volume})).contains("is the plugin `cluster`'s")
    );
    let clusters = |kind: &str| {
        volume["properties"]["volume_type"] = kind.into();
        ToyCluster::said(|toys| {
            toys.bundles[0].template["resources"]["worker_1_volume"] = volume.clone();
            let settings = json!({"kind": "fast", "groups": [{"name": "worker", "volume": {"type": "told"}}], "lists": "computed"});
            toys.question.request.settings = settings.as_object().cloned().unwrap();
            toys.given[0] = BTreeSet::from(["kind".to_owned()]);
        })
    };
    let mut clusters = clusters;
    assert_eq!(clusters("fast"), "", "the user's word");
    assert_eq!(clusters("told"), "", "the host's, however deep it stands");
    assert!(
        clusters("computed").contains("that the user gave"),
        "the plugin's own"
    );
    for kind in [
        "OS::Heat::WaitCondition",
        "OS::Heat::WaitConditionHandle",
        "OS::Nova::Server",
    ] {
        let said = ToyCluster::said_of(json!({"toy_x": {"type": kind, "properties": {}}}));
        assert!(said.contains("is the plugin `cluster`'s"), "{kind}: {said}");
    }
}

#[test]
fn a_plugin_refers_to_its_own_the_nodes_and_the_network_alone() {
    let value =
        |held: Value| json!({"toy_x": {"type": "OS::Heat::Value", "properties": {"value": held}}});
    for name in [
        "toy_x",
        "network",
        "security_group",
        "worker_1_server",
        "master_port",
    ] {
        let said = ToyCluster::said_of(value(json!({"get_resource": name})));
        assert_eq!(said, "", "{name}");
    }
    let more = |toys: &mut ToyCluster, held: Value| {
        let others = json!({"other_x": {"type": "OS::Heat::Value", "properties": {"value": 1}}});
        toys.chain
            .push(descriptor("other", &["third"], &["OS::Heat::Value"]));
        toys.bundles.push(bundle("other", json!({ "resources": others, "parameters": {"other_p": {"type": "string", "default": ""}} })));
        toys.given.push(BTreeSet::new());
        toys.bundles[1].template = json!({ "resources": value(held) });
    };
    for held in [
        json!({"get_resource": "other_x"}),
        json!({"get_attr": ["other_x", "value"]}),
        json!({"get_param": "other_p"}),
    ] {
        let said = ToyCluster::said(|toys| more(toys, held.clone()));
        assert!(said.contains("which is another plugin's"), "{held}: {said}");
    }
    for held in [
        json!({"get_resource": "ready"}),
        json!({"get_attr": ["ready_handle", "token"]}),
        json!({"get_file": "node-master.sh"}),
    ] {
        let said = ToyCluster::said_of(value(held.clone()));
        assert!(!said.is_empty(), "{held}");
    }
}

#[test]
fn plugins_that_cannot_stand_together_are_named_and_so_are_kinds_of_nodes_that_would() {
    let said = ToyCluster::said(|toys| {
        toys.bundles[0].files = vec![file("/etc/x", "node")];
        toys.bundles[1].files = vec![file("/etc/x/y", "agent")];
    });
    assert!(
        said.contains("`cluster` and `toy`") && said.contains("/etc/x/y would stand in /etc/x"),
        "{said}"
    );
    let in_the_name = ToyCluster::said(|toys| toys.bundles[1].plugin = "cluster".to_owned());
    assert!(
        in_the_name.contains("answered in the name of `toy`"),
        "{in_the_name}"
    );
    // Two components whose digests begin alike, which their author has looked for.
    let alike = ToyCluster::said(|toys| {
        toys.chain[1] = descriptor("toy", &[ALIKE[0], ALIKE[1]], &[]);
        toys.bundles[1].endpoints = vec![];
        let of = |component: &str, node: &str| placement(component, &[node.to_owned()]);
        toys.question.request.placements = vec![of(ALIKE[0], "worker-1"), of(ALIKE[1], "worker-2")];
        let classes = name_classes(
            &toys.question.request.placements,
            &toys.question.node_groups,
        );
        toys.bundles[0].template = cluster_template(&toys.groups, &classes);
    });
    assert!(
        alike.contains("two kinds of nodes would both be called `worker-"),
        "{alike}"
    );
    let nobody = build_frameworks(FrameworkBuild {
        cluster: "demo",
        description: "",
        chain: &[],
        questions: &[],
        given: &[],
        bundles: vec![],
        groups: &[],
        surroundings: &NodeSurroundings::default(),
        access: &AccessWishes::default(),
    });
    assert!(nobody.is_err());
}

#[test]
fn what_the_cloud_does_not_take_is_told_by_the_largest_group_on_both_sides_of_the_limit() {
    // A port and a server a node; network, group, handle, condition and two rules besides.
    let most = u32::try_from((MAX_RESOURCES - 6) / 2 - 1).unwrap();
    let with = |workers: u32| {
        let mut toys = ToyCluster::new(workers);
        toys.surroundings.cidr = "10.77.0.0/16".to_owned();
        toys.built()
    };
    assert!(with(most).is_ok());
    let Err(BuildError::TooLarge {
        largest_group,
        most_nodes,
        violations,
    }) = with(most + 1)
    else {
        panic!("a stack was made that Heat does not take");
    };
    assert_eq!(
        (largest_group.as_str(), most_nodes),
        ("worker", most),
        "{violations:?}"
    );
    let long = ToyCluster::said(|toys| {
        let mut state = 1_u64;
        let mut noise = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            format!("{state:x}")
        };
        let mut long = file("/etc/long", "server");
        long.content = (0..7_000).map(|_| noise()).collect();
        toys.bundles[1].files = vec![long];
    });
    assert!(
        long.starts_with("what `node-master.sh` has no room for, which the server's metadata carries, has"),
        "{long}"
    );
}

#[test]
fn what_stands_on_all_kinds_of_nodes_is_bounded_before_it_is_packed() {
    assert!(content_excess(MAX_CONTENT_BYTES).is_none());
    assert!(content_excess(MAX_CONTENT_BYTES + 1).is_some());
    let said = ToyCluster::said(|toys| {
        let mut large = file("/etc/large", "node");
        large.content = "x".repeat(MAX_CONTENT_BYTES / 3 + 1);
        toys.bundles[0].files = vec![large];
    });
    assert!(
        said.starts_with("what stands on all kinds of nodes has 67108"),
        "{said}"
    );
}

#[test]
fn what_the_operator_says_and_nodes_would_not_take_is_refused() {
    let said = ToyCluster::said(|toys| {
        toys.surroundings.python_index = Some("http://in dex".to_owned());
    });
    assert!(
        said.starts_with("the whole: nodes take no URL but"),
        "{said}"
    );
}
