//! Reads what a plugin claims.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::forms::{NAME_FORM, check_literal, is_name, shown};
use super::{limits, wit};
use crate::cluster::component::ComponentNeed;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{ConfigExtension, FrameworkClaims};
use crate::cluster::parameter_schema::compile_schema;
use crate::cluster::typed_value::read_typed;
use crate::plugin::ContractBreach;
use crate::plugin::fault_list::FaultList;

/// The claims, or all in them that breaks the contract. `settings` are those that it was asked with.
pub(in crate::plugin) fn read_claims(
    descriptor: &FrameworkDescriptor,
    settings: &Map<String, Value>,
    theirs: wit::Claims,
) -> Result<FrameworkClaims, ContractBreach> {
    let mut faults = FaultList::default();
    faults.count("needs", theirs.needs.len(), limits::LIST);
    faults.count("extensions", theirs.extensions.len(), limits::EXTENSIONS);
    faults.count("computed", theirs.computed.len(), limits::LIST);
    for (at, need) in theirs.needs.iter().enumerate() {
        faults.count(
            format_args!("needs[{at}].ports"),
            need.ports.len(),
            limits::LIST,
        );
    }
    faults.end_if_wrong()?;

    let mut claimed = BTreeSet::new();
    for (at, need) in theirs.needs.iter().enumerate() {
        let place = format!("needs[{at}]");
        check_component(
            &mut faults,
            &format!("{place}.component"),
            descriptor,
            &need.component,
        );
        let is_first = claimed.insert(&need.component);
        let what = format!("{} is claimed twice", shown(&need.component));
        faults.check(is_first, format_args!("{place}.component"), what);
        check_need(&mut faults, &place, need);
    }
    let mut extended = BTreeSet::new();
    for (at, extension) in theirs.extensions.iter().enumerate() {
        check_extension(&mut faults, &format!("extensions[{at}]"), extension);
        let wit::Extension {
            service,
            key,
            value,
        } = extension;
        let what = format!("{} of {} stands there twice", shown(key), shown(service));
        faults.check(
            extended.insert((service, key, value)),
            format_args!("extensions[{at}]"),
            what,
        );
    }
    let mut computed = BTreeSet::new();
    for (at, (name, text)) in theirs.computed.iter().enumerate() {
        let place = format!("computed[{at}]");
        let what = format!("{} is computed twice", shown(name));
        faults.check(computed.insert(name), &place, what);
        check_computed(&mut faults, &place, descriptor, settings, name, text);
    }
    faults.end(to_claims(theirs))
}

/// A component is one of the plugin's own.
pub(super) fn check_component(
    faults: &mut FaultList,
    place: &str,
    descriptor: &FrameworkDescriptor,
    name: &str,
) {
    let what = format!("the plugin has no component {}", shown(name));
    faults.check(descriptor.has_component(name), place, what);
}

fn check_need(faults: &mut FaultList, place: &str, need: &wit::Need) {
    for (field, amount, most) in [
        ("least-mib", need.least_mib, limits::AMOUNT),
        ("most-mib", need.most_mib, limits::AMOUNT),
        ("disk-gib", need.disk_gib, limits::AMOUNT),
        ("weight", need.weight, limits::WEIGHT),
    ] {
        faults.check(
            amount <= most,
            format_args!("{place}.{field}"),
            format_args!("{amount} is more than {most}"),
        );
    }
    let (least, most) = (need.least_mib, need.most_mib);
    faults.check(
        most == 0 || least <= most,
        format_args!("{place}.most-mib"),
        format_args!("{most} is less than its least, {least}"),
    );
    let mut seen = BTreeSet::new();
    for (at, port) in need.ports.iter().enumerate() {
        let place = format_args!("{place}.ports[{at}]");
        faults.check(*port != 0, place, "0 is no port");
        faults.check(
            seen.insert(port),
            place,
            format_args!("{port} is claimed twice"),
        );
    }
}

fn check_extension(faults: &mut FaultList, place: &str, extension: &wit::Extension) {
    let service = &extension.service;
    let what = format!("{} is not {NAME_FORM}", shown(service));
    faults.check(is_name(service), format_args!("{place}.service"), what);
    let key = format!("{place}.key");
    faults.check(!extension.key.is_empty(), &key, "it is empty");
    check_literal(faults, key, &extension.key, limits::KEY_BYTES);
    let value = format_args!("{place}.value");
    check_literal(faults, value, &extension.value, limits::LONG_TEXT_BYTES);
}

fn check_computed(
    faults: &mut FaultList,
    place: &str,
    descriptor: &FrameworkDescriptor,
    settings: &Map<String, Value>,
    name: &str,
    text: &str,
) {
    let Some(schema) = descriptor.parameter(name) else {
        return faults.add(place, format_args!("there is no parameter {}", shown(name)));
    };
    if settings.contains_key(name) {
        return faults.add(
            place,
            format_args!("`{name}` is set already, and is not to be computed"),
        );
    }
    check_literal(faults, place, text, limits::TEXT_BYTES);
    let accepted = read_typed(schema, text).and_then(|value| {
        let validator = compile_schema(schema).map_err(|error| error.to_string())?;
        validator
            .validate(&value)
            .map_err(|error| error.to_string())
    });
    if let Err(why) = accepted {
        faults.add(
            place,
            format_args!("`{name}` cannot be {}: {why}", shown(text)),
        );
    }
}

fn to_claims(theirs: wit::Claims) -> FrameworkClaims {
    let needs = theirs.needs.into_iter().map(|need| ComponentNeed {
        component: need.component,
        least_mib: need.least_mib,
        most_mib: need.most_mib,
        weight: need.weight,
        disk_gib: need.disk_gib,
        ports: need.ports,
    });
    let extensions = theirs.extensions.into_iter();
    let extensions = extensions.map(|extension| ConfigExtension {
        service: extension.service,
        key: extension.key,
        value: extension.value,
    });
    FrameworkClaims {
        needs: needs.collect(),
        extensions: extensions.collect(),
        computed: theirs.computed,
    }
}
