//! `stampede events`: what the nodes of a cluster have said, and what became of their stages.

use anyhow::Result;
use clap::Args;

use super::{
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::{FormatArgs, ListColumn},
};
use crate::{cluster::progress::StageReport, system::utc_time::format_rfc3339};

/// List what the nodes of a cluster have said: the latest of each stage of each node
///
/// `stampede wait NAME` prints it as it comes.
#[derive(Args, Debug)]
pub(super) struct EventsArgs {
    /// The cluster's name
    name: String,
    /// With more columns: when a stage began
    #[arg(long)]
    long: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

const COLUMNS: [ListColumn<StageReport>; 8] = [
    ListColumn::new("NODE", "node", |one| one.node.clone()),
    ListColumn::new("PLUGIN", "plugin", |one| one.plugin.clone()),
    ListColumn::new("STAGE", "stage", |one| one.stage.clone()),
    ListColumn::new("OUTCOME", "outcome", outcome),
    ListColumn::new("SECONDS", "seconds", |one| {
        one.seconds
            .map(|seconds| seconds.to_string())
            .unwrap_or_default()
    }),
    ListColumn::new("TOLD", "told_at", |one| {
        time(one.told_s).unwrap_or_default()
    }),
    ListColumn::long("BEGAN", "began_at", |one| {
        time(one.began_s).unwrap_or_default()
    }),
    ListColumn::new("TEXT", "text", |one| one.text.clone()),
];

fn outcome(report: &StageReport) -> String {
    let name = serde_json::to_value(report.outcome).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

fn time(unix_s: Option<u64>) -> Option<String> {
    unix_s.map(format_rfc3339)
}

/// Lists them.
pub(super) async fn run(args: &EventsArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let cloud = ClusterBackend::connect(&args.cloud).await?;
    let view = cloud.view(&args.name).await?;
    if args.format.is_plain_table() && view.progress.is_empty() {
        writeln!(out, "no node of `{}` has said anything yet", view.name)?;
        return Ok(CommandExit::Done);
    }
    let document = |one: &StageReport| {
        let mut told = serde_json::to_value(one)?;
        if let Some(fields) = told.as_object_mut() {
            for (name, at) in [("began", one.began_s), ("told", one.told_s)] {
                fields.remove(&format!("{name}_s"));
                fields.insert(format!("{name}_at"), time(at).into());
            }
        }
        Ok(told)
    };
    args.format
        .print_list(out, &COLUMNS, args.long, &view.progress, document)?;
    Ok(CommandExit::Done)
}
