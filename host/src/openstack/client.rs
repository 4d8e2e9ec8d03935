//! From a token or credentials to a session.

use std::sync::Arc;

use secrecy::SecretString;

use super::{
    CloudConfig, CloudCredentials, CloudError, CloudSession, Project,
    credentials::ProjectRef,
    keystone::{KeystoneClient, TokenIdentity},
    session::SharedCloud,
    tokens::{self, TokenCache},
    transport::HttpTransport,
};

/// One cloud. Cheap to clone; clones share connections and the memory of validated tokens.
#[derive(Clone, Debug)]
pub struct CloudClient {
    keystone: Arc<KeystoneClient>,
    cloud: Arc<SharedCloud>,
}

impl CloudClient {
    /// Reads the CA file, if there is one; asks nothing of the cloud yet.
    ///
    /// # Errors
    /// [`Error::Config`] when the address is no http(s) URL or the CA file cannot be read.
    pub fn new(config: CloudConfig) -> Result<Self, CloudError> {
        let keystone = Arc::new(KeystoneClient::new(&config.auth_url)?);
        let http = HttpTransport::new(&config)?;
        Ok(Self {
            keystone,
            cloud: Arc::new(SharedCloud {
                http,
                config,
                tokens: TokenCache::default(),
            }),
        })
    }

    /// Where the cloud is.
    pub fn config(&self) -> &CloudConfig {
        &self.cloud.config
    }

    /// Validates a user's token and checks that it belongs to `project`, a name or an id. What
    /// Keystone says is believed for [`super::Limits::token_ttl`].
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::WrongProject`], [`Error::Unscoped`], or that Keystone
    /// cannot be asked.
    pub async fn session(
        &self,
        token: SecretString,
        project: &str,
    ) -> Result<CloudSession, CloudError> {
        let SharedCloud {
            http,
            config,
            tokens,
        } = self.cloud.as_ref();
        let key = tokens::key(&token, project);
        let identity = match tokens.known(&key, &config.limits) {
            Some(known) => known?,
            // In a box of its own, as all that is rare on the way of a GET: each request makes room
            // for the largest of its parts.
            None => {
                Box::pin(tokens.get(
                    key,
                    &config.limits,
                    self.keystone.validate(http, config, &token, project),
                ))
                .await?
            }
        };
        let owner = owner(&identity, project)?;
        if owner.id != project && owner.name != project {
            return Err(CloudError::WrongProject {
                token: owner.name.clone(),
                asked: project.to_owned(),
            });
        }
        Ok(CloudSession::new(
            Arc::clone(&self.cloud),
            identity,
            owner,
            Some(key),
        ))
    }

    /// Gets a token by the credentials of the command line's user.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], or that Keystone cannot be asked.
    pub async fn login(&self, credentials: &CloudCredentials) -> Result<CloudSession, CloudError> {
        let SharedCloud { http, config, .. } = self.cloud.as_ref();
        let identity = self
            .keystone
            .login(http, config, credentials.auth(), credentials.project())
            .await?;
        let asked = credentials.project().map_or("any", ProjectRef::as_str);
        let owner = owner(&identity, asked)?;
        Ok(CloudSession::new(
            Arc::clone(&self.cloud),
            Arc::new(identity),
            owner,
            None,
        ))
    }
}

fn owner(identity: &TokenIdentity, asked: &str) -> Result<Arc<Project>, CloudError> {
    identity
        .project
        .clone()
        .ok_or_else(|| CloudError::Unscoped {
            asked: asked.to_owned(),
        })
}
