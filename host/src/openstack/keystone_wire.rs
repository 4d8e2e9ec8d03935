//! The JSON of Keystone's v3 and v2.0: bodies of logins, and what the answers say of a token.

use std::{sync::Arc, time::SystemTime};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    CloudConfig, CloudError, Project, User,
    api_request::ApiResponse,
    catalog_wire::{ServiceV2, ServiceV3},
    credentials::{AuthMethod, CredentialRef, DomainRef, LoginScope, ProjectRef, UserRef},
    service_catalog::ServiceCatalog,
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
pub(super) fn login_body_v3(auth: &AuthMethod, scope: &LoginScope) -> Value {
    let domain = |domain: &DomainRef| match domain {
        DomainRef::Id(id) => json!({"id": id}),
        DomainRef::Name(name) => json!({"name": name}),
    };
    let user = |user: &UserRef| match user {
        UserRef::Id(id) => json!({"id": id}),
        UserRef::Name(name, at) => json!({"name": name, "domain": domain(at)}),
    };
    let identity = match auth {
        AuthMethod::Password {
            user: who,
            password,
        } => {
            let mut who = user(who);
            who["password"] = json!(password.expose_secret());
            json!({"methods": ["password"], "password": {"user": who}})
        }
        AuthMethod::Token { token } => {
            json!({"methods": ["token"], "token": {"id": token.expose_secret()}})
        }
        AuthMethod::ApplicationCredential { credential, secret } => {
            let mut inner = match credential {
                CredentialRef::Id(id) => json!({"id": id}),
                CredentialRef::Name(name, who) => json!({"name": name, "user": user(who)}),
            };
            inner["secret"] = json!(secret.expose_secret());
            json!({"methods": ["application_credential"], "application_credential": inner})
        }
    };
    let mut body = json!({"auth": {"identity": identity}});
    match scope {
        LoginScope::Project(ProjectRef::Id(id)) => {
            body["auth"]["scope"] = json!({"project": {"id": id}});
        }
        LoginScope::Project(ProjectRef::Name(name, at)) => {
            body["auth"]["scope"] = json!({"project": {"name": name, "domain": domain(at)}});
        }
        LoginScope::Trust(id) => body["auth"]["scope"] = json!({"OS-TRUST:trust": {"id": id}}),
        LoginScope::Unnamed => {}
    }
    body
}

/// The body of `POST /v2.0/tokens`.
///
/// # Errors
/// [`CloudError::Credentials`] for an application credential or a trust, which v2.0 does not know.
pub(super) fn login_body_v2(auth: &AuthMethod, scope: &LoginScope) -> Result<Value, CloudError> {
    let unknown = |what: &str| {
        Err(CloudError::credentials(format!(
            "this Keystone speaks v2.0 only, which has no {what}; use a password"
        )))
    };
    let mut inner = match auth {
        AuthMethod::Password { user, password } => {
            let (key, user) = match user {
                UserRef::Id(id) => ("userId", id),
                UserRef::Name(name, _) => ("username", name),
            };
            json!({"passwordCredentials": {key: user, "password": password.expose_secret()}})
        }
        AuthMethod::Token { token } => json!({"token": {"id": token.expose_secret()}}),
        AuthMethod::ApplicationCredential { .. } => return unknown("application credentials"),
    };
    match scope {
        LoginScope::Project(ProjectRef::Id(id)) => inner["tenantId"] = json!(id),
        LoginScope::Project(ProjectRef::Name(name, _)) => inner["tenantName"] = json!(name),
        LoginScope::Trust(_) => return unknown("trusts"),
        LoginScope::Unnamed => {}
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
    config: &CloudConfig,
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
        catalog: used_catalog(body.catalog, config),
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
pub(super) fn identity_v2(
    answer: &ApiResponse,
    config: &CloudConfig,
) -> Result<TokenIdentity, CloudError> {
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
        catalog: used_catalog(access.service_catalog, config),
    })
}

fn used_catalog(services: impl Into<ServiceCatalog>, config: &CloudConfig) -> ServiceCatalog {
    let mut catalog = services.into();
    catalog.keep_used(config);
    catalog
}
