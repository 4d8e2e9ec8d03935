//! What nodes say of their health after they are ready, and the secrets that endpoints ask for.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use stampede::{
    cluster::{ClusterState, health::HealthColour},
    orchestrator::{Caller, ClusterView, Orchestrator, OrchestratorError, OrchestratorLimits},
};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use crate::{
    fixture::{LifecycleFixture, limits, pairs, problems},
    frameworks::{ECHO, plugins},
};

/// Limits with which every look is at health, too.
fn attentive() -> OrchestratorLimits {
    OrchestratorLimits {
        health_every: Duration::ZERO,
        ..limits()
    }
}

/// A running cluster of components, and its stack's name.
async fn running(
    set: &[(&str, &str)],
    limits: OrchestratorLimits,
) -> (LifecycleFixture, Orchestrator, Caller, String) {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = world.host_with(limits).await;
    let caller = world.caller(&host, "demo").await;
    let given = pairs(&[ECHO, set].concat());
    host.request(&caller, "default", given).await.unwrap();
    host.deploy(&caller, "default", vec![]).await.unwrap();
    world.cloud.finish();
    let stack = world.cloud.stacks()[0].0.clone();
    (world, host, caller, stack)
}

fn told(view: &ClusterView) -> Vec<String> {
    let service = |service: &stampede::cluster::health::ServiceHealth| {
        let worst = &service.worst;
        format!(
            "{} {} {}: {} at {} since {}, {} of {}",
            service.component,
            worst.colour.as_str(),
            service.node,
            worst.sentence,
            worst.looked_s,
            worst.since_s,
            service.nodes.len(),
            service.members
        )
    };
    view.health.iter().map(service).collect()
}

const WORKS: &str = "echo_client green 1700000000 works;echo_server green 1700000000 runs;";

#[tokio::test]
async fn a_red_service_is_shown_with_its_sentence_and_changes_nothing_else() {
    let (world, host, caller, stack) = running(&[], attentive()).await;
    let before = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        told(&before),
        [] as [&str; 0],
        "nobody has said anything yet"
    );
    let say = |node: &str, data: &str| {
        let first = data.split(';').next().unwrap_or_default();
        let mut words = first.split(' ');
        let (component, colour) = (words.next().unwrap(), words.next().unwrap());
        let line = format!("{node} health {component} {colour} told");
        assert!(world.cloud.signal_health(&stack, node, &line, data));
    };
    say("worker-1", WORKS);
    say("worker-2", WORKS);
    say("master", "echo_client yellow 1700000001 a bit;");
    let shown = host.view(&caller, "default").await.unwrap();
    let wanted = [
        "echo_server green worker-1: runs at 1700000000 since 1700000000, 2 of 3",
        "echo_client yellow master: a bit at 1700000001 since 1700000001, 3 of 4",
    ];
    assert_eq!(told(&shown), wanted);
    assert_eq!(shown.progress, before.progress, "health is no progress");

    let red =
        "echo_client green 1700000100 works;echo_server red 1700000100 echo-server is failed;";
    say("worker-2", red);
    let shown = host.view(&caller, "default").await.unwrap();
    let wanted =
        "echo_server red worker-2: echo-server is failed at 1700000100 since 1700000100, 2 of 3";
    assert_eq!(told(&shown)[0], wanted);
    assert_eq!(
        (&shown.state, shown.stack_status.as_deref(), &shown.failure),
        (&ClusterState::Active, Some("CREATE_COMPLETE"), &None)
    );
    // Still red, and since then; then green again by itself.
    say("worker-2", &red.replace("1700000100", "1700000200"));
    let shown = host.view(&caller, "default").await.unwrap();
    assert!(
        told(&shown)[0].contains("at 1700000200 since 1700000100"),
        "{:?}",
        told(&shown)
    );
    say("worker-2", WORKS);
    let shown = host.view(&caller, "default").await.unwrap();
    assert_eq!(shown.health[0].worst.colour, HealthColour::Green);
}

