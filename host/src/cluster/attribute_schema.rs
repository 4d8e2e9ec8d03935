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
//! the spec: the search in the cloud (`orchestrator`'s `resolve`), what the plugin `cluster` is told
//! (`host_facts`) or what is around nodes (`bundle`'s `node_surroundings`). A plugin's own
//! parameters have no rows: its descriptor describes them by a JSON Schema.

use std::borrow::Cow;

pub use super::attribute_value::{AttributeSchema, AttributeValue, SpecField};
use super::{
    ClusterSpec, default_group_rows, default_groups,
    end_time::{EXPIRES, NEVER},
    group_value::GROUPS_ATTRIBUTE,
    idle_limit::IDLE,
    limits,
};

/// The framework of a request that names none.
pub const DEFAULT_FRAMEWORK: &str = "hadoop";
/// What asks for an upgrade, in an update.
pub const UPGRADE: &str = "upgrade";

/// All of Stampede's own attributes, in the order in which people see them. A row whose parsing
/// needs another's value (the network has to hold the nodes) stands behind it. Those of the groups
/// that every cluster has are `default_group_rows`', those of further groups
/// [`super::group_attributes`]'.
pub static ATTRIBUTES: &[AttributeSchema] = &[
    AttributeSchema {
        name: Cow::Borrowed("framework"),
        description: Cow::Borrowed("frameworks, separated by commas or blanks"),
        value: AttributeValue::Frameworks {
            default: DEFAULT_FRAMEWORK,
        },
        may_change: false,
    },
    AttributeSchema {
        name: Cow::Borrowed("framework.version"),
        description: Cow::Borrowed("version of the framework, where one is asked for"),
        value: AttributeValue::FrameworkVersion {
            default: "the framework's own",
        },
        may_change: false,
    },
    AttributeSchema {
        name: Cow::Borrowed(GROUPS_ATTRIBUTE),
        description: Cow::Borrowed(
            "node groups; each has `<group>.count`, `.flavor`, `.image`, `.availability_zone`, `.root_volume_gib`, `.volume_gib` and `.components`",
        ),
        value: AttributeValue::Groups {
            default: default_groups::GROUPS,
        },
        may_change: true,
    },
    default_group_rows::WORKER_COUNT_ROW,
    default_group_rows::WORKERS_TO_REMOVE_ROW,
    default_group_rows::MASTER_FLAVOR_ROW,
    default_group_rows::WORKER_FLAVOR_ROW,
    AttributeSchema {
        name: Cow::Borrowed("image"),
        description: Cow::Borrowed(
            "image of all nodes, name or id, where their group has none of its own",
        ),
        value: AttributeValue::CloudName {
            default: "a Debian, else an Ubuntu",
            field: SpecField {
                get: |spec| &spec.image,
                get_mut: |spec| &mut spec.image,
            },
        },
        may_change: false,
    },
    default_group_rows::MASTER_IMAGE_ROW,
    default_group_rows::WORKER_IMAGE_ROW,
    default_group_rows::MASTER_ZONE_ROW,
    default_group_rows::WORKER_ZONE_ROW,
    default_group_rows::MASTER_ROOT_VOLUME_ROW,
    default_group_rows::WORKER_ROOT_VOLUME_ROW,
    default_group_rows::MASTER_VOLUME_ROW,
    default_group_rows::WORKER_VOLUME_ROW,
    default_group_rows::MASTER_COMPONENTS_ROW,
    default_group_rows::WORKER_COMPONENTS_ROW,
    AttributeSchema {
        name: Cow::Borrowed("image.has_java"),
        description: Cow::Borrowed(
            "whether the image has a Java inside that the frameworks take, whatever its distribution packages",
        ),
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
        name: Cow::Borrowed("key"),
        description: Cow::Borrowed("name of the key pair for SSH"),
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
        name: Cow::Borrowed("network.external"),
        description: Cow::Borrowed("external network, name or id; `none` for no way in or out"),
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
        name: Cow::Borrowed("network.cidr"),
        description: Cow::Borrowed("the cluster's own network, IPv4"),
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
        name: Cow::Borrowed("network.access"),
        description: Cow::Borrowed(
            "who may reach the cluster by SSH from outside, CIDRs separated by commas or blanks",
        ),
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
        name: Cow::Borrowed("network.open"),
        description: Cow::Borrowed(
            "endpoints that the networks of `network.access` may reach beside SSH, separated by commas or blanks",
        ),
        value: AttributeValue::EndpointList {
            default: "none",
            field: SpecField {
                get: |spec| &spec.open,
                get_mut: |spec| &mut spec.open,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: Cow::Borrowed("network.open_unauthenticated"),
        description: Cow::Borrowed(
            "whether endpoints that ask for no secret may be opened to wide networks, too",
        ),
        value: AttributeValue::Flag {
            default: false,
            field: SpecField {
                get: |spec| &spec.open_unauthenticated,
                get_mut: |spec| &mut spec.open_unauthenticated,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: Cow::Borrowed("mirror"),
        description: Cow::Borrowed("base URL of the download mirror, in Apache's folder layout"),
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
        name: Cow::Borrowed("proxy"),
        description: Cow::Borrowed(
            "URL of the proxy for what nodes download: packages and frameworks",
        ),
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
        name: Cow::Borrowed("python.index"),
        description: Cow::Borrowed(
            "base URL of the index that nodes fetch Python packages from, such as https://pypi.example.org/simple",
        ),
        value: AttributeValue::DownloadUrl {
            default: "the image's own",
            field: SpecField {
                get: |spec| &spec.python_index,
                get_mut: |spec| &mut spec.python_index,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: Cow::Borrowed("java.tarballs"),
        description: Cow::Borrowed(
            "Java for nodes whose distribution has none that will do: `17=URL#sha256=HEX` or `#sha512=`, one for each version, separated by commas or blanks",
        ),
        value: AttributeValue::JavaTarballs {
            default: "none",
            field: SpecField {
                get: |spec| &spec.javas,
                get_mut: |spec| &mut spec.javas,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: Cow::Borrowed("timeout"),
        description: Cow::Borrowed("how long the nodes may take, in seconds"),
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
    AttributeSchema {
        name: Cow::Borrowed(EXPIRES),
        description: Cow::Borrowed(
            "when the cluster is deleted: an age such as 8h or 3d, counted from the request, or a moment in UTC",
        ),
        value: AttributeValue::EndTime {
            default: NEVER,
            field: SpecField {
                get: |spec| &spec.expires,
                get_mut: |spec| &mut spec.expires,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: Cow::Borrowed(IDLE),
        description: Cow::Borrowed(
            "how long the cluster may be without jobs before it is deleted, such as 2h or 3d",
        ),
        value: AttributeValue::IdleLimit {
            default: NEVER,
            field: SpecField {
                get: |spec| &spec.idle,
                get_mut: |spec| &mut spec.idle,
            },
        },
        may_change: true,
    },
    AttributeSchema {
        name: Cow::Borrowed(UPGRADE),
        description: Cow::Borrowed(
            "in an update, by itself: whether all that stands on the nodes becomes what the plugins of now make",
        ),
        value: AttributeValue::Upgrade {
            default: "the nodes keep what they were made of",
        },
        may_change: true,
    },
];

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
            | AttributeValue::DownloadUrl { .. }
            | AttributeValue::JavaTarballs { .. }
            | AttributeValue::NetworkList { .. }
            | AttributeValue::EndpointList { .. }
            | AttributeValue::EndTime { .. }
            | AttributeValue::IdleLimit { .. }
            | AttributeValue::Frameworks { .. }
            | AttributeValue::FrameworkVersion { .. }
            // The groups of every cluster are there, with their counts.
            | AttributeValue::Groups { .. }
            | AttributeValue::Upgrade { .. }
            | AttributeValue::OfGroup(_) => {}
        }
    }
    spec
}

#[cfg(test)]
#[path = "attribute_schema_tests.rs"]
mod tests;
