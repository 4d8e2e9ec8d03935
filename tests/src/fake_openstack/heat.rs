//! Heat: its API for stacks, resources, events, metadata and signals, in the shapes of its answers.

use serde_json::{Map, Value, json};

use super::{
    cloud::FakeCloud,
    hot_functions,
    reply::FakeReply,
    request::FakeRequest,
    stack::FakeStack,
    stack_parts::{FakeEvent, FakeResource},
    template_check,
};

pub(super) fn answer(cloud: &mut FakeCloud, call: &FakeRequest, project: &str) -> FakeReply {
    let parts = call.parts();
    if parts.get(1) != Some(&project) {
        return FakeReply::error(
            "heat",
            403,
            "HTTPForbidden",
            "Access was denied to this resource.",
        );
    }
    // A region's stacks are its own.
    let scope = match &call.region {
        Some(region) => format!("{project}@{region}"),
        None => project.to_owned(),
    };
    let project = scope.as_str();
    if let Some(refused) = refuse_reader(cloud, call) {
        return refused;
    }
    if call.body.len() > template_check::MAX_BODY_BYTES {
        let message = format!(
            "JSON body size ({} bytes) exceeds maximum allowed size ({} bytes).",
            call.body.len(),
            template_check::MAX_BODY_BYTES
        );
        return FakeReply::error("heat", 400, "RequestLimitExceeded", &message);
    }
    let outcome = match (call.method.as_str(), &parts[2..]) {
        ("GET", ["stacks"]) => Ok(list(cloud, call, project)),
        ("POST", ["stacks"]) => create(cloud, call, project),
        ("POST", ["validate"]) => validate(cloud, call),
        ("GET", ["stacks", name]) => redirect_by_name(cloud, project, name),
        ("GET", ["stacks", name, id]) => find(cloud, project, name, id).map(|at| show(cloud, at)),
        ("PUT", ["stacks", name, id]) => update(cloud, call, project, name, id),
        ("DELETE", ["stacks", name, id]) => delete(cloud, project, name, id),
        ("GET", ["stacks", name, id, "template"]) => find(cloud, project, name, id)
            .map(|at| FakeReply::json(200, &cloud.stacks[at].template)),
        ("GET", ["stacks", name, id, "files"]) => find(cloud, project, name, id)
            .map(|at| FakeReply::json(200, &json!(cloud.stacks[at].files))),
        ("GET", ["stacks", name, id, "resources"]) => {
            find(cloud, project, name, id).map(|at| resources(cloud, at))
        }
        ("GET", ["stacks", name, id, "events"]) => {
            find(cloud, project, name, id).map(|at| events(cloud, call, at, None))
        }
        ("GET", ["stacks", name, id, "resources", resource, "events"]) => {
            find(cloud, project, name, id).map(|at| events(cloud, call, at, Some(resource)))
        }
        ("GET", ["stacks", name, id, "resources", resource, "metadata"]) => {
            find(cloud, project, name, id).map(|at| {
                let metadata = cloud.stacks[at]
                    .signals
                    .get(*resource)
                    .cloned()
                    .unwrap_or_default();
                FakeReply::json(200, &json!({"metadata": metadata}))
            })
        }
        ("GET", ["stacks", name, id, "resources", resource]) => {
            find(cloud, project, name, id).and_then(|at| show_resource(cloud, call, at, resource))
        }
        ("POST", ["stacks", name, id, "resources", resource, "signal"]) => {
            signal(cloud, call, project, (name, id), resource)
        }
        _ => Err(FakeReply::error(
            "heat",
            404,
            "HTTPNotFound",
            "The resource could not be found.",
        )),
    };
    outcome.unwrap_or_else(|reply| reply)
}

/// Who may only look is refused all else.
fn refuse_reader(cloud: &FakeCloud, call: &FakeRequest) -> Option<FakeReply> {
    let token = call.token.as_ref();
    let user = &token.and_then(|token| cloud.tokens.get(token))?.user;
    let status = cloud.readers.get(user).filter(|_| call.method != "GET")?;
    let words = "You are not authorized to complete this action.";
    Some(FakeReply::error("heat", *status, "Forbidden", words))
}

