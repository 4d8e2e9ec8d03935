//! Tests of [`super`]: orders, circles and what is missing.

use proptest::prelude::*;

use super::*;
use crate::cluster::{component::ComponentSpec, problem::lines, test_plugins::plugin_with};

fn plugin(name: &str, [requires, uses, provides]: [&[&str]; 3]) -> FrameworkDescriptor {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let component = ComponentSpec {
        name: format!("{name}_server"),
        groups: vec!["master".to_owned()],
        ..ComponentSpec::default()
    };
    FrameworkDescriptor {
        title: name.to_owned(),
        requires: owned(requires),
        uses: owned(uses),
        provides: owned(provides),
        components: vec![component],
        ..plugin_with(name, &[], &[])
    }
}

fn choices(names: &[&str]) -> Vec<FrameworkChoice> {
    let choice = |name: &&str| FrameworkChoice {
        name: (*name).to_owned(),
        version: None,
    };
    names.iter().map(choice).collect()
}

fn order(asked: &[&str], there: &[FrameworkDescriptor]) -> Result<Vec<String>, String> {
    let there: Vec<&FrameworkDescriptor> = there.iter().collect();
    order_plugins(&choices(asked), &there)
        .map(|chain| chain.iter().map(|one| one.name.clone()).collect())
        .map_err(|problems| lines(&problems))
}

fn usual() -> Vec<FrameworkDescriptor> {
    vec![
        plugin("cluster", [&[], &[], &["cluster"]]),
        plugin("hadoop", [&[], &[], &["hdfs", "yarn"]]),
        plugin("spark", [&[], &["hdfs", "yarn"], &["spark"]]),
        plugin("jupyterlab", [&[], &["spark", "hdfs"], &[]]),
        plugin("zookeeper", [&[], &[], &["zookeeper"]]),
    ]
}

#[test]
fn what_is_used_comes_first_where_it_is_there_however_it_is_written() {
    for asked in [
        ["hadoop", "spark", "jupyterlab"],
        ["jupyterlab", "spark", "hadoop"],
        ["spark", "jupyterlab", "hadoop"],
    ] {
        let chain = order(&asked, &usual()).unwrap();
        assert_eq!(chain, ["cluster", "hadoop", "spark", "jupyterlab"]);
    }
    let alone = order(&["jupyterlab", "spark"], &usual()).unwrap();
    assert_eq!(
        alone,
        ["cluster", "spark", "jupyterlab"],
        "what is not there is not waited for"
    );
    // Else as the user wrote them.
    let free = order(&["zookeeper", "hadoop"], &usual()).unwrap();
    assert_eq!(free, ["cluster", "zookeeper", "hadoop"]);
}

#[test]
fn a_circle_and_what_two_have_is_told_by_names() {
    let mut there = usual();
    there.push(plugin("a", [&["y"], &[], &["x"]]));
    there.push(plugin("b", [&[], &["x"], &["y"]]));
    assert_eq!(
        order(&["a", "b"], &there).unwrap_err(),
        "framework: none can come first: `a` requires `y` of `b`, `b` uses `x` of `a` (leave one of them out, or have their plugins mended)"
    );
    there.push(plugin("other", [&[], &[], &["hdfs"]]));
    if let Some(other) = there.last_mut() {
        other.components[0].name = "hadoop_server".to_owned();
    }
    assert_eq!(
        order(&["hadoop", "other"], &there).unwrap_err(),
        "framework: `hadoop` and `other` both provide `hdfs` (ask for one of them)\n\
         framework: `hadoop` and `other` both have a component `hadoop_server` (ask for one of them)"
    );
}

#[test]
fn so_many_components_are_taken_and_not_one_more() {
    let of = |count: usize| {
        let mut there = usual();
        let many = (1..count).map(|at| ComponentSpec {
            name: format!("c{at}"),
            ..ComponentSpec::default()
        });
        there[1].components = many.collect();
        order(&["hadoop"], &there)
    };
    assert!(of(MAX_COMPONENTS).is_ok());
    let problem = of(MAX_COMPONENTS + 1).unwrap_err();
    assert!(
        problem.contains("have 1025 components together"),
        "{problem}"
    );
}

#[test]
fn a_requirement_that_nothing_brings_is_told_with_what_would() {
    let mut there = usual();
    there.push(plugin("hive", [&["hdfs", "spark"], &[], &["hive"]]));
    there.push(plugin("self", [&["z"], &[], &["z"]]));
    assert_eq!(
        order(&["hive"], &there).unwrap_err(),
        "framework: `hive` requires `hdfs`, which nothing asked for provides (ask for `hadoop` too)\n\
         framework: `hive` requires `spark`, which nothing asked for provides (ask for `spark` too)"
    );
    for asked in [["hive", "hadoop", "spark"], ["spark", "hive", "hadoop"]] {
        let chain = order(&asked, &there).unwrap();
        assert_eq!(chain, ["cluster", "hadoop", "spark", "hive"]);
    }
    let alone = order(&["self"], &there).unwrap_err();
    assert!(
        alone.contains("`self` requires `z`, which nothing asked for provides"),
        "{alone}"
    );
    let unknown = order(&["hadop"], &there).unwrap_err();
    assert!(
        unknown.starts_with(
            "framework: there is no plugin `hadop` (did you mean `hadoop`? there are: cluster, "
        ),
        "{unknown}"
    );
    let cluster = order(&["cluster"], &there).unwrap();
    assert_eq!(cluster, ["cluster"], "which goes without saying");
}

proptest! {
    /// However a request is written, each comes after all that it waits for.
    #[test]
    fn each_comes_after_what_it_waits_for(asked in Just(vec!["hadoop", "spark", "jupyterlab", "zookeeper"]).prop_shuffle()) {
        let chain = order(&asked, &usual()).unwrap();
        let at = |name: &str| chain.iter().position(|one| one == name).unwrap();
        prop_assert!(at("cluster") == 0 && at("hadoop") < at("spark") && at("spark") < at("jupyterlab"));
    }
}
