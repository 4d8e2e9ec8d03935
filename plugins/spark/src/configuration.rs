//! Spark's configuration: what applications begin with, and what the daemons run with. Of the
//! former a change restarts nobody.

use std::collections::BTreeMap;

use stampede_framework::{Problem, Request, config_lines, problem};

use crate::settings::SparkSettings;
use crate::sizes::ProcessSizes;
use crate::{HISTORY, HISTORY_PORT, MASTER, MASTER_PORT, SHUFFLE_PORT};

/// Properties by name.
pub(crate) type SparkProperties = BTreeMap<String, String>;

/// What requests cannot set: the scripts, the daemons or others' configuration rely on it.
const OWNED: [&str; 15] = [
    "spark.authenticate",
    "spark.authenticate.secret",
    "spark.dynamicAllocation.enabled",
    "spark.eventLog.dir",
    "spark.history.fs.logDirectory",
    "spark.history.ui.port",
    "spark.driver.memory",
    "spark.executor.cores",
    "spark.executor.memory",
    "spark.master",
    "spark.master.rest.enabled",
    "spark.shuffle.service.enabled",
    "spark.shuffle.service.port",
    "spark.yarn.historyServer.address",
    "spark.yarn.jars",
];
/// What daemons read, and applications do not.
const OF_DAEMONS: [&str; 4] = [
    "spark.deploy.",
    "spark.history.",
    "spark.master.",
    "spark.worker.",
];

/// How applications get their executors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SparkMode {
    /// Of YARN.
    Yarn,
    /// Of Spark's own master and workers.
    Standalone,
}

impl SparkMode {
    /// On YARN where it is there.
    pub(crate) fn of(request: &Request) -> Self {
        if request.has_service("yarn") {
            Self::Yarn
        } else {
            Self::Standalone
        }
    }

    /// What `spark.master` says.
    pub(crate) fn master(self, request: &Request) -> String {
        match self {
            Self::Yarn => "yarn".to_owned(),
            Self::Standalone => {
                let node = request.first_node(MASTER).unwrap_or_default();
                format!("spark://{node}:{MASTER_PORT}")
            }
        }
    }
}

/// The properties that a request names and cannot set.
pub(crate) fn check_defaults(settings: &SparkSettings) -> Vec<Problem> {
    let owned = |name: &&String| OWNED.contains(&name.as_str());
    let say = |name: &String| {
        problem(
            "spark.defaults",
            format!("{name} is Stampede's own"),
            "leave it out; what of it can be set has a parameter of its own",
        )
    };
    settings.defaults.keys().filter(owned).map(say).collect()
}

fn is_of_daemons(name: &str) -> bool {
    OF_DAEMONS.iter().any(|prefix| name.starts_with(prefix))
}

/// Where applications log what they do; none without HDFS.
fn event_log(request: &Request) -> Option<String> {
    let url = request.attribute("hdfs", "url")?;
    Some(format!("{}/spark-logs", url.trim_end_matches('/')))
}

