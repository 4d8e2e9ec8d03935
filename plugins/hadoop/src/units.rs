//! The daemons as units, and how it is seen that they work.

use stampede_framework::{Check, Grant, Unit, check, unit};

use crate::{
    daemons::{DATANODE, JOBHISTORY, JOBHISTORY_WEB, NAMENODE, NODEMANAGER, RESOURCEMANAGER},
    settings::HadoopSettings,
    sizing::heap_mib,
};

/// Hadoop's own data.
pub const DATA: &str = "/var/lib/hadoop";

/// Packages of `java.base` that Hadoop looks into by reflection, which Java 17 forbids unasked.
pub const JAVA_OPENS: [&str; 9] = [
    "java.lang",
    "java.util",
    "java.util.concurrent",
    "java.util.zip",
    "java.net",
    "java.nio",
    "sun.nio.ch",
    "sun.security.util",
    "sun.security.x509",
];

/// What commands and launcher know a daemon's heap by.
const HEAP: &str = "HADOOP_HEAP_MIB";

/// The units of what is granted in a group. They come back however they ended: a NodeManager that has
/// missed its ResourceManager for a quarter of an hour, or was let go by a change that was taken back,
/// and a DataNode whose disks failed end with 0. What YARN's daemons know of running jobs outlives
/// them, and not the boot; a NodeManager that ends leaves its containers to the next one.
pub fn units_of(grant: &Grant, settings: &HadoopSettings) -> Vec<Unit> {
    let heap = heap_mib(grant, settings);
    let daemon = |name: &str, user: &str, exec: &str| {
        unit(
            &grant.component,
            &format!("hadoop-{name}"),
            &format!("{user}:hadoop"),
            exec,
        )
        .in_group(&grant.group)
        .with("Environment", format!("{HEAP}={heap}"))
        .with("UMask", "0027")
    };
    let keeping = |unit: Unit, folder: &str| {
        unit.with("RuntimeDirectory", folder)
            .with("RuntimeDirectoryPreserve", "yes")
    };
    match grant.component.as_str() {
        NAMENODE => {
            let namenode = daemon("namenode", "hdfs", "/usr/local/bin/hdfs namenode")
                .with_data(format!("{DATA}/namenode"));
            // lives for as long as a checkpoint takes, six hours apart
            let checkpoint = daemon("checkpoint", "hdfs", "/usr/local/lib/hadoop/checkpoint");
            let checkpoint = keeping(checkpoint, "hadoop-checkpoint").with("Nice", "10");
            vec![namenode, checkpoint]
        }
        DATANODE => vec![
            daemon("datanode", "hdfs", "/usr/local/bin/hdfs datanode")
                .with_data(format!("{DATA}/datanode")),
        ],
        RESOURCEMANAGER => {
            let exec = "/usr/local/bin/yarn resourcemanager";
            let manager = daemon("resourcemanager", "yarn", exec);
            vec![
                keeping(manager, "hadoop-resourcemanager")
                    .with("ExecReload", "/usr/local/bin/yarn rmadmin -refreshQueues"),
            ]
        }
        NODEMANAGER => {
            let manager = daemon("nodemanager", "yarn", "/usr/local/bin/yarn nodemanager")
                .with_data(format!("{DATA}/nodemanager"))
                .with_data("/var/log/hadoop-yarn");
            // the one of a worker that leaves is sent away by each ResourceManager that it comes to,
            // while HDFS may copy for hours
            vec![
                keeping(manager, "hadoop-nodemanager")
                    .with("KillMode", "process")
                    .with("RestartSec", "10"),
            ]
        }
        JOBHISTORY => vec![daemon(
            "jobhistory",
            "mapred",
            "/usr/local/bin/mapred historyserver",
        )],
        _ => Vec::new(),
    }
}

/// Green units prove nothing: whether masters answer and workers have been taken.
pub fn checks() -> Vec<Check> {
    let asks = |component, question: &str| {
        check(
            component,
            format!("exec:. /usr/local/lib/hadoop/lib.sh; {question}"),
        )
    };
    vec![
        asks(NAMENODE, "hdfs_health"),
        asks(DATANODE, "datanode_health"),
        asks(RESOURCEMANAGER, "yarn_health"),
        check(
            RESOURCEMANAGER,
            "jobs:. /usr/local/lib/hadoop/lib.sh; yarn_jobs",
        ),
        asks(NODEMANAGER, "nodemanager_health"),
        check(
            JOBHISTORY,
            format!("http://:{JOBHISTORY_WEB}/ws/v1/history/info"),
        ),
    ]
}
