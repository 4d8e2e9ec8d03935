//! A cluster as a stream: all that is known of it at the beginning, and again whenever that changes.

use futures_util::{Stream, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use serde::Serialize;

use super::super::credentials::ApiCredentials;
use super::super::limits::{LOOK_EVERY, LOOKS_AT_REST, LOOKS_MOVING};
use super::super::problem::{ApiProblem, ProblemDetails};
use super::super::shapes::{ClusterDetail, StreamEnd};
use super::{ApiContext, ApiResult};
use crate::answer::{AnswerBody, ServerEvent};
use crate::orchestrator::{ClusterLookup, Orchestrator, ViewVersion};

/// The cluster as server-sent events. `cluster` has what a GET of the cluster has, at once and
/// whenever it changes; `end` says why the stream ends, and nothing follows it. A comment is sent
/// where there is no news for 15 seconds. A stream that breaks off is asked for again: the first
/// event has everything.
#[utoipa::path(get, path = "/api/v1/clusters/{name}/events", tag = "clusters",
    params(("name" = String, Path, description = "The cluster's name")),
    responses(
        (status = 200, description = "Events; `data` of `cluster` is a `ClusterDetail`, of `end` a `StreamEnd`",
            body = String, content_type = "text/event-stream"),
        (status = 429, description = "The project has as many streams open as one may have; `Retry-After` says when to come again",
            body = ProblemDetails, content_type = "application/problem+json"),
    ))]
pub(in super::super) async fn stream_events(context: &ApiContext<'_>, name: &str) -> ApiResult {
    context.no_query()?;
    let first = context.api.orchestrator.find(&context.caller, name).await?;
    if context.is_head {
        let mut head = Response::new(AnswerBody::from(""));
        let kind = HeaderValue::from_static("text/event-stream");
        head.headers_mut().insert(CONTENT_TYPE, kind);
        return Ok(head);
    }
    let watch = ClusterWatch {
        orchestrator: context.api.orchestrator.clone(),
        credentials: context.credentials.clone(),
        name: name.to_owned(),
        id: first.id().to_owned(),
        told: None,
        looks: 0,
        is_moving: true,
        first: Some(first),
    };
    let project = context.caller.project_id();
    let opened = context.api.slots.stream(project, watch.into_events());
    opened.map_err(ApiProblem::from)
}

/// A cluster that is looked at again and again.
struct ClusterWatch {
    orchestrator: Orchestrator,
    credentials: ApiCredentials,
    name: String,
    /// The cluster's own: another of the same name is another's stream.
    id: String,
    /// What was told last.
    told: Option<ViewVersion>,
    /// Looks into memory since the cloud was asked.
    looks: u32,
    is_moving: bool,
    /// As it was found when the stream was asked for.
    first: Option<ClusterLookup>,
}

impl ClusterWatch {
    fn into_events(self) -> impl Stream<Item = ServerEvent> + Send {
        stream::unfold(Some(self), |watch| async move {
            let mut watch = watch?;
            match watch.next_news().await {
                Ok(news) => Some((news, Some(watch))),
                Err(end) => Some((event("end", None, &end), None)),
            }
        })
    }

    /// The next event, once there is one.
    async fn next_news(&mut self) -> Result<ServerEvent, StreamEnd> {
        loop {
            let found = match self.first.take() {
                Some(first) => first,
                None => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    match self.look().await? {
                        Some(found) => found,
                        None => continue,
                    }
                }
            };
            if found.id() != self.id {
                return Err(gone("another cluster has its name by now"));
            }
            if self.told.as_ref() == Some(found.edition()) {
                continue;
            }
            self.told = Some(found.edition().clone());
            self.is_moving = found.view().state.is_moving();
            let id = found.edition().revision.to_string();
            return Ok(event("cluster", Some(id), &ClusterDetail::from(&found)));
        }
    }

    /// The cluster as it is known, now and then as the cloud shows it; none where that fails for now.
    async fn look(&mut self) -> Result<Option<ClusterLookup>, StreamEnd> {
        let caller = match self.credentials.authenticate(&self.orchestrator).await {
            Ok(caller) => caller,
            Err(problem) if problem.is_of_token() => {
                return Err(StreamEnd {
                    reason: "token".to_owned(),
                    detail: problem.details("").detail,
                });
            }
            Err(_) => return Ok(None),
        };
        self.looks += 1;
        let due = if self.is_moving {
            LOOKS_MOVING
        } else {
            LOOKS_AT_REST
        };
        let found = if self.looks >= due {
            self.looks = 0;
            self.orchestrator.find(&caller, &self.name).await
        } else {
            self.orchestrator.look(&caller, &self.name).await
        };
        match found.map_err(ApiProblem::from) {
            Ok(found) => Ok(Some(found)),
            Err(problem) if problem.status == http::StatusCode::NOT_FOUND => {
                Err(gone(&problem.details("").detail))
            }
            Err(_) => Ok(None),
        }
    }
}

fn gone(detail: &str) -> StreamEnd {
    StreamEnd {
        reason: "gone".to_owned(),
        detail: detail.to_owned(),
    }
}

fn event(name: &'static str, id: Option<String>, data: &impl Serialize) -> ServerEvent {
    ServerEvent {
        name: Some(name),
        id,
        data: serde_json::to_string(data).unwrap_or_default(),
    }
}
