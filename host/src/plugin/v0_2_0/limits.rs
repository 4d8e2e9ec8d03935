//! How much an answer of the contract 0.2.0 may name. Each stands in its WIT.

use crate::bundle::sizes;

/// Entries of a list where nothing else is said.
pub(super) const LIST: usize = 64;
/// Bytes of a text where nothing else is said.
pub(super) const TEXT_BYTES: usize = 1_024;
/// Characters of a name.
pub(super) const NAME_CHARS: usize = 31;
/// Characters of a version, and of a machine.
pub(super) const SHORT_CHARS: usize = 32;
/// Characters of a unit's name.
pub(super) const UNIT_CHARS: usize = 63;
/// Bytes of a path on nodes, or below a mirror.
pub(super) const PATH_BYTES: usize = 512;
/// Bytes of the JSON Schema of the parameters.
pub(super) const SCHEMA_BYTES: usize = 64 << 10;
/// Parameters.
pub(super) const PARAMETERS: usize = 128;
/// Nodes of a component: `nodes`, `most`.
pub(super) const NODES: u32 = crate::cluster::limits::MAX_GROUP_NODES;
/// Extensions of one plugin.
pub(super) const EXTENSIONS: usize = 256;
/// Bytes of an extension's key.
pub(super) const KEY_BYTES: usize = 256;
/// Bytes of an extension's value, and of a unit's `exec`.
pub(super) const LONG_TEXT_BYTES: usize = 4 << 10;
/// The largest amount of memory in MiB, or of disk in GiB.
pub(super) const AMOUNT: u32 = 1 << 24;
/// The largest weight.
pub(super) const WEIGHT: u32 = 1_000;
/// Bytes of a template: Heat takes no more of a whole cluster.
pub(super) const TEMPLATE_BYTES: usize = sizes::MAX_TEMPLATE_BYTES;
/// Names in one section of a template.
pub(super) const ENTRIES: usize = sizes::MAX_RESOURCES;
/// So many times as much of both may be the plugin `cluster`'s, which makes all nodes: one that is too
/// large for Heat is the user's to mend, who is told so by [`sizes`].
pub(super) const CLUSTER_TIMES: usize = 2;
/// Names of one piece of software.
pub(super) const SOFTWARE_NAMES: usize = 256;
/// Bytes of one of them.
pub(super) const SOFTWARE_BYTES: usize = 128;
/// Bytes of a requirement of Python, with its hashes.
pub(super) const REQUIREMENT_BYTES: usize = 1_024;
/// The newest Java.
pub(super) const JAVA: u32 = crate::cluster::limits::MAX_JAVA_VERSION;
/// Files.
pub(super) const FILES: usize = 256;
/// Bytes of a file's content.
pub(super) const CONTENT_BYTES: usize = 256 << 10;
/// Bytes of a script.
pub(super) const SCRIPT_BYTES: usize = 64 << 10;
/// Problems of one request.
pub(super) const PROBLEMS: usize = 100;
