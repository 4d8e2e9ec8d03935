//! User-defined mixins: definition, members, filters and removal.

use crate::client::{OcciHost, RawResponse, S, category_line};

const MIXIN: &str =
    "Category: mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"/mymix/\"";
const NAMED: &str = "Category: mymix; scheme=\"http://example.org/m#\"";

/// A host with the clusters a, b and c and the mixin.
async fn host() -> OcciHost {
    let host = OcciHost::start().await;
    for name in ["a", "b", "c"] {
        host.put_cluster(name, "x=1").await;
    }
    let defined = host.send(&format!("POST /-/\n{MIXIN}"), "").await;
    let line = format!(
        "mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"http://{}/mymix/\"",
        host.api
    );
    assert_eq!(
        (defined.status, defined.body),
        (200, format!("\nCategory: {line}")),
        "as recorded"
    );
    host
}

/// The names at a location.
async fn at(host: &OcciHost, path: &str) -> String {
    let answer = host
        .send(&format!("GET {path}\nAccept: text/uri-list"), "")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
        .body
        .lines()
        .skip(1)
        .filter_map(|url| url.rsplit('/').next())
        .collect()
}

async fn tag(host: &OcciHost, verb: &str, locations: &str) -> RawResponse {
    host.send(&format!("{verb} /mymix/\nX-OCCI-Location: {locations}"), "")
        .await
}

#[tokio::test]
async fn clusters_get_it_and_lose_it() {
    let host = host().await;
    assert_eq!(at(&host, "/mymix/").await, "");
    let whole = format!("http://{}/orchestrator/b", host.api);
    assert_eq!(
        tag(&host, "POST", &format!("/orchestrator/a, {whole}"))
            .await
            .status,
        200
    );
    assert_eq!(at(&host, "/mymix/").await, "ab");
    assert_eq!(
        tag(&host, "PUT", "/orchestrator/b, /orchestrator/c")
            .await
            .status,
        200
    );
    assert_eq!(at(&host, "/mymix/").await, "bc");
    assert_eq!(tag(&host, "DELETE", "/orchestrator/c").await.status, 200);
    assert_eq!(at(&host, "/mymix/").await, "b");
    for (verb, locations, status) in [
        ("POST", "/orchestrator/a, /orchestrator/nosuch", 404),
        ("POST", "http://elsewhere/orchestrator/a", 404),
        ("POST", "/mymix/", 404),
        ("POST", "", 400),
        ("DELETE", "", 400),
    ] {
        assert_eq!(
            tag(&host, verb, locations).await.status,
            status,
            "{verb} {locations}"
        );
        assert_eq!(
            at(&host, "/mymix/").await,
            "b",
            "a refused request changes nothing"
        );
    }
    assert_eq!(
        host.send(
            "PUT /mymix/\nContent-Type: text/uri-list",
            "# some\n/orchestrator/a\n/orchestrator/c\n"
        )
        .await
        .status,
        200
    );
    assert_eq!(at(&host, "/mymix/").await, "ac");
    assert_eq!(
        host.send("POST /mymix/?action=deploy", "").await.status,
        200
    );
    let states = ["a", "b", "c"].map(|name| host.fetch_attributes(name));
    let states = futures_util::future::join_all(states).await;
    let states: Vec<&str> = states
        .iter()
        .map(|attributes| attributes["occi.mcn.stack.state"].as_str().unwrap())
        .collect();
    assert_eq!(
        states,
        ["CREATE_IN_PROGRESS", "uninitialized", "CREATE_IN_PROGRESS"]
    );
    host.send("DELETE /orchestrator/a", "").await;
    host.put_cluster("a", "x=1").await;
    assert_eq!(
        at(&host, "/mymix/").await,
        "c",
        "a new cluster of an old name is another one"
    );
}

#[tokio::test]
async fn every_rendering_shows_it() {
    let host = host().await;
    tag(&host, "POST", "/orchestrator/a").await;
    let line = format!(
        "mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"http://{}/mymix/\"",
        host.api
    );
    let get = |path: &'static str, accept: &'static str| {
        let host = &host;
        async move {
            host.send(&format!("GET {path}\nAccept: {accept}"), "")
                .await
        }
    };
    for path in ["/-/", "/orchestrator/a"] {
        assert!(
            get(path, "text/plain")
                .await
                .body
                .contains(&format!("\nCategory: {line}")),
            "{path}"
        );
        assert!(
            get(path, "text/occi")
                .await
                .joined_header("category")
                .ends_with(&line),
            "{path}"
        );
        assert!(
            get(path, "text/html").await.body.contains("mymix"),
            "{path}"
        );
    }
    assert_eq!(
        get("/orchestrator/a", "application/occi+json").await.json()["mixins"][0]["location"],
        "/mymix/"
    );
    let others = get("/orchestrator/b", "application/occi+json").await.body;
    assert!(!others.contains("mymix"), "{others}");
    let only = host.send(&format!("GET /-/\n{NAMED}"), "").await;
    assert_eq!(only.body, format!("\nCategory: {line}"));
    let filtered = host
        .send(
            &format!("GET /orchestrator/\nAccept: text/uri-list\n{NAMED}"),
            "",
        )
        .await;
    assert!(
        filtered.body.ends_with("/orchestrator/a") && filtered.body.lines().count() == 2,
        "{}",
        filtered.body
    );
}

