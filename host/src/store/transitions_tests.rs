//! From which situation each transition leads where, and where it is refused.

use super::*;
use crate::{
    cluster::{ClusterChange, ClusterSpec, NodeIds, RolloutStep, test_groups::with_master},
    store::{RecordIdentity, StackSnapshot},
};

#[path = "decision_tests.rs"]
mod decisions;

fn spec() -> ClusterSpec {
    let deployed = ClusterRecord::from_json(include_str!("fixtures/provisioned.json")).unwrap();
    deployed.spec.clone().unwrap()
}

fn step(generation: u32) -> RolloutStep {
    RolloutStep {
        title: "new settings on worker-1".to_owned(),
        generation,
        nodes: with_master(&[1]),
        told: vec!["worker-1".to_owned()],
        ..RolloutStep::default()
    }
}

fn change() -> ClusterChange {
    ClusterChange {
        attributes: BTreeMap::from([("a".to_owned(), "new".to_owned())]),
        to: spec().with_workers(vec![1, 7]),
        installed: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        steps: vec![step(1)],
        at: 0,
        sent_s: None,
        notified_nodes: Vec::new(),
        added: NodeIds::new(),
        rolling_back_because: None,
        resolved: None,
        upgrade: None,
        replaced: BTreeMap::new(),
    }
}

/// A record in each situation that the transitions tell apart, by its name.
fn situation(name: &str) -> ClusterRecord {
    let (mut identity, text) = (RecordIdentity::default(), str::to_owned);
    identity.name = text("demo");
    let mut record = ClusterRecord::requested(identity, BTreeMap::new(), 0);
    let sent = |is_sent: bool| is_sent.then_some(5);
    let running = |rollout| Lifecycle::Running {
        stack_id: text("s"),
        rollout,
    };
    let deleting = |target, blocked_reason| Lifecycle::Deleting {
        target,
        deletes: 2,
        blocked_reason,
        origin: None,
    };
    record.0.lifecycle = match name {
        "requested" => Lifecycle::Requested,
        "deploying" | "create sent" | "deploying, blocked" => Lifecycle::Deploying {
            create_sent_s: sent(name == "create sent"),
            creates: 0,
            blocked_reason: name.ends_with("blocked").then(|| text("no")),
        },
        "at rest" => running(RolloutStatus::AtRest),
        "rolled back" => running(RolloutStatus::RolledBack { reason: text("no") }),
        "changing" | "rolling back" | "changing, blocked" => {
            let mut change = change();
            change.rolling_back_because = (name == "rolling back").then(|| text("no"));
            running(RolloutStatus::Changing {
                change: Box::new(change),
                blocked_reason: name.ends_with("blocked").then(|| text("no")),
                former_owner: None,
            })
        }
        "deleting by name" | "deleting, create sent" => deleting(
            DeleteTarget::Name {
                create_sent_s: sent(name.ends_with("sent")),
            },
            None,
        ),
        "deleting" | "deleting, blocked" => deleting(
            DeleteTarget::Id {
                stack_id: text("s"),
            },
            name.ends_with("blocked").then(|| text("no")),
        ),
        other => panic!("no situation `{other}`"),
    };
    record.0.spec = (name != "requested").then(spec);
    record
}

const SITUATIONS: [&str; 13] = [
    "requested",
    "deploying",
    "create sent",
    "deploying, blocked",
    "at rest",
    "rolled back",
    "changing",
    "rolling back",
    "changing, blocked",
    "deleting by name",
    "deleting, create sent",
    "deleting",
    "deleting, blocked",
];

/// The situation that a record is in.
fn name(record: &ClusterRecord) -> &'static str {
    let is_blocked = record.blocked_reason().is_some();
    match &record.lifecycle {
        Lifecycle::Requested => "requested",
        Lifecycle::Deploying { .. } if is_blocked => "deploying, blocked",
        Lifecycle::Deploying {
            create_sent_s: None,
            ..
        } => "deploying",
        Lifecycle::Deploying { .. } => "create sent",
        Lifecycle::Running { rollout, .. } => match rollout {
            RolloutStatus::AtRest => "at rest",
            RolloutStatus::RolledBack { .. } => "rolled back",
            RolloutStatus::Changing { .. } if is_blocked => "changing, blocked",
            RolloutStatus::Changing { change, .. } if change.rolling_back_because.is_some() => {
                "rolling back"
            }
            RolloutStatus::Changing { .. } => "changing",
        },
        Lifecycle::Deleting { .. } if is_blocked => "deleting, blocked",
        Lifecycle::Deleting { target, .. } => match target {
            DeleteTarget::Id { .. } => "deleting",
            DeleteTarget::Name {
                create_sent_s: None,
            } => "deleting by name",
            DeleteTarget::Name { .. } => "deleting, create sent",
        },
    }
}

fn intent() -> DeployIntent {
    DeployIntent {
        attributes: BTreeMap::new(),
        spec: spec(),
        endpoints: BTreeMap::new(),
        notified: NodeNotifications::default(),
        region: "R".to_owned(),
        owner: "u".to_owned(),
    }
}

