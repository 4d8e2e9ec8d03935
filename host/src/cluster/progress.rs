//! What a node says about itself: one short line a stage, carried by Heat's events. No I/O.

use serde::{Deserialize, Serialize};

/// One line of progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The node's name: `master`, `worker-7`; empty where the line did not say.
    pub node: String,
    /// The plugin whose script ran; may be empty.
    pub plugin: String,
    /// `setup`, `ready`, `smoke`, `drain`; may be empty.
    pub stage: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long the stage took, in seconds, where it said so.
    pub seconds: Option<u32>,
    /// The line for people: `hadoop setup done, 34 s`.
    pub text: String,
}

/// What became of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It ended well.
    Done,
    /// It ended badly; the text says why.
    Failed,
    /// It goes on; the text says how far it is.
    Note,
}
