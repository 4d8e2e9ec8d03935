//! What hurtle's Service Manager needs and no other client: an end to its polling when a cluster
//! has failed, and no wish read into what it repeats.
//!
//! After deploy it asks for the entity in JSON every 7 s and goes on at `CREATE_COMPLETE` or
//! `UPDATE_COMPLETE`; it knows no failure there, and would ask for ever. Its loop ends with an
//! exception alone, and its HTTP client raises one at every status that is no success. So its
//! polls, and nobody else's, get the whole entity with the status 424 and the reason in the status
//! line, which the exception quotes.
//!
//! With each update it sends, before what its client asks for, the parameters that it sent with
//! create and deploy, once more: a cluster that has grown since would shrink whenever anything is
//! changed. What is as it came then is no wish of such an update, unless it stands at its end.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use hyper::ext::ReasonPhrase;

use super::syntax::escape;
use crate::cluster::ClusterState;
use crate::orchestrator::{ClientAttributes, ClusterView};

/// Bytes of the reason in a status line.
const REASON_BYTES: usize = 400;

/// The last release of requests for Python 2, in which the Service Manager is written. Programs
/// with a later one are not it.
const LAST_FOR_PYTHON_2: (u32, u32) = (2, 27);

/// Whether this is how the Service Manager polls: JSON and nothing else.
pub(super) fn polls(headers: &HeaderMap) -> bool {
    text(headers, &ACCEPT) == Some("application/occi+json") && is_it(headers)
}

/// Whether it speaks by requests for Python 2, as the Service Manager does.
pub(super) fn is_it(headers: &HeaderMap) -> bool {
    let version =
        text(headers, &USER_AGENT).and_then(|agent| agent.strip_prefix("python-requests/"));
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

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What an update of its asks for, without what it only repeats.
pub(super) fn wishes(
    given: ClientAttributes,
    brought: &BTreeMap<String, String>,
) -> ClientAttributes {
    let times = |name: &str| given.iter().filter(|(other, _)| other == name).count();
    // What its client asks for comes last: repeated before, and then once more, it is meant.
    let is_meant = |at: usize, name: &str| at + 1 == given.len() && times(name) > 1;
    let repeats = |at: usize, name: &String, value: &String| {
        brought.get(name) == Some(value) && !is_meant(at, name)
    };
    given
        .iter()
        .enumerate()
        .filter(|(at, (name, value))| !repeats(*at, name, value))
        .map(|(_, pair)| pair.clone())
        .collect()
}

/// Whether no waiting brings this cluster to one of the two states in which the Service Manager
/// goes on.
pub(super) fn waits_in_vain(view: &ClusterView) -> bool {
    let settled = matches!(view.state, ClusterState::Failed(_) | ClusterState::Deleted);
    settled
        && !matches!(
            view.stack_status.as_deref(),
            Some("CREATE_COMPLETE" | "UPDATE_COMPLETE")
        )
}

/// The answer to a poll in vain: what would have been shown, as a failure.
pub(super) fn end(mut shown: Response<Bytes>, view: &ClusterView) -> Response<Bytes> {
    let status = view.stack_status.as_deref().unwrap_or(view.state.as_str());
    let why = view
        .failure
        .as_deref()
        .or(view.state.reason())
        .unwrap_or(&view.stack_status_reason);
    let text = format!("{}: {}", escape::line(status), escape::line(why));
    let text = text.get(..REASON_BYTES).unwrap_or(&text);
    *shown.status_mut() = StatusCode::FAILED_DEPENDENCY;
    if let Ok(reason) = ReasonPhrase::try_from(text.to_owned()) {
        shown.extensions_mut().insert(reason);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::super::entity::tests::view;
    use super::*;

    #[test]
    fn what_an_update_repeats_is_no_wish_and_what_comes_behind_it_is() {
        let given = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<ClientAttributes>()
        };
        let brought = BTreeMap::from([("stampede.workers".to_owned(), "2".to_owned())]);
        let wish = |pairs: &[(&str, &str)]| wishes(given(pairs), &brought);
        assert_eq!(
            wish(&[
                ("my.param", "a"),
                ("stampede.workers", "2"),
                ("my.param", "b")
            ]),
            given(&[("my.param", "a"), ("my.param", "b")])
        );
        let (two, three) = (("stampede.workers", "2"), ("stampede.workers", "3"));
        assert_eq!(
            wish(&[two, two]),
            given(&[two]),
            "its client wants two again"
        );
        assert_eq!(
            wish(&[two, two, ("my.param", "b")]),
            given(&[("my.param", "b")]),
            "it repeats itself"
        );
        assert_eq!(wish(&[two, three]), given(&[three]));
        assert_eq!(wish(&[two]), given(&[]), "its client wants nothing");
        assert_eq!(
            wish(&[("stampede.workers", "3")]),
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
            assert_eq!(polls(&headers), is_it, "{agent} {accept}");
        }
        assert!(!polls(&HeaderMap::new()));
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
            assert_eq!(waits_in_vain(&view), vain, "{view:?}");
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
            let answer = end(Response::new(Bytes::new()), &view);
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
