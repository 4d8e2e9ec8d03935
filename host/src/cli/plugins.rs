//! Finds and loads plugins and an operator's defaults, for every command that needs them.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::UsageError;
use crate::{
    cluster::{
        AttributeNames, ClusterSpec, OperatorDefaults, Problem, attribute_names::PREFIX,
        attributes, defaults::VARIABLE_PREFIX,
    },
    metrics::HostMetrics,
    orchestrator::{
        ClusterPlanner,
        planning::{ask_claims::FrameworkSource, plugin_planner::PluginPlanner},
    },
    plugin::{CompiledSources, PluginLimits, PluginRegistry},
    system::{
        container::container_memory,
        environment::{read_all, read_path},
    },
};

/// Where the distribution's package puts plugins.
const SYSTEM_PLUGINS: &str = "/usr/share/stampede/plugins";
/// This very program, also where its file was replaced meanwhile.
const OWN_PROGRAM: &str = "/proc/self/exe";
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
    /// TOML file with defaults of attributes and the table `[policy]`; variables such as STAMPEDE_DEFAULT_WORKER_FLAVOR win
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
        let defaults = self.defaults(&AttributeNames::from_descriptors(
            FrameworkSource::frameworks(&registry),
        ))?;
        let plugins = FrameworkSource::frameworks(&registry);
        let known: Vec<&str> = plugins.into_iter().map(|one| one.name.as_str()).collect();
        let problems = defaults.policy().check_frameworks(&known);
        if !problems.is_empty() {
            return Err(UsageError(problems).into());
        }
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
                compiler: Some(Path::new(OWN_PROGRAM)),
            },
            fitting_limits(),
        )?)
    }

    /// The operator's defaults, whose names must be attributes.
    pub(super) fn defaults(&self, words: &AttributeNames) -> Result<OperatorDefaults> {
        let file = match &self.defaults {
            None => OperatorDefaults::default(),
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("cannot read the defaults `{}`", path.display()))?;
                OperatorDefaults::from_operator_toml(&text)
                    .map_err(|problem| UsageError(vec![problem]))?
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

    pub(super) fn find_folder(&self) -> Result<PathBuf> {
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

/// Within the memory of this process's container.
fn fitting_limits() -> PluginLimits {
    let limits = PluginLimits::default();
    container_memory().map_or(limits, |bytes| limits.limit_to_memory(bytes))
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

pub(super) fn compiled_folder() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.join(SHIPPED))
}

fn default_cache() -> Option<PathBuf> {
    read_path("XDG_CACHE_HOME")
        .or_else(|| Some(read_path("HOME")?.join(".cache")))
        .map(|dir| dir.join("stampede"))
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
