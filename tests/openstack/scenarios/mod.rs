//! What must be seen, in the order in which it is shown: cheap refusals first, then clusters.

mod by_hand;
mod deletion;
mod failure;
mod life_cycle;
mod refusals;
mod service_manager;
mod update;
mod validation;

use std::pin::Pin;

use anyhow::Result;

use crate::TestbedContext;

type Scenario = for<'a> fn(&'a TestbedContext) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Name and scenario.
pub const ALL: &[(&str, Scenario)] = &[
    ("validation: Heat accepts 1, 3 and 250 workers", |rig| {
        Box::pin(validation::run(rig))
    }),
    (
        "refusals: nothing is created, and a message says what to do",
        |rig| Box::pin(refusals::run(rig)),
    ),
    (
        "life cycle: OCCI, a late worker, kill -9, reboot, delete",
        |rig| Box::pin(life_cycle::run(rig)),
    ),
    ("update: more workers and fewer while a job runs", |rig| {
        Box::pin(update::scale(rig))
    }),
    (
        "update: other settings, a change that fails, one more after it",
        |rig| Box::pin(update::settings_and_failure(rig)),
    ),
    (
        "service manager: create to destroyed, a killed host, an emptied store, another project",
        |rig| Box::pin(service_manager::run(rig)),
    ),
    (
        "service manager: a stack that fails ends its polling",
        |rig| Box::pin(service_manager::fails(rig)),
    ),
    (
        "by hand: generate, the plain client, the plain image, the smallest flavor",
        |rig| Box::pin(by_hand::run(rig)),
    ),
    (
        "failure: a wrong checksum fails the stack in words",
        |rig| Box::pin(failure::wrong_checksum(rig)),
    ),
    (
        "failure: a mirror that is gone fails the stack in words",
        |rig| Box::pin(failure::mirror_gone(rig)),
    ),
    (
        "deletion: in the middle of a deployment nothing stays",
        |rig| Box::pin(deletion::run(rig)),
    ),
    (
        "command line: deploy, show, delete, with the older Hadoop",
        |rig| Box::pin(by_hand::command_line(rig)),
    ),
];
