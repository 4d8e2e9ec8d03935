//! Every way in which a record changes, by name; those of a change to a running cluster are in
//! `change_transitions`, those of a deletion in `deletion_transitions`. Pure: what a transition needs
//! to know it is given, the time too. A transition that does not fit the situation is refused and
//! changes nothing: another process that shares the store has been faster.

use std::collections::BTreeMap;

use super::{
    ActionLease, ClusterRecord, NodeNotifications, ObservedState, RequestMark,
    record_fields::RecordFields,
};
use crate::cluster::{
    ClusterSpec, Lifecycle, attributes,
    cluster_endpoint::ClusterEndpoints,
    lifecycle::{DeleteTarget, RolloutStatus},
};

/// A transition that the record's situation does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{transition}` is not for a cluster that is {state}")]
pub struct RefusedTransition {
    /// The transition's name.
    pub transition: &'static str,
    /// The situation that it met.
    pub state: &'static str,
}

/// Whether a transition has happened.
pub type TransitionResult = Result<(), RefusedTransition>;

/// What a deploy records before Heat is asked.
#[derive(Clone, Debug)]
pub struct DeployIntent {
    /// The client's attributes, those of the deploy among them.
    pub attributes: BTreeMap<String, String>,
    /// What they mean, with what the plugins have computed.
    pub spec: ClusterSpec,
    /// Endpoint names, each with the output that holds its URL.
    pub endpoints: ClusterEndpoints,
    /// What stands on the nodes from the beginning.
    pub notified: NodeNotifications,
    /// Where it is created.
    pub region: String,
    /// Who asks.
    pub owner: String,
}

/// Requests and deploys.
impl ClusterRecord {
    /// A cluster that was just asked for bears the mark of the request for it.
    ///
    /// # Errors
    /// Later than that.
    pub fn mark_request(&mut self, mark: &RequestMark) -> TransitionResult {
        if self.lifecycle != Lifecycle::Requested || self.request_mark.is_some() {
            return Err(self.refused("mark_request"));
        }
        self.0.request_mark = Some(mark.clone());
        Ok(())
    }

    /// Takes attributes that mean nothing to the cloud.
    ///
    /// # Errors
    /// Never; as all transitions have it.
    pub fn store_attributes(&mut self, attributes: &BTreeMap<String, String>) -> TransitionResult {
        self.0.attributes.clone_from(attributes);
        Ok(())
    }

    /// The last step of the client's life cycle: after the deploy, whatever has become of it.
    /// `foreign` are those of the attributes that are not ours, which a change that is under way
    /// must not lose at its end.
    ///
    /// # Errors
    /// Before the deploy.
    pub fn provision(
        &mut self,
        attributes: &BTreeMap<String, String>,
        initial_attributes: &BTreeMap<String, String>,
        foreign: &[(String, String)],
    ) -> TransitionResult {
        if self.lifecycle == Lifecycle::Requested {
            return Err(self.refused("provision"));
        }
        self.0.provisioned = true;
        self.0.attributes.clone_from(attributes);
        self.0.initial_attributes.clone_from(initial_attributes);
        if let Some(change) = self.change_mut() {
            change.attributes.extend(foreign.iter().cloned());
        }
        Ok(())
    }

    /// Records what is to be created, before Heat is asked.
    ///
    /// # Errors
    /// When it is deployed or deleted already.
    pub fn record_intent(&mut self, intent: &DeployIntent) -> TransitionResult {
        if self.lifecycle != Lifecycle::Requested {
            return Err(self.refused("record_intent"));
        }
        let ours = intent.attributes.iter();
        let ours = ours.filter(|(name, _)| attributes::is_ours(name));
        let mut initial = self.initial_attributes.clone();
        initial.extend(ours.map(|(k, v)| (k.clone(), v.clone())));
        self.0 = RecordFields {
            initial_attributes: initial,
            attributes: intent.attributes.clone(),
            spec: Some(intent.spec.clone()),
            endpoints: intent.endpoints.clone(),
            notified: intent.notified.clone(),
            region: intent.region.clone(),
            owner: Some(intent.owner.clone()),
            lifecycle: Lifecycle::Deploying {
                create_sent_s: None,
                creates: 0,
                blocked_reason: None,
            },
            ..self.0.clone()
        };
        Ok(())
    }

