//! `lay-nodes SCENARIO.json DIR`: what each node of a cluster gets from its frameworks, in `DIR/NODE`: `manifest`,
//! `files/`, `scripts/`. The plugins are asked natively, placed and granted as [`Rehearsal`] does.
//!
//! Layout: `scenario`: what is asked; `manifest`: the lines of a node; here: the plugins, in order.

mod manifest;
mod scenario;

use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use stampede_framework::rehearsal::Rehearsal;
use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request, Service,
};
use stampede_hadoop::HadoopPlugin;
use stampede_jupyterlab::JupyterlabPlugin;
use stampede_spark::SparkPlugin;
use stampede_zookeeper::ZookeeperPlugin;

use scenario::{AskedFramework, NodeScenario};

/// What a plugin answers.
type PluginAnswer<T> = Result<T, Vec<Problem>>;

/// A plugin's functions.
struct PluginFunctions {
    describe: fn() -> Descriptor,
    claim: fn(Request, Option<Request>) -> PluginAnswer<Claims>,
    generate: fn(Request, Vec<Grant>, Vec<Extension>) -> PluginAnswer<Bundle>,
}

/// A plugin of the cluster, and what it answered.
pub(crate) struct LaidFramework {
    pub(crate) descriptor: Descriptor,
    pub(crate) request: Request,
    pub(crate) claims: Claims,
    pub(crate) bundle: Bundle,
}

fn functions_of<Plugin: Guest>() -> PluginFunctions {
    PluginFunctions {
        describe: Plugin::describe,
        claim: Plugin::claim,
        generate: Plugin::generate,
    }
}

fn find_plugin(name: &str) -> Result<PluginFunctions> {
    match name {
        "hadoop" => Ok(functions_of::<HadoopPlugin>()),
        "jupyterlab" => Ok(functions_of::<JupyterlabPlugin>()),
        "spark" => Ok(functions_of::<SparkPlugin>()),
        "zookeeper" => Ok(functions_of::<ZookeeperPlugin>()),
        _ => Err(anyhow!("there is no plugin {name}")),
    }
}

fn told<T>(answer: PluginAnswer<T>) -> Result<T> {
    let say = |one: Problem| format!("{}: {} ({})", one.path, one.message, one.hint);
    answer.map_err(|problems| {
        anyhow!(
            "{}",
            problems.into_iter().map(say).collect::<Vec<_>>().join("\n")
        )
    })
}

fn ask(
    cluster: &Rehearsal,
    asked: &AskedFramework,
    descriptor: &Descriptor,
    services: &[Service],
    claims: Option<&Claims>,
) -> Request {
    let needs = claims.map_or(&[][..], |claims| &claims.needs);
    let mut request = cluster.request(descriptor, &asked.settings, needs);
    if !asked.version.is_empty() {
        request.version.clone_from(&asked.version);
    }
    request.services.extend(services.iter().cloned());
    let computed = claims.map_or(&[][..], |claims| &claims.computed);
    if let Ok(Value::Object(mut settings)) = serde_json::from_str(&request.settings) {
        for (name, value) in computed {
            let typed = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value.as_str()));
            settings.entry(name.clone()).or_insert(typed);
        }
        request.settings = Value::Object(settings).to_string();
    }
    request
}

/// Every framework in the order in which it was written.
fn lay_frameworks(scenario: &NodeScenario) -> Result<Vec<LaidFramework>> {
    let plugins = scenario
        .frameworks
        .iter()
        .map(|asked| find_plugin(&asked.name))
        .collect::<Result<Vec<_>>>()?;
    let descriptors: Vec<Descriptor> = plugins.iter().map(|plugin| (plugin.describe)()).collect();
    let mut cluster = scenario.cluster();
    for descriptor in &descriptors {
        cluster = cluster.placing(&descriptor.components);
    }
    for (component, members) in &scenario.members {
        let nodes: Vec<&str> = members.iter().map(|(node, _)| node.as_str()).collect();
        cluster = cluster.with_members(component, &nodes);
    }
    let named: Vec<Service> = descriptors
        .iter()
        .flat_map(|one| &one.provides)
        .map(|name| stampede_framework::service(name, []))
        .collect();
    let asked = || scenario.frameworks.iter().zip(&plugins).zip(&descriptors);
    let mut claims = Vec::new();
    for ((framework, plugin), descriptor) in asked() {
        let others: Vec<Service> = named
            .iter()
            .filter(|one| !descriptor.provides.contains(&one.name))
            .cloned()
            .collect();
        let request = ask(&cluster, framework, descriptor, &others, None);
        claims.push(told((plugin.claim)(request, None)).context(framework.name.clone())?);
    }
    let needs: Vec<_> = claims.iter().flat_map(|one| one.needs.clone()).collect();
    let grants = cluster.grants(&needs);
    let extensions: Vec<Extension> = claims
        .iter()
        .flat_map(|one| one.extensions.clone())
        .collect();
    let mut services = Vec::new();
    let mut laid = Vec::new();
    for (((framework, plugin), descriptor), claims) in asked().zip(&claims) {
        let mut request = ask(&cluster, framework, descriptor, &services, Some(claims));
        scenario.number_members(&mut request);
        let is_own = |name: &str| descriptor.components.iter().any(|one| one.name == name);
        let own = grants
            .iter()
            .filter(|one| is_own(&one.component))
            .cloned()
            .collect();
        let asked_of_it = extensions
            .iter()
            .filter(|one| descriptor.provides.contains(&one.service))
            .cloned()
            .collect();
        let bundle = told((plugin.generate)(request.clone(), own, asked_of_it))
            .context(framework.name.clone())?;
        services.extend(bundle.services.clone());
        laid.push(LaidFramework {
            descriptor: descriptor.clone(),
            request,
            claims: claims.clone(),
            bundle,
        });
    }
    Ok(laid)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("lay-nodes SCENARIO.json DIR");
    let (scenario, folder) = (next()?, next()?);
    let text = fs::read_to_string(&scenario).context(scenario)?;
    let scenario: NodeScenario = serde_json::from_str(&text)?;
    let laid = lay_frameworks(&scenario)?;
    for (node, _) in scenario.nodes() {
        let to = Path::new(&folder).join(&node);
        manifest::lay_node(&scenario, &laid, &node, &to).with_context(|| node.clone())?;
    }
    Ok(())
}
