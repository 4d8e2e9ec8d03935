//! How Hadoop's memory is shared out: what each daemon takes at least and at most, and what becomes of
//! what it is granted. Arithmetic alone: it knows no request and no file. All sizes in MiB.
//!
//! The host shares a node's memory among the components of all frameworks, by their leasts and
//! weights; what a daemon is granted holds its heap and what its JVM takes beside it. A NodeManager
//! grants the rest to containers: `min = clamp(rest / (2 * vcpus), 256, 2048)` in steps of 256, the
//! same for all groups, and `floor(rest / min) * min` in each. What the user sets wins; the property
//! tests below say what holds for every grant.

/// What a JVM takes beside its heap.
pub const BESIDE_HEAP: u32 = 128;
/// The smallest heap that is chosen unasked.
pub const SMALLEST_HEAP: u32 = 256;
/// What YARN needs at least: an ApplicationMaster and one task of the smallest size.
pub const LEAST_GRANTED: u32 = 512;
/// The smallest container of a driver or an executor of Spark: 512 of heap, and Python beside it.
pub const SPARK_CONTAINER: u32 = 768;
/// What YARN needs at least where Spark runs on it: a driver and an executor beside each other on
/// each node, whatever the unit is that containers come in.
pub const LEAST_WITH_SPARK: u32 = 2048;
/// Containers come in multiples of this.
const STEP: u32 = 256;
/// The largest unit of allocation that is chosen unasked.
const LARGEST_MIN: u32 = 2048;
/// The largest heap of a daemon of a worker's that is chosen unasked.
pub const LARGEST_WORKER_HEAP: u32 = 1024;

/// The heap of a daemon that is granted this much for as many JVMs of one size: the NameNode's
/// checkpoint loads what the NameNode holds and so gets as much, whoever chose that: with less it
/// would fail each time, and the journal grow for ever.
pub fn daemon_heap(grant: u32, jvms: u32, largest: u32) -> u32 {
    (grant / jvms.max(1))
        .saturating_sub(BESIDE_HEAP)
        .min(largest)
}

/// The heap of a DataNode: half of what it is granted, since the other half is the page cache that
/// HDFS lives on.
pub fn datanode_heap(grant: u32) -> u32 {
    (grant.saturating_sub(BESIDE_HEAP) / 2).clamp(SMALLEST_HEAP, LARGEST_WORKER_HEAP)
}

/// A NodeManager's own heap, and what is left of its grant for containers.
pub fn share_nodemanager(grant: u32, heap: Option<u32>, granted: Option<u32>) -> (u32, u32) {
    let usable = grant.saturating_sub(BESIDE_HEAP);
    let heap = heap.unwrap_or_else(|| {
        let room = granted.map_or(usable / 16, |granted| usable.saturating_sub(granted));
        room.clamp(SMALLEST_HEAP, LARGEST_WORKER_HEAP)
    });
    (heap, usable.saturating_sub(heap))
}

/// What the user set; `None` is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerWishes {
    /// What a NodeManager grants.
    pub granted: Option<u32>,
    /// The unit of allocation.
    pub minimum: Option<u32>,
    /// The largest container.
    pub maximum: Option<u32>,
    /// A map task's container.
    pub map: Option<u32>,
    /// A reduce task's container.
    pub reduce: Option<u32>,
    /// A MapReduce ApplicationMaster's container.
    pub master: Option<u32>,
}

impl ContainerWishes {
    /// What a NodeManager has to have for containers, so that each that is wished for fits, and no
    /// less than `unasked` where its memory is not said itself.
    pub fn least_granted(&self, unasked: u32) -> u32 {
        let single = [
            self.minimum,
            self.maximum,
            self.map,
            self.reduce,
            self.master,
        ];
        let largest = single.into_iter().flatten().max().unwrap_or(0);
        self.granted.unwrap_or(largest.max(unasked))
    }
}

