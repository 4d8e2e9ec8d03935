//! Checks a plugin's answers against the rules that the types of the WIT cannot express. What its
//! template holds and which services it offers is for `bundle` to check, which sees the whole
//! chain.

use serde_json::Value;

use super::ContractBreach;
use super::counts::{self, check_counts};
use crate::bundle::{PluginBundle, ScriptStage};
use crate::cluster::Problem;
use crate::cluster::contract_bridge::DRAINING_ROLE;
use crate::cluster::framework::PluginDescriptor;
use crate::cluster::parameter_schema::{ParameterSchema, compile_schema, work_fault};

/// Problems in one answer.
const PROBLEMS: usize = 100;
/// Keywords by which a schema refers to another, or to itself without end; and those that look at
/// what is inside of them anew at every level, so that each level doubles the work.
const REFUSED_KEYWORDS: [&str; 5] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Characters of a name: of a plugin, role, service, script.
const NAME_CHARS: usize = 31;

/// What is wrong with what a plugin says of itself.
pub(super) fn check_descriptor(descriptor: &PluginDescriptor) -> Result<(), ContractBreach> {
    if !is_name(&descriptor.name) {
        return Err(broken(format!(
            "its name {:?} is not of the form [a-z][a-z0-9-]{{0,30}}",
            descriptor.name
        )));
    }
    let unversioned = descriptor.versions.is_empty() && descriptor.default_version.is_empty();
    if !unversioned && !descriptor.versions.contains(&descriptor.default_version) {
        return Err(broken(format!(
            "its default version {:?} is not among its versions",
            descriptor.default_version
        )));
    }
    for name in descriptor
        .requires
        .iter()
        .chain(&descriptor.provides)
        .chain(descriptor.roles.iter().map(|role| &role.name))
    {
        if !is_name(name) {
            return Err(broken(format!(
                "{name:?} is not the name of a service or a role: [a-z][a-z0-9-]{{0,30}}"
            )));
        }
    }
    for port in &descriptor.ports {
        check_role(descriptor, &port.role, "a port")?;
    }
    let texts = [&descriptor.title, &descriptor.description];
    let purposes = descriptor.ports.iter().map(|port| &port.purpose);
    for text in texts
        .into_iter()
        .chain(&descriptor.versions)
        .chain(purposes)
    {
        check_text(text)?;
    }
    check_parameters(&descriptor.parameters)
}

/// Texts for people are shown on terminals.
fn check_text(text: &str) -> Result<(), ContractBreach> {
    if text.contains(char::is_control) {
        return Err(broken(format!(
            "its text {text:?} holds control characters"
        )));
    }
    Ok(())
}

/// A schema that refers to itself could be followed until the host's stack ends, and one of twenty
/// levels could take minutes for one value.
pub(super) fn refuse_keywords(schema: &Value) -> Result<(), ContractBreach> {
    match schema {
        Value::Array(items) => items.iter().try_for_each(refuse_keywords),
        Value::Object(map) => map.iter().try_for_each(|(key, value)| {
            if REFUSED_KEYWORDS.contains(&key.as_str()) {
                return Err(broken(format!(
                    "its parameters use {key}: write the schema out"
                )));
            }
            refuse_keywords(value)
        }),
        _ => Ok(()),
    }
}

/// Compiles it, once for all requests.
pub(super) fn check_schema(schema: &ParameterSchema) -> Result<(), ContractBreach> {
    let compiled = schema.validator().map(drop);
    compiled.map_err(|source| ContractBreach::NotSchema {
        what: "parameters are".to_owned(),
        source: Box::new(source),
    })
}

