//! What dry runs answer, as data.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::time_shapes::RunTimes;
use crate::cluster::Flavor;
use crate::cluster::framework_bundle::ComponentEndpoint;
use crate::orchestrator::planning::plan_description::{OpenPort, PlannedDownload};
use crate::orchestrator::planning::request_values::{RequestValue, ValueSource};
use crate::orchestrator::{
    AttributeChange, ChangePreview, FormGroup, NodeUpdatePreview, QuotaNeed, RequestForm,
    ResourceChanges, StepPreview,
};

/// What a new cluster would be; nothing was made.
#[derive(Serialize, ToSchema)]
pub struct DeployDryRun {
    /// True: nothing was made.
    pub dry_run: bool,
    /// Its name.
    pub name: String,
    /// What each attribute comes to, and why.
    pub values: Vec<AttributeValueState>,
    /// Its nodes, by group.
    pub groups: Vec<PlannedGroup>,
    /// What the project has of its quotas, and what is needed.
    pub quotas: Vec<QuotaUse>,
    /// The template that Heat would be given.
    #[schema(value_type = Object)]
    pub template: Value,
    /// The files that it names, scripts for the nodes, byte for byte.
    pub files: BTreeMap<String, String>,
    /// How many resources of each type the stack has.
    pub resources: BTreeMap<String, usize>,
    /// Whom the cluster lets in.
    pub ports: Vec<OpenPortState>,
    /// Where it will be reached.
    pub endpoints: Vec<PlannedEndpoint>,
    /// What its nodes fetch.
    pub downloads: Vec<DownloadState>,
    /// How long the nodes may take.
    pub timeout_s: u32,
    /// How long Heat may take.
    pub heat_timeout_min: u32,
    /// How long such clusters took to come up before; null where nothing like it was.
    pub former_runs: Option<RunTimes>,
}

/// An attribute and the value that it comes to.
#[derive(Serialize, ToSchema)]
pub struct AttributeValueState {
    /// Its name.
    pub name: String,
    /// The value that is used; null where that is nothing, or what `reason` says.
    pub value: Option<String>,
    /// Where it comes from: `given`, `operator`, `computed`, `plugin`, `host` or `running`.
    pub source: String,
    /// The same in words.
    pub reason: String,
}

/// The nodes of a group that would be made.
#[derive(Serialize, ToSchema)]
pub struct PlannedGroup {
    /// Its name.
    pub name: String,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Their flavor; null where it is not known.
    pub flavor: Option<FlavorSize>,
    /// Components on them.
    pub components: Vec<String>,
}

/// A rule that lets somebody in.
#[derive(Serialize, ToSchema)]
pub struct OpenPortState {
    /// `tcp`, `icmp`; `any` for all.
    pub protocol: String,
    /// `22` or `30000-32767`; empty for all.
    pub ports: String,
    /// A network; null: the nodes of the cluster alone.
    pub from: Option<String>,
}

/// Where a component will be reached.
#[derive(Serialize, ToSchema)]
pub struct PlannedEndpoint {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// On each node of this component.
    pub component: String,
    /// `http`, `hdfs`.
    pub scheme: String,
    /// The port there.
    pub port: u16,
    /// Begins with `/`, or empty.
    pub path: String,
    /// `cluster`, `tunnel` or `outside`.
    pub reach: String,
}

/// Something that nodes fetch.
#[derive(Serialize, ToSchema)]
pub struct DownloadState {
    /// For which plugin; empty: for all.
    pub plugin: String,
    /// What: a path, packages, requirements.
    pub what: String,
    /// Where from, the first that answers; empty: from where the image has its packages.
    pub from: Vec<String>,
    /// The checksum that it is held against; may be empty.
    pub checksum: String,
}

/// A flavor.
#[derive(Serialize, ToSchema)]
pub struct FlavorSize {
    /// Its name.
    pub name: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory.
    pub ram_mib: u32,
    /// Root disk; 0 where it boots from a volume.
    pub disk_gib: u32,
}