/// What one NodeManager of a group has for containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContainerRoom {
    /// Its memory.
    pub available: u32,
    /// Its node's processors.
    pub vcpus: u32,
}

/// The sizes of containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerMemory {
    /// What a NodeManager grants, by group, as they were asked for.
    pub granted: Vec<u32>,
    /// The unit of allocation.
    pub minimum: u32,
    /// The largest container.
    pub maximum: u32,
    /// A map task's container.
    pub map: u32,
    /// A reduce task's container.
    pub reduce: u32,
    /// A MapReduce ApplicationMaster's container.
    pub master: u32,
}

impl ContainerMemory {
    /// What the smallest NodeManager grants.
    pub fn least_granted(&self) -> u32 {
        self.granted.iter().copied().min().unwrap_or(0)
    }
}

/// Shares out what there is for containers in each group. Never fails: settings may be impossible,
/// which `sizing` reports.
pub fn share_containers(rooms: &[ContainerRoom], wishes: &ContainerWishes) -> ContainerMemory {
    let unit = |room: &ContainerRoom| {
        let room_mib = wishes.granted.unwrap_or(room.available);
        (room_mib / room.vcpus.max(1).saturating_mul(2) / STEP * STEP).clamp(STEP, LARGEST_MIN)
    };
    let smallest_unit = rooms.iter().map(unit).min().unwrap_or(STEP);
    let minimum = wishes.minimum.unwrap_or(smallest_unit);
    let even = |room: &ContainerRoom| room.available / minimum.max(1) * minimum;
    let granted: Vec<u32> = rooms
        .iter()
        .map(|room| wishes.granted.unwrap_or_else(|| even(room)))
        .collect();
    let largest = granted.iter().copied().max().unwrap_or(0);
    let least = granted.iter().copied().min().unwrap_or(0);
    let maximum = wishes.maximum.unwrap_or(largest);
    // three containers of 512 are a job that makes progress on one worker
    let small = if minimum < 512 && maximum.min(least) >= 3 * 512 {
        512
    } else {
        minimum
    };
    let map = wishes.map.unwrap_or(small);
    let master = wishes.master.unwrap_or(small);
    let beside = least.saturating_sub(master).min(maximum) / minimum.max(1) * minimum;
    let reduce = wishes
        .reduce
        .unwrap_or(map.saturating_mul(2).min(beside).max(minimum));
    ContainerMemory {
        granted,
        minimum,
        maximum,
        map,
        reduce,
        master,
    }
}

