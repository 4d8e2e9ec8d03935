//! Validates a template and its parameters as Heat does, with its messages; the part of it that a
//! plugin's mistake would meet.

use serde_json::{Map, Value};

use super::{cloud::CloudFixtures, routes::FakeReply};

/// Heat's default limits.
const MAX_RESOURCES: usize = 1000;
/// Bytes of a request.
pub(super) const MAX_BODY_BYTES: usize = 1 << 20;
/// Bytes of a template.
const MAX_TEMPLATE_BYTES: usize = 512 << 10;

/// Resource types that are known, by their service.
const TYPES: [&str; 20] = [
    "OS::Cinder::Volume",
    "OS::Cinder::VolumeAttachment",
    "OS::Heat::None",
    "OS::Heat::RandomString",
    "OS::Heat::Value",
    "OS::Heat::WaitCondition",
    "OS::Heat::WaitConditionHandle",
    "OS::Neutron::FloatingIP",
    "OS::Neutron::FloatingIPAssociation",
    "OS::Neutron::Net",
    "OS::Neutron::Port",
    "OS::Neutron::Router",
    "OS::Neutron::RouterInterface",
    "OS::Neutron::SecurityGroup",
    "OS::Neutron::SecurityGroupRule",
    "OS::Neutron::Subnet",
    "OS::Nova::KeyPair",
    "OS::Nova::Server",
    "OS::Nova::ServerGroup",
    "OS::Swift::Container",
];

fn refuse(kind: &str, message: &str) -> FakeReply {
    FakeReply::fault_of("heat", 400, kind, message)
}

/// Whether Heat would begin to work on this request.
pub(super) fn check(fixtures: &CloudFixtures, request: &Value) -> Result<(), FakeReply> {
    let template = &request["template"];
    let Some(resources) = template["resources"].as_object() else {
        return Err(refuse(
            "StackValidationFailed",
            "\"resources\" is not a map.",
        ));
    };
    if template["heat_template_version"].as_str().is_none() {
        return Err(refuse(
            "InvalidTemplateVersion",
            "Template version was not provided",
        ));
    }
    if template.to_string().len() > MAX_TEMPLATE_BYTES {
        let message = format!(
            "Request limit exceeded: Template size ({} bytes) exceeds maximum allowed size ({MAX_TEMPLATE_BYTES} bytes).",
            template.to_string().len()
        );
        return Err(refuse("RequestLimitExceeded", &message));
    }
    if resources.len() > MAX_RESOURCES {
        let message = format!(
            "Request limit exceeded: Stack exceeds the maximum of {MAX_RESOURCES} resources"
        );
        return Err(FakeReply::fault_of(
            "heat",
            403,
            "RequestLimitExceeded",
            &message,
        ));
    }
    parameters(fixtures, template, request["parameters"].as_object())?;
    let empty = Map::new();
    let scope = Scope {
        resources,
        template,
        files: request["files"].as_object().unwrap_or(&empty),
    };
    for (name, resource) in resources {
        let kind = resource["type"].as_str().unwrap_or_default();
        if !TYPES.contains(&kind) {
            return Err(refuse(
                "StackValidationFailed",
                &format!("The Resource Type ({kind}) could not be found."),
            ));
        }
        for before in [&resource["depends_on"]]
            .into_iter()
            .flat_map(|on| on.as_array().cloned().unwrap_or_else(|| vec![on.clone()]))
        {
            if let Some(before) = before.as_str() {
                scope.resource(before, name)?;
            }
        }
        scope.check(&resource["properties"], &format!("{name}.Properties"))?;
    }
    for (name, output) in template["outputs"].as_object().into_iter().flatten() {
        scope.check(&output["value"], &format!("outputs.{name}.value"))?;
    }
    Ok(())
}

fn parameters(
    fixtures: &CloudFixtures,
    template: &Value,
    given: Option<&Map<String, Value>>,
) -> Result<(), FakeReply> {
    let empty = Map::new();
    let (defined, given) = (
        template["parameters"].as_object().unwrap_or(&empty),
        given.unwrap_or(&empty),
    );
    if let Some(name) = given.keys().find(|name| !defined.contains_key(*name)) {
        return Err(refuse(
            "UnknownUserParameter",
            &format!("The Parameter ({name}) was not defined in template."),
        ));
    }
    for (name, parameter) in defined {
        let Some(value) = given.get(name).or_else(|| parameter.get("default")) else {
            return Err(refuse(
                "UserParameterMissing",
                &format!("The Parameter ({name}) was not provided."),
            ));
        };
        for constraint in parameter["constraints"].as_array().into_iter().flatten() {
            if let Some(wrong) = violated(fixtures, constraint, value) {
                return Err(refuse(
                    "StackValidationFailed",
                    &format!("Parameter '{name}' is invalid: {wrong}"),
                ));
            }
        }
    }
    Ok(())
}

