//! Both ends of a cluster in a request for one that is there: at a moment, and without jobs. They are
//! recorded with whatever else a request changes, in one write, so that nothing is done of a request
//! that is refused, and all of one that is not.

use crate::orchestrator::{
    context::{ClientAttributes, Context},
    error::OrchestratorError,
    verbs::{cluster_end::NewEnd, cluster_idle::NewIdle},
};
use crate::store::{ClusterRecord, TransitionResult};

/// What a request says of them.
pub(crate) struct NewEnds {
    pub(crate) end: NewEnd,
    pub(crate) idle: NewIdle,
}

impl NewEnds {
    /// Takes them out of the attributes that this user has given.
    pub(crate) fn read(
        context: &Context,
        record: &ClusterRecord,
        user: &str,
        given: &mut ClientAttributes,
    ) -> Self {
        Self {
            end: NewEnd::take(context, record, user, given),
            idle: NewIdle::take(context, record, user, given),
        }
    }

    /// Refuses them where they are wrong, with what is wrong with the rest.
    ///
    /// # Errors
    /// `Invalid`.
    pub(crate) fn check<T>(
        self,
        rest: impl FnOnce() -> Result<T, OrchestratorError>,
    ) -> Result<Self, OrchestratorError> {
        let mut problems = [&*self.end.problems, &*self.idle.problems].concat();
        if problems.is_empty() {
            return Ok(self);
        }
        if let Err(OrchestratorError::Invalid(further)) = rest() {
            problems.extend(further);
        }
        Err(OrchestratorError::Invalid(problems))
    }

    /// Whether they give another end than there is.
    pub(crate) fn are_said(&self) -> bool {
        self.end.at_s.is_some() || self.idle.after_s.is_some()
    }

    /// Gives them to a record.
    ///
    /// # Errors
    /// When the cluster is being deleted.
    pub(crate) fn give(&self, record: &mut ClusterRecord) -> TransitionResult {
        self.end.give(record)?;
        self.idle.give(record)
    }

    /// Has them followed, once they are recorded.
    pub(crate) fn follow(&self, context: &Context, record: &ClusterRecord) {
        self.end.follow(context, record);
        self.idle.follow(context, record);
    }
}
