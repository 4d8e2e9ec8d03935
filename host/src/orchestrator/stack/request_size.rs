//! Whether what Heat will be given fits into one request, the record that the stack carries
//! included. It is counted for the largest step of a change and, before anything is made, for the
//! changes that are to come: a cluster that deploys can be changed, and changed back. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    bundle::sizes::{MAX_REQUEST_BYTES, MAX_TEMPLATE_BYTES},
    cluster::{ClusterChange, ClusterRest, ClusterSpec, MemberNews, NodeIds, Problem, RolloutStep},
    openstack::CreateStack,
    orchestrator::planning::turns::{TurnNode, take_turns},
    orchestrator::stack::{snapshot::StackSnapshot, stack_request, step_plan::ChangePlan},
    store::ClusterRecord,
};

/// What is left for the words of a rollback, which the stack carries, too.
const ROLLBACK_WORDS_BYTES: usize = 16 * 1024;
/// What is left for keys and quotes around what is measured.
const FRAME_BYTES: usize = 1024;
/// What each node's metadata gains when it is notified of a change.
const NODE_NEWS_BYTES: usize = 200;
/// What is left in a template for what nodes are notified of; an update that needs more is measured
/// and refused by itself.
const NEWS_BYTES: usize = 32 * 1024;
/// Steps of a change that are no turns: who comes, is let go, goes, and who hears of it.
const MORE_STEPS: usize = 8;

/// Whether a cluster can be created, and changed later to something of its size.
pub(crate) fn check_deploy(intended: &ClusterRecord, request: &CreateStack) -> Vec<Problem> {
    let Some(spec) = &intended.spec else {
        return Vec::new();
    };
    let nodes = spec.node_names();
    let longest = nodes.iter().max_by_key(|node| node.len()).cloned();
    let longest = longest.unwrap_or_default();
    let mut later = intended.clone();
    let step = |(at, told): (usize, Vec<String>)| RolloutStep {
        title: format!("new settings on {longest}, {longest}, {longest} and 100 more"),
        generation: u32::try_from(at)
            .unwrap_or(u32::MAX)
            .saturating_add(1_000_000),
        nodes: spec.node_ids(),
        stack: ClusterRest::Settled,
        files: ClusterRest::Settled,
        told,
        stages: vec!["setup".to_owned(), "ready".to_owned()],
        components: Vec::new(),
        news: Some(MemberNews::Leaving(ClusterRest::Joined, ClusterRest::Done)),
        leaving: Vec::new(),
        is_postponed: false,
        brings: None,
        may_be_dead: false,
        digest: Some("0".repeat(64)),
    };
    let mut told = all_turns(spec);
    told.extend(std::iter::repeat_n(vec![longest.clone()], MORE_STEPS));
    let pins = spec.pins.as_deref();
    let change = ClusterChange {
        attributes: intended.attributes.clone(),
        to: spec.clone(),
        installed: intended.notified.installed.clone(),
        endpoints: intended.endpoints.clone(),
        steps: told.into_iter().enumerate().map(step).collect(),
        at: 0,
        sent_s: None,
        notified_nodes: Vec::new(),
        added: NodeIds::new(),
        rolling_back_because: None,
        resolved: pins.map(|pins| pins.flavors.clone()),
        upgrade: Some(crate::cluster::limits::MAX_GENERATION),
        replaced: BTreeMap::new(),
    };
    let began = later
        .adopt_stack("00000000-0000-0000-0000-000000000000", "CREATE_COMPLETE")
        .and_then(|()| later.begin_change(&change, ""));
    if began.is_err() {
        return Vec::new();
    }
    let template =
        request.template.to_string().len() + NEWS_BYTES + NODE_NEWS_BYTES * (nodes.len() + 1);
    let carried = carried_bytes(&later, &change);
    check(
        "the cluster with a change to it",
        template,
        files_bytes(&request.files),
        carried,
    )
}

/// The turns of a change by which everything restarts on all nodes.
fn all_turns(spec: &ClusterSpec) -> Vec<Vec<String>> {
    let placements = spec.pins.as_deref().map(|pins| &pins.placements);
    let placements = placements.map_or(&[][..], Vec::as_slice);
    let node = |name: String| {
        let own = placements.iter().filter(|one| one.has(&name));
        let restarts = own.map(|one| one.component.clone()).collect();
        TurnNode { name, restarts }
    };
    let nodes = spec.node_names().into_iter().map(node);
    take_turns(nodes.collect(), placements)
}

/// Whether every step of a change can be sent, and the steps back.
pub(crate) fn check_change(
    record: &ClusterRecord,
    change: &ClusterChange,
    plan: &ChangePlan,
) -> Vec<Problem> {
    let mut begun = record.clone();
    if begun.begin_change(change, "").is_err() {
        return Vec::new();
    }
    let carried = carried_bytes(&begun, change);
    let steps = plan.steps.iter();
    let sizes = steps.map(|step| (step.template_bytes(), files_bytes(&step.files)));
    let largest = sizes.max_by_key(|(template, files)| template + files);
    let (template, files) = largest.unwrap_or_default();
    check("this change", template, files, carried)
}

/// What the stack carries once every step of the change was sent.
fn carried_bytes(begun: &ClusterRecord, change: &ClusterChange) -> usize {
    let sent = change.steps.iter().fold(begun.clone(), |record, step| {
        record.with_step_sent(step, u64::MAX)
    });
    let carried = serde_json::to_string(&StackSnapshot::from_record(&sent)).unwrap_or_default();
    let tags: usize = stack_request::stack_tags(begun, "")
        .iter()
        .map(String::len)
        .sum();
    // A text in JSON, as it travels.
    Value::String(carried).to_string().len() + tags + ROLLBACK_WORDS_BYTES + FRAME_BYTES
}

fn files_bytes(files: &BTreeMap<String, String>) -> usize {
    serde_json::to_string(files).map_or(usize::MAX / 4, |text| text.len())
}

fn check(what: &str, template: usize, files: usize, carried: usize) -> Vec<Problem> {
    let hint = "shorter attributes, fewer of them, or fewer nodes";
    let found = [
        ("a template", template, MAX_TEMPLATE_BYTES),
        (
            "a request to Heat",
            template.saturating_add(files).saturating_add(carried),
            MAX_REQUEST_BYTES,
        ),
    ];
    let too_large = found.into_iter().filter(|(_, is, most)| is > most);
    too_large
        .map(|(kind, is, most)| {
            let message = format!("{what} takes {kind} of {is} bytes, at most {most} are taken");
            Problem::new("attributes", message, hint)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_a_template_are_taken_up_to_heats_limits_and_not_above() {
        let told = |template, files, carried| check("this change", template, files, carried).len();
        assert_eq!(told(MAX_TEMPLATE_BYTES, 0, 0), 0);
        assert_eq!(told(MAX_TEMPLATE_BYTES + 1, 0, 0), 1);
        assert_eq!(told(10, 10, MAX_REQUEST_BYTES - 20), 0);
        assert_eq!(told(10, 10, MAX_REQUEST_BYTES - 19), 1);
    }
}
