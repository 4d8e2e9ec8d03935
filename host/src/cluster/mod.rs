//! The nouns of Stampede. No I/O, no async, no HTTP, no Heat, no WebAssembly.
//!
//! Layout
//! - [`attributes`]: pairs of texts to a [`Spec`] and back, over an operator's [`defaults`]
//! - [`vocabulary`]: which attributes there are; [`about`]: what they are by default and may be;
//!   [`limits`]: how much may be asked for
//! - [`spec`]: what a user asked for
//! - [`framework`]: what a plugin is, is asked, and offers
//! - [`problem`]: what is wrong with a request
//! - [`flavor`]: the measure of a node
//! - [`state`]: where a cluster stands
//! - [`progress`]: what a node says about itself
//! - [`change`]: a change to a running cluster

pub mod attribute_names;
pub mod attribute_schema;
pub mod attributes;
pub mod change;
pub mod defaults;
pub mod flavor;
pub mod flavor_choice;
pub mod framework;
pub mod limits;
mod parse_value;
pub mod problem;
pub mod progress;
pub mod spec;
pub mod state;

pub use attribute_names::AttributeNames;
pub use change::{ClusterChange, RolloutStep};
pub use defaults::OperatorDefaults;
pub use flavor::Flavor;
pub use problem::Problem;
pub use spec::ClusterSpec;
pub use state::{ClusterState, DesiredState, LifecyclePhase};