    /// An earlier deploy got as far as recording what was planned, and is asked for again: Heat may
    /// have it, so that the plan stays, and whose it is until Heat has taken it from somebody else.
    ///
    /// # Errors
    /// When no deploy is under way.
    pub fn retry_intent(&mut self, attributes: &BTreeMap<String, String>) -> TransitionResult {
        let Lifecycle::Deploying {
            blocked_reason,
            creates,
            ..
        } = &mut self.0.lifecycle
        else {
            return Err(self.refused("retry_intent"));
        };
        (*blocked_reason, *creates) = (None, 0);
        self.0.attributes.clone_from(attributes);
        Ok(())
    }

    /// Whoever asked for that deploy once more may not: all is as it was `before`, and waits for
    /// those who may.
    ///
    /// # Errors
    /// When no deploy is under way.
    pub fn withdraw_retry(&mut self, before: &Self) -> TransitionResult {
        let (
            Lifecycle::Deploying {
                blocked_reason,
                creates,
                ..
            },
            Lifecycle::Deploying {
                blocked_reason: was_blocked,
                creates: before_creates,
                ..
            },
        ) = (&mut self.0.lifecycle, &before.lifecycle)
        else {
            return Err(self.refused("withdraw_retry"));
        };
        blocked_reason.clone_from(was_blocked);
        *creates = *before_creates;
        self.0.attributes.clone_from(&before.attributes);
        Ok(())
    }

    /// What is to be created was planned again, by other plugins perhaps, before Heat has it: the
    /// record is what will be on the nodes. What was asked for, and by whom, stays.
    ///
    /// # Errors
    /// When no deploy is under way.
    pub fn replan_intent(
        &mut self,
        spec: &ClusterSpec,
        endpoints: &ClusterEndpoints,
        notified: &NodeNotifications,
    ) -> TransitionResult {
        if !matches!(self.lifecycle, Lifecycle::Deploying { .. }) {
            return Err(self.refused("replan_intent"));
        }
        self.0.spec = Some(spec.clone());
        self.0.endpoints.clone_from(endpoints);
        self.0.notified.clone_from(notified);
        Ok(())
    }

    /// Heat has refused: the cluster is as it was `before` it was asked, in everything.
    ///
    /// # Errors
    /// Where Heat may have taken it and only our store failed: what is wanted stands.
    pub fn withdraw_intent(&mut self, before: &Self) -> TransitionResult {
        let Lifecycle::Deploying {
            create_sent_s: None,
            ..
        } = self.lifecycle
        else {
            return Err(self.refused("withdraw_intent"));
        };
        let now = &self.0;
        self.0 = RecordFields {
            lifecycle: Lifecycle::Requested,
            spec: None,
            revision: now.revision,
            decision: now.decision,
            lease: now.lease.clone(),
            observed: now.observed.clone(),
            deletion_wishes: now.deletion_wishes.clone(),
            ..before.0.clone()
        };
        Ok(())
    }

    /// The client is about to be told that its deploy succeeded.
    ///
    /// # Errors
    /// Before the deploy.
    pub fn acknowledge_deploy(&mut self) -> TransitionResult {
        if self.lifecycle == Lifecycle::Requested {
            return Err(self.refused("acknowledge_deploy"));
        }
        self.0.acknowledged = true;
        Ok(())
    }

    /// A create is about to be sent; until its answer comes nobody knows whether Heat has it.
    ///
    /// # Errors
    /// Where nothing is to be created, or no longer.
    pub fn mark_create_sent(&mut self, now_s: u64) -> TransitionResult {
        let Lifecycle::Deploying {
            create_sent_s,
            creates,
            ..
        } = &mut self.0.lifecycle
        else {
            return Err(self.refused("mark_create_sent"));
        };
        *create_sent_s = Some(now_s);
        *creates = creates.saturating_add(1);
        Ok(())
    }

    /// Heat has not taken the create.
    ///
    /// # Errors
    /// When the stack is there all the same.
    pub fn mark_create_refused(&mut self) -> TransitionResult {
        match &mut self.0.lifecycle {
            Lifecycle::Deploying {
                create_sent_s,
                creates,
                ..
            } => (*create_sent_s, *creates) = (None, creates.saturating_sub(1)),
            Lifecycle::Deleting {
                target: DeleteTarget::Name { create_sent_s },
                ..
            } => *create_sent_s = None,
            _ => return Err(self.refused("mark_create_refused")),
        }
        Ok(())
    }