/// A transition as the table has it: its name, what it does, and from which situations it leads
/// where; it is refused from all others.
type Row = (
    &'static str,
    fn(&mut ClusterRecord) -> TransitionResult,
    &'static [(&'static str, &'static str)],
);

const DELETION: &[(&str, &str)] = &[
    ("requested", "deleting by name"),
    ("deploying", "deleting by name"),
    ("create sent", "deleting, create sent"),
    ("deploying, blocked", "deleting by name"),
    ("at rest", "deleting"),
    ("rolled back", "deleting"),
    ("changing", "deleting"),
    ("rolling back", "deleting"),
    ("changing, blocked", "deleting"),
    ("deleting by name", "deleting by name"),
    ("deleting, create sent", "deleting, create sent"),
    ("deleting", "deleting"),
    ("deleting, blocked", "deleting"),
];

const TABLE: &[Row] = &[
    (
        "record_intent",
        |record| record.record_intent(&intent()),
        &[("requested", "deploying")],
    ),
    (
        "retry_intent",
        |record| record.retry_intent(&BTreeMap::new()),
        &[
            ("deploying", "deploying"),
            ("create sent", "create sent"),
            ("deploying, blocked", "deploying"),
        ],
    ),
    (
        "withdraw_intent",
        |record| record.withdraw_intent(&situation("requested")),
        &[
            ("deploying", "requested"),
            ("deploying, blocked", "requested"),
        ],
    ),
    (
        "mark_create_sent",
        |record| record.mark_create_sent(5),
        &[
            ("deploying", "create sent"),
            ("create sent", "create sent"),
            ("deploying, blocked", "deploying, blocked"),
        ],
    ),
    (
        "mark_create_refused",
        ClusterRecord::mark_create_refused,
        &[
            ("deploying", "deploying"),
            ("create sent", "deploying"),
            ("deploying, blocked", "deploying, blocked"),
            ("deleting by name", "deleting by name"),
            ("deleting, create sent", "deleting by name"),
        ],
    ),
    (
        "adopt_stack",
        |record| record.adopt_stack("s", "CREATE_IN_PROGRESS"),
        &[
            ("deploying", "at rest"),
            ("create sent", "at rest"),
            ("deploying, blocked", "at rest"),
            ("deleting by name", "deleting"),
            ("deleting, create sent", "deleting"),
        ],
    ),
    (
        "request_deletion",
        |record| record.request_deletion("u"),
        DELETION,
    ),
    (
        "wish_deletion",
        |record| record.wish_deletion("bob"),
        &[
            ("requested", "requested"),
            ("deploying", "deploying"),
            ("create sent", "create sent"),
            ("deploying, blocked", "deploying, blocked"),
            ("at rest", "at rest"),
            ("rolled back", "rolled back"),
            ("changing", "changing"),
            ("rolling back", "rolling back"),
            ("changing, blocked", "changing, blocked"),
        ],
    ),
    (
        "count_delete",
        |record| record.count_delete("s", true),
        &[
            ("deleting by name", "deleting"),
            ("deleting, create sent", "deleting"),
            ("deleting", "deleting"),
            ("deleting, blocked", "deleting, blocked"),
        ],
    ),
    (
        "retry_deletion",
        ClusterRecord::retry_deletion,
        &[("deleting, blocked", "deleting")],
    ),
    (
        "accept_deletion",
        |record| record.accept_deletion(Some("u")),
        &[
            ("deleting by name", "deleting by name"),
            ("deleting, create sent", "deleting, create sent"),
            ("deleting", "deleting"),
            ("deleting, blocked", "deleting, blocked"),
        ],
    ),
    // None of these: Heat has taken the delete.
    ("withdraw_deletion", ClusterRecord::withdraw_deletion, &[]),
    (
        "begin_change",
        |record| record.begin_change(&change(), "u"),
        &[("at rest", "changing"), ("rolled back", "changing")],
    ),
    (
        "record_planned_steps",
        |record| record.record_planned_steps(&change()),
        &[
            ("changing", "changing"),
            ("rolling back", "rolling back"),
            ("changing, blocked", "changing, blocked"),
        ],
    ),
    (
        "mark_step_sent",
        |record| record.mark_step_sent(&step(1), 5),
        &[
            ("changing", "changing"),
            ("rolling back", "rolling back"),
            ("changing, blocked", "changing, blocked"),
        ],
    ),
    (
        "next_step",
        ClusterRecord::next_step,
        &[
            ("changing", "changing"),
            ("rolling back", "rolling back"),
            ("changing, blocked", "changing, blocked"),
        ],
    ),
    (
        "finish_change",
        |record| record.finish_change(""),
        &[
            ("changing", "at rest"),
            ("rolling back", "rolled back"),
            ("changing, blocked", "at rest"),
        ],
    ),
    (
        "withdraw_change",
        |record| record.withdraw_change(&situation("rolled back")),
        &[
            ("changing", "rolled back"),
            ("changing, blocked", "rolled back"),
        ],
    ),
    (
        "drop_untaken_change",
        |record| record.drop_untaken_change("no"),
        &[
            ("changing", "rolled back"),
            ("changing, blocked", "rolled back"),
        ],
    ),
    (
        "abandon_change",
        ClusterRecord::abandon_change,
        &[
            ("changing", "at rest"),
            ("rolling back", "at rest"),
            ("changing, blocked", "at rest"),
        ],
    ),
    (
        "start_rollback",
        |record| record.start_rollback("no", None, &[step(2)]),
        &[
            ("changing", "rolling back"),
            ("rolling back", "rolling back"),
            ("changing, blocked", "rolling back"),
        ],
    ),
    (
        "adopt_snapshot",
        |record| record.adopt_snapshot(&StackSnapshot::default()),
        &[
            ("at rest", "at rest"),
            ("rolled back", "at rest"),
            ("changing", "at rest"),
            ("rolling back", "at rest"),
            ("changing, blocked", "at rest"),
        ],
    ),
    (
        "store_attributes_of_change",
        |record| record.store_attributes_of_change(&BTreeMap::new(), &BTreeMap::new()),
        &[
            ("changing", "changing"),
            ("rolling back", "rolling back"),
            ("changing, blocked", "changing, blocked"),
        ],
    ),
];

