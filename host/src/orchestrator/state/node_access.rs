//! How a person gets to the nodes of a cluster: what its record tells of the way in. No I/O.

use std::net::IpAddr;

use url::{Host, Url};

use crate::{
    cluster::default_groups::{OUTER_ADDRESS, leading_node},
    store::ClusterRecord,
};

/// The way to the nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAccess {
    /// The cluster's own id: another cluster that is given the same address later is not taken for
    /// this one.
    pub cluster_id: String,
    /// The node that is reached first.
    pub entry_node: String,
    /// Its address for those outside; none while the stack does not tell one.
    pub entry_address: Option<IpAddr>,
    /// Every node's name, the first one's first. They stand in every node's hosts file.
    pub nodes: Vec<String>,
    /// The key pair whose owner may log in; none where nobody may but by what the image has.
    pub key: Option<String>,
    /// The CIDRs that are let in; empty for nobody.
    pub access: Vec<String>,
    /// The image that the first one was booted from, and the region that has it, where they are
    /// known.
    pub image: Option<(String, String)>,
    /// Web pages and other URLs by name, as the cluster's own nodes reach them: (`hadoop_namenode`,
    /// `http://master:9870/`). Where several nodes have one, it stands there once for each.
    pub endpoints: Vec<(String, Url)>,
    /// The names of those that ask for a secret.
    pub secret_endpoints: Vec<String>,
}

/// What a record tells of the way in; none before it is deployed.
pub(crate) fn node_access(record: &ClusterRecord) -> Option<NodeAccess> {
    let spec = record.spec.as_ref()?;
    let address = record.observed.outputs.get(OUTER_ADDRESS);
    let entry_address = address.and_then(|address| address.as_str()?.parse().ok());
    let entry_node = leading_node(&spec.groups);
    let group = spec.groups.find_node(&entry_node).map(|(group, _)| group);
    let pins = spec.pins.as_ref();
    let image = group.and_then(|group| pins?.groups.get(&group.name)?.image_id.clone());
    let others = spec.node_names().into_iter();
    let others = others.filter(|node| *node != entry_node);
    Some(NodeAccess {
        cluster_id: record.id.clone(),
        entry_address,
        nodes: [entry_node.clone()].into_iter().chain(others).collect(),
        key: spec.key.clone(),
        access: spec.access.clone(),
        image: image.map(|image| (record.region.clone(), image)),
        endpoints: inner_endpoints(record, &entry_node, entry_address),
        secret_endpoints: secret_endpoints(record),
        entry_node,
    })
}

/// The endpoints that ask for a secret.
pub(crate) fn secret_endpoints(record: &ClusterRecord) -> Vec<String> {
    let asking = record.endpoints.iter();
    let asking = asking.filter(|(_, endpoint)| endpoint.secret.is_some());
    asking.map(|(name, _)| name.clone()).collect()
}

/// The endpoints with the outer address exchanged for the node's name, under which the node itself
/// and all others know it. What is no URL is left out: whoever may write the stack may have made it.
fn inner_endpoints(
    record: &ClusterRecord,
    entry_node: &str,
    outer: Option<IpAddr>,
) -> Vec<(String, Url)> {
    let inner = |text: &str| {
        let mut url = Url::parse(text).ok().filter(Url::has_host)?;
        let address = match url.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        if address.is_some() && address == outer {
            url.set_host(Some(entry_node)).ok()?;
        }
        url.port_or_known_default()?;
        Some(url)
    };
    let mut all = Vec::new();
    for (name, endpoint) in &record.endpoints {
        let urls: Vec<&str> = match record.observed.outputs.get(&endpoint.output) {
            Some(serde_json::Value::String(url)) => vec![url],
            Some(serde_json::Value::Object(by_node)) => {
                by_node.values().filter_map(|url| url.as_str()).collect()
            }
            _ => Vec::new(),
        };
        let urls = urls.into_iter().filter_map(inner);
        all.extend(urls.map(|url| (name.clone(), url)));
    }
    all
}
