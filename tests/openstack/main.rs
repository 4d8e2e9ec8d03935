//! The life cycle on a real OpenStack: Keystone, Heat, Nova and Neutron on this machine, nodes that
//! boot and run a real Hadoop.
//!
//! `cargo test -p stampede-tests --test openstack -- [WORD ...]` runs the scenarios whose names
//! contain one of the words; without words those that take many minutes are left out, unless
//! `STAMPEDE_TESTS_OPENSTACK` is `all`. Each prints what it verified; the last line counts them. Needs root on
//! Debian; elsewhere it says what it left out.
//!
//! Layout
//! - [`scenarios`]: what must be seen, one file each
//! - [`stampede_tests::testbed`]: the real OpenStack, its nodes, a client of the host
#![expect(clippy::print_stdout, reason = "a test run prints what it verified")]
#![expect(unreachable_pub, reason = "a program, not a library")]

mod scenarios;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use stampede_tests::testbed::cloud::{self, TestbedCloud};

/// What a scenario has at hand.
pub struct TestbedContext {
    /// The real OpenStack.
    pub cloud: TestbedCloud,
    /// Where scenarios put files; gone at the end.
    pub scratch: std::path::PathBuf,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    if let Some(why) = cloud::not_here() {
        println!(
            "LEFT OUT: the real OpenStack and everything on it, since {why}\n0 passed, 0 failed, {} skipped",
            scenarios::ALL.len() + scenarios::LONG.len()
        );
        return ExitCode::SUCCESS;
    }
    match tokio::runtime::Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(run(&words)))
    {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("the testbed itself failed: {error:#}\n0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[String]) -> Result<usize> {
    let cloud = cloud::bring_up().await?;
    let scratch = std::env::temp_dir().join(format!("stampede-openstack-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let testbed = TestbedContext { cloud, scratch };
    let (mut passed, mut failed) = (0, 0);
    let all = std::env::var_os("STAMPEDE_TESTS_OPENSTACK").is_some_and(|value| value == "all");
    let short = scenarios::ALL.iter().map(|scenario| (scenario, false));
    let long = scenarios::LONG.iter().map(|scenario| (scenario, true));
    for ((name, scenario), is_long) in short.chain(long) {
        if !words.is_empty() && !words.iter().any(|w| name.contains(w.as_str())) {
            continue;
        }
        if is_long && words.is_empty() && !all {
            println!("\nLEFT OUT OF IT: {name}, which asks for --with-openstack=all");
            continue;
        }
        println!("\n=== {name}");
        let start = Instant::now();
        match scenario(&testbed).await {
            Ok(()) => {
                passed += 1;
                println!("    ok, {:.0} s", start.elapsed().as_secs_f32());
            }
            Err(error) => {
                failed += 1;
                println!(
                    "    FAILED after {:.0} s: {error:#}",
                    start.elapsed().as_secs_f32()
                );
                testbed.cloud.delete_all_stacks().await?;
            }
        }
    }
    std::fs::remove_dir_all(&testbed.scratch).ok();
    anyhow::ensure!(passed + failed > 0, "no scenario has {words:?} in its name");
    println!("\n{passed} passed, {failed} failed");
    Ok(failed)
}
