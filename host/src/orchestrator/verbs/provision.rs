//! Provision: the last step of hurtle's life cycle, which changes nothing in the cloud.

use std::sync::Arc;

use super::{
    create::{check_provision, store_attributes},
    find::{find_cluster, live_record},
};
use crate::{
    cluster::{LifecyclePhase, attributes},
    orchestrator::{
        context::{Caller, ClientAttributes, Context},
        error::OrchestratorError,
        planning::merge_attributes,
        state::view::ClusterView,
    },
};

/// The last step of hurtle's life cycle: allowed once, after deploy. Its Service Manager sends the
/// parameters of all its services with it, of others too: those that are ours change nothing.
pub(crate) async fn provision_cluster(
    context: Arc<Context>,
    caller: Caller,
    name: String,
    given: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    let entity = find_cluster(&context, &caller, &name).await?;
    let cluster = entity.lock().await;
    let record = live_record(&context, &cluster, &name).await?;
    check_provision(&record)?;
    let (ours, foreign): (ClientAttributes, ClientAttributes) = given
        .into_iter()
        .partition(|(name, _)| attributes::is_ours(name));
    let merged = merge_attributes::merge_attributes(
        &record.attributes,
        foreign.clone(),
        &context.state.limits,
    )?;
    let brought = merge_attributes::merge_attributes(&record.brought, ours, &context.state.limits)?;
    store_attributes(&context, &cluster, &merged, |record| {
        record.phase = LifecyclePhase::Provisioned;
        record.brought.clone_from(&brought);
        if let Some(change) = &mut record.change {
            change.attributes.extend(foreign.iter().cloned());
        }
    })
    .await
}
