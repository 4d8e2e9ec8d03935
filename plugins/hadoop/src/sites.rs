//! Hadoop's own configuration: core-site, hdfs-site, yarn-site, mapred-site and the scheduler's
//! queues. It knows sizes and settings, and no node.

use std::collections::BTreeMap;

use stampede_framework::{Problem, problem};

use crate::{
    daemons::{DaemonNodes, JOBHISTORY_RPC, JOBHISTORY_WEB, NAMENODE_RPC, NODEMANAGER_RPC},
    extensions::{AUX_SERVICES, SiteExtensions},
    memory::task_heap,
    owned_properties::find_owned,
    settings::HadoopSettings,
    sizing::{GroupContainers, YarnSizes},
    units::{DATA, JAVA_OPENS},
    xml::{SiteProperties, is_expressible},
};

/// `true` where the launcher could set it so, else what Hadoop takes as `false`.
const RECOVERY: &str = "${stampede.recovery}";
/// How long the logs and histories of jobs are kept.
const KEPT_DAYS: u64 = 7;
/// So many NodeManagers may ask more often than each second.
const FEW_NODEMANAGERS: usize = 32;
/// MapReduce's service inside each NodeManager.
const SHUFFLE: &str = "mapreduce_shuffle";

/// What jobs' own files, kept for their next run, may take of a worker's disk: a twentieth, and at
/// most Hadoop's default.
fn localizer_cache_mib(disk_gib: u32) -> u32 {
    (disk_gib.saturating_mul(1024) / 20).clamp(256, 10 * 1024)
}

/// The HDFS that clients speak to.
pub fn hdfs_url(namenode: &str) -> String {
    format!("hdfs://{namenode}:{NAMENODE_RPC}")
}

/// What is wrong with the properties that the user adds.
pub fn check_further(settings: &HadoopSettings) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (file, further) in settings.further_properties() {
        let path = || format!("hadoop.{file}_site");
        for (name, value) in further {
            if name.trim().is_empty() || !is_expressible(name) || !is_expressible(value) {
                problems.push(problem(
                    path(),
                    format!("the property {name:?} has no name, or a line break or control character in its name or value"),
                    "Hadoop's XML files cannot carry that: take it out",
                ));
            }
            if let Some(owned) = find_owned(name) {
                problems.push(problem(
                    path(),
                    format!("`{}` is not free: {}", name.trim(), owned.reason),
                    format!("take it out; {}", owned.instead),
                ));
            }
        }
    }
    problems
}

/// What the files are written from.
#[derive(Clone, Copy, Debug)]
pub struct SiteSources<'a> {
    /// What the user set.
    pub settings: &'a HadoopSettings,
    /// What containers get.
    pub sizes: &'a YarnSizes,
    /// Who runs where.
    pub nodes: &'a DaemonNodes<'a>,
    /// What other frameworks add.
    pub extensions: &'a SiteExtensions,
}

/// Every XML file of a cluster, the user's further properties last and winning.
#[derive(Clone, Debug)]
pub struct SiteFiles {
    /// core-site.xml.
    pub core: SiteProperties,
    /// hdfs-site.xml.
    pub hdfs: SiteProperties,
    /// mapred-site.xml.
    pub mapred: SiteProperties,
    /// capacity-scheduler.xml.
    pub scheduler: SiteProperties,
    /// yarn-site.xml by group.
    pub yarn: BTreeMap<String, SiteProperties>,
}

