//! Two exceptions for hurtle's Service Manager, which no other client gets: its polls fail once a
//! cluster has failed, and its updates are stripped of the parameters that it merely repeats.
//!
//! After deploy it polls the entity in JSON every 7 s until `CREATE_COMPLETE` or `UPDATE_COMPLETE`.
//! It knows no failed state there and would poll for ever. Only an exception ends its loop, and its
//! HTTP client raises one for every status that is not a success. So its polls receive the whole
//! entity with the status 424 and the reason in the status line, which the exception quotes.
//!
//! With each update it sends the parameters of create and deploy once more, before those that its
//! client asks for. A cluster that has grown since would shrink whenever anything else is changed.
//! So an attribute of such an update is ignored if it has the value that it had then, unless it is
//! repeated and stands last: only the client's own come last.
//!
//! Both are recognized by the User-Agent of its HTTP client, the only thing that tells its requests
//! from those of others.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use super::render::escape::escape_line;
use crate::cluster::ClusterState;
use crate::orchestrator::{ClientAttributes, ClusterView};

/// Bytes of the reason in a status line.
const REASON_BYTES: usize = 400;

/// The last release of the Python library requests for Python 2, in which the Service Manager is
/// written. Programs that use a later one are not the Service Manager.
const LAST_FOR_PYTHON_2: (u32, u32) = (2, 27);

/// Whether this is a poll of the Service Manager, which accepts JSON and nothing else.
pub(super) fn is_poll(headers: &HeaderMap) -> bool {
    header_text(headers, &ACCEPT) == Some("application/occi+json") && is_service_manager(headers)
}

