//! What Heat shows of a stack, folded into what we remember and said in words. Pure: no I/O, no
//! clock.

use serde_json::{Map, Value};

use crate::{
    cluster::{
        ClusterState, Lifecycle,
        change::ChangeReport,
        component::ComponentPlacement,
        health::{self, ServiceHealth},
        progress::{self, StageOutcome, StageReport},
    },
    openstack::{HeatStack, StackEvent},
    store::{ClusterRecord, ObservedState},
};

/// Lines that are kept of one cluster: those of the most nodes, with eight stages each.
pub const MAX_REPORTS: usize = 2_048;

/// The handle that nodes report progress to (templates/node/README.md).
pub const PROGRESS_HANDLE: &str = "progress_handle";
/// The handle that each node signals once, when it is verified or has failed.
pub const READY_HANDLE: &str = "ready_handle";

/// How the signal ends that a host sends in the place of a node that it has taken away.
pub const TAKEN_AWAY: &str = "taken away";

/// What we know after Heat showed the stack and the events after `seen.marker`.
pub fn fold_events(
    seen: &ObservedState,
    stack: &HeatStack,
    events: &[StackEvent],
) -> ObservedState {
    let mut seen = seen.clone();
    seen.status = Some(stack.status.clone());
    seen.reason.clone_from(&stack.status_reason);
    seen.deleted_externally = stack.status == "DELETE_COMPLETE";
    seen.outputs = stack
        .outputs
        .iter()
        .filter(|output| !output.value.is_null())
        .map(|o| (o.key.clone(), o.value.clone()))
        .collect();
    for event in events {
        fold_event(&mut seen, stack, event);
        seen.marker = Some(event.id.clone());
    }
    seen
}

/// What we know after Heat showed the stack's status alone.
pub(crate) fn fold_status(seen: &ObservedState, stack: &HeatStack) -> ObservedState {
    ObservedState {
        status: Some(stack.status.clone()),
        reason: stack.status_reason.clone(),
        deleted_externally: stack.status == "DELETE_COMPLETE",
        ..seen.clone()
    }
}

/// Whether somebody else deletes the stack of a cluster that is to live, has done so, or tried to.
pub(crate) fn is_deleted_outside(seen: &ObservedState) -> bool {
    let status = seen.status.as_deref();
    seen.deleted_externally || status.is_some_and(|status| status.starts_with("DELETE_"))
}

/// What we know after Heat said that the stack is not there.
pub fn mark_gone(seen: &ObservedState) -> ObservedState {
    ObservedState {
        deleted_externally: true,
        status: Some("DELETE_COMPLETE".to_owned()),
        outputs: std::collections::BTreeMap::new(),
        ..seen.clone()
    }
}

/// What we know once the handle was read that nodes tell their health by. `record` says which nodes
/// have which components.
pub(crate) fn fold_health(
    seen: &ObservedState,
    record: &ClusterRecord,
    signals: &Map<String, Value>,
) -> ObservedState {
    let placements: Vec<_> = placements(record).collect();
    let has_component = |node: &str, component: &str| {
        let mut of_name = placements.iter().filter(|one| one.component == component);
        of_name.any(|placement| placement.has(node))
    };
    ObservedState {
        health: health::read_handle(signals, &seen.health, has_component),
        is_health_read: true,
        ..seen.clone()
    }
}

/// Whether its nodes tell of their health: those of plugins with components do.
pub(crate) fn tells_health(record: &ClusterRecord) -> bool {
    placements(record).next().is_some()
}

/// Where components are, and where they are to be once the change under way is done.
fn placements(record: &ClusterRecord) -> impl Iterator<Item = &ComponentPlacement> {
    let to = record.change().map(|change| &change.to);
    let specs = record.spec.iter().chain(to);
    let pins = specs.filter_map(|spec| spec.pins.as_deref());
    pins.flat_map(|pins| &pins.placements)
}

