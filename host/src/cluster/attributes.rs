//! Parses a request's attributes, pairs of texts such as (`stampede.workers`, `3`), to a
//! [`ClusterSpec`] over an operator's defaults, and renders a spec back to attributes. Works
//! through the rows of [`super::attribute_schema`]; what takes more than one attribute to know
//! stands here: frameworks with their versions and parameters, and who may come in. Knows no
//! plugin's code and no cloud.
//!
//! Whose value counts: the request's, the last of several with one name; else the operator's
//! default; else the schema's. An empty value of one of Stampede's own attributes means "not given"
//! and takes the operator's default away too; a plugin's parameter may be empty. What is not named
//! `stampede.*` is the client's own and passed over.

use std::collections::BTreeMap;

pub use super::attribute_names::PREFIX;
use super::{
    ClusterSpec, Problem,
    attribute_names::{AttributeNames, MEMORY_SHARE, find_contradictions, nearest},
    attribute_schema::{
        ATTRIBUTES, AttributeSchema, AttributeValue, DEFAULT_FRAMEWORK, default_spec,
    },
    default_groups::{GROUPS, canonical_name},
    defaults::OperatorDefaults,
    framework::CLUSTER,
    group_addresses::GroupAddresses,
    group_attributes::{group_rows, name_first_nodes, new_group, parse_groups, too_many_nodes},
    group_value::GROUPS_ATTRIBUTE,
    limits,
    parse_value::{check_text, parse_cluster_name, parse_number, shorten, split_list},
    spec::FrameworkChoice,
};

/// The value of `network.external` for a cluster with no way in or out.
pub const NO_NETWORK: &str = "none";

/// The external network that a cluster has its way in and out by, where it has one.
pub fn way_out(spec: &ClusterSpec) -> Option<&str> {
    let named = spec.external_network.as_deref();
    named.filter(|name| *name != NO_NETWORK)
}

/// Whether an attribute of this name is Stampede's own, or one of a plugin's parameters.
pub fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Whether a cluster can have this name.
pub fn is_name(name: &str) -> bool {
    check_name(name).is_ok()
}

/// What is wrong with a cluster's name.
///
/// # Errors
/// The problem, at `name`.
pub fn check_name(name: &str) -> Result<(), Problem> {
    parse_cluster_name("name", name).map(drop)
}

/// Parses a request's attributes over the operator's defaults.
///
/// # Errors
/// All problems at once: unknown names, with the nearest known one; values that cannot be; a
/// framework or version that is not there. Parameters of plugins are only checked for their names
/// here; the plan types them by the plugin's schema.
pub fn parse(
    name: &str,
    given: &[(String, String)],
    defaults: &OperatorDefaults,
    names: &AttributeNames,
) -> Result<ClusterSpec, Vec<Problem>> {
    match parse_known(name, given, defaults, names) {
        (spec, problems) if problems.is_empty() => Ok(spec),
        (_, problems) => Err(problems),
    }
}

/// The same with defaults in the place of what is wrong, and all that is.
pub fn parse_known(
    name: &str,
    given: &[(String, String)],
    defaults: &OperatorDefaults,
    names: &AttributeNames,
) -> (ClusterSpec, Vec<Problem>) {
    let mut reader = AttributeReader {
        given: BTreeMap::new(),
        defaults,
        names,
        problems: Vec::new(),
    };
    reader.take_given(given);
    let (groups, problems) = reader.choose_groups();
    reader.check_given(&groups);
    reader.problems.extend(problems);
    let mut spec = default_spec();
    for group in &groups {
        spec.groups.add(new_group(group));
    }
    let name = parse_cluster_name("name", name);
    spec.name = reader.keep_problem(name).unwrap_or_default();
    spec.frameworks = reader.choose_frameworks();
    for attribute in ATTRIBUTES {
        reader.parse_attribute(attribute, &mut spec);
        if let AttributeValue::Groups { .. } = attribute.value {
            for of_group in group_rows(groups.iter().map(String::as_str)) {
                reader.parse_attribute(&of_group, &mut spec);
            }
        }
    }
    name_first_nodes(spec.groups.iter_mut());
    reader.check_nodes(&spec);
    reader.check_access(&mut spec);
    spec.memory_shares = reader.choose_memory_shares(&spec.frameworks);
    spec.settings = reader.collect_settings(&spec.frameworks);
    (spec, reader.problems)
}

