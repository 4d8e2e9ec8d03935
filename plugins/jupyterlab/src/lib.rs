//! The Stampede plugin `jupyterlab`: notebooks, with kernels for what the cluster has, on a node for
//! people where there is one.
//!
//! Layout
//! - here: the three functions
//! - `settings`: the parameters
//! - `scripts/`: what the node runs
//! - `requirements.txt`: the wheels, each pinned by its hash

mod settings;

use serde_json::{Value, json};
use stampede_framework::parameters::read_settings;
use stampede_framework::{
    Bundle, Claims, Descriptor, Effect, Extension, File, Grant, Guest, Problem, Reach, Request,
    Script, Stage, Unit, apt, check, component, descriptor, endpoint, file, first_grant, need, pip,
    problem, script, secret, service, unit,
};

use settings::JupyterlabSettings;

/// The plugin.
#[derive(Debug)]
pub struct JupyterlabPlugin;

stampede_framework::export!(JupyterlabPlugin);

const NAME: &str = "jupyterlab";
/// JupyterLab's release.
const VERSION: &str = "4.6.6";
const USER: &str = "jupyter";
const PYTHON: &str = "/opt/jupyterlab/bin/python";
const DATA: &str = "/var/lib/jupyter";
/// The server and a kernel, in MiB.
const LEAST_MIB: u32 = 512;
/// And a kernel that drives Spark.
const LEAST_WITH_SPARK_MIB: u32 = 1_024;

impl Guest for JupyterlabPlugin {
    fn describe() -> Descriptor {
        descriptor(
            NAME,
            "JupyterLab",
            "Notebooks in a browser, with kernels for what the cluster has.",
        )
        .with_versions(&[VERSION])
        .with_components([component(NAME, &["edge", "master"]).on_nodes(1).at_most(1)])
        .with_parameters(settings::parameters())
        .using(&["hdfs", "spark"])
        .providing(&["notebooks"])
    }

    fn claim(request: Request, running: Option<Request>) -> Result<Claims, Vec<Problem>> {
        let settings: JupyterlabSettings = read_settings(NAME, &request)?;
        let mut problems = check_requirements(&settings);
        problems.extend(check_move(&request, running.as_ref(), &settings));
        if !problems.is_empty() {
            return Err(problems);
        }
        let least = if request.has_service("spark") {
            LEAST_WITH_SPARK_MIB
        } else {
            LEAST_MIB
        };
        Ok(Claims::of([need(NAME)
            .least(least)
            .weight(4)
            .disk(3)
            .ports(&[settings.port])]))
    }

    fn generate(
        request: Request,
        grants: Vec<Grant>,
        extensions: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        if let Some(one) = extensions.first() {
            let message = format!("jupyterlab knows no {}", one.key);
            return Err(vec![problem("framework", message, "")]);
        }
        let settings: JupyterlabSettings = read_settings(NAME, &request)?;
        let (node, port) = (request.first_node(NAME).unwrap_or_default(), settings.port);
        let page = endpoint(
            NAME,
            NAME,
            port,
            "Notebooks; the browser asks for the token.",
        )
        .at("/lab")
        .reached_by(Reach::Outside)
        .asking_for("token");
        Ok(Bundle {
            software: vec![
                apt(&["python3"]),
                pip("/opt/jupyterlab", requirements(&settings)),
            ],
            // Shared, so that the host can show it: it is made from what Heat knows.
            secrets: vec![secret("token", true)],
            files: files(&request, &settings),
            units: first_grant(&grants, NAME)
                .map(|grant| run_server(&request, grant))
                .into_iter()
                .collect(),
            checks: vec![
                check(NAME, format!("http://:{port}/api")),
                check(NAME, format!("jobs:{}", count_busy_kernels(port))),
            ],
            scripts: scripts(&request, &settings),
            endpoints: vec![page],
            services: vec![service(
                "notebooks",
                [("url", format!("http://{node}:{port}"))],
            )],
            ..Bundle::default()
        })
    }
}

/// A command that prints how many kernels compute. One that is open and waits for its user is no job:
/// nobody closes notebooks. The token stands in no list of processes.
fn count_busy_kernels(port: u16) -> String {
    format!(
        "said=$(curl -sf --noproxy '*' --max-time 8 -K <(printf 'header = \"Authorization: token %s\"\\n' \"$(stampede_secret token)\") \"http://$STAMPEDE_ADDRESS:{port}/api/kernels\"); \
         awk '{{n += gsub(/\"execution_state\": *\"busy\"/, \"\")}} END {{print n + 0}}' <<<\"$said\""
    )
}

/// The pinned wheels: a line each.
fn pinned() -> impl Iterator<Item = &'static str> {
    include_str!("../requirements.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn requirements(settings: &JupyterlabSettings) -> Vec<String> {
    let own = pinned().map(str::to_owned);
    own.chain(settings.requirements.iter().cloned()).collect()
}

/// A package's name as indexes know it: `Python_Dateutil[x]==1` is `python-dateutil`.
fn package_of(line: &str) -> String {
    let name = line.split(['=', '[']).next().unwrap_or_default();
    name.to_lowercase().replace(['_', '.'], "-")
}

