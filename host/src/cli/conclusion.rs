//! What a command that changes a cluster says at its end: in words, as a JSON document, and by its
//! exit code. One place, so that none of the three can say something else.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    cluster_wait::WaitEnd,
    documents::{CLUSTER_FIELDS, ClusterDocument},
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::FormatArgs,
    progress_printer::{self, describe_state},
};
use crate::{cluster::ClusterState, orchestrator::ClusterView};

/// What did not come to pass, in words, and how the command ends for it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct CommandFailure {
    pub(super) exit: CommandExit,
    message: String,
}

impl CommandFailure {
    pub(super) fn new(exit: CommandExit, message: String) -> Self {
        Self { exit, message }
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CommandOutcome {
    /// Heat has taken it, and goes on by itself.
    Accepted,
    /// It is remembered, and Heat has not taken it.
    Recorded,
    /// The cluster is as it was asked to be.
    Active,
    /// There was nothing to do.
    Unchanged,
    /// Nothing is left of it.
    Deleted,
    /// There was no such cluster.
    Absent,
    /// The cluster failed, or its change.
    Failed,
    /// The wait was not long enough.
    TimedOut,
    /// Nobody goes on with it.
    Stuck,
}

/// All that is to be said.
pub(super) struct CommandConclusion {
    name: String,
    outcome: CommandOutcome,
    cluster: Option<Box<ClusterView>>,
    exit: CommandExit,
    /// For standard error.
    failure: Option<String>,
}

/// The document of a command that changes a cluster.
#[derive(Serialize)]
struct OutcomeDocument<'a> {
    name: &'a str,
    outcome: CommandOutcome,
    /// Why it is not what was asked for.
    message: Option<&'a str>,
    cluster: Option<ClusterDocument<'a>>,
}

/// What the outcome says beside the fields of its cluster.
const OUTCOME_FIELDS: [&str; 2] = ["outcome", "message"];

/// Every field that a command that changes a cluster can be asked for.
pub(super) fn answer_fields() -> Vec<&'static str> {
    let own = OUTCOME_FIELDS.into_iter();
    own.chain(CLUSTER_FIELDS).collect()
}

impl OutcomeDocument<'_> {
    /// One level of fields, for forms that have no more: those of the cluster, and how it ended.
    fn flatten(&self) -> Result<Map<String, Value>> {
        let own = serde_json::to_value(self)?;
        let cluster = own.get("cluster").unwrap_or(&Value::Null);
        let field = |name: &'static str| {
            let value = if name == "name" || OUTCOME_FIELDS.contains(&name) {
                own.get(name)
            } else {
                cluster.get(name)
            };
            (name.to_owned(), value.cloned().unwrap_or(Value::Null))
        };
        Ok(answer_fields().into_iter().map(field).collect())
    }
}

impl CommandConclusion {
    pub(super) fn new(name: &str, outcome: CommandOutcome, cluster: Option<ClusterView>) -> Self {
        Self {
            name: name.to_owned(),
            outcome,
            cluster: cluster.map(Box::new),
            exit: CommandExit::Done,
            failure: None,
        }
    }

    /// Recorded, and Heat has not taken it.
    pub(super) fn not_taken(view: ClusterView, what: &str, why: Option<String>) -> Self {
        let name = view.name.clone();
        let why = why.or_else(|| view.cloud_error.clone());
        let why = why.unwrap_or_else(|| "heat has not answered yet".to_owned());
        Self::new(&name, CommandOutcome::Recorded, Some(view)).failed(
            CommandExit::CloudFailed,
            format!(
                "{what} `{name}` is recorded, but heat has not taken it: {why}\nnobody goes on with it now; `stampede wait {name}` does"
            ),
        )
    }

    fn failed(self, exit: CommandExit, message: String) -> Self {
        Self {
            exit,
            failure: Some(message),
            ..self
        }
    }

