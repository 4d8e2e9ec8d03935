//! The value that each attribute of a request comes to, where it comes from, and what else it may be:
//! what a form shows. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::cluster_description::version;
use super::inventory::CloudInventory;
use super::planner::ClaimedCluster;
use crate::cluster::attribute_names::{MEMORY_SHARE, MEMORY_SHARE_MEANING, PREFIX};
use crate::cluster::attribute_schema::{ATTRIBUTES, AttributeSchema, AttributeValue};
use crate::cluster::defaults::OperatorDefaults;
use crate::cluster::framework::CLUSTER;
use crate::cluster::framework_descriptor::is_fixed;
use crate::cluster::group_attributes::group_rows;
use crate::cluster::group_value::GroupValue;
use crate::cluster::limits::MAX_MEMORY_SHARE;
use crate::cluster::{ClusterSpec, FrameworkDescriptor, parameter_text};

/// Attributes of Stampede's own that most people look at, beside how many nodes of which flavor.
const BASIC: [&str; 5] = [
    "framework",
    "image",
    "key",
    "network.external",
    "network.access",
];

/// An attribute, the value that it comes to, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestValue {
    /// Its name, without `stampede.`.
    pub name: String,
    /// The value that will be used, or what was typed where that is wrong; none: nothing, or what
    /// `reason` says.
    pub value: Option<String>,
    /// Where that comes from.
    pub source: ValueSource,
    /// The same in words: `the smallest that holds 2048 MiB of memory, ...`.
    pub reason: String,
    /// What it would be if it were not given; none where that is not known.
    pub default: Option<String>,
    /// What it means.
    pub description: String,
    /// `integer`, `string`, as JSON Schema calls types.
    pub kind: String,
    /// What it may be, for people.
    pub range: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// What can be chosen.
    pub choices: ValueChoices,
    /// The plugin whose parameter it is; empty: Stampede's own.
    pub plugin: String,
    /// The group that it is said of; empty: of none.
    pub group: String,
    /// Whether it is shown at first.
    pub is_basic: bool,
    /// Whether a running cluster can be changed in it.
    pub may_change: bool,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueSource {
    /// The request.
    Given,
    /// The operator's defaults.
    Operator,
    /// Found out for this cluster: in the cloud, or by a plugin.
    Computed,
    /// The plugin's schema.
    Plugin,
    /// Stampede's own default.
    #[default]
    Host,
    /// The running cluster has it.
    Running,
}

/// What can be chosen for an attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueChoices {
    /// Anything of its kind.
    #[default]
    Free,
    /// The cloud's flavors.
    Flavors,
    /// Its images.
    Images,
    /// The user's key pairs.
    Keys,
    /// External networks.
    Networks,
    /// Availability zones.
    Zones,
    /// The frameworks.
    Frameworks,
    /// These words.
    Words(Vec<String>),
}

/// What values are worked out from.
pub struct ValueInputs<'a> {
    /// What was given, with `stampede.`.
    pub given: &'a BTreeMap<String, String>,
    /// The attributes of the cluster, where it is running.
    pub running: Option<&'a BTreeMap<String, String>>,
    /// What the operator has set.
    pub defaults: &'a OperatorDefaults,
    /// The plugins that are there.
    pub descriptors: &'a [&'a FrameworkDescriptor],
    /// The request with what is known filled in.
    pub spec: &'a ClusterSpec,
    /// What plugins claim of it.
    pub claimed: &'a ClaimedCluster,
    /// Titles of plugins that have not said what they claim, since something is wrong with what they
    /// are asked: what nodes must hold is not known.
    pub awaited: &'a BTreeSet<String>,
    /// What the cloud has.
    pub cloud: Option<&'a CloudInventory>,
}