fn unknown(name: &str) -> FakeReply {
    FakeReply::error(
        "heat",
        404,
        "EntityNotFound",
        &format!("The Stack ({name}) could not be found."),
    )
}

/// By name and id, also when it is gone: Heat remembers it for a while.
fn find(cloud: &FakeCloud, project: &str, name: &str, id: &str) -> Result<usize, FakeReply> {
    let is = |stack: &FakeStack| stack.project == project && stack.name == name && stack.id == id;
    cloud
        .stacks
        .iter()
        .position(is)
        .ok_or_else(|| unknown(name))
}

fn redirect_by_name(cloud: &FakeCloud, project: &str, name: &str) -> Result<FakeReply, FakeReply> {
    let is = |stack: &&FakeStack| {
        stack.project == project && ((stack.name == name && !stack.is_gone()) || stack.id == name)
    };
    let stack = cloud.stacks.iter().find(is).ok_or_else(|| unknown(name))?;
    Ok(FakeReply::empty(302).with("location", link(cloud, stack)))
}

fn link(cloud: &FakeCloud, stack: &FakeStack) -> String {
    format!(
        "{}/heat-api/v1/{}/stacks/{}/{}",
        cloud.url, stack.project, stack.name, stack.id
    )
}

fn list(cloud: &FakeCloud, call: &FakeRequest, project: &str) -> FakeReply {
    let wanted: Vec<&str> = call
        .query("tags")
        .map(|tags| tags.split(',').collect())
        .unwrap_or_default();
    let has = |stack: &&FakeStack| {
        wanted
            .iter()
            .all(|tag| stack.tags.iter().any(|known| known == tag))
    };
    let found = cloud
        .stacks
        .iter()
        .filter(|stack| stack.project == project && !stack.is_gone())
        .filter(|stack| call.query("name").is_none_or(|name| stack.name == name))
        .filter(has)
        .rev()
        .collect();
    let (page, _) = call.page(found, |stack| &stack.id);
    let stacks: Vec<Value> = page
        .into_iter()
        .map(|stack| summary(cloud, stack))
        .collect();
    FakeReply::json(200, &json!({"stacks": stacks}))
}

fn summary(cloud: &FakeCloud, stack: &FakeStack) -> Value {
    json!({"id": stack.id, "links": [{"href": link(cloud, stack), "rel": "self"}], "stack_name": stack.name, "description": "",
        "stack_status": stack.status(), "stack_status_reason": stack.reason, "creation_time": stack.created, "updated_time": stack.updated,
        "deletion_time": stack.deleted, "stack_owner": stack.owner, "parent": null, "stack_user_project_id": "199ac803c4d141feb15dc9ac3826d061",
        "tags": stack.tags})
}

