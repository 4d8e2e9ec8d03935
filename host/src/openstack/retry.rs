//! Repeats a failed call with exponential backoff and jitter, where a repetition is safe. A GET may
//! be sent twice; a POST that creates a stack must not be, unless it is certain that the service
//! did nothing with the first one. [`RetryPolicy`] says which kind a call is, [`Delivery`] what its
//! failure proves about the service; [`may_repeat`] is the one rule on both.

use std::time::Duration;

use tracing::debug;

use super::{ClientLimits, CloudError, ServiceName};

/// When a call that failed may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryPolicy {
    /// Whenever it may help: the call is idempotent, or what it makes twice does no harm.
    Idempotent,
    /// Only when the service certainly did not act on it. For POST and PUT: a second create makes a
    /// second stack, a second update starts another one over the first.
    OnlyIfNotActed,
}

/// What a failure proves about whether the service acted on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// No connection stood, so no byte of the request left: it did not act.
    NotSent,
    /// It answered 429 or 503, by which services and the proxies before them turn a request away
    /// without beginning it: it did not act.
    Declined,
    /// It gave its final answer (a 4xx, a redirect), or the request was never fit to be sent:
    /// asking again would bring the same.
    Answered,
    /// The connection broke after the request left, the time was up, the answer was cut, or it was
    /// a 5xx, as a proxy also gives while the service behind it goes on: it may have acted.
    MayHaveActed,
}

/// A call without a result, and what that proves.
#[derive(Debug)]
pub(super) struct CallFailure {
    pub(super) error: CloudError,
    pub(super) delivery: Delivery,
}

impl From<CallFailure> for CloudError {
    fn from(failure: CallFailure) -> Self {
        failure.error
    }
}

impl From<CloudError> for CallFailure {
    /// For what was wrong before anything was sent.
    fn from(error: CloudError) -> Self {
        Self {
            error,
            delivery: Delivery::Answered,
        }
    }
}

/// Whether a call that failed so may be sent again.
fn may_repeat(policy: RetryPolicy, delivery: Delivery) -> bool {
    match delivery {
        Delivery::NotSent | Delivery::Declined => true,
        Delivery::MayHaveActed => policy == RetryPolicy::Idempotent,
        Delivery::Answered => false,
    }
}

/// Runs `send_once` with the number of the attempt, from 1 on, until it succeeds, its failure
/// forbids a repetition, or `limits.attempts` are used up. `action` is for the log.
pub(super) async fn repeat_call<T, F>(
    policy: RetryPolicy,
    limits: &ClientLimits,
    (service, action): (ServiceName, &str),
    mut send_once: impl FnMut(u32) -> F,
) -> Result<T, CallFailure>
where
    F: Future<Output = Result<T, CallFailure>>,
{
    let mut attempt = 1;
    loop {
        let failure = match send_once(attempt).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        if !may_repeat(policy, failure.delivery) || attempt >= limits.attempts {
            return Err(failure);
        }
        let retry_after = match &failure.error {
            CloudError::Overloaded { retry_after, .. } => *retry_after,
            _ => None,
        };
        let pause = backoff_pause(limits, attempt, retry_after, random_jitter());
        debug!(
            service = service.as_str(),
            attempt,
            pause_ms = pause.as_millis(),
            "asking again to {action}: {}",
            failure.error
        );
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

/// The pause after a failed attempt: doubled each time, jittered, no shorter than the service asks
/// for (`Retry-After`), never above the limit.
pub(super) fn backoff_pause(
    limits: &ClientLimits,
    attempt: u32,
    retry_after: Option<Duration>,
    jitter: f64,
) -> Duration {
    let doubled = limits
        .backoff
        .saturating_mul(2u32.saturating_pow(attempt - 1))
        .min(limits.backoff_max);
    doubled
        .mul_f64(jitter)
        .max(retry_after.unwrap_or_default())
        .min(limits.backoff_max)
}

/// From a half to one, so that many hosts that failed together do not come back together.
fn random_jitter() -> f64 {
    let random = crate::system::random::random_byte();
    0.5 + f64::from(random) / 510.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_idempotent_calls_are_repeated_when_the_service_may_have_acted() {
        use Delivery::{Answered, Declined, MayHaveActed, NotSent};
        use RetryPolicy::{Idempotent, OnlyIfNotActed};
        for (delivery, idempotent, other) in [
            (NotSent, true, true),
            (Declined, true, true),
            (MayHaveActed, true, false),
            (Answered, false, false),
        ] {
            assert_eq!(may_repeat(Idempotent, delivery), idempotent, "{delivery:?}");
            assert_eq!(may_repeat(OnlyIfNotActed, delivery), other, "{delivery:?}");
        }
    }

    #[test]
    fn the_pause_doubles_is_jittered_and_stays_below_its_limit() {
        let limits = ClientLimits {
            backoff: Duration::from_millis(100),
            backoff_max: Duration::from_secs(1),
            ..ClientLimits::default()
        };
        let ms = |attempt, retry_after: Option<u64>, jitter| {
            let retry_after = retry_after.map(Duration::from_millis);
            backoff_pause(&limits, attempt, retry_after, jitter).as_millis()
        };
        assert_eq!(
            [ms(1, None, 1.0), ms(2, None, 1.0), ms(3, None, 1.0)],
            [100, 200, 400]
        );
        assert_eq!(ms(3, None, 0.5), 200);
        assert_eq!(ms(5, None, 1.0), 1000);
        assert_eq!(ms(100, None, 1.0), 1000);
        assert_eq!(ms(1, Some(700), 1.0), 700, "Retry-After is honoured");
        assert_eq!(ms(1, Some(60_000), 1.0), 1000, "within the limit");
    }

    #[test]
    fn jitter_lies_between_a_half_and_one() {
        assert!(
            (0..1000)
                .map(|_| random_jitter())
                .all(|j| (0.5..=1.0).contains(&j))
        );
    }
}
