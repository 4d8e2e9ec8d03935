//! `stampede plugins`: lists frameworks and attributes. Also finds and loads plugins and an
//! operator's defaults, for every command that needs them.

use std::{
    env,
    ffi::OsString,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::Value;

use super::{UsageError, table};
use crate::{
    cluster::{
        AttributeNames, ClusterSpec, OperatorDefaults, Problem, attribute_names::PREFIX,
        attribute_schema::ATTRIBUTES, attributes, defaults::VARIABLE_PREFIX,
        framework::PluginDescriptor,
    },
    metrics::HostMetrics,
    orchestrator::{
        ClusterPlanner,
        planning::cluster_plan::{PluginSource as _, plugin_planner::PluginPlanner},
    },
    plugin::{CompiledSources, PluginLimits, PluginRegistry},
    system::environment::{read_all, read_path},
};

/// Where the distribution's package puts plugins.
const SYSTEM_PLUGINS: &str = "/usr/share/stampede/plugins";
/// The folder beside the program that holds plugins compiled for it.
const SHIPPED: &str = "compiled";

/// Where plugins are, and what the operator has set.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct PluginArgs {
    /// Folder of the plugins [default: plugins beside the program or one above it, else
    /// /usr/share/stampede/plugins]
    #[arg(long, env = "STAMPEDE_PLUGINS", value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// Folder for compiled plugins [default: $XDG_CACHE_HOME/stampede]
    #[arg(long, env = "STAMPEDE_CACHE", value_name = "DIR")]
    cache: Option<PathBuf>,
    /// TOML file with defaults of attributes; variables such as STAMPEDE_DEFAULT_WORKER_FLAVOR win
    /// over it
    #[arg(long, env = "STAMPEDE_DEFAULTS", value_name = "FILE")]
    defaults: Option<PathBuf>,
}

impl PluginArgs {
    /// The plugins and the defaults, for an orchestrator; calls of plugins are recorded there.
    pub(crate) async fn load(
        &self,
        metrics: &Arc<HostMetrics>,
    ) -> Result<(Arc<dyn ClusterPlanner>, OperatorDefaults)> {
        let args = self.clone();
        // On a thread of its own: compiling takes seconds, and a signal must not wait for it.
        let registry = tokio::task::spawn_blocking(move || args.load_registry()).await??;
        registry.record_calls(Arc::clone(metrics));
        let defaults = self.defaults(&AttributeNames::from_descriptors(registry.descriptors()))?;
        Ok((Arc::new(PluginPlanner(registry)), defaults))
    }

    /// As [`Self::load`], for a service: what is wrong with its operator's defaults is told at its
    /// start, not to each of its users.
    pub(super) async fn load_checked(
        &self,
        metrics: &Arc<HostMetrics>,
    ) -> Result<(Arc<dyn ClusterPlanner>, OperatorDefaults)> {
        let (planner, defaults) = self.load(metrics).await?;
        let problems = find_unusable_defaults(planner.as_ref(), &defaults);
        if problems.is_empty() {
            Ok((planner, defaults))
        } else {
            Err(UsageError(problems).into())
        }
    }

    /// The plugins. Blocks: milliseconds once they are compiled.
    pub(super) fn load_registry(&self) -> Result<PluginRegistry> {
        let dir = self.find_folder()?;
        let (shipped, cache) = (compiled_folder(), self.cache.clone().or_else(default_cache));
        Ok(PluginRegistry::load_compiled(
            &dir,
            CompiledSources {
                shipped: shipped.as_deref(),
                cache: cache.as_deref(),
            },
            PluginLimits::default(),
        )?)
    }

    /// The operator's defaults, whose names must be attributes.
    pub(super) fn defaults(&self, words: &AttributeNames) -> Result<OperatorDefaults> {
        let file = match &self.defaults {
            None => OperatorDefaults::default(),
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("cannot read the defaults `{}`", path.display()))?;
                OperatorDefaults::from_toml(&text).map_err(|problem| UsageError(vec![problem]))?
            }
        };
        let defaults =
            OperatorDefaults::from_variables(default_variables(read_all())?, words).over(file);
        let problems = defaults.check_names(words);
        if problems.is_empty() {
            Ok(defaults)
        } else {
            Err(UsageError(problems).into())
        }
    }

    fn find_folder(&self) -> Result<PathBuf> {
        if let Some(dir) = &self.plugins {
            return Ok(dir.clone());
        }
        let program = env::current_exe()
            .context("cannot tell where this program is; name the plugins' folder by --plugins")?;
        let beside = program.parent().map(|dir| dir.join("plugins"));
        let above = program
            .parent()
            .and_then(Path::parent)
            .map(|dir| dir.join("plugins"));
        let places: Vec<PathBuf> = [beside, above, Some(SYSTEM_PLUGINS.into())]
            .into_iter()
            .flatten()
            .collect();
        match places.iter().find(|dir| dir.is_dir()) {
            Some(dir) => Ok(dir.clone()),
            None => {
                let places: Vec<String> =
                    places.iter().map(|dir| dir.display().to_string()).collect();
                bail!(
                    "there are no plugins in {}; build them with tests/build, or name their folder by --plugins",
                    places.join(", ")
                )
            }
        }
    }
}

