//! Clusters that the store does not know, made again from what their stacks carry: tags and the
//! parameter of [`stack::REQUEST_PARAMETER`]. For a host that starts on an empty disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Caller, Context, OrchestratorError,
    cluster_registry::{lock_mutex, now_s},
    reconcile,
    stack_request::{self, REQUEST_PARAMETER, TAG},
};
use crate::{
    cluster::{
        ClusterChange, ClusterSpec, DesiredState, LifecyclePhase, attributes,
        limits::{MAX_WORKER_ID, MAX_WORKERS},
    },
    openstack::HeatStack,
    store::{ClusterRecord, NodeNotifications, ObservedState},
};

/// What a stack carries of its cluster.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct StackSnapshot {
    /// As clients gave them until deploy.
    pub(super) attributes: BTreeMap<String, String>,
    /// As they came with what is not an update.
    pub(super) brought: BTreeMap<String, String>,
    /// What was deployed.
    pub(super) spec: Option<ClusterSpec>,
    /// Endpoint names, each with the output that holds its URL.
    pub(super) endpoints: BTreeMap<String, String>,
    /// A change that was under way.
    pub(super) change: Option<ClusterChange>,
    /// What the nodes were told so far.
    pub(super) told: NodeNotifications,
    /// Why the last change was taken back.
    pub(super) setback: Option<String>,
}

impl StackSnapshot {
    /// What a stack is to carry of this cluster.
    pub(super) fn from_record(record: &ClusterRecord) -> Self {
        Self {
            attributes: record.attributes.clone(),
            brought: record.brought.clone(),
            spec: record.spec.clone(),
            endpoints: record.endpoints.clone(),
            change: record.change.clone(),
            told: record.told.clone(),
            setback: record.setback.clone(),
        }
    }

    /// What this stack carries.
    pub(super) fn from_stack(shown: &HeatStack) -> Self {
        let text = shown
            .parameters
            .get(REQUEST_PARAMETER)
            .and_then(|value| value.as_str());
        let carried: Self = text
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        if carried.is_sane() {
            carried
        } else {
            Self::default()
        }
    }

    /// Anyone in the project can write what a stack carries: what no request could have led to is
    /// not ours.
    fn is_sane(&self) -> bool {
        let few = |ids: &[u32]| ids.len() <= MAX_WORKERS as usize && ids.iter().all(is_id);
        let is_sane = |spec: &ClusterSpec| {
            spec.workers <= MAX_WORKERS && spec.ids_given <= MAX_WORKER_ID && few(&spec.worker_ids)
        };
        let specs = self
            .spec
            .iter()
            .chain(self.change.iter().map(|change| &change.to));
        let steps = self.change.iter().flat_map(|change| &change.steps);
        let added = self.change.iter().all(|change| few(&change.added));
        // On the way back there are old and new ones at once.
        let workers = steps
            .map(|step| &step.workers)
            .all(|ids| ids.len() <= 2 * MAX_WORKERS as usize && ids.iter().all(is_id));
        specs.into_iter().all(is_sane) && added && workers
    }

    /// Whether it tells of steps that this record knows nothing of.
    pub(super) fn is_newer(&self, record: &ClusterRecord) -> bool {
        self.told.generation > record.told.generation
    }

    /// Puts it over what the record says; attributes that are not ours are kept.
    pub(super) fn apply_to(&self, record: &mut ClusterRecord) {
        record
            .attributes
            .retain(|name, _| !attributes::is_ours(name));
        record.attributes.extend(self.attributes.clone());
        record.spec.clone_from(&self.spec);
        record.endpoints.clone_from(&self.endpoints);
        record.change.clone_from(&self.change);
        if let Some(change) = &mut record.change {
            let foreign = record
                .attributes
                .iter()
                .filter(|(name, _)| !attributes::is_ours(name));
            change
                .attributes
                .extend(foreign.map(|(name, value)| (name.clone(), value.clone())));
        }
        record.told.clone_from(&self.told);
        record.setback.clone_from(&self.setback);
        record.stuck = None;
    }
}

fn is_id(id: &u32) -> bool {
    (1..=MAX_WORKER_ID).contains(id)
}

