//! The response cache: a response is sent again while nothing has changed, and never to another
//! project or after a change.

use std::sync::atomic::Ordering;

use crate::client::{OcciHost, RawResponse, category_line};

const RENDERINGS: [&str; 4] = [
    "text/occi",
    "text/plain",
    "application/occi+json",
    "text/html",
];

/// GET of `default` in that rendering, without the Date header, which changes with time.
async fn get(host: &OcciHost, accept: &str) -> RawResponse {
    let mut answer = host
        .send(&format!("GET /orchestrator/default\nAccept: {accept}"), "")
        .await;
    answer.headers.retain(|(name, _)| name != "date");
    answer
}

/// How often a view was made.
fn views(host: &OcciHost) -> usize {
    host.memory.views.load(Ordering::SeqCst)
}

#[tokio::test]
async fn the_same_is_rendered_once_in_each_rendering() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "my.own=value").await;
    for (number, accept) in RENDERINGS.into_iter().enumerate() {
        let first = get(&host, accept).await;
        assert_eq!(
            (
                first.status,
                first
                    .header("content-type")
                    .map(|kind| kind.starts_with(accept))
            ),
            (200, Some(true))
        );
        assert_eq!(get(&host, accept).await, first, "byte for byte");
        let head = host
            .send(&format!("HEAD /orchestrator/default\nAccept: {accept}"), "")
            .await;
        assert_eq!(
            (
                head.status,
                head.body.as_str(),
                head.header("content-length")
            ),
            (200, "", first.header("content-length"))
        );
        assert_eq!(views(&host), number + 1, "{accept}");
    }
}

#[tokio::test]
async fn every_change_shows_at_once() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "my.own=value").await;
    for accept in RENDERINGS {
        let shows = async |text: &str| {
            let answer = get(&host, accept).await;
            format!(
                "{} {}",
                answer.joined_header("x-occi-attribute") + &answer.joined_header("category"),
                answer.body
            )
            .contains(text)
        };
        assert!(shows("my.own").await);
        let updated = format!("updated-{}", accept.len());
        let post = format!(
            "POST /orchestrator/default\n{}\nX-OCCI-Attribute: {updated}=1",
            category_line("orchestrator")
        );
        assert!(!shows(&updated).await);
        assert_eq!(host.send(&post, "").await.status, 200);
        assert!(shows(&updated).await, "{accept}: an update");
        let observed = format!("OBSERVED_{}", accept.len());
        host.memory
            .change("default", |view| view.stack_status = Some(observed.clone()));
        assert!(shows(&observed).await, "{accept}: an observation");
        let mixin = "Category: mymix; scheme=\"http://example.org/m#\"";
        assert_eq!(
            host.send(
                &format!("POST /-/\n{mixin}; class=\"mixin\"; location=\"/mymix/\""),
                ""
            )
            .await
            .status,
            200
        );
        assert!(!shows("mymix").await);
        assert_eq!(
            host.send("POST /mymix/\nX-OCCI-Location: /orchestrator/default", "")
                .await
                .status,
            200
        );
        assert!(shows("mymix").await, "{accept}: a mixin");
        assert_eq!(
            host.send(&format!("DELETE /-/\n{mixin}"), "").await.status,
            200
        );
        assert!(!shows("mymix").await, "{accept}: no mixin any more");
        assert_eq!(
            host.send("DELETE /orchestrator/default", "").await.status,
            200
        );
        assert_eq!(get(&host, accept).await.status, 404);
        host.put_cluster("default", "my.own=value").await;
        assert!(
            !shows(&updated).await,
            "{accept}: a new cluster of the same name"
        );
    }
}

#[tokio::test]
async fn nobody_is_shown_anothers() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "my.secret=1").await;
    for accept in RENDERINGS {
        assert_eq!(get(&host, accept).await.status, 200);
        let ask = format!("GET /orchestrator/default\nAccept: {accept}");
        assert_eq!(host.send_as("other", &ask, "").await.status, 404);
        for (credentials, status) in [
            ("", 403),
            ("X-Auth-Token: bad\r\nX-Tenant-Name: demo\r\n", 401),
            ("X-Auth-Token: token-other\r\nX-Tenant-Name: demo\r\n", 403),
        ] {
            let raw = format!(
                "GET /orchestrator/default HTTP/1.1\r\nHost: h\r\nAccept: {accept}\r\n{credentials}Connection: close\r\n\r\n"
            );
            let answer = host.send_bytes(raw.as_bytes()).await;
            assert_eq!(answer.status, status, "{accept} {credentials}");
            assert!(!format!("{answer:?}").contains("my.secret"));
        }
    }
    let put = format!(
        "PUT /orchestrator/default\n{}",
        category_line("orchestrator")
    );
    assert_eq!(host.send_as("other", &put, "").await.status, 201);
    for accept in RENDERINGS {
        let others = host
            .send_as(
                "other",
                &format!("GET /orchestrator/default\nAccept: {accept}"),
                "",
            )
            .await;
        assert!(
            others.status == 200 && !format!("{others:?}").contains("my.secret"),
            "{accept}"
        );
        assert!(
            format!("{:?}", get(&host, accept).await).contains("my.secret"),
            "{accept}"
        );
    }
}

#[tokio::test]
async fn clients_that_know_the_service_by_another_address_are_shown_that() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    for name in ["one.example.org", "two.example.org:8080", "one.example.org"] {
        let answer = host
            .send(&format!("GET /orchestrator/default\nHost: {name}"), "")
            .await;
        assert!(
            answer
                .body
                .contains(&format!("location=\"http://{name}/orchestrator/\"")),
            "{}",
            answer.body
        );
    }
    assert_eq!(views(&host), 2);
}

#[tokio::test]
async fn a_request_with_an_unknown_category_is_refused_also_where_its_answer_is_there() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    assert_eq!(get(&host, "text/plain").await.status, 200);
    let kind = host
        .send(
            &format!(
                "GET /orchestrator/default\n{}",
                category_line("orchestrator")
            ),
            "",
        )
        .await;
    assert_eq!(kind.status, 200);
    let unknown = host
        .send(
            "GET /orchestrator/default\nCategory: nosuch; scheme=\"http://example.org/m#\"",
            "",
        )
        .await;
    assert!((400..500).contains(&unknown.status), "{}", unknown.status);
    let malformed = host
        .send("GET /orchestrator/default\nX-OCCI-Attribute: oops", "")
        .await;
    assert_eq!(malformed.status, 400);
}