#[tokio::test]
async fn a_request_for_a_cluster_may_name_it() {
    let host = host().await;
    assert_eq!(
        host.send(
            &format!(
                "PUT /orchestrator/d\n{}\n{NAMED}",
                category_line("orchestrator")
            ),
            ""
        )
        .await
        .status,
        201
    );
    assert_eq!(
        host.send(&format!("POST /orchestrator/b\n{NAMED}"), "")
            .await
            .status,
        200
    );
    let json =
        format!(r#"{{"kind": "{S}orchestrator", "mixins": ["http://example.org/m#mymix"]}}"#);
    let created = host.send("PUT /orchestrator/e\nContent-Type: application/occi+json\nAccept: application/occi+json", &json).await;
    assert_eq!(
        (created.status, &created.json()["mixins"][0]["term"]),
        (201, &"mymix".into())
    );
    assert_eq!(at(&host, "/mymix/").await, "bde");
}

/// A category of ours that no client defines.
const FRAMEWORK: &str = "Category: hadoop; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"";

#[tokio::test]
async fn it_is_defined_once_and_deleted_with_all_its_tags_but_no_cluster() {
    let host = host().await;
    tag(&host, "POST", "/orchestrator/a").await;
    for (verb, text, status) in [
        ("POST", MIXIN.replace("mymix;", "other;"), 409),
        ("POST", NAMED.to_owned(), 400),
        ("POST", String::new(), 400),
        ("DELETE", String::new(), 400),
        (
            "POST",
            "Category: a; scheme=\"s#\"; class=\"mixin\", b; scheme=\"s#\"".to_owned(),
            400,
        ),
        (
            "POST",
            format!("{}; class=\"mixin\"", category_line("orchestrator")),
            403,
        ),
        ("POST", FRAMEWORK.to_owned(), 403),
        ("DELETE", FRAMEWORK.to_owned(), 403),
        ("DELETE", category_line("deploy"), 403),
        (
            "DELETE",
            "Category: nosuch; scheme=\"http://example.org/m#\"".to_owned(),
            400,
        ),
    ] {
        assert_eq!(
            host.send(&format!("{verb} /-/\n{text}"), "").await.status,
            status,
            "{verb} {text}"
        );
    }
    assert_eq!(
        host.send("GET /a/", "").await.status,
        404,
        "of several, none is kept when one is wrong"
    );
    assert_eq!(
        host.send(&format!("DELETE /-/\n{NAMED}"), "").await.status,
        200
    );
    assert_eq!(host.send("GET /mymix/", "").await.status, 404);
    assert_eq!(
        host.send(
            &format!(
                "PUT /orchestrator/z\n{}\n{NAMED}",
                category_line("orchestrator")
            ),
            ""
        )
        .await
        .status,
        400
    );
    assert_eq!(host.memory.names(), ["a", "b", "c"]);
    let json = r#"{"mixins": [{"term": "j", "scheme": "s#", "title": "J"}]}"#;
    assert_eq!(
        host.send("POST /-/\nContent-Type: application/occi+json", json)
            .await
            .status,
        200
    );
    assert_eq!(at(&host, "/j/").await, "");
}

#[tokio::test]
async fn another_project_neither_sees_nor_changes_it() {
    let host = host().await;
    tag(&host, "POST", "/orchestrator/a").await;
    for head in [
        "GET /mymix/".to_owned(),
        "POST /mymix/\nX-OCCI-Location: /orchestrator/a".to_owned(),
        "PUT /mymix/".to_owned(),
        "DELETE /mymix/\nX-OCCI-Location: /orchestrator/a".to_owned(),
    ] {
        assert_eq!(host.send_as("other", &head, "").await.status, 404, "{head}");
    }
    assert_eq!(
        host.send_as("other", &format!("DELETE /-/\n{NAMED}"), "")
            .await
            .status,
        400
    );
    assert!(
        !host
            .send_as("other", "GET /-/", "")
            .await
            .body
            .contains("mymix")
    );
    assert_eq!(
        host.send_as("other", &format!("POST /-/\n{MIXIN}"), "")
            .await
            .status,
        200,
        "it may have its own"
    );
    let foreign = host
        .send_as(
            "other",
            "POST /mymix/\nX-OCCI-Location: /orchestrator/a",
            "",
        )
        .await;
    assert_eq!(
        (foreign.status, foreign.body.as_str()),
        (404, "Resource not found: '/orchestrator/a'")
    );
    host.send_as("other", &format!("DELETE /-/\n{NAMED}"), "")
        .await;
    assert_eq!(at(&host, "/mymix/").await, "a");
}
