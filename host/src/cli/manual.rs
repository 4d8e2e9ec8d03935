//! `stampede manual`: writes the pages that `man` shows, one a command.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use super::{CommandLine, exit_code::CommandExit, line_printer::LinePrinter};

/// Print the page for `man`, or write those of all commands into a folder
///
/// `stampede manual ~/.local/share/man/man1` makes `man stampede` and `man stampede-deploy` work; without a folder,
/// `stampede manual | man -l -` shows the first page.
#[derive(Args, Debug)]
pub(super) struct ManualArgs {
    /// The folder; it is made where it is not there
    folder: Option<PathBuf>,
}

/// Prints or writes them.
pub(super) fn run(args: &ManualArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let program = CommandLine::command();
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        Man::new(program).render(&mut page)?;
        out.print_own(&page)?;
        return Ok(CommandExit::Done);
    };
    let written =
        std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(program, folder));
    written.with_context(|| format!("cannot write into {}", folder.display()))?;
    writeln!(out, "wrote the pages into {}", folder.display())?;
    Ok(CommandExit::Done)
}
