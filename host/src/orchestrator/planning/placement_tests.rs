//! Placing: what stays, what goes where, and how many.

use proptest::prelude::*;

use super::*;

fn group(name: &str, ids: &[u32]) -> PlacementGroup {
    PlacementGroup {
        name: name.to_owned(),
        nodes: ids.iter().map(|id| format!("{name}-{id}")).collect(),
        wishes: Vec::new(),
    }
}

fn component(name: &str, groups: &[&str], nodes: u32) -> ComponentSpec {
    ComponentSpec {
        name: name.to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        nodes,
        ..ComponentSpec::default()
    }
}

fn voters() -> ComponentSpec {
    ComponentSpec {
        odd: true,
        ..component("zookeeper_server", &["master", "worker"], 3)
    }
}

fn members(placement: &ComponentPlacement) -> Vec<(&str, u32)> {
    placement
        .members
        .iter()
        .map(|member| (member.node.as_str(), member.index))
        .collect()
}

fn placed(
    component: &ComponentSpec,
    groups: &[PlacementGroup],
    recorded: &[ComponentPlacement],
) -> ComponentPlacement {
    let all = place_components(std::slice::from_ref(component), groups, recorded).unwrap();
    all.into_iter().next().unwrap()
}

#[test]
fn voters_stay_where_they_are_while_nodes_come_and_go() {
    let four = [group("master", &[1]), group("worker", &[1, 2, 3, 4])];
    let first = placed(&voters(), &four, &[]);
    let wanted = [("worker-1", 1), ("worker-2", 2), ("worker-3", 3)];
    assert_eq!(members(&first), wanted);
    // More nodes, and masters enough by now: nothing moves.
    let more = [
        group("master", &[1, 2, 3]),
        group("worker", &[1, 2, 3, 4, 5]),
    ];
    let same = placed(&voters(), &more, std::slice::from_ref(&first));
    assert_eq!(members(&same), wanted);
    // A voter's node leaves: another takes its place, with a number that nobody has yet.
    let fewer = [group("master", &[1]), group("worker", &[1, 3, 4])];
    let moved = placed(&voters(), &fewer, std::slice::from_ref(&first));
    assert_eq!(
        members(&moved),
        [("worker-1", 1), ("worker-3", 3), ("worker-4", 4)]
    );
    // The number is free once its node is gone.
    let again = [group("master", &[1]), group("worker", &[1, 4, 5])];
    let next = placed(&voters(), &again, std::slice::from_ref(&moved));
    assert_eq!(
        members(&next),
        [("worker-1", 1), ("worker-5", 2), ("worker-4", 4)]
    );
}

#[test]
fn the_host_chooses_an_odd_number_and_refuses_an_even_one() {
    let two = [group("master", &[1]), group("worker", &[1, 2])];
    assert_eq!(members(&placed(&voters(), &two, &[])), [("master-1", 1)]);
    let mut wished = two.clone();
    wished[1].wishes = vec![("zookeeper_server".to_owned(), None)];
    let problems = place_components(&[voters()], &wished, &[]).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].message.contains("votes") && problems[0].message.contains('2'));
    assert_eq!(problems[0].path, "worker.components");
    // Without a number it is on all nodes, and votes there too.
    let everywhere = ComponentSpec {
        nodes: 0,
        ..voters()
    };
    assert_eq!(placed(&everywhere, &two, &[]).members.len(), 3);
    let four = [group("master", &[1]), group("worker", &[1, 2, 3])];
    assert_eq!(placed(&everywhere, &four, &[]).members.len(), 3);
    let three = [("zookeeper_server".to_owned(), Some(3))];
    wished[1].wishes = three.to_vec();
    let problems = place_components(&[voters()], &wished, &[]).unwrap_err();
    assert!(
        problems[0]
            .message
            .contains("on 3 nodes, and the group has 2"),
        "{problems:?}"
    );
}

#[test]
fn an_edge_group_is_taken_where_there_is_one_and_made_where_nothing_else_is() {
    let notebook = component("jupyterlab", &["edge", "master"], 1);
    let none = [group("master", &[1]), group("worker", &[1])];
    assert_eq!(members(&placed(&notebook, &none, &[])), [("master-1", 1)]);
    let with_edge = [none[0].clone(), none[1].clone(), group("edge", &[1])];
    assert_eq!(
        members(&placed(&notebook, &with_edge, &[])),
        [("edge-1", 1)]
    );
    assert!(missing_groups(std::slice::from_ref(&notebook), &none).is_empty());
    let own = component("kafka_controller", &["controller"], 3);
    assert_eq!(
        missing_groups(&[own], &none),
        BTreeMap::from([("controller".to_owned(), 3)])
    );
}

