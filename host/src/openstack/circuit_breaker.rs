//! Keeps calls from a service that does not answer: after some calls in a row without any answer no
//! more are made for a while, then one, and all again once that one is answered. Whoever is refused
//! knows at once, and holds neither a turn nor a connection for as long as an answer may take.
//!
//! A circuit is one project's at one service of one region: what hangs for one project alone, such as
//! a stack that the service cannot show, says nothing of the others. An answer is any answer, also
//! an error: it costs no time. Asks nobody.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    ClientLimits, CloudError,
    api_request::ApiRequest,
    retry::{CallFailure, Delivery},
};
use crate::system::clock;

/// Circuits that are remembered at once; only those without an answer are.
const MAX_CIRCUITS: usize = 4_096;

/// All circuits of a cloud.
#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    circuits: Mutex<HashMap<String, Circuit>>,
}

#[derive(Debug, Default)]
struct Circuit {
    /// Calls in a row that had no answer.
    unanswered: u32,
    /// No call is made before, where there were too many.
    open_until: Option<Instant>,
    /// The one call that finds out is under way.
    is_probed: bool,
}

/// A call that may be made. Dropped without an answer having been recorded, as by somebody who
/// stopped waiting, it says nothing.
#[derive(Debug)]
pub(super) struct AdmittedCall<'a> {
    breaker: &'a CircuitBreaker,
    circuit: String,
    is_probe: bool,
}

/// The call is not made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OpenCircuit {
    /// So many calls in a row had no answer.
    pub(super) unanswered: u32,
    /// After that the service is asked again.
    pub(super) wait: Duration,
}

impl CircuitBreaker {
    /// Makes the exchange, where its circuit has not left too many without an answer.
    pub(super) async fn guard<T>(
        &self,
        call: &ApiRequest<'_>,
        limits: &ClientLimits,
        exchange: impl Future<Output = Result<T, CallFailure>>,
    ) -> Result<T, CallFailure> {
        let admitted = self
            .admit(&call.circuit, limits, clock::monotonic_now())
            .map_err(|open| kept_back(call, &open))?;
        let result = exchange.await;
        match &result {
            Err(failure) if is_unanswered(&failure.error) => {
                admitted.unanswered(limits, clock::monotonic_now());
            }
            _ => admitted.answered(),
        }
        result
    }

