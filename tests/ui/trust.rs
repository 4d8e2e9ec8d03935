//! What other sites, other projects, and the texts of clusters cannot do.

use stampede_tests::fake_openstack::PASSWORD;

use crate::fixture::PageFixture;

const EVIL: &str = "<script>alert('x')</script>\"'>";

#[tokio::test]
async fn forms_of_other_sites_do_nothing() {
    let world = PageFixture::start().await;
    world.deploy("demo", "demo", &[]).await;
    let mut visitor = world.member("demo").await;
    let own = world.host.url.clone();
    let foreign: [(&'static str, String); 4] = [
        ("sec-fetch-site", "cross-site".into()),
        ("sec-fetch-site", "same-site".into()),
        ("origin", "https://evil.example".into()),
        ("origin", "null".into()),
    ];
    for header in foreign {
        visitor.headers = vec![header.clone()];
        for (path, fields) in [
            (
                "/ui/sign-in",
                vec![("user", "other"), ("password", PASSWORD)],
            ),
            ("/ui/sign-out", vec![]),
            ("/ui/clusters/demo/delete", vec![("name", "demo")]),
            ("/ui/clusters/demo/secret", vec![("endpoint", "x")]),
            ("/ui/clusters/demo/end", vec![("expires", "8h")]),
            ("/ui/clusters/demo/upgrade/begin", vec![("revision", "x")]),
        ] {
            let answer = visitor.post(path, &fields).await;
            assert_eq!(answer.status, 403, "{path} {header:?}");
            assert_eq!(answer.header("set-cookie"), "", "{path}");
        }
    }
    visitor.headers = vec![("origin", own), ("sec-fetch-site", "same-origin".into())];
    assert_eq!(visitor.get("/ui/clusters/demo").await.status, 200);
    // A GET changes nothing, and a name that is not the cluster's neither.
    assert_eq!(visitor.get("/ui/sign-out").await.status, 405);
    assert_eq!(visitor.get("/ui/clusters/demo/secret").await.status, 405);
    assert_eq!(visitor.get("/ui/clusters/demo/end").await.status, 405);
    let begin = "/ui/clusters/demo/upgrade/begin";
    assert_eq!(visitor.get(begin).await.status, 405);
    let page = visitor.get("/ui/clusters/demo").await.text;
    assert!(
        !page.contains("Ends in"),
        "no other site has given it an end"
    );
    let wrong = visitor
        .post("/ui/clusters/demo/delete", &[("name", "dem")])
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(visitor.get("/ui/clusters/demo").await.status, 200);
    let gone = visitor
        .post("/ui/clusters/demo/delete", &[("name", "demo")])
        .await;
    assert_eq!(
        (gone.status.as_u16(), gone.header("location")),
        (303, "/ui/clusters?deleted=demo")
    );
    let list = visitor.get("/ui/clusters").await;
    assert!(list.text.contains("being deleted"), "{}", list.text);
}

#[tokio::test]
async fn an_end_is_given_and_taken_away() {
    let world = PageFixture::start().await;
    world.deploy("demo", "demo", &[]).await;
    let mut visitor = world.member("demo").await;
    let ended = visitor
        .post("/ui/clusters/demo/end", &[("expires", "8h")])
        .await;
    assert_eq!(ended.header("location"), "/ui/clusters/demo");
    let page = visitor.get("/ui/clusters/demo").await.text;
    assert!(
        page.contains("Ends in 7 h") || page.contains("Ends in 8 h"),
        "{page}"
    );
    let other = [("other", "next week")];
    let wrong = visitor.post("/ui/clusters/demo/end", &other).await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.text.contains("neither an age nor a moment"),
        "{}",
        wrong.text
    );
    let list = visitor.get("/ui/clusters?ends=1").await.text;
    let is_told = list.contains("in 7 h") || list.contains("in 8 h");
    assert!(list.contains("1 of 1 shown") && is_told, "{list}");
    let other = [("other", "never")];
    visitor.post("/ui/clusters/demo/end", &other).await;
    let list = visitor.get("/ui/clusters?ends=1").await.text;
    assert!(list.contains("0 of 1 shown"), "{list}");
}

