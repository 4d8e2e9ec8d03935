//! One typed error for all calls to the cloud. Knows nothing of OCCI, HTML or the command line;
//! each message says what was asked of which service, what it answered and what to do. Never holds
//! a token, a password or a whole body.

use std::{error::Error, fmt, sync::Arc, time::Duration};

/// The error of a library below, kept as a source. Two are equal when their messages are, since
/// errors of libraries cannot be compared.
#[derive(Clone, Debug)]
pub struct ErrorCause(Arc<dyn Error + Send + Sync>);

impl ErrorCause {
    pub(super) fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }

    /// The library's own error: a `reqwest::Error`, a `serde_json::Error`.
    pub fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.as_ref()
    }
}

impl fmt::Display for ErrorCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for ErrorCause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for ErrorCause {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for ErrorCause {}

/// A message about a setting that is wrong and, where reading it failed, why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingProblem {
    message: String,
    source: Option<ErrorCause>,
}

impl From<String> for SettingProblem {
    fn from(message: String) -> Self {
        Self {
            message,
            source: None,
        }
    }
}

impl SettingProblem {
    /// With the error that reading the setting failed with; it must not quote a secret.
    pub(super) fn with_source(message: String, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            message,
            source: Some(ErrorCause::new(source)),
        }
    }
}

/// Why a call to the cloud gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudError {
    /// 401: the token is unknown, revoked or expired, at the start or in the middle of a session.
    #[error(
        "{service} does not accept the token: it is unknown, revoked or expired; get a new token and repeat the request"
    )]
    InvalidToken {
        /// The service that refused it.
        service: &'static str,
    },
    /// The token is good, but for another project than the request's.
    #[error(
        "the token belongs to project `{token}`, the request names project `{asked}`; get a token of `{asked}`, or name `{token}`"
    )]
    WrongProject {
        /// The token's project, by name.
        token: String,
        /// The project that was asked for.
        asked: String,
    },
    /// The token is good, but for no project at all.
    #[error("the token is not scoped to a project; get one of project `{asked}`")]
    Unscoped {
        /// The project that was asked for.
        asked: String,
    },
    /// Keystone did not accept user name and password, or application credential.
    #[error(
        "keystone refuses the credentials: {message}; check user, password, domain and project in OS_* or clouds.yaml"
    )]
    BadCredentials {
        /// Keystone's explanation.
        message: String,
    },
    /// Keystone accepted what it was given, and wants more.
    #[error(
        "keystone accepts the credentials, but the account needs a second factor ({missing}), which cannot be given here; \
         log in with it elsewhere and pass the token (OS_AUTH_TYPE=token, OS_TOKEN), or use an application credential"
    )]
    SecondFactor {
        /// The methods that are still missing: `totp`.
        missing: String,
    },
    /// Heat would have to create a trust, which a token of an application credential must not.
    #[error(
        "the token comes from an application credential, and Keystone lets none of them create the trust that Heat needs for a cluster; \
         use a token got with a password. Where the cloud does allow it, say so to stampede (also to `stampede serve`) with \
         --allow-application-credentials or STAMPEDE_ALLOW_APPLICATION_CREDENTIALS=true"
    )]
    NeedsTrust,
    /// No connection, a broken one, or no answer in time.
    #[error(
        "{service} at {url} cannot be reached: {reason}; check that the cloud is up and that this address is right"
    )]
    Unreachable {
        /// The service.
        service: &'static str,
        /// Scheme, host and port.
        url: String,
        /// The transport's explanation.
        reason: String,
        /// Whether a connection stood, so that the service may have been asked.
        connected: bool,
        /// The transport's error.
        source: Option<ErrorCause>,
    },
    /// The certificate is not one that we trust.
    #[error(
        "{service} at {url} shows a certificate that is not trusted: {reason}; name the cloud's own authority with a CA file"
    )]
    Untrusted {
        /// The service.
        service: &'static str,
        /// Scheme, host and port.
        url: String,
        /// The TLS library's explanation.
        reason: String,
        /// The transport's error.
        source: Option<ErrorCause>,
    },
    /// The catalog has no endpoint that fits.
    #[error(
        "the catalog has no {interface} endpoint of type `{service}`{region}; it has: {available}"
    )]
    NoService {
        /// The type: `orchestration`.
        service: &'static str,
        /// `public`, `internal`, `admin`.
        interface: &'static str,
        /// ` in region ...`, or empty.
        region: String,
        /// Types and regions that are there.
        available: String,
    },
    /// Heat is in several regions, and none was named.
    #[error(
        "the catalog has heat in several regions ({regions}) and none is named; name one: region_name in clouds.yaml, OS_REGION_NAME, or STAMPEDE_REGION of the service"
    )]
    SeveralRegions {
        /// Their names, comma separated.
        regions: String,
    },
    /// Several things bear the name.
    #[error("{what} `{name}` is ambiguous: {ids}; name one by its id")]
    Ambiguous {
        /// `image`, `network`.
        what: &'static str,
        /// As asked.
        name: String,
        /// The ids, comma separated.
        ids: String,
    },
    /// 404 in the service's own words: it knows of no such thing.
    #[error("{service} does not know what was asked ({action}): {message}")]
    NotFound {
        /// The service.
        service: &'static str,
        /// What was asked: `show stack demo`.
        action: String,
        /// The service's explanation.
        message: String,
    },
    /// 404 or 410 from something before the service, or from one that has another address: it says
    /// nothing of what was asked for.
    #[error(
        "what answered {status} when {service} was asked to {action} was not {service} itself: {message}; check the address of {service} in the catalog and the proxies before it"
    )]
    Misrouted {
        /// The service that was meant.
        service: &'static str,
        /// What was asked.
        action: String,
        /// The status.
        status: u16,
        /// The explanation of whoever answered.
        message: String,
    },
    /// 409: exists already, or is in the middle of something else.
    #[error("{service} cannot {action} now: {message}")]
    Conflict {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: String,
        /// The service's explanation.
        message: String,
    },
    /// 400: what we sent is wrong.
    #[error("{service} refuses to {action}: {message}")]
    BadRequest {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: String,
        /// The service's explanation.
        message: String,
    },
    /// 403: the user lacks a role, or a quota is used up.
    #[error(
        "{service} forbids to {action}: {message}; the user may lack a role in the project, or a quota is used up"
    )]
    Forbidden {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: String,
        /// The service's explanation.
        message: String,
    },
    /// 413: larger than the service takes.
    #[error("{service} finds what was sent to {action} too large: {message}")]
    TooLarge {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: String,
        /// The service's explanation.
        message: String,
    },
    /// 429 and 503, still after the last attempt.
    #[error(
        "{service} is overloaded (status {status}) and did not {action} after {attempts} attempts: {message}; try again later"
    )]
    Overloaded {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: String,
        /// The status.
        status: u16,
        /// How often it was asked.
        attempts: u32,
        /// The service's explanation.
        message: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// Every other 5xx or unexpected status.
    #[error(
        "{service} failed with status {status} when asked to {action}: {message}; the operator finds the cause in its log"
    )]
    Fault {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: String,
        /// The status.
        status: u16,
        /// The service's explanation.
        message: String,
    },
    /// An answer that is no JSON, has another shape, or is larger than the limit.
    #[error("{service} answered what cannot be read when asked to {action}: {reason}")]
    BadAnswer {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: String,
        /// What is wrong with it.
        reason: String,
        /// The parser's or the transport's error, where there is one.
        source: Option<ErrorCause>,
    },
    /// The configuration (`DESIGN_URI`, region, CA file) is wrong.
    #[error(transparent)]
    Config(SettingProblem),
    /// `OS_*` variables or clouds.yaml are incomplete or wrong.
    #[error(transparent)]
    Credentials(SettingProblem),
}