/// A value that would be another one.
#[derive(Serialize, ToSchema)]
pub struct ValueChange {
    /// The attribute.
    pub name: String,
    /// What it is, where it is something.
    pub before: Option<String>,
    /// What it would be.
    pub after: Option<String>,
}

/// What is taken of a quota.
#[derive(Serialize, ToSchema)]
pub struct QuotaUse {
    /// Of what: `servers`, `MiB of memory`.
    pub what: String,
    /// How much more is needed.
    pub needed: u64,
    /// How much of it the project has now; null where the cloud does not tell it.
    pub used: Option<u64>,
    /// How much it would have then, likewise.
    pub after: Option<u64>,
    /// The most that it may have; null where there is no limit, or the cloud does not tell it.
    pub limit: Option<u64>,
    /// Whether that would be too much.
    pub exceeded: bool,
}

/// What a change would do; nothing was changed.
#[derive(Serialize, ToSchema)]
pub struct ChangeDryRun {
    /// True: nothing was changed.
    pub dry_run: bool,
    /// The cluster's name.
    pub name: String,
    /// Attributes that would be others.
    pub attributes: Vec<ValueChange>,
    /// Nodes that would be made.
    pub added: Vec<String>,
    /// Nodes that would be drained, then deleted.
    pub removed: Vec<String>,
    /// Nodes that would be told of the change, by group.
    pub notified: Vec<NotifiedNodes>,
    /// Nodes that would notice nothing.
    pub untouched: Vec<String>,
    /// The steps, in their order.
    pub steps: Vec<ChangeStep>,
    /// What would become of the stack's resources.
    pub resources: ResourceFates,
    /// What is added takes so much of the project's quotas.
    pub quotas: Vec<QuotaUse>,
    /// How long such changes took before; null where there was none.
    pub former_runs: Option<RunTimes>,
}

/// Nodes that would be told the same.
#[derive(Serialize, ToSchema)]
pub struct NotifiedNodes {
    /// Their group.
    pub group: String,
    /// Which of them.
    pub nodes: Vec<String>,
    /// Files that would be written or removed there.
    pub files: Vec<String>,
    /// Components whose services may restart.
    pub restarts: Vec<String>,
}

/// A step of a change.
#[derive(Serialize, ToSchema)]
pub struct ChangeStep {
    /// For people.
    pub title: String,
    /// The nodes that are told, and waited for.
    pub nodes: Vec<String>,
    /// The stages that those run.
    pub stages: Vec<String>,
}

/// What would become of resources: names by type.
#[derive(Serialize, ToSchema)]
pub struct ResourceFates {
    /// Made.
    pub new: BTreeMap<String, Vec<String>>,
    /// Changed where they are.
    pub changed: BTreeMap<String, Vec<String>>,
    /// Deleted.
    pub deleted: BTreeMap<String, Vec<String>>,
    /// How many stay as they are.
    pub unchanged: usize,
}

impl DeployDryRun {
    /// That of a request that would be taken; none where nothing could be planned.
    pub fn of_form(form: RequestForm) -> Option<Self> {
        let preview = form.preview?;
        Some(Self {
            dry_run: true,
            name: form.name,
            values: form
                .values
                .into_iter()
                .map(AttributeValueState::from)
                .collect(),
            groups: form.groups.into_iter().map(PlannedGroup::from).collect(),
            quotas: form
                .quotas
                .into_iter()
                .map(|quota| quota.need.into())
                .collect(),
            template: preview.template,
            files: preview.files,
            resources: preview.resources,
            ports: preview.ports.into_iter().map(OpenPortState::from).collect(),
            endpoints: preview
                .endpoints
                .into_iter()
                .map(PlannedEndpoint::from)
                .collect(),
            downloads: preview
                .downloads
                .into_iter()
                .map(DownloadState::from)
                .collect(),
            timeout_s: preview.timeout_s,
            heat_timeout_min: preview.heat_timeout_min,
            former_runs: form.former.map(RunTimes::from),
        })
    }
}

