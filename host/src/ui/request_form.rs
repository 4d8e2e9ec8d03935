//! The pages on which clusters are asked for and changed, as a browser asks for them.

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};

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
    let asked = FormRequest {
        path,
        base: &request.path(""),
        fields: match is_sent {
            true => request.form_bytes()?,
            false => request.head.uri.query().unwrap_or_default().as_bytes(),
        },
        is_sent,
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
