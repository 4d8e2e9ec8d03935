//! The end of a cluster in requests: what `stampede.expires` says is taken out of the attributes and
//! kept by the record, since it changes without the cluster. No cloud is asked.

use std::collections::BTreeMap;

use crate::orchestrator::{
    context::{ClientAttributes, Context, ProjectIdentity},
    error::OrchestratorError,
};
use crate::{
    cluster::{
        ClusterSpec, EndTime, Problem,
        attribute_names::PREFIX,
        end_time::{EXPIRES, NEVER},
        idle_limit::IDLE,
    },
    store::{ClusterRecord, TransitionResult},
    system::utc_time::{format_rfc3339, format_utc},
};

/// The attribute as requests name it.
pub(crate) fn end_attribute() -> String {
    format!("{PREFIX}{EXPIRES}")
}

/// Takes out what a request says of the end, the last where it says it twice.
pub(crate) fn take_end(given: &mut ClientAttributes) -> Option<String> {
    take_attribute(given, &end_attribute())
}

/// Takes out what a request says of an attribute, the last where it says it twice.
pub(crate) fn take_attribute(given: &mut ClientAttributes, name: &str) -> Option<String> {
    let said = given.iter().rev().find(|(given, _)| given == name);
    let text = said.map(|(_, text)| text.trim().to_owned());
    given.retain(|(given, _)| given != name);
    text
}

/// The attributes of a cluster that is deployed, as its record keeps them, and what they said of both
/// its ends.
pub(crate) struct SettledAttributes {
    pub(crate) kept: BTreeMap<String, String>,
    pub(crate) expires: Option<String>,
    pub(crate) idle: Option<String>,
}

impl SettledAttributes {
    pub(crate) fn of(given: BTreeMap<String, String>) -> Self {
        let (mut kept, expires) = without_end(given);
        let idle = kept.remove(&format!("{PREFIX}{IDLE}"));
        Self {
            kept,
            expires,
            idle: idle.filter(|text| !text.trim().is_empty()),
        }
    }
}

/// The attributes of a cluster that is asked for, as its record keeps them, and what they said of the
/// end.
pub(crate) fn without_end(
    mut given: BTreeMap<String, String>,
) -> (BTreeMap<String, String>, Option<String>) {
    let text = given.remove(&end_attribute());
    (given, text.filter(|text| !text.trim().is_empty()))
}

/// The moment that a spec ends at, which was resolved when it was read.
pub(crate) fn end_of(expires: Option<EndTime>) -> Option<u64> {
    match expires {
        Some(EndTime::At(at_s)) => Some(at_s),
        Some(EndTime::Never | EndTime::After(_)) | None => None,
    }
}

/// The end of a cluster that is deployed now: what was asked for before stays, where the deploy says
/// nothing of it.
///
/// # Errors
/// `Invalid`: it is over.
pub(crate) fn first_end(
    context: &Context,
    asked: &ClusterRecord,
    said: Option<&str>,
    spec: &ClusterSpec,
) -> Result<Option<u64>, OrchestratorError> {
    if said.is_some() {
        return Ok(end_of(spec.expires));
    }
    let (end, now_s) = (asked.end, context.state.clock.unix_now_s());
    if let Some(end) = end.filter(|_| asked.is_overdue(now_s)) {
        let message = format!("was asked to be {}, which is over", format_utc(end.at_s));
        let hint = "say another one with the deploy, or `never`";
        let problem = Problem::new(EXPIRES, message, hint);
        return Err(OrchestratorError::Invalid(vec![problem]));
    }
    let policy = context.policy_of(ProjectIdentity::of_record(asked));
    let by_age = || policy.end_by_age(now_s);
    Ok(end.map(|end| end.at_s).or_else(by_age))
}

/// What a request says of the end of a cluster that is there, beside all that is wrong with it.
pub(crate) struct NewEnd {
    /// The end that it gives; none where it says none, or the one that there is.
    pub(crate) at_s: Option<Option<u64>>,
    pub(crate) problems: Vec<Problem>,
}

impl NewEnd {
    /// Takes it out of the attributes that this user has given.
    pub(crate) fn take(
        context: &Context,
        record: &ClusterRecord,
        user: &str,
        given: &mut ClientAttributes,
    ) -> Self {
        let text = take_end(given);
        let read = text.map(|text| {
            let at_s = read_new_end(context, record, &text)?;
            refuse_others(record, user, at_s)?;
            Ok(at_s)
        });
        let (at_s, problems) = match read {
            None => (None, Vec::new()),
            Some(Ok(at_s)) => (at_s, Vec::new()),
            Some(Err(problem)) => (None, vec![problem]),
        };
        Self { at_s, problems }
    }

    /// Gives it to a record, with whatever else a request changes there.
    ///
    /// # Errors
    /// When the cluster is being deleted.
    pub(crate) fn give(&self, record: &mut ClusterRecord) -> TransitionResult {
        self.at_s.map_or(Ok(()), |at_s| record.set_end(at_s))
    }

    /// Has it followed, once it is recorded.
    pub(crate) fn follow(&self, context: &Context, record: &ClusterRecord) {
        let Some(at_s) = self.at_s else {
            return;
        };
        context.state.ends.look_at(at_s);
        let told = at_s.map_or_else(|| NEVER.to_owned(), format_utc);
        tracing::info!(cluster.id = %record.id, "`{}` ends: {told}", record.name);
    }

    /// The end as previews show it: before and after.
    pub(crate) fn describe(&self, record: &ClusterRecord) -> Option<(Option<String>, String)> {
        let told = |at_s: u64| format_rfc3339(at_s);
        let after = self.at_s?.map_or_else(|| NEVER.to_owned(), told);
        Some((record.end.map(|end| told(end.at_s)), after))
    }
}

/// The end that a request gives a cluster that is there: none where it is the end that it has.
///
/// # Errors
/// The problem with it.
fn read_new_end(
    context: &Context,
    record: &ClusterRecord,
    text: &str,
) -> Result<Option<Option<u64>>, Problem> {
    let default = context.defaults.get(EXPIRES).map(str::trim);
    let text = match (text, default) {
        ("", None | Some("")) => NEVER,
        ("", Some(default)) => default,
        (text, _) => text,
    };
    let end = EndTime::parse(EXPIRES, text)?;
    let has = record.end.map(|end| end.at_s);
    match end {
        EndTime::At(at_s) if has == Some(at_s) => return Ok(None),
        EndTime::Never if has.is_none() => return Ok(None),
        _ => {}
    }
    let at_s = end.resolve(EXPIRES, context.state.clock.unix_now_s())?;
    let policy = context.policy_of(ProjectIdentity::of_record(record));
    policy.check_end(at_s, record.created_s)?;
    Ok(Some(at_s))
}

/// At its end a cluster is deleted by its owner's login, so that nobody else brings the end nearer:
/// whether they may delete it is Heat's to say.
fn refuse_others(
    record: &ClusterRecord,
    user: &str,
    at_s: Option<Option<u64>>,
) -> Result<(), Problem> {
    let has = record.end.map(|end| end.at_s);
    let is_nearer = |at_s: u64| has.is_none_or(|has| at_s < has);
    if !record.is_anothers(user) || !at_s.flatten().is_some_and(is_nearer) {
        return Ok(());
    }
    let message = "the cluster is another user's, who alone can bring its end nearer";
    let hint = "put it off, ask them, or delete the cluster if you may";
    Err(Problem::new(EXPIRES, message, hint))
}
