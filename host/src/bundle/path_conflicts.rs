//! Paths of one node: two things at one, or one inside another that does not bear it. Pure.

use std::collections::BTreeSet;

use super::found_conflicts::{FoundConflicts, ThingPlace};
use super::node_classes::NodeClass;
use crate::cluster::framework_bundle::{FrameworkBundle, SoftwareSource};

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

/// A thing at a path, by the number of its place.
struct PathThing<'a> {
    path: &'a str,
    usage: PathUse<'a>,
    place: usize,
}

/// All things at paths.
pub(super) struct PathThings<'a> {
    /// By path, each folder before what is in it.
    things: Vec<PathThing<'a>>,
    /// Pairs that were found before: on another class of nodes nothing is to be said of them again.
    told: BTreeSet<(usize, usize)>,
}

impl<'a> PathThings<'a> {
    /// Of these bundles, whose files, artifacts, software and units have places in this order.
    pub(super) fn of(bundles: &[&'a FrameworkBundle]) -> Self {
        let mut things = Vec::new();
        let mut place = 0;
        let mut add = |at: Vec<(&'a str, PathUse<'a>)>| {
            let at = at.into_iter();
            things.extend(at.map(|(path, usage)| PathThing { path, usage, place }));
            place += 1;
        };
        for bundle in bundles {
            for file in &bundle.files {
                add(vec![(&file.path, PathUse::File)]);
            }
            for artifact in &bundle.artifacts {
                let machine = &artifact.machine;
                add(vec![(&artifact.to, PathUse::Fetched { machine })]);
            }
            for software in &bundle.software {
                add(match &software.source {
                    SoftwareSource::Pip { to, .. } => vec![(to, PathUse::Fetched { machine: "" })],
                    SoftwareSource::Apt { .. } | SoftwareSource::Java { .. } => Vec::new(),
                });
            }
            for unit in &bundle.units {
                let data = PathUse::Data { owner: &unit.owner };
                let folders = unit.data.iter();
                add(folders.map(|path| (path.as_str(), data)).collect());
            }
        }
        things.sort_by(|one, other| one.path.split('/').cmp(other.path.split('/')));
        Self {
            things,
            told: BTreeSet::new(),
        }
    }

    /// What is wrong on nodes of this class; `is_here` says which places are on it.
    pub(super) fn find(
        &mut self,
        places: &[ThingPlace<'_>],
        is_here: &[bool],
        class: &NodeClass,
        found: &mut FoundConflicts,
    ) {
        // The folders around what is looked at, and what stands at the same path.
        let mut around: Vec<usize> = Vec::new();
        for (at, thing) in self.things.iter().enumerate() {
            if found.is_full() {
                return;
            }
            if !is_here[thing.place] {
                continue;
            }
            while let Some(last) = around.last() {
                let last = self.things[*last].path;
                if last == thing.path || is_in(thing.path, last) {
                    break;
                }
                around.pop();
            }
            let Some(outer) = find_outer(&self.things, &around, thing) else {
                around.push(at);
                continue;
            };
            if self.told.insert((outer, at)) {
                let outer = &self.things[outer];
                let plugins = [places[outer.place].plugin, places[thing.place].plugin];
                found.add(plugins, describe(outer, thing), class);
            }
        }
    }
}

/// What the thing cannot stand in. What is around it already bears one another: so folders of data
/// are all of one owner, and the innermost speaks for them.
fn find_outer(things: &[PathThing<'_>], around: &[usize], thing: &PathThing<'_>) -> Option<usize> {
    for at in around.iter().rev() {
        let outer = &things[*at];
        if !goes_together(outer, thing) {
            return Some(*at);
        }
        if matches!(outer.usage, PathUse::Data { .. }) {
            return None;
        }
    }
    None
}

fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether one thing may be inside another, or at the same path.
fn goes_together(outer: &PathThing<'_>, inner: &PathThing<'_>) -> bool {
    use PathUse::{Data, Fetched, File};
    match (outer.usage, inner.usage) {
        (Fetched { machine: one }, Fetched { machine: other }) => {
            !one.is_empty() && !other.is_empty() && one != other
        }
        (Data { owner: one }, Data { owner: other }) => one == other,
        (Data { owner }, File) => outer.path != inner.path && is_roots(owner),
        (Data { .. } | File | Fetched { .. }, _) => false,
    }
}

fn describe(outer: &PathThing<'_>, inner: &PathThing<'_>) -> String {
    use PathUse::{Data, Fetched, File};
    let (at, inside) = (outer.path, inner.path);
    match (outer.usage, inner.usage) {
        (Data { owner: one }, Data { owner: other }) => {
            format!("the data folders {at} of `{one}` and {inside} of `{other}` lie in one another")
        }
        (Data { owner }, _) => {
            format!("{inside} would stand in {at}, a data folder of `{owner}`")
        }
        (File | Fetched { .. }, _) if at == inside => format!("two things stand at {at}"),
        (File, _) => format!("{inside} would stand in {at}, which is a file"),
        (Fetched { .. }, _) => {
            format!("{inside} would stand in {at}, which is replaced as a whole")
        }
    }
}

fn is_roots(owner: &str) -> bool {
    owner.split(':').next() == Some("root")
}
