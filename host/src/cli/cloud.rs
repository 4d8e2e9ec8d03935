//! Connects a command to the cloud: credentials, store and plugins become an orchestrator in this
//! process. Prints the progress of the clusters that commands wait for.

use std::{
    io::Write,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    cluster::{ClusterState, progress::StageReport},
    metrics::HostMetrics,
    openstack::{CloudClient, CloudCredentials, CloudSession},
    orchestrator::{Caller, ClusterView, Orchestrator, OrchestratorConfig, OrchestratorLimits},
    store::RecordStore,
    system::{clock::monotonic_now, environment::read_path},
};

use super::plugins;

/// How often `--wait` looks.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The name that clusters of the command line bear in Heat.
const HOST: &str = "command-line";

/// Where the cloud, the plugins and the memory are.
#[derive(Args, Debug)]
pub(super) struct CloudArgs {
    /// Entry of clouds.yaml; without it the OS_* variables
    #[arg(long, env = "OS_CLOUD", value_name = "NAME")]
    os_cloud: Option<String>,
    /// Where stampede remembers its clusters [default: $XDG_STATE_HOME/stampede]
    #[arg(long, env = "STAMPEDE_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    plugins: plugins::PluginArgs,
}

/// An orchestrator of our own, and us as its caller.
pub(super) struct LocalOrchestrator {
    pub(super) orchestrator: Orchestrator,
    pub(super) caller: Caller,
}

impl CloudArgs {
    /// Logs in and opens the store; what is pending in the project goes on.
    pub(super) async fn connect(&self) -> Result<LocalOrchestrator> {
        let (orchestrator, session) = self.open().await?;
        let caller = orchestrator.register_session(session).await?;
        Ok(LocalOrchestrator {
            orchestrator,
            caller,
        })
    }

    /// The same for a preview: nothing goes on.
    pub(super) async fn connect_read_only(&self) -> Result<LocalOrchestrator> {
        let (orchestrator, session) = self.open().await?;
        let caller = orchestrator.read_only_caller(session);
        Ok(LocalOrchestrator {
            orchestrator,
            caller,
        })
    }

    async fn open(&self) -> Result<(Orchestrator, CloudSession)> {
        let credentials = CloudCredentials::from_env_or_clouds_yaml(self.os_cloud.as_deref())?;
        let client = CloudClient::new(credentials.config().clone())?;
        let data_dir = self.data_dir.clone().map_or_else(default_data_dir, Ok)?;
        // Nobody asks a command for its numbers.
        let metrics = Arc::new(HostMetrics::default());
        let (planner, defaults) = self.plugins.load(&metrics).await?;
        let store = RecordStore::open(&data_dir).await?;
        let session = client.login(&credentials).await?;
        let orchestrator = Orchestrator::new(OrchestratorConfig {
            host: HOST.to_owned(),
            client,
            planner,
            store,
            defaults,
            limits: OrchestratorLimits::default(),
            metrics,
        })
        .await?;
        Ok((orchestrator, session))
    }
}

/// Where the user's programs keep their state (XDG Base Directory Specification).
pub(super) fn user_state_dir() -> Option<PathBuf> {
    read_path("XDG_STATE_HOME").or_else(|| Some(read_path("HOME")?.join(".local/state")))
}

fn default_data_dir() -> Result<PathBuf> {
    let state = user_state_dir()
        .context("neither XDG_STATE_HOME nor HOME is set; name a folder with --data-dir")?;
    Ok(state.join("stampede"))
}

