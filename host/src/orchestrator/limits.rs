//! Every limit of the orchestrator, by name.

use std::time::Duration;

use crate::store::request_journal::JournalLimits;

/// The part of a container's memory that plans of changes are kept in.
const KEPT_SHARE: usize = 8;

/// Every limit of the orchestrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrchestratorLimits {
    /// Records a project may have, those under deletion among them.
    pub clusters_per_project: usize,
    /// Attributes of one cluster, ours and foreign.
    pub attributes: usize,
    /// Bytes of names and values of one cluster's attributes; they travel in the stack's parameters
    /// too.
    pub attribute_bytes: usize,
    /// How old an observation may be before Heat is asked again; one observation is at most two
    /// calls, so that Heat is asked once a second.
    pub observe_every: Duration,
    /// How old what is known of the nodes' health may be before Heat is asked again by whoever looks
    /// at the cluster: one or two calls more.
    pub health_every: Duration,
    /// How old an observation may be so that it is shown at once, while Heat is asked in the
    /// background; older than that, readers wait.
    pub shown_age: Duration,
    /// How long a reader waits for Heat before it is shown what was known.
    pub patience: Duration,
    /// Readers that wait for one observation at once; the others are shown what was known, and that
    /// it may be old. Fewer than requests may be in work, so that a cluster whose Heat is slow
    /// leaves room for the readers of others.
    pub waiting: usize,
    /// Clusters that a list asks Heat about at most.
    pub list_looks: usize,
    /// Observations under way at once, over all clusters.
    pub looks: usize,
    /// Of these, those in one region: one whose Heat is away leaves the others theirs.
    pub region_looks: usize,
    /// Of these, those of one project.
    pub project_looks: usize,
    /// Observations that have a turn or wait for one; the readers of more clusters are shown what
    /// was known.
    pub queued_looks: usize,
    /// Actions in the background under way at once, over all clusters.
    pub actions: usize,
    /// Of these, those in one region.
    pub region_actions: usize,
    /// Of these, those of one project.
    pub project_actions: usize,
    /// Tasks of background work; where more clusters have something left to do, they take turns.
    pub workers: usize,
    /// Looks that all background work together takes in a second; with more of it, each looks less
    /// often.
    pub looks_a_second: u32,
    /// How often Heat is asked to delete a stack.
    pub deletes: u32,
    /// How often a create whose answer was lost is tried in the background.
    pub creates: u32,
    /// The pause between two looks at a stack that is being deleted.
    pub follow_every: Duration,
    /// The first pause after a call that failed; doubled each time.
    pub backoff: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
    /// How long a create whose answer is not known may still arrive at Heat.
    pub create_grace: Duration,
    /// How long all that one lease is taken for may take: a create, an update or a delete, with what
    /// is asked again where the cloud was busy.
    pub leased_call: Duration,
    /// How long this process must have seen another one's lease unchanged before it takes it over.
    /// Longer than `leased_call`, by as much as a request may be on its way after it was given up.
    pub lease: Duration,
    /// How often a request that was decided on what another one has changed meanwhile is decided
    /// again.
    pub decisions: u32,
    /// Bytes of all plans of changes under way that are kept, but for the one that is needed now. A
    /// step of 250 workers takes some 400 KiB; what is dropped is planned again without the cloud.
    pub kept_plan_bytes: usize,
    /// Groups that a project may make of its clusters.
    pub groups_per_project: usize,
    /// Bytes of one group's name, place and definition.
    pub group_bytes: usize,
    /// Users whose last token is remembered, in each of their projects.
    pub sessions: usize,
    /// How long a cluster stays in memory that has nothing left to do and that nobody asks for.
    pub rest: Duration,
    /// How many such clusters stay at most, and are read again after that.
    pub resting_clusters: usize,
    /// How often it is looked for what has had its time: clusters at rest, tokens, sessions.
    pub sweep_every: Duration,
    /// How much is remembered of requests.
    pub journal: JournalLimits,
}

impl Default for OrchestratorLimits {
    fn default() -> Self {
        Self {
            clusters_per_project: 100,
            attributes: 256,
            attribute_bytes: 64 * 1024,
            observe_every: Duration::from_secs(2),
            health_every: Duration::from_secs(10),
            shown_age: Duration::from_secs(3),
            patience: Duration::from_secs(3),
            waiting: 128,
            list_looks: 16,
            looks: 40,
            region_looks: 32,
            project_looks: 8,
            queued_looks: 1_024,
            actions: 20,
            region_actions: 16,
            project_actions: 4,
            workers: 1_024,
            looks_a_second: 25,
            deletes: 5,
            creates: 20,
            follow_every: Duration::from_secs(2),
            backoff: Duration::from_secs(2),
            backoff_max: Duration::from_secs(60),
            create_grace: Duration::from_secs(300),
            leased_call: Duration::from_secs(150),
            lease: Duration::from_secs(180),
            decisions: 8,
            kept_plan_bytes: 64 << 20,
            groups_per_project: 64,
            group_bytes: 4 * 1024,
            sessions: 1_024,
            rest: Duration::from_secs(60),
            resting_clusters: 1_024,
            sweep_every: Duration::from_secs(10),
            journal: JournalLimits::default(),
        }
    }
}

impl OrchestratorLimits {
    /// These, in a container of so much memory.
    #[must_use]
    pub fn limit_to_memory(self, memory_bytes: usize) -> Self {
        Self {
            kept_plan_bytes: self.kept_plan_bytes.min(memory_bytes / KEPT_SHARE),
            ..self
        }
    }

    /// The pause before something is decided for the n-th time again, from 1: the first time at once.
    pub fn pause_again(&self, again: u32) -> Duration {
        again
            .checked_sub(2)
            .map_or(Duration::ZERO, |n| self.pause(n))
    }

    /// The pause after the n-th failure in a row, from 0.
    pub fn pause(&self, failures: u32) -> Duration {
        self.backoff
            .saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX))
            .min(self.backoff_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_plans_fit_the_memory() {
        for (mib, kept_mib) in [(0, 0), (64, 8), (511, 63), (512, 64), (1 << 20, 64)] {
            let fit = OrchestratorLimits::default().limit_to_memory(mib << 20);
            assert_eq!(fit.kept_plan_bytes >> 20, kept_mib, "{mib} MiB");
        }
    }

    #[test]
    fn a_lease_outlasts_what_it_is_taken_for() {
        let limits = OrchestratorLimits::default();
        let one_answer = crate::openstack::ClientLimits::default().answer_heat_write;
        assert!(one_answer < limits.leased_call, "one answer has its time");
        assert!(limits.leased_call < limits.lease);
        assert!(
            limits.leased_call < limits.create_grace,
            "a create has arrived by the end of its grace"
        );
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let limits = OrchestratorLimits::default();
        let pauses: Vec<u64> = [0, 1, 4, 5, 40].map(|n| limits.pause(n).as_secs()).to_vec();
        assert_eq!(pauses, [2, 4, 32, 60, 60]);
        let again: Vec<u64> = [1, 2, 3, 40]
            .map(|n| limits.pause_again(n).as_secs())
            .to_vec();
        assert_eq!(again, [0, 2, 4, 60]);
    }
}