/// The defaults that no request is served with, unless it overrides them: tried with no attribute,
/// and with each framework alone.
fn find_unusable_defaults(
    planner: &dyn ClusterPlanner,
    defaults: &OperatorDefaults,
) -> Vec<Problem> {
    let words = AttributeNames::from_descriptors(planner.descriptors());
    let alone = words
        .frameworks()
        .map(|framework| Some(framework.to_owned()));
    let mut problems: Vec<Problem> = Vec::new();
    for framework in std::iter::once(None).chain(alone) {
        let given: Vec<(String, String)> = framework
            .iter()
            .map(|name| (format!("{PREFIX}framework"), name.clone()))
            .collect();
        let checked = |spec: ClusterSpec| match planner.order_plugins(&spec) {
            Ok(chain) => planner.check_settings(&spec, &chain),
            Err(problems) => problems,
        };
        let found = attributes::parse("check", &given, defaults, &words)
            .map_or_else(|found| found, checked);
        // What one framework lacks without another is no fault of the defaults.
        let is_theirs = |problem: &Problem| {
            defaults.is_about(&problem.path) && (framework.is_none() || problem.path != "framework")
        };
        for problem in found.into_iter().filter(is_theirs) {
            let told = Problem {
                message: format!("its default cannot be used: {}", problem.message),
                ..problem
            };
            if !problems.contains(&told) {
                problems.push(told);
            }
        }
    }
    problems
}

/// Those that set defaults, as texts.
fn default_variables(
    all: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, UsageError> {
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in all {
        let told = name.to_string_lossy().into_owned();
        match (name.into_string(), value.into_string()) {
            _ if !told.starts_with(VARIABLE_PREFIX) => {}
            (Ok(name), Ok(value)) => variables.push((name, value)),
            _ => problems.push(Problem::new(told, "is not UTF-8", "write it in UTF-8")),
        }
    }
    if problems.is_empty() {
        Ok(variables)
    } else {
        Err(UsageError(problems))
    }
}

fn compiled_folder() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.join(SHIPPED))
}

fn default_cache() -> Option<PathBuf> {
    read_path("XDG_CACHE_HOME")
        .or_else(|| Some(read_path("HOME")?.join(".cache")))
        .map(|dir| dir.join("stampede"))
}

/// List the frameworks and all attributes that a cluster may have
#[derive(Args, Debug)]
pub(super) struct PluginsArgs {
    #[command(flatten)]
    plugins: PluginArgs,
    /// Compile them for every processor of this architecture into the folder `compiled` beside this
    /// program, from which it then starts without compiling or writing: for images
    #[arg(long)]
    compile: bool,
}

/// Lists them, or compiles them.
pub(super) fn run(args: &PluginsArgs, out: &mut dyn Write) -> Result<ExitCode> {
    if args.compile {
        let into = compiled_folder().context("cannot tell where this program is")?;
        let names =
            PluginRegistry::ship(&args.plugins.find_folder()?, &into, PluginLimits::default())?;
        writeln!(out, "compiled {} into {}", names.join(", "), into.display())?;
        return Ok(ExitCode::SUCCESS);
    }
    let registry = args.plugins.load_registry()?;
    let descriptors = registry.descriptors();
    print_frameworks(out, &descriptors)?;
    for disabled in registry.disabled() {
        writeln!(
            out,
            "{} is disabled: it {}",
            disabled.path.display(),
            disabled.reason
        )?;
    }
    writeln!(out)?;
    let own = ATTRIBUTES.iter().map(|attribute| {
        vec![
            attribute.name.to_owned(),
            attribute.type_name().to_owned(),
            attribute.default_text(),
            attribute.range_text(),
            attribute.description.to_owned(),
        ]
    });
    let rows: Vec<Vec<String>> = own
        .chain(
            descriptors
                .iter()
                .flat_map(|descriptor| parameters(descriptor)),
        )
        .collect();
    table::print_table(
        out,
        &["ATTRIBUTE", "TYPE", "DEFAULT", "RANGE", "WHAT"],
        &rows,
    )?;
    Ok(ExitCode::SUCCESS)
}

fn print_frameworks(out: &mut dyn Write, descriptors: &[&PluginDescriptor]) -> Result<()> {
    let row = |descriptor: &&PluginDescriptor| {
        let versions = descriptor.versions.join(", ");
        vec![
            descriptor.name.clone(),
            versions,
            descriptor.requires.join(", "),
            descriptor.provides.join(", "),
            descriptor.description.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = descriptors.iter().map(row).collect();
    Ok(table::print_table(
        out,
        &["PLUGIN", "VERSIONS", "REQUIRES", "PROVIDES", "WHAT"],
        &rows,
    )?)
}

fn parameters(descriptor: &PluginDescriptor) -> impl Iterator<Item = Vec<String>> {
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
        vec![
            format!("{}.{name}", descriptor.name),
            kind,
            default,
            describe_range(schema),
            what.to_owned(),
        ]
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

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn a_default_that_is_not_utf8_is_told_and_what_is_not_ours_is_passed_over() {
        let odd = || OsString::from_vec(b"m1.\xff".to_vec());
        let ours = |value: OsString| {
            [
                ("STAMPEDE_DEFAULT_IMAGE".into(), value),
                ("OTHER".into(), odd()),
                (odd(), "x".into()),
            ]
        };
        let taken = default_variables(ours("debian-12".into()).into_iter()).unwrap();
        assert_eq!(
            taken,
            [("STAMPEDE_DEFAULT_IMAGE".to_owned(), "debian-12".to_owned())]
        );
        let refused = default_variables(ours(odd()).into_iter()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "STAMPEDE_DEFAULT_IMAGE: is not UTF-8 (write it in UTF-8)"
        );
    }
}