fn show(cloud: &FakeCloud, at: usize) -> FakeReply {
    let stack = &cloud.stacks[at];
    let mut body = summary(cloud, stack);
    let mut parameters: Map<String, Value> = stack
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), json!(text(value))))
        .collect();
    for (name, value) in [
        ("OS::stack_id", &stack.id),
        ("OS::project_id", &stack.project),
        ("OS::stack_name", &stack.name),
    ] {
        parameters.insert(name.to_owned(), json!(value));
    }
    body["description"] = stack.template["description"].clone();
    body["template_description"] = stack.template["description"].clone();
    body["parameters"] = parameters.into();
    body["capabilities"] = json!([]);
    body["notification_topics"] = json!([]);
    body["disable_rollback"] = json!(true);
    body["timeout_mins"] = json!(stack.timeout_mins);
    if !stack.is_gone() {
        let output = |(key, output): (&String, &Value)| {
            let description = output["description"]
                .as_str()
                .unwrap_or("No description given");
            json!({"output_key": key, "description": description, "output_value": hot_functions::resolve_value(stack, &output["value"])})
        };
        body["outputs"] = stack.template["outputs"]
            .as_object()
            .into_iter()
            .flatten()
            .map(output)
            .collect();
    }
    FakeReply::json(200, &json!({"stack": body}))
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The body of a create, once it passed Heat's checks, with the stack's name.
fn parse_create(cloud: &FakeCloud, call: &FakeRequest) -> Result<(Value, String), FakeReply> {
    let request = call.json()?;
    let name = request["stack_name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !name.starts_with(|c: char| c.is_ascii_alphabetic())
        || !name.chars().all(good)
        || name.len() > 255
    {
        let message = format!(
            "Invalid stack name {name} must contain only alphanumeric or \"_-.\" characters, must start with alpha and must be 255 characters or less."
        );
        return Err(FakeReply::error(
            "heat",
            400,
            "StackValidationFailed",
            &message,
        ));
    }
    template_check::check_template(&cloud.fixtures, &request)?;
    Ok((request, name))
}

fn create(
    cloud: &mut FakeCloud,
    call: &FakeRequest,
    project: &str,
) -> Result<FakeReply, FakeReply> {
    let (request, name) = parse_create(cloud, call)?;
    if cloud
        .stacks
        .iter()
        .any(|stack| stack.project == project && stack.name == name && !stack.is_gone())
    {
        return Err(FakeReply::error(
            "heat",
            409,
            "StackExists",
            &format!("The Stack ({name}) already exists."),
        ));
    }
    let token = call
        .token
        .as_ref()
        .and_then(|token| cloud.tokens.get(token));
    if token.is_some_and(|token| token.method == "application_credential") {
        // As the real one: creating the trust fails, and Heat says no more than this.
        return Err(FakeReply::json(
            500,
            &json!({"code": 500, "title": "Internal Server Error", "explanation":
            "The server has either erred or is incapable of performing the requested operation.", "error": {"type": "RemoteError", "traceback": null}}),
        ));
    }
    let owner = token.map(|token| token.user.clone()).unwrap_or_default();
    let (number, fails) = (cloud.next(), cloud.next_create_fails.take());
    let stack = FakeStack::create(&request, project, &owner, number, fails);
    let link = link(cloud, &stack);
    let reply = FakeReply::json(
        201,
        &json!({"stack": {"id": stack.id, "links": [{"href": link, "rel": "self"}]}}),
    )
    .with("location", link);
    cloud.stacks.push(stack);
    Ok(reply)
}

fn validate(cloud: &FakeCloud, call: &FakeRequest) -> Result<FakeReply, FakeReply> {
    let request = call.json()?;
    template_check::check_template(&cloud.fixtures, &request)?;
    Ok(FakeReply::json(
        200,
        &json!({"Description": request["template"]["description"], "Parameters": {}, "Environment": {}}),
    ))
}

fn update(
    cloud: &mut FakeCloud,
    call: &FakeRequest,
    project: &str,
    name: &str,
    id: &str,
) -> Result<FakeReply, FakeReply> {
    let at = living(cloud, project, name, id)?;
    let request = call.json()?;
    template_check::check_template(&cloud.fixtures, &request)?;
    let fails = cloud.next_update_fails.take();
    cloud.stacks[at].update(&request, fails);
    Ok(FakeReply::empty(202))
}

fn signal(
    cloud: &mut FakeCloud,
    call: &FakeRequest,
    project: &str,
    (name, id): (&str, &str),
    resource: &str,
) -> Result<FakeReply, FakeReply> {
    let at = living(cloud, project, name, id)?;
    let signal = call.json()?;
    let text = |key: &str| signal[key].as_str().unwrap_or_default();
    cloud.stacks[at].signal(
        resource,
        text("id"),
        text("status"),
        text("reason"),
        text("data"),
    );
    Ok(FakeReply::json(200, &Value::Null))
}

fn delete(
    cloud: &mut FakeCloud,
    project: &str,
    name: &str,
    id: &str,
) -> Result<FakeReply, FakeReply> {
    let at = living(cloud, project, name, id)?;
    let fails = cloud.deletes_fail > 0;
    cloud.deletes_fail = cloud.deletes_fail.saturating_sub(1);
    cloud.stacks[at].delete(fails);
    Ok(FakeReply::empty(204))
}

fn living(cloud: &FakeCloud, project: &str, name: &str, id: &str) -> Result<usize, FakeReply> {
    find(cloud, project, name, id).and_then(|at| {
        if cloud.stacks[at].is_gone() {
            Err(unknown(name))
        } else {
            Ok(at)
        }
    })
}

/// Heat shows attributes where some are asked for; of a handle all that it has.
fn show_resource(
    cloud: &FakeCloud,
    call: &FakeRequest,
    at: usize,
    name: &str,
) -> Result<FakeReply, FakeReply> {
    let stack = &cloud.stacks[at];
    let found = stack.resources.iter().find(|one| one.name == name);
    let found = found.ok_or_else(|| {
        let message = format!(
            "The Resource ({name}) could not be found in Stack {}.",
            stack.name
        );
        FakeReply::error("heat", 404, "EntityNotFound", &message)
    })?;
    let mut body = resource_body(cloud, stack, found);
    if let Some(asked) = call.query("with_attr") {
        let signal = hot_functions::handle_signal(stack, name);
        let mut attributes = json!({"token": null, "endpoint": null, "curl_cli": null});
        attributes[asked] = Value::Null;
        attributes["signal"] = signal;
        body["attributes"] = attributes;
    }
    Ok(FakeReply::json(200, &json!({"resource": body})))
}

fn resource_body(cloud: &FakeCloud, stack: &FakeStack, resource: &FakeResource) -> Value {
    json!({"updated_time": resource.updated, "creation_time": stack.created, "logical_resource_id": resource.name, "resource_name": resource.name,
            "physical_resource_id": resource.physical_id, "resource_status": resource.status, "resource_status_reason": resource.reason,
            "resource_type": resource.kind, "links": [{"href": format!("{}/resources/{}", link(cloud, stack), resource.name), "rel": "self"}],
            "required_by": []})
}

fn resources(cloud: &FakeCloud, at: usize) -> FakeReply {
    let stack = &cloud.stacks[at];
    let resource = |resource: &FakeResource| resource_body(cloud, stack, resource);
    FakeReply::json(
        200,
        &json!({"resources": stack.resources.iter().map(resource).collect::<Vec<_>>()}),
    )
}

fn events(cloud: &FakeCloud, call: &FakeRequest, at: usize, resource: Option<&str>) -> FakeReply {
    let stack = &cloud.stacks[at];
    if let Some(marker) = call.query("marker")
        && !stack.events.iter().any(|event| event.id == marker)
    {
        return FakeReply::error(
            "heat",
            404,
            "EntityNotFound",
            &format!("The Event ({marker}) could not be found."),
        );
    }
    // The marker counts among all events, so those of a resource are chosen behind it.
    let mut all: Vec<&FakeEvent> = stack.events.iter().collect();
    if call.query("sort_dir") != Some("asc") {
        all.reverse();
    }
    let start = call
        .query("marker")
        .and_then(|marker| all.iter().position(|event| event.id == marker))
        .map_or(0, |at| at + 1);
    let limit = call
        .query("limit")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(usize::MAX);
    let of = |event: &&&FakeEvent| resource.is_none_or(|resource| event.resource == resource);
    let event = |event: &&FakeEvent| {
        json!({"id": event.id, "links": [{"href": link(cloud, stack), "rel": "stack"}], "event_time": event.time, "logical_resource_id": event.resource,
            "resource_name": event.resource, "physical_resource_id": event.physical_id, "resource_status": event.status,
            "resource_status_reason": event.reason})
    };
    FakeReply::json(
        200,
        &json!({"events": all[start..].iter().filter(of).take(limit).map(event).collect::<Vec<_>>()}),
    )
}
