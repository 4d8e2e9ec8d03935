//! Which component runs on which node. Pure.
//!
//! A component is placed by its descriptor, or by the user's wishes for a group. What was placed
//! before stays: nothing moves because other nodes come or go, and an index is given again only
//! when its node is gone.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{
    Problem,
    component::{ComponentMember, ComponentPlacement, ComponentSpec, EVERY_GROUP},
};

/// A group of nodes, as placing needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacementGroup {
    /// `worker`.
    pub name: String,
    /// Its nodes that are there or are to be, by id.
    pub nodes: Vec<String>,
    /// What the user wants on it (`stampede.<group>.components`): a component, and on how many of
    /// its nodes where that was said.
    pub wishes: Vec<(String, Option<u32>)>,
}

/// Places every component, in order.
///
/// `recorded` is what was placed before, of nodes that leave too: their indexes are not free yet.
///
/// # Errors
/// All that cannot be placed, at once.
pub fn place_components(
    components: &[ComponentSpec],
    groups: &[PlacementGroup],
    recorded: &[ComponentPlacement],
) -> Result<Vec<ComponentPlacement>, Vec<Problem>> {
    let mut problems = check_wishes(components, groups);
    let recorded: BTreeMap<&str, &ComponentPlacement> = recorded
        .iter()
        .map(|placement| (placement.component.as_str(), placement))
        .collect();
    let mut placements = Vec::new();
    for component in components {
        let before = recorded.get(component.name.as_str()).copied();
        let (wanted, asked_by) = match wished_nodes(component, groups, before) {
            Some((nodes, group)) => (nodes, Some(group)),
            None => (default_nodes(component, groups, before), None),
        };
        let (nodes, fault) = bound_number(component, wanted, asked_by);
        problems.extend(fault);
        placements.push(ComponentPlacement {
            component: component.name.clone(),
            members: number_members(nodes, before),
        });
    }
    if problems.is_empty() {
        Ok(placements)
    } else {
        Err(problems)
    }
}

/// Groups that the host makes because no group is there that a component could go to: name and
/// number of nodes.
pub fn missing_groups(
    components: &[ComponentSpec],
    groups: &[PlacementGroup],
) -> BTreeMap<String, u32> {
    let mut missing = BTreeMap::new();
    for component in components {
        let is_there =
            |name: &String| name == EVERY_GROUP || groups.iter().any(|group| group.name == *name);
        let is_wished = groups
            .iter()
            .any(|group| wish_of(group, component).is_some());
        if is_wished || component.groups.iter().any(is_there) {
            continue;
        }
        if let Some(first) = component.groups.first() {
            let nodes = missing.entry(first.clone()).or_insert(1);
            *nodes = component.nodes.max(*nodes);
        }
    }
    missing
}

fn wish_of<'a>(
    group: &'a PlacementGroup,
    component: &ComponentSpec,
) -> Option<&'a (String, Option<u32>)> {
    group
        .wishes
        .iter()
        .find(|(name, _)| *name == component.name)
}

fn check_wishes(components: &[ComponentSpec], groups: &[PlacementGroup]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for group in groups {
        let path = format!("{}.components", group.name);
        let mut seen = BTreeSet::new();
        for (name, number) in &group.wishes {
            if !components.iter().any(|component| component.name == *name) {
                let known: Vec<&str> = components
                    .iter()
                    .map(|component| component.name.as_str())
                    .collect();
                problems.push(Problem::new(
                    &path,
                    format!("no framework of this cluster has a component `{name}`"),
                    format!("there are {}", known.join(", ")),
                ));
            } else if !seen.insert(name) {
                problems.push(Problem::new(
                    &path,
                    format!("names `{name}` twice"),
                    "name it once",
                ));
            }
            let has = group.nodes.len();
            if number.is_some_and(|number| number == 0 || number as usize > has) {
                let number = number.unwrap_or_default();
                problems.push(Problem::new(
                    &path,
                    format!("wants `{name}` on {number} nodes, and the group has {has}"),
                    format!(
                        "a number from 1 to {has}, or more nodes by {}.count",
                        group.name
                    ),
                ));
            } else if has == 0 {
                problems.push(Problem::new(
                    &path,
                    format!("wants `{name}` on a group that has no nodes"),
                    format!("give it nodes by {}.count", group.name),
                ));
            }
        }
    }
    problems
}

/// Where the user wants it, and the first group that names it; none where no group does.
fn wished_nodes<'a>(
    component: &ComponentSpec,
    groups: &'a [PlacementGroup],
    before: Option<&ComponentPlacement>,
) -> Option<(Vec<String>, &'a str)> {
    let mut nodes = Vec::new();
    let mut asked_by = None;
    for group in groups {
        if let Some((_, number)) = wish_of(group, component) {
            asked_by = asked_by.or(Some(group.name.as_str()));
            let number = number.map_or(group.nodes.len(), |number| number as usize);
            nodes.extend(choose_nodes(group, number, before));
        }
    }
    asked_by.map(|group| (nodes, group))
}

