//! Which version of the plugin contract a cluster was made by. Pure.

use serde::{Deserialize, Serialize};

/// A version of the plugin contract that clusters are or were made by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PluginContract {
    /// The one of roles, which no plugin speaks any more: what records say that do not name theirs.
    #[default]
    #[serde(rename = "0.1.0")]
    V0_1_0,
    /// The one of components.
    #[serde(rename = "0.2.0")]
    V0_2_0,
}

impl PluginContract {
    /// The one that plugins speak.
    pub const SPOKEN: Self = Self::V0_2_0;

    /// Whether it is the one that goes without saying in records.
    pub fn is_first(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for PluginContract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
        })
    }
}
