//! Does what its settings name: every misdeed that code is capable of, and a good deed.

#![cfg(target_family = "wasm")]

use std::hash::BuildHasher;
use std::hint::black_box;
use std::time::Duration;

use serde::Deserialize;
use stampede_framework::hot::StackPart;
use stampede_framework::parameters::{ParameterList, parameter, read_settings};
use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request, component, descriptor,
    need,
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
const TYPES: [&str; 10] = [
    "OS::Heat::Value",
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
        let parameters = ParameterList::new()
            .add("deed", parameter("string", "What to do.").or("good"))
            .add("amount", parameter("integer", "How much of it.").or(0))
            .add("text", parameter("string", "To whom.").or(""));
        let mut described = descriptor("evil", "Evil", "Does what it should not.")
            .with_components([component("evil", &["master"])])
            .with_parameters(parameters);
        described.resource_types = TYPES.map(str::to_owned).to_vec();
        described
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(Claims::of([need("evil").least(64).ports(&[6_666])]))
    }

    fn generate(
        request: Request,
        _: Vec<Grant>,
        _: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        let Settings { deed, amount, text } = read_settings("evil", &request)?;
        let template = match deed.as_str() {
            "say" => text,
            _ => {
                let mut template = StackPart::new();
                template.output("evil", "What came of it.", answer(&deed, amount));
                template.into_json()
            }
        };
        Ok(Bundle {
            template,
            ..Bundle::default()
        })
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

stampede_framework::export!(Evil);
