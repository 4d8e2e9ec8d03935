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
//! Many programs use the HTTP library that it uses, so that it is told by what only it does: it
//! first asks for `/` with a token and the Cloud Controller's password at once, its updates begin
//! with a comma and repeat every parameter, and hurtle starts the host that it drives. It knows one
//! entity, `default`.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use hyper::ext::ReasonPhrase;
use lru::LruCache;
use sha2::{Digest as _, Sha256};

use super::render::escape::escape_line;
use crate::cluster::{ClusterState, request_entry::RequestFace};
use crate::orchestrator::{ClientAttributes, ClusterView};

/// Bytes of the reason in a status line.
const REASON_BYTES: usize = 400;

/// The last release of the Python library requests for Python 2, in which the Service Manager is
/// written. Programs that use a later one are not the Service Manager.
const LAST_FOR_PYTHON_2: (u32, u32) = (2, 27);

/// The one entity that it makes.
const ITS_ENTITY: &str = "default";
/// The one rendering that its polls accept.
const ITS_RENDERING: &str = "application/occi+json";
/// Tokens by which Service Managers are remembered; the least recently seen make room.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).unwrap();

static TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
static TENANT: HeaderName = HeaderName::from_static("x-tenant-name");
static ATTRIBUTE: HeaderName = HeaderName::from_static("x-occi-attribute");

/// The Service Managers that use this host.
pub(super) struct ServiceManagers {
    /// Whether hurtle has started this host, for one Service Manager to drive.
    started_by_hurtle: bool,
    /// Digests of token and project of those that have shown themselves.
    seen: Mutex<LruCache<[u8; 32], ()>>,
}

