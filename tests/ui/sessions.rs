//! Signing in and out, and how sessions end.

use stampede_tests::fake_openstack::PASSWORD;
use stampede_tests::wait_until;

use crate::fixture::PageFixture;

#[tokio::test]
async fn a_session_begins_with_a_new_id_and_ends_with_its_token() {
    let world = PageFixture::start().await;
    let mut visitor = world.visitor();
    let first = visitor.get("/ui/clusters/demo").await;
    assert_eq!(first.status, 303);
    assert_eq!(
        first.header("location"),
        "/ui/sign-in?next=%2Fui%2Fclusters%2Fdemo"
    );

    // A name that somebody else has planted names no session, before or after.
    let planted = format!("__Host-stampede={}", "A".repeat(43));
    visitor.cookie = Some(planted.clone());
    let wrong = visitor.sign_in("demo", "wrong-word").await;
    assert_eq!(wrong.status, 401);
    assert!(!wrong.text.contains("wrong-word") && wrong.text.contains("role=\"alert\""));
    visitor.cookie = Some(planted.clone());
    let right = visitor.sign_in("demo", PASSWORD).await;
    assert_eq!(
        (right.status.as_u16(), right.header("location")),
        (303, "/ui/clusters")
    );
    let set = right.header("set-cookie");
    for part in [
        "__Host-stampede=",
        "; Path=/",
        "; HttpOnly",
        "; Secure",
        "; SameSite=Lax",
    ] {
        assert!(set.contains(part), "{set}");
    }
    let mine = visitor.cookie.clone();
    assert_ne!(mine.as_deref(), Some(planted.as_str()));
    assert_eq!(visitor.get("/ui/clusters").await.status, 200);

    // Signing in once more ends the former session.
    assert_eq!(visitor.sign_in("demo", PASSWORD).await.status, 303);
    let mut former = world.visitor();
    former.cookie = mine;
    assert_eq!(former.get("/ui/clusters").await.status, 303);

    // Signing out ends the session, and its token at Keystone.
    let before = world
        .cloud
        .count_of("keystone", "DELETE", "/v3/auth/tokens");
    let mut other_tab = visitor.clone();
    let out = visitor.post("/ui/sign-out", &[]).await;
    assert_eq!(out.status, 200);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(
        world
            .cloud
            .count_of("keystone", "DELETE", "/v3/auth/tokens"),
        before + 1
    );
    assert_eq!(other_tab.get("/ui/clusters").await.status, 303);
}

#[tokio::test]
async fn a_pasted_token_is_good_until_it_ends_and_stands_nowhere() {
    let world = PageFixture::start().await;
    world.deploy("demo", "demo", &[]).await;
    let token = world.cloud.issue_token("demo");
    let mut visitor = world.visitor();
    assert_eq!(visitor.sign_in_by_token("no-such-token").await.status, 401);
    assert_eq!(visitor.sign_in_by_token(&token).await.status, 303);
    let mut pages = String::new();
    for path in [
        "/ui/clusters",
        "/ui/clusters/demo",
        "/ui/clusters/demo/delete",
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        pages.push_str(&answer.text);
    }
    // Live pages end with it too.
    let watched = visitor.clone();
    let stream = tokio::spawn(async move {
        watched
            .read_stream("/ui/clusters/demo/events", "event: signed-out")
            .await
    });
    world.cloud.expire_tokens();
    wait_until(70, "the session ends with its token", async || {
        Ok(visitor.get("/ui/clusters/demo").await.status == 303)
    })
    .await
    .unwrap();
    assert!(stream.await.unwrap().contains("id=\"live\""));
    let written = String::from_utf8_lossy(&world.written()).into_owned();
    for (place, text) in [("a page", &pages), ("the store or the log", &written)] {
        assert!(!text.contains(&token), "{place} has the token");
        assert!(!text.contains(PASSWORD), "{place} has the password");
    }
}

