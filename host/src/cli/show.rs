//! `stampede show`: prints one cluster: its state, its endpoints and what its nodes reported.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::cloud::{self, CloudArgs};
use crate::orchestrator::ClusterView;

/// Show a cluster: state, endpoints, progress by node
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// The cluster's name
    name: String,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Shows it.
pub(super) async fn run(args: &ShowArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let cloud = args.cloud.connect().await?;
    let view = cloud.orchestrator.view(&cloud.caller, &args.name).await?;
    print_view(out, &view)?;
    Ok(ExitCode::SUCCESS)
}

fn print_view(out: &mut dyn Write, view: &ClusterView) -> Result<()> {
    writeln!(out, "name        {}", view.name)?;
    writeln!(out, "state       {}", view.state)?;
    if let Some(status) = &view.stack_status {
        writeln!(out, "heat says   {status} {}", view.stack_status_reason)?;
    }
    if let Some(change) = &view.change {
        writeln!(out, "update      {change}")?;
    }
    if let Some((region, id)) = &view.stack_id {
        writeln!(out, "stack       {id} in {region}")?;
    }
    if let Some(error) = &view.cloud_error {
        writeln!(out, "may be old  {error}")?;
    }
    for (name, value) in &view.attributes {
        writeln!(out, "  {name} = {value}")?;
    }
    if !view.endpoints.is_empty() {
        writeln!(out, "\nendpoints")?;
        cloud::print_endpoints(out, view)?;
    }
    if !view.progress.is_empty() {
        writeln!(out, "\nprogress")?;
        let width = view
            .progress
            .iter()
            .map(|report| report.node.len())
            .max()
            .unwrap_or(0);
        for report in &view.progress {
            writeln!(out, "  {:<width$}  {}", report.node, report.text)?;
        }
    }
    Ok(())
}
