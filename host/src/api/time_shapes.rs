//! What answers hold of times to come, as data: how long something takes, and until when a cluster may
//! be without jobs.

use serde::Serialize;
use utoipa::ToSchema;

use crate::cluster::end_time::age_text;
use crate::cluster::former_runs::{FormerRuns, RunForecast};
use crate::orchestrator::IdleView;
use crate::system::utc_time::format_rfc3339;

/// What is known of a cluster that is deleted when it has been without jobs for long.
#[derive(Serialize, ToSchema)]
pub struct IdleState {
    /// For how long.
    #[schema(example = "2h")]
    pub limit: String,
    /// Whether jobs run or wait, as its nodes told last.
    pub busy: bool,
    /// Since when there are none; null: there are some, or it is not known.
    pub since: Option<String>,
    /// When it is deleted unless a job runs before; null, likewise.
    pub ends: Option<String>,
}

impl From<IdleView> for IdleState {
    fn from(view: IdleView) -> Self {
        Self {
            limit: age_text(view.after_s),
            busy: view.is_busy,
            since: view.since_s.map(format_rfc3339),
            ends: view.ends_s.map(format_rfc3339),
        }
    }
}

/// How long something that is under way will take, by former runs.
#[derive(Serialize, ToSchema)]
pub struct TimeLeft {
    /// When it was asked for.
    #[schema(example = "2026-11-26T06:00:00Z")]
    pub began_at: String,
    /// How long it is likely to take from this answer on; null where it takes longer than it did before.
    pub seconds_left: Option<u64>,
    /// How long it took before: the median.
    pub typical_seconds: u64,
    /// Of so many runs.
    pub runs: u32,
    /// How far they are alike: `same` (in size and flavors), `other_flavors`, or `other_sizes`.
    #[schema(example = "same")]
    pub likeness: String,
    /// The same in words.
    #[schema(example = "about 4 min left, from 3 former runs")]
    pub sentence: String,
}

/// How long creates, or changes of a kind, took in this project before: those of the same frameworks
/// that succeeded.
#[derive(Serialize, ToSchema)]
pub struct RunTimes {
    /// The median.
    pub typical_seconds: u64,
    /// Of so many runs.
    pub runs: u32,
    /// How far they are alike: `same` (in size and flavors), `other_flavors`, or `other_sizes`.
    #[schema(example = "same")]
    pub likeness: String,
}

impl From<RunForecast> for TimeLeft {
    fn from(forecast: RunForecast) -> Self {
        let RunTimes {
            typical_seconds,
            runs,
            likeness,
        } = forecast.former.into();
        Self {
            began_at: format_rfc3339(forecast.began_s),
            seconds_left: forecast.left_s(),
            typical_seconds,
            runs,
            likeness,
            sentence: forecast.sentence(),
        }
    }
}

impl From<FormerRuns> for RunTimes {
    fn from(former: FormerRuns) -> Self {
        Self {
            typical_seconds: former.typical_s,
            runs: former.runs,
            likeness: former.likeness.as_str().to_owned(),
        }
    }
}
