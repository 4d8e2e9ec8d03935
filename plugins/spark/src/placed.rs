//! What stands on the nodes: software, files, units, checks, scripts, endpoints, and the service.

use stampede_framework::{
    Bundle, Check, Effect, Endpoint, File, Grant, Problem, Reach, Request, Script, Service, Stage,
    Unit, apache, apt, check, endpoint, file, first_grant, grants_of, java, problem, script,
    secret, service, unit,
};

use crate::configuration::{SparkMode, application_defaults, daemon_properties, write_properties};
use crate::releases::SparkRelease;
use crate::settings::SparkSettings;
use crate::sizes::{DAEMON_HEAP_MIB, JVM_MIB, LEAST_PROCESS_MIB, ProcessSizes, worker_mib};
use crate::{
    CLIENT, HISTORY, HISTORY_PORT, MASTER, MASTER_PORT, MASTER_WEB_PORT, NAME, SHUFFLE,
    SHUFFLE_PORT, SUBMIT_MIB, WORKER, WORKER_PORT, WORKER_WEB_PORT,
};

const HOME: &str = "/opt/spark";
const CONF_DIR: &str = "/etc/spark";
const DATA: &str = "/var/lib/spark";
/// Where daemons take their properties from.
const DAEMONS_CONF: &str = "/etc/spark/daemons.conf";
/// Commands that people run on any node.
const COMMANDS: [&str; 4] = ["pyspark", "spark-shell", "spark-sql", "spark-submit"];

/// All of it.
pub(crate) fn bundle_of(
    request: &Request,
    settings: &SparkSettings,
    grants: &[Grant],
    sizes: ProcessSizes,
) -> Result<Bundle, Vec<Problem>> {
    let release = SparkRelease::find(&request.version);
    let mode = SparkMode::of(request);
    let Some(sha512) = settings.sha512.as_deref().or(release.sha512) else {
        let message = format!(
            "the checksum of Spark {} is not known here",
            release.version
        );
        return Err(vec![problem("spark.sha512", message, "set it")]);
    };
    Ok(Bundle {
        software: vec![java(release.java.0, release.java.1), apt(&["python3"])],
        artifacts: vec![apache(HOME, release.tarball(), sha512)],
        secrets: match mode {
            SparkMode::Standalone => vec![secret("auth", true)],
            SparkMode::Yarn => vec![],
        },
        files: files(request, settings, sizes),
        units: units(request, settings, grants),
        checks: checks(),
        scripts: scripts(settings, mode),
        endpoints: endpoints(),
        services: vec![spark_service(request, release, mode)],
        ..Bundle::default()
    })
}

fn spark_service(request: &Request, release: &SparkRelease, mode: SparkMode) -> Service {
    let py4j = format!(
        "{HOME}/python:{HOME}/python/lib/py4j-{}-src.zip",
        release.py4j
    );
    let mut attributes = vec![
        ("master", mode.master(request)),
        ("home", HOME.to_owned()),
        ("conf_dir", CONF_DIR.to_owned()),
        ("python", "/usr/bin/python3".to_owned()),
        ("pythonpath", py4j),
    ];
    // Who is to read the configuration with its secret.
    attributes.extend((mode == SparkMode::Standalone).then(|| ("group", NAME.to_owned())));
    service(NAME, attributes)
}

fn hadoop_conf_dir(request: &Request) -> Option<&str> {
    let said = ["yarn", "hdfs"]
        .into_iter()
        .find_map(|name| request.attribute(name, "conf_dir"));
    let is_there = request.has_service("yarn") || request.has_service("hdfs");
    said.or(is_there.then_some("/etc/hadoop"))
}