/// The attributes, without `stampede.`, that make this spec again whatever the defaults are.
pub fn render(spec: &ClusterSpec) -> BTreeMap<String, String> {
    let own = ATTRIBUTES
        .iter()
        .filter_map(|attribute| Some((attribute.name.to_string(), attribute.render(spec)?)));
    let of_groups = group_rows(spec.groups.names())
        .filter_map(|row| Some((row.name.to_string(), row.render(spec)?)));
    let versions = spec
        .frameworks
        .iter()
        .filter_map(|f| Some((format!("{}.version", f.name), f.version.clone()?)));
    let shares = spec.memory_shares.iter();
    let shares = shares.map(|(f, share)| (format!("{f}.{MEMORY_SHARE}"), share.to_string()));
    let settings = spec.settings.iter().flat_map(|(f, values)| {
        values
            .iter()
            .map(move |(p, value)| (format!("{f}.{p}"), value.clone()))
    });
    own.chain(of_groups)
        .chain(versions)
        .chain(shares)
        .chain(settings)
        .collect()
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
    /// The request's, by name without `stampede.`.
    given: BTreeMap<&'a str, &'a str>,
    defaults: &'a OperatorDefaults,
    names: &'a AttributeNames,
    problems: Vec<Problem>,
}

impl<'a> AttributeReader<'a> {
    /// Takes those that are ours. With too many of them it takes none, so that the answer stays
    /// short.
    fn take_given(&mut self, given: &'a [(String, String)]) {
        for (name, value) in given {
            if let Some(name) = name.strip_prefix(PREFIX) {
                self.given.insert(canonical_name(name), value);
            }
        }
        let pairs = given.iter().map(|(name, value)| (name, value));
        self.problems.extend(find_contradictions(pairs));
        if self.given.len() > limits::MAX_ATTRIBUTES {
            let message = format!(
                "{} attributes named stampede.*, at most {} are taken",
                self.given.len(),
                limits::MAX_ATTRIBUTES
            );
            self.problems.push(Problem::new("attributes", message, ""));
            self.given.clear();
        }
    }

    /// The node groups that are asked for, and what is wrong with how they are.
    fn choose_groups(&self) -> (Vec<String>, Vec<Problem>) {
        let text = self.text(GROUPS_ATTRIBUTE).unwrap_or(GROUPS);
        parse_groups(text, |word| self.names.describe_word(word))
    }

    /// Reports names that nothing knows in a cluster with these groups.
    fn check_given(&mut self, groups: &[String]) {
        let groups = || groups.iter().map(String::as_str);
        let names = self.names.names(groups());
        for (name, value) in &self.given {
            if !names.iter().any(|known| known == name) {
                let problem = Problem::new(
                    shorten(name),
                    "there is no such attribute",
                    self.names.suggest_name(name, groups()),
                );
                self.problems.push(problem);
            } else if let Err(problem) = check_text(name, value) {
                self.problems.push(problem);
            }
        }
    }

