//! How a worker's memory is shared out between the system, Hadoop's daemons and YARN's containers.
//! Arithmetic alone: it knows no request and no file. All sizes in MiB.
//!
//! `avail = ram - reserve - daemons`; `min = clamp(avail / (2 * vcpus), 256, 2048)` in steps of
//! 256; a NodeManager grants `floor(avail / min) * min`. What the user sets wins; the property
//! tests below say what holds for every flavor.

/// What YARN needs at least, in MiB: an ApplicationMaster and one task of the smallest size.
pub const LEAST_GRANTED: u32 = 512;
/// Containers come in multiples of this.
const STEP: u32 = 256;
/// The largest unit of allocation that is chosen unasked.
const LARGEST_MIN: u32 = 2048;
const SMALLEST_HEAP: u32 = 256;
const LARGEST_WORKER_HEAP: u32 = 1024;
/// What the master's four processes need at least: NameNode, ResourceManager, history server, and
/// the checkpoint.
#[cfg(test)]
pub const LEAST_MASTER: u32 = 4 * SMALLEST_HEAP;

/// Up to so much memory, so much is kept for the system.
const RESERVES: [(u32, u32); 8] = [
    (4 * 1024, 1024),
    (16 * 1024, 2 * 1024),
    (24 * 1024, 4 * 1024),
    (48 * 1024, 6 * 1024),
    (72 * 1024, 8 * 1024),
    (96 * 1024, 12 * 1024),
    (128 * 1024, 24 * 1024),
    (256 * 1024, 32 * 1024),
];
const LARGEST_RESERVE: u32 = 64 * 1024;

/// What is left of a node's memory for daemons and containers. The reserve rises in steps; just
/// above a step a node keeps what one at the step has, so that more memory never gives less.
pub fn usable_ram(ram: u32) -> u32 {
    let mut best = 0;
    for (upto, reserve) in RESERVES {
        if ram <= upto {
            return best.max(ram.saturating_sub(reserve));
        }
        best = best.max(upto - reserve);
    }
    best.max(ram.saturating_sub(LARGEST_RESERVE))
}

/// What the user set; `None` is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemorySettings {
    /// DataNode's heap.
    pub datanode: Option<u32>,
    /// NodeManager's own heap.
    pub nodemanager: Option<u32>,
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

/// A worker's memory, shared out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerMemory {
    /// DataNode's heap.
    pub datanode: u32,
    /// NodeManager's own heap.
    pub nodemanager: u32,
    /// What is left for containers; `granted` is the part of it that divides evenly.
    pub available: u32,
    /// What the NodeManager grants.
    pub granted: u32,
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