fn files(request: &Request, settings: &SparkSettings, sizes: ProcessSizes) -> Vec<File> {
    let mode = SparkMode::of(request);
    let mut environment = String::from(
        "JAVA_HOME=${JAVA_HOME:-@{java}}\nPYSPARK_PYTHON=${PYSPARK_PYTHON:-/usr/bin/python3}\nSPARK_LOCAL_HOSTNAME=${SPARK_LOCAL_HOSTNAME:-@{node}}\n",
    );
    if let Some(folder) = hadoop_conf_dir(request) {
        environment += &format!("HADOOP_CONF_DIR=${{HADOOP_CONF_DIR:-{folder}}}\n");
    }
    // A secret is nobody's to read but those of Spark's group.
    let private = |file: File| match mode {
        SparkMode::Standalone => file.owned_by("root:spark", 0o640),
        SparkMode::Yarn => file,
    };
    let defaults = write_properties(&application_defaults(request, settings, sizes));
    let daemons = write_properties(&daemon_properties(request, settings));
    let library = |name: &str, content: &str| {
        file(format!("/usr/local/lib/spark/{name}"), content).with_effect(Effect::Nothing)
    };
    let mut files = vec![
        private(file(format!("{CONF_DIR}/spark-defaults.conf"), defaults))
            .with_effect(Effect::Nothing),
        private(file(DAEMONS_CONF, daemons)).on(&[MASTER, WORKER, HISTORY]),
        file(format!("{CONF_DIR}/spark-env.sh"), environment),
        file(
            format!("{CONF_DIR}/log4j2.properties"),
            include_str!("../scripts/log4j2.properties"),
        )
        .with_effect(Effect::Nothing),
        file(
            format!("{CONF_DIR}/cluster.env"),
            script_variables(request, settings),
        )
        .with_effect(Effect::Nothing),
        file(
            "/etc/profile.d/spark.sh",
            format!("export SPARK_HOME={HOME} SPARK_CONF_DIR={CONF_DIR}\n"),
        )
        .with_effect(Effect::Nothing),
        library("cluster.sh", include_str!("../scripts/cluster.sh")),
        library("smoke.py", include_str!("../scripts/smoke.py")).on(&[MASTER, HISTORY]),
    ];
    let command = format!(
        "#!/bin/sh\nSPARK_HOME={HOME} SPARK_CONF_DIR=${{SPARK_CONF_DIR:-{CONF_DIR}}} exec {HOME}/bin/${{0##*/}} \"$@\"\n"
    );
    files.extend(COMMANDS.map(|name| {
        file(format!("/usr/local/bin/{name}"), command.clone())
            .owned_by("root", 0o755)
            .with_effect(Effect::Nothing)
    }));
    files
}

/// What the scripts read.
fn script_variables(request: &Request, settings: &SparkSettings) -> String {
    let master = request.first_node(MASTER).unwrap_or_default();
    let history = request.first_node(HISTORY).unwrap_or_default();
    let web = request.attribute("yarn", "webapp").unwrap_or_default();
    let unit = request.attribute("yarn", "unit_mib").unwrap_or("1");
    format!(
        "SPARK_MASTER_WEB=http://{master}:{MASTER_WEB_PORT}\nSPARK_HISTORY_WEB=http://{history}:{HISTORY_PORT}\nSPARK_YARN_WEB={web}\nSPARK_YARN_UNIT_MIB={unit}\nSPARK_DRAIN_S={}\nSPARK_SHUFFLE_JAR={HOME}/yarn/spark-{}-yarn-shuffle.jar\n",
        settings.drain_s, request.version
    )
}

fn daemon(component: &str, name: &str, arguments: &str, heap_mib: u32) -> Unit {
    let exec = format!("{HOME}/bin/spark-class {arguments} --properties-file {DAEMONS_CONF}");
    unit(component, name, NAME, exec)
        .with(
            "Environment",
            format!("SPARK_HOME={HOME} SPARK_CONF_DIR={CONF_DIR} SPARK_DAEMON_MEMORY={heap_mib}m"),
        )
        .with_data(DATA)
}

