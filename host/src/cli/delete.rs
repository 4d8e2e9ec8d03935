//! `stampede delete`: deletes a cluster, and waits until nothing of it is left where that is asked
//! for.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::cloud::{self, CloudArgs, LocalOrchestrator, ProgressPrinter};
use crate::cluster::ClusterState;

/// Delete a cluster and all that belongs to it
#[derive(Args, Debug)]
pub(super) struct DeleteArgs {
    /// The cluster's name
    name: String,
    /// Wait until nothing of it is left in the cloud
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Deletes; 0 when Heat was asked (with `--wait`, when nothing is left), 1 when it failed.
pub(super) async fn run(args: &DeleteArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let cloud = args.cloud.connect().await?;
    let view = cloud.orchestrator.view(&cloud.caller, &args.name).await?;
    cloud.orchestrator.delete(&cloud.caller, &args.name).await?;
    writeln!(out, "deleting `{}`", args.name)?;
    if args.wait {
        wait_until_deleted(out, &cloud, &view.id).await
    } else {
        Ok(ExitCode::SUCCESS)
    }
}

async fn wait_until_deleted(
    out: &mut dyn Write,
    cloud: &LocalOrchestrator,
    id: &str,
) -> Result<ExitCode> {
    let mut watch = ProgressPrinter::new();
    loop {
        let Some(mut view) = cloud
            .orchestrator
            .list_deleting(&cloud.caller)
            .await?
            .into_iter()
            .find(|view| view.id == id)
        else {
            writeln!(
                out,
                "\nnothing is left of it after {} min",
                cloud::format_minutes(watch.elapsed())
            )?;
            return Ok(ExitCode::SUCCESS);
        };
        // What its nodes said while it lived is of no more interest.
        view.progress.clear();
        watch.print(out, &view)?;
        if let ClusterState::Failed(why) = &view.state {
            writeln!(out, "\n{why}")?;
            return Ok(ExitCode::FAILURE);
        }
        tokio::time::sleep(cloud::LOOK_EVERY).await;
    }
}
