//! Attributes, pairs of texts such as (`stampede.workers`, `3`), to a [`Spec`] and back. Knows no
//! plugin's code and no cloud.
//!
//! What is not named `stampede.*` is foreign and passed over. The last of several with one name
//! wins. An empty value of one of Stampede's own attributes means "not given", also where the
//! operator has a default for it; a plugin's parameter may be empty.

use std::collections::BTreeMap;

pub use super::attribute_names::PREFIX;
use super::{
    ClusterSpec, Problem,
    attribute_names::{AttributeNames, CLUSTER, nearest},
    defaults::OperatorDefaults,
    limits, parse_value,
    spec::FrameworkChoice,
};

/// The framework of a request that names none.
pub const DEFAULT_FRAMEWORK: &str = "hadoop";
/// The workers of a request that says nothing of them.
pub const DEFAULT_WORKERS: u32 = 2;
/// The cluster's own network where nothing else is said.
pub const DEFAULT_CIDR: &str = "10.77.0.0/22";
/// The value of `network.external` for a cluster with no way in or out.
pub const NO_NETWORK: &str = "none";
/// How long the nodes may take where nothing else is said, in seconds.
pub const DEFAULT_TIMEOUT_S: u32 = 3_600;

/// Whether an attribute of this name is Stampede's own.
pub fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Whether a cluster can have this name.
pub fn is_name(name: &str) -> bool {
    parse_value::name("name", name).is_ok()
}

/// Reads a request's attributes over the operator's defaults.
///
/// # Errors
/// All problems at once: unknown names, with the nearest known one; values that cannot be; a
/// framework or version that is not there. Parameters of plugins are only checked for their names
/// here; the plan types them by the plugin's schema.
pub fn parse(
    name: &str,
    given: &[(String, String)],
    defaults: &OperatorDefaults,
    words: &AttributeNames,
) -> Result<ClusterSpec, Vec<Problem>> {
    let mut reader = AttributeReader {
        given: BTreeMap::new(),
        defaults,
        words,
        problems: Vec::new(),
    };
    reader.take(given);
    let name = parse_value::name("name", name);
    let name = reader.keep(name).unwrap_or_default();
    let frameworks = reader.frameworks();
    let workers = reader.value("workers", |path, text| {
        parse_value::whole(path, text, limits::MIN_WORKERS, limits::MAX_WORKERS)
    });
    let workers = workers.unwrap_or(DEFAULT_WORKERS);
    let external_network = reader.value("network.external", parse_value::cloud_name);
    let access = reader.access(external_network.as_deref());
    if reader.text("workers.remove").is_some() {
        let message = "only an update of a running cluster takes it";
        reader.problems.push(Problem::new(
            "workers.remove",
            message,
            "say how many with `workers`",
        ));
    }
    let seconds = |path: &str, text: &str| {
        parse_value::whole(path, text, limits::MIN_TIMEOUT_S, limits::MAX_TIMEOUT_S)
    };
    let spec = ClusterSpec {
        name,
        workers,
        worker_ids: Vec::new(),
        ids_given: 0,
        computed: BTreeMap::new(),
        master_flavor: reader.value("master.flavor", parse_value::cloud_name),
        worker_flavor: reader.value("worker.flavor", parse_value::cloud_name),
        image: reader.value("image", parse_value::cloud_name),
        key: reader.value("key", parse_value::cloud_name),
        external_network,
        cidr: reader
            .value("network.cidr", |path, text| {
                parse_value::network(path, text, workers)
            })
            .unwrap_or_else(|| DEFAULT_CIDR.to_owned()),
        access,
        mirror: reader.value("mirror", parse_value::url),
        proxy: reader.value("proxy", parse_value::url),
        timeout_s: reader
            .value("timeout", seconds)
            .unwrap_or(DEFAULT_TIMEOUT_S),
        settings: reader.settings(&frameworks),
        frameworks,
    };
    if reader.problems.is_empty() {
        Ok(spec)
    } else {
        Err(reader.problems)
    }
}

