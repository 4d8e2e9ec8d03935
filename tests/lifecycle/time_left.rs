//! How long what is under way will take: told by former runs of the same project, of the same kind, that
//! were carried out, to whoever watches and before anything is asked for.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::{Value, json};
use stampede::{
    cluster::{
        ClusterState,
        former_runs::{RunForecast, RunLikeness},
    },
    orchestrator::{Caller, ClusterView, FormDepth, Orchestrator},
    system::clock::HostClock,
};
use stampede_tests::fake_openstack::CreateFails;

use crate::{
    api_client::ApiHost,
    fixture::{LifecycleFixture, eventually, limits, pairs},
    shared_store::SetClock,
    update::rest,
};

/// Real seconds that a test may take: what is told is told to within them.
const SLACK_S: u64 = 900;

/// A host by a clock that is set, ahead of the cloud's: then nothing that the cloud dates counts.
async fn clocked(world: &LifecycleFixture) -> (Orchestrator, Arc<SetClock>) {
    world
        .cloud
        .set_token_life(Duration::from_secs(400 * 86_400));
    let set = Arc::new(SetClock::default());
    set.ahead_s.store(2 * SLACK_S, Ordering::Relaxed);
    let clock = HostClock::driven_by(Arc::clone(&set) as _);
    let host = world.host_made_of(world.store().await, clock, limits());
    (host.await, set)
}

async fn caller(world: &LifecycleFixture, host: &Orchestrator, project: &str) -> Caller {
    let token = SecretString::from(world.cloud.issue_token(project));
    host.authenticate(token, project).await.unwrap()
}

fn pass(set: &SetClock, seconds: u64) {
    set.ahead_s.fetch_add(seconds, Ordering::Relaxed);
}

async fn begin(host: &Orchestrator, caller: &Caller, name: &str) -> ClusterView {
    host.request(caller, name, vec![]).await.unwrap();
    host.deploy(caller, name, vec![]).await.unwrap();
    host.view(caller, name).await.unwrap()
}

async fn finish(world: &LifecycleFixture, host: &Orchestrator, caller: &Caller, name: &str) {
    world.cloud.finish();
    let view = host.view(caller, name).await.unwrap();
    assert!(!view.state.is_moving(), "{view:?}");
    assert_eq!(view.time_left, None, "nothing is under way");
}

/// What is told to be typical, to within what the test itself takes.
fn is_about(told: &RunForecast, wanted_s: u64) -> bool {
    (wanted_s..wanted_s + SLACK_S).contains(&told.former.typical_s)
}

#[tokio::test]
async fn the_second_cluster_is_told_to_take_as_long_as_the_first() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let me = caller(&world, &host, "demo").await;
    let first = begin(&host, &me, "first").await;
    assert_eq!(first.time_left, None, "nothing is known yet");
    pass(&set, 6_000);
    finish(&world, &host, &me, "first").await;

    let second = begin(&host, &me, "second").await;
    let told = second.time_left.unwrap();
    assert!(is_about(&told, 6_000), "{told:?}");
    assert_eq!(told.former.runs, 1);
    assert_eq!(told.former.likeness, RunLikeness::Same);
    let left_s = told.left_s().unwrap();
    assert!(left_s <= told.former.typical_s && left_s > 6_000 - SLACK_S);
    pass(&set, 3_000);
    let later = host.view(&me, "second").await.unwrap().time_left.unwrap();
    assert!(later.left_s().unwrap() <= left_s - 3_000, "{later:?}");
    pass(&set, 3_000 + SLACK_S);
    let over = host.view(&me, "second").await.unwrap().time_left.unwrap();
    assert_eq!(over.left_s(), None);
    assert!(over.sentence().starts_with("longer than 1 former run"));
    // Another project is told nothing of it.
    let other = caller(&world, &host, "other").await;
    assert_eq!(begin(&host, &other, "first").await.time_left, None);
}

#[tokio::test]
async fn a_run_that_failed_says_nothing_of_how_long_one_takes() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let me = caller(&world, &host, "demo").await;
    world.cloud.next_create_fails(CreateFails::Node {
        node: "worker-1".into(),
        text: "hadoop setup line 42: no".into(),
    });
    begin(&host, &me, "failed").await;
    pass(&set, 50);
    world.cloud.finish();
    let view = host.view(&me, "failed").await.unwrap();
    assert!(matches!(view.state, ClusterState::Failed(_)), "{view:?}");
    assert_eq!(begin(&host, &me, "next").await.time_left, None);
    pass(&set, 6_000);
    finish(&world, &host, &me, "next").await;
    let told = begin(&host, &me, "last").await.time_left.unwrap();
    assert!(told.former.runs == 1 && is_about(&told, 6_000), "{told:?}");
}

/// Changes a setting, and lets it take so long; what was told meanwhile.
async fn set_replication(
    world: &LifecycleFixture,
    (host, caller): (&Orchestrator, &Caller),
    set: &SetClock,
    (value, seconds): (&str, u64),
) -> Option<RunForecast> {
    let given = pairs(&[("stampede.hadoop.replication", value)]);
    host.update(caller, "default", given).await.unwrap();
    let view = host.view(caller, "default").await.unwrap();
    assert_eq!(view.state, ClusterState::Updating);
    pass(set, seconds);
    rest(world, host, caller).await;
    eventually("it is told to be done", async || {
        let all = host.journal().of_project(caller, query()).await.unwrap();
        let under_way =
            |one: &stampede::cluster::request_entry::RequestEntry| one.ended_s.is_none();
        (!all.entries.iter().any(under_way)).then_some(())
    })
    .await;
    view.time_left
}

