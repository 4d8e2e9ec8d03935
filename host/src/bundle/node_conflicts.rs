//! What cannot stand on one node together, of one plugin or of several: two things at one path, a
//! file in a folder that is not root's, two units of one name, a number or a Java that a node does not
//! have. Pure.
//!
//! Plugins choose how much there is of it all. What does not depend on a node is looked at once, and
//! nothing is looked for once enough was found.

use std::collections::{BTreeMap, BTreeSet};

use super::component_set::{ComponentNumbers, ComponentSet};
use super::found_conflicts::{FoundConflicts, MOST_TOLD, NodeConflict, ThingPlace};
use super::node_classes::NodeClass;
use super::path_conflicts::PathThings;
use super::placeholders::{NodePlaceholder, find_placeholders};
use crate::cluster::framework_bundle::{DaemonUnit, FrameworkBundle, SoftwareSource};

/// What a file or a unit needs of the nodes that get it, by the number of its place.
struct ThingNeeds {
    what: String,
    place: usize,
    /// The components whose numbers stand in it.
    indexes: ComponentSet,
    /// Those of them that no node has.
    unknown: BTreeSet<String>,
    /// For whom its plugin asks for a Java, if one stands in it.
    java: Option<ComponentSet>,
}

/// All conflicts of what these plugins add, each once, with a node that would have it.
pub fn find_conflicts(bundles: &[&FrameworkBundle], classes: &[NodeClass]) -> Vec<NodeConflict> {
    let mut found = FoundConflicts::default();
    let numbers = ComponentNumbers::of(classes);
    let places = thing_places(bundles, &numbers);
    let needs = thing_needs(bundles, &numbers);
    let units = placed_units(bundles);
    let mut paths = PathThings::of(bundles);
    for class in classes {
        if found.is_full() {
            break;
        }
        let components = numbers.set(&class.components);
        let is_here: Vec<bool> = places
            .iter()
            .map(|place| place.is_on(class, &components))
            .collect();
        paths.find(&places, &is_here, class, &mut found);
        find_unit_conflicts(&units, &places, &is_here, class, &mut found);
        for thing in needs.iter().filter(|thing| is_here[thing.place]) {
            if found.is_full() {
                break;
            }
            let plugin = places[thing.place].plugin;
            find_missing(thing, plugin, &numbers, &components, class, &mut found);
        }
    }
    found.into_list()
}

/// Of each plugin its files, artifacts, software and units: what follows counts them in this order.
fn thing_places<'a>(
    bundles: &[&'a FrameworkBundle],
    numbers: &ComponentNumbers<'_>,
) -> Vec<ThingPlace<'a>> {
    let mut places = Vec::new();
    for bundle in bundles {
        let mut add = |components: &'a [String], groups: &'a [String]| {
            places.push(ThingPlace {
                plugin: &bundle.plugin,
                components: numbers.set(components),
                groups: groups.iter().map(String::as_str).collect(),
            });
        };
        for file in &bundle.files {
            add(&file.components, &file.groups);
        }
        for artifact in &bundle.artifacts {
            add(&artifact.components, &[]);
        }
        for software in &bundle.software {
            add(&software.components, &[]);
        }
        for unit in &bundle.units {
            add(std::slice::from_ref(&unit.component), &unit.groups);
        }
    }
    places
}

/// How many places a plugin has before its units.
fn places_before_units(bundle: &FrameworkBundle) -> usize {
    bundle.files.len() + bundle.artifacts.len() + bundle.software.len()
}

/// All units with the numbers of their places.
fn placed_units<'a>(bundles: &[&'a FrameworkBundle]) -> Vec<(&'a DaemonUnit, usize)> {
    let mut units = Vec::new();
    let mut first = 0;
    for bundle in bundles {
        first += places_before_units(bundle);
        units.extend(bundle.units.iter().zip(first..));
        first += bundle.units.len();
    }
    units
}

fn find_unit_conflicts(
    units: &[(&DaemonUnit, usize)],
    places: &[ThingPlace<'_>],
    is_here: &[bool],
    class: &NodeClass,
    found: &mut FoundConflicts,
) {
    let mut names = BTreeMap::new();
    for (unit, place) in units.iter().filter(|(_, place)| is_here[*place]) {
        if found.is_full() {
            return;
        }
        let plugin = places[*place].plugin;
        if let Some(other) = names.insert(unit.name.as_str(), plugin) {
            let said = format!("two units are called `{}`", unit.name);
            found.add([other, plugin], said, class);
        }
    }
}

fn find_missing(
    thing: &ThingNeeds,
    plugin: &str,
    numbers: &ComponentNumbers<'_>,
    components: &ComponentSet,
    class: &NodeClass,
    found: &mut FoundConflicts,
) {
    let mut add = |placeholder: String| {
        let said = format!(
            "{} needs `@{{{placeholder}}}`, which not every node that gets it has",
            thing.what
        );
        found.add([plugin], said, class);
    };
    let missing = thing.indexes.without(components);
    if !missing.is_empty() {
        let names = numbers.names(&missing);
        for name in names.iter().take(MOST_TOLD) {
            add(format!("index.{name}"));
        }
    }
    for name in thing.unknown.iter().take(MOST_TOLD) {
        add(format!("index.{name}"));
    }
    if thing
        .java
        .as_ref()
        .is_some_and(|java| !java.meets(components))
    {
        add("java".to_owned());
    }
}

fn thing_needs(bundles: &[&FrameworkBundle], numbers: &ComponentNumbers<'_>) -> Vec<ThingNeeds> {
    let mut all = Vec::new();
    let mut first = 0;
    for bundle in bundles {
        let java = java_components(bundle, numbers);
        let mut add = |what: String, place: usize, texts: &mut dyn Iterator<Item = &String>| {
            let texts = texts.filter_map(|text| find_placeholders(text).ok());
            let (mut names, mut needs_java) = (BTreeSet::new(), false);
            for one in texts.flatten() {
                match one {
                    NodePlaceholder::Index(of) => drop(names.insert(of)),
                    NodePlaceholder::Java => needs_java = true,
                    NodePlaceholder::Node
                    | NodePlaceholder::Address
                    | NodePlaceholder::Secret(_) => {}
                }
            }
            if names.is_empty() && !needs_java {
                return;
            }
            all.push(ThingNeeds {
                what,
                place,
                indexes: numbers.set(&names),
                unknown: names
                    .into_iter()
                    .filter(|name| !numbers.has(name))
                    .collect(),
                java: needs_java.then(|| java.clone()),
            });
        };
        for (file, place) in bundle.files.iter().zip(first..) {
            let what = format!("the file {}", file.path);
            add(what, place, &mut [&file.content].into_iter());
        }
        first += places_before_units(bundle);
        for (unit, place) in bundle.units.iter().zip(first..) {
            let lines = unit.directives.iter().map(|(_, value)| value);
            let what = format!("the unit `{}`", unit.name);
            add(what, place, &mut lines.chain([&unit.exec]));
        }
        first += bundle.units.len();
    }
    all
}

/// The components for which a plugin asks for a Java.
fn java_components(bundle: &FrameworkBundle, numbers: &ComponentNumbers<'_>) -> ComponentSet {
    let javas = bundle
        .software
        .iter()
        .filter(|one| matches!(one.source, SoftwareSource::Java { .. }));
    let sets = javas.map(|one| numbers.set(&one.components));
    sets.fold(numbers.set([]), |all, one| all.with(&one))
}

#[cfg(test)]
#[path = "node_conflicts_tests.rs"]
mod tests;
