//! Malformed and random input: every client gets a response or a closed connection, and the next
//! client is served.

use proptest::prelude::*;

use crate::client::{OcciHost, category_line};

#[tokio::test]
async fn what_is_not_http_is_refused_and_the_next_client_served() {
    let host = OcciHost::start().await;
    for bytes in [
        &b"\r\n\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nX Y: z\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: \x00\r\n\r\n",
        b"POST /orchestrator/a HTTP/1.1\r\nContent-Length: nine\r\n\r\n",
        b"POST /orchestrator/a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /orchestrator/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\xff\xfe\xfd\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = host.connect().await;
        tokio::io::AsyncWriteExt::write_all(&mut stream, bytes)
            .await
            .unwrap();
        tokio::io::AsyncWriteExt::shutdown(&mut stream)
            .await
            .unwrap();
        let answer = crate::client::RawResponse::read_to_end(&mut stream).await;
        assert!(
            matches!(answer.status, 0 | 400..=499),
            "{bytes:?}: {answer:?}"
        );
        assert_eq!(
            host.send("GET /orchestrator/", "").await.status,
            200,
            "after {bytes:?}"
        );
    }
}

#[test]
fn any_value_comes_back_whole_in_json_and_splits_no_header() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let host = runtime.block_on(OcciHost::start());
    runtime.block_on(host.put_cluster("default", "v=1"));
    proptest!(ProptestConfig::with_cases(200), |(value in any::<String>())| {
        runtime.block_on(async {
            let body = serde_json::json!({"attributes": {"v": value}}).to_string();
            let posted = host.send("POST /orchestrator/default\nContent-Type: application/occi+json\nAccept: text/occi", &body).await;
            prop_assert_eq!(posted.status, 200, "{}", posted.body);
            prop_assert_eq!(posted.joined_header("x-occi-attribute").split(", ").count(), 5);
            prop_assert_eq!(posted.body, "OK");
            let plain = host.send("GET /orchestrator/default", "").await;
            prop_assert_eq!(plain.body.lines().count(), 11);
            let attributes = host.fetch_attributes("default").await;
            prop_assert_eq!(attributes["v"].as_str(), Some(value.as_str()));
            Ok(())
        })?;
    });
}

#[test]
fn any_header_gets_an_answer_of_this_service() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let host = runtime.block_on(OcciHost::start());
    let kind = category_line("orchestrator");
    proptest!(ProptestConfig::with_cases(200), |(value in "[a=\"', \\\\;<>#%\u{e9}]{0,40}", name in "(X-OCCI-Attribute|Category|Link|Accept)")| {
        let answer = runtime.block_on(host.send(&format!("PUT /orchestrator/x\n{kind}\n{name}: {value}"), ""));
        prop_assert!(matches!(answer.status, 200 | 201 | 400 | 406), "{}: {:?}", value, answer);
        runtime.block_on(host.send("DELETE /orchestrator/x", ""));
    });
}
