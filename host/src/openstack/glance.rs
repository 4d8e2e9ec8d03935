//! Glance: the images that the project sees, and one of them by name or id.

use serde::Deserialize;

use super::{
    CloudError, CloudImage, CloudSession, ServiceName,
    session::{ListPage, expect_at_most_one},
};

const GLANCE: ServiceName = ServiceName::Glance;

impl CloudSession {
    /// The active images that the project sees, by name.
    ///
    /// # Errors
    /// When Glance cannot be asked.
    pub async fn images(&self) -> Result<Vec<CloudImage>, CloudError> {
        let mut images = self.list_images_where(&[("status", "active")]).await?;
        images.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(images)
    }

    /// The image with this id, or else the one with this name, whatever its status; `None` where
    /// there is none.
    ///
    /// # Errors
    /// [`CloudError::Ambiguous`] when several active ones bear the name.
    pub async fn find_image(&self, name_or_id: &str) -> Result<Option<CloudImage>, CloudError> {
        if uuid::Uuid::try_parse(name_or_id).is_ok() {
            match self
                .get(
                    GLANCE,
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
        let named = self.list_images_where(&[("name", name_or_id)]).await?;
        let active: Vec<_> = named
            .iter()
            .filter(|image| image.status == "active")
            .cloned()
            .collect();
        if active.is_empty() {
            Ok(named.into_iter().next())
        } else {
            expect_at_most_one(active, "image", name_or_id, |image| &image.id)
        }
    }

    async fn list_images_where(
        &self,
        filter: &[(&str, &str)],
    ) -> Result<Vec<CloudImage>, CloudError> {
        Ok(self
            .list::<Images>(GLANCE, &["images"], filter, "list images", None)
            .await?
            .into_iter()
            .map(CloudImage::from)
            .collect())
    }
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

    fn announces_more(&self) -> bool {
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
    os_admin_user: Option<String>,
    hw_architecture: Option<String>,
    architecture: Option<String>,
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
            admin_user: raw.os_admin_user,
            // The newer name wins, as in Nova.
            architecture: raw.hw_architecture.or(raw.architecture),
            visibility: raw.visibility.unwrap_or_default(),
            hidden: raw.os_hidden,
            created: raw.created_at,
        }
    }
}
