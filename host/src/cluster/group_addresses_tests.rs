//! Blocks of addresses: as they always were for the first two groups, and apart for all others.

use std::collections::BTreeSet;

use super::*;
use crate::cluster::test_groups::group;

fn network(text: &str) -> GroupAddresses {
    GroupAddresses::new(text.parse().unwrap())
}

fn groups(further: &[(&str, u32)]) -> NodeGroups {
    let mut groups = NodeGroups::default();
    for (name, count) in further {
        groups.add(group(name, *count));
    }
    groups
}

#[test]
fn the_first_two_groups_stand_where_they_always_stood() {
    let network = network("10.77.0.0/22");
    let address = |place, id| {
        network
            .address(place, id)
            .map(|address| address.to_string())
    };
    assert_eq!(address(0, 1).as_deref(), Some("10.77.0.10"));
    assert_eq!(address(1, 1).as_deref(), Some("10.77.0.11"));
    assert_eq!(address(1, 250).as_deref(), Some("10.77.1.4"));
    assert_eq!(address(1, 500).as_deref(), Some("10.77.1.254"));
    for nobody in [0, 501] {
        assert_eq!(address(1, nobody), None);
    }
    // What every node resolves from its first boot on: as its script writes it.
    let names: Vec<String> = network
        .all_names(&groups(&[]))
        .map(|(name, address)| format!("{address} {name}"))
        .filter(|line| !line.contains("master-"))
        .collect();
    assert_eq!(names.len(), 501);
    assert_eq!(names[0], "10.77.0.10 master");
    assert_eq!(names[500], "10.77.1.254 worker-500");
}

#[test]
fn no_two_names_that_there_can_ever_be_share_an_address() {
    let most: Vec<(String, u32)> = (2..MAX_GROUPS).map(|n| (format!("g{n}"), 2)).collect();
    let most: Vec<(&str, u32)> = most.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    for (prefix, share) in [(22, 68), (21, 214), (20, 500), (16, 500), (8, 500)] {
        let network = network(&format!("10.0.0.0/{prefix}"));
        let groups = groups(&most);
        let all: Vec<(String, Ipv4Addr)> = network.all_names(&groups).collect();
        let addresses: BTreeSet<Ipv4Addr> = all.iter().map(|(_, address)| *address).collect();
        assert_eq!(addresses.len(), all.len(), "/{prefix}");
        assert!(
            addresses
                .iter()
                .all(|address| network.network.contains(address))
        );
        assert_eq!(network.last_id(2), share, "/{prefix}");
        let last = addresses.last().unwrap();
        let end = u32::from(network.network.broadcast()) - u32::from(*last);
        assert!(end > MAX_SPARE_ADDRESSES, "/{prefix}: {end}");
        let wanted = 2 + 500 + (MAX_GROUPS as u32 - 1) * share - 1;
        assert_eq!(
            all.len() as u32,
            wanted.min(1 + 500 + 499 + 6 * 500),
            "/{prefix}"
        );
    }
}

#[test]
fn a_block_does_not_depend_on_which_groups_there_are() {
    let network = network("10.77.0.0/22");
    let of = |further: &[(&str, u32)]| -> Vec<(String, Ipv4Addr)> {
        let groups = groups(further);
        let all = network.all_names(&groups);
        all.filter(|(name, _)| name.starts_with("edge")).collect()
    };
    assert_eq!(of(&[("edge", 1)]), of(&[("edge", 1), ("zoo", 3)]));
    assert_eq!(
        of(&[("edge", 1)])[0],
        ("edge".to_owned(), "10.77.2.67".parse().unwrap())
    );
}

#[test]
fn groups_that_have_no_addresses_are_refused_with_how_many_there_are() {
    let told = |net: &str, groups: &NodeGroups| {
        let checked = network(net).check("network.cidr", groups);
        checked.err().map(|problem| problem.to_string())
    };
    assert_eq!(told("10.77.0.0/22", &groups(&[("edge", 68)])), None);
    assert_eq!(
        told("10.77.0.0/22", &groups(&[("edge", 69)])).as_deref(),
        Some(
            "network.cidr: `10.77.0.0/22` has addresses for 68 nodes of edge, and 69 are needed \
             (a /21, or fewer nodes)"
        )
    );
    assert_eq!(
        told(
            "10.77.0.0/22",
            &groups(&[("edge", 69), ("zoo", 2), ("far", 70)])
        )
        .as_deref(),
        Some(
            "network.cidr: `10.77.0.0/22` has addresses for 68 nodes of edge, and 69 are needed; \
             has addresses for 68 nodes of far, and 70 are needed (a /21, or fewer nodes)"
        )
    );
    assert_eq!(told("10.0.0.0/24", &groups(&[])), None);
    assert!(told("10.0.0.0/24", &groups(&[("edge", 1)])).is_some());
    let mut many = groups(&[]);
    many.get_mut("worker").unwrap().count = 213;
    assert_eq!(
        told("10.0.0.0/24", &many).as_deref(),
        Some(
            "network.cidr: `10.0.0.0/24` has 256 addresses, 213 workers need 257 \
             (a /23, or fewer nodes)"
        )
    );
}

#[test]
fn nodes_read_the_blocks_of_further_groups_as_the_host_gives_out_addresses() {
    let network = network("10.77.0.0/22");
    let told = |ids: &[u32]| {
        let mut all = groups(&[("edge", 1), ("zoo", 2)]);
        let edge = all.get_mut("edge").unwrap();
        *edge = edge.with_ids(ids.to_vec());
        let placed: Vec<NodeGroup> = all
            .iter()
            .enumerate()
            .map(|(place, group)| NodeGroup {
                role: group.name.clone(),
                flavor: crate::cluster::Flavor {
                    name: String::new(),
                    vcpus: 1,
                    ram_mib: 1,
                    disk_gib: 0,
                },
                image: String::new(),
                nodes: group
                    .node_ids()
                    .into_iter()
                    .map(|id| crate::cluster::framework::ClusterNode {
                        id,
                        name: group.node_name(id),
                        address: network.address(place, id).unwrap().to_string(),
                    })
                    .collect(),
            })
            .collect();
        (network.further_blocks(&placed), network.all_blocks(&placed))
    };
    let all_told = |ids: &[u32]| told(ids).1;
    let told = |ids: &[u32]| told(ids).0;
    let first_two =
        "master:10.77.0.10:1:master master:10.77.1.255:68:master-2 worker:10.77.0.11:500:worker-1";
    assert_eq!(all_told(&[3]), format!("{first_two} {}", told(&[3])));
    assert_eq!(all_told(&[]), format!("{first_two} {}", told(&[])));
    assert_eq!(
        told(&[1]),
        "edge:10.77.2.67:68:edge zoo:10.77.2.135:68:zoo-1"
    );
    assert_eq!(
        told(&[3]),
        "edge:10.77.2.67:68:edge-1 zoo:10.77.2.135:68:zoo-1"
    );
    assert_eq!(told(&[]), "zoo:10.77.2.135:68:zoo-1");
    let edge = groups(&[("edge", 1)]);
    let names: Vec<(String, Ipv4Addr)> = network
        .all_names(&edge)
        .filter(|(name, _)| name.starts_with("edge"))
        .collect();
    assert_eq!((names.len(), names[0].0.as_str()), (68, "edge"));
    assert_eq!(names[0].1, Ipv4Addr::new(10, 77, 2, 67));
}
