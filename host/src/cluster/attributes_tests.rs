//! Tests of [`super`].

use proptest::prelude::*;

use super::*;
use crate::cluster::{problem::lines, test_plugins::plugin_with};

fn words() -> AttributeNames {
    let all = [
        plugin_with("cluster", &[], &["dns-nameservers"]),
        plugin_with("hadoop", &["3.5.0", "3.4.3"], &["replication", "core-site"]),
        plugin_with("spark", &["4.0.4"], &["cores"]),
    ];
    AttributeNames::from_descriptors(&all)
}

fn parsed(given: &[(&str, &str)], defaults: &OperatorDefaults) -> Result<ClusterSpec, String> {
    let given: Vec<(String, String)> = given
        .iter()
        .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
        .collect();
    parse("demo", &given, defaults, &words()).map_err(|problems| lines(&problems))
}

fn spec(given: &[(&str, &str)]) -> ClusterSpec {
    parsed(given, &OperatorDefaults::default()).unwrap()
}

fn refusal(given: &[(&str, &str)]) -> String {
    parsed(given, &OperatorDefaults::default()).unwrap_err()
}

#[test]
fn nothing_given_makes_a_small_hadoop_cluster() {
    let spec = spec(&[]);
    assert_eq!(
        spec.frameworks,
        [FrameworkChoice {
            name: "hadoop".to_owned(),
            version: None
        }]
    );
    assert_eq!(
        (
            spec.worker_group().count,
            spec.cidr.as_str(),
            spec.timeout_s,
            spec.image
        ),
        (2, "10.77.0.0/22", 3_600, None)
    );
}

#[test]
fn foreign_attributes_are_no_reason_to_refuse_and_the_last_of_two_wins() {
    let spec = spec(&[
        ("stampede.workers", "3"),
        ("icclab.disco.components.hadoop.slavecount", "\n9"),
        ("stampede.workers", "4"),
    ]);
    assert_eq!(spec.worker_group().count, 4);
}

#[test]
fn all_problems_come_at_once_with_what_to_do() {
    let told = refusal(&[
        ("stampede.worker", "3"),
        ("stampede.workers", "251"),
        ("stampede.framework", "hadop"),
        ("stampede.mirror", "http://me:secret@mirror"),
        ("stampede.image", "a\nb"),
        ("stampede.hadoop.replicaton", "2"),
    ]);
    let wanted = "hadoop.replicaton: there is no such attribute (did you mean `hadoop.replication`?)\n\
        image: has the control character U+000A (take it out; JSON texts write it as an escape)\n\
        worker: there is no such attribute (did you mean `workers`?)\n\
        framework: there is no framework `hadop` (did you mean `hadoop`? there are: hadoop, spark)\n\
        workers: 251 is too many (1 to 250)\n\
        mirror: holds a user name (everyone on a node could read it; use one that needs no password)";
    assert_eq!(told, wanted);
}

#[test]
fn nobody_is_let_in_where_there_is_no_way_in() {
    let (none, access) = (
        ("stampede.network.external", "none"),
        ("stampede.network.access", "192.0.2.0/24"),
    );
    let words = "network.access: names who may come in, but `network.external` is `none`, so that there is no way in (leave out one of the two)";
    assert_eq!(refusal(&[none, access]), words);
    assert!(
        spec(&[none]).access.is_empty()
            && spec(&[none, ("stampede.network.access", "")])
                .access
                .is_empty()
    );
    let default = |name, value| OperatorDefaults::default().with(name, value);
    assert_eq!(
        parsed(&[access], &default("network.external", "none")).unwrap_err(),
        words
    );
    assert_eq!(
        parsed(
            &[],
            &default("network.external", "none").with("network.access", "192.0.2.0/24")
        )
        .unwrap_err(),
        words
    );
    let closed = parsed(&[none], &default("network.access", "192.0.2.0/24")).unwrap();
    assert!(
        closed.access.is_empty(),
        "the operator's default is not meant for it"
    );
}

