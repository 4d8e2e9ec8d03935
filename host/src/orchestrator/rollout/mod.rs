//! A change to a running cluster.
//!
//! Layout
//! - `desired_state`: what the cluster is to be, from a request
//! - `steps`: the steps there, and those back (pure)
//! - `execute`: carries out one step at a time

pub(crate) mod desired_state;
pub(crate) mod execute;
pub(crate) mod steps;
