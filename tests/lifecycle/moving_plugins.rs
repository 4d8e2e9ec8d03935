//! The plugins as they are shipped, and the same plugins of a later day: with a newer version,
//! other defaults, other scripts and another network, or with less than they had.

use std::sync::{Arc, LazyLock};

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use stampede::{
    cluster::{
        FrameworkDescriptor, Problem,
        framework_bundle::FrameworkBundle,
        framework_request::{FrameworkClaims, FrameworkRequest, GenerateQuestion},
    },
    orchestrator::{
        ClusterPlanner,
        planning::{
            ask_claims::FrameworkSource, plan_error::PlanError, plugin_planner::PluginPlanner,
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

struct DayPlugins {
    descriptors: Vec<FrameworkDescriptor>,
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
    }
    Arc::new(PluginPlanner(DayPlugins {
        descriptors,
        later: Some(lost),
    }))
}

fn descriptors() -> Vec<FrameworkDescriptor> {
    let plugins = SHIPPED.frameworks();
    plugins.map(|plugin| plugin.descriptor().clone()).collect()
}

impl DayPlugins {
    /// What the plugin of today is asked in the place of one of later; or what that refuses.
    fn asked(
        &self,
        plugin: &str,
        request: &FrameworkRequest,
    ) -> Result<FrameworkRequest, PlanError> {
        let refuse = |path: &str| {
            let problem = Problem::new(path, "later plugins do not take this", "");
            Err(PlanError::Problems(vec![problem]))
        };
        let mut asked = request.clone();
        if let (Some(lost), "hadoop") = (self.later, plugin) {
            if lost.version && asked.version == TODAY {
                return refuse("hadoop.version");
            }
            let copies = asked.settings.get("replication").and_then(Value::as_u64);
            if lost.copies && copies > Some(2) {
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
        if asked.version == LATER {
            asked.version = TODAY.to_owned();
        }
        Ok(asked)
    }
}

fn told<Answer>(answer: Result<Answer, GenerateError>) -> Result<Answer, PlanError> {
    answer.map_err(|error| match error {
        GenerateError::Problems(problems) => PlanError::Problems(problems),
        GenerateError::Failed(error) => panic!("{error}"),
    })
}

impl FrameworkSource for DayPlugins {
    fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        self.descriptors.iter().collect()
    }

    fn framework_digest(&self, plugin: &str) -> String {
        let digest = SHIPPED.framework(plugin).unwrap().digest().to_owned();
        if self.later.is_some() {
            format!("later-{digest}")
        } else {
            digest
        }
    }

    fn claim<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a FrameworkRequest,
        running: Option<&'a FrameworkRequest>,
    ) -> BoxFuture<'a, Result<FrameworkClaims, PlanError>> {
        Box::pin(async move {
            let asked = self.asked(plugin, request)?;
            let shipped = SHIPPED.framework(plugin).unwrap();
            told(shipped.claim(&asked, running).await)
        })
    }

    fn add<'a>(
        &'a self,
        plugin: &'a str,
        question: &'a Arc<GenerateQuestion>,
    ) -> BoxFuture<'a, Result<FrameworkBundle, PlanError>> {
        Box::pin(async move {
            let asked = GenerateQuestion {
                request: self.asked(plugin, &question.request)?,
                ..question.as_ref().clone()
            };
            let shipped = SHIPPED.framework(plugin).unwrap();
            let part = told(shipped.generate(&Arc::new(asked)).await)?;
            Ok(match self.later {
                Some(_) => of_later(part, question.request.version == LATER),
                None => part,
            })
        })
    }
}

/// Other scripts, another network, and the newer version where it is asked for.
fn of_later(mut part: FrameworkBundle, is_newer: bool) -> FrameworkBundle {
    for script in &mut part.scripts {
        script.body.push_str("\n# of a later day\n");
    }
    if let Some(network) = part.template.pointer_mut("/resources/network/properties") {
        network["value_specs"] = json!({ "mtu": 1400 });
    }
    if is_newer {
        let text = serde_json::to_string(&part).unwrap();
        part = serde_json::from_str(&text.replace(TODAY, LATER)).unwrap();
    }
    part
}
