//! When the nodes of which cluster are asked next for its jobs. In memory alone: a host that has just
//! begun asks all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{Mutex as TurnMutex, OwnedMutexGuard};

use crate::cluster::ClusterIdle;
use crate::orchestrator::locks::lock_mutex;
use crate::store::StoredIdle;

/// The next looks, and whether one is under way.
#[derive(Debug, Default)]
pub(crate) struct IdleWatch {
    next: Mutex<BTreeMap<String, IdleLook>>,
    turn: Arc<TurnMutex<()>>,
}

/// When a cluster is looked at next, of which this was known at the last look.
#[derive(Clone, Copy, Debug)]
struct IdleLook {
    idle: ClusterIdle,
    next_s: u64,
}

impl IdleWatch {
    /// The right to look, which one task at a time has.
    pub(crate) fn take_turn(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.turn).try_lock_owned().ok()
    }

    /// Those of these that are to be looked at now: the others are forgotten.
    pub(crate) fn due(&self, all: Vec<StoredIdle>, now_s: u64) -> Vec<StoredIdle> {
        let mut next = lock_mutex(&self.next);
        next.retain(|id, _| all.iter().any(|one| one.id == *id));
        let is_due = |one: &StoredIdle| {
            let look = next.get(&one.id);
            look.is_none_or(|look| look.next_s <= now_s || look.idle != one.idle)
        };
        all.into_iter().filter(is_due).collect()
    }

    /// It was looked at, or could not be: this is known of it, and the next look is then.
    pub(crate) fn set_next(&self, id: &str, idle: ClusterIdle, next_s: u64) {
        let look = IdleLook { idle, next_s };
        lock_mutex(&self.next).insert(id.to_owned(), look);
    }

    /// It is looked at as soon as may be.
    pub(crate) fn forget(&self, id: &str) {
        lock_mutex(&self.next).remove(id);
    }

    /// The nearest look.
    pub(crate) fn nearest_s(&self) -> Option<u64> {
        let next = lock_mutex(&self.next);
        next.values().map(|look| look.next_s).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(id: &str, after_s: u64) -> StoredIdle {
        StoredIdle {
            id: id.to_owned(),
            project_id: "p".to_owned(),
            idle: ClusterIdle::new(after_s),
        }
    }

    fn due(watch: &IdleWatch, all: &[StoredIdle], now_s: u64) -> Vec<String> {
        let due = watch.due(all.to_vec(), now_s).into_iter();
        due.map(|one| one.id).collect()
    }

    #[test]
    fn a_cluster_is_looked_at_when_it_is_due_is_new_or_was_changed() {
        let watch = IdleWatch::default();
        let (one, other) = (stored("one", 3_600), stored("other", 3_600));
        let all = [one.clone(), other.clone()];
        assert_eq!(due(&watch, &all, 10), ["one", "other"], "nothing is known");
        watch.set_next("one", one.idle, 100);
        watch.set_next("other", other.idle, 200);
        assert_eq!(watch.nearest_s(), Some(100));
        assert!(due(&watch, &all, 99).is_empty());
        assert_eq!(due(&watch, &all, 100), ["one"]);
        let changed = [one, stored("other", 7_200)];
        assert_eq!(due(&watch, &changed, 99), ["other"], "another limit");
        watch.forget("one");
        assert_eq!(due(&watch, &all, 99), ["one"]);
        assert!(due(&watch, &[], 1_000).is_empty());
        assert_eq!(watch.nearest_s(), None, "what is gone is forgotten");
    }

    #[test]
    fn one_task_looks_at_a_time() {
        let watch = IdleWatch::default();
        let turn = watch.take_turn();
        assert!(turn.is_some() && watch.take_turn().is_none());
        drop(turn);
        assert!(watch.take_turn().is_some());
    }
}
