//! The next action for a cluster, from what is recorded of its life and what the cloud shows. Pure:
//! no I/O, no clock, no choices left to those who act.

use crate::cluster::Lifecycle;

/// What the cloud shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackObservation<'a> {
    /// No stack by the record's id or name.
    Absent,
    /// A stack of that name that does not bear the cluster's tag.
    Foreign,
    /// Our stack, with Heat's status.
    Ours(&'a str),
}

/// The one next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReconcileAction {
    /// Nothing to do.
    Rest,
    /// Look again later.
    Wait,
    /// Create the stack.
    Create,
    /// The stack is there: take its id into the record.
    Adopt,
    /// Somebody else's stack bears the name.
    Conflict,
    /// The stack was there and is gone, and nobody asked us.
    Lost,
    /// Ask Heat to delete the stack.
    Delete,
    /// Nothing is left: drop the record.
    Forget,
    /// Heat failed to create or to delete it as often as we try.
    GiveUp,
}

/// The next action. `create_in_flight`: a create was sent (or was about to be), its answer is
/// unknown, and it may still arrive at Heat. `limits`: how often creates and deletes are tried.
pub fn next_action(
    lifecycle: &Lifecycle,
    create_in_flight: bool,
    sight: StackObservation<'_>,
    (max_creates, max_deletes): (u32, u32),
) -> ReconcileAction {
    use StackObservation::{Absent, Foreign, Ours};
    match (lifecycle, sight) {
        (Lifecycle::Requested, _) => ReconcileAction::Rest,
        // Heat checks names before it stores: a second create beside one under way would make a
        // second stack.
        (Lifecycle::Deploying { .. }, Absent) if create_in_flight => ReconcileAction::Wait,
        (Lifecycle::Deploying { creates, .. }, Absent) if *creates >= max_creates => {
            ReconcileAction::GiveUp
        }
        (Lifecycle::Deploying { .. }, Absent) => ReconcileAction::Create,
        (Lifecycle::Deploying { .. }, Foreign) => ReconcileAction::Conflict,
        (Lifecycle::Deploying { .. }, Ours(_)) => ReconcileAction::Adopt,
        (Lifecycle::Running { .. }, Absent | Ours("DELETE_COMPLETE")) => ReconcileAction::Lost,
        (Lifecycle::Running { .. }, Foreign) => ReconcileAction::Conflict,
        (Lifecycle::Running { .. }, Ours(status)) if status.ends_with("_IN_PROGRESS") => {
            ReconcileAction::Wait
        }
        (Lifecycle::Running { .. }, Ours(_)) => ReconcileAction::Rest,
        // It would be left behind, with nobody who knows of it.
        (Lifecycle::Deleting { .. }, Absent) if create_in_flight => ReconcileAction::Wait,
        (Lifecycle::Deleting { .. }, Absent | Foreign | Ours("DELETE_COMPLETE")) => {
            ReconcileAction::Forget
        }
        (Lifecycle::Deleting { .. }, Ours("DELETE_IN_PROGRESS")) => ReconcileAction::Wait,
        (Lifecycle::Deleting { deletes, .. }, Ours("DELETE_FAILED")) if *deletes >= max_deletes => {
            ReconcileAction::GiveUp
        }
        (Lifecycle::Deleting { .. }, Ours(_)) => ReconcileAction::Delete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::cluster::lifecycle::{DeleteTarget, RolloutStatus};

    const MAX: u32 = 3;
    const LIMITS: (u32, u32) = (5, MAX);

    fn deploying() -> Lifecycle {
        tried(0)
    }

    fn tried(creates: u32) -> Lifecycle {
        Lifecycle::Deploying {
            create_sent_s: None,
            creates,
            blocked_reason: None,
        }
    }

    fn running() -> Lifecycle {
        Lifecycle::Running {
            stack_id: "s".to_owned(),
            rollout: RolloutStatus::AtRest,
        }
    }

    fn deleting(has_stack: bool, deletes: u32) -> Lifecycle {
        let target = if has_stack {
            DeleteTarget::Id {
                stack_id: "s".to_owned(),
            }
        } else {
            DeleteTarget::Name {
                create_sent_s: None,
            }
        };
        Lifecycle::Deleting {
            target,
            deletes,
            blocked_reason: None,
            origin: None,
        }
    }

    #[test]
    fn every_pair_of_lifecycle_and_sight_has_its_action() {
        use ReconcileAction::{Adopt, Conflict, Create, Delete, Forget, Lost, Rest, Wait};
        use StackObservation::{Absent, Foreign, Ours};
        let cases = [
            (Lifecycle::Requested, Absent, Rest),
            (Lifecycle::Requested, Foreign, Rest),
            (deploying(), Absent, Create),
            (deploying(), Foreign, Conflict),
            (deploying(), Ours("CREATE_IN_PROGRESS"), Adopt),
            (deploying(), Ours("CREATE_FAILED"), Adopt),
            (running(), Absent, Lost),
            (running(), Ours("DELETE_COMPLETE"), Lost),
            (running(), Ours("CREATE_IN_PROGRESS"), Wait),
            (running(), Ours("UPDATE_IN_PROGRESS"), Wait),
            (running(), Ours("DELETE_IN_PROGRESS"), Wait),
            (running(), Ours("CREATE_COMPLETE"), Rest),
            (running(), Ours("CREATE_FAILED"), Rest),
            (deleting(true, 0), Absent, Forget),
            (deleting(false, 0), Absent, Forget),
            (deleting(false, 0), Foreign, Forget),
            (deleting(true, 0), Ours("DELETE_COMPLETE"), Forget),
            (deleting(true, 0), Ours("DELETE_IN_PROGRESS"), Wait),
            (deleting(true, 0), Ours("CREATE_IN_PROGRESS"), Delete),
            (deleting(false, 0), Ours("CREATE_COMPLETE"), Delete),
            (deleting(true, 0), Ours("DELETE_FAILED"), Delete),
        ];
        for (lifecycle, sight, wanted) in cases {
            assert_eq!(
                next_action(&lifecycle, false, sight, LIMITS),
                wanted,
                "{lifecycle:?} {sight:?}"
            );
        }
    }

    #[test]
    fn a_create_that_may_still_arrive_is_not_sent_again() {
        for (sight, wanted) in [
            (StackObservation::Absent, ReconcileAction::Wait),
            (
                StackObservation::Ours("CREATE_IN_PROGRESS"),
                ReconcileAction::Adopt,
            ),
        ] {
            assert_eq!(next_action(&deploying(), true, sight, LIMITS), wanted);
        }
    }

    #[test]
    fn a_create_that_comes_to_nothing_is_tried_again_up_to_the_limit() {
        for (creates, wanted) in [
            (LIMITS.0 - 1, ReconcileAction::Create),
            (LIMITS.0, ReconcileAction::GiveUp),
        ] {
            let sight = StackObservation::Absent;
            assert_eq!(next_action(&tried(creates), false, sight, LIMITS), wanted);
            // What is still on its way is waited for, and what is there is taken.
            let on_its_way = next_action(&tried(creates), true, sight, LIMITS);
            assert_eq!(on_its_way, ReconcileAction::Wait);
            let ours = StackObservation::Ours("CREATE_FAILED");
            let there = next_action(&tried(creates), false, ours, LIMITS);
            assert_eq!(there, ReconcileAction::Adopt);
        }
    }

    #[test]
    fn a_failed_delete_is_tried_again_up_to_the_limit() {
        for (deletes, wanted) in [
            (MAX - 1, ReconcileAction::Delete),
            (MAX, ReconcileAction::GiveUp),
        ] {
            let sight = StackObservation::Ours("DELETE_FAILED");
            let lifecycle = deleting(true, deletes);
            assert_eq!(next_action(&lifecycle, false, sight, LIMITS), wanted);
        }
    }

    #[test]
    fn a_create_that_may_still_arrive_is_waited_for_before_the_record_is_dropped() {
        for (sight, wanted) in [
            (StackObservation::Absent, ReconcileAction::Wait),
            (
                StackObservation::Ours("CREATE_IN_PROGRESS"),
                ReconcileAction::Delete,
            ),
        ] {
            assert_eq!(
                next_action(&deleting(false, 0), true, sight, LIMITS),
                wanted
            );
        }
    }
}
