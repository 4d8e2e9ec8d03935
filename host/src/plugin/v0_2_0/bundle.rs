//! Reads what a plugin adds: counts it, reads each thing by its rules, drops what belongs to
//! components that were not claimed, and looks whether all of it can stand on the nodes together.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::bundle_judge::BundleJudge;
use super::forms::{
    NAME_FORM, WORD_FORM, begins_with, check_content, check_each, check_literal, check_some_text,
    is_name, is_scheme, is_url_path, is_word, shown,
};
use super::{limits, node_things, wit};
use crate::bundle::merge::SECTIONS;
use crate::bundle::node_classes::node_classes;
use crate::bundle::node_conflicts::find_conflicts;
use crate::cluster::framework::CLUSTER;
use crate::cluster::framework_bundle::{
    ComponentEndpoint, ComponentScript, ComponentStage, EndpointReach, FrameworkBundle, NodeSecret,
};
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::framework_request::{FrameworkService, GenerateQuestion};
use crate::plugin::ContractBreach;
use crate::plugin::fault_list::FaultList;

/// The bundle, or all in it that breaks the contract.
pub(in crate::plugin) fn read_bundle(
    descriptor: &FrameworkDescriptor,
    question: &GenerateQuestion,
    theirs: wit::Bundle,
) -> Result<FrameworkBundle, ContractBreach> {
    let mut faults = FaultList::default();
    let times = match descriptor.name == CLUSTER {
        true => limits::CLUSTER_TIMES,
        false => 1,
    };
    count_things(&mut faults, &theirs, times * limits::TEMPLATE_BYTES);
    faults.end_if_wrong()?;

    let secrets = theirs.secrets.iter();
    let secrets = secrets.map(|secret| (secret.name.clone(), secret.shared));
    let placements = question.request.placements.iter();
    let placed = placements.filter(|placement| !placement.members.is_empty());
    let judge = BundleJudge {
        descriptor,
        question,
        placed: placed
            .map(|placement| placement.component.as_str())
            .collect(),
        secrets: secrets.collect(),
        has_java: theirs
            .software
            .iter()
            .any(|software| software.kind == node_things::JAVA),
    };
    let template = read_template(&mut faults, &theirs.template, times * limits::ENTRIES);
    let bundle = FrameworkBundle {
        plugin: descriptor.name.clone(),
        template,
        software: judge.read_software(&mut faults, theirs.software),
        artifacts: judge.read_artifacts(&mut faults, theirs.artifacts),
        secrets: read_secrets(&mut faults, theirs.secrets),
        files: judge.read_files(&mut faults, theirs.files),
        units: judge.read_units(&mut faults, theirs.units),
        checks: judge.read_checks(&mut faults, theirs.checks),
        scripts: judge.read_scripts(&mut faults, theirs.scripts),
        endpoints: judge.read_endpoints(&mut faults, theirs.endpoints),
        services: read_services(&mut faults, &descriptor.provides, theirs.services),
    };
    let classes = node_classes(&question.request.placements, &question.node_groups);
    for conflict in find_conflicts(&[&bundle], &classes) {
        faults.add("nodes", conflict.message);
    }
    faults.end(bundle)
}

fn count_things(faults: &mut FaultList, theirs: &wit::Bundle, template_bytes: usize) {
    for (list, count, most) in [
        ("software", theirs.software.len(), limits::LIST),
        ("artifacts", theirs.artifacts.len(), limits::LIST),
        ("secrets", theirs.secrets.len(), limits::LIST),
        ("files", theirs.files.len(), limits::FILES),
        ("units", theirs.units.len(), limits::LIST),
        ("checks", theirs.checks.len(), limits::LIST),
        ("scripts", theirs.scripts.len(), limits::LIST),
        ("endpoints", theirs.endpoints.len(), limits::LIST),
        ("services", theirs.services.len(), limits::LIST),
    ] {
        faults.count(list, count, most);
    }
    count_parts(faults, theirs);
    let template = theirs.template.len();
    faults.check(
        template <= template_bytes,
        "template",
        format_args!("it is {template} bytes long, at most {template_bytes} are taken"),
    );
}

