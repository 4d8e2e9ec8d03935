//! Runs framework plugins as WebAssembly components, each call in a sandbox of its own. Nothing
//! outside this module knows WebAssembly; nothing in it knows Heat, HTTP or the store.
//!
//! A plugin is a pure function. Every call gets a fresh store with a WASI in which everything is
//! fixed, and bounds on all it may use; whatever it does wrong is an error that names it, and never
//! ends the host.
//!
//! Layout, in reading order
//! - [`PluginRegistry`]: the plugins of a folder, and those that disabled themselves
//! - [`LoadedFramework`]: one of them: its descriptor, `claim` and `generate`
//! - [`GenerateError`], [`PluginError`], [`PluginFault`], [`ContractBreach`], [`LoadFailure`]: the
//!   ways it fails
//! - [`PluginLimits`]: all bounds, in one struct
//! - `v0_2_0`: the contract of that version, to and from the host's types, and its rules
//! - `api_version`: which version a component speaks and what it imports, read before it runs
//! - `schema_rules`: what no schema of parameters may have
//! - `compile_process`: compiling, in a process of its own
//! - `fault_list`: all that is wrong with an answer, each with its place
//! - `judged_call`: the look at an answer within the time of its call; `sandbox`: one bounded call; `deterministic_wasi`: what a guest is given; `engine`: the
//!   compiler and the epoch's ticks; `cache`, `compiled_store`: compiled code on disk

mod api_version;
mod cache;
mod compile_process;
mod compiled_plugin;
mod compiled_store;
mod deterministic_wasi;
mod engine;
mod error;
mod fault_list;
mod judged_call;
mod limits;
mod loaded_framework;
mod plugin_files;
mod registry;
mod sandbox;
mod schema_rules;
mod v0_2_0;

pub use compile_process::{COMPILE_COMMAND, run_compile_process};
pub use error::{
    ContractBreach, DisabledPlugin, GenerateError, LoadError, LoadFailure, PluginError, PluginFault,
};
pub use fault_list::FaultList;
pub use limits::PluginLimits;
pub use loaded_framework::LoadedFramework;
pub use registry::{CompiledSources, PluginRegistry};
