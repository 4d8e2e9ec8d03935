//! `stampede show`: prints one cluster: its state, its endpoints, the health of its services and what
//! its nodes reported.

use anyhow::Result;
use clap::Args;

use super::extend::describe_idle;
use super::{
    arguments::format_duration,
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    documents::{CLUSTER_FIELDS, ClusterDocument, age_s},
    endpoint_printer,
    exit_code::CommandExit,
    foreign_text::ForeignText,
    health_printer,
    line_printer::LinePrinter,
    output_format::FormatArgs,
};
use crate::{cluster::ClusterState, orchestrator::ClusterView, system::utc_time::format_utc};

/// Show a cluster: state, failure, endpoints, health by service, progress by node
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// The cluster's name
    name: String,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Shows it.
pub(super) async fn run(args: &ShowArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.format.check_fields(&CLUSTER_FIELDS)?;
    let cloud = ClusterBackend::connect(&args.cloud).await?;
    let view = cloud.view(&args.name).await?;
    if args.format.is_plain_table() {
        print_view(out, &view)?;
    } else {
        let document = ClusterDocument::with_progress(&view);
        args.format.print_record(out, &document)?;
    }
    Ok(CommandExit::Done)
}

fn print_view(out: &mut LinePrinter<'_>, view: &ClusterView) -> Result<()> {
    writeln!(out, "name        {}", view.name)?;
    writeln!(out, "state       {}", view.state.as_str())?;
    let failure = view.failure.as_deref().or_else(|| view.state.reason());
    if let Some(failure) = failure {
        writeln!(out, "failure     {failure}")?;
    }
    if let Some(status) = &view.stack_status {
        writeln!(out, "heat says   {status} {}", view.stack_status_reason)?;
    }
    if let Some(change) = &view.change {
        writeln!(out, "update      {change}")?;
    }
    if let Some(left) = &view.time_left {
        writeln!(out, "takes       {}", left.sentence())?;
    }
    if let Some(newer) = &view.upgrade {
        let command = format!("stampede cluster upgrade {} --dry-run", view.name);
        writeln!(
            out,
            "upgrade     {}; what it would change: {command}",
            newer.sentence()
        )?;
    }
    if matches!(view.state, ClusterState::Planned | ClusterState::Updating) {
        writeln!(
            out,
            "goes on     while a service or a command works on it: stampede wait {}",
            view.name
        )?;
    }
    if let Some((region, id)) = &view.stack_id {
        writeln!(out, "stack       {id} in {region}")?;
    }
    writeln!(out, "age         {}", format_duration(age_s(view)))?;
    if let Some(ends_s) = view.ends_s {
        writeln!(out, "ends        {}", format_utc(ends_s))?;
    }
    if let Some(idle) = &view.idle {
        writeln!(out, "idle        {}", describe_idle(idle))?;
    }
    if let Some(notice) = &view.end_notice {
        writeln!(out, "end         {notice}")?;
    }
    if let Some(error) = &view.cloud_error {
        writeln!(out, "cloud       {error}")?;
    }
    for (name, value) in &view.attributes {
        writeln!(out, "  {name} = {value}")?;
    }
    if !view.endpoint_access.is_empty() {
        writeln!(out)?;
        writeln!(out, "endpoints")?;
        endpoint_printer::print_endpoints(out, view)?;
    }
    health_printer::print_services(out, view)?;
    print_progress(out, view)
}

fn print_progress(out: &mut LinePrinter<'_>, view: &ClusterView) -> Result<()> {
    if view.progress.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "progress")?;
    let node = |name: &str| ForeignText(name).to_string();
    let names: Vec<String> = view.progress.iter().map(|one| node(&one.node)).collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0);
    for (name, report) in names.iter().zip(&view.progress) {
        writeln!(out, "  {name:<width$}  {}", report.text)?;
    }
    Ok(())
}
