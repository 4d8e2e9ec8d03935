//! Reads what a stack itself tells of its cluster: the parameter that carries a [`StackSnapshot`]
//! as JSON. Anyone in the project can write it, so that it is checked like a request. Pure.

pub(crate) use crate::store::StackSnapshot;
use crate::{
    cluster::{
        ClusterSpec,
        limits::{MAX_GENERATION, MAX_WORKER_ID, MAX_WORKERS},
    },
    openstack::HeatStack,
};

/// The template's parameter that carries the client's attributes as JSON, so that a record can be
/// made again from Heat alone.
pub(crate) const REQUEST_PARAMETER: &str = "stampede_request";

impl StackSnapshot {
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
        let steps = || self.change.iter().flat_map(|change| &change.steps);
        let given_out = &self.notified.nodes;
        let generations = std::iter::once(self.notified.generation)
            .chain(given_out.values().copied())
            .chain(steps().map(|step| step.generation))
            .all(|generation| generation <= MAX_GENERATION);
        let added = self.change.iter().all(|change| few(&change.added));
        // On the way back there are old and new ones at once.
        let workers = steps()
            .map(|step| &step.workers)
            .all(|ids| ids.len() <= 2 * MAX_WORKERS as usize && ids.iter().all(is_id));
        specs.into_iter().all(is_sane) && added && workers && generations
    }
}

fn is_id(id: &u32) -> bool {
    (1..=MAX_WORKER_ID).contains(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{orchestrator::planning::resolve::tests_support::spec, store::NodeNotifications};

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

    #[test]
    fn a_generation_that_leaves_no_room_for_the_next_ones_is_not_read() {
        let read = |generation: u32| {
            let carried = StackSnapshot {
                notified: NodeNotifications {
                    generation,
                    ..NodeNotifications::default()
                },
                ..StackSnapshot::default()
            };
            let text = serde_json::to_string(&carried).unwrap();
            let parameters =
                serde_json::Map::from_iter([(REQUEST_PARAMETER.to_owned(), text.into())]);
            let shown = HeatStack {
                parameters,
                ..HeatStack::default()
            };
            StackSnapshot::from_stack(&shown).notified.generation
        };
        assert_eq!(read(MAX_GENERATION), MAX_GENERATION);
        assert_eq!(read(MAX_GENERATION + 1), 0);
        assert_eq!(read(u32::MAX), 0);
    }
}
