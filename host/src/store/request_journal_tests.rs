//! The journal as its users see it: what is kept, for how long, and how much of it.

use super::*;

const HOUR_S: u64 = 3_600;

fn entry(project: &str, cluster: &str, asked_s: u64) -> RequestEntry {
    RequestEntry {
        number: 0,
        project_id: project.to_owned(),
        cluster_id: Some(cluster.to_owned()),
        cluster_name: format!("name-of-{cluster}"),
        user_id: "u-1".to_owned(),
        user_name: "ann".to_owned(),
        face: RequestFace::Page,
        verb: RequestVerb::Change,
        asked_s,
        attributes: [
            ("stampede.workers".to_owned(), Some("3".to_owned())),
            ("my.own".to_owned(), None),
        ]
        .into(),
        node_counts: BTreeMap::new(),
        request_id: Some("r-1".to_owned()),
        outcome: RequestOutcome::Asked,
        reason: String::new(),
        ended_s: None,
    }
}

fn end(outcome: RequestOutcome) -> RequestEnd<'static> {
    RequestEnd {
        outcome,
        reason: "why",
        cluster_id: None,
        node_counts: None,
        now_s: 20,
    }
}

fn of_project(project: &str) -> JournalQuery<'_> {
    JournalQuery {
        project_id: project,
        limit: 100,
        ..JournalQuery::default()
    }
}

async fn numbers(store: &RecordStore, project: &str) -> Vec<i64> {
    let page = store.requests(&of_project(project)).await.unwrap();
    page.entries.iter().map(|entry| entry.number).collect()
}

#[tokio::test]
async fn a_request_is_read_as_it_was_written_and_ended_once() {
    let store = RecordStore::in_memory().await.unwrap();
    let limits = JournalLimits::default();
    let asked = entry("p", "c", 10);
    let number = store.begin_request(&asked).await.unwrap();
    let read = store.requests(&of_project("p")).await.unwrap();
    let wanted = RequestEntry { number, ..asked };
    assert_eq!(read.entries.first(), Some(&wanted));
    let counts = [("edge".to_owned(), 2)].into();
    let done = RequestEnd {
        node_counts: Some(&counts),
        ..end(RequestOutcome::Succeeded)
    };
    store.end_request(number, &done, &limits).await.unwrap();
    let late = end(RequestOutcome::Refused);
    store.end_request(number, &late, &limits).await.unwrap();
    let read = store.requests(&of_project("p")).await.unwrap();
    let wanted = RequestEntry {
        outcome: RequestOutcome::Succeeded,
        reason: "why".to_owned(),
        ended_s: Some(20),
        node_counts: counts,
        ..wanted
    };
    assert_eq!(read.entries, [wanted]);
    store.reopen_request(number).await.unwrap();
    store.end_request(number, &late, &limits).await.unwrap();
    let read = store.requests(&of_project("p")).await.unwrap();
    assert_eq!(read.entries[0].outcome, RequestOutcome::Refused);
}

#[tokio::test]
async fn clusters_and_projects_keep_so_many_and_the_oldest_goes_first() {
    let store = RecordStore::in_memory().await.unwrap();
    let limits = JournalLimits {
        per_cluster: 2,
        per_project: 3,
        ..JournalLimits::default()
    };
    let done = end(RequestOutcome::Succeeded);
    for (cluster, left) in [
        ("a", vec![1]),
        ("a", vec![2, 1]),
        ("a", vec![3, 2]),
        ("b", vec![4, 3, 2]),
        ("c", vec![5, 4, 3]),
    ] {
        let number = store.begin_request(&entry("p", cluster, 1)).await;
        let number = number.unwrap();
        store.end_request(number, &done, &limits).await.unwrap();
        assert_eq!(numbers(&store, "p").await, left, "{cluster}");
    }
    let other = store.begin_request(&entry("q", "d", 1)).await.unwrap();
    store.end_request(other, &done, &limits).await.unwrap();
    assert_eq!(numbers(&store, "p").await, [5, 4, 3], "each its own");
}

#[tokio::test]
async fn what_is_refused_drives_out_what_was_refused_and_nothing_else() {
    let store = RecordStore::in_memory().await.unwrap();
    let limits = JournalLimits {
        per_cluster: 1,
        per_project: 1,
        refused_per_project: 2,
        ..JournalLimits::default()
    };
    let kept = store.begin_request(&entry("p", "c", 1)).await;
    let kept = kept.unwrap();
    let done = end(RequestOutcome::Succeeded);
    store.end_request(kept, &done, &limits).await.unwrap();
    for left in [vec![2, 1], vec![3, 2, 1], vec![4, 3, 1], vec![5, 4, 1]] {
        let number = store.begin_request(&entry("p", "c", 1)).await.unwrap();
        let refused = end(RequestOutcome::Refused);
        store.end_request(number, &refused, &limits).await.unwrap();
        assert_eq!(numbers(&store, "p").await, left);
    }
}