impl ServiceManagers {
    pub(super) fn new(started_by_hurtle: bool) -> Self {
        Self {
            started_by_hurtle,
            seen: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    /// Remembers the client of a request for `/` if only the Service Manager sends such a one.
    pub(super) fn note_first_look(&self, headers: &HeaderMap) {
        let is_its = has_its_agent(headers)
            && header_text(headers, &ACCEPT) == Some(ITS_RENDERING)
            && header_text(headers, &CONTENT_TYPE) == Some("text/occi")
            && header_text(headers, &AUTHORIZATION).is_some_and(|text| text.starts_with("Basic "));
        if is_its {
            self.remember(headers);
        }
    }

    /// Whether this is a poll of the Service Manager, which accepts JSON and nothing else.
    pub(super) fn is_poll(&self, headers: &HeaderMap, entity: &str) -> bool {
        header_text(headers, &ACCEPT) == Some(ITS_RENDERING)
            && entity == ITS_ENTITY
            && has_its_agent(headers)
            && self.is_known(headers)
    }

    /// Whether the Service Manager sends this update. `initial` are the attributes as they came with
    /// create and deploy: it repeats them all, behind a comma or behind its service's own.
    pub(super) fn is_update(
        &self,
        headers: &HeaderMap,
        entity: &str,
        given: &ClientAttributes,
        initial: &BTreeMap<String, String>,
    ) -> bool {
        let repeats_all = || {
            !initial.is_empty()
                && initial.iter().all(|(name, value)| {
                    given.iter().any(|pair| (&pair.0, &pair.1) == (name, value))
                })
        };
        let begins_with_comma = || {
            header_text(headers, &ATTRIBUTE).is_some_and(|text| text.trim_start().starts_with(','))
        };
        let is_its = entity == ITS_ENTITY
            && has_its_agent(headers)
            && repeats_all()
            && (begins_with_comma() || (given.len() > initial.len() && self.is_known(headers)));
        if is_its {
            self.remember(headers);
        }
        is_its
    }

    /// Through what the client of a request asks.
    pub(super) fn face_of(&self, headers: &HeaderMap) -> RequestFace {
        if has_its_agent(headers) && self.is_known(headers) {
            RequestFace::ServiceManager
        } else {
            RequestFace::Occi
        }
    }

    fn is_known(&self, headers: &HeaderMap) -> bool {
        self.started_by_hurtle
            || client_digest(headers).is_some_and(|digest| self.lock().get(&digest).is_some())
    }

    fn remember(&self, headers: &HeaderMap) {
        if let Some(digest) = client_digest(headers) {
            self.lock().put(digest, ());
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<[u8; 32], ()>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A digest of token and project: the token itself is not kept.
fn client_digest(headers: &HeaderMap) -> Option<[u8; 32]> {
    let mut hasher = Sha256::new();
    hasher.update(headers.get(&TOKEN)?.as_bytes());
    hasher.update(b"\n");
    hasher.update(headers.get(&TENANT)?.as_bytes());
    Some(hasher.finalize().into())
}

/// Whether the request's HTTP client is the Service Manager's: requests for Python 2.
fn has_its_agent(headers: &HeaderMap) -> bool {
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

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    const AGENT: (&str, &str) = ("user-agent", "python-requests/2.11.0");
    const JSON: (&str, &str) = ("accept", "application/occi+json");
    const ITS_TOKEN: (&str, &str) = ("x-auth-token", "its");
    const ITS_TENANT: (&str, &str) = ("x-tenant-name", "demo");
    const FIRST_LOOK: [(&str, &str); 6] = [
        AGENT,
        JSON,
        ITS_TOKEN,
        ITS_TENANT,
        ("content-type", "text/occi"),
        ("authorization", "Basic ZGVtbzpwYXNz"),
    ];

    #[test]
    fn its_polls_are_told_from_those_of_other_python_programs() {
        let poll = [AGENT, JSON, ITS_TOKEN, ITS_TENANT];
        let managers = ServiceManagers::new(false);
        assert!(
            !managers.is_poll(&headers(&poll), "default"),
            "by its agent alone"
        );
        for missing in 0..FIRST_LOOK.len() {
            let mut look = FIRST_LOOK.to_vec();
            look.remove(missing);
            managers.note_first_look(&headers(&look));
            assert!(!managers.is_poll(&headers(&poll), "default"), "{look:?}");
        }
        managers.note_first_look(&headers(&FIRST_LOOK));
        assert!(managers.is_poll(&headers(&poll), "default"));
        assert!(
            !managers.is_poll(&headers(&poll), "another"),
            "it knows one entity"
        );
        for other in [("x-auth-token", "another's"), ("x-tenant-name", "another")] {
            let mut theirs = headers(&poll);
            theirs.insert(other.0, other.1.parse().unwrap());
            assert!(!managers.is_poll(&theirs, "default"), "{other:?}");
        }
        for (agent, accept, is_it) in [
            ("python-requests/2.11.0", JSON.1, true),
            ("python-requests/1.0", JSON.1, true),
            ("python-requests/2.27.1", JSON.1, true),
            ("python-requests/2.28.0", JSON.1, false),
            ("python-requests/3.0.0", JSON.1, false),
            ("python-requests/", JSON.1, false),
            ("curl/8.5.0", JSON.1, false),
            ("python-requests/2.11.0", "text/occi", false),
            ("python-requests/2.11.0", "*/*", false),
            (
                "python-requests/2.11.0",
                "application/occi+json, */*",
                false,
            ),
        ] {
            let sent = headers(&[
                ("user-agent", agent),
                ("accept", accept),
                ITS_TOKEN,
                ITS_TENANT,
            ]);
            assert_eq!(
                managers.is_poll(&sent, "default"),
                is_it,
                "{agent} {accept}"
            );
        }
        let face = |headers: &HeaderMap| managers.face_of(headers);
        assert_eq!(face(&headers(&poll)), RequestFace::ServiceManager);
        let other = [("user-agent", "curl/8.5.0"), ITS_TOKEN, ITS_TENANT];
        assert_eq!(face(&headers(&other)), RequestFace::Occi);
        let started = ServiceManagers::new(true);
        assert!(started.is_poll(&headers(&[AGENT, JSON]), "default"));
        assert!(!started.is_poll(&headers(&[JSON]), "default"));
    }

    #[test]
    fn its_updates_are_told_from_those_of_other_python_programs() {
        let given = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<ClientAttributes>()
        };
        let set = [("stampede.workers", "2"), ("stampede.image", "debian")];
        let initial: BTreeMap<String, String> = given(&set).into_iter().collect();
        let (whole, more) = (given(&set), given(&[&[("x", "1")][..], &set].concat()));
        let part = given(&set[..1]);
        let sent = |attributes: &str| {
            headers(&[
                AGENT,
                ITS_TOKEN,
                ITS_TENANT,
                ("x-occi-attribute", attributes),
            ])
        };
        let (comma, bare) = (sent(", stampede.workers=2"), sent("stampede.workers=2"));
        for (known, head, given, is_it) in [
            (false, &comma, &whole, true),
            (false, &comma, &more, true),
            (false, &comma, &part, false),
            (false, &bare, &whole, false),
            (false, &bare, &more, false),
            (true, &bare, &part, false),
            (true, &bare, &whole, false),
            (true, &bare, &more, true),
        ] {
            let managers = ServiceManagers::new(known);
            assert_eq!(
                managers.is_update(head, "default", given, &initial),
                is_it,
                "{given:?}"
            );
            assert!(
                !managers.is_update(head, "another", given, &initial),
                "{given:?}"
            );
        }
        // Who sends one is it from then on.
        let managers = ServiceManagers::new(false);
        assert!(managers.is_update(&comma, "default", &whole, &initial));
        assert!(managers.is_update(&bare, "default", &more, &initial));
        let curl = headers(&[("user-agent", "curl/8.5.0"), ("x-occi-attribute", ", a=1")]);
        assert!(!ServiceManagers::new(true).is_update(&curl, "default", &more, &initial));
        assert!(!ServiceManagers::new(true).is_update(&comma, "default", &more, &BTreeMap::new()));
    }

    #[test]
    fn a_bounded_number_of_them_is_remembered() {
        let managers = ServiceManagers::new(false);
        let its = |token: &str| {
            let mut look = headers(&FIRST_LOOK);
            look.insert("x-auth-token", token.parse().unwrap());
            look
        };
        for number in 0..=REMEMBERED.get() {
            managers.note_first_look(&its(&number.to_string()));
        }
        assert!(!managers.is_poll(&its("0"), "default"));
        assert!(managers.is_poll(&its("1"), "default"));
        assert_eq!(managers.lock().len(), REMEMBERED.get());
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
