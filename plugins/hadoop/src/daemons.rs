//! Hadoop's components: who runs where, and what each takes.

use stampede_framework::{Claims, Component, Need, Request, component, need};

use crate::{
    memory::{BESIDE_HEAP, LARGEST_WORKER_HEAP, LEAST_GRANTED, LEAST_WITH_SPARK, SMALLEST_HEAP},
    settings::HadoopSettings,
    sizing::container_wishes,
};

/// Commands and configuration, wherever people or other frameworks work.
pub const CLIENT: &str = "hadoop_client";
/// HDFS's names.
pub const NAMENODE: &str = "namenode";
/// HDFS's blocks.
pub const DATANODE: &str = "datanode";
/// YARN's scheduler.
pub const RESOURCEMANAGER: &str = "resourcemanager";
/// YARN's containers.
pub const NODEMANAGER: &str = "nodemanager";
/// The history of MapReduce jobs.
pub const JOBHISTORY: &str = "jobhistory";

/// HDFS RPC.
pub const NAMENODE_RPC: u16 = 8020;
/// The NameNode's web page.
pub const NAMENODE_WEB: u16 = 9870;
/// What clients of YARN speak to.
pub const RESOURCEMANAGER_RPC: u16 = 8032;
/// The ResourceManager's web page.
pub const RESOURCEMANAGER_WEB: u16 = 8088;
/// The history server's RPC.
pub const JOBHISTORY_RPC: u16 = 10_020;
/// The history server's web page.
pub const JOBHISTORY_WEB: u16 = 19_888;
/// What NodeManagers are known by.
pub const NODEMANAGER_RPC: u16 = 8041;

/// The largest heaps that are chosen unasked, in MiB.
pub const LARGEST_NAMENODE: u32 = 8 * 1024;
/// The ResourceManager's.
pub const LARGEST_RESOURCEMANAGER: u32 = 4 * 1024;
/// The history server's.
pub const LARGEST_JOBHISTORY: u32 = 1024;

/// The NameNode, and its checkpoint beside it.
pub const NAMENODE_JVMS: u32 = 2;

/// The software, and room for it to be unpacked.
const SOFTWARE_GIB: u32 = 2;
/// What a daemon keeps at first.
const DATA_GIB: u32 = 1;

/// Where each goes. There is one of each on the master; the state of HDFS lies on one node.
pub fn components() -> [Component; 6] {
    let single = |name: &str| component(name, &["master"]).on_nodes(1).at_most(1);
    [
        component(CLIENT, &["*"]),
        single(NAMENODE),
        component(DATANODE, &["worker"]),
        single(RESOURCEMANAGER),
        component(NODEMANAGER, &["worker", "compute"]),
        single(JOBHISTORY),
    ]
}

/// What each takes of its nodes: leasts of the smallest node that runs a job, and weights by which
/// more memory is shared. With Spark the containers are larger.
pub fn claims(settings: &HadoopSettings, has_spark: bool) -> Claims {
    let daemon = |name: &str, jvms: u32, wish: Option<u32>, largest: u32| {
        let of = |heap: u32| jvms.saturating_mul(heap.saturating_add(BESIDE_HEAP));
        need(name)
            .least(of(wish.unwrap_or(SMALLEST_HEAP)))
            .most(of(wish.unwrap_or(largest)))
    };
    let datanode = settings.datanode_heap_mib.unwrap_or(SMALLEST_HEAP);
    Claims::of([
        need(CLIENT).disk(SOFTWARE_GIB),
        daemon(
            NAMENODE,
            NAMENODE_JVMS,
            settings.namenode_heap_mib,
            LARGEST_NAMENODE,
        )
        .weight(3 * NAMENODE_JVMS)
        .disk(DATA_GIB)
        .ports(&[NAMENODE_RPC, NAMENODE_WEB]),
        // without a bound: what its heap does not take is the page cache of its node
        need(DATANODE)
            .least(datanode.saturating_add(BESIDE_HEAP))
            .weight(1)
            .disk(DATA_GIB)
            .ports(&[9864, 9866, 9867]),
        daemon(
            RESOURCEMANAGER,
            1,
            settings.resourcemanager_heap_mib,
            LARGEST_RESOURCEMANAGER,
        )
        .weight(3)
        .ports(&[8030, 8031, RESOURCEMANAGER_RPC, 8033, RESOURCEMANAGER_WEB]),
        nodemanager(settings, has_spark),
        daemon(
            JOBHISTORY,
            1,
            settings.historyserver_heap_mib,
            LARGEST_JOBHISTORY,
        )
        .weight(2)
        .ports(&[JOBHISTORY_RPC, 10_033, JOBHISTORY_WEB]),
    ])
}

/// Its heap, and its containers.
fn nodemanager(settings: &HadoopSettings, has_spark: bool) -> Need {
    let wishes = container_wishes(settings);
    let with = |heap: u32, containers: u32| {
        let heap = settings.nodemanager_heap_mib.unwrap_or(heap);
        heap.saturating_add(BESIDE_HEAP).saturating_add(containers)
    };
    let unasked = if has_spark {
        LEAST_WITH_SPARK
    } else {
        LEAST_GRANTED
    };
    let least = with(SMALLEST_HEAP, wishes.least_granted(unasked));
    let most = wishes
        .granted
        .map_or(0, |granted| with(LARGEST_WORKER_HEAP, granted));
    need(NODEMANAGER)
        .least(least)
        .most(most)
        .weight(8)
        .disk(DATA_GIB)
        // localizer, containers, web page, MapReduce's shuffle
        .ports(&[8040, NODEMANAGER_RPC, 8042, 13_562])
}

/// Who runs where, as the files need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonNodes<'a> {
    /// The NameNode's node.
    pub namenode: &'a str,
    /// The ResourceManager's node.
    pub resourcemanager: &'a str,
    /// The history server's node.
    pub jobhistory: &'a str,
    /// How many NodeManagers there are.
    pub nodemanagers: usize,
}

impl<'a> DaemonNodes<'a> {
    /// Those of a request.
    pub fn of(request: &'a Request) -> Self {
        let first = |name: &str| request.first_node(name).unwrap_or_default();
        Self {
            namenode: first(NAMENODE),
            resourcemanager: first(RESOURCEMANAGER),
            jobhistory: first(JOBHISTORY),
            nodemanagers: request.members(NODEMANAGER).len(),
        }
    }
}
