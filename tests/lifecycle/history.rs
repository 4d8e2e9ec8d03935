//! Who has asked for what: each request is told to the members of its project, through whatever it came
//! and whatever came of it, and for as long as its operator has said.

use std::time::Duration;

use serde_json::{Value, json};
use stampede::{
    cluster::request_entry::{RequestEntry, RequestFace, RequestOutcome, RequestVerb},
    orchestrator::{
        Caller, ClusterView, JournalLimits, JournalQuery, Orchestrator, OrchestratorError,
        OrchestratorLimits,
    },
};
use stampede_tests::fake_openstack::{CreateFails, UpdateFails};

use crate::{
    api_client::ApiHost,
    fixture::{LifecycleFixture, eventually, limits, pairs},
    update::{complete, rest},
};

use RequestOutcome::{Accepted, Failed, Refused, Succeeded};
use RequestVerb::{Change, Create, Delete, Deploy};

/// The project's requests, the oldest first.
async fn history(host: &Orchestrator, caller: &Caller) -> Vec<RequestEntry> {
    let query = JournalQuery {
        limit: 1_000,
        ..JournalQuery::default()
    };
    let page = host.journal().of_project(caller, query).await.unwrap();
    page.entries.into_iter().rev().collect()
}

/// The same, once nothing is under way any more.
async fn settled(host: &Orchestrator, caller: &Caller) -> Vec<RequestEntry> {
    eventually("all is settled", async || {
        let all = history(host, caller).await;
        all.iter()
            .all(|entry| entry.outcome != Accepted)
            .then_some(all)
    })
    .await
}

fn told(entries: &[RequestEntry]) -> Vec<(RequestVerb, RequestOutcome)> {
    let told = entries.iter();
    told.map(|entry| (entry.verb, entry.outcome)).collect()
}

fn workers(count: &str) -> Vec<(String, String)> {
    pairs(&[("stampede.workers", count)])
}

#[tokio::test]
async fn each_request_is_told_with_who_asked_and_what_came_of_it_and_a_restart_keeps_it() {
    let world = LifecycleFixture::new().await;
    let (host, caller, view) = world.deployed().await;
    let begun = history(&host, &caller).await;
    assert_eq!(told(&begun), [(Create, Succeeded), (Deploy, Accepted)]);
    world.cloud.finish();
    host.view(&caller, "default").await.unwrap();
    settled(&host, &caller).await;
    host.update(&caller, "default", workers("3")).await.unwrap();
    let other = world.user(&host, "ann").await;
    let refused = host.update(&other, "default", workers("4")).await;
    assert!(matches!(refused, Err(OrchestratorError::Conflict(_))));
    let all = history(&host, &caller).await;
    let wanted = [
        (Create, Succeeded),
        (Deploy, Succeeded),
        (Change, Accepted),
        (Change, Refused),
    ];
    assert_eq!(told(&all), wanted);
    rest(&world, &host, &caller).await;
    let all = settled(&host, &caller).await;
    assert_eq!(all[2].outcome, Succeeded, "{all:?}");
    assert!(all[2].ended_s.is_some() && all[2].reason.is_empty());
    assert_eq!(all[2].attributes["stampede.workers"].as_deref(), Some("3"));
    assert!(all[3].reason.contains("under way"), "{}", all[3].reason);
    assert_eq!((&*all[2].user_name, &*all[3].user_name), ("demo", "ann"));
    assert_ne!(all[2].user_id, all[3].user_id);
    assert!(
        all.iter()
            .all(|entry| entry.cluster_id.as_ref() == Some(&view.id))
    );
    // Another member reads the same, and so does whoever comes after a restart.
    assert_eq!(history(&host, &other).await, all);
    drop(host);
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    assert_eq!(history(&host, &caller).await, all);
}

#[tokio::test]
async fn what_could_not_be_carried_out_is_told_with_its_reason() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Node {
        node: "worker-3".into(),
        text: "hadoop setup line 42: no".into(),
    });
    host.update(&caller, "default", workers("3")).await.unwrap();
    rest(&world, &host, &caller).await;
    let all = settled(&host, &caller).await;
    let change = all.last().unwrap();
    assert_eq!((change.verb, change.outcome), (Change, Failed));
    assert!(change.reason.contains("worker-3"), "{}", change.reason);
    // What is asked for after it is told by itself.
    let settings = pairs(&[("my.own", "x")]);
    host.update(&caller, "default", settings).await.unwrap();
    let all = history(&host, &caller).await;
    assert_eq!(told(&all)[2..], [(Change, Failed), (Change, Succeeded)]);
    assert_eq!(all[3].attributes["my.own"], None, "not ours to keep");
}

