//! Keystone: version documents, logins and validations, by v3 or v2.0.

use serde_json::{Value, json};

use super::{
    IdentityApi,
    cloud::{FakeCloud, FakeToken, MAIN_REGION, PASSWORD},
    reply::FakeReply,
    request::FakeRequest,
    values::format_timestamp,
};

pub(super) fn answer(cloud: &mut FakeCloud, call: &FakeRequest) -> FakeReply {
    let method = call.method.as_str();
    match (cloud.api, method, call.parts().as_slice()) {
        (IdentityApi::V3, "GET", []) => FakeReply::json(
            300,
            &json!({"versions": {"values": [version("v3.14", &cloud.url, "v3")]}}),
        ),
        (IdentityApi::V2, "GET", []) => FakeReply::json(
            300,
            &json!({"versions": {"values": [version("v2.0", &cloud.url, "v2.0")]}}),
        ),
        (IdentityApi::V3, "GET", ["v3"]) => {
            FakeReply::json(200, &json!({"version": version("v3.14", &cloud.url, "v3")}))
        }
        (IdentityApi::V2, "GET", ["v2.0"]) => FakeReply::json(
            200,
            &json!({"version": version("v2.0", &cloud.url, "v2.0")}),
        ),
        (IdentityApi::V3, "GET", ["v3", "auth", "tokens"]) => validate(cloud, call),
        (IdentityApi::V3, "POST", ["v3", "auth", "tokens"]) => login_v3(cloud, call),
        (IdentityApi::V3, "DELETE", ["v3", "auth", "tokens"]) => revoke(cloud, call),
        (IdentityApi::V2, "GET", ["v2.0", "tenants"]) => tenants(cloud, call),
        (IdentityApi::V2, "POST", ["v2.0", "tokens"]) => login_v2(cloud, call),
        _ => FakeReply {
            status: 404,
            headers: Vec::new(),
            body: b"<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>".to_vec(),
        },
    }
}