    /// The end of a wait that was to lead to a verified cluster; `is_change` where the cluster was
    /// running before.
    pub(super) fn of_wait(name: &str, end: WaitEnd, is_change: bool) -> Self {
        match end {
            WaitEnd::Settled(view) => Self::of_settled(name, view, is_change),
            WaitEnd::Deleted => Self::new(name, CommandOutcome::Deleted, None),
            WaitEnd::TimedOut(view) => {
                let goes_on = match view.as_ref().map(|view| &view.state) {
                    Some(ClusterState::Deploying) => "heat goes on with it",
                    Some(ClusterState::Deleting) => {
                        "heat goes on with what it has taken, and nobody looks after it"
                    }
                    _ => "nobody goes on with it now",
                };
                let last = view
                    .as_ref()
                    .map_or_else(|| "not seen yet".to_owned(), |view| describe_state(view));
                let message = format!(
                    "the time is over, and `{name}` is {last}: {goes_on}; `stampede wait {name}` waits again and goes on"
                );
                Self {
                    cluster: view,
                    ..Self::new(name, CommandOutcome::TimedOut, None)
                }
                .failed(CommandExit::TimedOut, message)
            }
            WaitEnd::Stuck(view, why) => {
                let message = format!(
                    "nobody goes on with `{name}`: {why}\nonce that is mended, `stampede wait {name}` goes on"
                );
                Self {
                    cluster: view,
                    ..Self::new(name, CommandOutcome::Stuck, None)
                }
                .failed(CommandExit::CloudFailed, message)
            }
        }
    }

    fn of_settled(name: &str, view: Box<ClusterView>, is_change: bool) -> Self {
        let is_active = view.state == ClusterState::Active;
        let is_well = is_active && !(is_change && view.change.is_some());
        let message = match (&view.change, is_active) {
            (Some(change), true) => format!("the change of `{name}` {change}"),
            _ => format!("`{name}` is {}", view.state),
        };
        let conclusion = Self {
            cluster: Some(view),
            ..Self::new(name, CommandOutcome::Active, None)
        };
        if is_well {
            return conclusion;
        }
        if conclusion
            .cluster
            .as_ref()
            .is_some_and(|view| view.state == ClusterState::Requested)
        {
            let message = format!("{message} and not deployed: there is nothing to wait for");
            return Self {
                outcome: CommandOutcome::Recorded,
                ..conclusion.failed(CommandExit::Refused, message)
            };
        }
        Self {
            outcome: CommandOutcome::Failed,
            ..conclusion.failed(CommandExit::ClusterFailed, message)
        }
    }

    /// Says so.
    pub(super) fn tell(
        self,
        out: &mut LinePrinter<'_>,
        format: &FormatArgs,
        took: Option<Duration>,
    ) -> Result<CommandExit> {
        if !format.is_plain_table() {
            let cluster = self.cluster.as_deref().map(ClusterDocument::with_progress);
            let document = OutcomeDocument {
                name: &self.name,
                outcome: self.outcome,
                message: self.failure.as_deref(),
                cluster,
            };
            if format.is_whole_document() {
                format.print_record(out, &document)?;
            } else {
                format.print_record(out, &document.flatten()?)?;
            }
        } else if self.failure.is_none() {
            self.tell_people(out, took)?;
        }
        match self.failure {
            None => Ok(self.exit),
            Some(message) => Err(CommandFailure {
                exit: self.exit,
                message,
            }
            .into()),
        }
    }

    fn tell_people(&self, out: &mut LinePrinter<'_>, took: Option<Duration>) -> Result<()> {
        let name = &self.name;
        match (self.outcome, &self.cluster) {
            (CommandOutcome::Active, Some(view)) => {
                progress_printer::print_conclusion(out, view, took.unwrap_or_default())?;
            }
            (CommandOutcome::Unchanged, _) => {
                writeln!(out, "`{name}`: nothing in the cloud had to change")?;
            }
            (CommandOutcome::Absent, _) => writeln!(out, "there is no cluster `{name}`")?,
            (CommandOutcome::Deleted, _) => match took {
                Some(took) => {
                    let minutes = progress_printer::format_minutes(took);
                    writeln!(out)?;
                    writeln!(out, "nothing is left of `{name}` after {minutes} min")?;
                }
                None => writeln!(out, "nothing is left of `{name}`")?,
            },
            _ => {}
        }
        Ok(out.flush()?)
    }
}
