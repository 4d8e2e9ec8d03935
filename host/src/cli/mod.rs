//! The command line: parses arguments, calls one function a command, and turns its outcome into an
//! exit code. Knows no framework.
//!
//! Layout
//! - `generate`: a cluster as files, without a cloud; `readme`, `explain`: what is written about
//!   it; `directory`: writing them
//! - `serve`: the service
//! - `deploy`, `update`, `delete`, `wait`: clusters in a cloud, without a server; `conclusion`: what
//!   these say at their end; `cluster_wait`: how they wait; `show`, `list`, `events`, `adopt`, `history`
//! - `ssh`, `tunnel`: the way to a cluster's nodes, by `ssh_client`; `secret`: what an endpoint asks for
//! - `cluster_backend`: who looks after the clusters of those: this process, or with `--server` a host, by
//!   `server_mode`; `server_url`: where it is
//! - `cloud`: the login, and the orchestrator of this process
//! - `frameworks`, `plugin_list`: which plugins there are, a host's too; `plugins`: where they are found
//! - `cluster_commands`: all of those behind a noun, as OpenStack's client has them
//! - `completion`: for shells; `manual`: for `man`; `compile_plugin`: the process that compiles one plugin
//! - [`preview`]: what `--dry-run` prints; `progress_printer`: what is new, `node_bars`: what is, on a terminal; `documents`: JSON;
//!   `endpoint_printer`, `health_printer`: where a cluster is reached, and how well it works
//! - `arguments`: what several commands are given; `exit_code`: how commands end
//! - `output_format`: the forms of an answer, and its columns; `table`: rows for people; `line_printer`: a line, escaped by `foreign_text`
//!
//! Standard output is a command's answer. Errors go to standard error, a problem a line.

mod adopt;
mod arguments;
mod cloud;
mod cluster_backend;
mod cluster_commands;
mod cluster_wait;
mod compile_plugin;
mod completion;
mod conclusion;
mod delete;
mod deploy;
mod directory;
mod documents;
mod endpoint_printer;
mod events;
mod exit_code;
mod explain;
mod extend;
mod foreign_text;
mod frameworks;
mod generate;
mod generated_files;
mod health_printer;
mod history;
pub mod line_printer;
mod list;
mod manual;
mod node_bars;
mod output_format;
mod plugin_list;
mod plugins;
pub mod preview;
mod progress_printer;
mod readme;
mod secret;
mod serve;
mod server_mode;
mod server_url;
mod show;
mod size_args;
mod ssh;
mod ssh_client;
mod table;
mod tunnel;
mod update;
mod wait;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{
    cluster::{Problem, problem::lines},
    openstack::CloudError,
    orchestrator::{OrchestratorError, planning::plan_error::PlanError},
    store::StoreError,
    system::ending::{EndingSignal, EndingSignals},
};

use self::{
    conclusion::CommandFailure,
    exit_code::CommandExit,
    line_printer::{LinePrinter, SafeLog},
    server_mode::ServerFailure,
};

/// The environment variable that chooses what is logged, in tracing's form: `warn`,
/// `stampede=debug`.
const LOG_VARIABLE: &str = "STAMPEDE_LOG";

/// Deploys framework clusters, such as Hadoop, on OpenStack through Heat
#[derive(Parser, Debug)]
#[command(name = "stampede", version, max_term_width = 120, after_help = exit_code::help_text())]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Cluster(cluster_commands::ClusterArgs),
    Generate(generate::GenerateArgs),
    Deploy(deploy::DeployArgs),
    Show(show::ShowArgs),
    List(list::ListArgs),
    Events(events::EventsArgs),
    Update(update::UpdateArgs),
    #[command(hide = true)]
    Extend(extend::ExtendArgs),
    Delete(delete::DeleteArgs),
    Adopt(adopt::AdoptArgs),
    History(history::HistoryArgs),
    Wait(wait::WaitArgs),
    Ssh(ssh::NodeLoginArgs),
    Tunnel(tunnel::TunnelArgs),
    Secret(secret::SecretArgs),
    Frameworks(frameworks::FrameworksArgs),
    Plugins(plugin_list::PluginsArgs),
    Serve(serve::ServeArgs),
    Completion(completion::CompletionArgs),
    Manual(manual::ManualArgs),
    #[command(name = crate::plugin::COMPILE_COMMAND, hide = true)]
    CompilePlugin(compile_plugin::CompilePluginArgs),
}

