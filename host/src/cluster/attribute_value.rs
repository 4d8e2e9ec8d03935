//! What a row of [`super::attribute_schema`] holds, and what can be done by it: how the text of an
//! attribute is parsed into a spec, printed and copied.

use std::borrow::Cow;

use super::{
    ClusterSpec, Problem,
    end_time::{self, EndTime},
    framework::CLUSTER,
    group_value::{GroupAttribute, render_groups},
    idle_limit::{self, IdleLimit},
    java_tarball::{JavaTarball, parse_javas, render_javas},
    limits, name_lists, parse_value,
};

/// One attribute.
#[derive(Clone, Debug)]
pub struct AttributeSchema {
    /// Its name, without `stampede.`.
    pub name: Cow<'static, str>,
    /// What it means, for people.
    pub description: Cow<'static, str>,
    /// What it takes.
    pub value: AttributeValue,
    /// Whether an update may give it another value.
    pub may_change: bool,
}

/// What an attribute takes: type and range, the default, and the field that holds the value. A
/// `default` that is no value says in words what is found or done where none is given.
#[derive(Clone, Debug)]
pub enum AttributeValue {
    /// A whole number, both bounds included.
    Number {
        /// The smallest.
        least: u32,
        /// The largest.
        most: u32,
        /// Where none is given.
        default: u32,
        /// What holds it.
        field: SpecField<u32>,
    },
    /// True or false.
    Flag {
        /// Where none is given.
        default: bool,
        /// What holds it.
        field: SpecField<bool>,
    },
    /// The name or id of something in the cloud.
    CloudName {
        /// In words.
        default: &'static str,
        /// What holds it.
        field: SpecField<Option<String>>,
    },
    /// An http or https URL without a secret.
    Url {
        /// In words.
        default: &'static str,
        /// What holds it.
        field: SpecField<Option<String>>,
    },
    /// The same of a base that nodes fetch from by what stands on them.
    DownloadUrl {
        /// In words.
        default: &'static str,
        /// What holds it.
        field: SpecField<Option<String>>,
    },
    /// Tarballs of Java with their checksums, separated by commas or blanks.
    JavaTarballs {
        /// In words.
        default: &'static str,
        /// What holds them.
        field: SpecField<Vec<JavaTarball>>,
    },
    /// A private IPv4 network that holds all nodes.
    NodeNetwork {
        /// A value.
        default: &'static str,
        /// What holds it.
        field: SpecField<String>,
    },
    /// IPv4 networks, separated by commas or blanks.
    NetworkList {
        /// In words.
        default: &'static str,
        /// What holds them.
        field: SpecField<Vec<String>>,
    },
    /// Names of endpoints, separated by commas or blanks.
    EndpointList {
        /// In words.
        default: &'static str,
        /// What holds them.
        field: SpecField<Vec<String>>,
    },
    /// An age, a moment or `never`.
    EndTime {
        /// In words.
        default: &'static str,
        /// What holds it.
        field: SpecField<Option<EndTime>>,
    },
    /// An age or `never`.
    IdleLimit {
        /// In words.
        default: &'static str,
        /// What holds it.
        field: SpecField<Option<IdleLimit>>,
    },
    /// Whether an update replaces all that stands on the nodes. Used up by the update that bears it.
    Upgrade {
        /// In words.
        default: &'static str,
    },
    /// Names of plugins. [`super::attributes`] parses them before all rows, since it takes the
    /// plugins that are there.
    Frameworks {
        /// A value.
        default: &'static str,
    },
    /// A version of the only framework; parsed together with [`AttributeValue::Frameworks`].
    FrameworkVersion {
        /// In words.
        default: &'static str,
    },
    /// Names of node groups. [`super::attributes`] parses them before all rows, since it takes the
    /// plugins that are there, and since each has attributes of its own.
    Groups {
        /// A value.
        default: &'static str,
    },
    /// What is said of one group.
    OfGroup(GroupAttribute),
}

/// A field of a spec, to read and to write.
#[derive(Clone, Debug)]
pub struct SpecField<T> {
    /// The field.
    pub get: fn(&ClusterSpec) -> &T,
    /// The same field.
    pub get_mut: fn(&mut ClusterSpec) -> &mut T,
}

impl<T: Clone> SpecField<T> {
    pub(super) fn set(&self, spec: &mut ClusterSpec, value: T) {
        *(self.get_mut)(spec) = value;
    }

    fn copy(&self, from: &ClusterSpec, to: &mut ClusterSpec) {
        self.set(to, (self.get)(from).clone());
    }
}

