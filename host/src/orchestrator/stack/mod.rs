//! The stack of a cluster, as Heat is given it and as it is read back. Pure.

pub(crate) mod plan_cache;
pub(crate) mod snapshot;
pub mod stack_request;
