//! Update: takes attributes over those that were given before, and begins the change that they mean for a running cluster.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Attributes, Caller, Inner, Refused, View, book::Entity, change, choose, deploy, facts, look, quota, reconcile, rollout, steps, wanted,
};
use crate::{
    cluster::{Change, Phase, Problem, Spec, Wish, attributes, limits::MAX_WORKER_ID},
    store::Record,
};

/// The attribute that names the workers to take away. It is used up by the update that bears it.
const REMOVE: &str = "workers.remove";
/// Attributes of Stampede's own that a running cluster can be changed in.
const CHANGEABLE: [&str; 4] = ["workers", "mirror", "proxy", "network.access"];
/// The keyword of a parameter's schema that says that it is fixed with the cluster.
const FIXED: &str = "x-stampede-fixed";

/// Which of OCCI's verbs brings the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// POST without an action.
    Update,
    /// The last step of hurtle's life cycle: allowed once, after deploy.
    Provision,
}

/// Takes attributes over those that were given before. Of a running cluster, begins the change and returns.
pub(super) async fn update(inner: Arc<Inner>, caller: Caller, name: String, given: Attributes, verb: Verb) -> Result<View, Refused> {
    let entity = inner.find(&caller, &name).await?;
    let turn = entity.turn.lock().await;
    let record = inner.book.refresh(&entity).await?;
    if !record.is_live() {
        // It waited its turn behind a delete.
        return Err(Refused::NotFound(name));
    }
    if verb == Verb::Provision {
        change::may_provision(&record)?;
    }
    let provisioned = |record: &mut Record| {
        if verb == Verb::Provision {
            record.phase = Phase::Provisioned;
        }
    };
    let (remove, given): (Attributes, Attributes) = given.into_iter().partition(|(name, _)| is_remove(name));
    let remove: Vec<String> = remove.last().map(|(_, value)| words(value)).unwrap_or_default();
    let counted = given.iter().any(|(name, _)| name.strip_prefix(attributes::PREFIX) == Some("workers"));
    let merged = wanted::merge(&record.attributes, given.clone(), &inner.limits)?;
    if record.wish == Wish::None {
        if !remove.is_empty() {
            return Err(invalid(REMOVE, "the cluster is not deployed yet, it has no workers", "set how many with `workers`"));
        }
        inner.parse(&name, &merged)?;
        return change::keep(&inner, &entity, &merged, provisioned).await;
    }
    if let Some(change) = record.change.as_ref().filter(|_| record.stuck.is_none()) {
        return during(&inner, &entity, &record, change, given, &remove).await;
    }
    let Some(from) = record.spec.clone() else {
        return Err(Refused::Internal(format!("the record of `{name}` holds no plan; delete the cluster")));
    };
    let mut to = wanted_spec(&inner, &record, &from, &merged)?;
    let mut merged = merged;
    to = with_workers(&from, to, &remove, counted)?;
    if !remove.is_empty() {
        merged.insert(format!("{}workers", attributes::PREFIX), to.workers.to_string());
    }
    if same(&from, &to) {
        return change::keep(&inner, &entity, &merged, provisioned).await;
    }
    drop(turn);
    look::look(&inner, &entity, &caller.session, inner.limits.observe_every).await;
    let _turn = entity.turn.lock().await;
    let record = inner.book.refresh(&entity).await?;
    at_rest(&record)?;
    let change = plan(&inner, &caller, &record, &from, to, merged).await?;
    begin(&inner, &caller, &entity, change).await?;
    let record = inner.book.change(&entity, provisioned).await?;
    Ok(inner.show(&entity, &record))
}

fn is_remove(name: &str) -> bool {
    name.strip_prefix(attributes::PREFIX) == Some(REMOVE)
}

