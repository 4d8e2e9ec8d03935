//! The sandbox gives a guest nothing of the world, and authors learn of their mistakes.

use stampede::plugin::PluginFault;

use super::{assert_fault, bad, broken_down, evil, good};

#[tokio::test]
async fn a_panic_ends_the_call_and_its_message_is_shown() {
    let error = broken_down(&evil(), "panic", 0).await;
    assert!(
        error.stderr.contains("the author's mistake") && error.stderr.contains("evil.rs"),
        "{error}"
    );
    assert!(
        error.to_string().contains("the author's mistake"),
        "the message carries it: {error}"
    );
}

#[tokio::test]
async fn a_trap_and_an_exit_end_the_call() {
    let registry = evil();
    let error = broken_down(&registry, "trap", 0).await;
    assert!(error.to_string().contains("unreachable"), "{error}");
    // The exit code is not handed on by WASI 0.2, only that it was not 0.
    assert_fault(
        &bad(&registry, "exit", 0).await.fault,
        &PluginFault::Exit(1),
    );
}

#[tokio::test]
async fn there_are_no_files() {
    let registry = evil();
    for deed in ["read file", "write file", "list folder"] {
        let error = broken_down(&registry, deed, 0).await;
        assert!(error.stderr.contains("kind: NotFound"), "{deed}: {error}");
    }
    assert!(
        std::path::Path::new("/etc/passwd").exists() && !std::path::Path::new("/tmp/evil").exists()
    );
}

#[tokio::test]
async fn there_are_no_sockets() {
    let registry = evil();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = usize::from(listener.local_addr().unwrap().port());
    for deed in ["connect", "listen", "send"] {
        let error = broken_down(&registry, deed, port).await;
        assert!(error.stderr.contains("PermissionDenied"), "{deed}: {error}");
    }
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "nobody knocked"
    );
}

#[tokio::test]
async fn there_is_no_environment_and_no_input_and_time_stands_still() {
    let registry = evil();
    assert_eq!(good(&registry, "look around", 0).await, "[] [] Ok(0ns) 0ns");
    assert_eq!(good(&registry, "read input", 0).await, "0");
}

#[tokio::test]
async fn randomness_is_the_same_in_every_call_and_every_engine() {
    let (one, other) = (evil(), evil());
    let drawn = good(&one, "draw lots", 0).await;
    assert_eq!(good(&one, "draw lots", 0).await, drawn);
    assert_eq!(good(&other, "draw lots", 0).await, drawn);
}

#[tokio::test]
async fn what_processors_compute_differently_is_the_same_on_all() {
    let registry = evil();
    // x86 makes a negative one of 0/0, others a positive.
    assert_eq!(
        good(&registry, "make no number", 0).await,
        "7ff8000000000000"
    );
    // Rounded once: 2^-24; a processor without fused multiplication would round twice, to 0.
    assert_eq!(
        good(&registry, "multiply and add", 0).await,
        (1.0_f32 / 16_777_216.0).to_string()
    );
}
