//! Does what its settings name: every misdeed that a plugin is capable of, and a good deed.

#![cfg(target_family = "wasm")]

use std::hash::BuildHasher;
use std::hint::black_box;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use stampede_plugin::hot::TemplatePart;
use stampede_plugin::{
    Audience, Bundle, Cardinality, Descriptor, Endpoint, File, Guest, Port, Problem, Request, Role,
    Script, Service, Share, Size, Stage, bundle, settings,
};

struct Evil;

#[derive(Deserialize)]
struct Settings {
    deed: String,
    #[serde(default)]
    amount: usize,
    #[serde(default)]
    text: String,
}

/// What its templates may hold, if it was the plugin that decided.
const TYPES: [&str; 9] = [
    "OS::Neutron::SecurityGroupRule",
    "OS::Neutron::RouterInterface",
    "OS::Neutron::Port",
    "OS::Cinder::Volume",
    "OS::Cinder::VolumeAttachment",
    "OS::Nova::KeyPair",
    "OS::Octavia::Quota",
    "OS::Octavia::PoolMember",
    "OS::Designate::RecordSet",
];

impl Guest for Evil {
    fn describe() -> Descriptor {
        let role = |name: &str| Role {
            name: name.into(),
            cardinality: Cardinality::OneOrMore,
            smallest: Size {
                vcpus: 1,
                ram_mib: 1,
                disk_gib: 0,
            },
        };
        let parameters = json!({"type": "object", "properties": {
            "deed": {"type": "string", "description": "What to do."},
            "amount": {"type": "integer", "description": "How much of it.", "default": 0},
            "text": {"type": "string", "description": "To whom.", "default": ""},
        }});
        Descriptor {
            roles: vec![role("master"), role("worker")],
            provides: vec!["evil".into()],
            ports: vec![Port {
                number: 6_666,
                role: "worker".into(),
                purpose: "evil".into(),
                audience: Audience::Admin,
            }],
            resource_types: TYPES.map(str::to_owned).to_vec(),
            parameters: parameters.to_string(),
            ..stampede_plugin::descriptor("evil", "Evil", "Does what it should not.")
        }
    }

    fn generate(request: Request) -> Result<Bundle, Vec<Problem>> {
        let Settings { deed, amount, text } = settings::read_settings("evil", &request)?;
        match deed.as_str() {
            "say" => Ok(Bundle {
                template: text,
                ..bundle(TemplatePart::new())
            }),
            "echo" => {
                let mut template = TemplatePart::new();
                template.output("evil", "What arrived.", echo(&request));
                Ok(bundle(template))
            }
            "many" => Ok(many(&text, amount)),
            "drain" => {
                let mut bundle = bundle(TemplatePart::new());
                bundle.scripts.push(script(&text, Stage::Drain, "evil"));
                Ok(bundle)
            }
            "lie about the role" | "climb" | "two scripts" | "no template" | "no object" => {
                Ok(lie(&deed))
            }
            "refuse" => Err(vec![stampede_plugin::problem(
                "evil.deed",
                "is not nice",
                "be nice",
            )]),
            "refuse silently" => Err(Vec::new()),
            "refuse at length" => Err(vec![
                stampede_plugin::problem("evil.deed", "is not nice", "");
                amount
            ]),
            _ => {
                let mut template = TemplatePart::new();
                template.output("evil", "What came of it.", answer(&deed, amount));
                Ok(bundle(template))
            }
        }
    }
}

/// What ends up in the bundle, if the deed ends.
fn answer(deed: &str, amount: usize) -> String {
    match deed {
        "good" => "good".to_owned(),
        "panic" => panic!("the author's mistake"),
        "trap" => trap(),
        "exit" => std::process::exit(3),
        "recurse" => deep(amount).to_string(),
        "loop" => spin(),
        "sleep" => {
            std::thread::sleep(Duration::from_millis(amount as u64));
            "slept".to_owned()
        }
        "allocate" => black_box(vec![1_u8; amount]).len().to_string(),
        "answer" => "x".repeat(amount),
        "write" => {
            eprint!("{}", "x".repeat(amount));
            "written".to_owned()
        }
        "write for ever" => loop {
            eprintln!("and again");
        },
        "read file" => std::fs::read_to_string("/etc/passwd").unwrap(),
        "write file" => std::fs::write("/tmp/evil", "evil")
            .map(|()| "written".to_owned())
            .unwrap(),
        "list folder" => std::fs::read_dir("/").unwrap().count().to_string(),
        "connect" => std::net::TcpStream::connect(("127.0.0.1", amount as u16))
            .map(|_| "connected".to_owned())
            .unwrap(),
        "listen" => std::net::TcpListener::bind("127.0.0.1:0")
            .map(|_| "listening".to_owned())
            .unwrap(),
        "send" => {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            socket
                .send_to(b"evil", ("127.0.0.1", amount as u16))
                .unwrap()
                .to_string()
        }
        "look around" => format!(
            "{:?} {:?} {:?} {:?}",
            std::env::vars().collect::<Vec<_>>(),
            std::env::args().collect::<Vec<_>>(),
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH),
            std::time::Instant::now().elapsed()
        ),
        "read input" => {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).unwrap().to_string()
        }
        "make no number" => {
            let zero = black_box(0.0_f64);
            format!("{:x}", (zero / zero).to_bits())
        }
        "multiply and add" => multiply_and_add().to_string(),
        "draw lots" => std::collections::hash_map::RandomState::new()
            .hash_one(1)
            .to_string(),
        other => panic!("no such deed: {other}"),
    }
}

