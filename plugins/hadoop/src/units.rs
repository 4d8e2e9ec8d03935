//! What stands on the nodes beside Hadoop's own configuration: systemd units, users, the launcher,
//! the environment of the scripts.

use stampede_plugin::Request;

use crate::{settings::HadoopSettings, sizing::ClusterSizes};

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

/// Apache's servers: the fast one keeps current releases only, the archive keeps all and is slow.
const APACHE: [&str; 2] = [
    "https://dlcdn.apache.org",
    "https://archive.apache.org/dist",
];

/// A release of Hadoop.
#[derive(Clone, Copy, Debug)]
pub struct HadoopRelease {
    /// Its number.
    pub version: &'static str,
    /// The official tarball's checksum.
    pub sha512: &'static str,
    /// The range of Java versions that its servers run on.
    pub java: (u32, u32),
}

/// What can be asked for, newest first.
pub const RELEASES: [HadoopRelease; 2] = [
    HadoopRelease {
        version: "3.5.0",
        sha512: "04ab94496cc00c8b7a28d03f6308eff8d2a4e7f37a9da5e8e086e4d6fc990e7a94d661908f6a6136039536efb362614b8aecdef185b5fb8ed588f0b152c7aa16",
        java: (17, 17),
    },
    HadoopRelease {
        version: "3.4.3",
        sha512: "e25be7e57b4d3c5bfe83895844321a21d6cf7331266d524d8983c27cf484e576c3d79b3b60d590f8cddecf16229d0e232de2491b1b61b362ee7d67072c7290e1",
        java: (11, 17),
    },
];

/// Where the release is downloaded, in the order to try.
pub fn download_urls(request: &Request, release: &HadoopRelease) -> Vec<String> {
    let bases = request.mirror.as_deref().map_or_else(
        || APACHE.to_vec(),
        |mirror| vec![mirror.trim_end_matches('/')],
    );
    bases
        .iter()
        .map(|base| {
            format!(
                "{base}/hadoop/common/hadoop-{0}/hadoop-{0}.tar.gz",
                release.version
            )
        })
        .collect()
}

/// `/etc/stampede/hadoop.env`: what the scripts and the launcher need to know, quoted for the
/// shell.
pub fn script_environment(
    request: &Request,
    settings: &HadoopSettings,
    sizes: &ClusterSizes,
    release: &HadoopRelease,
) -> String {
    let [namenode, resourcemanager, historyserver, checkpoint] = sizes.master;
    let entries = [
        ("VERSION", release.version.to_owned()),
        ("URLS", download_urls(request, release).join(" ")),
        (
            "SHA512",
            settings
                .sha512
                .clone()
                .unwrap_or_else(|| release.sha512.to_owned()),
        ),
        ("JAVA_MIN", release.java.0.to_string()),
        ("JAVA_MAX", release.java.1.to_string()),
        ("SMOKE", settings.smoke.to_string()),
        ("DRAIN_S", settings.drain_s.to_string()),
        ("VOLUME_GIB", settings.data_volume_gib.to_string()),
        ("NAMENODE_HEAP", namenode.to_string()),
        ("RESOURCEMANAGER_HEAP", resourcemanager.to_string()),
        ("HISTORYSERVER_HEAP", historyserver.to_string()),
        ("CHECKPOINT_HEAP", checkpoint.to_string()),
        ("DATANODE_HEAP", sizes.worker.datanode.to_string()),
        ("NODEMANAGER_HEAP", sizes.worker.nodemanager.to_string()),
    ];
    entries
        .iter()
        .map(|(name, value)| format!("HADOOP_{name}='{}'\n", value.replace('\'', r"'\''")))
        .collect()
}

/// `/etc/profile.d/hadoop.sh`.
pub const PROFILE: &str = "export HADOOP_HOME=/opt/hadoop HADOOP_CONF_DIR=/etc/hadoop YARN_CONF_DIR=/etc/hadoop HADOOP_MAPRED_HOME=/opt/hadoop\n\
    export JAVA_HOME=${JAVA_HOME:-/usr/local/lib/hadoop/java}\n\
    # the one who logs in is who can mend it\n\
    case $- in *i*)\n\
    \x20 if systemctl --quiet is-failed hadoop-checkpoint 2>/dev/null; then\n\
    \x20   echo \"The NameNode's last checkpoint failed, and its journal grows until one succeeds: journalctl -u hadoop-checkpoint\" >&2\n\
    \x20 fi ;;\n\
    esac\n";