    /// The stack is there and its id is known. A delete may have been asked for meanwhile: then
    /// this is what is to be deleted.
    ///
    /// # Errors
    /// When it was not looked for.
    pub fn adopt_stack(&mut self, stack_id: &str, status: &str) -> TransitionResult {
        let stack_id = stack_id.to_owned();
        self.0.lifecycle = match &self.lifecycle {
            Lifecycle::Deploying { .. } => Lifecycle::Running {
                stack_id,
                rollout: RolloutStatus::AtRest,
            },
            Lifecycle::Deleting {
                target: DeleteTarget::Name { .. },
                deletes,
                origin,
                ..
            } => Lifecycle::Deleting {
                target: DeleteTarget::Id { stack_id },
                deletes: *deletes,
                blocked_reason: None,
                origin: origin.clone(),
            },
            _ => return Err(self.refused("adopt_stack")),
        };
        // Whoever died over the create left its lease.
        self.0.lease = None;
        let observed = &mut self.0.observed;
        observed.status.get_or_insert_with(|| status.to_owned());
        Ok(())
    }

    /// What is under way is this user's from now on: Heat has taken it from them.
    ///
    /// # Errors
    /// When nothing was asked of the cloud yet.
    pub fn take_over(&mut self, owner: &str) -> TransitionResult {
        if self.lifecycle == Lifecycle::Requested {
            return Err(self.refused("take_over"));
        }
        self.0.owner = Some(owner.to_owned());
        Ok(())
    }

    /// Only a person can help.
    ///
    /// # Errors
    /// Where nothing is under way that could be blocked.
    pub fn mark_blocked(&mut self, reason: &str) -> TransitionResult {
        match &mut self.0.lifecycle {
            Lifecycle::Deploying { blocked_reason, .. }
            | Lifecycle::Deleting { blocked_reason, .. }
            | Lifecycle::Running {
                rollout: RolloutStatus::Changing { blocked_reason, .. },
                ..
            } => *blocked_reason = Some(reason.to_owned()),
            _ => return Err(self.refused("mark_blocked")),
        }
        Ok(())
    }
}

/// Who may have the cloud change something, and on what it was decided.
impl ClusterRecord {
    /// Whether nothing was decided about the cluster since `earlier` was read; what was only
    /// observed meanwhile does not count.
    pub fn is_decided_on(&self, earlier: &Self) -> bool {
        self.id == earlier.id && self.decision == earlier.decision
    }

    /// The holder is about to have the cloud create, change or delete the cluster. Whoever had the
    /// lease before has ended, or no longer acts: see `may_take_over`.
    ///
    /// # Errors
    /// While another one holds it.
    pub fn take_lease(&mut self, holder: &str, may_take_over: bool) -> TransitionResult {
        let is_held = self
            .lease
            .as_ref()
            .is_some_and(|held| held.holder != holder);
        if is_held && !may_take_over {
            return Err(self.refused("take_lease"));
        }
        self.0.lease = Some(ActionLease {
            holder: holder.to_owned(),
            number: self.decision + 1,
        });
        Ok(())
    }

    /// The cloud has answered, so that nothing of this lease can arrive there any more.
    ///
    /// # Errors
    /// When it is another one's by now.
    pub fn end_lease(&mut self, lease: &ActionLease) -> TransitionResult {
        if self.lease.as_ref() != Some(lease) {
            return Err(self.refused("end_lease"));
        }
        self.0.lease = None;
        Ok(())
    }
}

/// What is no action: observations, and the act of writing.
impl ClusterRecord {
    /// Takes what the cloud showed, over what it showed before.
    ///
    /// # Errors
    /// Never; as all transitions have it.
    pub fn fold_observation(
        &mut self,
        fold: impl FnOnce(&ObservedState) -> ObservedState,
    ) -> TransitionResult {
        self.0.observed = fold(&self.observed);
        Ok(())
    }

    /// The successor of `before` is about to be written, which differs in more than what was
    /// observed where it `is_decision`.
    pub(crate) fn mark_written(&mut self, before: &Self, is_decision: bool, now_s: u64) {
        self.0.revision = before.revision + 1;
        if is_decision {
            self.0.decision = before.decision + 1;
            self.0.updated_s = now_s;
        }
    }
}

impl ClusterRecord {
    pub(super) fn refused(&self, transition: &'static str) -> RefusedTransition {
        RefusedTransition {
            transition,
            state: self.lifecycle.as_str(),
        }
    }
}

#[cfg(test)]
#[path = "transitions_tests.rs"]
mod tests;