/// The attributes, without `stampede.`, that make this spec again whatever the defaults are.
pub fn render(spec: &ClusterSpec) -> BTreeMap<String, String> {
    let names: Vec<&str> = spec.frameworks.iter().map(|f| f.name.as_str()).collect();
    let framework = if names.is_empty() {
        CLUSTER.to_owned()
    } else {
        names.join(",")
    };
    let own = [
        ("framework", Some(framework)),
        ("workers", Some(spec.workers.to_string())),
        ("master.flavor", spec.master_flavor.clone()),
        ("worker.flavor", spec.worker_flavor.clone()),
        ("image", spec.image.clone()),
        ("key", spec.key.clone()),
        ("network.external", spec.external_network.clone()),
        ("network.cidr", Some(spec.cidr.clone())),
        (
            "network.access",
            (!spec.access.is_empty()).then(|| spec.access.join(",")),
        ),
        ("mirror", spec.mirror.clone()),
        ("proxy", spec.proxy.clone()),
        ("timeout", Some(spec.timeout_s.to_string())),
    ];
    let own = own
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let versions = spec
        .frameworks
        .iter()
        .filter_map(|f| Some((format!("{}.version", f.name), f.version.clone()?)));
    let settings = spec.settings.iter().flat_map(|(f, values)| {
        values
            .iter()
            .map(move |(p, value)| (format!("{f}.{p}"), value.clone()))
    });
    own.chain(versions).chain(settings).collect()
}

/// The names of the attributes in which two specs of one cluster differ, without `stampede.`.
pub fn changed(from: &ClusterSpec, to: &ClusterSpec) -> Vec<String> {
    let (from, to) = (render(from), render(to));
    let names: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    names
        .into_iter()
        .filter(|name| from.get(*name) != to.get(*name))
        .cloned()
        .collect()
}

struct AttributeReader<'a> {
    given: BTreeMap<&'a str, &'a str>,
    defaults: &'a OperatorDefaults,
    words: &'a AttributeNames,
    problems: Vec<Problem>,
}

impl<'a> AttributeReader<'a> {
    fn take(&mut self, given: &'a [(String, String)]) {
        for (name, value) in given {
            if let Some(name) = name.strip_prefix(PREFIX) {
                self.given.insert(name, value);
            }
        }
        if self.given.len() > limits::MAX_ATTRIBUTES {
            let message = format!(
                "{} attributes named stampede.*, at most {} are taken",
                self.given.len(),
                limits::MAX_ATTRIBUTES
            );
            self.problems.push(Problem::new("attributes", message, ""));
            self.given.clear();
        }
        let names = self.words.names();
        for (name, value) in &self.given {
            if !names.iter().any(|known| known == name) {
                let problem = Problem::new(
                    parse_value::shortened(name),
                    "there is no such attribute",
                    self.words.hint(name),
                );
                self.problems.push(problem);
            } else if let Err(problem) = parse_value::text(name, value) {
                self.problems.push(problem);
            }
        }
    }

