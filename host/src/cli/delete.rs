//! `stampede delete`: deletes a cluster, and waits until nothing of it is left where that is asked
//! for.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{
    arguments::parse_duration,
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    cluster_wait::{ClusterWait, WaitTarget},
    conclusion::{CommandConclusion, CommandOutcome, answer_fields},
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::FormatArgs,
    progress_printer::ProgressPrinter,
};
use crate::orchestrator::{DeletionAnswer, DeletionStage, OrchestratorError};

/// Delete a cluster and all that belongs to it
#[derive(Args, Debug)]
pub(super) struct DeleteArgs {
    /// The cluster's name
    pub(super) name: String,
    /// The name is that of a stack (or its id) that no record knows: `stampede list --orphans`
    #[arg(long, conflicts_with = "if_exists")]
    orphan: bool,
    /// Wait until nothing of it is left in the cloud
    #[arg(long)]
    wait: bool,
    /// It is no failure when there is no such cluster
    #[arg(long)]
    if_exists: bool,
    /// With --wait: no longer than this (90s, 30m, 1h30m), then end with exit code 7; the work
    /// stands
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, requires = "wait")]
    timeout: Option<Duration>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Deletes: done when Heat has taken it, with `--wait` when nothing is left.
pub(super) async fn run(args: &DeleteArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.format.prepare(out);
    args.format.check_fields(&answer_fields())?;
    let name = &args.name;
    if args.orphan {
        return delete_orphan(args, out).await;
    }
    let mut cloud = ClusterBackend::connect(&args.cloud).await?;
    let Some(id) = find_id(&cloud, name).await? else {
        if !args.if_exists {
            return Err(OrchestratorError::NotFound(name.clone()).into());
        }
        let conclusion = CommandConclusion::new(name, CommandOutcome::Absent, None);
        return conclusion.tell(out, &args.format, None);
    };
    // One that is being deleted already needs nobody to ask again, unless it waits for somebody.
    let why = match cloud.delete(name).await? {
        Some(DeletionAnswer::Recorded(why)) => Some(why),
        _ => None,
    };
    let Some(view) = cloud.find_by_id(name, &id).await? else {
        let conclusion = CommandConclusion::new(name, CommandOutcome::Deleted, None);
        return conclusion.tell(out, &args.format, None);
    };
    if !args.wait {
        if view.deletion != DeletionStage::Taken {
            let conclusion = CommandConclusion::not_taken(view, "the deletion of", why);
            return conclusion.tell(out, &args.format, None);
        }
        writeln!(
            out,
            "deleting `{name}`: heat has taken it; `stampede wait {name}` waits until nothing is left"
        )?;
        let conclusion = CommandConclusion::new(name, CommandOutcome::Accepted, Some(view));
        return conclusion.tell(out, &args.format, None);
    }
    wait_until_deleted(args, &mut cloud, out, id).await
}

/// Has Heat delete a stack that no record knows.
async fn delete_orphan(args: &DeleteArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let name = &args.name;
    let cloud = args.cloud.connect().await?;
    let id = cloud
        .orchestrator
        .delete_orphan(&cloud.caller, name)
        .await?;
    if args.wait {
        let mut cloud = ClusterBackend::Local(Box::new(cloud));
        return wait_until_deleted(args, &mut cloud, out, id).await;
    }
    writeln!(
        out,
        "deleting stack `{name}`; `stampede list` shows what is left"
    )?;
    let conclusion = CommandConclusion::new(name, CommandOutcome::Accepted, None);
    conclusion.tell(out, &args.format, None)
}

async fn wait_until_deleted(
    args: &DeleteArgs,
    cloud: &mut ClusterBackend,
    out: &mut LinePrinter<'_>,
    id: String,
) -> Result<CommandExit> {
    let name = &args.name;
    writeln!(out, "deleting `{name}`")?;
    let mut progress = ProgressPrinter::new();
    let wait = ClusterWait {
        cloud,
        out,
        progress: &mut progress,
        target: WaitTarget::Deleting {
            name: name.clone(),
            id,
        },
    };
    let end = wait.run(args.timeout).await?;
    let conclusion = CommandConclusion::of_wait(name, end, false);
    conclusion.tell(out, &args.format, Some(progress.elapsed()))
}

/// The living cluster of this name, else one whose deletion has not come to its end.
async fn find_id(cloud: &ClusterBackend, name: &str) -> Result<Option<String>> {
    let found = match cloud.find(name).await? {
        Some(living) => Some(living),
        None => cloud.find_deleting(name).await?,
    };
    Ok(found.map(|view| view.id))
}
