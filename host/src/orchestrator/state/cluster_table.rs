//! The handles of the clusters that are in use, by id and by name, under one lock: so that a cluster
//! never has two. One that is at rest leaves, and is read again by who asks for it. Asks nobody.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::cluster_handle::ClusterHandle;
use crate::store::ClusterRecord;

/// A region, and a cluster's name there.
type RegionName = (String, String);

fn region_name(record: &ClusterRecord) -> RegionName {
    (record.region.clone(), record.name.clone())
}

/// The clusters in use.
#[derive(Debug, Default)]
pub(super) struct ClusterTable {
    handles: HashMap<String, Arc<ClusterHandle>>,
    /// Ids of the living, by project, then by region and name.
    names: HashMap<String, HashMap<RegionName, String>>,
}

/// When a cluster at rest leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestLimits {
    /// So long nobody has asked for it.
    pub(super) rest: Duration,
    /// Of those at rest at most so many stay,
    pub(super) resting: usize,
    /// but for those that were asked for less than that ago, of which Heat need not be asked again.
    pub(super) shown: Duration,
}

impl ClusterTable {
    pub(super) fn len(&self) -> usize {
        self.handles.len()
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Arc<ClusterHandle>> {
        self.handles.get(id)
    }

    pub(super) fn by_name(
        &self,
        project_id: &str,
        region: &str,
        name: &str,
    ) -> Option<&Arc<ClusterHandle>> {
        let names = self.names.get(project_id)?;
        self.by_id(names.get(&(region.to_owned(), name.to_owned()))?)
    }

    /// The handle of a record that was read or written: the one that is there, with this record, or
    /// a new one.
    pub(super) fn enter(&mut self, record: ClusterRecord, now: Instant) -> Arc<ClusterHandle> {
        if record.is_live() {
            self.names
                .entry(record.project_id.clone())
                .or_default()
                .insert(region_name(&record), record.id.clone());
        }
        if let Some(handle) = self.handles.get(&record.id) {
            handle.set(record, now);
            return Arc::clone(handle);
        }
        let id = record.id.clone();
        let handle = ClusterHandle::new(record, now);
        self.handles.insert(id, Arc::clone(&handle));
        handle
    }

    /// Nothing is left of it.
    pub(super) fn remove(&mut self, record: &ClusterRecord) {
        self.handles.remove(&record.id);
        self.unname(record);
    }

    /// It lives no longer; its name may be another's already.
    pub(super) fn unname(&mut self, record: &ClusterRecord) {
        let Some(of_project) = self.names.get_mut(&record.project_id) else {
            return;
        };
        let name = region_name(record);
        if of_project.get(&name) == Some(&record.id) {
            of_project.remove(&name);
        }
        if of_project.is_empty() {
            self.names.remove(&record.project_id);
        }
    }

    /// Lets clusters at rest go that nobody holds; how many stay.
    pub(super) fn let_go(&mut self, now: Instant, limits: RestLimits) -> usize {
        // Whoever has a handle got it from here, under the same lock, and has it counted.
        let is_free =
            |handle: &Arc<ClusterHandle>| Arc::strong_count(handle) == 1 && handle.is_at_rest();
        let free = self.handles.values().filter(|handle| is_free(handle));
        let mut resting: Vec<(Duration, Arc<ClusterRecord>)> = free
            .map(|handle| (handle.age(now), handle.record()))
            .collect();
        resting.sort_by_key(|(age, _)| *age);
        for (place, (age, record)) in resting.iter().enumerate() {
            if *age >= limits.rest || (place >= limits.resting && *age >= limits.shown) {
                self.remove(record);
            }
        }
        drop(resting);
        // A table that was large once is no larger than what it holds.
        if self.handles.capacity() > 4 * self.handles.len().max(64) {
            self.handles.shrink_to_fit();
            self.names.shrink_to_fit();
        }
        self.handles.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::Lifecycle,
        store::{RecordFields, RecordIdentity},
        system::clock::monotonic_now,
    };

    const LIMITS: RestLimits = RestLimits {
        rest: Duration::from_secs(60),
        resting: 2,
        shown: Duration::from_secs(3),
    };

    fn requested(name: &str) -> ClusterRecord {
        let identity = RecordIdentity {
            id: format!("id-{name}"),
            project_id: "p".to_owned(),
            name: name.to_owned(),
            ..RecordIdentity::default()
        };
        ClusterRecord::requested(identity, std::collections::BTreeMap::new(), 0)
    }

    fn deleting(name: &str) -> ClusterRecord {
        let mut fields = RecordFields::clone(&requested(name));
        fields.lifecycle = Lifecycle::Deleting {
            target: crate::cluster::lifecycle::DeleteTarget::Id {
                stack_id: "s".to_owned(),
            },
            deletes: 0,
            blocked_reason: None,
            origin: None,
        };
        ClusterRecord::for_tests(fields)
    }

    #[test]
    fn what_is_at_rest_leaves_after_its_time_and_not_before() {
        let (mut table, now) = (ClusterTable::default(), monotonic_now());
        table.enter(requested("a"), now);
        let almost = LIMITS.rest.saturating_sub(Duration::from_nanos(1));
        assert_eq!(table.let_go(now + almost, LIMITS), 1);
        assert!(table.by_name("p", "", "a").is_some());
        assert_eq!(table.let_go(now + LIMITS.rest, LIMITS), 0);
        assert!(table.by_name("p", "", "a").is_none() && table.names.is_empty());
    }

    #[test]
    fn no_more_rest_in_memory_than_may_and_those_asked_for_last_stay() {
        let (mut table, start) = (ClusterTable::default(), monotonic_now());
        for (second, name) in ["a", "b", "c"].into_iter().enumerate() {
            table.enter(requested(name), start + Duration::from_secs(second as u64));
        }
        let young = start + Duration::from_secs(2);
        assert_eq!(
            table.let_go(young, LIMITS),
            3,
            "all may be shown as they are"
        );
        assert_eq!(table.let_go(start + LIMITS.shown, LIMITS), 2);
        assert!(table.by_id("id-a").is_none() && table.by_id("id-b").is_some());
        let late = start + Duration::from_secs(30);
        assert_eq!(table.let_go(late, LIMITS), 2, "as many as may");
    }

    #[test]
    fn what_is_held_or_has_something_left_to_do_stays() {
        let (mut table, now) = (ClusterTable::default(), monotonic_now());
        let held = table.enter(requested("held"), now);
        table.enter(deleting("deleting"), now);
        let later = now + 10 * LIMITS.rest;
        assert_eq!(table.let_go(later, LIMITS), 2);
        drop(held);
        assert_eq!(table.let_go(later, LIMITS), 1);
        assert!(table.by_id("id-deleting").is_some());
    }

    #[test]
    fn a_name_is_taken_away_from_its_own_cluster_alone() {
        let (mut table, now) = (ClusterTable::default(), monotonic_now());
        table.enter(requested("a"), now);
        let mut fields = RecordFields::clone(&requested("a"));
        fields.id = "another".to_owned();
        let another = ClusterRecord::for_tests(fields);
        table.enter(another.clone(), now);
        table.remove(&requested("a"));
        assert!(
            table
                .by_name("p", "", "a")
                .is_some_and(|found| found.record().id == another.id)
        );
    }
}
