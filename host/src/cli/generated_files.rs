//! What `stampede generate` has made, before it is written: a plan with what was assumed for it,
//! and the format that it is written in.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::{
    bundle::ScriptStage,
    cluster::{
        ClusterSpec,
        framework::PortAudience,
        framework_bundle::{ComponentStage, EndpointReach},
    },
    orchestrator::planning::{cluster_plan::ClusterPlan, framework_plan::FrameworkPlan},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    Yaml,
    HeatJson,
}

/// What the files say about themselves.
pub(super) struct GeneratedFiles {
    pub(super) spec: ClusterSpec,
    pub(super) plan: GeneratedPlan,
    /// What was taken for granted, a line each.
    pub(super) assumed: Vec<String>,
    pub(super) timeout_min: u32,
    /// Values of the template's parameters.
    pub(super) parameters: Map<String, Value>,
}

/// The plan of a cluster whose plugins speak one of the contracts.
pub(super) enum GeneratedPlan {
    /// 0.1.0.
    Plugins(ClusterPlan),
    /// 0.2.0.
    Frameworks(FrameworkPlan),
}

/// An output of the stack: its name, what it is, and who is to reach it.
pub(super) type GeneratedEndpoint<'a> = (&'a str, &'a str, &'static str);

impl GeneratedPlan {
    /// HOT as JSON.
    pub(super) fn template(&self) -> &Value {
        match self {
            Self::Plugins(plan) => &plan.bundle.template,
            Self::Frameworks(plan) => &plan.stack.template,
        }
    }

    /// What `get_file` names.
    pub(super) fn files(&self) -> &BTreeMap<String, String> {
        match self {
            Self::Plugins(plan) => &plan.bundle.files,
            Self::Frameworks(plan) => &plan.stack.files,
        }
    }

    /// Every script of every plugin, by plugin and what it is for, as files.
    pub(super) fn scripts(&self) -> BTreeMap<String, String> {
        let mut scripts = BTreeMap::new();
        match self {
            Self::Plugins(plan) => {
                for (place, part) in plan.bundle.parts.iter().enumerate() {
                    scripts.extend(part.scripts.iter().map(|script| {
                        let (role, stage) = (&script.role, script.stage.as_str());
                        let file = format!("{role}/{stage}.{}", script.name);
                        let name = format!("scripts/{place:02}-{}/{file}.sh", part.plugin);
                        (name, script.body.clone())
                    }));
                }
            }
            Self::Frameworks(plan) => {
                for (place, part) in plan.stack.bundles.iter().enumerate() {
                    scripts.extend(part.scripts.iter().map(|script| {
                        let file = format!("{}/{}", script.component, script.stage.as_str());
                        let name = format!("scripts/{place:02}-{}/{file}.sh", part.plugin);
                        (name, script.body.clone())
                    }));
                }
            }
        }
        scripts
    }

    /// Whether a real job has to run before the stack is complete.
    pub(super) fn is_verified(&self) -> bool {
        match self {
            Self::Plugins(plan) => {
                let mut scripts = plan.bundle.parts.iter().flat_map(|part| &part.scripts);
                scripts.any(|script| script.stage == ScriptStage::Smoke)
            }
            Self::Frameworks(plan) => {
                let mut scripts = plan.stack.bundles.iter().flat_map(|part| &part.scripts);
                scripts.any(|script| script.stage == ComponentStage::Smoke)
            }
        }
    }

    /// Where the frameworks are reached.
    pub(super) fn endpoints(&self) -> Vec<GeneratedEndpoint<'_>> {
        match self {
            Self::Plugins(plan) => {
                let endpoints = plan.bundle.parts.iter().flat_map(|part| &part.endpoints);
                let told = endpoints.map(|one| {
                    let audience = match one.audience {
                        PortAudience::Cluster => "the cluster's network",
                        PortAudience::Admin => "administrators",
                        PortAudience::Public => "users",
                    };
                    (one.name.as_str(), one.description.as_str(), audience)
                });
                told.collect()
            }
            Self::Frameworks(plan) => {
                let told = plan.stack.endpoints.iter().map(|one| {
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
    }
}
