//! The observer of HTTP calls, and the sources of errors.

use std::{
    error::Error as _,
    sync::{Arc, Mutex},
};

use stampede::openstack::{
    CallObserver, CallOutcome, ClientLimits, CloudClient, CloudConfig, CloudError, ErrorCause,
    ServiceName,
};
use stampede_tests::fake_openstack::{FakeOpenStack, FaultKind, InjectedFault};

use super::{brisk, cloud};

type Calls = Arc<Mutex<Vec<(ServiceName, CallOutcome)>>>;

fn observed_client(url: String) -> (CloudClient, Calls) {
    let calls = Calls::default();
    let observer = CallObserver::new({
        let calls = Arc::clone(&calls);
        move |service, _, outcome| calls.lock().expect("a lock").push((service, outcome))
    });
    let client = CloudClient::new(CloudConfig {
        limits: ClientLimits {
            attempts: 2,
            body_bytes: 100_000,
            ..brisk()
        },
        call_observer: Some(observer),
        ..CloudConfig::new(url)
    });
    (client.expect("a client"), calls)
}

fn take(calls: &Calls) -> Vec<(ServiceName, CallOutcome)> {
    std::mem::take(&mut *calls.lock().expect("a lock"))
}

async fn gone() -> String {
    let cloud: FakeOpenStack = cloud().await;
    cloud.url()
}

#[tokio::test]
async fn each_http_call_is_observed_once_with_its_outcome() {
    use CallOutcome::{Done, Failed, Refused, Unreachable};
    use ServiceName::{Keystone, Nova};
    let cloud = cloud().await;
    let (client, calls) = observed_client(cloud.url());
    let token = cloud.issue_token("demo");
    let session = client
        .session(token.into(), "demo")
        .await
        .expect("a session");
    assert_eq!(
        take(&calls),
        [(Keystone, Done), (Keystone, Done)],
        "the version, then the token"
    );
    session.keypairs().await.expect("keys");
    assert_eq!(take(&calls), [(Nova, Done)]);

    for (what, expected) in [
        (FaultKind::Status(404, None), vec![Refused]),
        (FaultKind::Status(503, None), vec![Failed, Done]),
        (FaultKind::Status(301, None), vec![Failed]),
        (FaultKind::Padded(100_000), vec![Failed]),
        (FaultKind::Lost, vec![Unreachable, Done]),
    ] {
        cloud.fault(InjectedFault::of("nova", 1, what.clone()));
        let _ = session.keypairs().await;
        let outcomes: Vec<_> = take(&calls)
            .into_iter()
            .map(|(_, outcome)| outcome)
            .collect();
        assert_eq!(outcomes, expected, "{what:?}");
    }
}

#[tokio::test]
async fn errors_keep_the_error_of_the_library_as_their_source() {
    let (client, calls) = observed_client(gone().await);
    let error = client
        .session("a-token".into(), "demo")
        .await
        .expect_err("nobody there");
    assert_eq!(
        take(&calls),
        [(ServiceName::Keystone, CallOutcome::Unreachable); 2]
    );
    let cause = |error: &CloudError| {
        error
            .source()
            .and_then(|source| source.downcast_ref::<ErrorCause>())
            .cloned()
    };
    let below = cause(&error).expect("a source");
    assert!(below.as_error().is::<reqwest::Error>(), "{below:?}");
    assert!(!format!("{below:?}").contains("a-token"));

    let cloud = cloud().await;
    let (client, _) = observed_client(cloud.url());
    let token = cloud.issue_token("demo");
    let session = client
        .session(token.into(), "demo")
        .await
        .expect("a session");
    cloud.fault(InjectedFault::of("nova", 1, FaultKind::Html));
    let error = session.keypairs().await.expect_err("a page");
    let below = cause(&error).expect("a source");
    assert!(below.as_error().is::<serde_json::Error>(), "{below:?}");
}
