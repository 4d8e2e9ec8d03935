//! Carries a request out between its entry in the journal and the answer there: who asked, for what, and
//! what came of it. An entry is written before anything is done, so that what a host was about to do when
//! it ended is told, too.

use std::{collections::BTreeMap, sync::Arc};

use tracing::Instrument as _;

use super::delete::DeletionAnswer;
use crate::cluster::{
    Lifecycle, LifecyclePhase,
    request_entry::{
        MAX_NAME_BYTES, RequestEntry, RequestFace, RequestOutcome, RequestVerb, cut_bytes,
        keep_attributes, keep_reason,
    },
};
use crate::orchestrator::{
    context::{Caller, ClientAttributes, Context},
    error::OrchestratorError,
    request_origin::{JournalPlace, OriginEntry},
    state::{
        request_settlement::settle_begun,
        view::{ClusterView, CreateOutcome},
    },
};
use crate::store::{
    ClusterRecord,
    request_journal::{BegunRequests, RequestEnd},
};

/// What somebody asks for.
pub(super) struct AskedRequest {
    verb: RequestVerb,
    /// The cluster's.
    name: String,
    attributes: ClientAttributes,
    /// What its client calls it.
    pub(super) request_id: Option<String>,
    /// Whether it is for a stack that no record knows.
    pub(super) is_of_orphan: bool,
}

impl AskedRequest {
    pub(super) fn new(verb: RequestVerb, name: &str, attributes: ClientAttributes) -> Self {
        Self {
            verb,
            name: cut_bytes(name, MAX_NAME_BYTES).to_owned(),
            attributes,
            request_id: None,
            is_of_orphan: false,
        }
    }

    /// Groups have no attributes of ours: what was asked is told as if it were one.
    pub(super) fn of_group(group: &str, word: &str, clusters: &[String]) -> Self {
        let mut told = vec![(
            "stampede.group".to_owned(),
            cut_bytes(group, MAX_NAME_BYTES).to_owned(),
        )];
        told.push(("stampede.group.change".to_owned(), word.to_owned()));
        if !clusters.is_empty() {
            told.push(("stampede.group.clusters".to_owned(), clusters.join(",")));
        }
        Self::new(RequestVerb::Group, "", told)
    }
}

/// How far a request has come that was not refused.
pub(super) struct RequestProgress {
    cluster_id: Option<String>,
    /// How many nodes its groups have, once it is deployed.
    node_counts: Option<BTreeMap<String, u32>>,
    is_begun: bool,
    reason: String,
}

impl RequestProgress {
    fn of_cluster(view: &ClusterView) -> Option<Self> {
        Some(Self {
            cluster_id: Some(view.id.clone()),
            node_counts: (view.phase != LifecyclePhase::Initialised)
                .then(|| view.node_counts.clone()),
            is_begun: view.state.is_moving(),
            reason: String::new(),
        })
    }
}

/// An answer that says how far a request has come; none where it has changed nothing.
pub(super) trait RequestAnswer: Send + 'static {
    fn progress(&self) -> Option<RequestProgress>;
}

impl RequestAnswer for ClusterView {
    fn progress(&self) -> Option<RequestProgress> {
        RequestProgress::of_cluster(self)
    }
}

impl RequestAnswer for CreateOutcome {
    fn progress(&self) -> Option<RequestProgress> {
        match self {
            Self::New(view) => RequestProgress::of_cluster(view),
            Self::Existing(_) => None,
        }
    }
}

impl RequestAnswer for DeletionAnswer {
    fn progress(&self) -> Option<RequestProgress> {
        Some(RequestProgress {
            cluster_id: None,
            node_counts: None,
            is_begun: *self != Self::Gone,
            reason: match self {
                Self::Recorded(why) => why.clone(),
                Self::Gone | Self::Taken => String::new(),
            },
        })
    }
}

/// The id of a cluster that goes.
impl RequestAnswer for String {
    fn progress(&self) -> Option<RequestProgress> {
        Some(RequestProgress {
            cluster_id: Some(self.clone()),
            node_counts: None,
            is_begun: true,
            reason: String::new(),
        })
    }
}

impl RequestAnswer for () {
    fn progress(&self) -> Option<RequestProgress> {
        Some(RequestProgress {
            cluster_id: None,
            node_counts: None,
            is_begun: false,
            reason: String::new(),
        })
    }
}