/// The heap of a JVM in a container: four fifths, and never so much that the JVM's own memory would
/// not fit beside it.
pub fn task_heap(container: u32) -> u32 {
    (container / 5 * 4)
        .min(container.saturating_sub(STEP / 2))
        .max(64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn computed(rooms: &[(u32, u32)]) -> ContainerMemory {
        let rooms = rooms
            .iter()
            .map(|&(available, vcpus)| ContainerRoom { available, vcpus });
        share_containers(&rooms.collect::<Vec<_>>(), &ContainerWishes::default())
    }

    #[test]
    fn containers_of_a_worker_are_what_a_person_would_give_it() {
        let sizes = |got: &ContainerMemory| {
            (
                got.granted[0],
                got.minimum,
                got.map,
                got.reduce,
                got.master,
                got.maximum,
            )
        };
        for (available, vcpus, expected) in [
            (512, 2, (512, 256, 256, 256, 256, 512)),
            (2560, 2, (2560, 512, 512, 1024, 512, 2560)),
            (12_450, 8, (12_288, 768, 768, 1536, 768, 12_288)),
        ] {
            assert_eq!(sizes(&computed(&[(available, vcpus)])), expected);
        }
    }

    #[test]
    fn groups_have_one_unit_of_allocation_and_each_its_own_memory() {
        let got = computed(&[(2560, 2), (12_450, 8), (3_200, 2)]);
        assert_eq!((got.minimum, got.maximum), (512, 12_288));
        assert_eq!(got.granted, [2560, 12_288, 3_072]);
        assert_eq!(
            (got.map, got.reduce, got.master),
            (512, 1024, 512),
            "by the smallest"
        );
    }

    #[test]
    fn what_the_user_sets_is_taken_as_it_is() {
        let wishes = ContainerWishes {
            granted: Some(3000),
            minimum: Some(100),
            map: Some(700),
            ..ContainerWishes::default()
        };
        let room = ContainerRoom {
            available: 9_000,
            vcpus: 4,
        };
        let got = share_containers(&[room], &wishes);
        assert_eq!(
            (got.granted[0], got.minimum, got.map, got.maximum),
            (3000, 100, 700, 3000)
        );
        assert_eq!(share_nodemanager(4_000, None, Some(3_000)), (872, 3_000));
        assert_eq!(share_nodemanager(4_000, Some(300), None), (300, 3_572));
    }

    #[test]
    fn the_checkpoint_has_the_namenodes_heap_beside_it() {
        for (grant, heap) in [(768, 256), (1_884, 814), (16_640, 8_192), (40_000, 8_192)] {
            assert_eq!(daemon_heap(grant, 2, 8_192), heap);
            assert!(2 * (heap + BESIDE_HEAP) <= grant);
        }
    }

    proptest! {
        #[test]
        fn every_grant_is_shared_out_soundly(
            least in 0_u32..1 << 12,
            rooms in prop::collection::vec((0_u32..1 << 21, 1_u32..512), 1..8),
        ) {
            let least = LEAST_GRANTED + least;
            let rooms: Vec<_> = rooms.iter().map(|&(more, vcpus)| (least + more, vcpus)).collect();
            let got = computed(&rooms);
            for (granted, (available, _)) in got.granted.iter().zip(&rooms) {
                prop_assert!(granted <= available);
                // less than one unit is not granted
                prop_assert!(available - granted < got.minimum);
                prop_assert!(got.minimum <= *granted);
            }
            for request in [got.map, got.reduce, got.master] {
                prop_assert!(got.minimum <= request && request <= got.maximum);
                prop_assert_eq!(request % got.minimum, 0);
                prop_assert!(task_heap(request) < request);
            }
            // a job ends on any single worker
            prop_assert!(got.master + got.map.max(got.reduce) <= got.least_granted());
        }

        #[test]
        fn a_nodemanager_has_its_least_and_more_memory_is_never_less(grant in 896_u32..1 << 20, more in 0_u32..1 << 17) {
            let (heap, rest) = share_nodemanager(grant, None, None);
            prop_assert!(rest >= LEAST_GRANTED);
            prop_assert_eq!(heap + rest + BESIDE_HEAP, grant);
            let (larger_heap, larger_rest) = share_nodemanager(grant + more, None, None);
            prop_assert!(larger_heap >= heap && larger_rest >= rest);
        }

        #[test]
        fn a_driver_and_an_executor_of_sparks_fit_beside_each_other_in_every_group(
            rooms in prop::collection::vec((0_u32..1 << 18, 1_u32..256), 1..8),
        ) {
            let rooms: Vec<_> = rooms.iter().map(|&(more, vcpus)| (LEAST_WITH_SPARK + more, vcpus)).collect();
            let got = computed(&rooms);
            let container = SPARK_CONTAINER.next_multiple_of(got.minimum);
            prop_assert!(2 * container <= got.least_granted(), "{got:?}");
        }

        #[test]
        fn whatever_is_wished_for_fits_into_what_is_claimed(wish in prop::array::uniform5(prop::option::of(64_u32..1 << 14))) {
            let [minimum, maximum, map, reduce, master] = wish;
            let wishes = ContainerWishes { granted: None, minimum, maximum, map, reduce, master };
            prop_assert!(wish.into_iter().flatten().all(|one| one <= wishes.least_granted(LEAST_GRANTED)));
        }
    }
}