fn check_requirements(settings: &JupyterlabSettings) -> Vec<Problem> {
    let mut seen: Vec<String> = pinned().map(package_of).collect();
    let mut problems = Vec::new();
    for line in &settings.requirements {
        let package = package_of(line);
        if seen.contains(&package) {
            problems.push(problem(
                "jupyterlab.requirements",
                format!("{package} is pinned already"),
                "leave it out: JupyterLab brings it, or it stands there twice",
            ));
        }
        seen.push(package);
    }
    problems
}

/// Notebooks stay on the node that they are on.
fn check_move(
    request: &Request,
    running: Option<&Request>,
    settings: &JupyterlabSettings,
) -> Option<Problem> {
    let (was, is) = (running?.first_node(NAME)?, request.first_node(NAME)?);
    (was != is && !settings.leave_notebooks).then(|| {
        problem(
            "jupyterlab",
            format!("the notebooks are on {was}, and JupyterLab would be on {is} without them"),
            format!("keep it on {was} (GROUP.components=jupyterlab), or save them and set jupyterlab.leave_notebooks=true"),
        )
    })
}

/// Groups of the system whose files it has to read, as the services say.
fn groups(request: &Request) -> Vec<&str> {
    let mut groups = Vec::new();
    for name in ["hdfs", "spark"] {
        let said = request.attribute(name, "group");
        let unsaid = (name == "hdfs" && request.has_service(name)).then_some("hadoop");
        groups.extend(said.or(unsaid).filter(|group| *group != USER));
    }
    groups.dedup();
    groups
}

fn run_server(request: &Request, grant: &Grant) -> Unit {
    let exec =
        "/opt/jupyterlab/bin/jupyter-lab --config=/etc/jupyterlab/jupyter_server_config.json";
    unit(NAME, NAME, USER, exec)
        .member_of(&groups(request))
        .with_data(DATA)
        .with("EnvironmentFile", "/etc/jupyterlab/token.env")
        .with(
            "Environment",
            format!("HOME={DATA} SHELL=/bin/bash PATH=/opt/jupyterlab/bin:/usr/local/bin:/usr/bin:/bin JUPYTER_PLATFORM_DIRS=1"),
        )
        // A notebook that takes more than there is ends itself, and no daemon beside it.
        .with("MemoryMax", format!("{}M", grant.memory_mib))
        .with("OOMPolicy", "continue")
}

fn server_configuration(settings: &JupyterlabSettings) -> Value {
    json!({
        "ServerApp": {
            "ip": "@{address}",
            "port": settings.port,
            "port_retries": 0,
            "open_browser": false,
            "root_dir": DATA,
        },
        // The token comes by the environment, so that it stands in no list of processes.
        "MappingKernelManager": {"cull_idle_timeout": settings.idle_kernel_s, "cull_interval": 60},
        "LabApp": {"check_for_updates_class": "jupyterlab.NeverCheckForUpdate", "news_url": null},
    })
}

/// A kernel for PySpark, whose workers run the Python that Spark says: of the same minor version,
/// since the environment is made from the node's.
fn pyspark_kernel(request: &Request) -> Option<Value> {
    let attribute = |name: &str| request.attribute("spark", name);
    let environment = json!({
        "SPARK_HOME": attribute("home")?,
        "SPARK_CONF_DIR": attribute("conf_dir")?,
        "PYTHONPATH": attribute("pythonpath")?,
        "PYSPARK_PYTHON": attribute("python")?,
        "PYSPARK_DRIVER_PYTHON": PYTHON,
    });
    Some(json!({
        "argv": [PYTHON, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "PySpark",
        "language": "python",
        "env": environment,
        "metadata": {"debugger": true},
    }))
}

fn files(request: &Request, settings: &JupyterlabSettings) -> Vec<File> {
    let configuration = server_configuration(settings);
    let mut files = vec![
        file(
            "/etc/jupyterlab/token.env",
            "JUPYTER_TOKEN=@{secret.token}\n",
        )
        .owned_by("root", 0o400),
        file(
            "/etc/jupyterlab/jupyter_server_config.json",
            format!("{configuration:#}\n"),
        ),
    ];
    if let Some(kernel) = pyspark_kernel(request) {
        let path = "/usr/local/share/jupyter/kernels/pyspark/kernel.json";
        files.push(file(path, format!("{kernel:#}\n")).with_effect(Effect::Nothing));
    }
    if settings.smoke {
        let content = include_str!("../scripts/smoke.py");
        files
            .push(file("/usr/local/lib/jupyterlab/smoke.py", content).with_effect(Effect::Nothing));
    }
    files
}

fn scripts(request: &Request, settings: &JupyterlabSettings) -> Vec<Script> {
    let mut scripts = Vec::new();
    if request.has_service("hdfs") {
        scripts.push(script(
            NAME,
            Stage::Setup,
            include_str!("../scripts/setup.sh"),
        ));
    }
    if settings.smoke {
        let kernels = if pyspark_kernel(request).is_some() {
            "python3 pyspark"
        } else {
            "python3"
        };
        let lines = include_str!("../scripts/smoke.sh");
        let port = settings.port;
        let body = format!("url=http://$STAMPEDE_ADDRESS:{port} kernels=({kernels})\n{lines}");
        scripts.push(script(NAME, Stage::Smoke, body));
    }
    scripts
}

#[cfg(test)]
mod tests;