fn words(text: &str) -> Vec<String> {
    text.split([',', ' ']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn invalid(path: &str, message: &str, hint: &str) -> Refused {
    Refused::Invalid(vec![Problem::new(path, message, hint)])
}

/// While a change is under way only attributes that are not ours may change; the same wish once more is answered once more.
async fn during(
    inner: &Inner,
    entity: &Entity,
    record: &Record,
    change: &Change,
    given: Attributes,
    remove: &[String],
) -> Result<View, Refused> {
    let merged = wanted::merge(&change.attributes, given.clone(), &inner.limits)?;
    let (before, after) = (inner.parse(&record.name, &change.attributes)?, inner.parse(&record.name, &merged)?);
    if !attributes::changed(&before, &after).is_empty() || !remove.is_empty() {
        at_rest(record)?;
    }
    let foreign: Attributes = given.into_iter().filter(|(name, _)| !name.starts_with(attributes::PREFIX)).collect();
    let kept = wanted::merge(&record.attributes, foreign, &inner.limits)?;
    change::keep(inner, entity, &kept, |record| {
        if let Some(change) = &mut record.change {
            change.attributes.clone_from(&merged);
        }
    })
    .await
}

/// What the cluster is to be: what was deployed, with what the request changes. What cannot be changed is refused, each by its name.
fn wanted_spec(inner: &Inner, record: &Record, from: &Spec, given: &BTreeMap<String, String>) -> Result<Spec, Refused> {
    let (before, after) = (inner.parse(&record.name, &record.attributes)?, inner.parse(&record.name, given)?);
    let changed = attributes::changed(&before, &after);
    let fixed: Vec<String> = changed.iter().filter(|name| !is_changeable(inner, name)).cloned().collect();
    if !fixed.is_empty() {
        let problem =
            |name: String| Problem::new(name, "cannot be changed in a running cluster", "leave it as it is, or deploy a new cluster");
        return Err(Refused::Invalid(fixed.into_iter().map(problem).collect()));
    }
    let mut to = from.clone();
    to.settings = after.settings;
    for name in &changed {
        match name.as_str() {
            "workers" => to.workers = after.workers,
            "mirror" => to.mirror.clone_from(&after.mirror),
            "proxy" => to.proxy.clone_from(&after.proxy),
            "network.access" => to.access.clone_from(&after.access),
            _ => {}
        }
    }
    Ok(to)
}

fn is_changeable(inner: &Inner, name: &str) -> bool {
    if CHANGEABLE.contains(&name) {
        return true;
    }
    let Some((plugin, parameter)) = name.split_once('.') else { return false };
    let descriptors = inner.planner.descriptors();
    let schema = descriptors.iter().find(|descriptor| descriptor.name == plugin).map(|descriptor| &descriptor.parameters);
    let schema = schema.and_then(|schema| schema.get("properties")?.get(parameter));
    schema.is_some_and(|schema| schema.get(FIXED).and_then(serde_json::Value::as_bool) != Some(true))
}

/// Which workers there are to be: those named go, or the last ones; new ones get ids that nobody has had.
fn with_workers(from: &Spec, to: Spec, remove: &[String], counted: bool) -> Result<Spec, Refused> {
    let mut ids = from.ids();
    for name in remove {
        let id = name.strip_prefix("worker-").and_then(|id| id.parse::<u32>().ok());
        let Some(at) = id.and_then(|id| ids.iter().position(|there| *there == id)) else {
            let there = ids.iter().take(8).map(|id| steps::worker(*id)).collect::<Vec<_>>().join(", ");
            return Err(invalid(REMOVE, &format!("there is no worker `{name}`"), &format!("there are: {there}")));
        };
        ids.remove(at);
    }
    let wanted = if remove.is_empty() || counted && to.workers != from.workers { to.workers as usize } else { ids.len() };
    if !remove.is_empty() && wanted != ids.len() {
        let message = format!("{} workers are asked for, and {} are left without those named", wanted, ids.len());
        return Err(invalid("workers", &message, "leave `workers` out, or let both say the same"));
    }
    if ids.is_empty() {
        return Err(invalid(REMOVE, "no worker would be left", "delete the cluster instead"));
    }
    ids.truncate(wanted);
    let mut last = from.last_id();
    while ids.len() < wanted {
        last += 1;
        ids.push(last);
    }
    if last > MAX_WORKER_ID {
        let hint = "ids are never given out twice: deploy a new cluster";
        return Err(invalid(
            "workers",
            &format!("worker-{last} would be the first above worker-{MAX_WORKER_ID}, the last one there can be"),
            hint,
        ));
    }
    let same = ids == from.ids();
    Ok(if same {
        Spec { workers: from.workers, ..to }
    } else {
        Spec { worker_ids: from.worker_ids.clone(), ids_given: from.last_id(), ..to }.with_ids(ids)
    })
}

fn same(from: &Spec, to: &Spec) -> bool {
    let (one, other) = (attributes::render(from), attributes::render(to));
    one == other && from.ids() == to.ids()
}

/// Whether the cluster can be changed now, and its nodes told.
fn at_rest(record: &Record) -> Result<(), Refused> {
    let name = &record.name;
    if record.wish == Wish::None || record.phase == Phase::Initialised {
        return Err(Refused::NotApplicable(format!("`{name}` is not deployed yet; deploy it first")));
    }
    if let Some(why) = &record.stuck {
        return Err(Refused::Conflict(format!("`{name}` cannot be changed: {why}")));
    }
    if let Some(change) = &record.change {
        let title = change.step().map_or("ending", |step| &step.title);
        return Err(Refused::Conflict(format!("a change of `{name}` is under way ({title}); wait for its end")));
    }
    let status = record.seen.status.as_deref().unwrap_or("not created yet");
    if !status.ends_with("_COMPLETE") || status.starts_with("DELETE") || status.starts_with("SUSPEND") || record.seen.gone {
        let hint = if status.ends_with("_IN_PROGRESS") { "wait until it is complete" } else { "a cluster that failed can only be deleted" };
        return Err(Refused::NotApplicable(format!("`{name}` is {status}; {hint}")));
    }
    if record.told.transport != facts::SIGNAL_TRANSPORT {
        let words = "its nodes were given a way to signal that has ended, so that they cannot be told of a change; deploy a new cluster";
        return Err(Refused::NotApplicable(format!("`{name}`: {words}")));
    }
    if let Some(node) = record.seen.deaf.first() {
        let words = format!("{node} sees no metadata service, the only way to tell a running node of a change; deploy a new cluster");
        return Err(Refused::NotApplicable(words));
    }
    Ok(())
}

/// Plans every step, checks all with the plugins, the cloud and the limits; nothing is touched.
async fn plan(
    inner: &Inner,
    caller: &Caller,
    record: &Record,
    from: &Spec,
    to: Spec,
    attributes: BTreeMap<String, String>,
) -> Result<Change, Refused> {
    let session = &caller.session;
    let smallest = inner.planner.smallest(&to).map_err(Refused::Invalid)?;
    let cloud = facts::look_up(session, &to).await?;
    choose::choose(&to, &cloud, &smallest).map_err(Refused::Invalid)?;
    let chosen = deploy::chosen(&to, &cloud)?;
    let planned = inner.planner.plan(&to, &chosen).await.map_err(Refused::Invalid)?;
    let before = inner.planner.plan(from, &chosen).await.map_err(Refused::Invalid)?;
    replaced(&before.template, &planned.template, &attributes::changed(from, &to))?;
    let joining = to.ids().iter().filter(|id| !from.ids().contains(id)).count();
    let joining = u32::try_from(joining).unwrap_or(u32::MAX);
    let mut quotas = cloud.quotas;
    if joining > 0 && quota::has_volumes(&planned.template) {
        (quotas.volumes, quotas.volume_gib) = facts::volumes(session).await?;
    }
    let problems = quota::check_added(&before.template, &planned.template, joining, &chosen, &quotas, &to);
    if !problems.is_empty() {
        return Err(Refused::Invalid(problems));
    }
    let installed = planned.installed();
    let steps = steps::steps(from, &to, &record.told.installed, &installed, record.told.generation + 1);
    let added = to.ids().into_iter().filter(|id| !from.ids().contains(id)).collect();
    let change = Change {
        attributes,
        to,
        installed,
        endpoints: planned.endpoints,
        steps,
        at: 0,
        sent_s: None,
        touched: Vec::new(),
        added,
        undone: None,
    };
    rollout::check(inner, session, record, from, &change).await?;
    Ok(change)
}

/// A resource that is there before and after and is not the same would be replaced or changed under the feet of those who use it. Servers differ in
/// what they boot with, which Heat leaves alone; the wait condition counts.
fn replaced(before: &serde_json::Value, after: &serde_json::Value, changed: &[String]) -> Result<(), Refused> {
    let of = |template: &serde_json::Value| template.get("resources").and_then(|all| all.as_object()).cloned().unwrap_or_default();
    let (before, after) = (of(before), of(after));
    let unlike = |name: &String, body: &serde_json::Value| {
        let kind = body.get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        let may = matches!(kind, "OS::Heat::WaitCondition" | "OS::Neutron::SecurityGroupRule");
        !may && after.get(name).is_some_and(|other| other != body)
    };
    let names: Vec<String> = before.iter().filter(|(name, body)| unlike(name, body)).map(|(name, _)| name.clone()).collect();
    let Some(first) = names.first() else { return Ok(()) };
    let message = format!("cannot be changed in a running cluster: `{first}` in the cloud would be another one");
    let problem = |path: &String| Problem::new(path.clone(), message.clone(), "leave it as it is, or deploy a new cluster");
    Err(Refused::Invalid(changed.iter().filter(|name| *name != "workers").map(problem).collect()))
}

/// Records the change and gives Heat its first step; what Heat refuses is as if it had never been asked for.
async fn begin(inner: &Arc<Inner>, caller: &Caller, entity: &Arc<Entity>, change: Change) -> Result<(), Refused> {
    let record = |record: &mut Record| {
        record.change = Some(change.clone());
        record.owner = Some(caller.user_id().to_owned());
        record.setback = None;
    };
    let kept = inner.book.change(entity, record).await?;
    tracing::info!(cluster.id = %kept.id, "`{}` is to change in {} steps", kept.name, change.steps.len());
    match rollout::send(inner, entity, &caller.session).await {
        // Whether Heat has it is found out in the background.
        Ok(_) | Err(Refused::Cloud(_) | Refused::Busy { .. }) => {}
        Err(error) => {
            inner.book.change(entity, |record| record.change = None).await?;
            return Err(error);
        }
    }
    reconcile::follow(inner, entity);
    Ok(())
}
