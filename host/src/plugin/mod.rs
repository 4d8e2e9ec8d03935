//! The sandbox: framework plugins as WebAssembly components, loaded from a folder, asked for their
//! part of a cluster. Nothing outside this module knows WebAssembly; nothing in it knows Heat, HTTP
//! or the store.
//!
//! A plugin is a pure function. Every call gets a fresh sandbox with a closed and frozen WASI and
//! bounds on all it may use; whatever it does wrong is an error that names it, and never the host's
//! end.
//!
//! Layout, in reading order
//! - [`Catalogue`]: the plugins of a folder, and those that disabled themselves
//! - [`Plugin`]: one of them: what it is, and `generate`
//! - [`GenerateError`], [`PluginError`], [`Fault`]: the ways it fails
//! - [`Limits`]: all bounds, in one struct
//! - `v0_1_0`: the contract of that version, to and from the host's types
//! - `interface`: which contract a component speaks and what it wants from the host, read before it
//!   runs
//! - `contract`: what a plugin's answers are held to
//! - `sandbox`: one bounded call; `wasi`: what a guest sees of the world; `engine`: the compiler
//!   and the epoch's ticks; `cache`, `shelf`: compiled code on disk

mod api_version;
mod cache;
mod compiled_store;
mod deterministic_wasi;
mod engine;
mod error;
mod limits;
mod registry;
mod sandbox;
mod v0_1_0;
mod validate;

pub use error::{ContractBreach, GenerateError, LoadFailure, PluginError, PluginFault};
pub use limits::PluginLimits;
pub use registry::{CompiledSources, DisabledPlugin, LoadError, LoadedPlugin, PluginRegistry};
