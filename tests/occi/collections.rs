//! Collections and the query interface.

use crate::client::{OcciHost, S, category_line};

#[tokio::test]
async fn each_rendering_lists_the_entities() {
    let host = OcciHost::start().await;
    let list = |accept: &'static str| {
        let host = &host;
        async move {
            host.send(&format!("GET /orchestrator/\nAccept: {accept}"), "")
                .await
        }
    };
    assert_eq!(list("text/occi").await.header("x-occi-location"), None);
    assert_eq!(list("*/*").await.body, "");
    assert_eq!(list("text/uri-list").await.body, "# uri:/orchestrator/");
    assert_eq!(list("application/occi+json").await.body, "[]");

    host.put_cluster("a", "x=1").await;
    host.put_cluster("b", "x=2").await;
    let (a, b) = (
        format!("http://{}/orchestrator/a", host.api),
        format!("http://{}/orchestrator/b", host.api),
    );
    let occi = list("text/occi").await;
    assert_eq!(
        (occi.header("x-occi-location"), occi.body.as_str()),
        (Some(format!("{a}, {b}").as_str()), "OK")
    );
    assert_eq!(
        list("*/*").await.body,
        format!("\nX-OCCI-Location: {a}\nX-OCCI-Location: {b}")
    );
    assert_eq!(
        list("text/uri-list").await.body,
        format!("# uri:/orchestrator/\n{a}\n{b}")
    );
    let json = list("application/occi+json").await.json();
    assert_eq!(
        (json.as_array().unwrap().len(), &json[0]["attributes"]["x"]),
        (2, &"1".into())
    );
}

#[tokio::test]
async fn filters_leave_what_they_name() {
    let host = OcciHost::start().await;
    host.put_cluster("a", "x=1, stampede.framework=hadoop")
        .await;
    host.put_cluster("b", "x=2, stampede.framework=\"spark,hadoop\"")
        .await;
    host.put_cluster("c", "x=2").await;
    host.send("POST /orchestrator/c?action=deploy", "").await;
    for (filter, left) in [
        ("X-OCCI-Attribute: x=2", "bc"),
        ("X-OCCI-Attribute: x=3", ""),
        (
            "X-OCCI-Attribute: occi.mcn.stack.state=CREATE_IN_PROGRESS",
            "c",
        ),
        (category_line("orchestrator").as_str(), "abc"),
        (category_line("provision").as_str(), "c"),
        (
            "Category: hadoop; scheme=\"urn:x-stampede:framework#\"",
            "ab",
        ),
    ] {
        let answer = host
            .send(
                &format!("GET /orchestrator/\nAccept: text/uri-list\n{filter}"),
                "",
            )
            .await;
        let names: String = answer
            .body
            .lines()
            .skip(1)
            .filter_map(|url| url.rsplit('/').next())
            .collect();
        assert_eq!(names, left, "{filter}");
    }
}

#[tokio::test]
async fn a_post_to_the_collection_makes_one_with_a_name_of_ours() {
    let host = OcciHost::start().await;
    let answer = host
        .send(
            &format!(
                "POST /orchestrator/\n{}\nX-OCCI-Attribute: x=1",
                category_line("orchestrator")
            ),
            "",
        )
        .await;
    assert_eq!((answer.status, answer.body.as_str()), (201, "OK"));
    let names = host.memory.names();
    assert_eq!(names.len(), 1);
    assert!(
        uuid::Uuid::parse_str(&names[0]).is_ok()
            && names[0].starts_with(|c: char| c.is_ascii_lowercase()),
        "{names:?}"
    );
    assert_eq!(
        answer.header("location"),
        Some(format!("http://{}/orchestrator/{}", host.api, names[0]).as_str())
    );
    assert_eq!(host.send("POST /orchestrator/", "").await.status, 400);
}

