//! Reads the credentials of the command line's user from `OS_*` variables or clouds.yaml; calls no
//! service.

use std::fmt;

use secrecy::SecretString;

use super::{CloudConfig, CloudError, EndpointInterface, clouds_yaml};
use crate::system::environment;

/// Who logs in, where, and for which project.
#[derive(Clone)]
pub struct CloudCredentials {
    config: CloudConfig,
    auth: AuthMethod,
    project: Option<ProjectRef>,
}

/// How a user authenticates.
#[derive(Clone)]
pub(super) enum AuthMethod {
    Password {
        user_id: Option<String>,
        user_name: String,
        user_domain: DomainRef,
        password: SecretString,
    },
    Token {
        token: SecretString,
    },
    ApplicationCredential {
        id: Option<String>,
        name: String,
        user_name: String,
        user_domain: DomainRef,
        secret: SecretString,
    },
}

/// A domain by id or name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DomainRef {
    Id(String),
    Name(String),
}

/// A project by id, or by name in a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProjectRef {
    Id(String),
    Name(String, DomainRef),
}

impl ProjectRef {
    /// Its id or name.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text, _) => text,
        }
    }
}

impl CloudCredentials {
    /// Reads the entry `os_cloud` (or `OS_CLOUD`) of clouds.yaml; without a name the `OS_*`
    /// variables, or where there is no `OS_AUTH_URL` the only entry of clouds.yaml.
    ///
    /// # Errors
    /// [`CloudError::Credentials`], which names the variable or the key that is missing or wrong.
    pub fn from_env_or_clouds_yaml(os_cloud: Option<&str>) -> Result<Self, CloudError> {
        Self::from_environment(os_cloud, &environment::read_text)
    }

    fn from_environment(
        os_cloud: Option<&str>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, CloudError> {
        let name = os_cloud.map(str::to_owned).or_else(|| env("OS_CLOUD"));
        if name.is_none() && env("OS_AUTH_URL").is_some() {
            return Self::from_settings(&SettingSource {
                get: &|key| env(&variable_name(key)),
                describe: &variable_name,
            });
        }
        let cloud = clouds_yaml::load_cloud(name.as_deref(), env)?;
        Self::from_settings(&SettingSource {
            get: &|key| cloud.get(key),
            describe: &|key| cloud.describe(key),
        })
    }

    /// Reads the entry `os_cloud` of this clouds.yaml, whatever the environment says.
    ///
    /// # Errors
    /// As [`Self::from_env_or_clouds_yaml`].
    pub fn from_file(clouds_yaml: &std::path::Path, os_cloud: &str) -> Result<Self, CloudError> {
        let file = clouds_yaml.to_str().map(str::to_owned);
        Self::from_environment(Some(os_cloud), &|name| {
            file.clone().filter(|_| name == "OS_CLIENT_CONFIG_FILE")
        })
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

    pub(super) fn project(&self) -> Option<&ProjectRef> {
        self.project.as_ref()
    }

    fn from_settings(source: &SettingSource<'_>) -> Result<Self, CloudError> {
        let off = |value: &String| {
            matches!(
                value.to_ascii_lowercase().as_str(),
                "false" | "no" | "off" | "0"
            )
        };
        if source.get("verify").as_ref().is_some_and(off)
            || source.get("insecure").is_some_and(|value| !off(&value))
        {
            let (verify, insecure, cacert) = (
                source.describe("verify"),
                source.describe("insecure"),
                source.describe("cacert"),
            );
            return Err(CloudError::credentials(format!(
                "{verify} or {insecure} switches off the check of certificates, which is never done here; name the cloud's own authority \
                 with {cacert}"
            )));
        }
        let mut config = CloudConfig::new(source.require("auth_url")?);
        config.region = source.get("region_name");
        config.ca_file = source.get("cacert").map(Into::into);
        if let Some(interface) = source
            .get("interface")
            .or_else(|| source.get("endpoint_type"))
        {
            config.interface = interface.parse::<EndpointInterface>()?;
        }
        let auth = source.auth()?;
        let project = source.project();
        if project.is_none() && matches!(auth, AuthMethod::Password { .. }) {
            let (name, id) = (
                source.describe("project_name"),
                source.describe("project_id"),
            );
            return Err(CloudError::credentials(format!(
                "no project is named; set {name} or {id}"
            )));
        }
        Ok(Self {
            config,
            auth,
            project,
        })
    }
}

impl fmt::Debug for CloudCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudCredentials")
            .field("config", &self.config)
            .field("project", &self.project)
            .finish_non_exhaustive()
    }
}

/// Settings by the names that they have in clouds.yaml, and how to name one to the user.
struct SettingSource<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    describe: &'a dyn Fn(&str) -> String,
}

