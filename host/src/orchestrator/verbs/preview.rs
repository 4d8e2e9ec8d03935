//! Previews: an update or a deploy, planned and checked as the real one, and described instead of
//! done. Nothing is recorded, no node is notified, and of the cloud nothing but Heat's validation
//! is asked that is not a read.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    planning::{
        merge_attributes,
        plan_deploy::PlannedDeploy,
        quota::QuotaNeed,
        template_diff::{self, ResourceChanges},
        typed_settings,
        whole_refusal::plan_asked,
    },
    rollout::{nodes_at_rest::ChangeNodes, steps},
    stack::{request_size, stack_request},
    state::time_left::former_runs,
    verbs::{
        create, deploy,
        find::{find_here, live_record},
        plan_change::PlannedChange,
    },
};
use crate::{
    bundle::node_update::VARIABLES,
    cluster::{
        ClusterRest, ClusterSpec, Flavor, GroupSpec, Lifecycle, LifecyclePhase, attributes,
        former_runs::{FormerRuns, RunKind, RunShape},
        parameter_text::plain_text,
    },
    store::ClusterRecord,
};

/// What an update would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChangePreview {
    /// The cluster's name.
    pub name: String,
    /// Attributes that would be others.
    pub attributes: Vec<AttributeChange>,
    /// Nodes that would be made.
    pub added: Vec<String>,
    /// Nodes that would be drained, then deleted.
    pub removed: Vec<String>,
    /// Nodes that would be notified of the change, by group.
    pub notified: Vec<NodeUpdatePreview>,
    /// Nodes that would notice nothing.
    pub untouched: Vec<String>,
    /// The steps, in their order.
    pub steps: Vec<StepPreview>,
    /// What would become of the stack's resources.
    pub resources: ResourceChanges,
    /// What is added takes so much of the project's quotas; needs of nothing are left out.
    pub quotas: Vec<QuotaNeed>,
    /// How long such changes took before, where there were some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former_runs: Option<FormerRuns>,
}

/// An attribute that would be another one, without `stampede.`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttributeChange {
    /// Its name.
    pub name: String,
    /// Its value now, where it has one.
    pub before: Option<String>,
    /// Its value then, where it has one.
    pub after: Option<String>,
}

/// What nodes of a group would be notified of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeUpdatePreview {
    /// The group.
    pub role: String,
    /// Which of them.
    pub nodes: Vec<String>,
    /// Files that would be written or removed there.
    pub files: Vec<String>,
    /// Components whose services may restart.
    pub restarts: Vec<String>,
}

/// A step of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepPreview {
    /// For people: `new settings on master`.
    pub title: String,
    /// The nodes that are notified, and waited for.
    pub nodes: Vec<String>,
    /// The stages that those run.
    pub stages: Vec<String>,
}

/// What a deploy would make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeployPreview {
    /// The cluster's name.
    pub name: String,
    /// The project that it would be in.
    pub project: String,
    /// The region.
    pub region: String,
    /// Title and version of each framework, in the order asked for.
    pub frameworks: Vec<(String, String)>,
    /// Its nodes.
    pub nodes: Vec<NodePreview>,
    /// The image of all nodes whose group has none of its own.
    pub image: String,
    /// The images of the other groups.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub group_images: BTreeMap<String, String>,
    /// The cluster's own network.
    pub cidr: String,
    /// The network outside, where there is one.
    pub external_network: Option<String>,
    /// How many floating IPs.
    pub floating_ips: usize,
    /// Parameters of plugins that are not their defaults: value and default.
    pub settings: Vec<AttributeChange>,
    /// How many resources of each type the stack has.
    pub resources: BTreeMap<String, usize>,
    /// What it takes of the project's quotas; needs of nothing are left out.
    pub quotas: Vec<QuotaNeed>,
    /// How long the nodes may take, in seconds.
    pub timeout_s: u32,
    /// How long Heat may take, in minutes.
    pub heat_timeout_min: u32,
    /// How long such clusters took to come up before, where some have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub former_runs: Option<FormerRuns>,
}

/// A node of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodePreview {
    /// `worker-1`.
    pub name: String,
    /// Its flavor.
    pub flavor: Flavor,
}

