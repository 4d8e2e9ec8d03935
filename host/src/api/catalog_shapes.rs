//! What answers hold of frameworks and of the cloud, as data.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::limits::CLOUD_ITEMS;
use crate::cluster::FrameworkDescriptor;
use crate::cluster::attribute_schema::AttributeSchema;
use crate::openstack::{CloudFlavor, CloudImage, CloudNetwork, ResourceQuota};

/// Who the token is of, and what it is good for.
#[derive(Serialize, ToSchema)]
pub struct SessionState {
    /// The user's name.
    pub user: String,
    /// The user's id.
    pub user_id: String,
    /// The project's name.
    pub project: String,
    /// The project's id.
    pub project_id: String,
    /// The user's roles in it.
    pub roles: Vec<String>,
    /// The region of new clusters; null where the catalog has several and none is chosen.
    pub region: Option<String>,
    /// The regions where the catalog has Heat.
    pub regions: Vec<String>,
    /// When the token ends, where Keystone says so.
    pub expires_at: Option<String>,
    /// Whether the token can have clusters made and changed: one of an application credential cannot
    /// create the trust that Heat needs.
    pub can_deploy: bool,
    /// Why not, where it cannot.
    pub obstacle: Option<String>,
}

/// The frameworks that clusters can run.
#[derive(Serialize, ToSchema)]
pub struct FrameworkList {
    /// By name.
    pub frameworks: Vec<FrameworkState>,
}

/// A framework.
#[derive(Serialize, ToSchema)]
pub struct FrameworkState {
    /// As it is asked for.
    #[schema(example = "hadoop")]
    pub name: String,
    /// For people.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// The first is taken where a request names none.
    pub versions: Vec<String>,
    /// Services of other frameworks that it needs.
    pub requires: Vec<String>,
    /// Services of other frameworks that it takes where they are there.
    pub uses: Vec<String>,
    /// Services that it brings.
    pub provides: Vec<String>,
    /// Its parts.
    pub components: Vec<ComponentState>,
    /// A JSON Schema of its parameters. A parameter `p` of the framework `f` is the attribute `f.p`.
    #[schema(value_type = Object)]
    pub parameters: Value,
}

/// A part of a framework.
#[derive(Serialize, ToSchema)]
pub struct ComponentState {
    /// Its name.
    pub name: String,
    /// The groups where it goes unless a request says otherwise; `*` is all of them.
    pub groups: Vec<String>,
    /// On so many nodes; 0: on every node of its groups.
    pub nodes: u32,
}

/// Stampede's own attributes.
#[derive(Serialize, ToSchema)]
pub struct AttributeList {
    /// In the order in which people see them.
    pub attributes: Vec<AttributeState>,
}

/// An attribute.
#[derive(Serialize, ToSchema)]
pub struct AttributeState {
    /// Its name.
    #[schema(example = "hadoop.replication")]
    pub name: String,
    /// `integer`, `string`, `boolean`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is where nobody says it, for people; may be empty.
    pub default: String,
    /// What it may be, for people; may be empty.
    pub range: String,
    /// What it means.
    pub description: String,
    /// Whether a running cluster can be changed in it.
    pub may_change: bool,
}

/// Flavors, the smallest first.
#[derive(Serialize, ToSchema)]
pub struct FlavorList {
    /// Those that the project may use.
    pub flavors: Vec<FlavorState>,
    /// Whether the list was cut.
    pub truncated: bool,
}

/// A flavor of the project.
#[derive(Serialize, ToSchema)]
pub struct FlavorState {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory.
    pub ram_mib: u32,
    /// Root disk; 0 where it boots from a volume.
    pub disk_gib: u32,
}

/// Images that can be used.
#[derive(Serialize, ToSchema)]
pub struct ImageList {
    /// The images.
    pub images: Vec<ImageState>,
    /// Whether the list was cut.
    pub truncated: bool,
}

/// An image.
#[derive(Serialize, ToSchema)]
pub struct ImageState {
    /// Its id.
    pub id: String,
    /// Its name; not always unique.
    pub name: String,
    /// `debian`, `ubuntu`, where Glance names it.
    pub os_distro: Option<String>,
    /// `12`, `24.04`, likewise.
    pub os_version: Option<String>,
    /// `x86_64`, likewise.
    pub architecture: Option<String>,
    /// The least memory of a server made from it.
    pub min_ram_mib: u32,
    /// The least disk of a server made from it.
    pub min_disk_gib: u32,
    /// `public`, `private`, `shared`, `community`.
    pub visibility: String,
}

