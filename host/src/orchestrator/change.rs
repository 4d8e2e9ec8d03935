//! What changes the record and nothing in the cloud: a request for an entity, attributes that are
//! only kept.

use std::collections::BTreeMap;

use super::{
    Attributes, Caller, Inner, Refused, Requested, View,
    book::{Entity, now_s},
    stack, wanted,
};
use crate::{
    cluster::{Phase, Wish},
    store::{Record, Seen, Told},
};

/// The entity is there afterwards.
pub(super) async fn request(
    inner: &Inner,
    caller: &Caller,
    name: &str,
    attributes: Attributes,
) -> Result<Requested, Refused> {
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
        let words = format!(
            "project `{}` has {most} clusters, which is the most; delete one first",
            caller.project_name()
        );
        return Err(Refused::TooMany(words));
    }
    let record = new(caller, name, attributes);
    tracing::info!(cluster.id = %record.id, project.id = %project, "asked for `{name}`");
    match inner.book.insert(record).await? {
        Some(entity) => Ok(Requested::New(inner.show(&entity, &entity.record()))),
        // Two asked at once.
        None => inner
            .book
            .find(project, name)
            .await
            .map(|entity| Requested::Existing(inner.show(&entity, &entity.record()))),
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
        brought: BTreeMap::new(),
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
        change: None,
        told: Told::default(),
        setback: None,
        seen: Seen::default(),
    }
}

/// Whether provision is allowed: once, after deploy.
pub(super) fn may_provision(record: &Record) -> Result<(), Refused> {
    let name = &record.name;
    match record.phase {
        Phase::Deployed => Ok(()),
        Phase::Initialised => Err(Refused::NotApplicable(format!(
            "`{name}` is not deployed yet; deploy it first"
        ))),
        Phase::Provisioned => Err(Refused::NotApplicable(format!(
            "`{name}` is provisioned already"
        ))),
    }
}

/// Takes these attributes, which change nothing in the cloud. The caller holds the cluster's turn.
pub(super) async fn keep(
    inner: &Inner,
    entity: &Entity,
    attributes: &BTreeMap<String, String>,
    also: impl Fn(&mut Record),
) -> Result<View, Refused> {
    let change = |record: &mut Record| {
        record.attributes.clone_from(attributes);
        also(record);
    };
    let record = inner.book.change(entity, change).await?;
    Ok(inner.show(entity, &record))
}
