//! How long creates and changes of one kind and size took before, and how much of one that is under
//! way is left by that. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ClusterChange, ClusterSpec};

/// Former runs of a kind that are looked at, the newest.
pub const RUNS_LOOKED_AT: usize = 50;
/// Of those that are alike, the newest count: what a cloud was like long ago says little of now.
pub const RUNS_COUNTED: usize = 10;
/// How old a former run may be: 90 days.
pub const RUN_AGE_S: u64 = 90 * 86_400;
/// Clusters of which the larger one has no more than so many times the nodes are of one size.
pub const SIZE_FACTOR: u32 = 2;
/// From here on minutes are told as hours.
const HOURS_FROM_MIN: u64 = 120;

/// What a run does. Each takes its own time, so that they are never mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunKind {
    /// A cluster comes up.
    Create,
    /// Nodes come to one that is there.
    Grow,
    /// Nodes go, and none come.
    Shrink,
    /// Its nodes stay, and are set otherwise.
    Settings,
}

impl RunKind {
    /// What a change does.
    pub fn of_change(change: &ClusterChange) -> Self {
        let has_nodes = |ids: &Vec<u32>| !ids.is_empty();
        if change.added.values().any(has_nodes) {
            return Self::Grow;
        }
        let goes = |step: &super::RolloutStep| !step.leaving.is_empty();
        match change.steps.iter().any(goes) {
            true => Self::Shrink,
            false => Self::Settings,
        }
    }

    /// In one word: `create`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Grow => "grow",
            Self::Shrink => "shrink",
            Self::Settings => "settings",
        }
    }

    /// Whether a cluster that is there is changed.
    pub fn is_change(self) -> bool {
        self != Self::Create
    }
}

/// What a run is compared by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunShape {
    /// What it does.
    pub kind: RunKind,
    /// The cluster's frameworks, sorted, with commas between them.
    pub frameworks: String,
    /// How many nodes it has at the end.
    pub nodes: u32,
    /// Their flavors by group, as far as they are known.
    pub flavors: BTreeMap<String, String>,
}

impl RunShape {
    /// That of a run which leads to this cluster.
    pub fn new(kind: RunKind, spec: &ClusterSpec) -> Self {
        let frameworks = spec.frameworks.iter().map(|one| one.name.as_str());
        let mut frameworks: Vec<&str> = frameworks.collect();
        frameworks.sort_unstable();
        let flavor = |group: &super::GroupSpec| Some((group.name.clone(), group.flavor.clone()?));
        Self {
            kind,
            frameworks: frameworks.join(","),
            nodes: spec.groups.node_count(),
            flavors: spec.groups.with_nodes().filter_map(flavor).collect(),
        }
    }

    /// That of a change.
    pub fn of_change(change: &ClusterChange) -> Self {
        Self::new(RunKind::of_change(change), &change.to)
    }

    fn is_of_size(&self, run: &FormerRun) -> bool {
        let (small, large) = (self.nodes.min(run.nodes), self.nodes.max(run.nodes));
        large <= small.saturating_mul(SIZE_FACTOR)
    }
}

/// A run that was carried out, of the kind and the frameworks that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormerRun {
    /// How long it took, in seconds.
    pub took_s: u64,
    /// How many nodes the cluster had at its end.
    pub nodes: u32,
    /// Their flavors by group.
    pub flavors: BTreeMap<String, String>,
}

/// How far the runs that were found are like the one that is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunLikeness {
    /// Of its size, on its flavors.
    Same,
    /// Of its size.
    OtherFlavors,
    /// Of the same frameworks alone.
    OtherSizes,
}

impl RunLikeness {
    /// The closest first.
    const ALL: [Self; 3] = [Self::Same, Self::OtherFlavors, Self::OtherSizes];

    /// In one word: `same`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::OtherFlavors => "other_flavors",
            Self::OtherSizes => "other_sizes",
        }
    }

    /// The one of this word; what is not known is none of its size.
    pub fn from_word(word: &str) -> Self {
        let known = Self::ALL.into_iter().find(|one| one.as_str() == word);
        known.unwrap_or(Self::OtherSizes)
    }

    fn holds(self, shape: &RunShape, run: &FormerRun) -> bool {
        match self {
            Self::Same => shape.is_of_size(run) && shape.flavors == run.flavors,
            Self::OtherFlavors => shape.is_of_size(run),
            Self::OtherSizes => true,
        }
    }
}

