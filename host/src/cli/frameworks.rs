//! `stampede frameworks`: which frameworks clusters can run, by this program's plugins or a host's.

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{
    cloud::CloudArgs,
    exit_code::CommandExit,
    line_printer::LinePrinter,
    output_format::{FormatArgs, ListColumn},
    server_mode::ServerHost,
};
use crate::cluster::{FrameworkDescriptor, framework::CLUSTER};

/// List the frameworks that clusters can run; with --server those of the host
///
/// `stampede plugins` has this program's own with all their attributes.
#[derive(Args, Debug)]
pub(super) struct FrameworksArgs {
    /// With more columns: what they need of others, take and bring
    #[arg(long)]
    long: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    cloud: CloudArgs,
}

/// A framework; the JSON API has these fields and more.
#[derive(Deserialize, Serialize)]
struct FrameworkRow {
    name: String,
    title: String,
    versions: Vec<String>,
    requires: Vec<String>,
    uses: Vec<String>,
    provides: Vec<String>,
    description: String,
}

/// What a host answers.
#[derive(Deserialize)]
struct FrameworksTold {
    frameworks: Vec<FrameworkRow>,
}

impl From<&FrameworkDescriptor> for FrameworkRow {
    fn from(framework: &FrameworkDescriptor) -> Self {
        Self {
            name: framework.name.clone(),
            title: framework.title.clone(),
            versions: framework.versions.clone(),
            requires: framework.requires.clone(),
            uses: framework.uses.clone(),
            provides: framework.provides.clone(),
            description: framework.description.clone(),
        }
    }
}

const COLUMNS: [ListColumn<FrameworkRow>; 7] = [
    ListColumn::new("NAME", "name", |row| row.name.clone()),
    ListColumn::new("TITLE", "title", |row| row.title.clone()),
    ListColumn::new("VERSIONS", "versions", |row| row.versions.join(", ")),
    ListColumn::long("REQUIRES", "requires", |row| row.requires.join(", ")),
    ListColumn::long("USES", "uses", |row| row.uses.join(", ")),
    ListColumn::long("PROVIDES", "provides", |row| row.provides.join(", ")),
    ListColumn::new("WHAT", "description", |row| row.description.clone()),
];

/// Lists them.
pub(super) async fn run(args: &FrameworksArgs, out: &mut LinePrinter<'_>) -> Result<CommandExit> {
    let rows = match args.cloud.server() {
        Some(url) => {
            let login = args.cloud.log_in().await?;
            let host = ServerHost::new(url, login, args.cloud.data_dir()?)?;
            let told: FrameworksTold = host.read(&["frameworks"]).await?;
            told.frameworks
        }
        None => {
            let registry = args.cloud.plugins().load_registry()?;
            let all = registry.frameworks().map(|one| one.descriptor());
            let all = all.filter(|one| one.name != CLUSTER);
            all.map(FrameworkRow::from).collect()
        }
    };
    let document = |row: &FrameworkRow| serde_json::to_value(row);
    args.format
        .print_list(out, &COLUMNS, args.long, &rows, document)?;
    Ok(CommandExit::Done)
}
