//! What a browser sent, and who sent it.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde::Serialize;
use url::{Host, Url};

use super::answer::{PageError, page_answer};
use super::cookie::SessionId;
use super::render::{PageFrame, PageUser, render_page};
use super::sessions::PageSession;
use super::{BASE_PATH, PageState};
use crate::addressing::{ConnectionEnds, ServiceUrl};
use crate::answer::AnswerBody;
use crate::cluster::request_entry::RequestFace;
use crate::orchestrator::{Caller, OrchestratorError};
use crate::system::clock::monotonic_now;

/// Fields of a form or a query that are read; more are of no form of ours.
const MAX_FIELDS: usize = 512;

/// One request.
#[derive(Clone)]
pub(super) struct PageRequest {
    pub(super) head: Parts,
    body: Bytes,
    /// The service as the browser knows it.
    pub(super) address: ServiceUrl,
    /// Where it comes from; none where a proxy stands between, which all come from.
    pub(super) peer: Option<IpAddr>,
}

/// Names and texts, in their order.
pub(super) struct FormFields(Vec<(String, String)>);

impl PageRequest {
    pub(super) fn new(
        head: Parts,
        body: Bytes,
        state: &PageState,
        ends: ConnectionEnds,
    ) -> Result<Self, PageError> {
        let addressing = &state.addressing;
        let address = addressing.resolve(&head.uri, &head.headers, ends)?;
        let peer = ends.peer.ip();
        let is_proxy = addressing.trusted_proxies.contains(peer);
        Ok(Self {
            head,
            body,
            address,
            peer: (!is_proxy).then_some(peer),
        })
    }

    /// What stands before all paths of this service.
    pub(super) fn prefix(&self) -> &str {
        self.address.prefix()
    }

    /// A path of the page's as the browser asks for it.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}{BASE_PATH}{below}", self.prefix())
    }

    /// Whether a script of ours asks, and no person.
    pub(super) fn is_poll(&self) -> bool {
        self.head.headers.contains_key("hx-request")
    }

    /// Whether nobody on the way can read what is sent: by TLS, or from this machine to itself.
    /// Browsers keep and send `Secure` cookies there alone.
    pub(super) fn is_private(&self) -> bool {
        let Ok(url) = Url::parse(self.address.base()) else {
            return false;
        };
        url.scheme() == "https"
            || match url.host() {
                Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
                Some(Host::Ipv4(address)) => address.is_loopback(),
                Some(Host::Ipv6(address)) => address.is_loopback(),
                None => false,
            }
    }

    /// The fields of the form that was sent.
    pub(super) fn form(&self) -> Result<FormFields, PageError> {
        FormFields::read(self.form_bytes()?)
    }

    /// The same as they came.
    pub(super) fn form_bytes(&self) -> Result<&[u8], PageError> {
        let kind = self.head.headers.get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(PageError::Form);
        }
        Ok(&self.body)
    }

    /// The fields of the query.
    pub(super) fn query(&self) -> Result<FormFields, PageError> {
        FormFields::read(self.head.uri.query().unwrap_or_default().as_bytes())
    }
}

impl FormFields {
    fn read(bytes: &[u8]) -> Result<Self, PageError> {
        let fields = url::form_urlencoded::parse(bytes).take(MAX_FIELDS + 1);
        let fields: Vec<_> = fields
            .map(|(name, text)| (name.into(), text.into()))
            .collect();
        if fields.len() > MAX_FIELDS {
            return Err(PageError::Form);
        }
        Ok(Self(fields))
    }

    /// The fields that say something, encoded as a browser does.
    pub(super) fn encode(&self) -> String {
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        encoded.extend_pairs(self.0.iter().filter(|(_, text)| !text.is_empty()));
        encoded.finish()
    }

    /// The first field of this name, without space around it; empty where there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.get_whole(name).trim()
    }

    /// The same as it was typed: a password.
    pub(super) fn get_whole(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, text)| text)
    }
}

/// A request of somebody who has signed in.
pub(super) struct SignedIn {
    pub(super) state: Arc<PageState>,
    pub(super) request: PageRequest,
    pub(super) id: SessionId,
    pub(super) session: PageSession,
    pub(super) caller: Caller,
}

impl SignedIn {
    /// Who sent it; `is_use` where a person did.
    pub(super) async fn find(
        state: &Arc<PageState>,
        request: PageRequest,
        is_use: bool,
    ) -> Result<Self, PageError> {
        let looks = request.head.method != Method::POST && !request.is_poll();
        let next = || {
            let asked = request.head.uri.path_and_query();
            let asked = asked.map_or("", |asked| asked.as_str());
            let bare = request.address.strip_prefix(asked).unwrap_or(asked);
            looks.then(|| bare.to_owned())
        };
        let id = SessionId::from_headers(&request.head.headers);
        let found = id.and_then(|id| Some((id, state.sessions.find(id, monotonic_now(), is_use)?)));
        let Some((id, session)) = found else {
            return Err(PageError::SignedOut(next()));
        };
        match call_as(state, &session).await {
            Ok(caller) => Ok(Self {
                state: Arc::clone(state),
                id,
                session,
                caller,
                request,
            }),
            Err(OrchestratorError::Unauthorized(_)) => {
                state.sessions.end(id);
                Err(PageError::SignedOut(next()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What stands around their pages.
    pub(super) fn frame(&self) -> PageFrame {
        PageFrame {
            prefix: self.request.prefix().to_owned(),
            service: self.request.address.base().to_owned(),
            who: Some(PageUser {
                user: self.session.user_name.clone(),
                project: self.session.project_name.clone(),
                region: self.session.region.clone(),
                only_looks: self.session.only_looks,
            }),
        }
    }

    /// A page for them.
    pub(super) fn page(
        &self,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Result<Response<AnswerBody>, PageError> {
        Ok(page_answer(
            status,
            render_page(template, &self.frame(), page)?,
        ))
    }
}

/// The session's user, whose token Keystone has looked at of late.
pub(super) async fn call_as(
    state: &PageState,
    session: &PageSession,
) -> Result<Caller, OrchestratorError> {
    let (token, project) = (session.token.clone(), &session.project_id);
    let caller = state.orchestrator.authenticate(token, project).await?;
    let caller = caller.through(RequestFace::Page);
    Ok(match &session.region {
        Some(region) => caller.in_region(region),
        None => caller,
    })
}
