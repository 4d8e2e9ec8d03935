//! Reads from /proc what a process has used of processor and memory.

use std::time::Duration;

use anyhow::{Context, Result};

/// CPU time of all its threads, those that are there still.
///
/// # Errors
/// There is no such process, or the kernel does not count.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let mut total = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text
            .split_whitespace()
            .next()
            .context("schedstat")?
            .parse::<u64>()?;
    }
    Ok(Duration::from_nanos(total))
}

/// Resident and proportional set size, in MiB.
///
/// # Errors
/// There is no such process.
pub fn memory_mib(pid: u32) -> Result<(f64, f64)> {
    Ok((rollup_mib(pid, "Rss:")?, rollup_mib(pid, "Pss:")?))
}

/// What of it the kernel could not take away: anonymous memory, in MiB. Pages of files can be read
/// again.
///
/// # Errors
/// There is no such process.
pub fn anonymous_mib(pid: u32) -> Result<f64> {
    rollup_mib(pid, "Anonymous:")
}

fn rollup_mib(pid: u32, name: &str) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text
        .lines()
        .find(|l| l.starts_with(name))
        .context("smaps_rollup")?;
    Ok(line
        .split_whitespace()
        .nth(1)
        .context("smaps_rollup")?
        .parse::<f64>()?
        / 1024.0)
}
