//! The ways a plugin fails, in words for its author and its operator. Knows nothing of who shows
//! them.

use std::time::Duration;

use crate::cluster::Problem;

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

/// What a plugin did wrong. Each reads on after the plugin's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    Contract(String),
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
