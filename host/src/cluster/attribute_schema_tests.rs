//! Tests of [`super`]: every row against its own default and range, and no field without a row.

use std::collections::BTreeSet;

use super::*;
use crate::cluster::{
    AttributeNames, OperatorDefaults,
    attribute_names::PREFIX,
    attributes::{parse, render},
    group_value::GroupValue,
    test_plugins::plugin_with,
};

/// Fields of a spec that no attribute of Stampede's own sets: the entity's name, plugins'
/// parameters and shares, and what the host keeps beside them.
const FIELDS_WITHOUT_ROW: [&str; 6] = [
    "name",
    "allowed_flavors",
    "settings",
    "memory_shares",
    "computed",
    "pins",
];

/// The spec of a request with this one attribute, or the paths of its problems.
fn parsed(name: &str, value: &str) -> Result<ClusterSpec, Vec<String>> {
    let plugins = ["hadoop", "spark"].map(|name| plugin_with(name, &["3.5.0", "3.4.3"], &[]));
    let given = [(format!("{PREFIX}{name}"), value.to_owned())];
    let names = AttributeNames::from_descriptors(&plugins);
    parse("demo", &given, &OperatorDefaults::default(), &names)
        .map_err(|problems| problems.into_iter().map(|problem| problem.path).collect())
}

/// A value inside the range that is not the default, and those just outside.
fn samples(value: &AttributeValue) -> (Option<String>, Vec<String>) {
    let many = |n: usize, sep: &str, word: &dyn Fn(usize) -> String| {
        (0..n).map(word).collect::<Vec<_>>().join(sep)
    };
    match value {
        AttributeValue::Number { least, most, .. } => (
            Some(most.to_string()),
            vec![(least - 1).to_string(), (most + 1).to_string()],
        ),
        AttributeValue::Flag { default, .. } => (
            Some((!default).to_string()),
            vec!["yes".to_owned(), "1".to_owned()],
        ),
        AttributeValue::CloudName { .. } => (
            Some("x".to_owned()),
            vec!["x".repeat(limits::MAX_CLOUD_NAME_CHARS + 1)],
        ),
        AttributeValue::Url { .. } => url_samples("ftp://a.example"),
        AttributeValue::DownloadUrl { .. } => url_samples("http://a.example/\""),
        AttributeValue::JavaTarballs { .. } => {
            let word = |n: usize| format!("{n}=http://a.example#sha256={}", "a".repeat(64));
            let most = limits::MAX_JAVA_TARBALLS;
            let too_many = many(most + 1, ",", &|n| word(n + 1));
            let inside = many(most, ",", &|n| word(n + 1));
            (Some(inside), vec![too_many, word(0)])
        }
        AttributeValue::NodeNetwork { .. } => {
            let network = |prefix| format!("10.0.0.0/{prefix}");
            (
                Some(network(limits::MIN_PREFIX)),
                vec![
                    network(limits::MIN_PREFIX - 1),
                    network(limits::MAX_PREFIX + 1),
                ],
            )
        }
        AttributeValue::NetworkList { .. } => (
            Some("192.0.2.0/24".to_owned()),
            vec![many(limits::MAX_ACCESS_CIDRS + 1, ",", &|n| {
                format!("10.0.{n}.0/24")
            })],
        ),
        AttributeValue::EndpointList { .. } => (
            Some("jupyterlab,namenode".to_owned()),
            vec![many(limits::MAX_OPEN_ENDPOINTS + 1, ",", &|n| {
                format!("e{n}")
            })],
        ),
        AttributeValue::EndTime { .. } => (
            Some("3d".to_owned()),
            vec!["9m".to_owned(), "367d".to_owned()],
        ),
        AttributeValue::IdleLimit { .. } => (
            Some("3d".to_owned()),
            vec!["59m".to_owned(), "367d".to_owned()],
        ),
        AttributeValue::Upgrade { .. } => (None, vec!["true".to_owned()]),
        AttributeValue::Frameworks { .. } => (Some("spark".to_owned()), vec!["hive".to_owned()]),
        AttributeValue::FrameworkVersion { .. } => {
            (Some("3.4.3".to_owned()), vec!["2.10".to_owned()])
        }
        AttributeValue::Groups { .. } => (
            Some("master,worker,edge".to_owned()),
            vec!["master".to_owned(), "master,worker,Edge".to_owned()],
        ),
        AttributeValue::OfGroup(of_group) => group_samples(of_group.value),
    }
}

/// The same of a URL, of which one kind is not taken.
fn url_samples(wrong: &str) -> (Option<String>, Vec<String>) {
    let too_long = format!("http://a.example/{}", "x".repeat(limits::MAX_URL_BYTES));
    let outside = vec![wrong.to_owned(), too_long];
    (Some("http://a.example".to_owned()), outside)
}

/// The same of what is said of one group.
fn group_samples(value: GroupValue) -> (Option<String>, Vec<String>) {
    match value {
        GroupValue::Count { .. } => {
            let (least, most) = (limits::MIN_GROUP_NODES, limits::MAX_GROUP_NODES);
            let outside = vec![(least - 1).to_string(), (most + 1).to_string()];
            (Some(most.to_string()), outside)
        }
        GroupValue::RootVolume => {
            let most = limits::MAX_ROOT_VOLUME_GIB;
            (
                Some(most.to_string()),
                vec![(most + 1).to_string(), "x".to_owned()],
            )
        }
        GroupValue::Volume => {
            let most = limits::MAX_VOLUME_GIB;
            let outside = vec![(most + 1).to_string(), "x".to_owned()];
            (Some(most.to_string()), outside)
        }
        GroupValue::Flavor | GroupValue::Image | GroupValue::Zone => (
            Some("x".to_owned()),
            vec!["x".repeat(limits::MAX_CLOUD_NAME_CHARS + 1)],
        ),
        GroupValue::Components => (
            Some("datanode,zookeeper_server:3".to_owned()),
            vec!["Datanode".to_owned(), "datanode:0".to_owned()],
        ),
        GroupValue::Remove => (None, vec!["worker-1".to_owned()]),
    }
}