/// Carries a request out, to its end, even when whoever asked goes away in the middle. What cannot be
/// journaled is not done.
pub(super) async fn journaled<T: RequestAnswer>(
    context: &Arc<Context>,
    caller: &Caller,
    asked: AskedRequest,
    work: impl Future<Output = Result<T, OrchestratorError>> + Send + 'static,
) -> Result<T, OrchestratorError> {
    let (context, caller) = (Arc::clone(context), caller.clone());
    let task = async move {
        let entry = JournalEntry::begin(context, caller, asked).await?;
        let outcome = work.await;
        let end = match &outcome {
            Ok(answer) => entry.end_of_answer(answer.progress()).await,
            Err(error) => entry.end_of_error(error).await,
        };
        entry.write(end).await;
        outcome
    };
    let failed = "the host failed at this request; its log says why";
    tokio::spawn(task.in_current_span())
        .await
        .unwrap_or_else(|_| Err(OrchestratorError::internal(failed)))
}

/// The entry of a request that is being carried out.
struct JournalEntry {
    context: Arc<Context>,
    caller: Caller,
    asked: AskedRequest,
    /// None for what the journal does not tell.
    number: Option<i64>,
    cluster_id: Option<String>,
}

/// What is written of a request's end.
struct EntryEnd {
    /// None: it has changed nothing, and is forgotten.
    outcome: Option<RequestOutcome>,
    reason: String,
    cluster_id: Option<String>,
    node_counts: Option<BTreeMap<String, u32>>,
}

impl EntryEnd {
    fn refused(reason: String) -> Self {
        Self {
            outcome: Some(RequestOutcome::Refused),
            reason,
            cluster_id: None,
            node_counts: None,
        }
    }
}

impl JournalEntry {
    async fn begin(
        context: Arc<Context>,
        caller: Caller,
        asked: AskedRequest,
    ) -> Result<Self, OrchestratorError> {
        let mut begun = Self {
            context,
            caller,
            asked,
            number: None,
            cluster_id: None,
        };
        let (verb, name) = (begun.asked.verb, begun.asked.name.as_str());
        let place = begun.caller.origin.place_of(verb, name);
        let store = begun.context.state.registry.store();
        match place {
            JournalPlace::Nowhere => {}
            JournalPlace::Goes(number) => {
                store.reopen_request(number).await?;
                begun.number = Some(number);
            }
            JournalPlace::New => {
                begun.cluster_id = begun.find_cluster_id().await;
                let number = store.begin_request(&begun.entry()).await?;
                begun.number = Some(number);
            }
        }
        Ok(begun)
    }

    fn entry(&self) -> RequestEntry {
        let (caller, asked) = (&self.caller, &self.asked);
        let user = caller.session.user();
        let cut = |text: &str| cut_bytes(text, MAX_NAME_BYTES).to_owned();
        let most_bytes = self.context.state.limits.journal.attribute_bytes;
        RequestEntry {
            number: 0,
            project_id: caller.project_id().to_owned(),
            cluster_id: self.cluster_id.clone(),
            cluster_name: asked.name.clone(),
            user_id: cut(&user.id),
            user_name: cut(&user.name),
            face: caller.origin.face,
            verb: asked.verb,
            asked_s: self.context.state.clock.unix_now_s(),
            attributes: keep_attributes(&asked.attributes, most_bytes),
            node_counts: BTreeMap::new(),
            request_id: asked.request_id.as_deref().map(cut),
            outcome: RequestOutcome::Asked,
            reason: String::new(),
            ended_s: None,
        }
    }

    /// The id of the cluster that is meant, as far as the store knows it.
    async fn find_cluster_id(&self) -> Option<String> {
        let of_one = matches!(
            self.asked.verb,
            RequestVerb::Deploy
                | RequestVerb::Provision
                | RequestVerb::Change
                | RequestVerb::Delete
        );
        if !of_one || self.asked.is_of_orphan {
            return None;
        }
        let store = self.context.state.registry.store();
        let (project, name) = (self.caller.project_id(), self.asked.name.as_str());
        let mut records = store.find_everywhere(project, name).await.ok()?;
        if records.is_empty() && self.asked.verb == RequestVerb::Delete {
            records = store.deleting(project, name).await.ok()?;
        }
        if records.len() > 1 {
            let region = self.caller.region().ok()?;
            records.retain(|record| record.region == region);
        }
        match records.as_slice() {
            [record] => Some(record.id.clone()),
            _ => None,
        }
    }