/// The lists inside of things.
fn count_parts(faults: &mut FaultList, theirs: &wit::Bundle) {
    let mut count = |list: &str, at: usize, field: &str, count: usize, most: usize| {
        faults.count(format_args!("{list}[{at}].{field}"), count, most);
    };
    for (at, one) in theirs.software.iter().enumerate() {
        count(
            "software",
            at,
            "components",
            one.components.len(),
            limits::LIST,
        );
        count(
            "software",
            at,
            "names",
            one.names.len(),
            limits::SOFTWARE_NAMES,
        );
    }
    for (at, one) in theirs.artifacts.iter().enumerate() {
        count(
            "artifacts",
            at,
            "components",
            one.components.len(),
            limits::LIST,
        );
        count("artifacts", at, "bases", one.bases.len(), limits::LIST);
    }
    for (at, one) in theirs.files.iter().enumerate() {
        count(
            "files",
            at,
            "components",
            one.components.len(),
            limits::LIST,
        );
        count("files", at, "groups", one.groups.len(), limits::LIST);
    }
    for (at, one) in theirs.units.iter().enumerate() {
        count("units", at, "groups", one.groups.len(), limits::LIST);
        count("units", at, "member-of", one.member_of.len(), limits::LIST);
        count("units", at, "data", one.data.len(), limits::LIST);
        count(
            "units",
            at,
            "directives",
            one.directives.len(),
            limits::LIST,
        );
    }
    for (at, one) in theirs.services.iter().enumerate() {
        count(
            "services",
            at,
            "attributes",
            one.attributes.len(),
            limits::LIST,
        );
    }
}

/// Its form alone; what resources may hold is for the policy, which sees the whole cluster.
fn read_template(faults: &mut FaultList, text: &str, most_entries: usize) -> Value {
    const PLACE: &str = "template";
    let none = || Value::Object(Map::new());
    if text.is_empty() {
        return none();
    }
    let template = match serde_json::from_str(text) {
        Ok(Value::Object(template)) => template,
        Ok(_) => {
            faults.add(PLACE, "it is not a JSON object");
            return none();
        }
        Err(error) => {
            faults.add(PLACE, format_args!("it is not JSON: {error}"));
            return none();
        }
    };
    for (section, entries) in &template {
        let is_known = SECTIONS.contains(&section.as_str());
        let what = format!("a template has no {}", shown(section));
        faults.check(is_known, PLACE, what);
        match entries.as_object() {
            Some(entries) => {
                faults.count(
                    format_args!("{PLACE}.{section}"),
                    entries.len(),
                    most_entries,
                );
            }
            None => faults.add(
                PLACE,
                format_args!("{} is not a JSON object", shown(section)),
            ),
        }
    }
    Value::Object(template)
}

fn read_secrets(faults: &mut FaultList, theirs: Vec<wit::Secret>) -> Vec<NodeSecret> {
    let names: Vec<String> = theirs.iter().map(|secret| secret.name.clone()).collect();
    check_each(faults, "secrets", &names, is_word, WORD_FORM);
    let theirs = theirs.into_iter();
    theirs
        .map(|secret| NodeSecret {
            name: secret.name,
            shared: secret.shared,
        })
        .collect()
}

fn read_services(
    faults: &mut FaultList,
    provided: &[String],
    theirs: Vec<wit::Service>,
) -> Vec<FrameworkService> {
    let names: Vec<String> = theirs.iter().map(|service| service.name.clone()).collect();
    check_each(faults, "services", &names, is_name, NAME_FORM);
    for name in provided.iter().filter(|name| !names.contains(*name)) {
        faults.add(
            "services",
            format_args!("{} is provided, and is not there", shown(name)),
        );
    }
    for (at, service) in theirs.iter().enumerate() {
        let what = format!("the plugin does not provide {}", shown(&service.name));
        faults.check(
            provided.contains(&service.name),
            format_args!("services[{at}]"),
            what,
        );
        let list = format!("services[{at}].attributes");
        let keys: Vec<String> = service
            .attributes
            .iter()
            .map(|(key, _)| key.clone())
            .collect();
        check_each(faults, &list, &keys, is_word, WORD_FORM);
        for (at, (_, value)) in service.attributes.iter().enumerate() {
            check_literal(
                faults,
                format_args!("{list}[{at}]"),
                value,
                limits::TEXT_BYTES,
            );
        }
    }
    let theirs = theirs.into_iter();
    theirs
        .map(|service| FrameworkService {
            name: service.name,
            attributes: service.attributes,
        })
        .collect()
}