    /// What was given, else the default; empty is none.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.given
            .get(name)
            .copied()
            .or_else(|| self.defaults.get(name))
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    fn value<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str, &str) -> Result<T, Problem>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let read = parse_value::text(name, text).and_then(|()| read(name, text));
        self.keep(read)
    }

    /// The value, or none and its problem kept; what was already told when the attribute was taken
    /// is not told again.
    fn keep<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problem) => {
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                None
            }
        }
    }

    /// Who may come in. An operator's default for it is not meant for a request that wants no way
    /// in.
    fn access(&mut self, external: Option<&str>) -> Vec<String> {
        let access = self
            .value("network.access", parse_value::access)
            .unwrap_or_default();
        if access.is_empty() || external != Some(NO_NETWORK) {
            return access;
        }
        let is_given = |name: &str| {
            self.given
                .get(name)
                .is_some_and(|text| !text.trim().is_empty())
        };
        if !is_given("network.external") || is_given("network.access") {
            let message = format!(
                "names who may come in, but `network.external` is `{NO_NETWORK}`, so that there is no way in"
            );
            self.problems.push(Problem::new(
                "network.access",
                message,
                "leave out one of the two",
            ));
        }
        Vec::new()
    }

    fn frameworks(&mut self) -> Vec<FrameworkChoice> {
        let text = self.text("framework").unwrap_or(DEFAULT_FRAMEWORK);
        let mut names: Vec<&str> = Vec::new();
        for name in parse_value::words(text) {
            if self.words.has(name) {
                if name != CLUSTER && !names.contains(&name) {
                    names.push(name);
                }
                continue;
            }
            let there: Vec<&str> = self.words.frameworks().collect();
            let near = nearest(name, there.iter().copied())
                .map(|near| format!("did you mean `{near}`? "))
                .unwrap_or_default();
            let hint = format!(
                "{near}there are: {}",
                if there.is_empty() {
                    "none".to_owned()
                } else {
                    there.join(", ")
                }
            );
            self.problems.push(Problem::new(
                "framework",
                format!("there is no framework `{}`", parse_value::shortened(name)),
                hint,
            ));
        }
        if names.len() > limits::MAX_FRAMEWORKS {
            let message = format!(
                "names {} frameworks, at most {} are taken",
                names.len(),
                limits::MAX_FRAMEWORKS
            );
            self.problems.push(Problem::new("framework", message, ""));
        }
        let only = (names.len() == 1).then(|| self.only_version()).flatten();
        if names.len() > 1
            && self
                .given
                .get("framework.version")
                .is_some_and(|text| !text.is_empty())
        {
            let hint = format!(
                "say which: {}",
                names
                    .iter()
                    .map(|name| format!("`{name}.version`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            self.problems.push(Problem::new(
                "framework.version",
                "more than one framework is asked for",
                hint,
            ));
        }
        names
            .into_iter()
            .map(|name| FrameworkChoice {
                name: name.to_owned(),
                version: self.version(name, only),
            })
            .collect()
    }

    /// `framework.version`: an operator's default for it belongs to his default framework, not to
    /// one that the request chose.
    fn only_version(&self) -> Option<&'a str> {
        let chosen = self
            .given
            .get("framework")
            .is_some_and(|text| !text.is_empty());
        let default = if chosen {
            None
        } else {
            self.defaults.get("framework.version")
        };
        self.given
            .get("framework.version")
            .copied()
            .or(default)
            .filter(|text| !text.is_empty())
    }

    fn version(&mut self, framework: &str, only: Option<&str>) -> Option<String> {
        let name = format!("{framework}.version");
        let own = self
            .given
            .get(name.as_str())
            .copied()
            .filter(|text| !text.is_empty());
        if let (Some(own), Some(only)) = (
            own,
            self.given
                .get("framework.version")
                .copied()
                .filter(|only| !only.is_empty() && Some(*only) != own),
        ) {
            self.problems.push(Problem::new(
                "framework.version",
                format!(
                    "says {}, `{name}` says {}",
                    parse_value::shortened(only),
                    parse_value::shortened(own)
                ),
                "keep one",
            ));
        }
        let asked = own.or(only).or_else(|| self.text(&name))?;
        let there = self.words.versions(framework);
        if there.iter().any(|version| version == asked) {
            return Some(asked.to_owned());
        }
        let path = if own.is_none() && only.is_some() {
            "framework.version"
        } else {
            &name
        };
        let hint = if there.is_empty() {
            "it has no versions: leave this out".to_owned()
        } else {
            format!("there are: {}", there.join(", "))
        };
        self.problems.push(Problem::new(
            path,
            format!(
                "there is no version `{}` of {framework}",
                parse_value::shortened(asked)
            ),
            hint,
        ));
        None
    }

    fn settings(
        &mut self,
        frameworks: &[FrameworkChoice],
    ) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut settings: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let asked: Vec<&str> = std::iter::once(CLUSTER)
            .chain(frameworks.iter().map(|f| f.name.as_str()))
            .collect();
        for framework in &asked {
            for (parameter, value) in self
                .defaults
                .of(framework)
                .filter(|(parameter, _)| self.words.has_parameter(framework, parameter))
            {
                settings
                    .entry((*framework).to_owned())
                    .or_default()
                    .insert(parameter.to_owned(), value.to_owned());
            }
        }
        let given: Vec<(&str, &str)> = self
            .given
            .iter()
            .map(|(name, value)| (*name, *value))
            .collect();
        for (name, value) in given {
            let Some((framework, parameter)) = name
                .split_once('.')
                .filter(|(framework, _)| self.words.has(framework))
            else {
                continue;
            };
            let version = parameter == "version" && framework != CLUSTER;
            if !version && !self.words.has_parameter(framework, parameter) {
                continue; // told of when it was taken
            }
            if !asked.contains(&framework) {
                self.unasked(name, framework, frameworks);
            } else if !version {
                settings
                    .entry(framework.to_owned())
                    .or_default()
                    .insert(parameter.to_owned(), value.to_owned());
            }
        }
        settings
    }

    fn unasked(&mut self, name: &str, framework: &str, frameworks: &[FrameworkChoice]) {
        let mut all: Vec<&str> = frameworks.iter().map(|f| f.name.as_str()).collect();
        all.push(framework);
        let hint = format!(
            "ask for it too, `framework` = {}, or leave it out",
            all.join(",")
        );
        self.problems.push(Problem::new(
            name,
            format!("{framework} is not asked for"),
            hint,
        ));
    }
}

#[cfg(test)]
#[path = "attributes_tests.rs"]
mod tests;