impl SiteSources<'_> {
    /// Writes all of them, yarn-site.xml for each of these groups.
    ///
    /// # Errors
    /// What other frameworks add that Hadoop sets otherwise.
    pub fn write(&self, groups: &[&str]) -> Result<SiteFiles, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut written =
            |file: &str, mut site: SiteProperties, further: &BTreeMap<String, String>| {
                problems.extend(self.extensions.apply(file, &mut site));
                for (name, value) in further {
                    site.set(name, value);
                }
                site
            };
        let settings = self.settings;
        let none = BTreeMap::new();
        let core = written("core-site", core_site(self.nodes), &settings.core_site);
        let hdfs = written("hdfs-site", hdfs_site(settings), &settings.hdfs_site);
        let mapred = written("mapred-site", self.mapred_site(), &settings.mapred_site);
        let scheduler = written("capacity-scheduler", scheduler_queues(), &none);
        let yarn = written("yarn-site", self.yarn_site(), &none);
        if !problems.is_empty() {
            return Err(problems);
        }
        let of_group = |group: &&str| {
            let mut site = yarn.clone();
            if let Some(own) = self.sizes.of_group(group) {
                add_nodemanager(&mut site, own);
            }
            for (name, value) in &settings.yarn_site {
                site.set(name, value);
            }
            // what other frameworks need inside NodeManagers is there whatever the user lists
            self.list_aux_services(&mut site);
            ((*group).to_owned(), site)
        };
        Ok(SiteFiles {
            core,
            hdfs,
            mapred,
            scheduler,
            yarn: groups.iter().map(of_group).collect(),
        })
    }

    fn list_aux_services(&self, site: &mut SiteProperties) {
        let listed = site.get(AUX_SERVICES).unwrap_or_default().to_owned();
        let mut services: Vec<&str> = listed.split(',').map(str::trim).collect();
        services.retain(|service| !service.is_empty());
        for service in &self.extensions.aux_services {
            if !services.contains(&service.as_str()) {
                services.push(service);
            }
        }
        site.set(AUX_SERVICES, services.join(","));
    }

    fn yarn_site(&self) -> SiteProperties {
        let share = "/opt/hadoop/share/hadoop";
        let classpath = ["common", "hdfs", "yarn", "mapreduce"]
            .map(|part| format!("{share}/{part}/*,{share}/{part}/lib/*"))
            .join(",");
        let DaemonNodes {
            resourcemanager,
            jobhistory,
            nodemanagers,
            ..
        } = self.nodes;
        let containers = &self.sizes.containers;
        let mut site = SiteProperties::default();
        site.set("yarn.resourcemanager.hostname", resourcemanager)
            .set("yarn.resourcemanager.bind-host", "0.0.0.0")
            .set("yarn.resourcemanager.nodes.exclude-path", format!("{DATA}/exclude-yarn"))
            // a NodeManager that came first asks again after a second; the default of thirty is a long
            // time to look at
            .set("yarn.resourcemanager.connect.retry-interval.ms", 1000)
            .set("yarn.nodemanager.address", format!("0.0.0.0:{NODEMANAGER_RPC}"))
            .set(AUX_SERVICES, SHUFFLE)
            .set(format!("{AUX_SERVICES}.{SHUFFLE}.class"), "org.apache.hadoop.mapred.ShuffleHandler")
            .set("yarn.nodemanager.local-dirs", format!("{DATA}/nodemanager/local"))
            .set("yarn.nodemanager.log-dirs", "/var/log/hadoop-yarn")
            // HDFS leaves a tenth of the disk free; only where others fill most of that, too, is a
            // worker taken for unhealthy. The launcher says how many mebibytes are left then.
            .set("yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", 100)
            .set("yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb", "${env.STAMPEDE_FREE_MIB:-0}")
            .set("yarn.scheduler.minimum-allocation-mb", containers.minimum)
            .set("yarn.scheduler.maximum-allocation-mb", containers.maximum)
            .set("yarn.scheduler.maximum-allocation-vcores", self.sizes.most_vcores())
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
            .set("yarn.log.server.url", format!("http://{jobhistory}:{JOBHISTORY_WEB}/jobhistory/logs"))
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
        if *nodemanagers <= FEW_NODEMANAGERS {
            // a second between heartbeats is a second before each container; few nodes may ask more
            // often
            site.set(
                "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms",
                500,
            );
        }
        site
    }

    fn mapred_site(&self) -> SiteProperties {
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
        let containers = &self.sizes.containers;
        let jobhistory = self.nodes.jobhistory;
        let share = "/opt/hadoop/share/hadoop/mapreduce";
        let mut site = SiteProperties::default();
        site.set("mapreduce.framework.name", "yarn")
            .set(
                "mapreduce.jobhistory.address",
                format!("{jobhistory}:{JOBHISTORY_RPC}"),
            )
            .set(
                "mapreduce.jobhistory.webapp.address",
                format!("{jobhistory}:{JOBHISTORY_WEB}"),
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
            .set("yarn.app.mapreduce.am.resource.mb", containers.master)
            .set("yarn.app.mapreduce.am.command-opts", jvm(containers.master))
            .set("mapreduce.map.memory.mb", containers.map)
            .set("mapreduce.map.java.opts", jvm(containers.map))
            .set("mapreduce.reduce.memory.mb", containers.reduce)
            .set("mapreduce.reduce.java.opts", jvm(containers.reduce))
            // the sort buffer lies in the map's heap
            .set(
                "mapreduce.task.io.sort.mb",
                (task_heap(containers.map) / 4).clamp(16, 256),
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
}

/// What the NodeManagers of a group offer.
fn add_nodemanager(site: &mut SiteProperties, own: &GroupContainers) {
    site.set(
        "yarn.nodemanager.localizer.cache.target-size-mb",
        localizer_cache_mib(own.disk_gib),
    )
    .set("yarn.nodemanager.resource.memory-mb", own.granted)
    .set("yarn.nodemanager.resource.cpu-vcores", own.vcores);
}

fn core_site(nodes: &DaemonNodes<'_>) -> SiteProperties {
    let mut site = SiteProperties::default();
    site.set("fs.defaultFS", hdfs_url(nodes.namenode))
        .set("hadoop.tmp.dir", format!("{DATA}/tmp/${{user.name}}"))
        // the NameNode asks its own node for the groups of users, and need not have the others'
        .set(
            "hadoop.user.group.static.mapping.overrides",
            "dr.who=;hdfs=hadoop;yarn=hadoop;mapred=hadoop;",
        );
    site
}

fn hdfs_site(settings: &HadoopSettings) -> SiteProperties {
    let mut site = SiteProperties::default();
    site.set("dfs.replication", settings.replication.unwrap_or(1))
        .set("dfs.blocksize", u64::from(settings.block_size_mib) << 20)
        .set(
            "dfs.namenode.name.dir",
            format!("file://{DATA}/namenode/name"),
        )
        .set(
            "dfs.namenode.checkpoint.dir",
            format!("file://{DATA}/namenode/checkpoint"),
        )
        .set("dfs.datanode.data.dir", format!("file://{DATA}/datanode"))
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
        // the launcher says how many bytes: what stood on the disk before, and a tenth of it
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
