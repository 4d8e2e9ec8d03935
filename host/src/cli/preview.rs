//! Prints what an update or a deploy would do, for `--dry-run`: the same request gives the same
//! text.

use std::{collections::BTreeMap, fmt};

use anyhow::Result;

use super::{line_printer::LinePrinter, table};
use crate::cluster::group_value::attribute_of;
use crate::orchestrator::{
    AttributeChange, ChangePreview, DeployPreview, NodeUpdatePreview, QuotaNeed, ResourceChanges,
};

/// Names that a line shows at most.
const MAX_SHOWN: usize = 8;

/// What an update would do.
///
/// # Errors
/// The text cannot be written.
pub fn print_change(out: &mut LinePrinter<'_>, preview: &ChangePreview) -> Result<()> {
    let name = &preview.name;
    match preview.steps.len() {
        0 => writeln!(out, "`{name}`: nothing in the cloud would change")?,
        1 => writeln!(out, "`{name}` would change in 1 step")?,
        steps => writeln!(out, "`{name}` would change in {steps} steps")?,
    }
    if let Some(former) = &preview.former_runs {
        writeln!(out, "such changes took {}", former.sentence())?;
    }
    print_settings(out, "attributes", &preview.attributes)?;
    writeln!(out)?;
    writeln!(out, "nodes")?;
    print_nodes(out, "added", &preview.added)?;
    print_nodes(out, "removed, drained first", &preview.removed)?;
    for update in &preview.notified {
        print_update(out, update)?;
    }
    print_nodes(out, "left alone", &preview.untouched)?;
    if !preview.steps.is_empty() {
        writeln!(out)?;
        writeln!(out, "steps, each when the one before it is done")?;
    }
    for (at, step) in (1..).zip(&preview.steps) {
        let who = listed(&step.nodes);
        let what = if step.nodes.is_empty() {
            "no node is told".to_owned()
        } else if step.stages.is_empty() {
            format!("{who}: nothing runs there")
        } else {
            format!("{who}: runs {}", step.stages.join(", "))
        };
        writeln!(out, "  {at:>2}  {} ({what})", step.title)?;
    }
    if !preview.steps.is_empty() {
        print_resources(out, &preview.resources)?;
    }
    print_quotas(out, preview.quotas.iter().map(quota_line))
}

fn print_update(out: &mut LinePrinter<'_>, update: &NodeUpdatePreview) -> Result<()> {
    if update.files.is_empty() {
        return print_nodes(out, "new variables, nothing restarts", &update.nodes);
    }
    let what = match update.restarts.as_slice() {
        [] => "new files, nothing restarts".to_owned(),
        restarts => format!("new files, {} may restart", listed(restarts)),
    };
    print_nodes(out, &what, &update.nodes)?;
    for file in &update.files {
        writeln!(out, "    {file}")?;
    }
    Ok(())
}

fn print_nodes(out: &mut LinePrinter<'_>, what: &str, nodes: &[String]) -> Result<()> {
    if !nodes.is_empty() {
        writeln!(out, "  {what}: {}", listed(nodes))?;
    }
    Ok(())
}

