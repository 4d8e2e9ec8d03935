//! When clusters end: what is taken as an end, that it changes without the cluster, that it is
//! announced, and that the host deletes what is over as soon as somebody is there who may.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use secrecy::SecretString;
use serde_json::{Value, json};
use stampede::{
    cluster::{
        ClusterState, OperatorDefaults,
        request_entry::{RequestFace, RequestOutcome, RequestVerb},
    },
    orchestrator::{
        Caller, ClusterView, JournalQuery, Orchestrator, OrchestratorError, OrchestratorLimits,
    },
    system::{
        clock::{HostClock, unix_now_s},
        utc_time::{format_rfc3339, parse_rfc3339},
    },
};

use crate::{
    api_client::ApiHost,
    fixture::{LifecycleFixture, eventually, limits, pairs, problems},
    shared_store::SetClock,
    update::{complete, rest},
};

const HOUR_S: u64 = 3_600;

/// A host that looks at ends all the time, by a clock that is set.
pub(crate) async fn clocked(world: &LifecycleFixture) -> (Orchestrator, Arc<SetClock>) {
    let set = Arc::new(SetClock::default());
    let clock = HostClock::driven_by(Arc::clone(&set) as _);
    let limits = OrchestratorLimits {
        sweep_every: Duration::from_millis(5),
        ..limits()
    };
    let host = world.host_made_of(world.store().await, clock, limits).await;
    (host, set)
}

/// A caller whose token the cloud takes whatever the host's clock says.
pub(crate) async fn caller(world: &LifecycleFixture, host: &Orchestrator) -> Caller {
    let token = SecretString::from(world.cloud.issue_token("demo"));
    host.authenticate(token, "demo").await.unwrap()
}

async fn deployed(host: &Orchestrator, caller: &Caller, expires: &str) -> ClusterView {
    let given = pairs(&[("stampede.expires", expires)]);
    host.request(caller, "default", given).await.unwrap();
    host.deploy(caller, "default", vec![]).await.unwrap()
}

async fn update(
    host: &Orchestrator,
    caller: &Caller,
    expires: &str,
) -> Result<ClusterView, OrchestratorError> {
    let given = pairs(&[("stampede.expires", expires)]);
    host.update(caller, "default", given).await
}

/// What became of the deletions that nobody but the host has asked for.
async fn ends_told(host: &Orchestrator, caller: &Caller) -> Vec<RequestOutcome> {
    let query = JournalQuery {
        limit: 100,
        ..JournalQuery::default()
    };
    let page = host.journal().of_project(caller, query).await.unwrap();
    let all = page.entries.into_iter();
    let by_end = all.filter(|entry| entry.face == RequestFace::End);
    by_end
        .map(|entry| {
            assert_eq!((entry.verb, &*entry.user_id), (RequestVerb::Delete, ""));
            assert_eq!(entry.user_name, "the host");
            entry.outcome
        })
        .collect()
}

/// How far from now the cluster ends, in whole hours; none where it does not.
fn hours_left(view: &ClusterView) -> Option<u64> {
    let left = view.ends_s?.saturating_sub(unix_now_s());
    Some((left + HOUR_S / 2) / HOUR_S)
}

#[tokio::test]
async fn an_age_becomes_a_moment_when_it_is_taken_and_is_shown_as_one() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    assert_eq!(host.view(&caller, "default").await.unwrap().ends_s, None);
    let given = pairs(&[("stampede.expires", "8h"), ("stampede.workers", "3")]);
    host.request(&caller, "other", given.clone()).await.unwrap();
    let asked = host.view(&caller, "other").await.unwrap();
    assert_eq!(hours_left(&asked), Some(8), "{asked:?}");
    let view = host.deploy(&caller, "other", vec![]).await.unwrap();
    assert_eq!(view.ends_s, asked.ends_s, "the deploy says nothing of it");
    let shown = &view.attributes["stampede.expires"];
    assert_eq!(parse_rfc3339(shown), view.ends_s);
    assert_eq!(view.end_notice, None);
    // A client whose answer was lost asks once more, and changes nothing.
    let again = host.request(&caller, "other", given).await.unwrap();
    drop(again);
    assert_eq!(
        host.view(&caller, "other").await.unwrap().ends_s,
        view.ends_s
    );
}

