//! The error types of plugins, for a plugin's author and its operator: why a file is not loaded,
//! and how a call fails. Each text stands for itself: it holds that of its source, which is kept
//! for those who ask for it.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::FaultList;
use crate::cluster::Problem;

/// An error of wasmtime, whose own type is none of the standard library's errors.
type BoxedError = Box<dyn Error + Send + Sync>;

/// Why a file is no plugin that can be used. Each reads on after its path.
#[derive(Debug, thiserror::Error)]
pub enum LoadFailure {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// The file is too large.
    #[error("is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The bound.
        limit_bytes: u64,
    },
    /// It does not begin as WebAssembly does.
    #[error("is not WebAssembly")]
    NotWebAssembly,
    /// It is WebAssembly of the wrong kind.
    #[error("is a core WebAssembly module, not a component: build it for wasm32-wasip2")]
    CoreModule,
    /// The compiler does not take it.
    #[error("cannot be compiled: {}", chain(.0.as_ref()))]
    Compile(#[source] BoxedError),
    /// The process that compiles it did not come to an end of its own.
    #[error("cannot be compiled: the compiler {0}")]
    Compiler(String),
    /// The process that compiles it says why it cannot be used.
    #[error("{0}")]
    Refused(String),
    /// It exports no version of the contract.
    #[error(
        "is not a Stampede plugin: it exports no {interface}VERSION (this host speaks {spoken})"
    )]
    NotAPlugin {
        /// What every plugin exports, without its version.
        interface: &'static str,
        /// The versions that the host speaks.
        spoken: String,
    },
    /// It exports other versions of the contract.
    #[error(
        "speaks version {theirs} of the contract, this host speaks {spoken}: build it against one of those, or update the host"
    )]
    UnknownVersion {
        /// The versions that it speaks.
        theirs: String,
        /// The versions that the host speaks.
        spoken: String,
    },
    /// It imports what the host does not give.
    #[error(
        "wants {0}, which a plugin is not given: whatever it needs to know stands in the request"
    )]
    UnknownImports(String),
    /// Its imports do not fit what the host gives.
    #[error("cannot be linked: {}", chain(.0.as_ref()))]
    Link(#[source] BoxedError),
    /// What it has said of its parameters, when it was compiled, is not taken.
    #[error("cannot be used: {0}")]
    Schema(#[source] ContractBreach),
    /// There is no thread to call it on.
    #[error("cannot be asked: {0}")]
    Runtime(#[source] io::Error),
    /// It broke when it was asked to describe itself.
    #[error("cannot describe itself: {0}")]
    Describe(#[source] PluginError),
    /// Its file is called otherwise than it.
    #[error("says that its name is `{0}`: name the file {0}.wasm")]
    WrongName(String),
}

/// A file that could not be used.
#[derive(Debug)]
pub struct DisabledPlugin {
    /// The file.
    pub path: PathBuf,
    /// Why; reads on after the path.
    pub reason: LoadFailure,
}

/// Why there is no registry at all.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder cannot be read.
    #[error("cannot read the plugin folder {}: {source}", .dir.display())]
    Folder {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Too many files.
    #[error("the plugin folder {} holds more than {most} plugins", .dir.display())]
    TooMany {
        /// The folder.
        dir: PathBuf,
        /// The bound.
        most: usize,
    },
    /// A plugin that was to be shipped cannot be used.
    #[error("{} {}", .0.path.display(), .0.reason)]
    Disabled(DisabledPlugin),
    /// What was compiled cannot be written.
    #[error("cannot write compiled plugins to {}: {source}", .dir.display())]
    Ship {
        /// The folder.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// WebAssembly cannot run here.
    #[error("cannot start the WebAssembly engine")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why there is no part.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The plugin refused the request: the user's to mend.
    #[error("{}", crate::cluster::problem::lines(.0))]
    Problems(Vec<Problem>),
    /// The plugin broke: its author's to mend.
    #[error(transparent)]
    Failed(#[from] PluginError),
}

/// A plugin broke.
#[derive(Debug, thiserror::Error)]
#[error("plugin `{plugin}` {fault}{}", quote_output(.stderr))]
pub struct PluginError {
    /// Its name.
    pub plugin: String,
    /// What it did.
    pub fault: PluginFault,
    /// What it wrote to stderr and stdout, bounded; a panic's message is there.
    pub stderr: String,
}

/// What in a plugin's answer is not as the contract says.
#[derive(Debug, thiserror::Error)]
pub enum ContractBreach {
    /// Its parameters' schema is none.
    #[error("its parameters are not a JSON Schema: {0}")]
    NotSchema(#[source] Box<jsonschema::ValidationError<'static>>),
    /// Its parameters' schema has a keyword that costs too much.
    #[error("its parameters use {0}: write the schema out")]
    Keyword(String),
    /// All that is not as the contract says, each with its place.
    #[error("{0}")]
    Faults(FaultList),
}

/// What a plugin did wrong. Each reads on after the plugin's name.
#[derive(Debug, thiserror::Error)]
pub enum PluginFault {
    /// It ran too long. `waited`: it slept or polled, where time stands still, rather than
    /// computed.
    #[error("did not answer within {}: it {}", seconds(.limit), if *.waited { "waited, and a plugin has nothing to wait for" } else { "went on computing" })]
    Time {
        /// The bound.
        limit: Duration,
        /// Or computed.
        waited: bool,
    },
    /// It wanted more memory.
    #[error("wanted more than {} MiB of memory", .limit_bytes >> 20)]
    Memory {
        /// The bound.
        limit_bytes: usize,
    },
    /// Its answer was too big.
    #[error("handed over more than {limit_bytes} bytes at once")]
    AnswerSize {
        /// The bound.
        limit_bytes: usize,
    },
    /// It wanted too much of something else.
    #[error("wanted more {0} than a plugin may have")]
    Resource(String),
    /// It ended itself.
    #[error("ended itself with exit code {0} instead of answering")]
    Exit(i32),
    /// It trapped; a panic ends so.
    #[error("broke down: {0}")]
    Trap(String),
    /// Its answer is not what the contract says.
    #[error("broke the contract: {0}")]
    Contract(#[source] ContractBreach),
}

/// An error and all that caused it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn seconds(time: &Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

fn quote_output(stderr: &str) -> String {
    if stderr.trim().is_empty() {
        String::new()
    } else {
        format!("; it wrote:\n{}", stderr.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_plugin_the_limit_and_what_it_wrote() {
        let fault = PluginFault::Time {
            limit: Duration::from_millis(2500),
            waited: true,
        };
        let mut error = PluginError {
            plugin: "hadoop".into(),
            fault,
            stderr: "thinking\n".into(),
        };
        assert_eq!(
            error.to_string(),
            "plugin `hadoop` did not answer within 2.5 s: it waited, and a plugin has nothing to wait for; it wrote:\nthinking"
        );
        error.stderr.clear();
        assert!(error.to_string().ends_with("nothing to wait for"));
    }
}
