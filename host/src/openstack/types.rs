//! The resources of the cloud that the host works with: projects, stacks, flavors, images,
//! networks, quotas. Pure data, in the fields that are used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::timestamp;

/// A project (tenant).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A stack to check, create or update.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateStack {
    /// `[A-Za-z][A-Za-z0-9_.-]{0,254}`, unique in the project.
    pub name: String,
    /// HOT as a JSON object.
    pub template: Value,
    /// What `get_file` names.
    pub files: BTreeMap<String, String>,
    /// Values of the template's parameters.
    pub parameters: Map<String, Value>,
    /// Without commas, at most 80 characters each.
    pub tags: Vec<String>,
    /// How long Heat may take, in minutes.
    pub timeout_mins: u32,
}

/// What names a stack for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackId {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub id: String,
}

/// A stack as Heat shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HeatStack {
    /// Its UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Heat's own: `CREATE_IN_PROGRESS`, `DELETE_FAILED`.
    pub status: String,
    /// Heat's explanation.
    pub status_reason: String,
    /// Empty in lists.
    pub outputs: Vec<StackOutput>,
    /// As Heat shows them (hidden ones masked); empty in lists.
    pub parameters: Map<String, Value>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The template's description.
    pub description: String,
    /// `2026-11-23T06:00:00Z`.
    pub created: Option<String>,
    /// After an update.
    pub updated: Option<String>,
}

impl HeatStack {
    /// What names it for good.
    pub fn stack_id(&self) -> StackId {
        StackId {
            name: self.name.clone(),
            id: self.id.clone(),
        }
    }

    /// The value of an output, if it has one yet.
    pub fn output(&self, key: &str) -> Option<&Value> {
        self.outputs
            .iter()
            .find(|output| output.key == key)
            .map(|output| &output.value)
            .filter(|value| !value.is_null())
    }
}

/// An output of a stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StackOutput {
    /// Its name.
    pub key: String,
    /// Null while it cannot be known.
    pub value: Value,
    /// As the template describes it.
    pub description: String,
    /// Why it cannot be known.
    pub error: Option<String>,
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackResource {
    /// Its name in the template: `worker_3_server`.
    pub name: String,
    /// `OS::Nova::Server`.
    pub kind: String,
    /// `CREATE_FAILED`.
    pub status: String,
    /// Heat's explanation.
    pub status_reason: String,
    /// The id in the service that made it; empty before it is made.
    pub physical_id: String,
    /// When its status changed last.
    pub updated: Option<String>,
}

/// An event of a stack; signals arrive as events of their handle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackEvent {
    /// Marks where a next call goes on.
    pub id: String,
    /// The resource's name in the template, or the stack's own.
    pub resource: String,
    /// `CREATE_COMPLETE`, `SIGNAL_COMPLETE`.
    pub status: String,
    /// Heat's explanation, at most 255 characters.
    pub reason: String,
    /// `2026-11-23T06:00:00Z`, whole seconds.
    pub time: String,
}

impl StackEvent {
    /// When it came about, in seconds since 1970, where it says so.
    pub fn unix_s(&self) -> Option<u64> {
        timestamp::parse_unix_s(&self.time)
    }
}

/// A flavor of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudFlavor {
    /// Its id.
    pub id: String,
    /// Name and measures.
    #[serde(flatten)]
    pub size: crate::cluster::Flavor,
    /// Not for new servers.
    pub disabled: bool,
    /// Whether every project sees it.
    pub public: bool,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudImage {
    /// Its id.
    pub id: String,
    /// Its name; not always unique.
    pub name: String,
    /// `active` when it can be used.
    pub status: String,
    /// The least memory in MiB of a server made from it.
    pub min_ram_mib: u32,
    /// The least disk in GiB of a server made from it.
    pub min_disk_gib: u32,
    /// `debian`, `ubuntu`, where Glance names it.
    pub os_distro: Option<String>,
    /// `12`, `24.04`, where Glance names it.
    pub os_version: Option<String>,
    /// The user whom the image lets in, where Glance names it (`os_admin_user`).
    pub admin_user: Option<String>,
    /// `x86_64`, `aarch64`, where Glance names it.
    pub architecture: Option<String>,
    /// `public`, `private`, `shared`, `community`.
    pub visibility: String,
    /// Not shown in lists by default.
    pub hidden: bool,
    /// `2026-11-23T06:00:00Z`.
    pub created: Option<String>,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudNetwork {
    /// Its id.
    pub id: String,
    /// Its name; not always unique.
    pub name: String,
    /// Whether floating IPs come from it.
    pub external: bool,
    /// The cloud's default for that.
    pub is_default: bool,
}

/// How much of something the project may have. `None`: without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceQuota {
    /// The most there may be.
    pub limit: Option<u64>,
    /// What is there.
    pub used: u64,
}

impl ResourceQuota {
    /// From a limit, in which -1 is OpenStack's "no limit", and what is used of it; `None` when the
    /// service names no limit at all.
    pub(super) fn from_limit(limit: Option<i64>, used: Option<i64>) -> Option<Self> {
        Some(Self {
            limit: u64::try_from(limit?).ok(),
            used: used.and_then(|used| u64::try_from(used).ok()).unwrap_or(0),
        })
    }

    /// How many more there may be; `None`: without limit.
    pub fn free(self) -> Option<u64> {
        self.limit.map(|limit| limit.saturating_sub(self.used))
    }
}

/// The project's quotas; `None` where the cloud does not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectQuotas {
    /// Servers.
    pub servers: Option<ResourceQuota>,
    /// Server groups.
    pub server_groups: Option<ResourceQuota>,
    /// Servers in one server group.
    pub server_group_members: Option<ResourceQuota>,
    /// Virtual processors.
    pub vcpus: Option<ResourceQuota>,
    /// Memory in MiB.
    pub ram_mib: Option<ResourceQuota>,
    /// Neutron ports.
    pub ports: Option<ResourceQuota>,
    /// Networks.
    pub networks: Option<ResourceQuota>,
    /// Subnets.
    pub subnets: Option<ResourceQuota>,
    /// Routers.
    pub routers: Option<ResourceQuota>,
    /// Floating IPs.
    pub floating_ips: Option<ResourceQuota>,
    /// Security groups.
    pub security_groups: Option<ResourceQuota>,
    /// Security group rules.
    pub security_group_rules: Option<ResourceQuota>,
    /// Volumes.
    pub volumes: Option<ResourceQuota>,
    /// GiB of all volumes together.
    pub volume_gib: Option<ResourceQuota>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_none_and_free_never_underflows() {
        let quota = ResourceQuota::from_limit;
        assert_eq!(
            quota(Some(-1), Some(3)),
            Some(ResourceQuota {
                limit: None,
                used: 3
            })
        );
        assert_eq!(
            quota(Some(10), Some(3)).and_then(ResourceQuota::free),
            Some(7)
        );
        assert_eq!(
            quota(Some(2), Some(3)).and_then(ResourceQuota::free),
            Some(0)
        );
        assert_eq!(quota(None, Some(3)), None);
    }
}
