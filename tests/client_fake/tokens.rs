//! Tokens: validated, cached, refused, expired; logins by each kind of credentials.

use stampede::openstack::{
    ClientLimits, CloudClient, CloudConfig, CloudCredentials, CloudError, EndpointInterface,
};
use stampede_tests::fake_openstack::{self, FakeOpenStack, FaultKind, IdentityApi, InjectedFault};

use super::{brisk, client, cloud, session, stack};

#[tokio::test]
async fn a_token_opens_its_own_project_by_name_or_id_and_no_other() {
    for api in [IdentityApi::V3, IdentityApi::V2] {
        let cloud = FakeOpenStack::start(fake_openstack::FakeConfig {
            keystone: api,
            ..Default::default()
        })
        .await
        .expect("a free port");
        let client = client(&cloud, brisk());
        let token = cloud.issue_token("demo");
        let by_name = client
            .session(token.clone().into(), "demo")
            .await
            .expect("by name");
        assert_eq!(
            (
                by_name.project().name.as_str(),
                by_name.user().name.as_str(),
                by_name.region().expect("the only one")
            ),
            ("demo", "demo", "RegionOne")
        );
        let by_id = client
            .session(token.clone().into(), &by_name.project().id)
            .await
            .expect("by id");
        assert_eq!(by_id.project(), by_name.project());
        by_id.flavors().await.expect("the catalog leads to Nova");
        let error = client
            .session(token.into(), "other")
            .await
            .expect_err("another's");
        assert_eq!(
            error,
            CloudError::WrongProject {
                token: "demo".to_owned(),
                asked: "other".to_owned()
            },
            "{api:?}"
        );
        let error = client
            .session("gAAAA-unknown".into(), "demo")
            .await
            .expect_err("unknown");
        assert!(error.is_token(), "{api:?}: {error}");
    }
}

