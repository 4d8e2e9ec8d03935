//! What an update may give over a cluster whose plugins are others by now.

use super::*;
use crate::cluster::{spec::FrameworkChoice, test_groups::group, test_plugins::plugin_with};

fn names() -> AttributeNames {
    AttributeNames::from_descriptors(&[
        plugin_with("hadoop", &["3.6.0"], &["replication"]),
        plugin_with("spark", &["4"], &["memory"]),
        plugin_with("cluster", &[], &["mtu"]),
    ])
}

/// Made by plugins that had a version and a parameter that are gone.
fn from() -> ClusterSpec {
    let lost = BTreeMap::from([("lost".to_owned(), "7".to_owned())]);
    ClusterSpec {
        name: "demo".into(),
        frameworks: vec![FrameworkChoice {
            name: "hadoop".into(),
            version: Some("3.5.0".into()),
        }],
        image: Some("debian-12".into()),
        external_network: Some("public".into()),
        settings: BTreeMap::from([("hadoop".to_owned(), lost)]),
        ..default_spec()
    }
}

fn stored() -> BTreeMap<String, String> {
    let pairs = [
        ("stampede.hadoop.lost", "7"),
        ("stampede.framework.version", "3.5.0"),
        ("theirs", "1"),
    ];
    pairs.map(|(n, v)| (n.to_owned(), v.to_owned())).into()
}

fn given(pairs: &[(&str, &str)]) -> Result<ClusterSpec, String> {
    let given: Vec<(String, String)> = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    parse_changes(&from(), &stored(), &given, &names())
        .map_err(|problems| crate::cluster::problem::lines(&problems))
}

#[test]
fn what_is_not_given_is_not_asked_about_and_what_is_repeated_changes_nothing() {
    for pairs in [
        &[][..],
        &[("theirs", "2")],
        &[("stampede.hadoop.lost", "7")],
        &[("stampede.framework.version", "3.5.0")],
        &[("stampede.hadoop.version", "3.5.0")],
        &[
            ("stampede.framework", "hadoop"),
            ("stampede.framework", "cluster,hadoop"),
        ],
        &[("stampede.image", "debian-12")],
        &[("stampede.image", "")],
        &[("stampede.workers", "2")],
    ] {
        assert_eq!(given(pairs), Ok(from()), "{pairs:?}");
    }
}

#[test]
fn what_is_given_is_parsed_over_the_cluster_as_it_is() {
    let to = given(&[
        ("stampede.workers", "4"),
        ("stampede.hadoop.replication", "2"),
        ("stampede.network.access", "198.51.100.0/24"),
    ])
    .unwrap();
    assert_eq!((to.worker_group().count, to.access.len()), (4, 1));
    assert_eq!(to.settings["hadoop"]["replication"], "2");
    assert_eq!(to.settings["hadoop"]["lost"], "7", "kept");
    let to = given(&[("stampede.hadoop.lost", "")]).unwrap();
    assert!(to.settings.is_empty(), "given up");
}

#[test]
fn what_cannot_be_is_refused_by_its_name_and_nothing_else_is() {
    for (name, value, wanted) in [
        (
            "stampede.hadoop.version",
            "3.6.0",
            "hadoop.version: cannot be changed in a running cluster",
        ),
        (
            "stampede.framework",
            "spark",
            "framework: cannot be changed in a running cluster",
        ),
        (
            "stampede.hadoop.lost",
            "8",
            "hadoop.lost: there is no such attribute",
        ),
        (
            "stampede.hadoop.replicaton",
            "8",
            "did you mean `hadoop.replication`?",
        ),
        (
            "stampede.spark.memory",
            "1",
            "spark is not part of this cluster",
        ),
        ("stampede.workers", "251", "workers: "),
        ("stampede.nonsense", "1", "there is no such attribute"),
    ] {
        let refused = given(&[(name, value)]).unwrap_err();
        assert!(
            refused.contains(wanted) && refused.lines().count() == 1,
            "{refused}"
        );
    }
}

#[test]
fn nobody_is_let_in_where_there_is_no_way_in() {
    let inside = ClusterSpec {
        external_network: None,
        ..from()
    };
    let access = [(
        "stampede.network.access".to_owned(),
        "198.51.100.0/24".to_owned(),
    )];
    let refused = parse_changes(&inside, &stored(), &access, &names()).unwrap_err();
    assert_eq!(refused[0].path, "network.access");
}

