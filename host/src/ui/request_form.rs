//! The pages on which clusters are asked for and changed, as a browser asks for them.

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};

use super::BASE_PATH;
use super::answer::{PageError, page_answer, redirect};
use super::forms::{FormAnswer, FormDesk, FormPath, FormRequest};
use super::request::SignedIn;
use crate::answer::AnswerBody;

/// Answers one request.
pub(super) async fn answer(
    signed_in: &SignedIn,
    path: FormPath,
) -> Result<Response<AnswerBody>, PageError> {
    let request = &signed_in.request;
    let is_sent = request.head.method == Method::POST;
    let desk = FormDesk {
        orchestrator: &signed_in.state.orchestrator,
        caller: &signed_in.caller,
    };
    let query = request.head.uri.query().unwrap_or_default();
    // What was typed when the session had ended, and its user has signed in again.
    let sessions = &signed_in.state.sessions;
    let page = format!("{BASE_PATH}{}", path.form());
    let kept = match is_sent || request.is_poll() || !query.is_empty() {
        true => None,
        false => sessions.take_form(signed_in.id, &page),
    };
    let asked = FormRequest {
        path,
        base: &request.path(""),
        fields: match (is_sent, &kept) {
            (true, _) => request.form_bytes()?,
            (false, Some(kept)) => kept.as_bytes(),
            (false, None) => query.as_bytes(),
        },
        is_sent: is_sent || kept.is_some(),
        is_partial: request.is_poll(),
    };
    match Box::pin(desk.answer(&asked)).await? {
        FormAnswer::Page {
            status,
            template,
            data,
        } => {
            // What a script asks for it shows, whatever the answer is called.
            let status = if asked.is_partial {
                StatusCode::OK
            } else {
                status
            };
            signed_in.page(status, template, &data)
        }
        FormAnswer::SeeOther(place) => Ok(redirect(&place)),
        FormAnswer::File { name, text } => Ok(file_answer(&name, text)),
    }
}

/// A file that browsers keep and do not show.
fn file_answer(name: &str, text: String) -> Response<AnswerBody> {
    let mut response = page_answer(StatusCode::OK, text);
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(CONTENT_TYPE, plain);
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.chars().filter(is_plain).collect();
    let kept = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    if let Ok(kept) = kept {
        headers.insert(CONTENT_DISPOSITION, kept);
    }
    response
}