fn units(request: &Request, settings: &SparkSettings, grants: &[Grant]) -> Vec<Unit> {
    let mut units = Vec::new();
    if let Some(grant) = first_grant(grants, MASTER) {
        let heap = grant.memory_mib.saturating_sub(JVM_MIB + LEAST_PROCESS_MIB);
        let arguments = format!(
            "org.apache.spark.deploy.master.Master --host @{{node}} --port {MASTER_PORT} --webui-port {MASTER_WEB_PORT}"
        );
        units.push(daemon(MASTER, "spark-master", &arguments, heap));
    }
    let master = SparkMode::Standalone.master(request);
    units.extend(grants_of(grants, WORKER).map(|grant| {
        let (cores, memory) = (grant.vcpus, worker_mib(settings, grant));
        let exec = format!(
            "{HOME}/bin/spark-class org.apache.spark.deploy.worker.Worker --host @{{node}} --port {WORKER_PORT} --webui-port {WORKER_WEB_PORT} \
             --cores {cores} --memory {memory}m --work-dir {DATA}/work --properties-file {DAEMONS_CONF} {master}"
        );
        unit(WORKER, "spark-worker", NAME, exec)
            .in_group(&grant.group)
            .with("Environment", format!("SPARK_HOME={HOME} SPARK_CONF_DIR={CONF_DIR} SPARK_DAEMON_MEMORY={DAEMON_HEAP_MIB}m SPARK_LOCAL_DIRS={DATA}/local"))
            .with_data(DATA)
    }));
    if let Some(grant) = first_grant(grants, HISTORY) {
        let heap = grant.memory_mib.saturating_sub(JVM_MIB + SUBMIT_MIB);
        let arguments = "org.apache.spark.deploy.history.HistoryServer";
        units.push(daemon(HISTORY, "spark-history-server", arguments, heap));
    }
    units
}

fn checks() -> Vec<Check> {
    let library = "exec:. /usr/local/lib/spark/cluster.sh";
    vec![
        check(SHUFFLE, format!("tcp://:{SHUFFLE_PORT}")),
        check(MASTER, format!("http://:{MASTER_WEB_PORT}/json/")),
        check(MASTER, format!("{library}; spark_master_health")),
        check(MASTER, "jobs:. /usr/local/lib/spark/cluster.sh; spark_jobs"),
        check(WORKER, format!("http://:{WORKER_WEB_PORT}/json/")),
        check(WORKER, format!("{library}; spark_worker_health")),
        check(
            HISTORY,
            format!("http://:{HISTORY_PORT}/api/v1/applications?limit=1"),
        ),
    ]
}

fn scripts(settings: &SparkSettings, mode: SparkMode) -> Vec<Script> {
    let mut scripts = vec![
        script(
            SHUFFLE,
            Stage::Setup,
            include_str!("../scripts/setup-shuffle.sh"),
        ),
        script(
            MASTER,
            Stage::Ready,
            include_str!("../scripts/ready-master.sh"),
        ),
        script(
            WORKER,
            Stage::Ready,
            include_str!("../scripts/ready-worker.sh"),
        ),
        script(MASTER, Stage::Drain, include_str!("../scripts/drain.sh")),
        script(
            HISTORY,
            Stage::Setup,
            include_str!("../scripts/setup-history.sh"),
        ),
    ];
    if mode == SparkMode::Standalone {
        scripts.push(script(
            CLIENT,
            Stage::Setup,
            include_str!("../scripts/setup-client.sh"),
        ));
    }
    if settings.smoke {
        let on_yarn = script(
            HISTORY,
            Stage::Smoke,
            include_str!("../scripts/smoke-yarn.sh"),
        );
        scripts.push(match mode {
            SparkMode::Standalone => {
                script(MASTER, Stage::Smoke, include_str!("../scripts/smoke.sh"))
            }
            SparkMode::Yarn => on_yarn,
        });
    }
    scripts
}

fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            "spark_master",
            MASTER,
            MASTER_WEB_PORT,
            "Workers and applications of Spark's master.",
        ),
        endpoint(
            "spark_submit",
            MASTER,
            MASTER_PORT,
            "Where applications on the cluster's nodes get their executors: spark-submit knows it.",
        )
        .by(NAME)
        .reached_by(Reach::Cluster),
        endpoint(
            "spark_history",
            HISTORY,
            HISTORY_PORT,
            "Applications that have ended, with their jobs, stages and executors.",
        ),
    ]
}
