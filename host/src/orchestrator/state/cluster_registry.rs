//! The clusters that are in use, over the store, each as one handle. Asks no cloud.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::orchestrator::{
    error::OrchestratorError,
    limits::OrchestratorLimits,
    locks::lock_mutex,
    state::{
        cluster_handle::{ClusterHandle, WatchedFact},
        cluster_table::{ClusterTable, RestLimits},
        locked_cluster::LockedCluster,
        request_settlement::{RequestSettlement, settle_by, settle_gone, write_settled},
    },
};
use crate::{
    store::{
        self, ActionLease, ClusterRecord, ObservedState, RecordStore, RefusedTransition,
        TransitionResult, UnreadableRecord, request_journal::BegunRequests,
    },
    system::{clock::HostClock, random},
};

/// A cluster in a list: one that is at rest is not in use.
pub(crate) struct ListedCluster {
    pub(crate) record: Arc<ClusterRecord>,
    pub(crate) handle: Option<Arc<ClusterHandle>>,
}

/// All clusters in use.
#[derive(Debug)]
pub(crate) struct ClusterRegistry {
    store: RecordStore,
    clock: HostClock,
    /// This process, as the holder of leases.
    holder: String,
    /// How long another process's lease is waited for.
    lease: Duration,
    /// How long a record is shown before the store is read again, which others write too.
    trusted: Duration,
    rest: RestLimits,
    table: Mutex<ClusterTable>,
    /// Records that cannot be read and were told of.
    unreadable: Mutex<HashSet<String>>,
    reads: Mutex<OpenReads>,
}

/// What was dropped while the store was read: a row that was read before must not bring it back.
#[derive(Debug, Default)]
struct OpenReads {
    /// Reads whose rows are not entered yet.
    open: usize,
    /// Ids that were dropped since the first of them began.
    dropped: HashSet<String>,
}

/// A read of the store, from before its query until its rows are entered.
struct StoreRead<'a>(&'a ClusterRegistry);

impl Drop for StoreRead<'_> {
    fn drop(&mut self) {
        let mut reads = lock_mutex(&self.0.reads);
        reads.open -= 1;
        if reads.open == 0 {
            reads.dropped.clear();
        }
    }
}

/// What became of a new cluster.
pub(crate) enum InsertOutcome {
    /// None where it was dropped since.
    Entered(Option<Arc<ClusterHandle>>),
    /// Somebody else was faster with its name.
    Taken,
    /// The project has as many as it may.
    Full,
}

impl ClusterRegistry {
    pub(crate) fn new(store: RecordStore, clock: HostClock, limits: &OrchestratorLimits) -> Self {
        Self {
            store,
            clock,
            holder: random::new_uuid().to_string(),
            lease: limits.lease,
            trusted: limits.observe_every,
            rest: RestLimits {
                rest: limits.rest,
                resting: limits.resting_clusters,
                shown: limits.shown_age,
            },
            table: Mutex::default(),
            unreadable: Mutex::default(),
            reads: Mutex::default(),
        }
    }

