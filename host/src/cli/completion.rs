//! `stampede completion`: a script that completes this program's commands and options in a shell.

use anyhow::Result;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{CommandLine, exit_code::CommandExit, line_printer::LinePrinter};

/// Print a script that completes commands and options in your shell
///
/// For bash: `stampede completion bash > ~/.local/share/bash-completion/completions/stampede`
#[derive(Args, Debug)]
pub(super) struct CompletionArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints it.
pub(super) fn run(args: &CompletionArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let mut script = Vec::new();
    let mut command = CommandLine::command();
    clap_complete::generate(args.shell, &mut command, "stampede", &mut script);
    out.print_own(&script)?;
    Ok(CommandExit::Done)
}
