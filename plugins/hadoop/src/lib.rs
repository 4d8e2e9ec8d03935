//! The Stampede plugin `hadoop`: HDFS, YARN and MapReduce. Three pure functions.
//!
//! Layout, each using only those below it
//! - here: the descriptor, what is claimed and what is generated
//! - [`running`]: what cannot be done to a running cluster
//! - [`files`], [`units`]: what stands and what runs on the nodes
//! - [`sites`]: Hadoop's configuration files
//! - [`extensions`]: what other frameworks add to them
//! - [`sizing`]: what is granted, as sizes, and what is wrong with them in words
//! - [`daemons`]: the components and what they need
//! - [`bare_script`]: scripts as nodes get them
//! - [`memory`]: how what is granted is shared out
//! - [`releases`], [`owned_properties`], [`settings`], [`xml`]: what can be asked for, what cannot be
//!   set, the parameters, Hadoop's file format
//!
//! The scripts that nodes run are in `scripts/`; nothing is filled into them: they read
//! `/usr/local/lib/hadoop/hadoop.env`.

pub mod bare_script;
pub mod daemons;
pub mod extensions;
pub mod files;
pub mod memory;
pub mod owned_properties;
pub mod releases;
pub mod running;
pub mod settings;
pub mod sites;
pub mod sizing;
pub mod units;
pub mod xml;

use stampede_framework::{
    Bundle, Claims, Descriptor, Endpoint, Extension, Grant, Guest, Problem, Reach, Request, Script,
    Service, Stage, apache, descriptor, endpoint, java, parameters::read_settings, script, service,
};

use bare_script::without_comments;
use daemons::{
    CLIENT, DATANODE, DaemonNodes, JOBHISTORY, JOBHISTORY_WEB, NAMENODE, NAMENODE_RPC,
    NAMENODE_WEB, NODEMANAGER, RESOURCEMANAGER, RESOURCEMANAGER_RPC, RESOURCEMANAGER_WEB,
};
use extensions::read_extensions;
use releases::{HadoopRelease, RELEASES, find_release};
use settings::HadoopSettings;
use sites::{SiteSources, hdfs_url};
use sizing::YarnSizes;

/// The plugin.
#[derive(Debug)]
pub struct HadoopPlugin;

stampede_framework::export!(HadoopPlugin);

/// Its name.
const NAME: &str = "hadoop";
/// The service of what runs on YARN in larger containers than MapReduce.
const SPARK: &str = "spark";
/// Its configuration.
const CONF_DIR: &str = "/etc/hadoop";

impl Guest for HadoopPlugin {
    fn describe() -> Descriptor {
        descriptor(
            NAME,
            "Apache Hadoop",
            "Stores files in HDFS and computes on them with YARN and MapReduce.",
        )
        .with_versions(&RELEASES.map(|release| release.version))
        .providing(&["hdfs", "yarn"])
        .with_components(daemons::components())
        .with_parameters(settings::parameters())
    }

    fn claim(request: Request, running: Option<Request>) -> Result<Claims, Vec<Problem>> {
        let settings: HadoopSettings = read_settings(NAME, &request)?;
        let mut problems = Vec::new();
        problems.extend(find_release(&request.version).err());
        problems.extend(running::check_replication(&request, &settings));
        let has_spark = request.has_service(SPARK);
        problems.extend(sites::check_further(&settings));
        if has_spark {
            problems.extend(sizing::check_spark(&settings));
        }
        if let Some(running) = &running {
            problems.extend(running::check_change(&request, running));
        }
        if !problems.is_empty() {
            problems.truncate(MOST_PROBLEMS);
            return Err(problems);
        }
        let claims = daemons::claims(&settings, has_spark);
        Ok(match settings.replication {
            Some(_) => claims,
            None => claims.computing("replication", running::default_replication(&request)),
        })
    }

    fn generate(
        request: Request,
        grants: Vec<Grant>,
        extensions: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        let settings: HadoopSettings = read_settings(NAME, &request)?;
        let release = find_release(&request.version).map_err(|problem| vec![problem])?;
        let nodes = DaemonNodes::of(&request);
        let sizes = sizing::compute_sizes(&grants, &settings, nodes.nodemanagers);
        let extensions = read_extensions(&extensions, release);
        let (sizes, extensions) = match (sizes, extensions) {
            (Ok(sizes), Ok(extensions)) => (sizes, extensions),
            (sizes, extensions) => {
                let problems = [sizes.err(), extensions.err()];
                return Err(problems.into_iter().flatten().flatten().collect());
            }
        };
        let sources = SiteSources {
            settings: &settings,
            sizes: &sizes,
            nodes: &nodes,
            extensions: &extensions,
        };
        let sites = sources.write(&files::groups_of_yarn(&grants))?;
        let (oldest, newest) = extensions.java;
        let units = grants
            .iter()
            .flat_map(|grant| units::units_of(grant, &settings));
        Ok(Bundle {
            software: vec![java(oldest, newest)],
            artifacts: vec![distribution(release, &settings)],
            files: files::node_files(&sites, &settings, &nodes),
            units: units.collect(),
            checks: units::checks(),
            scripts: scripts(settings.smoke),
            endpoints: endpoints(),
            services: services(&nodes, &sizes),
            ..Bundle::default()
        })
    }
}

