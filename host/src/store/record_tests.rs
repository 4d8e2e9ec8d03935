//! Records and snapshots of the last version that gave them no version, as it has written them.

use serde_json::Value;

use super::*;
use crate::cluster::lifecycle::RolloutStatus;

const OLD: [(&str, &str); 8] = [
    ("requested", include_str!("fixtures/requested.json")),
    ("create sent", include_str!("fixtures/create_sent.json")),
    ("deploying", include_str!("fixtures/deploying.json")),
    ("provisioned", include_str!("fixtures/provisioned.json")),
    ("changing", include_str!("fixtures/changing.json")),
    ("rolling back", include_str!("fixtures/rolling_back.json")),
    ("blocked", include_str!("fixtures/blocked.json")),
    ("deleting", include_str!("fixtures/deleting.json")),
];

fn old(name: &str) -> ClusterRecord {
    let (_, text) = OLD.iter().find(|(known, _)| *known == name).unwrap();
    ClusterRecord::from_json(text).unwrap()
}

#[test]
fn an_old_record_is_read_and_stays_the_same_when_it_is_written_anew() {
    for (name, text) in OLD {
        let record = old(name);
        let new = record.to_json().unwrap();
        let old: Value = serde_json::from_str(text).unwrap();
        assert_eq!(old.get("version"), None, "{name}");
        assert!(new.starts_with("{\"version\":3,"), "{new}");
        assert_eq!(ClusterRecord::from_json(&new).unwrap(), record, "{name}");
    }
}

#[test]
fn an_old_record_is_in_the_situation_that_its_fields_told_of() {
    assert_eq!(old("requested").lifecycle, Lifecycle::Requested);
    let Lifecycle::Deploying {
        create_sent_s: Some(_),
        creates: 0,
        blocked_reason: None,
    } = old("create sent").lifecycle
    else {
        panic!("a create was sent")
    };
    let at_rest = |name| {
        let Lifecycle::Running { rollout, stack_id } = old(name).lifecycle.clone() else {
            panic!("{name} runs")
        };
        assert!(!stack_id.is_empty());
        rollout == RolloutStatus::AtRest
    };
    assert!(at_rest("deploying") && at_rest("provisioned"));
    assert_eq!(old("deploying").phase(), LifecyclePhase::Deployed);
    assert_eq!(old("provisioned").phase(), LifecyclePhase::Provisioned);
    assert!(
        old("changing")
            .change()
            .unwrap()
            .rolling_back_because
            .is_none()
    );
    assert!(
        old("rolling back")
            .change()
            .unwrap()
            .rolling_back_because
            .is_some()
    );
    assert!(old("blocked").blocked_reason().is_some());
    assert!(!old("blocked").lifecycle.needs_reconcile());
    let Lifecycle::Deleting {
        target: DeleteTarget::Id { .. },
        deletes: 1..,
        ..
    } = old("deleting").lifecycle
    else {
        panic!("it is being deleted")
    };
}

#[test]
fn what_was_called_otherwise_is_found_again() {
    let record = old("rolling back");
    assert!(!record.change().unwrap().notified_nodes.is_empty());
    assert!(record.notified.generation > 0 && !record.notified.nodes.is_empty());
    assert!(record.observed.status.is_some() && record.observed.marker.is_some());
    assert!(record.owner.is_some());
}

#[test]
fn what_the_first_versions_did_not_write_is_optional() {
    let mut value: Value = serde_json::from_str(OLD[0].1).unwrap();
    for name in [
        "owner",
        "brought",
        "acknowledged",
        "change",
        "told",
        "setback",
    ] {
        value.as_object_mut().unwrap().remove(name);
    }
    let record = ClusterRecord::from_json(&value.to_string()).unwrap();
    assert_eq!(record.owner, None);
}

#[test]
fn a_record_of_a_later_version_is_not_taken_for_an_old_one() {
    let error = ClusterRecord::from_json("{\"version\":4}").unwrap_err();
    assert!(error.to_string().contains("missing field"), "{error}");
}

#[test]
fn the_snapshot_of_an_old_stack_is_read() {
    let text = include_str!("fixtures/snapshot.json");
    let snapshot: StackSnapshot = serde_json::from_str(text).unwrap();
    assert!(snapshot.notified.generation > 0 && !snapshot.notified.nodes.is_empty());
    assert!(!snapshot.change.as_ref().unwrap().notified_nodes.is_empty());
    let new = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(
        serde_json::from_str::<StackSnapshot>(&new).unwrap(),
        snapshot
    );
}

#[test]
fn how_the_last_change_ended_is_read_from_an_old_stack() {
    let text = r#"{"brought":{"stampede.workers":"2"},"setback":"no"}"#;
    let snapshot: StackSnapshot = serde_json::from_str(text).unwrap();
    assert_eq!(snapshot.initial_attributes["stampede.workers"], "2");
    assert_eq!(snapshot.rollback_reason.as_deref(), Some("no"));
}
