//! Brings clusters to their end: announces it, and deletes what is over with the login of who may, but
//! nothing that was not announced before.
//! Where nobody is logged in who may, the cluster stays and says so, and its owner's next request
//! deletes it. Nothing here waits for the cloud: what is to be deleted is recorded, and the
//! background does it.

use std::sync::Arc;

use crate::orchestrator::{
    context::Context,
    error::OrchestratorError,
    reconcile::{journaled_end::journal_end, worker::spawn_worker},
    state::{cluster_handle::ClusterHandle, locked_cluster::LockedCluster, sessions},
};
use crate::{
    cluster::{
        ClusterEnd, EndStage,
        end_time::{EXPIRES, NOTICE_S},
    },
    store::ClusterRecord,
    system::utc_time::format_utc,
};

/// Looks at all ends where it is time to; whether it was.
pub(crate) async fn follow_ends(context: &Arc<Context>) -> bool {
    let (state, now_s) = (&context.state, context.state.clock.unix_now_s());
    if !state.ends.begin(now_s) {
        return false;
    }
    let ends = match state.registry.store().ends().await {
        Ok(ends) => ends,
        Err(error) => {
            tracing::error!("cannot read when clusters end, which is tried again: {error}");
            return true;
        }
    };
    state.ends.take_in(now_s, ends.iter().map(|one| one.end));
    for one in ends {
        if one.end.stage_at(now_s) == EndStage::Ahead {
            continue;
        }
        let found = state.registry.read_by_id(&one.project_id, &one.id).await;
        let followed = match found {
            Ok(Some(handle)) => follow_end(context, &handle).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = followed {
            tracing::warn!(cluster.id = %one.id, "cannot bring a cluster to its end, which is tried again: {error}");
        }
    }
    true
}

/// Does what is to be done now about the end of one cluster.
///
/// # Errors
/// `Outdated`, `Internal`: it is tried again.
pub(crate) async fn follow_end(
    context: &Arc<Context>,
    handle: &Arc<ClusterHandle>,
) -> Result<(), OrchestratorError> {
    match handle.try_lock() {
        Some(cluster) => follow_locked(context, &cluster).await,
        // Whoever has it may have it for long.
        None => {
            context.state.ends.look_now();
            Ok(())
        }
    }
}

async fn follow_locked(
    context: &Arc<Context>,
    cluster: &LockedCluster<'_>,
) -> Result<(), OrchestratorError> {
    let (state, now_s) = (&context.state, context.state.clock.unix_now_s());
    let mut record = match state.registry.reload(cluster).await {
        Err(OrchestratorError::NotFound(_)) => return Ok(()),
        reloaded => reloaded?,
    };
    let Some(end) = record.end.filter(|_| record.is_live()) else {
        return Ok(());
    };
    let (end, stage) = match end.stage_at(now_s) {
        // Nobody was told: the host was away, or its clock has jumped. It is announced now.
        EndStage::Over if end.stage == EndStage::Ahead => {
            let at_s = now_s.saturating_add(NOTICE_S);
            let put_off = |record: &mut ClusterRecord| record.set_end(Some(at_s));
            let registry = &state.registry;
            record = registry.change_record(cluster, &record, put_off).await?;
            state.ends.look_at(Some(at_s));
            (ClusterEnd::new(at_s), EndStage::Announced)
        }
        stage => (end, stage),
    };
    if stage > end.stage {
        let tell = |record: &mut ClusterRecord| record.tell_end(end.at_s, stage);
        let registry = &state.registry;
        record = registry.change_record(cluster, &record, tell).await?;
        let at = format_utc(end.at_s);
        match stage {
            EndStage::Over => {
                tracing::warn!(cluster.id = %record.id, "the end of `{}` has come, which was {at}", record.name);
            }
            _ => {
                tracing::warn!(cluster.id = %record.id, "`{}` will be deleted at {at}", record.name);
            }
        }
    }
    match stage {
        EndStage::Over => delete_ended(context, cluster, &record, EXPIRES)
            .await
            .map(drop),
        EndStage::Ahead | EndStage::Announced => Ok(()),
    }
}

/// Has it deleted, where somebody is there who may, which it says. `because` is the attribute that
/// ends it.
pub(super) async fn delete_ended(
    context: &Arc<Context>,
    cluster: &LockedCluster<'_>,
    record: &ClusterRecord,
    because: &str,
) -> Result<bool, OrchestratorError> {
    let sessions = &context.state.sessions;
    let session = sessions
        .session_for(cluster)
        .filter(|_| sessions.has_actor(cluster));
    let Some(session) = session else {
        sessions.add_waits(sessions::actor_waits(cluster));
        return Ok(false);
    };
    // Whose it is stays who is waited for.
    let user = record.owner.as_deref().unwrap_or(&session.user().id);
    let registry = &context.state.registry;
    let delete = |record: &mut ClusterRecord| record.request_deletion(user);
    let deleting = registry.change_record(cluster, record, delete);
    let record = journal_end(context, record, deleting).await?;
    cluster.set_withdrawn(None);
    tracing::info!(cluster.id = %record.id, project.id = %record.project_id, "`{}` is deleted, since its end by `{because}` has come", record.name);
    spawn_worker(context, cluster);
    Ok(true)
}
