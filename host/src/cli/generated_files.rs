//! What `stampede generate` has made, before it is written: a plan with what was assumed for it,
//! and the format that it is written in.

use clap::ValueEnum;
use serde_json::{Map, Value};

use crate::{cluster::ClusterSpec, orchestrator::planning::cluster_plan::ClusterPlan};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    Yaml,
    HeatJson,
}

/// What the files say about themselves.
pub(super) struct GeneratedFiles {
    pub(super) spec: ClusterSpec,
    pub(super) plan: ClusterPlan,
    /// What was taken for granted, a line each.
    pub(super) assumed: Vec<String>,
    pub(super) timeout_min: u32,
    /// Values of the template's parameters.
    pub(super) parameters: Map<String, Value>,
}
