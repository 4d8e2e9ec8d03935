//! Bounds what a plugin may use, in one struct, and counts what a call takes, so that its error
//! names the bound that it met.

use std::time::Duration;

use wasmtime::{ResourceLimiter, Result, bail};

/// What a plugin may use. The default fits the bundled plugins at 250 workers many times over, and
/// guests that bring an interpreter along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginLimits {
    /// One call, on the wall clock.
    pub time: Duration,
    /// All linear memories of one call together.
    pub memory_bytes: usize,
    /// What one call may hand to the host: its bundle, or one write to stderr.
    pub answer_bytes: usize,
    /// What is kept of stdout and stderr together: as much of the beginning as of the end.
    pub stderr_bytes: usize,
    /// Core instances in one component; an interpreter brings dozens.
    pub instances: usize,
    /// Tables in one component.
    pub tables: usize,
    /// Elements of one table.
    pub table_elements: usize,
    /// Linear memories in one component.
    pub memories: usize,
    /// Handles (streams, pollables, sockets) that a guest holds at once.
    pub handles: usize,
    /// Bytes in one request for randomness.
    pub random_bytes: u64,
    /// Calls at once over the whole registry; the others wait.
    pub calls: usize,
    /// A plugin's file.
    pub file_bytes: u64,
    /// Plugins in a registry.
    pub plugins: usize,
    /// Compiled plugins kept on disk.
    pub cached: usize,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            memory_bytes: 256 << 20,
            answer_bytes: 4 << 20,
            stderr_bytes: 8 << 10,
            instances: 64,
            tables: 64,
            table_elements: 100_000,
            memories: 16,
            handles: 4_096,
            random_bytes: 1 << 20,
            calls: 8,
            file_bytes: 128 << 20,
            plugins: 64,
            cached: 128,
        }
    }
}

/// Counts what one call takes and remembers what it was refused, since the guest's own error says
/// less.
#[derive(Debug)]
pub(super) struct CallLimiter {
    limits: PluginLimits,
    memory_bytes: usize,
    refused: Option<&'static str>,
}

impl CallLimiter {
    pub(super) fn new(limits: PluginLimits) -> Self {
        Self {
            limits,
            memory_bytes: 0,
            refused: None,
        }
    }

    /// What the guest wanted more of than it may have.
    pub(super) fn refused(&self) -> Option<&'static str> {
        self.refused
    }
}

impl ResourceLimiter for CallLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let total = self
            .memory_bytes
            .saturating_add(desired.saturating_sub(current));
        if total > self.limits.memory_bytes {
            self.refused = Some("memory");
            bail!("memory limit met");
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        if desired > self.limits.table_elements {
            self.refused = Some("table elements");
            bail!("table limit met");
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories_up_to_the_limit_and_not_past_it() {
        let mut limiter = CallLimiter::new(PluginLimits {
            memory_bytes: 3 << 16,
            ..PluginLimits::default()
        });
        assert!(limiter.memory_growing(0, 1 << 16, None).unwrap());
        assert!(
            limiter.memory_growing(0, 2 << 16, None).unwrap(),
            "exactly the limit is granted"
        );
        assert_eq!(limiter.refused(), None);
        assert!(limiter.memory_growing(2 << 16, 3 << 16, None).is_err());
        assert_eq!(limiter.refused(), Some("memory"));
    }

    #[test]
    fn a_table_grows_up_to_the_limit_and_not_past_it() {
        let mut limiter = CallLimiter::new(PluginLimits {
            table_elements: 10,
            ..PluginLimits::default()
        });
        assert!(limiter.table_growing(0, 10, None).unwrap());
        assert!(limiter.table_growing(10, 11, None).is_err());
        assert_eq!(limiter.refused(), Some("table elements"));
    }
}
