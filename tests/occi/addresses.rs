//! Under which URL clients know the service: by their Host, by the operator's word, and by the word
//! of proxies that the operator trusts.

use stampede::addressing::AddressingConfig;

use crate::client::{OcciHost, RawResponse, S, category_line};

async fn host_at(addressing: AddressingConfig) -> OcciHost {
    let host = OcciHost::start_configured(|config| config.addressing = addressing).await;
    host.put_cluster("first", "a=1").await;
    let mixin = "Category: m; scheme=\"http://e.example.org#\"; class=\"mixin\"; location=\"/m/\"";
    assert_eq!(
        host.send(&format!("POST /-/\n{mixin}"), "").await.status,
        200
    );
    host
}

fn behind_proxy(proxies: &str) -> AddressingConfig {
    AddressingConfig {
        trusted_proxies: proxies.parse().unwrap(),
        ..AddressingConfig::default()
    }
}

fn public(url: &str) -> AddressingConfig {
    AddressingConfig {
        public_url: Some(url.parse().unwrap()),
        ..AddressingConfig::default()
    }
}

/// Asserts that every URL of every rendering begins with `base`, when a request has these headers,
/// and that paths stand behind the prefix.
async fn assert_urls(host: &OcciHost, headers: &str, base: &str, prefix: &str) {
    let kind = category_line("orchestrator");
    for path in ["second", "third"] {
        let _ = host.send(&format!("DELETE /orchestrator/{path}"), "").await;
    }
    let put = host
        .send(&format!("PUT /orchestrator/second\n{kind}\n{headers}"), "")
        .await;
    assert_eq!(
        put.header("location"),
        Some(format!("{base}/orchestrator/second").as_str())
    );
    let (first, second) = (
        format!("{base}/orchestrator/first"),
        format!("{base}/orchestrator/second"),
    );
    let list = get(host, "/orchestrator/", "text/occi", headers).await;
    assert_eq!(
        list.joined_header("x-occi-location"),
        format!("{first}, {second}")
    );
    let list = get(host, "/orchestrator/", "text/plain", headers).await;
    assert_eq!(
        list.body,
        format!("\nX-OCCI-Location: {first}\nX-OCCI-Location: {second}")
    );
    let list = get(host, "/orchestrator/", "text/uri-list", headers).await;
    assert_eq!(
        list.body,
        format!("# uri:/orchestrator/\n{first}\n{second}")
    );
    assert_entity_urls(host, headers, base, prefix).await;
    assert_pages(host, headers, prefix).await;
    // What was read here is taken back.
    for location in [
        &first,
        &format!("{prefix}/orchestrator/first"),
        &"/orchestrator/first".to_owned(),
    ] {
        let tagged = host
            .send(
                &format!("POST /m/\nX-OCCI-Location: {location}\n{headers}"),
                "",
            )
            .await;
        assert_eq!(tagged.status, 200, "{location}: {}", tagged.body);
    }
    let through = format!("GET {prefix}/orchestrator/first\n{headers}");
    let through = host.send(&through, "").await;
    assert_eq!(
        through.status, 200,
        "a proxy may leave the prefix in the path"
    );
}

async fn get(host: &OcciHost, path: &str, accept: &str, headers: &str) -> RawResponse {
    let ask = format!("GET {path}\nAccept: {accept}\n{headers}");
    let answer = host.send(&ask, "").await;
    assert_eq!(answer.status, 200, "{ask}: {}", answer.body);
    answer
}

/// The same of the renderings of one entity and of the query interface.
async fn assert_entity_urls(host: &OcciHost, headers: &str, base: &str, prefix: &str) {
    let location = format!("location=\"{base}/orchestrator/\"");
    let link = format!("<{prefix}/orchestrator/first?action=deploy>; rel=\"{S}deploy\"");
    let plain = get(host, "/orchestrator/first", "text/plain", headers)
        .await
        .body;
    assert!(
        plain.contains(&location) && plain.contains(&link),
        "{plain}"
    );
    let occi = get(host, "/orchestrator/first", "text/occi", headers).await;
    assert!(
        occi.joined_header("category").contains(&location),
        "{occi:?}"
    );
    assert_eq!(occi.header("link"), Some(link.as_str()));
    let json = get(
        host,
        "/orchestrator/first",
        "application/occi+json",
        headers,
    )
    .await
    .json();
    assert_eq!(
        json["actions"][0]["link"],
        format!("{prefix}/orchestrator/first?action=deploy")
    );
    assert_eq!(json["kind"]["location"], format!("{prefix}/orchestrator/"));
    assert_eq!(
        json["attributes"]["occi.core.id"], "/orchestrator/first",
        "who it is stays"
    );
    let query = get(host, "/-/", "text/plain", headers).await.body;
    assert!(
        query.contains(&location) && query.contains(&format!("location=\"{base}/m/\"")),
        "{query}"
    );
}

