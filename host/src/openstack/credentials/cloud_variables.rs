//! What `OS_*` variables say of a cloud: on their own they are one, beside clouds.yaml they win over
//! some of its settings.

use super::{
    client_environment::ClientEnvironment,
    setting_value::{SettingMap, SettingValue},
};

/// Settings that a variable may hold, `OS_` and the name in upper case, and that win over
/// clouds.yaml.
const VARIABLES: [&str; 30] = [
    "region_name",
    "cacert",
    "cert",
    "key",
    "interface",
    "identity_api_version",
    "service_provider",
    "auth_type",
    "auth_url",
    "username",
    "user_id",
    "password",
    "user_domain_id",
    "user_domain_name",
    "project_id",
    "project_name",
    "project_domain_id",
    "project_domain_name",
    "domain_id",
    "domain_name",
    "default_domain_id",
    "default_domain_name",
    "system_scope",
    "trust_id",
    "token",
    "endpoint",
    "passcode",
    "application_credential_id",
    "application_credential_name",
    "application_credential_secret",
];

/// What the `openstack` client calls the cloud that the variables make, unless `OS_CLOUD_NAME` says.
pub(super) const CLOUD_OF_VARIABLES: &str = "envvars";

/// Variables that choose a cloud and make none.
const SELECTORS: [&str; 5] = [
    "CLOUD",
    "CLOUD_NAME",
    "REGION_NAME",
    "CLIENT_CONFIG_FILE",
    "CLIENT_SECURE_FILE",
];

/// The domain of users and projects of which nothing else is said.
pub(super) const DEFAULT_DOMAIN: &str = "default";

/// The variable of a setting: `OS_AUTH_URL` of `auth_url`.
pub(super) fn variable_name(key: &str) -> String {
    format!("OS_{}", key.to_ascii_uppercase())
}

/// Whether the variables make a cloud.
pub(super) fn has_cloud_variables(env: &ClientEnvironment) -> bool {
    env.openstack_variables()
        .any(|(name, _)| !SELECTORS.contains(&name))
}

/// Without a cloud's name all variables are an entry of their own, as clouds.yaml would have it:
/// `OS_ENDPOINT_TYPE` is `endpoint_type`.
pub(super) fn variables_as_entry(env: &ClientEnvironment) -> SettingMap {
    let mut entry = SettingMap::default();
    for (name, value) in env.openstack_variables() {
        entry.set(&name.to_ascii_lowercase(), SettingValue::text(value));
    }
    for selector in [
        "cloud",
        "cloud_name",
        "client_config_file",
        "client_secure_file",
    ] {
        entry.remove(selector);
    }
    entry
}

/// What the `openstack` client takes from variables; an empty one is as good as none.
pub(super) fn read_variables(env: &ClientEnvironment) -> SettingMap {
    let mut out = SettingMap::default();
    let mut set = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            out.set(key, SettingValue::text(value));
        }
    };
    // The client's own default for it wins over clouds.yaml as a variable does.
    set(
        "default_domain",
        Some(env.get("OS_DEFAULT_DOMAIN").unwrap_or(DEFAULT_DOMAIN)),
    );
    for key in VARIABLES {
        set(key, env.get(&variable_name(key)));
    }
    for (key, old) in [
        ("project_id", "OS_TENANT_ID"),
        ("project_name", "OS_TENANT_NAME"),
    ] {
        if env.get(&variable_name(key)).is_none() {
            set(key, env.get(old));
        }
    }
    out
}
