//! The JSON of OCCI 1.2 (GFD.226) beside the recorded one, told apart by the request.

use serde_json::{Value, json};

use crate::client::{OcciHost, S, category_line};

const STANDARD: &str = "Accept: application/json";

#[tokio::test]
async fn the_request_tells_which_form_it_gets() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "stampede.workers=3").await;
    for (headers, media, is_standard) in [
        ("Accept: application/json", "application/json", true),
        (
            "Accept: application/occi+json\nUser-Agent: c/1.0 OCCI/1.2",
            "application/occi+json",
            true,
        ),
        (
            "Accept: application/occi+json; version=1.2",
            "application/occi+json",
            true,
        ),
        (
            "Accept: application/occi+json",
            "application/occi+json",
            false,
        ),
        (
            "Accept: application/occi+json\nUser-Agent: python-requests/2.11.0",
            "application/occi+json",
            false,
        ),
        (
            "Accept: application/occi+json\nUser-Agent: rOCCI-api/4.3.9 OCCI/1.1",
            "application/occi+json",
            false,
        ),
        (
            "Accept: application/occi+json, application/json",
            "application/occi+json",
            false,
        ),
        (
            "Accept: application/json, application/occi+json",
            "application/json",
            true,
        ),
    ] {
        for (path, member) in [
            ("/orchestrator/default", "kind"),
            ("/orchestrator/", "resources"),
            ("/-/", "kinds"),
        ] {
            let answer = host.send(&format!("GET {path}\n{headers}"), "").await;
            assert_eq!(
                (answer.status, answer.header("content-type")),
                (200, Some(media)),
                "{headers}"
            );
            let found = answer.json();
            let standard = match member {
                "kind" => found[member].is_string(),
                _ => found.get(member).is_some(),
            };
            assert_eq!(standard, is_standard, "{path} {headers}: {found}");
        }
    }
}

#[tokio::test]
async fn an_entity_has_the_members_and_types_of_the_standard() {
    let host = OcciHost::start().await;
    host.put_cluster(
        "default",
        "stampede.workers=3, occi.core.title=Mine, my.number=3",
    )
    .await;
    host.memory.change("default", |view| {
        view.outputs.insert("list".to_owned(), json!([1, "two"]));
    });
    let shown = host
        .send(&format!("GET /orchestrator/default\n{STANDARD}"), "")
        .await
        .json();
    assert_eq!(
        shown,
        json!({
            "kind": format!("{S}orchestrator"),
            "id": "/orchestrator/default",
            "title": "Mine",
            "mixins": ["urn:x-stampede:framework#cluster", "urn:x-stampede:cluster#status", "urn:x-stampede:cluster#details"],
            "actions": [format!("{S}deploy")],
            "links": [],
            "attributes": {
                "occi.mcn.stack.state": "uninitialized",
                "occi.mcn.stack.id": "N/A",
                "stampede.state": "requested",
                "stampede.workers": 3,
                "my.number": "3",
                "list.RegionOne": [1, "two"],
            },
        })
    );
}

#[tokio::test]
async fn a_client_of_the_standard_goes_through_a_clusters_life() {
    let host = OcciHost::start().await;
    let send = async |head: &str, body: Value| {
        let head = format!("{head}\n{STANDARD}\nContent-Type: application/json");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        host.send(&head, &body).await
    };
    let resource = json!({
        "kind": format!("{S}orchestrator"),
        "mixins": ["urn:x-stampede:framework#hadoop"],
        "title": "Mine",
        "summary": "all of it",
        "attributes": {"stampede.workers": 3, "stampede.hadoop.replication": 2, "my.param": "a"},
    });
    let put = send("PUT /orchestrator/a", resource.clone()).await;
    assert_eq!(put.status, 201, "{}", put.body);
    assert_eq!(put.json()["attributes"]["stampede.workers"], 3);
    assert_eq!(
        (&put.json()["title"], &put.json()["summary"]),
        (&"Mine".into(), &"all of it".into())
    );
    let posted = send("POST /orchestrator/", json!({"resources": [resource]})).await;
    assert_eq!(posted.status, 201, "{}", posted.body);
    assert!(posted.header("location").is_some());
    let several = send(
        "POST /orchestrator/",
        json!({"resources": [{"kind": "x"}, {"kind": "y"}]}),
    )
    .await;
    assert_eq!(several.status, 400, "{}", several.body);

    let action = json!({"action": format!("{S}deploy"), "attributes": {}});
    let deployed = send("POST /orchestrator/a?action=deploy", action).await;
    assert_eq!(deployed.status, 200, "{}", deployed.body);
    assert_eq!(deployed.json()["actions"], json!([format!("{S}provision")]));
    let updated = send(
        "POST /orchestrator/a",
        json!({"attributes": {"stampede.workers": 4}}),
    )
    .await;
    assert_eq!(
        (
            updated.status,
            &updated.json()["attributes"]["stampede.workers"]
        ),
        (200, &4.into())
    );
    let deleted = send("DELETE /orchestrator/a", Value::Null).await;
    assert_eq!((deleted.status, deleted.body.as_str()), (200, "{}"));
}

#[tokio::test]
async fn a_client_of_the_standard_tags_clusters() {
    let host = OcciHost::start().await;
    host.put_cluster("a", "x=1").await;
    let send = async |head: &str, body: Value| {
        let head = format!("{head}\n{STANDARD}\nContent-Type: application/json");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        host.send(&head, &body).await
    };
    let mixin = json!({"mixins": [{"term": "tag", "scheme": "http://e.example.org#", "location": "/tag/", "title": "T"}]});
    let defined = send("POST /-/", mixin).await;
    assert_eq!(defined.status, 200, "{}", defined.body);
    assert_eq!(defined.json()["mixins"][0]["location"], "/tag/");
    for members in [
        json!({"resources": [{"kind": format!("{S}orchestrator"), "id": "/orchestrator/a"}]}),
        json!(["/orchestrator/a"]),
    ] {
        let put = send("PUT /tag/", members).await;
        assert_eq!(put.status, 200, "{}", put.body);
    }
    let tagged = send("GET /tag/", Value::Null).await.json();
    assert_eq!(tagged["resources"][0]["id"], "/orchestrator/a");
    let emptied = send("PUT /tag/", json!({"resources": []})).await;
    assert_eq!((emptied.status, emptied.body.as_str()), (200, "{}"));
    assert_eq!(
        send("GET /tag/", Value::Null).await.json(),
        json!({"resources": []})
    );
    assert_eq!(
        send("GET /link/", Value::Null).await.json(),
        json!({"links": []})
    );
}

#[tokio::test]
async fn errors_are_in_the_form_that_was_asked_for() {
    let host = OcciHost::start().await;
    let kind = category_line("orchestrator");
    for (request, status) in [
        ("GET /orchestrator/nosuch".to_owned(), 404),
        ("GET /nosuch".to_owned(), 404),
        ("PATCH /orchestrator/".to_owned(), 405),
        (format!("PUT /orchestrator/9\n{kind}"), 400),
        ("POST /orchestrator/".to_owned(), 400),
    ] {
        let answer = host.send(&format!("{request}\n{STANDARD}"), "").await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, Some("application/json")),
            "{request}"
        );
        let json = answer.json();
        assert_eq!(json["status"], status, "{json}");
        assert!(
            json["message"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{json}"
        );
        let recorded = host
            .send(&format!("{request}\nAccept: application/occi+json"), "")
            .await;
        assert_eq!(
            recorded.header("content-type"),
            Some("text/plain"),
            "{request}"
        );
        assert_eq!(json["message"], recorded.body.as_str());
    }
}