    async fn end_of_answer(&self, progress: Option<RequestProgress>) -> EntryEnd {
        let Some(progress) = progress else {
            let is_repeated = self.asked.request_id.is_some();
            let face = self.caller.origin.face;
            // Who asks by OCCI for what is there already is told so, and nothing is refused.
            if is_repeated || matches!(face, RequestFace::Occi | RequestFace::ServiceManager) {
                return EntryEnd {
                    outcome: None,
                    reason: String::new(),
                    cluster_id: None,
                    node_counts: None,
                };
            }
            return EntryEnd::refused("there is a cluster of this name".to_owned());
        };
        let is_begun = progress.is_begun && self.asked.verb != RequestVerb::Provision;
        let cluster_id = progress.cluster_id.or_else(|| self.cluster_id.clone());
        EntryEnd {
            outcome: Some(if is_begun {
                RequestOutcome::Accepted
            } else {
                RequestOutcome::Succeeded
            }),
            reason: progress.reason,
            node_counts: progress.node_counts.filter(|_| {
                let verb = self.asked.verb;
                matches!(verb, RequestVerb::Create | RequestVerb::Deploy)
            }),
            cluster_id: match cluster_id {
                // It was found again in Heat.
                None if self.asked.verb == RequestVerb::Delete => self.find_cluster_id().await,
                known => known,
            },
        }
    }

    /// Where only the token or the host has failed, what is wanted may stand all the same.
    async fn end_of_error(&self, error: &OrchestratorError) -> EntryEnd {
        let reason = error.to_string();
        let may_stand = matches!(
            error,
            OrchestratorError::Unauthorized(_)
                | OrchestratorError::Internal(_)
                | OrchestratorError::Cloud(_)
                | OrchestratorError::Busy { .. }
        );
        let cluster_id = match &self.cluster_id {
            None => self.find_cluster_id().await,
            known => known.clone(),
        };
        let mut end = EntryEnd::refused(reason);
        if let Some(id) = cluster_id.as_deref().filter(|_| may_stand)
            && let Ok(Some(record)) = self.context.state.registry.store().get(id).await
            && self.stands_in(&record)
        {
            end.outcome = Some(RequestOutcome::Accepted);
        }
        EntryEnd { cluster_id, ..end }
    }

    fn stands_in(&self, record: &ClusterRecord) -> bool {
        match self.asked.verb {
            RequestVerb::Deploy => matches!(record.lifecycle, Lifecycle::Deploying { .. }),
            RequestVerb::Delete => {
                !record.is_live() || record.deletion_wishes.contains(self.caller.user_id())
            }
            _ => false,
        }
    }

    async fn write(&self, end: EntryEnd) {
        let Some(number) = self.number else {
            return;
        };
        let registry = &self.context.state.registry;
        let Some(outcome) = end.outcome else {
            if let Err(error) = registry.store().drop_request(number).await {
                tracing::warn!("a request that has changed nothing stays in the journal: {error}");
            }
            return;
        };
        let reason = keep_reason(&end.reason, &self.asked.attributes);
        let written = RequestEnd {
            outcome,
            reason: &reason,
            cluster_id: end.cluster_id.as_deref(),
            node_counts: end.node_counts.as_ref(),
            now_s: self.context.state.clock.unix_now_s(),
        };
        let limits = &self.context.state.limits.journal;
        if let Err(error) = registry.store().end_request(number, &written, limits).await {
            tracing::error!("the journal does not say how request {number} ended: {error}");
        }
        let accepted = outcome == RequestOutcome::Accepted;
        if let Some(id) = written.cluster_id.filter(|_| accepted) {
            // It may have been carried out before that was written.
            let begun = BegunRequests {
                cluster_id: id.to_owned(),
                newest: number,
            };
            settle_begun(registry.store(), written.now_s, &begun).await;
        }
        self.caller.origin.note(OriginEntry {
            number,
            name: self.asked.name.clone(),
            verb: match self
                .caller
                .origin
                .place_of(self.asked.verb, &self.asked.name)
            {
                JournalPlace::Goes(_) => RequestVerb::Create,
                _ => self.asked.verb,
            },
            is_refused: outcome == RequestOutcome::Refused,
        });
    }
}
