//! Maps a service's error response to one [`CloudError`]. The services word their errors in many
//! shapes of JSON and HTML; this is the one place that knows them.

use std::time::Duration;

use reqwest::{
    StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use serde_json::Value;

use super::{
    CloudError, ServiceName,
    api_request::ApiRequest,
    retry::{CallFailure, Delivery},
};

/// The types of Heat's own faults that say that something is not there. `HTTPNotFound` is not among
/// them: that is a path which Heat does not have.
const HEAT_NOT_FOUND: [&str; 4] = [
    "EntityNotFound",
    "ResourceNotFound",
    "StackNotFound",
    "StackResourceNotFound",
];

/// Characters of the names of methods that a login lacks.
const MISSING_METHODS_CHARS: usize = 200;

/// What is known of the error response.
pub(super) struct FailedResponse {
    pub(super) status: StatusCode,
    /// Whether a 404 is the service's own word ([`says_not_there`]).
    pub(super) says_not_there: bool,
    /// The service's explanation.
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
    /// The methods of a login that Keystone still wants, where it gave a receipt for the others.
    pub(super) missing_methods: Option<String>,
    /// Where a redirect leads.
    pub(super) redirect: Option<String>,
    /// How often the request was sent, this time included.
    pub(super) attempts: u32,
}

/// The error for this call, and what the status proves about whether the service acted.
pub(super) fn classify_failure(call: &ApiRequest<'_>, response: FailedResponse) -> CallFailure {
    let (service, action, message) = (call.service.as_str(), call.action.clone(), response.message);
    let status = response.status.as_u16();
    let error = match status {
        // Without a token it was the credentials in the body that were refused.
        401 if response.missing_methods.is_some() => CloudError::SecondFactor {
            missing: response.missing_methods.unwrap_or_default(),
        },
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
        404 | 410 if !response.says_not_there => CloudError::Misrouted {
            service,
            action,
            status,
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
            attempts: response.attempts,
            message,
            retry_after: response.retry_after,
        },
        300..400 => {
            let reason = match response.redirect {
                Some(to) => {
                    format!("status {status}, a redirect to {to}; name the address that needs none")
                }
                None => format!("status {status}, a redirect to nowhere"),
            };
            call.bad_answer(reason, None)
        }
        _ => CloudError::Fault {
            service,
            action,
            status,
            message,
        },
    };
    let delivery = match status {
        429 | 503 => Delivery::Declined,
        // Also 502 and 504, by which a proxy gives up on a service that works on.
        500..600 => Delivery::MayHaveActed,
        _ => Delivery::Answered,
    };
    CallFailure { error, delivery }
}

/// Whether this body of a 404 is the service's own and says that what was asked for is not there.
/// Clusters are forgotten by the word of Heat, and sessions by that of Keystone about a token, so
/// these have to prove it: proxies, ingresses and moved services answer 404 too. Of other services
/// nothing is forgotten.
pub(super) fn says_not_there(call: &ApiRequest<'_>, body: &[u8]) -> bool {
    let fault = || {
        let fault: Value = serde_json::from_slice(body).ok()?;
        Some(fault.get("error")?.clone())
    };
    match call.service {
        ServiceName::Heat => fault().is_some_and(|error| {
            error
                .get("type")
                .and_then(Value::as_str)
                .is_some_and(|kind| HEAT_NOT_FOUND.contains(&kind))
        }),
        ServiceName::Keystone if call.is_token_subject => {
            fault().is_some_and(|error| error.get("code").and_then(Value::as_u64) == Some(404))
        }
        _ => true,
    }
}

/// What is missing after a part of a login, by the body that comes with Keystone's receipt: of each
/// way to log in the methods that were not given.
pub(super) fn missing_methods(body: &[u8]) -> String {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let names = |list: &Value| {
        let list = list.as_array().cloned().unwrap_or_default();
        let names = list.iter().filter_map(Value::as_str).map(str::to_owned);
        names.collect::<Vec<_>>()
    };
    let given = names(&json["receipt"]["methods"]);
    let ways = json["required_auth_methods"].as_array();
    let missing = ways.into_iter().flatten().map(|way| {
        let mut missing = names(way);
        missing.retain(|method| !given.contains(method));
        missing.join(" and ")
    });
    let missing: Vec<_> = missing.filter(|way| !way.is_empty()).collect();
    if missing.is_empty() {
        "it does not say which".to_owned()
    } else {
        extract_message(missing.join(" or ").as_bytes(), MISSING_METHODS_CHARS)
    }
}

/// The service's explanation, on one line of at most `chars` characters.
pub(super) fn extract_message(body: &[u8], chars: usize) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(json) => message_from_json(&json).unwrap_or_else(|| "it gave no reason".to_owned()),
        Err(_) => message_from_html(&String::from_utf8_lossy(body)),
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
fn message_from_json(json: &Value) -> Option<String> {
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
fn message_from_html(text: &str) -> String {
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
pub(super) fn parse_retry_after(headers: &HeaderMap) -> Option<Duration> {
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
            assert_eq!(extract_message(body.as_bytes(), 400), expected);
        }
    }

    #[test]
    fn only_heats_own_fault_and_keystones_own_error_say_that_something_is_not_there() {
        let call = |service, is_token_subject| ApiRequest {
            service,
            action: String::new(),
            method: reqwest::Method::GET,
            url: "http://h/".parse().expect("an address"),
            circuit: String::new(),
            token: None,
            is_token_subject,
            body: None,
            retry: super::super::retry::RetryPolicy::Idempotent,
            timeout: Duration::ZERO,
        };
        let heat = |kind: &str| format!(r#"{{"code": 404, "error": {{"type": "{kind}"}}}}"#);
        let keystone = r#"{"error": {"code": 404, "message": "Could not find token."}}"#;
        let cases = [
            (ServiceName::Heat, false, heat("EntityNotFound"), true),
            (ServiceName::Heat, false, heat("StackNotFound"), true),
            (ServiceName::Heat, false, heat("HTTPNotFound"), false),
            (ServiceName::Heat, false, keystone.to_owned(), false),
            (ServiceName::Heat, false, "[]".to_owned(), false),
            (ServiceName::Heat, false, String::new(), false),
            (ServiceName::Keystone, true, keystone.to_owned(), true),
            (ServiceName::Keystone, true, "<html>".to_owned(), false),
            (ServiceName::Keystone, true, heat("EntityNotFound"), false),
            // A version document that is not there, an image: another way is tried.
            (ServiceName::Keystone, false, "<html>".to_owned(), true),
            (ServiceName::Glance, false, "<html>".to_owned(), true),
        ];
        for (service, is_token_subject, body, wanted) in cases {
            assert_eq!(
                says_not_there(&call(service, is_token_subject), body.as_bytes()),
                wanted,
                "{service:?} {body}"
            );
        }
    }

    #[test]
    fn a_receipt_tells_what_a_login_lacks() {
        let of = |ways: &str| {
            let receipt = r#"{"methods": ["password"], "expires_at": "2026-11-25T12:00:00Z"}"#;
            let body = format!(r#"{{"receipt": {receipt}, "required_auth_methods": {ways}}}"#);
            missing_methods(body.as_bytes())
        };
        assert_eq!(of(r#"[["password", "totp"]]"#), "totp");
        assert_eq!(
            of(r#"[["password", "totp"], ["password", "x", "y"]]"#),
            "totp or x and y"
        );
        for body in [&b"[]"[..], b"", b"{\"required_auth_methods\": 1}"] {
            assert_eq!(missing_methods(body), "it does not say which");
        }
    }

    #[test]
    fn long_words_are_cut_at_the_limit_and_no_earlier() {
        assert_eq!(
            extract_message("ä".repeat(10).as_bytes(), 10),
            "ä".repeat(10)
        );
        assert_eq!(
            extract_message("ä".repeat(11).as_bytes(), 10),
            format!("{}...", "ä".repeat(10))
        );
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        let of = |text: &str| {
            parse_retry_after(&HeaderMap::from_iter([(
                RETRY_AFTER,
                text.parse().expect("a header"),
            )]))
        };
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("Fri, 31 Dec 1999 23:59:59 GMT"), None);
    }
}
