//! `stampede tunnel`: carries a browser's connections into a cluster while it runs.

use std::{
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
    time::Duration,
};

use anyhow::Result;
use clap::Args;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
    time::timeout,
};
use url::Url;

use super::{
    RefusedRequest,
    cloud::CloudArgs,
    cluster_backend::ClusterBackend,
    conclusion::CommandFailure,
    exit_code::CommandExit,
    line_printer::LinePrinter,
    ssh_client::{SshArgs, SshRoute, explain_start},
    table::print_named_urls,
};
use crate::{cluster::Problem, system::ending::EndingSignals, ui::commands::shell_word};

/// The port that SOCKS proxies have by convention; where it is taken, another one is used.
const SOCKS_PORT: u16 = 1080;
/// What the first node says once connections can be made.
const READY: &str = "stampede-tunnel-ready";
/// How long ssh may take to end by itself.
const END_LIMIT: Duration = Duration::from_secs(3);
/// What a node may print before that word.
const MAX_GREETING_BYTES: u64 = 64 << 10;
/// Below it only root may listen.
const FIRST_FREE_PORT: u16 = 1024;

/// Open a way to a cluster's web pages while this command runs
///
/// Without ENDPOINT it is a SOCKS proxy, by which a browser reaches every page of every node under
/// the names that the pages themselves use. With ENDPOINT that page also gets a port on this
/// machine. Both listen on 127.0.0.1 alone. Ctrl-C ends it.
#[derive(Args, Debug)]
pub(super) struct TunnelArgs {
    /// The cluster's name
    name: String,
    /// Endpoints that get a port of their own, such as hadoop_namenode; `stampede show` lists them
    #[arg(value_name = "ENDPOINT")]
    endpoints: Vec<String>,
    /// The port of the SOCKS proxy [default: 1080, or another where that is taken]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    #[command(flatten)]
    ssh: SshArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// An endpoint with a port on this machine.
struct ForwardedEndpoint {
    name: String,
    local: Url,
    forward: String,
}

/// Carries connections until it is ended.
pub(super) async fn run(args: &TunnelArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let cloud = ClusterBackend::connect_read_only(&args.cloud).await?;
    let route = SshRoute::find(&cloud, &args.name, &args.ssh).await?;
    let socks = match args.port {
        Some(port) => {
            let taken = |error| {
                let message = format!("{port} cannot be listened on: {error}");
                RefusedRequest::of("--port", message, "")
            };
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(taken)?;
            port
        }
        None => free_port(SOCKS_PORT)?,
    };
    let forwarded = forward_endpoints(&args.name, &args.endpoints, &route)?;
    let mut forwards = vec!["-D".to_owned(), format!("127.0.0.1:{socks}")];
    for endpoint in &forwarded {
        forwards.extend(["-L".to_owned(), endpoint.forward.clone()]);
    }
    let command = route.carrier(READY, &forwards)?;
    let mut signals = EndingSignals::listen();
    let (mut child, input) = start(command)?;
    let carried = async {
        if is_ready(&mut child).await? {
            print_ways(out, &args.name, socks, &route, &forwarded)?;
        }
        let status = child.wait().await?;
        anyhow::Ok(status)
    };
    let status = tokio::select! {
        status = carried => status?,
        _ = signals.recv() => return end(child, input).await,
    };
    let message = format!(
        "the way to `{}` has ended: ssh ended with {status}; its own words stand above",
        args.name
    );
    Err(CommandFailure::new(CommandExit::CloudFailed, message).into())
}

/// Starts ssh with its input held open: it ends when that is closed, so also when this process is
/// killed.
fn start(command: std::process::Command) -> Result<(Child, Option<ChildStdin>)> {
    let mut command = Command::from(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().map_err(explain_start)?;
    let input = child.stdin.take();
    Ok((child, input))
}

/// Waits for the word of the first node; whether it came before ssh ended. What else a node prints
/// at a login is not shown.
async fn is_ready(child: &mut Child) -> Result<bool> {
    let Some(stdout) = child.stdout.take() else {
        return Ok(false);
    };
    let mut lines = BufReader::new(stdout.take(MAX_GREETING_BYTES)).split(b'\n');
    while let Some(line) = lines.next_segment().await? {
        if line.trim_ascii() == READY.as_bytes() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends ssh in its own way, and by force where that takes long.
async fn end(mut child: Child, input: Option<ChildStdin>) -> Result<CommandExit> {
    drop(input);
    if timeout(END_LIMIT, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(CommandExit::Done)
}

fn forward_endpoints(
    cluster: &str,
    wanted: &[String],
    route: &SshRoute,
) -> Result<Vec<ForwardedEndpoint>> {
    let known = &route.access.endpoints;
    let mut problems = Vec::new();
    let mut forwarded: Vec<ForwardedEndpoint> = Vec::new();
    let mut taken = Vec::new();
    for name in wanted {
        let mut found = known.iter().filter(|(known, _)| known == name).peekable();
        if found.peek().is_none() {
            let mut names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            names.dedup();
            let hint = if names.is_empty() {
                "its stack tells none".to_owned()
            } else {
                format!("one of {}", names.join(", "))
            };
            problems.push(Problem::new(
                "ENDPOINT",
                format!("`{cluster}` has no endpoint `{name}`"),
                hint,
            ));
        }
        for (name, url) in found {
            if let Some(one) = forward_endpoint(name, url, &mut taken)? {
                forwarded.push(one);
            }
        }
    }
    if problems.is_empty() {
        Ok(forwarded)
    } else {
        Err(RefusedRequest(problems).into())
    }
}

/// A port on this machine, the endpoint's own where it is free.
fn forward_endpoint(
    name: &str,
    url: &Url,
    taken: &mut Vec<u16>,
) -> Result<Option<ForwardedEndpoint>> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Ok(None);
    };
    let mut here = free_port(port)?;
    while taken.contains(&here) {
        here = free_port(0)?;
    }
    taken.push(here);
    let mut local = url.clone();
    let is_set = local.set_host(Some("127.0.0.1")).is_ok() && local.set_port(Some(here)).is_ok();
    Ok(is_set.then(|| ForwardedEndpoint {
        name: name.to_owned(),
        local,
        forward: format!("127.0.0.1:{here}:{host}:{port}"),
    }))
}

/// This port of this machine, or any other where it is taken.
fn free_port(wanted: u16) -> Result<u16> {
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let first = if wanted < FIRST_FREE_PORT { 0 } else { wanted };
    let listener = listen(first).or_else(|_| listen(0))?;
    Ok(listener.local_addr()?.port())
}

fn print_ways(
    out: &mut LinePrinter<'_>,
    name: &str,
    socks: u16,
    route: &SshRoute,
    forwarded: &[ForwardedEndpoint],
) -> Result<()> {
    writeln!(out, "`{name}` is reached while this runs; Ctrl-C ends it")?;
    let inside = route.access.endpoints.iter();
    let inside: Vec<(&str, String)> = inside
        .map(|(name, url)| (name.as_str(), url.to_string()))
        .collect();
    let local: Vec<(&str, String)> = forwarded
        .iter()
        .map(|one| (one.name.as_str(), one.local.to_string()))
        .collect();
    for (title, ways) in [("in any browser", &local), ("through the proxy", &inside)] {
        if ways.is_empty() {
            continue;
        }
        writeln!(out)?;
        writeln!(out, "{title}")?;
        print_named_urls(out, ways)?;
    }
    // What a browser opens: HDFS has a URL too.
    let is_page = |(_, url): &&(&str, String)| url.starts_with("http");
    let page = inside.iter().find(is_page).map_or_else(
        || format!("http://{}/", route.access.entry_node),
        |(_, url)| url.clone(),
    );
    // What the stack says becomes a word of a command that is copied.
    let page = shell_word(&page);
    if !route.access.secret_endpoints.is_empty() {
        writeln!(out)?;
        writeln!(out, "what asks for a secret, and what prints it")?;
        let secrets = route.access.secret_endpoints.iter();
        let commands: Vec<(&str, String)> = secrets
            .map(|one| {
                (
                    one.as_str(),
                    format!("stampede secret {} {}", shell_word(name), shell_word(one)),
                )
            })
            .collect();
        print_named_urls(out, &commands)?;
    }
    writeln!(out)?;
    writeln!(out, "the proxy")?;
    writeln!(
        out,
        "  Firefox    settings, network: SOCKS v5 host 127.0.0.1, port {socks}, and \"Proxy DNS when using SOCKS v5\""
    )?;
    writeln!(
        out,
        "  Chromium   chromium --user-data-dir=\"$(mktemp -d)\" --proxy-server=socks5://127.0.0.1:{socks} {page}"
    )?;
    writeln!(
        out,
        "  curl       curl --proxy socks5h://127.0.0.1:{socks} {page}"
    )?;
    Ok(out.flush()?)
}
