//! What answers hold of the way to a cluster's nodes.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::orchestrator::state::node_access::NodeAccess;

/// How a person gets to the nodes of a cluster by SSH.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AccessDetail {
    /// The cluster's own id: no other cluster ever has it.
    pub cluster_id: String,
    /// The node that is reached first; the others are reached through it.
    #[schema(example = "node-1")]
    pub entry_node: String,
    /// Its address for those outside; null while the stack does not tell one.
    #[schema(value_type = Option<String>, example = "203.0.113.7")]
    pub entry_address: Option<IpAddr>,
    /// All nodes by name, the first one's first.
    pub nodes: Vec<String>,
    /// The key pair whose owner may log in; null where nobody may but by what the image has.
    pub key: Option<String>,
    /// The CIDRs that are let in; empty for nobody.
    pub access: Vec<String>,
    /// The image of the first node, which says who logs in; null where it is not known.
    pub image: Option<ImageOfRegion>,
    /// What can be reached through the first node.
    pub endpoints: Vec<InnerEndpoint>,
    /// The names of those that ask for a secret.
    pub secret_endpoints: Vec<String>,
}

/// An image, and the region that has it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ImageOfRegion {
    /// The region's name.
    pub region: String,
    /// The image's id.
    pub id: String,
}

/// An endpoint as the cluster's own nodes reach it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct InnerEndpoint {
    /// The endpoint's name; there once for each node that has it.
    #[schema(example = "hadoop_namenode")]
    pub name: String,
    /// Its URL with the node's name.
    #[schema(example = "http://node-1:9870/")]
    pub url: String,
}

impl From<NodeAccess> for AccessDetail {
    fn from(access: NodeAccess) -> Self {
        let endpoints = access.endpoints.into_iter();
        Self {
            cluster_id: access.cluster_id,
            entry_node: access.entry_node,
            entry_address: access.entry_address,
            nodes: access.nodes,
            key: access.key,
            access: access.access,
            image: access
                .image
                .map(|(region, id)| ImageOfRegion { region, id }),
            endpoints: endpoints
                .map(|(name, url)| InnerEndpoint {
                    name,
                    url: url.into(),
                })
                .collect(),
            secret_endpoints: access.secret_endpoints,
        }
    }
}

impl AccessDetail {
    /// Whether the names are such as a host gives. They become words for `ssh`, which would read more
    /// into others: patterns, or lines of its own.
    pub fn is_plain(&self) -> bool {
        let is_name = |name: &String| {
            let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(is_part)
        };
        let is_id = |c: char| c.is_ascii_hexdigit() || c == '-';
        let id = &self.cluster_id;
        !id.is_empty()
            && id.chars().all(is_id)
            && is_name(&self.entry_node)
            && self.nodes.iter().all(is_name)
    }
}

impl From<AccessDetail> for NodeAccess {
    fn from(detail: AccessDetail) -> Self {
        // What is no URL leads nowhere.
        let url = |one: InnerEndpoint| Some((one.name, Url::parse(&one.url).ok()?));
        let endpoints = detail.endpoints.into_iter().filter_map(url);
        Self {
            cluster_id: detail.cluster_id,
            entry_node: detail.entry_node,
            entry_address: detail.entry_address,
            nodes: detail.nodes,
            key: detail.key,
            access: detail.access,
            image: detail.image.map(|image| (image.region, image.id)),
            endpoints: endpoints.collect(),
            secret_endpoints: detail.secret_endpoints,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(cluster_id: &str, entry_node: &str, node: &str) -> AccessDetail {
        AccessDetail {
            cluster_id: cluster_id.to_owned(),
            entry_node: entry_node.to_owned(),
            entry_address: None,
            nodes: vec![node.to_owned()],
            key: None,
            access: Vec::new(),
            image: None,
            endpoints: Vec::new(),
            secret_endpoints: Vec::new(),
        }
    }

    #[test]
    fn ssh_is_given_no_name_that_means_more_to_it() {
        let id = "5a000000-0000-4000-8000-000000000004";
        assert!(told(id, "edge", "edge-2").is_plain());
        for (cluster_id, entry_node, node) in [
            ("*", "edge", "edge"),
            ("", "edge", "edge"),
            (id, "*", "edge"),
            (id, "edge", "a\nb"),
            (id, "-oProxyCommand=x", "edge"),
            (id, "", "edge"),
        ] {
            assert!(!told(cluster_id, entry_node, node).is_plain());
        }
    }
}
