//! `stampede plugins`: lists frameworks and all attributes, or compiles plugins for an image.

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;

use super::{
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::{FormatArgs, ListColumn, print_columns},
    plugins::{PluginArgs, compiled_folder},
    table,
};
use crate::{
    cluster::{
        FrameworkDescriptor, PluginContract,
        attribute_names::{MEMORY_SHARE, MEMORY_SHARE_MEANING},
        attribute_schema::{ATTRIBUTES, AttributeSchema},
        group_attributes::group_rows,
        limits::MAX_MEMORY_SHARE,
        parameter_text,
    },
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
    disabled: Vec<DisabledRow>,
}

/// A plugin.
#[derive(Serialize)]
struct PluginRow {
    name: String,
    contract: String,
    versions: Vec<String>,
    requires: Vec<String>,
    uses: Vec<String>,
    provides: Vec<String>,
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
    if args.format.is_plain_table() {
        print_document(out, document)?;
    } else if args.format.is_whole_document() {
        args.format.print_record(out, &document)?;
    } else {
        let row = |plugin: &PluginRow| serde_json::to_value(plugin);
        args.format
            .print_list(out, &PLUGIN_COLUMNS, false, &document.plugins, row)?;
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
    let plugins = || registry.frameworks().map(|one| one.descriptor());
    let plugin = |plugin: &FrameworkDescriptor| PluginRow {
        name: plugin.name.clone(),
        contract: PluginContract::SPOKEN.to_string(),
        versions: plugin.versions.clone(),
        requires: plugin.requires.clone(),
        uses: plugin.uses.clone(),
        provides: plugin.provides.clone(),
        components: plugin
            .components
            .iter()
            .map(|one| one.name.clone())
            .collect(),
        description: plugin.description.clone(),
    };
    let own = ATTRIBUTES.iter().map(describe_attribute);
    let of_groups = group_rows([ANY_GROUP]).map(|row| describe_attribute(&row));
    let mut attributes: Vec<AttributeRow> = own.chain(of_groups).collect();
    attributes.extend(plugins().flat_map(parameters));
    let disabled = registry.disabled().iter().map(|disabled| DisabledRow {
        path: disabled.path.display().to_string(),
        reason: disabled.reason.to_string(),
    });
    PluginsDocument {
        plugins: plugins().map(plugin).collect(),
        attributes,
        disabled: disabled.collect(),
    }
}

const PLUGIN_COLUMNS: [ListColumn<PluginRow>; 6] = [
    ListColumn::new("PLUGIN", "name", |row| row.name.clone()),
    ListColumn::new("CONTRACT", "contract", |row| row.contract.clone()),
    ListColumn::new("VERSIONS", "versions", |row| row.versions.join(", ")),
    ListColumn::new("REQUIRES", "requires", |row| row.requires.join(", ")),
    ListColumn::new("PROVIDES", "provides", |row| row.provides.join(", ")),
    ListColumn::new("WHAT", "description", |row| row.description.clone()),
];

fn print_document(out: &mut LinePrinter<'_>, document: PluginsDocument) -> Result<()> {
    print_columns(out, &PLUGIN_COLUMNS.each_ref(), &document.plugins)?;
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

fn parameters(plugin: &FrameworkDescriptor) -> impl Iterator<Item = AttributeRow> {
    let framework = &plugin.name;
    let share = plugin.has_memory_share().then(|| AttributeRow {
        name: format!("{framework}.{MEMORY_SHARE}"),
        kind: "integer".to_owned(),
        default: String::new(),
        range: format!("1 to {MAX_MEMORY_SHARE}"),
        description: MEMORY_SHARE_MEANING.to_owned(),
    });
    let parameters = plugin
        .user_parameters()
        .map(move |(name, schema)| AttributeRow {
            name: format!("{framework}.{name}"),
            kind: parameter_text::type_text(schema),
            default: parameter_text::default_text(schema).unwrap_or_default(),
            range: parameter_text::range_text(schema),
            description: parameter_text::description(schema).to_owned(),
        });
    share.into_iter().chain(parameters)
}
