//! Stampede: one request in, a running and proved framework cluster on OpenStack out.
//!
//! Layout, in reading order; each module may use only those below it (kept by `tests/layering`):
//! - [`cli`]: arguments to one function each; exit codes
//! - [`server`]: puts the faces on their ports
//! - [`occi`], [`web`], [`admin`]: the faces
//! - [`orchestrator`]: the life of a cluster: plan, act, observe, remember
//! - [`plugin`]: the sandbox of the framework plugins
//! - [`openstack`]: the client of the cloud
//! - [`store`]: what outlives the process
//! - [`bundle`]: merge the parts of plugins, check them, assemble node scripts, print YAML
//! - [`cluster`]: the nouns
//! - [`system`]: clocks, randomness, environment variables, HTTP clients; [`metrics`]: what the host
//!   counts and how long it takes

pub mod admin;
pub mod bundle;
pub mod cli;
pub mod cluster;
pub mod metrics;
pub mod occi;
pub mod openstack;
pub mod orchestrator;
pub mod plugin;
pub mod server;
pub mod store;
pub mod system;
pub mod web;
