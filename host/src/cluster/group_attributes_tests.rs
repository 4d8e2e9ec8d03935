//! What is said of groups: names on both sides of their limits, and all of it carried to a spec and
//! back.

use super::*;
use crate::cluster::{
    AttributeNames, ClusterSpec, OperatorDefaults,
    attribute_names::PREFIX,
    attributes::{parse, render},
    limits,
    limits::MAX_GROUP_NODES,
    problem::lines,
    test_plugins::plugin_with,
};

fn words() -> AttributeNames {
    let plugin = |name| plugin_with(name, &[], &["count"]);
    AttributeNames::from_descriptors(&["hadoop", "spark", "apache-hive"].map(plugin))
}

fn spec(given: &[(&str, &str)]) -> Result<ClusterSpec, String> {
    let given: Vec<(String, String)> = given
        .iter()
        .map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()))
        .collect();
    let parsed = parse("demo", &given, &OperatorDefaults::default(), &words());
    parsed.map_err(|problems| lines(&problems))
}

const THREE: (&str, &str) = ("groups", "master, worker, edge");

#[test]
fn a_further_group_has_attributes_of_its_own_and_they_come_back_out_of_the_spec() {
    let made = spec(&[
        ("edge.count", "3"),
        ("edge.flavor", "m1.small"),
        ("edge.image", "debian-13"),
        ("master.image", "debian-11"),
        ("image", "debian-12"),
        ("worker.count", "4"),
        THREE,
    ])
    .unwrap();
    let names = [
        "master", "worker-1", "worker-2", "worker-3", "worker-4", "edge-1", "edge-2", "edge-3",
    ];
    assert_eq!(made.node_names(), names);
    let images: Vec<Option<&str>> = made
        .groups
        .iter()
        .map(|group| made.image_of(group))
        .collect();
    assert_eq!(
        images,
        [Some("debian-11"), Some("debian-12"), Some("debian-13")]
    );
    let shown = render(&made);
    assert_eq!(shown["groups"], "master,worker,edge");
    assert_eq!(shown["workers"], "4", "under the short name");
    assert!(!shown.contains_key("worker.count") && !shown.contains_key("master.count"));
    let pairs: Vec<(&str, &str)> = shown
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(spec(&pairs).unwrap(), made);
}

#[test]
fn a_short_name_and_its_full_one_that_say_something_else_are_refused() {
    assert!(spec(&[("worker.count", "5"), ("workers", "5")]).is_ok());
    for (full, short) in [("5", "3"), ("3", "5"), ("", "3")] {
        for pair in [
            [("worker.count", full), ("workers", short)],
            [("workers", short), ("worker.count", full)],
        ] {
            let text = format!("{:?}", spec(&pair).unwrap_err());
            assert!(text.contains("`worker.count` says"), "{text}");
        }
    }
}

#[test]
fn the_short_names_and_the_full_ones_mean_the_same() {
    assert_eq!(spec(&[("worker.count", "5")]), spec(&[("workers", "5")]));
    let defaults = OperatorDefaults::from_toml("[worker]\ncount = 5").unwrap();
    assert_eq!(defaults.get("workers"), Some("5"));
    assert_eq!(defaults.check_names(&words()), []);
    let default = parse("demo", &[], &defaults, &words()).unwrap();
    assert_eq!(Ok(default), spec(&[("workers", "5")]));
}

#[test]
fn operators_name_groups_too() {
    let text = "groups = ['master', 'worker', 'edge']\n[edge]\ncount = 2";
    let file = OperatorDefaults::from_toml(text).unwrap();
    let set = [(
        "STAMPEDE_DEFAULT_EDGE_FLAVOR".to_owned(),
        "m1.tiny".to_owned(),
    )];
    let defaults = OperatorDefaults::from_variables(set, &words()).over(file);
    assert_eq!(defaults.check_names(&words()), []);
    let made = parse("demo", &[], &defaults, &words()).unwrap();
    let edge = made.groups.get("edge").unwrap();
    assert_eq!((edge.count, edge.flavor.as_deref()), (2, Some("m1.tiny")));
    let unknown = OperatorDefaults::from_toml("[edge]\ncount = 2").unwrap();
    assert_eq!(
        lines(&unknown.check_names(&words())),
        "edge.count: is set by default, but there is no such attribute (name the group `edge` in \
         `groups`)"
    );
}

#[test]
fn names_of_groups_on_both_sides_of_their_form_and_length() {
    let named = |name: &str| spec(&[("groups", &format!("master,worker,{name}"))]);
    let longest = "g".repeat(MAX_GROUP_NAME_CHARS);
    for right in ["edge", "e", "edge2", &longest] {
        assert!(named(right).is_ok(), "{right}");
    }
    let too_long = "g".repeat(MAX_GROUP_NAME_CHARS + 1);
    for wrong in [
        "Edge",
        "2edge",
        "data-node",
        "data_node",
        "é",
        "a.b",
        &too_long,
    ] {
        let told = named(wrong).unwrap_err();
        assert!(told.contains("cannot be a group's name"), "{told}");
    }
    for taken in ["hadoop", "spark"] {
        let told = named(taken).unwrap_err();
        assert!(
            told.starts_with(&format!("groups: `{taken}` is a framework")),
            "{told}"
        );
    }
    let told = named("hive").unwrap_err();
    assert!(
        told.starts_with("groups: `hive` is a word of the framework `apache-hive`"),
        "{told}"
    );
    for own in [
        "router",
        "ready",
        "security",
        "server",
        "network",
        "image",
        "workers",
        "groups",
        "cluster",
        "host",
        "localhost",
        "framework",
    ] {
        let told = named(own).unwrap_err();
        assert!(told.contains("means something else"), "{told}");
    }
}

