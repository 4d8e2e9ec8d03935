//! The end of a cluster in words, and what it can be made. No I/O.

use serde::Serialize;

use super::commands::shell_word;
use super::texts::{say, say_duration};
use crate::cluster::EndTime;
use crate::cluster::end_time::{EXPIRES, NEVER};
use crate::orchestrator::{ClusterView, IdleView};
use crate::system::utc_time::format_utc;

/// What the form offers, counted from the click.
const CHOICES: [&str; 4] = ["8h", "1d", "1w", NEVER];

/// The end of a cluster, for its page.
#[derive(Debug, Serialize)]
pub(super) struct EndData {
    /// `ends in 3 h`; none where it has none.
    ends: Option<String>,
    /// That it is deleted without jobs, and since when there are none.
    idle: Option<String>,
    /// That it is near, or has come.
    notice: Option<String>,
    /// What it can be made, each with its words.
    choices: Vec<(String, String)>,
    /// The same by command.
    command: String,
}

pub(super) fn end_data(view: &ClusterView, now_s: u64) -> EndData {
    let choice = |text: &str| {
        let words = match EndTime::parse(EXPIRES, text) {
            Ok(EndTime::After(age_s)) => say("end.from_now", &[("age", &say_duration(age_s))]),
            _ => say("end.never", &[]),
        };
        (text.to_owned(), words)
    };
    EndData {
        ends: view.ends_s.map(|ends_s| describe_end(ends_s, now_s)),
        idle: view.idle.map(|idle| describe_idle(&idle)),
        notice: view.end_notice.clone(),
        choices: CHOICES.map(choice).to_vec(),
        command: format!(
            "stampede cluster extend {} {}",
            shell_word(&view.name),
            CHOICES[0]
        ),
    }
}

/// `ends in 3 h (2026-11-26 18:00:00 UTC)`.
fn describe_end(ends_s: u64, now_s: u64) -> String {
    let at = format_utc(ends_s);
    match ends_s.checked_sub(now_s).filter(|left| *left > 0) {
        Some(left) => say("end.ends_in", &[("left", &say_duration(left)), ("at", &at)]),
        None => say("end.over", &[("at", &at)]),
    }
}

/// `No job since 14:05; deleted at 16:05 unless one runs.`
fn describe_idle(idle: &IdleView) -> String {
    let limit = say_duration(idle.after_s);
    match (idle.since_s, idle.ends_s) {
        (Some(since_s), Some(ends_s)) => {
            let (since, at) = (format_utc(since_s), format_utc(ends_s));
            say("end.idle", &[("since", &since), ("at", &at)])
        }
        _ if idle.is_busy => say("end.busy", &[("limit", &limit)]),
        _ => say("end.unknown", &[("limit", &limit)]),
    }
}

/// When it ends, for a row of a list; empty: never.
pub(super) fn time_left(view: &ClusterView, now_s: u64) -> String {
    let left = view.ends_s.map(|ends_s| ends_s.saturating_sub(now_s));
    left.map(|left| say("end.in", &[("left", &say_duration(left))]))
        .unwrap_or_default()
}
