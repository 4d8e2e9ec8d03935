//! What pages show of a cluster's history: who has asked for what, and the way back to it.

use serde::Serialize;

use super::cluster_view::path_part;
use super::forms::READ_REQUESTS;
use super::request::SignedIn;
use super::texts::{say, say_number};
use crate::cluster::attribute_names::PREFIX;
use crate::cluster::request_entry::{
    RequestEntry, RequestOutcome, RequestVerb, values_after, values_to_restore,
};
use crate::orchestrator::{ClusterView, JournalQuery, OrchestratorError};
use crate::system::utc_time::format_utc;

/// Requests that are shown.
const SHOWN_REQUESTS: usize = 50;
/// Values that are told of one request.
const SHOWN_VALUES: usize = 8;

/// A cluster's history.
#[derive(Debug, Default, Serialize)]
pub(super) struct HistoryData {
    rows: Vec<HistoryRow>,
    summary: String,
    more: Option<String>,
}

/// One request.
#[derive(Debug, Serialize)]
struct HistoryRow {
    when: String,
    who: String,
    face: String,
    what: String,
    values: Vec<String>,
    /// A class of the style sheet.
    kind: &'static str,
    outcome: String,
    reason: String,
    /// Where the form for a change is filled with what the cluster was after this request.
    back: Option<String>,
}

/// That of the cluster that is shown.
pub(super) async fn cluster_history(
    signed_in: &SignedIn,
    view: &ClusterView,
    is_going: bool,
) -> Result<HistoryData, OrchestratorError> {
    let query = JournalQuery {
        cluster_id: Some(&view.id),
        limit: READ_REQUESTS,
        ..JournalQuery::default()
    };
    let journal = signed_in.state.orchestrator.journal();
    let page = journal.of_project(&signed_in.caller, query).await?;
    let shown = page.entries.iter().take(SHOWN_REQUESTS);
    let rows = shown.map(|entry| history_row(entry, &page.entries, view, is_going));
    let older = page.matching.saturating_sub(SHOWN_REQUESTS);
    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Ok(HistoryData {
        rows: rows.collect(),
        summary: say_number("history.number", number(page.matching)),
        more: (older > 0).then(|| say_number("history.older", number(older))),
    })
}

fn history_row(
    entry: &RequestEntry,
    all: &[RequestEntry],
    view: &ClusterView,
    is_going: bool,
) -> HistoryRow {
    let kind = match entry.outcome {
        RequestOutcome::Succeeded => "ok",
        RequestOutcome::Accepted | RequestOutcome::Asked => "run",
        RequestOutcome::Refused | RequestOutcome::Unknown => "idle",
        RequestOutcome::Failed => "bad",
    };
    HistoryRow {
        when: format_utc(entry.asked_s),
        who: entry.user_name.clone(),
        face: say(&format!("face.{}", entry.face.as_str()), &[]),
        what: say(&format!("verb.{}", entry.verb.as_str()), &[]),
        values: told_values(entry, all),
        kind,
        outcome: say(&format!("ended.{}", entry.outcome.as_str()), &[]),
        reason: entry.reason.clone(),
        back: (!is_going && leads_back(entry, all, view)).then(|| {
            let name = path_part(&view.name);
            format!("/ui/clusters/{name}/change?request={}", entry.number)
        }),
    }
}

/// Whether the cluster was something else after this request than it is now.
fn leads_back(entry: &RequestEntry, all: &[RequestEntry], view: &ClusterView) -> bool {
    let shapes = matches!(
        entry.verb,
        RequestVerb::Create | RequestVerb::Deploy | RequestVerb::Change
    );
    let back = values_to_restore(all, entry.number, &view.attributes, &view.node_counts);
    shapes && entry.outcome.stands() && !back.is_empty()
}

/// What was given, where it is another than before.
fn told_values(entry: &RequestEntry, all: &[RequestEntry]) -> Vec<String> {
    let before = values_after(all, entry.number - 1);
    let mut told = Vec::new();
    for (name, value) in &entry.attributes {
        let short = name.strip_prefix(PREFIX).unwrap_or(name);
        let was = before.get(name).map_or("", String::as_str);
        let words = match value.as_deref() {
            None => say("history.hidden", &[("name", &short)]),
            Some(value) if value == was => continue,
            Some("") => say("history.dropped", &[("name", &short)]),
            Some(value) if was.is_empty() => {
                say("history.given", &[("name", &short), ("value", &value)])
            }
            Some(value) => say(
                "history.changed",
                &[("name", &short), ("was", &was), ("value", &value)],
            ),
        };
        told.push(words);
    }
    let rest = told.len().saturating_sub(SHOWN_VALUES);
    if rest > 0 {
        told.truncate(SHOWN_VALUES);
        told.push(say("history.rest", &[("number", &rest)]));
    }
    told
}
