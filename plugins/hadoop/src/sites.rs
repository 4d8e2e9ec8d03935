//! Hadoop's own configuration: core-site, hdfs-site, yarn-site, mapred-site and the scheduler's
//! queues. It knows sizes and settings, and no Heat.

use stampede_plugin::{Problem, Request, problem};

use crate::{
    memory::task_heap,
    owned_properties::find_owned,
    settings::HadoopSettings,
    sizing::ClusterSizes,
    units::{DATA, JAVA_OPENS},
    xml::{SiteProperties, is_expressible},
};

/// `true` where the launcher could set it so, else what Hadoop takes as `false`.
const RECOVERY: &str = "${stampede.recovery}";

/// How long the logs and histories of jobs are kept.
const KEPT_DAYS: u64 = 7;

/// What jobs' own files, kept for their next run, may take of a worker's disk: a twentieth, and at
/// most Hadoop's default.
fn localizer_cache_mib(disk_gib: u32) -> u32 {
    (disk_gib.saturating_mul(1024) / 20).clamp(256, 10 * 1024)
}

/// The HDFS that clients speak to.
pub fn hdfs_url(master: &str) -> String {
    format!("hdfs://{master}:8020")
}

/// Path and text of every XML file, the user's further properties last and winning.
///
/// # Errors
/// A problem for each further property that XML cannot carry.
pub fn site_files(
    request: &Request,
    settings: &HadoopSettings,
    sizes: &ClusterSizes,
    master: &str,
) -> Result<Vec<(String, String)>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    let built = [
        ("core", core_site(master), &settings.core_site),
        ("hdfs", hdfs_site(settings, sizes), &settings.hdfs_site),
        (
            "yarn",
            yarn_site(request, settings, sizes, master),
            &settings.yarn_site,
        ),
        ("mapred", mapred_site(sizes, master), &settings.mapred_site),
    ];
    for (name, mut properties, further) in built {
        for (key, value) in further {
            if key.trim().is_empty() || !is_expressible(key) || !is_expressible(value) {
                problems.push(problem(
                    format!("hadoop.{name}_site"),
                    format!("the property {key:?} has no name, or a line break or control character in its name or value"),
                    "Hadoop's XML files cannot carry that: take it out",
                ));
            }
            if let Some(owned) = find_owned(key) {
                problems.push(problem(
                    format!("hadoop.{name}_site"),
                    format!("`{}` is not free: {}", key.trim(), owned.reason),
                    format!("take it out; {}", owned.instead),
                ));
            }
            properties.set(key, value);
        }
        files.push((format!("/etc/hadoop/{name}-site.xml"), properties.to_xml()));
    }
    files.push((
        "/etc/hadoop/capacity-scheduler.xml".to_owned(),
        scheduler_queues().to_xml(),
    ));
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(problems)
    }
}

fn core_site(master: &str) -> SiteProperties {
    let mut site = SiteProperties::default();
    site.set("fs.defaultFS", hdfs_url(master))
        .set("hadoop.tmp.dir", format!("{DATA}/tmp/${{user.name}}"));
    site
}

/// Where HDFS's blocks, YARN's local files and YARN's logs lie on a worker: on its data volume, if
/// it has one, all three, since a sort of what the volume holds writes as much locally.
struct WorkerFolders {
    blocks: String,
    local: String,
    logs: String,
}

impl WorkerFolders {
    fn new(settings: &HadoopSettings) -> Self {
        if settings.data_volume_gib > 0 {
            // A node that an older plugin has set up has no such folders, and a launcher that says
            // nothing of them: it goes on as it was.
            Self {
                blocks: format!("{DATA}/volume/hdfs"),
                local: format!("${{env.STAMPEDE_YARN:-{DATA}/yarn}}/local"),
                logs: "${env.STAMPEDE_YARN_LOGS:-/var/log/hadoop-yarn}".to_owned(),
            }
        } else {
            Self {
                blocks: format!("{DATA}/hdfs"),
                local: format!("{DATA}/yarn/local"),
                logs: "/var/log/hadoop-yarn".to_owned(),
            }
        }
    }
}

