//! `stampede adopt`: takes a stack of Stampede's that no record knows into the store.

use anyhow::Result;
use clap::Args;

use super::{
    cloud::CloudArgs,
    documents::{CLUSTER_FIELDS, ClusterDocument},
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::FormatArgs,
};

/// Take a stack that no record knows (`stampede list --orphans`) as a cluster
#[derive(Args, Debug)]
pub(super) struct AdoptArgs {
    /// The stack's name or id, or its cluster's name
    stack: String,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Adopts it.
pub(super) async fn run(args: &AdoptArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.format.prepare(out);
    args.format.check_fields(&CLUSTER_FIELDS)?;
    let cloud = args.cloud.connect().await?;
    let adopting = cloud.orchestrator.adopt_orphan(&cloud.caller, &args.stack);
    let view = adopting.await?;
    if !args.format.is_plain_table() {
        args.format
            .print_record(out, &ClusterDocument::new(&view))?;
    } else {
        writeln!(out, "`{}` is {}", view.name, view.state.as_str())?;
    }
    Ok(CommandExit::Done)
}