#[test]
fn a_component_that_a_group_names_goes_there_and_nowhere_else() {
    let datanode = component("datanode", &["worker"], 0);
    let mut groups = [
        group("master", &[1]),
        group("worker", &[1, 2]),
        group("data", &[1, 2, 3]),
    ];
    assert_eq!(placed(&datanode, &groups, &[]).members.len(), 2);
    groups[2].wishes = vec![("datanode".to_owned(), None)];
    let on_data = placed(&datanode, &groups, &[]);
    assert_eq!(
        members(&on_data),
        [("data-1", 1), ("data-2", 2), ("data-3", 3)]
    );
    groups[2].wishes.push(("nobody".to_owned(), None));
    groups[2].wishes.push(("datanode".to_owned(), None));
    let problems = place_components(&[datanode], &groups, &[]).unwrap_err();
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn no_member_that_stays_is_taken_away_to_be_odd() {
    let three = [group("master", &[1]), group("worker", &[1, 2, 3])];
    for nodes in [0, 3] {
        let one = ComponentSpec {
            nodes,
            groups: vec!["worker".to_owned()],
            ..voters()
        };
        let first = placed(&one, &three, &[]);
        assert_eq!(first.members.len(), 3);
        let before = std::slice::from_ref(&first);
        let two = [group("master", &[1]), group("worker", &[1, 3])];
        let problems = place_components(std::slice::from_ref(&one), &two, before).unwrap_err();
        assert_eq!(
            problems[0].to_string(),
            "framework: `zookeeper_server` votes, and would be on 2 nodes: an even number bears no more failures than 1 \
             (keep or add a node, so that it is on 3; or say that 1 will do, by GROUP.components=zookeeper_server:1)"
        );
        // Who comes may wait for another; who says so gets what he wants; one alone is odd.
        let replaced = [group("master", &[1]), group("worker", &[1, 3, 4])];
        assert_eq!(placed(&one, &replaced, before).members.len(), 3);
        let more = [group("master", &[1]), group("worker", &[1, 2, 3, 4])];
        assert_eq!(placed(&one, &more, before), first);
        let mut wished = two.clone();
        wished[1].wishes = vec![("zookeeper_server".to_owned(), Some(1))];
        assert_eq!(members(&placed(&one, &wished, before)), [("worker-1", 1)]);
        let last = [group("master", &[1]), group("worker", &[2])];
        assert_eq!(members(&placed(&one, &last, before)), [("worker-2", 2)]);
    }
}

#[test]
fn a_group_without_nodes_takes_nothing_and_is_not_made_behind_the_users_back() {
    let notebook = component("jupyterlab", &["edge", "master"], 1);
    let none = [
        group("master", &[1, 2]),
        group("worker", &[1]),
        group("edge", &[]),
    ];
    let pair = component("pair", &["edge", "compute", "master"], 2);
    let four = component("four", &["edge", "master"], 4);
    for one in [&notebook, &pair, &four] {
        let there = placed(one, &none, &[]);
        assert!(
            there
                .members
                .iter()
                .all(|member| member.node.starts_with("master"))
        );
        assert!(!there.members.is_empty());
        assert!(missing_groups(std::slice::from_ref(one), &none).is_empty());
    }
    let only = component("page", &["edge"], 1);
    assert!(placed(&only, &none, &[]).members.is_empty());
    assert!(missing_groups(std::slice::from_ref(&only), &none).is_empty());
    let other = component("page", &["edge", "gateway"], 1);
    assert_eq!(
        missing_groups(&[other], &none),
        BTreeMap::from([("gateway".to_owned(), 1)])
    );
    let everywhere = component("page", &[EVERY_GROUP], 1);
    assert!(missing_groups(&[everywhere], &[group("edge", &[])]).is_empty());
}

#[test]
fn groups_that_the_host_makes_keep_to_what_a_user_may_ask_for() {
    let names = ["master", "worker", "a", "b", "c", "d", "e"];
    let groups: Vec<PlacementGroup> = names.iter().map(|name| group(name, &[1])).collect();
    let made = |names: &[(&str, u32)]| {
        let names = names.iter();
        names
            .map(|(name, nodes)| ((*name).to_owned(), *nodes))
            .collect::<BTreeMap<_, _>>()
    };
    let said = |names: &[(&str, u32)]| {
        let problems = check_made_groups(&groups, &made(names)).into_iter();
        problems.map(|one| one.to_string()).collect::<Vec<_>>()
    };
    assert!(said(&[]).is_empty() && said(&[("x", 244)]).is_empty());
    assert_eq!(said(&[("x", 245)]).len(), 1);
    assert!(said(&[("x", 245)])[0].starts_with(
        "groups: have 252 nodes together with `x`, which the frameworks need; a cluster has at most 251"
    ));
    let both = said(&[("x", 1), ("y", u32::MAX)]);
    assert!(
        both.len() == 2
            && both[0].starts_with(
                "groups: with `x`, `y`, which the frameworks need, there are 9, at most 8"
            ),
        "{both:?}"
    );
}

proptest! {
    /// Whatever comes and goes: members stay, indexes are unique and from 1 on, and no index of
    /// a node that was there a moment ago is somebody else's.
    #[test]
    fn members_keep_their_numbers(
        nodes in 0u32..6, odd: bool, changes in prop::collection::vec(prop::collection::btree_set(1u32..12, 1..8), 1..8),
    ) {
        let one = ComponentSpec { nodes, odd, ..component("c", &["worker"], 0) };
        let mut before: Option<ComponentPlacement> = None;
        for ids in changes {
            let ids: Vec<u32> = ids.into_iter().collect();
            let groups = [group("worker", &ids)];
            let placed = |before: &[ComponentPlacement]| place_components(std::slice::from_ref(&one), &groups, before);
            let Ok(all) = placed(before.as_slice()) else {
                // All that are left stay, and are even in number.
                let left = groups[0].nodes.iter().filter(|node| before.as_ref().is_some_and(|before| before.has(node)));
                prop_assert!(odd && left.count() % 2 == 0);
                continue;
            };
            let now = all[0].clone();
            let indexes: BTreeSet<u32> = now.members.iter().map(|member| member.index).collect();
            prop_assert_eq!(indexes.len(), now.members.len());
            prop_assert!(!indexes.contains(&0));
            for known in before.iter().flat_map(|before| &before.members) {
                let is_there = groups[0].nodes.contains(&known.node);
                let is_now = now.members.iter().find(|member| member.index == known.index);
                prop_assert!(is_now.is_none_or(|member| member.node == known.node));
                prop_assert!(is_now.is_some() || !is_there);
            }
            prop_assert!(!odd || now.members.len() % 2 == 1);
            prop_assert_eq!(placed(std::slice::from_ref(&now)).unwrap(), all);
            before = Some(now);
        }
    }
}
