//! How long a cluster may be without jobs before it is deleted: the one grammar of `stampede.idle`,
//! what records keep of it, and what is to be done when it is known what the frameworks tell of their
//! jobs. No clock is read: what the time is now, it is given.

use serde::{Deserialize, Serialize};

use super::{
    Problem,
    end_time::{MAX_AGE_S, NEVER, NOTICE_S, age_text, parse_age},
    parse_value::shorten,
};

/// The attribute, without `stampede.`.
pub const IDLE: &str = "idle";
/// The shortest time without jobs: the deletion is announced so long before.
pub const MIN_IDLE_S: u64 = NOTICE_S;
/// The longest one.
pub const MAX_IDLE_S: u64 = MAX_AGE_S;
/// So long after the last job nodes tell of it (`MANIFEST_QUIET_S` of `templates/node/units.sh`), so
/// that what they told last may be older than it seems by this.
pub const TOLD_AFTER_S: u64 = 300;
/// How long after a look the nodes' words are looked at again at the earliest, while the end is not
/// announced; and so often while it is.
pub const LOOK_EVERY_S: u64 = 300;

/// How long a cluster may be without jobs, as a request says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdleLimit {
    /// For as long as it likes.
    Never,
    /// So many seconds.
    After(u64),
    /// The same by the operator's word, where the frameworks tell of jobs at all.
    WhereTold(u64),
}

impl IdleLimit {
    /// Reads an age (`2h`) or `never`.
    ///
    /// # Errors
    /// The problem with the text, under the name that it was given by.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if text == NEVER {
            return Ok(Self::Never);
        }
        match parse_age(text) {
            Some(age_s) if (MIN_IDLE_S..=MAX_IDLE_S).contains(&age_s) => Ok(Self::After(age_s)),
            Some(_) => {
                let message = format!("`{text}` is too short or too long");
                Err(Problem::new(name, message, range_text()))
            }
            None => {
                let message = format!("`{}` is no age", shorten(text));
                let hint = format!("an age such as 2h or 3d, or {NEVER}");
                Err(Problem::new(name, message, hint))
            }
        }
    }

    /// The text that [`Self::parse`] reads.
    pub fn render(self) -> String {
        self.seconds().map_or_else(|| NEVER.to_owned(), age_text)
    }

    /// None: for as long as it likes.
    pub fn seconds(self) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::After(age_s) | Self::WhereTold(age_s) => Some(age_s),
        }
    }
}

/// What it may be, for people.
pub fn range_text() -> String {
    let (least, most) = (age_text(MIN_IDLE_S), age_text(MAX_IDLE_S));
    format!("{least} to {most}, or {NEVER}")
}

/// That no framework of a cluster tells of jobs.
pub fn nobody_tells() -> Problem {
    let message = "no framework of this cluster tells whether jobs run";
    let hint = "leave it out, or set when the cluster ends with `expires`";
    Problem::new(IDLE, message, hint)
}

/// What a node's component tells of its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldJobs {
    /// Jobs run or wait, or did a moment ago.
    Busy,
    /// There is none since this time, in seconds since 1970, by the node's clock.
    NoneSince(u64),
}

/// What all that tell of a cluster's jobs say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterJobs {
    /// One of them is silent, the cluster is not at rest, or nothing of it tells of jobs.
    Unknown,
    /// There are some.
    Busy,
    /// None of them has any since this time.
    NoneSince(u64),
}

impl ClusterJobs {
    /// Of what each says.
    pub fn of_all(told: impl IntoIterator<Item = Option<ToldJobs>>) -> Self {
        let told: Vec<_> = told.into_iter().collect();
        if told.contains(&Some(ToldJobs::Busy)) {
            return Self::Busy;
        }
        let mut latest_s = None;
        for one in told {
            let Some(ToldJobs::NoneSince(since_s)) = one else {
                return Self::Unknown;
            };
            latest_s = latest_s.max(Some(since_s));
        }
        latest_s.map_or(Self::Unknown, Self::NoneSince)
    }
}

