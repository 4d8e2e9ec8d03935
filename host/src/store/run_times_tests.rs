//! How long runs took, as the journal keeps and tells it, on each side of each limit.

use super::*;
use crate::cluster::former_runs::RunKind;
use crate::cluster::request_entry::{RequestEntry, RequestFace, RequestOutcome, RequestVerb};
use crate::store::request_journal::{BegunRequests, JournalLimits, RequestEnd};

const NOW_S: u64 = 1_000_000_000;

fn shape(kind: RunKind, frameworks: &str) -> RunShape {
    RunShape {
        kind,
        frameworks: frameworks.to_owned(),
        nodes: 4,
        flavors: [("a".to_owned(), "m1".to_owned())].into(),
    }
}

fn create() -> RunShape {
    shape(RunKind::Create, "hadoop")
}

fn end(outcome: RequestOutcome, now_s: u64) -> RequestEnd<'static> {
    RequestEnd {
        outcome,
        reason: "",
        cluster_id: None,
        node_counts: None,
        now_s,
    }
}

async fn ask(store: &RecordStore, project: &str, cluster: &str, verb: RequestVerb, asked_s: u64) {
    let entry = RequestEntry {
        number: 0,
        project_id: project.to_owned(),
        cluster_id: Some(cluster.to_owned()),
        cluster_name: cluster.to_owned(),
        user_id: "u".to_owned(),
        user_name: "u".to_owned(),
        face: RequestFace::Api,
        verb,
        asked_s,
        attributes: [].into(),
        node_counts: [].into(),
        request_id: None,
        outcome: RequestOutcome::Asked,
        reason: String::new(),
        ended_s: None,
    };
    let number = store.begin_request(&entry).await.unwrap();
    let taken = end(RequestOutcome::Accepted, asked_s);
    let limits = JournalLimits::default();
    store.end_request(number, &taken, &limits).await.unwrap();
}

async fn settle(store: &RecordStore, cluster: &str, shape: RunShape, told_s: Option<u64>) {
    let run = EndedRun { shape, told_s };
    let done = end(RequestOutcome::Succeeded, NOW_S);
    let begun = BegunRequests::all_of(cluster);
    let settling = store.settle_requests(&begun, false, &done, Some(&run));
    settling.await.unwrap();
}

async fn took(store: &RecordStore, project: &str, shape: &RunShape, now_s: u64) -> Vec<u64> {
    let history = store.run_history(project, None, shape, now_s).await;
    let runs = history.unwrap().former.into_iter();
    runs.map(|run| run.took_s).collect()
}

#[tokio::test]
async fn a_run_is_told_to_its_project_alone_by_its_kind_and_frameworks() {
    let store = RecordStore::in_memory().await.unwrap();
    ask(&store, "p", "c", RequestVerb::Create, NOW_S - 300).await;
    settle(&store, "c", create(), None).await;
    let history = store.run_history("p", None, &create(), NOW_S).await;
    let wanted = FormerRun {
        took_s: 300,
        nodes: 4,
        flavors: create().flavors,
    };
    assert_eq!(history.unwrap().former, [wanted]);
    assert!(took(&store, "q", &create(), NOW_S).await.is_empty());
    for other in [
        shape(RunKind::Grow, "hadoop"),
        shape(RunKind::Create, "hadoop,spark"),
        shape(RunKind::Create, ""),
    ] {
        assert!(took(&store, "p", &other, NOW_S).await.is_empty());
    }
}

#[tokio::test]
async fn what_failed_says_nothing_of_how_long_it_takes() {
    let store = RecordStore::in_memory().await.unwrap();
    ask(&store, "p", "c", RequestVerb::Create, NOW_S - 300).await;
    let failed = end(RequestOutcome::Failed, NOW_S);
    let begun = BegunRequests::all_of("c");
    let settling = store.settle_requests(&begun, false, &failed, None);
    settling.await.unwrap();
    assert!(took(&store, "p", &create(), NOW_S).await.is_empty());
}

#[tokio::test]
async fn a_run_ends_with_its_nodes_last_word_and_not_when_somebody_looks() {
    for (told_s, took_s) in [
        (Some(NOW_S - 200), 100),
        (Some(NOW_S - 300), 0),
        // By a clock that stands before the request, or after this one.
        (Some(NOW_S - 301), 300),
        (Some(NOW_S + 1), 300),
        (None, 300),
    ] {
        let store = RecordStore::in_memory().await.unwrap();
        ask(&store, "p", "c", RequestVerb::Deploy, NOW_S - 300).await;
        settle(&store, "c", create(), told_s).await;
        let told = took(&store, "p", &create(), NOW_S).await;
        assert_eq!(told, [took_s], "{told_s:?}");
    }
}

#[tokio::test]
async fn a_request_that_came_again_is_no_run_of_its_own() {
    let store = RecordStore::in_memory().await.unwrap();
    ask(&store, "p", "c", RequestVerb::Change, NOW_S - 300).await;
    ask(&store, "p", "c", RequestVerb::Change, NOW_S - 10).await;
    let grow = shape(RunKind::Grow, "hadoop");
    settle(&store, "c", grow.clone(), None).await;
    assert_eq!(took(&store, "p", &grow, NOW_S).await, [300]);
    let all = store.run_history("p", Some("c"), &grow, NOW_S).await;
    assert_eq!(all.unwrap().began_s, None, "nothing is under way");
    for asked_s in [NOW_S - 7, NOW_S - 5] {
        ask(&store, "p", "c", RequestVerb::Change, asked_s).await;
    }
    let all = store.run_history("p", Some("c"), &grow, NOW_S).await;
    assert_eq!(all.unwrap().began_s, Some(NOW_S - 7));
    let other = store.run_history("p", Some("d"), &grow, NOW_S).await;
    assert_eq!(other.unwrap().began_s, None);
}

#[tokio::test]
async fn runs_are_looked_at_up_to_an_age_and_a_number_the_newest_first() {
    let store = RecordStore::in_memory().await.unwrap();
    ask(&store, "p", "c", RequestVerb::Create, NOW_S - 300).await;
    settle(&store, "c", create(), None).await;
    let at = NOW_S + RUN_AGE_S;
    assert_eq!(took(&store, "p", &create(), at).await, [300]);
    assert!(took(&store, "p", &create(), at + 1).await.is_empty());
    for number in 1..RUNS_LOOKED_AT {
        let cluster = number.to_string();
        ask(&store, "p", &cluster, RequestVerb::Create, NOW_S - 7).await;
        settle(&store, &cluster, create(), None).await;
    }
    let all = took(&store, "p", &create(), NOW_S).await;
    assert_eq!((all.len(), all.last()), (RUNS_LOOKED_AT, Some(&300)));
    ask(&store, "p", "one-more", RequestVerb::Create, NOW_S - 7).await;
    settle(&store, "one-more", create(), None).await;
    let all = took(&store, "p", &create(), NOW_S).await;
    assert_eq!((all.len(), all.last()), (RUNS_LOOKED_AT, Some(&7)));
}

#[tokio::test]
async fn runs_are_found_by_an_index() {
    let store = RecordStore::in_memory().await.unwrap();
    let plan = format!("EXPLAIN QUERY PLAN {READ_RUNS}");
    let rows = sqlx::query(sqlx::AssertSqlSafe(plan));
    let rows = rows.fetch_all(&store.pool).await.unwrap();
    let told: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    let told = told.join("; ");
    assert!(told.contains("request_journal_by_run"), "{told}");
    assert!(told.contains("request_journal_by_cluster"), "{told}");
    assert!(!told.contains("SCAN request_journal"), "{told}");
}