#[tokio::test]
async fn what_is_wrong_with_an_end_is_told_with_all_the_rest() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = world.deployed().await;
    let given = pairs(&[("stampede.expires", "soon"), ("stampede.workers", "0")]);
    let refused = host.request(&caller, "x", given).await.unwrap_err();
    let told = problems(&refused);
    assert!(
        told.iter().any(|one| one.starts_with("expires: `soon`")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|one| one.starts_with("workers")),
        "{told:?}"
    );
    let past = format_rfc3339(unix_now_s() - 60);
    let refused = host
        .request(&caller, "x", pairs(&[("stampede.expires", &past)]))
        .await
        .unwrap_err();
    let told = problems(&refused);
    assert!(told[0].contains("is over, or too near"), "{told:?}");
    let given = pairs(&[("stampede.expires", "9m"), ("stampede.timeout", "1000")]);
    let refused = host.update(&caller, "default", given).await.unwrap_err();
    let told = problems(&refused);
    assert!(told[0].contains("too short or too long"), "{told:?}");
    assert!(
        told.iter().any(|one| one.starts_with("timeout")),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_change_and_an_end_of_one_update_are_both_recorded_or_neither_is() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let given = || pairs(&[("stampede.expires", "8h"), ("stampede.workers", "3")]);
    let mut database = world.database().await;
    // The store takes a record with everything but an end.
    let fails = "CREATE TRIGGER fails BEFORE UPDATE ON cluster WHEN json_extract(NEW.record, '$.end.at_s') IS NOT NULL \
                 BEGIN SELECT RAISE(ABORT, 'no room'); END";
    sqlx::query(fails).execute(&mut database).await.unwrap();
    let refused = host.update(&caller, "default", given()).await;
    assert!(matches!(refused, Err(OrchestratorError::Internal(_))));
    let told = async || {
        let query = JournalQuery {
            limit: 1,
            ..JournalQuery::default()
        };
        let page = host.journal().of_project(&caller, query).await.unwrap();
        page.entries[0].outcome
    };
    assert_eq!(told().await, RequestOutcome::Refused);
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.node_counts["worker"], view.ends_s), (2, None));
    assert_eq!(world.cloud.count_of("heat", "PUT", "/stacks/"), 0);
    let mends = "DROP TRIGGER fails";
    sqlx::query(mends).execute(&mut database).await.unwrap();
    // What Heat refuses leaves the end as it was, too.
    let reader = world.user(&host, "ann").await;
    world.cloud.reader("ann", 403);
    let later = pairs(&[("stampede.expires", "9h"), ("stampede.workers", "3")]);
    update(&host, &caller, "8h").await.unwrap();
    let before = host.view(&caller, "default").await.unwrap();
    host.update(&reader, "default", later).await.unwrap_err();
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!((view.ends_s, view.change), (before.ends_s, None));
    host.update(&caller, "default", given()).await.unwrap();
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.node_counts["worker"], 3);
    assert_eq!(hours_left(&view), Some(8));
}

