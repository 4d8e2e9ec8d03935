//! What a stack itself tells of its cluster: the parameter that carries the record's core as JSON,
//! so that a host with an empty disk, or another host, can go on from Heat alone. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    cluster::{
        ClusterChange, ClusterSpec, attributes,
        limits::{MAX_WORKER_ID, MAX_WORKERS},
    },
    openstack::HeatStack,
    store::{ClusterRecord, NodeNotifications},
};

/// The template's parameter that carries the client's attributes as JSON, so that a record can be
/// made again from Heat alone.
pub(crate) const REQUEST_PARAMETER: &str = "stampede_request";

/// What a stack carries of its cluster.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct StackSnapshot {
    /// As clients gave them until deploy.
    pub(crate) attributes: BTreeMap<String, String>,
    /// As they came with what is not an update.
    pub(crate) brought: BTreeMap<String, String>,
    /// What was deployed.
    pub(crate) spec: Option<ClusterSpec>,
    /// Endpoint names, each with the output that holds its URL.
    pub(crate) endpoints: BTreeMap<String, String>,
    /// A change that was under way.
    pub(crate) change: Option<ClusterChange>,
    /// What the nodes were told so far.
    pub(crate) told: NodeNotifications,
    /// Why the last change was taken back.
    pub(crate) setback: Option<String>,
}

impl StackSnapshot {
    /// What a stack is to carry of this cluster.
    pub(crate) fn from_record(record: &ClusterRecord) -> Self {
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
    pub(crate) fn from_stack(shown: &HeatStack) -> Self {
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
    pub(crate) fn is_newer(&self, record: &ClusterRecord) -> bool {
        self.told.generation > record.told.generation
    }

    /// Puts it over what the record says; attributes that are not ours are kept.
    pub(crate) fn apply_to(&self, record: &mut ClusterRecord) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orchestrator::planning::resolve::tests_support::spec;

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