/// How long a cluster may be without jobs, and what was told of that, as its record keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterIdle {
    /// So many seconds.
    pub after_s: u64,
    /// Since when the host has seen it at rest, by its own clock: no earlier time counts. None: it
    /// was not looked at since it was made, or changed, or since this limit was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_s: Option<u64>,
    /// That its deletion was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<IdleNotice>,
}

/// The announcement that a cluster is deleted unless a job runs before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdleNotice {
    /// Since when it has no jobs.
    pub since_s: u64,
    /// When it is deleted.
    pub at_s: u64,
    /// Whether that has come, and nobody was logged in who may.
    #[serde(default)]
    pub is_over: bool,
}

/// What is to be done about a cluster that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleStep {
    /// Nothing.
    Wait,
    /// Its deletion is announced.
    Announce(IdleNotice),
    /// What was announced is taken back.
    TakeBack,
    /// It is deleted.
    Delete,
}

impl ClusterIdle {
    /// One that nothing was told of.
    pub fn new(after_s: u64) -> Self {
        Self {
            after_s,
            rest_s: None,
            notice: None,
        }
    }

    /// Since when no job counts.
    pub fn since_s(self, jobs: ClusterJobs) -> Option<u64> {
        match (jobs, self.rest_s) {
            (ClusterJobs::NoneSince(since_s), Some(rest_s)) => Some(since_s.max(rest_s)),
            _ => None,
        }
    }

    /// When it is deleted, as far as is known.
    pub fn ends_s(self, jobs: ClusterJobs) -> Option<u64> {
        let since_s = self.since_s(jobs)?;
        let told = self.notice.filter(|notice| notice.since_s == since_s);
        Some(told.map_or(since_s.saturating_add(self.after_s), |notice| notice.at_s))
    }

    /// What is to be done now that this was told of its jobs: nothing is deleted of which nobody was
    /// told an hour before.
    pub fn decide(self, jobs: ClusterJobs, now_s: u64) -> IdleStep {
        let told = self.notice;
        let Some(since_s) = self.since_s(jobs) else {
            return told.map_or(IdleStep::Wait, |_| IdleStep::TakeBack);
        };
        if let Some(notice) = told.filter(|notice| notice.since_s == since_s) {
            return match notice.at_s <= now_s {
                true => IdleStep::Delete,
                false => IdleStep::Wait,
            };
        }
        let (ends_s, soonest_s) = (
            since_s.saturating_add(self.after_s),
            now_s.saturating_add(NOTICE_S),
        );
        if ends_s <= soonest_s {
            return IdleStep::Announce(IdleNotice {
                since_s,
                at_s: ends_s.max(soonest_s),
                is_over: false,
            });
        }
        told.map_or(IdleStep::Wait, |_| IdleStep::TakeBack)
    }

    /// When it is looked at next, where nothing is to be done now that this was told.
    pub fn next_look_s(self, jobs: ClusterJobs, now_s: u64) -> u64 {
        let soon_s = now_s.saturating_add(LOOK_EVERY_S);
        let before_s = self.after_s.saturating_sub(NOTICE_S);
        match (self.notice, self.since_s(jobs)) {
            (Some(notice), _) if notice.at_s > now_s => notice.at_s.min(soon_s),
            (Some(_), _) => soon_s,
            (None, Some(since_s)) => since_s.saturating_add(before_s).max(now_s + 1),
            (None, None) if self.rest_s.is_none() => soon_s,
            // What was told may be so old.
            (None, None) => {
                let ahead_s = before_s.saturating_sub(TOLD_AFTER_S);
                now_s.saturating_add(ahead_s).max(soon_s)
            }
        }
    }
}

#[cfg(test)]
#[path = "idle_limit_tests.rs"]
mod tests;
