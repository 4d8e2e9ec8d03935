//! The rehearsal of plugins' native tests places components and shares memory as the host does.

use proptest::prelude::*;
use stampede::cluster::component::{ComponentNeed, ComponentSpec};
use stampede::orchestrator::planning::memory_share::{share_memory, shareable_mib};
use stampede::orchestrator::planning::placement::{PlacementGroup, place_components};
use stampede_framework::rehearsal::Rehearsal;
use stampede_framework::{Component, Need, component, need};

const GROUPS: [&str; 4] = ["master", "worker", "compute", "edge"];

/// A component of these groups; `*` is all of them.
fn components() -> impl Strategy<Value = Vec<(Component, ComponentSpec)>> {
    let groups = prop::sample::subsequence(GROUPS.to_vec(), 1..=3).prop_shuffle();
    let groups = prop_oneof![3 => groups, 1 => Just(vec!["*"])];
    let one = (groups, 0..4_u32, 0..4_u32, any::<bool>());
    prop::collection::vec(one, 1..8).prop_map(|all| {
        let made = |(at, (groups, nodes, more, odd)): (usize, (Vec<&str>, u32, u32, bool))| {
            // A number of those that vote is odd, or 0.
            let nodes = if odd && nodes > 0 { nodes | 1 } else { nodes };
            let most = if more == 0 { 0 } else { nodes + more };
            let most = if odd && most > 0 { most | 1 } else { most };
            let name = format!("component_{at}");
            let mut own = component(&name, &groups).on_nodes(nodes).at_most(most);
            if odd {
                own = own.voting();
            }
            let groups = groups.into_iter().map(str::to_owned);
            let host = ComponentSpec {
                name,
                groups: groups.collect(),
                nodes,
                most,
                odd,
            };
            (own, host)
        };
        all.into_iter().enumerate().map(made).collect()
    })
}

fn group_nodes(group: &str, count: u32) -> Vec<String> {
    let name = |id: u32| match (group, id) {
        ("master", 1) => group.to_owned(),
        _ => format!("{group}-{id}"),
    };
    (1..=count).map(name).collect()
}

proptest! {
    #[test]
    fn components_go_where_the_host_puts_them(counts in prop::array::uniform4(0..6_u32), components in components()) {
        let rehearsed: Vec<(&str, u32, u32)> = GROUPS.iter().zip(counts).map(|(name, count)| (*name, count, 4_096)).collect();
        let groups: Vec<PlacementGroup> = rehearsed
            .iter()
            .map(|(name, count, _)| PlacementGroup {
                name: (*name).to_owned(),
                nodes: group_nodes(name, *count),
                wishes: Vec::new(),
            })
            .collect();
        let (own, host): (Vec<Component>, Vec<ComponentSpec>) = components.into_iter().unzip();
        let Ok(placed) = place_components(&host, &groups, &[]) else {
            return Ok(());
        };
        let cluster = Rehearsal::new(&rehearsed).placing(&own);
        for one in placed {
            let nodes: Vec<&str> = one.members.iter().map(|member| member.node.as_str()).collect();
            prop_assert_eq!(cluster.nodes_of(&one.component), nodes, "{}", one.component);
        }
    }

    #[test]
    fn memory_is_shared_as_the_host_shares_it(
        memory_mib in 512..20_000_u32, needs in prop::collection::vec((0..1_500_u32, 0..4_000_u32, 0..12_u32), 1..8),
    ) {
        let name = |at: usize| format!("component_{at}");
        let most = |least: u32, more: u32| if more == 0 { 0 } else { least + more };
        let own: Vec<Need> = needs
            .iter()
            .enumerate()
            .map(|(at, (least, more, weight))| need(&name(at)).least(*least).most(most(*least, *more)).weight(*weight))
            .collect();
        let host: Vec<ComponentNeed> = needs
            .iter()
            .enumerate()
            .map(|(at, (least, more, weight))| ComponentNeed {
                component: name(at),
                least_mib: *least,
                most_mib: most(*least, *more),
                weight: *weight,
                ..ComponentNeed::default()
            })
            .collect();
        let Some(shares) = share_memory(shareable_mib(memory_mib), &host.iter().collect::<Vec<_>>()) else {
            return Ok(());
        };
        let mut cluster = Rehearsal::new(&[("worker", 1, memory_mib)]);
        for at in 0..own.len() {
            cluster = cluster.with_members(&name(at), &["worker-1"]);
        }
        let grants: Vec<u32> = cluster.grants(&own).iter().map(|grant| grant.memory_mib).collect();
        prop_assert_eq!(grants, shares);
    }
}
