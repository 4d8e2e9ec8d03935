//! The project's clusters: what the URL filters by, a page at a time.

use http::{Response, StatusCode};
use serde::Serialize;

use super::answer::PageError;
use super::cluster_view::{
    STATE_WORDS, StatePill, node_number, node_sentence, owner_name, path_part, state_pill,
};
use super::end_view::time_left;
use super::request::{FormFields, SignedIn};
use super::texts::{say, say_duration, say_number};
use crate::answer::AnswerBody;
use crate::orchestrator::ClusterView;
use crate::system::clock::unix_now_s;

/// Rows of a page.
const PAGE_ROWS: usize = 50;

/// What a list is filtered by.
#[derive(Debug, Default, Serialize)]
struct ListFilter {
    /// A part of name, framework or owner.
    q: String,
    /// A state's word; empty for all.
    state: String,
    /// Whether those alone that have an end.
    ends: bool,
}

#[derive(Debug, Serialize)]
struct ListRow {
    name: String,
    path: String,
    state: StatePill,
    /// Of a cluster that failed.
    why: Option<String>,
    frameworks: String,
    nodes: u64,
    groups: String,
    owner: String,
    age: String,
    /// `in 3 h`; empty: it has no end.
    ends: String,
}

#[derive(Debug, Serialize)]
struct StateChoice {
    word: &'static str,
    text: String,
    chosen: bool,
}

#[derive(Debug, Serialize)]
struct ListData {
    lead: String,
    shown: String,
    filter: ListFilter,
    is_filtered: bool,
    states: Vec<StateChoice>,
    rows: Vec<ListRow>,
    /// The page and how many there are.
    page: usize,
    pages: usize,
    /// The query of this page, and of those before and after.
    query: String,
    before: Option<String>,
    after: Option<String>,
    is_empty: bool,
    notice: Option<String>,
}

impl ListFilter {
    fn of_query(query: &FormFields) -> Self {
        let state = query.get("state");
        Self {
            q: query.get("q").to_owned(),
            ends: !query.get("ends").is_empty(),
            state: STATE_WORDS
                .into_iter()
                .find(|word| *word == state)
                .unwrap_or_default()
                .into(),
        }
    }

    fn takes(&self, view: &ClusterView, pill: &StatePill, owner: &str) -> bool {
        let wanted = self.q.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        (self.state.is_empty() || self.state == pill.word)
            && (!self.ends || view.ends_s.is_some())
            && (wanted.is_empty()
                || has(&view.name)
                || has(owner)
                || view.frameworks.iter().any(|one| has(one)))
    }

    /// As a URL has it.
    fn query(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, text) in [("q", &self.q), ("state", &self.state)] {
            if !text.is_empty() {
                query.append_pair(name, text);
            }
        }
        if self.ends {
            query.append_pair("ends", "1");
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        query.finish()
    }
}

/// The list.
pub(super) async fn show(signed_in: &SignedIn) -> Result<Response<AnswerBody>, PageError> {
    let query = signed_in.request.query()?;
    let orchestrator = &signed_in.state.orchestrator;
    let mut views = orchestrator.list(&signed_in.caller).await?;
    views.extend(orchestrator.list_deleting(&signed_in.caller).await?);
    let data = list_data(&views, &query, &signed_in.session, unix_now_s());
    signed_in.page(StatusCode::OK, "list.html", &data)
}

fn list_data(
    views: &[ClusterView],
    query: &FormFields,
    session: &super::sessions::PageSession,
    now_s: u64,
) -> ListData {
    let filter = ListFilter::of_query(query);
    let taken = views.iter().filter_map(|view| {
        let (pill, owner) = (state_pill(view), owner_name(view, &session.user_id));
        filter
            .takes(view, &pill, &owner)
            .then_some((view, pill, owner))
    });
    let taken: Vec<_> = taken.collect();
    let pages = taken.len().div_ceil(PAGE_ROWS).max(1);
    let page = query.get("page").parse().unwrap_or(1_usize).clamp(1, pages);
    let nodes: u64 = views.iter().map(node_number).sum();
    let (number, shown) = (views.len() as u64, taken.len());
    let lead = say(
        "list.lead",
        &[
            ("clusters", &say_number("list.clusters", number)),
            ("project", &session.project_name),
            ("nodes", &say_number("cluster.node_count", nodes)),
        ],
    );
    let rows = taken
        .into_iter()
        .skip((page - 1) * PAGE_ROWS)
        .take(PAGE_ROWS);
    let rows = rows.map(|(view, state, owner)| ListRow {
        name: view.name.clone(),
        path: path_part(&view.name),
        state,
        why: view
            .failure
            .clone()
            .or_else(|| view.state.reason().map(str::to_owned)),
        frameworks: view.frameworks.join(", "),
        nodes: node_number(view),
        groups: node_sentence(view),
        owner,
        age: say_duration(now_s.saturating_sub(view.created_s)),
        ends: time_left(view, now_s),
    });
    let state = |word| StateChoice {
        word,
        text: say(&format!("state.{word}"), &[]),
        chosen: filter.state == word,
    };
    let deleted = query.get("deleted");
    ListData {
        lead,
        shown: say("list.shown", &[("shown", &shown), ("all", &number)]),
        is_filtered: !filter.q.is_empty() || !filter.state.is_empty() || filter.ends,
        states: STATE_WORDS.into_iter().map(state).collect(),
        rows: rows.collect(),
        page,
        pages,
        query: filter.query(page),
        before: (page > 1).then(|| filter.query(page - 1)),
        after: (page < pages).then(|| filter.query(page + 1)),
        is_empty: views.is_empty(),
        notice: (!deleted.is_empty()).then(|| say("delete.asked", &[("name", &deleted)])),
        filter,
    }
}
