//! The stack of a cluster, as Heat is given it and as it is read back. Pure.

pub(crate) mod request_size;
pub(crate) mod snapshot;
pub mod stack_request;
pub mod step_plan;
