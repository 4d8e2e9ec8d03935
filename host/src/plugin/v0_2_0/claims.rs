//! Reads what a plugin claims.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::forms::{NAME_FORM, check_literal, is_name, shown};
use super::parameters::{accept, is_fact};
use super::{limits, wit};
use crate::bundle::placeholders::PLACEHOLDER_START;
use crate::cluster::component::ComponentNeed;
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{ConfigExtension, FrameworkClaims};
use crate::cluster::parameter_schema::work_fault;
use crate::cluster::typed_value::read_typed;
use crate::plugin::ContractBreach;
use crate::plugin::fault_list::FaultList;

/// Where every node is reached by those who look after it.
const SSH_PORT: u16 = 22;

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
    let (mut computed, mut whole) = (BTreeSet::new(), Map::new());
    for (at, (name, text)) in theirs.computed.iter().enumerate() {
        let place = format!("computed[{at}]");
        if computed.insert(name) {
            whole.extend(check_computed(
                &mut faults,
                &place,
                descriptor,
                settings,
                name,
                text,
            ));
        } else {
            faults.add(&place, format_args!("{} is computed twice", shown(name)));
        }
    }
    faults.end_if_wrong()?;
    check_whole(&mut faults, descriptor, settings, whole);
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
        let what = format_args!("{SSH_PORT} is SSH's, on every node");
        faults.check(*port != SSH_PORT, place, what);
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

/// What was computed as its type has it, where the parameter's schema accepts it.
fn check_computed(
    faults: &mut FaultList,
    place: &str,
    descriptor: &FrameworkDescriptor,
    settings: &Map<String, Value>,
    name: &str,
    text: &str,
) -> Option<(String, Value)> {
    let Some(schema) = descriptor.parameter(name) else {
        faults.add(place, format_args!("there is no parameter {}", shown(name)));
        return None;
    };
    if is_fact(schema) {
        let what = format!("`{name}` is filled in by the host, and is not to be computed");
        faults.add(place, what);
        return None;
    }
    if settings.contains_key(name) {
        let what = format!("`{name}` is set already, and is not to be computed");
        faults.add(place, what);
        return None;
    }
    // What is too long is held against nothing.
    if text.len() > limits::TEXT_BYTES || text.contains(PLACEHOLDER_START) {
        check_literal(faults, place, text, limits::TEXT_BYTES);
        return None;
    }
    check_literal(faults, place, text, limits::TEXT_BYTES);
    if let Some(fault) = work_fault(text.len(), schema) {
        faults.add(place, format_args!("`{name}` {fault}"));
        return None;
    }
    let accepted = read_typed(schema, text).and_then(|value| {
        accept(schema, &value)?;
        Ok(value)
    });
    match accepted {
        Ok(value) => Some((name.to_owned(), value)),
        Err(why) => {
            let what = format!("`{name}` cannot be {}: {why}", shown(text));
            faults.add(place, what);
            None
        }
    }
}

/// What was computed goes together with what was set.
fn check_whole(
    faults: &mut FaultList,
    descriptor: &FrameworkDescriptor,
    settings: &Map<String, Value>,
    computed: Map<String, Value>,
) {
    if computed.is_empty() {
        return;
    }
    let mut whole = settings.clone();
    whole.extend(computed);
    let whole = Value::Object(whole);
    let accepted = match descriptor.parameters.validator() {
        Ok(validator) => validator
            .validate(&whole)
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    if let Err(why) = accepted {
        let what = format!("with the settings it is refused by the parameters' schema: {why}");
        faults.add("computed", what);
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