/// `90` seconds to `1:30`.
pub(super) fn format_minutes(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// Prints what is new in a cluster's view, a line each, as a person would like to read it.
pub(super) struct ProgressPrinter {
    since: Instant,
    shown: Vec<StageReport>,
    state: Option<String>,
    change: Option<String>,
    failure: Option<String>,
    cloud_error: Option<String>,
}

impl ProgressPrinter {
    pub(super) fn new() -> Self {
        Self {
            since: monotonic_now(),
            shown: Vec::new(),
            state: None,
            change: None,
            failure: None,
            cloud_error: None,
        }
    }

    /// Since when.
    pub(super) fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Prints what is new.
    pub(super) fn print(&mut self, out: &mut dyn Write, view: &ClusterView) -> Result<()> {
        let at = format_minutes(self.elapsed());
        for (who, text) in self.take_news(view) {
            writeln!(out, "{at:>6}  {who:<12} {text}")?;
        }
        Ok(out.flush()?)
    }

    /// Who says what, that was not said before.
    fn take_news(&mut self, view: &ClusterView) -> Vec<(String, String)> {
        let mut news = Vec::new();
        for report in view
            .progress
            .iter()
            .filter(|report| !self.shown.contains(report))
        {
            let node = if report.node.is_empty() {
                "-"
            } else {
                &report.node
            };
            news.push((node.to_owned(), report.text.clone()));
        }
        self.shown.clone_from(&view.progress);
        if self.change != view.change {
            self.change.clone_from(&view.change);
            news.extend(
                view.change
                    .iter()
                    .map(|step| (view.name.clone(), step.clone())),
            );
        }
        if self.failure != view.failure {
            self.failure.clone_from(&view.failure);
            news.extend(
                view.failure
                    .iter()
                    .map(|why| (view.name.clone(), why.clone())),
            );
        }
        if self.cloud_error != view.cloud_error {
            self.cloud_error.clone_from(&view.cloud_error);
            news.extend(view.cloud_error.iter().map(|why| {
                (
                    view.name.clone(),
                    format!("the cloud does not answer: {why}"),
                )
            }));
        }
        let state = match &view.stack_status {
            Some(status) => format!("{} ({status})", view.state.as_str()),
            None => view.state.as_str().to_owned(),
        };
        if self.state.as_ref() != Some(&state) {
            news.push((view.name.clone(), state.clone()));
            self.state = Some(state);
        }
        news
    }
}

/// The end of a cluster's coming up: where it is reached, or why it is not.
pub(super) fn conclusion(out: &mut dyn Write, view: &ClusterView, elapsed: Duration) -> Result<()> {
    match &view.state {
        ClusterState::Active => {
            writeln!(
                out,
                "\n`{}` is active after {} min",
                view.name,
                format_minutes(elapsed)
            )?;
            print_endpoints(out, view)
        }
        state => Ok(writeln!(out, "\n`{}` {state}", view.name)?),
    }
}

/// The endpoints, a line each.
pub(super) fn print_endpoints(out: &mut dyn Write, view: &ClusterView) -> Result<()> {
    let width = view.endpoints.keys().map(String::len).max().unwrap_or(0);
    for (name, url) in &view.endpoints {
        writeln!(out, "  {name:<width$}  {url}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::orchestrator::LifecyclePhase;

    fn view(state: ClusterState, status: Option<&str>, lines: &[&str]) -> ClusterView {
        ClusterView {
            name: "demo".into(),
            id: "1".into(),
            phase: LifecyclePhase::Deployed,
            state,
            stack_status: status.map(str::to_owned),
            stack_id: None,
            attributes: BTreeMap::new(),
            brought: BTreeMap::new(),
            outputs: BTreeMap::new(),
            endpoints: BTreeMap::from([
                ("namenode_ui".into(), "http://192.0.2.7:9870/".into()),
                ("yarn".into(), "http://192.0.2.7:8088/".into()),
            ]),
            region: "RegionOne".into(),
            progress: lines.iter().map(|line| StageReport::parse(line)).collect(),
            stack_status_reason: String::new(),
            change: None,
            failure: None,
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
    fn the_end_says_where_the_cluster_is() {
        let mut out = Vec::new();
        conclusion(
            &mut out,
            &view(ClusterState::Active, Some("CREATE_COMPLETE"), &[]),
            Duration::from_secs(95),
        )
        .unwrap();
        let wanted = "\n`demo` is active after 1:35 min\n  namenode_ui  http://192.0.2.7:9870/\n  yarn         http://192.0.2.7:8088/\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
