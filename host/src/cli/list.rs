//! `stampede list`: prints the project's clusters, those that are being deleted among them.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::{cloud::CloudArgs, table};

/// List the project's clusters
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Lists them.
pub(super) async fn run(args: &ListArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let cloud = args.cloud.connect().await?;
    let mut views = cloud.orchestrator.list(&cloud.caller).await?;
    views.extend(cloud.orchestrator.list_deleting(&cloud.caller).await?);
    if views.is_empty() {
        writeln!(
            out,
            "no clusters in project `{}`",
            cloud.caller.project_name()
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |view: &crate::orchestrator::ClusterView| {
        let stack = view.stack_id.as_ref().map_or("-", |(_, id)| id.as_str());
        vec![
            view.name.clone(),
            view.state.as_str().to_owned(),
            view.stack_status.clone().unwrap_or_else(|| "-".to_owned()),
            stack.to_owned(),
        ]
    };
    table::print_table(
        out,
        &["NAME", "STATE", "HEAT SAYS", "STACK"],
        &views.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(ExitCode::SUCCESS)
}
