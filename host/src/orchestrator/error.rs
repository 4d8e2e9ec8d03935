//! Why a wish was not taken, in words for the person who made it. The faces turn it into a status;
//! no HTTP here.

use crate::{
    cluster::{Problem, problem},
    openstack, store,
};

/// Why a wish was not taken. Texts are lowercase fragments that say what, where and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrchestratorError {
    /// No such entity in the caller's project; holds the name.
    #[error("no cluster `{0}` in this project")]
    NotFound(String),
    /// The life cycle does not allow it now.
    #[error("{0}")]
    NotApplicable(String),
    /// The request is wrong; all problems at once.
    #[error("{}", problem::lines(.0))]
    Invalid(Vec<Problem>),
    /// The token is unknown or has expired.
    #[error("{0}")]
    Unauthorized(String),
    /// The token is good, but not for this.
    #[error("{0}")]
    Forbidden(String),
    /// Something else stands in the way: a stack of that name that is not ours, a change under way.
    #[error("{0}")]
    Conflict(String),
    /// A limit of the project or of the host is reached.
    #[error("{0}")]
    TooMany(String),
    /// The cloud failed or cannot be reached.
    #[error("{0}")]
    Cloud(String),
    /// The host itself failed: its store cannot be written.
    #[error("{0}")]
    Internal(String),
    /// Come again.
    #[error("busy, try again in {retry_after_s} s")]
    Busy {
        /// Seconds.
        retry_after_s: u32,
    },
}

impl From<openstack::CloudError> for OrchestratorError {
    /// The words stay as they are; only who can help decides.
    fn from(error: openstack::CloudError) -> Self {
        use openstack::CloudError as E;
        let words = error.to_string();
        match error {
            E::InvalidToken { .. } | E::BadCredentials { .. } => Self::Unauthorized(words),
            E::WrongProject { .. } | E::Unscoped { .. } | E::NeedsTrust | E::Forbidden { .. } => {
                Self::Forbidden(words)
            }
            E::Conflict { .. } => Self::Conflict(words),
            E::BadRequest { .. } | E::TooLarge { .. } | E::Ambiguous { .. } => {
                Self::Invalid(vec![Problem::new("cloud", words, "")])
            }
            _ => Self::Cloud(words),
        }
    }
}

impl From<store::StoreError> for OrchestratorError {
    fn from(error: store::StoreError) -> Self {
        Self::Internal(error.to_string())
    }
}
