//! Logins that end while a command goes on.

use std::time::Duration;

use stampede_tests::{
    fake_openstack::{FaultKind, InjectedFault, StackPace},
    wait_until,
};

use super::{DEPLOY, Terminal, end_of};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_ended_is_renewed_in_the_middle_of_a_wait() {
    let terminal = Terminal::standing_still().await;
    let child = terminal.start(&[&DEPLOY[..], &["--wait"]].concat());
    terminal.first_stack().await;
    terminal.cloud.expire_tokens();
    terminal.logins(2).await;
    terminal.cloud.finish();
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("`demo` is active"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_ended_is_renewed_in_the_middle_of_a_rollout() {
    let terminal = Terminal::with_pace(StackPace::Tick(Duration::from_millis(300))).await;
    terminal.done(&[&DEPLOY[..], &["--wait"]].concat()).await;
    let child = terminal.start(&["update", "demo", "--set", "hadoop.block_size_mib=64"]);
    let begun = async || Ok(terminal.cloud.count_of("heat", "PUT", "/stacks") > 0);
    wait_until(30, "the first step is sent", begun)
        .await
        .unwrap();
    terminal.cloud.expire_tokens();
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("step 2 of 2"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_renewed_before_its_token_ends() {
    let terminal = Terminal::standing_still().await;
    terminal.cloud.set_token_life(Duration::from_secs(2));
    let child = terminal.start(&[&DEPLOY[..], &["--wait"]].concat());
    terminal.first_stack().await;
    // No token was refused: the old one is good until the test ends it.
    terminal.logins(2).await;
    terminal.cloud.finish();
    let ended = end_of(child).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_by_token_says_that_it_cannot_be_renewed() {
    let terminal = Terminal::standing_still().await;
    let token = terminal.cloud.issue_token("demo");
    let mut command = terminal.command(&[&DEPLOY[..], &["--wait"]].concat());
    let child = command
        .env_remove("OS_USERNAME")
        .env_remove("OS_PASSWORD")
        .env("OS_TOKEN", &token)
        .spawn()
        .unwrap();
    terminal.first_stack().await;
    terminal.cloud.expire_tokens();
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(
        ended.err.contains("a login by token cannot be renewed")
            && ended.err.contains("`stampede wait demo` goes on"),
        "{ended:?}"
    );
    assert!(!ended.err.contains(&token));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_later_end_the_wait() {
    let terminal = Terminal::standing_still().await;
    let child = terminal.start(&[&DEPLOY[..], &["--wait"]].concat());
    terminal.first_stack().await;
    let refused = InjectedFault::of("keystone", u32::MAX, FaultKind::Status(401, None));
    terminal.cloud.fault(refused.only("POST", "/auth/tokens"));
    terminal.cloud.expire_tokens();
    let ended = end_of(child).await;
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(
        ended.err.contains("keystone refuses the credentials"),
        "{ended:?}"
    );
}
