//! Does what its settings name: too many of everything, what breaks its rules,
//! and what never ends.

#![cfg(target_family = "wasm")]

use std::hint::black_box;

use serde::Deserialize;
use serde_json::json;
use stampede_framework::parameters::{ParameterList, parameter, read_settings};
use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Need, Problem, Request, Stage, apt,
    archive, check, component, descriptor, endpoint, extension, file, need, problem, script,
    secret, service, unit,
};

struct Wicked;

#[derive(Deserialize)]
struct Settings {
    deed: String,
    #[serde(default)]
    of: String,
    #[serde(default)]
    amount: usize,
}

/// How many components it has: as many as a plugin may.
const COMPONENTS: usize = 64;

fn name(at: usize) -> String {
    format!("wicked_{at}")
}

impl Guest for Wicked {
    fn describe() -> Descriptor {
        let mut parameters = ParameterList::new()
            .add("deed", parameter("string", "What to do.").or("good"))
            .add("of", parameter("string", "Of what.").or(""))
            .add("amount", parameter("integer", "How much of it.").or(0));
        for at in 0..=COMPONENTS {
            parameters = parameters.add(&format!("open_{at}"), parameter("integer", "Open."));
        }
        descriptor("wicked", "Wicked", "Does what it should not.")
            .with_components((0..COMPONENTS).map(|at| component(&name(at), &["worker"])))
            .with_parameters(parameters)
    }

    fn claim(request: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        let Settings { deed, of, amount } = read_settings("wicked", &request)?;
        let mut claims = Claims::of([need(&name(0)).least(64).ports(&[6_666])]);
        match deed.as_str() {
            "claim for ever" => spin(),
            "claim memory" => {
                let grown = black_box(vec![1_u8; amount]);
                claims.needs[0].least_mib = u32::try_from(grown.len() >> 20).unwrap_or(0);
            }
            "panic in claim" => panic!("the author's mistake"),
            "claim many" => fill_claims(&mut claims, &of, amount),
            "claim wrongly" => spoil_claims(&mut claims),
            "refuse" => {
                return Err(vec![
                    problem("wicked.deed", "is not nice", "be nice");
                    amount
                ]);
            }
            _ => {}
        }
        Ok(claims)
    }

    fn generate(
        request: Request,
        _: Vec<Grant>,
        _: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        let Settings { deed, of, amount } = read_settings("wicked", &request)?;
        let mut bundle = Bundle::default();
        match deed.as_str() {
            "generate for ever" => spin(),
            "generate memory" => {
                let grown = black_box(vec![1_u8; amount]);
                bundle
                    .files
                    .push(file("/etc/wicked", grown.len().to_string()));
            }
            "answer at length" => bundle.files.push(file("/etc/wicked", "x".repeat(amount))),
            "refuse later" => return Err(vec![problem("wicked.deed", "is not nice", ""); amount]),
            "add many" => fill_bundle(&mut bundle, &of, amount),
            "add wrongly" => spoil_bundle(&mut bundle),
            _ => {}
        }
        Ok(bundle)
    }
}

fn fill_claims(claims: &mut Claims, of: &str, amount: usize) {
    match of {
        "needs" => claims.needs = (0..amount).map(|at| need(&name(at))).collect(),
        "needs[0].ports" => {
            claims.needs[0].ports = (0..amount).map(|at| at as u16 + 1_024).collect()
        }
        "extensions" => {
            claims.extensions = (0..amount)
                .map(|at| extension("yarn", &at.to_string(), at))
                .collect();
        }
        "computed" => {
            claims.computed = (0..amount)
                .map(|at| (format!("open_{at}"), "1".to_owned()))
                .collect();
        }
        other => panic!("there are no {other}"),
    }
}

