//! What clients of OCCI send beside hurtle's: the headers of rOCCI, grycap/im and ooi's client, in
//! every form of HTTP that they come in.

use crate::client::{OcciHost, S, category_line};

/// What rOCCI-api and grycap/im send with every request that has a body.
const ROCCI: &str = "Accept: text/plain,text/occi;q=0.2\nContent-Type: text/plain,text/occi\n\
    User-Agent: rOCCI-core/4.3.6 rOCCI-api/4.3.9 OCCI/1.1 ruby-x86_64-linux-gnu/2.1.5p273";

fn category(term: &str, class: &str) -> String {
    format!("Category: {term};scheme=\"{S}\";class=\"{class}\";")
}

#[tokio::test]
async fn rocci_creates_describes_acts_and_deletes() {
    let host = OcciHost::start().await;
    let body = format!(
        "{}\nX-OCCI-Attribute: occi.core.title=\"My cluster\"\nX-OCCI-Attribute: stampede.workers=2\n",
        category("orchestrator", "kind")
    );
    let created = host
        .send(&format!("POST /orchestrator/\n{ROCCI}"), &body)
        .await;
    assert_eq!(created.status, 201, "{}", created.body);
    let location = created.header("location").unwrap();
    let path = location
        .strip_prefix(&format!("http://{}", host.api))
        .unwrap();
    let listed = host
        .send("GET /orchestrator/\nAccept: text/uri-list", "")
        .await;
    assert!(listed.body.ends_with(location), "{}", listed.body);
    let described = host.send(&format!("GET {path}\n{ROCCI}"), "").await;
    for line in ["occi.core.title=\"My cluster\"", "stampede.workers=\"2\""] {
        assert!(
            described
                .body
                .contains(&format!("\nX-OCCI-Attribute: {line}")),
            "{}",
            described.body
        );
    }
    let action = category("deploy", "action");
    let acted = host
        .send(&format!("POST {path}?action=deploy\n{ROCCI}"), &action)
        .await;
    assert_eq!(acted.status, 200, "{}", acted.body);
    assert!(acted.body.contains("CREATE_IN_PROGRESS"), "{}", acted.body);
    assert_eq!(
        host.send(&format!("DELETE {path}\n{ROCCI}"), "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_content_type_may_be_a_list_have_parameters_and_be_upper_case() {
    let host = OcciHost::start().await;
    let text = format!(
        "{}\nX-OCCI-Attribute: a=1\n",
        category("orchestrator", "kind")
    );
    let json = format!("{{\"kind\": \"{S}orchestrator\", \"attributes\": {{\"a\": 1}}}}");
    for (number, (types, body)) in [
        ("text/plain,text/occi", &text),
        ("text/occi, text/plain", &text),
        ("TEXT/PLAIN; charset=UTF-8", &text),
        ("text/plain;charset=utf-8, text/occi;charset=utf-8", &text),
        ("text/occi+plain", &text),
        ("application/occi+json; charset=utf-8", &json),
        ("Application/JSON", &json),
        ("application/json, text/plain", &json),
    ]
    .into_iter()
    .enumerate()
    {
        let put = host
            .send(
                &format!("PUT /orchestrator/c{number}\nContent-Type: {types}"),
                body,
            )
            .await;
        assert_eq!(put.status, 201, "{types}: {}", put.body);
        assert_eq!(
            host.fetch_attributes(&format!("c{number}")).await["a"],
            "1",
            "{types}"
        );
    }
    for (types, named) in [
        ("image/png", "image/png"),
        ("image/png, text/html", "image/png"),
    ] {
        let refused = host
            .send(
                &format!("POST /orchestrator/c0\nContent-Type: {types}"),
                "x",
            )
            .await;
        assert_eq!(refused.status, 415);
        assert!(refused.body.contains(named), "{}", refused.body);
    }
}

#[tokio::test]
async fn headers_come_one_by_one_or_as_a_list_quoted_or_not() {
    let host = OcciHost::start().await;
    let kind = format!("orchestrator; scheme=\"{S}\"; class=\"kind\"");
    let hadoop = "hadoop; scheme=\"urn:x-stampede:framework#\"; class=\"mixin\"";
    for (number, headers) in [
        format!("Category: {kind}\nCategory: {hadoop}\nX-OCCI-Attribute: a=1\nX-OCCI-Attribute: b=\"x, y\""),
        format!("Category: {kind}, {hadoop}\nX-OCCI-Attribute: a=1, b=\"x, y\""),
        format!("category: {hadoop},{kind}\nx-occi-attribute: a=\"1\",b='x, y'"),
        format!("CATEGORY: {kind};\nCategory: {hadoop};\nX-OCCI-ATTRIBUTE: a = 1 , b=\"x, y\","),
        format!("Category: {kind}, {hadoop}\nX-OCCI-Attribute: a=1, b=\"x, y\"\nLink: </network/1>; rel=\"http://schemas.ogf.org/occi/infrastructure#network\"; category=\"http://schemas.ogf.org/occi/infrastructure#networkinterface\""),
    ]
    .into_iter()
    .enumerate()
    {
        let put = host.send(&format!("PUT /orchestrator/c{number}\nContent-Type: text/occi\n{headers}"), "").await;
        assert_eq!(put.status, 201, "{headers}: {}", put.body);
        let shown = host.fetch_attributes(&format!("c{number}")).await;
        for (name, value) in [("a", "1"), ("b", "x, y"), ("stampede.framework", "hadoop")] {
            assert_eq!(shown[name], value, "{headers}");
        }
    }
}

#[tokio::test]
async fn bodies_and_questions_come_in_every_form_of_http() {
    let host = OcciHost::start().await;
    let auth =
        "Host: h\r\nX-Auth-Token: token-demo\r\nX-Tenant-Name: demo\r\nConnection: close\r\n";
    let kind = category_line("orchestrator");
    let body = format!("{kind}\nX-OCCI-Attribute: a=1");
    let length = body.len();
    let (half, rest) = body.split_at(20);
    for (request, status) in [
        (
            format!(
                "PUT /orchestrator/a HTTP/1.1\r\n{auth}Transfer-Encoding: chunked\r\n\r\n14\r\n{half}\r\n{:x};x=y\r\n{rest}\r\n0\r\nX-Trailer: 1\r\n\r\n",
                rest.len()
            ),
            201,
        ),
        (
            format!("PUT /orchestrator/b HTTP/1.0\r\n{auth}Content-Length: {length}\r\n\r\n{body}"),
            201,
        ),
        (
            format!(
                "PUT http://h/orchestrator/c HTTP/1.1\r\n{auth}Content-Length: {length}\r\n\r\n{body}"
            ),
            201,
        ),
        (
            format!(
                "PUT /orchestrator/%64 HTTP/1.1\r\n{auth}Content-Length: {length}\r\n\r\n{body}"
            ),
            201,
        ),
        (format!("GET /%6Frchestrator/d HTTP/1.1\r\n{auth}\r\n"), 200),
        (format!("GET /%2d/ HTTP/1.1\r\n{auth}\r\n"), 200),
        (format!("GET /orchestrator%2Fd HTTP/1.1\r\n{auth}\r\n"), 404),
        (format!("GET /orchestrator/d/ HTTP/1.1\r\n{auth}\r\n"), 404),
        (format!("GET /orchestrator/%00 HTTP/1.1\r\n{auth}\r\n"), 404),
        (format!("HEAD /orchestrator/d HTTP/1.0\r\n{auth}\r\n"), 200),
        (
            format!("OPTIONS /orchestrator/d HTTP/1.1\r\n{auth}\r\n"),
            405,
        ),
        (format!("OPTIONS * HTTP/1.1\r\n{auth}\r\n"), 404),
        ("GET / HTTP/1.0\r\n\r\n".to_owned(), 200),
        (
            "HEAD / HTTP/1.1\r\nConnection: close\r\n\r\n".to_owned(),
            200,
        ),
    ] {
        let answer = host.send_bytes(request.as_bytes()).await;
        assert_eq!(answer.status, status, "{request}: {answer:?}");
    }
    assert_eq!(host.memory.names(), ["a", "b", "c", "d"]);
    // A client that asks before it sends is told to go on, and answered.
    let mut asks = host.connect().await;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let head = format!(
        "PUT /orchestrator/e HTTP/1.1\r\n{auth}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    asks.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    asks.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    asks.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(
        crate::client::RawResponse::read_to_end(&mut asks)
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_higher_version_of_occi_is_refused_and_nothing_is_done() {
    let host = OcciHost::start().await;
    let kind = category_line("orchestrator");
    for (agent, status) in [
        ("x/1 OCCI/1.1", 201),
        ("x/1 OCCI/1.2", 201),
        ("x/1 OCCI/1.3", 501),
        ("OCCI/2.0", 501),
    ] {
        let name = agent.replace(['/', '.', ' '], "-").to_lowercase();
        let put = host
            .send(
                &format!("PUT /orchestrator/{name}\n{kind}\nUser-Agent: {agent}"),
                "",
            )
            .await;
        assert_eq!(put.status, status, "{agent}: {}", put.body);
    }
    assert_eq!(host.memory.names().len(), 2);
}
