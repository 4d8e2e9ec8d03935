//! Prints what each plugin added to a cluster, as tables.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Map, Value};

use super::{line_printer::LinePrinter, table};
use crate::{
    bundle::{PluginBundle, sizes},
    orchestrator::planning::cluster_plan::ClusterPlan,
};

/// Prints tables: resources, files, scripts, what is taken of the nodes, services, endpoints,
/// sizes.
pub(super) fn print_plan(out: &mut LinePrinter<'_>, plan: &ClusterPlan) -> Result<()> {
    let parts = &plan.bundle.parts;
    print_section(
        out,
        "RESOURCES",
        &["PLUGIN", "TYPE", "COUNT", "SUCH AS"],
        parts
            .iter()
            .flat_map(|part| {
                resource_rows(
                    &part.plugin,
                    part.template.get("resources").and_then(Value::as_object),
                )
            })
            .collect(),
    )?;
    print_section(
        out,
        "FILES ON THE NODES",
        &["PLUGIN", "ROLES", "PATH", "BYTES"],
        parts.iter().flat_map(files).collect(),
    )?;
    print_section(
        out,
        "SCRIPTS",
        &["PLUGIN", "ROLE", "STAGE", "NAME", "LINES"],
        parts.iter().flat_map(scripts).collect(),
    )?;
    print_section(
        out,
        "TAKEN OF EACH NODE",
        &["PLUGIN", "ROLE", "MEMORY MIB", "TCP PORTS"],
        parts.iter().flat_map(shares).collect(),
    )?;
    print_section(
        out,
        "SERVICES",
        &["PLUGIN", "SERVICE", "NODE", "ATTRIBUTES"],
        parts.iter().flat_map(services).collect(),
    )?;
    print_section(
        out,
        "ENDPOINTS",
        &["PLUGIN", "OUTPUT", "ROLE", "URL", "FOR"],
        parts.iter().flat_map(endpoints).collect(),
    )?;
    let sizes = size_rows(&plan.bundle.template, &plan.bundle.files);
    print_section(out, "SIZES", &["WHAT", "IS", "LIMIT"], sizes)
}

pub(super) fn print_section(
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
pub(super) fn resource_rows(
    plugin: &str,
    resources: Option<&Map<String, Value>>,
) -> Vec<Vec<String>> {
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

fn files(part: &PluginBundle) -> Vec<Vec<String>> {
    part.files
        .iter()
        .map(|file| {
            vec![
                part.plugin.clone(),
                file.roles.join(", "),
                file.path.clone(),
                file.content.len().to_string(),
            ]
        })
        .collect()
}

fn scripts(part: &PluginBundle) -> Vec<Vec<String>> {
    let lines = |body: &str| body.lines().count().to_string();
    let row = |script: &crate::bundle::NodeScript| {
        vec![
            part.plugin.clone(),
            script.role.clone(),
            script.stage.as_str().to_owned(),
            script.name.clone(),
            lines(&script.body),
        ]
    };
    part.scripts.iter().map(row).collect()
}

fn shares(part: &PluginBundle) -> Vec<Vec<String>> {
    let ports = |ports: &[u16]| {
        ports
            .iter()
            .map(u16::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    part.taken
        .iter()
        .map(|share| {
            vec![
                part.plugin.clone(),
                share.role.clone(),
                share.memory_mib.to_string(),
                ports(&share.ports),
            ]
        })
        .collect()
}

fn services(part: &PluginBundle) -> Vec<Vec<String>> {
    let attributes = |all: &[(String, String)]| {
        all.iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let row = |service: &crate::cluster::framework::ProvidedService| {
        vec![
            part.plugin.clone(),
            service.name.clone(),
            service.node.clone(),
            attributes(&service.attributes),
        ]
    };
    part.services.iter().map(row).collect()
}

fn endpoints(part: &PluginBundle) -> Vec<Vec<String>> {
    let row = |endpoint: &crate::cluster::framework::FrameworkEndpoint| {
        let url = format!(
            "{}://<{}>:{}{}",
            endpoint.scheme, endpoint.role, endpoint.port, endpoint.path
        );
        let audience = format!("{:?}", endpoint.audience).to_lowercase();
        vec![
            part.plugin.clone(),
            endpoint.name.clone(),
            endpoint.role.clone(),
            url,
            audience,
        ]
    };
    part.endpoints.iter().map(row).collect()
}

/// What is bounded of a stack, and by what.
pub(super) fn size_rows(template: &Value, files: &BTreeMap<String, String>) -> Vec<Vec<String>> {
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
    rows.extend(files.iter().map(|(name, text)| {
        row(
            format!("{name}, bytes"),
            text.len(),
            sizes::MAX_SCRIPT_BYTES,
        )
    }));
    rows
}