#[tokio::test]
async fn a_request_is_kept_for_its_time_and_no_answer_is_waited_for_for_ever() {
    let store = RecordStore::in_memory().await.unwrap();
    let limits = JournalLimits {
        kept: Duration::from_secs(10 * HOUR_S),
        ..JournalLimits::default()
    };
    for asked_s in [0, 1, 9 * HOUR_S, 9 * HOUR_S + 1] {
        let asked = entry("p", "c", asked_s);
        store.begin_request(&asked).await.unwrap();
    }
    let now_s = 10 * HOUR_S + 1;
    assert_eq!(store.prune_requests(now_s, &limits).await.unwrap(), 1);
    let page = store.requests(&of_project("p")).await.unwrap();
    let outcomes: Vec<_> = page
        .entries
        .iter()
        .map(|one| (one.number, one.outcome))
        .collect();
    use RequestOutcome::{Asked, Unknown};
    assert_eq!(outcomes, [(4, Asked), (3, Unknown), (2, Unknown)]);
    assert_eq!(store.prune_requests(now_s, &limits).await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_under_way_is_settled_by_kind_and_by_cluster() {
    let store = RecordStore::in_memory().await.unwrap();
    let limits = JournalLimits::default();
    for (cluster, verb) in [
        ("a", RequestVerb::Change),
        ("a", RequestVerb::Delete),
        ("b", RequestVerb::Change),
    ] {
        let asked = RequestEntry {
            verb,
            ..entry("p", cluster, 1)
        };
        let number = store.begin_request(&asked).await.unwrap();
        let taken = end(RequestOutcome::Accepted);
        store.end_request(number, &taken, &limits).await.unwrap();
    }
    let outcomes = async || {
        let page = store.requests(&of_project("p")).await.unwrap();
        let outcomes = page.entries.iter().rev().map(|entry| entry.outcome);
        outcomes.collect::<Vec<_>>()
    };
    use RequestOutcome::{Accepted, Failed, Succeeded};
    let settle = async |of_deletion, outcome| {
        let end = end(outcome);
        let begun = BegunRequests::all_of("a");
        let settled = store.settle_requests(&begun, of_deletion, &end, None);
        settled.await.unwrap();
    };
    settle(false, Failed).await;
    assert_eq!(outcomes().await, [Failed, Accepted, Accepted]);
    settle(true, Succeeded).await;
    assert_eq!(outcomes().await, [Failed, Succeeded, Accepted]);
}

/// Three of the project `p`, and one of another.
async fn four_requests() -> RecordStore {
    let store = RecordStore::in_memory().await.unwrap();
    for (project, cluster) in [("p", "a"), ("p", "b"), ("p", "a"), ("q", "a")] {
        let asked = entry(project, cluster, 1);
        store.begin_request(&asked).await.unwrap();
    }
    store
}

#[tokio::test]
async fn the_journal_is_read_by_pages() {
    let store = four_requests().await;
    for (limit, before, found, has_more) in [
        (3, None, vec![3, 2, 1], false),
        (2, None, vec![3, 2], true),
        (2, Some(2), vec![1], false),
    ] {
        let query = JournalQuery {
            limit,
            before,
            ..of_project("p")
        };
        let page = store.requests(&query).await.unwrap();
        let numbers: Vec<_> = page.entries.iter().map(|entry| entry.number).collect();
        let read = (numbers, page.matching, page.has_more);
        assert_eq!(read, (found, 3, has_more));
    }
}

#[tokio::test]
async fn the_journal_is_read_by_filters() {
    let store = four_requests().await;
    use RequestOutcome::{Asked, Failed};
    for (cluster_id, cluster, user, outcome, found) in [
        (None, Some("a"), None, None, 2),
        (None, Some("name-of-b"), None, None, 1),
        (Some("a"), None, None, None, 2),
        (Some("name-of-a"), None, None, None, 0),
        (None, None, Some("ann"), None, 3),
        (None, None, Some("u-1"), None, 3),
        (None, None, Some("bob"), None, 0),
        (None, None, None, Some(Asked), 3),
        (None, Some("a"), None, Some(Failed), 0),
    ] {
        let query = JournalQuery {
            cluster_id,
            cluster,
            user,
            outcome,
            ..of_project("p")
        };
        let page = store.requests(&query).await.unwrap();
        assert_eq!(page.matching, found, "{query:?}");
    }
}
