//! What Heat shows, as clusters' users read it.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::*;
use crate::{
    cluster::{
        ClusterSpec,
        lifecycle::{DeleteTarget, RolloutStatus},
        spec::FrameworkChoice,
    },
    openstack::StackOutput,
    orchestrator::planning::resolve::tests_support::spec,
    store::{RecordFields, RecordIdentity},
};

pub(crate) fn record() -> ClusterRecord {
    let frameworks = vec![FrameworkChoice {
        name: "hadoop".into(),
        version: None,
    }];
    let spec = ClusterSpec {
        frameworks,
        ..spec()
    };
    let identity = RecordIdentity {
        id: "c".into(),
        project_id: "p".into(),
        project_name: "p".into(),
        name: "demo".into(),
        stack_name: "stampede-demo-1".into(),
        region: "RegionOne".into(),
    };
    let record = ClusterRecord::requested(identity, BTreeMap::new(), 0);
    ClusterRecord::for_tests(RecordFields {
        spec: Some(spec),
        lifecycle: Lifecycle::Running {
            stack_id: "s".into(),
            rollout: RolloutStatus::AtRest,
        },
        ..RecordFields::clone(&record)
    })
}

fn stack(status: &str, reason: &str) -> HeatStack {
    HeatStack {
        id: "s".into(),
        name: "stampede-demo-1".into(),
        status: status.into(),
        status_reason: reason.into(),
        outputs: vec![],
        parameters: Map::new(),
        tags: vec![],
        description: String::new(),
        created: None,
        updated: None,
    }
}

fn event(id: usize, resource: &str, status: &str, reason: &str) -> StackEvent {
    StackEvent {
        id: id.to_string(),
        resource: resource.into(),
        status: status.into(),
        reason: reason.into(),
        time: String::new(),
    }
}

fn events(of: &[(&str, &str, &str)]) -> Vec<StackEvent> {
    of.iter()
        .enumerate()
        .map(|(id, (resource, status, reason))| event(id, resource, status, reason))
        .collect()
}

fn after(stack: &HeatStack, of: &[(&str, &str, &str)]) -> ClusterRecord {
    let mut record = record();
    record
        .fold_observation(|seen| fold_events(seen, stack, &events(of)))
        .unwrap();
    record
}

#[test]
fn every_status_of_heat_has_its_state() {
    let cases = [
        ("INIT_COMPLETE", "deploying"),
        ("CREATE_IN_PROGRESS", "deploying"),
        ("CREATE_COMPLETE", "active"),
        ("CREATE_FAILED", "failed"),
        ("UPDATE_IN_PROGRESS", "updating"),
        ("UPDATE_COMPLETE", "active"),
        ("UPDATE_FAILED", "failed"),
        ("ROLLBACK_IN_PROGRESS", "updating"),
        ("SUSPEND_IN_PROGRESS", "updating"),
        ("SUSPEND_COMPLETE", "suspended"),
        ("RESUME_COMPLETE", "active"),
        ("CHECK_COMPLETE", "active"),
        ("CHECK_FAILED", "failed"),
        ("SNAPSHOT_COMPLETE", "active"),
        ("DELETE_IN_PROGRESS", "deleting"),
        ("DELETE_COMPLETE", "deleted"),
        ("DELETE_FAILED", "failed"),
        ("NEW_STRANGENESS", "failed"),
    ];
    for (status, wanted) in cases {
        assert_eq!(
            cluster_state(&after(&stack(status, ""), &[])).as_str(),
            wanted,
            "{status}"
        );
    }
}

#[test]
fn what_is_wanted_shows_before_heat_has_answered() {
    let with = |lifecycle, status: Option<&str>| {
        cluster_state(&ClusterRecord::for_tests(RecordFields {
            lifecycle,
            observed: ObservedState {
                status: status.map(str::to_owned),
                ..ObservedState::default()
            },
            ..RecordFields::clone(&record())
        }))
    };
    let deploying = Lifecycle::Deploying {
        creates: 0,
        create_sent_s: Some(1),
        blocked_reason: None,
    };
    let deleting = Lifecycle::Deleting {
        origin: None,
        target: DeleteTarget::Id {
            stack_id: "s".into(),
        },
        deletes: 1,
        blocked_reason: None,
    };
    assert_eq!(with(Lifecycle::Requested, None), ClusterState::Requested);
    assert_eq!(with(deploying, None), ClusterState::Planned);
    assert_eq!(
        with(deleting.clone(), Some("CREATE_COMPLETE")),
        ClusterState::Deleting
    );
    assert_eq!(
        with(deleting, Some("DELETE_COMPLETE")),
        ClusterState::Deleted
    );
}