/// The most that the host takes.
const MOST_PROBLEMS: usize = 100;

fn distribution(
    release: &HadoopRelease,
    settings: &HadoopSettings,
) -> stampede_framework::Artifact {
    let sha512 = settings.sha512.as_deref().unwrap_or(release.sha512);
    apache("/opt/hadoop", release.path(), sha512)
}

fn scripts(smoke: bool) -> Vec<Script> {
    let setup = |component: &str, body: &str| script(component, Stage::Setup, body);
    let prepare = ". /usr/local/lib/hadoop/lib.sh\nprepare\n";
    let keeps = |component: &str| {
        let body = format!("{prepare}reserve /var/lib/hadoop/{component}\n");
        setup(component, &body)
    };
    let mut scripts = vec![
        setup(CLIENT, prepare),
        setup(NAMENODE, include_str!("../scripts/setup-namenode.sh")),
        keeps(DATANODE),
        setup(
            RESOURCEMANAGER,
            include_str!("../scripts/setup-resourcemanager.sh"),
        ),
        keeps(NODEMANAGER),
        setup(JOBHISTORY, include_str!("../scripts/setup-jobhistory.sh")),
    ];
    for (component, stage, body) in [
        (
            NAMENODE,
            Stage::Ready,
            include_str!("../scripts/ready-namenode.sh"),
        ),
        (
            RESOURCEMANAGER,
            Stage::Ready,
            include_str!("../scripts/ready-resourcemanager.sh"),
        ),
        (
            NODEMANAGER,
            Stage::Ready,
            include_str!("../scripts/ready-nodemanager.sh"),
        ),
        (
            NAMENODE,
            Stage::Drain,
            include_str!("../scripts/drain-namenode.sh"),
        ),
        (
            RESOURCEMANAGER,
            Stage::Drain,
            include_str!("../scripts/drain-resourcemanager.sh"),
        ),
        (
            NAMENODE,
            Stage::Members,
            include_str!("../scripts/members-namenode.sh"),
        ),
        (
            RESOURCEMANAGER,
            Stage::Members,
            include_str!("../scripts/members-resourcemanager.sh"),
        ),
    ] {
        scripts.push(script(component, stage, body));
    }
    if smoke {
        let body = include_str!("../scripts/smoke.sh");
        scripts.push(script(RESOURCEMANAGER, Stage::Smoke, body));
    }
    for script in &mut scripts {
        script.body = without_comments(&script.body);
    }
    scripts
}

/// Pages that ask for nothing may be opened by name, to those whom the user trusts with all of it.
fn endpoints() -> Vec<Endpoint> {
    let page = |name, component, port, description| {
        endpoint(name, component, port, description).reached_by(Reach::Outside)
    };
    vec![
        // Clients are sent on to DataNodes, which have no outer address.
        endpoint(
            "hadoop_hdfs",
            NAMENODE,
            NAMENODE_RPC,
            "HDFS, for clients on the cluster's network; on its nodes it is the default.",
        )
        .by("hdfs")
        .reached_by(Reach::Cluster),
        page(
            "hadoop_namenode",
            NAMENODE,
            NAMENODE_WEB,
            "The NameNode's web page: files, DataNodes, capacity.",
        ),
        page(
            "hadoop_resourcemanager",
            RESOURCEMANAGER,
            RESOURCEMANAGER_WEB,
            "YARN's web page: applications, NodeManagers, queues.",
        ),
        page(
            "hadoop_history",
            JOBHISTORY,
            JOBHISTORY_WEB,
            "The history of MapReduce jobs.",
        ),
    ]
}

fn services(nodes: &DaemonNodes<'_>, sizes: &YarnSizes) -> Vec<Service> {
    let DaemonNodes {
        namenode,
        resourcemanager,
        jobhistory,
        ..
    } = nodes;
    let containers: serde_json::Map<_, _> = sizes
        .groups
        .iter()
        .map(|one| {
            (
                one.group.clone(),
                serde_json::json!([one.granted, one.vcores]),
            )
        })
        .collect();
    let conf = || ("conf_dir", CONF_DIR.to_owned());
    vec![
        service("hdfs", [("url", hdfs_url(namenode)), conf()]),
        service(
            "yarn",
            [
                (
                    "resourcemanager",
                    format!("{resourcemanager}:{RESOURCEMANAGER_RPC}"),
                ),
                (
                    "webapp",
                    format!("http://{resourcemanager}:{RESOURCEMANAGER_WEB}"),
                ),
                ("history", format!("http://{jobhistory}:{JOBHISTORY_WEB}")),
                // MiB and virtual cores of one node, by group; containers come in multiples of the unit
                (
                    "containers",
                    serde_json::Value::Object(containers).to_string(),
                ),
                ("unit_mib", sizes.containers.minimum.to_string()),
                conf(),
            ],
        ),
    ]
}

#[cfg(test)]
mod claim_tests;
#[cfg(test)]
mod extension_tests;
#[cfg(test)]
mod script_tests;
#[cfg(test)]
mod test_cluster;
#[cfg(test)]
mod tests;
