//! Routes a request to the service that answers it, under the cloud's lock.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{cloud::FakeCloud, facts, heat, keystone};

/// A request, taken apart.
pub(super) struct RoutedCall {
    pub(super) service: &'static str,
    pub(super) method: String,
    /// Below the service, decoded: `["v1", "<project>", "stacks"]`.
    pub(super) path: Vec<String>,
    /// Below the service, as it came.
    pub(super) target: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) token: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) body: Bytes,
}

impl RoutedCall {
    pub(super) fn new(
        method: &str,
        target: &str,
        token: Option<String>,
        subject: Option<String>,
        body: Bytes,
    ) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut path: Vec<String> = path
            .split('/')
            .skip(1)
            .map(decode)
            .filter(|part| !part.is_empty())
            .collect();
        let service = match path.first().map(String::as_str) {
            Some("heat-api") => "heat",
            Some("compute") => "nova",
            Some("image") => "glance",
            Some("network") => "neutron",
            Some("volume") => "cinder",
            _ => "keystone",
        };
        let mut below = target;
        if service != "keystone" {
            let prefix = path.remove(0);
            below = &target[prefix.len() + 1..];
        }
        let pair = |pair: &str| {
            pair.split_once('=').map(|(name, value)| {
                (
                    decode(&name.replace('+', " ")),
                    decode(&value.replace('+', " ")),
                )
            })
        };
        let query = query.split('&').filter_map(pair).collect();
        Self {
            service,
            method: method.to_owned(),
            path,
            target: below.to_owned(),
            query,
            token,
            subject,
            body,
        }
    }

    /// A part of the query.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The path's parts, to match on.
    pub(super) fn parts(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, FakeReply> {
        serde_json::from_slice(&self.body)
            .map_err(|e| FakeReply::fault_of(self.service, 400, "HTTPBadRequest", &e.to_string()))
    }

    /// The page of a list that `limit` and `marker` ask for, at most `largest`; whether there are
    /// more.
    pub(super) fn page<T>(
        &self,
        all: Vec<T>,
        largest: usize,
        id: impl Fn(&T) -> &str,
    ) -> (Vec<T>, bool) {
        let start = match self.query("marker") {
            Some(marker) => all
                .iter()
                .position(|item| id(item) == marker)
                .map_or(0, |at| at + 1),
            None => 0,
        };
        let limit = self
            .query("limit")
            .and_then(|limit| limit.parse().ok())
            .unwrap_or(usize::MAX)
            .min(largest);
        let more = all.len() > start.saturating_add(limit);
        (all.into_iter().skip(start).take(limit).collect(), more)
    }
}

fn decode(part: &str) -> String {
    percent_encoding::percent_decode_str(part)
        .decode_utf8_lossy()
        .into_owned()
}

/// An answer.
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

    /// A fault on purpose.
    pub(super) fn fault(ask: &RoutedCall, status: u16, retry_after: Option<u64>) -> Self {
        let reply = Self::fault_of(
            ask.service,
            status,
            "Injected",
            &format!("the stand-in fails on purpose with {status}"),
        );
        match retry_after {
            Some(seconds) => reply.with("retry-after", seconds.to_string()),
            None => reply,
        }
    }

    /// A fault in the service's own shape.
    pub(super) fn fault_of(service: &str, status: u16, kind: &str, message: &str) -> Self {
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
        Self::fault_of(
            service,
            401,
            "Unauthorized",
            "The request you have made requires authentication.",
        )
    }
}

/// Lets the service answer.
pub(super) fn route_request(cloud: &mut FakeCloud, ask: &RoutedCall) -> FakeReply {
    if ask.service == "keystone" {
        return keystone::answer(cloud, ask);
    }
    // Version documents ask for no token; that of Heat is all that is asked for.
    let Some(project) = ask
        .token
        .as_ref()
        .and_then(|token| cloud.tokens.get(token))
        .map(|token| token.project.clone())
    else {
        return FakeReply::unauthorized(ask.service);
    };
    let Some(project) = project else {
        return FakeReply::fault_of(ask.service, 403, "Forbidden", "the token has no project");
    };
    match ask.service {
        "heat" => heat::answer(cloud, ask, &project),
        service => facts::answer(cloud, ask, service, &project),
    }
}
