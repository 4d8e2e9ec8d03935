//! A hook that is called once for each finished HTTP call to the cloud, for the host's metrics.
//! This module knows no metrics library, and the metrics know no HTTP.

use std::{fmt, sync::Arc, time::Duration};

use super::ServiceName;

/// How an HTTP call to the cloud ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallOutcome {
    /// A 2xx, or a redirect that the client reads itself; its body was read whole.
    Done,
    /// The service answered that it will not: a 4xx other than 429.
    Refused,
    /// The service answered 429, a 5xx or a redirect that is not followed, or what it answered was
    /// too large or cut off.
    Failed,
    /// No answer: no connection, a certificate that is not trusted, or the time was up.
    Unreachable,
}

impl CallOutcome {
    /// All of them, for one time series each.
    pub const ALL: [Self; 4] = [Self::Done, Self::Refused, Self::Failed, Self::Unreachable];

    /// As a label of a metric: `refused`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Called with the service, how long the HTTP call took (until its body was read) and how it ended.
///
/// A call that is repeated is several HTTP calls, each observed; the pauses between them count for
/// none. A call that is dropped before it ends, as its caller went away, is not observed. The
/// function runs on the task that made the call: it must not block and must not panic.
#[derive(Clone)]
pub struct CallObserver(Arc<ObserveCall>);

type ObserveCall = dyn Fn(ServiceName, Duration, CallOutcome) + Send + Sync;

impl CallObserver {
    /// An observer for [`super::CloudConfig::call_observer`].
    pub fn new(
        observe: impl Fn(ServiceName, Duration, CallOutcome) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(observe))
    }

    pub(super) fn observe(&self, service: ServiceName, elapsed: Duration, outcome: CallOutcome) {
        (self.0)(service, elapsed, outcome);
    }
}

impl fmt::Debug for CallObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallObserver")
    }
}
