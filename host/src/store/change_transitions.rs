//! The transitions of a change to a running cluster: begun, step by step, finished or rolled back.
//! Pure, as all [`transitions`](super::transitions).

use std::collections::BTreeMap;

use super::{ClusterRecord, StackSnapshot, transitions::TransitionResult};
use crate::cluster::{
    ClusterChange, ClusterIdle, Lifecycle, RolloutStep, attributes, lifecycle::RolloutStatus,
    progress::StageOutcome,
};

impl ClusterRecord {
    /// Records a change and whose it is, before Heat is given its first step.
    ///
    /// # Errors
    /// When another one is under way, or the cluster does not run.
    pub fn begin_change(&mut self, change: &ClusterChange, owner: &str) -> TransitionResult {
        let Lifecycle::Running { rollout, .. } = &mut self.0.lifecycle else {
            return Err(self.refused("begin_change"));
        };
        if matches!(rollout, RolloutStatus::Changing { .. }) {
            return Err(self.refused("begin_change"));
        }
        let former_owner = self.0.owner.replace(owner.to_owned());
        *rollout = RolloutStatus::Changing {
            change: Box::new(change.clone()),
            blocked_reason: None,
            former_owner,
        };
        // What it did before the change says nothing of its jobs.
        self.0.idle = self.idle.map(|idle| ClusterIdle::new(idle.after_s));
        Ok(())
    }

    /// Takes attributes that mean nothing to the cloud while a change is under way, which holds
    /// what the attributes will be at its end.
    ///
    /// # Errors
    /// When no change is under way.
    pub fn store_attributes_of_change(
        &mut self,
        attributes: &BTreeMap<String, String>,
        after_change: &BTreeMap<String, String>,
    ) -> TransitionResult {
        let refused = self.refused("store_attributes_of_change");
        let change = self.change_mut().ok_or(refused)?;
        change.attributes.clone_from(after_change);
        self.0.attributes.clone_from(attributes);
        Ok(())
    }

    /// The steps of the change that is under way have been planned; which steps there are stays.
    ///
    /// # Errors
    /// When no change is under way, or one of other steps.
    pub fn record_planned_steps(&mut self, planned: &ClusterChange) -> TransitionResult {
        let refused = self.refused("record_planned_steps");
        let change = self.change_mut().ok_or(refused)?;
        let generations = |change: &ClusterChange| -> Vec<u32> {
            change.steps.iter().map(|step| step.generation).collect()
        };
        if generations(change) != generations(planned) {
            return Err(refused);
        }
        change.steps.clone_from(&planned.steps);
        change.resolved.clone_from(&planned.resolved);
        Ok(())
    }

    /// Heat has this step of the change.
    ///
    /// # Errors
    /// When it is not the one that is under way.
    pub fn mark_step_sent(&mut self, step: &RolloutStep, now_s: u64) -> TransitionResult {
        let under_way = self.change().and_then(ClusterChange::step);
        if under_way.map(|step| step.generation) != Some(step.generation) {
            return Err(self.refused("mark_step_sent"));
        }
        *self = self.with_step_sent(step, now_s);
        // Whoever died over the update left its lease.
        self.0.lease = None;
        if let Lifecycle::Running {
            rollout: RolloutStatus::Changing { former_owner, .. },
            ..
        } = &mut self.0.lifecycle
        {
            *former_owner = None;
        }
        let observed = &mut self.0.observed;
        (observed.failure_signal, observed.failed) = (None, None);
        // What Heat shows next may be from before it began.
        observed.status = Some("UPDATE_IN_PROGRESS".to_owned());
        Ok(())
    }

    /// The record as it will be once Heat has this step: what the stack of the step carries. Where
    /// no change is recorded yet, its nodes alone.
    #[must_use]
    pub fn with_step_sent(&self, step: &RolloutStep, now_s: u64) -> Self {
        let mut after = self.clone();
        after.0.notified = self.notified.after_step(step);
        if let Some(change) = after.change_mut() {
            change.sent_s = Some(now_s);
            for node in &step.told {
                if !change.notified_nodes.contains(node) {
                    change.notified_nodes.push(node.clone());
                }
            }
        }
        after
    }

