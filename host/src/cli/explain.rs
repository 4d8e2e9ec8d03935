//! Prints what each plugin added to a cluster, as tables.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value};

use super::{line_printer::LinePrinter, table};
use crate::{
    bundle::{node_rest::REST_RESOURCE, node_update::MAX_PARTS, sizes},
    cluster::framework_bundle::FrameworkBundle,
    orchestrator::planning::framework_plan::FrameworkPlan,
};

/// Prints tables: resources, files, scripts, what is granted, services, endpoints, sizes.
pub(super) fn print_plan(out: &mut LinePrinter<'_>, plan: &FrameworkPlan) -> Result<()> {
    let parts = &plan.stack.bundles;
    let resources = |part: &FrameworkBundle| {
        let resources = part.template.get("resources");
        resource_rows(&part.plugin, resources.and_then(|all| all.as_object()))
    };
    print_section(
        out,
        "RESOURCES",
        &["PLUGIN", "TYPE", "COUNT", "SUCH AS"],
        parts.iter().flat_map(resources).collect(),
    )?;
    print_section(
        out,
        "FILES ON THE NODES",
        &["PLUGIN", "COMPONENTS", "GROUPS", "PATH", "BYTES"],
        parts.iter().flat_map(files).collect(),
    )?;
    print_section(
        out,
        "SCRIPTS",
        &["PLUGIN", "COMPONENT", "STAGE", "LINES"],
        parts.iter().flat_map(scripts).collect(),
    )?;
    print_section(
        out,
        "GRANTED OF EACH NODE",
        &["PLUGIN", "COMPONENT", "GROUP", "MEMORY MIB"],
        grants(plan),
    )?;
    print_section(
        out,
        "SERVICES",
        &["PLUGIN", "SERVICE", "ATTRIBUTES"],
        parts.iter().flat_map(services).collect(),
    )?;
    print_section(
        out,
        "ENDPOINTS",
        &["PLUGIN", "OUTPUT", "COMPONENT", "URL", "REACH"],
        parts.iter().flat_map(endpoints).collect(),
    )?;
    let sizes = size_rows(&plan.stack.template, &plan.stack.files);
    print_section(out, "SIZES", &["WHAT", "IS", "LIMIT"], sizes)
}

fn print_section(
    out: &mut LinePrinter<'_>,
    title: &str,
    heads: &[&str],
    rows: Vec<Vec<String>>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    writeln!(out, "{title}")?;
    Ok(table::print_table(out, heads, &rows)?)
}

/// One row for each type of a plugin's resources.
fn resource_rows(plugin: &str, resources: Option<&Map<String, Value>>) -> Vec<Vec<String>> {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, body) in resources.into_iter().flatten() {
        kinds
            .entry(body.get("type").and_then(Value::as_str).unwrap_or_default())
            .or_default()
            .push(name);
    }
    let row = |(kind, names): (&str, Vec<&str>)| {
        let such: Vec<&str> = names.iter().take(2).copied().collect();
        let more = if names.len() > such.len() {
            ", ..."
        } else {
            ""
        };
        vec![
            plugin.to_owned(),
            kind.to_owned(),
            names.len().to_string(),
            such.join(", ") + more,
        ]
    };
    kinds.into_iter().map(row).collect()
}

fn files(part: &FrameworkBundle) -> Vec<Vec<String>> {
    let row = |file: &crate::cluster::framework_bundle::ConfigFile| {
        vec![
            part.plugin.clone(),
            file.components.join(", "),
            file.groups.join(", "),
            file.path.clone(),
            file.content.len().to_string(),
        ]
    };
    part.files.iter().map(row).collect()
}

fn scripts(part: &FrameworkBundle) -> Vec<Vec<String>> {
    let row = |script: &crate::cluster::framework_bundle::ComponentScript| {
        vec![
            part.plugin.clone(),
            script.component.clone(),
            script.stage.as_str().to_owned(),
            script.body.lines().count().to_string(),
        ]
    };
    part.scripts.iter().map(row).collect()
}

fn grants(plan: &FrameworkPlan) -> Vec<Vec<String>> {
    let of_plugins = plan.stack.bundles.iter().filter_map(|part| {
        let grants = plan.grants.get(&part.plugin)?;
        Some(grants.iter().map(|grant| {
            vec![
                part.plugin.clone(),
                grant.component.clone(),
                grant.group.clone(),
                grant.memory_mib.to_string(),
            ]
        }))
    });
    of_plugins.flatten().collect()
}

fn services(part: &FrameworkBundle) -> Vec<Vec<String>> {
    let row = |service: &crate::cluster::framework_request::FrameworkService| {
        let attributes = service.attributes.iter();
        let attributes = attributes.map(|(name, value)| format!("{name}={value}"));
        vec![
            part.plugin.clone(),
            service.name.clone(),
            attributes.collect::<Vec<_>>().join(" "),
        ]
    };
    part.services.iter().map(row).collect()
}

fn endpoints(part: &FrameworkBundle) -> Vec<Vec<String>> {
    let row = |endpoint: &crate::cluster::framework_bundle::ComponentEndpoint| {
        let (scheme, component) = (&endpoint.scheme, &endpoint.component);
        vec![
            part.plugin.clone(),
            endpoint.name.clone(),
            component.clone(),
            format!(
                "{scheme}://<{component}>:{}{}",
                endpoint.port, endpoint.path
            ),
            endpoint.reach.as_str().to_owned(),
        ]
    };
    part.endpoints.iter().map(row).collect()
}

/// What is bounded of a stack, and by what.
fn size_rows(template: &Value, files: &BTreeMap<String, String>) -> Vec<Vec<String>> {
    let row = |what: String, is: usize, limit: usize| vec![what, is.to_string(), limit.to_string()];
    let resources = template
        .get("resources")
        .and_then(Value::as_object)
        .map_or(0, serde_json::Map::len);
    let mut rows = vec![
        row(
            "template, bytes".to_owned(),
            template.to_string().len(),
            sizes::MAX_TEMPLATE_BYTES,
        ),
        row("resources".to_owned(), resources, sizes::MAX_RESOURCES),
    ];
    let rests = template.get("resources").and_then(Value::as_object);
    let rests = rests.into_iter().flatten();
    let rests = rests.filter(|(name, _)| name.starts_with(REST_RESOURCE));
    rows.extend(rests.map(|(name, rest)| {
        let values = rest.pointer("/properties/value").and_then(Value::as_object);
        row(
            format!("{name}, values of metadata"),
            values.map_or(0, serde_json::Map::len),
            MAX_PARTS,
        )
    }));
    rows.extend(files.iter().map(|(name, text)| {
        row(
            format!("{name}, bytes"),
            text.len(),
            sizes::MAX_SCRIPT_BYTES,
        )
    }));
    rows
}
