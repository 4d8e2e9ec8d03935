//! What cannot stand on one node together, of one plugin or of several: two things at one path, a
//! file in a folder that is not root's, two units of one name, a number that a node does not have.
//! Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::node_classes::NodeClass;
use super::placeholders::{NodePlaceholder, find_placeholders};
use crate::cluster::framework_bundle::{FrameworkBundle, SoftwareSource};

/// Conflicts of one cluster that are told.
const MOST_TOLD: usize = 100;

/// Things that cannot stand on one node together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeConflict {
    /// Whose they are.
    pub plugins: BTreeSet<String>,
    /// A lowercase fragment: what, and on which node for one.
    pub message: String,
}

/// What stands at a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PathUse<'a> {
    File,
    /// A folder or a file that the frame replaces as a whole, on nodes of a machine.
    Fetched {
        machine: &'a str,
    },
    Data {
        owner: &'a str,
    },
}

/// A thing at a path, and where it stands.
struct PathThing<'a> {
    path: &'a str,
    usage: PathUse<'a>,
    plugin: &'a str,
    components: &'a [String],
    groups: &'a [String],
}

/// All conflicts of what these plugins add, each once, with a node that would have it.
pub fn find_conflicts(bundles: &[&FrameworkBundle], classes: &[NodeClass]) -> Vec<NodeConflict> {
    let mut found = FoundConflicts::default();
    let things = path_things(bundles);
    let needed = needed_indexes(bundles);
    for class in classes {
        find_path_conflicts(&things, class, &mut found);
        find_unit_conflicts(bundles, class, &mut found);
        for thing in &needed {
            if class.has_thing_of(thing.components, thing.groups)
                && !class.components.contains(&thing.of)
            {
                found.add(
                    [thing.plugin],
                    format!(
                        "{} needs `@{{index.{}}}`, which not every node that gets it has",
                        thing.what, thing.of
                    ),
                    class,
                );
            }
        }
    }
    found.into_list()
}

#[derive(Default)]
struct FoundConflicts(BTreeMap<(BTreeSet<String>, String), String>);

impl FoundConflicts {
    fn add<const N: usize>(&mut self, plugins: [&str; N], what: String, class: &NodeClass) {
        if self.0.len() < MOST_TOLD {
            let plugins = plugins.into_iter().map(str::to_owned).collect();
            let example = class.example.clone();
            self.0.entry((plugins, what)).or_insert(example);
        }
    }

    fn into_list(self) -> Vec<NodeConflict> {
        let found = self.0.into_iter();
        found
            .map(|((plugins, what), example)| NodeConflict {
                plugins,
                message: format!("{what}: {example} for one"),
            })
            .collect()
    }
}

/// By path, each folder before what is in it.
fn path_things<'a>(bundles: &[&'a FrameworkBundle]) -> Vec<PathThing<'a>> {
    let mut things = Vec::new();
    for bundle in bundles {
        let plugin = bundle.plugin.as_str();
        things.extend(bundle.files.iter().map(|file| PathThing {
            path: &file.path,
            usage: PathUse::File,
            plugin,
            components: &file.components,
            groups: &file.groups,
        }));
        things.extend(bundle.artifacts.iter().map(|artifact| PathThing {
            path: &artifact.to,
            usage: PathUse::Fetched {
                machine: &artifact.machine,
            },
            plugin,
            components: &artifact.components,
            groups: &[],
        }));
        things.extend(bundle.software.iter().filter_map(|software| {
            let SoftwareSource::Pip { to, .. } = &software.source else {
                return None;
            };
            Some(PathThing {
                path: to,
                usage: PathUse::Fetched { machine: "" },
                plugin,
                components: &software.components,
                groups: &[],
            })
        }));
        for unit in &bundle.units {
            things.extend(unit.data.iter().map(|path| PathThing {
                path,
                usage: PathUse::Data { owner: &unit.owner },
                plugin,
                components: std::slice::from_ref(&unit.component),
                groups: &unit.groups,
            }));
        }
    }
    things.sort_by(|one, other| one.path.split('/').cmp(other.path.split('/')));
    things
}

fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

