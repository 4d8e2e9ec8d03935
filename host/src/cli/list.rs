//! `stampede list`: prints the project's clusters, those that are being deleted among them.

use anyhow::Result;
use clap::Args;

use super::{
    arguments::{FormatArgs, format_duration},
    cloud::{CloudArgs, LocalOrchestrator},
    documents::{ClusterDocument, age_s},
    exit_code::CommandExit,
    health_printer::describe_worst,
    line_printer::LinePrinter,
    table,
};
use crate::{
    cluster::default_groups::{find_default, sized_group},
    orchestrator::{ClusterView, OrphanStack},
};

/// List the project's clusters
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Stacks of stampede in the project that no record here knows, in all regions; a host with
    /// another data directory may know them
    #[arg(long)]
    orphans: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Lists them.
pub(super) async fn run(args: &ListArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let cloud = args.cloud.connect().await?;
    if args.orphans {
        return print_orphans(args, &cloud, out).await;
    }
    let mut views = cloud.orchestrator.list(&cloud.caller).await?;
    views.extend(cloud.orchestrator.list_deleting(&cloud.caller).await?);
    if args.format.is_json() {
        let documents: Vec<_> = views.iter().map(ClusterDocument::new).collect();
        out.print_json(&documents)?;
    } else if views.is_empty() {
        let project = cloud.caller.project_name();
        writeln!(out, "no clusters in project `{project}`")?;
    } else {
        let size = sized_group().many.to_uppercase();
        let heads = [
            "NAME",
            "STATE",
            "FRAMEWORK",
            &size,
            "AGE",
            "HEALTH",
            "HEAT SAYS",
            "STACK",
        ];
        table::print_table(out, &heads, &views.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(CommandExit::Done)
}

const ORPHAN_HEADS: [&str; 6] = [
    "CLUSTER",
    "STACK",
    "HEAT SAYS",
    "MADE BY",
    "REGION",
    "CREATED",
];

async fn print_orphans(
    args: &ListArgs,
    cloud: &LocalOrchestrator,
    out: &mut LinePrinter<'_>,
) -> Result<CommandExit> {
    let orphans = cloud.orchestrator.list_orphans(&cloud.caller).await?;
    if args.format.is_json() {
        out.print_json(&orphans)?;
    } else if orphans.is_empty() {
        let project = cloud.caller.project_name();
        writeln!(out, "no stack in project `{project}` without a record")?;
    } else {
        let row = |orphan: &OrphanStack| {
            vec![
                orphan.cluster.clone(),
                orphan.stack_id.clone(),
                orphan.status.clone(),
                orphan.host.clone(),
                orphan.region.clone(),
                orphan.created.clone(),
            ]
        };
        let rows: Vec<_> = orphans.iter().map(row).collect();
        table::print_table(out, &ORPHAN_HEADS, &rows)?;
        writeln!(
            out,
            "if no other host has a record of it: `stampede adopt STACK`, or `stampede delete --orphan STACK`"
        )?;
    }
    Ok(CommandExit::Done)
}

fn row(view: &ClusterView) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let frameworks = view.frameworks.join(",");
    vec![
        view.name.clone(),
        view.state.as_str().to_owned(),
        or_dash(Some(frameworks).filter(|names| !names.is_empty())),
        or_dash(tell_sizes(view)),
        format_duration(age_s(view)),
        or_dash(describe_worst(view)),
        or_dash(view.stack_status.clone()),
        or_dash(view.stack_id.as_ref().map(|(_, id)| id.clone())),
    ]
}

/// How many workers there are, and of each further group: `3, edge 2`.
fn tell_sizes(view: &ClusterView) -> Option<String> {
    let sized = view.node_counts.get(sized_group().name);
    let all = view.node_counts.iter();
    let further = all.filter(|(name, _)| find_default(name).is_none());
    let further = further.map(|(name, count)| format!("{name} {count}"));
    let told: Vec<String> = sized
        .map(u32::to_string)
        .into_iter()
        .chain(further)
        .collect();
    (!told.is_empty()).then(|| told.join(", "))
}