    fn begin_read(&self) -> StoreRead<'_> {
        lock_mutex(&self.reads).open += 1;
        StoreRead(self)
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
        let known = lock_mutex(&self.table)
            .by_name(project_id, region, name)
            .cloned();
        let is_current = |handle: &Arc<ClusterHandle>| {
            handle.record().is_live() && handle.age(self.clock.monotonic_now()) < self.trusted
        };
        match known.filter(is_current) {
            Some(handle) => Ok(handle),
            None => Box::pin(self.read_by_name(project_id, region, name)).await,
        }
    }

    /// The living cluster of this name in this region as the store has it: another process may have
    /// deleted the one that this one knows, and made another.
    pub(crate) async fn read_by_name(
        &self,
        project_id: &str,
        region: &str,
        name: &str,
    ) -> Result<Arc<ClusterHandle>, OrchestratorError> {
        let read = self.begin_read();
        let found = self.store.find(project_id, region, name).await?;
        match found.and_then(|record| self.enter_record(&read, record)) {
            Some(handle) => Ok(handle),
            None => Err(OrchestratorError::NotFound(name.to_owned())),
        }
    }

    /// The project's cluster of this id as the store has it, living or not.
    pub(crate) async fn read_by_id(
        &self,
        project_id: &str,
        id: &str,
    ) -> Result<Option<Arc<ClusterHandle>>, OrchestratorError> {
        let read = self.begin_read();
        let found = self.store.get(id).await?;
        let found = found.filter(|record| record.project_id == project_id);
        Ok(found.and_then(|record| self.enter_record(&read, record)))
    }

    /// The cluster of this id, where it is in use.
    pub(crate) fn in_use(&self, id: &str) -> Option<Arc<ClusterHandle>> {
        lock_mutex(&self.table).by_id(id).cloned()
    }

    /// Lets go of the clusters at rest; how many stay in use.
    pub(crate) fn let_go(&self) -> usize {
        lock_mutex(&self.table).let_go(self.clock.monotonic_now(), self.rest)
    }

    /// How many clusters are in use.
    pub(crate) fn number_in_use(&self) -> usize {
        lock_mutex(&self.table).len()
    }

    /// The living clusters of this name in all regions, by region.
    pub(crate) async fn find_everywhere(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Vec<Arc<ClusterHandle>>, OrchestratorError> {
        let read = self.begin_read();
        let records = self.store.find_everywhere(project_id, name).await?;
        let entered = records
            .into_iter()
            .filter_map(|record| self.enter_record(&read, record));
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
        match self.insert_within(record, usize::MAX).await? {
            InsertOutcome::Entered(handle) => Ok(handle),
            InsertOutcome::Taken | InsertOutcome::Full => Ok(None),
        }
    }

    /// The same, where the project has fewer than `most`.
    pub(crate) async fn insert_within(
        &self,
        record: ClusterRecord,
        most: usize,
    ) -> Result<InsertOutcome, OrchestratorError> {
        let read = self.begin_read();
        match self.store.insert_within(&record, most).await {
            Ok(()) => Ok(InsertOutcome::Entered(self.enter_record(&read, record))),
            Err(store::StoreError::Taken) => Ok(InsertOutcome::Taken),
            Err(store::StoreError::Full) => Ok(InsertOutcome::Full),
            Err(error) => Err(error.into()),
        }
    }

    /// All clusters of a project, those under deletion among them. In use are afterwards, besides
    /// those that were, only those that somebody has to take care of.
    pub(crate) async fn list_project(
        &self,
        project_id: &str,
        is_needed: impl Fn(&ClusterRecord) -> bool,
    ) -> Result<Vec<ListedCluster>, OrchestratorError> {
        let read = self.begin_read();
        let found = self.store.of_project(project_id).await?;
        self.report_unreadable(&found.unreadable);
        let list = |record: ClusterRecord| {
            if is_needed(&record) || self.in_use(&record.id).is_some() {
                let handle = self.enter_record(&read, record)?;
                let record = handle.record();
                return Some(ListedCluster {
                    record,
                    handle: Some(handle),
                });
            }
            let is_dropped = lock_mutex(&self.reads).dropped.contains(&record.id);
            (!is_dropped).then(|| ListedCluster {
                record: Arc::new(record),
                handle: None,
            })
        };
        Ok(found.records.into_iter().filter_map(list).collect())
    }

    /// The same, those alone that somebody has to take care of.
    pub(crate) async fn list_needed(
        &self,
        project_id: &str,
        is_needed: impl Fn(&ClusterRecord) -> bool,
    ) -> Result<Vec<Arc<ClusterHandle>>, OrchestratorError> {
        let listed = self.list_project(project_id, &is_needed).await?;
        let needed = listed.into_iter().filter(|one| is_needed(&one.record));
        Ok(needed.filter_map(|one| one.handle).collect())
    }

    /// The clusters of this name that are under deletion.
    pub(crate) async fn list_deleting(
        &self,
        project_id: &str,
        name: &str,
    ) -> Result<Vec<Arc<ClusterHandle>>, OrchestratorError> {
        let read = self.begin_read();
        let records = self.store.deleting(project_id, name).await?;
        let entered = records
            .into_iter()
            .filter_map(|record| self.enter_record(&read, record));
        Ok(entered.collect())
    }

    /// Takes the record through a [transition](store::transitions) that was decided on the record
    /// `decided_on`, and writes it. What was only observed meanwhile does not matter.
    ///
    /// # Errors
    /// `Outdated`, and nothing is written: somebody else, such as another process, has decided
    /// something since. Decide again.
    pub(crate) async fn change_record(
        &self,
        cluster: &LockedCluster<'_>,
        decided_on: &ClusterRecord,
        transition: impl Fn(&mut ClusterRecord) -> TransitionResult,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        let guarded = |record: &mut ClusterRecord| {
            check_decision(record, decided_on)?;
            transition(record)
        };
        self.write_record(cluster, true, guarded).await
    }

    /// The same, with the right to have the cloud change something: no other process may until
    /// [`Self::end_lease`].
    ///
    /// # Errors
    /// `Outdated`: another process has the lease, or has decided something since.
    pub(crate) async fn take_lease(
        &self,
        cluster: &LockedCluster<'_>,
        decided_on: &ClusterRecord,
        transition: impl Fn(&mut ClusterRecord) -> TransitionResult,
    ) -> Result<(Arc<ClusterRecord>, ActionLease), OrchestratorError> {
        let guarded = |record: &mut ClusterRecord| {
            check_decision(record, decided_on)?;
            record.take_lease(&self.holder, !self.is_leased_elsewhere(cluster, record))?;
            transition(record)
        };
        let record = self.write_record(cluster, true, guarded).await?;
        match record.lease.clone() {
            Some(lease) if lease.holder == self.holder => Ok((record, lease)),
            _ => Err(OrchestratorError::Outdated(record.name.clone())),
        }
    }

    /// Records what has become of what the lease was taken for, whatever else was decided since.
    ///
    /// # Errors
    /// `Outdated`: another process has taken the lease over.
    pub(crate) async fn end_lease(
        &self,
        cluster: &LockedCluster<'_>,
        lease: &ActionLease,
        transition: impl Fn(&mut ClusterRecord) -> TransitionResult,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        let guarded = |record: &mut ClusterRecord| {
            record.end_lease(lease)?;
            transition(record)
        };
        self.write_record(cluster, true, guarded).await
    }

    /// Whether another process may be having the cloud change something right now.
    pub(crate) fn is_leased_elsewhere(
        &self,
        handle: &ClusterHandle,
        record: &ClusterRecord,
    ) -> bool {
        record.lease.as_ref().is_some_and(|lease| {
            let fact = WatchedFact::Lease(lease.clone());
            lease.holder != self.holder
                && handle.watch(&fact, self.clock.monotonic_now()) < self.lease
        })
    }

    /// Folds what Heat shows into what was observed before. Needs no lock: nobody who only looks
    /// waits behind a slow action, and an action takes what was observed as it finds it. What was
    /// shown before something was decided, the sending of a step among it, is old, and is dropped:
    /// `known` is the record from before Heat was asked.
    pub(crate) async fn fold_observation(
        &self,
        handle: &ClusterHandle,
        known: &ClusterRecord,
        fold: impl Fn(&ObservedState) -> ObservedState,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        self.write_record(handle, false, |record| {
            if record.is_decided_on(known) {
                record.fold_observation(&fold)
            } else {
                Ok(())
            }
        })
        .await
    }

    async fn write_record(
        &self,
        handle: &ClusterHandle,
        is_decision: bool,
        transition: impl Fn(&mut ClusterRecord) -> TransitionResult,
    ) -> Result<Arc<ClusterRecord>, OrchestratorError> {
        let mut record = handle.record();
        loop {
            let mut next = ClusterRecord::clone(&record);
            if let Err(refused) = transition(&mut next) {
                tracing::info!(cluster.id = %record.id, "`{}` stays as it is: {refused}", record.name);
                return Err(OrchestratorError::Outdated(record.name.clone()));
            }
            if next == *record {
                return Ok(record);
            }
            next.mark_written(&record, is_decision, self.clock.unix_now_s());
            if self.store.update(&next).await? {
                if !next.is_live() {
                    lock_mutex(&self.table).unname(&next);
                }
                let next = self.set_record(handle, next);
                self.settle(&next.id, &settle_by(&record, &next)).await;
                return Ok(next);
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
            Some(record) => Ok(self.set_record(handle, record)),
            None => {
                self.release(&known);
                Err(OrchestratorError::NotFound(known.name.clone()))
            }
        }
    }

    /// Drops the record: nothing is left of the cluster.
    ///
    /// # Errors
    /// `Outdated`: it is another one than it was when that was decided.
    pub(crate) async fn drop_record(
        &self,
        cluster: &LockedCluster<'_>,
        decided_on: &ClusterRecord,
    ) -> Result<(), OrchestratorError> {
        let mut record = cluster.record();
        loop {
            if check_decision(&record, decided_on).is_err() {
                return Err(OrchestratorError::Outdated(record.name.clone()));
            }
            if self.store.remove(&record.id, record.revision).await? {
                self.release(&record);
                self.settle(&record.id, &settle_gone()).await;
                return Ok(());
            }
            record = self.reload(cluster).await?;
        }
    }

    async fn settle(&self, cluster_id: &str, settled: &[RequestSettlement]) {
        let now_s = self.clock.unix_now_s();
        let begun = BegunRequests::all_of(cluster_id);
        write_settled(&self.store, now_s, &begun, settled).await;
    }

    /// The handle of a record that was read or written in this read; none where the record was
    /// dropped since.
    fn enter_record(&self, _: &StoreRead<'_>, record: ClusterRecord) -> Option<Arc<ClusterHandle>> {
        let mut table = lock_mutex(&self.table);
        if lock_mutex(&self.reads).dropped.contains(&record.id) {
            return None;
        }
        Some(table.enter(record, self.clock.monotonic_now()))
    }

    fn set_record(&self, handle: &ClusterHandle, record: ClusterRecord) -> Arc<ClusterRecord> {
        handle.set(record, self.clock.monotonic_now())
    }

    fn release(&self, record: &ClusterRecord) {
        let mut table = lock_mutex(&self.table);
        table.remove(record);
        let mut reads = lock_mutex(&self.reads);
        if reads.open > 0 {
            reads.dropped.insert(record.id.clone());
        }
    }
}

fn check_decision(record: &ClusterRecord, decided_on: &ClusterRecord) -> TransitionResult {
    if record.is_decided_on(decided_on) {
        Ok(())
    } else {
        Err(RefusedTransition {
            transition: "what was decided on an earlier record",
            state: record.lifecycle.as_str(),
        })
    }
}
