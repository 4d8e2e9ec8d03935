//! Actions and updates: which of them a POST is, by its query and its Category.

use crate::client::{OcciHost, category_line};

/// Status and the state afterwards of one POST to a new cluster.
async fn post(query: &str, lines: &str, body: &str) -> (u16, String) {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    let answer = host
        .send(&format!("POST /orchestrator/default{query}\n{lines}"), body)
        .await;
    let state = host.fetch_attributes("default").await["occi.mcn.stack.state"]
        .as_str()
        .unwrap()
        .to_owned();
    (answer.status, state)
}

#[tokio::test]
async fn the_category_says_which_action_and_without_one_the_query_does() {
    let (deploy, provision, kind) = (
        category_line("deploy"),
        category_line("provision"),
        category_line("orchestrator"),
    );
    let (started, untouched) = ("CREATE_IN_PROGRESS", "uninitialized");
    for (query, lines, status, state) in [
        ("?action=deploy", deploy.as_str(), 200, started),
        ("?action=whatever", deploy.as_str(), 200, started),
        ("?action=provision", deploy.as_str(), 200, started),
        ("?action=deploy", "", 200, started),
        ("?x=y&action=deploy", "", 200, started),
        ("?action=deploy", kind.as_str(), 200, started),
        ("?action=deploy", provision.as_str(), 400, untouched),
        ("?action=provision", "", 400, untouched),
        ("?action=whatever", "", 400, untouched),
        ("?x=y", "", 400, untouched),
        (
            "?action=deploy",
            "Category: nosuch; scheme=\"http://x#\"",
            400,
            untouched,
        ),
        ("?deploy", "", 200, untouched),
        ("", "", 200, untouched),
        ("", deploy.as_str(), 200, untouched),
    ] {
        assert_eq!(
            post(query, lines, "").await,
            (status, state.to_owned()),
            "{query} {lines}"
        );
    }
}

#[tokio::test]
async fn bodies_say_it_as_well_as_headers() {
    let json = r#"{"action": "http://schemas.mobile-cloud-networking.eu/occi/service#deploy", "attributes": {"x": "y"}}"#;
    let plain = format!("{}\nX-OCCI-Attribute: x=\"y\"\n", category_line("deploy"));
    for (kind, body) in [
        ("application/occi+json", json),
        ("text/plain", &plain),
        ("text/plain; charset=utf-8", &plain),
    ] {
        let done = post("?action=x", &format!("Content-Type: {kind}"), body).await;
        assert_eq!(done, (200, "CREATE_IN_PROGRESS".to_owned()), "{kind}");
    }
}

#[tokio::test]
async fn each_action_is_there_once() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    let answer = |term: &'static str| {
        let host = &host;
        async move {
            host.send(&format!("POST /orchestrator/default?action={term}"), "")
                .await
        }
    };
    assert!(
        answer("provision")
            .await
            .body
            .starts_with("Not applicable atm.")
    );
    let deployed = answer("deploy").await;
    assert!(
        deployed
            .body
            .contains("Link: </orchestrator/default?action=provision>"),
        "{}",
        deployed.body
    );
    assert_eq!(answer("deploy").await.status, 400);
    let provisioned = answer("provision").await;
    assert!(!provisioned.body.contains("Link:"), "{}", provisioned.body);
    assert_eq!(answer("provision").await.status, 400);
    assert_eq!(
        host.send("POST /orchestrator/nosuch?action=deploy", "")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn what_the_service_says_cannot_be_set() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "occi.core.id=\"/x\", mine=1")
        .await;
    let lines = "X-OCCI-Attribute: occi.mcn.stack.state=\"HACKED\", occi.core.id=\"/x\", stampede.state=active, mine=2";
    assert_eq!(
        host.send(&format!("POST /orchestrator/default\n{lines}"), "")
            .await
            .status,
        200
    );
    let attributes = host.fetch_attributes("default").await;
    assert_eq!(attributes["occi.mcn.stack.state"], "uninitialized");
    assert_eq!(attributes["occi.core.id"], "/orchestrator/default");
    assert_eq!(
        (&attributes["stampede.state"], &attributes["mine"]),
        (&"requested".into(), &"2".into())
    );
}

#[tokio::test]
async fn a_frameworks_mixin_means_that_framework() {
    let host = OcciHost::start().await;
    let mixin = "Category: hadoop; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"";
    let put = host
        .send(
            &format!(
                "PUT /orchestrator/a\n{}\n{mixin}",
                category_line("orchestrator")
            ),
            "",
        )
        .await;
    assert_eq!(put.status, 201, "{}", put.body);
    assert_eq!(
        host.fetch_attributes("a").await["stampede.framework"],
        "hadoop"
    );
    let said = format!(
        "PUT /orchestrator/b\n{}\n{mixin}\nX-OCCI-Attribute: stampede.framework=spark",
        category_line("orchestrator")
    );
    assert_eq!(host.send(&said, "").await.status, 201);
    assert_eq!(
        host.fetch_attributes("b").await["stampede.framework"],
        "spark"
    );
}
