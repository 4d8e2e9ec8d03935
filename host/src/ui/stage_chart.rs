//! The drawing of what nodes did and do: a bar for each stage of each node on one time axis; of many
//! nodes a bar for each stage of all of them. Says where everything is; `templates/chart.html` draws
//! it. Pure.

use serde::Serialize;

use super::texts::{say, say_duration};
use crate::cluster::progress::{StageOutcome, StageReport};

/// More nodes than this are told in sums.
const MAX_ROWS: usize = 24;
/// What came before a pause as long as this, in seconds, was another deployment or change.
const PAUSE_S: u64 = 900;
/// Of the drawing, in its own units: where the axis begins and ends, and the height of a row.
const LEFT: u64 = 132;
const RIGHT: u64 = 748;
const TOP: u64 = 24;
const ROW: u64 = 28;
const BAR: u64 = 18;
/// How wide a letter is, at most.
const LETTER: u64 = 7;
/// Labels of the axis, at most.
const TICKS: u64 = 6;

/// Where everything is.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct StageChart {
    pub(super) height: u64,
    pub(super) rows: Vec<ChartRow>,
    ticks: Vec<ChartTick>,
    /// Where now is, while something goes on.
    now_x: Option<u64>,
    /// Whether a row is a stage of all nodes.
    pub(super) in_sums: bool,
}

/// A node, or a stage of all of them.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct ChartRow {
    name: String,
    y: u64,
    text_y: u64,
    bars: Vec<ChartBar>,
}

/// A stage.
#[derive(Debug, PartialEq, Serialize)]
struct ChartBar {
    /// `ok`, `run`, `bad`.
    kind: &'static str,
    x: u64,
    width: u64,
    /// What stands in it, where there is room.
    label: String,
    label_x: u64,
    /// All of it in words.
    title: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct ChartTick {
    x: u64,
    label: String,
}

/// One stage of one node with its times.
struct TimedStage<'a> {
    report: &'a StageReport,
    from: u64,
    to: u64,
}

/// The drawing of these reports, at this time; none where no time is known. While the cluster moves,
/// what has begun goes on.
pub(super) fn draw(reports: &[StageReport], is_moving: bool, now_s: u64) -> Option<StageChart> {
    // What no node has said has no row.
    let of_nodes = reports.iter().filter(|report| !report.node.is_empty());
    let mut stages: Vec<TimedStage<'_>> = of_nodes
        .filter_map(|report| {
            let (from, told) = (report.began_s?, report.told_s?);
            let to = if is_open(report) && is_moving {
                now_s.max(told)
            } else {
                told
            };
            Some(TimedStage { report, from, to })
        })
        .collect();
    keep_last_work(&mut stages);
    let begin = stages.iter().map(|stage| stage.from).min()?;
    let end = stages.iter().map(|stage| stage.to).max()?;
    let end = if is_moving { end.max(now_s) } else { end };
    if begin == end {
        return None;
    }
    let scale = TimeScale::new(begin, end);
    let mut names: Vec<&str> = Vec::new();
    for stage in &stages {
        if !names.contains(&stage.report.node.as_str()) {
            names.push(&stage.report.node);
        }
    }
    let in_sums = names.len() > MAX_ROWS;
    let rows: Vec<(String, Vec<ChartBar>)> = if in_sums {
        sum_rows(&stages, &scale)
    } else {
        let row = |name: &&str| {
            let of_node = stages.iter().filter(|stage| stage.report.node == **name);
            let bars = of_node.map(|stage| scale.bar_of(stage)).collect();
            ((*name).to_owned(), bars)
        };
        names.iter().map(row).collect()
    };
    let place = |(at, (name, bars)): (u64, (String, Vec<ChartBar>))| {
        let y = TOP + at * ROW + (ROW - BAR) / 2;
        let text_y = y + BAR - 5;
        ChartRow {
            name,
            y,
            text_y,
            bars,
        }
    };
    let rows: Vec<ChartRow> = (0..).zip(rows).map(place).collect();
    Some(StageChart {
        height: TOP + rows.len() as u64 * ROW + 14,
        rows,
        ticks: scale.ticks(),
        now_x: is_moving.then(|| scale.x(now_s)),
        in_sums,
    })
}