/// Looks once in a process's life for clusters in the project that a host of our name has made and
/// the store does not know.
///
/// # Errors
/// Heat cannot be asked: then nobody can say that a cluster is not there.
pub(super) async fn recover_project(
    inner: &Context,
    caller: &Caller,
) -> Result<(), OrchestratorError> {
    let project = caller.project_id();
    if lock_mutex(&inner.recovered).contains(project) {
        return Ok(());
    }
    let known: Vec<String> = inner
        .book
        .list_project(project)
        .await?
        .iter()
        .map(|entity| entity.record().id.clone())
        .collect();
    let mut stacks = caller
        .session
        .stacks_by_tag(&[TAG, &stack_request::host_tag(&inner.host)])
        .await?;
    // Of two of one name, the later one is the living one.
    stacks.sort_by(|a, b| b.created.cmp(&a.created));
    for listed in &stacks {
        if known
            .iter()
            .any(|id| listed.name.ends_with(&stack_request::short_id(id)))
        {
            continue;
        }
        let shown = caller.session.show_stack(&listed.stack_id()).await?;
        let Some(record) =
            record_from_stack(&shown, caller).filter(|record| !known.contains(&record.id))
        else {
            continue;
        };
        let (id, name) = (record.id.clone(), record.name.clone());
        let Some(entity) = inner.book.insert(record).await? else {
            continue;
        };
        tracing::info!(cluster.id = %id, stack.id = %shown.id, "found `{name}` again by its stack, which is {}", shown.status);
        // Somebody asked for a delete or a change: it is seen to its end.
        if let Some(inner) = inner
            .me
            .upgrade()
            .filter(|_| reconcile::needs_reconcile(&entity.record()))
        {
            reconcile::spawn_worker(&inner, &entity);
        }
    }
    lock_mutex(&inner.recovered).insert(project.to_owned());
    Ok(())
}

/// The record that this stack tells of, if it is one of ours.
fn record_from_stack(shown: &HeatStack, caller: &Caller) -> Option<ClusterRecord> {
    let tag = |prefix: &str| {
        shown
            .tags
            .iter()
            .find_map(|tag| tag.strip_prefix(prefix))
            .map(str::to_owned)
    };
    let (id, name) = (
        tag("stampede.cluster.")?,
        tag("stampede.name.").filter(|name| attributes::is_name(name))?,
    );
    let carried = StackSnapshot::from_stack(shown);
    let wish = if shown.status.starts_with("DELETE_") {
        DesiredState::Delete
    } else {
        DesiredState::Deploy
    };
    Some(ClusterRecord {
        id,
        project_id: caller.project_id().to_owned(),
        project_name: caller.project_name().to_owned(),
        name,
        created_s: now_s(),
        updated_s: now_s(),
        revision: 1,
        attributes: carried.attributes,
        brought: carried.brought,
        spec: carried.spec,
        phase: LifecyclePhase::Deployed,
        acknowledged: true,
        wish,
        owner: None,
        stack_name: shown.name.clone(),
        stack_id: Some(shown.id.clone()),
        region: caller.session.region().to_owned(),
        create_sent_s: None,
        deletes: 0,
        endpoints: carried.endpoints,
        stuck: None,
        change: carried.change,
        told: carried.told,
        setback: carried.setback,
        seen: ObservedState {
            status: Some(shown.status.clone()),
            reason: shown.status_reason.clone(),
            ..ObservedState::default()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orchestrator::resolve::tests_support::spec;

    fn read(spec: ClusterSpec) -> Option<ClusterSpec> {
        let carried = StackSnapshot {
            spec: Some(spec),
            ..StackSnapshot::default()
        };
        let text = serde_json::to_string(&carried).unwrap();
        let parameters = serde_json::Map::from_iter([(REQUEST_PARAMETER.to_owned(), text.into())]);
        StackSnapshot::from_stack(&HeatStack {
            parameters,
            ..HeatStack::default()
        })
        .spec
    }

    #[test]
    fn what_no_request_could_have_led_to_is_not_read() {
        assert!(
            read(ClusterSpec {
                workers: MAX_WORKERS,
                ..spec()
            })
            .is_some()
        );
        assert_eq!(
            read(ClusterSpec {
                workers: MAX_WORKERS + 1,
                ..spec()
            }),
            None
        );
        assert_eq!(
            read(ClusterSpec {
                workers: u32::MAX,
                ..spec()
            }),
            None,
            "its ids would fill the memory"
        );
        assert!(
            read(ClusterSpec {
                worker_ids: vec![1, MAX_WORKER_ID],
                ..spec()
            })
            .is_some()
        );
        assert_eq!(
            read(ClusterSpec {
                worker_ids: vec![0],
                ..spec()
            }),
            None
        );
        assert_eq!(
            read(ClusterSpec {
                worker_ids: vec![MAX_WORKER_ID + 1],
                ..spec()
            }),
            None
        );
        assert_eq!(
            read(ClusterSpec {
                worker_ids: vec![1; MAX_WORKERS as usize + 1],
                ..spec()
            }),
            None
        );
        assert_eq!(
            read(ClusterSpec {
                ids_given: MAX_WORKER_ID + 1,
                ..spec()
            }),
            None
        );
    }
}
