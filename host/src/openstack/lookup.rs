//! What a request is checked against: flavors and keys of Nova, images of Glance, networks of
//! Neutron.

use serde::Deserialize;

use super::{
    CloudError, CloudFlavor, CloudImage, CloudNetwork, CloudSession,
    catalog::ServiceType::{Glance, Neutron, Nova},
    session::ListPage,
};

impl CloudSession {
    /// The flavors that the project may use, smallest first (memory, then processors, then disk);
    /// disabled ones left out.
    ///
    /// # Errors
    /// When Nova cannot be asked.
    pub async fn flavors(&self) -> Result<Vec<CloudFlavor>, CloudError> {
        let found = self
            .list::<Flavors>(Nova, &["flavors", "detail"], &[], "list flavors", None)
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
            .get(Nova, &["os-keypairs"], &[], "list key pairs".to_owned())
            .await?
            .json::<Keypairs>()?;
        Ok(answer
            .keypairs
            .into_iter()
            .map(|entry| entry.keypair.name)
            .collect())
    }

    /// The active images that the project sees, by name.
    ///
    /// # Errors
    /// When Glance cannot be asked.
    pub async fn images(&self) -> Result<Vec<CloudImage>, CloudError> {
        let mut images = self.list_images(&[("status", "active")]).await?;
        images.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(images)
    }

    /// The image with this id, or else the one with this name, whatever its status; `None` where
    /// there is none.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several active ones bear the name.
    pub async fn find_image(&self, name_or_id: &str) -> Result<Option<CloudImage>, CloudError> {
        if uuid::Uuid::try_parse(name_or_id).is_ok() {
            match self
                .get(
                    Glance,
                    &["images", name_or_id],
                    &[],
                    format!("show image `{name_or_id}`"),
                )
                .await
            {
                Ok(answer) => return Ok(Some(answer.json::<RawImage>()?.into())),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        let named = self.list_images(&[("name", name_or_id)]).await?;
        let active: Vec<_> = named
            .iter()
            .filter(|image| image.status == "active")
            .cloned()
            .collect();
        if active.is_empty() {
            Ok(named.into_iter().next())
        } else {
            only(active, "image", name_or_id, |image| &image.id)
        }
    }

    async fn list_images(&self, filter: &[(&str, &str)]) -> Result<Vec<CloudImage>, CloudError> {
        Ok(self
            .list::<Images>(Glance, &["images"], filter, "list images", None)
            .await?
            .into_iter()
            .map(CloudImage::from)
            .collect())
    }

    /// The external networks that the project sees.
    ///
    /// # Errors
    /// When Neutron cannot be asked.
    pub async fn external_networks(&self) -> Result<Vec<CloudNetwork>, CloudError> {
        self.list_networks(&[("router:external", "true")]).await
    }

    /// The network with this id, or else the one with this name; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] when several bear the name.
    pub async fn find_network(&self, name_or_id: &str) -> Result<Option<CloudNetwork>, CloudError> {
        if uuid::Uuid::try_parse(name_or_id).is_ok()
            && let Some(network) = self.list_networks(&[("id", name_or_id)]).await?.pop()
        {
            return Ok(Some(network));
        }
        only(
            self.list_networks(&[("name", name_or_id)]).await?,
            "network",
            name_or_id,
            |network| &network.id,
        )
    }

    async fn list_networks(
        &self,
        filter: &[(&str, &str)],
    ) -> Result<Vec<CloudNetwork>, CloudError> {
        let answer = self
            .get(Neutron, &["networks"], filter, "list networks".to_owned())
            .await?
            .json::<Networks>()?;
        Ok(answer
            .networks
            .into_iter()
            .map(CloudNetwork::from)
            .collect())
    }
}

fn only<T>(
    mut found: Vec<T>,
    what: &'static str,
    name: &str,
    id: impl Fn(&T) -> &str,
) -> Result<Option<T>, CloudError> {
    if found.len() > 1 {
        let ids = found.iter().map(&id).collect::<Vec<_>>().join(", ");
        return Err(CloudError::Ambiguous {
            what,
            name: name.to_owned(),
            ids,
        });
    }
    Ok(found.pop())
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
struct Images {
    images: Vec<RawImage>,
    next: Option<String>,
}

impl ListPage for Images {
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

impl From<RawImage> for CloudImage {
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

impl From<RawNetwork> for CloudNetwork {
    fn from(raw: RawNetwork) -> Self {
        Self {
            id: raw.id,
            name: raw.name,
            external: raw.external,
            is_default: raw.is_default,
        }
    }
}