fn hdfs_site(settings: &HadoopSettings, sizes: &ClusterSizes) -> SiteProperties {
    let data = WorkerFolders::new(settings).blocks;
    let mut site = SiteProperties::default();
    site.set("dfs.replication", sizes.replication)
        .set("dfs.blocksize", u64::from(settings.block_size_mib) << 20)
        .set("dfs.namenode.name.dir", format!("file://{DATA}/name"))
        .set(
            "dfs.namenode.checkpoint.dir",
            format!("file://{DATA}/checkpoint"),
        )
        .set("dfs.datanode.data.dir", format!("file://{data}"))
        .set("dfs.namenode.rpc-bind-host", "0.0.0.0")
        .set("dfs.namenode.http-bind-host", "0.0.0.0")
        // nodes are known by /etc/hosts; nothing resolves an address back
        .set(
            "dfs.namenode.datanode.registration.ip-hostname-check",
            false,
        )
        .set("dfs.hosts.exclude", format!("{DATA}/exclude"))
        // blocks of restarted DataNodes are reported within seconds on a cluster of this size; the
        // default waits for half a minute more
        .set("dfs.namenode.safemode.extension", 5000)
        // the launcher says how many bytes: what stood on the disk before, and a tenth of it; one
        // that an older plugin has left on the node says nothing, and leaves a gibibyte
        .set(
            "dfs.datanode.du.reserved",
            "${env.STAMPEDE_RESERVED:-1073741824}",
        )
        // clients, and so running tasks, sit out a restart of the NameNode: a second's pause, sixty
        // times, then ten seconds'
        .set("dfs.client.retry.policy.enabled", true)
        .set("dfs.client.retry.policy.spec", "1000,60,10000,30")
        .set("dfs.webhdfs.enabled", true);
    site
}

fn yarn_site(
    request: &Request,
    settings: &HadoopSettings,
    sizes: &ClusterSizes,
    master: &str,
) -> SiteProperties {
    let folders = WorkerFolders::new(settings);
    let share = "/opt/hadoop/share/hadoop";
    let classpath = ["common", "hdfs", "yarn", "mapreduce"]
        .map(|part| format!("{share}/{part}/*,{share}/{part}/lib/*"))
        .join(",");
    let mut site = SiteProperties::default();
    site.set("yarn.resourcemanager.hostname", master)
        .set("yarn.resourcemanager.bind-host", "0.0.0.0")
        .set("yarn.resourcemanager.nodes.exclude-path", format!("{DATA}/exclude-yarn"))
        // a NodeManager that came first asks again after a second; the default of thirty is a long
        // time to look at
        .set("yarn.resourcemanager.connect.retry-interval.ms", 1000)
        .set("yarn.nodemanager.address", "0.0.0.0:8041")
        .set("yarn.nodemanager.aux-services", "mapreduce_shuffle")
        .set("yarn.nodemanager.aux-services.mapreduce_shuffle.class", "org.apache.hadoop.mapred.ShuffleHandler")
        .set("yarn.nodemanager.local-dirs", folders.local)
        .set("yarn.nodemanager.log-dirs", folders.logs)
        // HDFS leaves a tenth of the disk free; only where others fill most of that, too, is a
        // worker taken for unhealthy. The launcher says how many mebibytes are left then.
        .set("yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", 100)
        .set("yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb", "${env.STAMPEDE_FREE_MIB:-0}")
        .set("yarn.nodemanager.localizer.cache.target-size-mb", localizer_cache_mib(sizes.disk_gib))
        .set("yarn.nodemanager.resource.memory-mb", sizes.worker.granted)
        .set("yarn.nodemanager.resource.cpu-vcores", sizes.vcores)
        .set("yarn.scheduler.minimum-allocation-mb", sizes.worker.minimum)
        .set("yarn.scheduler.maximum-allocation-mb", sizes.worker.maximum)
        .set("yarn.scheduler.maximum-allocation-vcores", sizes.vcores)
        .set("yarn.nodemanager.vmem-check-enabled", false)
        .set(
            "yarn.nodemanager.env-whitelist",
            "JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,HADOOP_YARN_HOME,HADOOP_MAPRED_HOME,HADOOP_HOME,PATH,LANG,TZ",
        )
        .set("yarn.application.classpath", format!("/etc/hadoop,{classpath}"))
        .set("yarn.log-aggregation-enable", true)
        // logs and histories are kept for a week, and not for ever, as is the default of the first
        .set("yarn.log-aggregation.retain-seconds", KEPT_DAYS * 86_400)
        .set("yarn.nodemanager.remote-app-log-dir", "/yarn-logs")
        .set("yarn.log.server.url", format!("http://{master}:19888/jobhistory/logs"))
        .set("yarn.nodemanager.delete.debug-delay-sec", 0)
        // a restart of the daemons, as a changed setting needs it, keeps what runs; the launcher
        // says where it can be
        .set("yarn.resourcemanager.recovery.enabled", RECOVERY)
        .set("yarn.resourcemanager.store.class", "org.apache.hadoop.yarn.server.resourcemanager.recovery.LeveldbRMStateStore")
        .set("yarn.resourcemanager.leveldb-state-store.path", "/run/hadoop-resourcemanager")
        .set("yarn.resourcemanager.state-store.max-completed-applications", 100)
        .set("yarn.nodemanager.recovery.enabled", RECOVERY)
        .set("yarn.nodemanager.recovery.supervised", RECOVERY)
        .set("yarn.nodemanager.recovery.dir", "/run/hadoop-nodemanager")
        // workers that left are forgotten after a minute
        .set("yarn.resourcemanager.enable-node-untracked-without-include-path", true)
        .set("yarn.resourcemanager.node-removal-untracked.node-selective-states-to-remove", "DECOMMISSIONED");
    if request.workers().len() <= 32 {
        // a second between heartbeats is a second before each container; few nodes may ask more
        // often
        site.set(
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms",
            500,
        );
    }
    site
}