impl ValueInputs<'_> {
    /// All attributes that mean something to the cluster: Stampede's own, those of its groups, and
    /// the parameters of its plugins.
    pub fn list_values(&self) -> Vec<RequestValue> {
        let mut values = Vec::new();
        for row in ATTRIBUTES {
            if !matches!(row.value, AttributeValue::FrameworkVersion { .. }) {
                values.extend(self.own_value(row));
            }
            if matches!(row.value, AttributeValue::Groups { .. }) {
                let rows = group_rows(self.spec.groups.names());
                values.extend(rows.filter_map(|row| self.own_value(&row)));
            }
        }
        let asked = self.spec.frameworks.iter().map(|choice| &choice.name);
        let cluster = CLUSTER.to_owned();
        for name in std::iter::once(&cluster).chain(asked) {
            let found = self.descriptors.iter().find(|one| one.name == *name);
            if let Some(plugin) = found {
                values.extend(self.plugin_values(plugin));
            }
        }
        values
    }

    /// What was given, or stands in the operator's defaults; an empty text is none.
    fn said(&self, name: &str) -> Option<(String, ValueSource)> {
        let full = format!("{PREFIX}{name}");
        let given = self.given.get(&full).map(|text| text.trim());
        let source = |text: &str, source| (!text.is_empty()).then(|| (text.to_owned(), source));
        if let Some(text) = given {
            return source(text, ValueSource::Given);
        }
        if let Some(running) = self.running {
            return source(running.get(&full)?.trim(), ValueSource::Running);
        }
        source(self.defaults.get(name)?.trim(), ValueSource::Operator)
    }

    fn own_value(&self, row: &AttributeSchema) -> Option<RequestValue> {
        let said = self.said(&row.name);
        let found = row.render(self.spec);
        let default = row.default_value();
        let (value, source) = match (said, &found, &default) {
            (Some((text, source)), _, _) => (Some(text), source),
            (None, Some(found), Some(default)) if found == default => {
                (Some(found.clone()), ValueSource::Host)
            }
            (None, Some(found), _) if self.running.is_some() => {
                (Some(found.clone()), ValueSource::Running)
            }
            (None, Some(found), _) => (Some(found.clone()), ValueSource::Computed),
            (None, None, default) => (default.clone(), ValueSource::Host),
        };
        let (choices, group) = match &row.value {
            AttributeValue::Frameworks { .. } => (ValueChoices::Frameworks, ""),
            AttributeValue::Flag { .. } => (ValueChoices::Words(flags()), ""),
            AttributeValue::CloudName { .. } => (cloud_choices(&row.name), ""),
            // Asked for by itself.
            AttributeValue::Upgrade { .. } => return None,
            AttributeValue::OfGroup(of_group) => {
                let choices = match of_group.value {
                    // Part of no request for a new cluster.
                    GroupValue::Remove if self.running.is_none() => return None,
                    GroupValue::Flavor => ValueChoices::Flavors,
                    GroupValue::Image => ValueChoices::Images,
                    GroupValue::Zone => ValueChoices::Zones,
                    _ => ValueChoices::Free,
                };
                (choices, of_group.group.as_ref())
            }
            _ => (ValueChoices::Free, ""),
        };
        let reason = match source {
            ValueSource::Computed => self.own_reason(row, &choices, group),
            ValueSource::Host if is_awaited(&choices, self.awaited) => {
                let titles: Vec<&str> = self.awaited.iter().map(String::as_str).collect();
                let titles = titles.join(" and ");
                format!("chosen once what is wrong with {titles} is mended")
            }
            // Words for what is found or done where there is no value.
            ValueSource::Host if value.is_none() => row.default_text(),
            _ => source_words(source).to_owned(),
        };
        let is_sized = match &row.value {
            AttributeValue::OfGroup(of_group) => {
                matches!(
                    of_group.value,
                    GroupValue::Count { .. } | GroupValue::Flavor
                )
            }
            _ => BASIC.contains(&row.name.as_ref()),
        };
        Some(RequestValue {
            name: row.name.to_string(),
            value,
            source,
            reason,
            default: default.or_else(|| found.filter(|_| source == ValueSource::Computed)),
            description: row.description.to_string(),
            kind: row.type_name().to_owned(),
            range: row.range_text(),
            group: group.to_owned(),
            choices,
            is_basic: is_sized,
            may_change: row.may_change,
            ..RequestValue::default()
        })
    }

    /// Why this was found in the cloud.
    fn own_reason(&self, row: &AttributeSchema, choices: &ValueChoices, group: &str) -> String {
        let networks = self.cloud.map_or(0, |cloud| cloud.networks.len());
        match choices {
            ValueChoices::Flavors => match self.claimed.smallest.get(group) {
                Some(need) => format!("the smallest that holds {need}"),
                None => row.default_text(),
            },
            ValueChoices::Networks if networks == 1 => "the only one of the cloud".to_owned(),
            ValueChoices::Networks => "the cloud's default".to_owned(),
            _ => row.default_text(),
        }
    }

    fn plugin_values(&self, plugin: &FrameworkDescriptor) -> Vec<RequestValue> {
        let mut values = Vec::new();
        if plugin.name != CLUSTER && !plugin.versions.is_empty() {
            values.push(self.version_value(plugin));
        }
        if plugin.has_memory_share() {
            values.push(self.share_value(plugin));
        }
        let parameters = plugin.user_parameters();
        values.extend(parameters.map(|(name, schema)| self.parameter_value(plugin, name, schema)));
        values
    }

    fn version_value(&self, plugin: &FrameworkDescriptor) -> RequestValue {
        let name = format!("{}.version", plugin.name);
        let said = self.said(&name).or_else(|| self.said("framework.version"));
        let source = said
            .as_ref()
            .map_or(ValueSource::Plugin, |(_, source)| *source);
        let used = said.map_or_else(|| version(self.spec, plugin), |(text, _)| text);
        RequestValue {
            value: Some(used),
            reason: match source {
                ValueSource::Plugin => format!("the first of {}'s", plugin.title),
                _ => source_words(source).to_owned(),
            },
            source,
            default: Some(plugin.default_version().to_owned()),
            description: format!("version of {}", plugin.title),
            range: plugin.versions.join(", "),
            choices: ValueChoices::Words(plugin.versions.clone()),
            ..of_plugin(plugin, name, "string")
        }
    }

    fn share_value(&self, plugin: &FrameworkDescriptor) -> RequestValue {
        let name = format!("{}.{MEMORY_SHARE}", plugin.name);
        let said = self.said(&name);
        let (value, source) = said.map_or((None, ValueSource::Host), |(text, source)| {
            (Some(text), source)
        });
        RequestValue {
            value,
            source,
            reason: match source {
                ValueSource::Host => "what it and the others ask for".to_owned(),
                _ => source_words(source).to_owned(),
            },
            description: MEMORY_SHARE_MEANING.to_owned(),
            range: format!("1 to {MAX_MEMORY_SHARE}"),
            unit: "%".to_owned(),
            ..of_plugin(plugin, name, "integer")
        }
    }

    fn parameter_value(
        &self,
        plugin: &FrameworkDescriptor,
        parameter: &str,
        schema: &Value,
    ) -> RequestValue {
        let name = format!("{}.{parameter}", plugin.name);
        let default = parameter_text::default_text(schema);
        let of_spec = |all: &BTreeMap<String, BTreeMap<String, String>>| {
            all.get(&plugin.name)?.get(parameter).cloned()
        };
        let pins = self.spec.pins.as_deref();
        let pinned = pins.filter(|_| self.running.is_some());
        let pinned = pinned.and_then(|pins| pins.settings_of(&plugin.name)?.get(parameter));
        let computed =
            of_spec(&self.spec.computed).or_else(|| of_spec(&self.claimed.spec.computed));
        let title = &plugin.title;
        // A parameter may be given as an empty text.
        let given = self.given.get(&format!("{PREFIX}{name}"));
        let emptied = given.filter(|text| text.is_empty());
        let emptied = emptied.map(|text| (text.clone(), ValueSource::Given));
        let (value, source, reason) = match (emptied.or_else(|| self.said(&name)), computed) {
            (Some((text, source)), _) => (Some(text), source, source_words(source).to_owned()),
            (None, Some(computed)) => {
                let reason = format!("computed by {title} for this cluster");
                (Some(computed), ValueSource::Computed, reason)
            }
            (None, None) => match (pinned, &default) {
                (Some(pinned), default) if Some(parameter_text::plain_text(pinned)) != *default => {
                    let source = ValueSource::Running;
                    let value = Some(parameter_text::plain_text(pinned));
                    (value, source, source_words(source).to_owned())
                }
                (_, Some(default)) => {
                    let reason = format!("the default of {title}");
                    (Some(default.clone()), ValueSource::Plugin, reason)
                }
                (_, None) => (None, ValueSource::Plugin, format!("left to {title}")),
            },
        };
        let words = parameter_text::words(schema);
        RequestValue {
            value,
            source,
            reason,
            default,
            description: parameter_text::description(schema).to_owned(),
            range: parameter_text::range_text(schema),
            unit: parameter_text::unit(schema).to_owned(),
            choices: match words.is_empty() {
                true => ValueChoices::Free,
                false => ValueChoices::Words(words),
            },
            is_basic: parameter_text::is_basic(schema),
            may_change: !is_fixed(schema),
            ..of_plugin(plugin, name, &parameter_text::type_text(schema))
        }
    }
}

/// Whether what is chosen for this depends on what is not known.
fn is_awaited(choices: &ValueChoices, awaited: &BTreeSet<String>) -> bool {
    *choices == ValueChoices::Flavors && !awaited.is_empty()
}

fn of_plugin(plugin: &FrameworkDescriptor, name: String, kind: &str) -> RequestValue {
    RequestValue {
        name,
        kind: kind.to_owned(),
        plugin: plugin.name.clone(),
        ..RequestValue::default()
    }
}

fn flags() -> Vec<String> {
    ["true", "false"].map(str::to_owned).to_vec()
}

fn cloud_choices(name: &str) -> ValueChoices {
    match name {
        "image" => ValueChoices::Images,
        "key" => ValueChoices::Keys,
        "network.external" => ValueChoices::Networks,
        _ => ValueChoices::Free,
    }
}

fn source_words(source: ValueSource) -> &'static str {
    match source {
        ValueSource::Given => "as given",
        ValueSource::Operator => "the operator's default",
        ValueSource::Computed => "found for this cluster",
        ValueSource::Plugin => "the plugin's default",
        ValueSource::Host => "stampede's default",
        ValueSource::Running => "as the cluster has it",
    }
}