impl CloudError {
    /// [`Self::Config`] with this message.
    pub(super) fn config(message: impl Into<String>) -> Self {
        Self::Config(SettingProblem::from(message.into()))
    }

    /// [`Self::Credentials`] with this message.
    pub(super) fn credentials(message: impl Into<String>) -> Self {
        Self::Credentials(SettingProblem::from(message.into()))
    }

    /// Whether a new token of the same user would help.
    pub fn is_token(&self) -> bool {
        matches!(self, Self::InvalidToken { .. })
    }

    /// Whether the thing is simply not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether the service surely did not do what it was asked: it was too busy to begin, was not
    /// reached, or no connection to it was made.
    pub fn is_unacted(&self) -> bool {
        matches!(
            self,
            Self::Overloaded { .. }
                | Self::Misrouted { .. }
                | Self::Unreachable {
                    connected: false,
                    ..
                }
        )
    }

    /// Whether the same call may succeed later with nothing changed: the cloud is away, overloaded
    /// or broken.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Misrouted { .. }
                | Self::Overloaded { .. }
                | Self::Fault { .. }
                | Self::BadAnswer { .. }
        )
    }
}

/// `None` for what a service does not tell: it lacks the extension (404), or does not show it to
/// this user (403). That is no reason to refuse a cluster.
pub(super) fn none_if_hidden<T>(outcome: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(CloudError::NotFound { .. } | CloudError::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
