//! Reads the credentials of the command line's user as the `openstack` client does, from `OS_*`
//! variables and clouds.yaml; calls no service.
//!
//! Layout, from top to bottom
//! - this file: what the settings mean: who logs in, where, for what, and over which endpoints
//! - `cloud_settings`: the settings of one cloud, put together from all places; `region_choice`:
//!   which of its regions; `cloud_variables`: what `OS_*` say
//! - `clouds_yaml`: the files; `vendor_profiles`: public clouds by name
//! - `user_login`: what a person types, in place of all that
//! - `no_catalog`: logins that lead to one address
//! - `client_environment`: variables and folders; `setting_value`: YAML as it is written

mod client_environment;
mod cloud_settings;
mod cloud_variables;
mod clouds_yaml;
mod no_catalog;
mod region_choice;
mod setting_value;
#[cfg(test)]
mod tests;
mod user_login;
mod vendor_profiles;

use std::{fmt, path::PathBuf};

use secrecy::SecretString;

pub use self::{client_environment::ClientEnvironment, user_login::UserLogin};
use self::{
    cloud_settings::CloudSettings,
    no_catalog::{WITHOUT_CATALOG, refuse_variables_without_catalog, without_catalog},
    setting_value::SettingValue,
};
use super::{
    CloudConfig, CloudError, EndpointInterface, ServiceName,
    config::{ClientCertificate, ServiceSettings},
};

/// Who logs in, where, and for which project.
#[derive(Clone)]
pub struct CloudCredentials {
    config: CloudConfig,
    auth: AuthMethod,
    scope: LoginScope,
}

/// How a user authenticates.
#[derive(Clone)]
pub(super) enum AuthMethod {
    Password {
        user: UserRef,
        password: SecretString,
    },
    Token {
        token: SecretString,
    },
    ApplicationCredential {
        credential: CredentialRef,
        secret: SecretString,
    },
}

/// A domain by id or name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DomainRef {
    Id(String),
    Name(String),
}

/// A user by id, or by name in a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UserRef {
    Id(String),
    Name(String, DomainRef),
}

/// An application credential by id, or by its name among its user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CredentialRef {
    Id(String),
    Name(String, UserRef),
}

/// A project by id, or by name in a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProjectRef {
    Id(String),
    Name(String, DomainRef),
}

/// What the token is to be good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoginScope {
    /// What Keystone gives unasked: the project of an application credential, the user's default
    /// project, or none.
    Unnamed,
    Project(ProjectRef),
    /// The project of the trust with this id.
    Trust(String),
}

impl CloudCredentials {
    /// Reads the entry `os_cloud` (or `OS_CLOUD`) of clouds.yaml and the `OS_*` variables, which
    /// win; without a name the variables alone, or where there is no `OS_AUTH_URL` the only entry
    /// of clouds.yaml.
    ///
    /// # Errors
    /// [`CloudError::Credentials`], which names the variable or the key that is missing or wrong.
    pub fn from_env_or_clouds_yaml(os_cloud: Option<&str>) -> Result<Self, CloudError> {
        Self::from_environment(os_cloud, &ClientEnvironment::of_process())
    }

    /// As [`Self::from_env_or_clouds_yaml`], in a process with this environment.
    ///
    /// # Errors
    /// As there.
    pub fn from_environment(
        os_cloud: Option<&str>,
        env: &ClientEnvironment,
    ) -> Result<Self, CloudError> {
        let named = os_cloud.filter(|name| !name.is_empty());
        let name = named.or_else(|| env.get("OS_CLOUD"));
        if name.is_none() && env.get("OS_AUTH_URL").is_none() {
            refuse_variables_without_catalog(env)?;
        }
        let settings = CloudSettings::resolve(name, env)?;
        let auth = auth_method(&settings)?;
        let scope = login_scope(&settings, &auth)?;
        Ok(Self {
            config: cloud_config(&settings, env)?,
            auth,
            scope,
        })
    }

