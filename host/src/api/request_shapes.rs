//! What answers hold of requests that were made before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::cluster::{attribute_names::PREFIX, request_entry::RequestEntry};
use crate::orchestrator::JournalPage;
use crate::system::utc_time::format_rfc3339;

/// A request that was to change something.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct PastRequest {
    /// Its number, higher than those of all before it.
    pub number: i64,
    /// The cluster's name; empty where the request was for none.
    #[schema(example = "demo")]
    pub cluster: String,
    /// The cluster's own id; null where no cluster was found or made.
    pub cluster_id: Option<String>,
    /// The id of the user who asked; empty where it was the host.
    pub user_id: String,
    /// That user's name, or `the host`.
    pub user_name: String,
    /// Through what: `occi`, `service_manager`, `api`, `page` or `command_line`; `end`: the host, at the
    /// cluster's end.
    #[schema(example = "page")]
    pub face: String,
    /// For what: `create`, `deploy`, `provision`, `change`, `delete`, `adopt` or `group`.
    #[schema(example = "change")]
    pub verb: String,
    /// When.
    #[schema(example = "2026-11-26T06:00:00Z")]
    pub asked_at: String,
    /// What was given, by attribute; null is a value that is not kept.
    pub attributes: BTreeMap<String, Option<String>>,
    /// How many nodes its groups had once it was deployed by this request; empty otherwise.
    pub node_counts: BTreeMap<String, u32>,
    /// What its client called it.
    pub request_id: Option<String>,
    /// What became of it: `asked` (not answered yet), `accepted` (being carried out), `refused`,
    /// `succeeded`, `failed`, or `unknown` (the host ended before it had answered).
    #[schema(example = "succeeded")]
    pub outcome: String,
    /// Why it was refused or has failed.
    pub reason: Option<String>,
    /// When it was refused, had succeeded or had failed.
    pub ended_at: Option<String>,
}

/// A page of a list of requests, newest first.
#[derive(Serialize, ToSchema)]
pub struct RequestListing {
    /// The requests.
    pub requests: Vec<PastRequest>,
    /// How many there are that the filters leave, on all pages.
    pub matching: usize,
    /// The `marker` of the next page; null on the last one.
    pub next_marker: Option<String>,
}

impl From<RequestEntry> for PastRequest {
    fn from(entry: RequestEntry) -> Self {
        let short = |(name, value): (String, Option<String>)| {
            let own = name.strip_prefix(PREFIX).map(str::to_owned);
            (own.unwrap_or(name), value)
        };
        Self {
            number: entry.number,
            cluster: entry.cluster_name,
            cluster_id: entry.cluster_id,
            user_id: entry.user_id,
            user_name: entry.user_name,
            face: entry.face.as_str().to_owned(),
            verb: entry.verb.as_str().to_owned(),
            asked_at: format_rfc3339(entry.asked_s),
            attributes: entry.attributes.into_iter().map(short).collect(),
            node_counts: entry.node_counts,
            request_id: entry.request_id,
            outcome: entry.outcome.as_str().to_owned(),
            reason: Some(entry.reason).filter(|reason| !reason.is_empty()),
            ended_at: entry.ended_s.map(format_rfc3339),
        }
    }
}

impl From<JournalPage> for RequestListing {
    fn from(page: JournalPage) -> Self {
        let last = page.entries.last().map(|entry| entry.number.to_string());
        Self {
            next_marker: last.filter(|_| page.has_more),
            matching: page.matching,
            requests: page.entries.into_iter().map(PastRequest::from).collect(),
        }
    }
}
