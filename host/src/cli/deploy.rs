//! `stampede deploy`: creates a cluster in the cloud from this process, without a server.

use std::{io::Write, process::ExitCode};

use anyhow::Result;
use clap::Args;

use super::{
    cloud::{self, CloudArgs, LocalOrchestrator, ProgressPrinter},
    preview,
};
use crate::{
    cluster::{ClusterState, attribute_names::PREFIX},
    orchestrator::{ClientAttributes, ClusterView, CreateOutcome, OrchestratorError},
};

/// Deploy a cluster through Heat
#[derive(Args, Debug)]
pub(super) struct DeployArgs {
    /// Frameworks, separated by commas
    framework: String,
    /// The cluster's name [default: the framework's]
    #[arg(long)]
    name: Option<String>,
    /// How many workers
    #[arg(long)]
    workers: Option<u32>,
    /// Any attribute without `stampede.`: worker.flavor=m1.large, hadoop.replication=2; may be
    /// repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = super::parse_pair)]
    set: Vec<(String, String)>,
    /// Wait until the cluster is verified, and print its progress
    #[arg(long)]
    wait: bool,
    /// Print what would be done, and do nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Deploys; 0 when Heat has it (with `--wait`, when the cluster is verified), 1 when it failed.
pub(super) async fn run(args: &DeployArgs, out: &mut dyn Write) -> Result<ExitCode> {
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| args.framework.replace([',', ' '], "-"));
    if args.dry_run {
        let cloud = args.cloud.connect_read_only().await?;
        let preview = cloud
            .orchestrator
            .preview_deploy(&cloud.caller, &name, attributes(args))
            .await?;
        preview::print_deploy(out, &preview)?;
        return Ok(ExitCode::SUCCESS);
    }
    let cloud = args.cloud.connect().await?;
    let view = request_and_deploy(args, &cloud, &name).await?;
    let stack = view
        .stack_id
        .as_ref()
        .map(|(_, id)| format!(", stack {id}"))
        .unwrap_or_default();
    writeln!(
        out,
        "deploying `{name}` in project `{}`{stack}",
        cloud.caller.project_name()
    )?;
    if args.wait {
        wait_until_settled(out, &cloud, view).await
    } else {
        Ok(ExitCode::SUCCESS)
    }
}

fn attributes(args: &DeployArgs) -> ClientAttributes {
    let own = [
        ("framework", Some(args.framework.clone())),
        ("workers", args.workers.map(|workers| workers.to_string())),
    ];
    let own = own
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    own.chain(args.set.iter().cloned())
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect()
}

async fn request_and_deploy(
    args: &DeployArgs,
    cloud: &LocalOrchestrator,
    name: &str,
) -> Result<ClusterView, OrchestratorError> {
    let attributes = attributes(args);
    let requested = cloud
        .orchestrator
        .request(&cloud.caller, name, attributes.clone())
        .await?;
    match cloud
        .orchestrator
        .deploy(&cloud.caller, name, attributes)
        .await
    {
        Err(error)
            if matches!(requested, CreateOutcome::New(_))
                && matches!(
                    error,
                    OrchestratorError::Invalid(_) | OrchestratorError::Forbidden(_)
                ) =>
        {
            // Nothing was created; nor is the name to be kept.
            cloud.orchestrator.delete(&cloud.caller, name).await?;
            Err(error)
        }
        other => other,
    }
}

async fn wait_until_settled(
    out: &mut dyn Write,
    cloud: &LocalOrchestrator,
    mut view: ClusterView,
) -> Result<ExitCode> {
    let mut watch = ProgressPrinter::new();
    let name = view.name.clone();
    loop {
        watch.print(out, &view)?;
        if !view.state.is_moving() {
            break;
        }
        tokio::time::sleep(cloud::LOOK_EVERY).await;
        view = cloud.orchestrator.view(&cloud.caller, &name).await?;
    }
    cloud::conclusion(out, &view, watch.elapsed())?;
    Ok(if view.state == ClusterState::Active {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
