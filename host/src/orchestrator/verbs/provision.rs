//! Provision: the last step of hurtle's life cycle, which changes nothing in the cloud.

use std::sync::Arc;

use super::{
    create::check_provision,
    find::{find_cluster, live_record},
};
use crate::{
    cluster::attributes,
    orchestrator::{
        context::{Caller, ClientAttributes, Context},
        error::OrchestratorError,
        planning::merge_attributes,
        state::view::{ClusterView, show_cluster},
    },
};

/// The last step of hurtle's life cycle: allowed once, after deploy. Its Service Manager sends the
/// parameters of all its services with it, of others too: those that are ours change nothing.
pub(super) async fn provision_cluster(
    context: Arc<Context>,
    caller: Caller,
    name: String,
    given: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    let handle = find_cluster(&context, &caller, &name).await?;
    let cluster = handle.lock().await;
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
    let initial = merge_attributes::merge_attributes(
        &record.initial_attributes,
        ours,
        &context.state.limits,
    )?;
    let registry = &context.state.registry;
    let record = registry
        .change_record(&cluster, &record, |record| {
            record.provision(&merged, &initial, &foreign)
        })
        .await?;
    Ok(show_cluster(&cluster, &record))
}