/// Whether the Service Manager sends this: its client is requests for Python 2.
pub(super) fn is_service_manager(headers: &HeaderMap) -> bool {
    let version =
        header_text(headers, &USER_AGENT).and_then(|agent| agent.strip_prefix("python-requests/"));
    let mut numbers = version
        .into_iter()
        .flat_map(|version| version.split('.'))
        .map(str::parse::<u32>);
    let version = numbers
        .next()
        .and_then(Result::ok)
        .zip(numbers.next().and_then(Result::ok));
    version.is_some_and(|version| version <= LAST_FOR_PYTHON_2)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The attributes of an update without those that the Service Manager only repeats. `initial` are
/// the attributes as they came with create and deploy.
pub(super) fn drop_repeated(
    given: ClientAttributes,
    initial: &BTreeMap<String, String>,
) -> ClientAttributes {
    let times = |name: &str| given.iter().filter(|(other, _)| other == name).count();
    // The client's attributes come last: one that was repeated before and comes once more is its.
    let is_requested = |at: usize, name: &str| at + 1 == given.len() && times(name) > 1;
    let repeats = |at: usize, name: &String, value: &String| {
        initial.get(name) == Some(value) && !is_requested(at, name)
    };
    given
        .iter()
        .enumerate()
        .filter(|(at, (name, value))| !repeats(*at, name, value))
        .map(|(_, pair)| pair.clone())
        .collect()
}

/// Whether this cluster can no longer reach one of the two states that end the Service Manager's
/// polling.
pub(super) fn has_failed_for_good(view: &ClusterView) -> bool {
    let settled = matches!(view.state, ClusterState::Failed(_) | ClusterState::Deleted);
    settled
        && !matches!(
            view.stack_status.as_deref(),
            Some("CREATE_COMPLETE" | "UPDATE_COMPLETE")
        )
}

/// Turns the response to a poll into a failure, with the same headers and body.
pub(super) fn fail_poll(mut response: Response<Bytes>, view: &ClusterView) -> Response<Bytes> {
    let status = view.stack_status.as_deref().unwrap_or(view.state.as_str());
    let why = view
        .failure
        .as_deref()
        .or(view.state.reason())
        .unwrap_or(&view.stack_status_reason);
    let text = format!("{}: {}", escape_line(status), escape_line(why));
    let text = text.get(..REASON_BYTES).unwrap_or(&text);
    *response.status_mut() = StatusCode::FAILED_DEPENDENCY;
    if let Ok(reason) = ReasonPhrase::try_from(text.to_owned()) {
        response.extensions_mut().insert(reason);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::model::entity::tests::view;
    use super::*;

    #[test]
    fn what_an_update_repeats_is_no_request_and_what_comes_behind_it_is() {
        let given = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<ClientAttributes>()
        };
        let initial = BTreeMap::from([("stampede.workers".to_owned(), "2".to_owned())]);
        let requested = |pairs: &[(&str, &str)]| drop_repeated(given(pairs), &initial);
        assert_eq!(
            requested(&[
                ("my.param", "a"),
                ("stampede.workers", "2"),
                ("my.param", "b")
            ]),
            given(&[("my.param", "a"), ("my.param", "b")])
        );
        let (two, three) = (("stampede.workers", "2"), ("stampede.workers", "3"));
        assert_eq!(
            requested(&[two, two]),
            given(&[two]),
            "its client wants two again"
        );
        assert_eq!(
            requested(&[two, two, ("my.param", "b")]),
            given(&[("my.param", "b")]),
            "it repeats itself"
        );
        assert_eq!(requested(&[two, three]), given(&[three]));
        assert_eq!(requested(&[two]), given(&[]), "its client wants nothing");
        assert_eq!(
            requested(&[("stampede.workers", "3")]),
            given(&[("stampede.workers", "3")])
        );
    }

    #[test]
    fn only_the_service_managers_polls_are_seen() {
        const JSON: &str = "application/occi+json";
        for (agent, accept, is_it) in [
            ("python-requests/2.11.0", JSON, true),
            ("python-requests/1.0", JSON, true),
            ("python-requests/2.27.1", JSON, true),
            ("python-requests/2.28.0", JSON, false),
            ("python-requests/3.0.0", JSON, false),
            ("python-requests/", JSON, false),
            ("curl/8.5.0", JSON, false),
            ("python-requests/2.11.0", "text/occi", false),
            ("python-requests/2.11.0", "*/*", false),
            (
                "python-requests/2.11.0",
                "application/occi+json, */*",
                false,
            ),
        ] {
            let headers = HeaderMap::from_iter([
                (USER_AGENT, agent.parse().unwrap()),
                (ACCEPT, accept.parse().unwrap()),
            ]);
            assert_eq!(is_poll(&headers), is_it, "{agent} {accept}");
        }
        assert!(!is_poll(&HeaderMap::new()));
    }

    #[test]
    fn only_what_cannot_come_up_any_more_is_waited_for_in_vain() {
        let failed = || ClusterState::Failed("no space".to_owned());
        for (state, status, vain) in [
            (failed(), Some("CREATE_FAILED"), true),
            (failed(), Some("UPDATE_FAILED"), true),
            (failed(), None, true),
            (ClusterState::Deleted, Some("DELETE_COMPLETE"), true),
            (failed(), Some("CREATE_COMPLETE"), false),
            (ClusterState::Active, Some("CREATE_COMPLETE"), false),
            (ClusterState::Deploying, Some("CREATE_IN_PROGRESS"), false),
            (ClusterState::Planned, None, false),
            (ClusterState::Requested, None, false),
            (ClusterState::Suspended, Some("SUSPEND_COMPLETE"), false),
        ] {
            let mut view = view("default");
            (view.state, view.stack_status) = (state, status.map(str::to_owned));
            assert_eq!(has_failed_for_good(&view), vain, "{view:?}");
        }
    }

    #[test]
    fn no_reason_splits_the_status_line_or_makes_it_too_long() {
        let mut view = view("default");
        view.stack_status = Some("CREATE_FAILED".to_owned());
        for why in [
            "a\r\nX-Injected: 1".to_owned(),
            "caf\u{e9}".repeat(1000),
            String::new(),
        ] {
            view.state = ClusterState::Failed(why);
            let answer = fail_poll(Response::new(Bytes::new()), &view);
            let reason = answer
                .extensions()
                .get::<ReasonPhrase>()
                .expect("there is one")
                .as_bytes()
                .to_vec();
            assert!(
                reason.len() <= REASON_BYTES && reason.iter().all(|b| (0x20..0x7f).contains(b)),
                "{reason:?}"
            );
        }
    }
}