    /// Reads the entry `os_cloud` of this clouds.yaml, whatever the environment says.
    ///
    /// # Errors
    /// As [`Self::from_env_or_clouds_yaml`].
    pub fn from_file(clouds_yaml: &std::path::Path, os_cloud: &str) -> Result<Self, CloudError> {
        let file = clouds_yaml.to_str().map(str::to_owned);
        let variables = file.map(|file| ("OS_CLIENT_CONFIG_FILE".to_owned(), file));
        Self::from_environment(Some(os_cloud), &ClientEnvironment::new(variables, "."))
    }

    /// Where these credentials are good: for [`super::CloudClient::new`].
    pub fn config(&self) -> &CloudConfig {
        &self.config
    }

    /// Whether they get another token once the first one has ended. A token gets none that lasts
    /// longer than itself.
    pub fn can_log_in_again(&self) -> bool {
        !matches!(self.auth, AuthMethod::Token { .. })
    }

    pub(super) fn auth(&self) -> &AuthMethod {
        &self.auth
    }

    pub(super) fn scope(&self) -> &LoginScope {
        &self.scope
    }
}

impl fmt::Debug for CloudCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudCredentials")
            .field("config", &self.config)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

fn refuse<T>(message: String) -> Result<T, CloudError> {
    Err(CloudError::credentials(message))
}

/// By `auth_type`, or where nothing is said by what there is to log in with.
fn auth_method(settings: &CloudSettings) -> Result<AuthMethod, CloudError> {
    if settings.top("service_provider")?.is_some() {
        return refuse(format!(
            "{} asks for a login through another cloud, which is not spoken here",
            settings.describe("service_provider")
        ));
    }
    let has = |key| Ok::<_, CloudError>(settings.auth(key)?.is_some());
    let has_user = has("username")? || has("user_id")?;
    let kind = match settings.top("auth_type")? {
        Some(kind) => kind,
        None if has_user && has("password")? => "password".to_owned(),
        None if has("application_credential_secret")? => "v3applicationcredential".to_owned(),
        None if has("token")? => "token".to_owned(),
        None => "password".to_owned(),
    };
    match kind.as_str() {
        "password" | "v3password" => Ok(AuthMethod::Password {
            user: user(settings)?,
            password: settings.require_auth("password")?.into(),
        }),
        "token" | "v3token" => {
            if has("endpoint")? && !has("auth_url")? {
                return without_catalog(settings.describe_auth("endpoint"));
            }
            Ok(AuthMethod::Token {
                token: settings.require_auth("token")?.into(),
            })
        }
        "v3applicationcredential" => Ok(AuthMethod::ApplicationCredential {
            secret: settings
                .require_auth("application_credential_secret")?
                .into(),
            credential: application_credential(settings)?,
        }),
        kind if WITHOUT_CATALOG.contains(&kind) => without_catalog(format!(
            "{} is `{kind}`, which",
            settings.describe("auth_type")
        )),
        other => {
            let hint = match other {
                "v2password" => "password, which speaks v2.0 too",
                "v2token" => "token, which speaks v2.0 too",
                _ => "password, token or v3applicationcredential",
            };
            refuse(format!(
                "{} is `{other}`, which is not spoken here; use {hint}",
                settings.describe("auth_type")
            ))
        }
    }
}

fn user(settings: &CloudSettings) -> Result<UserRef, CloudError> {
    match settings.auth("user_id")? {
        Some(id) => Ok(UserRef::Id(id)),
        None => Ok(UserRef::Name(
            settings.require_auth("username")?,
            domain(settings, "user")?,
        )),
    }
}

fn application_credential(settings: &CloudSettings) -> Result<CredentialRef, CloudError> {
    if let Some(id) = settings.auth("application_credential_id")? {
        return Ok(CredentialRef::Id(id));
    }
    match settings.auth("application_credential_name")? {
        Some(name) => Ok(CredentialRef::Name(name, user(settings)?)),
        None => refuse(format!(
            "{} or {} is missing",
            settings.describe_auth("application_credential_id"),
            settings.describe_auth("application_credential_name")
        )),
    }
}

