//! Node groups for tests: of a cluster with one master and these workers, and of one with a group
//! beside them.

use super::{
    ClusterSpec, GroupSpec, NodeIds,
    default_groups::{MASTER, WORKER},
};

/// These workers and the one master.
pub(crate) fn with_master(workers: &[u32]) -> NodeIds {
    NodeIds::from([
        (MASTER.to_owned(), vec![1]),
        (WORKER.to_owned(), workers.to_vec()),
    ])
}

/// A group that begins with so many nodes.
pub(crate) fn group(name: &str, count: u32) -> GroupSpec {
    GroupSpec {
        name: name.to_owned(),
        count,
        bare_first: count == 1,
        ..GroupSpec::default()
    }
}

impl ClusterSpec {
    /// The same cluster with these workers; its other groups stay.
    pub(crate) fn with_workers(&self, ids: Vec<u32>) -> Self {
        let mut nodes = self.node_ids();
        nodes.insert(WORKER.to_owned(), ids);
        self.with_nodes(&nodes)
    }

    /// Its workers.
    pub(crate) fn worker_group(&self) -> &GroupSpec {
        self.groups.get(WORKER).unwrap()
    }

    /// The same cluster with another group of workers.
    pub(crate) fn with_worker_group(mut self, change: impl FnOnce(&mut GroupSpec)) -> Self {
        change(self.groups.get_mut(WORKER).unwrap());
        self
    }

    /// The same cluster with flavors of its master and its workers.
    pub(crate) fn with_flavors(mut self, master: Option<&str>, worker: Option<&str>) -> Self {
        for (name, flavor) in [(MASTER, master), (WORKER, worker)] {
            self.groups.get_mut(name).unwrap().flavor = flavor.map(str::to_owned);
        }
        self
    }

    /// The flavors of its master and its workers.
    pub(crate) fn flavors(&self) -> [Option<&str>; 2] {
        [MASTER, WORKER].map(|name| self.groups.get(name).unwrap().flavor.as_deref())
    }
}
