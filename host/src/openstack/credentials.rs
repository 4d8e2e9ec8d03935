//! The credentials of the command line's user, from `OS_*` variables or clouds.yaml.

use super::{Config, Error, session::unfinished};

/// Who logs in, and where.
#[derive(Clone, Debug)]
pub struct Credentials {
    config: Config,
}

impl Credentials {
    /// Reads the entry `os_cloud` (or `OS_CLOUD`) of clouds.yaml, or else the `OS_*` variables.
    ///
    /// # Errors
    /// [`Error::Credentials`], which names the variable or the key that is missing or wrong.
    pub fn from_env_or_clouds_yaml(_os_cloud: Option<&str>) -> Result<Self, Error> {
        Err(unfinished())
    }

    /// Where they log in: for [`super::Client::new`].
    pub fn config(&self) -> &Config {
        &self.config
    }
}
