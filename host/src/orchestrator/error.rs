//! Typed errors of every operation on clusters, with a message for the person who asked. The APIs
//! turn them into a status (`occi::error`); there is no HTTP here.

use std::{error::Error, fmt, sync::Arc};

use crate::{
    cluster::{Problem, problem},
    openstack, store,
};

/// Why a request was not carried out. Texts are lowercase fragments that say what, where and what
/// to do. [`Error::source`] leads to the layer that failed, with its type; the text is complete
/// without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrchestratorError {
    /// No such cluster in the caller's project; holds the name.
    #[error("no cluster `{0}` in this project")]
    NotFound(String),
    /// The life cycle does not allow it now.
    #[error("{0}")]
    NotApplicable(String),
    /// The request is wrong; all problems at once.
    #[error("{}", problem::lines(.0))]
    Invalid(Vec<Problem>),
    /// The token is unknown or has expired.
    #[error(transparent)]
    Unauthorized(FailureReason),
    /// The token is good, but not for this.
    #[error(transparent)]
    Forbidden(FailureReason),
    /// Something else stands in the way: a stack of that name that is not ours, a change under way.
    #[error("{0}")]
    Conflict(String),
    /// A limit of the project or of the host is reached.
    #[error("{0}")]
    TooMany(String),
    /// The cloud failed or cannot be reached.
    #[error(transparent)]
    Cloud(FailureReason),
    /// The host itself failed: its store cannot be written.
    #[error(transparent)]
    Internal(FailureReason),
    /// What was decided no longer holds: another request or another process has changed the cluster
    /// meanwhile. Whoever decided decides again.
    #[error("`{0}` was changed by somebody else meanwhile; look at it and ask again")]
    Outdated(String),
    /// What the request was decided on is no longer what the cluster was asked to be. Whoever asked
    /// looks at it and decides again.
    #[error(
        "`{0}` was asked to be something else since you looked at it; look at it and ask again"
    )]
    Superseded(String),
    /// Come again.
    #[error("busy, try again in {retry_after_s} s")]
    Busy {
        /// Seconds.
        retry_after_s: u32,
    },
}

impl OrchestratorError {
    /// Whether whoever asked may not, or what they asked is not right: another user's token, or
    /// another request, is needed.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Forbidden(_) | Self::Invalid(_) | Self::Conflict(_)
        )
    }

    /// The cloud failed, as this message says, with no error of another layer behind them.
    pub fn cloud(message: impl Into<String>) -> Self {
        Self::Cloud(FailureReason::from(message.into()))
    }

    /// The host failed, as this message says, with no error of another layer behind them.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(FailureReason::from(message.into()))
    }
}

/// A message for a person and, where another layer failed, that layer's error. Two are equal when
/// their messages are: errors of drivers cannot be compared.
#[derive(Clone, Debug)]
pub struct FailureReason {
    message: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl FailureReason {
    /// The message of `source`, and `source` itself.
    pub fn from_source(source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            message: source.to_string(),
            source: Some(Arc::new(source)),
        }
    }

    /// The message.
    pub fn as_str(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for FailureReason {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

impl PartialEq for FailureReason {
    fn eq(&self, other: &Self) -> bool {
        self.message == other.message
    }
}

impl Eq for FailureReason {}

impl From<String> for FailureReason {
    fn from(message: String) -> Self {
        Self {
            message,
            source: None,
        }
    }
}

impl From<&str> for FailureReason {
    fn from(message: &str) -> Self {
        Self::from(message.to_owned())
    }
}

impl From<openstack::CloudError> for OrchestratorError {
    /// The message stays as it is; the variant says who can help: the caller with another token,
    /// the caller with another request, or the operator of the cloud.
    fn from(error: openstack::CloudError) -> Self {
        use openstack::CloudError as E;
        match &error {
            E::InvalidToken { .. } | E::BadCredentials { .. } | E::SecondFactor { .. } => {
                Self::Unauthorized(FailureReason::from_source(error))
            }
            E::WrongProject { .. } | E::Unscoped { .. } | E::NeedsTrust | E::Forbidden { .. } => {
                Self::Forbidden(FailureReason::from_source(error))
            }
            E::Conflict { .. } => {
                tracing::debug!("told to whoever asked: {error:?}");
                Self::Conflict(error.to_string())
            }
            E::BadRequest { .. } | E::TooLarge { .. } | E::Ambiguous { .. } => {
                tracing::debug!("told to whoever asked: {error:?}");
                Self::Invalid(vec![Problem::new("cloud", error.to_string(), "")])
            }
            _ => Self::Cloud(FailureReason::from_source(error)),
        }
    }
}

impl From<store::StoreError> for OrchestratorError {
    fn from(error: store::StoreError) -> Self {
        match error {
            store::StoreError::Busy(error) => {
                tracing::warn!("the store is busy: {error}");
                Self::Busy {
                    retry_after_s: STORE_RETRY_S,
                }
            }
            error => Self::Internal(FailureReason::from_source(error)),
        }
    }
}

/// When to come again while others use the store, in seconds.
const STORE_RETRY_S: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_the_layer_below_is_the_source_and_the_words_are_its_words() {
        let below = openstack::CloudError::InvalidToken { service: "heat" };
        let error = OrchestratorError::from(below.clone());
        assert_eq!(error.to_string(), below.to_string());
        assert_eq!(
            error.source().and_then(|source| source.downcast_ref()),
            Some(&below)
        );
        let error = OrchestratorError::from(store::StoreError::Taken);
        let source = error.source().and_then(|source| source.downcast_ref());
        assert!(
            matches!(source, Some(store::StoreError::Taken)),
            "{source:?}"
        );
    }

    #[test]
    fn errors_are_equal_by_their_words_and_plain_words_have_no_source() {
        let plain = OrchestratorError::cloud("heat is away");
        assert_eq!(plain, OrchestratorError::Cloud("heat is away".into()));
        assert!(plain.source().is_none());
    }
}