#[tokio::test]
async fn every_form_of_the_address_finds_the_version_that_the_cloud_speaks() {
    for api in [IdentityApi::V3, IdentityApi::V2] {
        let cloud = FakeOpenStack::start(fake_openstack::FakeConfig {
            keystone: api,
            ..Default::default()
        })
        .await
        .expect("a free port");
        for end in ["", "/", "/v3", "/v3/", "/v2.0", "/v2.0/"] {
            let client = CloudClient::new(CloudConfig::new(format!("{}{end}", cloud.url())))
                .expect("a client");
            client
                .session(cloud.issue_token("demo").into(), "demo")
                .await
                .unwrap_or_else(|error| panic!("{api:?} {end}: {error}"));
        }
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused_without_asking() {
    let cloud = cloud().await;
    let error = client(&cloud, brisk())
        .session("a\r\nb".into(), "demo")
        .await
        .expect_err("no header");
    assert!(error.is_token(), "{error}");
    assert_eq!(cloud.count_of("keystone", "GET", "/auth/tokens"), 0);
}

#[tokio::test]
async fn a_token_of_no_project_is_told_apart() {
    let cloud = cloud().await;
    let error = client(&cloud, brisk())
        .session(cloud.issue_unscoped_token().into(), "demo")
        .await
        .expect_err("unscoped");
    assert_eq!(
        error,
        CloudError::Unscoped {
            asked: "demo".to_owned()
        }
    );
}

#[tokio::test]
async fn keystone_is_asked_once_for_many_requests() {
    let cloud = cloud().await;
    let client = client(&cloud, brisk());
    let token = cloud.issue_token("demo");
    let many = (0..100).map(|_| client.session(token.clone().into(), "demo"));
    for outcome in futures(many).await {
        outcome.expect("a session");
    }
    assert_eq!(cloud.count_of("keystone", "GET", "/auth/tokens"), 1);
}

async fn futures<T: Send + 'static>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut out = Vec::new();
    let mut pending: Vec<_> = all.map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        pending.retain_mut(|one| match one.as_mut().poll(cx) {
            std::task::Poll::Ready(done) => {
                out.push(done);
                false
            }
            std::task::Poll::Pending => true,
        });
        if pending.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    out
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_is_told_apart_and_asked_about_again() {
    let cloud = cloud().await;
    let client = client(&cloud, brisk());
    let token = cloud.issue_token("demo");
    let session = client
        .session(token.clone().into(), "demo")
        .await
        .expect("a session");
    cloud.expire_token(&token);
    client
        .session(token.clone().into(), "demo")
        .await
        .expect("believed for its time");
    let error = session.find_stack("one").await.expect_err("ended");
    assert_eq!(error, CloudError::InvalidToken { service: "heat" });
    let error = client
        .session(token.into(), "demo")
        .await
        .expect_err("no longer believed");
    assert_eq!(
        error,
        CloudError::InvalidToken {
            service: "keystone"
        }
    );
}

#[tokio::test]
async fn an_application_credential_is_refused_before_heat_is_asked_for_a_trust() {
    let cloud = cloud().await;
    let token = cloud.issue_application_credential_token("demo");
    let session = client(&cloud, brisk())
        .session(token.clone().into(), "demo")
        .await
        .expect("a session");
    assert!(session.application_credential());
    assert_eq!(
        session
            .create_stack(&stack("one"))
            .await
            .expect_err("no trust"),
        CloudError::NeedsTrust
    );
    assert_eq!(cloud.count("heat"), 0);
    assert!(
        session
            .find_stack("one")
            .await
            .expect("reading needs no trust")
            .is_none()
    );

    let allowed = CloudConfig {
        allow_application_credentials: true,
        limits: brisk(),
        ..CloudConfig::new(cloud.url())
    };
    let session = CloudClient::new(allowed)
        .expect("a client")
        .session(token.into(), "demo")
        .await
        .expect("a session");
    let error = session
        .create_stack(&stack("one"))
        .await
        .expect_err("this cloud does not allow it");
    assert!(
        matches!(error, CloudError::Fault { status: 500, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn the_command_line_logs_in_by_password_token_or_application_credential() {
    for api in [IdentityApi::V3, IdentityApi::V2] {
        let cloud = FakeOpenStack::start(fake_openstack::FakeConfig {
            keystone: api,
            ..Default::default()
        })
        .await
        .expect("a free port");
        let token = cloud.issue_token("demo");
        let good = format!(
            "auth: {{auth_url: {}, username: demo, password: {}, project_name: demo}}",
            cloud.url(),
            fake_openstack::PASSWORD
        );
        let by_token = format!(
            "auth_type: token\n    auth: {{auth_url: {}, token: {token}, project_name: demo}}",
            cloud.url()
        );
        for entry in [good.as_str(), &by_token] {
            let session = login(entry)
                .await
                .unwrap_or_else(|error| panic!("{api:?} {entry}: {error}"));
            assert!(
                session
                    .find_stack("one")
                    .await
                    .expect("an answer")
                    .is_none()
            );
        }
        let error = login(&good.replace(fake_openstack::PASSWORD, "wrong"))
            .await
            .expect_err("refused");
        assert!(
            matches!(error, CloudError::BadCredentials { .. })
                && !error.to_string().contains("wrong,"),
            "{api:?}: {error}"
        );
        let error = login(&good.replace("project_name: demo", "project_name: other"))
            .await
            .expect_err("refused");
        assert!(
            matches!(error, CloudError::BadCredentials { .. }),
            "{api:?}: {error}"
        );

        let credential = format!(
            "auth_type: v3applicationcredential\n    auth: {{auth_url: {}, application_credential_id: demo, application_credential_secret: {}}}",
            cloud.url(),
            fake_openstack::PASSWORD
        );
        match api {
            IdentityApi::V3 => assert!(
                login(&credential)
                    .await
                    .expect("a session")
                    .application_credential()
            ),
            IdentityApi::V2 => assert!(
                login(&credential)
                    .await
                    .expect_err("refused")
                    .to_string()
                    .contains("no application credentials")
            ),
        }
    }
}

async fn login(entry: &str) -> Result<stampede::openstack::CloudSession, CloudError> {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("clouds.yaml");
    std::fs::write(&file, format!("clouds:\n  one:\n    {entry}\n")).expect("write");
    let credentials = CloudCredentials::from_file(&file, "one")?;
    let config = CloudConfig {
        limits: brisk(),
        ..credentials.config().clone()
    };
    CloudClient::new(config)?.login(&credentials).await
}

#[tokio::test]
async fn a_catalog_without_heat_is_explained() {
    let cloud = cloud().await;
    cloud.edit(|fixtures| fixtures.without = vec!["orchestration"]);
    let error = session(&cloud)
        .await
        .find_stack("one")
        .await
        .expect_err("no Heat");
    let message = error.to_string();
    assert!(
        message.contains("no public endpoint of type `orchestration`")
            && message.contains("compute (public, RegionOne)"),
        "{message}"
    );

    let elsewhere = CloudConfig {
        region: Some("Two".to_owned()),
        interface: EndpointInterface::Admin,
        ..CloudConfig::new(cloud.url())
    };
    let session = CloudClient::new(elsewhere)
        .expect("a client")
        .session(cloud.issue_token("demo").into(), "demo")
        .await
        .expect("a session");
    let message = session
        .flavors()
        .await
        .expect_err("no such region")
        .to_string();
    assert!(
        message.contains("no admin endpoint of type `compute` in region `Two`"),
        "{message}"
    );
}

#[tokio::test]
async fn what_is_no_keystone_is_explained() {
    let cloud = cloud().await;
    let error = CloudClient::new(CloudConfig {
        limits: brisk(),
        ..CloudConfig::new(format!("{}/horizon", cloud.url()))
    })
    .expect("a client")
    .session("t".into(), "demo")
    .await
    .expect_err("no Keystone");
    assert!(error.to_string().contains("is no Keystone"), "{error}");
    cloud.fault(InjectedFault::of("keystone", u32::MAX, FaultKind::Html));
    let error = client(
        &cloud,
        ClientLimits {
            attempts: 1,
            ..brisk()
        },
    )
    .session("t".into(), "demo")
    .await
    .expect_err("a page for people");
    assert!(error.to_string().contains("is no Keystone"), "{error}");
}

#[tokio::test]
async fn a_404_that_is_not_keystones_does_not_say_that_a_token_is_bad() {
    let cloud = cloud().await;
    let client = client(&cloud, brisk());
    let token = cloud.issue_token("demo");
    cloud.fault(
        InjectedFault::of(
            "keystone",
            1,
            FaultKind::Proxy(404, "default backend - 404"),
        )
        .only("GET", "/v3/auth/tokens"),
    );
    let error = client
        .session(token.into(), "demo")
        .await
        .expect_err("nobody knows");
    assert!(
        matches!(error, CloudError::Misrouted { status: 404, .. }) && !error.is_token(),
        "{error}"
    );
}
