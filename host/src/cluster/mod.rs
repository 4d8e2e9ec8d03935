//! The data types of Stampede and the rules on them, the bottom layer of the host. No I/O, no
//! async, no HTTP, no Heat, no WebAssembly.
//!
//! Layout
//! - [`attribute_schema`]: the table of all attributes; begin here to add one
//! - [`attributes`]: parses attributes, pairs of texts, to a [`ClusterSpec`] over an operator's
//!   [`defaults`], and renders them back; `parse_value`, `name_lists`: the values, by their kind
//! - [`attribute_changes`]: what an update gives, over the spec of a running cluster
//! - [`attribute_names`]: the names that requests may use; [`limits`]: how much may be asked for
//! - [`spec`]: what a user asked for; [`node_group`]: the nodes of a cluster by their groups;
//!   [`group_addresses`]: where they stand in its network; [`group_attributes`],
//!   [`group_value`]: what is said of them; [`reserved_words`]: what neither they nor plugins are called
//! - [`default_groups`]: the groups that every cluster has; `former_records`: how former versions
//!   wrote them
//! - [`framework_descriptor`], [`framework_request`], [`framework_bundle`]: what a plugin says of itself, is asked, and
//!   adds; [`component`]: what of it is placed on nodes; [`framework`]: nodes as it is told of them
//! - [`parameter_schema`]: its parameters; [`parameter_text`]: what it says of them, for people;
//!   [`typed_value`]: a text as a value of such a type
//! - [`plugin_contract`]: by which version of the contract a cluster was made
//! - [`problem`]: what is wrong with a request
//! - [`flavor`]: the size of a node; [`flavor_choice`]: whether it fits, and the smallest that does
//! - [`state`]: where a cluster stands
//! - [`lifecycle`]: how far its life has come
//! - [`progress`]: what a node reports of itself; [`health`]: what it says of its components later
//! - [`cluster_endpoint`]: where a cluster is reached; [`shared_secret`]: what its nodes have in common
//! - [`change`]: a change to a running cluster; [`pins`]: what it was made of; `placement_text`: where
//!   its components are, as it is kept
//! - [`request_entry`]: a request as it is remembered; [`former_runs`]: how long such requests took before
//! - [`cloud_access`]: what nodes are given to reach the cloud that they signal

pub mod attribute_changes;
pub mod attribute_names;
pub mod attribute_schema;
mod attribute_value;
pub mod attributes;
pub mod change;
pub mod cloud_access;
pub mod cluster_endpoint;
pub mod component;
mod default_group_rows;
pub mod default_groups;
pub mod defaults;
pub mod end_time;
pub mod flavor;
pub mod flavor_choice;
pub(crate) mod former_records;
pub mod former_runs;
pub mod framework;
pub mod framework_bundle;
pub mod framework_descriptor;
pub mod framework_request;
pub mod group_addresses;
pub mod group_attributes;
pub mod group_value;
pub mod health;
pub mod idle_limit;
pub mod java_tarball;
pub mod lifecycle;
pub mod limits;
mod name_lists;
pub mod newer_plugins;
pub mod node_group;
pub mod operator_policy;
pub mod parameter_schema;
pub mod parameter_text;
mod parse_value;
pub mod pins;
mod placement_text;
pub mod plugin_contract;
pub mod problem;
pub mod progress;
pub mod request_entry;
pub mod reserved_words;
pub mod shared_secret;
pub mod spec;
pub mod state;
#[cfg(test)]
pub(crate) mod test_groups;
#[cfg(test)]
pub(crate) mod test_plugins;
pub mod typed_value;

pub use attribute_names::AttributeNames;
pub use change::{ClusterChange, ClusterRest, MemberNews, RolloutStep};
pub use cloud_access::CloudAccess;
pub use defaults::OperatorDefaults;
pub use end_time::{ClusterEnd, EndStage, EndTime};
pub use flavor::Flavor;
pub use framework_descriptor::FrameworkDescriptor;
pub use idle_limit::{ClusterIdle, ClusterJobs, IdleLimit, IdleNotice, IdleStep, ToldJobs};
pub use lifecycle::Lifecycle;
pub use newer_plugins::NewerPlugins;
pub use node_group::{GroupSpec, NodeGroups, NodeIds};
pub use operator_policy::{OperatorPolicy, ProjectPolicy};
pub use parse_value::is_node_url;
pub(crate) use parse_value::parse_flag;
pub use pins::{ClusterPins, PinnedPlugin};
pub use plugin_contract::PluginContract;
pub use problem::Problem;
pub use spec::ClusterSpec;
pub use state::{ClusterState, LifecyclePhase};