/// `a, b and 7 more`.
fn listed(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(MAX_SHOWN).map(String::as_str).collect();
    let shown = shown.join(", ");
    match names.len().saturating_sub(MAX_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn print_settings(
    out: &mut LinePrinter<'_>,
    title: &str,
    settings: &[AttributeChange],
) -> Result<()> {
    if settings.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{title}")?;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    for setting in settings {
        let (before, after) = (text(&setting.before), text(&setting.after));
        writeln!(out, "  {}: {before} -> {after}", setting.name)?;
    }
    Ok(())
}

fn print_resources(out: &mut LinePrinter<'_>, changes: &ResourceChanges) -> Result<()> {
    writeln!(out)?;
    writeln!(out, "resources of the stack")?;
    for (what, names) in [
        ("new", &changes.new),
        ("changed", &changes.changed),
        ("deleted", &changes.deleted),
    ] {
        for (kind, names) in names {
            writeln!(out, "  {what} {} {kind}: {}", names.len(), listed(names))?;
        }
    }
    writeln!(out, "  left alone {}", changes.unchanged)?;
    Ok(())
}

/// What is taken of quotas: how much, of what, and how much is free where that is known.
pub(super) fn print_quotas<'a>(
    out: &mut LinePrinter<'_>,
    needs: impl Iterator<Item = (u64, &'a str, Option<u64>)>,
) -> Result<()> {
    for (at, (needed, what, free)) in needs.enumerate() {
        if at == 0 {
            writeln!(out)?;
            writeln!(out, "quota")?;
        }
        let free = free.map_or("no limit is known".to_owned(), |free| {
            format!("{free} are free")
        });
        writeln!(out, "  {needed} {what}, {free}")?;
    }
    Ok(())
}

fn quota_line(need: &QuotaNeed) -> (u64, &str, Option<u64>) {
    (need.needed, need.what, need.free)
}

/// What a deploy would make.
///
/// # Errors
/// The text cannot be written.
pub fn print_deploy(out: &mut LinePrinter<'_>, preview: &DeployPreview) -> Result<()> {
    writeln!(
        out,
        "`{}` would be made in project `{}`, region `{}`",
        preview.name, preview.project, preview.region
    )?;
    writeln!(out)?;
    for (title, version) in &preview.frameworks {
        print_line(out, "framework", format_args!("{title} {version}"))?;
    }
    print_line(out, "image", &preview.image)?;
    for (group, image) in &preview.group_images {
        print_line(out, &attribute_of(group, "image"), image)?;
    }
    print_line(out, "network", &preview.cidr)?;
    let outside = preview.external_network.as_deref().unwrap_or("none");
    print_line(out, "outside", outside)?;
    print_line(out, "floating IPs", preview.floating_ips)?;
    let nodes = format_args!("{} s for the nodes", preview.timeout_s).to_string();
    let minutes = preview.heat_timeout_min;
    print_line(
        out,
        "timeouts",
        format_args!("{nodes}, {minutes} min for Heat"),
    )?;
    if let Some(former) = &preview.former_runs {
        print_line(out, "took", former.sentence())?;
    }
    print_settings(
        out,
        "parameters that are not the default",
        &preview.settings,
    )?;
    writeln!(out)?;
    let rows: Vec<Vec<String>> = preview
        .nodes
        .iter()
        .map(|node| {
            let flavor = &node.flavor;
            let size = [flavor.vcpus, flavor.ram_mib, flavor.disk_gib];
            let size = size.iter().map(u32::to_string);
            [node.name.clone(), flavor.name.clone()]
                .into_iter()
                .chain(size)
                .collect()
        })
        .collect();
    print_nodes_table(out, &rows)?;
    print_counts(out, &preview.resources)?;
    print_quotas(out, preview.quotas.iter().map(quota_line))
}

/// Nodes with their flavors.
pub(super) fn print_nodes_table(out: &mut LinePrinter<'_>, rows: &[Vec<String>]) -> Result<()> {
    let heads = ["NODE", "FLAVOR", "VCPUS", "MIB", "DISK GIB"];
    Ok(table::print_table(out, &heads, rows)?)
}

fn print_line(out: &mut LinePrinter<'_>, name: &str, value: impl fmt::Display) -> Result<()> {
    Ok(writeln!(out, "{name:<12}  {value}")?)
}

/// How many resources of each type.
pub(super) fn print_counts(
    out: &mut LinePrinter<'_>,
    counts: &BTreeMap<String, usize>,
) -> Result<()> {
    let all: usize = counts.values().sum();
    writeln!(out)?;
    writeln!(out, "{all} resources")?;
    for (kind, count) in counts {
        writeln!(out, "  {count} {kind}")?;
    }
    Ok(())
}
