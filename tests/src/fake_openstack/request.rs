//! A request to a service, parsed: service, path, query, tokens, body; and the page of a list that
//! it asks for.

use bytes::Bytes;
use serde_json::Value;

use super::{cloud::CloudFixtures, reply::FakeReply};

/// A parsed request.
pub(super) struct FakeRequest {
    pub(super) service: &'static str,
    pub(super) method: String,
    /// Of a region besides the main one.
    pub(super) region: Option<String>,
    /// Below the service, decoded: `["v1", "<project>", "stacks"]`.
    pub(super) path: Vec<String>,
    /// Below the service, as it came.
    pub(super) target: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) token: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) body: Bytes,
}

impl FakeRequest {
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
        let mut below = target;
        let region = (path.first().map(String::as_str) == Some("region")).then(|| {
            let region = path.drain(..2).nth(1).unwrap_or_default();
            below = &target["/region/".len() + region.len()..];
            region
        });
        let service = match path.first().map(String::as_str) {
            Some("heat-api") => "heat",
            Some("compute") => "nova",
            Some("image") => "glance",
            Some("network") => "neutron",
            Some("volume") => "cinder",
            _ => "keystone",
        };
        if service != "keystone" {
            let prefix = path.remove(0);
            below = &below[prefix.len() + 1..];
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
            region,
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
            .map_err(|e| FakeReply::error(self.service, 400, "HTTPBadRequest", &e.to_string()))
    }

    /// The page of a list that `limit` and `marker` call for; whether there are more.
    pub(super) fn page<T>(&self, all: Vec<T>, id: impl Fn(&T) -> &str) -> (Vec<T>, bool) {
        self.page_of(all, usize::MAX, self.query("marker"), id)
    }

    /// The same of a service that may give less than is asked for, or something else.
    pub(super) fn faulty_page<T>(
        &self,
        all: Vec<T>,
        fixtures: &CloudFixtures,
        id: impl Fn(&T) -> &str,
    ) -> (Vec<T>, bool) {
        let marker = self.query("marker").filter(|_| !fixtures.ignores_markers);
        self.page_of(all, fixtures.largest_page, marker, id)
    }

    fn page_of<T>(
        &self,
        all: Vec<T>,
        largest: usize,
        marker: Option<&str>,
        id: impl Fn(&T) -> &str,
    ) -> (Vec<T>, bool) {
        let start = match marker {
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
