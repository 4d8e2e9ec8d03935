//! Configures the engine that compiles and runs guests, and interrupts guests by its epoch. Knows
//! nothing of the contract.
//!
//! Guests are not trusted to return. The compiler adds a check of the epoch to every loop and
//! function; a thread raises the epoch every [`TICK`], and a guest that sees it raised yields to
//! other tasks or, past its deadline, traps. Counting ticks costs a guest far less than counting
//! instructions (fuel), and it stops by time, which is what a caller waits for. One thread serves
//! all guests; it sleeps on a condition variable while none runs, so that an idle host is never
//! woken.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::{Config, Engine, Result};

/// How often a running guest is interrupted, so that the host's other work goes on and a deadline
/// is seen.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Compiles for speed of the code: a plugin is compiled once and called often. But for no more than
/// every processor of this architecture has, since a compiled plugin may travel, in an image or on
/// a disk.
pub(super) fn new_engine() -> Result<Engine> {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // What processors do differently: the same request gives the same bytes on all of them.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    // What a trap is told by is its text and the names of functions: tables that lead from code back
    // to offsets in a plugin, and to a profiler, are a seventh of what is compiled.
    config.generate_address_map(false);
    config.native_unwind_info(false);
    if cfg!(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )) {
        let libc = if cfg!(target_env = "musl") {
            "musl"
        } else {
            "gnu"
        };
        config.target(&format!("{}-unknown-linux-{libc}", std::env::consts::ARCH))?;
    }
    Engine::new(&config)
}

/// Raises the engine's epoch every [`TICK`] while a guest runs; an idle host is not woken.
#[derive(Clone)]
pub(super) struct EpochTicker(Arc<Shared>);

struct Shared {
    running: Mutex<Running>,
    changed: Condvar,
    /// Only differences are read, and only to say how a call failed: no order with other memory.
    ticks: AtomicU64,
}

struct Running {
    guests: usize,
    ended: bool,
}

/// A guest runs as long as this lives.
pub(super) struct TickGuard {
    shared: Arc<Shared>,
    from: u64,
}

impl EpochTicker {
    /// Starts the thread.
    pub(super) fn new(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            running: Mutex::new(Running {
                guests: 0,
                ended: false,
            }),
            changed: Condvar::new(),
            ticks: AtomicU64::new(0),
        });
        let (engine, theirs) = (engine.clone(), Arc::clone(&shared));
        std::thread::Builder::new()
            .name("plugin-ticks".into())
            .spawn(move || {
                while theirs.wait_for_a_guest() {
                    std::thread::sleep(TICK);
                    engine.increment_epoch();
                    theirs.ticks.fetch_add(1, Ordering::Relaxed);
                }
            })?;
        Ok(Self(shared))
    }

    /// To be held while a guest runs.
    pub(super) fn start(&self) -> TickGuard {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .guests += 1;
        self.0.changed.notify_one();
        TickGuard {
            shared: Arc::clone(&self.0),
            from: self.0.ticks.load(Ordering::Relaxed),
        }
    }

    /// Ends the thread: the registry goes.
    pub(super) fn stop(&self) {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ended = true;
        self.0.changed.notify_one();
    }
}

impl Shared {
    /// False when there will be no more.
    fn wait_for_a_guest(&self) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self
            .changed
            .wait_while(running, |running| running.guests == 0 && !running.ended)
            .unwrap_or_else(PoisonError::into_inner);
        !running.ended
    }
}

impl TickGuard {
    /// The ticks since the guest began.
    pub(super) fn ticks(&self) -> u64 {
        self.shared
            .ticks
            .load(Ordering::Relaxed)
            .wrapping_sub(self.from)
    }
}

impl Drop for TickGuard {
    fn drop(&mut self) {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .guests -= 1;
    }
}