impl SettingSource<'_> {
    fn get(&self, key: &str) -> Option<String> {
        (self.get)(key).filter(|value| !value.is_empty())
    }

    fn describe(&self, key: &str) -> String {
        (self.describe)(key)
    }

    fn require(&self, key: &str) -> Result<String, CloudError> {
        self.get(key)
            .ok_or_else(|| CloudError::credentials(format!("{} is missing", self.describe(key))))
    }

    fn domain(&self, of: &str) -> DomainRef {
        let id = self
            .get(&format!("{of}_domain_id"))
            .or_else(|| self.get("domain_id"));
        let name = self
            .get(&format!("{of}_domain_name"))
            .or_else(|| self.get("domain_name"));
        match (id, name) {
            (Some(id), _) => DomainRef::Id(id),
            (None, Some(name)) => DomainRef::Name(name),
            (None, None) => DomainRef::Id(
                self.get("default_domain")
                    .unwrap_or_else(|| "default".to_owned()),
            ),
        }
    }

    fn project(&self) -> Option<ProjectRef> {
        let id = self.get("project_id").or_else(|| self.get("tenant_id"));
        let name = self.get("project_name").or_else(|| self.get("tenant_name"));
        id.map(ProjectRef::Id)
            .or_else(|| name.map(|name| ProjectRef::Name(name, self.domain("project"))))
    }

    fn auth(&self) -> Result<AuthMethod, CloudError> {
        let kind = self.get("auth_type").unwrap_or_else(|| {
            let has = |key| self.get(key).is_some();
            if has("application_credential_secret") {
                "v3applicationcredential".to_owned()
            } else if has("token") && !has("password") {
                "token".to_owned()
            } else {
                "password".to_owned()
            }
        });
        match kind.as_str() {
            "password" | "v3password" | "v2password" => {
                let user_id = self.get("user_id");
                let user_name = if user_id.is_some() {
                    String::new()
                } else {
                    self.require("username")?
                };
                Ok(AuthMethod::Password {
                    user_id,
                    user_name,
                    user_domain: self.domain("user"),
                    password: self.require("password")?.into(),
                })
            }
            "token" | "v3token" | "v2token" => Ok(AuthMethod::Token {
                token: self.require("token")?.into(),
            }),
            "v3applicationcredential" => {
                let (id, secret) = (
                    self.get("application_credential_id"),
                    self.require("application_credential_secret")?.into(),
                );
                let (name, user_name) = match (&id, self.get("application_credential_name")) {
                    (Some(_), _) => (String::new(), String::new()),
                    (None, Some(name)) => (name, self.require("username")?),
                    (None, None) => {
                        let (id, name) = (
                            self.describe("application_credential_id"),
                            self.describe("application_credential_name"),
                        );
                        return Err(CloudError::credentials(format!(
                            "{id} or {name} is missing"
                        )));
                    }
                };
                Ok(AuthMethod::ApplicationCredential {
                    id,
                    name,
                    user_name,
                    user_domain: self.domain("user"),
                    secret,
                })
            }
            other => Err(CloudError::credentials(format!(
                "{} is `{other}`, which is not spoken here; use password, token or v3applicationcredential",
                self.describe("auth_type")
            ))),
        }
    }
}

