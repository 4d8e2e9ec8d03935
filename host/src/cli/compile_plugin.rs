//! `stampede compile-plugin`, which nobody calls but this program itself: compiles one plugin in a
//! process of its own, within bounds that are set before it reads anything.

use std::{io, process::ExitCode};

use clap::Args;

use crate::plugin::{PluginLimits, run_compile_process};

/// Compile the plugin on standard input, for another process of this program
#[derive(Args, Debug)]
pub(super) struct CompilePluginArgs {
    /// The plugin's name, for messages
    name: String,
    /// What it may use, as JSON
    #[arg(value_parser = parse_limits)]
    limits: PluginLimits,
}

fn parse_limits(text: &str) -> Result<PluginLimits, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// Compiles it; no runtime and no log has been started.
pub(super) fn run(args: &CompilePluginArgs) -> ExitCode {
    let (mut from, mut to, mut words) =
        (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    run_compile_process(&args.name, args.limits, &mut from, &mut to, &mut words).into()
}
