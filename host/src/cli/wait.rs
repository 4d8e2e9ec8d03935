//! `stampede wait`: goes on with what another command has left, until the cluster stands still.

use anyhow::Result;
use clap::Args;

use super::{
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    cluster_wait::{ClusterWait, TimeoutArgs, WaitTarget},
    conclusion::{CommandConclusion, answer_fields},
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::FormatArgs,
    progress_printer::ProgressPrinter,
};
use crate::{
    cluster::ClusterState,
    orchestrator::{DeletionStage, OrchestratorError},
};

/// Wait until a cluster stands still, and go on with what is left to do for it
///
/// After a deploy until it is verified, after an update until the change has ended, after a delete
/// until nothing is left. What an interrupted command left undone goes on meanwhile.
#[derive(Args, Debug)]
pub(super) struct WaitArgs {
    /// The cluster's name
    pub(super) name: String,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Waits.
pub(super) async fn run(args: &WaitArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.format.prepare(out);
    args.format.check_fields(&answer_fields())?;
    let mut cloud = ClusterBackend::connect(&args.cloud).await?;
    let target = find_target(&cloud, &args.name).await?;
    let mut progress = ProgressPrinter::new();
    let wait = ClusterWait {
        cloud: &mut cloud,
        out,
        progress: &mut progress,
        target,
    };
    let end = wait.run(args.timeout.timeout).await?;
    let conclusion = CommandConclusion::of_wait(&args.name, end, true);
    conclusion.tell(out, &args.format, Some(progress.elapsed()))
}

/// The living cluster of this name, else one that is being deleted.
async fn find_target(cloud: &ClusterBackend, name: &str) -> Result<WaitTarget> {
    let Some(view) = cloud.find(name).await? else {
        let found = cloud.find_deleting(name).await?;
        let found = found.ok_or_else(|| OrchestratorError::NotFound(name.to_owned()))?;
        return Ok(WaitTarget::deleting(found));
    };
    let is_going = matches!(view.state, ClusterState::Deleting | ClusterState::Deleted);
    if is_going || view.deletion == DeletionStage::Wished {
        return Ok(WaitTarget::deleting(view));
    }
    Ok(WaitTarget::Living(name.to_owned()))
}