#[test]
fn every_transition_leads_where_the_table_says_or_is_refused_and_changes_nothing() {
    for (transition, apply, leads) in TABLE {
        for from in SITUATIONS {
            let before = situation(from);
            assert_eq!(name(&before), from);
            let mut after = before.clone();
            let result = apply(&mut after);
            match leads.iter().find(|(start, _)| *start == from) {
                Some((_, to)) => {
                    assert_eq!(result, Ok(()), "{transition} from {from}");
                    assert_eq!(name(&after), *to, "{transition} from {from}");
                }
                None => {
                    let state = before.lifecycle.as_str();
                    let refused = RefusedTransition { transition, state };
                    assert_eq!(result, Err(refused), "{transition} from {from}");
                    assert_eq!(after, before, "{transition} from {from}");
                }
            }
        }
    }
}

#[test]
fn a_finished_change_is_what_the_cluster_is_and_a_rolled_back_one_leaves_it_as_it_was() {
    let mut record = situation("changing");
    record.mark_step_sent(&step(1), 5).unwrap();
    assert_eq!(record.notified.nodes["worker-1"], 1);
    assert_eq!(record.change().unwrap().notified_nodes, ["worker-1"]);
    record.finish_change("").unwrap();
    assert_eq!(record.spec, Some(change().to));
    assert_eq!(record.attributes, change().attributes);
    let mut record = situation("changing");
    record.start_rollback("no", Some("u"), &[step(2)]).unwrap();
    assert_eq!(
        record.spec.as_ref().unwrap().worker_group().last_id(),
        7,
        "an id is never given out twice"
    );
    record.finish_change("; worker-7 did not answer").unwrap();
    assert_eq!(
        record.rollback_reason(),
        Some("no; worker-7 did not answer")
    );
    assert_eq!(record.spec.as_ref().unwrap().node_ids(), spec().node_ids());
}

#[test]
fn a_step_that_is_not_the_one_under_way_is_not_marked_as_sent() {
    let mut record = situation("changing");
    let refused = RefusedTransition {
        transition: "mark_step_sent",
        state: "running",
    };
    assert_eq!(record.mark_step_sent(&step(9), 5), Err(refused));
}

#[test]
fn deletes_count_failures_only() {
    let mut record = situation("at rest");
    record.request_deletion("u").unwrap();
    let counts = [false, false, true, true].map(|has_failed| {
        record.count_delete("s", has_failed).unwrap();
        record.lifecycle.deletes()
    });
    assert_eq!(counts, [1, 1, 2, 3]);
}

#[test]
fn what_the_client_may_do_next_follows_from_the_lifecycle() {
    use crate::cluster::LifecyclePhase::{Deployed, Initialised, Provisioned};
    for from in SITUATIONS {
        let mut record = situation(from);
        let (before, after) = match from {
            "requested" => (Initialised, Initialised),
            "deploying" | "create sent" | "deploying, blocked" => (Initialised, Deployed),
            _ => (Deployed, Deployed),
        };
        assert_eq!(record.phase(), before, "{from}");
        let is_acknowledged = record.acknowledge_deploy().is_ok();
        assert_eq!(
            (record.phase(), is_acknowledged),
            (after, from != "requested")
        );
        if record
            .provision(&BTreeMap::new(), &BTreeMap::new(), &[])
            .is_ok()
        {
            assert_eq!(record.phase(), Provisioned, "{from}");
        }
    }
}

#[test]
fn creates_count_that_heat_may_have_taken_and_asking_again_begins_anew() {
    let mut record = situation("deploying");
    let creates = |record: &ClusterRecord| match record.lifecycle {
        Lifecycle::Deploying { creates, .. } => creates,
        _ => panic!("it is being deployed"),
    };
    record.mark_create_sent(5).unwrap();
    record.mark_create_sent(6).unwrap();
    record.mark_create_refused().unwrap();
    assert_eq!(creates(&record), 1);
    record.retry_intent(&BTreeMap::new()).unwrap();
    assert_eq!(creates(&record), 0);
}