fn check_parameters(schema: &ParameterSchema) -> Result<(), ContractBreach> {
    refuse_keywords(schema)?;
    let properties = schema.get("properties").and_then(Value::as_object);
    check_counts(&[(
        "parameters",
        properties.map_or(0, serde_json::Map::len),
        counts::PARAMETERS,
    )])?;
    if schema.get("type") != Some(&Value::from("object")) {
        return Err(broken(
            "its parameters are not the JSON Schema of an object",
        ));
    }
    check_schema(schema)?;
    for (name, property) in properties.into_iter().flatten() {
        if property.get("type").is_none()
            || property
                .get("description")
                .and_then(Value::as_str)
                .is_none()
        {
            return Err(broken(format!(
                "its parameter {name:?} lacks a type or a description"
            )));
        }
        let Some(default) = property.get("default") else {
            continue;
        };
        if let Some(fault) = work_fault(default.to_string().len(), property) {
            return Err(broken(format!(
                "the default of its parameter {name:?} {fault}"
            )));
        }
        let validator = compile_schema(property).map_err(|source| ContractBreach::NotSchema {
            what: format!("parameter {name:?} is"),
            source: Box::new(source),
        })?;
        validator
            .validate(default)
            .map_err(|source| ContractBreach::RefusedDefault {
                parameter: name.clone(),
                source: Box::new(source.to_owned()),
            })?;
    }
    Ok(())
}

/// What is wrong with an answer.
pub(super) fn check_answer(
    descriptor: &PluginDescriptor,
    answer: &Result<PluginBundle, Vec<Problem>>,
) -> Result<(), ContractBreach> {
    match answer {
        Ok(part) => check_part(descriptor, part),
        Err(problems) if problems.is_empty() => {
            Err(broken("it refuses the request without a problem"))
        }
        Err(problems) if problems.len() > PROBLEMS => Err(broken(format!(
            "it names {} problems, more than {PROBLEMS}",
            problems.len()
        ))),
        Err(_) => Ok(()),
    }
}

fn check_part(descriptor: &PluginDescriptor, part: &PluginBundle) -> Result<(), ContractBreach> {
    if !part.template.is_object() {
        return Err(broken("its template is not a JSON object"));
    }
    for section in crate::bundle::merge::SECTIONS {
        check_counts(&[(section, part.section(section).count(), counts::ENTRIES)])?;
    }
    for file in &part.files {
        file.roles
            .iter()
            .try_for_each(|role| check_role(descriptor, role, "a file"))?;
        if !file.path.starts_with('/')
            || file.path.split('/').any(|step| step == "..")
            || file.path.contains(char::is_control)
        {
            return Err(broken(format!(
                "the path of its file {:?} is not absolute and plain",
                file.path
            )));
        }
        if file.mode > 0o7777 {
            return Err(broken(format!(
                "the mode {:o} of its file {} is none",
                file.mode, file.path
            )));
        }
    }
    check_scripts(descriptor, part)?;
    for endpoint in &part.endpoints {
        check_role(descriptor, &endpoint.role, "an endpoint")?;
        if !is_name(&endpoint.name.replace('_', "-")) || endpoint.name.contains('-') {
            return Err(broken(format!(
                "the name of its endpoint {:?} is not of the form [a-z][a-z0-9_]{{0,30}}",
                endpoint.name
            )));
        }
        check_text(&endpoint.description)?;
        if !endpoint.path.is_empty() && !endpoint.path.starts_with('/') {
            return Err(broken(format!(
                "the path {:?} of its endpoint {} does not begin with /",
                endpoint.path, endpoint.name
            )));
        }
    }
    part.taken
        .iter()
        .try_for_each(|share| check_role(descriptor, &share.role, "memory"))
}

fn check_scripts(descriptor: &PluginDescriptor, part: &PluginBundle) -> Result<(), ContractBreach> {
    for (index, script) in part.scripts.iter().enumerate() {
        check_role(descriptor, &script.role, "a script")?;
        if script.stage == ScriptStage::Drain && script.role != DRAINING_ROLE {
            return Err(broken(format!(
                "its script {} of stage drain is for role {}, where it would never run: drain runs on the {DRAINING_ROLE} alone",
                script.name, script.role
            )));
        }
        if !is_name(&script.name) {
            return Err(broken(format!(
                "the name of its script {:?} is not of the form [a-z][a-z0-9-]{{0,30}}",
                script.name
            )));
        }
        let same = |other: &&crate::bundle::NodeScript| {
            (&other.role, other.stage, &other.name) == (&script.role, script.stage, &script.name)
        };
        if part.scripts[..index].iter().any(|other| same(&other)) {
            return Err(broken(format!(
                "it has two scripts {} of stage {} for role {}",
                script.name,
                script.stage.as_str(),
                script.role
            )));
        }
    }
    Ok(())
}