/// How long it took before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FormerRuns {
    /// The median, in seconds.
    #[serde(rename = "typical_seconds")]
    pub typical_s: u64,
    /// Of so many.
    pub runs: u32,
    /// How far they are like the one that is asked of.
    pub likeness: RunLikeness,
}

impl FormerRuns {
    /// What these runs, the newest first, say of one like this; none where there is none. The closest
    /// alone count, however few they are.
    pub fn like(shape: &RunShape, runs: &[FormerRun]) -> Option<Self> {
        RunLikeness::ALL.into_iter().find_map(|likeness| {
            let alike = runs.iter().filter(|run| likeness.holds(shape, run));
            let took = alike.map(|run| run.took_s).take(RUNS_COUNTED);
            let took: Vec<u64> = took.collect();
            Some(Self {
                typical_s: median(&took)?,
                runs: u32::try_from(took.len()).unwrap_or(u32::MAX),
                likeness,
            })
        })
    }

    /// `about 5 min before (3 runs)`.
    pub fn sentence(&self) -> String {
        let runs = match self.runs {
            1 => "1 run".to_owned(),
            runs => format!("{runs} runs"),
        };
        let of = match self.likeness {
            RunLikeness::OtherSizes => " of other sizes",
            RunLikeness::OtherFlavors => " on other flavors",
            RunLikeness::Same => "",
        };
        format!("{} before ({runs}{of})", about(self.typical_s))
    }
}

/// A run that is under way, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunForecast {
    /// When it was asked for, in seconds since 1970.
    pub began_s: u64,
    /// The moment, likewise.
    pub now_s: u64,
    /// How long it took before.
    pub former: FormerRuns,
}

impl RunForecast {
    /// How long it will take from that moment on; none where it takes longer than it did before.
    pub fn left_s(&self) -> Option<u64> {
        let passed_s = self.now_s.saturating_sub(self.began_s);
        let left_s = self.former.typical_s.checked_sub(passed_s)?;
        (left_s > 0).then_some(left_s)
    }

    /// The same, so many seconds later.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        let now_s = self.now_s.saturating_add(seconds);
        Self { now_s, ..self }
    }

    /// `about 4 min left, from 3 former runs`.
    pub fn sentence(&self) -> String {
        let runs = match self.former.runs {
            1 => "1 former run".to_owned(),
            runs => format!("{runs} former runs"),
        };
        let runs = match self.former.likeness {
            RunLikeness::OtherSizes => format!("{runs} of other sizes"),
            RunLikeness::OtherFlavors => format!("{runs} on other flavors"),
            RunLikeness::Same => runs,
        };
        match self.left_s() {
            Some(left_s) => format!("{} left, from {runs}", about(left_s)),
            None => {
                let took = about(self.former.typical_s);
                format!("longer than {runs}, which took {took}")
            }
        }
    }
}

/// The middle one; of two in the middle what lies between them.
fn median(all: &[u64]) -> Option<u64> {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    let upper = *sorted.get(sorted.len() / 2)?;
    let is_even = sorted.len().is_multiple_of(2);
    let lower = if is_even {
        *sorted.get((sorted.len() / 2).checked_sub(1)?)?
    } else {
        upper
    };
    Some(lower.midpoint(upper))
}

/// A length of time that promises no more than it can hold: full minutes, rounded up, and hours where
/// there are many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoughTime {
    /// Less than a minute.
    Soon,
    /// So many minutes.
    Minutes(u64),
    /// So many hours.
    Hours(u64),
}

impl RoughTime {
    /// That of so many seconds.
    pub fn new(seconds: u64) -> Self {
        let minutes = seconds.div_ceil(60);
        match minutes {
            _ if seconds < 60 => Self::Soon,
            ..HOURS_FROM_MIN => Self::Minutes(minutes),
            _ => Self::Hours(minutes.div_ceil(60)),
        }
    }
}

fn about(seconds: u64) -> String {
    match RoughTime::new(seconds) {
        RoughTime::Soon => "less than a minute".to_owned(),
        RoughTime::Minutes(minutes) => format!("about {minutes} min"),
        RoughTime::Hours(hours) => format!("about {hours} h"),
    }
}

#[cfg(test)]
#[path = "former_runs_tests.rs"]
mod tests;