impl BundleJudge<'_> {
    fn read_scripts(
        &self,
        faults: &mut FaultList,
        theirs: Vec<wit::Script>,
    ) -> Vec<ComponentScript> {
        let mut scripts = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, script) in theirs.into_iter().enumerate() {
            let place = format!("scripts[{at}]");
            let is_claimed = self.read_component(faults, &place, &script.component);
            let stage = to_stage(script.stage);
            let body = format_args!("{place}.body");
            faults.check(!script.body.trim().is_empty(), body, "it is empty");
            check_content(faults, body, &script.body, limits::SCRIPT_BYTES);
            let what = format!(
                "{} has two of stage {}",
                shown(&script.component),
                stage.as_str()
            );
            faults.check(seen.insert((script.component.clone(), stage)), &place, what);
            if is_claimed {
                scripts.push(ComponentScript {
                    component: script.component,
                    stage,
                    body: script.body,
                });
            }
        }
        scripts
    }

    fn read_endpoints(
        &self,
        faults: &mut FaultList,
        theirs: Vec<wit::Endpoint>,
    ) -> Vec<ComponentEndpoint> {
        let names: Vec<String> = theirs
            .iter()
            .map(|endpoint| endpoint.name.clone())
            .collect();
        check_each(faults, "endpoints", &names, is_word, WORD_FORM);
        let mut endpoints = Vec::new();
        for (at, endpoint) in theirs.into_iter().enumerate() {
            let place = format!("endpoints[{at}]");
            let is_claimed = self.read_component(faults, &place, &endpoint.component);
            self.check_endpoint(faults, &place, &endpoint);
            if is_claimed {
                endpoints.push(ComponentEndpoint {
                    name: endpoint.name,
                    description: endpoint.description,
                    component: endpoint.component,
                    scheme: endpoint.scheme,
                    port: endpoint.port,
                    path: endpoint.path,
                    reach: match endpoint.reach {
                        wit::Reach::Cluster => EndpointReach::Cluster,
                        wit::Reach::Tunnel => EndpointReach::Tunnel,
                        wit::Reach::Outside => EndpointReach::Outside,
                    },
                    secret: Some(endpoint.secret).filter(|secret| !secret.is_empty()),
                });
            }
        }
        endpoints
    }

    fn check_endpoint(&self, faults: &mut FaultList, place: &str, endpoint: &wit::Endpoint) {
        let wit::Endpoint {
            name,
            component,
            scheme,
            port,
            path,
            secret,
            ..
        } = endpoint;
        let prefix = self.descriptor.prefix();
        faults.check(
            begins_with(name, &prefix, '_'),
            format_args!("{place}.name"),
            format_args!(
                "{} is not `{prefix}`, alone or with `_` and more",
                shown(name)
            ),
        );
        let description = format_args!("{place}.description");
        check_some_text(
            faults,
            description,
            &endpoint.description,
            limits::TEXT_BYTES,
        );
        let what = format!("{} is no scheme", shown(scheme));
        faults.check(is_scheme(scheme), format_args!("{place}.scheme"), what);
        let what = format!(
            "{} does not begin with /, or is no path of a URL",
            shown(path)
        );
        faults.check(is_url_path(path), format_args!("{place}.path"), what);
        let what = match self.secrets.get(secret) {
            _ if secret.is_empty() => None,
            None => Some(format!("the plugin has no secret {}", shown(secret))),
            Some(false) => Some(format!(
                "{} is each node's own, and nobody could be shown it: share it",
                shown(secret)
            )),
            Some(true) => None,
        };
        if let Some(what) = what {
            faults.add(format_args!("{place}.secret"), what);
        }
        let need = self.question.need(component);
        faults.check(
            need.is_none_or(|need| need.ports.contains(port)),
            format_args!("{place}.port"),
            format_args!("{port} is none that {} claims", shown(component)),
        );
    }
}

fn to_stage(stage: wit::Stage) -> ComponentStage {
    match stage {
        wit::Stage::Setup => ComponentStage::Setup,
        wit::Stage::Ready => ComponentStage::Ready,
        wit::Stage::Smoke => ComponentStage::Smoke,
        wit::Stage::Drain => ComponentStage::Drain,
        wit::Stage::Members => ComponentStage::Members,
    }
}
