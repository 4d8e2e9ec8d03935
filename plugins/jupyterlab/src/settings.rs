//! The plugin's parameters: a JSON Schema, which the host checks requests by, and the same as a
//! type.

use serde::Deserialize;
use serde_json::json;
use stampede_framework::parameters::{ParameterList, parameter};

/// The parameters as they come from the host, defaults filled in.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct JupyterlabSettings {
    /// The port of its page.
    pub port: u16,
    /// Seconds after which an idle kernel ends; 0: never.
    pub idle_kernel_s: u32,
    /// Further pinned requirements.
    pub requirements: Vec<String>,
    /// Whether notebooks may stay behind when it moves to another node.
    pub leave_notebooks: bool,
    /// Whether a notebook's sum has to verify the cluster.
    pub smoke: bool,
}

/// A line of a requirements file, as the contract has it, with its hashes.
const PINNED: &str = "^[A-Za-z0-9][A-Za-z0-9._,\\[\\]-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*( --hash=sha256:[0-9a-f]{64})+$";
/// Lines that a request may add; all together are at most 256.
const MOST_REQUIREMENTS: u32 = 128;

/// The JSON Schema of [`JupyterlabSettings`].
pub(crate) fn parameters() -> ParameterList {
    ParameterList::new()
        .add(
            "port",
            parameter("integer", "The port of its page.")
                .with("minimum", 1_024)
                .with("maximum", 65_535)
                .or(8_888)
                .basic(),
        )
        .add(
            "idle_kernel_s",
            parameter("integer", "Seconds after which a kernel that nobody uses ends, with what it holds; 0: never.")
                .with("minimum", 0)
                .with("maximum", 31_536_000)
                .in_unit("s")
                .or(0)
                .basic(),
        )
        .add(
            "requirements",
            parameter("array", "Further Python packages for notebooks, with all that they need: lines of a requirements file, each `NAME==VERSION --hash=sha256:...`.")
                .with("items", json!({"type": "string", "pattern": PINNED, "maxLength": 1_000}))
                .with("maxItems", MOST_REQUIREMENTS)
                .with("uniqueItems", true)
                .or(json!([])),
        )
        .add(
            "leave_notebooks",
            parameter("boolean", "Whether notebooks may stay behind when JupyterLab moves to another node.").or(false),
        )
        .add(
            "smoke",
            parameter("boolean", "Whether a sum in a kernel, and one by PySpark where that is there, has to verify the cluster.").or(true),
        )
}