fn query() -> stampede::orchestrator::JournalQuery<'static> {
    stampede::orchestrator::JournalQuery {
        limit: 100,
        ..Default::default()
    }
}

#[tokio::test]
async fn changes_are_told_by_changes_of_their_own_kind() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let me = caller(&world, &host, "demo").await;
    begin(&host, &me, "default").await;
    pass(&set, 20_000);
    finish(&world, &host, &me, "default").await;
    let at = (&host, &me);
    let first = set_replication(&world, at, &set, ("1", 6_000)).await;
    assert_eq!(first, None, "a creation is no change");
    let second = set_replication(&world, at, &set, ("2", 6_000)).await;
    let told = second.unwrap();
    assert!(told.former.runs == 1 && is_about(&told, 6_000), "{told:?}");

    let settings = pairs(&[("stampede.hadoop.replication", "1")]);
    let shown = host.preview_update(&me, "default", settings).await.unwrap();
    assert_eq!(shown.former_runs.unwrap().runs, 2);
    let more = pairs(&[("stampede.workers", "3")]);
    let shown = host.preview_update(&me, "default", more.clone()).await;
    assert_eq!(shown.unwrap().former_runs, None, "nodes come by it");
    let nothing = host.preview_update(&me, "default", vec![]).await.unwrap();
    assert_eq!(nothing.former_runs, None);
    host.update(&me, "default", more).await.unwrap();
    let grows = host.view(&me, "default").await.unwrap();
    assert_eq!(
        (grows.state, grows.time_left),
        (ClusterState::Updating, None)
    );
}

#[tokio::test]
async fn a_preview_tells_how_long_it_took_before() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let me = caller(&world, &host, "demo").await;
    let shown = host.preview_deploy(&me, "other", vec![]).await.unwrap();
    assert_eq!(shown.former_runs, None);
    begin(&host, &me, "default").await;
    pass(&set, 6_000);
    finish(&world, &host, &me, "default").await;
    let shown = host.preview_deploy(&me, "other", vec![]).await.unwrap();
    assert_eq!(shown.former_runs.unwrap().runs, 1);
    // Of 40 workers nothing was seen but that.
    let many = pairs(&[("stampede.workers", "40")]);
    let forms = host.forms();
    let form = forms.new_cluster(&me, "other", many, FormDepth::Typing);
    let former = form.await.unwrap().former.unwrap();
    assert_eq!((former.runs, former.likeness), (1, RunLikeness::OtherSizes));
}

#[tokio::test]
async fn a_run_ends_when_its_nodes_are_done_and_not_when_somebody_looks() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    set.ahead_s.store(0, Ordering::Relaxed);
    let me = caller(&world, &host, "demo").await;
    begin(&host, &me, "first").await;
    world.cloud.finish();
    // Nobody looks for a day.
    pass(&set, 86_400);
    finish(&world, &host, &me, "first").await;
    let told = begin(&host, &me, "second").await.time_left.unwrap();
    assert!(told.former.typical_s < SLACK_S, "{told:?}");
}

#[tokio::test]
async fn the_api_tells_what_is_left_and_what_it_took_before() {
    const CLUSTERS: &str = "/api/v1/clusters";
    let host = ApiHost::start().await;
    let dry = async |host: &ApiHost| {
        let body = json!({"name": "third"});
        let answer = host.post("/api/v1/clusters?dry_run=true", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["former_runs"].clone()
    };
    let made = host.post(CLUSTERS, json!({"name": "first"})).await;
    assert_eq!((made.status, &made.body["time_left"]), (201, &Value::Null));
    assert_eq!(dry(&host).await, Value::Null);
    host.world.cloud.finish();
    eventually("it is told to be done", async || {
        let shown = host.get("/api/v1/clusters/first").await;
        let all = host.get("/api/v1/requests?outcome=succeeded").await;
        let is_done = shown.body["state"] == "active" && all.body["matching"] == 1;
        is_done.then_some(())
    })
    .await;
    assert_eq!(dry(&host).await["runs"], 1);
    let second = host.post(CLUSTERS, json!({"name": "second"})).await;
    let left = &second.body["time_left"];
    assert_eq!(
        (&left["runs"], &left["likeness"]),
        (&json!(1), &json!("same"))
    );
    assert!(left["sentence"].as_str().unwrap().contains("1 former run"));
    assert!(left["began_at"].as_str().unwrap().ends_with('Z'));
    let page = page_of(&host, "second").await;
    assert!(page.contains(r#"id="time-left""#), "{page}");
    assert!(page.contains("1 former run"), "{page}");
    assert!(!page_of(&host, "first").await.contains("time-left"));
}

/// A cluster's page, for somebody who has signed in.
async fn page_of(host: &ApiHost, name: &str) -> String {
    // Sees to it that there is a provider of TLS.
    drop(stampede_tests::http_client());
    let stay = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(stay).build().unwrap();
    let token = host.world.cloud.issue_token("demo");
    let entered = client
        .post(host.url("/ui/sign-in"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("way=token&token={token}"));
    let entered = entered.send().await.unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = client.get(host.url(&format!("/ui/clusters/{name}")));
    let page = page.header("cookie", cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    page.text().await.unwrap()
}
