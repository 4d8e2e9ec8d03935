//! Stampede: one request in, a running and verified framework cluster on OpenStack out.
//!
//! Layout, in reading order; each module may use only those below it (kept by `tests/layering`):
//! - [`cli`]: arguments to one function each; exit codes
//! - [`server`]: serves the APIs on their ports
//! - [`occi`], [`api`], [`ui`], [`web`], [`admin`]: the APIs
//! - [`orchestrator`]: the life of a cluster: plan, act, observe, remember
//! - [`plugin`]: runs the framework plugins in a sandbox
//! - [`openstack`]: the client of the cloud
//! - [`store`]: what outlives the process
//! - [`bundle`]: merge the bundles of plugins, check them, write node scripts, print YAML
//! - [`cluster`]: the nouns
//! - [`metrics`]: what the host counts and how long it takes; [`system`]: clocks, randomness,
//!   environment variables, HTTP clients; [`addressing`]: under which URL clients know this service;
//!   [`answer`]: bodies of answers, streams of events among them

pub mod addressing;
pub mod admin;
pub mod answer;
pub mod api;
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
pub mod ui;
pub mod web;
