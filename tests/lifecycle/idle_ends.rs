//! Clusters that end without jobs: what is taken as a limit, that their end is announced and taken back
//! when a job comes, that nothing is deleted by what is not known, and who deletes.

use std::sync::{Arc, atomic::Ordering};

use stampede::{
    cluster::OperatorDefaults,
    orchestrator::{Caller, ClusterView, Orchestrator, OrchestratorError},
    store::ClusterRecord,
    system::clock::unix_now_s,
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::{
    end_times::{caller, clocked},
    fixture::{LifecycleFixture, eventually, pairs, problems},
    shared_store::SetClock,
    update::complete,
};

const HOUR_S: u64 = 3_600;

/// A cluster that may be two hours without jobs, of which its host knows by its own clock.
struct IdleWorld {
    world: LifecycleFixture,
    host: Orchestrator,
    clock: Arc<SetClock>,
    owner: Caller,
    stack: String,
}

impl IdleWorld {
    /// It has come to rest, and its host has seen that one hour ahead.
    async fn new(tellers: &[&str]) -> Self {
        let world = LifecycleFixture::new().await;
        world.planner.tell_jobs(tellers);
        let (host, clock) = clocked(&world).await;
        let owner = caller(&world, &host).await;
        let given = pairs(&[("stampede.idle", "2h")]);
        host.request(&owner, "default", given).await.unwrap();
        host.deploy(&owner, "default", vec![]).await.unwrap();
        world.cloud.finish();
        let stack = world.cloud.stacks()[0].0.clone();
        let new = Self {
            world,
            host,
            clock,
            owner,
            stack,
        };
        new.ahead(HOUR_S);
        eventually("the host has seen it at rest", async || {
            new.record().await.idle?.rest_s
        })
        .await;
        new
    }

    fn ahead(&self, seconds: u64) {
        self.clock.ahead_s.store(seconds, Ordering::Relaxed);
    }

    fn say(&self, node: &str, component: &str, word: &str) {
        let now_s = unix_now_s();
        let data = format!("{component} green {now_s}{word} runs;");
        let line = format!("{node} health {component} green runs");
        assert!(
            self.world
                .cloud
                .signal_health(&self.stack, node, &line, &data)
        );
    }

    /// The master tells of no job since so many seconds from the beginning.
    fn say_idle(&self, since_s: u64) {
        let word = format!("/idle={}", unix_now_s() + since_s);
        self.say("master", "on_master", &word);
    }

    fn say_busy(&self) {
        self.say("master", "on_master", "/busy");
    }

    async fn record(&self) -> ClusterRecord {
        self.world.records().await.remove(0)
    }

    async fn announced(&self) -> String {
        eventually("it is announced", async || {
            notice(&self.host, &self.owner).await
        })
        .await
    }

    async fn taken_back(&self) {
        eventually("it is taken back", async || {
            let idle = self.record().await.idle?;
            idle.notice.is_none().then_some(())
        })
        .await;
        assert_eq!(notice(&self.host, &self.owner).await, None);
    }

    /// Until the nodes were asked `more` times from now on.
    async fn asked(&self, more: usize) {
        let asked = || self.world.cloud.count_of("heat", "GET", "progress_handle");
        let before = asked();
        eventually("the nodes are asked", async || {
            (asked() >= before + more).then_some(())
        })
        .await;
    }

    async fn deleted(&self) {
        eventually("heat was asked to delete it", async || {
            (self.world.deletes() > 0).then_some(())
        })
        .await;
    }
}

async fn notice(host: &Orchestrator, caller: &Caller) -> Option<String> {
    host.view(caller, "default").await.unwrap().end_notice
}

async fn update(
    host: &Orchestrator,
    caller: &Caller,
    idle: &str,
) -> Result<ClusterView, OrchestratorError> {
    let given = pairs(&[("stampede.idle", idle)]);
    host.update(caller, "default", given).await
}

#[tokio::test]
async fn a_job_takes_the_announcement_back_and_without_another_one_the_cluster_goes() {
    let idle = IdleWorld::new(&["on_master"]).await;
    idle.say_idle(HOUR_S);
    idle.ahead(2 * HOUR_S + 120);
    let told = idle.announced().await;
    assert!(told.starts_with("no job has run since "), "{told}");
    let view = idle.host.view(&idle.owner, "default").await.unwrap();
    let known = view.idle.unwrap();
    assert_eq!((known.after_s, known.is_busy), (2 * HOUR_S, false));
    assert!(known.ends_s >= known.since_s.map(|since_s| since_s + 2 * HOUR_S));

    idle.say_busy();
    idle.ahead(2 * HOUR_S + 600);
    idle.taken_back().await;
    // Shorter than its limit.
    idle.say_idle(2 * HOUR_S + 600);
    idle.ahead(3 * HOUR_S + 500);
    idle.asked(1).await;
    assert_eq!(notice(&idle.host, &idle.owner).await, None);
    idle.ahead(3 * HOUR_S + 900);
    idle.announced().await;
    // A job that came just before the end is asked about, though nobody has looked since.
    idle.say_busy();
    idle.ahead(5 * HOUR_S);
    idle.taken_back().await;
    assert_eq!(idle.world.deletes(), 0);
    idle.say_idle(5 * HOUR_S);
    idle.ahead(6 * HOUR_S + 120);
    idle.announced().await;
    idle.ahead(7 * HOUR_S + 240);
    idle.deleted().await;
}

#[tokio::test]
async fn one_that_is_silent_keeps_the_cluster_and_so_does_a_heat_that_does_not_answer() {
    let idle = IdleWorld::new(&["on_master", "on_worker"]).await;
    idle.say_idle(HOUR_S);
    idle.ahead(30 * HOUR_S);
    idle.asked(1).await;
    assert_eq!(notice(&idle.host, &idle.owner).await, None);
    let spec = idle.record().await.spec.clone().unwrap();
    let nodes = spec.node_names();
    let workers = nodes.iter().filter(|name| *name != "master");
    let word = format!("/idle={}", unix_now_s() + 2 * HOUR_S);
    for node in workers {
        idle.say(node, "on_worker", &word);
    }
    idle.ahead(32 * HOUR_S);
    let told = idle.announced().await;
    assert!(told.starts_with("no job has run since "), "{told}");
    // Nobody deletes by what was known before.
    let silent = InjectedFault::of("heat", u32::MAX, FaultKind::Status(503, None));
    idle.world.cloud.fault(silent);
    idle.ahead(34 * HOUR_S);
    let failed = || idle.world.cloud.count_of("heat", "GET", "/stacks/");
    let before = failed();
    eventually("heat is asked", async || (failed() > before).then_some(())).await;
    assert_eq!(idle.world.deletes(), 0);
    idle.world.cloud.heal();
    // The host asks every five minutes of its clock.
    eventually("heat was asked to delete it", async || {
        idle.clock.ahead_s.fetch_add(300, Ordering::Relaxed);
        (idle.world.deletes() > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_host_that_begins_again_goes_on_with_what_was_announced() {
    let idle = IdleWorld::new(&["on_master"]).await;
    idle.say_idle(HOUR_S);
    idle.ahead(2 * HOUR_S + 120);
    idle.announced().await;
    let before = idle.record().await.idle;
    let IdleWorld {
        world, host, owner, ..
    } = idle;
    drop((host, owner));
    let (host, clock) = clocked(&world).await;
    clock.ahead_s.store(3 * HOUR_S, Ordering::Relaxed);
    let owner = caller(&world, &host).await;
    let asked = world.cloud.count_of("heat", "GET", "progress_handle");
    eventually("the nodes are asked again", async || {
        let now = world.cloud.count_of("heat", "GET", "progress_handle");
        (now > asked).then_some(())
    })
    .await;
    assert_eq!(
        world.records().await[0].idle,
        before,
        "nothing is told twice"
    );
    assert!(notice(&host, &owner).await.is_some());
    clock.ahead_s.store(4 * HOUR_S, Ordering::Relaxed);
    eventually("heat was asked to delete it", async || {
        (world.deletes() > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nobody_but_its_owners_login_deletes_and_their_request_looks_first() {
    for has_job in [true, false] {
        let idle = IdleWorld::new(&["on_master"]).await;
        idle.say_idle(HOUR_S);
        idle.ahead(2 * HOUR_S + 120);
        idle.announced().await;
        let IdleWorld {
            world,
            host,
            owner,
            stack,
            ..
        } = idle;
        drop((host, owner));
        let (host, clock) = clocked(&world).await;
        clock.ahead_s.store(9 * HOUR_S, Ordering::Relaxed);
        let other = world.user(&host, "somebody").await;
        let told = eventually("it says what it waits for", async || {
            let told = notice(&host, &other).await;
            told.filter(|told| told.contains("nobody is logged in who may"))
        })
        .await;
        assert!(told.starts_with("no job has run since "), "{told}");
        assert_eq!(world.deletes(), 0);
        if has_job {
            let data = format!("on_master green {}/busy runs;", unix_now_s());
            let line = "master health on_master green runs";
            assert!(world.cloud.signal_health(&stack, "master", line, &data));
        }
        let owner = caller(&world, &host).await;
        if has_job {
            eventually("it is taken back", async || {
                let told = notice(&host, &owner).await;
                told.is_none().then_some(())
            })
            .await;
            assert_eq!(world.deletes(), 0);
        } else {
            eventually("heat was asked to delete it", async || {
                (world.deletes() > 0).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_limit_is_refused_where_no_framework_tells_of_jobs_or_it_is_none() {
    let world = LifecycleFixture::new().await;
    let (host, caller, _) = complete(&world).await;
    let given = pairs(&[("stampede.idle", "2h")]);
    host.request(&caller, "other", given).await.unwrap();
    let refused = host.deploy(&caller, "other", vec![]).await.unwrap_err();
    let nobody = "idle: no framework of this cluster tells whether jobs run";
    assert!(problems(&refused)[0].starts_with(nobody), "{refused}");
    let refused = update(&host, &caller, "2h").await.unwrap_err();
    assert!(problems(&refused)[0].starts_with(nobody), "{refused}");
    for wrong in ["59m", "367d", "soon", "2026-12-24T18:00:00Z"] {
        let given = pairs(&[("stampede.idle", wrong), ("stampede.workers", "0")]);
        let refused = host.request(&caller, "x", given).await.unwrap_err();
        let told = problems(&refused);
        assert!(told.iter().any(|one| one.starts_with("idle: ")), "{told:?}");
        assert!(
            told.iter().any(|one| one.starts_with("workers")),
            "{told:?}"
        );
    }
    let given = pairs(&[("stampede.idle", "1m"), ("stampede.timeout", "1000")]);
    let refused = host.update(&caller, "default", given).await.unwrap_err();
    let told = problems(&refused);
    assert!(
        told[0].starts_with("idle: ") && told[1].starts_with("timeout"),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_limit_changes_without_heat_and_its_owner_alone_shortens_it() {
    let world = LifecycleFixture::new().await;
    world.planner.tell_jobs(&["on_master"]);
    let (host, caller, stack) = complete(&world).await;
    let updates = || world.cloud.count_of("heat", "PUT", "/stacks/");
    let before = (updates(), world.cloud.template(&stack));
    let other = world.user(&host, "somebody").await;
    let refused = update(&host, &other, "2h").await.unwrap_err();
    assert!(
        problems(&refused)[0].contains("another user's"),
        "{refused}"
    );
    for (text, shown) in [
        ("2h", Some("2h")),
        ("120m", Some("2h")),
        ("3d", Some("3d")),
        ("never", None),
        ("72h", Some("3d")),
        ("", None),
        ("1h", Some("1h")),
    ] {
        let view = update(&host, &caller, text).await.unwrap();
        let attribute = view.attributes.get("stampede.idle").map(String::as_str);
        assert_eq!(attribute, shown, "{text}");
        assert_eq!(view.change, None);
    }
    update(&host, &other, "4h").await.unwrap();
    let preview = host
        .preview_update(&caller, "default", pairs(&[("stampede.idle", "1d")]))
        .await
        .unwrap();
    assert!(preview.steps.is_empty());
    let told = &preview.attributes[0];
    let told = (
        told.name.as_str(),
        told.before.as_deref(),
        told.after.as_deref(),
    );
    assert_eq!(told, ("idle", Some("4h"), Some("1d")));
    assert_eq!((updates(), world.cloud.template(&stack)), before);
    // A change of the cluster keeps it.
    let given = pairs(&[("stampede.workers", "3"), ("stampede.idle", "5h")]);
    host.update(&caller, "default", given).await.unwrap();
    let view = crate::update::rest(&world, &host, &caller).await;
    assert_eq!(view.attributes["stampede.idle"], "5h");
    assert_eq!(view.node_counts["worker"], 3);
}

#[tokio::test]
async fn the_operators_word_holds_where_frameworks_tell_of_jobs() {
    let world = LifecycleFixture::new().await;
    let defaults = OperatorDefaults::from_operator_toml("idle = '3h'\n[policy]\nmax_idle = '4h'");
    let host = world.host_with_defaults(defaults.unwrap()).await;
    let caller = world.caller(&host, "demo").await;
    let made = async |name: &str, given: &[(&str, &str)]| {
        host.request(&caller, name, pairs(given)).await?;
        let view = host.deploy(&caller, name, vec![]).await?;
        Ok::<_, OrchestratorError>(view.idle.map(|idle| idle.after_s))
    };
    assert_eq!(
        made("silent", &[]).await.unwrap(),
        None,
        "nobody is refused"
    );
    world.planner.tell_jobs(&["on_master"]);
    assert_eq!(made("default", &[]).await.unwrap(), Some(3 * HOUR_S));
    let own = made("own", &[("stampede.idle", "4h")]).await.unwrap();
    assert_eq!(own, Some(4 * HOUR_S));
    for longer in ["5h", "never"] {
        let refused = made("long", &[("stampede.idle", longer)])
            .await
            .unwrap_err();
        let wanted = "idle: the operator allows clusters to be without jobs for at most 4h";
        assert!(problems(&refused)[0].starts_with(wanted), "{refused}");
    }
    let refused = update(&host, &caller, "never").await.unwrap_err();
    assert!(problems(&refused)[0].contains("at most 4h"), "{refused}");
}
