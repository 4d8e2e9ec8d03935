//! What a form shows of a request, as data.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::orchestrator::{
    error::OrchestratorError,
    planning::{
        cloud_choices::CloudChoices,
        known_claims::without_repeats,
        plan_description::{OpenPort, PlanDescription, PlannedDownload, open_ports},
        planner::{ResolvedFlavors, StackPlan},
        quota::{self, QuotaNeed},
        request_values::RequestValue,
        template_diff,
    },
    verbs::preview::ChangePreview,
};
use crate::{
    bundle::unit_effects::shown_path,
    cluster::{
        ClusterSpec, Flavor, FrameworkDescriptor, GroupSpec, NodeIds, Problem, change::NodeFlavors,
        component::ComponentPlacement, former_runs::FormerRuns, framework::CLUSTER,
        framework_bundle::ComponentEndpoint, framework_request::ComponentGrant,
    },
    openstack::{CreateStack, ProjectQuotas},
};

/// A request, as a form shows it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RequestForm {
    /// The cluster's name.
    pub name: String,
    /// All that is wrong with the attributes: what the request is refused for.
    pub problems: Vec<Problem>,
    /// What else it is refused for, whatever its attributes are.
    #[serde(skip)]
    pub obstacle: Option<OrchestratorError>,
    /// What each attribute comes to.
    pub values: Vec<RequestValue>,
    /// What the project has of its quotas, and what is needed.
    pub quotas: Vec<FormQuota>,
    /// The nodes, by group.
    pub groups: Vec<FormGroup>,
    /// What can be asked for.
    pub frameworks: Vec<FormFramework>,
    /// What attributes may name.
    pub choices: CloudChoices,
    /// What Heat would be given, where nothing but quotas is in the way.
    pub preview: Option<RequestPreview>,
    /// What would become of a running cluster, where nothing is in the way.
    pub change: Option<ChangePreview>,
    /// How long such a cluster took to come up before, where some have.
    #[serde(skip)]
    pub former: Option<FormerRuns>,
    /// What a running cluster was asked to be when this was looked at.
    pub revision: Option<String>,
}

/// What is taken of one quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormQuota {
    /// The numbers.
    #[serde(flatten)]
    pub need: QuotaNeed,
    /// How much the project would have of it.
    pub after: Option<u64>,
    /// Whether that is too much.
    pub is_exceeded: bool,
    /// In words: `7 ports needed, 3 free`.
    pub sentence: String,
}

/// The nodes of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormGroup {
    /// Its name.
    pub name: String,
    /// Its nodes.
    pub nodes: Vec<String>,
    /// Their flavor, where it is known.
    pub flavor: Option<Flavor>,
    /// What makes a node of it so large; may be empty.
    pub sum: String,
    /// What each of its nodes is granted, by plugin.
    pub grants: BTreeMap<String, Vec<ComponentGrant>>,
    /// Components on its nodes.
    pub components: Vec<String>,
}

/// A framework that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormFramework {
    /// As it is asked for.
    pub name: String,
    /// For people.
    pub title: String,
    /// The version that is taken, or would be.
    pub version: String,
    /// All of them.
    pub versions: Vec<String>,
    /// One sentence.
    pub description: String,
    /// Frameworks of which one must be asked for, too, for each service that it needs.
    pub needs: Vec<Vec<String>>,
    /// Frameworks that it works with, where they are asked for.
    pub works_with: Vec<String>,
    /// Whether it is asked for.
    pub is_chosen: bool,
}

/// What Heat would be given, and what comes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestPreview {
    /// The template, as it is sent.
    pub template: serde_json::Value,
    /// The files that it names, byte for byte: a script for each class of nodes.
    pub files: BTreeMap<String, String>,
    /// What these write on the nodes, by class.
    pub contents: BTreeMap<String, Vec<PreviewFile>>,
    /// How many resources of each type the stack has.
    pub resources: BTreeMap<String, usize>,
    /// Whom the cluster lets in.
    pub ports: Vec<OpenPort>,
    /// Where it will be reached.
    pub endpoints: Vec<ComponentEndpoint>,
    /// What its nodes fetch.
    pub downloads: Vec<PlannedDownload>,
    /// How long the nodes may take, in seconds.
    pub timeout_s: u32,
    /// How long Heat may take, in minutes.
    pub heat_timeout_min: u32,
}

/// A file as it comes to stand on the nodes of a class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreviewFile {
    /// Absolute.
    pub path: String,
    /// Such as 0o644.
    pub mode: u32,
    /// Byte for byte.
    pub content: String,
}

impl RequestForm {
    /// Why the request would be refused now; none where it would be taken.
    pub fn refusal(&self) -> Option<OrchestratorError> {
        let invalid = || {
            let problems = self.problems.clone();
            (!problems.is_empty()).then_some(OrchestratorError::Invalid(problems))
        };
        self.obstacle.clone().or_else(invalid)
    }

    /// Keeps what a check found: problems beside others, anything else as what is in the way.
    pub(crate) fn keep(
        &mut self,
        found: Result<(), OrchestratorError>,
    ) -> Result<(), OrchestratorError> {
        match found {
            Ok(()) => {}
            Err(OrchestratorError::Invalid(problems)) => {
                self.problems.extend(problems);
                self.problems = without_repeats(std::mem::take(&mut self.problems));
            }
            Err(error @ OrchestratorError::Unauthorized(_)) => return Err(error),
            Err(error) => drop(self.obstacle.get_or_insert(error)),
        }
        Ok(())
    }
}