/// Heat's words for it, or `None`.
fn violated(fixtures: &CloudFixtures, constraint: &Value, value: &Value) -> Option<String> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    if let Some(allowed) = constraint["allowed_values"].as_array()
        && !allowed.contains(value)
    {
        return Some(format!(
            "\"{text}\" is not an allowed value {}",
            Value::Array(allowed.clone())
        ));
    }
    for (key, measure) in [
        ("range", text.parse::<f64>().ok()),
        ("length", Some(text.chars().count() as f64)),
    ] {
        let (min, max) = (
            constraint[key]["min"].as_f64(),
            constraint[key]["max"].as_f64(),
        );
        let outside = |measure: f64| {
            min.is_some_and(|min| measure < min) || max.is_some_and(|max| measure > max)
        };
        if !constraint[key].is_null() && measure.is_none_or(outside) {
            let bound =
                |bound: Option<f64>| bound.map_or("None".to_owned(), |bound| bound.to_string());
            return Some(format!(
                "{text} is out of range (min: {}, max: {})",
                bound(min),
                bound(max)
            ));
        }
    }
    let unknown = match constraint["custom_constraint"].as_str()? {
        "nova.flavor"
            if !fixtures
                .flavors
                .iter()
                .any(|f| f.name == text || f.id == text) =>
        {
            format!("No Flavor matching {{'name': '{text}'}}. (HTTP 404)")
        }
        "glance.image"
            if !fixtures
                .images
                .iter()
                .any(|i| i.name == text || i.id == text) =>
        {
            format!("No images matching {{'name': '{text}'}}.")
        }
        "nova.keypair" if !text.is_empty() && !fixtures.keypairs.contains(&text) => {
            format!("The Key ({text}) could not be found.")
        }
        "neutron.network"
            if !fixtures
                .networks
                .iter()
                .any(|n| n.name == text || n.id == text) =>
        {
            format!("Unable to find network with name or id '{text}'")
        }
        _ => return None,
    };
    Some(format!("Error validating value '{text}': {unknown}"))
}

struct Scope<'a> {
    resources: &'a Map<String, Value>,
    template: &'a Value,
    files: &'a Map<String, Value>,
}

impl Scope<'_> {
    fn resource(&self, name: &str, place: &str) -> Result<(), FakeReply> {
        if self.resources.contains_key(name) {
            return Ok(());
        }
        Err(refuse(
            "InvalidTemplateReference",
            &format!("The specified reference \"{name}\" (in {place}) is incorrect."),
        ))
    }

    fn check(&self, value: &Value, place: &str) -> Result<(), FakeReply> {
        match value {
            Value::Array(list) => list.iter().try_for_each(|inner| self.check(inner, place)),
            Value::Object(map) => {
                if let (1, Some((function, argument))) = (map.len(), map.iter().next()) {
                    self.function(function, argument, place)?;
                }
                map.iter()
                    .try_for_each(|(key, inner)| self.check(inner, &format!("{place}.{key}")))
            }
            _ => Ok(()),
        }
    }

    fn function(&self, function: &str, argument: &Value, place: &str) -> Result<(), FakeReply> {
        let first = argument
            .as_str()
            .or_else(|| argument[0].as_str())
            .unwrap_or_default();
        match function {
            "get_resource" | "get_attr" => self.resource(first, place),
            "get_param"
                if !first.starts_with("OS::")
                    && self.template["parameters"].get(first).is_none() =>
            {
                let message = format!(
                    "Property error: : {place}: : The Parameter ({first}) was not provided."
                );
                Err(refuse("StackValidationFailed", &message))
            }
            "if" if argument[0].is_string() && self.template["conditions"].get(first).is_none() => {
                let message = format!("Property error: : {place}: : Invalid condition \"{first}\"");
                Err(refuse("StackValidationFailed", &message))
            }
            "get_file" if !self.files.contains_key(first) => {
                let message = format!(
                    "Property error: : {place}: : No content found in the \"files\" section for get_file path: {first}"
                );
                Err(refuse("StackValidationFailed", &message))
            }
            _ => Ok(()),
        }
    }
}
