//! The Stampede plugin `spark`: on YARN where the cluster has it, else with a master and workers of
//! its own.
//!
//! Layout, each using only those below it
//! - here: the three functions
//! - `placed`: software, files, units, checks, scripts and endpoints
//! - `configuration`: what applications begin with, and what daemons run with
//! - `sizes`: memory and processors of executors, drivers and workers
//! - `settings`: the parameters; `releases`: the versions
//! - `scripts/`: what nodes run; they read `/etc/spark/cluster.env`

mod configuration;
mod placed;
mod releases;
mod settings;
mod sizes;

use stampede_framework::parameters::read_settings;
use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Need, Problem, Request, component,
    descriptor, grants_of, need, problem,
};

use configuration::{SparkMode, check_defaults};
use releases::{RELEASES, SparkRelease};
use settings::SparkSettings;
use sizes::{
    DAEMON_HEAP_MIB, JVM_MIB, LEAST_PROCESS_MIB, ProcessSizes, YarnContainers, size_on_yarn,
    size_standalone, worker_need_mib,
};

/// The plugin.
#[derive(Debug)]
pub struct SparkPlugin;

stampede_framework::export!(SparkPlugin);

const NAME: &str = "spark";
const CLIENT: &str = "spark_client";
const SHUFFLE: &str = "spark_shuffle";
const MASTER: &str = "spark_master";
const WORKER: &str = "spark_worker";
const HISTORY: &str = "spark_history_server";

const MASTER_PORT: u16 = 7_077;
const MASTER_WEB_PORT: u16 = 8_080;
const WORKER_PORT: u16 = 7_078;
/// Spark's own default, 8081, is Flink's as well.
const WORKER_WEB_PORT: u16 = 8_091;
const SHUFFLE_PORT: u16 = 7_337;
const HISTORY_PORT: u16 = 18_080;

/// The heap that master and history server take unasked at most.
const LARGE_HEAP_MIB: u32 = 1_024;
/// What sends an application to YARN and waits for it.
const SUBMIT_MIB: u32 = 256;
/// What runs in YARN's NodeManagers beside their heaps.
const SHUFFLE_MIB: u32 = 256;

impl Guest for SparkPlugin {
    fn describe() -> Descriptor {
        descriptor(
            NAME,
            "Apache Spark",
            "Computes on many nodes in Python, Scala and SQL, on YARN or by itself.",
        )
        .with_versions(&RELEASES.map(|release| release.version))
        .with_components([
            component(CLIENT, &["*"]),
            component(SHUFFLE, &["worker", "compute"]),
            component(MASTER, &["master"]).on_nodes(1).at_most(1),
            component(WORKER, &["worker", "compute"]),
            component(HISTORY, &["master"]).on_nodes(1).at_most(1),
        ])
        .with_parameters(settings::parameters())
        .using(&["hdfs", "yarn"])
        .providing(&[NAME])
    }

    fn claim(request: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        let settings: SparkSettings = read_settings(NAME, &request)?;
        let mut problems = check_defaults(&settings);
        problems.extend(check_checksum(&request, &settings));
        problems.extend(check_mode(&request, &settings));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mode = SparkMode::of(&request);
        let mut claims = Claims::of(needs(&request, &settings, mode));
        if mode == SparkMode::Yarn {
            // Executors run in what the NodeManagers start.
            let (oldest, _) = SparkRelease::find(&request.version).java;
            claims = claims.extending("yarn", "java/oldest", oldest);
            if settings.shuffle_service {
                claims = claims
                    .extending(
                        "yarn",
                        "aux-service/spark_shuffle",
                        "org.apache.spark.network.yarn.YarnShuffleService",
                    )
                    .extending(
                        "yarn",
                        "yarn-site/yarn.nodemanager.aux-services.spark_shuffle.classpath",
                        "/opt/spark/yarn/*",
                    )
                    .extending("yarn", "yarn-site/spark.shuffle.service.port", SHUFFLE_PORT);
            }
        }
        Ok(claims)
    }