/// The command line, a variable or a file of settings is wrong; all problems at once.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
struct UsageError(Vec<Problem>);

/// What is asked for is refused; all problems at once.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
struct RefusedRequest(Vec<Problem>);

impl RefusedRequest {
    /// One problem: at which argument or attribute, what it is, and what to do.
    fn of(path: &str, message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self(vec![Problem::new(path, message, hint)]).into()
    }
}

/// Runs the program's arguments.
pub fn main() -> ExitCode {
    let command = match CommandLine::parse().command {
        Command::Cluster(args) => args.into_command(),
        command => command,
    };
    if let Command::CompilePlugin(args) = &command {
        return compile_plugin::run(args);
    }
    log_to_stderr(if matches!(command, Command::Serve(_)) {
        "info"
    } else {
        "warn"
    });
    let outcome = start_runtime().and_then(|runtime| {
        let mut stdout = io::stdout().lock();
        let is_terminal = stdout.is_terminal();
        let mut out = LinePrinter::new(&mut stdout).on_terminal(is_terminal);
        let outcome = runtime.block_on(run_or_stop(&command, &mut out));
        runtime.block_on(cloud::settle_opened());
        // What blocks, such as a resolver that nobody answers, would otherwise hold up the end.
        runtime.shutdown_background();
        outcome
    });
    outcome.unwrap_or_else(|error| report_error(&error)).into()
}

/// Runs the command until it ends or a signal ends it. Commands that talk to the cloud say then
/// what stands; the service sees to signals itself, and the others have nothing to say.
async fn run_or_stop(command: &Command, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    if matches!(
        command,
        Command::Generate(_)
            | Command::Plugins(_)
            | Command::Serve(_)
            | Command::Completion(_)
            | Command::Manual(_)
            | Command::Ssh(_)
            | Command::Tunnel(_)
    ) {
        return run(command, out).await;
    }
    let mut signals = EndingSignals::listen();
    let exit = tokio::select! {
        outcome = run(command, out) => return outcome,
        signal = signals.recv() => match signal {
            EndingSignal::Interrupt => CommandExit::Interrupted,
            EndingSignal::Terminate => CommandExit::Terminated,
            EndingSignal::Hangup => CommandExit::HungUp,
        },
    };
    let stands = match stands_after(command) {
        Some(name) => format!(
            ": what is recorded stands, and heat goes on with what it has taken; `stampede wait {name}` goes on with the rest, `stampede show {name}` shows it"
        ),
        None => String::new(),
    };
    print_errors(&[format!("interrupted{stands}")]);
    Ok(exit)
}

async fn run(command: &Command, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    match command {
        Command::Generate(args) => generate::run(args, out).await,
        Command::Deploy(args) => deploy::run(args, out).await,
        Command::Show(args) => show::run(args, out).await,
        Command::List(args) => list::run(args, out).await,
        Command::Events(args) => events::run(args, out).await,
        Command::Update(args) => update::run(args, out).await,
        Command::Extend(args) => extend::run(args, out).await,
        Command::Delete(args) => delete::run(args, out).await,
        Command::Adopt(args) => adopt::run(args, out).await,
        Command::History(args) => history::run(args, out).await,
        Command::Wait(args) => wait::run(args, out).await,
        Command::Ssh(args) => ssh::run(args).await,
        Command::Tunnel(args) => tunnel::run(args, out).await,
        Command::Secret(args) => secret::run(args, out).await,
        Command::Frameworks(args) => frameworks::run(args, out).await,
        Command::Plugins(args) => plugin_list::run(args, out),
        Command::Serve(args) => serve::run(args, out).await,
        Command::Completion(args) => completion::run(args, out),
        Command::Manual(args) => manual::run(args, out),
        // Seen to by `main`, before there is a runtime.
        Command::Cluster(_) | Command::CompilePlugin(_) => Ok(CommandExit::Done),
    }
}

