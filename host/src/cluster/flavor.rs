//! The measure of a node, as the cloud or the user names it.

use serde::{Deserialize, Serialize};

/// A Nova flavor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flavor {
    /// Its name.
    pub name: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MiB.
    pub ram_mib: u32,
    /// Root disk in GiB; 0 where the flavor boots from a volume.
    pub disk_gib: u32,
}
