//! One bound on the bytes that all requests hold while they come in: heads and bodies are read
//! before it is known who sends them, and hundreds of long ones at once would exceed the container's
//! memory.
//!
//! Each request's first bytes are free: they are part of what its connection costs, so that short
//! requests are read however many long ones there are. What exceeds them is taken from the budget as
//! it comes, not as it is announced: a client that only announces a long body holds nothing.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the budget is counted in.
const UNIT_BYTES: usize = 1024;
/// Bytes of one request that are part of what its connection costs.
pub(super) const FREE_BYTES: usize = 8 * 1024;

/// The budget of one port.
#[derive(Clone, Debug)]
pub(super) struct MemoryBudget(Arc<Semaphore>);

impl MemoryBudget {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / UNIT_BYTES)))
    }

    /// A share for one purpose of one request, empty.
    pub(super) fn new_share(&self) -> MemoryShare {
        MemoryShare {
            budget: self.clone(),
            bytes: 0,
            taken: None,
        }
    }
}

/// What one request has taken of the budget, given back when it is dropped.
#[derive(Debug)]
pub(super) struct MemoryShare {
    budget: MemoryBudget,
    bytes: usize,
    taken: Option<OwnedSemaphorePermit>,
}

impl MemoryShare {
    /// Counts more bytes. False when the budget has no room for them.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let units = self.bytes.saturating_sub(FREE_BYTES).div_ceil(UNIT_BYTES);
        let have = self
            .taken
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let Ok(missing) = u32::try_from(units.saturating_sub(have)) else {
            return false;
        };
        if missing == 0 {
            return true;
        }
        let Ok(more) = Arc::clone(&self.budget.0).try_acquire_many_owned(missing) else {
            return false;
        };
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        true
    }

    /// Gives everything back.
    pub(super) fn clear(&mut self) {
        (self.bytes, self.taken) = (0, None);
    }

    /// Bytes counted so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_bounded_and_given_back() {
        let budget = MemoryBudget::new(4 * UNIT_BYTES);
        let (mut first, mut second) = (budget.new_share(), budget.new_share());
        assert!(first.grow(FREE_BYTES) && second.grow(FREE_BYTES), "free");
        assert!(first.grow(3 * UNIT_BYTES) && second.grow(UNIT_BYTES));
        assert!(!first.grow(1) && !second.grow(1), "all is taken");
        assert!(budget.new_share().grow(FREE_BYTES), "short ones are read");
        drop(second);
        assert!(first.grow(1));
        first.clear();
        assert!(budget.new_share().grow(FREE_BYTES + 4 * UNIT_BYTES));
        assert!(!budget.new_share().grow(FREE_BYTES + 4 * UNIT_BYTES + 1));
    }
}