/// The variable of a setting: `OS_AUTH_URL` of `auth_url`.
fn variable_name(key: &str) -> String {
    format!("OS_{}", key.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use secrecy::ExposeSecret;

    use super::*;

    const RC: &[(&str, &str)] = &[
        ("OS_AUTH_URL", "http://k/v3"),
        ("OS_USERNAME", "demo"),
        ("OS_PASSWORD", "hunter2"),
        ("OS_PROJECT_NAME", "demo"),
    ];

    fn find(
        os_cloud: Option<&str>,
        env: &[&[(&str, &str)]],
    ) -> Result<CloudCredentials, CloudError> {
        let env: HashMap<&str, &str> = env.iter().copied().flatten().copied().collect();
        CloudCredentials::from_environment(os_cloud, &|name| {
            env.get(name).map(|value| (*value).to_owned())
        })
    }

    fn message(env: &[&[(&str, &str)]]) -> String {
        find(None, env).expect_err("refused").to_string()
    }

    #[test]
    fn a_password_from_the_environment() {
        let found = find(
            None,
            &[
                RC,
                &[
                    ("OS_USER_DOMAIN_NAME", "Users"),
                    ("OS_PROJECT_DOMAIN_ID", "p"),
                    ("OS_REGION_NAME", "One"),
                ],
            ],
        )
        .expect("good");
        let AuthMethod::Password {
            user_name,
            user_domain,
            password,
            ..
        } = found.auth()
        else {
            panic!("a password")
        };
        assert_eq!(
            (user_name.as_str(), user_domain, password.expose_secret()),
            ("demo", &DomainRef::Name("Users".to_owned()), "hunter2")
        );
        assert_eq!(
            found.project(),
            Some(&ProjectRef::Name(
                "demo".to_owned(),
                DomainRef::Id("p".to_owned())
            ))
        );
        assert_eq!(
            (
                found.config().auth_url.as_str(),
                found.config().region.as_deref()
            ),
            ("http://k/v3", Some("One"))
        );
        assert!(!format!("{found:?}").contains("hunter2"));
    }

    #[test]
    fn the_kind_of_credentials_is_guessed_from_what_is_there() {
        let of = |env| {
            find(None, &[&[("OS_AUTH_URL", "http://k")], env])
                .expect("good")
                .auth()
                .clone()
        };
        assert!(matches!(of(&[("OS_TOKEN", "t")]), AuthMethod::Token { .. }));
        let by_id = of(&[
            ("OS_APPLICATION_CREDENTIAL_ID", "i"),
            ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
        ]);
        assert!(matches!(
            by_id,
            AuthMethod::ApplicationCredential { id: Some(_), .. }
        ));
    }

    #[test]
    fn what_is_missing_is_named_as_the_user_writes_it() {
        assert!(message(&[RC, &[("OS_PASSWORD", "")]]).contains("OS_PASSWORD is missing"));
        assert!(message(&[RC, &[("OS_USERNAME", "")]]).contains("OS_USERNAME is missing"));
        assert!(
            message(&[RC, &[("OS_PROJECT_NAME", "")]]).contains("OS_PROJECT_NAME or OS_PROJECT_ID")
        );
        assert!(
            message(&[RC, &[("OS_APPLICATION_CREDENTIAL_SECRET", "s")]])
                .contains("OS_APPLICATION_CREDENTIAL_ID")
        );
        assert!(
            message(&[RC, &[("OS_AUTH_TYPE", "v3kerberos")]])
                .contains("OS_AUTH_TYPE is `v3kerberos`")
        );
        assert!(message(&[RC, &[("OS_INTERFACE", "private")]]).contains("`private`"));
        assert!(
            message(&[&[
                ("HOME", "/nowhere"),
                ("OS_CLIENT_CONFIG_FILE", "/nowhere/clouds.yaml")
            ]])
            .contains("/nowhere/clouds.yaml")
        );
    }

    #[test]
    fn certificates_are_always_checked() {
        assert!(message(&[RC, &[("OS_INSECURE", "true")]]).contains("OS_CACERT"));
        assert!(
            find(
                None,
                &[RC, &[("OS_INSECURE", "false"), ("OS_CACERT", "/ca.pem")]]
            )
            .is_ok()
        );
    }

    #[test]
    fn a_named_cloud_goes_before_the_variables() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("clouds.yaml");
        let yaml = "clouds:\n  one:\n    region_name: R\n    verify: true\n    auth:\n      auth_url: http://one:5000\n      username: u\n      project_id: 007\n      password: 0123\n  two:\n    verify: false\n    auth: {auth_url: 'http://two'}\n";
        std::fs::write(&file, yaml).expect("write");
        let config = [("OS_CLIENT_CONFIG_FILE", file.to_str().expect("a path"))];
        let one = find(Some("one"), &[RC, &config]).expect("good");
        assert_eq!(
            (one.config().auth_url.as_str(), one.project()),
            ("http://one:5000", Some(&ProjectRef::Id("007".to_owned())))
        );
        let AuthMethod::Password { password, .. } = one.auth() else {
            panic!("a password")
        };
        assert_eq!(
            password.expose_secret(),
            "0123",
            "as it is written, though YAML would have it a number"
        );
        assert_eq!(
            find(None, &[RC, &config])
                .expect("variables")
                .config()
                .auth_url,
            "http://k/v3"
        );
        let error = |name| {
            find(Some(name), &[&config])
                .expect_err("refused")
                .to_string()
        };
        assert!(
            error("two").contains("`cacert`") && error("two").contains("cloud `two`"),
            "{}",
            error("two")
        );
        assert!(
            error("three").contains("`three`") && error("three").contains("one, two"),
            "{}",
            error("three")
        );
        assert!(
            message(&[&config]).contains("OS_CLOUD"),
            "two clouds, none named"
        );
    }

    #[test]
    fn secure_yaml_adds_the_password() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = dir.path().join(".config/openstack");
        std::fs::create_dir_all(&home).expect("a folder");
        let (clouds, secure) = (home.join("clouds.yaml"), home.join("secure.yaml"));
        std::fs::write(clouds, "clouds:\n  one:\n    auth:\n      auth_url: http://one\n      username: u\n      project_name: p\n")
            .expect("write");
        let env = [("HOME", dir.path().to_str().expect("a path"))];
        assert!(
            message(&[&env]).contains("`auth.password` of cloud `one`"),
            "{}",
            message(&[&env])
        );
        std::fs::write(
            secure,
            "clouds:\n  one:\n    auth:\n      password: hunter2\n",
        )
        .expect("write");
        let found = find(None, &[&env]).expect("the only cloud");
        let AuthMethod::Password { password, .. } = found.auth() else {
            panic!("a password")
        };
        assert_eq!(password.expose_secret(), "hunter2");
    }
}
