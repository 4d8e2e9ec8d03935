//! Two hosts that share a data directory as two processes would, over one cloud, interleaved at
//! every await that leaves the process, in an order that a seed chooses.
//!
//! `STAMPEDE_SCHEDULES` says how many schedules are tried, `STAMPEDE_SCHEDULE_SEED` names the one
//! that a failure has printed.
//!
//! Layout
//! - `schedule`: one schedule, what its clients ask for, and the choices
//! - `seeded_choice`: numbers from a seed
//! - `invariants`: what holds after it
//! - `simulated_host`: a host that runs until it waits; `gates`: where it waits
//! - `cloud_log`: the fake OpenStack, and what it was asked to change

mod cloud_log;
mod gates;
mod invariants;
mod schedule;
mod seeded_choice;
mod simulated_host;

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use schedule::ScheduleGround;

/// Schedules where nobody says how many.
const SCHEDULES: u64 = 150;
/// Schedules that are tried at once.
const THREADS: usize = 2;

fn variable(name: &str) -> Option<u64> {
    stampede::system::environment::read_text(name)?.parse().ok()
}

/// A data directory in memory, where there is one: thousands of schedules are not about the disk.
fn scratch() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

fn run(seed: u64, ground: &ScheduleGround) -> Result<usize, String> {
    schedule::run_schedule(seed, ground)
        .map_err(|why| format!("STAMPEDE_SCHEDULE_SEED={seed}\n{why}"))
}

#[test]
fn two_hosts_on_one_data_directory_lose_double_and_skip_nothing() {
    if let Some(seed) = variable("STAMPEDE_SCHEDULE_SEED") {
        run(seed, &ScheduleGround::new(scratch()))
            .map(drop)
            .unwrap_or_else(|why| panic!("{why}"));
        return;
    }
    let number = variable("STAMPEDE_SCHEDULES").unwrap_or(SCHEDULES);
    let next = AtomicU64::new(1);
    let choices = AtomicU64::new(0);
    let failure = std::thread::scope(|threads| {
        let work = || {
            let ground = ScheduleGround::new(scratch());
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed > number {
                    return Ok::<(), String>(());
                }
                let made = run(seed, &ground)
                    .inspect_err(|_| next.store(number + 1, Ordering::Relaxed))?;
                choices.fetch_add(made as u64, Ordering::Relaxed);
            }
        };
        let all: Vec<_> = (0..THREADS).map(|_| threads.spawn(work)).collect();
        let ended = all.into_iter().map(|thread| thread.join().unwrap());
        ended.filter_map(Result::err).next()
    });
    if let Some(why) = failure {
        panic!("{why}");
    }
    println!(
        "{number} schedules, {} choices",
        choices.load(Ordering::Relaxed)
    );
}
