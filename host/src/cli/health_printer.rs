//! Prints the health of a cluster's services: colour, sentence and how old they are.

use anyhow::Result;

use super::{arguments::format_duration, foreign_text::ForeignText, line_printer::LinePrinter};
use crate::{
    cluster::health::{ComponentHealth, HealthColour, ServiceHealth},
    orchestrator::ClusterView,
    system::clock::unix_now_s,
};

/// A line a service, and below those that are not green on several nodes a line for each of these.
pub(super) fn print_services(out: &mut LinePrinter<'_>, view: &ClusterView) -> Result<()> {
    if view.health.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "health")?;
    let now_s = unix_now_s();
    let names = view.health.iter().map(|service| service.component.len());
    let width = names.max().unwrap_or(0);
    for service in &view.health {
        let told = describe_node(&service.node, &service.worst, now_s);
        let name = &service.component;
        writeln!(out, "  {name:<width$}  {told}{}", describe_rest(service))?;
        for (node, health) in service.ailing().filter(|(node, _)| *node != service.node) {
            let told = describe_node(node, health, now_s);
            writeln!(out, "  {:<width$}  {told}", "")?;
        }
    }
    Ok(())
}

/// The worst service of a list's row, with how many others are not green.
pub(super) fn describe_worst(view: &ClusterView) -> Option<String> {
    let now_s = unix_now_s();
    // Of equals the first.
    let worst = view.health.iter().rev();
    let worst = worst.max_by_key(|service| service.worst.colour)?;
    if worst.worst.colour == HealthColour::Green {
        return Some(worst.worst.colour.as_str().to_owned());
    }
    let is_ailing = |service: &&ServiceHealth| service.worst.colour != HealthColour::Green;
    let more = view.health.iter().filter(is_ailing).count() - 1;
    let more = match more {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let ComponentHealth {
        colour, sentence, ..
    } = &worst.worst;
    let age = age_of(&worst.worst, now_s);
    let (colour, name, node) = (colour.as_str(), &worst.component, &worst.node);
    Some(format!(
        "{colour} {name}: {node}: {sentence}, {age} ago{more}"
    ))
}

/// `red     worker-2: hadoop-datanode is failed, told 2m ago, red for 1h`.
fn describe_node(node: &str, health: &ComponentHealth, now_s: u64) -> String {
    let ComponentHealth {
        colour,
        sentence,
        looked_s,
        since_s,
        jobs: _,
    } = health;
    let (colour, age) = (colour.as_str(), age_of(health, now_s));
    let since = match looked_s == since_s {
        true => String::new(),
        false => {
            let long = format_duration(now_s.saturating_sub(*since_s));
            format!(", {colour} for {long}")
        }
    };
    format!(
        "{colour:<6}  {node}: {}, told {age} ago{since}",
        ForeignText(sentence)
    )
}

/// How many of its nodes are green, where it has several, and how many have said nothing.
fn describe_rest(service: &ServiceHealth) -> String {
    let (members, told) = (service.members, service.nodes.len());
    if members < 2 {
        return String::new();
    }
    let green = told - service.ailing().count();
    let silent = match members.saturating_sub(told) {
        0 => String::new(),
        silent => format!(", {silent} have said nothing yet"),
    };
    format!("; {green} of {members} nodes green{silent}")
}

fn age_of(health: &ComponentHealth, now_s: u64) -> String {
    format_duration(now_s.saturating_sub(health.looked_s))
}