#[test]
fn progress_is_the_latest_line_of_each_stage_by_node() {
    let line = |text| ("progress_handle", "SIGNAL_COMPLETE", text);
    let record = after(
        &stack("CREATE_IN_PROGRESS", ""),
        &[
            line("Signal: status:SUCCESS reason:worker-10 hadoop setup began"),
            line("Signal: status:SUCCESS reason:worker-2 hadoop setup began"),
            line("Signal: status:SUCCESS reason:worker-2 hadoop setup done 34 s"),
            line("Signal: status:SUCCESS reason:worker-2 hadoop ready detail waits for the master"),
            line("Signal: status:SUCCESS reason:master hadoop setup done 30 s"),
            line("Signal: status:SUCCESS reason:not: a line of ours"),
        ],
    );
    let shown: Vec<String> = progress(&record)
        .iter()
        .map(|report| format!("{}|{}", report.node, report.text))
        .collect();
    let wanted = [
        "master|hadoop setup done, 30 s",
        "worker-2|hadoop setup done, 34 s",
        "worker-2|hadoop ready: waits for the master",
        "worker-10|hadoop setup began",
        "|not: a line of ours",
    ];
    assert_eq!(shown, wanted);
    assert_eq!(
        record.observed.marker.as_deref(),
        Some("5"),
        "the next question goes on after the last event"
    );
}

#[test]
fn lines_are_kept_up_to_the_limit() {
    let many = |count: usize| {
        let reason = |n| format!("Signal: status:SUCCESS reason:worker-{n} hadoop setup began");
        let events: Vec<StackEvent> = (0..count)
            .map(|n| event(n, "progress_handle", "SIGNAL_COMPLETE", &reason(n)))
            .collect();
        fold_events(
            &ObservedState::default(),
            &stack("CREATE_IN_PROGRESS", ""),
            &events,
        )
        .reports
        .len()
    };
    assert_eq!(
        (many(MAX_REPORTS), many(MAX_REPORTS + 1)),
        (MAX_REPORTS, MAX_REPORTS)
    );
}

#[test]
fn a_stage_begins_with_its_first_line_and_anew_with_the_next_run() {
    let mut record = record();
    let mut tell = |id: usize, time: &str, line: &str| {
        let reason = format!("Signal: status:SUCCESS reason:{line}");
        let told = StackEvent {
            time: time.into(),
            ..event(id, PROGRESS_HANDLE, "SIGNAL_COMPLETE", &reason)
        };
        record
            .fold_observation(|seen| fold_events(seen, &stack("CREATE_IN_PROGRESS", ""), &[told]))
            .unwrap();
        let last = record.observed.reports.last().unwrap();
        (last.began_s, last.told_s)
    };
    let times = |from: u64, to: u64| (Some(1_700_000_000 + from), Some(1_700_000_000 + to));
    assert_eq!(
        tell(0, "2023-11-14T22:13:20Z", "master hadoop setup began"),
        times(0, 0)
    );
    assert_eq!(
        tell(1, "2023-11-14T22:13:30Z", "master hadoop setup detail half"),
        times(0, 10)
    );
    assert_eq!(
        tell(2, "2023-11-14T22:13:40Z", "master hadoop setup done 19 s"),
        times(0, 20)
    );
    assert_eq!(
        tell(3, "2023-11-14T22:14:20Z", "master hadoop setup done 5 s"),
        times(55, 60),
        "of a run whose beginning was not heard"
    );
    assert_eq!(
        tell(4, "no time", "master hadoop ready done 5 s"),
        (None, None)
    );
}

#[test]
fn a_nodes_failure_is_told_by_node_stage_and_reason_while_heat_still_works() {
    let failed = "Signal: status:FAILURE reason:worker-1 hadoop setup line 42: curl -f http://mirror/x: (22) 404";
    let of = [
        (
            "ready_handle",
            "SIGNAL_COMPLETE",
            "Signal: status:SUCCESS reason:master ready",
        ),
        ("ready_handle", "SIGNAL_COMPLETE", failed),
        (
            "ready_handle",
            "SIGNAL_COMPLETE",
            "Signal: status:FAILURE reason:worker-2 hadoop setup line 1: later",
        ),
        (
            "ready",
            "CREATE_FAILED",
            "WaitConditionFailure: resources.ready: worker-1 hadoop setup line 42: ...",
        ),
        (
            "worker_2_server",
            "CREATE_FAILED",
            "CREATE aborted (Task create from HeatServer)",
        ),
    ];
    let wanted = "worker-1: hadoop setup line 42: curl -f http://mirror/x: (22) 404";
    let early = after(&stack("CREATE_IN_PROGRESS", ""), &of[..2]);
    assert_eq!(
        (describe_failure(&early).as_deref(), cluster_state(&early)),
        (Some(wanted), ClusterState::Deploying)
    );
    let heat = "Resource CREATE failed: WaitConditionFailure: resources.ready: worker-1 hadoop ...";
    let late = after(&stack("CREATE_FAILED", heat), &of);
    assert_eq!(cluster_state(&late), ClusterState::Failed(wanted.into()));
    assert_eq!(
        late.observed.reason, heat,
        "heat's own words stay as they are"
    );
}

