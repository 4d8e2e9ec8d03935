//! What changes of running clusters take for granted of node groups, as the contract 0.1.0 did: it
//! goes with the rollout that asks here. Pure.

use super::default_groups::{MASTER, WORKER};

/// Whether a group may get nodes beside those that it was made with.
pub fn may_grow(group: &str) -> bool {
    group != MASTER
}

/// Whether nodes of a group are let go before they are taken away.
pub fn leaves_by_drain(group: &str) -> bool {
    group == WORKER
}
