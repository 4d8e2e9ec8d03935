//! `stampede completion`: a script that completes this program's commands and options in a shell.

use anyhow::Result;
use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;

use super::{CommandLine, exit_code::CommandExit, line_printer::LinePrinter};

/// Print a script that completes commands and options in your shell
///
/// For bash: `stampede completion bash > ~/.local/share/bash-completion/completions/stampede`, or `source` it in
/// ~/.bashrc; for zsh: `stampede completion zsh > _stampede` in a folder that fpath names before compinit is called
#[derive(Args, Debug)]
pub(super) struct CompletionArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints it.
pub(super) fn run(args: &CompletionArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let mut script = Vec::new();
    let mut command = without_hidden(&CommandLine::command());
    clap_complete::generate(args.shell, &mut command, "stampede", &mut script);
    out.print_own(&script)?;
    Ok(CommandExit::Done)
}

/// The same program without commands that people do not call: clap completes those, too.
fn without_hidden(program: &Command) -> Command {
    let commands = program.get_subcommands();
    let shown = commands.filter(|command| !command.is_hide_set()).cloned();
    Command::new("stampede")
        .version(env!("CARGO_PKG_VERSION"))
        .args(program.get_arguments().cloned())
        .subcommands(shown)
}
