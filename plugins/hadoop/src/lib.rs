//! The Stampede plugin `hadoop`: HDFS, YARN and MapReduce on one master and its workers. A pure
//! function from request to bundle.
//!
//! Layout, each using only those below it
//! - here: the descriptor and the bundle
//! - [`sites`]: Hadoop's configuration files
//! - [`units`]: what else stands on the nodes
//! - [`sizing`]: the request's sizes, and what is wrong with them in words
//! - [`memory`]: how a worker's memory is shared out
//! - [`owned_properties`]: the properties of Hadoop that requests cannot set
//! - [`settings`]: the parameters
//! - [`xml`]: Hadoop's file format
//!
//! The scripts that nodes run are in `scripts/`; nothing is filled into them: they read
//! `/etc/stampede/hadoop.env`.

pub mod memory;
pub mod owned_properties;
pub mod settings;
pub mod sites;
pub mod sizing;
pub mod units;
pub mod xml;

use stampede_plugin::{
    Audience, Bundle, Cardinality, Descriptor, Endpoint, File, Guest, Port, Problem, Request, Role,
    Script, Service, Share, Size, Stage,
    hot::{self, TemplatePart},
    problem,
    settings::KEPT_SETTING_PREFIX,
};

use settings::HadoopSettings;
use sizing::ClusterSizes;
use units::{HadoopRelease, RELEASES};

/// The plugin.
#[derive(Debug)]
pub struct HadoopPlugin;

stampede_plugin::export!(HadoopPlugin);

const MASTER: &str = "master";
const WORKER: &str = "worker";

/// Number, role, purpose, audience.
const PORTS: [(u16, &str, &str, Audience); 15] = [
    (8020, MASTER, "HDFS RPC", Audience::Public),
    (9870, MASTER, "NameNode web", Audience::Admin),
    (8030, MASTER, "ResourceManager scheduler", Audience::Cluster),
    (8031, MASTER, "ResourceManager tracker", Audience::Cluster),
    (8032, MASTER, "ResourceManager RPC", Audience::Public),
    (8033, MASTER, "ResourceManager admin RPC", Audience::Cluster),
    (8088, MASTER, "ResourceManager web", Audience::Admin),
    (10020, MASTER, "history server RPC", Audience::Cluster),
    (10033, MASTER, "history server admin RPC", Audience::Cluster),
    (19888, MASTER, "history server web", Audience::Admin),
    (9864, WORKER, "DataNode web", Audience::Admin),
    (9866, WORKER, "DataNode data", Audience::Public),
    (9867, WORKER, "DataNode RPC", Audience::Cluster),
    (8041, WORKER, "NodeManager containers", Audience::Cluster),
    (8042, WORKER, "NodeManager web", Audience::Admin),
];
/// Ports of workers that are named apart, since there are more than people want to read.
const WORKER_PORTS: [(u16, &str); 2] = [
    (8040, "NodeManager localizer"),
    (13562, "MapReduce shuffle"),
];

impl Guest for HadoopPlugin {
    fn describe() -> Descriptor {
        let named =
            PORTS.map(|(number, role, purpose, audience)| port(number, role, purpose, audience));
        let further =
            WORKER_PORTS.map(|(number, purpose)| port(number, WORKER, purpose, Audience::Cluster));
        Descriptor {
            versions: RELEASES
                .iter()
                .map(|release| release.version.to_owned())
                .collect(),
            default_version: RELEASES[0].version.to_owned(),
            requires: vec!["cluster".to_owned()],
            provides: vec!["hdfs".to_owned(), "yarn".to_owned()],
            roles: vec![
                role(MASTER, Cardinality::ExactlyOne),
                role(WORKER, Cardinality::OneOrMore),
            ],
            parameters: settings::schema(),
            ports: named.into_iter().chain(further).collect(),
            resource_types: [
                "OS::Neutron::SecurityGroupRule",
                "OS::Cinder::Volume",
                "OS::Cinder::VolumeAttachment",
            ]
            .map(str::to_owned)
            .to_vec(),
            ..stampede_plugin::descriptor(
                "hadoop",
                "Apache Hadoop",
                "Stores files in HDFS and computes on them with YARN and MapReduce.",
            )
        }
    }

