//! From what is granted to the sizes that the cluster runs with, or to the problems that stand in the
//! way, in words. It knows grants and the arithmetic of [`memory`], and no file of Hadoop.

use stampede_framework::{Grant, Problem, grants_of, problem};

use crate::{
    daemons::{
        DATANODE, JOBHISTORY, LARGEST_JOBHISTORY, LARGEST_NAMENODE, LARGEST_RESOURCEMANAGER,
        NAMENODE, NAMENODE_JVMS, NODEMANAGER, RESOURCEMANAGER,
    },
    memory::{self, ContainerMemory, ContainerRoom, ContainerWishes, SPARK_CONTAINER},
    settings::HadoopSettings,
};

/// Tasks wait for disks and for one another: a processor carries two. With one, the smallest
/// worker, of one processor, could not run an `ApplicationMaster` and its task.
const VCORES_PER_VCPU: u32 = 2;

/// What the user wishes of containers.
pub fn container_wishes(settings: &HadoopSettings) -> ContainerWishes {
    ContainerWishes {
        granted: settings.nodemanager_memory_mib,
        minimum: settings.minimum_allocation_mib,
        maximum: settings.maximum_allocation_mib,
        map: settings.map_memory_mib,
        reduce: settings.reduce_memory_mib,
        master: settings.am_memory_mib,
    }
}

/// What the NodeManagers of a group offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupContainers {
    /// The group.
    pub group: String,
    /// Memory for containers, in MiB.
    pub granted: u32,
    /// `VCORES_PER_VCPU` for each of the node's processors.
    pub vcores: u32,
    /// The disk that HDFS and YARN write to, in GiB; 0: not known.
    pub disk_gib: u32,
}

/// The sizes of YARN's containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YarnSizes {
    /// Of one container of each kind.
    pub containers: ContainerMemory,
    /// What each group offers.
    pub groups: Vec<GroupContainers>,
}

impl YarnSizes {
    /// What a group offers, if it runs containers.
    pub fn of_group(&self, group: &str) -> Option<&GroupContainers> {
        self.groups.iter().find(|one| one.group == group)
    }

    /// The most virtual cores that one container can have.
    pub fn most_vcores(&self) -> u32 {
        self.groups.iter().map(|one| one.vcores).max().unwrap_or(1)
    }
}

/// The heap of a daemon with this grant, in MiB; what the user set wins.
pub fn heap_mib(grant: &Grant, settings: &HadoopSettings) -> u32 {
    let memory_mib = grant.memory_mib;
    let computed = |jvms, largest| memory::daemon_heap(memory_mib, jvms, largest);
    match grant.component.as_str() {
        NAMENODE => settings
            .namenode_heap_mib
            .unwrap_or_else(|| computed(NAMENODE_JVMS, LARGEST_NAMENODE)),
        DATANODE => settings
            .datanode_heap_mib
            .unwrap_or_else(|| memory::datanode_heap(memory_mib)),
        RESOURCEMANAGER => settings
            .resourcemanager_heap_mib
            .unwrap_or_else(|| computed(1, LARGEST_RESOURCEMANAGER)),
        NODEMANAGER => share_of_nodemanager(grant, settings).0,
        JOBHISTORY => settings
            .historyserver_heap_mib
            .unwrap_or_else(|| computed(1, LARGEST_JOBHISTORY)),
        _ => 0,
    }
}

fn share_of_nodemanager(grant: &Grant, settings: &HadoopSettings) -> (u32, u32) {
    let HadoopSettings {
        nodemanager_heap_mib,
        nodemanager_memory_mib,
        ..
    } = settings;
    memory::share_nodemanager(
        grant.memory_mib,
        *nodemanager_heap_mib,
        *nodemanager_memory_mib,
    )
}

/// Computes the sizes of containers; what the user set wins. `count` NodeManagers there are.
///
/// # Errors
/// All problems at once.
pub fn compute_sizes(
    grants: &[Grant],
    settings: &HadoopSettings,
    count: usize,
) -> Result<YarnSizes, Vec<Problem>> {
    let own: Vec<&Grant> = grants_of(grants, NODEMANAGER).collect();
    let rooms: Vec<ContainerRoom> = own
        .iter()
        .map(|grant| ContainerRoom {
            available: share_of_nodemanager(grant, settings).1,
            vcpus: grant.vcpus,
        })
        .collect();
    let containers = memory::share_containers(&rooms, &container_wishes(settings));
    let problems = check_containers(&containers, count);
    if !problems.is_empty() {
        return Err(problems);
    }
    let groups = own.iter().zip(&containers.granted);
    let groups = groups.map(|(grant, granted)| GroupContainers {
        group: grant.group.clone(),
        granted: *granted,
        vcores: grant.vcpus.max(1).saturating_mul(VCORES_PER_VCPU),
        disk_gib: if grant.volume_gib > 0 {
            grant.volume_gib
        } else {
            grant.disk_gib
        },
    });
    Ok(YarnSizes {
        groups: groups.collect(),
        containers,
    })
}

/// What was set that leaves Spark no container.
pub fn check_spark(settings: &HadoopSettings) -> Vec<Problem> {
    let pair = 2 * SPARK_CONTAINER;
    let (granted, largest) = (
        settings.nodemanager_memory_mib,
        settings.maximum_allocation_mib,
    );
    let mut problems = Vec::new();
    for (name, set, least, what) in [
        (
            "nodemanager_memory_mib",
            granted,
            pair,
            "a driver and an executor of Spark's",
        ),
        (
            "maximum_allocation_mib",
            largest,
            SPARK_CONTAINER,
            "a driver of Spark's",
        ),
    ] {
        if let Some(set) = set.filter(|set| *set < least) {
            problems.push(problem(
                format!("hadoop.{name}"),
                format!("{set} MiB do not hold {what}, which take {least}"),
                format!("at least {least}, or leave it out"),
            ));
        }
    }
    problems
}

/// Whether YARN can run a job with these sizes: each container fits, and one worker holds an
/// ApplicationMaster and a task beside each other.
fn check_containers(got: &ContainerMemory, count: usize) -> Vec<Problem> {
    const MANAGER: &str = "a NodeManager grants";
    const CONTAINER: &str = "the largest container has";
    let mut problems = Vec::new();
    let granted = got.granted.iter().copied().max().unwrap_or(0);
    for (name, value, most, of) in [
        (
            "minimum_allocation_mib",
            got.minimum,
            got.least_granted(),
            MANAGER,
        ),
        ("maximum_allocation_mib", got.maximum, granted, MANAGER),
        ("map_memory_mib", got.map, got.maximum, CONTAINER),
        ("reduce_memory_mib", got.reduce, got.maximum, CONTAINER),
        ("am_memory_mib", got.master, got.maximum, CONTAINER),
    ] {
        if value > most {
            problems.push(problem(
                format!("hadoop.{name}"),
                format!("{value} MiB are more than the {most} MiB that {of}"),
                "take less, or workers of a larger flavor",
            ));
        }
    }
    let task = got.map.max(got.reduce);
    if problems.is_empty()
        && count == 1
        && u64::from(got.master) + u64::from(task) > u64::from(granted)
    {
        problems.push(problem(
            "hadoop.am_memory_mib",
            format!(
                "an ApplicationMaster of {} MiB and a task of {task} MiB do not fit beside each other",
                got.master
            ),
            format!("one worker grants {granted} MiB: take less, or a second worker"),
        ));
    }
    problems
}