fn find_path_conflicts(things: &[PathThing<'_>], class: &NodeClass, found: &mut FoundConflicts) {
    // The folders around what is looked at, and what stands at the same path.
    let mut around: Vec<&PathThing<'_>> = Vec::new();
    let here = things
        .iter()
        .filter(|thing| class.has_thing_of(thing.components, thing.groups));
    for thing in here {
        while around
            .last()
            .is_some_and(|last| last.path != thing.path && !is_in(thing.path, last.path))
        {
            around.pop();
        }
        if let Some((outer, said)) = around
            .iter()
            .find_map(|outer| Some((*outer, collision(outer, thing)?)))
        {
            found.add([outer.plugin, thing.plugin], said, class);
        } else {
            around.push(thing);
        }
    }
}

/// What is wrong with one thing inside another, or at the same path.
fn collision(outer: &PathThing<'_>, inner: &PathThing<'_>) -> Option<String> {
    use PathUse::{Data, Fetched, File};
    let (at, inside) = (outer.path, inner.path);
    match (outer.usage, inner.usage) {
        (Fetched { machine: one }, Fetched { machine: other })
            if !one.is_empty() && !other.is_empty() && one != other =>
        {
            None
        }
        (Data { owner: one }, Data { owner: other }) if one == other => None,
        (Data { owner: one }, Data { owner: other }) => Some(format!(
            "the data folders {at} of `{one}` and {inside} of `{other}` lie in one another"
        )),
        (Data { owner }, File) if at != inside && is_roots(owner) => None,
        (Data { owner }, _) => Some(format!(
            "{inside} would stand in {at}, a data folder of `{owner}`"
        )),
        (File | Fetched { .. }, _) if at == inside => Some(format!("two things stand at {at}")),
        (File, _) => Some(format!("{inside} would stand in {at}, which is a file")),
        (Fetched { .. }, _) => Some(format!(
            "{inside} would stand in {at}, which is replaced as a whole"
        )),
    }
}

fn is_roots(owner: &str) -> bool {
    owner.split(':').next() == Some("root")
}

fn find_unit_conflicts(
    bundles: &[&FrameworkBundle],
    class: &NodeClass,
    found: &mut FoundConflicts,
) {
    let mut names = BTreeMap::new();
    for bundle in bundles {
        for unit in &bundle.units {
            let components = std::slice::from_ref(&unit.component);
            if !class.has_thing_of(components, &unit.groups) {
                continue;
            }
            if let Some(other) = names.insert(unit.name.as_str(), bundle.plugin.as_str()) {
                let said = format!("two units are called `{}`", unit.name);
                found.add([other, &bundle.plugin], said, class);
            }
        }
    }
}

/// A file or a unit that holds a node's number within a component.
struct IndexedThing<'a> {
    what: String,
    of: String,
    plugin: &'a str,
    components: &'a [String],
    groups: &'a [String],
}

/// The components whose numbers stand in these texts, each once.
fn find_indexes<'a>(texts: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    let found = texts
        .into_iter()
        .filter_map(|text| find_placeholders(text).ok());
    found
        .flatten()
        .filter_map(|one| match one {
            NodePlaceholder::Index(of) => Some(of),
            _ => None,
        })
        .collect()
}

fn needed_indexes<'a>(bundles: &[&'a FrameworkBundle]) -> Vec<IndexedThing<'a>> {
    let mut needed = Vec::new();
    for bundle in bundles {
        let plugin = bundle.plugin.as_str();
        for file in &bundle.files {
            let indexes = find_indexes([&file.content]).into_iter();
            needed.extend(indexes.map(|of| IndexedThing {
                what: format!("the file {}", file.path),
                of,
                plugin,
                components: &file.components,
                groups: &file.groups,
            }));
        }
        for unit in &bundle.units {
            let lines = unit.directives.iter().map(|(_, value)| value);
            let indexes = find_indexes(lines.chain([&unit.exec])).into_iter();
            needed.extend(indexes.map(|of| IndexedThing {
                what: format!("the unit `{}`", unit.name),
                of,
                plugin,
                components: std::slice::from_ref(&unit.component),
                groups: &unit.groups,
            }));
        }
    }
    needed
}

#[cfg(test)]
mod tests {
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
                "/var/lib/x/log/myid would stand in /var/lib/x, a data folder of `kafka`: alpha-1 for one",
                "the data folders /var/lib/x of `kafka` and /var/lib/x/log of `spark` lie in one another: gamma-1 for one",
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
}