#[tokio::test]
async fn another_host_finds_it_again_with_the_store_and_without() {
    let (world, host, caller, stack) = running(&[], attentive()).await;
    world.cloud.signal_health(
        &stack,
        "worker-1",
        "worker-1 health echo_server green runs",
        WORKS,
    );
    let before = host.view(&caller, "default").await.unwrap();
    assert_eq!(before.health.len(), 2);
    drop((host, caller));
    world.plugins_are_idle().await;

    // It is shown also while Heat is away: it is recorded.
    let again = world.host_with(attentive()).await;
    let caller = world.caller(&again, "demo").await;
    world.cloud.fault(InjectedFault::of(
        "heat",
        u32::MAX,
        FaultKind::Status(503, None),
    ));
    let shown = again.view(&caller, "default").await.unwrap();
    assert_eq!(told(&shown), told(&before));
    world.cloud.heal();
    drop((again, caller));
    world.plugins_are_idle().await;

    let other = world.host_with_empty_store("tests").await;
    let caller = world.caller(&other, "demo").await;
    let shown = other.view(&caller, "default").await.unwrap();
    assert_eq!(told(&shown), told(&before));
}

#[tokio::test]
async fn heat_is_asked_for_it_when_somebody_looks_and_it_is_old() {
    let (world, host, caller, stack) = running(&[], limits()).await;
    let asked = || {
        (
            world.cloud.count_of("heat", "GET", "/events"),
            world
                .cloud
                .count_of("heat", "GET", "/progress_handle/metadata"),
        )
    };
    host.view(&caller, "default").await.unwrap();
    host.view(&caller, "default").await.unwrap();
    let before = asked();
    world.cloud.signal_health(
        &stack,
        "worker-1",
        "worker-1 health echo_server red x",
        WORKS,
    );
    for _ in 0..5 {
        host.view(&caller, "default").await.unwrap();
    }
    assert_eq!(asked(), before, "what is known is young");
    drop((host, caller));
    world.plugins_are_idle().await;

    let host = world.host_with(attentive()).await;
    let caller = world.caller(&host, "demo").await;
    host.view(&caller, "default").await.unwrap();
    let (_, handles) = asked();
    assert_eq!(
        handles,
        before.1 + 1,
        "the event has told that there is news"
    );
    for _ in 0..5 {
        host.view(&caller, "default").await.unwrap();
    }
    let (events, handles) = asked();
    assert!(events >= before.0 + 6, "each look is at the events");
    assert_eq!(handles, before.1 + 1, "and without news at no more");
    // A list looks, too.
    world.cloud.signal_health(
        &stack,
        "worker-2",
        "worker-2 health echo_server green x",
        WORKS,
    );
    let listed = host.list(&caller).await.unwrap();
    assert_eq!(listed[0].health[0].nodes.len(), 2);
}

#[tokio::test]
async fn what_nodes_say_is_foreign_and_a_handle_that_is_not_read_hides_no_state() {
    let (world, host, caller, stack) = running(&[], attentive()).await;
    host.view(&caller, "default").await.unwrap();
    let line = "worker-1 health echo_server red x";
    let data = "made_up red 1 x;echo_server red 1 <b>\u{1b}[2J;node red 1 y;";
    world.cloud.signal_health(&stack, "worker-1", line, data);
    world.cloud.signal_health(&stack, "worker-9", line, WORKS);
    world.cloud.signal_health(&stack, "../x", line, WORKS);
    let forbidden = InjectedFault::of("heat", u32::MAX, FaultKind::Status(403, None));
    let metadata = forbidden.only("GET", "/metadata");
    world.cloud.fault(metadata);
    let shown = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        (shown.state, shown.cloud_error),
        (ClusterState::Active, None)
    );
    assert!(shown.health.is_empty());
    world.cloud.heal();
    let shown = host.view(&caller, "default").await.unwrap();
    assert_eq!(
        told(&shown),
        [
            "node red worker-1: y at 1 since 1, 1 of 4",
            "echo_server red worker-1: <b> [2J at 1 since 1, 1 of 3"
        ]
    );
}

