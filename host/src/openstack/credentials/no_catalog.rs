//! Logins that lead to one address for everything: there is neither a catalog nor a project, and they
//! are refused in words that say so.

use super::{super::CloudError, ClientEnvironment};

/// Kinds of logins that log in nowhere: every call goes to one address.
pub(super) const WITHOUT_CATALOG: [&str; 5] = [
    "none",
    "None",
    "admin_token",
    "token_endpoint",
    "http_basic",
];

/// Variables that mean a login without a catalog, which clouds.yaml is not looked at for.
pub(super) fn refuse_variables_without_catalog(env: &ClientEnvironment) -> Result<(), CloudError> {
    match (env.get("OS_AUTH_TYPE"), env.get("OS_ENDPOINT")) {
        (Some(kind), _) if WITHOUT_CATALOG.contains(&kind) => {
            without_catalog(format!("OS_AUTH_TYPE is `{kind}`, which"))
        }
        (_, Some(_)) => without_catalog("OS_ENDPOINT".to_owned()),
        _ => Ok(()),
    }
}

/// A cluster needs several services, and a project.
pub(super) fn without_catalog<T>(what: String) -> Result<T, CloudError> {
    Err(CloudError::credentials(format!(
        "{what} names one address for all services, and neither catalog nor project, while a cluster needs Heat, Nova, Glance and \
         Neutron of a project; use a token with auth_type `token` and the address of Keystone (OS_AUTH_URL)"
    )))
}
