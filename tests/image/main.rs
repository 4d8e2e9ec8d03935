//! The container image, as hurtle's cloud starts it: a random user in group 0, a read-only root, no
//! volume, 64 MiB. Real containers, by podman.
//!
//! `cargo test --workspace --test image -- [WORD ...]` runs the scenarios whose names contain one
//! of the words, once tests/image/build has made the image. Each prints what it verified; the last
//! line counts them. Where no container runs it says what it left out.
//!
//! Layout
//! - [`container`]: one container
//! - [`scenarios`]: what must be seen; [`stopping`]: that SIGTERM ends it, whatever it does
#![expect(clippy::print_stdout, reason = "a test run prints what it verified")]
#![expect(unreachable_pub, reason = "a program, not a library")]

mod container;
mod scenarios;
mod stopping;

use std::pin::Pin;
use std::process::ExitCode;

use anyhow::Result;

type Scenario = fn() -> Pin<Box<dyn Future<Output = Result<()>>>>;

const ALL: &[(&str, Scenario)] = &[
    ("content: small, nobody's shell, public authorities", || {
        Box::pin(scenarios::check_content())
    }),
    (
        "start: any user, a read-only root, nothing compiled",
        || Box::pin(scenarios::check_start()),
    ),
    (
        "life: create to destroyed, a thousand requests, 250 workers",
        || Box::pin(scenarios::walk_life_cycle()),
    ),
    ("crowd: as many connections as fit into 64 MiB", || {
        Box::pin(scenarios::serve_many_clients())
    }),
    ("forgetful: an empty disk finds its clusters again", || {
        Box::pin(scenarios::recover_from_empty_disk())
    }),
    ("plugins: an operator's own are compiled", || {
        Box::pin(scenarios::own_plugins())
    }),
    ("stop: idle connections", || Box::pin(stopping::idle())),
    ("stop: a cloud that does not answer", || {
        Box::pin(stopping::in_work())
    }),
    ("stop: a name server that does not answer", || {
        Box::pin(stopping::resolving())
    }),
    ("stop: in the middle of starting", || {
        Box::pin(stopping::starting())
    }),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    if let Some(why) = container::not_here() {
        println!(
            "LEFT OUT: the container image, since {why}\n0 passed, 0 failed, {} skipped",
            ALL.len()
        );
        return ExitCode::SUCCESS;
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, scenario) in ALL {
        if !words.is_empty() && !words.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        println!("\n=== {name}");
        match tokio::runtime::Runtime::new()
            .map_err(Into::into)
            .and_then(|runtime| runtime.block_on(scenario()))
        {
            Ok(()) => passed += 1,
            Err(error) => {
                failed += 1;
                println!("    FAILED: {error:#}");
            }
        }
    }
    println!("\n{passed} passed, {failed} failed");
    if passed + failed == 0 {
        println!("no test has {words:?} in its name");
        return ExitCode::FAILURE;
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
