//! Tests of [`super`]: what is read, what is refused with its line, and each limit on both sides.

use super::*;
use crate::cluster::{
    AttributeNames, OperatorDefaults, attribute_names::PREFIX, attributes::parse,
    test_plugins::plugin_with,
};

const POLICY_TEXT: &str = r#"
workers = 3

[policy]
frameworks = ["hadoop"]
flavors = ["m1.large"]
max_workers = 4
max_nodes = 6
max_clusters = 5
max_age = "14d"

[policy.projects.analytics]
frameworks = ["hadoop", "spark"]
max_clusters = 20
max_age = "never"

[policy.projects."0123"]
max_workers = 8
"#;

fn policy() -> OperatorPolicy {
    OperatorPolicy::from_toml(POLICY_TEXT).unwrap()
}

fn spec(given: &[(&str, &str)]) -> ClusterSpec {
    let plugins = ["hadoop", "spark"].map(|name| plugin_with(name, &["1.0"], &[]));
    let given: Vec<(String, String)> = given
        .iter()
        .map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()))
        .collect();
    let names = AttributeNames::from_descriptors(&plugins);
    parse("demo", &given, &OperatorDefaults::default(), &names).unwrap()
}

fn paths(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|one| one.path.as_str()).collect()
}

#[test]
fn a_projects_own_words_stand_over_those_for_all() {
    let policy = policy();
    let any = policy.of_project("77", "any");
    assert_eq!(any.max_clusters, Some(5));
    assert!(!any.allows_framework("spark"));
    let analytics = policy.of_project("77", "analytics");
    assert_eq!(analytics.max_clusters, Some(20));
    assert_eq!(analytics.max_workers, Some(4), "as for all");
    assert!(analytics.allows_framework("spark"));
    assert_eq!(analytics.end_by_age(0), None, "it is excepted");
    assert_eq!(policy.of_project("0123", "x").max_workers, Some(8));
    // A file without a policy allows all.
    let none = OperatorPolicy::from_toml("workers = 3").unwrap();
    assert_eq!(none, OperatorPolicy::default());
    let many = spec(&[("workers", "200"), ("worker.flavor", "x")]);
    assert_eq!(none.of_project("", "").check_new(&many), []);
}

#[test]
fn what_is_wrong_with_a_policy_is_told_with_its_line() {
    for (text, line, words) in [
        ("[policy]\nmax_cluster = 3", 2, "max_clusters"),
        ("[policy]\n\nmax_clusters = 0", 3, "1 to 10000"),
        ("[policy]\nmax_clusters = 10001", 2, "1 to 10000"),
        ("[policy]\nmax_workers = 251", 2, "1 to 250"),
        ("[policy]\nmax_workers = 0", 2, "1 to 250"),
        ("[policy]\nmax_nodes = 252", 2, "1 to 251"),
        ("[policy]\nmax_nodes = 'many'", 2, "invalid type"),
        ("[policy]\nmax_age = '5m'", 2, "10m to 366d"),
        ("[policy]\nmax_age = '367d'", 2, "10m to 366d"),
        ("[policy]\nmax_age = '2026-12-24T18:00:00Z'", 2, "no age"),
        ("[policy]\nframeworks = []", 2, "leave it out"),
        ("[policy]\nflavors = 'm1.large'", 2, "sequence"),
        ("[policy.projects.a]\nmax_age = 8", 2, "string"),
        ("[policy.projects.a]\nprojects = 8", 2, "unknown field"),
        ("[policy", 1, "policy"),
    ] {
        let refused = OperatorPolicy::from_toml(text).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("line {line}")),
            "{text}: {refused}"
        );
        assert!(refused.contains(words), "{text}: {refused}");
    }
    let names = |number: usize| {
        let names = vec!["'a'"; number].join(",");
        OperatorPolicy::from_toml(&format!("[policy]\nflavors = [{names}]")).is_ok()
    };
    assert!(names(MAX_POLICY_NAMES) && !names(MAX_POLICY_NAMES + 1));
    let projects = |number: usize| {
        let table = |n: usize| format!("[policy.projects.p{n}]\nmax_nodes = 1\n");
        OperatorPolicy::from_toml(&(0..number).map(table).collect::<String>()).is_ok()
    };
    assert!(projects(MAX_POLICY_PROJECTS) && !projects(MAX_POLICY_PROJECTS + 1));
}

