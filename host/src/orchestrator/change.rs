//! Request, update and provision: what changes the record and nothing in the cloud.

use std::collections::BTreeMap;

use super::{Attributes, Caller, Inner, Refused, Requested, View, book::now_s, stack, wanted};
use crate::{
    cluster::{Phase, Wish},
    store::{Record, Seen},
};

/// The entity is there afterwards.
pub(super) async fn request(inner: &Inner, caller: &Caller, name: &str, attributes: Attributes) -> Result<Requested, Refused> {
    let project = caller.project_id();
    match inner.find(caller, name).await {
        Ok(entity) => return Ok(Requested::Existing(inner.show(&entity, &entity.record()))),
        Err(Refused::NotFound(_)) => {}
        Err(error) => return Err(error),
    }
    let attributes = wanted::merge(&BTreeMap::new(), attributes, &inner.limits)?;
    inner.parse(name, &attributes)?;
    let most = inner.limits.clusters_per_project;
    if inner.book.store().count(project).await? >= most {
        let words = format!("project `{}` has {most} clusters, which is the most; delete one first", caller.project_name());
        return Err(Refused::TooMany(words));
    }
    let record = new(caller, name, attributes);
    tracing::info!(cluster.id = %record.id, project.id = %project, "asked for `{name}`");
    match inner.book.insert(record).await? {
        Some(entity) => Ok(Requested::New(inner.show(&entity, &entity.record()))),
        // Two asked at once.
        None => inner.book.find(project, name).await.map(|entity| Requested::Existing(inner.show(&entity, &entity.record()))),
    }
}

fn new(caller: &Caller, name: &str, attributes: BTreeMap<String, String>) -> Record {
    let id = uuid::Uuid::new_v4().to_string();
    Record {
        stack_name: stack::name(name, &id),
        id,
        project_id: caller.project_id().to_owned(),
        project_name: caller.project_name().to_owned(),
        name: name.to_owned(),
        created_s: now_s(),
        updated_s: now_s(),
        revision: 1,
        attributes,
        spec: None,
        phase: Phase::Initialised,
        acknowledged: false,
        wish: Wish::None,
        owner: None,
        stack_id: None,
        region: caller.session.region().to_owned(),
        create_sent_s: None,
        deletes: 0,
        endpoints: BTreeMap::new(),
        stuck: None,
        seen: Seen::default(),
    }
}

/// Takes attributes over those that were given before.
pub(super) async fn update(inner: &Inner, caller: &Caller, name: &str, attributes: Attributes) -> Result<View, Refused> {
    merge(inner, caller, name, attributes, |_| Ok(()), |_| {}).await
}

/// Allowed once, after deploy.
pub(super) async fn provision(inner: &Inner, caller: &Caller, name: &str, attributes: Attributes) -> Result<View, Refused> {
    let allowed = |record: &Record| match record.phase {
        Phase::Deployed => Ok(()),
        Phase::Initialised => Err(Refused::NotApplicable(format!("`{name}` is not deployed yet; deploy it first"))),
        Phase::Provisioned => Err(Refused::NotApplicable(format!("`{name}` is provisioned already"))),
    };
    merge(inner, caller, name, attributes, allowed, |record| record.phase = Phase::Provisioned).await
}

async fn merge(
    inner: &Inner,
    caller: &Caller,
    name: &str,
    attributes: Attributes,
    allowed: impl Fn(&Record) -> Result<(), Refused>,
    also: impl Fn(&mut Record),
) -> Result<View, Refused> {
    let entity = inner.find(caller, name).await?;
    let _turn = entity.turn.lock().await;
    let record = inner.book.refresh(&entity).await?;
    if !record.is_live() {
        // It waited its turn behind a delete.
        return Err(Refused::NotFound(name.to_owned()));
    }
    allowed(&record)?;
    let given = wanted::merge(&record.attributes, attributes, &inner.limits)?;
    if record.wish == Wish::None {
        inner.parse(name, &given)?;
    } else {
        inner.only_foreign(&record, &given)?;
    }
    let change = |record: &mut Record| {
        record.attributes.clone_from(&given);
        also(record);
    };
    let record = inner.book.change(&entity, change).await?;
    Ok(inner.show(&entity, &record))
}
