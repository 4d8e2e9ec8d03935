//! `stampede secret`: prints the secret that an endpoint asks for, and nothing else.

use anyhow::Result;
use clap::Args;
use secrecy::ExposeSecret as _;

use super::{
    cloud::CloudArgs, cluster_backend::ClusterBackend, exit_code::CommandExit,
    line_printer::LinePrinter,
};

/// Print the secret that an endpoint of a cluster asks for, such as JupyterLab's token
///
/// It is printed alone, for a pipe or the clipboard: `stampede secret demo | wl-copy`. Heat tells
/// members of the project what it is made of; it is kept and logged nowhere.
#[derive(Args, Debug)]
pub(super) struct SecretArgs {
    /// The cluster's name
    name: String,
    /// The endpoint, such as jupyterlab; `stampede show` lists them [default: the only one that asks]
    endpoint: Option<String>,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// Prints it.
pub(super) async fn run(args: &SecretArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let cloud = ClusterBackend::connect_read_only(&args.cloud).await?;
    let endpoint = args.endpoint.as_deref();
    let secret = cloud.endpoint_secret(&args.name, endpoint).await?;
    writeln!(out, "{}", secret.expose_secret())?;
    Ok(CommandExit::Done)
}
