//! Heat's own `validate` on what `generate` writes.

use std::path::Path;

use anyhow::Result;

use stampede_tests::host::find_binary;
use stampede_tests::{must, verified};

use crate::TestbedContext;

/// Heat's defaults, which the testbed has not changed.
const MAX_RESOURCES: usize = 1000;
const MAX_TEMPLATE_BYTES: u64 = 524_288;
const MAX_BODY_BYTES: u64 = 1_048_576;

/// What each framework is by itself, and what most people ask for.
const CHAINS: [&str; 5] = [
    "hadoop",
    "spark",
    "zookeeper",
    "jupyterlab",
    "hadoop,spark,jupyterlab",
];

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    for chain in CHAINS {
        for workers in [1, 3, 250] {
            validate(testbed, chain, workers)?;
        }
    }
    Ok(())
}

fn validate(testbed: &TestbedContext, chain: &str, workers: usize) -> Result<()> {
    let dir = testbed.scratch.join(format!("validate-{chain}-{workers}"));
    let mut generate = std::process::Command::new(find_binary()?);
    generate.args(["generate", chain, "--workers", &workers.to_string()]);
    for set in [
        "network.external=public",
        "image=debian-12",
        "master.flavor=m1.2xlarge",
        "worker.flavor=m1.2xlarge",
    ] {
        generate.args(["--set", set]);
    }
    if (chain, workers) == ("zookeeper", 1) {
        generate.args(["--set", "zookeeper.least_voters=1"]);
    }
    let out = generate.arg("--out").arg(&dir).output()?;
    must!(
        out.status.success(),
        "generate {chain}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    let validate = "orchestration template validate -t cluster.yaml -e environment.yaml -f json";
    let arguments: Vec<&str> = validate.split(' ').collect();
    let answer = testbed.cloud.run_openstack(&arguments, &dir)?;
    must!(answer.contains("Parameters"), "validate: {answer}");
    let yaml = std::fs::read_to_string(dir.join("cluster.yaml"))?;
    let resources = yaml
        .lines()
        .filter(|l| l.starts_with("    type: OS::"))
        .count();
    let scripts = count_script_bytes(&dir)?;
    let template = yaml.len() as u64;
    must!(resources <= MAX_RESOURCES, "{resources} resources");
    must!(
        template <= MAX_TEMPLATE_BYTES && template + scripts <= MAX_BODY_BYTES,
        "{template} + {scripts} bytes"
    );
    must!(
        yaml.matches("type: OS::Nova::Server\n").count() == workers + 1,
        "not one server a node"
    );
    verified!(
        "Heat accepts {chain} with {workers} workers: {resources} resources of {MAX_RESOURCES}, {template} bytes of YAML and {scripts} of scripts"
    );
    Ok(())
}

/// The user data of all classes of nodes.
fn count_script_bytes(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".sh") {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
