//! The binary `stampede`. Everything is in the library, so that tests can call it.

use std::process::ExitCode;

/// musl's own takes a lock for every allocation of every thread.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    stampede::cli::main()
}
