//! The OCCI API behind its real server, on loopback, over clusters that live in memory: what
//! hurtle's clients send and need, what is refused, and that no client can cost another anything.
//! No cloud here; the life cycle on one is `tests/lifecycle`.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test's way to fail"
)]

mod actions;
mod answers;
mod client;
mod collections;
mod conformance;
mod hostile;
mod http_basics;
mod limits;
mod memory;
mod pages;
mod refusals;
mod renderings;
mod service_manager;
mod shutdown;
mod stalled;
mod tags;
