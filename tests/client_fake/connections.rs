//! Failures of services and connections: what is repeated, what is not, and what the error says.

use std::time::Duration;

use stampede::openstack::{ClientLimits, CloudClient, CloudConfig, CloudError};
use stampede_tests::fake_openstack::{FaultKind, InjectedFault};

use super::{brisk, client, cloud, session, session_with};

#[tokio::test]
async fn reading_is_repeated_up_to_the_limit_of_attempts() {
    let whats = [
        FaultKind::Status(500, None),
        FaultKind::Status(503, Some(0)),
        FaultKind::Status(429, None),
        FaultKind::Dropped,
        FaultKind::Lost,
        FaultKind::Cut,
    ];
    for what in whats {
        let cloud = cloud().await;
        let session = session_with(
            &cloud,
            ClientLimits {
                attempts: 3,
                ..brisk()
            },
        )
        .await;
        cloud.fault(InjectedFault::of("nova", 2, what.clone()));
        session
            .flavors()
            .await
            .unwrap_or_else(|error| panic!("{what:?}: {error}"));
        assert_eq!(cloud.count("nova"), 3, "{what:?}");

        cloud.fault(InjectedFault::of("nova", 3, what.clone()));
        let error = session.flavors().await.expect_err("one too many");
        assert!(error.is_transient(), "{what:?}: {error}");
        assert_eq!(cloud.count("nova"), 6, "{what:?}");
    }
}

#[tokio::test]
async fn what_is_for_good_is_not_repeated() {
    for (status, expected) in [
        (400, "refuses to"),
        (403, "forbids to"),
        (404, "does not know"),
        (409, "cannot"),
        (413, "too large"),
    ] {
        let cloud = cloud().await;
        let session = session(&cloud).await;
        cloud.fault(InjectedFault::of(
            "nova",
            u32::MAX,
            FaultKind::Status(status, None),
        ));
        let message = session.flavors().await.expect_err("refused").to_string();
        assert!(
            message.contains(expected)
                && message.contains("list flavors")
                && message.contains("on purpose"),
            "{status}: {message}"
        );
        assert_eq!(cloud.count("nova"), 1, "{status}");
    }
}

