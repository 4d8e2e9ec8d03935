//! An answer of a service, and its errors in that service's own JSON or HTML.

use serde_json::{Value, json};

/// An answer to be sent.
pub(super) struct FakeReply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl FakeReply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer to an injected fault.
    pub(super) fn injected(service: &str, status: u16, retry_after: Option<u64>) -> Self {
        let reply = Self::error(
            service,
            status,
            "Injected",
            &format!("the fake OpenStack fails on purpose with {status}"),
        );
        match retry_after {
            Some(seconds) => reply.with("retry-after", seconds.to_string()),
            None => reply,
        }
    }

    /// An error in the service's own shape.
    pub(super) fn error(service: &str, status: u16, kind: &str, message: &str) -> Self {
        let body = match service {
            "heat" if status != 401 => {
                json!({"code": status, "title": kind, "explanation": "The server could not comply.", "error": {"type": kind, "traceback": null, "message": message}})
            }
            "nova" | "cinder" if status != 401 => {
                json!({kind: {"code": status, "message": message}})
            }
            "neutron" if status != 401 => {
                json!({"NeutronError": {"type": kind, "message": message, "detail": ""}})
            }
            "glance" if status != 401 => {
                let page = format!(
                    "<html>\n <head>\n  <title>{status} {kind}</title>\n </head>\n <body>\n  <h1>{status} {kind}</h1>\n  {message}<br /><br />\n\n\n </body>\n</html>"
                );
                return Self {
                    status,
                    headers: vec![("content-type", "text/html; charset=UTF-8".to_owned())],
                    body: page.into_bytes(),
                };
            }
            _ => json!({"error": {"code": status, "message": message, "title": kind}}),
        };
        Self::json(status, &body)
    }

    pub(super) fn unauthorized(service: &str) -> Self {
        Self::error(
            service,
            401,
            "Unauthorized",
            "The request you have made requires authentication.",
        )
    }

    /// For a path that the service does not have.
    pub(super) fn not_found(service: &str) -> Self {
        Self::error(
            service,
            404,
            "itemNotFound",
            "The resource could not be found.",
        )
    }
}
