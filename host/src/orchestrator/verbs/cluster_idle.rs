//! How long a cluster may be without jobs, in requests for one that is deployed: what `stampede.idle`
//! says is taken out of the attributes and kept by the record, since it changes without the cluster.
//! No cloud is asked.

use crate::orchestrator::{
    context::{ClientAttributes, Context, ProjectIdentity},
    verbs::cluster_end::take_attribute,
};
use crate::{
    cluster::{
        IdleLimit, Lifecycle, Problem,
        attribute_names::PREFIX,
        end_time::{NEVER, age_text},
        idle_limit::{IDLE, nobody_tells},
    },
    store::{ClusterRecord, TransitionResult},
};

/// What a request says of it.
pub(crate) struct NewIdle {
    /// The limit that it gives; none where it says none, or the one that there is.
    pub(crate) after_s: Option<Option<u64>>,
    pub(crate) problems: Vec<Problem>,
}

impl NewIdle {
    /// Takes it out of the attributes that this user has given, where the cluster is deployed; until
    /// then it is an attribute as all others.
    pub(crate) fn take(
        context: &Context,
        record: &ClusterRecord,
        user: &str,
        given: &mut ClientAttributes,
    ) -> Self {
        let text = match record.lifecycle {
            Lifecycle::Requested => None,
            _ => take_idle(given),
        };
        let read = text.map(|text| read_new_idle(context, record, user, &text));
        match read {
            None => Self::said(None),
            Some(Ok(after_s)) => Self::said(after_s),
            Some(Err(problem)) => Self {
                after_s: None,
                problems: vec![problem],
            },
        }
    }

    fn said(after_s: Option<Option<u64>>) -> Self {
        let problems = Vec::new();
        Self { after_s, problems }
    }

    /// Gives it to a record, with whatever else a request changes there.
    ///
    /// # Errors
    /// When the cluster is being deleted.
    pub(crate) fn give(&self, record: &mut ClusterRecord) -> TransitionResult {
        self.after_s
            .map_or(Ok(()), |after_s| record.set_idle(after_s))
    }

    /// Has it followed, once it is recorded.
    pub(crate) fn follow(&self, context: &Context, record: &ClusterRecord) {
        let Some(after_s) = self.after_s else {
            return;
        };
        context.state.ends.look_now();
        let told = after_s.map_or_else(|| NEVER.to_owned(), age_text);
        tracing::info!(cluster.id = %record.id, "`{}` is deleted without jobs for: {told}", record.name);
    }

    /// The limit as previews show it: before and after.
    pub(crate) fn describe(&self, record: &ClusterRecord) -> Option<(Option<String>, String)> {
        let after = self.after_s?.map_or_else(|| NEVER.to_owned(), age_text);
        Some((record.idle.map(|idle| age_text(idle.after_s)), after))
    }
}

/// Takes out what a request says of it, the last where it says it twice.
pub(crate) fn take_idle(given: &mut ClientAttributes) -> Option<String> {
    take_attribute(given, &format!("{PREFIX}{IDLE}"))
}

/// The limit that a request gives a cluster that is there: none where it is the one that it has.
///
/// # Errors
/// The problem with it.
fn read_new_idle(
    context: &Context,
    record: &ClusterRecord,
    user: &str,
    text: &str,
) -> Result<Option<Option<u64>>, Problem> {
    let default = context.defaults.get(IDLE).map(str::trim);
    let policy = context.policy_of(ProjectIdentity::of_record(record));
    let limit = match (text, default) {
        ("", None | Some("")) => policy
            .idle_by_policy()
            .map_or(IdleLimit::Never, IdleLimit::WhereTold),
        ("", Some(default)) => IdleLimit::parse(IDLE, default)?,
        (text, _) => IdleLimit::parse(IDLE, text)?,
    };
    let (after_s, has_s) = (limit.seconds(), record.idle.map(|idle| idle.after_s));
    if after_s == has_s {
        return Ok(None);
    }
    let pins = record.spec.as_ref().and_then(|spec| spec.pins.as_deref());
    if after_s.is_some() && pins.is_none_or(|pins| pins.job_tellers.is_empty()) {
        return Err(nobody_tells());
    }
    policy.check_idle(after_s)?;
    // It is deleted by its owner's login, as at its end.
    let is_shorter = after_s.is_some_and(|after_s| has_s.is_none_or(|has_s| after_s < has_s));
    if is_shorter && record.is_anothers(user) {
        let message = "the cluster is another user's, who alone can shorten the time that it may be without jobs";
        let hint = "make it longer, ask them, or delete the cluster if you may";
        return Err(Problem::new(IDLE, message, hint));
    }
    Ok(Some(after_s))
}

/// The limit of a cluster that is deployed now, which was settled when it was read and planned.
pub(crate) fn first_idle(limit: Option<IdleLimit>) -> Option<u64> {
    limit.and_then(IdleLimit::seconds)
}
