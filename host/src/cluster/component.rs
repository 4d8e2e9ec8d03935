//! Components of frameworks and where they are placed. No I/O.

use serde::{Deserialize, Serialize};

/// Stands for all groups in [`ComponentSpec::groups`].
pub const EVERY_GROUP: &str = "*";

/// One part of a framework that is placed on nodes: a daemon, or a client with its configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentSpec {
    /// `datanode`.
    pub name: String,
    /// Where it goes unless the user says otherwise.
    pub groups: Vec<String>,
    /// On so many nodes; 0: on every node of its groups.
    pub nodes: u32,
    /// More are refused; 0: no bound.
    pub most: u32,
    /// It votes: an even number makes no sense.
    pub odd: bool,
}

/// The nodes that have a component.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentPlacement {
    /// The component's name.
    pub component: String,
    /// By index.
    pub members: Vec<ComponentMember>,
}

/// A node that has a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentMember {
    /// `worker-7`.
    pub node: String,
    /// Its number within the component, from 1: kept for as long as the node is a member.
    pub index: u32,
}

impl ComponentMember {
    /// The node's name without its number, and that, where the two come to the same name again.
    pub fn split_node(&self) -> (&str, Option<u32>) {
        split_node_name(&self.node)
    }
}

/// A node's name without its number, and that, where the two come to the same name again.
pub fn split_node_name(node: &str) -> (&str, Option<u32>) {
    let parts = node.rsplit_once('-').and_then(|(group, digits)| {
        let number: u32 = digits.parse().ok()?;
        (number.to_string() == digits && number < u32::MAX).then_some((group, number))
    });
    parts.map_or((node, None), |(group, number)| (group, Some(number)))
}

/// What a component needs on each of its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentNeed {
    /// The component's name.
    pub component: String,
    /// All that its processes take at least, in MiB.
    pub least_mib: u32,
    /// What it can use, in MiB; 0: no bound.
    pub most_mib: u32,
    /// How much of the rest it gets beside others; 0: it gets its least.
    pub weight: u32,
    /// Of the root disk, in GiB.
    pub disk_gib: u32,
    /// TCP ports that it listens on.
    pub ports: Vec<u16>,
}

/// The members that `of` has beyond `without`, by component; components without any are left out.
/// One that has another index is another member.
pub fn members_beyond(
    of: &[ComponentPlacement],
    without: &[ComponentPlacement],
) -> Vec<ComponentPlacement> {
    let beyond = |placement: &ComponentPlacement| {
        let other = placement_of(without, &placement.component);
        let other: &[ComponentMember] = other.map_or(&[], |other| &other.members);
        let members = placement.members.iter();
        ComponentPlacement {
            component: placement.component.clone(),
            members: members
                .filter(|one| !other.contains(one))
                .cloned()
                .collect(),
        }
    };
    let all = of.iter().map(beyond);
    all.filter(|placement| !placement.members.is_empty())
        .collect()
}

/// The members of both, in the order of `other`; what that does not know comes where `one` has it.
pub fn join_members(
    one: &[ComponentPlacement],
    other: &[ComponentPlacement],
) -> Vec<ComponentPlacement> {
    let mut joined = Vec::new();
    let mut rest = one.iter().peekable();
    let knows = |name: &str| placement_of(other, name).is_some();
    for placement in other {
        // Those before it that go altogether.
        while let Some(gone) = rest.next_if(|before| !knows(&before.component)) {
            joined.push(gone.clone());
        }
        rest.next_if(|before| before.component == placement.component);
        let mut both = placement.clone();
        let before = placement_of(one, &placement.component);
        let before = before.into_iter().flat_map(|before| &before.members);
        let missing = before.filter(|member| !placement.has(&member.node));
        both.members.extend(missing.cloned().collect::<Vec<_>>());
        both.members.sort_by_key(|member| member.index);
        joined.push(both);
    }
    joined.extend(rest.filter(|before| !knows(&before.component)).cloned());
    joined
}

/// Where a component is.
pub fn placement_of<'a>(
    placements: &'a [ComponentPlacement],
    component: &str,
) -> Option<&'a ComponentPlacement> {
    placements.iter().find(|one| one.component == component)
}

impl ComponentPlacement {
    /// Whether this node has it.
    pub fn has(&self, node: &str) -> bool {
        self.members.iter().any(|member| member.node == node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(all: &[(&str, &[(&str, u32)])]) -> Vec<ComponentPlacement> {
        let member = |(node, index): &(&str, u32)| ComponentMember {
            node: (*node).to_owned(),
            index: *index,
        };
        all.iter()
            .map(|(component, members)| ComponentPlacement {
                component: (*component).to_owned(),
                members: members.iter().map(member).collect(),
            })
            .collect()
    }

    #[test]
    fn members_of_two_clusters_at_rest_are_joined_and_told_apart() {
        let before = placed(&[
            ("gone", &[("a-1", 1)]),
            ("voter", &[("a-1", 1), ("a-2", 2)]),
            ("last", &[("a-1", 1)]),
        ]);
        let after = placed(&[("new", &[("a-3", 1)]), ("voter", &[("a-2", 2), ("a-3", 3)])]);
        let both = join_members(&before, &after);
        assert_eq!(
            both,
            placed(&[
                ("gone", &[("a-1", 1)]),
                ("new", &[("a-3", 1)]),
                ("voter", &[("a-1", 1), ("a-2", 2), ("a-3", 3)]),
                ("last", &[("a-1", 1)]),
            ])
        );
        assert_eq!(
            members_beyond(&both, &before),
            placed(&[("new", &[("a-3", 1)]), ("voter", &[("a-3", 3)])])
        );
        assert_eq!(
            members_beyond(&both, &after),
            placed(&[
                ("gone", &[("a-1", 1)]),
                ("voter", &[("a-1", 1)]),
                ("last", &[("a-1", 1)])
            ])
        );
        assert_eq!(join_members(&before, &before), before);
    }
}
