//! What cannot stand on one node together, and how much work that may be.

use serde_json::json;

use super::*;
use crate::cluster::framework_bundle::{
    ConfigFile, DaemonUnit, DownloadArtifact, FileEffect, NodeSoftware,
};

fn bundle(plugin: &str) -> FrameworkBundle {
    FrameworkBundle {
        plugin: plugin.to_owned(),
        template: json!({}),
        software: Vec::new(),
        artifacts: Vec::new(),
        secrets: Vec::new(),
        files: Vec::new(),
        units: Vec::new(),
        checks: Vec::new(),
        scripts: Vec::new(),
        endpoints: Vec::new(),
        services: Vec::new(),
    }
}

fn file(path: &str, component: &str, groups: &[&str]) -> ConfigFile {
    ConfigFile {
        components: vec![component.to_owned()],
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        path: path.to_owned(),
        owner: "root".to_owned(),
        mode: 0o644,
        effect: FileEffect::Restart,
        content: String::new(),
    }
}

fn unit(name: &str, component: &str, owner: &str, data: &[&str]) -> DaemonUnit {
    DaemonUnit {
        component: component.to_owned(),
        groups: Vec::new(),
        name: name.to_owned(),
        owner: owner.to_owned(),
        member_of: Vec::new(),
        exec: "/bin/true".to_owned(),
        data: data.iter().map(|path| (*path).to_owned()).collect(),
        directives: Vec::new(),
    }
}

fn artifact(to: &str, machine: &str) -> DownloadArtifact {
    DownloadArtifact {
        components: vec!["one".to_owned()],
        path: "x".to_owned(),
        bases: Vec::new(),
        sha512: String::new(),
        machine: machine.to_owned(),
        to: to.to_owned(),
    }
}

fn classes() -> Vec<NodeClass> {
    let class = |group: &str, components: &[&str]| NodeClass {
        name: group.to_owned(),
        group: group.to_owned(),
        components: components.iter().map(|name| (*name).to_owned()).collect(),
        example: format!("{group}-1"),
    };
    vec![
        class("alpha", &["one"]),
        class("beta", &["two"]),
        class("gamma", &["one", "two"]),
    ]
}

fn said(bundles: &[&FrameworkBundle]) -> Vec<String> {
    let found = find_conflicts(bundles, &classes()).into_iter();
    found.map(|conflict| conflict.message).collect()
}

#[test]
fn one_path_is_taken_once_on_a_node_but_by_group_and_component_again() {
    let mut echo = bundle("echo");
    echo.files = vec![
        file("/etc/x", "one", &["alpha"]),
        file("/etc/x", "two", &["beta"]),
    ];
    assert_eq!(said(&[&echo]), Vec::<String>::new());
    echo.files = vec![file("/etc/x", "one", &[]), file("/etc/x", "two", &[])];
    assert_eq!(
        said(&[&echo]),
        ["two things stand at /etc/x: gamma-1 for one"]
    );
    let (mut one, mut two) = (bundle("one"), bundle("two"));
    one.files = vec![file("/etc/x", "one", &[])];
    two.files = vec![file("/etc/x/y", "two", &[]), file("/etc/x-y", "two", &[])];
    let found = find_conflicts(&[&one, &two], &classes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].message,
        "/etc/x/y would stand in /etc/x, which is a file: gamma-1 for one"
    );
    assert_eq!(found[0].plugins.len(), 2);
}

#[test]
fn what_is_fetched_is_replaced_as_a_whole_and_machines_tell_it_apart() {
    let mut echo = bundle("echo");
    echo.artifacts = vec![artifact("/opt/x", "x86_64"), artifact("/opt/x", "aarch64")];
    assert_eq!(said(&[&echo]), Vec::<String>::new());
    echo.artifacts.push(artifact("/opt/x", ""));
    assert_eq!(
        said(&[&echo]),
        ["two things stand at /opt/x: alpha-1 for one"]
    );
    echo.artifacts.truncate(1);
    echo.files = vec![file("/opt/x/conf", "one", &[])];
    echo.software = vec![NodeSoftware {
        components: vec!["two".to_owned()],
        source: SoftwareSource::Pip {
            to: "/opt/x/python".to_owned(),
            lines: Vec::new(),
        },
    }];
    assert_eq!(
        said(&[&echo]),
        [
            "/opt/x/conf would stand in /opt/x, which is replaced as a whole: alpha-1 for one",
            "/opt/x/python would stand in /opt/x, which is replaced as a whole: gamma-1 for one"
        ]
    );
}

#[test]
fn data_is_its_owners_and_no_file_of_roots_stands_in_it() {
    let mut echo = bundle("echo");
    echo.units = vec![
        unit("a", "one", "kafka", &["/var/lib/x"]),
        unit("b", "one", "kafka", &["/var/lib/x", "/var/lib/x/log"]),
        unit("c", "one", "root:kafka", &["/srv/root"]),
    ];
    echo.files = vec![file("/srv/root/y", "one", &[])];
    assert_eq!(said(&[&echo]), Vec::<String>::new());
    echo.files.push(file("/var/lib/x/log/myid", "one", &[]));
    echo.units
        .push(unit("d", "two", "spark", &["/var/lib/x/log"]));
    assert_eq!(
        said(&[&echo]),
        [
            "/var/lib/x/log/myid would stand in /var/lib/x/log, a data folder of `kafka`: alpha-1 for one",
            "the data folders /var/lib/x/log of `kafka` and /var/lib/x/log of `spark` lie in one another: gamma-1 for one",
        ]
    );
}

