//! What each node does at the moment, below the lines of a command that waits: on a terminal alone. One
//! line a node while it works, and how many are ready.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::foreign_text::ForeignText;
use crate::{
    cluster::{
        ClusterState,
        former_runs::RunForecast,
        progress::{StageOutcome, StageReport},
    },
    orchestrator::ClusterView,
    system::clock::monotonic_now,
};

/// How many nodes have a line of their own; of more, those that work first, the rest are counted.
const MOST_LINES: usize = 12;
/// The bar's line.
const TOTAL_LINE: &str = "  {bar:24} {pos} of {len} nodes ready, {elapsed}{left}";
/// How often the bar counts.
const COUNT_EVERY: Duration = Duration::from_secs(1);
/// How often a spinner turns.
const TURN_EVERY: Duration = Duration::from_millis(200);

/// The lines of nodes that work, and a bar.
pub(super) struct NodeBars {
    all: MultiProgress,
    ready: Option<ProgressBar>,
    /// How long it will take, and when that was told.
    left: Arc<Mutex<Option<(Instant, RunForecast)>>>,
    nodes: BTreeMap<String, ProgressBar>,
}

impl NodeBars {
    /// Draws on standard error, where that is a terminal.
    pub(super) fn new() -> Self {
        Self {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5)),
            ready: None,
            left: Arc::default(),
            nodes: BTreeMap::new(),
        }
    }

    /// Does something while nothing is drawn, such as printing a line.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.all.suspend(print)
    }

    /// Shows what the nodes do now.
    pub(super) fn show(&mut self, view: &ClusterView) {
        if self.all.is_hidden() {
            return;
        }
        if !matches!(
            view.state,
            ClusterState::Deploying | ClusterState::Updating | ClusterState::Planned
        ) {
            self.clear();
            return;
        }
        let total: u32 = view.node_counts.values().sum();
        let newest = newest_by_node(&view.progress);
        let working: Vec<(&str, &StageReport)> = newest
            .iter()
            .filter(|(_, report)| is_work(report))
            .map(|(node, report)| (*node, *report))
            .take(MOST_LINES)
            .collect();
        let gone: Vec<String> = self
            .nodes
            .keys()
            .filter(|name| !working.iter().any(|(node, _)| node == name))
            .cloned()
            .collect();
        for name in gone {
            if let Some(line) = self.nodes.remove(&name) {
                line.finish_and_clear();
            }
        }
        for (node, report) in working {
            let all = &self.all;
            let line = self.nodes.entry(node.to_owned()).or_insert_with(|| {
                let line = all.add(ProgressBar::new_spinner().with_style(node_style()));
                line.set_prefix(ForeignText(node).to_string());
                line.enable_steady_tick(TURN_EVERY);
                line
            });
            line.set_message(ForeignText(&report.text).to_string());
        }
        let is_ready =
            |report: &&StageReport| report.stage == "ready" && report.outcome == StageOutcome::Done;
        let has_report = |node: &&&str| {
            let mut own = view.progress.iter().filter(|report| report.node == ***node);
            own.any(|report| is_ready(&report))
        };
        let ready = newest.keys().filter(has_report).count();
        self.keep_time_left(view.time_left);
        let (all, left) = (&self.all, &self.left);
        let bar = self.ready.get_or_insert_with(|| {
            let style = total_style(Arc::clone(left));
            let bar = all.add(ProgressBar::new(0).with_style(style));
            bar.enable_steady_tick(COUNT_EVERY);
            bar
        });
        bar.set_length(u64::from(total));
        bar.set_position(u64::try_from(ready).unwrap_or(u64::MAX));
    }

    /// Takes what a look has told; between two looks it counts by itself.
    fn keep_time_left(&self, told: Option<RunForecast>) {
        let mut kept = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = kept.map(|(_, known)| known) != told;
        if is_news {
            *kept = told.map(|told| (monotonic_now(), told));
        }
    }

    /// Takes all lines away.
    pub(super) fn clear(&mut self) {
        for (_, line) in std::mem::take(&mut self.nodes) {
            line.finish_and_clear();
        }
        if let Some(bar) = self.ready.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for NodeBars {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The last line of each node; within a node the newest comes last.
fn newest_by_node(reports: &[StageReport]) -> BTreeMap<&str, &StageReport> {
    let named = reports.iter().filter(|report| !report.node.is_empty());
    named.map(|report| (report.node.as_str(), report)).collect()
}

fn is_work(report: &StageReport) -> bool {
    matches!(report.outcome, StageOutcome::Began | StageOutcome::Note)
}

fn node_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{spinner} {prefix:12} {wide_msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn total_style(left: Arc<Mutex<Option<(Instant, RunForecast)>>>) -> ProgressStyle {
    let style = ProgressStyle::with_template(TOTAL_LINE);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key(
        "left",
        move |_: &ProgressState, line: &mut dyn std::fmt::Write| {
            let told = *left.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((at, told)) = told {
                let now = told.after(at.elapsed().as_secs());
                // A line that cannot be drawn is drawn again.
                let _ = write!(line, ", {}", now.sentence());
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_did_last_is_what_it_does() {
        let reports: Vec<StageReport> = [
            "worker-1 hadoop setup done 34 s",
            "worker-1 hadoop ready began",
            "master node setup done 2 s",
            "hello",
        ]
        .map(StageReport::parse)
        .into();
        let newest = newest_by_node(&reports);
        assert_eq!(newest.len(), 2);
        assert!(is_work(newest["worker-1"]) && !is_work(newest["master"]));
    }

    #[test]
    fn the_styles_are_understood() {
        for template in ["{spinner} {prefix:12} {wide_msg}", TOTAL_LINE] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
