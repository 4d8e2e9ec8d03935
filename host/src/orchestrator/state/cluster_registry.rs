//! The clusters that are in use, over the store, each as one handle. Asks no cloud.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use crate::orchestrator::{
    error::OrchestratorError,
    locks::{lock_mutex, now_s},
    state::{cluster_handle::ClusterHandle, locked_cluster::LockedCluster},
};
use crate::store::{
    self, ClusterRecord, ObservedState, RecordStore, TransitionResult, UnreadableRecord,
};

/// A region, and a cluster's name there.
type RegionName = (String, String);

fn region_name(record: &ClusterRecord) -> RegionName {
    (record.region.clone(), record.name.clone())
}

/// All clusters in use.
#[derive(Debug)]
pub(crate) struct ClusterRegistry {
    store: RecordStore,
    handles: Mutex<HashMap<String, Arc<ClusterHandle>>>,
    /// The living, by project, then by region and name.
    names: Mutex<HashMap<String, HashMap<RegionName, Arc<ClusterHandle>>>>,
    /// Records that cannot be read and were told of.
    unreadable: Mutex<HashSet<String>>,
}

impl ClusterRegistry {
    pub(crate) fn new(store: RecordStore) -> Self {
        Self {
            store,
            handles: Mutex::default(),
            names: Mutex::default(),
            unreadable: Mutex::default(),
        }
    }

    pub(crate) fn store(&self) -> &RecordStore {
        &self.store
    }

    /// The living cluster of this name in this region.
    pub(crate) async fn find(
        &self,
        project_id: &str,
        region: &str,
        name: &str,
    ) -> Result<Arc<ClusterHandle>, OrchestratorError> {
        let known = lock_mutex(&self.names)
            .get(project_id)
            .and_then(|names| names.get(&(region.to_owned(), name.to_owned())))
            .cloned();
        let known = known.filter(|handle| handle.record().is_live());
        match known {
            Some(handle) => Ok(handle),
            None => match Box::pin(self.store.find(project_id, region, name)).await? {
                Some(record) => Ok(self.enter_record(record)),
                None => Err(OrchestratorError::NotFound(name.to_owned())),
            },
        }
    }

    /// The cluster of this id, where it is in use.
    pub(crate) fn in_use(&self, id: &str) -> Option<Arc<ClusterHandle>> {
        lock_mutex(&self.handles).get(id).cloned()
    }

