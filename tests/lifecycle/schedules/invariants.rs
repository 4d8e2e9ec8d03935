//! What holds after every schedule: nothing lost, nothing doubled, no step skipped.

use std::collections::{BTreeMap, BTreeSet};

use stampede::{
    cluster::{Lifecycle, lifecycle::RolloutStatus},
    store::ClusterRecord,
};

use super::{
    cloud_log::{CloudAction, SentStep},
    schedule::{ClientRequest, RunningSchedule},
};

/// All records, read by nobody's gates.
fn records(schedule: &RunningSchedule<'_>) -> Vec<ClusterRecord> {
    schedule.ground.records()
}

/// What there is, for whoever reads a failure.
pub(super) fn describe(schedule: &RunningSchedule<'_>) -> String {
    let records: Vec<String> = records(schedule)
        .iter()
        .map(|record| {
            format!(
                "{} {:?} lease {:?}",
                record.id, record.lifecycle, record.lease
            )
        })
        .collect();
    let log = schedule.cloud.log();
    let log: Vec<String> = log
        .iter()
        .map(|write| match &write.what {
            CloudAction::Update(step) => format!(
                "host {} {} ({}): {} {}",
                write.host, write.stack, write.status, step.generation, step.title
            ),
            other => format!(
                "host {} {} ({}): {other:?}",
                write.host, write.stack, write.status
            ),
        })
        .collect();
    format!(
        "stacks: {:?}\nrecords:\n  {}\nthe cloud was asked:\n  {}",
        schedule.cloud.cloud.stacks(),
        records.join("\n  "),
        log.join("\n  ")
    )
}

fn living(schedule: &RunningSchedule<'_>) -> Vec<String> {
    let stacks = schedule.cloud.cloud.stacks();
    let living = stacks
        .into_iter()
        .filter(|(_, status)| status != "DELETE_COMPLETE");
    living.map(|(name, _)| name).collect()
}

/// Once nothing happens any more.
pub(super) fn check_rest(schedule: &RunningSchedule<'_>) -> Result<(), String> {
    let failed = |why: String| Err(format!("{why}\n{}", describe(schedule)));
    let records = records(schedule);
    let living = living(schedule);
    for stack in &living {
        if !records.iter().any(|record| record.stack_name == *stack) {
            return failed(format!("lost: nobody knows of the stack {stack}"));
        }
    }
    for record in &records {
        match &record.lifecycle {
            Lifecycle::Requested => {}
            Lifecycle::Running {
                rollout: RolloutStatus::AtRest,
                ..
            } if living.contains(&record.stack_name) => {}
            other => return failed(format!("a wish has not come true: {} {other:?}", record.id)),
        }
        if record.lease.is_some() {
            return failed(format!("a lease was not given back: {}", record.id));
        }
    }
    if let Err(why) = check_log(schedule)
        .and_then(|()| check_last_changes(schedule, &records))
        .and_then(|()| check_wishes(schedule, &records))
    {
        return failed(why);
    }
    Ok(())
}

/// Every host shows what the store has.
pub(super) fn check_lists(schedule: &RunningSchedule<'_>) -> Result<(), String> {
    let kept: Vec<String> = records(schedule)
        .iter()
        .filter(|record| record.is_live())
        .map(|record| record.id.clone())
        .collect();
    for answer in schedule.answers.iter().rev().take(2) {
        if answer.asked == ClientRequest::List && answer.listed != kept {
            let why = format!("a host shows {:?}, there is {kept:?}", answer.listed);
            return Err(format!("{why}\n{}", describe(schedule)));
        }
    }
    Ok(())
}

/// After the last delete nothing is left.
pub(super) fn check_end(schedule: &RunningSchedule<'_>) -> Result<(), String> {
    let records = records(schedule);
    if records.is_empty() && living(schedule).is_empty() {
        return check_log(schedule).map_err(|why| format!("{why}\n{}", describe(schedule)));
    }
    Err(format!("leaked: something is left\n{}", describe(schedule)))
}

/// What the cloud was asked for, in the order in which it acted.
fn check_log(schedule: &RunningSchedule<'_>) -> Result<(), String> {
    let mut made = BTreeSet::new();
    let mut last: BTreeMap<String, Box<SentStep>> = BTreeMap::new();
    let mut servers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut deleted = BTreeSet::new();
    for write in schedule.cloud.log() {
        let stack = write.stack;
        match write.what {
            CloudAction::Create(cluster, _) => {
                if !made.insert(cluster) {
                    return Err(format!("doubled: {stack} was created twice"));
                }
            }
            CloudAction::Delete => drop(deleted.insert(stack)),
            CloudAction::Update(_) if deleted.contains(&stack) => {
                return Err(format!("{stack} was changed after its delete"));
            }
            CloudAction::Update(step) => {
                check_step(
                    &stack,
                    last.get(&stack).map(AsRef::as_ref),
                    &step,
                    &write.status,
                )?;
                let before = last.get(&stack).map(AsRef::as_ref);
                check_removal(&stack, servers.get(&stack), before, &step)?;
                servers.insert(stack.clone(), step.servers.clone());
                last.insert(stack, step);
            }
        }
    }
    Ok(())
}

