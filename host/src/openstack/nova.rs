//! Nova: the flavors of the project, the user's key pairs, availability zones, and quotas of servers,
//! processors and memory.

use serde::Deserialize;

use super::{
    CloudError, CloudFlavor, CloudSession, ProjectQuotas, ResourceQuota, ServiceName,
    error::none_if_hidden, session::ListPage,
};

const NOVA: ServiceName = ServiceName::Nova;

impl CloudSession {
    /// The flavors that the project may use, smallest first (memory, then processors, then disk);
    /// disabled ones left out.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn flavors(&self) -> Result<Vec<CloudFlavor>, CloudError> {
        let found = self
            .list::<Flavors>(NOVA, &["flavors", "detail"], &[], "list flavors", None)
            .await?;
        let mut all: Vec<_> = found
            .into_iter()
            .map(CloudFlavor::from)
            .filter(|flavor| !flavor.disabled)
            .collect();
        all.sort_by(|a, b| {
            let measure = |f: &CloudFlavor| (f.size.ram_mib, f.size.vcpus, f.size.disk_gib);
            measure(a)
                .cmp(&measure(b))
                .then_with(|| a.size.name.cmp(&b.size.name))
        });
        Ok(all)
    }

    /// The names of the user's key pairs.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn keypairs(&self) -> Result<Vec<String>, CloudError> {
        let answer = self
            .get(NOVA, &["os-keypairs"], &[], "list key pairs".to_owned())
            .await?
            .json::<Keypairs>()?;
        Ok(answer
            .keypairs
            .into_iter()
            .map(|entry| entry.keypair.name)
            .collect())
    }

    /// The availability zones that take servers; none where the cloud does not tell them.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn availability_zones(&self) -> Result<Option<Vec<String>>, CloudError> {
        let what = "list availability zones".to_owned();
        let answer = self.get(NOVA, &["os-availability-zone"], &[], what).await;
        let Some(answer) = none_if_hidden(answer)? else {
            return Ok(None);
        };
        let zones = answer.json::<Zones>()?.zones.into_iter();
        let open = zones.filter(|zone| zone.state.available);
        Ok(Some(open.map(|zone| zone.name).collect()))
    }

    /// The quotas that Nova keeps: servers, server groups, processors, memory.
    ///
    /// # Errors
    /// When Nova cannot be asked; what it merely does not tell is `None`.
    pub(super) async fn fetch_compute_quotas(&self) -> Result<ProjectQuotas, CloudError> {
        let answer = self
            .get(
                NOVA,
                &["limits"],
                &[],
                "show the project's limits".to_owned(),
            )
            .await;
        let Some(answer) = none_if_hidden(answer)? else {
            return Ok(ProjectQuotas::default());
        };
        let nova = answer.json::<LimitsResponse>()?.limits.absolute;
        let quota = ResourceQuota::from_limit;
        Ok(ProjectQuotas {
            servers: quota(nova.max_total_instances, nova.total_instances_used),
            server_groups: quota(nova.max_server_groups, nova.total_server_groups_used),
            // Of each group, so that a new one has used none of it.
            server_group_members: quota(nova.max_server_group_members, Some(0)),
            vcpus: quota(nova.max_total_cores, nova.total_cores_used),
            ram_mib: quota(nova.max_total_ram_size, nova.total_ram_used),
            ..ProjectQuotas::default()
        })
    }
}

#[derive(Deserialize)]
struct Flavors {
    flavors: Vec<RawFlavor>,
    #[serde(default)]
    flavors_links: Vec<serde_json::Value>,
}

impl ListPage for Flavors {
    type Item = RawFlavor;

    fn items(self) -> Vec<RawFlavor> {
        self.flavors
    }

    fn id(item: &RawFlavor) -> &str {
        &item.id
    }

    fn announces_more(&self) -> bool {
        !self.flavors_links.is_empty()
    }
}

#[derive(Deserialize)]
struct RawFlavor {
    id: String,
    name: String,
    ram: u32,
    vcpus: u32,
    disk: u32,
    #[serde(rename = "OS-FLV-DISABLED:disabled", default)]
    disabled: bool,
    #[serde(rename = "os-flavor-access:is_public")]
    public: Option<bool>,
}

impl From<RawFlavor> for CloudFlavor {
    fn from(raw: RawFlavor) -> Self {
        let size = crate::cluster::Flavor {
            name: raw.name,
            vcpus: raw.vcpus,
            ram_mib: raw.ram,
            disk_gib: raw.disk,
        };
        Self {
            id: raw.id,
            size,
            disabled: raw.disabled,
            public: raw.public.unwrap_or(true),
        }
    }
}

#[derive(Deserialize)]
struct Keypairs {
    keypairs: Vec<KeypairEntry>,
}

#[derive(Deserialize)]
struct KeypairEntry {
    keypair: Keypair,
}

#[derive(Deserialize)]
struct Keypair {
    name: String,
}

#[derive(Deserialize)]
struct Zones {
    #[serde(rename = "availabilityZoneInfo")]
    zones: Vec<RawZone>,
}

#[derive(Deserialize)]
struct RawZone {
    #[serde(rename = "zoneName")]
    name: String,
    #[serde(rename = "zoneState")]
    state: ZoneState,
}

#[derive(Deserialize)]
struct ZoneState {
    available: bool,
}

#[derive(Deserialize)]
struct LimitsResponse {
    limits: LimitGroups,
}

#[derive(Deserialize)]
struct LimitGroups {
    absolute: AbsoluteLimits,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AbsoluteLimits {
    max_total_instances: Option<i64>,
    total_instances_used: Option<i64>,
    max_total_cores: Option<i64>,
    total_cores_used: Option<i64>,
    #[serde(rename = "maxTotalRAMSize")]
    max_total_ram_size: Option<i64>,
    #[serde(rename = "totalRAMUsed")]
    total_ram_used: Option<i64>,
    max_server_groups: Option<i64>,
    total_server_groups_used: Option<i64>,
    max_server_group_members: Option<i64>,
}
