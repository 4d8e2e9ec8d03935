//! What a request may name of the cloud: what forms offer. What the cloud does not tell is left out,
//! and can be typed.

use serde::Serialize;

use super::inventory::{self, CloudInventory};
use crate::cluster::{ClusterSpec, Flavor, operator_policy::allows_flavor};
use crate::openstack::{CloudError, CloudSession, ProjectQuotas};
use crate::orchestrator::error::OrchestratorError;

/// What a request may name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CloudChoices {
    /// Flavors, the smallest first.
    pub flavors: Vec<Flavor>,
    /// Images that can be used, those that are hidden left out.
    pub images: Vec<ImageChoice>,
    /// The user's key pairs.
    pub keys: Vec<String>,
    /// External networks.
    pub networks: Vec<String>,
    /// Availability zones for servers.
    pub zones: Vec<String>,
}

/// An image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImageChoice {
    /// Its name; of several with one name its id.
    pub name: String,
    /// What is in it: `debian 12`; may be empty.
    pub distribution: String,
}

/// What is offered, and what the project has of its quotas, volumes among them.
#[derive(Debug, Default)]
pub(crate) struct OfferedCloud {
    pub(crate) choices: CloudChoices,
    pub(crate) quotas: ProjectQuotas,
}

/// Asks for all of it but what `known` says; of the flavors those that the operator allows, where that
/// is said.
///
/// # Errors
/// `Unauthorized`: the token has ended.
pub(crate) async fn take_choices(
    session: &CloudSession,
    known: Option<CloudInventory>,
    allowed: Option<&[String]>,
) -> Result<OfferedCloud, OrchestratorError> {
    let inventory = async {
        match known {
            Some(known) => Ok(known),
            None => inventory::take_inventory(session, &ClusterSpec::default()).await,
        }
    };
    let volumes = async {
        match session.has_volumes() {
            true => inventory::volume_quotas(session).await,
            false => Ok((None, None)),
        }
    };
    let (inventory, volumes, keys, zones) = tokio::join!(
        inventory,
        volumes,
        session.keypairs(),
        session.availability_zones()
    );
    let inventory = or_nothing(inventory)?;
    let mut quotas = inventory.quotas;
    (quotas.volumes, quotas.volume_gib) = or_nothing(volumes)?;
    let mut flavors = inventory.flavors;
    if let Some(allowed) = allowed {
        flavors.retain(|one| allows_flavor(allowed, &[&one.id, &one.size.name]));
    }
    let choices = CloudChoices {
        flavors: flavors.into_iter().map(|one| one.size).collect(),
        images: image_choices(&inventory.images),
        keys: told(keys)?,
        networks: inventory.networks.into_iter().map(|one| one.name).collect(),
        zones: told(zones)?.unwrap_or_default(),
    };
    Ok(OfferedCloud { choices, quotas })
}

fn image_choices(images: &[crate::openstack::CloudImage]) -> Vec<ImageChoice> {
    let shown = images.iter().filter(|image| !image.hidden);
    let choice = |image: &crate::openstack::CloudImage| {
        let same = images.iter().filter(|other| other.name == image.name);
        let is_only = same.count() == 1;
        let system = [&image.os_distro, &image.os_version];
        let system: Vec<&str> = system.into_iter().flatten().map(String::as_str).collect();
        ImageChoice {
            name: if is_only { &image.name } else { &image.id }.clone(),
            distribution: system.join(" "),
        }
    };
    shown.map(choice).collect()
}

fn told<T: Default>(answer: Result<T, CloudError>) -> Result<T, OrchestratorError> {
    or_nothing(answer.map_err(OrchestratorError::from))
}

/// What a service does not tell is nothing; that the token has ended is an error.
fn or_nothing<T: Default>(answer: Result<T, OrchestratorError>) -> Result<T, OrchestratorError> {
    match answer {
        Err(error @ OrchestratorError::Unauthorized(_)) => Err(error),
        Err(error) => {
            tracing::debug!("a form goes without it: {error}");
            Ok(T::default())
        }
        told => told,
    }
}