/// The domain of the user or the project; an id goes before a name.
fn domain(settings: &CloudSettings, of: &str) -> Result<DomainRef, CloudError> {
    let own = [format!("{of}_domain_id"), format!("{of}_domain_name")];
    let is_named = settings.auth(&own[0])?.is_some() || settings.auth(&own[1])?.is_some();
    let kind = settings.top("auth_type")?;
    let by_password = kind.is_none_or(|kind| matches!(kind.as_str(), "password" | "v3password"));
    // Where version 3 is asked for, the client's default domain goes before these of the login.
    if !is_named && by_password && settings.top("identity_api_version")?.as_deref() == Some("3") {
        return Ok(DomainRef::Id(settings.default_domain()?));
    }
    for key in [format!("{of}_domain_id"), "default_domain_id".to_owned()] {
        if let Some(id) = settings.auth(&key)? {
            return Ok(DomainRef::Id(id));
        }
    }
    for key in [
        format!("{of}_domain_name"),
        "default_domain_name".to_owned(),
    ] {
        if let Some(name) = settings.auth(&key)? {
            return Ok(DomainRef::Name(name));
        }
    }
    Ok(DomainRef::Id(settings.default_domain()?))
}

/// What the token is to be good for: a project, also through a trust.
fn login_scope(settings: &CloudSettings, auth: &AuthMethod) -> Result<LoginScope, CloudError> {
    // An application credential bears its project, and Keystone refuses to name another scope.
    if matches!(auth, AuthMethod::ApplicationCredential { .. }) {
        return Ok(LoginScope::Unnamed);
    }
    for (key, what) in [
        ("system_scope", "the whole cloud"),
        ("domain_id", "a domain"),
        ("domain_name", "a domain"),
    ] {
        if settings.auth(key)?.is_some() {
            return refuse(format!(
                "{} asks for a token of {what}, but clusters stand in a project; name one with {}",
                settings.describe_auth(key),
                settings.describe_auth("project_name")
            ));
        }
    }
    let project = match (settings.auth("project_id")?, settings.auth("project_name")?) {
        (Some(id), _) => Some(ProjectRef::Id(id)),
        (None, Some(name)) => Some(ProjectRef::Name(name, domain(settings, "project")?)),
        (None, None) => None,
    };
    match (project, settings.auth("trust_id")?) {
        (Some(_), Some(_)) => refuse(format!(
            "{} and a project exclude each other: a trust has its project",
            settings.describe_auth("trust_id")
        )),
        (Some(project), None) => Ok(LoginScope::Project(project)),
        (None, Some(trust)) => Ok(LoginScope::Trust(trust)),
        (None, None) => Ok(LoginScope::Unnamed),
    }
}

/// Where services are, and how their certificates are checked.
fn cloud_config(
    settings: &CloudSettings,
    env: &ClientEnvironment,
) -> Result<CloudConfig, CloudError> {
    let mut config = CloudConfig::new(settings.auth_url()?);
    config.region = settings.top("region_name")?;
    let interfaces = interfaces(settings, "interface")?;
    if let Some((first, others)) = interfaces.split_first() {
        config.interface = *first;
        config.other_interfaces = others.to_vec();
    }
    for service in ServiceName::ALL {
        let chosen = service_settings(settings, service)?;
        if chosen != ServiceSettings::default() {
            config.services.insert(service, chosen);
        }
    }
    let path = |key: &str| {
        let text = settings.top(key)?;
        if text
            .as_ref()
            .is_some_and(|text| text.contains("-----BEGIN"))
        {
            return refuse(format!(
                "{} holds a certificate or key itself; it must be the path of a file",
                settings.describe(key)
            ));
        }
        Ok(text.map(|text| env.expand_home(&text)))
    };
    let verification = certificate_check(settings, env)?;
    config.verify_certificates = verification != CertificateCheck::Off;
    if !config.verify_certificates {
        tracing::warn!(
            "the cloud's certificates are not checked, as {} or {} says: whoever stands between can read passwords and tokens",
            settings.describe("verify"),
            settings.describe("insecure")
        );
    }
    let named = path("cacert")?;
    config.is_ca_file_named = named.is_some() || verification != CertificateCheck::On;
    config.ca_file = match (named, verification) {
        (_, CertificateCheck::Off) => None,
        (None, CertificateCheck::By(file)) => Some(file),
        // What Python's HTTP library reads itself, where nothing else is said.
        (None, CertificateCheck::On) => ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
            .into_iter()
            .find_map(|name| env.get(name))
            .map(PathBuf::from),
        (file, _) => file,
    };
    let key = path("key")?;
    config.client_certificate =
        path("cert")?.map(|certificate| ClientCertificate { certificate, key });
    Ok(config)
}

