//! Keystones whose version documents do not show, and logins that lack a second factor: small
//! servers that answer what the fake OpenStack does not.

use std::sync::Arc;

use axum::{
    Router,
    http::{Method, StatusCode, Uri, header::LOCATION},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use stampede::openstack::{ClientLimits, CloudClient, CloudConfig, CloudCredentials, CloudError};

use super::brisk;

type Answers = Arc<dyn Fn(&Method, &str) -> Response + Send + Sync>;

/// A server that answers so by method and path; its address.
async fn server(answers: Answers) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let app = Router::new().fallback(move |method: Method, uri: Uri| {
        let answers = Arc::clone(&answers);
        async move { answers(&method, uri.path()) }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn status(code: u16) -> Response {
    let code = StatusCode::from_u16(code).expect("a status");
    (code, "<html>somebody else's page</html>").into_response()
}

fn redirect(to: &'static str) -> Response {
    (StatusCode::FOUND, [(LOCATION, to)]).into_response()
}

fn document() -> Response {
    let version = json!({"version": {"id": "v3.14", "status": "stable"}});
    (StatusCode::OK, version.to_string()).into_response()
}

fn token() -> Value {
    let project = json!({"id": "p1", "name": "demo"});
    json!({"token": {"methods": ["password"], "user": {"id": "u1", "name": "u"}, "project": project, "catalog": []}})
}

/// A Keystone of v3 whose documents answer so: by the path without slashes at its end.
async fn keystone(answers: impl Fn(&str) -> Response + Send + Sync + 'static) -> String {
    server(Arc::new(move |method, path| {
        let path = path.trim_end_matches('/');
        if path.ends_with("/v3/auth/tokens") {
            let code = if method == Method::POST { 201 } else { 200 };
            let code = StatusCode::from_u16(code).expect("a status");
            return (code, [("x-subject-token", "t")], token().to_string()).into_response();
        }
        answers(path)
    }))
    .await
}

async fn login(url: &str, limits: ClientLimits) -> Result<(), CloudError> {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("clouds.yaml");
    let auth = format!("{{auth_url: '{url}', username: u, password: p, project_name: demo}}");
    std::fs::write(&file, format!("clouds: {{one: {{auth: {auth}}}}}")).expect("write");
    let credentials = CloudCredentials::from_file(&file, "one")?;
    let config = CloudConfig {
        limits: limits.clone(),
        ..credentials.config().clone()
    };
    CloudClient::new(config)?.login(&credentials).await?;
    // The service's way: the same address, with a client's token.
    let config = CloudConfig {
        limits,
        ..CloudConfig::new(url)
    };
    let client = CloudClient::new(config)?;
    client.session("t".into(), "demo").await.map(|_| ())
}

#[tokio::test]
async fn the_version_in_the_address_is_used_where_discovery_tells_nothing() {
    for (place, code) in [
        ("everywhere", 404),
        ("everywhere", 300),
        ("everywhere", 401),
        ("everywhere", 400),
        ("everywhere", 500),
        ("everywhere", 503),
        ("root", 404),
        ("root", 503),
        ("root", 200),
    ] {
        let url = keystone(move |path| match path {
            "/v3" | "/identity/v3" if place == "root" => document(),
            _ => status(code),
        })
        .await;
        for end in ["/v3", "/v3/", "/identity/v3"] {
            login(&format!("{url}{end}"), brisk())
                .await
                .unwrap_or_else(|error| panic!("{code} {place} {end}: {error}"));
        }
    }
    let url = keystone(|_| redirect("/dashboard/")).await;
    login(&format!("{url}/v3"), brisk())
        .await
        .expect("a redirect tells nothing");
}

#[tokio::test]
async fn without_a_version_in_the_address_those_that_tell_are_found() {
    for root in [404, 503, 500, 401, 200] {
        let url = keystone(move |path| match path {
            "/v3" => document(),
            _ => status(root),
        })
        .await;
        login(&url, brisk())
            .await
            .unwrap_or_else(|error| panic!("{root}: {error}"));
    }
    let url = keystone(|path| match path {
        "/v3" => document(),
        _ => redirect("/dashboard/"),
    })
    .await;
    login(&url, brisk())
        .await
        .expect("Horizon stands at the root");
}

#[tokio::test]
async fn what_tells_nothing_anywhere_is_named_for_what_it_is() {
    let limits = || ClientLimits {
        attempts: 1,
        ..brisk()
    };
    let url = keystone(|_| status(404)).await;
    let error = login(&url, limits())
        .await
        .expect_err("no version anywhere");
    assert!(error.to_string().contains("is no Keystone"), "{error}");
    let url = keystone(|_| status(503)).await;
    let error = login(&url, limits()).await.expect_err("it is down");
    assert!(matches!(error, CloudError::Overloaded { .. }), "{error}");
    let url = keystone(|_| redirect("https://keystone.example/")).await;
    let error = login(&url, limits()).await.expect_err("it is elsewhere");
    assert!(
        error.to_string().contains("https://keystone.example/"),
        "{error}"
    );
}

#[tokio::test]
async fn a_second_factor_is_told_in_words() {
    let url = server(Arc::new(|_, path| {
        if !path.ends_with("/auth/tokens") {
            return document();
        }
        let receipt = json!({"methods": ["password"], "expires_at": "2026-11-25T12:00:00Z"});
        let body = json!({"receipt": receipt, "required_auth_methods": [["password", "totp"]]});
        let headers = [("openstack-auth-receipt", "r1")];
        (StatusCode::UNAUTHORIZED, headers, body.to_string()).into_response()
    }))
    .await;
    let error = login(&format!("{url}/v3"), brisk())
        .await
        .expect_err("not enough");
    let text = error.to_string();
    assert!(
        text.contains("(totp)") && text.contains("OS_AUTH_TYPE=token") && !text.contains("refuses"),
        "{text}"
    );
}