#[tokio::test]
async fn an_end_changes_without_heat_and_without_the_nodes() {
    let world = LifecycleFixture::new().await;
    let (host, caller, stack) = complete(&world).await;
    let updates = || world.cloud.count_of("heat", "PUT", "/stacks/");
    let before = (updates(), world.cloud.template(&stack));
    for (text, hours) in [
        ("8h", Some(8)),
        ("3d", Some(72)),
        ("2h", Some(2)),
        ("never", None),
        ("1w", Some(168)),
        ("", None),
    ] {
        let view = update(&host, &caller, text).await.unwrap();
        assert_eq!(hours_left(&view), hours, "{text}");
        assert_eq!(view.state, ClusterState::Active, "{text}");
        assert_eq!(view.change, None);
    }
    let (now, preview) = (
        update(&host, &caller, "8h").await.unwrap(),
        host.preview_update(&caller, "default", pairs(&[("stampede.expires", "1d")]))
            .await
            .unwrap(),
    );
    assert!(preview.steps.is_empty());
    assert_eq!(preview.attributes[0].name, "expires");
    assert_eq!(
        preview.attributes[0]
            .before
            .as_deref()
            .and_then(parse_rfc3339),
        now.ends_s
    );
    assert_eq!((updates(), world.cloud.template(&stack)), before);
}

#[tokio::test]
async fn an_end_is_put_off_in_the_middle_of_a_change_and_stays_when_it_is_taken_back() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    update(&host, &caller, "2h").await.unwrap();
    let workers = pairs(&[("stampede.workers", "3"), ("stampede.expires", "4h")]);
    let changing = host.update(&caller, "default", workers).await.unwrap();
    assert_eq!(hours_left(&changing), Some(4), "both in one request");
    assert_eq!(changing.state, ClusterState::Updating);
    let put_off = update(&host, &caller, "3d").await.unwrap();
    assert_eq!(put_off.state, ClusterState::Updating, "the change goes on");
    assert_eq!(hours_left(&put_off), Some(72));
    let view = rest(&world, &host, &caller).await;
    assert_eq!(view.state, ClusterState::Active);
    assert_eq!(view.node_counts["worker"], 3);
    assert_eq!(view.ends_s, put_off.ends_s);
}