    fn generate(request: Request) -> Result<Bundle, Vec<Problem>> {
        let settings: HadoopSettings =
            stampede_plugin::settings::read_settings("hadoop", &request)?;
        let release = find_release(&request)?;
        let (sizes, master) = match (sizing::compute_sizes(&request, &settings), request.master()) {
            (Ok(sizes), Some(master)) => (sizes, master.name.clone()),
            (Ok(_), None) => return Err(vec![problem("workers", "Hadoop needs a master", "")]),
            (Err(problems), _) => return Err(problems),
        };
        let sites = sites::site_files(&request, &settings, &sizes, &master)?;
        Ok(Bundle {
            template: build_template(&request, &settings).into_json(),
            files: node_files(&request, &settings, &sizes, release, sites),
            scripts: scripts(settings.smoke),
            endpoints: endpoints(),
            services: services(&master, &sizes),
            taken: resource_claims(&sizes),
        })
    }
}

fn port(number: u16, role: &str, purpose: &str, audience: Audience) -> Port {
    Port {
        number,
        role: role.to_owned(),
        purpose: purpose.to_owned(),
        audience,
    }
}

fn role(name: &str, cardinality: Cardinality) -> Role {
    Role {
        name: name.to_owned(),
        cardinality,
        smallest: Size {
            vcpus: 1,
            ram_mib: 2048,
            disk_gib: 5,
        },
    }
}

fn find_release(request: &Request) -> Result<&'static HadoopRelease, Vec<Problem>> {
    RELEASES
        .iter()
        .find(|release| release.version == request.version)
        .ok_or_else(|| {
            let known = RELEASES.map(|release| release.version).join(", ");
            vec![problem(
                "hadoop.version",
                format!("there is no Hadoop {} here", request.version),
                format!("take one of {known}"),
            )]
        })
}

fn build_template(request: &Request, settings: &HadoopSettings) -> TemplatePart {
    let mut template = TemplatePart::new();
    let open = PORTS
        .iter()
        .filter(|(_, _, _, audience)| *audience != Audience::Cluster);
    let names: Vec<_> = open
        .map(|(number, _, purpose, _)| (purpose.to_lowercase().replace(' ', "_"), *number))
        .collect();
    hot::port_rules(
        &mut template,
        "hadoop",
        names.iter().map(|(name, number)| (name.as_str(), *number)),
        &request.network.access,
    );
    if settings.data_volume_gib > 0 {
        for worker in request.workers() {
            add_volume(&mut template, request, settings, worker);
        }
    }
    template
}

fn add_volume(
    template: &mut TemplatePart,
    request: &Request,
    settings: &HadoopSettings,
    worker: &stampede_plugin::Node,
) {
    let mut properties = serde_json::json!({ "size": settings.data_volume_gib, "name": format!("{}-{}-hdfs", request.cluster, worker.name) });
    if let Some(kind) = &settings.data_volume_type {
        properties["volume_type"] = kind.as_str().into();
    }
    if let Some(zone) = &settings.data_volume_zone {
        properties["availability_zone"] = zone.as_str().into();
    }
    let name = format!("hadoop_{}_volume", worker.prefix());
    let policy = if settings.data_volume_keep {
        "Retain"
    } else {
        "Delete"
    };
    template.resource(
        &name,
        hot::with(
            hot::resource("OS::Cinder::Volume", properties),
            "deletion_policy",
            policy,
        ),
    );
    let attachment = serde_json::json!({
        "instance_uuid": hot::get_resource(&format!("{}_server", worker.prefix())),
        "volume_id": hot::get_resource(&name),
    });
    template.resource(
        format!("hadoop_{}_attachment", worker.prefix()),
        hot::resource("OS::Cinder::VolumeAttachment", attachment),
    );
}

fn node_files(
    request: &Request,
    settings: &HadoopSettings,
    sizes: &ClusterSizes,
    release: &HadoopRelease,
    sites: Vec<(String, String)>,
) -> Vec<File> {
    let both = || vec![MASTER.to_owned(), WORKER.to_owned()];
    let file = |path: &str, content: String| File {
        roles: both(),
        path: path.to_owned(),
        mode: 0o644,
        content,
    };
    let mut files: Vec<_> = sites
        .into_iter()
        .map(|(path, content)| file(&path, content))
        .collect();
    files.push(file(
        "/etc/hadoop/log4j.properties",
        units::LOG4J.to_owned(),
    ));
    files.push(file(
        "/etc/stampede/hadoop.env",
        units::script_environment(request, settings, sizes, release),
    ));
    files.push(file("/etc/profile.d/hadoop.sh", units::PROFILE.to_owned()));
    files.push(file("/etc/sysusers.d/hadoop.conf", units::USERS.to_owned()));
    files.push(file(
        "/usr/local/lib/hadoop/web.sh",
        include_str!("../scripts/web.sh").to_owned(),
    ));
    files.push(file(
        "/usr/local/lib/hadoop/leave.sh",
        include_str!("../scripts/leave.sh").to_owned(),
    ));
    files.push(File {
        mode: 0o755,
        ..file(
            "/usr/local/lib/hadoop/launch",
            include_str!("../scripts/launch.sh").to_owned(),
        )
    });
    for (name, user, command, role) in units::DAEMONS {
        let unit = file(
            &format!("/etc/systemd/system/{name}.service"),
            units::systemd_unit(name, user, command),
        );
        files.push(File {
            roles: vec![role.to_owned()],
            ..unit
        });
    }
    for (name, content) in units::CHECKPOINT {
        files.push(File {
            roles: vec![MASTER.to_owned()],
            ..file(&format!("/etc/systemd/system/{name}"), content.to_owned())
        });
    }
    files
}

