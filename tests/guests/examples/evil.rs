//! Does what its settings name: every misdeed that a plugin is capable of, and a good deed.

#![cfg(target_family = "wasm")]

use std::hash::BuildHasher;
use std::hint::black_box;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use stampede_plugin::hot::TemplatePart;
use stampede_plugin::{
    Bundle, Cardinality, Descriptor, File, Guest, Problem, Request, Role, Script, Size, Stage,
    bundle, settings,
};

struct Evil;

#[derive(Deserialize)]
struct Settings {
    deed: String,
    #[serde(default)]
    amount: usize,
}

impl Guest for Evil {
    fn describe() -> Descriptor {
        let role = Role {
            name: "worker".into(),
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
        }});
        Descriptor {
            roles: vec![role],
            parameters: parameters.to_string(),
            ..stampede_plugin::descriptor("evil", "Evil", "Does what it should not.")
        }
    }

    fn generate(request: Request) -> Result<Bundle, Vec<Problem>> {
        let Settings { deed, amount } = settings::read("evil", &request)?;
        match deed.as_str() {
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
        "draw lots" => std::collections::hash_map::RandomState::new()
            .hash_one(1)
            .to_string(),
        other => panic!("no such deed: {other}"),
    }
}

fn lie(deed: &str) -> Bundle {
    let script = |role: &str| Script {
        role: role.into(),
        stage: Stage::Setup,
        name: "evil".into(),
        body: "true\n".into(),
    };
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