#[tokio::test]
async fn members_of_the_project_are_shown_a_secret_when_they_ask_and_nobody_else() {
    let (world, host, caller, stack) = running(&[], limits()).await;
    let view = host.view(&caller, "default").await.unwrap();
    let access = &view.endpoint_access["echo"];
    assert!(access.asks_for_secret && !view.endpoint_access["echo_data"].asks_for_secret);
    let secret = host
        .endpoint_secret(&caller, "default", Some("echo"))
        .await
        .unwrap();
    let secret = secret.expose_secret();
    let signal = world.cloud.handle_signal(&stack, "ready_handle").unwrap();
    let password = signal.split("\"password\":\"").nth(1).unwrap();
    assert_eq!(
        *secret,
        hmac(password.split('"').next().unwrap(), "echo token").await
    );
    let only = host
        .endpoint_secret(&caller, "default", None)
        .await
        .unwrap();
    assert_eq!(only.expose_secret(), secret);
    let mate = world.user(&host, "mate").await;
    let theirs = host.endpoint_secret(&mate, "default", None).await.unwrap();
    assert_eq!(
        theirs.expose_secret(),
        secret,
        "another member of the project"
    );

    // It stands nowhere else.
    let view = host.view(&caller, "default").await.unwrap();
    assert!(!format!("{view:?}").contains(secret));
    let records = world.records().await;
    assert!(!format!("{records:?}").contains(secret));

    let refused = |name: Option<&'static str>| {
        let (host, caller) = (host.clone(), caller.clone());
        async move {
            let refused = host.endpoint_secret(&caller, "default", name).await;
            problems(&refused.map(drop).unwrap_err())
        }
    };
    assert_eq!(
        refused(Some("echo_data")).await,
        ["ENDPOINT: `echo_data` asks for no secret (one of echo)"]
    );
    assert_eq!(
        refused(Some("ecko")).await,
        ["ENDPOINT: `default` has no endpoint `ecko` (one of echo)"]
    );
    let other = world.caller(&host, "other").await;
    let refused = host.endpoint_secret(&other, "default", None).await;
    assert!(matches!(refused, Err(OrchestratorError::NotFound(_))));
    let forbidden = InjectedFault::of("heat", u32::MAX, FaultKind::Status(403, None));
    world.cloud.fault(forbidden.only("GET", "/ready_handle"));
    let refused = host.endpoint_secret(&caller, "default", None).await;
    assert!(matches!(refused, Err(OrchestratorError::Forbidden(_))));
}

/// As OpenSSL makes it.
async fn hmac(key: &str, text: &str) -> String {
    use tokio::io::AsyncWriteExt as _;
    let mut openssl = tokio::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key, "-r"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = openssl.stdin.take().unwrap();
    input.write_all(text.as_bytes()).await.unwrap();
    drop(input);
    let output = openssl.wait_with_output().await.unwrap();
    let line = String::from_utf8(output.stdout).unwrap();
    line.split(' ').next().unwrap().to_owned()
}

#[tokio::test]
async fn endpoints_are_shown_with_how_they_are_reached_also_by_another_host() {
    let open = [
        ("stampede.network.open", "echo"),
        ("stampede.network.access", "198.51.100.0/24"),
    ];
    for (set, reach) in [(&open[..], "Outside"), (&[], "Tunnel")] {
        let (world, host, caller, _) = running(set, limits()).await;
        let view = host.view(&caller, "default").await.unwrap();
        let shown = |view: &ClusterView| {
            let access = view.endpoint_access.iter();
            let access = access.map(|(name, access)| {
                let (reach, component) = (access.reach.unwrap(), &access.component);
                let (urls, description) = (access.urls.len(), &access.description);
                format!("{name} {component} {reach:?} {urls} {description}")
            });
            access.collect::<Vec<_>>()
        };
        let wanted = [
            format!("echo echo_server {reach} 3 Its page."),
            "echo_data echo_server Cluster 3 For programs.".to_owned(),
        ];
        assert_eq!(shown(&view), wanted);
        drop((host, caller));
        world.plugins_are_idle().await;
        let other = world.host_with_empty_store("tests").await;
        let caller = world.caller(&other, "demo").await;
        let view = other.view(&caller, "default").await.unwrap();
        assert_eq!(shown(&view), wanted);
        assert!(
            other
                .endpoint_secret(&caller, "default", None)
                .await
                .is_ok()
        );
    }
}
