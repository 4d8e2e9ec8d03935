//! Entities in each rendering, with the recorded separators.

use crate::client::{OcciHost, S, category_line};

#[tokio::test]
async fn text_plain_begins_with_an_empty_line() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=\"p, q\", b=\"say \\\"hi\\\"\"")
        .await;
    for accept in ["Accept: text/plain", "Accept: */*", ""] {
        let answer = host
            .send(&format!("GET /orchestrator/default\n{accept}"), "")
            .await;
        let mut lines = answer.body.split('\n');
        assert_eq!(
            (answer.header("content-type"), lines.next()),
            (Some("text/plain"), Some(""))
        );
        assert!(lines.next().unwrap().starts_with(&format!(
            "Category: orchestrator; scheme=\"{S}\"; class=\"kind\"; rel="
        )));
        for mixin in ["framework#\"; class=\"mixin\"", "cluster#\"", "cluster#\""] {
            let line = lines.next().unwrap();
            assert!(
                line.starts_with("Category: ") && line.contains(mixin),
                "{line}"
            );
        }
        let link = format!("Link: </orchestrator/default?action=deploy>; rel=\"{S}deploy\"");
        assert_eq!(lines.next(), Some(link.as_str()));
        let rest: Vec<&str> = lines.collect();
        for line in [
            "a=\"p, q\"",
            "b=\"say %22hi%22\"",
            "occi.mcn.stack.state=\"uninitialized\"",
            "occi.mcn.stack.id=\"N/A\"",
        ] {
            assert!(
                rest.contains(&format!("X-OCCI-Attribute: {line}").as_str()),
                "{line} is not in {rest:?}"
            );
        }
        assert!(!answer.body.ends_with('\n'));
    }
}

#[tokio::test]
async fn text_occi_stands_in_headers() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    let answer = host
        .send("GET /orchestrator/default\nAccept: text/occi", "")
        .await;
    assert_eq!(
        (answer.body.as_str(), answer.header("content-type")),
        ("OK", Some("text/occi"))
    );
    assert_eq!(
        answer.header("link"),
        Some(format!("</orchestrator/default?action=deploy>; rel=\"{S}deploy\"").as_str())
    );
    let attributes = "a=\"1\", occi.core.id=\"/orchestrator/default\", occi.mcn.stack.id=\"N/A\", \
                      occi.mcn.stack.state=\"uninitialized\", stampede.state=\"requested\"";
    assert_eq!(answer.header("x-occi-attribute"), Some(attributes));
}

#[tokio::test]
async fn json_has_the_recorded_keys_and_can_be_sent_back() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    let answer = host
        .send(
            "GET /orchestrator/default\nAccept: application/occi+json",
            "",
        )
        .await;
    let json = answer.json();
    assert_eq!(
        json["actions"][0]["kind"],
        serde_json::json!({"scheme": S, "term": "deploy"})
    );
    assert_eq!(
        json["actions"][0]["link"],
        "/orchestrator/default?action=deploy"
    );
    assert_eq!(
        (&json["kind"]["term"], &json["kind"]["location"]),
        (&"orchestrator".into(), &"/orchestrator/".into())
    );
    assert_eq!(
        (&json["links"], &json["mixins"][0]["term"]),
        (&serde_json::json!([]), &"cluster".into())
    );

    let changed = answer.body.replace("\"a\": \"1\"", "\"a\": \"2\"");
    assert_ne!(changed, answer.body);
    let back = host
        .send(
            "POST /orchestrator/default\nContent-Type: application/occi+json",
            &changed,
        )
        .await;
    assert_eq!(back.status, 200, "{}", back.body);
    assert_eq!(host.fetch_attributes("default").await["a"], "2");

    let json = format!(
        "PUT /orchestrator/new\n{}\nAccept: application/occi+json",
        category_line("orchestrator")
    );
    let created = host.send(&json, "").await;
    assert_eq!(
        (
            created.status,
            &created.json()["attributes"]["occi.mcn.stack.state"]
        ),
        (201, &"uninitialized".into())
    );
}

#[tokio::test]
async fn the_second_put_shows_what_is_there_and_changes_nothing() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    let again = host
        .send(
            &format!(
                "PUT /orchestrator/default\n{}\nX-OCCI-Attribute: a=2",
                category_line("orchestrator")
            ),
            "",
        )
        .await;
    assert_eq!(again.status, 200);
    assert!(
        again.body.contains("X-OCCI-Attribute: a=\"1\""),
        "{}",
        again.body
    );
}

#[tokio::test]
async fn urls_name_the_host_as_the_client_does() {
    let host = OcciHost::start().await;
    let named = host
        .send(
            &format!(
                "PUT /orchestrator/a\nHost: so.example.org\n{}",
                category_line("orchestrator")
            ),
            "",
        )
        .await;
    assert_eq!(
        named.header("location"),
        Some("http://so.example.org/orchestrator/a")
    );
    let auth = "X-Auth-Token: token-demo\r\nX-Tenant-Name: demo";
    let raw = format!(
        "PUT /orchestrator/b HTTP/1.0\r\n{auth}\r\n{}\r\n\r\n",
        category_line("orchestrator")
    );
    let unnamed = host.send_bytes(raw.as_bytes()).await;
    assert_eq!(
        (unnamed.status, unnamed.header("location")),
        (
            201,
            Some(format!("http://{}/orchestrator/b", host.api).as_str())
        )
    );
}
