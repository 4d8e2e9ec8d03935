//! A change to a running cluster.
//!
//! Layout
//! - `desired_state`: what the cluster is to be, from a request
//! - `steps`: the steps there, and those back (pure)
//! - `change_plan`: every step as Heat will be given it, before the first is sent
//! - `execute`: carries out one step at a time; `rollback`: leads back

pub(crate) mod change_plan;
pub(crate) mod desired_state;
pub(crate) mod execute;
pub(crate) mod rollback;
pub(crate) mod steps;
