//! Keystone, v3 and (for old clouds) v2.0: which of them the cloud speaks, what a token is good
//! for, and a token for credentials. Knows no other service.

use std::{sync::Arc, time::SystemTime};

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use url::Url;

use super::{
    CloudConfig, CloudError, Project, User,
    catalog::{ServiceCatalog, ServiceV2, ServiceV3},
    credentials::{AuthMethod, DomainRef, ProjectRef},
    timestamp,
    transport::{ApiRequest, ApiResponse, HttpTransport, RetryPolicy},
};

/// As messages name it.
pub(super) const KEYSTONE: &str = "keystone";

/// The API that a Keystone speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeystoneVersion {
    V2,
    V3,
}

/// One Keystone.
#[derive(Debug)]
pub(super) struct KeystoneClient {
    /// Without version and trailing slash.
    base: Url,
    version: OnceCell<KeystoneVersion>,
}

/// What a token is good for.
#[derive(Clone, Debug)]
pub(super) struct TokenIdentity {
    /// To use from here on; v2.0 gives a new one for the project.
    pub(super) token: SecretString,
    pub(super) project: Option<Arc<Project>>,
    pub(super) user: User,
    pub(super) roles: Vec<String>,
    pub(super) expires: Option<SystemTime>,
    pub(super) application_credential: bool,
    pub(super) catalog: ServiceCatalog,
}

impl KeystoneClient {
    /// # Errors
    /// [`Error::Config`] when `auth_url` is no http(s) URL.
    pub(super) fn new(auth_url: &str) -> Result<Self, CloudError> {
        let wrong = |what: &str| {
            CloudError::Config(format!(
                "Keystone's address (DESIGN_URI, OS_AUTH_URL) {what}: `{auth_url}`"
            ))
        };
        let mut base =
            Url::parse(auth_url.trim()).map_err(|e| wrong(&format!("is no URL ({e})")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(wrong("is no http or https URL"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            // Not repeated in the message: it may hold a password.
            return Err(CloudError::Config("Keystone's address (DESIGN_URI, OS_AUTH_URL) must not hold a user name or a password".to_owned()));
        }
        let path = base.path().trim_end_matches('/');
        let path = ["/v3", "/v2.0"]
            .into_iter()
            .find_map(|version| path.strip_suffix(version))
            .unwrap_or(path);
        let path = path.trim_end_matches('/').to_owned();
        base.set_path(&path);
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self {
            base,
            version: OnceCell::new(),
        })
    }

    /// What `token` is good for; on v2.0, where a token does not say, it is scoped to `project`
    /// anew.
    pub(super) async fn validate(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
        token: &SecretString,
        project: &str,
    ) -> Result<TokenIdentity, CloudError> {
        match self.version(http, config).await? {
            KeystoneVersion::V3 => {
                let mut call = self.call(
                    config,
                    "validate a token",
                    Method::GET,
                    "v3/auth/tokens",
                    Some(token),
                );
                call.subject = true;
                match http.send(&call).await {
                    Ok(answer) => identity_v3(&answer, token.clone()),
                    // Keystone answers 404 to a token that it does not know when the asking one is
                    // good.
                    Err(failure) if failure.error.is_not_found() => {
                        Err(CloudError::InvalidToken { service: KEYSTONE })
                    }
                    Err(failure) => Err(failure.error),
                }
            }
            KeystoneVersion::V2 => self.rescope_v2(http, config, token, project).await,
        }
    }

    /// A token for these credentials.
    pub(super) async fn login(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
        auth: &AuthMethod,
        project: Option<&ProjectRef>,
    ) -> Result<TokenIdentity, CloudError> {
        let version = self.version(http, config).await?;
        let (path, body) = match version {
            KeystoneVersion::V3 => ("v3/auth/tokens", login_body_v3(auth, project)),
            KeystoneVersion::V2 => ("v2.0/tokens", login_body_v2(auth, project)?),
        };
        let mut call = self.call(config, "get a token", Method::POST, path, None);
        call.body = Some(body);
        let answer = http.send(&call).await?;
        match version {
            KeystoneVersion::V2 => identity_v2(&answer),
            KeystoneVersion::V3 => {
                let token = answer
                    .headers
                    .get("x-subject-token")
                    .and_then(|token| token.to_str().ok());
                let token =
                    token.ok_or_else(|| answer.bad("there is no X-Subject-Token".to_owned()))?;
                identity_v3(&answer, SecretString::from(token))
            }
        }
    }

    async fn version(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
    ) -> Result<KeystoneVersion, CloudError> {
        self.version
            .get_or_try_init(|| self.discover(http, config))
            .await
            .copied()
    }

    /// By the version document, or where a proxy hides it, by the version's own address.
    async fn discover(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
    ) -> Result<KeystoneVersion, CloudError> {
        let document = http
            .send(&self.call(config, "name its versions", Method::GET, "", None))
            .await;
        match document {
            Ok(answer)
                if answer.status.is_success() || answer.status == StatusCode::MULTIPLE_CHOICES =>
            {
                // A proxy may show a page of its own at the root.
                if let Some(version) = answer.json().ok().as_ref().and_then(best_version) {
                    return Ok(version);
                }
            }
            Err(failure)
                if !matches!(
                    failure.error,
                    CloudError::NotFound { .. }
                        | CloudError::Forbidden { .. }
                        | CloudError::BadCredentials { .. }
                ) =>
            {
                return Err(failure.error);
            }
            Ok(_) | Err(_) => {}
        }
        for (version, path) in [(KeystoneVersion::V3, "v3"), (KeystoneVersion::V2, "v2.0")] {
            let document = http
                .send(&self.call(config, "name its versions", Method::GET, path, None))
                .await;
            // A proxy may answer anything with a page of its own.
            let id = document
                .ok()
                .and_then(|answer| answer.json::<Value>().ok())
                .and_then(|json| Some(json["version"]["id"].as_str()?.to_owned()));
            if id.is_some_and(|id| id.starts_with(&path[..2])) {
                return Ok(version);
            }
        }
        Err(CloudError::Config(format!(
            "{} is no Keystone: it names neither version 3 nor 2.0; check DESIGN_URI or OS_AUTH_URL",
            self.base
        )))
    }

    async fn rescope_v2(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
        token: &SecretString,
        project: &str,
    ) -> Result<TokenIdentity, CloudError> {
        let answer = http
            .send(&self.call(
                config,
                "list the token's projects",
                Method::GET,
                "v2.0/tenants",
                Some(token),
            ))
            .await?;
        let tenants = answer.json::<TenantsV2>()?.tenants;
        let Some(tenant) = tenants
            .iter()
            .find(|tenant| tenant.id == project || tenant.name == project)
        else {
            let names: Vec<_> = tenants.into_iter().map(|tenant| tenant.name).collect();
            let token = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            return Err(CloudError::WrongProject {
                token,
                asked: project.to_owned(),
            });
        };
        let mut call = self.call(
            config,
            "scope a token to the project",
            Method::POST,
            "v2.0/tokens",
            Some(token),
        );
        call.body =
            Some(json!({"auth": {"token": {"id": token.expose_secret()}, "tenantId": tenant.id}}));
        identity_v2(&http.send(&call).await?)
    }

    fn call<'a>(
        &self,
        config: &CloudConfig,
        action: &str,
        method: Method,
        path: &str,
        token: Option<&'a SecretString>,
    ) -> ApiRequest<'a> {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/{path}",
            self.base.path().trim_end_matches('/')
        ));
        // A second token for the same credentials does no harm, so a POST may be repeated as well.
        let (repeat, timeout) = (RetryPolicy::Safe, config.limits.answer);
        ApiRequest {
            service: KEYSTONE,
            action: action.to_owned(),
            method,
            url,
            token,
            subject: false,
            body: None,
            repeat,
            timeout,
        }
    }
}

