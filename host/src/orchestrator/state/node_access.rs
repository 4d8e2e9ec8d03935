//! How a person gets to the nodes of a cluster: what its record tells of the way in. No I/O.

use std::{collections::BTreeMap, net::IpAddr};

use url::{Host, Url};

use crate::{
    cluster::{
        ClusterSpec, default_groups::OUTER_ADDRESS, group_addresses::GroupAddresses,
        node_group::leading_node,
    },
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
        endpoints: inner_endpoints(
            record,
            &names_of_addresses(spec, &entry_node, entry_address),
        ),
        entry_node,
    })
}

/// The names of the nodes by their addresses, inside and outside.
fn names_of_addresses(
    spec: &ClusterSpec,
    entry_node: &str,
    outer: Option<IpAddr>,
) -> BTreeMap<IpAddr, String> {
    let network = spec.cidr.parse().ok().map(GroupAddresses::new);
    let places = spec.groups.iter().enumerate();
    let inside = places.flat_map(|(place, group)| {
        group.node_ids().into_iter().filter_map(move |id| {
            let address = network?.address(place, id)?;
            Some((IpAddr::V4(address), group.node_name(id)))
        })
    });
    let outside = outer.map(|address| (address, entry_node.to_owned()));
    inside.chain(outside).collect()
}

/// The endpoints with addresses exchanged for the nodes' names, under which the nodes know one
/// another and which pages link to. What is no URL is left out: whoever may write the stack may have made it.
fn inner_endpoints(record: &ClusterRecord, names: &BTreeMap<IpAddr, String>) -> Vec<(String, Url)> {
    let inner = |text: &str| {
        let mut url = Url::parse(text).ok().filter(Url::has_host)?;
        let address = match url.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        };
        if let Some(name) = address.and_then(|address| names.get(&address)) {
            url.set_host(Some(name)).ok()?;
        }
        url.port_or_known_default()?;
        Some(url)
    };
    let mut all = Vec::new();
    for (name, output) in &record.endpoints {
        let urls: Vec<&str> = match record.observed.outputs.get(output) {
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
