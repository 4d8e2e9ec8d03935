//! How many tasks the background work has, over all clusters. Where more clusters have something
//! left to do than there are tasks, a task that would sleep hands its cluster back and takes the one
//! that is due first, so that none is left alone. Asks nobody.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::cluster_handle::ClusterHandle;
use crate::orchestrator::locks::lock_mutex;

/// The tasks, and the clusters that wait for one.
#[derive(Debug)]
pub(crate) struct WorkerPlaces {
    most: usize,
    state: Mutex<PlacesState>,
}

#[derive(Debug, Default)]
struct PlacesState {
    tasks: usize,
    waiting: Vec<ClusterWork>,
}

/// A cluster that a task takes care of.
#[derive(Clone, Debug)]
pub(crate) struct ClusterWork {
    pub(crate) handle: Arc<ClusterHandle>,
    /// Not to be looked at before.
    pub(crate) due: Instant,
    pub(crate) tries: WorkerTries,
}

/// What the steps so far have met, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WorkerTries {
    /// Failures in a row.
    pub(crate) failures: u32,
    /// Times in a row that others have changed it meanwhile.
    pub(crate) outdated: u32,
}

impl PlacesState {
    fn take_first(&mut self) -> Option<ClusterWork> {
        let all = self.waiting.iter().enumerate();
        let (at, _) = all.min_by_key(|(_, work)| work.due)?;
        Some(self.waiting.swap_remove(at))
    }
}

impl WorkerPlaces {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            state: Mutex::default(),
        }
    }

    /// The work, where a new task may take care of it; else it waits for one that is there.
    pub(crate) fn begin(&self, work: ClusterWork) -> Option<ClusterWork> {
        let mut state = lock_mutex(&self.state);
        if state.tasks < self.most {
            state.tasks += 1;
            return Some(work);
        }
        state.waiting.push(work);
        None
    }

    /// What a task takes care of next whose cluster needs it no more; none: the task ends.
    pub(crate) fn next(&self) -> Option<ClusterWork> {
        let mut state = lock_mutex(&self.state);
        let next = state.take_first();
        if next.is_none() {
            state.tasks -= 1;
        }
        next
    }

    /// Whether a cluster waits for a task.
    pub(crate) fn has_waiting(&self) -> bool {
        !lock_mutex(&self.state).waiting.is_empty()
    }

    /// What a task takes care of while `work` is not due: the cluster that is due first, this one
    /// among them.
    pub(crate) fn rotate(&self, work: ClusterWork) -> ClusterWork {
        let mut state = lock_mutex(&self.state);
        let same = work.clone();
        state.waiting.push(work);
        state.take_first().unwrap_or(same)
    }

    /// The pause between two looks at one cluster with which all of them together take no more than
    /// `looks_a_second`.
    pub(crate) fn fair_pause(&self, pause: Duration, looks_a_second: u32) -> Duration {
        let state = lock_mutex(&self.state);
        let clusters = u32::try_from(state.tasks + state.waiting.len()).unwrap_or(u32::MAX);
        drop(state);
        pause.max(Duration::from_secs(1).saturating_mul(clusters) / looks_a_second.max(1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        store::{ClusterRecord, RecordIdentity},
        system::clock::monotonic_now,
    };

    fn work(name: &str, due: Instant) -> ClusterWork {
        let identity = RecordIdentity {
            id: name.to_owned(),
            ..RecordIdentity::default()
        };
        let record = ClusterRecord::requested(identity, BTreeMap::new(), 0);
        ClusterWork {
            handle: ClusterHandle::new(record, due),
            due,
            tries: WorkerTries::default(),
        }
    }

    fn id(work: &ClusterWork) -> String {
        work.handle.record().id.clone()
    }

    #[test]
    fn there_are_as_many_tasks_as_may_be_and_one_more_cluster_waits_for_its_turn() {
        let places = WorkerPlaces::new(2);
        let now = monotonic_now();
        let at = |second| now + Duration::from_secs(second);
        let [a, b] = ["a", "b"].map(|name| places.begin(work(name, now)).unwrap());
        let later = |work: &ClusterWork, second| ClusterWork {
            due: at(second),
            ..work.clone()
        };
        assert_eq!(id(&places.rotate(later(&a, 1))), "a", "nobody waits");
        assert!(places.begin(work("c", at(2))).is_none());
        assert_eq!(
            id(&places.rotate(later(&a, 3))),
            "c",
            "who is due first is next"
        );
        assert_eq!(
            id(&places.rotate(later(&b, 4))),
            "a",
            "and nobody is left alone"
        );
        assert_eq!(places.next().as_ref().map(id).as_deref(), Some("b"));
        assert!(places.next().is_none(), "a task ends");
        assert!(places.begin(work("d", now)).is_some(), "its place is free");
        assert!(places.begin(work("e", now)).is_none());
    }

    #[test]
    fn many_clusters_are_looked_at_less_often_each_those_that_wait_among_them() {
        let places = WorkerPlaces::new(40);
        let two = Duration::from_secs(2);
        let fill =
            |number| (0..number).for_each(|_| drop(places.begin(work("a", monotonic_now()))));
        fill(50);
        assert_eq!(places.fair_pause(two, 25), two);
        fill(950);
        assert_eq!(places.fair_pause(two, 25), Duration::from_secs(40));
        while places.next().is_some() {}
        assert_eq!(places.fair_pause(two, 25), two);
    }
}