#[tokio::test]
async fn guessing_is_slowed_for_one_account_and_nobody_else() {
    let world = PageFixture::start().await;
    let mut visitor = world.visitor();
    for _ in 0..5 {
        assert_eq!(visitor.sign_in("demo", "guess").await.status, 401);
    }
    let asked = world.cloud.count_of("keystone", "POST", "/v3/auth/tokens");
    let slowed = visitor.sign_in("demo", PASSWORD).await;
    assert_eq!(slowed.status, 429);
    assert!(slowed.header("retry-after").parse::<u64>().unwrap() <= 3);
    assert_eq!(
        world.cloud.count_of("keystone", "POST", "/v3/auth/tokens"),
        asked,
        "Keystone is not asked"
    );
    assert_eq!(visitor.sign_in("other", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn an_application_credential_is_told_at_once_that_it_only_looks() {
    let world = PageFixture::start().await;
    let token = world.cloud.issue_application_credential_token("demo");
    let mut visitor = world.visitor();
    assert_eq!(visitor.sign_in_by_token(&token).await.status, 303);
    let page = visitor.get("/ui/clusters").await;
    assert!(
        page.text.contains("application credential"),
        "{}",
        page.text
    );
    let page = world.member("demo").await.get("/ui/clusters").await;
    assert!(!page.text.contains("application credential"));
}

#[tokio::test]
async fn a_form_whose_session_has_ended_is_kept_for_who_signs_in_again() {
    let world = PageFixture::start().await;
    let mut visitor = world.visitor();
    let typed = [
        ("name", "typed"),
        ("frameworks_shown", "1"),
        ("framework", "hadoop"),
        ("set.workers", "7"),
    ];
    let asked = visitor.post("/ui/new/preview", &typed).await;
    assert_eq!(asked.status, 401);
    assert!(
        asked.text.contains("what you typed is kept"),
        "{}",
        asked.text
    );
    let kept = asked.text.split("name=\"kept\" value=\"").nth(1).unwrap();
    let kept = kept.split('"').next().unwrap().replace("&amp;", "&");
    let next = "/ui/new";
    let login = [
        ("user", "demo"),
        ("password", PASSWORD),
        ("project", "demo"),
        ("next", next),
        ("kept", &kept),
    ];
    let signed_in = visitor.post("/ui/sign-in", &login).await;
    assert_eq!(signed_in.header("location"), next);
    let form = visitor.get(next).await;
    assert!(
        form.text.contains("name=\"name\" value=\"typed\""),
        "{}",
        form.text
    );
    assert!(
        form.text.contains("name=\"set.workers\" value=\"7\""),
        "{}",
        form.text
    );
    let again = visitor.get(next).await;
    assert!(!again.text.contains("value=\"typed\""), "it is filled once");

    // A form without anything typed leads back to its page, and one that is too long says so.
    visitor.cookie = None;
    let asked = visitor.post("/ui/clusters/demo/delete", &[]).await;
    assert_eq!(asked.status, 401);
    assert!(
        asked.text.contains("value=\"/ui/clusters/demo/delete\""),
        "{}",
        asked.text
    );
    let long = "x".repeat(16 * 1024);
    let asked = visitor.post("/ui/new", &[("name", &long)]).await;
    assert!(asked.text.contains("too much to be kept"), "{}", asked.text);
    assert!(!asked.text.contains(&long));
}

#[tokio::test]
async fn a_session_has_fewer_streams_than_browsers_have_connections() {
    let world = PageFixture::start().await;
    world.deploy("demo", "demo", &[]).await;
    let mut visitor = world.member("demo").await;
    let path = "/ui/clusters/demo/events";
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(visitor.open_stream(path).await);
    }
    assert!(open.iter().all(|stream| stream.status() == 200));
    let refused = visitor.get(path).await;
    assert_eq!(refused.status, 503);
    assert!(!refused.header("retry-after").is_empty());
    // Another session has its own.
    let other = world.member("demo").await;
    assert_eq!(other.open_stream(path).await.status(), 200);
    open.pop();
    wait_until(30, "a place is free", async || {
        Ok(visitor.open_stream(path).await.status() == 200)
    })
    .await
    .unwrap();
}