fn mapred_site(sizes: &ClusterSizes, master: &str) -> SiteProperties {
    let opens: String = JAVA_OPENS
        .iter()
        .map(|package| format!(" --add-opens=java.base/{package}=ALL-UNNAMED"))
        .collect();
    let jvm = |container: u32| {
        let collector = if container <= 1024 {
            " -XX:+UseSerialGC"
        } else {
            ""
        };
        format!("-Xmx{}m{collector}{opens}", task_heap(container))
    };
    let worker = &sizes.worker;
    let share = "/opt/hadoop/share/hadoop/mapreduce";
    let mut site = SiteProperties::default();
    site.set("mapreduce.framework.name", "yarn")
        .set("mapreduce.jobhistory.address", format!("{master}:10020"))
        .set(
            "mapreduce.jobhistory.webapp.address",
            format!("{master}:19888"),
        )
        .set("mapreduce.jobhistory.bind-host", "0.0.0.0")
        .set(
            "mapreduce.jobhistory.intermediate-done-dir",
            "/mr-history/tmp",
        )
        .set("mapreduce.jobhistory.max-age-ms", KEPT_DAYS * 86_400_000)
        .set("mapreduce.jobhistory.done-dir", "/mr-history/done")
        // anybody's jobs are staged here, also those of users without a home in HDFS
        .set("yarn.app.mapreduce.am.staging-dir", "/staging")
        .set(
            "mapreduce.application.classpath",
            format!("{share}/*,{share}/lib/*"),
        )
        .set("yarn.app.mapreduce.am.resource.mb", worker.master)
        .set("yarn.app.mapreduce.am.command-opts", jvm(worker.master))
        .set("mapreduce.map.memory.mb", worker.map)
        .set("mapreduce.map.java.opts", jvm(worker.map))
        .set("mapreduce.reduce.memory.mb", worker.reduce)
        .set("mapreduce.reduce.java.opts", jvm(worker.reduce))
        // the sort buffer lies in the map's heap
        .set(
            "mapreduce.task.io.sort.mb",
            (task_heap(worker.map) / 4).clamp(16, 256),
        );
    for key in [
        "yarn.app.mapreduce.am.env",
        "mapreduce.map.env",
        "mapreduce.reduce.env",
    ] {
        site.set(key, "HADOOP_MAPRED_HOME=/opt/hadoop");
    }
    site
}

fn scheduler_queues() -> SiteProperties {
    let mut site = SiteProperties::default();
    // without it memory alone is counted, and a large worker of few processors runs dozens of tasks
    site.set(
        "yarn.scheduler.capacity.resource-calculator",
        "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
    )
    .set("yarn.scheduler.capacity.root.queues", "default")
    .set("yarn.scheduler.capacity.root.default.capacity", 100)
    // a tenth, the default, is not one ApplicationMaster on a small cluster, which then waits
    // for ever
    .set("yarn.scheduler.capacity.maximum-am-resource-percent", "0.5");
    site
}
