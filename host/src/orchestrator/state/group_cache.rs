//! The groups of projects as they were read from the store last, until one is changed, here or, some
//! moments later, by another process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::{orchestrator::locks::lock_mutex, store::ClusterGroup};

/// The groups of the projects that were here.
#[derive(Debug, Default)]
pub(crate) struct GroupCache {
    state: Mutex<CachedGroups>,
}

#[derive(Debug, Default)]
struct CachedGroups {
    known: HashMap<String, (Arc<Vec<ClusterGroup>>, Instant)>,
    /// Rises with every change: what was read before one is not kept after it.
    changes: u64,
    /// Held while a project's groups are changed, of those projects where they are.
    turns: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
}

/// That the store is about to be read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadTicket(u64);

impl GroupCache {
    /// What is known of a project's groups, where it is younger than `age`.
    pub(crate) fn get(
        &self,
        project: &str,
        now: Instant,
        age: Duration,
    ) -> Option<Arc<Vec<ClusterGroup>>> {
        let state = lock_mutex(&self.state);
        let (groups, read) = state.known.get(project)?;
        (now.saturating_duration_since(*read) < age).then(|| Arc::clone(groups))
    }

    /// Before the store is read.
    pub(crate) fn begin_read(&self) -> ReadTicket {
        ReadTicket(lock_mutex(&self.state).changes)
    }

    /// Keeps what was read, unless a group was changed since the read began.
    pub(crate) fn keep(
        &self,
        ticket: ReadTicket,
        project: &str,
        groups: &Arc<Vec<ClusterGroup>>,
        now: Instant,
        most: usize,
    ) {
        let mut state = lock_mutex(&self.state);
        if state.changes != ticket.0 {
            return;
        }
        if state.known.len() >= most {
            // They are read again when they are asked for.
            state.known.clear();
        }
        state
            .known
            .insert(project.to_owned(), (Arc::clone(groups), now));
    }

    /// Drops what was read longer ago than that.
    pub(crate) fn let_go(&self, now: Instant, age: Duration) {
        let mut state = lock_mutex(&self.state);
        let is_young = |read: &Instant| now.saturating_duration_since(*read) < age;
        state.known.retain(|_, (_, read)| is_young(read));
    }

    /// A group of the project was changed.
    pub(crate) fn forget(&self, project: &str) {
        let mut state = lock_mutex(&self.state);
        state.changes += 1;
        state.known.remove(project);
    }

    /// What is held while the project's groups are changed; other projects do not wait.
    pub(crate) fn turn(&self, project: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut state = lock_mutex(&self.state);
        state.turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(state.turns.entry(project.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Duration = Duration::from_secs(2);

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (cache, now) = (GroupCache::default(), crate::system::clock::monotonic_now());
        let groups = Arc::new(vec![ClusterGroup::default()]);
        let early = cache.begin_read();
        cache.forget("p");
        cache.keep(early, "p", &groups, now, 8);
        assert_eq!(cache.get("p", now, AGE), None);
        cache.keep(cache.begin_read(), "p", &groups, now, 8);
        assert_eq!(cache.get("p", now, AGE), Some(groups));
        assert_eq!(cache.get("p", now + AGE, AGE), None, "others write too");
    }

    #[test]
    fn what_was_read_long_ago_leaves_memory() {
        let (cache, now) = (GroupCache::default(), crate::system::clock::monotonic_now());
        cache.keep(cache.begin_read(), "p", &Arc::default(), now, 8);
        cache.let_go(now + AGE - Duration::from_nanos(1), AGE);
        assert_eq!(lock_mutex(&cache.state).known.len(), 1);
        cache.let_go(now + AGE, AGE);
        assert!(lock_mutex(&cache.state).known.is_empty());
    }

    #[test]
    fn one_project_does_not_wait_for_another() {
        let cache = GroupCache::default();
        let turn = cache.turn("p");
        let held = turn.try_lock().unwrap();
        assert!(cache.turn("p").try_lock().is_err());
        assert!(cache.turn("q").try_lock().is_ok());
        drop(held);
        drop(turn);
        assert!(cache.turn("p").try_lock().is_ok());
    }
}
