//! What becomes of a step, from what Heat shows and what nodes have answered.

use super::*;
use crate::{
    cluster::ClusterSpec,
    cluster::change::ChangeReport,
    orchestrator::{planning::resolve::tests_support::spec, state::status::tests_support::record},
    store::RecordFields,
};

fn step() -> RolloutStep {
    RolloutStep {
        title: "new settings on worker-1".to_owned(),
        generation: 7,
        nodes: crate::cluster::test_groups::with_master(&[1, 2]),
        told: vec!["worker-1".to_owned()],
        stages: vec!["setup".to_owned()],
        ..RolloutStep::default()
    }
}

fn seen(status: &str, answer: Option<(u32, Option<&str>)>) -> ClusterRecord {
    let answer = answer.map(|(generation, error)| {
        (
            "worker-1".to_owned(),
            ChangeReport {
                generation,
                error: error.map(str::to_owned),
                is_later: false,
            },
        )
    });
    let seen = ObservedState {
        status: Some(status.to_owned()),
        answers: answer.into_iter().collect(),
        ..ObservedState::default()
    };
    ClusterRecord::for_tests(RecordFields {
        spec: Some(ClusterSpec {
            timeout_s: 100,
            ..spec()
        }),
        observed: seen,
        ..RecordFields::clone(&record())
    })
}

#[test]
fn a_step_ends_when_heat_is_done_and_every_node_told_has_answered() {
    let at = |record: &ClusterRecord| step_verdict(record, &step(), Duration::ZERO);
    assert_eq!(
        at(&seen("UPDATE_IN_PROGRESS", Some((7, None)))),
        StepVerdict::Wait,
        "heat is at it"
    );
    assert_eq!(
        at(&seen("UPDATE_COMPLETE", None)),
        StepVerdict::Wait,
        "the node is at it"
    );
    assert_eq!(
        at(&seen("UPDATE_COMPLETE", Some((6, None)))),
        StepVerdict::Wait,
        "its answer is an older one's"
    );
    assert_eq!(
        at(&seen("UPDATE_COMPLETE", Some((7, None)))),
        StepVerdict::Next(Vec::new())
    );
    assert_eq!(
        at(&seen("UPDATE_COMPLETE", Some((7, Some("no"))))),
        StepVerdict::Failed("worker-1: no".into())
    );
    assert_eq!(
        at(&seen("UPDATE_IN_PROGRESS", Some((7, Some("no"))))),
        StepVerdict::Wait,
        "a second update is for a stack at rest"
    );
    assert_eq!(
        at(&seen("UPDATE_FAILED", Some((7, None)))),
        StepVerdict::Failed("heat says UPDATE_FAILED".into())
    );
}

#[test]
fn a_node_that_does_not_answer_is_waited_for_as_long_as_it_may_take_and_a_margin() {
    let at = |waited_s| {
        let waited = Duration::from_secs(waited_s);
        step_verdict(&seen("UPDATE_COMPLETE", None), &step(), waited)
    };
    let most = 100 + ANSWER_MARGIN_S;
    assert_eq!(at(most - 1), StepVerdict::Wait);
    let StepVerdict::Failed(why) = at(most) else {
        panic!("it is waited for longer")
    };
    assert!(
        why.starts_with("worker-1 did not answer within 400 s"),
        "{why}"
    );
}
