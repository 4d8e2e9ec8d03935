//! How much memory and how many processors executors, drivers and workers have. Pure.

use std::collections::BTreeMap;

use stampede_framework::{Grant, Problem, Request, problem};

use crate::settings::{LEAST_HEAP_MIB, SparkSettings};

/// What a JVM takes beside its heap, in MiB.
pub(crate) const JVM_MIB: u32 = 128;
/// The heap of a daemon that is given no more, in MiB.
pub(crate) const DAEMON_HEAP_MIB: u32 = 256;
/// What a driver or an executor takes beside its heap at least, Python's processes among it. Spark
/// itself says 384 for any, of which small ones use two thirds.
pub(crate) const OVERHEAD_MIB: u32 = 256;
/// The smallest driver or executor with all that it takes.
pub(crate) const LEAST_PROCESS_MIB: u32 = LEAST_HEAP_MIB + OVERHEAD_MIB;
/// Standalone: what a worker takes for itself.
pub(crate) const WORKER_DAEMON_MIB: u32 = DAEMON_HEAP_MIB + JVM_MIB;
/// Executors below twice this are not divided.
const SMALL_EXECUTOR_MIB: u32 = 2_048;
/// Executors above twice this are divided.
const LARGE_EXECUTOR_MIB: u32 = 4_096;
/// Nodes with less have small drivers.
const LARGE_NODE_MIB: u32 = 4_096;
/// The heap of a driver on a large node.
const LARGE_DRIVER_MIB: u32 = 1_024;
/// What is taken beside a heap comes in steps of this, and containers where nobody says more.
const STEP_MIB: u32 = 128;

/// What processes of applications have unless they say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessSizes {
    /// Heap of an executor.
    pub executor_mib: u32,
    /// What an executor takes beside it: Python's processes above all. Of YARN alone.
    pub executor_overhead_mib: u32,
    /// Tasks of an executor at a time.
    pub executor_cores: u32,
    /// Heap of a driver.
    pub driver_mib: u32,
    /// What a driver takes beside it.
    pub driver_overhead_mib: u32,
}

/// On how many executors a node's memory is shared: 2 to 4 GiB for each, and a processor at least.
fn executors_of(memory_mib: u32, vcpus: u32) -> u32 {
    let executors = (memory_mib / LARGE_EXECUTOR_MIB).max((memory_mib / SMALL_EXECUTOR_MIB).min(2));
    executors.clamp(1, vcpus.max(1))
}

fn overhead_of(total_mib: u32) -> u32 {
    OVERHEAD_MIB.max(total_mib / 8).next_multiple_of(STEP_MIB)
}

fn driver_heap(settings: &SparkSettings, node_mib: u32) -> u32 {
    let unasked = if node_mib < LARGE_NODE_MIB {
        LEAST_HEAP_MIB
    } else {
        LARGE_DRIVER_MIB
    };
    settings.driver_memory_mib.unwrap_or(unasked)
}

/// What YARN gives: to each node of a group, in multiples of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YarnContainers {
    /// MiB and processors of a node, by group.
    pub groups: BTreeMap<String, (u32, u32)>,
    /// What a container's MiB are a multiple of.
    pub unit_mib: u32,
}

impl YarnContainers {
    /// By the attributes of the service `yarn`.
    pub(crate) fn read(request: &Request) -> Result<Self, Vec<Problem>> {
        let text = request.attribute("yarn", "containers").unwrap_or("{}");
        let unit = request.attribute("yarn", "unit_mib");
        let groups = serde_json::from_str(text).map_err(|error| {
            let message = format!("cannot read what YARN gives to containers: {error}");
            vec![problem("framework", message, "")]
        })?;
        let unit_mib = unit.and_then(|unit| unit.parse().ok()).unwrap_or(STEP_MIB);
        Ok(Self {
            groups,
            unit_mib: unit_mib.max(1),
        })
    }

    /// A container that holds this much.
    fn container(&self, mib: u32) -> u32 {
        mib.next_multiple_of(self.unit_mib)
    }
}