    /// What was given, else the operator's default; empty is none.
    fn text(&self, name: &str) -> Option<&'a str> {
        self.given
            .get(name)
            .copied()
            .or_else(|| self.defaults.get(name))
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// What the request itself gave; empty is none.
    fn given_text(&self, name: &str) -> Option<&'a str> {
        self.given
            .get(name)
            .copied()
            .filter(|text| !text.is_empty())
    }

    fn parse_attribute(&mut self, attribute: &AttributeSchema, spec: &mut ClusterSpec) {
        if let Some(text) = self.text(&attribute.name) {
            let parsed = attribute.parse_into(spec, text);
            self.keep_problem(parsed);
        }
    }

    /// The value, or none and its problem kept. A problem that was found when the attribute was
    /// taken is not kept twice.
    fn keep_problem<T>(&mut self, result: Result<T, Problem>) -> Option<T> {
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

    /// Whether the nodes of all groups are no more than a cluster has, and have addresses.
    fn check_nodes(&mut self, spec: &ClusterSpec) {
        let nodes = spec.groups.node_count();
        if nodes > limits::MAX_CLUSTER_NODES {
            self.problems.push(too_many_nodes(nodes));
        }
        if let Ok(network) = spec.cidr.parse() {
            let fits = GroupAddresses::new(network).check("network.cidr", &spec.groups);
            self.keep_problem(fits);
        }
    }

    /// Lets nobody in where there is no way in. A request that says both is refused; an operator's
    /// default for `network.access` is not meant for a request that wants no way in, and is dropped
    /// without a word.
    fn check_access(&mut self, spec: &mut ClusterSpec) {
        if spec.access.is_empty() || spec.external_network.as_deref() != Some(NO_NETWORK) {
            return;
        }
        spec.access.clear();
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
    }

    /// The frameworks asked for, each once and in the order of the request, with their versions.
    /// The plugin `cluster` may be named, and is always there.
    fn choose_frameworks(&mut self) -> Vec<FrameworkChoice> {
        let text = self.text("framework").unwrap_or(DEFAULT_FRAMEWORK);
        let mut names: Vec<&str> = Vec::new();
        for name in split_list(text) {
            if !self.names.has_framework(name) {
                self.report_framework(name);
            } else if name != CLUSTER && !names.contains(&name) {
                names.push(name);
            }
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
        if names.len() > 1 && self.given_text("framework.version").is_some() {
            let versions: Vec<String> = names
                .iter()
                .map(|name| format!("`{name}.version`"))
                .collect();
            self.problems.push(Problem::new(
                "framework.version",
                "more than one framework is asked for",
                format!("say which: {}", versions.join(", ")),
            ));
        }
        names
            .into_iter()
            .map(|name| FrameworkChoice {
                name: name.to_owned(),
                version: self.choose_version(name, only),
            })
            .collect()
    }

    fn report_framework(&mut self, name: &str) {
        let there: Vec<&str> = self.names.frameworks().collect();
        let near = nearest(name, there.iter().copied())
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        let there = if there.is_empty() {
            "none".to_owned()
        } else {
            there.join(", ")
        };
        self.problems.push(Problem::new(
            "framework",
            format!("there is no framework `{}`", shorten(name)),
            format!("{near}there are: {there}"),
        ));
    }

    /// `framework.version`: an operator's default for it belongs to their default framework, not to
    /// one that the request chose.
    fn only_version(&self) -> Option<&'a str> {
        let default = if self.given_text("framework").is_some() {
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

    /// The version of one framework: the request's `<framework>.version`, else `framework.version`
    /// (`only`), else the operator's `<framework>.version`.
    fn choose_version(&mut self, framework: &str, only: Option<&str>) -> Option<String> {
        let name = format!("{framework}.version");
        let own = self.given_text(&name);
        let shared = self.given_text("framework.version");
        if let (Some(own), Some(shared)) = (own, shared.filter(|shared| Some(*shared) != own)) {
            self.problems.push(Problem::new(
                "framework.version",
                format!("says {}, `{name}` says {}", shorten(shared), shorten(own)),
                "keep one",
            ));
        }
        let asked = own.or(only).or_else(|| self.text(&name))?;
        let there = self.names.versions(framework);
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
            format!("there is no version `{}` of {framework}", shorten(asked)),
            hint,
        ));
        None
    }

    /// What the user gives each framework of a node's memory.
    fn choose_memory_shares(&mut self, frameworks: &[FrameworkChoice]) -> BTreeMap<String, u32> {
        let mut shares = BTreeMap::new();
        for framework in frameworks.iter().map(|choice| &choice.name) {
            let name = format!("{framework}.{MEMORY_SHARE}");
            let text = self
                .text(&name)
                .filter(|_| self.names.has_memory_share(framework));
            let share = text.map(|text| parse_number(&name, text, 1, limits::MAX_MEMORY_SHARE));
            let share = share.and_then(|share| self.keep_problem(share));
            shares.extend(share.map(|share| (framework.clone(), share)));
        }
        shares
    }

    /// The parameters of the chain's plugins, as texts: the operator's defaults, the request's over
    /// them. Defaults of frameworks that are not asked for are passed over; the request's own are
    /// refused, since the user expects them to do something.
    fn collect_settings(
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
                .parameters_of(framework)
                .filter(|(parameter, _)| self.names.has_parameter(framework, parameter))
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
                .filter(|(framework, _)| self.names.has_framework(framework))
            else {
                continue;
            };
            let is_own = parameter == "version" && framework != CLUSTER
                || parameter == MEMORY_SHARE && self.names.has_memory_share(framework);
            if !is_own && !self.names.has_parameter(framework, parameter) {
                continue; // reported when it was taken
            }
            if !asked.contains(&framework) {
                self.report_unasked(name, framework, frameworks);
            } else if !is_own {
                settings
                    .entry(framework.to_owned())
                    .or_default()
                    .insert(parameter.to_owned(), value.to_owned());
            }
        }
        settings
    }

    fn report_unasked(&mut self, name: &str, framework: &str, frameworks: &[FrameworkChoice]) {
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