/// Where its descriptor wants it.
fn default_nodes(
    component: &ComponentSpec,
    groups: &[PlacementGroup],
    before: Option<&ComponentPlacement>,
) -> Vec<String> {
    let is_for =
        |group: &&PlacementGroup, name: &String| name == EVERY_GROUP || group.name == *name;
    let mut there: Vec<&PlacementGroup> = Vec::new();
    for name in &component.groups {
        there.extend(groups.iter().filter(|group| is_for(group, name)));
    }
    if component.nodes == 0 {
        let mut nodes: Vec<String> = there.iter().flat_map(|group| group.nodes.clone()).collect();
        if component.most > 0 || component.odd {
            let most = match component.most {
                0 => nodes.len(),
                most => most as usize,
            };
            nodes = lower_even(component, prefer_members(nodes, most, before));
        }
        return nodes;
    }
    // Whoever has members already keeps them, though another group could now have more.
    let stays = |group: &&PlacementGroup| {
        before.is_some_and(|before| group.nodes.iter().any(|node| before.has(node)))
    };
    let number = component.nodes as usize;
    let all = || there.iter().copied();
    let chosen = all()
        .find(stays)
        .or_else(|| all().find(|group| group.nodes.len() >= number))
        .or_else(|| all().next());
    let Some(group) = chosen else {
        return Vec::new();
    };
    lower_even(component, choose_nodes(group, number, before))
}

/// Of what votes an even number bears no more failures than one less.
fn lower_even(component: &ComponentSpec, mut nodes: Vec<String>) -> Vec<String> {
    if component.odd && nodes.len().is_multiple_of(2) {
        nodes.pop();
    }
    nodes
}

/// So many nodes of a group: its members first, then those with the lowest ids.
fn choose_nodes(
    group: &PlacementGroup,
    number: usize,
    before: Option<&ComponentPlacement>,
) -> Vec<String> {
    prefer_members(group.nodes.clone(), number, before)
}

fn prefer_members(
    nodes: Vec<String>,
    number: usize,
    before: Option<&ComponentPlacement>,
) -> Vec<String> {
    let index_of = |node: &String| {
        let members = before.into_iter().flat_map(|before| &before.members);
        members
            .filter(|member| member.node == *node)
            .map(|member| member.index)
            .next()
    };
    let (mut first, rest): (Vec<String>, Vec<String>) =
        nodes.into_iter().partition(|node| index_of(node).is_some());
    first.sort_by_key(|node| index_of(node));
    first.extend(rest);
    first.truncate(number);
    first
}

/// How many there may be. What the host chooses itself it has chosen well; what the user asks for is
/// refused.
fn bound_number(
    component: &ComponentSpec,
    nodes: Vec<String>,
    asked_by: Option<&str>,
) -> (Vec<String>, Option<Problem>) {
    let (name, number) = (&component.name, nodes.len());
    let path = || {
        asked_by.map_or("framework".to_owned(), |group| {
            format!("{group}.components")
        })
    };
    let fault = if component.most > 0 && number > component.most as usize {
        let most = component.most;
        Some(Problem::new(
            path(),
            format!("`{name}` would be on {number} nodes, and may be on {most}"),
            format!("name {most} or fewer, such as GROUP.components={name}:{most}"),
        ))
    } else if component.odd && number % 2 == 0 && number > 0 {
        let fewer = number - 1;
        Some(Problem::new(
            path(),
            format!(
                "`{name}` votes, and would be on {number} nodes: an even number bears no more failures than {fewer}"
            ),
            format!("an odd number, such as GROUP.components={name}:{fewer}"),
        ))
    } else {
        None
    };
    (nodes, fault)
}

/// Numbers for members: they keep theirs, and who comes gets the smallest that nobody has or had
/// until now.
fn number_members(nodes: Vec<String>, before: Option<&ComponentPlacement>) -> Vec<ComponentMember> {
    let known = before.map_or(&[][..], |before| &before.members);
    let mut taken: BTreeSet<u32> = known.iter().map(|member| member.index).collect();
    let mut free = 1..;
    let mut members: Vec<ComponentMember> = nodes
        .into_iter()
        .map(|node| {
            let index = known
                .iter()
                .find(|member| member.node == node)
                .map(|member| member.index)
                .or_else(|| free.find(|index| taken.insert(*index)))
                .unwrap_or(u32::MAX);
            ComponentMember { node, index }
        })
        .collect();
    members.sort_by_key(|member| member.index);
    members
}

#[cfg(test)]
mod tests {
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
                let now = placed(&one, &groups, before.as_slice());
                let indexes: BTreeSet<u32> = now.members.iter().map(|member| member.index).collect();
                prop_assert_eq!(indexes.len(), now.members.len());
                prop_assert!(!indexes.contains(&0));
                for known in before.iter().flat_map(|before| &before.members) {
                    let is_there = groups[0].nodes.contains(&known.node);
                    let is_now = now.members.iter().find(|member| member.index == known.index);
                    prop_assert!(is_now.is_none_or(|member| member.node == known.node));
                    prop_assert!(is_now.is_some() || !is_there || nodes > 0 || odd);
                }
                prop_assert_eq!(placed(&one, &groups, std::slice::from_ref(&now)), now.clone());
                before = Some(now);
            }
        }
    }
}
