//! What a request is checked against: flavors and keys of Nova, images of Glance, networks of Neutron, quotas of both.

use serde::Deserialize;

use super::{
    Error, Flavor, Image, Network, Quota, Quotas, Session,
    catalog::Service::{Glance, Neutron, Nova},
    session::Page,
};

impl Session {
    /// The flavors that the project may use, smallest first (memory, then processors, then disk); disabled ones left out.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn flavors(&self) -> Result<Vec<Flavor>, Error> {
        let found = self.list::<Flavors>(Nova, &["flavors", "detail"], &[], "list flavors", None).await?;
        let mut all: Vec<_> = found.into_iter().map(Flavor::from).filter(|flavor| !flavor.disabled).collect();
        all.sort_by(|a, b| {
            let measure = |f: &Flavor| (f.size.ram_mib, f.size.vcpus, f.size.disk_gib);
            measure(a).cmp(&measure(b)).then_with(|| a.size.name.cmp(&b.size.name))
        });
        Ok(all)
    }

    /// The names of the user's key pairs.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn keypairs(&self) -> Result<Vec<String>, Error> {
        let answer = self.get(Nova, &["os-keypairs"], &[], "list key pairs".to_owned()).await?.json::<Keypairs>()?;
        Ok(answer.keypairs.into_iter().map(|entry| entry.keypair.name).collect())
    }

    /// The active images that the project sees, by name.
    ///
    /// # Errors
    /// When Glance cannot be asked.
    pub async fn images(&self) -> Result<Vec<Image>, Error> {
        let mut images = self.list_images(&[("status", "active")]).await?;
        images.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(images)
    }

    /// The image with this id, or else the one with this name, whatever its status; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several active ones bear the name.
    pub async fn find_image(&self, name_or_id: &str) -> Result<Option<Image>, Error> {
        if uuid::Uuid::try_parse(name_or_id).is_ok() {
            match self.get(Glance, &["images", name_or_id], &[], format!("show image `{name_or_id}`")).await {
                Ok(answer) => return Ok(Some(answer.json::<RawImage>()?.into())),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        let named = self.list_images(&[("name", name_or_id)]).await?;
        let active: Vec<_> = named.iter().filter(|image| image.status == "active").cloned().collect();
        if active.is_empty() { Ok(named.into_iter().next()) } else { only(active, "image", name_or_id, |image| &image.id) }
    }

    async fn list_images(&self, filter: &[(&str, &str)]) -> Result<Vec<Image>, Error> {
        Ok(self.list::<Images>(Glance, &["images"], filter, "list images", None).await?.into_iter().map(Image::from).collect())
    }

    /// The external networks that the project sees.
    ///
    /// # Errors
    /// When Neutron cannot be asked.
    pub async fn external_networks(&self) -> Result<Vec<Network>, Error> {
        self.list_networks(&[("router:external", "true")]).await
    }

    /// The network with this id, or else the one with this name; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several bear the name.
    pub async fn find_network(&self, name_or_id: &str) -> Result<Option<Network>, Error> {
        if uuid::Uuid::try_parse(name_or_id).is_ok()
            && let Some(network) = self.list_networks(&[("id", name_or_id)]).await?.pop()
        {
            return Ok(Some(network));
        }
        only(self.list_networks(&[("name", name_or_id)]).await?, "network", name_or_id, |network| &network.id)
    }

    async fn list_networks(&self, filter: &[(&str, &str)]) -> Result<Vec<Network>, Error> {
        let answer = self.get(Neutron, &["networks"], filter, "list networks".to_owned()).await?.json::<Networks>()?;
        Ok(answer.networks.into_iter().map(Network::from).collect())
    }

    /// What the project may still have, of Nova and Neutron.
    ///
    /// # Errors
    /// When either cannot be asked; what it merely does not tell is `None`.
    pub async fn quotas(&self) -> Result<Quotas, Error> {
        let project = self.project().id.as_str();
        let details = ["quotas", project, "details.json"];
        let (nova, neutron) = futures_util::future::join(
            self.get(Nova, &["limits"], &[], "show the project's limits".to_owned()),
            self.get(Neutron, &details, &[], "show the project's quotas".to_owned()),
        )
        .await;
        let nova = match untold(nova)? {
            Some(answer) => answer.json::<Limits>()?.limits.absolute,
            None => Absolute::default(),
        };
        let neutron = match untold(neutron)? {
            Some(answer) => answer.json::<Details>()?.quota,
            None => Detail::default(),
        };
        Ok(Quotas {
            servers: quota(nova.max_total_instances, nova.total_instances_used),
            vcpus: quota(nova.max_total_cores, nova.total_cores_used),
            ram_mib: quota(nova.max_total_ram_size, nova.total_ram_used),
            ports: neutron.port.map(Quota::from),
            networks: neutron.network.map(Quota::from),
            subnets: neutron.subnet.map(Quota::from),
            routers: neutron.router.map(Quota::from),
            floating_ips: neutron.floatingip.map(Quota::from),
            security_groups: neutron.security_group.map(Quota::from),
            security_group_rules: neutron.security_group_rule.map(Quota::from),
        })
    }
}

/// A service without the extension, or one that does not show it to this user, tells nothing; that is no reason to refuse a cluster.
fn untold<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::NotFound { .. } | Error::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn only<T>(mut found: Vec<T>, what: &'static str, name: &str, id: impl Fn(&T) -> &str) -> Result<Option<T>, Error> {
    if found.len() > 1 {
        let ids = found.iter().map(&id).collect::<Vec<_>>().join(", ");
        return Err(Error::Ambiguous { what, name: name.to_owned(), ids });
    }
    Ok(found.pop())
}

/// -1 is OpenStack's "no limit".
fn quota(limit: Option<i64>, used: Option<i64>) -> Option<Quota> {
    Some(Quota { limit: u64::try_from(limit?).ok(), used: used.and_then(|used| u64::try_from(used).ok()).unwrap_or(0) })
}

#[derive(Deserialize)]
struct Flavors {
    flavors: Vec<RawFlavor>,
    #[serde(default)]
    flavors_links: Vec<serde_json::Value>,
}

impl Page for Flavors {
    type Item = RawFlavor;

    fn items(self) -> Vec<RawFlavor> {
        self.flavors
    }

    fn id(item: &RawFlavor) -> &str {
        &item.id
    }

    fn says_more(&self) -> bool {
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

impl From<RawFlavor> for Flavor {
    fn from(raw: RawFlavor) -> Self {
        let size = crate::cluster::Flavor { name: raw.name, vcpus: raw.vcpus, ram_mib: raw.ram, disk_gib: raw.disk };
        Self { id: raw.id, size, disabled: raw.disabled, public: raw.public.unwrap_or(true) }
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
struct Images {
    images: Vec<RawImage>,
    next: Option<String>,
}

impl Page for Images {
    type Item = RawImage;

    fn items(self) -> Vec<RawImage> {
        self.images
    }

    fn id(item: &RawImage) -> &str {
        &item.id
    }

    fn says_more(&self) -> bool {
        self.next.is_some()
    }
}

#[derive(Deserialize)]
struct RawImage {
    id: String,
    name: Option<String>,
    status: String,
    #[serde(default)]
    min_ram: u32,
    #[serde(default)]
    min_disk: u32,
    os_distro: Option<String>,
    os_version: Option<String>,
    visibility: Option<String>,
    #[serde(default)]
    os_hidden: bool,
    created_at: Option<String>,
}

impl From<RawImage> for Image {
    fn from(raw: RawImage) -> Self {
        Self {
            id: raw.id,
            name: raw.name.unwrap_or_default(),
            status: raw.status,
            min_ram_mib: raw.min_ram,
            min_disk_gib: raw.min_disk,
            os_distro: raw.os_distro,
            os_version: raw.os_version,
            visibility: raw.visibility.unwrap_or_default(),
            hidden: raw.os_hidden,
            created: raw.created_at,
        }
    }
}

#[derive(Deserialize)]
struct Networks {
    networks: Vec<RawNetwork>,
}

#[derive(Deserialize)]
struct RawNetwork {
    id: String,
    name: String,
    #[serde(rename = "router:external", default)]
    external: bool,
    #[serde(default)]
    is_default: bool,
}

impl From<RawNetwork> for Network {
    fn from(raw: RawNetwork) -> Self {
        Self { id: raw.id, name: raw.name, external: raw.external, is_default: raw.is_default }
    }
}

#[derive(Deserialize)]
struct Limits {
    limits: LimitsInner,
}

#[derive(Deserialize)]
struct LimitsInner {
    absolute: Absolute,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Absolute {
    max_total_instances: Option<i64>,
    total_instances_used: Option<i64>,
    max_total_cores: Option<i64>,
    total_cores_used: Option<i64>,
    #[serde(rename = "maxTotalRAMSize")]
    max_total_ram_size: Option<i64>,
    #[serde(rename = "totalRAMUsed")]
    total_ram_used: Option<i64>,
}

#[derive(Deserialize)]
struct Details {
    quota: Detail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Detail {
    port: Option<Used>,
    network: Option<Used>,
    subnet: Option<Used>,
    router: Option<Used>,
    floatingip: Option<Used>,
    security_group: Option<Used>,
    security_group_rule: Option<Used>,
}

#[derive(Deserialize)]
struct Used {
    limit: i64,
    #[serde(default)]
    used: u64,
    #[serde(default)]
    reserved: u64,
}

impl From<Used> for Quota {
    fn from(raw: Used) -> Self {
        Self { limit: u64::try_from(raw.limit).ok(), used: raw.used + raw.reserved }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_none_and_free_never_underflows() {
        assert_eq!(quota(Some(-1), Some(3)), Some(Quota { limit: None, used: 3 }));
        assert_eq!(quota(Some(10), Some(3)).and_then(Quota::free), Some(7));
        assert_eq!(quota(Some(2), Some(3)).and_then(Quota::free), Some(0));
        assert_eq!(quota(None, Some(3)), None);
        assert_eq!(Quota::from(Used { limit: 10, used: 3, reserved: 2 }).free(), Some(5));
    }
}
