//! From a request to the sizes that the cluster runs with, or to the problems that stand in the
//! way, in words. It knows the request and the arithmetic of [`memory`], and no file of Hadoop.

use stampede_plugin::{NodeGroup, Problem, Request, problem};

use crate::{
    memory::{self, LEAST_GRANTED, MemorySettings, WorkerMemory},
    settings::{HadoopSettings, LEAST_HEAP_MIB},
};

/// Tasks wait for disks and for one another: a processor carries two. With one, the smallest
/// worker, of one processor, could not run an `ApplicationMaster` and its task.
const VCORES_PER_VCPU: u32 = 2;

/// The sizes of one cluster; memory in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterSizes {
    /// Heaps of NameNode, ResourceManager, history server and checkpoint.
    pub master: [u32; 4],
    /// Each worker's shares.
    pub worker: WorkerMemory,
    /// What a worker offers to YARN: `VCORES_PER_VCPU` for each of its processors.
    pub vcores: u32,
    /// A worker's disk that HDFS and YARN write to, in GiB.
    pub disk_gib: u32,
    /// Copies of each block.
    pub replication: u32,
}

/// Computes the sizes; what the user set wins.
///
/// # Errors
/// All problems at once.
pub fn compute_sizes(
    request: &Request,
    settings: &HadoopSettings,
) -> Result<ClusterSizes, Vec<Problem>> {
    let (Some(masters), Some(workers)) = (request.group("master"), request.group("worker")) else {
        return Err(vec![problem(
            "workers",
            "Hadoop needs a master and at least one worker",
            "ask for one worker or more",
        )]);
    };
    let count = u32::try_from(workers.nodes.len()).unwrap_or(u32::MAX);
    let mut problems = Vec::new();
    let master = size_master(request, masters, settings, &mut problems);
    let worker = size_worker(request, workers, settings, count, &mut problems);
    let replication = settings.replication.unwrap_or(count.clamp(1, 3));
    if replication > count {
        problems.push(problem(
            "hadoop.replication",
            format!(
                "{replication} copies of a block need {replication} workers, there are {count}"
            ),
            format!("take at most {count}, or more workers"),
        ));
    }
    if problems.is_empty() {
        Ok(ClusterSizes {
            master,
            worker,
            vcores: workers.flavor.vcpus.max(1).saturating_mul(VCORES_PER_VCPU),
            disk_gib: match settings.data_volume_gib {
                0 => workers.flavor.disk_gib,
                volume => volume,
            },
            replication,
        })
    } else {
        Err(problems)
    }
}

fn size_master(
    request: &Request,
    group: &NodeGroup,
    settings: &HadoopSettings,
    problems: &mut Vec<Problem>,
) -> [u32; 4] {
    let wishes = [
        settings.namenode_heap_mib,
        settings.resourcemanager_heap_mib,
        settings.historyserver_heap_mib,
    ];
    let (ram, taken) = (group.flavor.ram_mib, request.taken_mib("master"));
    memory::share_master(ram, taken, wishes).unwrap_or_else(|| {
        let enough = memory::smallest_ram(|ram| memory::share_master(ram, taken, wishes).is_some());
        let what = match settings.namenode_heap_mib {
            Some(heap) => format!("a NameNode of {heap} MiB, its checkpoint of as much beside it, the ResourceManager and the history server"),
            None => "the heaps of the NameNode and its checkpoint, the ResourceManager and the history server".to_owned(),
        };
        let mut told = too_small("master.flavor", group, &what, enough);
        let largest = memory::largest_namenode(ram, taken, wishes);
        if settings.namenode_heap_mib.is_some() && largest >= LEAST_HEAP_MIB {
            told.hint.push_str(&format!(
                ", or hadoop.namenode_heap_mib of {largest} or less"
            ));
        }
        problems.push(told);
        [0; 4]
    })
}

fn size_worker(
    request: &Request,
    group: &NodeGroup,
    settings: &HadoopSettings,
    count: u32,
    problems: &mut Vec<Problem>,
) -> WorkerMemory {
    let wishes = MemorySettings {
        datanode: settings.datanode_heap_mib,
        nodemanager: settings.nodemanager_heap_mib,
        granted: settings.nodemanager_memory_mib,
        minimum: settings.minimum_allocation_mib,
        maximum: settings.maximum_allocation_mib,
        map: settings.map_memory_mib,
        reduce: settings.reduce_memory_mib,
        master: settings.am_memory_mib,
    };
    let (ram, taken) = (group.flavor.ram_mib, request.taken_mib("worker"));
    let share = |ram| memory::share_worker(ram, group.flavor.vcpus, taken, &wishes);
    let got = share(ram);
    // What the user grants has to fit beside the daemons; what the system keeps is then their own
    // affair.
    let fits = |ram: u32| match wishes.granted {
        Some(granted) => {
            u64::from(granted)
                + u64::from(share(ram).datanode)
                + u64::from(share(ram).nodemanager)
                + u64::from(taken)
                <= u64::from(ram)
        }
        None => share(ram).available >= LEAST_GRANTED,
    };
    if !fits(ram) {
        let what = format!(
            "a DataNode, a NodeManager and {} MiB of containers",
            wishes.granted.unwrap_or(LEAST_GRANTED)
        );
        problems.push(too_small(
            "worker.flavor",
            group,
            &what,
            memory::smallest_ram(fits),
        ));
        return got;
    }
    check_containers(&got, group, count, problems);
    got
}

/// Whether YARN can run a job with these sizes: each container fits, and one worker holds an
/// ApplicationMaster and a task beside each other.
fn check_containers(
    got: &WorkerMemory,
    group: &NodeGroup,
    count: u32,
    problems: &mut Vec<Problem>,
) {
    for (name, value, most, of) in [
        (
            "minimum_allocation_mib",
            got.minimum,
            got.granted,
            "a NodeManager grants",
        ),
        (
            "maximum_allocation_mib",
            got.maximum,
            got.granted,
            "a NodeManager grants",
        ),
        (
            "map_memory_mib",
            got.map,
            got.maximum,
            "the largest container has",
        ),
        (
            "reduce_memory_mib",
            got.reduce,
            got.maximum,
            "the largest container has",
        ),
        (
            "am_memory_mib",
            got.master,
            got.maximum,
            "the largest container has",
        ),
    ] {
        if value > most {
            problems.push(problem(
                format!("hadoop.{name}"),
                format!(
                    "{value} MiB are more than the {most} MiB that {of} on flavor `{}`",
                    group.flavor.name
                ),
                "take less, or workers of a larger flavor",
            ));
        }
    }
    if problems.is_empty()
        && count == 1
        && u64::from(got.master) + u64::from(got.map.max(got.reduce)) > u64::from(got.granted)
    {
        problems.push(problem(
            "hadoop.am_memory_mib",
            format!(
                "an ApplicationMaster of {} MiB and a task of {} MiB do not fit beside each other",
                got.master,
                got.map.max(got.reduce)
            ),
            format!(
                "one worker grants {} MiB: take less, or a second worker",
                got.granted
            ),
        ));
    }
}

fn too_small(path: &str, group: &NodeGroup, what: &str, enough: Option<u32>) -> Problem {
    let hint = match enough {
        Some(ram) => format!("take a flavor with {ram} MiB or more"),
        None => "no flavor has that much: lower the settings".to_owned(),
    };
    problem(
        path,
        format!(
            "flavor `{}` has {} MiB, too little for {what}",
            group.flavor.name, group.flavor.ram_mib
        ),
        hint,
    )
}
