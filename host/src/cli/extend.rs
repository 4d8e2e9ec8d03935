//! `stampede cluster extend`: gives a cluster another end. Its nodes notice nothing.

use anyhow::Result;
use clap::Args;

use super::{
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    conclusion::{CommandConclusion, CommandOutcome, answer_fields},
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::FormatArgs,
};
use crate::{
    cluster::{
        attribute_names::PREFIX,
        end_time::{EXPIRES, age_text, range_text},
    },
    orchestrator::IdleView,
    system::utc_time::format_utc,
};

/// Give a cluster another end: sooner, later, or none
///
/// What deletes it at its end is a service (`stampede serve`) over the same data directory, the host
/// that --server names, or the first command after it. Nothing on its nodes changes.
#[derive(Args, Debug)]
pub(super) struct ExtendArgs {
    /// The cluster's name
    name: String,
    /// An age from now such as 8h or 3d, a moment in UTC such as 2026-12-24T18:00:00Z, or never
    #[arg(value_name = "AGE|MOMENT|never")]
    end: String,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Changes it.
pub(super) async fn run(args: &ExtendArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.format.prepare(out);
    args.format.check_fields(&answer_fields())?;
    if args.end.trim().is_empty() {
        let message = "no end is said";
        return Err(super::RefusedRequest::of(EXPIRES, message, range_text()));
    }
    let cloud = ClusterBackend::connect(&args.cloud).await?;
    let given = vec![(format!("{PREFIX}{EXPIRES}"), args.end.clone())];
    let view = cloud.update(&args.name, given).await?;
    tell_end(out, &args.name, view.ends_s, cloud.who_ends())?;
    let conclusion = CommandConclusion::new(&args.name, CommandOutcome::Unchanged, Some(view));
    conclusion.tell(out, &args.format, None)
}

/// Says when a cluster ends, and who sees to that.
pub(super) fn tell_end(
    out: &mut LinePrinter<'_>,
    name: &str,
    ends_s: Option<u64>,
    who_ends: &str,
) -> Result<()> {
    match ends_s {
        None => writeln!(out, "`{name}` has no end")?,
        Some(ends_s) => writeln!(out, "`{name}` ends at {}; {who_ends}", format_utc(ends_s))?,
    }
    Ok(())
}

/// How long a cluster may be without jobs, and since when it is.
pub(super) fn describe_idle(idle: &IdleView) -> String {
    let limit = format!("deleted after {} without jobs", age_text(idle.after_s));
    match (idle.since_s, idle.ends_s) {
        (Some(since_s), Some(ends_s)) => {
            let (since, at) = (format_utc(since_s), format_utc(ends_s));
            format!("{limit}: none since {since}, deleted at {at} unless one runs")
        }
        _ if idle.is_busy => format!("{limit}: jobs run or wait"),
        _ => format!("{limit}: not known yet whether any run"),
    }
}