/// The fields of a spec that are not the same in both, by `Debug`, which leaves none out.
fn differing_fields(one: &ClusterSpec, other: &ClusterSpec) -> BTreeSet<String> {
    let fields = |spec: &ClusterSpec| -> Vec<(String, String)> {
        let text = format!("{spec:#?}");
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines().skip(1) {
            let own = line.strip_prefix("    ").filter(|l| !l.starts_with(' '));
            match (
                own.and_then(|line| line.split_once(": ")),
                fields.last_mut(),
            ) {
                (Some((name, value)), _) => fields.push((name.to_owned(), value.to_owned())),
                (None, Some((_, value))) => value.push_str(line),
                (None, None) => {}
            }
        }
        fields
    };
    let (one, other) = (fields(one), fields(other));
    assert_eq!(one.len(), other.len());
    one.into_iter()
        .zip(other)
        .filter(|(one, other)| one != other)
        .map(|((name, _), _)| name)
        .collect()
}

#[test]
fn every_row_says_what_it_means_what_it_is_and_what_it_may_be() {
    let names: BTreeSet<&str> = ATTRIBUTES.iter().map(|row| row.name.as_ref()).collect();
    assert_eq!(names.len(), ATTRIBUTES.len(), "a name stands twice");
    for row in ATTRIBUTES {
        let texts = [
            row.description.to_string(),
            row.type_name().to_owned(),
            row.default_text(),
            row.range_text(),
        ];
        assert!(texts.iter().all(|text| !text.is_empty()), "{}", row.name);
        assert!(find_attribute(&row.name).is_some());
    }
    assert!(find_attribute("hadoop.replication").is_none());
}

#[test]
fn every_row_parses_its_default() {
    let nothing = parsed("workers", "").unwrap();
    assert_eq!(nothing.groups, default_spec().groups);
    for row in ATTRIBUTES {
        let is_a_value = matches!(
            row.value,
            AttributeValue::Number { .. }
                | AttributeValue::Flag { .. }
                | AttributeValue::NodeNetwork { .. }
                | AttributeValue::Frameworks { .. }
        );
        let default = if is_a_value {
            row.default_text()
        } else {
            String::new()
        };
        assert_eq!(
            parsed(&row.name, &default).as_ref(),
            Ok(&nothing),
            "{}",
            row.name
        );
    }
}

#[test]
fn every_row_takes_what_is_in_its_range_and_refuses_by_its_name_what_is_not() {
    for row in ATTRIBUTES {
        let (inside, outside) = samples(&row.value);
        if let Some(value) = inside {
            let spec = parsed(&row.name, &value).unwrap();
            let mut copy = default_spec();
            if let AttributeValue::Groups { .. } = row.value {
                // What groups there are is no value of a field.
                copy.groups.clone_from(&spec.groups);
            }
            row.copy_value(&spec, &mut copy);
            assert_eq!(row.render(&copy), row.render(&spec), "{}", row.name);
            let shown = render(&spec);
            let shown = shown.get(row.name.as_ref()).or(shown.get("hadoop.version"));
            assert_eq!(shown, Some(&value), "{}", row.name);
        }
        assert!(!outside.is_empty());
        for value in outside {
            assert_eq!(
                parsed(&row.name, &value),
                Err(vec![row.name.to_string()]),
                "{}",
                row.name
            );
        }
    }
}

#[test]
fn every_field_that_users_set_has_a_row() {
    let nothing = parsed("workers", "").unwrap();
    let mut set = BTreeSet::new();
    for row in ATTRIBUTES {
        if let (Some(value), _) = samples(&row.value) {
            let fields = differing_fields(&nothing, &parsed(&row.name, &value).unwrap());
            assert_eq!(fields.len(), 1, "{} sets {fields:?}", row.name);
            set.extend(fields);
        }
    }
    let text = format!("{nothing:#?}");
    let fields = text
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_once(": "))
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with(' '));
    for field in fields.filter(|field| !FIELDS_WITHOUT_ROW.contains(field)) {
        assert!(set.contains(field), "no row of ATTRIBUTES sets `{field}`");
    }
}

#[test]
fn the_range_that_people_read_is_the_one_that_requests_are_parsed_with() {
    for name in ["workers", "timeout"] {
        let range = find_attribute(name).unwrap().range_text();
        let (least, most) = range.split_once(" to ").unwrap();
        let (least, most): (u32, u32) = (least.parse().unwrap(), most.parse().unwrap());
        let is_taken = |number: u32| parsed(name, &number.to_string()).is_ok();
        assert_eq!(
            [least - 1, least, most, most + 1].map(is_taken),
            [false, true, true, false],
            "{name}"
        );
    }
}

#[test]
fn a_running_cluster_can_be_changed_in_these() {
    let changeable: Vec<&str> = ATTRIBUTES
        .iter()
        .filter(|row| row.may_change)
        .map(|row| row.name.as_ref())
        .collect();
    let wanted = [
        "groups",
        "workers",
        "master.components",
        "worker.components",
        "network.access",
        "network.open",
        "network.open_unauthenticated",
        "mirror",
        "proxy",
        "python.index",
        "java.tarballs",
        "expires",
        "idle",
        "upgrade",
    ];
    assert_eq!(changeable, wanted);
}