    /// The step that was under way is done.
    ///
    /// # Errors
    /// When no change is under way.
    pub fn next_step(&mut self) -> TransitionResult {
        let refused = self.refused("next_step");
        let change = self.change_mut().ok_or(refused)?;
        change.at += 1;
        change.sent_s = None;
        Ok(())
    }

    /// The step that was under way is done, but for nodes that take their turn later: `steps` has
    /// theirs, behind this one.
    ///
    /// # Errors
    /// When no change is under way, or what was done already is not among the steps.
    pub fn postpone_turns(&mut self, steps: &[RolloutStep]) -> TransitionResult {
        let refused = self.refused("postpone_turns");
        let change = self.change_mut().ok_or(refused)?;
        if change.steps.get(..=change.at) != steps.get(..=change.at) {
            return Err(refused);
        }
        change.steps = steps.to_vec();
        self.next_step()
    }

    /// The last step is done: the cluster is what was asked for, or as it was before. `unanswered`
    /// is what there is to say of nodes that did not answer on the way back.
    ///
    /// # Errors
    /// When no change is under way.
    pub fn finish_change(&mut self, unanswered: &str) -> TransitionResult {
        let refused = self.refused("finish_change");
        let Lifecycle::Running { rollout, .. } = &mut self.0.lifecycle else {
            return Err(refused);
        };
        let change = match std::mem::replace(rollout, RolloutStatus::AtRest) {
            RolloutStatus::Changing { change, .. } => *change,
            at_rest => {
                *rollout = at_rest;
                return Err(refused);
            }
        };
        match change.rolling_back_because {
            Some(reason) => {
                *rollout = RolloutStatus::RolledBack {
                    reason: reason + unanswered,
                };
            }
            None => {
                self.0.attributes = change.attributes;
                self.0.spec = Some(change.to);
                self.0.endpoints = change.endpoints;
                self.0.notified.installed = change.installed;
            }
        }
        self.forget_removed_nodes();
        Ok(())
    }

    /// Ends a change whose stack is gone, as if it had never been asked for.
    ///
    /// # Errors
    /// When no change is under way.
    pub fn abandon_change(&mut self) -> TransitionResult {
        let refused = self.refused("abandon_change");
        match &mut self.0.lifecycle {
            Lifecycle::Running {
                rollout: rollout @ RolloutStatus::Changing { .. },
                ..
            } => *rollout = RolloutStatus::AtRest,
            _ => return Err(refused),
        }
        self.0.lease = None;
        Ok(())
    }

    /// Heat has refused the first step: the cluster is as it was `before` the change was recorded,
    /// its owner, its end and how the last change ended among it, or the change that it took the place of.
    ///
    /// # Errors
    /// When no change is under way, or Heat has a step of it or of the one before.
    pub fn withdraw_change(&mut self, before: &Self) -> TransitionResult {
        let was_begun = before.change().is_some_and(ClusterChange::is_begun);
        if was_begun || self.change().is_none_or(ClusterChange::is_begun) {
            return Err(self.refused("withdraw_change"));
        }
        self.abandon_change()?;
        if let (Lifecycle::Running { rollout, .. }, Lifecycle::Running { rollout: was, .. }) =
            (&mut self.0.lifecycle, &before.lifecycle)
        {
            rollout.clone_from(was);
        }
        self.0.owner.clone_from(&before.owner);
        self.0.end = before.end;
        Ok(())
    }

    /// Nobody waits any more for the answer to a change of which Heat has taken nothing: it ends as
    /// one that failed, for everybody to see, and the cluster is whose it was.
    ///
    /// # Errors
    /// When no change is under way, or Heat has a step of it or may have.
    pub fn drop_untaken_change(&mut self, reason: &str) -> TransitionResult {
        if !self.is_change_untaken() {
            return Err(self.refused("drop_untaken_change"));
        }
        let former_owner = self.lifecycle.former_owner().map(str::to_owned);
        self.abandon_change()?;
        if let Lifecycle::Running { rollout, .. } = &mut self.0.lifecycle {
            *rollout = RolloutStatus::RolledBack {
                reason: reason.to_owned(),
            };
        }
        if former_owner.is_some() {
            self.0.owner = former_owner;
        }
        Ok(())
    }