#[tokio::test]
async fn actions_and_delete_reach_all_of_the_project() {
    let host = OcciHost::start().await;
    host.put_cluster("a", "x=1").await;
    host.put_cluster("b", "x=1").await;
    host.send_as(
        "other",
        &format!(
            "PUT /orchestrator/theirs\n{}",
            category_line("orchestrator")
        ),
        "",
    )
    .await;
    assert_eq!(
        host.send("POST /orchestrator/?action=deploy", "")
            .await
            .status,
        200
    );
    for name in ["a", "b"] {
        assert_eq!(
            host.fetch_attributes(name).await["occi.mcn.stack.state"],
            "CREATE_IN_PROGRESS"
        );
    }
    let again = host.send("POST /orchestrator/?action=deploy", "").await;
    assert_eq!(
        (again.status, again.body.starts_with("Not applicable atm.")),
        (400, true)
    );
    assert_eq!(host.send("DELETE /orchestrator/", "").await.status, 200);
    assert_eq!(host.memory.names(), Vec::<String>::new());
    let theirs = host
        .send_as(
            "other",
            "GET /orchestrator/theirs\nAccept: application/occi+json",
            "",
        )
        .await;
    assert_eq!(
        theirs.json()["attributes"]["occi.mcn.stack.state"],
        "uninitialized"
    );
}

