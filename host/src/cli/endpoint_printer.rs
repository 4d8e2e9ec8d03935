//! Prints the endpoints of a cluster: where they are, who reaches them, what they are for.

use anyhow::Result;

use super::line_printer::LinePrinter;
use crate::{
    cluster::framework_bundle::EndpointReach,
    orchestrator::{ClusterView, EndpointAccess},
    ui::commands::shell_word,
};

/// The endpoints: each URL on a line, and below them how it is reached.
pub(super) fn print_endpoints(out: &mut LinePrinter<'_>, view: &ClusterView) -> Result<()> {
    let names = view.endpoint_access.keys();
    let width = names.map(|name| name.len()).max().unwrap_or(0);
    for (name, access) in &view.endpoint_access {
        // One without a URL is told of where its plugin says what it is.
        if access.urls.is_empty() && access.description.is_empty() {
            continue;
        }
        let mut title = name.as_str();
        for (node, url) in &access.urls {
            match node {
                Some(node) => writeln!(out, "  {title:<width$}  {url} on {node}")?,
                None => writeln!(out, "  {title:<width$}  {url}")?,
            }
            title = "";
        }
        for line in describe_access(&view.name, name, access) {
            writeln!(out, "  {title:<width$}  {line}")?;
            title = "";
        }
    }
    Ok(())
}

/// What it is for, who reaches it, and which command helps.
fn describe_access(cluster: &str, name: &str, access: &EndpointAccess) -> Vec<String> {
    let (cluster, name) = (shell_word(cluster), shell_word(name));
    let mut lines = Vec::new();
    if !access.description.is_empty() {
        lines.push(access.description.clone());
    }
    lines.extend(access.reach.map(|reach| match reach {
        EndpointReach::Cluster => "reached from the cluster's own nodes".to_owned(),
        EndpointReach::Tunnel => format!("reached through `stampede tunnel {cluster} {name}`"),
        EndpointReach::Outside => "reached from the networks of network.access".to_owned(),
    }));
    if access.asks_for_secret {
        lines.push(format!(
            "asks for a secret: `stampede secret {cluster} {name}`"
        ));
    }
    lines
}
