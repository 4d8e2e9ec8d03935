//! Executes one reconcile action at a time, as [`decide`](super::decide) says. What is about to be
//! asked of Heat is recorded before it is asked, so that a host that dies in between finds out
//! afterwards instead of asking twice.

use std::{sync::Arc, time::Duration};

use tracing::Instrument;

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    planning::plan_deploy::plan_deploy,
    reconcile::{
        decide::{self, ReconcileAction, StackObservation},
        deletion_wish::{decide_wish, drop_refused_wish},
    },
    requeue::Requeue,
    rollout::execute::advance_rollout,
    stack::stack_request,
    state::{
        cluster_handle::WatchedFact, leased_call::call_with_lease, locked_cluster::LockedCluster,
        status,
    },
};
use crate::{
    cluster::{ClusterSpec, former_records::refuse_change},
    openstack::{CloudSession, CreateStack, HeatStack, StackId},
    store::{ClusterRecord, NodeNotifications},
};

/// Brings a locked cluster one action closer to its desired state, with one user's session.
pub(crate) struct Reconciler<'a> {
    context: &'a Context,
    cluster: &'a LockedCluster<'a>,
    session: &'a CloudSession,
}

/// What Heat has checked and would create, and the record that was to lead to it: what another
/// process makes of the cluster meanwhile is another matter.
pub(crate) struct CheckedCreate {
    pub(crate) request: CreateStack,
    pub(crate) decided_on: Arc<ClusterRecord>,
}

/// Takes the one next action. `checked` is what to create, where Heat has checked it already.
pub(crate) async fn reconcile_once(
    context: &Context,
    cluster: &LockedCluster<'_>,
    session: &CloudSession,
    checked: Option<CheckedCreate>,
) -> Result<Requeue, OrchestratorError> {
    let span = tracing::info_span!(
        "cluster.reconcile",
        cluster.id = %cluster.record().id,
        desired = tracing::field::Empty,
        action = tracing::field::Empty,
    );
    // Another region's emptiness says nothing of this cluster.
    let session = &session.in_region(&cluster.record().region);
    let reconciler = Reconciler {
        context,
        cluster,
        session,
    };
    let taken = reconciler.take_action(checked).instrument(span).await;
    if let Err(error) = &taken {
        cluster.note_send_failure(session, error, context.state.clock.unix_now_s());
    }
    taken
}

