//! `stampede history`: prints who has asked for what, as this command's data directory or a host
//! remembers it.

use anyhow::Result;
use clap::Args;

use super::{
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::{FormatArgs, ListColumn},
};
use crate::api::request_shapes::PastRequest;

/// Requests that are printed at most.
const PRINTED_REQUESTS: usize = 500;

/// Show who has asked for what of a cluster, and what came of it, newest first
///
/// What is remembered is in the data directory: that of the command line, or, with --data-dir on a host's
/// machine, the host's. With --server a host tells its own, as it does on the cluster's page.
#[derive(Args, Debug)]
pub(super) struct HistoryArgs {
    /// The cluster's name; of one that was deleted its id; without it all of the project
    name: Option<String>,
    /// With more columns: number, cluster's id, user's id, what was given
    #[arg(long)]
    long: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Prints it.
pub(super) async fn run(args: &HistoryArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.format.prepare(out);
    let cloud = ClusterBackend::connect_read_only(&args.cloud).await?;
    let name = args.name.as_deref();
    let (requests, matching) = cloud.history(name, PRINTED_REQUESTS).await?;
    print_requests(&args.format, args.long, &requests, out)?;
    if args.format.is_plain_table() && matching > requests.len() {
        writeln!(out, "{matching} in all; these are the newest")?;
    }
    Ok(CommandExit::Done)
}

fn print_requests(
    format: &FormatArgs,
    is_long: bool,
    requests: &[PastRequest],
    out: &mut LinePrinter<'_>,
) -> Result<()> {
    if format.is_plain_table() && requests.is_empty() {
        writeln!(out, "nobody has asked for anything here")?;
        return Ok(());
    }
    let document = |request: &PastRequest| serde_json::to_value(request);
    format.print_list(out, &COLUMNS, is_long, requests, document)
}

const COLUMNS: [ListColumn<PastRequest>; 11] = [
    ListColumn::new("WHEN", "asked_at", |one| one.asked_at.clone()),
    ListColumn::new("CLUSTER", "cluster", |one| one.cluster.clone()),
    ListColumn::new("WHO", "user_name", |one| one.user_name.clone()),
    ListColumn::new("THROUGH", "face", |one| one.face.clone()),
    ListColumn::new("WHAT", "verb", |one| one.verb.clone()),
    ListColumn::new("OUTCOME", "outcome", |one| one.outcome.clone()),
    ListColumn::new("REASON", "reason", |one| {
        one.reason.clone().unwrap_or_else(|| "-".to_owned())
    }),
    ListColumn::long("GIVEN", "attributes", given),
    ListColumn::long("NUMBER", "number", |one| one.number.to_string()),
    ListColumn::long("CLUSTER ID", "cluster_id", |one| {
        one.cluster_id.clone().unwrap_or_else(|| "-".to_owned())
    }),
    ListColumn::long("USER ID", "user_id", |one| one.user_id.clone()),
];

/// `key=mykey workers=3`; of a value that is not kept the name alone.
fn given(request: &PastRequest) -> String {
    let given = request.attributes.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name.clone(),
    });
    given.collect::<Vec<_>>().join(" ")
}