fn check_role(descriptor: &PluginDescriptor, role: &str, of: &str) -> Result<(), ContractBreach> {
    if descriptor.roles.iter().any(|known| known.name == role) {
        return Ok(());
    }
    Err(broken(format!(
        "{of} is for the role {role:?}, which it does not run on"
    )))
}

fn broken(rule: impl Into<String>) -> ContractBreach {
    ContractBreach::Rule(rule.into())
}

/// `[a-z][a-z0-9-]{0,30}`
fn is_name(text: &str) -> bool {
    text.len() <= NAME_CHARS
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::framework::{
        FrameworkPort, NodeResources, NodeRole, PortAudience, RoleCardinality,
    };

    fn descriptor() -> PluginDescriptor {
        let smallest = NodeResources {
            vcpus: 1,
            ram_mib: 1,
            disk_gib: 0,
        };
        PluginDescriptor {
            name: "hadoop".into(),
            title: String::new(),
            description: String::new(),
            versions: vec!["3.5.0".into()],
            default_version: "3.5.0".into(),
            requires: vec!["cluster".into()],
            provides: vec!["hdfs".into()],
            roles: vec![NodeRole {
                name: "master".into(),
                cardinality: RoleCardinality::ExactlyOne,
                smallest,
            }],
            parameters: json!({"type": "object", "properties": {"copies": {"type": "integer", "description": "x", "default": 3}}}).into(),
            ports: vec![FrameworkPort {
                number: 1,
                role: "master".into(),
                purpose: String::new(),
                audience: PortAudience::Admin,
            }],
            resource_types: Vec::new(),
        }
    }

    #[test]
    fn each_claim_of_a_descriptor_is_held_to_the_contract() {
        check_descriptor(&descriptor()).unwrap();
        type Spoil = fn(&mut PluginDescriptor);
        let spoilt: [(Spoil, &str); 13] = [
            (|d| d.name = "Hadoop".into(), "its name \"Hadoop\""),
            (|d| d.name = "a".repeat(NAME_CHARS + 1), "its name \"aaa"),
            (
                |d| d.default_version = "3.4.3".into(),
                "its default version \"3.4.3\" is not among",
            ),
            (
                |d| d.provides.push("h dfs".into()),
                "\"h dfs\" is not the name of a service",
            ),
            (
                |d| d.ports[0].role = "queen".into(),
                "a port is for the role \"queen\"",
            ),
            (
                |d| d.title = "\u{1b}[2J".into(),
                "its text \"\\u{1b}[2J\" holds control characters",
            ),
            (
                |d| d.parameters["allOf"] = json!([{"$ref": "#"}]),
                "its parameters use $ref",
            ),
            (
                |d| {
                    let one = d.parameters["properties"]["copies"].clone();
                    let many = (0..=counts::PARAMETERS).map(|at| (format!("p{at}"), one.clone()));
                    d.parameters["properties"] = Value::Object(many.collect());
                },
                "it has 201 parameters, at most 200 are taken",
            ),
            (
                |d| {
                    let bomb = json!({"pattern": "\\w{9}\\w{9}"});
                    d.parameters["properties"]["copies"]["allOf"] = vec![bomb; 4_000].into();
                },
                "its parameters are not a JSON Schema: it has 4000 patterns, at most 100 are taken",
            ),
            (
                |d| d.parameters = json!([]).into(),
                "its parameters are not the JSON Schema of an object",
            ),
            (
                |d| d.parameters["properties"]["copies"] = json!({"type": "integer"}),
                "its parameter \"copies\" lacks",
            ),
            (
                |d| d.parameters["properties"]["copies"]["default"] = json!("three"),
                "the default of its parameter \"copies\" is refused",
            ),
            (
                |d| d.parameters["properties"]["copies"]["minimum"] = json!("one"),
                "its parameters are not a JSON Schema",
            ),
        ];
        for (spoil, said) in spoilt {
            let mut one = descriptor();
            spoil(&mut one);
            let error = check_descriptor(&one).unwrap_err().to_string();
            assert!(error.starts_with(said), "{error}");
        }
        let mut longest = descriptor();
        longest.name = "a".repeat(NAME_CHARS);
        check_descriptor(&longest).unwrap();
    }
}
