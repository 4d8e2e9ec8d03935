//! What a node, Heat or another user wrote never reaches a terminal as it is.

use stampede_tests::fake_openstack::CreateFails;

use super::{DEPLOY, Ended, Terminal};

/// Clears a screen, turns the writing direction, begins a line of its own.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{202e}evil\rstate active\u{2028}\u{7}";

fn assert_harmless(ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        let raw = |c: &char| *c != '\n' && (c.is_control() || "\u{202e}\u{2028}".contains(*c));
        assert_eq!(text.chars().find(raw), None, "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_prints_what_a_terminal_acts_on() {
    let terminal = Terminal::new().await;
    terminal.cloud.next_create_fails(CreateFails::Server {
        node: "worker-1".to_owned(),
        reason: format!("no host\nstate       active {HOSTILE}"),
    });
    let deploy = [&DEPLOY[..], &["--wait"]].concat();
    let deployed = terminal.run(&deploy).await;
    assert_eq!(deployed.code, Some(6), "{deployed:?}");
    assert!(deployed.err.contains("evil"), "{deployed:?}");
    assert_harmless(&deployed);
    let stack = terminal.first_stack().await;
    let handle = "progress_handle";
    let line = format!("worker-1 hadoop setup detail {HOSTILE}");
    assert!(terminal.cloud.signal(&stack, handle, "x", "SUCCESS", &line));
    for arguments in [
        &["show", "demo"][..],
        &["show", "demo", "-f", "json"],
        &["list"],
        &["list", "-f", "json"],
        &["wait", "demo"],
        &["update", "demo", "--workers", "2"],
        &["show", HOSTILE],
    ] {
        let ended = terminal.run(arguments).await;
        assert_harmless(&ended);
        if arguments == ["show", "demo"] {
            assert!(ended.out.contains("evil"), "{ended:?}");
            let states = ended.out.lines().filter(|line| line.starts_with("state "));
            assert_eq!(states.count(), 1, "{}", ended.out);
        }
    }
    let shown = terminal.json(&["show", "demo"]).await;
    assert!(
        shown["failure"].as_str().unwrap().contains("\u{202e}evil"),
        "a program is told what was said: {shown}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_prints_a_line_an_event() {
    let terminal = Terminal::standing_still().await;
    let mut command = terminal.command(&["show", HOSTILE]);
    let output = command.env("STAMPEDE_LOG", "debug").output().await.unwrap();
    let ended = Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_harmless(&ended);
}
