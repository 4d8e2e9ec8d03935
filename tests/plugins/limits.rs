//! Each limit from both sides, with a real guest.

use std::time::Duration;

use stampede::{
    plugin::{PluginFault, PluginLimits, PluginRegistry},
    system::heavy_work,
};

use stampede_tests::artifacts;

use super::{LIMITS, ask, assert_fault, bad, broken_down, evil, folder, good};

#[tokio::test]
async fn a_guest_that_computes_for_ever_is_stopped_and_others_run_meanwhile() {
    let registry = evil();
    // On this one thread: the guest gives way at every tick, or the other would have to wait for
    // its end.
    let (looping, other) = tokio::join!(bad(&registry, "loop", 0), async {
        tokio::task::yield_now().await;
        good(&registry, "good", 0).await
    });
    assert_fault(
        &looping.fault,
        &PluginFault::Time {
            limit: LIMITS.time,
            waited: false,
        },
    );
    assert_eq!(other, "good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_sleeps_is_stopped_at_the_same_time() {
    let registry = evil();
    assert_eq!(good(&registry, "sleep", 1).await, "slept");
    let error = bad(&registry, "sleep", 3_600_000).await;
    assert_fault(
        &error.fault,
        &PluginFault::Time {
            limit: LIMITS.time,
            waited: true,
        },
    );
    assert!(
        error
            .to_string()
            .contains("did not answer within 2 s: it waited"),
        "{error}"
    );
}

#[tokio::test]
async fn more_calls_than_run_at_once_wait_for_their_turn() {
    let cache = artifacts::target_folder().join("guests/cache");
    let registry = PluginRegistry::load(
        folder(&["evil"]).path(),
        Some(&cache),
        PluginLimits { calls: 1, ..LIMITS },
    )
    .unwrap();
    let (first, second) = tokio::join!(bad(&registry, "loop", 0), good(&registry, "good", 0));
    assert!(matches!(first.fault, PluginFault::Time { .. }));
    assert_eq!(second, "good", "waiting is not counted as running");
}

#[tokio::test]
async fn memory_is_granted_up_to_the_limit_and_not_past_it() {
    let registry = evil();
    let half = LIMITS.memory_bytes / 2;
    assert_eq!(good(&registry, "allocate", half).await, half.to_string());
    let error = bad(&registry, "allocate", LIMITS.memory_bytes).await;
    assert_fault(
        &error.fault,
        &PluginFault::Memory {
            limit_bytes: LIMITS.memory_bytes,
        },
    );
    assert!(
        error
            .to_string()
            .contains("wanted more than 32 MiB of memory"),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_up_to_the_limit_is_taken_and_a_larger_one_is_not() {
    let registry = evil();
    let fits = LIMITS.answer_bytes - 1_000;
    assert_eq!(good(&registry, "answer", fits).await.len(), fits);
    let error = bad(&registry, "answer", LIMITS.answer_bytes).await;
    assert_fault(
        &error.fault,
        &PluginFault::AnswerSize {
            limit_bytes: LIMITS.answer_bytes,
        },
    );
}

#[tokio::test]
async fn what_it_writes_is_bounded_and_does_not_stop_it() {
    let registry = evil();
    assert_eq!(
        good(&registry, "write", 100 * LIMITS.stderr_bytes).await,
        "written"
    );
    let error = bad(&registry, "write for ever", 0).await;
    assert!(matches!(error.fault, PluginFault::Time { .. }), "{error}");
    assert!(
        error.stderr.len() < LIMITS.stderr_bytes + 100,
        "{} bytes",
        error.stderr.len()
    );
    assert!(
        error.stderr.starts_with("and again\nand again\n")
            && error.stderr.contains("bytes left out]"),
        "{}",
        error.stderr
    );
}

#[tokio::test]
async fn its_stack_is_bounded() {
    let registry = evil();
    assert_eq!(good(&registry, "recurse", 100).await, "100");
    let error = broken_down(&registry, "recurse", 100_000_000).await;
    assert!(
        error.to_string().contains("call stack exhausted")
            || error.to_string().contains("out of bounds memory access"),
        "{error}"
    );
}

#[tokio::test]
async fn a_plugin_with_more_instances_than_allowed_is_disabled_and_says_so() {
    let folder = folder(&["evil"]);
    let few = PluginRegistry::load(
        folder.path(),
        None,
        PluginLimits {
            instances: 1,
            ..LIMITS
        },
    )
    .unwrap();
    assert!(few.framework("evil").is_none());
    assert!(
        few.disabled()[0].reason.to_string().contains("instance"),
        "{}",
        few.disabled()[0].reason
    );
    assert!(
        PluginRegistry::load(folder.path(), None, LIMITS)
            .unwrap()
            .framework("evil")
            .is_some()
    );
}

#[test]
fn a_file_up_to_the_limit_is_read_and_a_larger_one_is_not() {
    let folder = folder(&["evil"]);
    let size = std::fs::metadata(folder.path().join("evil.wasm"))
        .unwrap()
        .len();
    assert!(
        PluginRegistry::load(
            folder.path(),
            None,
            PluginLimits {
                file_bytes: size,
                ..LIMITS
            }
        )
        .unwrap()
        .framework("evil")
        .is_some()
    );
    let small = PluginRegistry::load(
        folder.path(),
        None,
        PluginLimits {
            file_bytes: size - 1,
            ..LIMITS
        },
    )
    .unwrap();
    assert_eq!(
        small.disabled()[0].reason.to_string(),
        format!("is larger than {} bytes", size - 1)
    );
}

#[test]
fn a_folder_up_to_the_limit_is_read_and_a_larger_one_is_not() {
    let folder = folder(&["future", "burglar"]);
    assert!(
        PluginRegistry::load(
            folder.path(),
            None,
            PluginLimits {
                plugins: 2,
                ..LIMITS
            }
        )
        .is_ok()
    );
    let error = PluginRegistry::load(
        folder.path(),
        None,
        PluginLimits {
            plugins: 1,
            ..LIMITS
        },
    )
    .err()
    .unwrap();
    assert!(
        error.to_string().ends_with("holds more than 1 plugins"),
        "{error}"
    );
}

#[tokio::test]
async fn a_plugin_that_waits_for_others_to_be_looked_at_is_not_too_slow() {
    let time = Duration::from_millis(500);
    let registry = PluginRegistry::load(
        folder(&["evil"]).path(),
        Some(&artifacts::target_folder().join("guests/cache")),
        PluginLimits { time, ..LIMITS },
    )
    .unwrap();
    let (started, starts) = std::sync::mpsc::channel();
    let mut ends = Vec::new();
    for _ in 0..heavy_work::AT_ONCE {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let started = started.clone();
        ends.push(end);
        tokio::spawn(heavy_work::run_heavy(move || {
            let _ = started.send(());
            let _ = ended.recv();
        }));
    }
    let mut begun = 0;
    while begun < heavy_work::AT_ONCE {
        tokio::task::yield_now().await;
        begun += starts.try_iter().count();
    }
    let asking = tokio::spawn(async move { ask(&registry, "good", 0).await });
    // The limit itself is what is waited for.
    tokio::time::sleep(time * 2).await;
    assert!(!asking.is_finished());
    drop(ends);
    let answer = asking.await.unwrap();
    assert!(answer.is_ok(), "{answer:?}");
}
