//! On what a transition was decided, who may have the cloud change something, and what a refusal
//! leaves.

use super::*;
use crate::cluster::{ClusterIdle, IdleNotice};
use crate::store::deletion_transitions::MAX_DELETION_WISHES;

#[test]
fn one_process_at_a_time_has_the_lease_until_it_ends_or_is_taken_over() {
    let mut record = situation("deploying");
    record.take_lease("one", false).unwrap();
    let held = record.lease.clone().unwrap();
    let before = record.clone();
    assert!(record.take_lease("other", false).is_err());
    assert_eq!(record, before, "a refused transition changes nothing");
    record.mark_written(&before, true, 0);
    record
        .take_lease("one", false)
        .expect("whoever holds it may ask again");
    assert!(
        record.end_lease(&held).is_err(),
        "an answer to what was asked before is another lease's"
    );
    record.take_lease("other", true).unwrap();
    let lease = record.lease.clone().unwrap();
    record.end_lease(&lease).unwrap();
    assert_eq!(record.lease, None);
    assert!(record.end_lease(&lease).is_err());
}

#[test]
fn a_decision_outlives_observations_and_no_other_decision() {
    let read = situation("changing");
    let mut now = read.clone();
    now.mark_written(&read, false, 9);
    assert!(now.is_decided_on(&read), "only observed");
    assert_eq!((now.revision, now.updated_s), (read.revision + 1, 0));
    let observed = now.clone();
    now.mark_written(&observed, true, 9);
    assert!(!now.is_decided_on(&read));
    assert_eq!(now.updated_s, 9);
}

#[test]
fn what_heat_refuses_leaves_everything_as_it_was_before() {
    let mut before = situation("requested");
    before.0.attributes = BTreeMap::from([("a".to_owned(), "old".to_owned())]);
    before.0.region = "one".to_owned();
    let mut record = before.clone();
    record.record_intent(&intent()).unwrap();
    assert_ne!(record.attributes, before.attributes);
    record.withdraw_intent(&before).unwrap();
    assert_eq!(record, before);

    let mut before = situation("rolled back");
    before.0.owner = Some("who rolled it back".to_owned());
    let mut record = before.clone();
    record.begin_change(&change(), "u").unwrap();
    assert_ne!(record.owner, before.owner);
    record.withdraw_change(&before).unwrap();
    assert_eq!(record, before, "its owner and why it was rolled back too");
    record.begin_change(&change(), "u").unwrap();
    record.mark_step_sent(&step(1), 5).unwrap();
    assert!(
        record.withdraw_change(&before).is_err(),
        "heat has a step of it"
    );
}

#[test]
fn a_change_of_which_heat_has_taken_nothing_ends_with_its_reason_and_leaves_the_owner() {
    for owner in [Some("alice"), None] {
        let mut before = situation("at rest");
        before.0.owner = owner.map(str::to_owned);
        let mut record = before.clone();
        record.begin_change(&change(), "bob").unwrap();
        assert_eq!(record.trustor(), Some(owner.unwrap_or("bob")));
        let mut record = ClusterRecord::from_json(&record.to_json().unwrap()).unwrap();
        let mut leased = record.clone();
        leased.take_lease("host", true).unwrap();
        assert!(
            leased.drop_untaken_change("no").is_err(),
            "heat may have it"
        );
        let mut taken = record.clone();
        taken.mark_step_sent(&step(1), 5).unwrap();
        assert_eq!(taken.trustor(), Some("bob"));
        assert!(taken.drop_untaken_change("no").is_err(), "heat has it");
        record.drop_untaken_change("no").unwrap();
        assert_eq!(record.owner.as_deref(), Some(owner.unwrap_or("bob")));
        assert_eq!(record.rollback_reason(), Some("no"));
    }
}

#[test]
fn a_deletion_that_heat_refuses_leaves_the_cluster_as_it_was_and_one_that_it_took_does_not() {
    for from in SITUATIONS {
        let mut before = situation(from);
        if !before.is_live() {
            continue;
        }
        before.0.owner = Some("alice".to_owned());
        let mut after = before.clone();
        after.request_deletion("bob").unwrap();
        assert_eq!(after.owner.as_deref(), Some("bob"), "{from}");
        // Once more by somebody else, and over a restart: the way back is the same.
        after.request_deletion("carol").unwrap();
        let mut after = ClusterRecord::from_json(&after.to_json().unwrap()).unwrap();
        let mut taken = after.clone();
        after.withdraw_deletion().unwrap();
        assert_eq!(after, before, "{from}");
        taken.accept_deletion(Some("carol")).unwrap();
        assert!(taken.withdraw_deletion().is_err(), "{from}");
        assert_eq!(taken.owner.as_deref(), Some("carol"), "{from}");
    }
}

