//! The entry to one cloud: turns a token or credentials into a [`CloudSession`].

use std::sync::Arc;

use secrecy::SecretString;

use super::{
    CloudConfig, CloudCredentials, CloudError, CloudSession, Project, UserLogin, access_for_nodes,
    answer_memory::AnswerMemory,
    credentials::AuthMethod,
    keystone::KeystoneClient,
    keystone_wire::TokenIdentity,
    session::SharedCloud,
    token_cache::{TokenCache, TokenKey, token_key},
    transport::HttpTransport,
};

/// One cloud. Cheap to clone; clones share connections and the cache of validated tokens.
#[derive(Clone, Debug)]
pub struct CloudClient {
    keystone: Arc<KeystoneClient>,
    cloud: Arc<SharedCloud>,
}

impl CloudClient {
    /// Reads the CA file, if there is one; asks nothing of the cloud yet.
    ///
    /// # Errors
    /// [`CloudError::Config`] when the address is no http(s) URL or the CA file cannot be read.
    pub fn new(config: CloudConfig) -> Result<Self, CloudError> {
        let keystone = Arc::new(KeystoneClient::new(&config.auth_url)?);
        let http = HttpTransport::new(&config)?;
        let node_certificates =
            access_for_nodes::read_certificates(config.ca_file.as_deref(), config.is_ca_file_named);
        Ok(Self {
            keystone,
            cloud: Arc::new(SharedCloud {
                http,
                config,
                tokens: TokenCache::default(),
                answers: AnswerMemory::default(),
                node_certificates,
            }),
        })
    }

    /// Where the cloud is.
    pub fn config(&self) -> &CloudConfig {
        &self.cloud.config
    }

    /// Validates a user's token and checks that it belongs to `project`, a name or an id. Keystone
    /// is asked again after [`super::ClientLimits::token_ttl`], and after a service refused the
    /// token.
    ///
    /// # Errors
    /// [`CloudError::InvalidToken`], [`CloudError::WrongProject`], [`CloudError::Unscoped`], or
    /// that Keystone cannot be asked.
    pub async fn session(
        &self,
        token: SecretString,
        project: &str,
    ) -> Result<CloudSession, CloudError> {
        let (identity, key) = self.identify(&token, project).await?;
        let owner = token_project(&identity, project)?;
        if owner.id != project && owner.name != project {
            return Err(CloudError::WrongProject {
                token: owner.name.clone(),
                asked: project.to_owned(),
            });
        }
        let cloud = Arc::clone(&self.cloud);
        Ok(CloudSession::new(cloud, identity, owner, Some(key)))
    }

    /// The same for the project that the token itself is scoped to; v2.0 has no such tokens.
    ///
    /// # Errors
    /// Those of [`Self::session`].
    pub async fn own_session(&self, token: SecretString) -> Result<CloudSession, CloudError> {
        let (identity, key) = self.identify(&token, "").await?;
        let owner = token_project(&identity, "of the token")?;
        let cloud = Arc::clone(&self.cloud);
        Ok(CloudSession::new(cloud, identity, owner, Some(key)))
    }

    /// What Keystone says of a token, or has said of late.
    async fn identify(
        &self,
        token: &SecretString,
        project: &str,
    ) -> Result<(Arc<TokenIdentity>, TokenKey), CloudError> {
        let SharedCloud {
            http,
            config,
            tokens,
            ..
        } = self.cloud.as_ref();
        let key = token_key(token, project);
        let identity = match tokens.get(&key, &config.limits) {
            Some(result) => result?,
            // Boxed, since a future is as large as the largest one that it may await, and nearly
            // all requests of the host's clients take the other branch.
            None => {
                Box::pin(tokens.get_or_validate(
                    key,
                    &config.limits,
                    self.keystone.validate(http, config, token, project),
                ))
                .await?
            }
        };
        Ok((identity, key))
    }

    /// Gets a token by what a user types; one that they have is validated and stays the one.
    ///
    /// # Errors
    /// [`CloudError::BadCredentials`], [`CloudError::InvalidToken`], [`CloudError::Unscoped`], or
    /// that Keystone cannot be asked.
    pub async fn login_user(&self, login: &UserLogin) -> Result<CloudSession, CloudError> {
        let SharedCloud { http, config, .. } = self.cloud.as_ref();
        let identity = match login.auth() {
            AuthMethod::Token { token } => self.keystone.validate(http, config, token, "").await?,
            auth => {
                let scope = login.scope();
                self.keystone.login(http, config, auth, scope).await?
            }
        };
        let owner = token_project(&identity, "a project")?;
        let key = token_key(&identity.token, &owner.id);
        let cloud = Arc::clone(&self.cloud);
        Ok(CloudSession::new(
            cloud,
            Arc::new(identity),
            owner,
            Some(key),
        ))
    }

    /// Ends the session's token.
    ///
    /// # Errors
    /// Keystone cannot be asked, or refuses it.
    pub async fn revoke(&self, session: &CloudSession) -> Result<(), CloudError> {
        let SharedCloud { http, config, .. } = self.cloud.as_ref();
        session.forget_validation();
        self.keystone.revoke(http, config, session.token()).await
    }

    /// Lets go of all validations whose time is up, also where no new one comes; how many stay.
    pub fn forget_old_tokens(&self) -> usize {
        self.cloud.tokens.let_go(&self.cloud.config.limits)
    }

    /// Gets a token by the credentials of the command line's user.
    ///
    /// # Errors
    /// [`CloudError::BadCredentials`], or that Keystone cannot be asked.
    pub async fn login(&self, credentials: &CloudCredentials) -> Result<CloudSession, CloudError> {
        let SharedCloud { http, config, .. } = self.cloud.as_ref();
        let identity = self
            .keystone
            .login(http, config, credentials.auth(), credentials.scope())
            .await?;
        let owner = identity.project.clone().ok_or_else(|| {
            CloudError::credentials(
                "the login names no project and the user has no default one; set OS_PROJECT_NAME or OS_PROJECT_ID, or \
                 project_name in clouds.yaml",
            )
        })?;
        let cloud = Arc::clone(&self.cloud);
        Ok(CloudSession::new(cloud, Arc::new(identity), owner, None))
    }
}

fn token_project(identity: &TokenIdentity, asked: &str) -> Result<Arc<Project>, CloudError> {
    identity
        .project
        .clone()
        .ok_or_else(|| CloudError::Unscoped {
            asked: asked.to_owned(),
        })
}
