//! From a token or credentials to a session.

use secrecy::SecretString;

use super::{Config, Credentials, Error, Session, session::unfinished};

/// One cloud. Cheap to clone; clones share connections and the cache of validated tokens.
#[derive(Clone, Debug)]
pub struct Client {
    config: Config,
}

impl Client {
    /// Reads the CA file, if there is one; asks nothing of the cloud yet.
    ///
    /// # Errors
    /// [`Error::Config`] when the address is no http(s) URL or the CA file cannot be read.
    pub fn new(config: Config) -> Result<Self, Error> {
        Ok(Self { config })
    }

    /// Where the cloud is.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Validates a user's token and checks that it belongs to `project`, a name or an id.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::WrongProject`], [`Error::Unscoped`], or that Keystone cannot be asked.
    pub async fn session(&self, _token: SecretString, _project: &str) -> Result<Session, Error> {
        Err(unfinished())
    }

    /// Gets a token by the credentials of the command line's user.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], or that Keystone cannot be asked.
    pub async fn login(&self, _credentials: &Credentials) -> Result<Session, Error> {
        Err(unfinished())
    }
}