fn fill_bundle(bundle: &mut Bundle, of: &str, amount: usize) {
    let sha512 = "0".repeat(128);
    let texts = |prefix: &str| {
        (0..amount)
            .map(|at| format!("{prefix}{at}"))
            .collect::<Vec<String>>()
    };
    let base = "https://example.org".to_owned();
    match of {
        "software" => {
            bundle.software = texts("p").iter().map(|package| apt(&[package])).collect();
        }
        "software[0].names" => {
            let mut software = apt(&[]);
            software.names = texts("p");
            bundle.software.push(software);
        }
        "artifacts" => {
            let one = |to: &String| archive(to, "x", &[&base], &sha512);
            bundle.artifacts = texts("/opt/x").iter().map(one).collect();
        }
        "artifacts[0].bases" => {
            let mut artifact = archive("/opt/x", "x", &[], &sha512);
            artifact.bases = texts("https://example.org/");
            bundle.artifacts.push(artifact);
        }
        "secrets" => bundle.secrets = texts("s").iter().map(|name| secret(name, false)).collect(),
        "files" => {
            bundle.files = texts("/etc/wicked/")
                .into_iter()
                .map(|path| file(path, ""))
                .collect()
        }
        "files[0].groups" => {
            let mut one = file("/etc/wicked", "");
            one.groups = texts("g");
            bundle.files.push(one);
        }
        "files[0].components" => {
            let mut one = file("/etc/wicked", "");
            one.components = (0..amount).map(name).collect();
            bundle.files.push(one);
        }
        "units" => {
            let one = |name: &String| unit("wicked_0", name, "root", "/bin/true");
            bundle.units = texts("wicked-").iter().map(one).collect();
        }
        "units[0].data" | "units[0].groups" | "units[0].member-of" | "units[0].directives" => {
            let mut one = unit("wicked_0", "wicked", "root", "/bin/true");
            match of {
                "units[0].data" => one.data = texts("/srv/"),
                "units[0].groups" => one.groups = texts("g"),
                "units[0].member-of" => one.member_of = texts("g"),
                _ => {
                    one.directives = texts("v")
                        .into_iter()
                        .map(|value| ("Environment".to_owned(), value))
                        .collect()
                }
            }
            bundle.units.push(one);
        }
        "checks" => {
            let one = |command: String| check("wicked_0", format!("exec:{command}"));
            bundle.checks = texts("c").into_iter().map(one).collect();
        }
        "scripts" => {
            let one = |at: usize| script(&name(at), Stage::Setup, "true\n");
            bundle.scripts = (0..amount).map(one).collect();
        }
        "endpoints" => {
            let one = |name: &String| endpoint(name, "wicked_0", 6_666, "One.");
            bundle.endpoints = texts("wicked_").iter().map(one).collect();
        }
        "services" => bundle.services = texts("s").iter().map(|name| service(name, [])).collect(),
        section => {
            let entries = texts("wicked_").into_iter().map(|name| (name, json!({})));
            let entries: serde_json::Map<_, _> = entries.collect();
            let section = section.strip_prefix("template.").expect("a section");
            bundle.template = json!({ section: entries }).to_string();
        }
    }
}

/// One fault of each kind that a claim can have.
fn spoil_claims(claims: &mut Claims) {
    claims.needs[0] = Need {
        most_mib: 1,
        weight: 1_001,
        ports: vec![0, 80, 80],
        ..claims.needs[0].clone()
    };
    claims.needs.push(need(&name(0)));
    claims.needs.push(need("nobody"));
    claims
        .extensions
        .push(extension("Yarn", "", "@{secret.other}"));
    claims.computed.push(("deed".to_owned(), "good".to_owned()));
    claims
        .computed
        .push(("open_1".to_owned(), "many".to_owned()));
}

/// One fault of each kind that a bundle can have.
fn spoil_bundle(bundle: &mut Bundle) {
    let mut snap = apt(&["x"]);
    snap.kind = "snap".to_owned();
    bundle.software.push(snap);
    bundle.secrets = vec![secret("token", true), secret("token", true)];
    bundle.files = vec![
        file("/etc/x", "@{secret.token}"),
        file("/etc/z", "@{index.nobody}"),
        file("/etc/x", ""),
        file("/etc/systemd/x", "@{shell}").owned_by("a b", 0o7777),
        file("/etc/y", "").on(&["nobody"]),
    ];
    bundle.units =
        vec![unit("wicked_0", "ssh", "root", "reboot @{secret.token}").with_data("/etc")];
    bundle.checks = vec![
        check("wicked_0", "smell:roses"),
        check("wicked_0", "tcp://:65536"),
    ];
    bundle.scripts = vec![
        script("wicked_0", Stage::Drain, "a"),
        script("wicked_0", Stage::Drain, "b"),
    ];
    bundle.endpoints =
        vec![endpoint("other", "wicked_0", 80, "Not its own.").asking_for("nothing")];
    bundle.services = vec![service("hdfs", [])];
}

fn spin() {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns + 1);
    }
}

stampede_framework::export!(Wicked);
