//! The page as a browser asks for it, served by the host as a process over a fake OpenStack: who may
//! see and do what, and what no page, log or file ever holds. `browser` is started by tests/ui/run.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod browser;
mod fixture;
mod sessions;
mod trust;
mod weight;
