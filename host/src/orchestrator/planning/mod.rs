//! From a request to what Heat is to be given.
//!
//! Layout
//! - `plan_deploy`: all of it, for a cluster that is not there yet
//! - [`inventory`]: what the cloud has
//! - [`image_check`]: what an image says of itself, against what nodes need (pure)
//! - [`resolve`]: open names filled in, named ones checked (pure)
//! - [`planner`]: what is asked for; [`plugin_planner`]: the same of the plugins of a catalogue
//! - [`plugin_chain`]: which plugins, in which order (pure); [`typed_settings`]: raw texts to what a
//!   plugin's schema says (pure)
//! - [`ask_claims`], then [`framework_plan`]: what the plugins make of it; [`plan_error`]: or why not (pure)
//! - [`cluster_description`]: what is said of a cluster (pure)
//! - [`pinning`]: what a cluster is made of, as its record keeps it (pure)
//! - [`newer_plugins`]: whether that is another by now (pure)
//! - [`template_overlay`]: a change laid over what a stack has (pure)
//! - [`new_node_values`]: what new nodes are made of (pure); [`new_nodes`]: whether what new nodes need is still there (pure)
//! - [`quota`]: what the project may still take (pure)
//! - [`place_cluster`], [`placement`], [`claims`], [`ports`], [`memory_share`], [`recorded_shares`]: what components have on
//!   which nodes, and what of a node each gets (pure); [`node_groups`]: those nodes with their addresses
//! - `turns`: which nodes are told of a change together (pure)
//! - [`host_facts`]: what the host tells the plugin `cluster` (pure); [`java_needs`]: the Java that nodes need (pure)
//! - `whole_refusal`, [`known_claims`]: all that is wrong with a request that is refused, at once
//! - [`request_values`]: the value that each attribute of a request comes to, and why (pure);
//!   [`cloud_choices`]: what a request may name; [`plan_description`]: what a plan has nodes fetch and
//!   whom it lets in (pure)
//! - [`template_diff`]: what an update makes of a stack's resources (pure)
//! - `merge_attributes`: what a request makes of the attributes that are there (pure)

pub mod ask_claims;
pub mod claims;
pub mod cloud_choices;
pub mod cluster_description;
pub mod framework_plan;
pub mod host_facts;
pub mod image_check;
pub mod inventory;
pub mod java_needs;
pub mod known_claims;
pub mod memory_share;
pub(crate) mod merge_attributes;
pub mod new_node_values;
pub mod new_nodes;
pub mod newer_plugins;
pub mod node_groups;
pub mod pinning;
pub mod place_cluster;
pub mod placement;
pub(crate) mod plan_deploy;
pub mod plan_description;
pub mod plan_error;
pub mod planner;
pub mod plugin_chain;
pub mod plugin_planner;
pub mod ports;
pub mod quota;
pub mod recorded_shares;
pub mod request_values;
pub mod resolve;
pub mod template_diff;
pub mod template_overlay;
pub(crate) mod turns;
pub mod typed_settings;
pub(crate) mod whole_refusal;
