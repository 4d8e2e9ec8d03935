//! Reads what a plugin says of itself, and what it refuses.

use std::collections::BTreeSet;

use super::forms::{
    GROUP_FORM, NAME_FORM, WORD_FORM, check_each, check_some_text, check_text, is_group, is_name,
    is_version, is_word, shown,
};
use super::parameters::read_parameters;
use super::{limits, wit};
use crate::cluster::Problem;
use crate::cluster::component::{ComponentSpec, EVERY_GROUP};
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::reserved_words::is_reserved_plugin;
use crate::plugin::ContractBreach;
use crate::plugin::fault_list::FaultList;

/// The host's descriptor, or all in it that breaks the contract.
pub(in crate::plugin) fn read_descriptor(
    theirs: wit::Descriptor,
) -> Result<FrameworkDescriptor, ContractBreach> {
    let mut faults = FaultList::default();
    for (list, count) in [
        ("versions", theirs.versions.len()),
        ("requires", theirs.requires.len()),
        ("uses", theirs.uses.len()),
        ("provides", theirs.provides.len()),
        ("components", theirs.components.len()),
        ("resource-types", theirs.resource_types.len()),
    ] {
        faults.count(list, count, limits::LIST);
    }
    for (at, component) in theirs.components.iter().enumerate() {
        let place = format_args!("components[{at}].groups");
        faults.count(place, component.groups.len(), limits::LIST);
    }
    check_length(
        &mut faults,
        "parameters",
        &theirs.parameters,
        limits::SCHEMA_BYTES,
    );
    faults.end_if_wrong()?;

    check_name(&mut faults, &theirs);
    let version = "of the form [0-9A-Za-z.+-]{1,32}";
    check_each(
        &mut faults,
        "versions",
        &theirs.versions,
        is_version,
        version,
    );
    let is_type = |text: &str| {
        text.len() <= limits::TEXT_BYTES
            && text.split("::").count() > 1
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':')
    };
    let form = "a resource type of HOT";
    check_each(
        &mut faults,
        "resource-types",
        &theirs.resource_types,
        is_type,
        form,
    );
    check_services(&mut faults, &theirs);
    let components = read_components(&mut faults, &theirs.name, theirs.components);
    let parameters = read_parameters(&mut faults, &theirs.name, &theirs.parameters);
    faults.end(FrameworkDescriptor {
        name: theirs.name,
        title: theirs.title,
        description: theirs.description,
        versions: theirs.versions,
        requires: theirs.requires,
        uses: theirs.uses,
        provides: theirs.provides,
        components,
        parameters,
        resource_types: theirs.resource_types,
    })
}

/// What it is called, and for people.
fn check_name(faults: &mut FaultList, theirs: &wit::Descriptor) {
    faults.check(
        is_name(&theirs.name),
        "name",
        format_args!("{} is not {NAME_FORM}", shown(&theirs.name)),
    );
    let what = format!(
        "{} means something else to stampede, or to the system of nodes: take another name",
        shown(&theirs.name)
    );
    faults.check(!is_reserved_plugin(&theirs.name), "name", what);
    check_some_text(faults, "title", &theirs.title, limits::TEXT_BYTES);
    check_some_text(
        faults,
        "description",
        &theirs.description,
        limits::TEXT_BYTES,
    );
}

fn check_length(faults: &mut FaultList, place: &str, text: &str, most: usize) {
    faults.check(
        text.len() <= most,
        place,
        format_args!("it is {} bytes long, at most {most} are taken", text.len()),
    );
}

/// A service stands in one list alone: who needs what it brings itself would wait for itself.
fn check_services(faults: &mut FaultList, theirs: &wit::Descriptor) {
    let lists = [
        ("requires", &theirs.requires),
        ("uses", &theirs.uses),
        ("provides", &theirs.provides),
    ];
    let mut seen = BTreeSet::new();
    for (list, services) in lists {
        check_each(faults, list, services, is_name, NAME_FORM);
        for (at, service) in services.iter().enumerate() {
            let elsewhere = seen
                .iter()
                .find(|(other, name)| *other != list && *name == service);
            if let Some((other, _)) = elsewhere {
                let what = format!("{} stands in {other} too", shown(service));
                faults.add(format_args!("{list}[{at}]"), what);
            }
        }
        seen.extend(services.iter().map(|service| (list, service)));
    }
}

fn read_components(
    faults: &mut FaultList,
    plugin: &str,
    theirs: Vec<wit::Component>,
) -> Vec<ComponentSpec> {
    faults.check(
        !theirs.is_empty(),
        "components",
        "there is none, and a plugin has at least one",
    );
    let names: Vec<String> = theirs
        .iter()
        .map(|component| component.name.clone())
        .collect();
    check_each(faults, "components", &names, is_word, WORD_FORM);
    for (at, component) in theirs.iter().enumerate() {
        check_component(faults, &format!("components[{at}]"), plugin, component);
    }
    let theirs = theirs.into_iter();
    theirs
        .map(|component| ComponentSpec {
            name: component.name,
            groups: component.groups,
            nodes: component.nodes,
            most: component.most,
            odd: component.odd,
        })
        .collect()
}

fn check_component(faults: &mut FaultList, place: &str, plugin: &str, component: &wit::Component) {
    let wit::Component {
        groups,
        nodes,
        most,
        odd,
        ..
    } = component;
    let list = format!("{place}.groups");
    if groups.is_empty() {
        faults.add(&list, "there is none");
    } else if groups.iter().any(|group| group == EVERY_GROUP) {
        faults.check(groups.len() == 1, &list, "`*` stands alone");
    } else {
        check_each(faults, &list, groups, is_group, GROUP_FORM);
        let is_own = groups.iter().any(|group| group == plugin);
        faults.check(
            !is_own,
            &list,
            "a group is called as the plugin, which no user can name",
        );
    }
    for (field, value) in [("nodes", *nodes), ("most", *most)] {
        faults.check(
            value <= limits::NODES,
            format_args!("{place}.{field}"),
            format_args!("{value} is more than {}", limits::NODES),
        );
        faults.check(
            !odd || value == 0 || value % 2 == 1,
            format_args!("{place}.{field}"),
            format_args!("{value} is even, and it votes"),
        );
    }
    faults.check(
        *most == 0 || nodes <= most,
        format_args!("{place}.most"),
        format_args!("{most} is less than its {nodes} nodes"),
    );
}

/// What a plugin refuses a request for.
pub(super) fn read_problems(theirs: Vec<wit::Problem>) -> Result<Vec<Problem>, ContractBreach> {
    let mut faults = FaultList::default();
    faults.check(
        !theirs.is_empty(),
        "problems",
        "it refuses the request without one",
    );
    faults.count("problems", theirs.len(), limits::PROBLEMS);
    faults.end_if_wrong()?;
    let mut problems = Vec::new();
    for (at, theirs) in theirs.into_iter().enumerate() {
        let place = |field: &str| format!("problems[{at}].{field}");
        check_some_text(&mut faults, place("path"), &theirs.path, limits::TEXT_BYTES);
        check_some_text(
            &mut faults,
            place("message"),
            &theirs.message,
            limits::TEXT_BYTES,
        );
        check_text(&mut faults, place("hint"), &theirs.hint, limits::TEXT_BYTES);
        problems.push(Problem::new(theirs.path, theirs.message, theirs.hint));
    }
    faults.end(problems)
}