impl From<RequestValue> for AttributeValueState {
    fn from(value: RequestValue) -> Self {
        let source = match value.source {
            ValueSource::Given => "given",
            ValueSource::Operator => "operator",
            ValueSource::Computed => "computed",
            ValueSource::Plugin => "plugin",
            ValueSource::Host => "host",
            ValueSource::Running => "running",
        };
        Self {
            name: value.name,
            value: value.value,
            source: source.to_owned(),
            reason: value.reason,
        }
    }
}

impl From<FormGroup> for PlannedGroup {
    fn from(group: FormGroup) -> Self {
        Self {
            name: group.name,
            nodes: group.nodes,
            flavor: group.flavor.map(FlavorSize::from),
            components: group.components,
        }
    }
}

impl From<OpenPort> for OpenPortState {
    fn from(port: OpenPort) -> Self {
        Self {
            protocol: port.protocol,
            ports: port.ports,
            from: port.from,
        }
    }
}

impl From<ComponentEndpoint> for PlannedEndpoint {
    fn from(endpoint: ComponentEndpoint) -> Self {
        Self {
            name: endpoint.name,
            description: endpoint.description,
            component: endpoint.component,
            scheme: endpoint.scheme,
            port: endpoint.port,
            path: endpoint.path,
            reach: endpoint.reach.as_str().to_owned(),
        }
    }
}

impl From<PlannedDownload> for DownloadState {
    fn from(download: PlannedDownload) -> Self {
        Self {
            plugin: download.plugin,
            what: download.what,
            from: download.from,
            checksum: download.checksum,
        }
    }
}

impl From<ChangePreview> for ChangeDryRun {
    fn from(preview: ChangePreview) -> Self {
        Self {
            dry_run: true,
            name: preview.name,
            attributes: preview
                .attributes
                .into_iter()
                .map(ValueChange::from)
                .collect(),
            added: preview.added,
            removed: preview.removed,
            notified: preview
                .notified
                .into_iter()
                .map(NotifiedNodes::from)
                .collect(),
            untouched: preview.untouched,
            steps: preview.steps.into_iter().map(ChangeStep::from).collect(),
            resources: preview.resources.into(),
            quotas: preview.quotas.into_iter().map(QuotaUse::from).collect(),
            former_runs: preview.former_runs.map(RunTimes::from),
        }
    }
}

impl From<Flavor> for FlavorSize {
    fn from(flavor: Flavor) -> Self {
        Self {
            name: flavor.name,
            vcpus: flavor.vcpus,
            ram_mib: flavor.ram_mib,
            disk_gib: flavor.disk_gib,
        }
    }
}

impl From<AttributeChange> for ValueChange {
    fn from(change: AttributeChange) -> Self {
        Self {
            name: change.name,
            before: change.before,
            after: change.after,
        }
    }
}

impl From<QuotaNeed> for QuotaUse {
    fn from(need: QuotaNeed) -> Self {
        Self {
            after: need.after(),
            exceeded: need.is_exceeded(),
            what: need.what.to_owned(),
            needed: need.needed,
            used: need.used,
            limit: need.limit,
        }
    }
}

impl From<NodeUpdatePreview> for NotifiedNodes {
    fn from(update: NodeUpdatePreview) -> Self {
        Self {
            group: update.role,
            nodes: update.nodes,
            files: update.files,
            restarts: update.restarts,
        }
    }
}

impl From<StepPreview> for ChangeStep {
    fn from(step: StepPreview) -> Self {
        Self {
            title: step.title,
            nodes: step.nodes,
            stages: step.stages,
        }
    }
}

impl From<ResourceChanges> for ResourceFates {
    fn from(changes: ResourceChanges) -> Self {
        Self {
            new: changes.new,
            changed: changes.changed,
            deleted: changes.deleted,
            unchanged: changes.unchanged,
        }
    }
}
