//! The JSON of Keystone's v3 and v2.0: bodies of logins, and what the answers say of a token.

use std::{sync::Arc, time::SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    CloudError, Project, User,
    api_request::ApiResponse,
    credentials::{AuthMethod, DomainRef, ProjectRef},
    service_catalog::{ServiceCatalog, ServiceV2, ServiceV3},
    timestamp,
};

/// What Keystone says of a token: user, project, roles, expiry, catalog.
#[derive(Clone, Debug)]
pub(super) struct TokenIdentity {
    /// The token of all further calls; on v2.0 a new one, scoped to the project.
    pub(super) token: SecretString,
    pub(super) project: Option<Arc<Project>>,
    pub(super) user: User,
    pub(super) roles: Vec<String>,
    pub(super) expires: Option<SystemTime>,
    pub(super) application_credential: bool,
    pub(super) catalog: ServiceCatalog,
}

/// The body of `POST /v3/auth/tokens`.
pub(super) fn login_body_v3(auth: &AuthMethod, project: Option<&ProjectRef>) -> Value {
    let domain = |domain: &DomainRef| match domain {
        DomainRef::Id(id) => json!({"id": id}),
        DomainRef::Name(name) => json!({"name": name}),
    };
    let identity = match auth {
        AuthMethod::Password {
            user_id: Some(id),
            password,
            ..
        } => {
            json!({"methods": ["password"], "password": {"user": {"id": id, "password": password.expose_secret()}}})
        }
        AuthMethod::Password {
            user_name,
            user_domain,
            password,
            ..
        } => json!({"methods": ["password"], "password": {"user":
            {"name": user_name, "domain": domain(user_domain), "password": password.expose_secret()}}}),
        AuthMethod::Token { token } => {
            json!({"methods": ["token"], "token": {"id": token.expose_secret()}})
        }
        AuthMethod::ApplicationCredential {
            id: Some(id),
            secret,
            ..
        } => {
            json!({"methods": ["application_credential"], "application_credential": {"id": id, "secret": secret.expose_secret()}})
        }
        AuthMethod::ApplicationCredential {
            name,
            user_name,
            user_domain,
            secret,
            ..
        } => {
            json!({"methods": ["application_credential"], "application_credential":
                {"name": name, "user": {"name": user_name, "domain": domain(user_domain)}, "secret": secret.expose_secret()}})
        }
    };
    let mut body = json!({"auth": {"identity": identity}});
    // An application credential bears its project and refuses another scope.
    match project {
        _ if matches!(auth, AuthMethod::ApplicationCredential { .. }) => {}
        Some(ProjectRef::Id(id)) => body["auth"]["scope"] = json!({"project": {"id": id}}),
        Some(ProjectRef::Name(name, at)) => {
            body["auth"]["scope"] = json!({"project": {"name": name, "domain": domain(at)}})
        }
        None => {}
    }
    body
}

/// The body of `POST /v2.0/tokens`.
///
/// # Errors
/// [`CloudError::Credentials`] for an application credential, which v2.0 does not know.
pub(super) fn login_body_v2(
    auth: &AuthMethod,
    project: Option<&ProjectRef>,
) -> Result<Value, CloudError> {
    let mut inner = match auth {
        AuthMethod::Password {
            user_id: None,
            user_name,
            password,
            ..
        } => {
            json!({"passwordCredentials": {"username": user_name, "password": password.expose_secret()}})
        }
        AuthMethod::Password {
            user_id: Some(id),
            password,
            ..
        } => {
            json!({"passwordCredentials": {"userId": id, "password": password.expose_secret()}})
        }
        AuthMethod::Token { token } => json!({"token": {"id": token.expose_secret()}}),
        AuthMethod::ApplicationCredential { .. } => {
            return Err(CloudError::credentials(
                "this Keystone speaks v2.0 only, which has no application credentials; use a password".to_owned(),
            ));
        }
    };
    match project {
        Some(ProjectRef::Id(id)) => inner["tenantId"] = json!(id),
        Some(ProjectRef::Name(name, _)) => inner["tenantName"] = json!(name),
        None => {}
    }
    Ok(json!({"auth": inner}))
}

#[derive(Deserialize)]
struct TokenResponseV3 {
    token: TokenV3,
}

#[derive(Deserialize)]
struct TokenV3 {
    #[serde(default)]
    methods: Vec<String>,
    user: User,
    project: Option<Project>,
    #[serde(default)]
    roles: Vec<NamedRef>,
    expires_at: Option<String>,
    #[serde(default)]
    catalog: Vec<ServiceV3>,
}

#[derive(Deserialize)]
struct NamedRef {
    name: String,
}

/// The identity in the answer to a login or a validation.
pub(super) fn identity_v3(
    answer: &ApiResponse,
    token: SecretString,
) -> Result<TokenIdentity, CloudError> {
    let body = answer.json::<TokenResponseV3>()?.token;
    Ok(TokenIdentity {
        token,
        project: body.project.map(Arc::new),
        user: body.user,
        roles: body.roles.into_iter().map(|role| role.name).collect(),
        expires: body
            .expires_at
            .as_deref()
            .and_then(timestamp::parse_timestamp),
        application_credential: body
            .methods
            .iter()
            .any(|method| method == "application_credential"),
        catalog: body.catalog.into(),
    })
}

#[derive(Deserialize)]
pub(super) struct TenantsResponseV2 {
    pub(super) tenants: Vec<Project>,
}

#[derive(Deserialize)]
struct TokenResponseV2 {
    access: AccessV2,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessV2 {
    token: TokenV2,
    user: UserV2,
    #[serde(default)]
    service_catalog: Vec<ServiceV2>,
}

#[derive(Deserialize)]
struct TokenV2 {
    id: String,
    expires: Option<String>,
    tenant: Option<Project>,
}

#[derive(Deserialize)]
struct UserV2 {
    #[serde(flatten)]
    user: User,
    #[serde(default)]
    roles: Vec<NamedRef>,
}

/// The identity in the answer to a login.
pub(super) fn identity_v2(answer: &ApiResponse) -> Result<TokenIdentity, CloudError> {
    let access = answer.json::<TokenResponseV2>()?.access;
    Ok(TokenIdentity {
        token: access.token.id.into(),
        project: access.token.tenant.map(Arc::new),
        user: access.user.user,
        roles: access
            .user
            .roles
            .into_iter()
            .map(|role| role.name)
            .collect(),
        expires: access
            .token
            .expires
            .as_deref()
            .and_then(timestamp::parse_timestamp),
        application_credential: false,
        catalog: access.service_catalog.into(),
    })
}
