//! What nodes are given to boot by: user data, and what travels in the servers' metadata beside it,
//! of one framework and of several on one master, for 1, 3 and 250 workers.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use stampede_tests::artifacts;

const CHAINS: [&str; 4] = [
    "hadoop",
    "hadoop,spark",
    "hadoop,spark,jupyterlab",
    "hadoop,spark,jupyterlab,zookeeper",
];

pub fn run() -> Result<()> {
    println!(
        "| frameworks | workers | master: user data, bytes | values of metadata | worker: user data, bytes | values of metadata |"
    );
    println!("|---|---|---|---|---|---|");
    for chain in CHAINS {
        for workers in ["1", "3", "250"] {
            let row = match generate(chain, workers) {
                Ok(stack) => ["master", "worker_1"]
                    .map(|node| boots_by(&stack, node))
                    .join(" | "),
                Err(refusal) => format!("{refusal:#}"),
            };
            println!("| {chain} | {workers} | {row} |");
        }
    }
    println!(
        "at most: 47,100 bytes of user data with 2,048 for its header, and 120 values of 255 characters"
    );
    Ok(())
}

fn generate(chain: &str, workers: &str) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("cluster");
    let output = Command::new(artifacts::stampede_binary()?)
        .args([
            "generate",
            chain,
            "--workers",
            workers,
            "--format",
            "heat-json",
        ])
        .args(["--flavor", "large=16384,4,80"])
        .args([
            "--set",
            "master.flavor=large",
            "--set",
            "worker.flavor=large",
        ])
        .arg("--out")
        .arg(&out)
        .env("STAMPEDE_PLUGINS", artifacts::plugins_folder()?)
        .output()?;
    if !output.status.success() {
        bail!("{chain}: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&std::fs::read(out.join("stack.json"))?).context("no JSON")
}

/// Bytes of a node's user data without its header, and how many values its server's metadata has of
/// what that had no room for.
fn boots_by(stack: &Value, node: &str) -> String {
    let resources = &stack["template"]["resources"];
    let properties = &resources[format!("{node}_server")]["properties"];
    let named = properties["user_data"].to_string();
    let files = stack["files"].as_object().into_iter().flatten();
    let file = files
        .filter(|(name, _)| named.contains(&format!("\"{name}\"")))
        .find_map(|(_, text)| text.as_str());
    let rest = properties["metadata"]["map_merge"][1]["get_attr"][0].as_str();
    let rest = rest.and_then(|rest| resources[rest]["properties"]["value"].as_object());
    format!(
        "{} | {}",
        file.map_or(0, str::len),
        rest.map_or(0, serde_json::Map::len)
    )
}
