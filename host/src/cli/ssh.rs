//! `stampede ssh`: logs in on a node of a cluster, or runs a command there.

use std::{ffi::OsString, os::unix::process::CommandExt as _};

use anyhow::Result;
use clap::Args;

use super::{
    RefusedRequest,
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    exit_code::CommandExit,
    ssh_client::{SshArgs, SshRoute, explain_start},
};

/// Log in on a node of a cluster, or run a command there, through the OpenSSH client
///
/// The first node is reached by its outer address, which network.access must open to you; all
/// others are reached through it. Your keys, agent and ssh configuration are used as always; the
/// exit code is ssh's own: that of the command, or 255 where there was no connection.
#[derive(Args, Debug)]
pub(super) struct NodeLoginArgs {
    /// The cluster's name
    name: String,
    /// The node, such as worker-2 [default: the first]
    node: Option<String>,
    /// What to run there instead of a shell, after `--`
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    #[command(flatten)]
    ssh: SshArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Becomes ssh.
pub(super) async fn run(args: &NodeLoginArgs) -> Result<CommandExit> {
    let cloud = ClusterBackend::connect_read_only(&args.cloud).await?;
    let route = SshRoute::find(&cloud, &args.name, &args.ssh).await?;
    let node = args.node.as_ref().unwrap_or(&route.access.entry_node);
    if !route.access.nodes.contains(node) {
        let message = format!("`{}` has no node `{node}`", args.name);
        let hint = list_nodes(&route.access.nodes);
        return Err(RefusedRequest::of("NODE", message, hint));
    }
    let mut ssh = route.login(node, &args.command)?;
    Err(explain_start(ssh.exec()))
}

/// `master, worker-1 to worker-250, edge`: of many, each group's first and last.
fn list_nodes(nodes: &[String]) -> String {
    if nodes.len() <= SHOWN_NODES {
        return nodes.join(", ");
    }
    let group = |node: &String| node.split('-').next().map(str::to_owned);
    let groups = nodes.chunk_by(|one, other| group(one) == group(other));
    let shown = groups.map(|nodes| match nodes {
        [first, _, .., last] => format!("{first} to {last}"),
        _ => nodes.join(", "),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// So many names are listed one by one.
const SHOWN_NODES: usize = 8;
