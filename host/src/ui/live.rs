//! The stream of a cluster's page: the part of the page that renews itself, sent again when it has
//! changed. In between a short event says that the stream lives, so that a page that hears nothing
//! knows that it is not live.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use http::Response;
use tokio::sync::OwnedSemaphorePermit;

use super::answer::PageError;
use super::cluster_page::look_up;
use super::cookie::SessionId;
use super::render::{PageFrame, render_page};
use super::request::{SignedIn, call_as};
use super::{PageState, texts::say};
use crate::answer::{AnswerBody, ServerEvent};
use crate::orchestrator::{OrchestratorError, ViewVersion};
use crate::system::clock::monotonic_now;

/// How often a cluster is looked at for a page. Pages take one that has heard nothing for 5 s for
/// not live.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often a page is sent again although nothing has changed: what it says of ages has.
const SEND_EVERY: Duration = Duration::from_secs(10);

/// A stream under way.
struct LivePage {
    state: Arc<PageState>,
    id: SessionId,
    frame: PageFrame,
    name: String,
    sent: Option<(Instant, Option<ViewVersion>)>,
    has_looked: bool,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

/// The stream of a cluster's page.
pub(super) async fn stream(
    signed_in: SignedIn,
    name: String,
) -> Result<Response<AnswerBody>, PageError> {
    let place = Arc::clone(&signed_in.session.streams).try_acquire_owned();
    let place = place.map_err(|_| PageError::TooManyStreams)?;
    let page = LivePage {
        frame: signed_in.frame(),
        state: Arc::clone(&signed_in.state),
        id: signed_in.id,
        name,
        sent: None,
        has_looked: false,
        is_over: false,
        _place: place,
    };
    let slots = &signed_in.state.slots;
    Ok(slots.stream(signed_in.caller.project_id(), events(page))?)
}

fn events(page: LivePage) -> impl Stream<Item = ServerEvent> + Send + 'static {
    stream::unfold(page, |mut page| async move {
        if page.is_over {
            return None;
        }
        if page.has_looked {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        page.has_looked = true;
        let event = page.next_event().await;
        Some((event, page))
    })
}

impl LivePage {
    /// Boxed, since a stream keeps it for as long as it lives.
    async fn next_event(&mut self) -> ServerEvent {
        let now = monotonic_now();
        let Some(session) = self.state.sessions.find(self.id, now, false) else {
            return self.end("signed-out");
        };
        let caller = match call_as(&self.state, &session).await {
            Ok(caller) => caller,
            Err(OrchestratorError::Unauthorized(_)) => return self.end("signed-out"),
            Err(error) => return trouble(&error),
        };
        let looked = Box::pin(look_up(&self.state.orchestrator, &caller, &self.name)).await;
        let shown = match looked {
            Ok(shown) => shown,
            Err(OrchestratorError::NotFound(_)) => return self.end("gone"),
            Err(error) => return trouble(&error),
        };
        let is_same = self.sent.as_ref().is_some_and(|(at, edition)| {
            let is_young = now.saturating_duration_since(*at) < SEND_EVERY;
            is_young && *edition == shown.edition && !shown.is_moving
        });
        if is_same {
            return named("tick", String::new());
        }
        self.sent = Some((now, shown.edition));
        match render_page("cluster_live.html", &self.frame, &shown.data) {
            Ok(data) => ServerEvent {
                name: None,
                id: None,
                data,
            },
            Err(error) => {
                tracing::error!("page failed: {error}");
                self.end("gone")
            }
        }
    }

    fn end(&mut self, name: &'static str) -> ServerEvent {
        self.is_over = true;
        named(name, String::new())
    }
}

fn named(name: &'static str, data: String) -> ServerEvent {
    ServerEvent {
        name: Some(name),
        id: None,
        data,
    }
}

/// Said on the page: what stands there may be old.
fn trouble(error: &OrchestratorError) -> ServerEvent {
    match error {
        OrchestratorError::Internal(_) => named("trouble", say("error.internal_why", &[])),
        other => named("trouble", other.to_string()),
    }
}
