//! Prints what each plugin of the contract 0.2.0 added to a cluster, as tables.

use anyhow::Result;

use super::{
    explain::{print_section, resource_rows, size_rows},
    line_printer::LinePrinter,
};
use crate::{
    cluster::framework_bundle::FrameworkBundle,
    orchestrator::planning::framework_plan::FrameworkPlan,
};

/// Prints tables: resources, files, scripts, what is granted, services, endpoints, sizes.
pub(super) fn print_frameworks(out: &mut LinePrinter<'_>, plan: &FrameworkPlan) -> Result<()> {
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
            format!("{:?}", endpoint.reach).to_lowercase(),
        ]
    };
    part.endpoints.iter().map(row).collect()
}
