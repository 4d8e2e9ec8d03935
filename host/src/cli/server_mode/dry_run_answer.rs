//! What dry runs of the JSON API answer, for people. Programs are given the API's own document.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{line_printer::LinePrinter, preview, table};
use crate::cluster::former_runs::{FormerRuns, RunLikeness};
use crate::orchestrator::{
    AttributeChange, ChangePreview, NodeUpdatePreview, ResourceChanges, StepPreview,
};

/// What a new cluster would be.
#[derive(Serialize)]
pub(in super::super) struct ServerDeployPlan(pub(super) Value);

/// What a change would do.
#[derive(Serialize)]
pub(in super::super) struct ServerChangePlan(pub(super) Value);

#[derive(Deserialize)]
struct DeployTold {
    name: String,
    #[serde(default)]
    values: Vec<ValueTold>,
    #[serde(default)]
    groups: Vec<GroupTold>,
    #[serde(default)]
    quotas: Vec<QuotaTold>,
    #[serde(default)]
    resources: BTreeMap<String, usize>,
    #[serde(default)]
    timeout_s: u32,
    #[serde(default)]
    heat_timeout_min: u32,
    former_runs: Option<RunsTold>,
}

#[derive(Deserialize)]
struct RunsTold {
    typical_seconds: u64,
    runs: u32,
    #[serde(default)]
    likeness: String,
}

impl From<RunsTold> for FormerRuns {
    fn from(told: RunsTold) -> Self {
        Self {
            typical_s: told.typical_seconds,
            runs: told.runs,
            likeness: RunLikeness::from_word(&told.likeness),
        }
    }
}

#[derive(Deserialize)]
struct ValueTold {
    name: String,
    value: Option<String>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct GroupTold {
    nodes: Vec<String>,
    flavor: Option<FlavorTold>,
}

#[derive(Deserialize)]
struct FlavorTold {
    name: String,
    vcpus: u32,
    ram_mib: u32,
    disk_gib: u32,
}

#[derive(Deserialize)]
struct QuotaTold {
    what: String,
    needed: u64,
    used: Option<u64>,
    limit: Option<u64>,
}

#[derive(Deserialize)]
struct ChangeTold {
    name: String,
    #[serde(default)]
    attributes: Vec<AttributeTold>,
    #[serde(default)]
    added: Vec<String>,
    #[serde(default)]
    removed: Vec<String>,
    #[serde(default)]
    notified: Vec<NotifiedTold>,
    #[serde(default)]
    untouched: Vec<String>,
    #[serde(default)]
    steps: Vec<StepTold>,
    #[serde(default)]
    resources: ResourcesTold,
    #[serde(default)]
    quotas: Vec<QuotaTold>,
    former_runs: Option<RunsTold>,
}

#[derive(Deserialize)]
struct AttributeTold {
    name: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
struct NotifiedTold {
    group: String,
    nodes: Vec<String>,
    files: Vec<String>,
    restarts: Vec<String>,
}

#[derive(Deserialize)]
struct StepTold {
    title: String,
    nodes: Vec<String>,
    stages: Vec<String>,
}

#[derive(Default, Deserialize)]
struct ResourcesTold {
    new: BTreeMap<String, Vec<String>>,
    changed: BTreeMap<String, Vec<String>>,
    deleted: BTreeMap<String, Vec<String>>,
    unchanged: usize,
}

impl ServerDeployPlan {
    /// For people: what comes of each attribute, the nodes, and what they take.
    pub(in super::super) fn print(&self, out: &mut LinePrinter<'_>) -> Result<()> {
        let told = DeployTold::deserialize(&self.0)?;
        writeln!(out, "`{}` would be made", told.name)?;
        writeln!(out)?;
        let values = told.values.into_iter();
        let rows: Vec<Vec<String>> = values
            .map(|one| {
                vec![
                    one.name,
                    one.value.unwrap_or_else(|| "-".to_owned()),
                    one.reason,
                ]
            })
            .collect();
        table::print_table(out, &["ATTRIBUTE", "VALUE", "WHY"], &rows)?;
        writeln!(out)?;
        let rows: Vec<Vec<String>> = told.groups.iter().flat_map(GroupTold::rows).collect();
        preview::print_nodes_table(out, &rows)?;
        let (seconds, minutes) = (told.timeout_s, told.heat_timeout_min);
        writeln!(out)?;
        writeln!(
            out,
            "timeouts      {seconds} s for the nodes, {minutes} min for Heat"
        )?;
        if let Some(former) = told.former_runs.map(FormerRuns::from) {
            writeln!(out, "took          {}", former.sentence())?;
        }
        preview::print_counts(out, &told.resources)?;
        preview::print_quotas(out, told.quotas.iter().map(QuotaTold::line))
    }
}

impl GroupTold {
    fn rows(&self) -> Vec<Vec<String>> {
        let flavor = match &self.flavor {
            Some(flavor) => [
                flavor.name.clone(),
                flavor.vcpus.to_string(),
                flavor.ram_mib.to_string(),
                flavor.disk_gib.to_string(),
            ],
            None => ["-"; 4].map(str::to_owned),
        };
        let row = |node: &String| [node.clone()].into_iter().chain(flavor.clone()).collect();
        self.nodes.iter().map(row).collect()
    }
}

impl QuotaTold {
    /// How much more, of what, and how much is free.
    fn line(&self) -> (u64, &str, Option<u64>) {
        let free = self.limit.zip(self.used);
        let free = free.map(|(limit, used)| limit.saturating_sub(used));
        (self.needed, &self.what, free)
    }
}

impl ServerChangePlan {
    /// For people, as a change by this program itself is told.
    pub(in super::super) fn print(&self, out: &mut LinePrinter<'_>) -> Result<()> {
        let told = ChangeTold::deserialize(&self.0)?;
        let change = |one: AttributeTold| AttributeChange {
            name: one.name,
            before: one.before,
            after: one.after,
        };
        let notified = |one: NotifiedTold| NodeUpdatePreview {
            role: one.group,
            nodes: one.nodes,
            files: one.files,
            restarts: one.restarts,
        };
        let step = |one: StepTold| StepPreview {
            title: one.title,
            nodes: one.nodes,
            stages: one.stages,
        };
        let preview = ChangePreview {
            name: told.name,
            attributes: told.attributes.into_iter().map(change).collect(),
            added: told.added,
            removed: told.removed,
            notified: told.notified.into_iter().map(notified).collect(),
            untouched: told.untouched,
            steps: told.steps.into_iter().map(step).collect(),
            resources: ResourceChanges {
                new: told.resources.new,
                changed: told.resources.changed,
                deleted: told.resources.deleted,
                unchanged: told.resources.unchanged,
            },
            // Told below.
            quotas: Vec::new(),
            former_runs: told.former_runs.map(FormerRuns::from),
        };
        preview::print_change(out, &preview)?;
        preview::print_quotas(out, told.quotas.iter().map(QuotaTold::line))
    }
}