impl Reconciler<'_> {
    async fn take_action(
        &self,
        checked: Option<CheckedCreate>,
    ) -> Result<Requeue, OrchestratorError> {
        let Self {
            context,
            cluster,
            session,
        } = *self;
        // Another process that shares the store may have gone on meanwhile.
        let mut record = context.state.registry.reload(cluster).await?;
        let span = tracing::Span::current();
        span.record("desired", record.lifecycle.as_str());
        let is_outdated = |checked: &CheckedCreate| !record.is_decided_on(&checked.decided_on);
        if checked.as_ref().is_some_and(is_outdated) {
            return Err(OrchestratorError::Outdated(record.name.clone()));
        }
        if context.state.registry.is_leased_elsewhere(cluster, &record) {
            // What it has the cloud do may not be seen yet.
            span.record("action", "Leased");
            return Ok(Requeue::Later(context.state.limits.follow_every));
        }
        if let Some(requeue) = self.serve_wish(&record).await? {
            return Ok(requeue);
        }
        if record.change().is_some() {
            span.record("action", "Rollout");
            // What is on its way to Heat comes to its end there; nothing can follow it.
            if let Some(why) = record.spec.as_ref().and_then(refuse_change) {
                return Err(OrchestratorError::Conflict(why));
            }
            return advance_rollout(context, cluster, session).await;
        }
        // The first create of a cluster needs no look for an older one: nobody has asked for a
        // stack of this name yet.
        let shown = if checked.is_some() && record.lifecycle.create_sent_s().is_none() {
            None
        } else {
            self.find_stack(&record).await?
        };
        let action = self.decide_action(&record, shown.as_ref());
        span.record("action", tracing::field::debug(action));
        let is_foreign = shown
            .as_ref()
            .is_some_and(|shown| is_foreign(&record, shown));
        if !record.is_live() && !is_foreign {
            self.record_status(&record, shown.as_ref()).await?;
            let is_taken = |shown: &HeatStack| shown.status.starts_with("DELETE_");
            if record.lifecycle.is_deletion_undecided() && shown.as_ref().is_some_and(is_taken) {
                let accept = |record: &mut ClusterRecord| record.accept_deletion(None);
                let registry = &context.state.registry;
                record = registry.change_record(cluster, &record, accept).await?;
            }
        }
        self.carry_out(action, &record, shown, checked).await
    }

    async fn carry_out(
        &self,
        action: ReconcileAction,
        record: &ClusterRecord,
        shown: Option<HeatStack>,
        checked: Option<CheckedCreate>,
    ) -> Result<Requeue, OrchestratorError> {
        let Self {
            context,
            cluster,
            session,
        } = *self;
        match (action, shown) {
            (ReconcileAction::Create, _) if !cluster.may_change(session) => Ok(Requeue::Owner),
            (ReconcileAction::Delete, _) if !cluster.may_act(session) => Ok(Requeue::Owner),
            (ReconcileAction::Create, _) => {
                let request = checked.map(|checked| checked.request);
                self.create_stack(record, request).await
            }
            (ReconcileAction::Adopt, Some(shown)) => self.adopt_stack(record, &shown).await,
            (ReconcileAction::Delete, Some(shown)) => self.delete_stack(record, shown).await,
            (ReconcileAction::Wait, _) => Ok(Requeue::Later(context.state.limits.follow_every)),
            (ReconcileAction::Forget, _) => {
                context.state.registry.drop_record(cluster, record).await?;
                tracing::info!(cluster.id = %record.id, "nothing is left of `{}`", record.name);
                Ok(Requeue::Gone)
            }
            (ReconcileAction::Conflict, _) => Err(OrchestratorError::Conflict(format!(
                "a stack named `{}` is there that is not this cluster's; delete it or the cluster",
                record.stack_name
            ))),
            (ReconcileAction::GiveUp, Some(shown)) => Err(delete_failed_error(record, &shown)),
            (ReconcileAction::GiveUp, None) => Err(create_failed_error(context, cluster)),
            (ReconcileAction::Lost, _) => {
                let registry = &context.state.registry;
                registry
                    .fold_observation(cluster, record, status::mark_gone)
                    .await?;
                Ok(Requeue::Done)
            }
            (ReconcileAction::Rest | ReconcileAction::Adopt | ReconcileAction::Delete, _) => {
                Ok(Requeue::Done)
            }
        }
    }

    fn decide_action(&self, record: &ClusterRecord, shown: Option<&HeatStack>) -> ReconcileAction {
        let sight = match shown {
            None => StackObservation::Absent,
            Some(shown) if is_foreign(record, shown) => StackObservation::Foreign,
            Some(shown) => StackObservation::Ours(&shown.status),
        };
        let limits = &self.context.state.limits;
        let create_in_flight = self.is_create_in_flight(record);
        let tries = (limits.creates, limits.deletes);
        decide::next_action(&record.lifecycle, create_in_flight, sight, tries)
    }

    fn is_create_in_flight(&self, record: &ClusterRecord) -> bool {
        let state = &self.context.state;
        let is_in_flight = |sent_s: u64| {
            let fact = WatchedFact::Create(sent_s);
            self.cluster.watch(&fact, state.clock.monotonic_now()) < state.limits.create_grace
        };
        record.lifecycle.create_sent_s().is_some_and(is_in_flight)
    }

    /// What has become of this user's wish to delete what is another's; none where there is no such
    /// wish, or it has to wait.
    async fn serve_wish(
        &self,
        record: &ClusterRecord,
    ) -> Result<Option<Requeue>, OrchestratorError> {
        if !record.has_wish_to_decide() {
            return Ok(None);
        }
        if !record.deletion_wishes.contains(&self.session.user().id) {
            let is_all = !record.lifecycle.needs_reconcile();
            return Ok(is_all.then_some(Requeue::Owner));
        }
        tracing::Span::current().record("action", "Wish");
        match self.decide_wish(record).await {
            Err(error) => {
                let (context, cluster) = (self.context, self.cluster);
                Err(drop_refused_wish(context, cluster, self.session, error).await)
            }
            decided => decided,
        }
    }

    /// Has Heat say whether this user may delete what is another's; none while a create of it may
    /// still arrive, which would be left behind.
    async fn decide_wish(
        &self,
        record: &ClusterRecord,
    ) -> Result<Option<Requeue>, OrchestratorError> {
        let shown = self.find_stack(record).await?;
        let shown = shown.filter(|shown| !is_foreign(record, shown));
        if shown.is_none() && self.is_create_in_flight(record) {
            return Ok(None);
        }
        let (context, cluster, session) = (self.context, self.cluster, self.session);
        decide_wish(context, cluster, record, session, shown.as_ref())
            .await
            .map(Some)
    }

    /// What Heat showed on the way is kept for those who look at the cluster: one that is being
    /// deleted is observed here only.
    async fn record_status(
        &self,
        known: &ClusterRecord,
        shown: Option<&HeatStack>,
    ) -> Result<(), OrchestratorError> {
        let Some(shown) = shown else { return Ok(()) };
        let registry = &self.context.state.registry;
        registry
            .fold_observation(self.cluster, known, |seen| status::fold_status(seen, shown))
            .await?;
        self.cluster.refresh.record_contact(None);
        Ok(())
    }

    /// The stack of this record, by id where it is known, else by name.
    async fn find_stack(
        &self,
        record: &ClusterRecord,
    ) -> Result<Option<HeatStack>, OrchestratorError> {
        let name = &record.stack_name;
        let shown = match record.stack_id().map(str::to_owned) {
            Some(id) => {
                let name = name.clone();
                self.session.look_for_stack(&StackId { name, id }).await
            }
            None => self.session.find_stack(name).await,
        };
        Ok(shown?)
    }

    async fn create_stack(
        &self,
        record: &ClusterRecord,
        checked: Option<CreateStack>,
    ) -> Result<Requeue, OrchestratorError> {
        let context = self.context;
        let (request, replanned) = match (checked, &record.spec) {
            (Some(request), _) => (request, None),
            (None, Some(spec)) => {
                let planner = context.planner.as_ref();
                let chain = planner
                    .order_plugins(spec)
                    .map_err(OrchestratorError::Invalid)?;
                let made = plan_deploy(planner, self.session, spec, &chain).await?;
                let spec = ClusterSpec {
                    computed: made.planned.computed.clone(),
                    ..made.spec
                };
                let notified = NodeNotifications {
                    installed: made.planned.installed(),
                    ..record.notified.clone()
                };
                let endpoints = &made.planned.endpoints;
                let replan =
                    |record: &mut ClusterRecord| record.replan_intent(&spec, endpoints, &notified);
                let registry = &context.state.registry;
                let kept = registry.change_record(self.cluster, record, replan).await?;
                let request =
                    stack_request::build_stack_request(&kept, &context.host, &made.planned);
                (request, Some(kept))
            }
            (None, None) => {
                return Err(OrchestratorError::internal(format!(
                    "the record of `{}` holds no plan; delete the cluster",
                    record.name
                )));
            }
        };
        let record = replanned.as_deref().unwrap_or(record);
        let (now_s, user) = (context.state.clock.unix_now_s(), &self.session.user().id);
        let created = call_with_lease(
            &context.state,
            self.cluster,
            record,
            |record| record.mark_create_sent(now_s),
            self.session.create_stack(&request),
            |record, answer| match answer {
                Ok(id) => {
                    record.adopt_stack(&id.id, "CREATE_IN_PROGRESS")?;
                    // Who asked to delete it meanwhile stays who is waited for.
                    match &record.owner {
                        Some(owner) if record.is_live() && owner != user => record.take_over(user),
                        _ => Ok(()),
                    }
                }
                Err(_) => record.mark_create_refused(),
            },
        );
        match Box::pin(created).await {
            Ok((record, id)) => {
                tracing::info!(cluster.id = %record.id, stack.id = %id.id, "created stack `{}` for `{}`", id.name, record.name);
                Ok(self.after_adoption(&record))
            }
            Err(error) => {
                // Where Heat may have acted, or may still act, the name is looked for until the
                // create can no longer arrive.
                tracing::warn!(cluster.id = %record.id, "no stack for `{}`: {error}", record.name);
                self.cluster.refresh.record_contact(Some(error.to_string()));
                Err(error)
            }
        }
    }

    async fn adopt_stack(
        &self,
        decided_on: &ClusterRecord,
        shown: &HeatStack,
    ) -> Result<Requeue, OrchestratorError> {
        let change = |record: &mut ClusterRecord| record.adopt_stack(&shown.id, &shown.status);
        let registry = &self.context.state.registry;
        let record = registry
            .change_record(self.cluster, decided_on, change)
            .await?;
        Ok(self.after_adoption(&record))
    }

    fn after_adoption(&self, record: &ClusterRecord) -> Requeue {
        self.cluster.refresh.record_contact(None);
        // Another process may have been asked to delete it while Heat created it.
        if record.is_live() {
            Requeue::Done
        } else {
            Requeue::Later(Duration::ZERO)
        }
    }

    async fn delete_stack(
        &self,
        decided_on: &ClusterRecord,
        shown: HeatStack,
    ) -> Result<Requeue, OrchestratorError> {
        let limits = &self.context.state.limits;
        let failed = shown.status == "DELETE_FAILED";
        let stack = StackId {
            name: shown.name,
            id: shown.id,
        };
        let user = self.session.user().id.as_str();
        let (record, ()) = call_with_lease(
            &self.context.state,
            self.cluster,
            decided_on,
            |record| record.count_delete(&stack.id, failed),
            self.session.delete_stack(&stack),
            |record, answer| match answer {
                Ok(()) => record.accept_deletion(Some(user)),
                Err(_) => Ok(()),
            },
        )
        .await?;
        tracing::info!(cluster.id = %record.id, stack.id = %stack.id, "asked heat to delete `{}`, which was {}", record.name, shown.status);
        Ok(Requeue::Later(if failed {
            limits.pause(record.lifecycle.deletes())
        } else {
            limits.follow_every
        }))
    }
}

/// Whether the stack of the record's name belongs to somebody else. One that is known by its id is
/// the cluster's, whatever its tags say by now.
fn is_foreign(record: &ClusterRecord, shown: &HeatStack) -> bool {
    record.stack_id().is_none() && !stack_request::is_ours(record, &shown.tags)
}

fn create_failed_error(context: &Context, cluster: &LockedCluster<'_>) -> OrchestratorError {
    let last = cluster.refresh.error();
    OrchestratorError::Conflict(format!(
        "heat was asked {} times to create stack `{}` and has none: {}; delete the cluster and ask for it again",
        context.state.limits.creates,
        cluster.record().stack_name,
        last.as_deref().unwrap_or("it gave no reason"),
    ))
}

fn delete_failed_error(record: &ClusterRecord, shown: &HeatStack) -> OrchestratorError {
    OrchestratorError::Conflict(format!(
        "heat failed {} times to delete stack `{}`: {}; mend what stands in the way, then delete the cluster again",
        record.lifecycle.deletes(),
        shown.name,
        shown.status_reason
    ))
}
