//! A running cluster as Heat has it, asked for once a change.

use serde_json::Value;

use crate::orchestrator::{
    error::OrchestratorError,
    rollout::plan_sources::{StackSource, file_names},
};
use crate::{
    cluster::ClusterSpec,
    openstack::{CloudSession, StackId},
    store::ClusterRecord,
};

/// A running cluster as Heat has it.
pub(crate) struct RunningStack {
    pub(crate) template: Value,
}

impl RunningStack {
    pub(crate) async fn fetch(
        session: &CloudSession,
        record: &ClusterRecord,
    ) -> Result<Self, OrchestratorError> {
        let stack = stack_of(record);
        let template = session.stack_template(&stack).await?;
        Ok(Self { template })
    }
}

/// Its stack.
pub(super) fn stack_of(record: &ClusterRecord) -> StackId {
    StackId {
        name: record.stack_name.clone(),
        id: record.stack_id().unwrap_or_default().to_owned(),
    }
}

/// What Heat has of a cluster; `template` is that without notifications.
pub(super) async fn fetch_source(
    session: &CloudSession,
    record: &ClusterRecord,
    from: &ClusterSpec,
    template: Value,
) -> Result<StackSource, OrchestratorError> {
    let files = session.stack_files(&stack_of(record)).await?;
    let names = file_names(&template);
    if let Some(name) = names.iter().find(|name| !files.contains_key(*name)) {
        return Err(OrchestratorError::NotApplicable(format!(
            "heat does not give the file `{name}` of `{}`: what its nodes boot with would be lost",
            record.name
        )));
    }
    Ok(StackSource {
        template,
        files,
        groups: from.groups.clone(),
    })
}
