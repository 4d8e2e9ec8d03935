//! The scenarios in the order in which they run: cheap refusals first, then clusters.

mod by_hand;
mod compute;
mod deletion;
mod failure;
mod frameworks;
mod full_disk;
mod life_cycle;
mod nodes;
mod owners;
mod page;
mod refusals;
mod service_manager;
mod update;
mod upgrade;
mod validation;
mod voters;
mod way_in;

use std::pin::Pin;

use anyhow::Result;

use crate::TestbedContext;

type Scenario = for<'a> fn(&'a TestbedContext) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Name and scenario: what CI has time for.
pub const ALL: &[(&str, Scenario)] = &[
    (
        "validation: Heat accepts 1, 3 and 250 workers of each framework",
        |testbed| Box::pin(validation::run(testbed)),
    ),
    (
        "refusals: nothing is created, and a message says what to do",
        |testbed| Box::pin(refusals::run(testbed)),
    ),
    (
        "life cycle: OCCI, a late worker, kill -9, reboot, delete",
        |testbed| Box::pin(life_cycle::run(testbed)),
    ),
    (
        "update: more workers and fewer while a job runs",
        |testbed| Box::pin(update::scale(testbed)),
    ),
    (
        "service manager: create to destroyed, a killed host, an emptied store, another project",
        |testbed| Box::pin(service_manager::run(testbed)),
    ),
    (
        "service manager: a mirror that is gone fails the stack in words and ends its polling",
        |testbed| Box::pin(service_manager::fails(testbed)),
    ),
    (
        "by hand: generate, the plain client, the smallest flavor",
        |testbed| Box::pin(by_hand::run(testbed)),
    ),
    (
        "deletion: in the middle of a deployment nothing stays",
        |testbed| Box::pin(deletion::run(testbed)),
    ),
    (
        "command line: deploy, show, delete, with the older Hadoop, Debian 13 and one's own Java",
        |testbed| Box::pin(by_hand::command_line(testbed)),
    ),
    (
        "nodes: TLS of a private authority, names without a name server, Heat away for a minute",
        |testbed| Box::pin(nodes::private_authority(testbed)),
    ),
];

/// Those that take many minutes each: run where a word selects them, and with
/// `tests/run --with-openstack=all`.
pub const LONG: &[(&str, Scenario)] = &[
    (
        "update: other settings, a change that fails, one more after it",
        |testbed| Box::pin(update::settings_and_failure(testbed)),
    ),
    (
        "upgrade: a later frame and a later plugin, one that fails and is taken back",
        |testbed| Box::pin(upgrade::run(testbed)),
    ),
    (
        "by hand: the plain image, whose Java comes from the distribution",
        |testbed| Box::pin(by_hand::plain_image(testbed)),
    ),
    (
        "failure: a wrong checksum fails the stack in words",
        |testbed| Box::pin(failure::wrong_checksum(testbed)),
    ),
    (
        "nodes: a dead name server, an image that is no Debian, a proxy as the only way out",
        |testbed| Box::pin(nodes::odd_surroundings(testbed)),
    ),
    (
        "page: in Chromium, Hadoop and Spark from the form to the end, pictures of each step",
        |testbed| Box::pin(page::run(testbed)),
    ),
    (
        "frameworks: Hadoop, Spark and JupyterLab, nodes that compute alone, health, reboot",
        |testbed| Box::pin(frameworks::together(testbed)),
    ),
    (
        "voters: ZooKeeper and Spark by itself, one killed, one comes, one goes",
        |testbed| Box::pin(voters::run(testbed)),
    ),
    (
        "owners: a reader, a second region, an owner who is removed",
        |testbed| Box::pin(owners::run(testbed)),
    ),
    (
        "nodes: Heat is away for ten minutes while they become ready",
        |testbed| Box::pin(nodes::heat_away(testbed)),
    ),
    (
        "disks: full at setup, before a worker is ready, and while it runs",
        |testbed| Box::pin(full_disk::run(testbed)),
    ),
];