#[test]
fn a_framework_that_no_plugin_has_is_named_with_its_neighbour() {
    let text =
        "[policy]\nframeworks = ['hadop', 'cluster']\n[policy.projects.a]\nframeworks = ['hadop']";
    let policy = OperatorPolicy::from_toml(text).unwrap();
    let told = policy.check_frameworks(&["hadoop", "spark"]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0].to_string(),
        "policy.frameworks: allows `hadop`, but there is no such plugin (did you mean `hadoop`?)"
    );
}

#[test]
fn all_that_is_not_allowed_of_a_new_cluster_is_told_at_once() {
    let policy = policy();
    let policy = policy.of_project("77", "any");
    let wrong = spec(&[
        ("framework", "hadoop,spark"),
        ("workers", "6"),
        ("worker.flavor", "m1.huge"),
    ]);
    let told = policy.check_new(&wrong);
    assert_eq!(paths(&told), ["framework", "workers", "groups"]);
    assert_eq!(
        told[1].to_string(),
        "workers: the operator allows at most 4 workers in a cluster, this one would have 6 (take fewer, or ask the operator)"
    );
    for (workers, allowed) in [("4", true), ("5", false)] {
        let one = spec(&[("framework", "hadoop"), ("workers", workers)]);
        assert_eq!(policy.check_new(&one).is_empty(), allowed, "{workers}");
    }
    for (edges, allowed) in [("1", true), ("2", false)] {
        let one = spec(&[
            ("framework", "hadoop"),
            ("workers", "4"),
            ("groups", "master,worker,edge"),
            ("edge.count", edges),
        ]);
        assert_eq!(policy.check_new(&one).is_empty(), allowed, "{edges}");
    }
}

#[test]
fn what_is_there_may_stay_and_go_and_not_grow() {
    let policy = policy();
    let policy = policy.of_project("77", "any");
    let large = spec(&[("workers", "9"), ("worker.flavor", "m1.huge")]);
    let sized = |workers: &str| spec(&[("workers", workers), ("worker.flavor", "m1.huge")]);
    let check = |to: &ClusterSpec, id: &str| {
        let called = |name: &str| vec![id.to_owned(), name.to_owned()];
        paths(&policy.check_change(&large, to, called)).join(" ")
    };
    for workers in ["9", "8", "1"] {
        assert_eq!(check(&sized(workers), "12"), "", "{workers}");
    }
    assert_eq!(check(&sized("10"), "12"), "worker.flavor workers groups");
    assert_eq!(check(&sized("10"), "m1.large"), "workers groups");
}

#[test]
fn an_end_is_no_later_than_the_operator_allows() {
    let policy = policy();
    let (any, free) = (
        policy.of_project("7", "x"),
        policy.of_project("7", "analytics"),
    );
    let (since_s, age_s) = (1_000_000, 14 * 86_400);
    assert_eq!(any.end_by_age(since_s), Some(since_s + age_s));
    for (at_s, allowed) in [
        (Some(since_s + age_s), true),
        (Some(since_s + age_s + 1), false),
        (None, false),
    ] {
        assert_eq!(any.check_end(at_s, since_s).is_ok(), allowed, "{at_s:?}");
        assert_eq!(free.check_end(at_s, since_s), Ok(()));
    }
}

#[test]
fn a_project_has_so_many_clusters_at_most() {
    let policy = policy();
    let any = policy.of_project("7", "x");
    assert_eq!(any.check_room(4), Ok(()));
    assert_eq!(
        any.check_room(5),
        Err("the operator allows at most 5 clusters in a project; this one has 5: delete one, or ask the operator".to_owned())
    );
}