#[test]
fn all_that_is_wrong_with_groups_is_told_at_once() {
    let groups = "worker,Edge,edge-1,hadoop,ready,edge";
    let told = spec(&[
        ("groups", groups),
        ("edge.count", "251"),
        ("edge.flavor", &"f".repeat(256)),
        ("zoo.count", "1"),
        ("workers", "0"),
    ]);
    let told = told.unwrap_err();
    let mut paths: Vec<&str> = told
        .lines()
        .filter_map(|line| line.split(": ").next())
        .collect();
    paths.sort_unstable();
    let groups = ["groups"; 5];
    let others = ["edge.count", "edge.flavor", "zoo.count", "workers"];
    let mut wanted = [&groups[..], &others].concat();
    wanted.sort_unstable();
    assert_eq!(paths, wanted, "{told}");
    for hint in [
        "`master,worker,edge`",
        "a letter first",
        "take another name",
        "in `groups`",
    ] {
        assert!(told.contains(hint), "{hint}: {told}");
    }
}

#[test]
fn as_many_groups_as_the_limit_says_and_not_one_more() {
    let many = |n: usize| {
        let further: Vec<String> = (2..n).map(|n| format!("g{n}")).collect();
        spec(&[("groups", &format!("master,worker,{}", further.join(",")))])
    };
    assert_eq!(many(MAX_GROUPS).unwrap().groups.iter().len(), MAX_GROUPS);
    assert_eq!(
        many(MAX_GROUPS + 1).unwrap_err(),
        "groups: names 9 groups, at most 8 are taken"
    );
}

#[test]
fn as_many_nodes_in_all_groups_as_the_limit_says_and_not_one_more() {
    let wide = ("network.cidr", "10.0.0.0/16");
    let with = |edge: &str| spec(&[THREE, wide, ("workers", "200"), ("edge.count", edge)]);
    assert_eq!(
        with("50").unwrap().groups.node_count(),
        limits::MAX_CLUSTER_NODES
    );
    assert_eq!(
        with("51").unwrap_err(),
        "groups: have 252 nodes together, a cluster has at most 251 (ask for fewer, or for several \
         clusters)"
    );
    let most = |count: u32| {
        spec(&[
            THREE,
            wide,
            ("workers", "1"),
            ("edge.count", &count.to_string()),
        ])
    };
    assert!(most(MAX_GROUP_NODES - 1).is_ok());
    assert!(
        most(MAX_GROUP_NODES + 1)
            .unwrap_err()
            .starts_with("edge.count: 251 is too many")
    );
    assert!(most(0).unwrap_err().starts_with("edge.count: 0 is too few"));
}

#[test]
fn what_every_cluster_has_is_named_and_what_is_not_named_is_nobodys() {
    assert_eq!(
        spec(&[("groups", "master,edge")]).unwrap_err(),
        "groups: leaves out `worker`, which every cluster has (`master,worker,edge`)"
    );
    assert_eq!(
        spec(&[("groups", "edge")]).unwrap_err(),
        "groups: leaves out `master` and `worker`, which every cluster has (`master,worker,edge`)"
    );
    assert_eq!(
        spec(&[("edge.count", "2")]).unwrap_err(),
        "edge.count: there is no such attribute (name the group `edge` in `groups`)"
    );
    assert_eq!(
        spec(&[THREE, ("edge.remove", "edge-1")]).unwrap_err(),
        "edge.remove: only an update of a running cluster takes it (say how many with `edge.count`)"
    );
    assert!(
        spec(&[("hadoop.count", "2")]).is_ok(),
        "a plugin's own parameter"
    );
    let orders = ["edge,worker,master", "master,worker,edge,edge"];
    for order in orders {
        assert_eq!(spec(&[("groups", order)]), spec(&[THREE]), "{order}");
    }
    let default = spec(&[("groups", "master,worker")]).unwrap();
    assert_eq!(default, spec(&[]).unwrap());
    assert!(!render(&default).contains_key("groups"));
}

#[test]
fn a_further_group_needs_addresses_in_the_network_that_nobody_named_too() {
    let told = spec(&[THREE, ("edge.count", "69")]).unwrap_err();
    assert!(
        told.starts_with("network.cidr: `10.77.0.0/22` has addresses for 68 nodes of edge"),
        "{told}"
    );
    assert!(spec(&[THREE, ("edge.count", "68")]).is_ok());
}
