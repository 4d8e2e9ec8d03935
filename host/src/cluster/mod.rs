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
//! - [`lifecycle`]: how far its life has come
//! - [`progress`]: what a node says about itself
//! - [`change`]: a change to a running cluster

pub mod attribute_docs;
pub mod attribute_names;
pub mod attributes;
pub mod change;
pub mod defaults;
pub mod flavor;
pub mod framework;
pub mod lifecycle;
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
pub use lifecycle::Lifecycle;
pub use problem::Problem;
pub use spec::ClusterSpec;
pub use state::{ClusterState, LifecyclePhase};