    fn generate(
        request: Request,
        grants: Vec<Grant>,
        extensions: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        if let Some(one) = extensions.first() {
            let message = format!("spark knows no {}", one.key);
            return Err(vec![problem("framework", message, "")]);
        }
        let settings: SparkSettings = read_settings(NAME, &request)?;
        let sizes = size_processes(&request, &settings, &grants)?;
        placed::bundle_of(&request, &settings, &grants, sizes)
    }
}

fn needs(request: &Request, settings: &SparkSettings, mode: SparkMode) -> Vec<Need> {
    let mut needs = vec![need(CLIENT).disk(2)];
    match mode {
        SparkMode::Yarn if settings.shuffle_service => {
            needs.push(need(SHUFFLE).least(SHUFFLE_MIB).ports(&[SHUFFLE_PORT]));
        }
        SparkMode::Yarn => {}
        SparkMode::Standalone => {
            // Beside it runs the driver that proves the cluster.
            let least = DAEMON_HEAP_MIB + JVM_MIB + LEAST_PROCESS_MIB;
            let master = need(MASTER).least(least).weight(1).disk(1);
            let most = LARGE_HEAP_MIB - DAEMON_HEAP_MIB + least;
            needs.push(master.most(most).ports(&[MASTER_PORT, MASTER_WEB_PORT]));
            let (least, most) = worker_need_mib(settings);
            let mut ports = vec![WORKER_PORT, WORKER_WEB_PORT];
            ports.extend(settings.shuffle_service.then_some(SHUFFLE_PORT));
            let worker = need(WORKER).least(least).most(most).weight(10).disk(2);
            needs.push(worker.ports(&ports));
        }
    }
    if request.has_service("hdfs") {
        let least = DAEMON_HEAP_MIB + JVM_MIB + SUBMIT_MIB;
        let history = need(HISTORY).least(least).weight(1).disk(1);
        let most = LARGE_HEAP_MIB - DAEMON_HEAP_MIB + least;
        needs.push(history.most(most).ports(&[HISTORY_PORT]));
    }
    needs
}

fn check_checksum(request: &Request, settings: &SparkSettings) -> Option<Problem> {
    let release = SparkRelease::find(&request.version);
    (settings.sha512.is_none() && release.sha512.is_none()).then(|| {
        problem(
            "spark.sha512",
            format!("the checksum of Spark {} is not known here", release.version),
            format!("set it to what https://archive.apache.org/dist/{}.sha512 says, or to that of your mirror's file", release.tarball()),
        )
    })
}

fn check_mode(request: &Request, settings: &SparkSettings) -> Option<Problem> {
    let is_on_yarn = SparkMode::of(request) == SparkMode::Yarn;
    (is_on_yarn && settings.worker_memory_mib.is_some()).then(|| {
        problem(
            "spark.worker_memory_mib",
            "on YARN there are no workers of Spark's own",
            "leave it out: what YARN gives to containers is Hadoop's to say",
        )
    })
}

fn size_processes(
    request: &Request,
    settings: &SparkSettings,
    grants: &[Grant],
) -> Result<ProcessSizes, Vec<Problem>> {
    match SparkMode::of(request) {
        SparkMode::Standalone => {
            size_standalone(settings, &grants_of(grants, WORKER).collect::<Vec<_>>())
        }
        SparkMode::Yarn => {
            let yarn = YarnContainers::read(request)?;
            check_clients(yarn.groups.keys(), grants)?;
            size_on_yarn(settings, &yarn)
        }
    }
}

/// Containers find Spark where they run: nothing is uploaded.
fn check_clients<'a>(
    groups: impl Iterator<Item = &'a String>,
    grants: &[Grant],
) -> Result<(), Vec<Problem>> {
    let has_client =
        |group: &&String| grants_of(grants, CLIENT).any(|grant| grant.group == **group);
    let say = |group: &String| {
        problem(
            format!("{group}.components"),
            format!("nodes of `{group}` run containers of YARN, and have no Spark"),
            format!("give them {CLIENT}"),
        )
    };
    let problems: Vec<Problem> = groups.filter(|group| !has_client(group)).map(say).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests;