/// How certificates are checked.
#[derive(PartialEq, Eq)]
enum CertificateCheck {
    On,
    Off,
    /// `verify` may hold the path of the authority's file.
    By(PathBuf),
}

fn certificate_check(
    settings: &CloudSettings,
    env: &ClientEnvironment,
) -> Result<CertificateCheck, CloudError> {
    let is_insecure = settings.value("insecure").is_some_and(|value| {
        value.as_bool().unwrap_or_else(|| {
            value
                .as_text()
                .is_some_and(|text| text.eq_ignore_ascii_case("true"))
        })
    });
    if is_insecure {
        return Ok(CertificateCheck::Off);
    }
    let Some(value) = settings.value("verify") else {
        return Ok(CertificateCheck::On);
    };
    match (value.as_bool(), value.as_text()) {
        (Some(true), _) => Ok(CertificateCheck::On),
        (Some(false), _) => Ok(CertificateCheck::Off),
        (None, Some(text))
            if !matches!(
                text.to_ascii_lowercase().as_str(),
                "" | "true" | "false" | "yes" | "no" | "on" | "off" | "0" | "1"
            ) =>
        {
            Ok(CertificateCheck::By(env.expand_home(text)))
        }
        _ => refuse(format!(
            "{} must be true or false, without quotes, or the path of a file of certificates",
            settings.describe("verify")
        )),
    }
}

/// What is said of one service's endpoints.
fn service_settings(
    settings: &CloudSettings,
    service: ServiceName,
) -> Result<ServiceSettings, CloudError> {
    let mut chosen = ServiceSettings::default();
    let prefixes = setting_prefixes(service);
    for name in ["endpoint_override", "endpoint"] {
        for prefix in prefixes {
            if chosen.endpoint.is_none() {
                chosen.endpoint = settings.top(&format!("{prefix}_{name}"))?;
            }
        }
    }
    for prefix in prefixes {
        if chosen.region.is_none() {
            chosen.region = settings.top(&format!("{prefix}_region_name"))?;
        }
        if chosen.service_type.is_none() {
            chosen.service_type = settings.top(&format!("{prefix}_service_type"))?;
        }
        if chosen.service_name.is_none() {
            chosen.service_name = settings.top(&format!("{prefix}_service_name"))?;
        }
        if chosen.interfaces.is_empty() {
            chosen.interfaces = interfaces(settings, &format!("{prefix}_interface"))?;
        }
    }
    Ok(chosen)
}

/// The first parts of the names of a service's settings, the best one first.
fn setting_prefixes(service: ServiceName) -> &'static [&'static str] {
    match service {
        // Logins and validations go to `auth_url`.
        ServiceName::Keystone => &[],
        ServiceName::Heat => &["orchestration"],
        ServiceName::Nova => &["compute"],
        ServiceName::Glance => &["image"],
        ServiceName::Neutron => &["network"],
        ServiceName::Cinder => &[
            "block_storage",
            "volumev3",
            "volumev2",
            "volume",
            "block_store",
        ],
    }
}

/// One interface, or several of which the first that is there counts.
fn interfaces(settings: &CloudSettings, key: &str) -> Result<Vec<EndpointInterface>, CloudError> {
    let parse = |text: &str| {
        text.parse::<EndpointInterface>().map_err(|error| {
            CloudError::credentials(format!("{}: {error}", settings.describe(key)))
        })
    };
    match settings.value(key) {
        Some(SettingValue::List(list)) => list
            .iter()
            .map(|value| parse(value.as_text().unwrap_or_default()))
            .collect(),
        _ => settings.top(key)?.iter().map(|text| parse(text)).collect(),
    }
}