#[tokio::test]
async fn an_overloaded_service_says_how_often_it_was_asked() {
    let cloud = cloud().await;
    let session = session_with(
        &cloud,
        ClientLimits {
            attempts: 2,
            ..brisk()
        },
    )
    .await;
    cloud.fault(InjectedFault::of(
        "glance",
        u32::MAX,
        FaultKind::Status(503, Some(7)),
    ));
    let error = session.images().await.expect_err("overloaded");
    let CloudError::Overloaded {
        service: "glance",
        status: 503,
        attempts: 2,
        retry_after: Some(wish),
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(wish, Duration::from_secs(7));
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_given_up() {
    let cloud = cloud().await;
    let session = session_with(
        &cloud,
        ClientLimits {
            attempts: 1,
            answer: Duration::from_millis(100),
            ..brisk()
        },
    )
    .await;
    cloud.fault(InjectedFault::of(
        "nova",
        1,
        FaultKind::Slow(Duration::from_secs(60)),
    ));
    let error = session.flavors().await.expect_err("late");
    assert!(
        matches!(&error, CloudError::Unreachable { service: "nova", reason, .. } if reason.contains("no answer within")),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_of_the_limit_is_read_and_one_above_is_not() {
    let cloud = cloud().await;
    let keys = session(&cloud).await.keypairs().await.expect("keys");
    // The answer to a list of one key, as the fake OpenStack writes it.
    let size = r#"{"keypairs":[{"keypair":{"name":"demo-key","public_key":"ssh-ed25519 AAAA","fingerprint":"00:11"}}]}"#.len();
    let limit = 100_000;
    let session = session_with(
        &cloud,
        ClientLimits {
            body_bytes: limit,
            ..brisk()
        },
    )
    .await;
    cloud.fault(InjectedFault::of(
        "nova",
        1,
        FaultKind::Padded(limit - size),
    ));
    assert_eq!(session.keypairs().await.expect("as large as may be"), keys);
    cloud.fault(InjectedFault::of(
        "nova",
        1,
        FaultKind::Padded(limit - size + 1),
    ));
    let error = session.keypairs().await.expect_err("too large");
    assert!(
        matches!(&error, CloudError::BadAnswer { service: "nova", reason, .. } if reason.contains("100000 bytes")),
        "{error}"
    );
    assert_eq!(
        cloud.count("nova"),
        3,
        "an answer too large is not asked for again"
    );
}

#[tokio::test]
async fn a_page_for_people_is_no_answer() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    cloud.fault(InjectedFault::of("neutron", 1, FaultKind::Html));
    let error = session.external_networks().await.expect_err("a page");
    assert!(
        matches!(
            &error,
            CloudError::BadAnswer {
                service: "neutron",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_token() {
    let cloud = cloud().await;
    let session = session(&cloud).await;
    cloud.fault(InjectedFault::of("nova", 1, FaultKind::Status(301, None)));
    let error = session.flavors().await.expect_err("a redirect");
    assert!(
        matches!(&error, CloudError::BadAnswer { reason, .. } if reason.contains("301, a redirect")),
        "{error}"
    );
    assert_eq!(cloud.count("nova"), 1);
}

#[tokio::test]
async fn a_page_at_keystones_root_does_not_hide_it() {
    let cloud = cloud().await;
    cloud.fault(InjectedFault::of("keystone", 1, FaultKind::Html));
    session(&cloud).await;
}

#[tokio::test]
async fn a_cloud_that_is_not_there_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = CloudClient::new(CloudConfig {
        limits: brisk(),
        ..CloudConfig::new(format!("{url}/v3"))
    })
    .expect("a client");
    let error = client
        .session("a-token".into(), "demo")
        .await
        .expect_err("nobody there");
    assert!(
        matches!(&error, CloudError::Unreachable { service: "keystone", url: at, .. } if *at == url),
        "{error}"
    );
    assert!(!error.to_string().contains("a-token"));
}

#[tokio::test]
async fn keystones_failure_is_not_taken_for_a_bad_token() {
    let cloud = cloud().await;
    let client = client(
        &cloud,
        ClientLimits {
            attempts: 2,
            ..brisk()
        },
    );
    let token = cloud.issue_token("demo");
    cloud.fault(
        InjectedFault::of("keystone", 2, FaultKind::Status(500, None))
            .only("GET", "/v3/auth/tokens"),
    );
    let error = client
        .session(token.clone().into(), "demo")
        .await
        .expect_err("broken");
    assert!(
        matches!(
            error,
            CloudError::Fault {
                service: "keystone",
                status: 500,
                ..
            }
        ),
        "{error}"
    );
    client.session(token.into(), "demo").await.expect("healed");
}

#[test]
fn a_ca_file_must_be_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("ca.pem");
    let refused = || {
        CloudClient::new(CloudConfig {
            ca_file: Some(file.clone()),
            ..CloudConfig::new("https://k")
        })
        .expect_err("refused")
        .to_string()
    };
    assert!(refused().contains("cannot be read"), "{}", refused());
    std::fs::write(&file, "not a certificate\n").expect("write");
    assert!(refused().contains("holds no certificate"), "{}", refused());
    std::fs::write(
        &file,
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    )
    .expect("write");
    assert!(refused().contains("ca.pem"), "{}", refused());
}

/// A client that gives an answer little time, and keeps calls back after some without any.
fn impatient() -> ClientLimits {
    ClientLimits {
        attempts: 1,
        answer: Duration::from_millis(100),
        circuit_failures: 3,
        circuit_pause: Duration::from_millis(500),
        ..brisk()
    }
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_left_alone_for_a_while_and_the_others_are_asked() {
    let cloud = cloud().await;
    let session = session_with(&cloud, impatient()).await;
    let hangs = FaultKind::Slow(Duration::from_secs(600));
    cloud.fault(InjectedFault::of("nova", u32::MAX, hangs));
    for _ in 0..3 {
        let error = session.flavors().await.expect_err("no answer");
        assert!(error.to_string().contains("no answer within"), "{error}");
    }
    let error = session.flavors().await.expect_err("not asked");
    let words = "it left 3 calls in a row without an answer, and is asked again in";
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.is_transient() && error.is_unacted(), "{error:?}");
    assert_eq!(cloud.count("nova"), 3, "the fourth was not made");
    session.stacks_by_tag(&["a"]).await.expect("heat is well");
    cloud.heal();
    let asked_again = async {
        while session.flavors().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked_again)
        .await
        .expect("it is asked again");
    session.flavors().await.expect("as before");
    assert_eq!(cloud.count("nova"), 5, "one that found out, and one more");
}

#[tokio::test]
async fn what_hangs_for_one_project_keeps_no_other_projects_calls_back() {
    let cloud = cloud().await;
    let client = client(&cloud, impatient());
    let of = async |project: &str| {
        let token = cloud.issue_token(project).into();
        client.session(token, project).await.expect("a session")
    };
    let (one, other) = (of("demo").await, of("other").await);
    let hangs = FaultKind::Slow(Duration::from_secs(600));
    let path = format!("/{}/stacks", one.project().id);
    cloud.fault(InjectedFault::of("heat", u32::MAX, hangs).only("GET", path));
    for _ in 0..4 {
        one.stacks_by_tag(&["a"]).await.expect_err("no answer");
    }
    assert_eq!(cloud.count("heat"), 3, "its own are kept back");
    other.stacks_by_tag(&["a"]).await.expect("its own answer");
}

#[tokio::test]
async fn errors_are_answers_and_keep_no_call_back() {
    let cloud = cloud().await;
    let session = session_with(&cloud, impatient()).await;
    cloud.fault(InjectedFault::of(
        "nova",
        u32::MAX,
        FaultKind::Status(500, None),
    ));
    for _ in 0..8 {
        session.flavors().await.expect_err("an error");
    }
    assert_eq!(cloud.count("nova"), 8);
}