fn is_open(report: &StageReport) -> bool {
    matches!(report.outcome, StageOutcome::Began | StageOutcome::Note)
}

/// Drops what was done before the last long pause.
fn keep_last_work(stages: &mut Vec<TimedStage<'_>>) {
    let mut spans: Vec<(u64, u64)> = stages.iter().map(|stage| (stage.from, stage.to)).collect();
    spans.sort_unstable();
    let (mut begin, mut end) = (0, 0);
    for (from, to) in spans {
        if from > end + PAUSE_S {
            begin = from;
        }
        end = end.max(to);
    }
    stages.retain(|stage| stage.from >= begin);
}

/// A row for each stage, in the order in which they began.
fn sum_rows(stages: &[TimedStage<'_>], scale: &TimeScale) -> Vec<(String, Vec<ChartBar>)> {
    let mut sums: Vec<(String, Vec<&TimedStage<'_>>)> = Vec::new();
    let mut sorted: Vec<&TimedStage<'_>> = stages.iter().collect();
    sorted.sort_by_key(|stage| stage.from);
    for stage in sorted {
        let name = stage_name(stage.report);
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, of_it)) => of_it.push(stage),
            None => sums.push((name, vec![stage])),
        }
    }
    let row = |(name, of_it): (String, Vec<&TimedStage<'_>>)| {
        let count = |outcome| {
            let same = of_it.iter().filter(|stage| stage.report.outcome == outcome);
            same.count() as u64
        };
        let (done, failed) = (count(StageOutcome::Done), count(StageOutcome::Failed));
        let all = of_it.len() as u64;
        let kind = match (failed, done == all) {
            (1.., _) => "bad",
            (0, true) => "ok",
            (0, false) => "run",
        };
        let text = match failed {
            0 => say("chart.sum", &[("done", &done), ("all", &all)]),
            _ => say(
                "chart.sum_failed",
                &[("done", &done), ("all", &all), ("failed", &failed)],
            ),
        };
        let from = of_it
            .iter()
            .map(|stage| stage.from)
            .min()
            .unwrap_or_default();
        let to = of_it.iter().map(|stage| stage.to).max().unwrap_or_default();
        let title = format!("{name}: {text}");
        let bar = scale.bar(kind, (from, to), &text, title);
        (name, vec![bar])
    };
    sums.into_iter().map(row).collect()
}

/// `hadoop setup`.
pub(super) fn stage_name(report: &StageReport) -> String {
    format!("{} {}", report.plugin, report.stage)
        .trim()
        .to_owned()
}

/// From times to places.
struct TimeScale {
    begin: u64,
    length: u64,
}

impl TimeScale {
    fn new(begin: u64, end: u64) -> Self {
        let length = end.saturating_sub(begin).max(1);
        Self { begin, length }
    }

    fn x(&self, time: u64) -> u64 {
        let since = time.saturating_sub(self.begin).min(self.length);
        LEFT + since * (RIGHT - LEFT) / self.length
    }

    fn bar_of(&self, stage: &TimedStage<'_>) -> ChartBar {
        let report = stage.report;
        let (kind, word) = match report.outcome {
            StageOutcome::Done => ("ok", "outcome.done"),
            StageOutcome::Failed => ("bad", "outcome.failed"),
            StageOutcome::Began | StageOutcome::Note => ("run", "outcome.running"),
        };
        let name = stage_name(report);
        let took = say_duration(stage.to.saturating_sub(stage.from));
        let since = say_duration(stage.from.saturating_sub(self.begin));
        let title = say(
            "chart.bar",
            &[
                ("node", &report.node),
                ("stage", &name),
                ("outcome", &say(word, &[])),
                ("took", &took),
                ("since", &since),
            ],
        );
        // What failed does not say so by its colour alone.
        let label = match report.outcome {
            StageOutcome::Failed => format!("\u{2715} {name}"),
            _ => name,
        };
        self.bar(kind, (stage.from, stage.to), &label, title)
    }