    /// Whether a call may be made by this circuit.
    pub(super) fn admit(
        &self,
        name: &str,
        limits: &ClientLimits,
        now: Instant,
    ) -> Result<AdmittedCall<'_>, OpenCircuit> {
        let mut circuits = self.lock();
        let mut is_probe = false;
        if let Some(circuit) = circuits.get_mut(name)
            && let Some(until) = circuit.open_until
        {
            let wait = until.saturating_duration_since(now);
            if !wait.is_zero() || circuit.is_probed {
                return Err(OpenCircuit {
                    unanswered: circuit.unanswered,
                    wait: wait.max(limits.circuit_probe),
                });
            }
            circuit.is_probed = true;
            is_probe = true;
        }
        drop(circuits);
        Ok(AdmittedCall {
            breaker: self,
            circuit: name.to_owned(),
            is_probe,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Circuit>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AdmittedCall<'_> {
    /// The service has answered, whatever it said.
    pub(super) fn answered(self) {
        self.breaker.lock().remove(&self.circuit);
    }

    /// No answer came in time, or no connection.
    pub(super) fn unanswered(self, limits: &ClientLimits, now: Instant) {
        let mut circuits = self.breaker.lock();
        if circuits.len() >= MAX_CIRCUITS && !circuits.contains_key(&self.circuit) {
            return;
        }
        let circuit = circuits.entry(self.circuit.clone()).or_default();
        circuit.unanswered = circuit.unanswered.saturating_add(1);
        if circuit.unanswered >= limits.circuit_failures {
            circuit.open_until = Some(now + limits.circuit_pause);
        }
    }
}

impl Drop for AdmittedCall<'_> {
    fn drop(&mut self) {
        if self.is_probe
            && let Some(circuit) = self.breaker.lock().get_mut(&self.circuit)
        {
            circuit.is_probed = false;
        }
    }
}

/// The call that was not made, since those before it had no answer.
fn kept_back(call: &ApiRequest<'_>, open: &OpenCircuit) -> CallFailure {
    let (times, wait) = (open.unanswered, open.wait.as_secs_f64().ceil());
    CallFailure {
        error: CloudError::Unreachable {
            service: call.service.as_str(),
            url: call.url.origin().ascii_serialization(),
            reason: format!(
                "it left {times} calls in a row without an answer, and is asked again in {wait} s"
            ),
            connected: false,
            source: None,
        },
        // Asked at once again it would be kept back again.
        delivery: Delivery::Answered,
    }
}

/// Whether no connection could be made, or time was up: what a service that is away costs.
fn is_unanswered(error: &CloudError) -> bool {
    let source = match error {
        CloudError::Unreachable { source, .. } | CloudError::BadAnswer { source, .. } => source,
        _ => return false,
    };
    let cause = source.as_ref().map(super::error::ErrorCause::as_error);
    cause
        .and_then(|cause| cause.downcast_ref::<reqwest::Error>())
        .is_some_and(|error| error.is_connect() || error.is_timeout())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::clock::monotonic_now;

    const P: &str = "heat http://heat:8004 RegionOne p";

    fn limits() -> ClientLimits {
        ClientLimits {
            circuit_failures: 3,
            circuit_pause: Duration::from_secs(10),
            circuit_probe: Duration::from_secs(1),
            ..ClientLimits::default()
        }
    }

    fn fail(breaker: &CircuitBreaker, times: u32, now: Instant) {
        for _ in 0..times {
            let call = breaker.admit(P, &limits(), now).unwrap();
            call.unanswered(&limits(), now);
        }
    }

    #[test]
    fn as_many_calls_without_an_answer_as_may_be_are_made_and_no_more_for_a_while() {
        let (breaker, now) = (CircuitBreaker::default(), monotonic_now());
        fail(&breaker, 2, now);
        assert!(breaker.admit(P, &limits(), now).is_ok());
        fail(&breaker, 1, now);
        let refused = breaker.admit(P, &limits(), now).unwrap_err();
        let wanted = OpenCircuit {
            unanswered: 3,
            wait: limits().circuit_pause,
        };
        assert_eq!(refused, wanted);
        let almost = now + limits().circuit_pause - Duration::from_nanos(1);
        assert!(breaker.admit(P, &limits(), almost).is_err());
    }

    #[test]
    fn an_answer_in_between_begins_the_count_again() {
        let (breaker, now) = (CircuitBreaker::default(), monotonic_now());
        fail(&breaker, 2, now);
        breaker.admit(P, &limits(), now).unwrap().answered();
        fail(&breaker, 2, now);
        assert!(breaker.admit(P, &limits(), now).is_ok());
        breaker.admit(P, &limits(), now).unwrap().answered();
        assert!(breaker.lock().is_empty(), "what answers is not remembered");
    }

    #[test]
    fn one_call_finds_out_and_its_answer_lets_all_go_on() {
        let (breaker, now) = (CircuitBreaker::default(), monotonic_now());
        fail(&breaker, 3, now);
        let later = now + limits().circuit_pause;
        let probe = breaker.admit(P, &limits(), later).unwrap();
        assert!(breaker.admit(P, &limits(), later).is_err(), "one");
        probe.answered();
        assert!(breaker.admit(P, &limits(), later).is_ok());
    }

    #[test]
    fn a_probe_without_an_answer_begins_the_pause_again_and_one_that_was_given_up_does_not() {
        let (breaker, now) = (CircuitBreaker::default(), monotonic_now());
        fail(&breaker, 3, now);
        let later = now + limits().circuit_pause;
        drop(breaker.admit(P, &limits(), later).unwrap());
        fail(&breaker, 1, later);
        assert!(breaker.admit(P, &limits(), later).is_err());
        let again = later + limits().circuit_pause;
        assert!(breaker.admit(P, &limits(), again).is_ok());
    }

    #[test]
    fn what_hangs_for_one_project_or_in_one_region_is_nobody_elses() {
        let (breaker, now) = (CircuitBreaker::default(), monotonic_now());
        fail(&breaker, 3, now);
        assert!(
            breaker
                .admit("heat http://heat:8004 RegionOne q", &limits(), now)
                .is_ok()
        );
        assert!(
            breaker
                .admit("heat http://heat:8004 RegionTwo p", &limits(), now)
                .is_ok()
        );
    }

    #[test]
    fn no_more_circuits_are_remembered_than_may_be() {
        let (breaker, now) = (CircuitBreaker::default(), monotonic_now());
        for number in 0..=MAX_CIRCUITS {
            let call = breaker.admit(&number.to_string(), &limits(), now);
            call.unwrap().unanswered(&limits(), now);
        }
        assert_eq!(breaker.lock().len(), MAX_CIRCUITS);
    }
}