#[tokio::test]
async fn a_create_that_fails_is_told_so() {
    let world = LifecycleFixture::new().await;
    world.cloud.next_create_fails(CreateFails::Node {
        node: "worker-1".into(),
        text: "hadoop setup line 42: no".into(),
    });
    let (host, caller, _) = world.deployed().await;
    world.cloud.finish();
    host.view(&caller, "default").await.unwrap();
    let all = settled(&host, &caller).await;
    assert_eq!(told(&all), [(Create, Succeeded), (Deploy, Failed)]);
    assert!(all[1].reason.contains("worker-1"), "{}", all[1].reason);
}

async fn gone(host: &Orchestrator, caller: &Caller, view: &ClusterView) {
    eventually("it is gone", async || {
        let found = host.find_by_id(caller, &view.id).await.unwrap();
        found.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_deleted_clusters_history_is_told_by_its_id_to_its_project_alone() {
    let world = LifecycleFixture::new().await;
    let (host, caller, view) = world.deployed().await;
    host.delete(&caller, "default").await.unwrap();
    let begun = history(&host, &caller).await;
    assert_eq!(begun.last().unwrap().outcome, Accepted);
    world.cloud.finish();
    gone(&host, &caller, &view).await;
    let all = settled(&host, &caller).await;
    let wanted = [(Create, Succeeded), (Deploy, Failed), (Delete, Succeeded)];
    assert_eq!(told(&all), wanted);
    assert!(all[1].reason.contains("was deleted"), "{}", all[1].reason);
    // One of the same name has a history of its own.
    host.request(&caller, "default", vec![]).await.unwrap();
    let (journal, query) = (host.journal(), || JournalQuery {
        limit: 9,
        ..JournalQuery::default()
    });
    let former = journal.of_cluster(&caller, &view.id, query()).await;
    assert_eq!(former.unwrap().matching, 3);
    let living = journal.of_cluster(&caller, "default", query()).await;
    assert_eq!(living.unwrap().matching, 1);
    let stranger = world.caller(&host, "other").await;
    let strange = journal.of_cluster(&stranger, &view.id, query()).await;
    assert!(matches!(strange, Err(OrchestratorError::NotFound(_))));
    assert!(history(&host, &stranger).await.is_empty());
}

/// As a host leaves the journal that is killed after it has written what became of a cluster: nobody
/// has told it of the requests for these verbs.
async fn forget_ends(world: &LifecycleFixture, verbs: &[&str]) {
    let mut database = world.database().await;
    let left = "UPDATE request_journal SET outcome = 'accepted', reason = '', ended_s = NULL \
                WHERE verb IN (SELECT value FROM json_each(?))";
    let left = sqlx::query(left).bind(json!(verbs).to_string());
    let left = left.execute(&mut database).await.unwrap();
    assert!(left.rows_affected() > 0, "{verbs:?}");
}

#[tokio::test]
async fn what_a_killed_host_has_not_told_is_told_to_whoever_asks_next() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    world.cloud.next_update_fails(UpdateFails::Node {
        node: "worker-3".into(),
        text: "hadoop setup line 42: no".into(),
    });
    host.update(&caller, "default", workers("3")).await.unwrap();
    rest(&world, &host, &caller).await;
    let before = settled(&host, &caller).await;
    drop(host);
    forget_ends(&world, &["deploy", "change"]).await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    // It is among what has failed for who asks for that alone, too.
    let query = JournalQuery {
        outcome: Some(Failed),
        limit: 9,
        ..JournalQuery::default()
    };
    let failed = host.journal().of_project(&caller, query).await.unwrap();
    assert!(failed.entries.iter().any(|entry| entry.verb == Change));
    let all = history(&host, &caller).await;
    assert_eq!(all.last().unwrap().reason, before.last().unwrap().reason);
    assert!(all.iter().all(|entry| entry.ended_s.is_some()), "{all:?}");
    // What goes on is left as it is.
    let view = host.view(&caller, "default").await.unwrap();
    host.delete(&caller, "default").await.unwrap();
    for _ in 0..2 {
        let begun = history(&host, &caller).await;
        assert_eq!(begun.last().unwrap().outcome, Accepted);
    }
    world.cloud.finish();
    gone(&host, &caller, &view).await;
    forget_ends(&world, &["delete"]).await;
    let all = history(&host, &caller).await;
    assert_eq!(all.last().unwrap().outcome, Succeeded);
}

#[tokio::test]
async fn a_host_settles_what_one_before_it_has_left_when_nobody_asks() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    settled(&host, &caller).await;
    drop(host);
    forget_ends(&world, &["deploy"]).await;
    let host = world
        .host_with(OrchestratorLimits {
            sweep_every: Duration::from_millis(5),
            ..limits()
        })
        .await;
    world.caller(&host, "demo").await;
    let mut database = world.database().await;
    eventually("it is settled", async || {
        let count = "SELECT count(*) FROM request_journal WHERE outcome = 'accepted'";
        let left: i64 = sqlx::query_scalar(count)
            .fetch_one(&mut database)
            .await
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_is_told_and_takes_no_more_room_than_it_may() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            journal: JournalLimits {
                refused_per_project: 3,
                per_project: 2,
                ..JournalLimits::default()
            },
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    host.request(&caller, "first", vec![]).await.unwrap();
    for number in 0..5 {
        let attributes = workers(&format!("many-{number}"));
        let refused = host.request(&caller, "second", attributes).await;
        assert!(matches!(refused, Err(OrchestratorError::Invalid(_))));
    }
    let missing = host.update(&caller, "nobody", workers("3")).await;
    assert!(matches!(missing, Err(OrchestratorError::NotFound(_))));
    let all = history(&host, &caller).await;
    let wanted = [
        (Create, Succeeded),
        (Create, Refused),
        (Create, Refused),
        (Change, Refused),
    ];
    assert_eq!(told(&all), wanted);
    assert!(all[2].reason.contains("many-4"), "{}", all[2].reason);
    assert_eq!(
        (&*all[3].cluster_name, &all[3].cluster_id),
        ("nobody", &None)
    );
    // What was done gives way to what is done alone.
    for name in ["third", "fourth"] {
        host.request(&caller, name, vec![]).await.unwrap();
    }
    let all = history(&host, &caller).await;
    let names: Vec<_> = all
        .iter()
        .map(|entry| entry.cluster_name.as_str())
        .collect();
    assert_eq!(names, ["second", "second", "nobody", "third", "fourth"]);
}

#[tokio::test]
async fn a_request_is_forgotten_after_its_time() {
    let world = LifecycleFixture::new().await;
    let host = world
        .host_with(OrchestratorLimits {
            sweep_every: Duration::from_millis(5),
            journal: JournalLimits {
                kept: Duration::from_secs(3_600),
                prune_every: Duration::ZERO,
                ..JournalLimits::default()
            },
            ..limits()
        })
        .await;
    let caller = world.caller(&host, "demo").await;
    for name in ["old", "new"] {
        host.request(&caller, name, vec![]).await.unwrap();
    }
    let mut database = world.database().await;
    let older = "UPDATE request_journal SET asked_s = asked_s - 3700 WHERE cluster_name = 'old'";
    sqlx::query(older).execute(&mut database).await.unwrap();
    eventually("it is forgotten", async || {
        let all = history(&host, &caller).await;
        (all.len() == 1 && all[0].cluster_name == "new").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_clients_request_is_one_however_many_verbs_it_takes() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let page = async || {
        let caller = world.caller(&host, "demo").await;
        caller.through(RequestFace::Page)
    };
    let caller = page().await;
    host.request(&caller, "demo", workers("2")).await.unwrap();
    host.deploy(&caller, "demo", workers("2")).await.unwrap();
    let caller = page().await;
    // Refused at its deploy, and what was recorded for it is taken back.
    let image = pairs(&[("stampede.image", "none-of-this-name")]);
    host.request(&caller, "other", image.clone()).await.unwrap();
    host.deploy(&caller, "other", image).await.unwrap_err();
    host.delete(&caller, "other").await.unwrap();
    let again = page().await;
    host.request(&again, "demo", vec![]).await.unwrap();
    let all = history(&host, &again).await;
    let wanted = [(Create, Accepted), (Create, Refused), (Create, Refused)];
    assert_eq!(told(&all), wanted);
    assert!(
        all[1].reason.contains("none-of-this-name"),
        "{}",
        all[1].reason
    );
    assert!(all.iter().all(|entry| entry.face == RequestFace::Page));
    assert_eq!(all[0].node_counts["worker"], 2);
    // By OCCI it is no fault to ask for what is there.
    let occi = world.caller(&host, "demo").await.through(RequestFace::Occi);
    host.request(&occi, "demo", vec![]).await.unwrap();
    assert_eq!(history(&host, &occi).await, all);
}

#[tokio::test]
async fn no_secret_gets_into_the_journal() {
    let world = LifecycleFixture::new().await;
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let secrets = pairs(&[
        ("my.password", "hunter22-a"),
        ("my.own", "hunter22-b"),
        ("stampede.workers", "hunter22-c"),
        ("stampede.x.password", "hunter22-d"),
    ]);
    host.request(&caller, "demo", secrets).await.unwrap_err();
    let mut database = world.database().await;
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT attributes, reason FROM request_journal")
            .fetch_all(&mut database)
            .await
            .unwrap();
    let [(attributes, reason)] = rows.as_slice() else {
        panic!("one request: {rows:?}")
    };
    assert!(attributes.contains("hunter22-c") && attributes.contains("my.password"));
    for secret in ["hunter22-a", "hunter22-b", "hunter22-d"] {
        assert!(
            !attributes.contains(secret) && !reason.contains(secret),
            "{rows:?}"
        );
    }
}

async fn listed(host: &ApiHost, path: &str) -> Vec<Value> {
    let answer = host.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["requests"].as_array().unwrap().clone()
}

/// A cluster that was made, and a request of its name that was refused; its id.
async fn made_and_refused() -> (ApiHost, String) {
    const CLUSTERS: &str = "/api/v1/clusters";
    let host = ApiHost::start().await;
    let body = json!({"name": "demo", "request_id": "r-1", "attributes": {"workers": 2}});
    let made = host.post(CLUSTERS, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    // The same once more is no other request.
    assert_eq!(host.post(CLUSTERS, body).await.status, 200);
    let again = json!({"name": "demo"}).to_string();
    let agent = [("user-agent", "stampede/0.1.0")];
    let refused = host.ask("POST", CLUSTERS, Some(again), &agent).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    host.world.cloud.finish();
    eventually("it is told to be done", async || {
        host.get("/api/v1/clusters/demo").await;
        let all = listed(&host, "/api/v1/requests?outcome=succeeded").await;
        (all.len() == 1).then_some(())
    })
    .await;

    let id = made.body["id"].as_str().unwrap().to_owned();
    (host, id)
}

#[tokio::test]
async fn the_api_tells_it_by_cluster_and_by_project() {
    let (host, id) = made_and_refused().await;
    let by_name = listed(&host, "/api/v1/clusters/demo/requests").await;
    let by_id = listed(&host, &format!("/api/v1/clusters/{id}/requests")).await;
    assert_eq!((by_name.len(), &by_name), (1, &by_id));
    let one = &by_name[0];
    let told = [
        "cluster",
        "face",
        "verb",
        "outcome",
        "user_name",
        "request_id",
    ];
    let told = told.map(|field| one[field].as_str().unwrap());
    assert_eq!(told, ["demo", "api", "create", "succeeded", "demo", "r-1"]);
    assert_eq!(one["attributes"], json!({"workers": "2"}));
    assert_eq!(one["node_counts"]["worker"], 2);

    let all = listed(&host, "/api/v1/requests").await;
    assert_eq!((all.len(), &all[0]["face"]), (2, &json!("command_line")));
    assert_eq!(all[0]["outcome"], "refused");
}

#[tokio::test]
async fn the_api_tells_it_page_by_page_and_filtered() {
    let (host, id) = made_and_refused().await;
    let all = listed(&host, "/api/v1/requests").await;
    for (query, number) in [
        ("outcome=refused", 1),
        ("outcome=failed", 0),
        ("user=demo", 2),
        ("user=ann", 0),
        ("cluster=demo", 2),
        (&*format!("cluster={id}&outcome=succeeded"), 1),
    ] {
        let found = listed(&host, &format!("/api/v1/requests?{query}")).await;
        assert_eq!(found.len(), number, "{query}");
    }
    let first = host.get("/api/v1/requests?limit=1").await;
    let marker = first.body["next_marker"].as_str().unwrap();
    assert_eq!(
        (&first.body["requests"][0], &first.body["matching"]),
        (&all[0], &json!(2))
    );
    let next = host
        .get(&format!("/api/v1/requests?limit=1&marker={marker}"))
        .await;
    assert_eq!(
        (&next.body["requests"][0], &next.body["next_marker"]),
        (&all[1], &Value::Null)
    );
    let wrong = host
        .get("/api/v1/requests?outcome=odd&limit=501&marker=x&state=y")
        .await;
    let paths: Vec<&str> = wrong.problems().iter().map(|(path, _)| *path).collect();
    assert_eq!(wrong.status, 422);
    assert_eq!(paths, ["?state", "?limit", "?marker", "?outcome"]);
}

#[tokio::test]
async fn the_api_tells_it_of_a_deleted_cluster_to_its_project_alone() {
    let (host, id) = made_and_refused().await;
    let deleted = host.ask("DELETE", "/api/v1/clusters/demo", None, &[]).await;
    assert_eq!(deleted.status, 202);
    let path = format!("/api/v1/clusters/{id}/requests");
    eventually("it is gone, and told", async || {
        host.world.cloud.finish();
        let all = listed(&host, &path).await;
        (all[0]["verb"] == "delete" && all[0]["outcome"] == "succeeded").then_some(())
    })
    .await;
    assert_eq!(host.get("/api/v1/clusters/demo/requests").await.status, 404);
    let strange = host.world.cloud.issue_token("other");
    let strange = [("x-auth-token", strange.as_str())];
    for (path, status) in [(path.as_str(), 404), ("/api/v1/requests", 200)] {
        let answer = host.send("GET", path, None, &strange).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(status == 404 || answer.body["matching"] == 0);
    }
}