/// `/etc/sysusers.d/hadoop.conf`.
pub const USERS: &str = "g hadoop -\n\
    u hdfs - \"Hadoop HDFS\" /var/lib/hadoop\n\
    u yarn - \"Hadoop YARN\" /var/lib/hadoop\n\
    u mapred - \"Hadoop MapReduce\" /var/lib/hadoop\n\
    m hdfs hadoop\nm yarn hadoop\nm mapred hadoop\n";

/// `/etc/hadoop/log4j.properties`: daemons write to the journal, commands to standard error.
pub const LOG4J: &str = "hadoop.root.logger=INFO,console\n\
    log4j.rootLogger=${hadoop.root.logger}\n\
    log4j.appender.console=org.apache.log4j.ConsoleAppender\n\
    log4j.appender.console.target=System.err\n\
    log4j.appender.console.layout=org.apache.log4j.PatternLayout\n\
    log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n\n\
    log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR\n";

/// A daemon: the name of its unit, who it runs as, the command, and the role that runs it.
pub const DAEMONS: [(&str, &str, &str, &str); 5] = [
    ("hadoop-namenode", "hdfs", "hdfs namenode", "master"),
    (
        "hadoop-resourcemanager",
        "yarn",
        "yarn resourcemanager",
        "master",
    ),
    (
        "hadoop-historyserver",
        "mapred",
        "mapred historyserver",
        "master",
    ),
    ("hadoop-datanode", "hdfs", "hdfs datanode", "worker"),
    ("hadoop-nodemanager", "yarn", "yarn nodemanager", "worker"),
];

/// Where a node asks the cloud about itself.
const METADATA: &str = "169.254.169.254/32";

/// A daemon's unit. It comes back however it ended, as often as it takes, and after a boot: a
/// NodeManager that has missed its `ResourceManager` for a quarter of an hour, or was let go by a
/// change that was taken back, and a DataNode whose disks failed end with 0. What stops it for good
/// is `systemctl stop`; a JVM that was asked to end exits with 143. Jobs run anybody's code: none of it sees the metadata service,
/// which would show it how this node signals. What YARN's daemons know of running jobs outlives
/// them, and not the boot; a NodeManager that ends leaves its containers to the next one.
pub fn systemd_unit(name: &str, user: &str, command: &str) -> String {
    let mounts = if matches!(name, "hadoop-datanode" | "hadoop-nodemanager") {
        format!("RequiresMountsFor={DATA}/volume\n")
    } else {
        String::new()
    };
    let kept = if user == "yarn" {
        format!("RuntimeDirectory={name}\nRuntimeDirectoryPreserve=yes\n")
    } else {
        String::new()
    };
    // the one of a worker that leaves is sent away by each ResourceManager that it comes to, while
    // HDFS may copy for hours
    let (kill, pause_s) = if name == "hadoop-nodemanager" {
        ("KillMode=process\n", 10)
    } else {
        ("", 2)
    };
    format!(
        "[Unit]\nDescription=Hadoop: {command}\nAfter=network-online.target\nWants=network-online.target\nStartLimitIntervalSec=0\n{mounts}\n\
         [Service]\nUser={user}\nGroup=hadoop\nUMask=0027\nExecStart=/usr/local/bin/{command}\nRestart=always\nRestartSec={pause_s}\nSuccessExitStatus=143\n\
         {kept}{kill}IPAddressDeny={METADATA}\nLimitNOFILE=65536\nTasksMax=infinity\n\n[Install]\nWantedBy=multi-user.target\n"
    )
}

/// The NameNode's journal is merged into its image four times a day by a process that lives as long
/// as that takes.
pub const CHECKPOINT: [(&str, &str); 2] = [
    (
        "hadoop-checkpoint.service",
        "[Unit]\nDescription=Hadoop: merge the NameNode's journal into its image\nAfter=hadoop-namenode.service\n\n\
         [Service]\nType=oneshot\nUser=hdfs\nGroup=hadoop\nNice=10\nExecStart=/usr/local/bin/hdfs secondarynamenode -checkpoint force\n",
    ),
    (
        "hadoop-checkpoint.timer",
        "[Unit]\nDescription=Hadoop: checkpoints of the NameNode\n\n[Timer]\nOnActiveSec=1h\nOnUnitActiveSec=6h\n\n[Install]\nWantedBy=timers.target\n",
    ),
];
