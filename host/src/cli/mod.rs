//! The command line: parses arguments, calls one function a command, and turns its outcome into an
//! exit code. Knows no framework.
//!
//! Layout
//! - `generate`: a cluster as files, without a cloud; `readme`, `explain`: what is written about
//!   it; `directory`: writing them
//! - `serve`: the service
//! - `deploy`, `show`, `list`, `update`, `delete`: clusters in a cloud, without a server; `cloud`:
//!   what these share
//! - `plugins`: which plugins there are, and where they are found
//! - [`preview`]: what `--dry-run` prints
//! - `table`: rows for people
//!
//! Exit codes: 0 done, 1 it failed, 2 the request is not right. Errors go to standard error, a
//! problem a line.

mod cloud;
mod delete;
mod deploy;
mod directory;
mod explain;
mod generate;
mod generated_files;
mod list;
mod plugins;
pub mod preview;
mod readme;
mod serve;
mod show;
mod table;
mod update;

use std::{
    io::{self, IsTerminal as _, Write},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::{
    cluster::{Problem, problem::lines},
    openstack::CloudError,
    orchestrator::{OrchestratorError, planning::cluster_plan::PlanError},
    store::StoreError,
};

/// The environment variable that chooses what is logged, in tracing's form: `warn`,
/// `stampede=debug`.
const LOG_VARIABLE: &str = "STAMPEDE_LOG";
/// The request is not right: the user's to mend.
const BAD_REQUEST: u8 = 2;

/// Deploys framework clusters, such as Hadoop, on OpenStack through Heat
#[derive(Parser, Debug)]
#[command(name = "stampede", version, max_term_width = 120)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Generate(generate::GenerateArgs),
    Deploy(deploy::DeployArgs),
    Show(show::ShowArgs),
    List(list::ListArgs),
    Update(update::UpdateArgs),
    Delete(delete::DeleteArgs),
    Plugins(plugins::PluginsArgs),
    Serve(serve::ServeArgs),
}

/// The request itself is wrong; all problems at once.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.0))]
struct UsageError(Vec<Problem>);

/// Runs the program's arguments.
pub fn main() -> ExitCode {
    let cli = CommandLine::parse();
    log_to_stderr(if matches!(cli.command, Command::Serve(_)) {
        "info"
    } else {
        "warn"
    });
    let outcome = start_runtime().and_then(|runtime| {
        let outcome = runtime.block_on(run(&cli.command, &mut io::stdout().lock()));
        // What blocks, such as a resolver that nobody answers, would otherwise hold up the end.
        runtime.shutdown_background();
        outcome
    });
    outcome.unwrap_or_else(|error| report_error(&error))
}

async fn run(command: &Command, out: &mut dyn Write) -> Result<ExitCode> {
    match command {
        Command::Generate(args) => generate::run(args, out).await,
        Command::Deploy(args) => deploy::run(args, out).await,
        Command::Show(args) => show::run(args, out).await,
        Command::List(args) => list::run(args, out).await,
        Command::Update(args) => update::run(args, out).await,
        Command::Delete(args) => delete::run(args, out).await,
        Command::Plugins(args) => plugins::run(args, out),
        Command::Serve(args) => serve::run(args, out).await,
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
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// Says what went wrong; a reader who went away (`stampede plugins | head`) is no failure.
fn report_error(error: &anyhow::Error) -> ExitCode {
    if error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    {
        return ExitCode::SUCCESS;
    }
    // There is nobody left to tell when standard error is gone too.
    let _ = writeln!(io::stderr(), "{}", error_lines(error));
    ExitCode::from(if is_bad_request(error) {
        BAD_REQUEST
    } else {
        1
    })
}

/// The context and the error below it. An error of the orchestrator, the cloud or the store ends
/// the chain: its words are complete, and what caused it would only repeat them.
fn error_lines(error: &anyhow::Error) -> String {
    let mut messages = Vec::new();
    for cause in error.chain() {
        messages.push(cause.to_string());
        if cause.is::<OrchestratorError>() || cause.is::<CloudError>() || cause.is::<StoreError>() {
            break;
        }
    }
    messages
        .join(": ")
        .lines()
        .map(|line| format!("stampede: {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_bad_request(error: &anyhow::Error) -> bool {
    let refused = matches!(error.downcast_ref(), Some(OrchestratorError::Invalid(_)));
    refused
        || error.is::<UsageError>()
        || matches!(error.downcast_ref(), Some(PlanError::Problems(_)))
}

/// `NAME=VALUE`, for clap. The name may have `stampede.` in front.
fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "must be NAME=VALUE".to_owned())?;
    let name = name.trim();
    if name.is_empty() {
        return Err("has no name before the `=`".to_owned());
    }
    Ok((
        name.strip_prefix(crate::cluster::attribute_names::PREFIX)
            .unwrap_or(name)
            .to_owned(),
        value.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_consistent() {
        use clap::CommandFactory as _;
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_pair_keeps_its_value_exactly() {
        assert_eq!(
            parse_pair("stampede.hadoop.x= a=b "),
            Ok(("hadoop.x".to_owned(), " a=b ".to_owned()))
        );
        assert_eq!(
            parse_pair("workers="),
            Ok(("workers".to_owned(), String::new()))
        );
        assert!(parse_pair("workers").is_err());
        assert!(parse_pair("=3").is_err());
    }

    #[test]
    fn problems_are_told_a_line_each_and_are_the_users() {
        let problems = vec![
            Problem::new("workers", "0 is too few", "1 to 250"),
            Problem::new("image", "is not there", ""),
        ];
        let error = anyhow::Error::from(UsageError(problems));
        assert_eq!(
            error_lines(&error),
            "stampede: workers: 0 is too few (1 to 250)\nstampede: image: is not there"
        );
        assert!(is_bad_request(&error));
        assert!(!is_bad_request(&anyhow::Error::from(PlanError::Broken(
            "x".to_owned()
        ))));
    }

    #[test]
    fn an_error_of_the_cloud_is_printed_once_though_it_keeps_its_source() {
        let below = CloudError::InvalidToken { service: "heat" };
        let error =
            anyhow::Error::from(OrchestratorError::from(below.clone())).context("show `c1`");
        assert_eq!(error_lines(&error), format!("stampede: show `c1`: {below}"));
    }
}
