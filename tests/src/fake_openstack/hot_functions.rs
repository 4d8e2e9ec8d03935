//! Resolves HOT's functions, as far as outputs and properties need them. What cannot be known yet
//! is null.

use serde_json::{Value, json};

use super::stack::{FakeStack, SERVER, WAIT};

/// The value with its functions resolved.
pub(super) fn resolve_value(stack: &FakeStack, raw: &Value) -> Value {
    match raw {
        Value::Object(map) if map.len() == 1 => match map.iter().next() {
            Some((name, argument)) => {
                function(stack, name, argument).unwrap_or_else(|| each(stack, raw))
            }
            None => Value::Null,
        },
        _ => each(stack, raw),
    }
}

fn each(stack: &FakeStack, raw: &Value) -> Value {
    match raw {
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| (key.clone(), resolve_value(stack, inner)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(list) => list
            .iter()
            .map(|inner| resolve_value(stack, inner))
            .collect(),
        plain => plain.clone(),
    }
}

/// `None` when the name is no function's.
fn function(stack: &FakeStack, name: &str, argument: &Value) -> Option<Value> {
    Some(match name {
        "get_param" => parameter(stack, argument),
        "get_resource" => made(stack, argument.as_str()?).map_or(Value::Null, |id| json!(id)),
        "get_attr" => attribute(stack, argument.as_array()?),
        "get_file" => json!(stack.files.get(argument.as_str()?)?),
        "str_replace" => {
            let mut text = resolve_value(stack, &argument["template"])
                .as_str()?
                .to_owned();
            for (from, to) in argument["params"].as_object()? {
                text = text.replace(from, &plain(&resolve_value(stack, to)));
            }
            json!(text)
        }
        "if" => {
            let [condition, then, otherwise] = argument.as_array()?.as_slice() else {
                return None;
            };
            resolve_value(
                stack,
                if condition_holds(stack, condition) {
                    then
                } else {
                    otherwise
                },
            )
        }
        "map_merge" => {
            let maps = argument
                .as_array()?
                .iter()
                .map(|map| resolve_value(stack, map))
                .filter_map(|map| map.as_object().cloned());
            Value::Object(maps.flatten().collect())
        }
        "list_join" => {
            let (delimiter, lists) = argument.as_array()?.split_first()?;
            let items: Vec<String> = lists
                .iter()
                .flat_map(|list| {
                    resolve_value(stack, list)
                        .as_array()
                        .cloned()
                        .unwrap_or_default()
                })
                .map(|i| plain(&i))
                .collect();
            json!(items.join(delimiter.as_str()?))
        }
        _ => return None,
    })
}

/// A condition, by its name or written out.
fn condition_holds(stack: &FakeStack, condition: &Value) -> bool {
    match condition {
        Value::String(name) => condition_holds(stack, &stack.template["conditions"][name]),
        Value::Object(map) => match map.iter().next() {
            Some((function, argument)) => match function.as_str() {
                "equals" => {
                    resolve_value(stack, &argument[0]) == resolve_value(stack, &argument[1])
                }
                "not" => !condition_holds(stack, argument),
                "and" => argument
                    .as_array()
                    .into_iter()
                    .flatten()
                    .all(|inner| condition_holds(stack, inner)),
                "or" => argument
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|inner| condition_holds(stack, inner)),
                _ => resolve_value(stack, condition) == true,
            },
            None => false,
        },
        other => *other == true,
    }
}

fn parameter(stack: &FakeStack, argument: &Value) -> Value {
    let (name, path) = match argument {
        Value::Array(list) => (
            list.first().and_then(Value::as_str).unwrap_or_default(),
            list.get(1..).unwrap_or_default(),
        ),
        plain => (plain.as_str().unwrap_or_default(), &[][..]),
    };
    let found = match name {
        "OS::stack_name" => json!(stack.name),
        "OS::stack_id" => json!(stack.id),
        "OS::project_id" => json!(stack.project),
        _ => stack
            .parameters
            .get(name)
            .or_else(|| stack.template["parameters"][name].get("default"))
            .cloned()
            .unwrap_or_default(),
    };
    walk(found, path)
}

fn attribute(stack: &FakeStack, argument: &[Value]) -> Value {
    let (Some(name), Some(attribute)) = (
        argument.first().and_then(Value::as_str),
        argument.get(1).and_then(Value::as_str),
    ) else {
        return Value::Null;
    };
    let resource = &stack.template["resources"][name];
    let kind = resource["type"].as_str().unwrap_or_default();
    if kind != WAIT && made(stack, name).is_none() {
        return Value::Null;
    }
    let property = |name: &str| resolve_value(stack, &resource["properties"][name]);
    let found = match (kind, attribute) {
        ("OS::Neutron::FloatingIP", "floating_ip_address") => {
            json!(format!("203.0.113.{}", 10 + place(stack, name)))
        }
        (SERVER, "first_address") => first_address(stack, resource),
        (SERVER, "accessIPv4") => json!(""),
        ("OS::Heat::WaitConditionHandle", "signal") => handle_signal(stack, name),
        (WAIT, "data") => {
            let handle = resource["properties"]["handle"]["get_resource"]
                .as_str()
                .unwrap_or_default();
            let data = stack
                .signals
                .get(handle)
                .into_iter()
                .flatten()
                .map(|(id, signal)| (id.clone(), signal["data"].clone()));
            json!(Value::Object(data.collect()).to_string())
        }
        _ => property(attribute),
    };
    walk(found, argument.get(2..).unwrap_or_default())
}

/// The fixed address of the server's first port.
fn first_address(stack: &FakeStack, server: &Value) -> Value {
    let port = server["properties"]["networks"][0]["port"]["get_resource"]
        .as_str()
        .unwrap_or_default();
    resolve_value(
        stack,
        &stack.template["resources"][port]["properties"]["fixed_ips"][0]["ip_address"],
    )
}

/// Heat gives this one as JSON text.
pub(super) fn handle_signal(stack: &FakeStack, handle: &str) -> Value {
    let transport = resolve_value(
        stack,
        &stack.template["resources"][handle]["properties"]["signal_transport"],
    );
    if transport == "TOKEN_SIGNAL" {
        return Value::Null;
    }
    let alarm_url = format!(
        "http://fake-openstack/v1/waitcondition/{}/{handle}",
        stack.name
    );
    let mut signal = json!({"alarm_url": alarm_url});
    if transport == "HEAT_SIGNAL" {
        signal["auth_url"] = json!("http://fake-openstack/v3");
        signal["user_id"] = json!(format!("user-{handle}"));
        signal["password"] = json!(format!("password-{}-{handle}", stack.id));
        signal["project_id"] = json!(stack.project);
    }
    json!(signal.to_string())
}

fn made<'a>(stack: &'a FakeStack, name: &str) -> Option<&'a str> {
    stack
        .resources
        .iter()
        .find(|resource| resource.name == name)
        .map(|resource| resource.physical_id.as_str())
        .filter(|id| !id.is_empty())
}

fn place(stack: &FakeStack, name: &str) -> usize {
    stack
        .resources
        .iter()
        .position(|resource| resource.name == name)
        .unwrap_or(0)
}

fn walk(mut found: Value, path: &[Value]) -> Value {
    for step in path {
        found = match step {
            Value::Number(at) => at
                .as_u64()
                .and_then(|at| found.get(usize::try_from(at).ok()?))
                .cloned(),
            Value::String(key) => found.get(key).cloned(),
            _ => None,
        }
        .unwrap_or_default();
    }
    found
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
