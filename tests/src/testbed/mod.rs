//! The real OpenStack on this machine, for the scenarios and the benchmark that need one.
//!
//! Layout
//! - [`cluster`]: clusters on the testbed: what is asked for, and the nodes that come of it
//! - [`hadoop`]: what a healthy Hadoop looks like from its own nodes
//! - [`mirror`]: checksums of what nodes download
//! - [`node`]: commands on a node
//! - [`notebook`]: a session of JupyterLab, as a browser has it
//! - [`port_scan`]: which ports of an address answer
//! - [`small_disk`]: a disk of a node that is soon full
//! - [`cloud`]: tokens, REST calls, what a project holds
#![expect(
    missing_docs,
    reason = "small accessors of test programs, whose names say it"
)]

pub mod cloud;
pub mod cluster;
pub mod hadoop;
pub mod mirror;
pub mod node;
pub mod notebook;
pub mod port_scan;
pub mod small_disk;
pub mod users;

/// Prints one thing that was seen to be so.
#[macro_export]
macro_rules! verified {
    ($($text:tt)*) => { println!("    verified: {}", format!($($text)*)) };
}

/// Returns an error unless the condition holds.
#[macro_export]
macro_rules! must {
    ($condition:expr, $($text:tt)*) => { if !$condition { anyhow::bail!($($text)*) } };
}