/// Shares out a worker's memory; `taken` is what other frameworks have of it. Never fails:
/// [`WorkerMemory::available`] may be too little, and settings may be impossible, which `problems`
/// reports.
pub fn share_worker(ram: u32, vcpus: u32, taken: u32, wishes: &MemorySettings) -> WorkerMemory {
    let usable = usable_ram(ram).saturating_sub(taken);
    // two sixteenths, rounded apart, so that their sum never rises by more than what there is more
    let datanode = wishes
        .datanode
        .unwrap_or((usable / 16).clamp(SMALLEST_HEAP, LARGEST_WORKER_HEAP));
    let nodemanager = wishes
        .nodemanager
        .unwrap_or((usable.saturating_add(8) / 16).clamp(SMALLEST_HEAP, LARGEST_WORKER_HEAP));
    let available = usable.saturating_sub(datanode.saturating_add(nodemanager));
    let room = wishes.granted.unwrap_or(available);
    let minimum = wishes.minimum.unwrap_or_else(|| {
        ((room / vcpus.max(1).saturating_mul(2)) / STEP * STEP).clamp(STEP, LARGEST_MIN)
    });
    let granted = wishes
        .granted
        .unwrap_or(available / minimum.max(1) * minimum);
    let maximum = wishes.maximum.unwrap_or(granted);
    // three containers of 512 are a job that makes progress on one worker
    let small = if minimum < 512 && maximum >= 3 * 512 {
        512
    } else {
        minimum
    };
    let map = wishes.map.unwrap_or(small);
    let master = wishes.master.unwrap_or(small);
    let beside = granted.saturating_sub(master).min(maximum) / minimum.max(1) * minimum;
    let reduce = wishes
        .reduce
        .unwrap_or(map.saturating_mul(2).min(beside).max(minimum));
    WorkerMemory {
        datanode,
        nodemanager,
        available,
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

/// The heaps of the master's processes: NameNode, ResourceManager, history server, and the
/// checkpoint, which loads what the NameNode holds and so gets as much, whoever chose that: with
/// less it would fail each time, and the journal grow for ever. `None` where the node is too small.
pub fn share_master(ram: u32, taken: u32, wishes: [Option<u32>; 3]) -> Option<[u32; 4]> {
    const CHECKPOINT_WEIGHT: u32 = 3;
    // in the order of their weights, the lightest first, so that the others share what its lower
    // bound leaves
    const WEIGHTS: [(usize, u32, u32); 3] = [(2, 2, 1024), (1, 3, 4 * 1024), (0, 3, 8 * 1024)];
    let mut left = usable_ram(ram).saturating_sub(taken);
    for wish in wishes.into_iter().flatten() {
        left = left.checked_sub(wish)?;
    }
    let set_checkpoint = wishes[0].unwrap_or_default();
    left = left.checked_sub(set_checkpoint)?;
    let mut weights: u32 = WEIGHTS
        .iter()
        .filter(|(index, ..)| wishes[*index].is_none())
        .map(|(_, weight, _)| weight)
        .sum();
    if wishes[0].is_none() {
        weights += CHECKPOINT_WEIGHT;
    }
    let mut heaps = wishes.map(Option::unwrap_or_default);
    for (index, weight, most) in WEIGHTS {
        if wishes[index].is_none() {
            heaps[index] = (left / weights * weight).clamp(SMALLEST_HEAP, most);
            left = left.checked_sub(heaps[index])?;
            weights -= weight;
        }
    }
    let [namenode, resourcemanager, historyserver] = heaps;
    (set_checkpoint == namenode || left >= namenode).then_some([
        namenode,
        resourcemanager,
        historyserver,
        namenode,
    ])
}

/// The largest heap of the NameNode that leaves as much for its checkpoint on such a master;
/// `wishes` are those of [`share_master`], of which the first does not count.
pub fn largest_namenode(ram: u32, taken: u32, wishes: [Option<u32>; 3]) -> u32 {
    let others = wishes[1..].iter().fold(taken, |sum, wish| {
        sum.saturating_add(wish.unwrap_or(SMALLEST_HEAP))
    });
    usable_ram(ram).saturating_sub(others) / 2
}

/// The smallest memory, in steps of 512, of which `enough` says yes; `None` when not even 4 TiB
/// are.
pub fn smallest_ram(enough: impl Fn(u32) -> bool) -> Option<u32> {
    (1..=8192).map(|n| n * 512).find(|ram| enough(*ram))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn computed(ram: u32, vcpus: u32) -> WorkerMemory {
        share_worker(ram, vcpus, 0, &MemorySettings::default())
    }

    #[test]
    fn ordinary_flavors_get_what_a_person_would_give_them() {
        let table = [
            (2048, 2, 512, 256),
            (4096, 2, 2560, 512),
            (8192, 4, 5120, 512),
            (16384, 8, 12288, 768),
            (65536, 8, 55296, 2048),
        ];
        for (ram, vcpus, granted, minimum) in table {
            let got = computed(ram, vcpus);
            assert_eq!(
                (got.granted, got.minimum),
                (granted, minimum),
                "{ram} MiB: {got:?}"
            );
        }
        let four = computed(4096, 2);
        assert_eq!(
            (four.map, four.reduce, four.master, four.maximum),
            (512, 1024, 512, 2560)
        );
        let two = computed(2048, 2);
        assert_eq!(
            (two.map, two.reduce, two.master, two.maximum),
            (256, 256, 256, 512)
        );
    }

    #[test]
    fn the_smallest_worker_and_master_are_two_gibibytes() {
        assert_eq!(
            smallest_ram(|ram| computed(ram, 2).available >= LEAST_GRANTED),
            Some(2048)
        );
        assert!(computed(2047, 2).available < LEAST_GRANTED);
        assert_eq!(
            smallest_ram(|ram| share_master(ram, 0, [None; 3]).is_some()),
            Some(2048)
        );
        assert_eq!(share_master(1024 + LEAST_MASTER - 1, 0, [None; 3]), None);
        assert!(share_master(1024 + LEAST_MASTER, 0, [None; 3]).is_some());
    }

    #[test]
    fn what_the_user_sets_is_taken_as_it_is() {
        let wishes = MemorySettings {
            granted: Some(3000),
            minimum: Some(100),
            map: Some(700),
            datanode: Some(300),
            ..MemorySettings::default()
        };
        let got = share_worker(8192, 4, 0, &wishes);
        assert_eq!(
            (got.granted, got.minimum, got.map, got.datanode, got.maximum),
            (3000, 100, 700, 300, 3000)
        );
        assert_eq!(
            share_master(4096, 0, [Some(1280), None, None]),
            Some([1280, 256, 256, 1280]),
        );
        assert_eq!(
            share_master(4096, 0, [Some(1281), None, None]),
            None,
            "2 * 1281 + 2 * 256 MiB are more than 3072"
        );
        assert_eq!(share_master(4096, 0, [Some(2304), None, None]), None);
    }

    #[test]
    fn the_checkpoint_has_the_namenodes_heap_beside_it() {
        let table = [
            (2048, [256, 256, 256, 256]),
            (4096, [837, 837, 558, 837]),
            (16384, [4608, 4096, 1024, 4608]),
            (65536, [8192, 4096, 1024, 8192]),
        ];
        for (ram, heaps) in table {
            assert_eq!(share_master(ram, 0, [None; 3]), Some(heaps), "{ram} MiB");
        }
        // what the user gives the NameNode is the checkpoint's too, and the others get less
        assert_eq!(
            share_master(8192, 0, [Some(2560), None, None]),
            Some([2560, 615, 408, 2560])
        );
    }

    proptest! {
        #[test]
        fn every_flavor_is_shared_out_soundly(ram in 1_u32..1 << 21, vcpus in 1_u32..512) {
            let got = computed(ram, vcpus);
            prop_assert!(usable_ram(ram) < ram);
            prop_assert!(got.granted <= got.available);
            if got.available >= LEAST_GRANTED {
                prop_assert!(got.granted + got.datanode + got.nodemanager <= usable_ram(ram));
                prop_assert!(got.minimum <= got.granted);
                for request in [got.map, got.reduce, got.master] {
                    prop_assert!(got.minimum <= request && request <= got.maximum);
                    prop_assert_eq!(request % got.minimum, 0);
                    prop_assert!(task_heap(request) < request);
                }
                prop_assert!(got.maximum <= got.granted);
                // a job ends even where there is one worker
                prop_assert!(got.master + got.map.max(got.reduce) <= got.granted);
                // at least a quarter is not wasted by the even division
                prop_assert!(got.granted * 4 >= got.available * 3 || got.available < 1024);
            }
        }

        #[test]
        fn more_memory_never_gives_less(ram in 1_u32..1 << 20, more in 0_u32..1 << 17, vcpus in 1_u32..512) {
            prop_assert!(usable_ram(ram) <= usable_ram(ram + more));
            prop_assert!(computed(ram, vcpus).available <= computed(ram + more, vcpus).available);
            prop_assert!(computed(ram, vcpus).granted <= computed(ram + more, vcpus).granted);
        }

        #[test]
        fn a_namenode_of_any_size_has_a_checkpoint_of_it(ram in 1_u32..1 << 15, taken in 0_u32..2048, set in prop::array::uniform3(prop::option::of(128_u32..1 << 14))) {
            if let Some(heaps) = share_master(ram, taken, set) {
                prop_assert_eq!(heaps[0], heaps[3]);
                prop_assert!(heaps.iter().sum::<u32>() + taken <= usable_ram(ram));
                for (heap, wish) in heaps.iter().zip(set) {
                    prop_assert_eq!(*heap, wish.unwrap_or(*heap));
                }
            }
            let largest = largest_namenode(ram, taken, set);
            let fits = |heap| share_master(ram, taken, [Some(heap), set[1], set[2]]).is_some();
            prop_assert!(largest < 128 || fits(largest));
            prop_assert!(!fits(largest + 1));
        }

        #[test]
        fn the_master_never_gets_more_than_there_is(ram in 1_u32..1 << 15, taken in 0_u32..8192) {
            if let Some(heaps) = share_master(ram, taken, [None; 3]) {
                prop_assert!(heaps.iter().sum::<u32>() + taken <= usable_ram(ram));
            } else {
                prop_assert!(usable_ram(ram).saturating_sub(taken) < LEAST_MASTER);
            }
        }
    }

    #[test]
    fn every_step_of_one_mebibyte_is_monotone() {
        for vcpus in [1, 2, 3, 8, 64] {
            let mut before = 0;
            for ram in 1..300 * 1024 {
                let granted = computed(ram, vcpus).granted;
                assert!(
                    granted >= before,
                    "{ram} MiB, {vcpus} vCPUs: {granted} < {before}"
                );
                before = granted;
            }
        }
    }
}
