//! An honest plugin: it claims and adds one thing of each kind, and says again
//! whatever it was asked.

#![cfg(target_family = "wasm")]

use serde_json::{Value, json};
use stampede_framework::parameters::{ParameterList, parameter};
use stampede_framework::{
    Bundle, Claims, Descriptor, Effect, Extension, Grant, Guest, Problem, Reach, Request, Stage,
    apache, apt, check, component, config_lines, descriptor, endpoint, file, first_grant, java,
    need, pip, problem, script, secret, service, unit,
};

struct Echo;

/// The port of its page.
const PORT: u16 = 7_007;
/// Of nothing that anybody has.
const SHA512: &str = concat!(
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
);

impl Guest for Echo {
    fn describe() -> Descriptor {
        let parameters = ParameterList::new()
            .add("text", parameter("string", "What it says again.").or(""))
            .add(
                "copies",
                parameter("integer", "How often.")
                    .with("minimum", 1)
                    .basic()
                    .fixed(),
            )
            .add(
                "heap_mib",
                parameter("integer", "Heap of the server.")
                    .in_unit("MiB")
                    .or(256),
            );
        descriptor("echo", "Echo", "Says again whatever it was asked.")
            .with_versions(&["2.0", "1.0"])
            .with_components([
                component("echo_server", &["master", "worker"])
                    .on_nodes(3)
                    .at_most(5)
                    .voting(),
                component("echo_client", &["*"]),
                component("echo_page", &["edge", "master"])
                    .on_nodes(1)
                    .at_most(1),
            ])
            .with_parameters(parameters)
            .using(&["yarn"])
            .providing(&["echo"])
    }

    fn claim(request: Request, running: Option<Request>) -> Result<Claims, Vec<Problem>> {
        if request.members("echo_server").is_empty() {
            return Err(vec![problem(
                "framework",
                "echo has no server",
                "give it a node",
            )]);
        }
        let claims = Claims::of([
            need("echo_server")
                .least(384)
                .most(1_024)
                .weight(3)
                .disk(2)
                .ports(&[PORT, 7_008]),
            need("echo_client").disk(1),
        ]);
        let asked = json!({"request": say(&request), "running": running.as_ref().map(say)});
        Ok(claims
            .computing("copies", request.members("echo_server").len())
            .extending("yarn", "echo/asked", asked))
    }

    fn generate(
        request: Request,
        grants: Vec<Grant>,
        extensions: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        let grant = |grant: &Grant| json!({"component": grant.component, "group": grant.group, "vcpus": grant.vcpus, "memory_mib": grant.memory_mib, "disk_gib": grant.disk_gib, "volume_gib": grant.volume_gib});
        let extension =
            |one: &Extension| json!({"service": one.service, "key": one.key, "value": one.value});
        let asked = json!({
            "request": say(&request),
            "grants": grants.iter().map(grant).collect::<Vec<_>>(),
            "extensions": extensions.iter().map(extension).collect::<Vec<_>>(),
        });
        let heap = first_grant(&grants, "echo_server").map_or(0, |grant| grant.memory_mib - 128);
        let run = format!("@{{java}}/bin/java -Xmx{heap}m -jar /opt/echo/echo.jar");
        let first = request.first_node("echo_server").unwrap_or_default();
        let lines = config_lines(
            [
                ("node", "@{node}".to_owned()),
                ("id", "@{index.echo_server}".to_owned()),
            ],
            "=",
        );
        Ok(Bundle {
            template: json!({"outputs": {"echo_first": {"description": "Its first node.", "value": first}}}).to_string(),
            software: vec![
                java(17, 21),
                apt(&["netcat-openbsd"]).on(&["echo_client"]),
                pip("/opt/echo-python", ["rich==14.0.0"]).on(&["echo_client"]),
            ],
            artifacts: vec![apache("/opt/echo", "echo/echo-2.0.tar.gz", SHA512).on(&["echo_server"]).for_machine("x86_64")],
            secrets: vec![secret("token", true)],
            files: vec![
                file("/etc/echo/asked.json", asked.to_string()).with_effect(Effect::Nothing),
                file("/etc/echo/server.conf", lines).on(&["echo_server"]).with_effect(Effect::Reload),
                file("/etc/echo/token", "@{secret.token}").owned_by("root:echo", 0o440).in_group("worker"),
            ],
            units: vec![
                unit("echo_server", "echo-server", "echo", run)
                    .in_group("worker")
                    .member_of(&["adm"])
                    .with_data("/var/lib/echo")
                    .with("KillMode", "process"),
                // Its component was not claimed.
                unit("echo_page", "echo-page", "echo", "/usr/bin/true"),
            ],
            checks: vec![
                check("echo_server", format!("tcp://:{PORT}")),
                check("echo_server", format!("https://:{PORT}/health?full=1")),
                check("echo_client", "exec:echo hello"),
            ],
            scripts: [Stage::Setup, Stage::Ready, Stage::Smoke, Stage::Drain, Stage::Members]
                .map(|stage| script("echo_server", stage, "true\n"))
                .into(),
            endpoints: vec![
                endpoint("echo", "echo_server", PORT, "Its page.").at("/say").reached_by(Reach::Outside).asking_for("token"),
                endpoint("echo_data", "echo_server", 7_008, "For programs.").by("echo").reached_by(Reach::Cluster),
            ],
            services: vec![service("echo", [("url", format!("http://{first}:{PORT}"))])],
        })
    }
}

/// Every field of a request, by its name.
fn say(request: &Request) -> Value {
    let placement = |one: &stampede_framework::Placement| {
        let member = |member: &stampede_framework::Member| json!({"node": member.node, "index": member.index});
        json!({"component": one.component, "members": one.members.iter().map(member).collect::<Vec<_>>()})
    };
    let service =
        |one: &stampede_framework::Service| json!({"name": one.name, "attributes": one.attributes});
    json!({
        "cluster": request.cluster, "version": request.version, "settings": request.settings,
        "placements": request.placements.iter().map(placement).collect::<Vec<_>>(),
        "services": request.services.iter().map(service).collect::<Vec<_>>(),
    })
}

stampede_framework::export!(Echo);