#[test]
fn a_resource_that_failed_is_told_in_words() {
    let reason = "ResourceInError: resources.worker_1_server: Went to status ERROR due to \"Message: No valid host was found. , Code: 500\"";
    let of = [
        ("worker_1_server", "CREATE_FAILED", reason),
        (
            "stampede-demo-1",
            "CREATE_FAILED",
            "Resource CREATE failed: ...",
        ),
    ];
    let record = after(&stack("CREATE_FAILED", "Resource CREATE failed: ..."), &of);
    let wanted = "worker-1: the server: Went to status ERROR due to \"Message: No valid host was found. , Code: 500\"";
    assert_eq!(describe_failure(&record).as_deref(), Some(wanted));
    let of = [(
        "router",
        "CREATE_FAILED",
        "Conflict: resources.router: No more IP addresses available",
    )];
    let record = after(&stack("CREATE_FAILED", ""), &of);
    assert_eq!(
        describe_failure(&record).as_deref(),
        Some("router: No more IP addresses available")
    );
}

#[test]
fn a_timeout_names_the_nodes_that_are_missing() {
    let reason = "Resource CREATE failed: WaitConditionTimeout: resources.ready: 1 of 3 received - worker-1 ready";
    let of = [
        (
            "ready_handle",
            "SIGNAL_COMPLETE",
            "Signal: status:SUCCESS reason:worker-1 ready",
        ),
        (
            "progress_handle",
            "SIGNAL_COMPLETE",
            "Signal: status:SUCCESS reason:master hadoop ready detail 1 of 2 DataNodes",
        ),
        (
            "ready",
            "CREATE_FAILED",
            "WaitConditionTimeout: resources.ready: 1 of 3 received - worker-1 ready",
        ),
    ];
    let told = describe_failure(&after(&stack("CREATE_FAILED", reason), &of)).unwrap();
    assert!(
        told.starts_with("only 1 of 3 nodes were ready within 600 s; master said last: hadoop ready: 1 of 2 DataNodes; worker-2 never"),
        "{told}"
    );
}

#[test]
fn other_failures_are_told_in_heats_words() {
    let record = after(
        &stack("CREATE_FAILED", "Stack CREATE timed out: Create timed out"),
        &[],
    );
    assert_eq!(
        describe_failure(&record).as_deref(),
        Some("Stack CREATE timed out: Create timed out")
    );
    assert_eq!(
        describe_failure(&after(
            &stack("CREATE_COMPLETE", "Stack CREATE completed successfully"),
            &[]
        )),
        None
    );
}

#[test]
fn a_new_action_of_heat_forgets_the_last_ones_failure() {
    let of = [
        (
            "ready_handle",
            "SIGNAL_COMPLETE",
            "Signal: status:FAILURE reason:worker-1 hadoop setup line 1: x",
        ),
        (
            "stampede-demo-1",
            "UPDATE_IN_PROGRESS",
            "Stack UPDATE started",
        ),
    ];
    assert_eq!(
        describe_failure(&after(&stack("UPDATE_IN_PROGRESS", ""), &of)),
        None
    );
}

#[test]
fn a_stack_that_somebody_else_deleted_is_said_to_be_gone() {
    let mut record = after(&stack("CREATE_COMPLETE", ""), &[]);
    record.fold_observation(mark_gone).unwrap();
    assert_eq!(cluster_state(&record), ClusterState::Deleted);
    assert!(
        describe_failure(&record)
            .unwrap()
            .contains("not by stampede")
    );
}

#[test]
fn outputs_without_a_value_are_left_out() {
    let output = |key: &str, value| StackOutput {
        key: key.into(),
        value,
        description: String::new(),
        error: None,
    };
    let mut shown = stack("CREATE_IN_PROGRESS", "");
    shown.outputs = vec![
        output("master_address", json!("192.0.2.7")),
        output("later", json!(null)),
    ];
    let seen = fold_events(&ObservedState::default(), &shown, &[]);
    assert_eq!(
        seen.outputs,
        BTreeMap::from([("master_address".to_owned(), json!("192.0.2.7"))])
    );
}

#[test]
fn a_refusal_for_want_of_a_zone_or_a_disk_names_the_attribute() {
    let zones = "worker-1: Invalid volume: Instance I and volume V are not in the same \
                 availability_zone. Instance is in az2. Volume is in az1";
    assert!(remedy(zones).is_some_and(|remedy| remedy.contains("hadoop.data_volume_zone")));
    let disk = "Only volume-backed servers are allowed for flavors with zero disk.";
    assert!(remedy(disk).is_some_and(|remedy| remedy.contains("cluster.root_volume_gib")));
    assert_eq!(remedy("worker-1: hadoop setup line 3: no"), None);
}
