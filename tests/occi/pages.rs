//! The HTML pages, as a browser requests them.

use stampede::cluster::{
    ClusterState,
    framework_bundle::EndpointReach,
    health::{ComponentHealth, HealthColour, ServiceHealth},
};
use stampede::orchestrator::EndpointAccess;

use crate::client::{OcciHost, RawResponse, category_line};

/// What Firefox sends.
const BROWSER: &str =
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\nSec-Fetch-Site: none";

fn assert_page(answer: &RawResponse, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        answer
            .header("content-security-policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    assert!(
        answer.body.starts_with("<!doctype html>") && answer.body.ends_with("</html>"),
        "{}",
        answer.body
    );
}

async fn page(host: &OcciHost, path: &str, status: u16) -> String {
    let answer = host.send(&format!("GET {path}\n{BROWSER}"), "").await;
    assert_page(&answer, status);
    // The engine writes a slash so, everywhere but in the templates' own text.
    answer.body.replace("&#x2f;", "/")
}

#[tokio::test]
async fn a_cluster_shows_state_progress_endpoints_failure_and_what_can_be_done() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "note=\"<b>bold</b>\"").await;
    let initialised = page(&host, "/orchestrator/default", 200).await;
    assert!(
        initialised
            .contains("<form method=\"post\" action=\"/orchestrator/default?action=deploy\">"),
        "{initialised}"
    );
    assert!(
        initialised.contains("&lt;b&gt;bold&lt;/b&gt;"),
        "{initialised}"
    );

    host.memory.change("default", |view| {
        view.state = ClusterState::Failed("worker-1: hadoop setup line 42: no space".to_owned());
        view.stack_status = Some("CREATE_FAILED".to_owned());
        view.endpoints.insert(
            "namenode_ui".to_owned(),
            "http://192.0.2.7:9870/".to_owned(),
        );
        view.endpoints
            .insert("trap".to_owned(), "javascript:alert(1)".to_owned());
        view.cloud_error = Some("heat does not answer".to_owned());
        view.health = vec![red_service("<img src=x>")];
        let access = EndpointAccess {
            description: "Files <now>.".to_owned(),
            reach: Some(EndpointReach::Tunnel),
            asks_for_secret: true,
            ..EndpointAccess::default()
        };
        view.endpoint_access
            .insert("namenode_ui".to_owned(), access);
    });
    let failed = page(&host, "/orchestrator/default", 200).await;
    for shown in [
        "<strong>failed</strong>, Heat says <code>CREATE_FAILED</code>",
        "<strong>Failure:</strong> worker-1: hadoop setup line 42: no space",
        "<strong>The cloud:</strong> heat does not answer",
        "<a href=\"http://192.0.2.7:9870/\" rel=\"noreferrer\">namenode_ui</a>: http://192.0.2.7:9870/<br>tunnel: Files &lt;now&gt;; asks for a secret, which GET of /orchestrator/default/secret/namenode_ui tells",
        "<th scope=\"row\">datanode</th><td class=\"red\">red</td><td>worker-1: &lt;img src=x&gt;; looked at 2023-11-14 22:13:20 UTC",
    ] {
        assert!(failed.contains(shown), "{shown} is not in {failed}");
    }
    assert!(!failed.contains("href=\"javascript"), "{failed}");
    assert!(!failed.contains("<img"), "{failed}");
}

#[tokio::test]
async fn a_secret_is_told_to_its_project_alone_as_text_that_nobody_keeps() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    let path = "/orchestrator/default/secret/notebooks";
    for accept in ["*/*", "text/plain", "text/html,text/plain;q=0.5"] {
        let request = format!("GET {path}\nAccept: {accept}");
        let answer = host.send(&request, "").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "digits-of-demo-default\n")
        );
        assert_eq!(answer.header("content-type"), Some("text/plain"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let head = host.send(&format!("HEAD {path}"), "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for (request, status) in [
        (format!("GET {path}\nAccept: application/json"), 406),
        (format!("POST {path}"), 405),
        (format!("DELETE {path}"), 405),
        ("GET /orchestrator/default/secret/other".to_owned(), 400),
        ("GET /orchestrator/other/secret/notebooks".to_owned(), 404),
        ("GET /orchestrator/default/secret/".to_owned(), 404),
    ] {
        let answer = host.send(&request, "").await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
        assert!(!answer.body.contains("digits"), "{answer:?}");
    }
    for rendering in [
        "text/plain",
        "text/occi",
        "application/occi+json",
        "text/html",
    ] {
        let request = format!("GET /orchestrator/default\nAccept: {rendering}");
        let answer = host.send(&request, "").await;
        assert!(!format!("{answer:?}").contains("digits"), "{rendering}");
    }
}

/// Red on its one node, which says this.
fn red_service(sentence: &str) -> ServiceHealth {
    let health = ComponentHealth {
        colour: HealthColour::Red,
        sentence: sentence.to_owned(),
        looked_s: 1_700_000_000,
        since_s: 1_700_000_000,
        jobs: None,
    };
    let said = [(
        "worker-1".to_owned(),
        [("datanode".to_owned(), health)].into(),
    )]
    .into();
    ServiceHealth::of_component("datanode", &["worker-1".to_owned()], &said).unwrap()
}

#[tokio::test]
async fn health_is_shown_in_every_rendering_and_is_no_wish() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    host.memory.change("default", |view| {
        view.state = ClusterState::Active;
        view.stack_status = Some("CREATE_COMPLETE".to_owned());
        view.health = vec![red_service("is gone")];
    });
    for accept in [
        "text/plain",
        "text/occi",
        "application/occi+json",
        "application/json",
    ] {
        let request = format!("GET /orchestrator/default\nAccept: {accept}");
        let answer = host.send(&request, "").await;
        assert_eq!(answer.status, 200, "{accept}");
        let told = format!("{:?}{}", answer.headers, answer.body);
        for shown in [
            "stampede.health.datanode",
            "worker-1: is gone; looked at",
            "CREATE_COMPLETE",
            "active",
        ] {
            assert!(told.contains(shown), "{accept}: {shown} is not in {told}");
        }
    }
}

