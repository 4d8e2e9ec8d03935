//! What the OCCI API makes of anything that a client can send, and of any value that it has to
//! show: inputs grown by mutation from `tests/fuzz/corpus`, and for each the properties that must
//! hold, not only that nothing panics.
//!
//! `STAMPEDE_FUZZ_SECONDS=600 cargo test --workspace --test fuzz` runs longer (1 s each without it,
//! 60 in `tests/run`), `STAMPEDE_FUZZ_SEED` repeats a run, `STAMPEDE_FUZZ_KEEP=1` keeps what was
//! new in the corpus. It runs on stable Rust and so without coverage: an input counts as new when
//! its outcome is, the error with its numbers taken out or the shape of what was read.
//!
//! Layout
//! - [`grow`]: corpus, mutation, the loop
//! - [`properties`]: what must hold
#![expect(clippy::unwrap_used, reason = "a test's way to fail")]
#![expect(
    clippy::print_stdout,
    reason = "how much was tried is what a run is for"
)]

mod grow;
mod properties;

#[test]
fn requests() {
    grow::run("requests", properties::request);
}

#[test]
fn values() {
    grow::run("values", properties::values);
}
