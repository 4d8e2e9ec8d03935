//! `generate` of the bundled plugins in a fresh sandbox, beside the same plugin code compiled for
//! this machine and called directly.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use stampede::cluster::Flavor;
use stampede::cluster::framework::{
    ClusterNetwork, ClusterNode, NodeGroup, PluginDescriptor, PluginRequest, ProvidedService,
};
use stampede::plugin::{PluginLimits, PluginRegistry};
use stampede_plugin::Guest;
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
            let native_request = native(&request)?;
            let (mut sandboxed, mut native) = (Vec::new(), Vec::new());
            // in turn, so that both meet the same noise
            for _ in 0..RUNS {
                let start = Instant::now();
                let part = plugin
                    .generate(&request)
                    .await
                    .map_err(|e| anyhow::anyhow!("{name}: {e:?}"))?;
                sandboxed.push(start.elapsed());
                let asked = native_request.clone();
                let start = Instant::now();
                let bundle = match name {
                    "cluster" => <stampede_cluster::ClusterPlugin as Guest>::generate(asked),
                    _ => <stampede_hadoop::HadoopPlugin as Guest>::generate(asked),
                };
                native.push(start.elapsed());
                let Ok(bundle) = bundle else {
                    bail!("{name} refused natively")
                };
                if bundle.scripts.len() != part.scripts.len() {
                    bail!("{name}: the two do not do the same");
                }
            }
            let (sandboxed, native) = (SampleFigures::new(&sandboxed), SampleFigures::new(&native));
            println!("generate {name}, {workers} workers, fresh sandbox: {sandboxed}");
            println!(
                "generate {name}, {workers} workers, native:        {native}; sandbox / native {:.1}",
                sandboxed.median() / native.median()
            );
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

/// The same request in the plugin's own types.
fn native(request: &PluginRequest) -> Result<stampede_plugin::Request> {
    let group = |g: &NodeGroup| stampede_plugin::NodeGroup {
        role: g.role.clone(),
        image: g.image.clone(),
        flavor: stampede_plugin::Flavor {
            name: g.flavor.name.clone(),
            vcpus: g.flavor.vcpus,
            ram_mib: g.flavor.ram_mib,
            disk_gib: g.flavor.disk_gib,
        },
        nodes: g
            .nodes
            .iter()
            .map(|n| stampede_plugin::Node {
                id: n.id,
                name: n.name.clone(),
                address: n.address.clone(),
            })
            .collect(),
    };
    let service = |s: &ProvidedService| stampede_plugin::Service {
        name: s.name.clone(),
        plugin: s.plugin.clone(),
        node: s.node.clone(),
        attributes: s.attributes.clone(),
    };
    Ok(stampede_plugin::Request {
        cluster: request.cluster.clone(),
        version: request.version.clone(),
        groups: request.groups.iter().map(group).collect(),
        settings: serde_json::to_string(&request.settings)?,
        network: stampede_plugin::Network {
            cidr: request.network.cidr.clone(),
            external: request.network.external.clone(),
            access: request.network.access.clone(),
        },
        mirror: request.mirror.clone(),
        proxy: request.proxy.clone(),
        key: request.key.clone(),
        signal_transport: request.signal_transport.clone(),
        timeout_s: request.timeout_s,
        services: request.services.iter().map(service).collect(),
        taken: vec![],
    })
}
