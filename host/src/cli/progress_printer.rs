//! Prints the progress of a cluster that a command waits for: what is new, a line each.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{endpoint_printer::print_endpoints, line_printer::LinePrinter, node_bars::NodeBars};
use crate::{
    cluster::{ClusterState, progress::StageReport},
    orchestrator::ClusterView,
    system::clock::monotonic_now,
};

/// Prints what is new in a cluster's view, a line each, as a person would like to read it.
pub(super) struct ProgressPrinter {
    since: Instant,
    shown: Vec<StageReport>,
    state: Option<String>,
    change: Option<String>,
    /// Whether it was said to take longer than before; none where nothing was said of it.
    time_left: Option<bool>,
    failure: Option<String>,
    cloud_error: Option<String>,
    bars: NodeBars,
}

impl ProgressPrinter {
    pub(super) fn new() -> Self {
        Self {
            since: monotonic_now(),
            shown: Vec::new(),
            state: None,
            change: None,
            time_left: None,
            failure: None,
            cloud_error: None,
            bars: NodeBars::new(),
        }
    }

    /// Takes what is there already for known: what the nodes said when they were deployed is no
    /// news of a change.
    pub(super) fn take_as_known(&mut self, view: &ClusterView) {
        self.shown.clone_from(&view.progress);
        self.change.clone_from(&view.change);
    }

    /// Since when.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Prints what is new.
    pub(super) fn print(&mut self, out: &mut LinePrinter<'_>, view: &ClusterView) -> Result<()> {
        let at = format_minutes(self.elapsed());
        let news = self.take_news(view);
        self.bars.suspend(|| {
            for (who, text) in news {
                writeln!(out, "{at:>6}  {who:<12} {text}")?;
            }
            out.flush()
        })?;
        self.bars.show(view);
        Ok(())
    }

    /// Who says what, that was not said before.
    fn take_news(&mut self, view: &ClusterView) -> Vec<(String, String)> {
        let mut news = Vec::new();
        let unheard = |report: &&StageReport| !self.shown.contains(report);
        for report in view.progress.iter().filter(unheard) {
            let node = if report.node.is_empty() {
                "-"
            } else {
                &report.node
            };
            news.push((node.to_owned(), report.text.clone()));
        }
        self.shown.clone_from(&view.progress);
        let mut tell = |known: &mut Option<String>, now: Option<String>| {
            if *known != now {
                known.clone_from(&now);
                news.extend(now.map(|text| (view.name.clone(), text)));
            }
        };
        tell(&mut self.change, view.change.clone());
        tell(&mut self.failure, view.failure.clone());
        tell(&mut self.cloud_error, view.cloud_error.clone());
        tell(&mut self.state, Some(describe_state(view)));
        // Said at the beginning and when that is over; in between a terminal shows it.
        let is_over = view.time_left.map(|left| left.left_s().is_none());
        if is_over.is_some() && is_over != self.time_left {
            self.time_left = is_over;
            news.extend(
                view.time_left
                    .map(|left| (view.name.clone(), left.sentence())),
            );
        }
        news
    }
}

/// The state in Stampede's word, and Heat's status behind it.
pub(super) fn describe_state(view: &ClusterView) -> String {
    match &view.stack_status {
        Some(status) => format!("{} ({status})", view.state.as_str()),
        None => view.state.as_str().to_owned(),
    }
}

