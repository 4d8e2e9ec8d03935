//! From an answer that is an error to the one message for it. Services word their faults in many
//! shapes; this is the one place that knows them.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use super::{
    CloudError,
    transport::{ApiRequest, CallFailure, Delivery},
};

/// What there was to see of the answer.
pub(super) struct FailedResponse {
    pub(super) status: StatusCode,
    pub(super) words: String,
    pub(super) retry_after: Option<Duration>,
    pub(super) redirect: Option<String>,
    pub(super) attempts: u32,
}

/// The error for this call, and whether the service may have acted.
pub(super) fn failure(call: &ApiRequest<'_>, seen: FailedResponse) -> CallFailure {
    let (service, action, message) = (call.service, call.action.clone(), seen.words);
    let status = seen.status.as_u16();
    let error = match status {
        401 if call.token.is_none() => CloudError::BadCredentials { message },
        401 => CloudError::InvalidToken { service },
        400 | 422 => CloudError::BadRequest {
            service,
            action,
            message,
        },
        403 => CloudError::Forbidden {
            service,
            action,
            message,
        },
        404 | 410 => CloudError::NotFound {
            service,
            action,
            message,
        },
        409 => CloudError::Conflict {
            service,
            action,
            message,
        },
        413 => CloudError::TooLarge {
            service,
            action,
            message,
        },
        429 | 503 => CloudError::Overloaded {
            service,
            action,
            status,
            attempts: seen.attempts,
            message,
            retry_after: seen.retry_after,
        },
        300..400 => {
            let reason = match seen.redirect {
                Some(to) => {
                    format!("status {status}, a redirect to {to}; name the address that needs none")
                }
                None => format!("status {status}, a redirect to nowhere"),
            };
            CloudError::BadAnswer {
                service,
                action,
                reason,
            }
        }
        _ => CloudError::Fault {
            service,
            action,
            status,
            message,
        },
    };
    let reached = match status {
        429 | 503 => Delivery::Declined,
        500..600 => Delivery::Unknown,
        _ => Delivery::Answered,
    };
    CallFailure { error, reached }
}

/// The service's own words, on one line of at most `chars` characters.
pub(super) fn words(body: &[u8], chars: usize) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(json) => from_json(&json).unwrap_or_else(|| "it gave no reason".to_owned()),
        Err(_) => from_html(&String::from_utf8_lossy(body)),
    };
    let line = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(chars) {
        None if line.is_empty() => "it gave no reason".to_owned(),
        None => line,
        Some((end, _)) => format!("{}...", &line[..end]),
    }
}

/// Keystone and Heat: `error.message`; Neutron: `NeutronError.message`; Nova: `<kind>.message`;
/// Heat without one: `explanation`.
fn from_json(json: &Value) -> Option<String> {
    let object = json.as_object()?;
    let text = |value: &Value| {
        value
            .as_str()
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let inner = object
        .values()
        .find_map(|value| value.get("message").and_then(text));
    let kind = || {
        object
            .get("error")
            .and_then(|error| error.get("type"))
            .and_then(text)
    };
    inner
        .or_else(|| object.get("message").and_then(text))
        .or_else(|| {
            Some(format!(
                "{} ({})",
                object.get("explanation").and_then(text)?,
                kind().unwrap_or_else(|| "no type".to_owned())
            ))
        })
        .or_else(|| object.values().find_map(text))
}

/// Text without its tags, without what no reader sees.
fn from_html(text: &str) -> String {
    let body = text.find("<body").map_or(text, |at| &text[at..]);
    let mut out = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out
}

/// `Retry-After` in its form of seconds; the form of a date is ignored.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_is_quoted_in_its_own_words() {
        let cases = [
            (
                r#"{"error":{"code":401,"message":"requires authentication.","title":"Unauthorized"}}"#,
                "requires authentication.",
            ),
            (
                r#"{"code": 404, "title": "Not Found", "explanation": "e", "error": {"type": "EntityNotFound", "traceback": null, "message": "The Stack (nope) could not be found."}}"#,
                "The Stack (nope) could not be found.",
            ),
            (
                r#"{"code": 500, "title": "T", "explanation": "The server has erred.", "error": {"type": "RemoteError", "traceback": null}}"#,
                "The server has erred. (RemoteError)",
            ),
            (
                r#"{"itemNotFound": {"code": 404, "message": "Flavor nope could not be found."}}"#,
                "Flavor nope could not be found.",
            ),
            (
                r#"{"NeutronError": {"type": "NetworkNotFound", "message": "Network nope could not be found.", "detail": ""}}"#,
                "Network nope could not be found.",
            ),
            (
                "<html>\n <head>\n  <title>404</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n  No image found.<br />\n </body></html>",
                "404 Not Found No image found.",
            ),
            ("", "it gave no reason"),
            ("{}", "it gave no reason"),
            ("plain\r\nwords\u{1b}[31m", "plain words [31m"),
        ];
        for (body, expected) in cases {
            assert_eq!(words(body.as_bytes(), 400), expected);
        }
    }

    #[test]
    fn long_words_are_cut_at_the_limit_and_no_earlier() {
        assert_eq!(words("ä".repeat(10).as_bytes(), 10), "ä".repeat(10));
        assert_eq!(
            words("ä".repeat(11).as_bytes(), 10),
            format!("{}...", "ä".repeat(10))
        );
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let of = |text: &str| {
            retry_after(&HeaderMap::from_iter([(
                RETRY_AFTER,
                text.parse().expect("a header"),
            )]))
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