#[test]
fn a_unit_has_its_name_alone_and_an_index_is_there_where_it_is_needed() {
    let mut echo = bundle("echo");
    echo.units = vec![
        unit("echo", "one", "root", &[]),
        unit("echo", "two", "root", &[]),
    ];
    assert_eq!(
        said(&[&echo]),
        ["two units are called `echo`: gamma-1 for one"]
    );
    echo.units.truncate(1);
    echo.units[0].directives = vec![("Environment".to_owned(), "N=@{index.one}".to_owned())];
    assert_eq!(said(&[&echo]), Vec::<String>::new());
    echo.units[0].exec = "/bin/x @{index.two}".to_owned();
    let mut content = file("/etc/y", "two", &[]);
    content.content = "@{index.one}".to_owned();
    echo.files = vec![content];
    assert_eq!(
        said(&[&echo]),
        [
            "the file /etc/y needs `@{index.one}`, which not every node that gets it has: beta-1 for one",
            "the unit `echo` needs `@{index.two}`, which not every node that gets it has: alpha-1 for one",
        ]
    );
}

fn java(components: &[&str]) -> NodeSoftware {
    NodeSoftware {
        components: components.iter().map(|name| (*name).to_owned()).collect(),
        source: SoftwareSource::Java {
            oldest: 17,
            newest: 21,
        },
    }
}

#[test]
fn a_java_is_there_where_a_file_or_a_unit_needs_it() {
    let mut echo = bundle("echo");
    echo.software = vec![java(&["one"])];
    let mut content = file("/etc/y", "two", &["gamma"]);
    content.content = "@{java}".to_owned();
    echo.files = vec![content];
    echo.units = vec![unit("echo", "one", "root", &[])];
    echo.units[0].exec = "@{java}/bin/java".to_owned();
    assert_eq!(said(&[&echo]), Vec::<String>::new());
    echo.files[0].groups.clear();
    assert_eq!(
        said(&[&echo]),
        ["the file /etc/y needs `@{java}`, which not every node that gets it has: beta-1 for one"]
    );
    echo.files.clear();
    echo.software = vec![java(&["two"])];
    assert_eq!(
        said(&[&echo]),
        ["the unit `echo` needs `@{java}`, which not every node that gets it has: alpha-1 for one"]
    );
    // Another plugin's is its own.
    let mut other = bundle("other");
    other.software = vec![java(&["one", "two"])];
    assert_eq!(said(&[&echo, &other]).len(), 1);
}

/// The time these take is bounded by the number of things and nodes, not by pairs: with pairs each
/// took minutes.
#[test]
fn as_much_as_plugins_may_add_on_as_many_nodes_as_there_are_is_looked_at() {
    let classes: Vec<NodeClass> = (0..251)
        .map(|at| NodeClass {
            name: format!("g{at}"),
            group: format!("g{}", at % 8),
            components: (0..64)
                .filter(|bit| bit % 8 != at % 8 || (at / 8) >> (bit / 8) & 1 == 1)
                .map(|bit| format!("c{bit}"))
                .collect(),
            example: format!("node-{at}"),
        })
        .collect();
    let mut one = bundle("one");
    let deep = format!("/var/lib{}", "/a".repeat(240));
    one.units = (0..64)
        .map(|at| {
            let data: Vec<String> = (0..64)
                .map(|depth| deep[..8 + 2 * (at + 3 * depth + 1).min(240)].to_owned())
                .collect();
            let data: Vec<&str> = data.iter().map(String::as_str).collect();
            let mut unit = unit(&format!("u{at}"), &format!("c{at}"), "echo", &data);
            unit.groups = (0..64).map(|group| format!("g{group}")).collect();
            unit
        })
        .collect();
    let all: String = (0..64).map(|at| format!("@{{index.c{at}}}")).collect();
    one.files = (0..256)
        .map(|at| {
            let mut file = file(&format!("/etc/x{at}"), "c0", &[]);
            file.components = (0..64).map(|at| format!("c{at}")).collect();
            file.content.clone_from(&all);
            file
        })
        .collect();
    let found = find_conflicts(&[&one], &classes);
    assert_eq!(found.len(), MOST_TOLD);
    one.files.clear();
    assert_eq!(find_conflicts(&[&one], &classes), Vec::new());
    // Two owners: each pair is told once, and looking ends where enough is told.
    for unit in one.units.iter_mut().step_by(2) {
        unit.owner = "other".to_owned();
    }
    assert_eq!(find_conflicts(&[&one], &classes).len(), MOST_TOLD);
}
