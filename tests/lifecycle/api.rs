//! The JSON API over the whole host and the fake OpenStack: what clients get, and that every answer is
//! as the API's document says.

use std::time::Duration;

use serde_json::{Value, json};
use stampede::server::ServerLimits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{
    api_client::ApiHost,
    bad_requests::plugins,
    fixture::{LifecycleFixture, eventually},
};

const CLUSTERS: &str = "/api/v1/clusters";

async fn complete() -> ApiHost {
    let host = ApiHost::start().await;
    let made = host.post(CLUSTERS, json!({"name": "default"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    host.world.cloud.finish();
    eventually("it is active", async || {
        let shown = host.get("/api/v1/clusters/default").await;
        (shown.body["state"] == "active").then_some(())
    })
    .await;
    host
}

#[tokio::test]
async fn a_cluster_is_made_changed_and_deleted() {
    let host = ApiHost::start().await;
    let body = json!({"name": "demo", "attributes": {"workers": 2}});
    let made = host.post(CLUSTERS, body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("location"), "/api/v1/clusters/demo");
    assert_eq!(made.body["state"], "deploying");
    assert_eq!(made.body["attributes"]["workers"], "2");
    let nodes = made.body["nodes"].as_array().unwrap().iter();
    let nodes: Vec<&str> = nodes.map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["master", "worker-1", "worker-2"]);
    host.world.cloud.finish();
    let shown = eventually("it is active", async || {
        let shown = host.get("/api/v1/clusters/demo").await;
        (shown.body["state"] == "active").then_some(shown)
    })
    .await;
    let revision = shown.body["revision"].as_str().unwrap();
    assert_eq!(shown.header("etag"), format!("\"{revision}\""));

    let change = json!({"attributes": {"workers": 3}}).to_string();
    let path = "/api/v1/clusters/demo?dry_run=true";
    let dry = host.ask("PATCH", path, Some(change.clone()), &[]).await;
    assert_eq!(
        (dry.status, &dry.body["added"]),
        (200, &json!(["worker-3"]))
    );
    let same = host.get("/api/v1/clusters/demo").await;
    assert_eq!(same.body["revision"], revision, "nothing was changed");

    let path = "/api/v1/clusters/demo";
    let tag = [("if-match", shown.header("etag"))];
    let changed = host.ask("PATCH", path, Some(change), &tag).await;
    assert_eq!(
        (changed.status, &changed.body["state"]),
        (202, &json!("updating"))
    );
    let late = json!({"attributes": {"workers": 5}}).to_string();
    let late = host.ask("PATCH", path, Some(late), &tag).await;
    assert_eq!(late.status, 412, "{}", late.body);
    assert_eq!(late.body["current_revision"], changed.body["revision"]);
    assert_ne!(late.body["current_revision"], revision);

    let deleted = host.ask("DELETE", path, None, &[]).await;
    assert_eq!(
        (deleted.status, &deleted.body["taken"]),
        (202, &json!(true))
    );
    let gone = host.get(path).await;
    assert_eq!(gone.status, 404);
    assert_eq!(gone.body["type"], "urn:x-stampede:problem:not-found");
    let left = host.get("/api/v1/clusters?deleting=true").await;
    assert_eq!(left.body["clusters"][0]["id"], made.body["id"]);
    assert_eq!(host.get(CLUSTERS).await.body["total"], 0);
    host.world.cloud.finish();
    eventually("nothing is left of it", async || {
        let left = host.get("/api/v1/clusters?deleting=true").await;
        (left.body["total"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_the_servers_limits_refuse_is_a_problem_too() {
    let small = ServerLimits {
        body_bytes: 60,
        ..ServerLimits::default()
    };
    let host = ApiHost::start_with(small).await;
    for (name, status) in [("a", 422), (&*"a".repeat(60), 413)] {
        let refused = host.post(CLUSTERS, json!({"name": name, "x": 1})).await;
        assert_eq!(refused.status, status, "{}", refused.body);
    }
    let none = ServerLimits {
        in_flight: 0,
        ..ServerLimits::default()
    };
    let host = ApiHost::start_with(none).await;
    let busy = host.get(CLUSTERS).await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, "1"));
    assert_eq!(busy.body["type"], "urn:x-stampede:problem:busy");
    let hasty = ServerLimits {
        body_read: Duration::from_millis(100),
        ..ServerLimits::default()
    };
    let host = ApiHost::start_with(hasty).await;
    let mut client = TcpStream::connect(host.address).await.unwrap();
    let head = format!(
        "POST {CLUSTERS} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {}\r\nContent-Length: 9\r\n\r\n{{",
        host.token
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("application/problem+json"), "{head}");
    host.check_named("ProblemDetails", &serde_json::from_str(body).unwrap());
}

#[tokio::test]
async fn a_dry_run_shows_all_and_makes_nothing() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = ApiHost::start_in(world, ServerLimits::default()).await;
    let body = json!({"name": "demo", "attributes": {"workers": 3, "framework": ["hadoop"]}});
    let dry = host.post("/api/v1/clusters?dry_run=true", body).await;
    assert_eq!(dry.status, 200, "{}", dry.body);
    let quota = |what: &str| {
        let quotas = dry.body["quotas"].as_array().unwrap().iter();
        quotas
            .clone()
            .find(|quota| quota["what"] == what)
            .unwrap()
            .clone()
    };
    assert_eq!(quota("servers")["needed"], 4);
    assert!(dry.body["template"]["resources"].is_object() && dry.body["files"].is_object());
    let values = dry.body["values"].as_array().unwrap();
    let workers = values
        .iter()
        .find(|value| value["name"] == "workers")
        .unwrap();
    assert_eq!(
        (&workers["value"], &workers["source"]),
        (&json!("3"), &json!("given"))
    );
    assert_eq!(host.world.creates(), 0);
    let listed = host.get(CLUSTERS).await;
    assert_eq!(listed.body["total"], 0);
}

#[tokio::test]
async fn a_request_with_an_id_makes_one_cluster_however_often_it_comes() {
    let host = ApiHost::start().await;
    let body = json!({"name": "demo", "request_id": "r-1", "attributes": {"workers": 2}});
    let (first, second) = tokio::join!(
        host.post(CLUSTERS, body.clone()),
        host.post(CLUSTERS, body.clone())
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 201], "{} {}", first.body, second.body);
    assert_eq!(first.body["id"], second.body["id"]);
    let again = host.post(CLUSTERS, body).await;
    assert_eq!((again.status, &again.body["id"]), (200, &first.body["id"]));
    assert_eq!(host.world.creates(), 1);

    let other = json!({"name": "other", "attributes": {"workers": 2}}).to_string();
    let by_header = [("idempotency-key", "\"r-1\"")];
    let refused = host.ask("POST", CLUSTERS, Some(other), &by_header).await;
    assert_eq!(
        (refused.status, refused.problems()[0].0),
        (422, "/request_id")
    );
    let same_name = host.post(CLUSTERS, json!({"name": "demo"})).await;
    assert_eq!(same_name.status, 409, "{}", same_name.body);
    assert_eq!(host.world.creates(), 1);
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_and_leaves_nothing() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = ApiHost::start_in(world, ServerLimits::default()).await;
    let body = json!({"name": "Wrong!", "colour": "red", "attributes":
        {"workers": "two", "hadoop.replikation": 2, "key": {}, "network.cidr": "x"}});
    for path in [CLUSTERS, "/api/v1/clusters?dry_run=true"] {
        let refused = host.post(path, body.clone()).await;
        assert_eq!(refused.status, 422);
        let mut paths: Vec<&str> = refused.problems().iter().map(|(path, _)| *path).collect();
        paths.sort_unstable();
        assert_eq!(
            paths,
            [
                "/attributes/hadoop.replikation",
                "/attributes/key",
                "/attributes/network.cidr",
                "/attributes/workers",
                "/colour",
                "/name",
            ]
        );
    }
    let refused = host
        .post(
            CLUSTERS,
            json!({"name": "demo", "attributes": {"key": "nobodys"}}),
        )
        .await;
    assert_eq!(
        refused.status, 422,
        "the cloud has no such key: {}",
        refused.body
    );
    assert_eq!(
        host.get(CLUSTERS).await.body["total"],
        0,
        "the name is free"
    );
    let text = host.ask("POST", CLUSTERS, Some("{".to_owned()), &[]).await;
    assert_eq!(text.status, 400);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let form = host
        .ask("POST", CLUSTERS, Some("name=a".to_owned()), &form)
        .await;
    assert_eq!(form.status, 415);
}

#[tokio::test]
async fn a_token_in_the_header_counts_and_nothing_else_does() {
    let host = complete().await;
    let path = "/api/v1/clusters/default";
    let token = host.token.clone();
    let cookie = format!("__Host-stampede={token}; X-Auth-Token={token}");
    for (headers, status) in [
        (vec![], 401),
        (vec![("cookie", cookie.as_str())], 401),
        (vec![("authorization", token.as_str())], 401),
        (vec![("x-auth-token", "nobody's")], 401),
        (vec![("x-auth-token", token.as_str())], 200),
        (
            vec![("x-auth-token", token.as_str()), ("x-tenant-name", "demo")],
            200,
        ),
        (
            vec![("x-auth-token", token.as_str()), ("x-tenant-name", "other")],
            403,
        ),
    ] {
        let answer = host.send("GET", path, None, &headers).await;
        assert_eq!(answer.status, status, "{headers:?} {}", answer.body);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge == "Keystone", status == 401, "{headers:?}");
    }
    let other = host.world.cloud.issue_token("other");
    let other = [("x-auth-token", other.as_str())];
    assert_eq!(host.send("GET", path, None, &other).await.status, 404);
    let listed = host.send("GET", CLUSTERS, None, &other).await;
    assert_eq!(listed.body["total"], 0, "another project sees nothing");
    let unscoped = host.world.cloud.issue_unscoped_token();
    let unscoped = [("x-auth-token", unscoped.as_str())];
    assert_eq!(
        host.send("GET", CLUSTERS, None, &unscoped).await.status,
        403
    );
}

#[tokio::test]
async fn a_session_says_whether_its_token_can_deploy() {
    let host = ApiHost::start().await;
    let session = host.get("/api/v1/session").await;
    assert_eq!(session.body["project"], "demo");
    assert_eq!(
        (&session.body["can_deploy"], &session.body["obstacle"]),
        (&json!(true), &Value::Null)
    );
    let weak = host.world.cloud.issue_application_credential_token("demo");
    let weak = [("x-auth-token", weak.as_str())];
    let session = host.send("GET", "/api/v1/session", None, &weak).await;
    assert_eq!(session.body["can_deploy"], false);
    assert!(
        session.body["obstacle"]
            .as_str()
            .unwrap()
            .contains("application credential")
    );
}

#[tokio::test]
async fn lists_have_filters_and_pages() {
    let host = complete().await;
    for name in ["alpha", "beta", "gamma"] {
        let made = host.post(CLUSTERS, json!({"name": name})).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }
    let names = |page: &Value| -> Vec<String> {
        let clusters = page["clusters"].as_array().unwrap().iter();
        clusters
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = host.get("/api/v1/clusters?limit=3").await.body;
    assert_eq!(names(&first), ["alpha", "beta", "default"]);
    assert_eq!(
        (&first["total"], &first["next_marker"]),
        (&json!(4), &json!("default"))
    );
    let second = host
        .get("/api/v1/clusters?limit=3&marker=default")
        .await
        .body;
    assert_eq!(
        (names(&second), &second["next_marker"]),
        (vec!["gamma".to_owned()], &Value::Null)
    );
    let active = host
        .get("/api/v1/clusters?state=active&framework=hadoop")
        .await
        .body;
    assert_eq!(
        (names(&active), &active["matching"]),
        (vec!["default".to_owned()], &json!(1))
    );
    assert_eq!(
        names(&host.get("/api/v1/clusters?name=am").await.body),
        ["gamma"]
    );
    assert_eq!(
        names(&host.get("/api/v1/clusters?framework=spark").await.body),
        [""; 0]
    );
    let wrong = host
        .get("/api/v1/clusters?state=fine&limit=501&sort=name")
        .await;
    let paths: Vec<&str> = wrong.problems().iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, ["?sort", "?limit", "?state"]);
}

#[tokio::test]
async fn what_can_be_asked_for_is_listed() {
    let mut world = LifecycleFixture::new().await;
    world.use_plugins(plugins());
    let host = ApiHost::start_in(world, ServerLimits::default()).await;
    let frameworks = host.get("/api/v1/frameworks").await.body;
    let all = frameworks["frameworks"].as_array().unwrap();
    let hadoop = all.iter().find(|one| one["name"] == "hadoop").unwrap();
    assert!(all.iter().all(|one| one["name"] != "cluster"));
    assert_eq!(&host.get("/api/v1/frameworks/hadoop").await.body, hadoop);
    assert_eq!(host.get("/api/v1/frameworks/x").await.status, 404);
    jsonschema::validator_for(&hadoop["parameters"]).unwrap();
    let attributes = host.get("/api/v1/attributes").await.body;
    let attributes = attributes["attributes"].as_array().unwrap();
    assert!(
        attributes
            .iter()
            .any(|one| one["name"] == "workers" && one["may_change"] == true)
    );
    for (list, field) in [
        ("flavors", "flavors"),
        ("images", "images"),
        ("networks", "networks"),
        ("keys", "names"),
        ("zones", "names"),
    ] {
        let answer = host.get(&format!("/api/v1/cloud/{list}")).await;
        assert_eq!(
            (answer.status, &answer.body["truncated"]),
            (200, &json!(false))
        );
        assert!(!answer.body[field].as_array().unwrap().is_empty(), "{list}");
    }
    let quotas = host.get("/api/v1/cloud/quotas").await.body;
    assert!(quotas["quotas"]["servers"]["used"].is_u64(), "{quotas}");
}

#[tokio::test]
async fn what_everybody_may_ask_needs_no_token_and_what_is_not_there_is_told() {
    let host = ApiHost::start().await;
    let root = host.send("GET", "/api/v1", None, &[]).await;
    assert_eq!((root.status, &root.body["version"]), (200, &json!("v1")));
    let document = host.send("GET", "/api/v1/openapi.json", None, &[]).await;
    assert_eq!(document.body["openapi"], "3.1.0");
    let head = host.send("HEAD", "/api/v1/openapi.json", None, &[]).await;
    assert_eq!((head.status, head.body), (200, Value::Null));
    let nowhere = host.get("/api/v1/nowhere").await;
    assert_eq!(nowhere.status, 404);
    let put = host.ask("PUT", CLUSTERS, Some("{}".to_owned()), &[]).await;
    assert_eq!((put.status, put.header("allow")), (405, "GET, POST"));
    // OCCI's are where they were.
    let client = stampede_tests::http_client().unwrap();
    for path in ["/", "/api", "/api/v10/"] {
        let occi = client.get(host.url(path)).send().await.unwrap();
        assert!(occi.headers().contains_key("server"), "{path} is OCCI's");
    }
}