impl From<QuotaNeed> for FormQuota {
    fn from(need: QuotaNeed) -> Self {
        Self {
            after: need.after(),
            is_exceeded: need.is_exceeded(),
            sentence: need.sentence(),
            need,
        }
    }
}

pub(crate) fn describe_plan(
    timeout_s: u32,
    planned: &StackPlan,
    request: CreateStack,
) -> RequestPreview {
    let PlanDescription {
        downloads,
        endpoints,
    } = planned.told.clone();
    let contents = planned.contents.iter().map(|(class, content)| {
        let files = content.files.iter().map(|file| PreviewFile {
            path: shown_path(content, &file.path),
            mode: file.mode,
            content: file.content.clone(),
        });
        (class.clone(), files.collect())
    });
    RequestPreview {
        resources: template_diff::count_resources(&request.template),
        ports: open_ports(&request.template),
        contents: contents.collect(),
        template: request.template,
        files: request.files,
        endpoints,
        downloads,
        timeout_s,
        heat_timeout_min: request.timeout_mins,
    }
}

/// The quotas as they are, where nothing is known of what is needed.
fn no_needs(quotas: &ProjectQuotas) -> Vec<QuotaNeed> {
    let nothing = ResolvedFlavors::for_nodes(&NodeFlavors::default());
    let template = serde_json::Value::Null;
    quota::count_needs(&template, &NodeIds::default(), &nothing, quotas)
}

/// With what the project has of quotas that were not asked for when the needs were counted.
fn told_quotas(needs: &[QuotaNeed], quotas: &ProjectQuotas) -> Vec<QuotaNeed> {
    let told = no_needs(quotas).into_iter().map(|told| {
        let need = needs.iter().find(|need| need.what == told.what);
        let needed = need.map_or(0, |need| need.needed);
        QuotaNeed { needed, ..told }
    });
    told.collect()
}

/// What a form shows of the quotas: with what is needed, where that is known.
pub(crate) fn form_quotas(needs: &[QuotaNeed], quotas: &ProjectQuotas) -> Vec<FormQuota> {
    let needs = match needs.is_empty() {
        true => no_needs(quotas),
        false => told_quotas(needs, quotas),
    };
    needs.into_iter().map(FormQuota::from).collect()
}

/// What the nodes of a cluster are made of, as far as it is known.
pub(crate) struct NodeMakeup<'a> {
    pub(crate) spec: &'a ClusterSpec,
    pub(crate) flavors: &'a BTreeMap<String, Flavor>,
    pub(crate) placements: &'a [ComponentPlacement],
    pub(crate) sums: &'a BTreeMap<String, String>,
    pub(crate) grants: &'a BTreeMap<String, Vec<ComponentGrant>>,
}

/// The nodes, group by group.
pub(crate) fn describe_groups(facts: &NodeMakeup<'_>) -> Vec<FormGroup> {
    let group = |group: &GroupSpec| {
        let nodes = group.node_names();
        let placed = facts.placements.iter().filter(|placement| {
            let mut members = placement.members.iter();
            members.any(|member| nodes.contains(&member.node))
        });
        FormGroup {
            components: placed.map(|one| one.component.clone()).collect(),
            flavor: facts.flavors.get(&group.name).cloned(),
            sum: facts.sums.get(&group.name).cloned().unwrap_or_default(),
            grants: granted(facts.grants, &group.name),
            name: group.name.clone(),
            nodes,
        }
    };
    facts.spec.groups.with_nodes().map(group).collect()
}

/// What the nodes of a group are granted, by plugin.
fn granted(
    grants: &BTreeMap<String, Vec<ComponentGrant>>,
    group: &str,
) -> BTreeMap<String, Vec<ComponentGrant>> {
    let of_group = grants.iter().map(|(plugin, all)| {
        let own = all.iter().filter(|grant| grant.group == group);
        (plugin.clone(), own.cloned().collect::<Vec<_>>())
    });
    of_group.filter(|(_, all)| !all.is_empty()).collect()
}

pub(crate) fn describe_frameworks(
    descriptors: &[&FrameworkDescriptor],
    spec: &ClusterSpec,
) -> Vec<FormFramework> {
    let providers = |service: &String| -> Vec<String> {
        let provides = |one: &&&FrameworkDescriptor| one.provides.contains(service);
        let found = descriptors.iter().filter(provides);
        found.map(|one| one.name.clone()).collect()
    };
    let shown = descriptors.iter().filter(|one| one.name != CLUSTER);
    let framework = |one: &&FrameworkDescriptor| {
        let chosen = spec
            .frameworks
            .iter()
            .find(|choice| choice.name == one.name);
        let version = chosen.and_then(|choice| choice.version.clone());
        // What the plugin `cluster` provides is always there.
        let needs = one.requires.iter().map(&providers);
        let needs = needs.filter(|all| !all.iter().any(|name| name == CLUSTER));
        let works_with = one.uses.iter().flat_map(&providers);
        let mut works_with: Vec<String> = works_with.collect();
        works_with.sort();
        works_with.dedup();
        FormFramework {
            works_with,
            name: one.name.clone(),
            title: one.title.clone(),
            version: version.unwrap_or_else(|| one.default_version().to_owned()),
            versions: one.versions.clone(),
            description: one.description.clone(),
            needs: needs.collect(),
            is_chosen: chosen.is_some(),
        }
    };
    shown.map(framework).collect()
}