    /// Turns the change back, from wherever it is, by these steps.
    ///
    /// # Errors
    /// When no change is under way.
    pub fn start_rollback(
        &mut self,
        reason: &str,
        owner: Option<&str>,
        steps: &[RolloutStep],
    ) -> TransitionResult {
        let refused = self.refused("start_rollback");
        let Lifecycle::Running {
            rollout:
                RolloutStatus::Changing {
                    change,
                    blocked_reason,
                    ..
                },
            ..
        } = &mut self.0.lifecycle
        else {
            return Err(refused);
        };
        *blocked_reason = None;
        change.rolling_back_because = Some(reason.to_owned());
        change.steps = steps.to_vec();
        change.at = 0;
        change.sent_s = None;
        // Ids are never given out twice: the wait condition counts every id once, and one that
        // failed would fail the next node of that name.
        if let Some(spec) = &mut self.0.spec {
            spec.groups.keep_given_ids(&change.to.groups);
        }
        self.0.owner = owner.map(str::to_owned);
        Ok(())
    }

    /// Whoever asked for the way back may not: the change is as it was `before`.
    ///
    /// # Errors
    /// When Heat has a step of the way back, or no change was under way before.
    pub fn withdraw_rollback(&mut self, before: &Self) -> TransitionResult {
        let is_sent = self.change().is_none_or(|change| change.sent_s.is_some());
        if is_sent || before.change().is_none() {
            return Err(self.refused("withdraw_rollback"));
        }
        self.0.lifecycle.clone_from(&before.lifecycle);
        self.0.owner.clone_from(&before.owner);
        Ok(())
    }

    /// Another host has gone further, and its stack says where to; attributes that are not ours are
    /// kept.
    ///
    /// # Errors
    /// When the cluster does not run.
    pub fn adopt_snapshot(&mut self, snapshot: &StackSnapshot) -> TransitionResult {
        let Lifecycle::Running { stack_id, .. } = &self.lifecycle else {
            return Err(self.refused("adopt_snapshot"));
        };
        self.0.lifecycle = Lifecycle::Running {
            stack_id: stack_id.clone(),
            rollout: snapshot.rollout(),
        };
        let attributes = &mut self.0.attributes;
        attributes.retain(|name, _| !attributes::is_ours(name));
        attributes.extend(snapshot.attributes.clone());
        let mut foreign = attributes.clone();
        foreign.retain(|name, _| !attributes::is_ours(name));
        if let Some(change) = self.change_mut() {
            change.attributes.extend(foreign);
        }
        self.0.spec.clone_from(&snapshot.spec);
        self.0.endpoints.clone_from(&snapshot.endpoints);
        self.0.notified.clone_from(&snapshot.notified);
        Ok(())
    }

    pub(super) fn change_mut(&mut self) -> Option<&mut ClusterChange> {
        match &mut self.0.lifecycle {
            Lifecycle::Running {
                rollout: RolloutStatus::Changing { change, .. },
                ..
            } => Some(change.as_mut()),
            _ => None,
        }
    }

    /// Drops what was remembered of nodes that are no longer there, and failures on the way: the
    /// rollback's reason tells of them, and a later failure must not be told in their words.
    fn forget_removed_nodes(&mut self) {
        let groups = self.spec.as_ref().map(|spec| spec.groups.clone());
        // Who is no node of a group is nobody who could leave.
        let is_there = |node: &str| {
            let found = groups.as_ref().and_then(|groups| groups.find_node(node));
            found.is_none_or(|(group, id)| group.node_ids().contains(&id))
        };
        self.0.notified.nodes.retain(|node, _| is_there(node));
        let observed = &mut self.0.observed;
        observed.answers.retain(|node, _| is_there(node));
        observed
            .reports
            .retain(|report| is_there(&report.node) && report.outcome != StageOutcome::Failed);
        observed.ready.retain(|node| is_there(node));
        observed
            .nodes_without_metadata
            .retain(|node| is_there(node));
        (observed.failure_signal, observed.failed) = (None, None);
    }
}