/// `90` seconds to `1:30`.
pub(super) fn format_minutes(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// The end of a cluster's coming up: where it is reached, or why it is not.
pub(super) fn print_conclusion(
    out: &mut LinePrinter<'_>,
    view: &ClusterView,
    elapsed: Duration,
) -> Result<()> {
    writeln!(out)?;
    if view.state != ClusterState::Active {
        return Ok(writeln!(out, "`{}` {}", view.name, view.state)?);
    }
    let took = format_minutes(elapsed);
    writeln!(out, "`{}` is active after {took} min", view.name)?;
    print_endpoints(out, view)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cluster::former_runs::{FormerRuns, RunForecast, RunLikeness};
    use crate::orchestrator::{EndpointAccess, LifecyclePhase};

    fn at(url: &str) -> EndpointAccess {
        EndpointAccess {
            urls: vec![(None, url.into())],
            ..EndpointAccess::default()
        }
    }

    fn view(state: ClusterState, status: Option<&str>, lines: &[&str]) -> ClusterView {
        ClusterView {
            name: "demo".into(),
            id: "1".into(),
            created_s: 0,
            owner: None,
            frameworks: vec!["hadoop".into()],
            node_counts: BTreeMap::from([("worker".into(), 1)]),
            phase: LifecyclePhase::Deployed,
            state,
            stack_status: status.map(str::to_owned),
            stack_id: None,
            attributes: BTreeMap::new(),
            brought: BTreeMap::new(),
            outputs: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            endpoint_access: BTreeMap::from([
                ("namenode_ui".into(), at("http://192.0.2.7:9870/")),
                ("yarn".into(), at("http://192.0.2.7:8088/")),
            ]),
            health: Vec::new(),
            region: "RegionOne".into(),
            progress: lines.iter().map(|line| StageReport::parse(line)).collect(),
            stack_status_reason: String::new(),
            change: None,
            failure: None,
            ends_s: None,
            end_notice: None,
            idle: None,
            deletion: crate::orchestrator::DeletionStage::NotWanted,
            time_left: None,
            upgrade: None,
            silent_since_s: None,
            cloud_error: None,
        }
    }

    #[test]
    fn only_what_is_new_is_printed() {
        let mut watch = ProgressPrinter::new();
        let mut says = |view: &ClusterView| -> Vec<String> {
            watch
                .take_news(view)
                .into_iter()
                .map(|(who, text)| format!("{who}: {text}"))
                .collect()
        };
        let first = view(
            ClusterState::Deploying,
            Some("CREATE_IN_PROGRESS"),
            &["worker-1 hadoop setup began"],
        );
        assert_eq!(
            says(&first),
            [
                "worker-1: hadoop setup began",
                "demo: deploying (CREATE_IN_PROGRESS)"
            ]
        );
        assert!(says(&first).is_empty());
        let more = view(
            ClusterState::Deploying,
            Some("CREATE_IN_PROGRESS"),
            &["worker-1 hadoop setup done 34 s", "hello"],
        );
        assert_eq!(
            says(&more),
            ["worker-1: hadoop setup done, 34 s", "-: hello"]
        );
        let failed = ClusterView {
            failure: Some("worker-1: no".into()),
            ..view(
                ClusterState::Failed("worker-1: no".into()),
                Some("CREATE_FAILED"),
                &[],
            )
        };
        assert_eq!(
            says(&failed),
            ["demo: worker-1: no", "demo: failed (CREATE_FAILED)"]
        );
    }

    #[test]
    fn a_change_does_not_tell_the_deployment_again() {
        let deployed = view(
            ClusterState::Active,
            Some("CREATE_COMPLETE"),
            &["worker-1 hadoop setup done 34 s"],
        );
        let mut watch = ProgressPrinter::new();
        watch.take_as_known(&deployed);
        let changing = ClusterView {
            change: Some("step 1 of 1: new settings on worker-1".into()),
            ..view(
                ClusterState::Updating,
                Some("UPDATE_IN_PROGRESS"),
                &[
                    "worker-1 hadoop setup done 34 s",
                    "worker-1 hadoop ready done 2 s",
                ],
            )
        };
        let told: Vec<String> = watch
            .take_news(&changing)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(
            told,
            [
                "hadoop ready done, 2 s",
                "step 1 of 1: new settings on worker-1",
                "updating (UPDATE_IN_PROGRESS)"
            ]
        );
    }

    #[test]
    fn what_is_left_is_said_once_and_again_when_it_is_over() {
        let forecast = |now_s| RunForecast {
            began_s: 0,
            now_s,
            former: FormerRuns {
                typical_s: 300,
                runs: 2,
                likeness: RunLikeness::Same,
            },
        };
        let mut watch = ProgressPrinter::new();
        let mut told = |now_s| -> Vec<String> {
            let seen = ClusterView {
                time_left: Some(forecast(now_s)),
                ..view(ClusterState::Deploying, None, &[])
            };
            let news = watch.take_news(&seen).into_iter();
            news.map(|(_, text)| text).collect()
        };
        let first = ["deploying", "about 4 min left, from 2 former runs"];
        assert_eq!(told(100), first);
        assert!(told(200).is_empty());
        let over = ["longer than 2 former runs, which took about 5 min"];
        assert_eq!(told(300), over);
        assert!(told(400).is_empty());
    }

    #[test]
    fn the_end_says_where_the_cluster_is() {
        let mut out = Vec::new();
        print_conclusion(
            &mut LinePrinter::new(&mut out),
            &view(ClusterState::Active, Some("CREATE_COMPLETE"), &[]),
            Duration::from_secs(95),
        )
        .unwrap();
        let wanted = "\n`demo` is active after 1:35 min\n  namenode_ui  http://192.0.2.7:9870/\n  yarn         http://192.0.2.7:8088/\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