fn scripts(smoke: bool) -> Vec<Script> {
    let script = |role: &str, stage, name: &str, body: &str| Script {
        role: role.to_owned(),
        stage,
        name: name.to_owned(),
        body: body.to_owned(),
    };
    let setup = include_str!("../scripts/setup.sh");
    let mut scripts = vec![
        script(MASTER, Stage::Setup, "hadoop", setup),
        script(WORKER, Stage::Setup, "hadoop", setup),
        script(
            MASTER,
            Stage::Ready,
            "registered",
            include_str!("../scripts/ready-master.sh"),
        ),
        script(
            WORKER,
            Stage::Ready,
            "registered",
            include_str!("../scripts/ready-worker.sh"),
        ),
        script(
            MASTER,
            Stage::Drain,
            "decommissioned",
            include_str!("../scripts/drain.sh"),
        ),
    ];
    if smoke {
        scripts.push(script(
            MASTER,
            Stage::Smoke,
            "wordcount",
            include_str!("../scripts/smoke.sh"),
        ));
    }
    scripts
}

fn endpoints() -> Vec<Endpoint> {
    let endpoint = |name: &str, description: &str, scheme: &str, port, audience| Endpoint {
        name: name.to_owned(),
        description: description.to_owned(),
        role: MASTER.to_owned(),
        scheme: scheme.to_owned(),
        port,
        path: String::new(),
        audience,
    };
    vec![
        // By the fixed address: clients are sent on to DataNodes, which have no outer one.
        endpoint(
            "hadoop_hdfs",
            "HDFS, for clients on the cluster's network; on its nodes it is the default.",
            "hdfs",
            8020,
            Audience::Cluster,
        ),
        endpoint(
            "hadoop_namenode",
            "The NameNode's web page: files, DataNodes, capacity.",
            "http",
            9870,
            Audience::Admin,
        ),
        endpoint(
            "hadoop_resourcemanager",
            "YARN's web page: applications, NodeManagers, queues.",
            "http",
            8088,
            Audience::Admin,
        ),
        endpoint(
            "hadoop_history",
            "The history of MapReduce jobs.",
            "http",
            19888,
            Audience::Admin,
        ),
    ]
}

/// The replication factor is among the attributes, so that the host keeps it: computed anew from
/// fewer or more workers, a later change would rewrite the files of every node.
fn services(master: &str, sizes: &ClusterSizes) -> Vec<Service> {
    let service = |name: &str, attributes: Vec<(&str, String)>| Service {
        name: name.to_owned(),
        plugin: "hadoop".to_owned(),
        node: master.to_owned(),
        attributes: attributes
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    };
    let conf = || ("conf_dir", "/etc/hadoop".to_owned());
    let replication = format!("{KEPT_SETTING_PREFIX}replication");
    vec![
        service(
            "hdfs",
            vec![
                ("url", sites::hdfs_url(master)),
                conf(),
                (replication.as_str(), sizes.replication.to_string()),
            ],
        ),
        service(
            "yarn",
            vec![
                ("resourcemanager", format!("{master}:8032")),
                ("web", format!("http://{master}:8088")),
                conf(),
            ],
        ),
    ]
}

fn resource_claims(sizes: &ClusterSizes) -> Vec<Share> {
    let ports = |role: &'static str| {
        PORTS
            .iter()
            .filter(move |port| port.1 == role)
            .map(|port| port.0)
    };
    let worker = &sizes.worker;
    let share = |role: &str, memory_mib, ports: Vec<u16>| Share {
        role: role.to_owned(),
        plugin: "hadoop".to_owned(),
        memory_mib,
        ports,
    };
    vec![
        share(MASTER, sizes.master.iter().sum(), ports(MASTER).collect()),
        share(
            WORKER,
            worker.datanode + worker.nodemanager + worker.granted,
            ports(WORKER)
                .chain(WORKER_PORTS.iter().map(|port| port.0))
                .collect(),
        ),
    ]
}

#[cfg(test)]
mod script_tests;
#[cfg(test)]
mod tests;