fn put(properties: &mut SparkProperties, pairs: &[(&str, &str)]) {
    let pairs = pairs.iter();
    properties.extend(pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
}

/// What all of a standalone cluster has to share.
fn put_shared(properties: &mut SparkProperties, mode: SparkMode, settings: &SparkSettings) {
    if settings.shuffle_service {
        let port = SHUFFLE_PORT.to_string();
        put(
            properties,
            &[
                ("spark.shuffle.service.enabled", "true"),
                ("spark.shuffle.service.port", &port),
            ],
        );
    }
    if mode == SparkMode::Standalone {
        put(
            properties,
            &[
                ("spark.authenticate", "true"),
                ("spark.authenticate.secret", "@{secret.auth}"),
            ],
        );
    }
    // On YARN, too, executors let go of a node that leaves: else it waits for the application's end.
    // With the shuffle service Spark does without it.
    if mode == SparkMode::Standalone || !settings.shuffle_service {
        put(
            properties,
            &[
                // Blocks of a node that leaves move to others.
                ("spark.decommission.enabled", "true"),
                ("spark.storage.decommission.enabled", "true"),
                ("spark.storage.decommission.rddBlocks.enabled", "true"),
                ("spark.storage.decommission.shuffleBlocks.enabled", "true"),
            ],
        );
    }
}

/// `spark-defaults.conf`.
pub(crate) fn application_defaults(
    request: &Request,
    settings: &SparkSettings,
    sizes: ProcessSizes,
) -> SparkProperties {
    let mode = SparkMode::of(request);
    let mut all = SparkProperties::new();
    put_shared(&mut all, mode, settings);
    let mib = |value: u32| format!("{value}m");
    let flag = |value: bool| if value { "true" } else { "false" };
    put(
        &mut all,
        &[
            ("spark.master", &mode.master(request)),
            ("spark.driver.memory", &mib(sizes.driver_mib)),
            ("spark.executor.memory", &mib(sizes.executor_mib)),
            // Without it a standalone executor takes all processors of its worker.
            ("spark.executor.cores", &sizes.executor_cores.to_string()),
            (
                "spark.dynamicAllocation.enabled",
                flag(settings.dynamic_allocation),
            ),
            // Executors whose shuffle files nobody keeps for them stay as long as those are in use.
            (
                "spark.dynamicAllocation.shuffleTracking.enabled",
                flag(!settings.shuffle_service),
            ),
            ("spark.pyspark.python", "/usr/bin/python3"),
        ],
    );
    if let Some(folder) = event_log(request) {
        put(
            &mut all,
            &[
                ("spark.eventLog.enabled", "true"),
                ("spark.eventLog.dir", &folder),
            ],
        );
    }
    if mode == SparkMode::Yarn {
        let history = request
            .first_node(HISTORY)
            .map(|node| format!("{node}:{HISTORY_PORT}"));
        put(
            &mut all,
            &[
                // Else each application uploads 460 MB; Spark is on every node.
                ("spark.yarn.jars", "local:/opt/spark/jars/*"),
                (
                    "spark.executor.memoryOverhead",
                    &mib(sizes.executor_overhead_mib),
                ),
                (
                    "spark.driver.memoryOverhead",
                    &mib(sizes.driver_overhead_mib),
                ),
                (
                    "spark.yarn.am.memory",
                    &mib(crate::settings::LEAST_HEAP_MIB),
                ),
                (
                    "spark.yarn.am.memoryOverhead",
                    &mib(crate::sizes::OVERHEAD_MIB),
                ),
                // Containers run on Spark's Java, whatever the NodeManagers run on.
                ("spark.executorEnv.JAVA_HOME", "@{java}"),
                ("spark.yarn.appMasterEnv.JAVA_HOME", "@{java}"),
                // Its client wants classes that Spark does not bring.
                ("spark.hadoop.yarn.timeline-service.enabled", "false"),
            ],
        );
        if let Some(history) = history {
            put(&mut all, &[("spark.yarn.historyServer.address", &history)]);
        }
    }
    let asked = settings
        .defaults
        .iter()
        .filter(|(name, _)| !is_of_daemons(name));
    all.extend(asked.map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// What master, workers and history server run with.
pub(crate) fn daemon_properties(request: &Request, settings: &SparkSettings) -> SparkProperties {
    let mode = SparkMode::of(request);
    let mut all = SparkProperties::new();
    put_shared(&mut all, mode, settings);
    if mode == SparkMode::Standalone {
        put(
            &mut all,
            &[
                // It takes applications without a password; Spark 4 has it on by default.
                ("spark.master.rest.enabled", "false"),
                ("spark.worker.cleanup.enabled", "true"),
            ],
        );
    }
    if let Some(folder) = event_log(request) {
        put(
            &mut all,
            &[
                ("spark.history.fs.logDirectory", &folder),
                ("spark.history.ui.port", &HISTORY_PORT.to_string()),
                ("spark.history.fs.cleaner.enabled", "true"),
                (
                    "spark.history.fs.cleaner.maxAge",
                    &format!("{}d", settings.event_log_days),
                ),
            ],
        );
    }
    let asked = settings
        .defaults
        .iter()
        .filter(|(name, _)| is_of_daemons(name));
    all.extend(asked.map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// As Spark reads them: a backslash would take away what comes after it.
pub(crate) fn write_properties(properties: &SparkProperties) -> String {
    let lines = properties
        .iter()
        .map(|(key, value)| (key.as_str(), value.replace('\\', "\\\\")));
    config_lines(lines, " ")
}