#[test]
fn versions_belong_to_one_framework() {
    let version = |spec: ClusterSpec| spec.frameworks[0].version.clone();
    assert_eq!(
        version(spec(&[("stampede.framework.version", "3.4.3")])).as_deref(),
        Some("3.4.3")
    );
    assert_eq!(
        version(spec(&[("stampede.hadoop.version", "3.4.3")])).as_deref(),
        Some("3.4.3")
    );
    assert_eq!(
        refusal(&[("stampede.framework.version", "9")]),
        "framework.version: there is no version `9` of hadoop (there are: 3.5.0, 3.4.3)"
    );
    let both = [
        ("stampede.framework", "hadoop spark"),
        ("stampede.framework.version", "3.4.3"),
    ];
    assert_eq!(
        refusal(&both),
        "framework.version: more than one framework is asked for (say which: `hadoop.version`, `spark.version`)"
    );
    let two = [
        ("stampede.framework.version", "3.4.3"),
        ("stampede.hadoop.version", "3.5.0"),
    ];
    assert_eq!(
        refusal(&two),
        "framework.version: says 3.4.3, `hadoop.version` says 3.5.0 (keep one)"
    );
}

#[test]
fn a_setting_of_a_framework_that_is_not_asked_for_is_named() {
    let told = refusal(&[
        ("stampede.spark.cores", "2"),
        ("stampede.spark.version", "4.0.4"),
    ]);
    assert_eq!(
        told,
        "spark.cores: spark is not asked for (ask for it too, `framework` = hadoop,spark, or leave it out)\n\
         spark.version: spark is not asked for (ask for it too, `framework` = hadoop,spark, or leave it out)"
    );
    assert_eq!(
        spec(&[
            ("stampede.framework", "hadoop,spark"),
            ("stampede.spark.cores", "2")
        ])
        .settings["spark"]["cores"],
        "2"
    );
}

#[test]
fn defaults_fill_in_and_an_empty_value_takes_one_away() {
    let defaults = OperatorDefaults::default()
        .with("mirror", "http://mirror.example/")
        .with("hadoop.replication", "1")
        .with("spark.cores", "4")
        .with("framework.version", "3.4.3");
    let filled = parsed(&[], &defaults).unwrap();
    assert_eq!(filled.mirror.as_deref(), Some("http://mirror.example"));
    assert_eq!(filled.frameworks[0].version.as_deref(), Some("3.4.3"));
    assert_eq!(filled.settings.keys().collect::<Vec<_>>(), ["hadoop"]);
    let taken = parsed(
        &[
            ("stampede.mirror", ""),
            ("stampede.framework", "spark"),
            ("stampede.spark.cores", ""),
        ],
        &defaults,
    )
    .unwrap();
    assert_eq!(
        (taken.mirror, taken.frameworks[0].version.clone()),
        (None, None)
    );
    assert_eq!(taken.settings["spark"]["cores"], "");
}

#[test]
fn as_many_attributes_as_the_limit_says_and_not_one_more() {
    let many = |n: usize| {
        let names: Vec<String> = (0..n).map(|i| format!("p{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let words = AttributeNames::from_descriptors(&[
            plugin_with("cluster", &[], &names),
            plugin_with("hadoop", &[], &[]),
        ]);
        let given: Vec<(String, String)> = names
            .iter()
            .map(|name| (format!("stampede.cluster.{name}"), "x".to_owned()))
            .collect();
        parse("demo", &given, &OperatorDefaults::default(), &words)
    };
    assert!(many(limits::MAX_ATTRIBUTES).is_ok());
    assert_eq!(
        lines(&many(limits::MAX_ATTRIBUTES + 1).unwrap_err()),
        "attributes: 257 attributes named stampede.*, at most 256 are taken"
    );
}

