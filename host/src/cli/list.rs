//! `stampede list`: prints the project's clusters, those that are being deleted among them.

use anyhow::Result;
use clap::Args;

use super::{
    arguments::format_duration,
    cloud::{CloudArgs, LocalOrchestrator},
    cluster_backend::ClusterBackend,
    documents::{ClusterDocument, age_s},
    exit_code::CommandExit,
    health_printer::describe_worst,
    line_printer::LinePrinter,
    output_format::{FormatArgs, ListColumn},
};
use crate::{
    cluster::{
        default_groups::{find_default, sized_group},
        end_time::age_text,
    },
    orchestrator::{ClusterView, OrphanStack},
    system::utc_time::format_rfc3339,
};

/// List the project's clusters
#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Stacks of stampede in the project that no record here knows, in all regions; a host with
    /// another data directory may know them
    #[arg(long)]
    orphans: bool,
    /// With more columns: id, when it was asked for, when it ends, region, failure
    #[arg(long)]
    long: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Lists them.
pub(super) async fn run(args: &ListArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    if args.orphans {
        let cloud = args.cloud.connect().await?;
        return print_orphans(args, &cloud, out).await;
    }
    let cloud = ClusterBackend::connect(&args.cloud).await?;
    let views = cloud.list().await?;
    if args.format.is_plain_table() && views.is_empty() {
        let project = cloud.project_name();
        writeln!(out, "no clusters in project `{project}`")?;
        return Ok(CommandExit::Done);
    }
    let document = |view: &ClusterView| serde_json::to_value(ClusterDocument::new(view));
    let columns = columns();
    args.format
        .print_list(out, &columns, args.long, &views, document)?;
    Ok(CommandExit::Done)
}

async fn print_orphans(
    args: &ListArgs,
    cloud: &LocalOrchestrator,
    out: &mut LinePrinter<'_>,
) -> Result<CommandExit> {
    let orphans = cloud.orchestrator.list_orphans(&cloud.caller).await?;
    if args.format.is_plain_table() && orphans.is_empty() {
        let project = cloud.caller.project_name();
        writeln!(out, "no stack in project `{project}` without a record")?;
        return Ok(CommandExit::Done);
    }
    let document = |orphan: &OrphanStack| serde_json::to_value(orphan);
    args.format
        .print_list(out, &ORPHAN_COLUMNS, args.long, &orphans, document)?;
    if args.format.is_plain_table() {
        writeln!(
            out,
            "if no other host has a record of it: `stampede adopt STACK`, or `stampede delete --orphan STACK`"
        )?;
    }
    Ok(CommandExit::Done)
}

const ORPHAN_COLUMNS: [ListColumn<OrphanStack>; 6] = [
    ListColumn::new("CLUSTER", "cluster", |one| one.cluster.clone()),
    ListColumn::new("STACK", "stack_id", |one| one.stack_id.clone()),
    ListColumn::new("HEAT SAYS", "status", |one| one.status.clone()),
    ListColumn::new("MADE BY", "host", |one| one.host.clone()),
    ListColumn::new("REGION", "region", |one| one.region.clone()),
    ListColumn::new("CREATED", "created", |one| one.created.clone()),
];

fn columns() -> [ListColumn<ClusterView>; 14] {
    let size = sized_group().many;
    let workers = ListColumn {
        head: size.to_uppercase().into(),
        ..ListColumn::new("", size, |view| or_dash(tell_sizes(view)))
    };
    [
        ListColumn::new("NAME", "name", |view| view.name.clone()),
        ListColumn::new("STATE", "state", |view| view.state.as_str().to_owned()),
        ListColumn::new("FRAMEWORK", "frameworks", |view| {
            or_dash(Some(view.frameworks.join(",")).filter(|names| !names.is_empty()))
        }),
        workers,
        ListColumn::new("AGE", "age_s", |view| format_duration(age_s(view))),
        ListColumn::new("HEALTH", "health", |view| or_dash(describe_worst(view))),
        ListColumn::new("HEAT SAYS", "stack_status", |view| {
            or_dash(view.stack_status.clone())
        }),
        ListColumn::new("STACK", "stack_id", |view| {
            or_dash(view.stack_id.as_ref().map(|(_, id)| id.clone()))
        }),
        ListColumn::long("ID", "id", |view| view.id.clone()),
        ListColumn::long("CREATED", "created_at", |view| {
            format_rfc3339(view.created_s)
        }),
        ListColumn::long("EXPIRES", "expires", |view| {
            or_dash(view.ends_s.map(format_rfc3339))
        }),
        ListColumn::long("IDLE", "idle", |view| {
            or_dash(view.idle.map(|idle| age_text(idle.after_s)))
        }),
        ListColumn::long("REGION", "region", |view| view.region.clone()),
        ListColumn::long("FAILURE", "failure", |view| or_dash(view.failure.clone())),
    ]
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
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