/// A multiplication and an addition that may be rounded once, or twice, as the processor likes.
#[target_feature(enable = "relaxed-simd")]
fn multiply_and_add() -> f32 {
    use core::arch::wasm32::{f32x4_extract_lane, f32x4_relaxed_madd, f32x4_splat};
    let factor = black_box(1.0 + 1.0 / 4096.0);
    let product = f32x4_splat(factor);
    let rounded = f32x4_splat(black_box(-1.0 - 1.0 / 2048.0));
    f32x4_extract_lane::<0>(f32x4_relaxed_madd(product, product, rounded))
}

/// Every field of the request, by its name.
fn echo(request: &Request) -> serde_json::Value {
    let group = |group: &stampede_plugin::NodeGroup| {
        let node = |node: &stampede_plugin::Node| json!({"id": node.id, "name": node.name, "address": node.address});
        json!({
            "role": group.role, "image": group.image, "nodes": group.nodes.iter().map(node).collect::<Vec<_>>(),
            "flavor": {
                "name": group.flavor.name, "vcpus": group.flavor.vcpus, "ram_mib": group.flavor.ram_mib,
                "disk_gib": group.flavor.disk_gib,
            },
        })
    };
    let service = |one: &Service| json!({"name": one.name, "plugin": one.plugin, "node": one.node, "attributes": one.attributes});
    let share = |one: &Share| json!({"role": one.role, "plugin": one.plugin, "memory_mib": one.memory_mib, "ports": one.ports});
    json!({
        "cluster": request.cluster, "version": request.version, "settings": request.settings,
        "groups": request.groups.iter().map(group).collect::<Vec<_>>(),
        "network": {
            "cidr": request.network.cidr, "external": request.network.external, "access": request.network.access,
        },
        "mirror": request.mirror, "proxy": request.proxy, "key": request.key,
        "signal_transport": request.signal_transport, "timeout_s": request.timeout_s,
        "services": request.services.iter().map(service).collect::<Vec<_>>(),
        "taken": request.taken.iter().map(share).collect::<Vec<_>>(),
    })
}

/// So many things of one kind.
fn many(kind: &str, amount: usize) -> Bundle {
    let mut made = bundle(TemplatePart::new());
    let worker = || "worker".to_owned();
    match kind {
        "files" => {
            made.files = (0..amount)
                .map(|at| File {
                    roles: vec![worker()],
                    path: format!("/evil/{at}"),
                    mode: 0o644,
                    content: String::new(),
                })
                .collect();
        }
        "scripts" => {
            made.scripts = (0..amount)
                .map(|at| script("worker", Stage::Setup, &format!("s{at}")))
                .collect();
        }
        "endpoints" => {
            made.endpoints = (0..amount)
                .map(|at| Endpoint {
                    name: format!("e{at}"),
                    description: String::new(),
                    role: worker(),
                    scheme: "http".into(),
                    port: 1,
                    path: String::new(),
                    audience: Audience::Admin,
                })
                .collect();
        }
        "services" => {
            let service = Service {
                name: "evil".into(),
                plugin: "evil".into(),
                node: "master".into(),
                attributes: Vec::new(),
            };
            made.services = vec![service; amount];
        }
        "taken" => {
            let share = Share {
                role: worker(),
                plugin: "evil".into(),
                memory_mib: 0,
                ports: Vec::new(),
            };
            made.taken = vec![share; amount];
        }
        section => {
            let entries: serde_json::Map<_, _> = (0..amount)
                .map(|at| (format!("evil_{at}"), json!({})))
                .collect();
            made.template = json!({ section: entries }).to_string();
        }
    }
    made
}

fn script(role: &str, stage: Stage, name: &str) -> Script {
    Script {
        role: role.into(),
        stage,
        name: name.into(),
        body: "true\n".into(),
    }
}

fn lie(deed: &str) -> Bundle {
    let script = |role: &str| script(role, Stage::Setup, "evil");
    let mut bundle = bundle(TemplatePart::new());
    match deed {
        "lie about the role" => bundle.scripts.push(script("queen")),
        "two scripts" => bundle.scripts = vec![script("worker"), script("worker")],
        "climb" => {
            let path = "/opt/../etc/passwd".into();
            bundle.files.push(File {
                roles: vec!["worker".into()],
                path,
                mode: 0o644,
                content: String::new(),
            });
        }
        "no object" => bundle.template = "[]".into(),
        _ => bundle.template = "{\"resources\": {".into(),
    }
    bundle
}

fn spin() -> String {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns + 1);
    }
}

fn deep(levels: usize) -> usize {
    let here = black_box([levels; 64]);
    if levels == 0 {
        0
    } else {
        deep(levels - 1) + here[levels % 64] - levels + 1
    }
}

fn trap() -> String {
    core::arch::wasm32::unreachable()
}

stampede_plugin::export!(Evil);
