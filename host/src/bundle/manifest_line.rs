//! A line of a manifest, and who has which component as such lines. Pure.

use std::fmt::{Display, Write as _};

use crate::cluster::component::{ComponentMember, ComponentPlacement, split_node_name};

/// The kind of a thing, and its fields.
pub(super) struct ManifestLine(String);

impl ManifestLine {
    pub(super) fn new(kind: &str) -> Self {
        Self(kind.to_owned())
    }

    /// One field more.
    pub(super) fn with(mut self, key: &str, value: impl Display) -> Self {
        // a String takes every write
        let _ = write!(self.0, "\t{key}={value}");
        self
    }

    /// A field more for each value.
    pub(super) fn with_each(
        self,
        key: &str,
        values: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let values = values.into_iter();
        values.fold(self, |line, value| line.with(key, value))
    }

    /// With its end.
    pub(super) fn text(&self) -> String {
        format!("{}\n", self.0)
    }
}

/// A line of this kind for each component that anybody has: `members`, or who has joined, is to leave
/// or has left.
pub(super) fn member_lines<'a>(
    kind: &str,
    placements: impl IntoIterator<Item = &'a ComponentPlacement>,
) -> String {
    let all = placements.into_iter();
    all.filter(|placement| !placement.members.is_empty())
        .map(|placement| {
            ManifestLine::new(kind)
                .with("component", &placement.component)
                .with("nodes", node_ranges(placement.members.iter().map(|one| one.node.as_str())))
                .with("indexes", index_ranges(&placement.members))
                .text()
        })
        .collect()
}

/// `master,worker-[1-250]`
pub(super) fn node_ranges<'a>(nodes: impl IntoIterator<Item = &'a str>) -> String {
    let mut runs: Vec<(&str, Option<NumberRun>)> = Vec::new();
    for node in nodes {
        let (name, number) = split_node_name(node);
        match (runs.last_mut(), number) {
            (Some((last, Some(run))), Some(number)) if *last == name && run.last + 1 == number => {
                run.last = number;
            }
            _ => runs.push((name, number.map(NumberRun::new))),
        }
    }
    let texts = runs.into_iter().map(|(name, run)| match run {
        None => name.to_owned(),
        Some(NumberRun { first, last }) if first == last => format!("{name}-{first}"),
        Some(NumberRun { first, last }) => format!("{name}-[{first}-{last}]"),
    });
    texts.collect::<Vec<_>>().join(",")
}

/// `1,3-252`
fn index_ranges(members: &[ComponentMember]) -> String {
    let mut runs: Vec<NumberRun> = Vec::new();
    for member in members {
        match runs.last_mut() {
            Some(run) if run.last + 1 == member.index => run.last = member.index,
            _ => runs.push(NumberRun::new(member.index)),
        }
    }
    let texts = runs.into_iter().map(|NumberRun { first, last }| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    texts.collect::<Vec<_>>().join(",")
}

#[derive(Clone, Copy)]
struct NumberRun {
    first: u32,
    last: u32,
}

impl NumberRun {
    fn new(first: u32) -> Self {
        Self { first, last: first }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(members: &[(&str, u32)]) -> String {
        let members = members.iter().map(|(node, index)| ComponentMember {
            node: (*node).to_owned(),
            index: *index,
        });
        let placement = ComponentPlacement {
            component: "toy".to_owned(),
            members: members.collect(),
        };
        member_lines("members", [&placement])
    }

    #[test]
    fn members_are_ranges_of_names_and_of_numbers_that_come_to_as_many() {
        for (members, nodes, indexes) in [
            (&[("master", 1)][..], "master", "1"),
            (
                &[
                    ("master", 1),
                    ("worker-1", 2),
                    ("worker-2", 3),
                    ("worker-3", 4),
                ],
                "master,worker-[1-3]",
                "1-4",
            ),
            (
                &[("worker-9", 1), ("worker-10", 3), ("worker-12", 4)],
                "worker-[9-10],worker-12",
                "1,3-4",
            ),
            (
                &[("worker-2", 1), ("worker-1", 2), ("edge-2", 7)],
                "worker-2,worker-1,edge-2",
                "1-2,7",
            ),
            // no number, or one that would not come to the same name
            (&[("a-1", 1), ("a-02", 2)], "a-1,a-02", "1-2"),
            (&[("a-4294967295", 1)], "a-4294967295", "1"),
        ] {
            assert_eq!(
                lines(members),
                format!("members\tcomponent=toy\tnodes={nodes}\tindexes={indexes}\n")
            );
        }
        assert_eq!(lines(&[]), "", "nobody has it");
    }
}
