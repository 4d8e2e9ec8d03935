//! The page under `/ui/`: HTML that the server makes, for people with a browser. One HTTP request in,
//! one answer out, or a stream of events. It knows no OCCI and no socket, and decides nothing: that
//! is `orchestrator`.
//!
//! Who has signed in is named by a cookie, so that browsers send it along with whatever a page of
//! another site asks for: every POST is checked ([`crate::addressing::is_cross_site`]). Nothing is
//! changed by a GET.
//!
//! Layout, from top to bottom; no file uses one above its own line
//! - [`PageApi`]: a request's way
//! - `sign_in`, `cluster_list`, `cluster_page`, `cluster_end`, `deletion`, `request_form` over
//!   [`forms`]: one file for each page; `live`: streams
//! - `history`: who has asked for what; `cluster_view`, `work_view`, `end_view`, `stage_chart`,
//!   `commands`: what pages show of a cluster
//! - `answer`: a page, a redirect or an error as an answer; `request`: what a browser sent
//! - `sessions`, `attempts`: who has signed in, and how often it failed; `cookie`
//! - `route`: paths and their methods; `render`, `assets`, `texts`: templates, files, words

mod answer;
mod assets;
mod attempts;
mod cluster_end;
mod cluster_list;
mod cluster_page;
mod cluster_view;
pub(crate) mod commands;
mod cookie;
mod deletion;
mod end_view;
pub mod forms;
mod history;
mod live;
mod render;
mod request;
mod request_form;
mod route;
mod sessions;
mod sign_in;
mod stage_chart;
mod texts;
mod work_view;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Response, request::Parts};

use answer::{PageError, redirect};
use request::{PageRequest, SignedIn};
use route::PageRoute;
use sessions::SessionTable;

use crate::addressing::{AddressingConfig, ConnectionEnds, is_cross_site};
use crate::answer::{AnswerBody, EventSlots};
use crate::orchestrator::{Orchestrator, OrchestratorError};

pub use attempts::AttemptLimits;
pub use sessions::SessionLimits;

/// Below which the page is.
pub const BASE_PATH: &str = "/ui";

/// The page over the clusters of an orchestrator. Cheap to clone.
#[derive(Clone)]
pub struct PageApi {
    state: Arc<PageState>,
}

/// What all requests share.
struct PageState {
    orchestrator: Orchestrator,
    addressing: AddressingConfig,
    slots: EventSlots,
    sessions: SessionTable,
    attempts: attempts::AttemptTable,
}

impl PageApi {
    /// A page over these clusters, whose streams take these places.
    pub fn new(
        orchestrator: Orchestrator,
        addressing: AddressingConfig,
        slots: EventSlots,
    ) -> Self {
        let state = PageState {
            orchestrator,
            addressing,
            slots,
            sessions: SessionTable::new(SessionLimits::default()),
            attempts: attempts::AttemptTable::new(AttemptLimits::default()),
        };
        Self {
            state: Arc::new(state),
        }
    }

    /// The answer to a request whose head alone is reason to refuse it, so that its body need not be
    /// read.
    pub fn refuse_head(&self, head: &Parts, ends: ConnectionEnds) -> Option<Response<AnswerBody>> {
        let request = match PageRequest::new(head.clone(), Bytes::new(), &self.state, ends) {
            Ok(request) => request,
            Err(refused) => return Some(refused.into_answer("")),
        };
        let refused = check_head(&request).err()?;
        Some(refused.into_answer(request.prefix()))
    }

    /// Answers one request.
    pub async fn handle_request(
        &self,
        head: Parts,
        body: Bytes,
        ends: ConnectionEnds,
    ) -> Response<AnswerBody> {
        let request = match PageRequest::new(head, body, &self.state, ends) {
            Ok(request) => request,
            Err(refused) => return refused.into_answer(""),
        };
        let prefix = request.prefix().to_owned();
        let answer = self.serve(request).await;
        answer.unwrap_or_else(|error| error.into_answer(&prefix))
    }

    async fn serve(&self, request: PageRequest) -> Result<Response<AnswerBody>, PageError> {
        let route = check_head(&request)?;
        let state = &self.state;
        let is_post = request.head.method == Method::POST;
        match route {
            PageRoute::Asset { hash, file } => {
                let answer = assets::asset_answer(&request.head.headers, &hash, &file);
                return answer.ok_or(PageError::NotFound);
            }
            PageRoute::SignIn if is_post => return sign_in::sign_in(state, &request).await,
            PageRoute::SignIn => return sign_in::show_form(state, &request).await,
            PageRoute::SignOut => return sign_in::sign_out(state, &request).await,
            PageRoute::Home => return Ok(redirect(&request.path("/clusters"))),
            _ => {}
        }
        let answer = match self.serve_user(request.clone(), route.clone()).await {
            // A service has refused the token: Keystone is asked whether it has ended.
            Err(refused @ PageError::Refused(OrchestratorError::Unauthorized(_))) => {
                match SignedIn::find(state, request.clone(), false).await {
                    Err(ended @ PageError::SignedOut(_)) => Err(ended),
                    _ => Err(refused),
                }
            }
            other => other,
        };
        match answer {
            Err(PageError::SignedOut(_)) if is_post && !request.is_poll() => {
                sign_in::ask_again(state, &request, &route)
            }
            other => other,
        }
    }

    /// Answers a request of somebody who has signed in.
    async fn serve_user(
        &self,
        request: PageRequest,
        route: PageRoute,
    ) -> Result<Response<AnswerBody>, PageError> {
        let is_post = request.head.method == Method::POST;
        let is_use = !matches!(route, PageRoute::Events(_)) && (is_post || !request.is_poll());
        let signed_in = SignedIn::find(&self.state, request, is_use).await?;
        match route {
            PageRoute::Clusters => cluster_list::show(&signed_in).await,
            PageRoute::Cluster(name) => cluster_page::show(&signed_in, &name).await,
            PageRoute::Events(name) => live::stream(signed_in, name).await,
            PageRoute::Secret(name) => cluster_page::show_secret(&signed_in, &name).await,
            PageRoute::End(name) => cluster_end::change(&signed_in, &name).await,
            PageRoute::Form(path) => request_form::answer(&signed_in, path).await,
            PageRoute::Delete(name) if is_post => deletion::delete(&signed_in, &name).await,
            PageRoute::Delete(name) => deletion::show_form(&signed_in, &name).await,
            // Answered above.
            _ => Err(PageError::NotFound),
        }
    }
}

/// The route, for a request that may have it.
fn check_head(request: &PageRequest) -> Result<PageRoute, PageError> {
    let path = request.head.uri.path();
    let route = PageRoute::from_path(path)
        .or_else(|| PageRoute::from_path(request.address.strip_prefix(path)?))
        .ok_or(PageError::NotFound)?;
    let method = &request.head.method;
    let allowed = route.methods();
    let asked = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    if !allowed.contains(asked) {
        return Err(PageError::Method(allowed));
    }
    if *method == Method::POST && is_cross_site(&request.head.headers, Some(&request.address)) {
        return Err(PageError::CrossSite);
    }
    Ok(route)
}