#[test]
fn an_id_that_is_pinned_is_what_is_there() {
    let made_of = crate::cluster::pins::GroupPins {
        image_id: Some("id-1".into()),
        flavor_id: None,
    };
    let pins = crate::cluster::ClusterPins {
        groups: BTreeMap::from([("worker".to_owned(), made_of)]),
        ..crate::cluster::ClusterPins::default()
    };
    let pinned = ClusterSpec {
        pins: Some(Box::new(pins)),
        ..from()
    };
    let image = |value: &str| {
        let given = [("stampede.image".to_owned(), value.to_owned())];
        let to = parse_changes(&pinned, &stored(), &given, &names()).unwrap();
        to.image.unwrap()
    };
    assert_eq!(image("id-1"), "debian-12");
    assert_eq!(image("id-2"), "id-2");
}

#[test]
fn an_update_adds_groups_behind_those_that_are_there_and_takes_away_those_it_leaves_out() {
    let three = ("stampede.groups", "edge,master,worker");
    let to = given(&[("stampede.edge.count", "3"), three]).unwrap();
    assert_eq!(
        to.node_names(),
        [
            "master", "worker-1", "worker-2", "edge-1", "edge-2", "edge-3"
        ]
    );
    assert_eq!(given(&[three]).unwrap().node_names()[3], "edge");
    assert_eq!(given(&[("stampede.groups", "worker,master")]), Ok(from()));
    assert_eq!(given(&[("stampede.groups", "")]), Ok(from()));
    assert_eq!(given(&[("stampede.worker.count", "2")]), Ok(from()));
    let with_edge = to;
    let of_three = |text: &str| {
        let given = [("stampede.groups".to_owned(), text.to_owned())];
        let stored = BTreeMap::from([(three.0.to_owned(), three.1.to_owned())]);
        parse_changes(&with_edge, &stored, &given, &names())
            .map_err(|problems| crate::cluster::problem::lines(&problems))
    };
    for text in ["", "master,worker", "master,worker,zoo"] {
        let left = of_three(text).unwrap();
        let edge = left.groups.get("edge").unwrap();
        assert_eq!((edge.count, edge.last_id()), (0, 3), "{text:?}");
        assert!(
            !left
                .node_names()
                .iter()
                .any(|node| node.starts_with("edge"))
        );
        assert_eq!(left.groups.iter().nth(2), Some(edge), "its place is kept");
    }
    assert_eq!(
        of_three("master,edge").unwrap_err(),
        "groups: leaves out `worker`, which every cluster has (`master,worker,edge`)"
    );
    assert_eq!(
        of_three("master,worker,edge,spark").unwrap_err(),
        "groups: `spark` is a framework, whose parameters begin with that word (take another name)"
    );
    let more = of_three("master,worker,zoo,edge").unwrap();
    let order: Vec<&str> = more.groups.names().collect();
    assert_eq!(
        order,
        ["master", "worker", "edge", "zoo"],
        "each keeps its place"
    );
    for (name, told) in [
        ("stampede.groups", "groups: `spark` is a framework"),
        (
            "stampede.edge.count",
            "edge.count: there is no such attribute",
        ),
    ] {
        let value = if name.ends_with("groups") {
            "master,worker,spark"
        } else {
            "2"
        };
        let refused = given(&[(name, value)]).unwrap_err();
        assert!(refused.starts_with(told), "{refused}");
    }
}

#[test]
fn a_group_that_came_again_is_made_of_what_is_said_then_and_one_that_went_has_no_attributes() {
    let three = ("stampede.groups", "master,worker,edge");
    let small = ("stampede.edge.flavor", "small");
    let with = |spec: &ClusterSpec, pairs: &[(&str, &str)]| {
        let given: Vec<(String, String)> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        parse_changes(spec, &stored(), &given, &names())
            .map_err(|problems| crate::cluster::problem::lines(&problems))
    };
    let made = with(&from(), &[three, small]).unwrap();
    let gone = with(&made, &[("stampede.groups", "master,worker")]).unwrap();
    assert!(
        !crate::cluster::attributes::render(&gone)
            .keys()
            .any(|name| name.starts_with("edge"))
    );
    assert_eq!(
        with(
            &made,
            &[
                ("stampede.groups", "master,worker"),
                ("stampede.edge.count", "2")
            ]
        )
        .unwrap_err(),
        "edge.count: there is no such attribute (name the group `edge` in `groups`)"
    );
    let again = with(&gone, &[three]).unwrap();
    let edge = again.groups.get("edge").unwrap();
    assert_eq!((edge.count, edge.ids_given, &edge.flavor), (1, 1, &None));
}

