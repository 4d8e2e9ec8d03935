//! `generate` of the bundled plugins in a fresh sandbox, beside the same plugin code compiled for
//! this machine and called directly.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result};
use stampede::cluster::Flavor;
use stampede::cluster::framework::{
    ClusterNetwork, ClusterNode, NodeGroup, PluginDescriptor, PluginRequest, ProvidedService,
};
use stampede::plugin::{PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

use crate::figures::SampleFigures;

const RUNS: usize = 41;

pub async fn run() -> Result<()> {
    let cache = tempfile::tempdir()?;
    let registry = PluginRegistry::load(
        &artifacts::plugins_folder()?,
        Some(cache.path()),
        PluginLimits::default(),
    )?;
    for workers in [3, 50, 250] {
        for name in ["cluster", "hadoop"] {
            let plugin = registry
                .get(name)
                .with_context(|| format!("no plugin {name}"))?;
            let request = request(plugin.descriptor(), workers)?;
            let mut sandboxed = Vec::new();
            for _ in 0..RUNS {
                let start = Instant::now();
                plugin
                    .generate(&request)
                    .await
                    .map_err(|e| anyhow::anyhow!("{name}: {e:?}"))?;
                sandboxed.push(start.elapsed());
            }
            let sandboxed = SampleFigures::new(&sandboxed);
            println!("generate {name}, {workers} workers, fresh sandbox: {sandboxed}");
        }
    }
    println!("reach: 2 ms at 3 workers, 25 ms at 250");
    Ok(())
}

/// A request with the descriptor's defaults.
fn request(descriptor: &PluginDescriptor, workers: u32) -> Result<PluginRequest> {
    let flavor = Flavor {
        name: "m1.xlarge".into(),
        vcpus: 2,
        ram_mib: 4096,
        disk_gib: 20,
    };
    let group = |role: &str, nodes: Vec<ClusterNode>| NodeGroup {
        role: role.into(),
        flavor: flavor.clone(),
        image: "debian-12".into(),
        nodes,
    };
    let address = |host: u32| format!("10.77.{}.{}", host / 256, host % 256);
    let master = ClusterNode {
        id: 1,
        name: "master".into(),
        address: address(10),
    };
    let workers = (1..=workers)
        .map(|id| ClusterNode {
            id,
            name: format!("worker-{id}"),
            address: address(10 + id),
        })
        .collect();
    let properties = descriptor.parameters["properties"]
        .as_object()
        .context("no properties")?;
    let settings = properties
        .iter()
        .filter_map(|(name, schema)| Some((name.clone(), schema.get("default")?.clone())))
        .collect();
    Ok(PluginRequest {
        cluster: "bench".into(),
        version: descriptor.default_version.clone(),
        groups: vec![group("master", vec![master]), group("worker", workers)],
        settings,
        given: BTreeSet::new(),
        network: ClusterNetwork {
            cidr: "10.77.0.0/22".into(),
            external: Some("public".into()),
            access: vec!["198.51.100.0/24".into()],
        },
        mirror: Some("http://198.51.100.1:8900".into()),
        proxy: None,
        key: None,
        signal_transport: "CFN_SIGNAL".into(),
        timeout_s: 3600,
        services: vec![ProvidedService {
            name: "cluster".into(),
            plugin: "cluster".into(),
            node: "master".into(),
            attributes: vec![],
        }],
        taken: vec![],
    })
}