fn version(id: &str, url: &str, path: &str) -> Value {
    json!({"id": id, "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": [{"rel": "self", "href": format!("{url}/{path}/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]})
}

fn refused() -> FakeReply {
    FakeReply::unauthorized("keystone")
}

fn validate(cloud: &FakeCloud, call: &FakeRequest) -> FakeReply {
    match call
        .token
        .as_ref()
        .and_then(|token| cloud.tokens.get(token))
    {
        None => refused(),
        Some(_) => match call
            .subject
            .as_ref()
            .and_then(|subject| cloud.tokens.get(subject))
        {
            None => FakeReply::error("keystone", 404, "Not Found", "Could not find token."),
            Some(token) => FakeReply::json(200, &token_v3(cloud, token)),
        },
    }
}

fn revoke(cloud: &mut FakeCloud, call: &FakeRequest) -> FakeReply {
    let asks = |token: &Option<String>| {
        let token = token.as_ref()?;
        cloud.tokens.contains_key(token).then(|| token.clone())
    };
    match (asks(&call.token), asks(&call.subject)) {
        (None, _) => refused(),
        (_, None) => FakeReply::error("keystone", 404, "Not Found", "Could not find token."),
        (_, Some(subject)) => {
            cloud.tokens.remove(&subject);
            FakeReply {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            }
        }
    }
}

fn login_v3(cloud: &mut FakeCloud, call: &FakeRequest) -> FakeReply {
    let body = match call.json() {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let identity = &body["auth"]["identity"];
    let scope = &body["auth"]["scope"]["project"];
    let wanted = scope["name"]
        .as_str()
        .or_else(|| scope["id"].as_str())
        .and_then(|name| cloud.project_id(name));
    let (user, method, bound) = match identity["methods"][0].as_str() {
        Some("password") => {
            let user = &identity["password"]["user"];
            let name = user["name"]
                .as_str()
                .or_else(|| user["id"].as_str())
                .unwrap_or_default()
                .to_owned();
            if user["password"] != PASSWORD {
                return refused();
            }
            (name, "password", None)
        }
        Some("token") => match identity["token"]["id"]
            .as_str()
            .and_then(|token| cloud.tokens.get(token))
        {
            Some(token) => (token.user.clone(), "token", None),
            None => return refused(),
        },
        Some("application_credential") => {
            let credential = &identity["application_credential"];
            if credential["secret"] != PASSWORD {
                return refused();
            }
            let name = credential["id"]
                .as_str()
                .or_else(|| credential["user"]["name"].as_str())
                .unwrap_or_default()
                .to_owned();
            (
                name.clone(),
                "application_credential",
                cloud.project_id(&name),
            )
        }
        _ => {
            return FakeReply::error(
                "keystone",
                400,
                "Bad Request",
                "Expecting to find identity in auth.",
            );
        }
    };
    // A user belongs to the project of their own name alone.
    let Some(home) = cloud.project_id(&user) else {
        return refused();
    };
    let project = wanted.or(bound);
    if project.as_ref().is_some_and(|project| *project != home)
        || (project.is_none() && !scope.is_null())
    {
        return refused();
    }
    let id = cloud.add_token(project, &user, method);
    let body = token_v3(cloud, &cloud.tokens[&id]);
    FakeReply::json(201, &body).with("x-subject-token", id)
}

fn token_v3(cloud: &FakeCloud, token: &FakeToken) -> Value {
    let domain = json!({"id": "default", "name": "Default"});
    let mut body = json!({
        "methods": [token.method],
        "user": {"domain": domain, "id": format!("user-{}", token.user), "name": token.user, "password_expires_at": null},
        "audit_ids": ["3oHVVgHlSASbfg7AdM6Xew"],
        "expires_at": format_timestamp(token.expires, ".000000Z"),
        "issued_at": format_timestamp(std::time::SystemTime::now(), ".000000Z"),
    });
    if let Some(project) = &token.project {
        let name = cloud.project_name(project);
        body["project"] = json!({"domain": domain, "id": project, "name": name});
        body["is_domain"] = json!(false);
        body["roles"] =
            json!([{"id": "r1", "name": "member"}, {"id": "r2", "name": "heat_stack_owner"}]);
        let services = cloud.regions().into_iter().flat_map(|region| {
            let endpoints = cloud.endpoints(project, region).into_iter();
            endpoints.map(move |(service_type, name, url)| {
                let endpoint = |interface: &str| json!({"id": format!("{name}-{interface}"), "interface": interface, "region_id": region, "region": region, "url": url});
                json!({"id": name, "type": service_type, "name": name, "endpoints": [endpoint("internal"), endpoint("public"), endpoint("admin")]})
            })
        });
        body["catalog"] = services.collect();
    }
    if token.method == "application_credential" {
        body["application_credential"] = json!({"id": "ac", "name": "ac", "restricted": true});
    }
    json!({"token": body})
}

fn tenants(cloud: &FakeCloud, call: &FakeRequest) -> FakeReply {
    let Some(token) = call
        .token
        .as_ref()
        .and_then(|token| cloud.tokens.get(token))
    else {
        return refused();
    };
    let tenants: Vec<Value> = cloud
        .project_id(&token.user)
        .map(|id| json!({"id": id, "name": token.user, "enabled": true}))
        .into_iter()
        .collect();
    FakeReply::json(200, &json!({"tenants": tenants, "tenants_links": []}))
}

fn login_v2(cloud: &mut FakeCloud, call: &FakeRequest) -> FakeReply {
    let body = match call.json() {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let auth = &body["auth"];
    let user = if let Some(token) = auth["token"]["id"].as_str() {
        match cloud.tokens.get(token) {
            Some(token) => token.user.clone(),
            None => return refused(),
        }
    } else if auth["passwordCredentials"]["password"] == PASSWORD {
        auth["passwordCredentials"]["username"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    } else {
        return refused();
    };
    let wanted = auth["tenantName"]
        .as_str()
        .or_else(|| auth["tenantId"].as_str())
        .and_then(|name| cloud.project_id(name));
    if cloud.project_id(&user).is_none() || (wanted.is_some() && wanted != cloud.project_id(&user))
    {
        return refused();
    }
    let id = cloud.add_token(wanted.clone(), &user, "password");
    let mut access = json!({
        "token": {"id": id, "issued_at": format_timestamp(std::time::SystemTime::now(), ".000000Z"), "expires": format_timestamp(cloud.tokens[&id].expires, "Z")},
        "user": {"id": format!("user-{user}"), "name": user, "username": user, "roles": [{"name": "_member_"}], "roles_links": []},
        "metadata": {"is_admin": 0, "roles": ["r1"]},
        "serviceCatalog": [],
    });
    if let Some(project) = wanted {
        access["token"]["tenant"] = json!({"id": project, "name": cloud.project_name(&project), "enabled": true, "description": null});
        let services = cloud.endpoints(&project, MAIN_REGION).into_iter().map(|(service_type, name, url)| {
            json!({"type": service_type, "name": name, "endpoints_links": [], "endpoints":
                [{"region": "RegionOne", "publicURL": url, "internalURL": url, "adminURL": url, "id": name}]})
        });
        access["serviceCatalog"] = services.collect();
    }
    FakeReply::json(200, &json!({"access": access}))
}
