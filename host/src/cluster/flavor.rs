//! A Nova flavor: the size of a server under a name.

use serde::{Deserialize, Serialize};

use super::framework::NodeResources;

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

impl Flavor {
    /// Its size without its name.
    pub fn resources(&self) -> NodeResources {
        NodeResources {
            vcpus: self.vcpus,
            ram_mib: self.ram_mib,
            disk_gib: self.disk_gib,
        }
    }
}
