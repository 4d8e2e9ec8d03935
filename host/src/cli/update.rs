//! `stampede update`: changes a running cluster from this process, without a server.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::{
    cloud::{self, CloudArgs, ProgressPrinter},
    preview,
};
use crate::{
    cluster::{ClusterState, attribute_names::PREFIX},
    orchestrator::{ClientAttributes, ClusterView},
};

/// Change a running cluster: more or fewer workers, other settings
///
/// Waits for the end, since a change has several steps and nobody else takes them. Interrupted, it
/// goes on with the next `stampede update NAME`.
#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    /// The cluster's name
    name: String,
    /// How many workers
    #[arg(long)]
    workers: Option<u32>,
    /// A worker to take away, such as worker-2; may be repeated [default: the last ones]
    #[arg(long, value_name = "WORKER")]
    remove: Vec<String>,
    /// Any attribute without `stampede.`: hadoop.replication=3; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = super::parse_pair)]
    set: Vec<(String, String)>,
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Changes it; 0 when it is done, 1 when it failed.
pub(super) async fn run(args: &UpdateArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let attributes = attributes(args);
    if args.dry_run {
        let cloud = args.cloud.connect_read_only().await?;
        let preview = cloud
            .orchestrator
            .preview_update(&cloud.caller, &args.name, attributes)
            .await?;
        preview::print_change(out, &preview)?;
        return Ok(ExitCode::SUCCESS);
    }
    let cloud = args.cloud.connect().await?;
    let mut view = if attributes.is_empty() {
        cloud.orchestrator.view(&cloud.caller, &args.name).await?
    } else {
        cloud
            .orchestrator
            .update(&cloud.caller, &args.name, attributes)
            .await?
    };
    let mut watch = ProgressPrinter::new();
    loop {
        watch.print(out, &view)?;
        if !view.state.is_moving() {
            break;
        }
        tokio::time::sleep(cloud::LOOK_EVERY).await;
        view = cloud.orchestrator.view(&cloud.caller, &args.name).await?;
    }
    print_conclusion(out, &view)
}

fn attributes(args: &UpdateArgs) -> ClientAttributes {
    let own = [
        ("workers", args.workers.map(|workers| workers.to_string())),
        (
            "workers.remove",
            (!args.remove.is_empty()).then(|| args.remove.join(",")),
        ),
    ];
    let own = own
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    own.chain(args.set.iter().cloned())
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect()
}

fn print_conclusion(out: &mut dyn Write, view: &ClusterView) -> Result<ExitCode> {
    let well = view.state == ClusterState::Active && view.change.is_none();
    let end = view
        .change
        .clone()
        .unwrap_or_else(|| view.state.to_string());
    writeln!(
        out,
        "\n`{}` {}",
        view.name,
        if well {
            "is as it was asked to be".to_owned()
        } else {
            end
        }
    )?;
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
