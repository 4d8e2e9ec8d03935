//! Keystone: validates tokens and gets tokens for credentials, by v3 or (on old clouds) v2.0. Knows
//! no other service.

use std::sync::OnceLock;

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    CloudConfig, CloudError, ServiceName,
    credentials::{AuthMethod, LoginScope},
    keystone_address::{KeystoneAddress, KeystoneVersion},
    keystone_discovery::{VersionFinding, discover_version},
    keystone_wire::{
        TenantsResponseV2, TokenIdentity, identity_v2, identity_v3, login_body_v2, login_body_v3,
    },
    transport::HttpTransport,
};

/// One Keystone. Its version, and where that is, are discovered at the first call and kept; a
/// discovery that failed or told nothing is not.
#[derive(Debug)]
pub(super) struct KeystoneClient {
    address: KeystoneAddress,
    found: OnceLock<(KeystoneVersion, KeystoneAddress)>,
}

impl KeystoneClient {
    /// # Errors
    /// [`CloudError::Config`] when `auth_url` is no http(s) URL.
    pub(super) fn new(auth_url: &str) -> Result<Self, CloudError> {
        Ok(Self {
            address: KeystoneAddress::parse(auth_url)?,
            found: OnceLock::new(),
        })
    }

    /// Validates `token`. On v2.0, whose tokens need not name a project, it is exchanged for one of
    /// `project`.
    pub(super) async fn validate(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
        token: &SecretString,
        project: &str,
    ) -> Result<TokenIdentity, CloudError> {
        let (version, address) = self.discover(http, config).await?;
        match version {
            KeystoneVersion::V3 => {
                let mut call = address.request(
                    config,
                    "validate a token",
                    Method::GET,
                    "v3/auth/tokens",
                    Some(token),
                );
                call.is_token_subject = true;
                match http.send(&call).await {
                    Ok(answer) => identity_v3(&answer, token.clone(), config),
                    // The token is both the one that asks (X-Auth-Token) and the one asked about
                    // (X-Subject-Token): a bad one is 401 as the first, 404 as the second.
                    Err(failure) if failure.error.is_not_found() => Err(CloudError::InvalidToken {
                        service: ServiceName::Keystone.as_str(),
                    }),
                    Err(failure) => Err(failure.error),
                }
            }
            KeystoneVersion::V2 => rescope_v2(http, config, &address, token, project).await,
        }
    }

    /// A token for these credentials.
    pub(super) async fn login(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
        auth: &AuthMethod,
        scope: &LoginScope,
    ) -> Result<TokenIdentity, CloudError> {
        let (version, address) = self.discover(http, config).await?;
        let (path, body) = match version {
            KeystoneVersion::V3 => ("v3/auth/tokens", login_body_v3(auth, scope)),
            KeystoneVersion::V2 => ("v2.0/tokens", login_body_v2(auth, scope)?),
        };
        let mut call = address.request(config, "get a token", Method::POST, path, None);
        call.body = Some(body);
        let answer = http.send(&call).await?;
        match version {
            KeystoneVersion::V2 => identity_v2(&answer, config),
            KeystoneVersion::V3 => {
                let token = answer
                    .headers
                    .get("x-subject-token")
                    .and_then(|token| token.to_str().ok());
                let token =
                    token.ok_or_else(|| answer.bad("there is no X-Subject-Token".to_owned()))?;
                identity_v3(&answer, SecretString::from(token), config)
            }
        }
    }

    /// Ends the token. Only v3 lets users end their own; on v2.0 it lasts until its time is up.
    pub(super) async fn revoke(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
        token: &SecretString,
    ) -> Result<(), CloudError> {
        let (version, address) = self.discover(http, config).await?;
        if version == KeystoneVersion::V2 {
            return Ok(());
        }
        let mut call = address.request(
            config,
            "end a token",
            Method::DELETE,
            "v3/auth/tokens",
            Some(token),
        );
        call.is_token_subject = true;
        match http.send(&call).await {
            Ok(_) => Ok(()),
            // It has ended already.
            Err(failure) if failure.error.is_not_found() || failure.error.is_token() => Ok(()),
            Err(failure) => Err(failure.error),
        }
    }

    /// The version to speak, and the address below which it is.
    async fn discover(
        &self,
        http: &HttpTransport,
        config: &CloudConfig,
    ) -> Result<(KeystoneVersion, KeystoneAddress), CloudError> {
        if let Some(found) = self.found.get() {
            return Ok(found.clone());
        }
        match discover_version(http, config, &self.address).await? {
            VersionFinding::Told(version, address) => {
                Ok(self.found.get_or_init(|| (version, address)).clone())
            }
            VersionFinding::Written(version) => {
                tracing::debug!("keystone names no version; the one in its address is used");
                Ok((version, self.address.clone()))
            }
        }
    }
}

async fn rescope_v2(
    http: &HttpTransport,
    config: &CloudConfig,
    address: &KeystoneAddress,
    token: &SecretString,
    project: &str,
) -> Result<TokenIdentity, CloudError> {
    let answer = http
        .send(&address.request(
            config,
            "list the token's projects",
            Method::GET,
            "v2.0/tenants",
            Some(token),
        ))
        .await?;
    let tenants = answer.json::<TenantsResponseV2>()?.tenants;
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
    let mut call = address.request(
        config,
        "scope a token to the project",
        Method::POST,
        "v2.0/tokens",
        Some(token),
    );
    call.body =
        Some(json!({"auth": {"token": {"id": token.expose_secret()}, "tenantId": tenant.id}}));
    identity_v2(&http.send(&call).await?, config)
}