/// Links and buttons of all pages stand behind the prefix.
async fn assert_pages(host: &OcciHost, headers: &str, prefix: &str) {
    for path in ["/", "/orchestrator/", "/orchestrator/first", "/-/"] {
        let page = get(host, path, "text/html", headers)
            .await
            .body
            .replace("&#x2f;", "/");
        let local = page
            .split("href=\"")
            .skip(1)
            .chain(page.split("action=\"").skip(1));
        for url in local.map(|rest| rest.split('"').next().unwrap()) {
            assert!(url.starts_with(&format!("{prefix}/")), "{path}: {url}");
        }
    }
}

#[tokio::test]
async fn a_public_url_stands_in_everything_that_is_answered() {
    for (url, prefix) in [
        ("https://so.example.org", ""),
        ("https://so.example.org:8443/stampede", "/stampede"),
        ("http://[2001:db8::1]:8080/a/b", "/a/b"),
    ] {
        let host = host_at(public(&format!("{url}/"))).await;
        for headers in [
            "",
            "Host: 10.0.0.5:8080",
            "X-Forwarded-Proto: http\nX-Forwarded-Host: evil",
        ] {
            assert_urls(&host, headers, url, prefix).await;
        }
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_what_its_client_used() {
    let host = host_at(behind_proxy("127.0.0.0/8")).await;
    for (headers, base, prefix) in [
        (
            "Host: so.example.org\nX-Forwarded-Proto: https",
            "https://so.example.org",
            "",
        ),
        (
            "Host: so.example.org\nX-Forwarded-Proto: https\nX-Forwarded-Prefix: /stampede",
            "https://so.example.org/stampede",
            "/stampede",
        ),
        (
            "X-Forwarded-Proto: https\nX-Forwarded-Host: so.example.org:8443",
            "https://so.example.org:8443",
            "",
        ),
        (
            "Forwarded: for=192.0.2.1;proto=https;host=\"[2001:db8::1]:8443\"",
            "https://[2001:db8::1]:8443",
            "",
        ),
        (
            "Forwarded: proto=https;host=so.example.org\nX-Forwarded-Host: SO.example.org:443",
            "https://so.example.org",
            "",
        ),
        (
            "Forwarded: proto=http;host=evil, for=192.0.2.1;proto=https;host=so.example.org",
            "https://so.example.org",
            "",
        ),
    ] {
        assert_urls(&host, headers, base, prefix).await;
    }
    for hostile in [
        "X-Forwarded-Host: a\", evil; x",
        "X-Forwarded-Proto: javascript",
        "X-Forwarded-Prefix: //evil.example.org",
        "Forwarded: host=\"evil",
        "Forwarded: proto=http\nX-Forwarded-Proto: https",
        "Forwarded: proto=https;host=h\nX-Forwarded-Host: h:8443",
    ] {
        for rendering in ["text/plain", "text/html"] {
            let answer = host
                .send(
                    &format!("GET /orchestrator/\nAccept: {rendering}\n{hostile}"),
                    "",
                )
                .await;
            assert_eq!(answer.status, 400, "{hostile}: {answer:?}");
            assert!(!format!("{answer:?}").contains("evil"), "{answer:?}");
        }
    }
}

/// The path that the proxy in front is given can be one of this service's own.
#[tokio::test]
async fn a_prefix_may_be_spelled_as_a_path_of_the_service() {
    for prefix in [
        "/orchestrator",
        "/m",
        "/framework",
        "/framework/hadoop",
        "/link",
        "/-",
    ] {
        let url = format!("https://so.example.org{prefix}");
        let forwarded = format!("X-Forwarded-Prefix: {prefix}");
        let settings = [
            (public(&url), ""),
            (behind_proxy("127.0.0.0/8"), forwarded.as_str()),
        ];
        for (addressing, headers) in settings {
            // The mixin at `/m/` is older than the proxy.
            let host = OcciHost::start_configured(|config| config.addressing = addressing).await;
            host.put_cluster("first", "stampede.framework=hadoop").await;
            let mixin = "Category: m; scheme=\"http://e.example.org#\"; class=\"mixin\"; location=\"/m/m/\"";
            let defined = host
                .send(&format!("POST /-/\n{mixin}\n{headers}"), "")
                .await;
            assert_eq!(defined.status, 200, "{prefix}: {}", defined.body);
            for location in [
                "/orchestrator/first",
                &format!("{prefix}/orchestrator/first"),
            ] {
                let at = if prefix == "/m" { "/m/" } else { "/m/m/" };
                let tag = format!("POST {at}\nX-OCCI-Location: {location}\n{headers}");
                assert_eq!(host.send(&tag, "").await.status, 200, "{prefix} {location}");
                for path in [
                    "/orchestrator/",
                    "/framework/hadoop/",
                    at,
                    &format!("{prefix}/orchestrator/"),
                    &format!("{prefix}/framework/hadoop/"),
                    &format!("{prefix}{at}"),
                ] {
                    let list = get(&host, path, "text/uri-list", headers).await.body;
                    assert!(
                        list.contains("/orchestrator/first"),
                        "{prefix} {path}: {list}"
                    );
                }
                for path in ["/orchestrator/first", location, "/", "/-/"] {
                    get(&host, path, "text/plain", headers).await;
                }
            }
            let nobody = format!(
                "GET /orchestrator/ HTTP/1.1\r\nHost: h\r\n{headers}{}Connection: close\r\n\r\n",
                if headers.is_empty() { "" } else { "\r\n" }
            );
            let nobody = host.send_bytes(nobody.as_bytes()).await;
            assert_eq!(nobody.status, 403, "{prefix}: {nobody:?}");
        }
    }
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let told = "Host: h.example.org\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil.example.org\n\
        Forwarded: proto=https;host=evil.example.org\nX-Forwarded-Prefix: /evil";
    for addressing in [
        AddressingConfig::default(),
        behind_proxy("192.0.2.0/24, ::1"),
    ] {
        let host = host_at(addressing).await;
        assert_urls(&host, told, "http://h.example.org", "").await;
    }
}

#[tokio::test]
async fn an_absolute_uri_a_missing_host_and_several_are_told_apart() {
    let host = host_at(AddressingConfig::default()).await;
    let ask = async |line: &str, headers: &str| {
        let auth = "X-Auth-Token: token-demo\r\nX-Tenant-Name: demo\r\nAccept: text/uri-list\r\nConnection: close";
        host.send_bytes(format!("{line}\r\n{headers}{auth}\r\n\r\n").as_bytes())
            .await
    };
    let local = format!("http://{}", host.api);
    for (line, headers, base) in [
        (
            "GET http://so.example.org/orchestrator/ HTTP/1.1",
            "Host: other\r\n",
            "http://so.example.org",
        ),
        ("GET /orchestrator/ HTTP/1.0", "", local.as_str()),
        ("GET /orchestrator/ HTTP/1.1", "", &local),
        ("GET /orchestrator/ HTTP/1.1", "Host: \r\n", &local),
    ] {
        let answer = ask(line, headers).await;
        assert_eq!(answer.status, 200, "{line}: {answer:?}");
        assert!(
            answer
                .body
                .contains(&format!("\n{base}/orchestrator/first")),
            "{line}: {}",
            answer.body
        );
    }
    for headers in [
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: u@h\r\n",
        "Host: h:99999\r\n",
    ] {
        assert_eq!(
            ask("GET /orchestrator/ HTTP/1.1", headers).await.status,
            400,
            "{headers}"
        );
    }
    let root = host
        .send_bytes(b"GET http://h HTTP/1.1\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(
        root.status, 200,
        "an absolute URI without a path is the root"
    );
}

#[tokio::test]
async fn caches_keep_nothing_whatever_is_answered() {
    let host = host_at(AddressingConfig::default()).await;
    let kind = category_line("orchestrator");
    for rendering in [
        "text/plain",
        "text/occi",
        "application/occi+json",
        "text/uri-list",
        "text/html",
    ] {
        for request in [
            "GET /",
            "GET /-/",
            "HEAD /orchestrator/",
            "GET /orchestrator/",
            "GET /orchestrator/first",
            "GET /orchestrator/first",
            "HEAD /orchestrator/first",
            "GET /m/",
            "GET /orchestrator/nosuch",
            "GET /nosuch",
            "OPTIONS /orchestrator/",
            &format!("PUT /orchestrator/first\n{kind}"),
            &format!(
                "PUT /orchestrator/{}\n{kind}",
                rendering.replace(['/', '+'], "-")
            ),
            "POST /orchestrator/first\nX-OCCI-Attribute: b=1",
            "POST /orchestrator/first\nX-OCCI-Attribute: b=\"",
            "DELETE /orchestrator/nosuch",
        ] {
            let answer = host
                .send(&format!("{request}\nAccept: {rendering}"), "")
                .await;
            assert_eq!(
                answer.header("cache-control"),
                Some("no-store"),
                "{request} {rendering}"
            );
            let vary = answer.header("vary").unwrap();
            for header in ["Accept", "X-Auth-Token", "X-Tenant-Name"] {
                assert!(vary.contains(header), "{request} {rendering}: {vary}");
            }
        }
    }
    let nobody = host
        .send_bytes(b"GET /orchestrator/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(
        (nobody.status, nobody.header("cache-control")),
        (403, Some("no-store"))
    );
}