/// The health of each component that a node has said something of, in the order in which they are
/// set up. Of what is gone none.
pub fn services(record: &ClusterRecord) -> Vec<ServiceHealth> {
    if record.observed.deleted_externally {
        return Vec::new();
    }
    let groups = record.spec.as_ref().map(|spec| spec.groups.clone());
    let groups = groups.unwrap_or_default();
    let mut members: Vec<(&str, Vec<String>)> = Vec::new();
    for placement in placements(record) {
        let nodes = placement.members.iter().map(|member| member.node.clone());
        match members
            .iter_mut()
            .find(|(name, _)| *name == placement.component)
        {
            Some((_, known)) => known.extend(nodes),
            None => members.push((&placement.component, nodes.collect())),
        }
    }
    let service = |(component, mut nodes): (&str, Vec<String>)| {
        nodes.sort_by_cached_key(|node| progress::node_order(node, &groups));
        nodes.dedup();
        ServiceHealth::of_component(component, &nodes, &record.observed.health)
    };
    members.into_iter().filter_map(service).collect()
}

fn fold_event(seen: &mut ObservedState, stack: &HeatStack, event: &StackEvent) {
    let signal = event
        .reason
        .strip_prefix("Signal: status:")
        .and_then(|rest| rest.split_once(" reason:"));
    match (event.resource.as_str(), signal) {
        // All of it stands in the handle.
        (PROGRESS_HANDLE, Some((_, line))) if health::is_health_line(line) => {
            seen.is_health_read = false;
        }
        (PROGRESS_HANDLE, Some((_, line))) => match ChangeReport::parse(line) {
            Some((node, answer)) if seen.answers.len() < MAX_REPORTS => {
                drop(seen.answers.insert(node, answer))
            }
            Some(_) => {}
            None => fold_report(seen, StageReport::parse(line).told_at(event.unix_s())),
        },
        (READY_HANDLE, Some(("SUCCESS", line))) => {
            let node = line.split(' ').next().unwrap_or_default();
            if progress::is_node(node)
                && !line.trim_end().ends_with(TAKEN_AWAY)
                && !seen.ready.iter().any(|ready| ready == node)
                && seen.ready.len() < MAX_REPORTS
            {
                seen.ready.push(node.to_owned());
                if line.trim_end().ends_with("ready, no metadata service") {
                    seen.nodes_without_metadata.push(node.to_owned());
                }
            }
        }
        (READY_HANDLE, Some((_, line))) => {
            seen.failure_signal
                .get_or_insert_with(|| line.trim().to_owned());
        }
        (name, None) if name == stack.name && event.status.ends_with("_IN_PROGRESS") => {
            (seen.failure_signal, seen.failed) = (None, None);
        }
        (name, None) if name != stack.name && is_cause(event) => {
            seen.failed.get_or_insert_with(|| {
                (name.to_owned(), strip_heat_prefix(&event.reason).to_owned())
            });
        }
        _ => {}
    }
}

/// Whether a resource failed by itself: those that Heat stopped because another one failed say so,
/// and a wait condition tells of nodes.
fn is_cause(event: &StackEvent) -> bool {
    let follows = [
        "CREATE aborted",
        "UPDATE aborted",
        "DELETE aborted",
        "WaitCondition",
    ];
    event.status.ends_with("_FAILED")
        && !follows.iter().any(|start| event.reason.starts_with(start))
}

/// Whether the newer line is of the same run of its stage: one that has begun anew, or ends another
/// run than the one that is known, has a beginning of its own.
fn goes_on(older: &StageReport, newer: &StageReport) -> bool {
    let is_open = matches!(older.outcome, StageOutcome::Began | StageOutcome::Note);
    is_open && newer.outcome != StageOutcome::Began
}

/// A newer line of the same stage takes the older one's place, at the end.
fn fold_report(seen: &mut ObservedState, mut report: StageReport) {
    let older = seen.reports.iter().find(|older| older.same_stage(&report));
    if let Some(older) = older.filter(|older| goes_on(older, &report)) {
        // Events have whole seconds, and may come late: what the node has measured counts too.
        report.began_s = older.began_s.into_iter().chain(report.began_s).min();
    }
    seen.reports.retain(|older| {
        !older.same_stage(&report)
            || older.outcome == StageOutcome::Failed && report.outcome != StageOutcome::Failed
    });
    if seen.reports.len() < MAX_REPORTS {
        seen.reports.push(report);
    }
}

