//! The table of Stampede's own attributes. A row holds all there is to know of one: name,
//! description, type, default, range, how its text is parsed and printed, and whether a running
//! cluster can be changed in it. All that deals with attributes works from these rows, so that no
//! second place can say something else: requests and operators' defaults are parsed by them
//! ([`super::attributes`], [`super::defaults`]), `stampede plugins` and OCCI's query interface list
//! them, and an update asks them what it may change.
//!
//! How to add an attribute
//! 1. Add its field to [`ClusterSpec`], with `#[serde(default)]`: clusters recorded before have
//!    none.
//! 2. Add its row to [`ATTRIBUTES`]; the place there is its place in listings and among problems.
//!    [`AttributeValue`] says which values there are; one unlike all of them is a new variant, and
//!    the compiler names what it needs.
//! 3. `cargo test --workspace --lib attribute_schema` checks the row against its own default and
//!    range, and that no field is left without a row.
//!
//! That is all for requests, defaults, listings and updates. What then uses the field reads it from
//! the spec: the search in the cloud (`orchestrator`'s `resolve`) or what plugins are asked
//! (`orchestrator`'s `cluster_plan`, [`super::framework::PluginRequest`]). A plugin's own
//! parameters have no rows: its descriptor describes them by a JSON Schema.

use super::{ClusterSpec, Problem, framework::CLUSTER, limits, parse_value};

/// The framework of a request that names none.
pub const DEFAULT_FRAMEWORK: &str = "hadoop";
/// The attribute that names the workers to take away; only updates take it.
pub const WORKERS_TO_REMOVE: &str = "workers.remove";

