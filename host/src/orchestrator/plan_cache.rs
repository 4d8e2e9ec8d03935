//! The plans of the changes that this process carries out, in memory and bounded: a plan that was
//! dropped is made again from the record, without the cloud.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use crate::{
    cluster::ClusterChange,
    orchestrator::{locks::lock_mutex, stack::step_plan::ChangePlan},
};

/// The plans of the changes that this process carries out, by cluster.
#[derive(Debug)]
pub(crate) struct ChangePlanCache {
    /// Bytes of all plans that are kept.
    most_bytes: usize,
    /// The oldest first.
    plans: Mutex<VecDeque<(String, Arc<ChangePlan>)>>,
}

impl ChangePlanCache {
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            most_bytes,
            plans: Mutex::default(),
        }
    }

    /// The plan of this cluster's change, where it is the one that the record speaks of.
    pub(crate) fn get(&self, cluster_id: &str, change: &ClusterChange) -> Option<Arc<ChangePlan>> {
        let plans = lock_mutex(&self.plans);
        let found = plans.iter().find(|(id, _)| id == cluster_id);
        found
            .map(|(_, plan)| Arc::clone(plan))
            .filter(|plan| plan.covers(change))
    }

    /// Keeps a plan in the place of the cluster's last one, and drops the oldest where all are too
    /// large.
    pub(crate) fn insert(&self, cluster_id: &str, plan: Arc<ChangePlan>) {
        let mut plans = lock_mutex(&self.plans);
        plans.retain(|(id, _)| id != cluster_id);
        plans.push_back((cluster_id.to_owned(), plan));
        let mut bytes: usize = plans.iter().map(|(_, plan)| plan.bytes()).sum();
        while bytes > self.most_bytes && plans.len() > 1 {
            bytes -= plans.pop_front().map_or(0, |(_, plan)| plan.bytes());
        }
    }

    /// Drops the plan of a change that has ended.
    pub(crate) fn remove(&self, cluster_id: &str) {
        lock_mutex(&self.plans).retain(|(id, _)| id != cluster_id);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, json};

    use super::*;
    use crate::{
        cluster::{CloudAccess, change::NodeFlavors},
        orchestrator::stack::step_plan::StepPlan,
    };

    const MOST_BYTES: usize = 64 << 10;

    #[test]
    fn the_oldest_plans_go_when_all_are_too_large() {
        let flavor = crate::cluster::Flavor {
            name: "m".into(),
            vcpus: 1,
            ram_mib: 1,
            disk_gib: 1,
        };
        let resolved = NodeFlavors {
            access: CloudAccess::default(),
            groups: BTreeMap::from([("worker".to_owned(), flavor)]),
        };
        let plan = |bytes: usize| {
            Arc::new(ChangePlan {
                resolved: resolved.clone(),
                steps: vec![StepPlan::new(
                    1,
                    &json!("x".repeat(bytes)),
                    Arc::default(),
                    Map::new(),
                )],
            })
        };
        let cache = ChangePlanCache::new(MOST_BYTES);
        let kept = || -> Vec<String> {
            let plans = lock_mutex(&cache.plans);
            plans.iter().map(|(id, _)| id.clone()).collect()
        };
        for id in ["a", "b", "a"] {
            cache.insert(id, plan(MOST_BYTES / 3));
        }
        assert_eq!(kept(), ["b", "a"], "one for each cluster");
        cache.insert("c", plan(MOST_BYTES / 2));
        assert_eq!(kept(), ["a", "c"]);
        cache.insert("d", plan(MOST_BYTES * 2));
        assert_eq!(kept(), ["d"], "the one that is needed now is kept");
        cache.remove("d");
        assert!(kept().is_empty());
    }
}
