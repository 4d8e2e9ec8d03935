//! Clusters that the store does not know, made again from what their stacks carry: tags and the parameter of [`stack::REQUEST_PARAMETER`].
//! For a host that starts on an empty disk.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Caller, Inner, Refused,
    book::{lock, now_s},
    reconcile,
    stack::{self, REQUEST_PARAMETER, TAG},
};
use crate::{
    cluster::{Change, Phase, Spec, Wish},
    openstack::Stack,
    store::{Record, Seen, Told},
};

/// What a stack carries of its cluster.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Carried {
    /// As clients gave them until deploy.
    pub(super) attributes: BTreeMap<String, String>,
    /// What was deployed.
    pub(super) spec: Option<Spec>,
    /// Endpoint names, each with the output that holds its URL.
    pub(super) endpoints: BTreeMap<String, String>,
    /// A change that was under way.
    pub(super) change: Option<Change>,
    /// What the nodes were told so far.
    pub(super) told: Told,
    /// Why the last change was taken back.
    pub(super) setback: Option<String>,
}

impl Carried {
    /// What a stack is to carry of this cluster.
    pub(super) fn of(record: &Record) -> Self {
        Self {
            attributes: record.attributes.clone(),
            spec: record.spec.clone(),
            endpoints: record.endpoints.clone(),
            change: record.change.clone(),
            told: record.told.clone(),
            setback: record.setback.clone(),
        }
    }

    /// What this stack carries.
    pub(super) fn read(shown: &Stack) -> Self {
        let text = shown.parameters.get(REQUEST_PARAMETER).and_then(|value| value.as_str());
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Looks once in a process's life for clusters in the project that a host of our name has made and the store does not know.
///
/// # Errors
/// Heat cannot be asked: then nobody can say that a cluster is not there.
pub(super) async fn ensure(inner: &Inner, caller: &Caller) -> Result<(), Refused> {
    let project = caller.project_id();
    if lock(&inner.recovered).contains(project) {
        return Ok(());
    }
    let known: Vec<String> = inner.book.of_project(project).await?.iter().map(|entity| entity.record().id.clone()).collect();
    let mut stacks = caller.session.stacks_by_tag(&[TAG, &stack::host_tag(&inner.host)]).await?;
    // Of two of one name, the later one is the living one.
    stacks.sort_by(|a, b| b.created.cmp(&a.created));
    for listed in &stacks {
        if known.iter().any(|id| listed.name.ends_with(&stack::short(id))) {
            continue;
        }
        let shown = caller.session.show_stack(&listed.stack_id()).await?;
        let Some(record) = record(&shown, caller).filter(|record| !known.contains(&record.id)) else { continue };
        let (id, name) = (record.id.clone(), record.name.clone());
        let Some(entity) = inner.book.insert(record).await? else { continue };
        tracing::info!(cluster.id = %id, stack.id = %shown.id, "found `{name}` again by its stack, which is {}", shown.status);
        // Somebody asked for a delete or a change: it is seen to its end.
        if let Some(inner) = inner.me.upgrade().filter(|_| reconcile::needs_care(&entity.record())) {
            reconcile::follow(&inner, &entity);
        }
    }
    lock(&inner.recovered).insert(project.to_owned());
    Ok(())
}

/// The record that this stack tells of, if it is one of ours.
fn record(shown: &Stack, caller: &Caller) -> Option<Record> {
    let tag = |prefix: &str| shown.tags.iter().find_map(|tag| tag.strip_prefix(prefix)).map(str::to_owned);
    let (id, name) = (tag("stampede.cluster.")?, tag("stampede.name.")?);
    let carried = Carried::read(shown);
    let wish = if shown.status.starts_with("DELETE_") { Wish::Delete } else { Wish::Deploy };
    Some(Record {
        id,
        project_id: caller.project_id().to_owned(),
        project_name: caller.project_name().to_owned(),
        name,
        created_s: now_s(),
        updated_s: now_s(),
        revision: 1,
        attributes: carried.attributes,
        spec: carried.spec,
        phase: Phase::Deployed,
        acknowledged: true,
        wish,
        owner: None,
        stack_name: shown.name.clone(),
        stack_id: Some(shown.id.clone()),
        region: caller.session.region().to_owned(),
        create_sent_s: None,
        deletes: 0,
        endpoints: carried.endpoints,
        stuck: None,
        change: carried.change,
        told: carried.told,
        setback: carried.setback,
        seen: Seen { status: Some(shown.status.clone()), reason: shown.status_reason.clone(), ..Seen::default() },
    })
}