/// All of Stampede's own attributes, in the order in which people see them. A row whose parsing
/// needs another's value (the network has to hold the workers) stands behind it.
pub static ATTRIBUTES: &[AttributeSchema] = &[
    AttributeSchema {
        name: "framework",
        description: "frameworks, separated by commas or blanks",
        value: AttributeValue::Frameworks {
            default: DEFAULT_FRAMEWORK,
        },
        may_change: false,
    },
    AttributeSchema {
        name: "framework.version",
        description: "version of the framework, where one is asked for",
        value: AttributeValue::FrameworkVersion {
            default: "the framework's own",
        },
        may_change: false,
    },
    AttributeSchema {
        name: "workers",
        description: "how many workers",
        value: AttributeValue::Number {
            least: limits::MIN_WORKERS,
            most: limits::MAX_WORKERS,
            default: 2,
            field: SpecField {
                get: |spec| &spec.workers,
                get_mut: |spec| &mut spec.workers,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: WORKERS_TO_REMOVE,
        description: "in an update: the workers to take away, such as `worker-2`; by default the last ones",
        value: AttributeValue::WorkerNames {
            default: "the last ones",
        },
        may_change: false,
    },
    AttributeSchema {
        name: "master.flavor",
        description: "flavor of the master, name or id",
        value: AttributeValue::CloudName {
            default: "the smallest that fits",
            field: SpecField {
                get: |spec| &spec.master_flavor,
                get_mut: |spec| &mut spec.master_flavor,
            },
        },
        may_change: false,
    },
    AttributeSchema {
        name: "worker.flavor",
        description: "flavor of the workers, name or id",
        value: AttributeValue::CloudName {
            default: "the smallest that fits",
            field: SpecField {
                get: |spec| &spec.worker_flavor,
                get_mut: |spec| &mut spec.worker_flavor,
            },
        },
        may_change: false,
    },
    AttributeSchema {
        name: "image",
        description: "image of all nodes, name or id",
        value: AttributeValue::CloudName {
            default: "a Debian, else an Ubuntu",
            field: SpecField {
                get: |spec| &spec.image,
                get_mut: |spec| &mut spec.image,
            },
        },
        may_change: false,
    },
    AttributeSchema {
        name: "image.has_java",
        description: "whether the image has a Java inside that the frameworks take, whatever its distribution packages",
        value: AttributeValue::Flag {
            default: false,
            field: SpecField {
                get: |spec| &spec.image_has_java,
                get_mut: |spec| &mut spec.image_has_java,
            },
        },
        may_change: false,
    },
    AttributeSchema {
        name: "key",
        description: "name of the key pair for SSH",
        value: AttributeValue::CloudName {
            default: "none",
            field: SpecField {
                get: |spec| &spec.key,
                get_mut: |spec| &mut spec.key,
            },
        },
        may_change: false,
    },
    AttributeSchema {
        name: "network.external",
        description: "external network, name or id; `none` for no way in or out",
        value: AttributeValue::CloudName {
            default: "the only or default one",
            field: SpecField {
                get: |spec| &spec.external_network,
                get_mut: |spec| &mut spec.external_network,
            },
        },
        may_change: false,
    },
    AttributeSchema {
        name: "network.cidr",
        description: "the cluster's own network, IPv4",
        value: AttributeValue::NodeNetwork {
            default: "10.77.0.0/22",
            field: SpecField {
                get: |spec| &spec.cidr,
                get_mut: |spec| &mut spec.cidr,
            },
        },
        may_change: false,
    },
    AttributeSchema {
        name: "network.access",
        description: "who may reach the cluster from outside, CIDRs separated by commas or blanks",
        value: AttributeValue::NetworkList {
            default: "nobody",
            field: SpecField {
                get: |spec| &spec.access,
                get_mut: |spec| &mut spec.access,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: "mirror",
        description: "base URL of the download mirror, in Apache's folder layout",
        value: AttributeValue::Url {
            default: "the framework's own",
            field: SpecField {
                get: |spec| &spec.mirror,
                get_mut: |spec| &mut spec.mirror,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: "proxy",
        description: "URL of the proxy for what nodes download: packages and frameworks",
        value: AttributeValue::Url {
            default: "none",
            field: SpecField {
                get: |spec| &spec.proxy,
                get_mut: |spec| &mut spec.proxy,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: "timeout",
        description: "how long the nodes may take, in seconds",
        value: AttributeValue::Number {
            least: limits::MIN_TIMEOUT_S,
            most: limits::MAX_TIMEOUT_S,
            default: 3_600,
            field: SpecField {
                get: |spec| &spec.timeout_s,
                get_mut: |spec| &mut spec.timeout_s,
            },
        },
        may_change: false,
    },
];

/// One attribute.
pub struct AttributeSchema {
    /// Its name, without `stampede.`.
    pub name: &'static str,
    /// What it means, for people.
    pub description: &'static str,
    /// What it takes.
    pub value: AttributeValue,
    /// Whether an update may give it another value.
    pub may_change: bool,
}

/// What an attribute takes: type and range, the default, and the field that holds the value. A
/// `default` that is no value says in words what is found or done where none is given.
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
    /// Names of workers that an update takes away: no part of a spec.
    WorkerNames {
        /// In words.
        default: &'static str,
    },
}

/// A field of a spec, to read and to write.
pub struct SpecField<T> {
    /// The field.
    pub get: fn(&ClusterSpec) -> &T,
    /// The same field.
    pub get_mut: fn(&mut ClusterSpec) -> &mut T,
}

impl<T: Clone> SpecField<T> {
    fn set(&self, spec: &mut ClusterSpec, value: T) {
        *(self.get_mut)(spec) = value;
    }

    fn copy(&self, from: &ClusterSpec, to: &mut ClusterSpec) {
        self.set(to, (self.get)(from).clone());
    }
}

/// The attribute of this name, without `stampede.`; none where it is a plugin's or nobody's.
pub fn find_attribute(name: &str) -> Option<&'static AttributeSchema> {
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}

/// What a spec is where no attribute is given.
pub fn default_spec() -> ClusterSpec {
    let mut spec = ClusterSpec::default();
    for attribute in ATTRIBUTES {
        match &attribute.value {
            AttributeValue::Number { default, field, .. } => field.set(&mut spec, *default),
            AttributeValue::Flag { default, field } => field.set(&mut spec, *default),
            AttributeValue::NodeNetwork { default, field } => {
                field.set(&mut spec, (*default).to_owned());
            }
            // Their defaults are words: nothing is in the field until it is found.
            AttributeValue::CloudName { .. }
            | AttributeValue::Url { .. }
            | AttributeValue::NetworkList { .. }
            | AttributeValue::Frameworks { .. }
            | AttributeValue::FrameworkVersion { .. }
            | AttributeValue::WorkerNames { .. } => {}
        }
    }
    spec
}

impl AttributeSchema {
    /// `integer`, `string`, as JSON Schema calls types.
    pub fn type_name(&self) -> &'static str {
        match self.value {
            AttributeValue::Number { .. } => "integer",
            AttributeValue::Flag { .. } => "boolean",
            _ => "string",
        }
    }

    /// The value where neither request nor operator gives one, or words for how it is found.
    pub fn default_text(&self) -> String {
        match self.value {
            AttributeValue::Number { default, .. } => default.to_string(),
            AttributeValue::Flag { default, .. } => default.to_string(),
            AttributeValue::CloudName { default, .. }
            | AttributeValue::Url { default, .. }
            | AttributeValue::NodeNetwork { default, .. }
            | AttributeValue::NetworkList { default, .. }
            | AttributeValue::Frameworks { default }
            | AttributeValue::FrameworkVersion { default }
            | AttributeValue::WorkerNames { default } => default.to_owned(),
        }
    }

    /// What it may be, for people: `1 to 250`.
    pub fn range_text(&self) -> String {
        match self.value {
            AttributeValue::Number { least, most, .. } => format!("{least} to {most}"),
            AttributeValue::Flag { .. } => "true or false".to_owned(),
            AttributeValue::CloudName { .. } => {
                format!("up to {} characters", limits::MAX_CLOUD_NAME_CHARS)
            }
            AttributeValue::Url { .. } => {
                format!("http(s), up to {} bytes", limits::MAX_URL_BYTES)
            }
            AttributeValue::NodeNetwork { .. } => {
                let (least, most) = (limits::MIN_PREFIX, limits::MAX_PREFIX);
                format!("private, /{least} to /{most}")
            }
            AttributeValue::NetworkList { .. } => {
                format!("0 to {} networks", limits::MAX_ACCESS_CIDRS)
            }
            AttributeValue::Frameworks { .. } => {
                format!("1 to {} of the plugins", limits::MAX_FRAMEWORKS)
            }
            AttributeValue::FrameworkVersion { .. } => "one of the plugin's versions".to_owned(),
            AttributeValue::WorkerNames { .. } => "names of workers, in an update".to_owned(),
        }
    }

    /// Parses `text`, which is not empty, into the spec's field. The rows before this one have been
    /// parsed into the spec.
    ///
    /// # Errors
    /// The problem with the text, under the attribute's name.
    pub fn parse_into(&self, spec: &mut ClusterSpec, text: &str) -> Result<(), Problem> {
        let name = self.name;
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
            AttributeValue::NodeNetwork { field, .. } => {
                clean()?;
                let network = parse_value::parse_node_network(name, text, spec.workers)?;
                field.set(spec, network);
            }
            AttributeValue::NetworkList { field, .. } => {
                clean()?;
                field.set(spec, parse_value::parse_network_list(name, text)?);
            }
            AttributeValue::Frameworks { .. } | AttributeValue::FrameworkVersion { .. } => {}
            AttributeValue::WorkerNames { .. } => {
                return Err(Problem::new(
                    name,
                    "only an update of a running cluster takes it",
                    "say how many with `workers`",
                ));
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
            AttributeValue::CloudName { field, .. } | AttributeValue::Url { field, .. } => {
                (field.get)(spec).clone()
            }
            AttributeValue::NodeNetwork { field, .. } => Some((field.get)(spec).clone()),
            AttributeValue::NetworkList { field, .. } => {
                let networks = (field.get)(spec);
                (!networks.is_empty()).then(|| networks.join(","))
            }
            AttributeValue::Frameworks { .. } => Some(match spec.frameworks.as_slice() {
                // An empty text would mean "not given", and so the default framework.
                [] => CLUSTER.to_owned(),
                several => {
                    let names: Vec<&str> = several.iter().map(|one| one.name.as_str()).collect();
                    names.join(",")
                }
            }),
            // Rendered under each framework's own name, `hadoop.version`.
            AttributeValue::FrameworkVersion { .. } | AttributeValue::WorkerNames { .. } => None,
        }
    }

    /// Gives `to` the value that `from` has.
    pub fn copy_value(&self, from: &ClusterSpec, to: &mut ClusterSpec) {
        match &self.value {
            AttributeValue::Number { field, .. } => field.copy(from, to),
            AttributeValue::Flag { field, .. } => field.copy(from, to),
            AttributeValue::CloudName { field, .. } | AttributeValue::Url { field, .. } => {
                field.copy(from, to);
            }
            AttributeValue::NodeNetwork { field, .. } => field.copy(from, to),
            AttributeValue::NetworkList { field, .. } => field.copy(from, to),
            AttributeValue::Frameworks { .. } => to.frameworks.clone_from(&from.frameworks),
            AttributeValue::FrameworkVersion { .. } | AttributeValue::WorkerNames { .. } => {}
        }
    }
}

#[cfg(test)]
#[path = "attribute_schema_tests.rs"]
mod tests;