#[tokio::test]
async fn every_resource_has_its_page() {
    let host = OcciHost::start().await;
    assert!(page(&host, "/", 200).await.contains("X-Auth-Token"));
    assert!(
        page(&host, "/orchestrator/", 200)
            .await
            .contains("There is no cluster here.")
    );
    host.put_cluster("default", "a=1").await;
    assert!(
        page(&host, "/orchestrator/", 200)
            .await
            .contains(">default</a>")
    );
    let query = page(&host, "/-/", 200).await;
    assert!(
        query.contains("kind orchestrator") && query.contains("stampede.hadoop.replication"),
        "{query}"
    );
    assert!(
        page(&host, "/orchestrator/nosuch", 404)
            .await
            .contains("Resource not found")
    );
    let form = host
        .send(
            "GET /orchestrator/default\nAccept: application/x-www-form-urlencoded",
            "",
        )
        .await;
    assert_page(&form, 200);
    assert_page(
        &host
            .send(&format!("DELETE /orchestrator/default\n{BROWSER}"), "")
            .await,
        200,
    );
}

#[tokio::test]
async fn a_person_without_the_headers_is_told_what_is_needed() {
    let host = OcciHost::start().await;
    for (headers, status, text) in [
        ("", 403, "X-Auth-Token required..."),
        ("X-Auth-Token: x\r\n", 403, "X-Tenant-Name required..."),
        (
            "X-Auth-Token: x\r\nX-Tenant-Name: demo\r\n",
            401,
            "the token is unknown or has expired",
        ),
    ] {
        let accept = BROWSER.replace('\n', "\r\n");
        let raw = format!(
            "GET /orchestrator/a$(x) HTTP/1.1\r\nHost: so.example.org\r\nConnection: close\r\n{headers}{accept}\r\n\r\n"
        );
        let answer = host.send_bytes(raw.as_bytes()).await;
        assert_page(&answer, status);
        assert!(
            answer.body.contains(text) && answer.body.contains("openstack token issue"),
            "{}",
            answer.body
        );
        assert!(
            answer.body.contains("so.example.org") && !answer.body.contains("$(x)"),
            "{}",
            answer.body
        );
    }
}

/// What a browser sends when a button of a page is pressed, besides where the page is from.
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\nAccept: text/html";

#[tokio::test]
async fn a_page_of_another_site_presses_no_button() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    for foreign in [
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
        "Sec-Fetch-Site: cross-site\nOrigin: null",
        "Origin: http://evil.example.org",
        "Origin: http://127.0.0.1:1",
        // Of a frame in a sandbox, or of a page that says `no-referrer`: ours do not.
        "Origin: null",
        // An old browser, which sends no Origin with a form.
        "Referer: http://evil.example.org/page",
    ] {
        for request in [
            "POST /orchestrator/default?action=deploy",
            "POST /orchestrator/",
            "POST /orchestrator/default",
            "DELETE /orchestrator/default",
            "DELETE /orchestrator/",
            "PUT /orchestrator/b",
            "POST /-/",
        ] {
            let answer = host
                .send(&format!("{request}\n{FORM}\n{foreign}"), "")
                .await;
            assert_page(&answer, 403);
            assert!(answer.body.contains("a page of another site"), "{answer:?}");
        }
    }
    assert_eq!(
        host.fetch_attributes("default").await["occi.mcn.stack.state"],
        "uninitialized"
    );
    assert_eq!(host.memory.names(), ["default"]);
}

#[tokio::test]
async fn a_button_works_over_plain_http_and_behind_a_proxy() {
    let host = OcciHost::start().await;
    let origin = format!("http://{}", host.api);
    // Over plain HTTP a browser sends no Sec-Fetch-Site, and by what our pages say of referrers it
    // sends the origin of its own form.
    let plain = format!("Origin: {origin}\nReferer: {origin}/orchestrator/default");
    let old = format!("Referer: {origin}/orchestrator/default");
    let proxy = "Host: so.example.org\nOrigin: https://so.example.org";
    for (number, browser) in [
        plain.as_str(),
        &old,
        // A proxy with TLS that keeps the Host, and one that writes its own.
        proxy,
        "Host: so.example.org:443\nOrigin: https://so.example.org",
        "Sec-Fetch-Site: same-origin\nOrigin: https://the.proxy.example.org",
        "Sec-Fetch-Site: none",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("c{number}");
        host.put_cluster(&name, "a=1").await;
        let shown = host
            .send(&format!("GET /orchestrator/{name}\n{BROWSER}"), "")
            .await;
        assert_eq!(shown.header("referrer-policy"), Some("same-origin"));
        let form = format!("POST /orchestrator/{name}?action=deploy\n{FORM}\n{browser}");
        assert_page(&host.send(&form, "").await, 200);
        assert_eq!(
            host.fetch_attributes(&name).await["occi.mcn.stack.state"],
            "CREATE_IN_PROGRESS",
            "{browser}"
        );
    }
    let own = format!("Origin: {origin}");
    let put = host
        .send(
            &format!(
                "PUT /orchestrator/b\n{}\n{own}\nAccept: text/html",
                category_line("orchestrator")
            ),
            "",
        )
        .await;
    assert_page(&put, 201);
}
