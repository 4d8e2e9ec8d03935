//! Faults that a test injects into requests of one kind, a number of times.

use std::time::Duration;

/// A fault of requests of one kind, so many times.
#[derive(Clone, Debug)]
pub struct InjectedFault {
    /// `heat`, `keystone`, `nova`, `glance`, `neutron`, `cinder`; `None`: all.
    pub service: Option<&'static str>,
    /// `POST`; `None`: all.
    pub method: Option<&'static str>,
    /// What the path must hold, which begins with `/region/NAME` in another region than the main one;
    /// empty: anything.
    pub path: String,
    /// How often; `u32::MAX`: until [`super::FakeOpenStack::heal`].
    pub times: u32,
    /// What.
    pub what: FaultKind,
}

impl InjectedFault {
    /// For every request to the service, so many times.
    pub fn of(service: &'static str, times: u32, what: FaultKind) -> Self {
        Self {
            service: Some(service),
            method: None,
            path: String::new(),
            times,
            what,
        }
    }

    /// Only with this method, and a path that holds this.
    pub fn only(self, method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method: Some(method),
            path: path.into(),
            ..self
        }
    }
}

/// How a request fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// This status, with `Retry-After` in seconds where given; the service does not act.
    Status(u16, Option<u64>),
    /// This status, with this body, from something before the service, which is not asked.
    Proxy(u16, &'static str),
    /// A redirect to this address, from something before the service, which is not asked.
    Redirect(&'static str),
    /// The service acts; its answer comes late.
    Slow(Duration),
    /// The service acts; the connection breaks in the middle of the answer's body.
    Cut,
    /// The service acts; the connection breaks before the answer.
    Lost,
    /// The connection breaks; the service does not act.
    Dropped,
    /// The service acts; its answer is so many bytes longer.
    Padded(usize),
    /// The service acts; its answer is a page of HTML.
    Html,
    /// The token is not accepted.
    Expired,
}

/// The first fault that fits, used up by one.
pub(super) fn take(
    faults: &mut [InjectedFault],
    service: &str,
    method: &str,
    path: &str,
) -> Option<FaultKind> {
    let fits = |fault: &&mut InjectedFault| {
        fault.times > 0
            && fault.service.is_none_or(|of| of == service)
            && fault.method.is_none_or(|of| of == method)
            && path.contains(&fault.path)
    };
    let fault = faults.iter_mut().find(fits)?;
    if fault.times < u32::MAX {
        fault.times -= 1;
    }
    Some(fault.what.clone())
}