#[test]
fn the_timeout_on_both_sides_of_its_bounds() {
    assert_eq!(
        spec(&[("stampede.timeout", "60")]).timeout_s,
        limits::MIN_TIMEOUT_S
    );
    assert_eq!(
        spec(&[("stampede.timeout", "43200")]).timeout_s,
        limits::MAX_TIMEOUT_S
    );
    assert_eq!(
        refusal(&[("stampede.timeout", "59")]),
        "timeout: 59 is too few (60 to 43200)"
    );
    assert_eq!(
        refusal(&[("stampede.timeout", "43201")]),
        "timeout: 43201 is too many (60 to 43200)"
    );
}

#[test]
fn a_plugin_that_would_hide_stampedes_own_attributes_cannot_be_asked_for() {
    let words = AttributeNames::from_descriptors(&[
        plugin_with("network", &[], &["cidr", "x"]),
        plugin_with("hadoop", &[], &[]),
    ]);
    assert!(!words.has_framework("network") && words.has_framework("hadoop"));
    assert!(
        parse(
            "demo",
            &[("stampede.network.cidr".to_owned(), "10.0.0.0/24".to_owned())],
            &OperatorDefaults::default(),
            &words
        )
        .is_ok()
    );
}

#[test]
fn as_many_frameworks_as_the_limit_says_and_not_one_more() {
    let many = |n: usize| {
        let all: Vec<_> = (0..n)
            .map(|i| plugin_with(&format!("f{i}"), &[], &[]))
            .collect();
        let names: Vec<&str> = all.iter().map(|d| d.name.as_str()).collect();
        parse(
            "demo",
            &[("stampede.framework".to_owned(), names.join(","))],
            &OperatorDefaults::default(),
            &AttributeNames::from_descriptors(&all),
        )
    };
    assert!(many(limits::MAX_FRAMEWORKS).is_ok());
    assert!(many(limits::MAX_FRAMEWORKS + 1).is_err());
}

#[test]
fn what_changed_is_named() {
    let from = spec(&[
        ("stampede.workers", "3"),
        ("stampede.hadoop.replication", "2"),
    ]);
    let to = spec(&[("stampede.workers", "4"), ("stampede.image", "debian")]);
    assert_eq!(
        changed(&from, &to),
        ["hadoop.replication", "image", "workers"]
    );
    assert_eq!(changed(&from, &from), Vec::<String>::new());
}

proptest! {
    /// Whatever text a parameter takes comes out of the spec as exactly that text; the rest is
    /// refused.
    #[test]
    fn any_value_is_carried_exactly_or_refused(value in any::<String>()) {
        match parsed(&[("stampede.hadoop.core-site", &value)], &OperatorDefaults::default()) {
            Ok(spec) => prop_assert_eq!(&spec.settings["hadoop"]["core-site"], &value),
            Err(_) => prop_assert!(value.chars().any(char::is_control)),
        }
    }

    #[test]
    fn a_spec_survives_its_attributes(workers in 1_u32..=250, key in proptest::option::of("[^\\pC\\s]{1,20}"), site in "[^\\pC]{0,40}", version in any::<bool>(), spark in any::<bool>()) {
        let workers = workers.to_string();
        let mut given = vec![("stampede.workers", workers.as_str()), ("stampede.hadoop.core-site", site.as_str())];
        given.extend(key.as_deref().map(|key| ("stampede.key", key)));
        given.extend(version.then_some(("stampede.hadoop.version", "3.4.3")));
        given.extend(spark.then_some(("stampede.framework", "hadoop,spark")));
        let once = spec(&given);
        let rendered = render(&once);
        let names: Vec<(String, String)> = rendered.into_iter().map(|(name, value)| (format!("{PREFIX}{name}"), value)).collect();
        let again = parse("demo", &names, &OperatorDefaults::default().with("hadoop.replication", "7"), &words()).unwrap();
        prop_assert_eq!(again.settings["hadoop"].get("replication").map(String::as_str), Some("7"));
        let again = parse("demo", &names, &OperatorDefaults::default(), &words()).unwrap();
        prop_assert_eq!(again, once);
    }
}