/// Whether something is left to do that no request waits for.
pub(crate) fn needs_reconcile(record: &ClusterRecord) -> bool {
    record.needs_reconcile()
}

/// Where the cluster stands.
pub fn cluster_state(record: &ClusterRecord) -> ClusterState {
    if let Some(why) = record.blocked_reason() {
        return ClusterState::Failed(why.to_owned());
    }
    let seen = &record.observed;
    match (&record.lifecycle, seen.status.as_deref()) {
        (Lifecycle::Requested, _) => ClusterState::Requested,
        (Lifecycle::Deleting { .. }, Some("DELETE_COMPLETE")) => ClusterState::Deleted,
        (Lifecycle::Deleting { .. }, _) => ClusterState::Deleting,
        (_, None) => ClusterState::Planned,
        _ if record.change().is_some() && !seen.deleted_externally => ClusterState::Updating,
        (_, Some(status)) => state_of_status(status, record),
    }
}

fn state_of_status(status: &str, record: &ClusterRecord) -> ClusterState {
    let (action, progress) = status.split_once('_').unwrap_or((status, ""));
    match (action, progress) {
        ("INIT", _) | ("CREATE" | "ADOPT", "IN_PROGRESS") => ClusterState::Deploying,
        ("DELETE", "COMPLETE") => ClusterState::Deleted,
        ("DELETE", "IN_PROGRESS") => ClusterState::Deleting,
        ("SUSPEND", "COMPLETE") => ClusterState::Suspended,
        (_, "COMPLETE") => ClusterState::Active,
        (_, "IN_PROGRESS") => ClusterState::Updating,
        _ => ClusterState::Failed(
            describe_failure(record).unwrap_or_else(|| format!("heat says {status}")),
        ),
    }
}

/// Heat's status as clients are shown it: between the steps of a change Heat is at rest, and the
/// change is not.
pub fn shown_status(record: &ClusterRecord) -> Option<String> {
    let changing = record.change().is_some() && !record.observed.deleted_externally;
    match (changing, record.blocked_reason()) {
        (true, None) => Some("UPDATE_IN_PROGRESS".to_owned()),
        (true, Some(_)) => Some("UPDATE_FAILED".to_owned()),
        (false, _) => record.observed.status.clone(),
    }
}

/// What is to be said of the change that is under way, or of the last one where it was taken back.
pub fn describe_change(record: &ClusterRecord) -> Option<String> {
    let Some(change) = record.change() else {
        return record
            .rollback_reason()
            .map(|why| format!("failed, and the cluster is as it was before: {why}"));
    };
    let title = change.step().map_or("ending", |step| &step.title);
    Some(match &change.rolling_back_because {
        Some(why) => format!("{title}: {why}"),
        None => format!(
            "step {} of {}: {title}",
            (change.at + 1).min(change.steps.len()),
            change.steps.len()
        ),
    })
}

/// Why it failed, in words: the node, the stage and the reason where they are known, else Heat's.
/// None while nothing has failed.
pub fn describe_failure(record: &ClusterRecord) -> Option<String> {
    let seen = &record.observed;
    if seen.deleted_externally && record.is_live() {
        return Some("the stack was deleted in the cloud, not by stampede; delete the cluster and ask for it again".to_owned());
    }
    if let Some(line) = &seen.failure_signal {
        return Some(by_node(line));
    }
    if !seen
        .status
        .as_deref()
        .is_some_and(|status| status.ends_with("_FAILED"))
    {
        return None;
    }
    let lines = seen
        .reports
        .iter()
        .find(|report| report.outcome == StageOutcome::Failed);
    let reported = lines.map(|report| format!("{}: {}", report.node, report.text));
    let resource = || {
        seen.failed
            .as_ref()
            .map(|(resource, reason)| format!("{}: {reason}", describe_resource(resource)))
    };
    let late = || describe_timeout(record, &seen.reason);
    let heat = || (!seen.reason.is_empty()).then(|| strip_heat_prefix(&seen.reason).to_owned());
    let told = reported.or_else(resource).or_else(late).or_else(heat)?;
    Some(match remedy(&told) {
        Some(remedy) => format!("{told} ({remedy})"),
        None => told,
    })
}

