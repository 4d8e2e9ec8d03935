//! Why the cloud has not taken what a cluster waits to have sent: kept beside what observations
//! say, which succeed meanwhile, until the cloud has taken it or nobody wants it any more. Pure.

use std::error::Error as _;

use crate::{
    cluster::ClusterChange,
    openstack::CloudError,
    orchestrator::{error::OrchestratorError, state::status},
    store::ClusterRecord,
};

/// What the cloud is to be given, and has not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PendingSend {
    Create,
    /// The step of this generation.
    Step(u32),
    Delete,
    /// The delete of somebody whose cluster it is not.
    Wish,
}

impl PendingSend {
    /// What is to be sent for a cluster by this user.
    pub(crate) fn of_record(record: &ClusterRecord, user: &str) -> Option<Self> {
        let is_wish = record.has_wish_to_decide() && record.deletion_wishes.contains(user);
        let step = record.change().and_then(ClusterChange::step);
        let step = step.map(|step| Self::Step(step.generation));
        let all = [
            is_wish.then_some(Self::Wish),
            step,
            Some(Self::Create),
            Some(Self::Delete),
        ];
        all.into_iter()
            .flatten()
            .find(|send| send.is_pending(record))
    }

    /// Whether it is still to be sent: the record says when the cloud has it.
    fn is_pending(self, record: &ClusterRecord) -> bool {
        if self == Self::Wish {
            return record.has_wish_to_decide();
        }
        let step = record
            .change()
            .filter(|change| change.sent_s.is_none())
            .and_then(ClusterChange::step);
        let is_sent = match self {
            Self::Step(generation) => step.is_none_or(|step| step.generation != generation),
            Self::Create => !record.is_live() || record.stack_id().is_some(),
            Self::Delete | Self::Wish => {
                let status = record.observed.status.as_deref();
                record.is_live() || matches!(status, Some("DELETE_IN_PROGRESS" | "DELETE_COMPLETE"))
            }
        };
        !is_sent && record.lifecycle.needs_reconcile()
    }

    fn describe(self, record: &ClusterRecord) -> String {
        match self {
            Self::Create => "the create of its stack".to_owned(),
            Self::Delete | Self::Wish => "its deletion".to_owned(),
            Self::Step(_) => status::describe_change(record).unwrap_or_default(),
        }
    }
}

/// A send that failed, and is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SendFailure {
    of: PendingSend,
    /// When the first try of it failed, in seconds since 1970.
    since_s: u64,
    error: String,
    advice: String,
}

impl SendFailure {
    /// What this error, of a try with this user's session, says of the cluster; `before` is what
    /// was known of it. None where nothing is left to be sent.
    pub(crate) fn after(
        before: Option<&Self>,
        record: &ClusterRecord,
        user: &str,
        error: &OrchestratorError,
        now_s: u64,
    ) -> Option<Self> {
        let of = PendingSend::of_record(record, user)?;
        let since_s = before
            .filter(|before| before.of == of)
            .map_or(now_s, |before| before.since_s);
        Some(Self {
            of,
            since_s,
            error: error.to_string(),
            advice: advice(of, record, error),
        })
    }

    /// In words for whoever looks at the cluster; none once the cloud has taken it. `format_time`
    /// writes seconds since 1970.
    pub(crate) fn describe(
        &self,
        record: &ClusterRecord,
        format_time: impl Fn(u64) -> String,
    ) -> Option<String> {
        self.of.is_pending(record).then(|| {
            format!(
                "since {} the cloud has not taken this: {}; {}; {}",
                format_time(self.since_s),
                self.of.describe(record),
                self.error,
                self.advice
            )
        })
    }
}

/// What whoever reads it can do.
fn advice(of: PendingSend, record: &ClusterRecord, error: &OrchestratorError) -> String {
    let cloud = error.source().and_then(|source| source.downcast_ref());
    match (error, cloud) {
        (OrchestratorError::Unauthorized(_), _) => format!(
            "it goes on with the next request of {}, or of anybody of the project who asks for the same",
            describe_user(record.owner.as_deref())
        ),
        (OrchestratorError::Forbidden(_), _) => {
            "somebody who may has to ask for the same, or to delete the cluster".to_owned()
        }
        (OrchestratorError::Internal(_), _) => {
            "it is tried again; the operator finds the cause in this host's log".to_owned()
        }
        // Heat works with a trust of the user from whom it took the stack last.
        (_, Some(CloudError::Fault { .. })) if matches!(of, PendingSend::Step(_)) => format!(
            "it is tried again; where {}, with whose rights heat changes the stack, has no role in the project any more, \
             give the role back, or delete the cluster",
            describe_user(record.trustor())
        ),
        (_, Some(CloudError::Fault { .. })) if of == PendingSend::Create => {
            "it is tried again for a while; to give it up, delete the cluster".to_owned()
        }
        _ => "it is tried again, and nothing else needs to be done once the cloud takes it"
            .to_owned(),
    }
}

fn describe_user(user: Option<&str>) -> String {
    user.map_or_else(
        || "who made the stack".to_owned(),
        |user| format!("user {user}"),
    )
}
