//! `stampede deploy`: creates a cluster in the cloud from this process, without a server.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{
    arguments::{parse_duration, parse_pair},
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    cluster_wait::{ClusterWait, WaitTarget},
    conclusion::{CommandConclusion, CommandOutcome, answer_fields},
    exit_code::CommandExit,
    extend::tell_end,
    line_printer::LinePrinter,
    output_format::FormatArgs,
    progress_printer::ProgressPrinter,
    size_args::SizeArgs,
};
use crate::{cluster::attribute_names::PREFIX, orchestrator::ClientAttributes};

/// Deploy a cluster through Heat
///
/// Without --wait the command ends once Heat has taken the cluster, which then comes up by itself.
/// Where Heat has not taken it, the exit code is not 0, and what stands is said.
#[derive(Args, Debug)]
pub(super) struct DeployArgs {
    /// Frameworks, separated by commas
    framework: String,
    /// The cluster's name [default: the framework's]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    options: DeployOptions,
}

/// What is said of a deployment beside its name and its frameworks.
#[derive(Args, Debug)]
pub(super) struct DeployOptions {
    #[command(flatten)]
    size: SizeArgs,
    /// Any attribute without `stampede.`: worker.flavor=m1.large, hadoop.replication=2; may be
    /// repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    /// Wait until the cluster is verified, and print its progress
    #[arg(long)]
    wait: bool,
    /// Print what would be done, and do nothing
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// With --wait: no longer than this (90s, 30m, 1h30m), then end with exit code 7; the work
    /// stands
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, requires = "wait")]
    timeout: Option<Duration>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

impl DeployArgs {
    /// A deployment by its name.
    pub(super) fn new(framework: String, name: String, options: DeployOptions) -> Self {
        Self {
            framework,
            name: Some(name),
            options,
        }
    }

    /// Whether nothing is done.
    pub(super) fn is_dry_run(&self) -> bool {
        self.options.dry_run
    }

    /// The cluster's name.
    pub(super) fn cluster_name(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| self.framework.replace([',', ' '], "-"))
    }
}

/// Deploys: done when Heat has taken it, with `--wait` when the cluster is verified.
pub(super) async fn run(args: &DeployArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.options.format.prepare(out);
    let name = args.cluster_name();
    if args.options.dry_run {
        let cloud = ClusterBackend::connect_read_only(&args.options.cloud).await?;
        let format = &args.options.format;
        cloud
            .preview_deploy(&name, attributes(args), format, out)
            .await?;
        return Ok(CommandExit::Done);
    }
    args.options.format.check_fields(&answer_fields())?;
    let mut cloud = ClusterBackend::connect(&args.options.cloud).await?;
    let view = cloud.deploy(&name, attributes(args)).await?;
    if let Some((_, id)) = &view.stack_id {
        let project = cloud.project_name();
        writeln!(out, "deploying `{name}` in project `{project}`, stack {id}")?;
    }
    if view.ends_s.is_some() {
        tell_end(out, &name, view.ends_s, cloud.who_ends())?;
    }
    if args.options.wait {
        let mut progress = ProgressPrinter::new();
        let wait = ClusterWait {
            cloud: &mut cloud,
            out,
            progress: &mut progress,
            target: WaitTarget::Living(name.clone()),
        };
        let end = wait.run(args.options.timeout).await?;
        let conclusion = CommandConclusion::of_wait(&name, end, false);
        return conclusion.tell(out, &args.options.format, Some(progress.elapsed()));
    }
    if view.stack_id.is_none() {
        let conclusion = CommandConclusion::not_taken(view, "the deployment of", None);
        return conclusion.tell(out, &args.options.format, None);
    }
    writeln!(
        out,
        "heat has taken it and goes on by itself; `stampede wait {name}` waits until it is verified"
    )?;
    let conclusion = CommandConclusion::new(&name, CommandOutcome::Accepted, Some(view));
    conclusion.tell(out, &args.options.format, None)
}

pub(super) fn attributes(args: &DeployArgs) -> ClientAttributes {
    let framework = ("framework".to_owned(), args.framework.clone());
    let own = [framework].into_iter().chain(args.options.size.attribute());
    own.chain(args.options.set.iter().cloned())
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect()
}
