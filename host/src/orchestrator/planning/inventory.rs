//! What a plan needs to know of the cloud, looked up all at once. Knows no plugin.

use futures_util::future::try_join_all;

use crate::orchestrator::error::OrchestratorError;
use crate::{
    cluster::{self, CloudAccess, ClusterSpec, Problem},
    openstack::{
        CloudError, CloudFlavor, CloudImage, CloudNetwork, CloudSession, ProjectQuotas,
        ResourceQuota,
    },
};

/// How nodes signal Heat: as a user that Heat makes for the handle alone. A signed URL
/// (`CFN_SIGNAL`) is refused by Keystone fifteen minutes after it was made, a token ends within
/// hours: too soon for a slow download, and for a cluster that grows later.
pub const SIGNAL_TRANSPORT: &str = "HEAT_SIGNAL";

/// What the project sees of the cloud.
#[derive(Clone, Debug, Default)]
pub struct CloudInventory {
    /// Smallest first, disabled ones left out.
    pub flavors: Vec<CloudFlavor>,
    /// Active ones.
    pub images: Vec<CloudImage>,
    /// The images that the spec names, whatever their status.
    pub named_images: Vec<NamedImage>,
    /// The user's key pairs, where the spec names one.
    pub keys: Vec<String>,
    /// Availability zones for servers, where the spec names one and the cloud tells them.
    pub zones: Option<Vec<String>>,
    /// External networks.
    pub networks: Vec<CloudNetwork>,
    /// What is left to the project.
    pub quotas: ProjectQuotas,
    /// How nodes signal Heat.
    pub signal_transport: String,
    /// What nodes are given to reach it.
    pub access: CloudAccess,
}

/// An image as a spec names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedImage {
    /// Its name or id.
    pub reference: String,
    /// What the cloud has under it; none where there is none.
    pub image: Option<CloudImage>,
    /// Why it cannot be told.
    pub problem: Option<String>,
}

impl CloudInventory {
    /// What the cloud has under a name that the spec has.
    pub fn named_image(&self, reference: &str) -> Option<&NamedImage> {
        let mut named = self.named_images.iter();
        named.find(|named| named.reference == reference)
    }

    /// The flavor of this id or name.
    pub fn find_flavor(&self, reference: &str) -> Option<&CloudFlavor> {
        let by_id = self.flavors.iter().find(|flavor| flavor.id == reference);
        by_id.or_else(|| {
            self.flavors
                .iter()
                .find(|flavor| flavor.size.name == reference)
        })
    }

    /// The image that the spec names, else the active one of this id or name.
    pub fn find_image(&self, reference: &str) -> Option<&CloudImage> {
        let is_it = |image: &&CloudImage| image.id == reference || image.name == reference;
        let mut named = self.named_images.iter();
        let named = named.find_map(|named| named.image.as_ref().filter(is_it));
        named.or_else(|| self.images.iter().find(is_it))
    }

    /// The size of the flavor of this name or id.
    ///
    /// # Errors
    /// `Invalid`: there is none, or no name.
    pub fn flavor(&self, name: Option<&str>) -> Result<cluster::Flavor, OrchestratorError> {
        let found = name.and_then(|name| self.find_flavor(name));
        let missing = || {
            OrchestratorError::Invalid(vec![Problem::new(
                "flavor",
                format!("no flavor `{}`", name.unwrap_or_default()),
                "",
            )])
        };
        found
            .map(|flavor| cluster::Flavor {
                name: name.unwrap_or_default().to_owned(),
                ..flavor.size.clone()
            })
            .ok_or_else(missing)
    }
}

/// Asks Nova, Glance and Neutron at once for what this spec needs.
///
/// # Errors
/// `Cloud`, `Unauthorized`, `Forbidden`: one of them cannot be asked.
pub async fn take_inventory(
    session: &CloudSession,
    spec: &ClusterSpec,
) -> Result<CloudInventory, OrchestratorError> {
    let named = spec.image_references();
    let named_images = try_join_all(named.iter().map(|name| find_named_image(session, name)));
    let keys = async {
        if spec.key.is_some() {
            session.keypairs().await
        } else {
            Ok(Vec::new())
        }
    };
    let zones = async {
        let mut groups = spec.groups.with_nodes();
        if groups.any(|group| spec.zone_of(group).is_some()) {
            session.availability_zones().await
        } else {
            Ok(None)
        }
    };
    let quotas = async { or_unknown(session, session.quotas().await) };
    let access = async { Ok(session.node_access().await) };
    let (flavors, images, named_images, keys, zones, networks, quotas, access) = tokio::try_join!(
        session.flavors(),
        session.images(),
        named_images,
        keys,
        zones,
        session.external_networks(),
        quotas,
        access
    )?;
    let signal_transport = SIGNAL_TRANSPORT.to_owned();
    Ok(CloudInventory {
        flavors,
        images,
        named_images,
        keys,
        zones,
        networks,
        quotas,
        signal_transport,
        access,
    })
}

async fn find_named_image(
    session: &CloudSession,
    reference: &str,
) -> Result<NamedImage, CloudError> {
    let (image, problem) = match session.find_image(reference).await {
        Ok(image) => (image, None),
        Err(error @ CloudError::Ambiguous { .. }) => (None, Some(error.to_string())),
        Err(error) => return Err(error),
    };
    Ok(NamedImage {
        reference: reference.to_owned(),
        image,
        problem,
    })
}

/// What is left to the project of volumes: how many, and GiB in all of them.
///
/// # Errors
/// `Unauthorized`: the token has ended.
pub async fn volume_quotas(
    session: &CloudSession,
) -> Result<(Option<ResourceQuota>, Option<ResourceQuota>), OrchestratorError> {
    Ok(or_unknown(session, session.volume_quotas().await)?)
}

/// Some clouds hide quotas; then Heat says it later.
fn or_unknown<T: Default>(
    session: &CloudSession,
    quotas: Result<T, CloudError>,
) -> Result<T, CloudError> {
    match quotas {
        Err(error) if !error.is_token() => {
            tracing::warn!(
                "quotas of project {} are not told: {error}",
                session.project().name
            );
            Ok(T::default())
        }
        other => other,
    }
}