    /// The living clusters of this name in all regions, by region.
    pub(crate) async fn find_everywhere(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Vec<Arc<ClusterHandle>>, OrchestratorError> {
        let records = self.store.find_everywhere(project_id, name).await?;
        let entered = records.into_iter().map(|record| self.enter_record(record));
        Ok(entered.collect())
    }

    /// Says which records cannot be read, each once.
    pub(crate) fn report_unreadable(&self, records: &[UnreadableRecord]) {
        let mut known = lock_mutex(&self.unreadable);
        for record in records {
            if known.insert(record.id.clone()) {
                let UnreadableRecord { id, name, problem } = record;
                tracing::error!(cluster.id = %id, "the record of `{name}` cannot be read and is put aside, the others are served; a newer stampede may have written it: {problem}");
            }
        }
    }

    /// Enters a new cluster.
    ///
    /// # Errors
    /// [`store::StoreError::Taken`] as `None`: somebody else was faster.
    pub(crate) async fn insert(
        &self,
        record: ClusterRecord,
    ) -> Result<Option<Arc<ClusterHandle>>, OrchestratorError> {
        match self.store.insert(&record).await {
            Ok(()) => Ok(Some(self.enter_record(record))),
            Err(store::StoreError::Taken) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All clusters of a project, those under deletion among them.
    pub(crate) async fn list_project(
        &self,
        project_id: &str,
    ) -> Result<Vec<Arc<ClusterHandle>>, OrchestratorError> {
        let found = self.store.of_project(project_id).await?;
        self.report_unreadable(&found.unreadable);
        let records = found.records.into_iter();
        Ok(records.map(|record| self.enter_record(record)).collect())
    }

    /// The clusters of this name that are under deletion.
    pub(crate) async fn list_deleting(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Vec<Arc<ClusterHandle>>, OrchestratorError> {
        let records = self.store.deleting(project_id, name).await?;
        let entered = records.into_iter().map(|record| self.enter_record(record));
        Ok(entered.collect())
    }

    /// Takes a record through a [transition](store::transitions) and writes it. When another
    /// process has written meanwhile, the transition is asked again; one that is refused then
    /// changes nothing, and the record that is returned tells what has become of the cluster
    /// instead.
    pub(crate) async fn change_record(
        &self,
        cluster: &LockedCluster<'_>,
        transition: impl Fn(&mut ClusterRecord) -> TransitionResult,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        self.write_record(cluster, transition).await
    }

    /// Folds what Heat shows into what was observed before. Needs no lock: nobody who only looks
    /// waits behind a slow action, and an action takes what was observed as it finds it.
    pub(crate) async fn fold_observation(
        &self,
        handle: &ClusterHandle,
        fold: impl Fn(&ObservedState) -> ObservedState,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        self.write_record(handle, |record| record.fold_observation(&fold))
            .await
    }

    async fn write_record(
        &self,
        handle: &ClusterHandle,
        transition: impl Fn(&mut ClusterRecord) -> TransitionResult,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        let mut record = handle.record();
        loop {
            let mut next = ClusterRecord::clone(&record);
            if let Err(refused) = transition(&mut next) {
                tracing::warn!(cluster.id = %record.id, "`{}` stays as it is: {refused}", record.name);
                return Ok(record);
            }
            if next == *record {
                return Ok(record);
            }
            next.mark_written(&record, now_s());
            if self.store.update(&next).await? {
                if !next.is_live() {
                    self.unname(&next);
                }
                return Ok(handle.set(next));
            }
            record = self.reload(handle).await?;
        }
    }

    /// Reads the record again: another process may have changed it.
    ///
    /// # Errors
    /// `NotFound` when it was dropped.
    pub(crate) async fn reload(
        &self,
        handle: &ClusterHandle,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        let known = handle.record();
        match self.store.get(&known.id).await? {
            Some(record) => Ok(handle.set(record)),
            None => {
                self.release(&known);
                Err(OrchestratorError::NotFound(known.name.clone()))
            }
        }
    }

    /// Drops the record: nothing is left of the cluster.
    pub(crate) async fn drop_record(
        &self,
        cluster: &LockedCluster<'_>,
    ) -> Result<(), OrchestratorError> {
        let record = cluster.record();
        self.store.remove(&record.id).await?;
        self.release(&record);
        Ok(())
    }

    fn enter_record(&self, record: ClusterRecord) -> Arc<ClusterHandle> {
        let named = record
            .is_live()
            .then(|| (record.project_id.clone(), region_name(&record)));
        let mut handles = lock_mutex(&self.handles);
        let handle = if let Some(handle) = handles.get(&record.id) {
            handle.set(record);
            Arc::clone(handle)
        } else {
            let id = record.id.clone();
            let handle = ClusterHandle::new(record);
            handles.insert(id, Arc::clone(&handle));
            handle
        };
        drop(handles);
        if let Some((project_id, name)) = named {
            lock_mutex(&self.names)
                .entry(project_id)
                .or_default()
                .insert(name, Arc::clone(&handle));
        }
        handle
    }

    fn release(&self, record: &ClusterRecord) {
        lock_mutex(&self.handles).remove(&record.id);
        self.unname(record);
    }

    /// Its name may be another's already.
    fn unname(&self, record: &ClusterRecord) {
        let mut names = lock_mutex(&self.names);
        let Some(of_project) = names.get_mut(&record.project_id) else {
            return;
        };
        let name = region_name(record);
        if of_project
            .get(&name)
            .is_some_and(|handle| handle.record().id == record.id)
        {
            of_project.remove(&name);
        }
        if of_project.is_empty() {
            names.remove(&record.project_id);
        }
    }
}