/// On YARN: an executor fits beside a driver on the smallest node, so that any cluster runs any
/// application.
pub(crate) fn size_on_yarn(
    settings: &SparkSettings,
    yarn: &YarnContainers,
) -> Result<ProcessSizes, Vec<Problem>> {
    let smallest = yarn.groups.iter().min_by_key(|(_, (memory, _))| *memory);
    let Some((group, (memory_mib, _))) = smallest else {
        let message = "there is no node that YARN has containers on";
        let hint = "give a group nodes that compute";
        return Err(vec![problem("framework", message, hint)]);
    };
    let vcpus = yarn.groups.values().map(|(_, vcpus)| *vcpus).min();
    let vcpus = vcpus.unwrap_or(1);
    let driver_mib = driver_heap(settings, *memory_mib);
    let driver_overhead_mib = overhead_of(driver_mib);
    let driver = yarn.container(driver_mib + driver_overhead_mib);
    let free = memory_mib.saturating_sub(driver);
    let executors = executors_of(free, vcpus);
    let total = free / executors / yarn.unit_mib * yarn.unit_mib;
    let overhead = overhead_of(settings.executor_memory_mib.unwrap_or(total));
    let asked = settings.executor_memory_mib;
    let executor_mib = asked.unwrap_or_else(|| total.saturating_sub(overhead).max(LEAST_HEAP_MIB));
    let needed = yarn.container(executor_mib + overhead);
    if needed > free {
        let path = match (asked, settings.driver_memory_mib) {
            (Some(_), _) => "spark.executor_memory_mib".to_owned(),
            (None, Some(_)) => "spark.driver_memory_mib".to_owned(),
            (None, None) => format!("{group}.flavor"),
        };
        let message = format!(
            "a node of `{group}` gives containers {memory_mib} MiB, a driver takes {driver} and an executor beside it {needed}"
        );
        let hint = if path.starts_with("spark.") {
            "take less, or a flavor with more memory"
        } else {
            "take a flavor with more memory"
        };
        return Err(vec![problem(path, message, hint)]);
    }
    Ok(ProcessSizes {
        executor_mib,
        executor_overhead_mib: overhead,
        executor_cores: settings
            .executor_cores
            .unwrap_or_else(|| (vcpus / executors).max(1)),
        driver_mib,
        driver_overhead_mib,
    })
}

/// Standalone: what a worker gives to executors' heaps, of what it is granted.
pub(crate) fn worker_mib(settings: &SparkSettings, grant: &Grant) -> u32 {
    let usable = grant.memory_mib.saturating_sub(WORKER_DAEMON_MIB);
    let unasked = usable.saturating_sub(OVERHEAD_MIB.max(usable / 4));
    settings.worker_memory_mib.unwrap_or(unasked)
}

/// Standalone: what a worker takes at least, and at most where that was said.
pub(crate) fn worker_need_mib(settings: &SparkSettings) -> (u32, u32) {
    let all = |heaps: u32| WORKER_DAEMON_MIB + heaps + OVERHEAD_MIB.max(heaps.div_ceil(3));
    settings
        .worker_memory_mib
        .map_or((all(LEAST_HEAP_MIB), 0), |heaps| (all(heaps), all(heaps)))
}

/// Standalone: executors fit on the smallest worker.
pub(crate) fn size_standalone(
    settings: &SparkSettings,
    workers: &[&Grant],
) -> Result<ProcessSizes, Vec<Problem>> {
    let smallest = workers
        .iter()
        .map(|grant| worker_mib(settings, grant))
        .min();
    let memory_mib = smallest.unwrap_or(LEAST_HEAP_MIB);
    let vcpus = workers.iter().map(|grant| grant.vcpus).min().unwrap_or(1);
    let executors = executors_of(memory_mib, vcpus);
    let executor_mib = settings
        .executor_memory_mib
        .unwrap_or_else(|| (memory_mib / executors).max(LEAST_HEAP_MIB));
    if executor_mib > memory_mib {
        let message = format!(
            "the smallest worker gives executors {memory_mib} MiB, one is to take {executor_mib}"
        );
        let hint = format!("take at most {memory_mib}, or a flavor with more memory");
        return Err(vec![problem("spark.executor_memory_mib", message, hint)]);
    }
    let driver_mib = driver_heap(settings, memory_mib);
    Ok(ProcessSizes {
        executor_mib,
        executor_overhead_mib: 0,
        executor_cores: settings
            .executor_cores
            .unwrap_or((vcpus / executors).max(1)),
        driver_mib,
        driver_overhead_mib: overhead_of(driver_mib),
    })
}