#[tokio::test]
async fn every_page_forbids_scripts_of_others_and_frames() {
    let world = PageFixture::start().await;
    let mut visitor = world.member("demo").await;
    for path in [
        "/ui/clusters",
        "/ui/no-such-page",
        "/ui/clusters/none",
        "/ui/sign-out",
    ] {
        let answer = visitor.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(
            answer.header("cache-control").contains("no-store"),
            "{path}"
        );
        assert!(
            !answer.text.contains("style=") && !answer.text.contains("onclick"),
            "{path}"
        );
        for outside in ["http://", "https://", "//"] {
            let loads = |kind: &str| answer.text.contains(&format!("{kind}=\"{outside}"));
            assert!(
                !loads("src") && !loads("href"),
                "{path} loads from elsewhere"
            );
        }
    }
    let page = visitor.get("/ui/clusters").await;
    let style = page
        .text
        .split("href=\"")
        .find(|part| part.contains(".css\""))
        .unwrap();
    let style = style.split('"').next().unwrap();
    let answer = visitor.get(style).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.header("cache-control").contains("immutable"),
        "{style}"
    );
    assert_eq!(answer.header("set-cookie"), "");
    assert_eq!(
        visitor
            .get("/ui/static/0000000000000000/stampede.css")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn texts_of_clients_and_nodes_are_text() {
    let world = PageFixture::start().await;
    world.deploy("demo", "demo", &[("evil.text", EVIL)]).await;
    world.cloud.step();
    let stack = world.cloud.stacks()[0].0.clone();
    let line = format!("worker-1 hadoop setup failed line 4: {EVIL}");
    assert!(
        world
            .cloud
            .signal(&stack, "progress_handle", "x", "SUCCESS", &line)
    );
    let mut visitor = world.member("demo").await;
    let page = visitor.get("/ui/clusters/demo").await;
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    assert!(page.text.contains("&lt;script&gt;alert"), "{}", page.text);
    for path in [
        "/ui/clusters?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/ui/clusters?deleted=%3Cscript%3Ealert(1)%3C/script%3E",
        "/ui/clusters/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ] {
        let page = visitor.get(path).await;
        assert!(
            !page.text.contains("<script>alert"),
            "{path}: {}",
            page.text
        );
    }
    let away = visitor.post(
        "/ui/sign-in?next=//evil.example",
        &[
            ("user", "demo"),
            ("password", PASSWORD),
            ("project", "demo"),
            ("next", "//evil.example/ui/"),
        ],
    );
    assert_eq!(away.await.header("location"), "/ui/clusters");
}

#[tokio::test]
async fn a_user_of_another_project_sees_and_does_nothing() {
    let world = PageFixture::start().await;
    world.deploy("demo", "theirs", &[]).await;
    let mut visitor = world.member("other").await;
    let list = visitor.get("/ui/clusters").await;
    assert!(!list.text.contains("theirs") && list.text.contains("no cluster"));
    for path in ["", "/events", "/delete", "/upgrade"] {
        let answer = visitor.get(&format!("/ui/clusters/theirs{path}")).await;
        if path == "/events" {
            assert!(answer.text.contains("event: gone"), "{}", answer.text);
        } else {
            assert_eq!(answer.status, 404, "{path}");
        }
    }
    let delete = visitor
        .post("/ui/clusters/theirs/delete", &[("name", "theirs")])
        .await;
    assert_eq!(delete.status, 404);
    let secret = visitor
        .post("/ui/clusters/theirs/secret", &[("endpoint", "x")])
        .await;
    assert_eq!(secret.status, 404);
    let mut owner = world.member("demo").await;
    assert_eq!(owner.get("/ui/clusters/theirs").await.status, 200);
}

#[tokio::test]
async fn nobody_signs_in_where_others_could_read_the_password() {
    let world = PageFixture::start().await;
    let mut visitor = world.visitor();
    visitor.headers = vec![("host", "so.example.org".into())];
    let form = visitor.get("/ui/sign-in").await;
    assert!(!form.text.contains("type=\"password\"") && form.text.contains("--public-url"));
    let asked = world.cloud.count_of("keystone", "POST", "/v3/auth/tokens");
    let refused = visitor.sign_in("demo", PASSWORD).await;
    assert_eq!(
        (refused.status.as_u16(), refused.header("set-cookie")),
        (403, "")
    );
    assert_eq!(
        world.cloud.count_of("keystone", "POST", "/v3/auth/tokens"),
        asked
    );
}

#[tokio::test]
async fn filters_stand_in_the_url_and_say_how_many_are_shown() {
    let world = PageFixture::start().await;
    for name in ["ab", "bc", "cd"] {
        let token = world.cloud.issue_token("demo");
        let client = stampede_tests::client::OcciClient::new(&world.host.url, &token, "demo");
        let given = [("stampede.framework", "hadoop")];
        let (status, text) = client.unwrap().put(name, &given).await.unwrap();
        assert_eq!(status, 201, "{text}");
    }
    let mut visitor = world.member("demo").await;
    for (query, shown) in [
        ("", "3 of 3 shown"),
        ("?q=B", "2 of 3 shown"),
        ("?q=hadoop&state=requested", "3 of 3 shown"),
        ("?state=running", "0 of 3 shown"),
        ("?state=no-such-state&page=99", "3 of 3 shown"),
    ] {
        let page = visitor.get(&format!("/ui/clusters{query}")).await;
        assert!(page.text.contains(shown), "{query}: {}", page.text);
    }
}
