//! `generate` of the bundled plugins in a fresh sandbox, beside the same plugin code compiled for
//! this machine and called directly; and the whole chain as the host plans it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use futures_util::future::BoxFuture;
use stampede::cluster::framework_bundle::FrameworkBundle;
use stampede::cluster::framework_request::{FrameworkClaims, FrameworkRequest, GenerateQuestion};
use stampede::cluster::spec::FrameworkChoice;
use stampede::cluster::{
    CloudAccess, ClusterSpec, Flavor, FrameworkDescriptor, NodeIds, attribute_schema::default_spec,
};
use stampede::orchestrator::planning::ask_claims::{FrameworkSource, claim_cluster};
use stampede::orchestrator::planning::framework_plan::plan_frameworks;
use stampede::orchestrator::planning::plan_error::PlanError;
use stampede::orchestrator::planning::planner::ResolvedFlavors;
use stampede::orchestrator::planning::plugin_chain::order_plugins;
use stampede::plugin::{PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

use crate::figures::SampleFigures;
use crate::native::generate_natively;

const RUNS: usize = 41;

/// The plugins, and what each was asked last.
struct AskedPlugins {
    registry: PluginRegistry,
    asked: Mutex<BTreeMap<String, Arc<GenerateQuestion>>>,
}

impl FrameworkSource for AskedPlugins {
    fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        FrameworkSource::frameworks(&self.registry)
    }

    fn claim<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a FrameworkRequest,
        running: Option<&'a FrameworkRequest>,
    ) -> BoxFuture<'a, Result<FrameworkClaims, PlanError>> {
        self.registry.claim(plugin, request, running)
    }

    fn add<'a>(
        &'a self,
        plugin: &'a str,
        question: &'a Arc<GenerateQuestion>,
    ) -> BoxFuture<'a, Result<FrameworkBundle, PlanError>> {
        if let Ok(mut asked) = self.asked.lock() {
            asked.insert(plugin.to_owned(), Arc::clone(question));
        }
        self.registry.add(plugin, question)
    }
}

pub async fn run() -> Result<()> {
    let cache = tempfile::tempdir()?;
    let registry = PluginRegistry::load(
        &artifacts::plugins_folder()?,
        Some(cache.path()),
        PluginLimits::default(),
    )?;
    let plugins = AskedPlugins {
        registry,
        asked: Mutex::default(),
    };
    for workers in [3, 50, 250] {
        for frameworks in [&["hadoop"][..], &["hadoop", "spark", "jupyterlab"]] {
            let mut chains = Vec::new();
            for _ in 0..RUNS {
                let start = Instant::now();
                plan(&plugins, frameworks, workers).await?;
                chains.push(start.elapsed());
            }
            let chains = SampleFigures::new(&chains);
            println!("plan of cluster and {frameworks:?}, {workers} workers: {chains}");
            let together = ask_all(&plugins, frameworks).await?;
            println!(
                "of that the plugins' generate, {workers} workers, fresh sandboxes: {together}"
            );
        }
        plan(&plugins, &["hadoop"], workers).await?;
        for name in ["cluster", "hadoop"] {
            compare(&plugins, name, workers).await?;
        }
    }
    println!("reach: 2 ms at 3 workers, 25 ms at 250; 5 ms with spark and jupyterlab at 3 workers");
    Ok(())
}

/// What every plugin of the chain was asked last, asked again one after the other.
async fn ask_all(plugins: &AskedPlugins, frameworks: &[&str]) -> Result<SampleFigures> {
    let mut questions = Vec::new();
    for name in std::iter::once(&"cluster").chain(frameworks) {
        let asked = plugins.asked.lock().ok();
        let question = asked.and_then(|asked| asked.get(*name).cloned());
        questions.push((
            *name,
            question.with_context(|| format!("{name} was not asked"))?,
        ));
    }
    let mut all = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        for (name, question) in &questions {
            plugins.registry.add(name, question).await?;
        }
        all.push(start.elapsed());
    }
    Ok(SampleFigures::new(&all))
}

/// The same question to the sandbox and to the native code.
async fn compare(plugins: &AskedPlugins, name: &str, workers: u32) -> Result<()> {
    let asked = plugins.asked.lock().ok();
    let question = asked.and_then(|asked| asked.get(name).cloned());
    let question = question.with_context(|| format!("{name} was not asked"))?;
    let (mut sandboxed, mut native) = (Vec::new(), Vec::new());
    // in turn, so that both meet the same noise
    for _ in 0..RUNS {
        let start = Instant::now();
        let ours = plugins.registry.add(name, &question).await?;
        sandboxed.push(start.elapsed());
        let start = Instant::now();
        let theirs = match name {
            "cluster" => generate_natively::<stampede_cluster::ClusterPlugin>(&question),
            _ => generate_natively::<stampede_hadoop::HadoopPlugin>(&question),
        };
        native.push(start.elapsed());
        let theirs = theirs.map_err(|_| anyhow!("{name} refused natively"))?;
        anyhow::ensure!(
            theirs.scripts.len() == ours.scripts.len(),
            "{name}: the two do not do the same"
        );
    }
    let (sandboxed, native) = (SampleFigures::new(&sandboxed), SampleFigures::new(&native));
    println!("generate {name}, {workers} workers, fresh sandbox: {sandboxed}");
    println!(
        "generate {name}, {workers} workers, native:        {native}; sandbox / native {:.1}",
        sandboxed.median() / native.median()
    );
    Ok(())
}

async fn plan(plugins: &AskedPlugins, frameworks: &[&str], workers: u32) -> Result<()> {
    let choose = |name: &&str| FrameworkChoice {
        name: (*name).to_owned(),
        version: None,
    };
    let mut spec = ClusterSpec {
        name: "bench".into(),
        frameworks: frameworks.iter().map(choose).collect(),
        image: Some("debian-12".into()),
        external_network: Some("public".into()),
        ..default_spec()
    };
    let nodes = NodeIds::from([
        ("master".to_owned(), vec![1]),
        ("worker".to_owned(), (1..=workers).collect()),
    ]);
    spec.groups = spec.groups.with_ids(&nodes);
    let flavor = Flavor {
        name: "m1.xlarge".into(),
        vcpus: 2,
        ram_mib: 8_192,
        disk_gib: 40,
    };
    for group in spec.groups.iter_mut() {
        group.flavor = Some(flavor.name.clone());
    }
    let groups = nodes.keys().map(|group| (group.clone(), flavor.clone()));
    let chosen = ResolvedFlavors {
        groups: groups.collect(),
        flavors: vec![flavor.clone()],
        signal_transport: "CFN_SIGNAL".into(),
        access: CloudAccess::default(),
    };
    let there = plugins.frameworks();
    let chain = order_plugins(&spec.frameworks, &there);
    let chain = chain.map_err(|problems| anyhow!("{problems:?}"))?;
    let claimed = claim_cluster(&spec, &chain, plugins).await?;
    plan_frameworks(&claimed.spec, &chosen, &claimed, &chain, plugins).await?;
    Ok(())
}