#[test]
fn a_cluster_has_as_many_groups_in_its_life_as_there_are_places() {
    let with = |spec: &ClusterSpec, groups: &[String]| {
        let text = format!("master,worker,{}", groups.join(","));
        let given = [("stampede.groups".to_owned(), text)];
        parse_changes(spec, &stored(), &given, &names())
            .map_err(|problems| crate::cluster::problem::lines(&problems))
    };
    let name = |n: usize| vec![format!("g{n}")];
    let mut spec = from();
    for n in 3..=limits::MAX_GROUPS {
        spec = with(&spec, &name(n)).unwrap();
    }
    assert_eq!(spec.groups.iter().len(), limits::MAX_GROUPS);
    assert_eq!(
        with(&spec, &name(9)).unwrap_err(),
        "groups: `g9` would be one group too many of all that the cluster ever had, which are 8 by \
         now and 8 at most (take a group's name again that it had, or deploy a new cluster)"
    );
    let again = with(&spec, &name(3)).unwrap();
    assert_eq!(again.node_names().last().unwrap(), "g3");
}

#[test]
fn an_id_that_is_pinned_for_a_group_is_what_it_has() {
    let pins = |flavor: &str| crate::cluster::pins::GroupPins {
        flavor_id: Some(flavor.to_owned()),
        image_id: Some(format!("image-of-{flavor}")),
    };
    let mut pinned = from().with_flavors(Some("large"), Some("small"));
    pinned.groups.get_mut("worker").unwrap().image = Some("ubuntu".into());
    pinned.pins = Some(Box::new(crate::cluster::ClusterPins {
        groups: BTreeMap::from([
            ("master".to_owned(), pins("id-l")),
            ("worker".to_owned(), pins("id-s")),
        ]),
        ..crate::cluster::ClusterPins::default()
    }));
    let same = [
        ("stampede.worker.flavor", "id-s"),
        ("stampede.master.flavor", "id-l"),
        ("stampede.worker.image", "image-of-id-s"),
        ("stampede.image", "image-of-id-l"),
    ];
    for (name, value) in same {
        let given = [(name.to_owned(), value.to_owned())];
        let to = parse_changes(&pinned, &stored(), &given, &names()).unwrap();
        assert_eq!(to, pinned, "{name}");
    }
}

#[test]
fn a_short_name_and_its_full_one_that_say_something_else_are_refused() {
    let both = |full: &str, short: &str| {
        given(&[("stampede.worker.count", full), ("stampede.workers", short)])
    };
    assert!(both("5", "5").is_ok());
    assert_eq!(
        both("5", "4").unwrap_err(),
        "workers: says 4, `worker.count` says 5 (keep one)"
    );
}

#[test]
fn a_plugin_that_came_later_takes_no_name_from_a_group_that_is_there() {
    let mut with_spark = from();
    with_spark.groups.add(group("spark", 2));
    let given = |attributes: &[(&str, &str)]| {
        let given: Vec<(String, String)> = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let changed = parse_changes(&with_spark, &BTreeMap::new(), &given, &names());
        changed.map_err(|problems| crate::cluster::problem::lines(&problems))
    };
    let count = |spec: ClusterSpec| spec.groups.get("spark").map(|group| group.count);
    let grown = given(&[
        ("stampede.groups", "master,worker,spark"),
        ("stampede.spark.count", "3"),
    ]);
    assert_eq!(count(grown.unwrap()), Some(3));
    assert_eq!(
        count(given(&[("stampede.spark.count", "1")]).unwrap()),
        Some(1)
    );
    let left = given(&[("stampede.groups", "master,worker")]).unwrap();
    assert_eq!(count(left.clone()), Some(0));
    let again = [(
        "stampede.groups".to_owned(),
        "master,worker,spark".to_owned(),
    )];
    let again = parse_changes(&left, &BTreeMap::new(), &again, &names());
    assert_eq!(count(again.unwrap()), Some(1));
}
