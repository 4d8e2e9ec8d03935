//! The plugins as they are shipped, and the same plugins of a later day: with a newer version,
//! other defaults, other scripts and another network, or with less than they had.

use std::sync::{Arc, LazyLock};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use stampede::{
    bundle::{PluginBundle, ScriptStage},
    cluster::{
        Problem,
        framework::{PluginDescriptor, PluginRequest},
    },
    orchestrator::{
        ClusterPlanner,
        planning::{
            ask_claims::FrameworkSource,
            cluster_plan::{PlanError, PluginSource, plugin_planner::PluginPlanner},
        },
    },
    plugin::{GenerateError, PluginLimits, PluginRegistry},
};
use stampede_tests::artifacts;

static SHIPPED: LazyLock<Arc<PluginRegistry>> = LazyLock::new(|| {
    let folder = artifacts::plugins_folder().unwrap();
    let limits = PluginLimits::default();
    Arc::new(PluginRegistry::load(&folder, None, limits).unwrap())
});

/// The version that everything here is deployed with, the default of today.
pub(crate) const TODAY: &str = "3.5.0";
/// The default of later.
const LATER: &str = "3.6.0";

/// What later plugins no longer have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Today's version.
    pub(crate) version: bool,
    /// The parameter `hadoop.drain_s`.
    pub(crate) parameter: bool,
    /// More than two copies of a block.
    pub(crate) copies: bool,
}

/// As they are shipped, and Hadoop runs on the group `edge` too; there it says so, and does nothing.
pub(crate) fn on_edge() -> Arc<dyn ClusterPlanner> {
    let mut descriptors = descriptors();
    let hadoop = descriptors.iter_mut().find(|other| other.name == "hadoop");
    let roles = &mut hadoop.unwrap().roles;
    let mut edge = roles.last().unwrap().clone();
    edge.name = EDGE.to_owned();
    roles.push(edge);
    Arc::new(PluginPlanner(DayPlugins {
        descriptors,
        later: None,
    }))
}

/// The group that only some plugins run on.
const EDGE: &str = "edge";

struct DayPlugins {
    descriptors: Vec<PluginDescriptor>,
    /// None: as they are shipped.
    later: Option<Lost>,
}

/// As they are shipped.
pub(crate) fn today() -> Arc<dyn ClusterPlanner> {
    Arc::new(PluginPlanner(DayPlugins {
        descriptors: descriptors(),
        later: None,
    }))
}

/// As they may be later.
pub(crate) fn later(lost: Lost) -> Arc<dyn ClusterPlanner> {
    let mut descriptors = descriptors();
    for descriptor in &mut descriptors {
        let parameters = &mut descriptor.parameters["properties"];
        if descriptor.name == "cluster" {
            parameters["spread_workers"]["default"] = json!(0);
            continue;
        }
        parameters["block_size_mib"]["default"] = json!(256);
        if lost.copies {
            parameters["replication"]["maximum"] = json!(2);
        }
        if lost.parameter {
            parameters.as_object_mut().unwrap().remove("drain_s");
        }
        let kept = (!lost.version).then(|| TODAY.to_owned());
        descriptor.versions = std::iter::once(LATER.to_owned()).chain(kept).collect();
        descriptor.default_version = LATER.to_owned();
    }
    Arc::new(PluginPlanner(DayPlugins {
        descriptors,
        later: Some(lost),
    }))
}

fn descriptors() -> Vec<PluginDescriptor> {
    let plugins = SHIPPED.iter();
    plugins.map(|plugin| plugin.descriptor().clone()).collect()
}

impl FrameworkSource for DayPlugins {}

impl PluginSource for DayPlugins {
    fn descriptors(&self) -> Vec<&PluginDescriptor> {
        self.descriptors.iter().collect()
    }

    fn digest(&self, plugin: &str) -> String {
        let digest = SHIPPED.get(plugin).unwrap().digest().to_owned();
        if self.later.is_some() {
            format!("later-{digest}")
        } else {
            digest
        }
    }

    fn generate<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a PluginRequest,
    ) -> BoxFuture<'a, Result<PluginBundle, PlanError>> {
        Box::pin(async move {
            let refuse = |path: &str| {
                let problem = Problem::new(path, "later plugins do not take this", "");
                Err(PlanError::Problems(vec![problem]))
            };
            let mut asked = request.clone();
            if let (Some(lost), "hadoop") = (self.later, plugin) {
                if lost.version && asked.version == TODAY {
                    return refuse("hadoop.version");
                }
                if lost.copies && asked.settings["replication"].as_u64() > Some(2) {
                    return refuse("hadoop.replication");
                }
                if lost.parameter {
                    assert!(
                        !asked.settings.contains_key("drain_s"),
                        "it would be refused"
                    );
                    asked.settings.insert("drain_s".to_owned(), json!(1));
                }
            }
            if plugin == "hadoop" {
                asked.groups.retain(|group| group.role != EDGE);
            }
            let is_newer = asked.version == LATER;
            if is_newer {
                asked.version = TODAY.to_owned();
            }
            let plugin = SHIPPED.get(plugin).unwrap();
            let part = match plugin.generate(&asked).await {
                Ok(part) => with_edge(part, request),
                Err(GenerateError::Problems(problems)) => {
                    return Err(PlanError::Problems(problems));
                }
                Err(GenerateError::Failed(error)) => panic!("{error}"),
            };
            Ok(match self.later {
                Some(_) => of_later(part, is_newer),
                None => part,
            })
        })
    }
}

/// With a script for the nodes of `edge`, where there are any and the plugin has scripts at all.
fn with_edge(mut part: PluginBundle, request: &PluginRequest) -> PluginBundle {
    let is_there = request.groups.iter().any(|group| group.role == EDGE);
    if let Some(script) = part.scripts.first().filter(|_| is_there) {
        let mut own = script.clone();
        own.role = EDGE.to_owned();
        own.stage = ScriptStage::Setup;
        own.body = "stampede_say 'edge is there'\n".to_owned();
        part.scripts.push(own);
    }
    part
}

/// Other scripts, another network, and the newer version where it is asked for.
fn of_later(mut part: PluginBundle, is_newer: bool) -> PluginBundle {
    for script in &mut part.scripts {
        script.body.push_str("\n# of a later day\n");
    }
    if let Some(network) = part.template.pointer_mut("/resources/network/properties") {
        network["value_specs"] = json!({ "mtu": 1400 });
    }
    if is_newer {
        let text = serde_json::to_string(&part).unwrap();
        let value: Value = serde_json::from_str(&text.replace(TODAY, LATER)).unwrap();
        part = serde_json::from_value(value).unwrap();
    }
    part
}
