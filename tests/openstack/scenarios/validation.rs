//! Heat's own `validate` on what `generate` writes.

use anyhow::{Context, Result};

use stampede_tests::host::find_binary;
use stampede_tests::{must, verified};

use crate::TestbedContext;

/// Heat's defaults, which the testbed has not changed.
const MAX_RESOURCES: usize = 1000;
const MAX_TEMPLATE_BYTES: u64 = 524_288;
const MAX_BODY_BYTES: u64 = 1_048_576;

pub async fn run(testbed: &TestbedContext) -> Result<()> {
    for workers in [1, 3, 250] {
        let dir = testbed.scratch.join(format!("validate-{workers}"));
        let out = std::process::Command::new(find_binary()?)
            .args(["generate", "hadoop", "--workers", &workers.to_string()])
            .args([
                "--set",
                "network.external=public",
                "--set",
                "image=debian-12",
            ])
            .args([
                "--set",
                "master.flavor=m1.xlarge",
                "--set",
                "worker.flavor=m1.xlarge",
                "--out",
            ])
            .arg(&dir)
            .output()?;
        must!(
            out.status.success(),
            "generate: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        let arguments = [
            "orchestration",
            "template",
            "validate",
            "-t",
            "cluster.yaml",
            "-e",
            "environment.yaml",
            "-f",
            "json",
        ];
        let answer = testbed.cloud.run_openstack(&arguments, &dir)?;
        must!(answer.contains("Parameters"), "validate: {answer}");
        let yaml = std::fs::read_to_string(dir.join("cluster.yaml"))?;
        let resources = yaml
            .lines()
            .filter(|l| l.starts_with("    type: OS::"))
            .count();
        let scripts: u64 = ["node-master.sh", "node-worker.sh"]
            .iter()
            .map(|f| {
                std::fs::metadata(dir.join(f))
                    .map(|m| m.len())
                    .with_context(|| (*f).to_owned())
            })
            .sum::<Result<u64>>()?;
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
            "Heat accepts {workers} workers: {resources} resources of {MAX_RESOURCES}, {template} bytes of YAML and {scripts} of scripts"
        );
    }
    Ok(())
}
