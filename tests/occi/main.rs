//! Tests of the OCCI API behind its real server on loopback, with clusters in memory: requests of
//! hurtle's clients, errors, and that no client delays or breaks another's requests. There is no
//! cloud here; `tests/lifecycle` has one.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test's way to fail"
)]

mod actions;
mod addresses;
mod client;
mod collections;
mod conformance;
mod errors;
mod hostile;
mod http_basics;
mod limits;
mod memory;
mod pages;
mod real_clients;
mod renderings;
mod response_cache;
mod service_manager;
mod shutdown;
mod stalled;
mod standard_json;
mod strict_client;
mod strict_model;
mod user_mixins;
