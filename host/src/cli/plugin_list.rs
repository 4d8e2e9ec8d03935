//! `stampede plugins`: lists frameworks and all attributes, or compiles plugins for an image.

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    arguments::FormatArgs,
    exit_code::CommandExit,
    line_printer::LinePrinter,
    plugins::{PluginArgs, compiled_folder},
    table,
};
use crate::{
    cluster::{
        attribute_schema::{ATTRIBUTES, AttributeSchema},
        framework::PluginDescriptor,
        group_attributes::group_rows,
    },
    orchestrator::planning::cluster_plan::PluginSource as _,
    plugin::{PluginLimits, PluginRegistry},
};

/// List the frameworks and all attributes that a cluster may have
#[derive(Args, Debug)]
pub(super) struct PluginsArgs {
    #[command(flatten)]
    plugins: PluginArgs,
    /// Compile them for every processor of this architecture into the folder `compiled` beside this
    /// program, from which it then starts without compiling or writing: for images
    #[arg(long, conflicts_with = "format")]
    compile: bool,
    #[command(flatten)]
    format: FormatArgs,
}

/// The document of `-f json`.
#[derive(Serialize)]
struct PluginsDocument {
    plugins: Vec<PluginRow>,
    attributes: Vec<AttributeRow>,
    /// Of a contract that clusters cannot be made by yet.
    inspected: Vec<InspectedRow>,
    disabled: Vec<DisabledRow>,
}

/// A plugin.
#[derive(Serialize)]
struct PluginRow {
    name: String,
    versions: Vec<String>,
    requires: Vec<String>,
    provides: Vec<String>,
    description: String,
}

/// A plugin that is looked at and not used yet.
#[derive(Serialize)]
struct InspectedRow {
    name: String,
    contract: String,
    versions: Vec<String>,
    components: Vec<String>,
    description: String,
}

/// An attribute, a plugin's parameters among them.
#[derive(Serialize)]
struct AttributeRow {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    default: String,
    range: String,
    description: String,
}

/// A file that cannot be used.
#[derive(Serialize)]
struct DisabledRow {
    path: String,
    reason: String,
}

/// Lists them, or compiles them.
pub(super) fn run(args: &PluginsArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    if args.compile {
        let into = compiled_folder().context("cannot tell where this program is")?;
        let names =
            PluginRegistry::ship(&args.plugins.find_folder()?, &into, PluginLimits::default())?;
        writeln!(out, "compiled {} into {}", names.join(", "), into.display())?;
        return Ok(CommandExit::Done);
    }
    let document = describe_registry(&args.plugins.load_registry()?);
    if args.format.is_json() {
        out.print_json(&document)?;
    } else {
        print_document(out, document)?;
    }
    Ok(CommandExit::Done)
}

/// What stands for the name of any group in the names of their attributes.
const ANY_GROUP: &str = "<group>";

fn describe_attribute(attribute: &AttributeSchema) -> AttributeRow {
    AttributeRow {
        name: attribute.name.to_string(),
        kind: attribute.type_name().to_owned(),
        default: attribute.default_text(),
        range: attribute.range_text(),
        description: attribute.description.to_string(),
    }
}

fn describe_registry(registry: &PluginRegistry) -> PluginsDocument {
    let descriptors = registry.descriptors();
    let plugin = |descriptor: &&PluginDescriptor| PluginRow {
        name: descriptor.name.clone(),
        versions: descriptor.versions.clone(),
        requires: descriptor.requires.clone(),
        provides: descriptor.provides.clone(),
        description: descriptor.description.clone(),
    };
    let own = ATTRIBUTES.iter().map(describe_attribute);
    let of_groups = group_rows([ANY_GROUP]).map(|row| describe_attribute(&row));
    let theirs = descriptors
        .iter()
        .flat_map(|descriptor| parameters(descriptor));
    let inspected = registry.frameworks().map(|framework| {
        let descriptor = framework.descriptor();
        let components = descriptor.components.iter();
        InspectedRow {
            name: descriptor.name.clone(),
            contract: "0.2.0".to_owned(),
            versions: descriptor.versions.clone(),
            components: components.map(|component| component.name.clone()).collect(),
            description: descriptor.description.clone(),
        }
    });
    let disabled = registry.disabled().iter().map(|disabled| DisabledRow {
        path: disabled.path.display().to_string(),
        reason: disabled.reason.to_string(),
    });
    PluginsDocument {
        plugins: descriptors.iter().map(plugin).collect(),
        attributes: own.chain(of_groups).chain(theirs).collect(),
        inspected: inspected.collect(),
        disabled: disabled.collect(),
    }
}

fn print_document(out: &mut LinePrinter<'_>, document: PluginsDocument) -> Result<()> {
    let plugin = |row: PluginRow| {
        vec![
            row.name,
            row.versions.join(", "),
            row.requires.join(", "),
            row.provides.join(", "),
            row.description,
        ]
    };
    let rows: Vec<_> = document.plugins.into_iter().map(plugin).collect();
    let heads = ["PLUGIN", "VERSIONS", "REQUIRES", "PROVIDES", "WHAT"];
    table::print_table(out, &heads, &rows)?;
    print_inspected(out, document.inspected)?;
    for DisabledRow { path, reason } in &document.disabled {
        writeln!(out, "{path} is disabled: it {reason}")?;
    }
    writeln!(out)?;
    let attribute =
        |row: AttributeRow| vec![row.name, row.kind, row.default, row.range, row.description];
    let rows: Vec<_> = document.attributes.into_iter().map(attribute).collect();
    let heads = ["ATTRIBUTE", "TYPE", "DEFAULT", "RANGE", "WHAT"];
    Ok(table::print_table(out, &heads, &rows)?)
}

fn print_inspected(out: &mut LinePrinter<'_>, inspected: Vec<InspectedRow>) -> Result<()> {
    if inspected.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nNo cluster can be made of these yet:")?;
    let row = |row: InspectedRow| {
        vec![
            row.name,
            row.contract,
            row.versions.join(", "),
            row.components.join(", "),
            row.description,
        ]
    };
    let rows: Vec<_> = inspected.into_iter().map(row).collect();
    let heads = ["PLUGIN", "CONTRACT", "VERSIONS", "COMPONENTS", "WHAT"];
    table::print_table(out, &heads, &rows)?;
    Ok(())
}

fn parameters(descriptor: &PluginDescriptor) -> impl Iterator<Item = AttributeRow> {
    let properties = descriptor
        .parameters
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    properties.map(|(name, schema)| {
        let kind = match schema.get("type") {
            Some(Value::String(kind)) => kind.clone(),
            Some(Value::Array(kinds)) => kinds
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join("|"),
            _ => String::new(),
        };
        let default = match schema.get("default") {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let what = schema
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        AttributeRow {
            name: format!("{}.{name}", descriptor.name),
            kind,
            default,
            range: describe_range(schema),
            description: what.to_owned(),
        }
    })
}

/// What a parameter's schema bounds: `1 to 512`, `up to 5`.
fn describe_range(schema: &Value) -> String {
    let bound = |names: [&str; 3]| {
        names
            .iter()
            .find_map(|name| schema.get(name))
            .map(Value::to_string)
    };
    match (
        bound(["minimum", "minItems", "minLength"]),
        bound(["maximum", "maxItems", "maxLength"]),
        schema.get("enum"),
    ) {
        (_, _, Some(Value::Array(all))) => all
            .iter()
            .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        (Some(least), Some(most), _) => format!("{least} to {most}"),
        (Some(least), None, _) => format!("from {least}"),
        (None, Some(most), _) => format!("up to {most}"),
        (None, None, _) => String::new(),
    }
}
