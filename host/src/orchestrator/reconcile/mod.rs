//! From the desired state towards it, one action at a time.
//!
//! Layout
//! - [`decide`]: the one next action, pure
//! - `step`: carries it out
//! - `deletion_wish`: somebody whose cluster it is not wants it gone
//! - `worker`: goes on in the background until nothing is left to do
//! - `recover`: clusters that the store does not know, made again from their stacks

pub mod decide;
mod deletion_wish;
pub(crate) mod recover;
pub(crate) mod step;
pub(crate) mod worker;