/// Names, such as of key pairs and of zones.
#[derive(Serialize, ToSchema)]
pub struct NameList {
    /// The names.
    pub names: Vec<String>,
    /// Whether the list was cut.
    pub truncated: bool,
}

/// External networks.
#[derive(Serialize, ToSchema)]
pub struct NetworkList {
    /// The networks.
    pub networks: Vec<NetworkState>,
    /// Whether the list was cut.
    pub truncated: bool,
}

/// An external network.
#[derive(Serialize, ToSchema)]
pub struct NetworkState {
    /// Its id.
    pub id: String,
    /// Its name; not always unique.
    pub name: String,
    /// Whether it is the cloud's default.
    pub is_default: bool,
}

/// The project's quotas.
#[derive(Serialize, ToSchema)]
pub struct QuotaList {
    /// By name, such as `servers` and `ram_mib`; what the cloud does not tell is left out.
    pub quotas: BTreeMap<String, QuotaState>,
}

/// A quota.
#[derive(Serialize, ToSchema)]
pub struct QuotaState {
    /// What is there.
    pub used: u64,
    /// The most there may be; null: without limit.
    pub limit: Option<u64>,
}

impl From<ResourceQuota> for QuotaState {
    fn from(quota: ResourceQuota) -> Self {
        Self {
            used: quota.used,
            limit: quota.limit,
        }
    }
}

/// At most so many as are listed, and whether there are more.
pub(super) fn cut_list<T, U>(items: Vec<T>, show: impl FnMut(T) -> U) -> (Vec<U>, bool) {
    let is_longer = items.len() > CLOUD_ITEMS;
    (
        items.into_iter().take(CLOUD_ITEMS).map(show).collect(),
        is_longer,
    )
}

impl From<CloudFlavor> for FlavorState {
    fn from(flavor: CloudFlavor) -> Self {
        Self {
            id: flavor.id,
            name: flavor.size.name,
            vcpus: flavor.size.vcpus,
            ram_mib: flavor.size.ram_mib,
            disk_gib: flavor.size.disk_gib,
        }
    }
}

impl From<CloudImage> for ImageState {
    fn from(image: CloudImage) -> Self {
        Self {
            id: image.id,
            name: image.name,
            os_distro: image.os_distro,
            os_version: image.os_version,
            architecture: image.architecture,
            min_ram_mib: image.min_ram_mib,
            min_disk_gib: image.min_disk_gib,
            visibility: image.visibility,
        }
    }
}

impl From<CloudNetwork> for NetworkState {
    fn from(network: CloudNetwork) -> Self {
        Self {
            id: network.id,
            name: network.name,
            is_default: network.is_default,
        }
    }
}

impl From<&FrameworkDescriptor> for FrameworkState {
    fn from(framework: &FrameworkDescriptor) -> Self {
        let component = |component: &crate::cluster::component::ComponentSpec| ComponentState {
            name: component.name.clone(),
            groups: component.groups.clone(),
            nodes: component.nodes,
        };
        let properties: Map<String, Value> = framework
            .user_parameters()
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect();
        let parameters = [
            ("type".to_owned(), Value::from("object")),
            ("properties".to_owned(), Value::Object(properties)),
            ("additionalProperties".to_owned(), Value::from(false)),
        ];
        Self {
            name: framework.name.clone(),
            title: framework.title.clone(),
            description: framework.description.clone(),
            versions: framework.versions.clone(),
            requires: framework.requires.clone(),
            uses: framework.uses.clone(),
            provides: framework.provides.clone(),
            components: framework.components.iter().map(component).collect(),
            parameters: Value::Object(parameters.into_iter().collect()),
        }
    }
}

impl From<&AttributeSchema> for AttributeState {
    fn from(attribute: &AttributeSchema) -> Self {
        Self {
            name: attribute.name.to_string(),
            kind: attribute.type_name().to_owned(),
            default: attribute.default_text(),
            range: attribute.range_text(),
            description: attribute.description.to_string(),
            may_change: attribute.may_change,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_the_clouds_is_cut_and_says_so() {
        for (number, is_cut) in [(CLOUD_ITEMS, false), (CLOUD_ITEMS + 1, true)] {
            let (items, cut) = cut_list(vec![0; number], |item| item);
            assert_eq!((items.len(), cut), (CLOUD_ITEMS, is_cut));
        }
    }
}