/// An update that changes nothing in the cloud.
pub(crate) fn kept_attributes(
    record: &ClusterRecord,
    after: &BTreeMap<String, String>,
) -> ChangePreview {
    let spec = record.spec.iter();
    ChangePreview {
        name: record.name.clone(),
        attributes: differences(&record.attributes, after),
        untouched: spec.flat_map(ClusterSpec::node_names).collect(),
        ..ChangePreview::default()
    }
}

/// What is new on these nodes, those together that are told the same.
fn preview_updates(
    from: &ClusterSpec,
    nodes: &ChangeNodes,
    told: &[&String],
) -> Vec<NodeUpdatePreview> {
    let mut updates: Vec<NodeUpdatePreview> = Vec::new();
    for node in told {
        let (mut files, mut restarts) = (BTreeSet::new(), BTreeSet::new());
        for rest in ClusterRest::ALL {
            let (before, after) = (nodes.at(steps::rest_before(rest)), nodes.at(rest));
            let paths = after.changed_paths(before, node);
            if !paths.is_empty() {
                restarts.extend(after.restarts(node, &paths));
                files.extend(paths.iter().map(|path| after.shown_path(node, path)));
            }
        }
        files.remove(VARIABLES);
        let group = from.groups.find_node(node).map(|(group, _)| &group.name);
        let update = NodeUpdatePreview {
            role: group.cloned().unwrap_or_default(),
            nodes: vec![(*node).clone()],
            files: files.into_iter().collect(),
            restarts: restarts.into_iter().collect(),
        };
        let is_same = |other: &&mut NodeUpdatePreview| {
            (&other.role, &other.files, &other.restarts)
                == (&update.role, &update.files, &update.restarts)
        };
        match updates.iter_mut().find(is_same) {
            Some(same) => same.nodes.push((*node).clone()),
            None => updates.push(update),
        }
    }
    updates
}

/// What a planned change would do.
pub(crate) fn describe_change(
    record: &ClusterRecord,
    from: &ClusterSpec,
    planned: PlannedChange,
) -> ChangePreview {
    let PlannedChange {
        change,
        plan,
        nodes: at_rest,
        stack,
        needs,
    } = planned;
    let (before, after) = (from.node_names(), change.to.node_names());
    let is_told = |node: &String| change.steps.iter().any(|step| step.told.contains(node));
    let there = |nodes: &[String], others: &[String], keep: bool| -> Vec<String> {
        let nodes = nodes.iter().filter(|node| others.contains(node) == keep);
        nodes.cloned().collect()
    };
    let stay = there(&before, &after, true);
    let told: Vec<&String> = stay.iter().filter(|node| is_told(node)).collect();
    let last = plan.steps.last().map(|step| step.template());
    let step = |step: &crate::cluster::RolloutStep| StepPreview {
        title: step.title.clone(),
        nodes: step.told.clone(),
        stages: step.stages.clone(),
    };
    ChangePreview {
        name: record.name.clone(),
        attributes: differences(&attributes::render(from), &attributes::render(&change.to)),
        added: there(&after, &before, false),
        removed: there(&before, &after, false),
        notified: preview_updates(from, &at_rest, &told),
        untouched: stay.iter().filter(|node| !is_told(node)).cloned().collect(),
        steps: change.steps.iter().map(step).collect(),
        resources: template_diff::compare_templates(&stack, &last.unwrap_or_default()),
        quotas: some_needs(needs),
        former_runs: None,
    }
}

