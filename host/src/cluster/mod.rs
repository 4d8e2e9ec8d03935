//! The nouns of Stampede. No I/O, no async, no HTTP, no Heat, no WebAssembly.
//!
//! Layout
//! - [`spec`]: what a user asked for
//! - [`framework`]: what a plugin is, is asked, and offers
//! - [`problem`]: what is wrong with a request
//! - [`flavor`]: the measure of a node
//! - [`state`]: where a cluster stands
//! - [`progress`]: what a node says about itself

pub mod flavor;
pub mod framework;
pub mod problem;
pub mod progress;
pub mod spec;
pub mod state;

pub use flavor::Flavor;
pub use problem::Problem;
pub use spec::Spec;
pub use state::State;
