//! Both ends of a cluster in a request for one that is there: at a moment, and without jobs. They are
//! recorded with whatever else a request changes, in one write, so that nothing is done of a request
//! that is refused, and all of one that is not.

use crate::orchestrator::{
    context::{ClientAttributes, Context},
    error::OrchestratorError,
    rollout::desired_state::{self, UpdateRequest},
    verbs::{cluster_end::NewEnd, cluster_idle::NewIdle, update},
};
use crate::{
    cluster::Lifecycle,
    store::{ClusterRecord, TransitionResult},
};

/// What a request says of them.
pub(crate) struct NewEnds {
    pub(crate) end: NewEnd,
    pub(crate) idle: NewIdle,
}

impl NewEnds {
    /// Takes them out of the attributes that this user has given for a cluster.
    ///
    /// # Errors
    /// `Invalid`: one is wrong, with all that is wrong with the rest.
    pub(crate) fn take(
        context: &Context,
        record: &ClusterRecord,
        user: &str,
        given: &mut ClientAttributes,
    ) -> Result<Self, OrchestratorError> {
        let end = NewEnd::take(context, record, user, given);
        let idle = NewIdle::take(context, record, user, given);
        let mut problems = [&*end.problems, &*idle.problems].concat();
        if problems.is_empty() {
            return Ok(Self { end, idle });
        }
        let request =
            UpdateRequest::from_attributes(given.clone(), &context.attribute_names, record);
        let rest = match record.lifecycle {
            Lifecycle::Requested => update::merge_before_deploy(context, record, request).map(drop),
            _ => desired_state::change_target(context, record, &request).map(drop),
        };
        if let Err(OrchestratorError::Invalid(further)) = rest {
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