/// The cluster that a command may leave in the middle of something; a preview does nothing.
fn stands_after(command: &Command) -> Option<String> {
    match command {
        Command::Deploy(args) if !args.is_dry_run() => Some(args.cluster_name()),
        Command::Update(args) if !args.is_dry_run() => Some(args.name.clone()),
        Command::Delete(args) => Some(args.name.clone()),
        Command::Wait(args) => Some(args.name.clone()),
        _ => None,
    }
}

fn start_runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

fn log_to_stderr(default: &str) {
    let filter = EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(SafeLog)
        // Colours are escape sequences, of which none gets through.
        .with_ansi(false)
        .init();
}

/// Says what went wrong.
fn report_error(error: &anyhow::Error) -> CommandExit {
    print_errors(&error_messages(error));
    let told = error.downcast_ref::<CommandFailure>();
    let told = told.map(|failure| failure.exit);
    let by_server = error.downcast_ref::<ServerFailure>();
    told.or(by_server.map(|failure| failure.exit))
        .unwrap_or_else(|| CommandExit::of_error(error))
}

fn print_errors(messages: &[String]) {
    let mut stderr = io::stderr();
    let mut printer = LinePrinter::new(&mut stderr);
    for line in messages.iter().flat_map(|message| error_lines(message)) {
        // There is nobody left to tell when standard error is gone too.
        let _ = writeln!(printer, "{line}");
    }
}

/// A message for each problem, else the context and the error below it. An error of the
/// orchestrator, the cloud or the store ends the chain: its words are complete, and what caused it
/// would only repeat them.
fn error_messages(error: &anyhow::Error) -> Vec<String> {
    let problems = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(UsageError(problems)), _) | (_, Some(RefusedRequest(problems))) => Some(problems),
        _ => match (error.downcast_ref(), error.downcast_ref()) {
            (Some(OrchestratorError::Invalid(problems)), _)
            | (_, Some(PlanError::Problems(problems))) => Some(problems),
            _ => None,
        },
    };
    if let Some(problems) = problems {
        return problems.iter().map(Problem::to_string).collect();
    }
    let mut messages = Vec::new();
    for cause in error.chain() {
        messages.push(cause.to_string());
        if cause.is::<OrchestratorError>() || cause.is::<CloudError>() || cause.is::<StoreError>() {
            break;
        }
    }
    vec![messages.join(": ")]
}

/// A message's lines. What follows its first one is indented, so that no text of somebody else
/// looks like a message of its own.
fn error_lines(message: &str) -> Vec<String> {
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default();
    std::iter::once(format!("stampede: {first}"))
        .chain(lines.map(|line| format!("stampede:   {line}")))
        .collect()
}

#[cfg(test)]
mod printed_commands_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: &anyhow::Error) -> Vec<String> {
        error_messages(error)
            .iter()
            .flat_map(|message| error_lines(message))
            .collect()
    }

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }

    #[test]
    fn problems_are_told_a_line_each() {
        let problems = vec![
            Problem::new("workers", "0 is too few", "1 to 250"),
            Problem::new("image", "is not\nthere", ""),
        ];
        let wanted = [
            "stampede: workers: 0 is too few (1 to 250)",
            "stampede: image: is not",
            "stampede:   there",
        ];
        assert_eq!(told(&RefusedRequest(problems.clone()).into()), wanted);
        assert_eq!(told(&OrchestratorError::Invalid(problems).into()), wanted);
    }

    #[test]
    fn an_error_of_the_cloud_is_printed_once_though_it_keeps_its_source() {
        let below = CloudError::InvalidToken { service: "heat" };
        let error =
            anyhow::Error::from(OrchestratorError::from(below.clone())).context("show `c1`");
        assert_eq!(told(&error), [format!("stampede: show `c1`: {below}")]);
    }
}