#[tokio::test]
async fn an_end_is_announced_an_hour_before_and_then_the_cluster_is_deleted() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let caller = caller(&world, &host).await;
    deployed(&host, &caller, "8h").await;
    world.cloud.finish();
    let ahead = |seconds: u64| set.ahead_s.store(seconds, Ordering::Relaxed);
    ahead(7 * HOUR_S - 60);
    // A sweep that has nothing to say has passed when a later one has.
    host.request(&caller, "near", pairs(&[("stampede.expires", "20m")]))
        .await
        .unwrap();
    eventually("the nearer one is announced", async || {
        host.view(&caller, "near").await.unwrap().end_notice
    })
    .await;
    let view = host.view(&caller, "default").await.unwrap();
    assert_eq!(view.end_notice, None, "more than an hour is left");
    ahead(7 * HOUR_S + 60);
    let notice = eventually("it is announced", async || {
        host.view(&caller, "default").await.unwrap().end_notice
    })
    .await;
    assert!(notice.starts_with("it will be deleted at "), "{notice}");
    assert_eq!(world.deletes(), 0);
    // Whoever puts it off takes the announcement back.
    let put_off = update(&host, &caller, "8h").await.unwrap();
    assert_eq!(put_off.end_notice, None);
    ahead(15 * HOUR_S);
    eventually("it is announced again", async || {
        host.view(&caller, "default").await.unwrap().end_notice
    })
    .await;
    ahead(16 * HOUR_S);
    eventually("heat was asked to delete it", async || {
        (world.deletes() > 0).then_some(())
    })
    .await;
    world.cloud.finish();
    eventually("nothing is left", async || {
        world.cloud.step();
        world.records().await.is_empty().then_some(())
    })
    .await;
    eventually("its history tells so, and the nearer one's", async || {
        let told = ends_told(&host, &caller).await;
        (told == [RequestOutcome::Succeeded; 2]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_host_that_was_killed_over_the_end_deletes_when_somebody_is_there_who_may() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let owner = caller(&world, &host).await;
    deployed(&host, &owner, "8h").await;
    world.cloud.finish();
    drop((host, owner));
    // The moment passes while no host is there.
    let (host, later) = clocked(&world).await;
    later.ahead_s.store(9 * HOUR_S, Ordering::Relaxed);
    drop(set);
    let other = world.user(&host, "somebody").await;
    let notice = eventually("nothing is deleted that was not announced", async || {
        host.view(&other, "default").await.unwrap().end_notice
    })
    .await;
    assert!(notice.starts_with("it will be deleted at "), "{notice}");
    later.ahead_s.store(10 * HOUR_S, Ordering::Relaxed);
    let notice = eventually("it says what it waits for", async || {
        let notice = host.view(&other, "default").await.unwrap().end_notice;
        notice.filter(|notice| notice.starts_with("its end was at "))
    })
    .await;
    assert!(
        notice.starts_with("its end was at ")
            && notice.contains("it is deleted when its owner signs in next"),
        "{notice}"
    );
    assert_eq!(world.deletes(), 0, "nobody else's login deletes it");
    // The owner's next request is enough, whatever it is.
    let owner = caller(&world, &host).await;
    eventually("heat was asked to delete it", async || {
        (world.deletes() > 0).then_some(())
    })
    .await;
    let gone = host.view(&owner, "default").await;
    assert!(
        matches!(gone, Err(OrchestratorError::NotFound(_))),
        "{gone:?}"
    );
}

#[tokio::test]
async fn what_is_asked_for_and_never_deployed_ends_too() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let caller = caller(&world, &host).await;
    host.request(&caller, "default", pairs(&[("stampede.expires", "1h")]))
        .await
        .unwrap();
    eventually("it is announced", async || {
        host.view(&caller, "default").await.unwrap().end_notice
    })
    .await;
    set.ahead_s.store(HOUR_S, Ordering::Relaxed);
    eventually("its record is gone, and its history tells so", async || {
        let is_gone = world.records().await.is_empty();
        let told = ends_told(&host, &caller).await;
        (is_gone && told == [RequestOutcome::Succeeded]).then_some(())
    })
    .await;
    assert_eq!(world.deletes(), 0);
}

#[tokio::test]
async fn an_end_that_heat_refuses_is_told_once_however_often_it_is_tried() {
    let world = LifecycleFixture::new().await;
    let (host, set) = clocked(&world).await;
    let owner = caller(&world, &host).await;
    deployed(&host, &owner, "1h").await;
    world.cloud.finish();
    eventually("it is announced", async || {
        host.view(&owner, "default").await.unwrap().end_notice
    })
    .await;
    world.cloud.reader("demo", 403);
    for tries in 1..=3 {
        // It is tried again after some minutes.
        let ahead_s = HOUR_S + 360 * u64::try_from(tries).unwrap();
        set.ahead_s.store(ahead_s, Ordering::Relaxed);
        eventually("heat was asked, and has refused it", async || {
            caller(&world, &host).await;
            let told = ends_told(&host, &owner).await;
            (world.deletes() >= tries && told == [RequestOutcome::Failed]).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_host_with_an_empty_disk_keeps_the_end_and_announces_it_first() {
    let world = LifecycleFixture::new().await;
    let (host, owner, _) = world.deployed().await;
    host.delete(&owner, "default").await.unwrap();
    world.cloud.finish();
    let view = deployed(&host, &owner, "2d").await;
    world.cloud.finish();
    let finder = world.host_with_empty_store("tests").await;
    let again = world.caller(&finder, "demo").await;
    let found = finder.view(&again, "default").await.unwrap();
    assert_eq!(found.ends_s, view.ends_s);
    // The stack's word may be older than what was asked for since: there is a day to say so.
    let set = Arc::new(SetClock::default());
    set.ahead_s.store(40 * HOUR_S, Ordering::Relaxed);
    let store = stampede::store::RecordStore::in_memory().await.unwrap();
    let clock = HostClock::driven_by(Arc::clone(&set) as _);
    let late = world.host_made_of(store, clock, limits()).await;
    let again = world.caller(&late, "demo").await;
    let found = late.view(&again, "default").await.unwrap();
    assert_eq!(hours_left(&found), Some(40 + 24));
}

#[tokio::test]
async fn the_operators_default_is_the_end_of_who_says_none() {
    let world = LifecycleFixture::new().await;
    let defaults = OperatorDefaults::default().with("expires", "3d");
    let host = world.host_with_defaults(defaults).await;
    let caller = world.caller(&host, "demo").await;
    for (given, hours) in [
        (pairs(&[]), Some(72)),
        (pairs(&[("stampede.expires", "1h")]), Some(1)),
        (pairs(&[("stampede.expires", "never")]), None),
    ] {
        host.request(&caller, "default", given).await.unwrap();
        let view = host.deploy(&caller, "default", vec![]).await.unwrap();
        assert_eq!(hours_left(&view), hours);
        host.delete(&caller, "default").await.unwrap();
        world.cloud.finish();
    }
}

#[tokio::test]
async fn who_repeats_a_deploy_or_what_is_shown_changes_no_end() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let view = update(&host, &caller, "8h").await.unwrap();
    let shown = format_rfc3339(view.ends_s.unwrap());
    let same = update(&host, &caller, &shown).await.unwrap();
    assert_eq!(same.ends_s, view.ends_s);
    let given = pairs(&[("stampede.expires", "3d")]);
    let refused = host.deploy(&caller, "default", given).await;
    assert!(refused.is_err(), "it is deployed already");
    let now = host.view(&caller, "default").await.unwrap();
    assert_eq!(now.ends_s, view.ends_s);
}

#[tokio::test]
async fn nobody_but_its_owner_brings_an_end_nearer() {
    let world = LifecycleFixture::new().await;
    let (host, owner, _) = complete(&world).await;
    let other = world.user(&host, "somebody").await;
    for (text, is_taken) in [("8h", false), ("never", true)] {
        let updated = update(&host, &other, text).await;
        assert_eq!(updated.is_ok(), is_taken, "{text}: {updated:?}");
    }
    update(&host, &owner, "8h").await.unwrap();
    let refused = update(&host, &other, "7h").await.unwrap_err();
    assert!(
        problems(&refused)[0].contains("another user's"),
        "{refused}"
    );
    let put_off = update(&host, &other, "9h").await.unwrap();
    assert_eq!(hours_left(&put_off), Some(9));
    let shown = host.view(&owner, "default").await.unwrap();
    assert_eq!(shown.owner.as_deref(), Some(owner.user_id()));
}

#[tokio::test]
async fn the_json_api_takes_and_shows_an_end() {
    let host = ApiHost::start().await;
    let body = json!({"name": "demo", "attributes": {"expires": "8h"}});
    let made = host.post("/api/v1/clusters", body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let ends = made.body["expires"].as_str().and_then(parse_rfc3339);
    assert!(ends > Some(unix_now_s() + 7 * HOUR_S), "{}", made.body);
    assert_eq!(made.body["attributes"]["expires"], made.body["expires"]);
    let path = "/api/v1/clusters/demo";
    let patch = |expires: &str| Some(json!({"attributes": {"expires": expires}}).to_string());
    let changed = host.ask("PATCH", path, patch("1d"), &[]).await;
    assert_eq!(
        changed.status, 202,
        "while it is deployed: {}",
        changed.body
    );
    assert_eq!(changed.body["state"], "deploying");
    let later = changed.body["expires"].as_str().and_then(parse_rfc3339);
    assert!(later > ends);
    let wrong = host.ask("PATCH", path, patch("8 hours"), &[]).await;
    assert_eq!(wrong.problems()[0].0, "/attributes/expires");
    let none = json!({"attributes": {"expires": null}}).to_string();
    let without = host.ask("PATCH", path, Some(none), &[]).await;
    assert_eq!(without.body["expires"], Value::Null, "{}", without.body);
    let listed = host.get("/api/v1/clusters").await;
    assert_eq!(listed.body["clusters"][0]["expires"], Value::Null);
}