#[test]
fn what_another_wants_gone_stays_what_it_is_until_heat_has_taken_it() {
    for from in SITUATIONS {
        let mut before = situation(from);
        before.0.owner = Some("alice".to_owned());
        let mut wished = before.clone();
        if !before.is_live() {
            assert!(wished.wish_deletion("bob").is_err(), "{from}");
            assert_eq!(wished, before, "{from}");
            continue;
        }
        assert!(before.is_anothers("bob") && !before.is_anothers("alice"));
        wished.wish_deletion("bob").unwrap();
        wished.wish_deletion("reader").unwrap();
        let mut wished = ClusterRecord::from_json(&wished.to_json().unwrap()).unwrap();
        assert!(wished.needs_reconcile(), "{from}");
        assert_eq!(
            (&wished.lifecycle, &wished.owner),
            (&before.lifecycle, &before.owner),
            "{from}"
        );
        // Who may not takes nobody's wish with theirs, and a delete of the owner's that is withdrawn
        // neither.
        wished.drop_deletion_wish("reader").unwrap();
        wished.request_deletion("alice").unwrap();
        wished.withdraw_deletion().unwrap();
        assert!(wished.deletion_wishes.contains("bob"), "{from}");
        let mut dropped = wished.clone();
        dropped.drop_deletion_wish("bob").unwrap();
        assert_eq!(dropped, before, "{from}");
        wished.fulfil_deletion_wish("bob", Some("s")).unwrap();
        assert_eq!(wished.owner.as_deref(), Some("bob"), "{from}");
        assert!(!wished.is_live() && wished.deletion_wishes.is_empty());
        assert!(wished.withdraw_deletion().is_err(), "{from}");
    }
}

#[test]
fn as_many_wishes_as_may_be_are_remembered_and_one_more_is_refused() {
    let mut record = situation("at rest");
    for number in 0..MAX_DELETION_WISHES {
        record.wish_deletion(&number.to_string()).unwrap();
    }
    record.wish_deletion("0").unwrap();
    assert!(record.wish_deletion("one more").is_err());
    assert_eq!(record.deletion_wishes.len(), MAX_DELETION_WISHES);
}

#[test]
fn a_deploy_or_a_way_back_that_another_may_not_ask_for_again_stays_as_it_was() {
    let mut before = situation("deploying, blocked");
    before.0.owner = Some("alice".to_owned());
    let mut record = before.clone();
    let more = BTreeMap::from([("foreign".to_owned(), "1".to_owned())]);
    record.retry_intent(&more).unwrap();
    assert_eq!(record.blocked_reason(), None);
    record.withdraw_retry(&before).unwrap();
    assert_eq!(record, before);
    let before = situation("changing, blocked");
    let mut record = before.clone();
    record.start_rollback("no", Some("u"), &[step(2)]).unwrap();
    record.withdraw_rollback(&before).unwrap();
    assert_eq!(record.lifecycle, before.lifecycle);
    assert_eq!(record.owner, before.owner);
    record.start_rollback("no", Some("u"), &[step(2)]).unwrap();
    record.mark_step_sent(&step(2), 5).unwrap();
    assert!(record.withdraw_rollback(&before).is_err(), "heat has it");
}

#[test]
fn a_deploy_that_is_withdrawn_keeps_what_another_process_has_recorded_meanwhile() {
    let before = situation("requested");
    let mut record = before.clone();
    record.record_intent(&intent()).unwrap();
    record.wish_deletion("bob").unwrap();
    record.withdraw_intent(&before).unwrap();
    assert!(record.deletion_wishes.contains("bob"));
}

#[test]
fn whoever_heat_takes_something_from_becomes_the_owner_but_not_before_the_deploy() {
    for from in SITUATIONS {
        let mut record = situation(from);
        let taken = record.take_over("bob");
        assert_eq!(taken.is_ok(), from != "requested", "{from}");
        assert_eq!(record.owner.is_some(), from != "requested", "{from}");
    }
}

#[test]
fn only_what_is_under_way_can_be_blocked() {
    for from in SITUATIONS {
        let mut record = situation(from);
        let can_block = record.lifecycle.needs_reconcile() || record.blocked_reason().is_some();
        assert_eq!(record.mark_blocked("why").is_ok(), can_block, "{from}");
        assert_eq!(
            record.blocked_reason(),
            can_block.then_some("why"),
            "{from}"
        );
        assert!(!record.lifecycle.needs_reconcile(), "{from}");
    }
}

#[test]
fn a_limit_without_jobs_counts_anew_after_a_change_and_when_it_is_another() {
    let mut record = situation("at rest");
    record.set_idle(Some(7_200)).unwrap();
    let notice = IdleNotice {
        since_s: 10,
        at_s: 20,
        is_over: false,
    };
    let seen = ClusterIdle {
        rest_s: Some(5),
        notice: Some(notice),
        ..ClusterIdle::new(7_200)
    };
    record.follow_idle(seen).unwrap();
    record.set_idle(Some(7_200)).unwrap();
    assert_eq!(record.idle, Some(seen), "the same limit changes nothing");
    assert!(!record.is_idle_overdue(19) && record.is_idle_overdue(20));
    let mut changing = record.clone();
    changing.begin_change(&change(), "u").unwrap();
    assert_eq!(changing.idle, Some(ClusterIdle::new(7_200)));
    record.set_idle(Some(3_600)).unwrap();
    assert_eq!(record.idle, Some(ClusterIdle::new(3_600)));
    assert!(record.follow_idle(seen).is_err(), "it was of another limit");
    record.set_idle(None).unwrap();
    assert_eq!(record.idle, None);
    let mut gone = situation("deleting");
    assert!(gone.set_idle(Some(7_200)).is_err());
}
