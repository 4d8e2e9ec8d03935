//! Requests that fail: their statuses and bodies, and that such a request changes nothing.

use std::sync::atomic::Ordering;

use crate::client::{OcciHost, RawResponse, category_line};

#[tokio::test]
async fn a_request_without_its_headers_is_refused_in_the_recorded_words() {
    let host = OcciHost::start().await;
    for (headers, status, text) in [
        ("", 403, "X-Auth-Token required..."),
        ("X-Tenant-Name: demo\r\n", 403, "X-Auth-Token required..."),
        (
            "X-Auth-Token: token-demo\r\n",
            403,
            "X-Tenant-Name required...",
        ),
        (
            "X-Auth-Token: bad\r\nX-Tenant-Name: demo\r\n",
            401,
            "the token is unknown or has expired",
        ),
        (
            "X-Auth-Token: \r\nX-Tenant-Name: demo\r\n",
            401,
            "the token is unknown or has expired",
        ),
        (
            "X-Auth-Token: token-other\r\nX-Tenant-Name: demo\r\n",
            403,
            "the token is not for project `demo`",
        ),
    ] {
        for path in ["/-/", "/orchestrator/", "/orchestrator/default"] {
            let raw =
                format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
            let answer = host.send_bytes(raw.as_bytes()).await;
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (status, text),
                "{path} {headers}"
            );
        }
    }
    let root = host
        .send_bytes(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(root.status, 200);
}

#[tokio::test]
async fn a_refused_put_creates_nothing() {
    let host = OcciHost::start().await;
    let kind = category_line("orchestrator");
    let put = |lines: String| {
        let host = &host;
        async move {
            host.send(&format!("PUT /orchestrator/default\n{lines}"), "")
                .await
        }
    };
    for (lines, status, text) in [
        (String::new(), 400, "Could not find a valid kind."),
        (category_line("deploy"), 400, "Could not find a valid kind."),
        (
            category_line("nosuch"),
            400,
            "The following category is not registered within this service (See Query interfaces): http",
        ),
        (
            "Category: orchestrator".to_owned(),
            400,
            "header Category: character 13: found the end, expected",
        ),
        (
            format!("{kind}\nX-OCCI-Attribute: oops"),
            400,
            "header X-OCCI-Attribute: character 1: found 'o', expected name=value",
        ),
        (
            format!("{kind}\nX-OCCI-Attribute: a=\"x"),
            400,
            "header X-OCCI-Attribute: character 3",
        ),
        (
            format!("{kind}\nAccept: image/png"),
            406,
            "none of the media types in Accept is spoken here",
        ),
        (
            format!("{kind}\nAccept: text/uri-list"),
            406,
            "none of the media types",
        ),
        (
            format!("{kind}\nAccept: text/plain;q=0"),
            406,
            "none of the media types",
        ),
        (format!("{kind}\nHost: a\"b"), 400, "header Host"),
    ] {
        let answer = put(lines.clone()).await;
        assert_eq!(answer.status, status, "{lines}");
        assert!(answer.body.starts_with(text), "{lines}: {}", answer.body);
    }
    let wrong_name = host
        .send(&format!("PUT /orchestrator/9lives\n{kind}"), "")
        .await;
    assert_eq!(
        (wrong_name.status, wrong_name.body.as_str()),
        (400, "name: must begin with a letter")
    );
    assert_eq!(host.memory.names(), Vec::<String>::new());
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let host = OcciHost::start().await;
    for path in [
        "/nosuch",
        "/nosuch/",
        "/foo/bar",
        "/orchestrator",
        "/orchestrator/a/b",
    ] {
        let answer = host.send(&format!("GET {path}"), "").await;
        assert_eq!(
            (answer.status, answer.body),
            (404, format!("Resource not found: '{path}'"))
        );
    }
    for (path, allowed) in [
        ("/", "GET, HEAD"),
        ("/-/", "GET, HEAD, POST, DELETE"),
        ("/orchestrator/", "GET, HEAD, POST, DELETE"),
        ("/orchestrator/default", "GET, HEAD, PUT, POST, DELETE"),
    ] {
        for method in ["OPTIONS", "PATCH", "TRACE", "FOO"] {
            let answer = host.send(&format!("{method} {path}"), "").await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some(allowed)),
                "{method} {path}"
            );
        }
    }
    assert_eq!(host.send("PUT /-/", "").await.status, 405);
}

#[tokio::test]
async fn another_projects_cluster_is_not_there_by_any_verb() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "mine=1").await;
    let theirs = |head: String| {
        let host = &host;
        async move { host.send_as("other", &head, "").await }
    };
    for head in [
        "GET /orchestrator/default".to_owned(),
        "GET /orchestrator/default\nAccept: application/occi+json".to_owned(),
        "POST /orchestrator/default\nX-OCCI-Attribute: mine=2".to_owned(),
        "POST /orchestrator/default?action=deploy".to_owned(),
        "DELETE /orchestrator/default".to_owned(),
    ] {
        assert_eq!(theirs(head.clone()).await.status, 404, "{head}");
    }
    assert_eq!(
        theirs("GET /orchestrator/\nAccept: application/occi+json".to_owned())
            .await
            .body,
        "[]"
    );
    assert_eq!(theirs("DELETE /orchestrator/".to_owned()).await.status, 200);
    assert_eq!(host.fetch_attributes("default").await["mine"], "1");
    // The same name in two projects is two clusters.
    assert_eq!(
        theirs(format!(
            "PUT /orchestrator/default\n{}",
            category_line("orchestrator")
        ))
        .await
        .status,
        201
    );
}

#[tokio::test]
async fn the_administration_port_answers_as_recorded() {
    let host = OcciHost::start().await;
    let get = |path: &'static str| {
        let admin = host.admin;
        async move {
            let mut stream = tokio::net::TcpStream::connect(admin).await.unwrap();
            let raw = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, raw.as_bytes())
                .await
                .unwrap();
            RawResponse::read_to_end(&mut stream).await
        }
    };
    assert_eq!(
        (get("/").await.status, get("/").await.body),
        (200, String::new())
    );
    assert_eq!(
        get("/self").await.json()["so_name"],
        "soorch0123456789abcdef"
    );
    assert_eq!(
        (get("/health").await.status, get("/ready").await.status),
        (200, 200)
    );
    host.send("GET /nosuch", "").await;
    assert!(
        get("/metrics")
            .await
            .body
            .contains("stampede_answers_total{status=\"4xx\"} 1\n")
    );
}

#[tokio::test]
async fn what_there_is_to_ask_for_is_told_though_heat_lists_nothing() {
    let host = OcciHost::start().await;
    host.memory.is_away.store(true, Ordering::Relaxed);
    assert_eq!(host.send("GET /orchestrator/", "").await.status, 502);
    let answer = host.send("GET /-/", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("stampede.workers"), "{}", answer.body);
}
