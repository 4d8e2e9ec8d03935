//! What HTTP requires beyond OCCI: HEAD, clients that close their side early, and a body with every
//! error.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{OcciHost, RawResponse};

const AUTH: &str = "Host: h\r\nX-Auth-Token: token-demo\r\nX-Tenant-Name: demo\r\n";

#[tokio::test]
async fn head_is_get_without_the_body() {
    let host = OcciHost::start().await;
    host.put_cluster("default", "a=1").await;
    for path in [
        "/",
        "/-/",
        "/orchestrator/",
        "/orchestrator/default",
        "/orchestrator/nosuch",
        "/nosuch",
    ] {
        for accept in ["*/*", "text/occi", "application/occi+json", "text/html"] {
            let get = host
                .send(&format!("GET {path}\nAccept: {accept}"), "")
                .await;
            let head = host
                .send(&format!("HEAD {path}\nAccept: {accept}"), "")
                .await;
            let but_date = |answer: &RawResponse| {
                let mut headers: Vec<_> = answer
                    .headers
                    .iter()
                    .filter(|(name, _)| name != "date")
                    .cloned()
                    .collect();
                headers.sort();
                headers
            };
            assert_eq!(
                (head.status, but_date(&head)),
                (get.status, but_date(&get)),
                "{path} {accept}"
            );
            assert_eq!(head.body, "", "{path} {accept}");
        }
    }
    assert_eq!(host.memory.names(), ["default"]);
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_answer() {
    let host = OcciHost::start().await;
    for (request, body, status, words) in [
        ("GET /orchestrator/", "", 200, ""),
        (
            "POST /orchestrator/",
            "X-OCCI-Attribute: x=y",
            400,
            "Could not find a valid kind.",
        ),
    ] {
        let mut stream = host.connect().await;
        let raw = format!(
            "{request} HTTP/1.1\r\n{AUTH}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(raw.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = RawResponse::read_to_end(&mut stream).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, words),
            "{request}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_words() {
    let host = OcciHost::start().await;
    let long_line = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "x".repeat(70_000));
    let large = format!(
        "GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n",
        "x".repeat(600_000)
    );
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101));
    for (request, status, words) in [
        (
            "GET / HTTP/1.1\r\nX Y: z\r\n\r\n",
            400,
            "not a request of HTTP/1.1",
        ),
        ("GET\r\n\r\n", 400, "not a request of HTTP/1.1"),
        (
            "POST / HTTP/1.1\r\nContent-Length: nine\r\n\r\n",
            400,
            "Content-Length",
        ),
        (&long_line, 414, "longer than 65534 bytes"),
        (&large, 431, "more than 114688 bytes"),
        (&many, 431, "more than 100 header lines"),
    ] {
        // On a connection that has served already, and with everything sent before anything is
        // read.
        let mut stream = host.connect().await;
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            .await
            .unwrap();
        assert_eq!(RawResponse::read_one(&mut stream).await.status, 200);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream
            .read_to_end(&mut bytes)
            .await
            .unwrap_or_else(|error| panic!("{status}: {error}"));
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
        assert!(body.contains(words), "{status}: {text}");
        assert!(
            head.contains(&format!("Content-Length: {}", body.len()))
                && head.contains("Content-Type: text/plain")
                && head.contains("Cache-Control: no-store"),
            "{text}"
        );
    }
}
