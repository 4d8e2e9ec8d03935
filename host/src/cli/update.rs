//! `stampede update`: changes a running cluster from this process, without a server.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;

use super::{
    arguments::parse_pair,
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    cluster_wait::{ClusterWait, TimeoutArgs, WaitTarget},
    conclusion::{CommandConclusion, CommandOutcome, answer_fields},
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::FormatArgs,
    progress_printer::ProgressPrinter,
    size_args::SizeArgs,
};
use crate::{
    cluster::{ClusterState, attribute_names::PREFIX, group_value::attribute_of},
    orchestrator::ClientAttributes,
};

/// Change a running cluster: more or fewer nodes, other settings
///
/// Waits for the end, since a change has several steps and nobody else takes them. Interrupted, it
/// goes on with the next `stampede wait NAME`.
#[derive(Args, Debug)]
pub(super) struct UpdateArgs {
    /// The cluster's name
    pub(super) name: String,
    #[command(flatten)]
    size: SizeArgs,
    /// A node to take away, such as worker-2; may be repeated [default: the last ones]
    #[arg(long, value_name = "NODE")]
    remove: Vec<String>,
    /// Any attribute without `stampede.`: hadoop.replication=3; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parse_pair)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    options: UpdateOptions,
}

/// What is said of a change beside what it is.
#[derive(Args, Debug)]
pub(super) struct UpdateOptions {
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    timeout: TimeoutArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

impl UpdateArgs {
    /// A change of these attributes.
    pub(super) fn new(name: String, set: Vec<(String, String)>, options: UpdateOptions) -> Self {
        Self {
            name,
            size: SizeArgs::default(),
            remove: Vec::new(),
            set,
            options,
        }
    }

    /// Whether nothing is done.
    pub(super) fn is_dry_run(&self) -> bool {
        self.options.dry_run
    }
}

/// Changes it: done when the cluster is as it was asked to be.
pub(super) async fn run(args: &UpdateArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    args.options.format.prepare(out);
    let (name, attributes) = (&args.name, attributes(args));
    if args.options.dry_run {
        let cloud = ClusterBackend::connect_read_only(&args.options.cloud).await?;
        let format = &args.options.format;
        cloud.preview_update(name, attributes, format, out).await?;
        return Ok(CommandExit::Done);
    }
    args.options.format.check_fields(&answer_fields())?;
    let mut cloud = ClusterBackend::connect(&args.options.cloud).await?;
    let before = cloud.view(name).await?;
    let mut progress = ProgressPrinter::new();
    progress.take_as_known(&before);
    if !attributes.is_empty() {
        let begun = cloud.update(name, attributes).await?;
        if begun.state == ClusterState::Active && before.state == ClusterState::Active {
            let conclusion = CommandConclusion::new(name, CommandOutcome::Unchanged, Some(begun));
            return conclusion.tell(out, &args.options.format, None);
        }
    }
    let wait = ClusterWait {
        cloud: &mut cloud,
        out,
        progress: &mut progress,
        target: WaitTarget::Living(name.clone()),
    };
    let end = wait.run(args.options.timeout.timeout).await?;
    let conclusion = CommandConclusion::of_wait(name, end, true);
    conclusion.tell(out, &args.options.format, Some(progress.elapsed()))
}

/// The attributes that name these nodes, one a group.
fn removals(nodes: &[String]) -> BTreeMap<String, String> {
    let mut removals: BTreeMap<String, String> = BTreeMap::new();
    for node in nodes {
        let group = node.split('-').next().unwrap_or_default();
        let names = removals.entry(attribute_of(group, "remove")).or_default();
        if !names.is_empty() {
            names.push(',');
        }
        names.push_str(node);
    }
    removals
}

pub(super) fn attributes(args: &UpdateArgs) -> ClientAttributes {
    let own = args
        .size
        .attribute()
        .into_iter()
        .chain(removals(&args.remove));
    own.chain(args.set.iter().cloned())
        .map(|(name, value)| (format!("{PREFIX}{name}"), value))
        .collect()
}