/// `{"versions": {"values": [{"id": "v3.14", "status": "stable"}]}}`; v3 before v2.0.
fn best_version(document: &Value) -> Option<KeystoneVersion> {
    let versions = document
        .get("versions")
        .map(|versions| versions.get("values").unwrap_or(versions))?
        .as_array()?;
    let has = |prefix: &str| {
        versions.iter().any(|v| {
            v.get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| id.starts_with(prefix))
        })
    };
    if has("v3") {
        Some(KeystoneVersion::V3)
    } else if has("v2") {
        Some(KeystoneVersion::V2)
    } else {
        None
    }
}

fn login_body_v3(auth: &AuthMethod, project: Option<&ProjectRef>) -> Value {
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

fn login_body_v2(auth: &AuthMethod, project: Option<&ProjectRef>) -> Result<Value, CloudError> {
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
            return Err(CloudError::Credentials(
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
struct AnswerV3 {
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

fn identity_v3(answer: &ApiResponse, token: SecretString) -> Result<TokenIdentity, CloudError> {
    let body = answer.json::<AnswerV3>()?.token;
    Ok(TokenIdentity {
        token,
        project: body.project.map(Arc::new),
        user: body.user,
        roles: body.roles.into_iter().map(|role| role.name).collect(),
        expires: body.expires_at.as_deref().and_then(timestamp::parse),
        application_credential: body
            .methods
            .iter()
            .any(|method| method == "application_credential"),
        catalog: body.catalog.into(),
    })
}

#[derive(Deserialize)]
struct TenantsV2 {
    tenants: Vec<Project>,
}

#[derive(Deserialize)]
struct AnswerV2 {
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

fn identity_v2(answer: &ApiResponse) -> Result<TokenIdentity, CloudError> {
    let access = answer.json::<AnswerV2>()?.access;
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
        expires: access.token.expires.as_deref().and_then(timestamp::parse),
        application_credential: false,
        catalog: access.service_catalog.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_its_version_and_slashes() {
        for address in [
            "http://k:5000",
            "http://k:5000/",
            "http://k:5000/v3",
            "http://k:5000/v2.0/",
            "http://k:5000//v3//",
        ] {
            assert_eq!(
                KeystoneClient::new(address)
                    .expect("an address")
                    .base
                    .as_str(),
                "http://k:5000/",
                "{address}"
            );
        }
        assert_eq!(
            KeystoneClient::new("https://c/identity/v3")
                .expect("an address")
                .base
                .as_str(),
            "https://c/identity"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_a_password() {
        for address in ["", "k:5000", "ftp://k", "http://"] {
            assert!(
                matches!(KeystoneClient::new(address), Err(CloudError::Config(_))),
                "{address}"
            );
        }
        let message = KeystoneClient::new("http://u:hunter2@k")
            .expect_err("a password")
            .to_string();
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn v3_is_preferred_and_v2_is_found() {
        let of = |text: &str| best_version(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(
            of(r#"{"versions": {"values": [{"id": "v2.0"}, {"id": "v3.14"}]}}"#),
            Some(KeystoneVersion::V3)
        );
        assert_eq!(
            of(r#"{"versions": {"values": [{"id": "v2.0"}]}}"#),
            Some(KeystoneVersion::V2)
        );
        assert_eq!(of(r#"{"versions": [{"id": "v1.0"}]}"#), None);
        assert_eq!(of("[]"), None);
    }
}
