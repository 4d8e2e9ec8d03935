//! From the desired state towards it, one action at a time.
//!
//! Layout
//! - [`decide`]: the one next action, pure
//! - `step`: carries it out
//! - `deletion_wish`: somebody whose cluster it is not wants it gone
//! - `worker`: goes on in the background until nothing is left to do
//! - `cluster_ends`: announces the end of a cluster, and deletes it then; `journaled_end`: tells so
//! - `idle_ends`: the same of a cluster that has been without jobs for long
//! - `resume`: goes on with what is pending once somebody is there who may
//! - `recover`: clusters that the store does not know, made again from their stacks

pub(crate) mod cluster_ends;
pub mod decide;
mod deletion_wish;
pub(crate) mod idle_ends;
mod journaled_end;
pub(crate) mod recover;
pub(crate) mod resume;
pub(crate) mod step;
pub(crate) mod worker;
