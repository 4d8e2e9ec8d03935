//! What `stampede generate` has made, before it is written: a plan with what was assumed for it,
//! and the format that it is written in.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::{
    cluster::{
        ClusterSpec,
        framework_bundle::{ComponentStage, EndpointReach},
    },
    orchestrator::planning::framework_plan::FrameworkPlan,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    Yaml,
    HeatJson,
}

/// What the files say about themselves.
pub(super) struct GeneratedFiles {
    pub(super) spec: ClusterSpec,
    pub(super) plan: FrameworkPlan,
    /// What was taken for granted, a line each.
    pub(super) assumed: Vec<String>,
    pub(super) timeout_min: u32,
    /// Values of the template's parameters.
    pub(super) parameters: Map<String, Value>,
}

/// An output of the stack: its name, what it is, and who is to reach it.
pub(super) type GeneratedEndpoint<'a> = (&'a str, &'a str, &'static str);

impl GeneratedFiles {
    /// HOT as JSON.
    pub(super) fn template(&self) -> &Value {
        &self.plan.stack.template
    }

    /// Every script of every plugin, by plugin and what it is for, as files.
    pub(super) fn scripts(&self) -> BTreeMap<String, String> {
        let mut scripts = BTreeMap::new();
        for (place, part) in self.plan.stack.bundles.iter().enumerate() {
            scripts.extend(part.scripts.iter().map(|script| {
                let file = format!("{}/{}", script.component, script.stage.as_str());
                let name = format!("scripts/{place:02}-{}/{file}.sh", part.plugin);
                (name, script.body.clone())
            }));
        }
        scripts
    }

    /// Whether a real job has to run before the stack is complete.
    pub(super) fn is_verified(&self) -> bool {
        let parts = self.plan.stack.bundles.iter();
        let mut scripts = parts.flat_map(|part| &part.scripts);
        scripts.any(|script| script.stage == ComponentStage::Smoke)
    }

    /// Where the frameworks are reached.
    pub(super) fn endpoints(&self) -> Vec<GeneratedEndpoint<'_>> {
        let told = self.plan.stack.endpoints.iter().map(|one| {
            let audience = match one.reach {
                EndpointReach::Cluster => "the cluster's network",
                EndpointReach::Tunnel => "people, through SSH",
                EndpointReach::Outside => "people, through SSH or where it is opened",
            };
            (one.name.as_str(), one.description.as_str(), audience)
        });
        told.collect()
    }
}