fn check_step(
    stack: &str,
    before: Option<&SentStep>,
    step: &SentStep,
    status: &str,
) -> Result<(), String> {
    let words = format!("{stack}: {} `{}`", step.generation, step.title);
    let Some(before) = before else {
        return if step.generation == step.first {
            Ok(())
        } else {
            Err(format!("skipped: {words} is the first one"))
        };
    };
    if step.generation == before.generation {
        // An answer was lost: the same may be asked for again.
        return if step.template == before.template {
            Ok(())
        } else {
            Err(format!("doubled: {words} was sent with another meaning"))
        };
    }
    if step.generation != before.generation + 1 {
        return Err(format!("skipped: {words} came after {}", before.generation));
    }
    if status.ends_with("_IN_PROGRESS") {
        return Err(format!("{words} came while the stack was {status}"));
    }
    Ok(())
}

/// Whoever is taken away was let go in the step before.
fn check_removal(
    stack: &str,
    before: Option<&Vec<String>>,
    last: Option<&SentStep>,
    step: &SentStep,
) -> Result<(), String> {
    for server in before.into_iter().flatten() {
        let node = server.trim_end_matches("_server").replace('_', "-");
        let is_let_go = last
            .is_some_and(|last| last.leaving.contains(&node) || last.generation == step.generation);
        if !step.servers.contains(server) && !is_let_go {
            return Err(format!(
                "skipped: {stack}: {node} was taken away and never let go"
            ));
        }
    }
    Ok(())
}

/// The last change that the cloud was given is what the cluster is.
fn check_last_changes(
    schedule: &RunningSchedule<'_>,
    records: &[ClusterRecord],
) -> Result<(), String> {
    let log = schedule.cloud.log();
    let steps = || {
        log.iter().filter_map(|write| match &write.what {
            CloudAction::Update(step) => Some((write.stack.as_str(), step)),
            _ => None,
        })
    };
    for record in records {
        let last = steps().rfind(|(stack, _)| *stack == record.stack_name);
        let workers = record
            .spec
            .as_ref()
            .map(|spec| u64::from(spec.groups.get("worker").unwrap().count));
        if let Some((_, step)) = last
            && workers != Some(step.to)
        {
            return Err(format!(
                "lost: {} has {workers:?} workers, the last change leads to {}",
                record.id, step.to
            ));
        }
    }
    Ok(())
}

/// What was accepted has happened, or was followed by something else.
fn check_wishes(schedule: &RunningSchedule<'_>, records: &[ClusterRecord]) -> Result<(), String> {
    let log = schedule.cloud.log();
    let steps = || {
        log.iter().filter_map(|write| match &write.what {
            CloudAction::Update(step) => Some((write.stack.as_str(), step)),
            _ => None,
        })
    };
    for answer in &schedule.answers {
        let Ok(id) = &answer.outcome else { continue };
        match (answer.asked, id) {
            (ClientRequest::Deploy, Some(id)) => {
                let is_made = log.iter().any(
                    |write| matches!(&write.what, CloudAction::Create(cluster, _) if cluster == id),
                );
                let is_gone = !records.iter().any(|record| record.id == *id);
                if !is_made && !is_gone {
                    return Err(format!("lost: the deploy of {id} was accepted"));
                }
            }
            (ClientRequest::Workers(number), Some(id)) => {
                let Some(record) = records.iter().find(|record| record.id == *id) else {
                    continue;
                };
                let is_sent =
                    steps().any(|(stack, step)| stack == record.stack_name && step.to == number);
                // Two are what it is created with; before the deploy it is an attribute.
                let attribute = record.attributes.get("stampede.workers");
                let is_so =
                    number == 2 || attribute.is_some_and(|text| *text == number.to_string());
                let is_overtaken = schedule.answers.iter().any(|other| {
                    matches!(other.asked, ClientRequest::Workers(other) if other != number)
                        && other.outcome.as_ref().ok() == Some(&Some(id.clone()))
                        && other.ended > answer.began
                });
                let is_overtaken = is_overtaken
                    || schedule.cut_off.iter().any(
                        |other| matches!(other, ClientRequest::Workers(other) if *other != number),
                    );
                // It was asked for before the deploy, and has been changed since.
                let is_created = log.iter().any(|write| {
                    matches!(&write.what, CloudAction::Create(cluster, workers)
                        if cluster == id && *workers == number)
                });
                if !is_sent && !is_so && !is_created && !is_overtaken {
                    return Err(format!("lost: {number} workers were accepted for {id}"));
                }
            }
            (ClientRequest::Delete, _) => {
                // It was about a cluster that was there when it was asked for.
                let is_later = |record: &&ClusterRecord| {
                    let first = schedule.answers.iter().find(|other| {
                        other
                            .outcome
                            .as_ref()
                            .is_ok_and(|known| known.as_ref() == Some(&record.id))
                    });
                    first.is_none_or(|first| first.ended > answer.began)
                };
                if let Some(record) = records.iter().find(|record| !is_later(record)) {
                    return Err(format!("lost: the delete of {} was accepted", record.id));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
