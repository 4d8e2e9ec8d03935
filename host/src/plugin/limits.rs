//! Bounds what a plugin may use, in one struct, and counts what a call takes, so that its error
//! names the bound that it met.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmtime::{ResourceLimiter, Result, bail};

/// Memory of a call below which more calls at once are no gain.
const CALL_BYTES: usize = 64 << 20;
/// Memory of a compile below which more compiles at once are no gain.
const COMPILE_BYTES: usize = 512 << 20;
/// What of a container's memory is the host's own at least, while it compiles.
const HOST_BYTES: usize = 32 << 20;
/// What an element of a table is counted with.
const TABLE_ELEMENT_BYTES: usize = 16;

/// What a plugin may use. The default fits the bundled plugins at 250 workers many times over, and
/// guests that bring an interpreter along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginLimits {
    /// One call, on the wall clock.
    pub time: Duration,
    /// All linear memories of one call together, and its tables.
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
    /// What compiling a plugin, and asking it what it is, may take on the wall clock, in a process
    /// of its own.
    pub compile_time: Duration,
    /// The memory of that process.
    pub compile_bytes: usize,
    /// Such processes at once.
    pub compiles: usize,
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
            compile_time: Duration::from_secs(120),
            compile_bytes: 2 << 30,
            compiles: 8,
        }
    }
}

impl PluginLimits {
    /// These, in a container of so much memory: a quarter of it is for all calls at once, the rest
    /// but for the host's share for all that compile at once. Beyond the container's memory the
    /// kernel would end the host, with whichever process met the end.
    #[must_use]
    pub fn limit_to_memory(self, memory_bytes: usize) -> Self {
        let share = memory_bytes / 4;
        let calls = (share / CALL_BYTES).clamp(1, self.calls);
        let compile_share = memory_bytes.saturating_sub(HOST_BYTES.max(share));
        let compiles = (compile_share / COMPILE_BYTES).clamp(1, self.compiles.max(1));
        let file_bytes = u64::try_from(memory_bytes / 8).unwrap_or(u64::MAX);
        Self {
            calls,
            memory_bytes: self.memory_bytes.min(share / calls),
            answer_bytes: self.answer_bytes.min(memory_bytes / 32),
            file_bytes: self.file_bytes.min(file_bytes),
            compile_bytes: self.compile_bytes.min(compile_share / compiles),
            compiles,
            ..self
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

    fn take_memory(&mut self, bytes: usize) -> Result<bool> {
        let total = self.memory_bytes.saturating_add(bytes);
        if total > self.limits.memory_bytes {
            self.refused = Some("memory");
            bail!("memory limit met");
        }
        self.memory_bytes = total;
        Ok(true)
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
        self.take_memory(desired.saturating_sub(current))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        if desired > self.limits.table_elements {
            self.refused = Some("table elements");
            bail!("table limit met");
        }
        let elements = desired.saturating_sub(current);
        self.take_memory(elements.saturating_mul(TABLE_ELEMENT_BYTES))
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
    fn tables_count_as_memory() {
        let mut limiter = CallLimiter::new(PluginLimits {
            memory_bytes: 10 * TABLE_ELEMENT_BYTES,
            ..PluginLimits::default()
        });
        assert!(limiter.table_growing(0, 6, None).unwrap());
        assert!(limiter.table_growing(0, 4, None).unwrap());
        assert!(limiter.table_growing(4, 5, None).is_err());
        assert_eq!(limiter.refused(), Some("memory"));
    }

    #[test]
    fn calls_fit_the_memory() {
        let full = PluginLimits::default();
        for (mib, calls, memory_mib, compiles, compile_mib) in [
            (16, 1, 4, 1, 0),
            (64, 1, 16, 1, 32),
            (128, 1, 32, 1, 96),
            (511, 1, 127, 1, 383),
            (512, 2, 64, 1, 384),
            (1_365, 5, 68, 1, 1_023),
            (1_366, 5, 68, 2, 512),
            (2_048, 8, 64, 3, 512),
            (8_191, 8, 255, 8, 767),
            (8_192, 8, 256, 8, 768),
            (1 << 20, 8, 256, 8, 2_048),
        ] {
            let fit = full.limit_to_memory(mib << 20);
            assert_eq!(
                (fit.calls, fit.memory_bytes >> 20),
                (calls, memory_mib),
                "{mib} MiB"
            );
            assert_eq!(
                (fit.compiles, fit.compile_bytes >> 20),
                (compiles, compile_mib),
                "{mib} MiB"
            );
            let rest = (mib << 20) - fit.compiles * fit.compile_bytes;
            assert!(rest >= HOST_BYTES.min(mib << 20), "{mib} MiB");
            assert!(fit.calls * fit.memory_bytes <= (mib << 20) / 4);
        }
        let small = full.limit_to_memory(64 << 20);
        assert_eq!((small.answer_bytes, small.file_bytes), (2 << 20, 8 << 20));
        assert_eq!(full.limit_to_memory(usize::MAX), full);
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