impl AttributeSchema {
    /// `integer`, `string`, as JSON Schema calls types.
    pub fn type_name(&self) -> &'static str {
        match &self.value {
            AttributeValue::OfGroup(of_group) => of_group.type_name(),
            AttributeValue::Number { .. } => "integer",
            AttributeValue::Flag { .. } | AttributeValue::Upgrade { .. } => "boolean",
            _ => "string",
        }
    }

    /// The value where neither request nor operator gives one, or words for how it is found.
    pub fn default_text(&self) -> String {
        match &self.value {
            AttributeValue::OfGroup(of_group) => of_group.default_text(),
            AttributeValue::Number { default, .. } => default.to_string(),
            AttributeValue::Flag { default, .. } => default.to_string(),
            AttributeValue::CloudName { default, .. }
            | AttributeValue::Url { default, .. }
            | AttributeValue::DownloadUrl { default, .. }
            | AttributeValue::JavaTarballs { default, .. }
            | AttributeValue::NodeNetwork { default, .. }
            | AttributeValue::NetworkList { default, .. }
            | AttributeValue::EndpointList { default, .. }
            | AttributeValue::EndTime { default, .. }
            | AttributeValue::IdleLimit { default, .. }
            | AttributeValue::Upgrade { default }
            | AttributeValue::Frameworks { default }
            | AttributeValue::FrameworkVersion { default }
            | AttributeValue::Groups { default } => (*default).to_owned(),
        }
    }

    /// The value where neither request nor operator gives one; none where one is found, or nothing
    /// is done.
    pub fn default_value(&self) -> Option<String> {
        let is_value = match &self.value {
            AttributeValue::OfGroup(of_group) => of_group.has_default_value(),
            AttributeValue::Number { .. }
            | AttributeValue::Flag { .. }
            | AttributeValue::NodeNetwork { .. }
            | AttributeValue::Frameworks { .. }
            | AttributeValue::Groups { .. } => true,
            _ => false,
        };
        is_value.then(|| self.default_text())
    }

    /// What it may be, for people: `1 to 250`.
    pub fn range_text(&self) -> String {
        match &self.value {
            AttributeValue::Number { least, most, .. } => format!("{least} to {most}"),
            AttributeValue::Flag { .. } => "true or false".to_owned(),
            AttributeValue::Upgrade { .. } => "true, in an update".to_owned(),
            AttributeValue::CloudName { .. } => {
                format!("up to {} characters", limits::MAX_CLOUD_NAME_CHARS)
            }
            AttributeValue::Url { .. } | AttributeValue::DownloadUrl { .. } => {
                format!("http(s), up to {} bytes", limits::MAX_URL_BYTES)
            }
            AttributeValue::JavaTarballs { .. } => {
                format!("0 to {} tarballs", limits::MAX_JAVA_TARBALLS)
            }
            AttributeValue::NodeNetwork { .. } => {
                let (least, most) = (limits::MIN_PREFIX, limits::MAX_PREFIX);
                format!("private, /{least} to /{most}")
            }
            AttributeValue::NetworkList { .. } => {
                format!("0 to {} networks", limits::MAX_ACCESS_CIDRS)
            }
            AttributeValue::EndpointList { .. } => {
                format!("0 to {} names", limits::MAX_OPEN_ENDPOINTS)
            }
            AttributeValue::EndTime { .. } => end_time::range_text(),
            AttributeValue::IdleLimit { .. } => idle_limit::range_text(),
            AttributeValue::Frameworks { .. } => {
                format!("1 to {} of the plugins", limits::MAX_FRAMEWORKS)
            }
            AttributeValue::FrameworkVersion { .. } => "one of the plugin's versions".to_owned(),
            AttributeValue::Groups { .. } => format!("{} to {} words", 2, limits::MAX_GROUPS),
            AttributeValue::OfGroup(of_group) => of_group.range_text(),
        }
    }

    /// Parses `text`, which is not empty, into the spec's field. The rows before this one have been
    /// parsed into the spec.
    ///
    /// # Errors
    /// The problem with the text, under the attribute's name.
    pub fn parse_into(&self, spec: &mut ClusterSpec, text: &str) -> Result<(), Problem> {
        let name = self.name.as_ref();
        let clean = || parse_value::check_text(name, text);
        match &self.value {
            AttributeValue::Number {
                least, most, field, ..
            } => {
                clean()?;
                let number = parse_value::parse_number(name, text, *least, *most)?;
                field.set(spec, number);
            }
            AttributeValue::Flag { field, .. } => {
                clean()?;
                field.set(spec, parse_value::parse_flag(name, text)?);
            }
            AttributeValue::CloudName { field, .. } => {
                clean()?;
                field.set(spec, Some(parse_value::parse_cloud_name(name, text)?));
            }
            AttributeValue::Url { field, .. } => {
                clean()?;
                field.set(spec, Some(parse_value::parse_url(name, text)?));
            }
            AttributeValue::DownloadUrl { field, .. } => {
                clean()?;
                field.set(spec, Some(parse_value::parse_download_url(name, text)?));
            }
            AttributeValue::JavaTarballs { field, .. } => {
                clean()?;
                field.set(spec, parse_javas(name, text)?);
            }
            AttributeValue::NodeNetwork { field, .. } => {
                clean()?;
                let network = parse_value::parse_node_network(name, text, &spec.groups)?;
                field.set(spec, network);
            }
            AttributeValue::NetworkList { field, .. } => {
                clean()?;
                field.set(spec, parse_value::parse_network_list(name, text)?);
            }
            AttributeValue::EndpointList { field, .. } => {
                clean()?;
                field.set(spec, name_lists::parse_endpoints(name, text)?);
            }
            AttributeValue::EndTime { field, .. } => {
                clean()?;
                field.set(spec, Some(EndTime::parse(name, text)?));
            }
            AttributeValue::IdleLimit { field, .. } => {
                clean()?;
                field.set(spec, Some(IdleLimit::parse(name, text)?));
            }
            AttributeValue::Upgrade { .. } => {
                let message = "only an update of a running cluster takes it";
                return Err(Problem::new(name, message, "leave it out"));
            }
            AttributeValue::Frameworks { .. }
            | AttributeValue::FrameworkVersion { .. }
            | AttributeValue::Groups { .. } => {}
            AttributeValue::OfGroup(of_group) => {
                clean()?;
                of_group.parse_into(name, &mut spec.groups, text)?;
            }
        }
        Ok(())
    }

    /// The text that [`Self::parse_into`] makes the spec's value of; none where it has none.
    pub fn render(&self, spec: &ClusterSpec) -> Option<String> {
        match &self.value {
            AttributeValue::Number { field, .. } => Some((field.get)(spec).to_string()),
            // Shown where it is set, so that the attributes of most clusters stay short.
            AttributeValue::Flag { default, field } => {
                let value = *(field.get)(spec);
                (value != *default).then(|| value.to_string())
            }
            AttributeValue::CloudName { field, .. }
            | AttributeValue::Url { field, .. }
            | AttributeValue::DownloadUrl { field, .. } => (field.get)(spec).clone(),
            AttributeValue::JavaTarballs { field, .. } => render_javas((field.get)(spec)),
            AttributeValue::NodeNetwork { field, .. } => Some((field.get)(spec).clone()),
            AttributeValue::NetworkList { field, .. }
            | AttributeValue::EndpointList { field, .. } => {
                let names = (field.get)(spec);
                (!names.is_empty()).then(|| names.join(","))
            }
            AttributeValue::EndTime { field, .. } => (field.get)(spec).map(EndTime::render),
            AttributeValue::IdleLimit { field, .. } => (field.get)(spec).map(IdleLimit::render),
            AttributeValue::Frameworks { .. } => Some(match spec.frameworks.as_slice() {
                // An empty text would mean "not given", and so the default framework.
                [] => CLUSTER.to_owned(),
                several => {
                    let names: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
                    names.join(",")
                }
            }),
            AttributeValue::Groups { .. } => render_groups(&spec.groups),
            AttributeValue::OfGroup(of_group) => of_group.render(&spec.groups),
            // Rendered under each framework's own name, `hadoop.version`.
            AttributeValue::FrameworkVersion { .. } | AttributeValue::Upgrade { .. } => None,
        }
    }

    /// Gives `to` the value that `from` has.
    pub fn copy_value(&self, from: &ClusterSpec, to: &mut ClusterSpec) {
        match &self.value {
            AttributeValue::Number { field, .. } => field.copy(from, to),
            AttributeValue::Flag { field, .. } => field.copy(from, to),
            AttributeValue::CloudName { field, .. }
            | AttributeValue::Url { field, .. }
            | AttributeValue::DownloadUrl { field, .. } => field.copy(from, to),
            AttributeValue::JavaTarballs { field, .. } => field.copy(from, to),
            AttributeValue::NodeNetwork { field, .. } => field.copy(from, to),
            AttributeValue::NetworkList { field, .. }
            | AttributeValue::EndpointList { field, .. } => field.copy(from, to),
            AttributeValue::EndTime { field, .. } => field.copy(from, to),
            AttributeValue::IdleLimit { field, .. } => field.copy(from, to),
            AttributeValue::Frameworks { .. } => to.frameworks.clone_from(&from.frameworks),
            AttributeValue::OfGroup(of_group) => {
                of_group.copy_value(&from.groups, &mut to.groups);
            }
            AttributeValue::FrameworkVersion { .. }
            | AttributeValue::Groups { .. }
            | AttributeValue::Upgrade { .. } => {}
        }
    }
}