    fn bar(
        &self,
        kind: &'static str,
        (from, to): (u64, u64),
        label: &str,
        title: String,
    ) -> ChartBar {
        let x = self.x(from).min(RIGHT - 3);
        let width = self.x(to).saturating_sub(x).saturating_sub(1).max(3);
        let room = width.saturating_sub(10) / LETTER;
        let fits = label.chars().count() as u64 <= room;
        ChartBar {
            kind,
            x,
            width,
            label: if fits {
                label.to_owned()
            } else {
                String::new()
            },
            label_x: x + 6,
            title,
        }
    }

    fn ticks(&self) -> Vec<ChartTick> {
        const STEPS: [u64; 17] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400,
        ];
        let step = STEPS.into_iter().find(|step| self.length / step < TICKS);
        let step = step.unwrap_or(self.length);
        let tick = |at: u64| ChartTick {
            x: self.x(self.begin + at),
            label: if at == 0 {
                "0".to_owned()
            } else {
                say_duration(at)
            },
        };
        (0..=self.length / step)
            .map(|number| tick(number * step))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(line: &str, began_s: u64, told_s: u64) -> StageReport {
        StageReport {
            began_s: Some(began_s),
            told_s: Some(told_s),
            ..StageReport::parse(line)
        }
    }

    #[test]
    fn stages_stand_where_their_times_are_and_go_on_while_the_cluster_moves() {
        let reports = [
            report("master hadoop setup done 30 s", 1000, 1030),
            report("master hadoop smoke began", 1030, 1030),
            report("worker-1 hadoop setup failed line 4", 1010, 1020),
            report("no report of a node", 1010, 1020),
        ];
        let chart = draw(&reports, true, 1060).unwrap();
        assert_eq!(chart.rows.len(), 2, "a row for each node");
        let [setup, smoke] = chart.rows[0].bars.as_slice() else {
            panic!("{chart:?}");
        };
        assert_eq!((setup.kind, setup.x), ("ok", LEFT));
        assert_eq!((smoke.kind, smoke.x + smoke.width + 1), ("run", RIGHT));
        assert_eq!(chart.now_x, Some(RIGHT));
        assert_eq!(chart.rows[1].bars[0].kind, "bad");
        assert!(chart.rows[1].bars[0].title.contains("failed"));
        let rested = draw(&reports, false, 5000).unwrap();
        assert_eq!(rested.now_x, None);
        assert_eq!(rested.rows[0].bars[1].width, 3, "it said no more");
    }

    #[test]
    fn work_of_former_days_does_not_stretch_the_axis() {
        let reports = [
            report("master hadoop setup done 30 s", 1000, 1030),
            report("master hadoop change done 5 s", 90_000, 90_005),
        ];
        let chart = draw(&reports, false, 90_010).unwrap();
        assert_eq!(chart.rows[0].bars.len(), 1);
        assert_eq!(chart.rows[0].bars[0].x, LEFT);
    }

    #[test]
    fn many_nodes_are_told_in_sums_and_nothing_leaves_the_drawing() {
        let lines = (1..=250_u64).map(|n| {
            let outcome = if n == 7 { "failed line 4" } else { "done 30 s" };
            report(
                &format!("worker-{n} hadoop setup {outcome}"),
                1000 + n,
                1030 + n,
            )
        });
        let reports: Vec<_> = lines.collect();
        let chart = draw(&reports, false, 9000).unwrap();
        assert!(chart.in_sums && chart.rows.len() == 1);
        let bar = &chart.rows[0].bars[0];
        assert_eq!(bar.kind, "bad");
        assert!(bar.title.contains("249 of 250"), "{}", bar.title);
        assert!(bar.x >= LEFT && bar.x + bar.width <= RIGHT);
        assert!(draw(&[], false, 1).is_none());
        let untimed = StageReport::parse("master hadoop setup began");
        assert!(draw(&[untimed], true, 1).is_none());
        let ahead = [report("master hadoop setup began", 500, 400)];
        let bar = &draw(&ahead, true, 10).unwrap().rows[0].bars[0];
        assert!(bar.x + bar.width <= RIGHT);
    }
}