/// What to set so that what a cloud has refused does not happen again; by the words of Nova and
/// Cinder.
fn remedy(told: &str) -> Option<&'static str> {
    const REMEDIES: [(&str, &str); 4] = [
        (
            "are not in the same availability_zone",
            "set cluster.availability_zone, or that of the group, and hadoop.data_volume_zone to zones that belong together",
        ),
        (
            "availability zone",
            "set cluster.availability_zone, that of the group, or hadoop.data_volume_zone to one that the cloud has",
        ),
        (
            "Only volume-backed servers are allowed",
            "set cluster.root_volume_gib, so that nodes boot from volumes",
        ),
        (
            "Flavor's disk is too small",
            "set cluster.root_volume_gib, or take a flavor with a larger disk",
        ),
    ];
    let is_said = |(words, _): &&(&str, &str)| told.to_lowercase().contains(&words.to_lowercase());
    REMEDIES.iter().find(is_said).map(|(_, remedy)| *remedy)
}

/// `worker-1 hadoop setup line 42: ...` to `worker-1: hadoop setup line 42: ...`.
fn by_node(line: &str) -> String {
    match line.split_once(' ') {
        Some((node, rest)) if progress::is_node(node) => format!("{node}: {rest}"),
        _ => line.to_owned(),
    }
}

/// Heat's words without `Resource CREATE failed: ResourceInError: resources.worker_1_server: ` in
/// front of them.
fn strip_heat_prefix(reason: &str) -> &str {
    match reason
        .split_once("resources.")
        .and_then(|(_, rest)| rest.split_once(": "))
    {
        Some((path, rest)) if !path.contains(' ') => rest,
        _ => reason,
    }
}

/// `worker_1_server` to `worker-1: the server`; other resources by their names.
fn describe_resource(resource: &str) -> String {
    for (suffix, what) in [("_server", "the server"), ("_port", "the port")] {
        if let Some(node) = resource.strip_suffix(suffix) {
            return format!("{}: {what}", node.replace('_', "-"));
        }
    }
    resource.to_owned()
}

/// `... WaitConditionTimeout: resources.ready: 2 of 3 received - ...` with the nodes that are
/// missing and what they said last.
fn describe_timeout(record: &ClusterRecord, reason: &str) -> Option<String> {
    let (_, said) = reason.split_once("WaitConditionTimeout")?;
    let count = strip_heat_prefix(said)
        .split(" received")
        .next()
        .unwrap_or_default();
    let spec = record.spec.as_ref()?;
    let missing: Vec<String> = spec
        .node_names()
        .into_iter()
        .filter(|node| !record.observed.ready.contains(node))
        .map(|node| last_heard(record, &node))
        .collect();
    let shown = missing
        .iter()
        .take(3)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    let more = missing.len().saturating_sub(3);
    let more = if more == 0 {
        String::new()
    } else {
        format!("; and {more} more")
    };
    Some(format!(
        "only {count} nodes were ready within {} s; {shown}{more}",
        spec.timeout_s
    ))
}

fn last_heard(record: &ClusterRecord, node: &str) -> String {
    match record
        .observed
        .reports
        .iter()
        .rfind(|report| report.node == node)
    {
        Some(report) => format!("{node} said last: {}", report.text),
        None => format!(
            "{node} never said a word: look at its console for whether it booted and reached the signal's address"
        ),
    }
}

/// Progress as people read it: group by group, in each by the nodes' numbers; within a node the
/// newest last.
pub fn progress(record: &ClusterRecord) -> Vec<StageReport> {
    let groups = record.spec.as_ref().map(|spec| spec.groups.clone());
    let groups = groups.unwrap_or_default();
    let mut reports = record.observed.reports.clone();
    reports.sort_by_cached_key(|report| progress::node_order(&report.node, &groups));
    reports
}

#[cfg(test)]
#[path = "status_tests.rs"]
pub(crate) mod tests_support;
