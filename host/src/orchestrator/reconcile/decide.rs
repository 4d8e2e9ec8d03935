//! The next step for a cluster, from what is wished and what the cloud shows. Pure: no I/O, no
//! clock, no choices left to those who act.

use crate::cluster::DesiredState;

/// What the record says that matters for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFacts {
    /// What is wished.
    pub wish: DesiredState,
    /// Whether Heat has told us the stack's id.
    pub has_stack: bool,
    /// A create was sent (or was about to be), its answer is unknown, and it may still arrive at
    /// Heat.
    pub create_in_flight: bool,
    /// How often a delete was asked for already.
    pub deletes: u32,
}

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
    /// Heat failed to delete it as often as we try.
    GiveUp,
}

/// The next step.
pub fn next_action(
    known: RecordFacts,
    sight: StackObservation<'_>,
    max_deletes: u32,
) -> ReconcileAction {
    match (known.wish, sight) {
        (DesiredState::None, _) => ReconcileAction::Rest,
        (DesiredState::Deploy, StackObservation::Absent) if known.has_stack => {
            ReconcileAction::Lost
        }
        // Heat checks names before it stores: a second create beside one under way would make a
        // second stack.
        (DesiredState::Deploy, StackObservation::Absent) if known.create_in_flight => {
            ReconcileAction::Wait
        }
        (DesiredState::Deploy, StackObservation::Absent) => ReconcileAction::Create,
        (DesiredState::Deploy, StackObservation::Foreign) => ReconcileAction::Conflict,
        (DesiredState::Deploy, StackObservation::Ours(_)) if !known.has_stack => {
            ReconcileAction::Adopt
        }
        (DesiredState::Deploy, StackObservation::Ours("DELETE_COMPLETE")) => ReconcileAction::Lost,
        (DesiredState::Deploy, StackObservation::Ours(status))
            if status.ends_with("_IN_PROGRESS") =>
        {
            ReconcileAction::Wait
        }
        (DesiredState::Deploy, StackObservation::Ours(_)) => ReconcileAction::Rest,
        (DesiredState::Delete, StackObservation::Absent) if known.create_in_flight => {
            ReconcileAction::Wait
        }
        (
            DesiredState::Delete,
            StackObservation::Absent
            | StackObservation::Foreign
            | StackObservation::Ours("DELETE_COMPLETE"),
        ) => ReconcileAction::Forget,
        (DesiredState::Delete, StackObservation::Ours("DELETE_IN_PROGRESS")) => {
            ReconcileAction::Wait
        }
        (DesiredState::Delete, StackObservation::Ours("DELETE_FAILED"))
            if known.deletes >= max_deletes =>
        {
            ReconcileAction::GiveUp
        }
        (DesiredState::Delete, StackObservation::Ours(_)) => ReconcileAction::Delete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 3;

    fn known(wish: DesiredState, has_stack: bool) -> RecordFacts {
        RecordFacts {
            wish,
            has_stack,
            create_in_flight: false,
            deletes: 0,
        }
    }

    #[test]
    fn every_pair_of_wish_and_sight_has_its_step() {
        let cases = [
            (
                known(DesiredState::None, false),
                StackObservation::Absent,
                ReconcileAction::Rest,
            ),
            (
                known(DesiredState::None, false),
                StackObservation::Foreign,
                ReconcileAction::Rest,
            ),
            (
                known(DesiredState::Deploy, false),
                StackObservation::Absent,
                ReconcileAction::Create,
            ),
            (
                RecordFacts {
                    create_in_flight: true,
                    ..known(DesiredState::Deploy, false)
                },
                StackObservation::Absent,
                ReconcileAction::Wait,
            ),
            (
                RecordFacts {
                    create_in_flight: true,
                    ..known(DesiredState::Deploy, false)
                },
                StackObservation::Ours("CREATE_IN_PROGRESS"),
                ReconcileAction::Adopt,
            ),
            (
                known(DesiredState::Deploy, false),
                StackObservation::Foreign,
                ReconcileAction::Conflict,
            ),
            (
                known(DesiredState::Deploy, false),
                StackObservation::Ours("CREATE_IN_PROGRESS"),
                ReconcileAction::Adopt,
            ),
            (
                known(DesiredState::Deploy, false),
                StackObservation::Ours("CREATE_FAILED"),
                ReconcileAction::Adopt,
            ),
            (
                known(DesiredState::Deploy, true),
                StackObservation::Absent,
                ReconcileAction::Lost,
            ),
            (
                known(DesiredState::Deploy, true),
                StackObservation::Ours("DELETE_COMPLETE"),
                ReconcileAction::Lost,
            ),
            (
                known(DesiredState::Deploy, true),
                StackObservation::Ours("CREATE_IN_PROGRESS"),
                ReconcileAction::Wait,
            ),
            (
                known(DesiredState::Deploy, true),
                StackObservation::Ours("UPDATE_IN_PROGRESS"),
                ReconcileAction::Wait,
            ),
            (
                known(DesiredState::Deploy, true),
                StackObservation::Ours("DELETE_IN_PROGRESS"),
                ReconcileAction::Wait,
            ),
            (
                known(DesiredState::Deploy, true),
                StackObservation::Ours("CREATE_COMPLETE"),
                ReconcileAction::Rest,
            ),
            (
                known(DesiredState::Deploy, true),
                StackObservation::Ours("CREATE_FAILED"),
                ReconcileAction::Rest,
            ),
            (
                known(DesiredState::Delete, true),
                StackObservation::Absent,
                ReconcileAction::Forget,
            ),
            (
                known(DesiredState::Delete, false),
                StackObservation::Absent,
                ReconcileAction::Forget,
            ),
            (
                known(DesiredState::Delete, false),
                StackObservation::Foreign,
                ReconcileAction::Forget,
            ),
            (
                known(DesiredState::Delete, true),
                StackObservation::Ours("DELETE_COMPLETE"),
                ReconcileAction::Forget,
            ),
            (
                known(DesiredState::Delete, true),
                StackObservation::Ours("DELETE_IN_PROGRESS"),
                ReconcileAction::Wait,
            ),
            (
                known(DesiredState::Delete, true),
                StackObservation::Ours("CREATE_IN_PROGRESS"),
                ReconcileAction::Delete,
            ),
            (
                known(DesiredState::Delete, false),
                StackObservation::Ours("CREATE_COMPLETE"),
                ReconcileAction::Delete,
            ),
            (
                known(DesiredState::Delete, true),
                StackObservation::Ours("DELETE_FAILED"),
                ReconcileAction::Delete,
            ),
        ];
        for (known, sight, wanted) in cases {
            assert_eq!(
                next_action(known, sight, MAX),
                wanted,
                "{known:?} {sight:?}"
            );
        }
    }

    #[test]
    fn a_failed_delete_is_tried_again_up_to_the_limit() {
        let tried = |deletes| RecordFacts {
            deletes,
            ..known(DesiredState::Delete, true)
        };
        assert_eq!(
            next_action(tried(MAX - 1), StackObservation::Ours("DELETE_FAILED"), MAX),
            ReconcileAction::Delete
        );
        assert_eq!(
            next_action(tried(MAX), StackObservation::Ours("DELETE_FAILED"), MAX),
            ReconcileAction::GiveUp
        );
    }

    #[test]
    fn a_create_that_may_still_arrive_is_waited_for_before_the_record_is_dropped() {
        let known = RecordFacts {
            create_in_flight: true,
            ..known(DesiredState::Delete, false)
        };
        assert_eq!(
            next_action(known, StackObservation::Absent, MAX),
            ReconcileAction::Wait
        );
        assert_eq!(
            next_action(known, StackObservation::Ours("CREATE_IN_PROGRESS"), MAX),
            ReconcileAction::Delete
        );
    }
}