/// What a deploy would make.
pub(crate) async fn preview_deploy(
    context: &Context,
    caller: &Caller,
    name: &str,
    given: ClientAttributes,
) -> Result<DeployPreview, OrchestratorError> {
    let there = match find_here(context, caller, name).await {
        Ok(handle) => Some(live_record(context, &handle, name).await?),
        Err(OrchestratorError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let caller = &there
        .as_ref()
        .map_or_else(|| caller.clone(), |record| caller.at(record));
    let region = caller.region()?;
    let before = there.as_ref().map(|record| record.attributes.clone());
    let merged = merge_attributes::merge_attributes(
        &before.unwrap_or_default(),
        given,
        &context.state.limits,
    )?;
    match &there {
        None => create::check_room(context, caller).await?,
        Some(record) if record.phase() != LifecyclePhase::Initialised => {
            return Err(deploy::deployed_already(record));
        }
        Some(record) if matches!(record.lifecycle, Lifecycle::Deploying { .. }) => {
            context.reject_own_changes(record, &merged)?;
        }
        Some(_) => {}
    }
    let (spec, chain) = context.parse_deploy(&caller.session, name, &merged).await?;
    let made = plan_asked(context.planner.as_ref(), &caller.session, &spec, &chain).await?;
    let mut record = create::new_record(context, caller, region, name, merged.clone());
    let intent = deploy::build_intent(caller, region, &merged, &made.spec, &made.planned);
    record
        .record_intent(&intent)
        .map_err(|refused| OrchestratorError::internal(refused.to_string()))?;
    let request = stack_request::build_stack_request(&record, &context.host, &made.planned);
    let too_large = request_size::check_deploy(&record, &request);
    if !too_large.is_empty() {
        return Err(OrchestratorError::Invalid(too_large));
    }
    caller.session.refuse_without_trust()?;
    caller.session.validate(&request).await?;
    let shape = RunShape::new(RunKind::Create, &made.spec);
    let former_runs = former_runs(&context.state, caller.project_id(), &shape).await;
    Ok(DeployPreview {
        former_runs,
        ..describe_deploy(context, &record, made, request.timeout_mins)
    })
}

fn describe_deploy(
    context: &Context,
    record: &ClusterRecord,
    made: PlannedDeploy,
    heat_timeout_min: u32,
) -> DeployPreview {
    let PlannedDeploy {
        spec,
        planned,
        flavors,
        needs,
        ..
    } = made;
    let descriptors = context.planner.descriptors();
    let framework = |choice: &crate::cluster::spec::FrameworkChoice| {
        let about = descriptors.iter().find(|about| about.name == choice.name);
        let version = || about.map_or("", |about| about.default_version());
        (
            about.map_or(&choice.name, |about| &about.title).to_owned(),
            choice
                .version
                .clone()
                .unwrap_or_else(|| version().to_owned()),
        )
    };
    let nodes_of = |group: &GroupSpec| -> Vec<NodePreview> {
        let flavor = flavors.of_group(&group.name);
        let node = |name: String| NodePreview {
            name,
            flavor: flavor.clone(),
        };
        group.node_names().into_iter().map(node).collect()
    };
    let resources = template_diff::count_resources(&planned.template);
    DeployPreview {
        name: spec.name.clone(),
        project: record.project_name.clone(),
        region: record.region.clone(),
        frameworks: spec.frameworks.iter().map(framework).collect(),
        nodes: spec.groups.iter().flat_map(nodes_of).collect(),
        image: spec.image.clone().unwrap_or_default(),
        group_images: spec
            .groups
            .iter()
            .filter_map(|group| Some((group.name.clone(), group.image.clone()?)))
            .collect(),
        cidr: spec.cidr.clone(),
        external_network: spec.external_network.clone(),
        floating_ips: resources
            .get("OS::Neutron::FloatingIP")
            .copied()
            .unwrap_or(0),
        settings: own_settings(context, &spec),
        resources,
        quotas: some_needs(needs),
        timeout_s: spec.timeout_s,
        heat_timeout_min,
        former_runs: None,
    }
}

/// Parameters that are not what their plugins' schemas say: value and default.
fn own_settings(context: &Context, spec: &ClusterSpec) -> Vec<AttributeChange> {
    let mut settings = Vec::new();
    for descriptor in context.planner.descriptors() {
        let Some(raw) = spec.settings.get(&descriptor.name) else {
            continue;
        };
        let typed = typed_settings::type_settings(descriptor, raw, None).unwrap_or_default();
        for name in raw.keys() {
            let default = descriptor
                .parameters
                .pointer(&format!("/properties/{name}/default"));
            let value = typed.get(name);
            if value == default {
                continue;
            }
            settings.push(AttributeChange {
                name: format!("{}.{name}", descriptor.name),
                before: default.map(plain_text),
                after: value.map(plain_text),
            });
        }
    }
    settings
}

fn some_needs(mut needs: Vec<QuotaNeed>) -> Vec<QuotaNeed> {
    needs.retain(|need| need.needed > 0);
    needs
}

fn differences(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<AttributeChange> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().map(|name| AttributeChange {
        name: name
            .strip_prefix(attributes::PREFIX)
            .unwrap_or(name)
            .to_owned(),
        before: before.get(name).cloned(),
        after: after.get(name).cloned(),
    });
    changes
        .filter(|change| change.before != change.after)
        .collect()
}