#[tokio::test]
async fn the_query_interface_lists_kind_actions_and_frameworks() {
    let host = OcciHost::start().await;
    for path in ["/-/", "/.well-known/org/ogf/occi/-/"] {
        let answer = host
            .send(&format!("GET {path}\nAccept: text/occi"), "")
            .await;
        let kind = format!(
            "orchestrator; scheme=\"{S}\"; class=\"kind\"; rel=\"http://schemas.ogf.org/occi/core#resource\"; \
             location=\"http://{}/orchestrator/\"; attributes=\"occi.mcn.stack.state{{immutable}} occi.mcn.stack.id{{immutable}}\"; \
             actions=\"{S}deploy {S}provision\", provision; scheme=\"{S}\"; class=\"action\", deploy; scheme=\"{S}\"; class=\"action\"",
            host.api
        );
        assert!(
            answer.joined_header("category").starts_with(&kind),
            "{answer:?}"
        );
        assert!(
            answer
                .joined_header("category")
                .contains("hadoop; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"")
        );
        assert_eq!(answer.body, "OK");
    }
    let json = host
        .send("GET /-/\nAccept: application/occi+json", "")
        .await
        .json();
    assert_eq!(json[0]["attributes"]["occi.mcn.stack.id"], "immutable");
    assert_eq!(
        (&json[1]["term"], &json[2]["term"]),
        (&"provision".into(), &"deploy".into())
    );
    let mixin = |term: &str| {
        json.as_array()
            .unwrap()
            .iter()
            .find(|found| found["term"] == term)
            .cloned()
            .unwrap()
    };
    assert!(mixin("hadoop")["attributes"]["stampede.hadoop.replication"].is_string());
    assert!(mixin("cluster")["attributes"]["stampede.workers"].is_string());

    let only = host
        .send(&format!("GET /-/\n{}", category_line("deploy")), "")
        .await;
    assert_eq!(
        only.body,
        format!("\nCategory: deploy; scheme=\"{S}\"; class=\"action\"")
    );
}

/// Three clusters: `a`; `b`, of Hadoop; `c`, in the mixin `m`.
async fn three_clusters() -> OcciHost {
    let host = OcciHost::start().await;
    for (name, attributes) in [
        ("a", "x=1"),
        ("b", "x=2, stampede.framework=hadoop"),
        ("c", "x=2"),
    ] {
        host.put_cluster(name, attributes).await;
    }
    host.send(&format!("POST /-/\n{USER_MIXIN}"), "").await;
    host.send("POST /m/\nX-OCCI-Location: /orchestrator/c", "")
        .await;
    host
}

const USER_MIXIN: &str =
    "Category: m; scheme=\"http://e.example.org#\"; class=\"mixin\"; location=\"/m/\"";
const HADOOP: &str = "Category: hadoop; scheme=\"urn:x-stampede:framework#\"";
const ONE_NAMED: &str = "X-OCCI-Location: /orchestrator/a";

#[tokio::test]
async fn a_delete_that_names_what_is_not_there_deletes_nothing() {
    let host = three_clusters().await;
    let link = "Category: link; scheme=\"http://schemas.ogf.org/occi/core#\"";
    let all = ["a", "b", "c"];
    for (head, body, status) in [
        (
            "X-OCCI-Location: /orchestrator/a, /orchestrator/nosuch",
            "",
            404,
        ),
        ("X-OCCI-Location: http://elsewhere/orchestrator/a", "", 404),
        ("X-OCCI-Location: /orchestrator/", "", 404),
        ("X-OCCI-Location: ", "", 400),
        ("X-OCCI-Location: ,", "", 400),
        ("Content-Type: text/uri-list", "", 400),
        ("Content-Type: text/uri-list", "# /orchestrator/a\n", 400),
        (
            "Content-Type: text/occi",
            "X-OCCI-Location: /orchestrator/a",
            400,
        ),
        (
            "Content-Type: application/occi+json",
            "{\"resources\": []}",
            400,
        ),
        (&format!("{ONE_NAMED}\n{HADOOP}"), "", 400),
        (&format!("{ONE_NAMED}\nX-OCCI-Attribute: x=2"), "", 400),
        ("Category: nosuch; scheme=\"http://s#\"", "", 400),
        (link, "", 200),
        ("X-OCCI-Attribute: x=3", "", 200),
    ] {
        let answer = host
            .send(&format!("DELETE /orchestrator/\n{head}"), body)
            .await;
        assert_eq!(answer.status, status, "{head} {body}: {}", answer.body);
        assert_eq!(host.memory.names(), all, "{head} {body}");
    }
    for query in ["name=a", "category=hadoop"] {
        let answer = host
            .send(&format!("DELETE /orchestrator/?{query}"), "")
            .await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(host.memory.names(), all, "{query}");
    }
}

#[tokio::test]
async fn delete_reaches_no_further_than_the_request_names() {
    for (head, body, left) in [
        (ONE_NAMED, "", "bc"),
        ("Content-Type: text/uri-list", "/orchestrator/a\n", "bc"),
        ("", "X-OCCI-Location: /orchestrator/a", "bc"),
        (
            "Content-Type: application/occi+json",
            "[\"/orchestrator/a\", \"/orchestrator/c\"]",
            "b",
        ),
        (
            "Content-Type: application/json",
            "{\"resources\": [{\"id\": \"/orchestrator/a\"}]}",
            "bc",
        ),
        (HADOOP, "", "ac"),
        (USER_MIXIN, "", "ab"),
        ("X-OCCI-Attribute: x=2", "", "a"),
        (
            &format!("{USER_MIXIN}\nX-OCCI-Location: /orchestrator/c"),
            "",
            "ab",
        ),
        (&category_line("orchestrator"), "", ""),
    ] {
        let host = three_clusters().await;
        let answer = host
            .send(&format!("DELETE /orchestrator/\n{head}"), body)
            .await;
        assert_eq!(answer.status, 200, "{head} {body}: {}", answer.body);
        assert_eq!(host.memory.names().concat(), left, "{head} {body}");
    }
}

#[tokio::test]
async fn lists_and_actions_keep_to_what_is_named_too() {
    let host = OcciHost::start().await;
    for name in ["a", "b"] {
        host.put_cluster(name, "x=1").await;
    }
    let listed = host
        .send(
            "GET /orchestrator/\nAccept: text/uri-list\nX-OCCI-Location: /orchestrator/b",
            "",
        )
        .await;
    assert_eq!(
        listed.body,
        format!("# uri:/orchestrator/\nhttp://{}/orchestrator/b", host.api)
    );
    let deploy = "POST /orchestrator/?action=deploy\nX-OCCI-Location: ";
    for (locations, status) in [
        ("/orchestrator/b, /orchestrator/nosuch", 404),
        ("", 400),
        ("/orchestrator/b", 200),
    ] {
        let answer = host.send(&format!("{deploy}{locations}"), "").await;
        assert_eq!(answer.status, status, "{locations}: {}", answer.body);
    }
    for (name, state) in [("a", "uninitialized"), ("b", "CREATE_IN_PROGRESS")] {
        assert_eq!(
            host.fetch_attributes(name).await["occi.mcn.stack.state"],
            state,
            "{name}"
        );
    }
}
