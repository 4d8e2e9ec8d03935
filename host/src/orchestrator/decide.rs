//! The next step for a cluster, from what is wished and what the cloud shows. Pure: no I/O, no
//! clock, no choices left to those who act.

use crate::cluster::Wish;

/// What the record says that matters for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What is wished.
    pub wish: Wish,
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
pub enum Sight<'a> {
    /// No stack by the record's id or name.
    Absent,
    /// A stack of that name that does not bear the cluster's tag.
    Foreign,
    /// Our stack, with Heat's status.
    Ours(&'a str),
}

/// The one next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
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
pub fn next(known: Known, sight: Sight<'_>, max_deletes: u32) -> Step {
    match (known.wish, sight) {
        (Wish::None, _) => Step::Rest,
        (Wish::Deploy, Sight::Absent) if known.has_stack => Step::Lost,
        // Heat checks names before it stores: a second create beside one under way would make a
        // second stack.
        (Wish::Deploy, Sight::Absent) if known.create_in_flight => Step::Wait,
        (Wish::Deploy, Sight::Absent) => Step::Create,
        (Wish::Deploy, Sight::Foreign) => Step::Conflict,
        (Wish::Deploy, Sight::Ours(_)) if !known.has_stack => Step::Adopt,
        (Wish::Deploy, Sight::Ours("DELETE_COMPLETE")) => Step::Lost,
        (Wish::Deploy, Sight::Ours(status)) if status.ends_with("_IN_PROGRESS") => Step::Wait,
        (Wish::Deploy, Sight::Ours(_)) => Step::Rest,
        (Wish::Delete, Sight::Absent) if known.create_in_flight => Step::Wait,
        (Wish::Delete, Sight::Absent | Sight::Foreign | Sight::Ours("DELETE_COMPLETE")) => {
            Step::Forget
        }
        (Wish::Delete, Sight::Ours("DELETE_IN_PROGRESS")) => Step::Wait,
        (Wish::Delete, Sight::Ours("DELETE_FAILED")) if known.deletes >= max_deletes => {
            Step::GiveUp
        }
        (Wish::Delete, Sight::Ours(_)) => Step::Delete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u32 = 3;

    fn known(wish: Wish, has_stack: bool) -> Known {
        Known {
            wish,
            has_stack,
            create_in_flight: false,
            deletes: 0,
        }
    }

    #[test]
    fn every_pair_of_wish_and_sight_has_its_step() {
        let cases = [
            (known(Wish::None, false), Sight::Absent, Step::Rest),
            (known(Wish::None, false), Sight::Foreign, Step::Rest),
            (known(Wish::Deploy, false), Sight::Absent, Step::Create),
            (
                Known {
                    create_in_flight: true,
                    ..known(Wish::Deploy, false)
                },
                Sight::Absent,
                Step::Wait,
            ),
            (
                Known {
                    create_in_flight: true,
                    ..known(Wish::Deploy, false)
                },
                Sight::Ours("CREATE_IN_PROGRESS"),
                Step::Adopt,
            ),
            (known(Wish::Deploy, false), Sight::Foreign, Step::Conflict),
            (
                known(Wish::Deploy, false),
                Sight::Ours("CREATE_IN_PROGRESS"),
                Step::Adopt,
            ),
            (
                known(Wish::Deploy, false),
                Sight::Ours("CREATE_FAILED"),
                Step::Adopt,
            ),
            (known(Wish::Deploy, true), Sight::Absent, Step::Lost),
            (
                known(Wish::Deploy, true),
                Sight::Ours("DELETE_COMPLETE"),
                Step::Lost,
            ),
            (
                known(Wish::Deploy, true),
                Sight::Ours("CREATE_IN_PROGRESS"),
                Step::Wait,
            ),
            (
                known(Wish::Deploy, true),
                Sight::Ours("UPDATE_IN_PROGRESS"),
                Step::Wait,
            ),
            (
                known(Wish::Deploy, true),
                Sight::Ours("DELETE_IN_PROGRESS"),
                Step::Wait,
            ),
            (
                known(Wish::Deploy, true),
                Sight::Ours("CREATE_COMPLETE"),
                Step::Rest,
            ),
            (
                known(Wish::Deploy, true),
                Sight::Ours("CREATE_FAILED"),
                Step::Rest,
            ),
            (known(Wish::Delete, true), Sight::Absent, Step::Forget),
            (known(Wish::Delete, false), Sight::Absent, Step::Forget),
            (known(Wish::Delete, false), Sight::Foreign, Step::Forget),
            (
                known(Wish::Delete, true),
                Sight::Ours("DELETE_COMPLETE"),
                Step::Forget,
            ),
            (
                known(Wish::Delete, true),
                Sight::Ours("DELETE_IN_PROGRESS"),
                Step::Wait,
            ),
            (
                known(Wish::Delete, true),
                Sight::Ours("CREATE_IN_PROGRESS"),
                Step::Delete,
            ),
            (
                known(Wish::Delete, false),
                Sight::Ours("CREATE_COMPLETE"),
                Step::Delete,
            ),
            (
                known(Wish::Delete, true),
                Sight::Ours("DELETE_FAILED"),
                Step::Delete,
            ),
        ];
        for (known, sight, wanted) in cases {
            assert_eq!(next(known, sight, MAX), wanted, "{known:?} {sight:?}");
        }
    }

    #[test]
    fn a_failed_delete_is_tried_again_up_to_the_limit() {
        let tried = |deletes| Known {
            deletes,
            ..known(Wish::Delete, true)
        };
        assert_eq!(
            next(tried(MAX - 1), Sight::Ours("DELETE_FAILED"), MAX),
            Step::Delete
        );
        assert_eq!(
            next(tried(MAX), Sight::Ours("DELETE_FAILED"), MAX),
            Step::GiveUp
        );
    }

    #[test]
    fn a_create_that_may_still_arrive_is_waited_for_before_the_record_is_dropped() {
        let known = Known {
            create_in_flight: true,
            ..known(Wish::Delete, false)
        };
        assert_eq!(next(known, Sight::Absent, MAX), Step::Wait);
        assert_eq!(
            next(known, Sight::Ours("CREATE_IN_PROGRESS"), MAX),
            Step::Delete
        );
    }
}
