//! Where components are, as records and stacks carry it: in runs of nodes and indexes, since a stack
//! carries it in a parameter, and a cluster has up to 251 nodes. `datanode worker-1..250=1..250`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::{
    component::{ComponentMember, ComponentPlacement},
    limits::MAX_NODE_ID,
};

/// What stands between the ends of a run.
const TO: &str = "..";
/// Members of one run that are read: more ids than a group ever has.
const MAX_RUN: u32 = MAX_NODE_ID;

pub(super) fn serialize<S: Serializer>(
    placements: &[ComponentPlacement],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let texts: Vec<String> = placements.iter().map(write_placement).collect();
    texts.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ComponentPlacement>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let placements = texts.iter().map(|text| {
        read_placement(text).ok_or_else(|| D::Error::custom(format!("no placement: {text}")))
    });
    placements.collect()
}

fn write_placement(placement: &ComponentPlacement) -> String {
    let mut runs: Vec<MemberRun<'_>> = Vec::new();
    for member in &placement.members {
        let next = MemberRun::of(member);
        match runs.last_mut() {
            Some(run) if run.is_followed_by(&next) => run.length += 1,
            _ => runs.push(next),
        }
    }
    let words = runs.iter().map(MemberRun::write);
    let words: Vec<String> = std::iter::once(placement.component.clone())
        .chain(words)
        .collect();
    words.join(" ")
}

fn read_placement(text: &str) -> Option<ComponentPlacement> {
    let mut words = text.split(' ');
    let component = words.next().filter(|name| !name.is_empty())?.to_owned();
    let mut members = Vec::new();
    for word in words {
        members.extend(read_run(word)?);
    }
    Some(ComponentPlacement { component, members })
}

/// Members whose nodes' numbers and indexes both rise by one.
struct MemberRun<'a> {
    /// `worker` of `worker-7`; all of a name without a number.
    group: &'a str,
    number: Option<u32>,
    index: u32,
    length: u32,
}

impl<'a> MemberRun<'a> {
    fn of(member: &'a ComponentMember) -> Self {
        let (group, number) = member.split_node();
        Self {
            group,
            number,
            index: member.index,
            length: 1,
        }
    }

    fn is_followed_by(&self, next: &Self) -> bool {
        let after = |first: u32| first.checked_add(self.length);
        self.group == next.group
            && self.number.is_some()
            && self.number.and_then(after) == next.number
            && after(self.index) == Some(next.index)
            && self.length < MAX_RUN
    }

    fn write(&self) -> String {
        let Some(number) = self.number else {
            return format!("{}={}", self.group, self.index);
        };
        let more = self.length - 1;
        let run = |first: u32| match more {
            0 => first.to_string(),
            _ => format!("{first}{TO}{}", first + more),
        };
        format!("{}-{}={}", self.group, run(number), run(self.index))
    }
}

fn read_run(word: &str) -> Option<Vec<ComponentMember>> {
    let (nodes, indexes) = word.rsplit_once('=')?;
    let member = |node: String, index: u32| ComponentMember { node, index };
    let Some((first_node, last_node)) = nodes.split_once(TO) else {
        return Some(vec![member(nodes.to_owned(), indexes.parse().ok()?)]);
    };
    let (first, last) = indexes.split_once(TO)?;
    let (group, first_node) = first_node.rsplit_once('-')?;
    let [first_node, last_node, first, last]: [u32; 4] = [
        first_node.parse().ok()?,
        last_node.parse().ok()?,
        first.parse().ok()?,
        last.parse().ok()?,
    ];
    let more = last.checked_sub(first)?;
    if last_node.checked_sub(first_node)? != more || more >= MAX_RUN {
        return None;
    }
    let all = (first_node..=last_node).zip(first..=last);
    Some(
        all.map(|(id, index)| member(format!("{group}-{id}"), index))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn placement(members: &[(&str, u32)]) -> ComponentPlacement {
        let members = members.iter().map(|(node, index)| ComponentMember {
            node: (*node).to_owned(),
            index: *index,
        });
        ComponentPlacement {
            component: "datanode".to_owned(),
            members: members.collect(),
        }
    }

    #[test]
    fn nodes_and_indexes_that_rise_together_are_one_run() {
        let all: Vec<(String, u32)> = (1..=250).map(|id| (format!("worker-{id}"), id)).collect();
        let all: Vec<(&str, u32)> = all.iter().map(|(node, id)| (node.as_str(), *id)).collect();
        assert_eq!(
            write_placement(&placement(&all)),
            "datanode worker-1..250=1..250"
        );
        for (members, text) in [
            (&[][..], "datanode"),
            (&[("master", 1)], "datanode master=1"),
            (&[("worker-7", 3)], "datanode worker-7=3"),
            (
                &[
                    ("master", 1),
                    ("worker-1", 2),
                    ("worker-2", 3),
                    ("worker-5", 4),
                ],
                "datanode master=1 worker-1..2=2..3 worker-5=4",
            ),
            (
                &[("worker-1", 1), ("worker-2", 5)],
                "datanode worker-1=1 worker-2=5",
            ),
        ] {
            let placement = placement(members);
            assert_eq!(write_placement(&placement), text);
            assert_eq!(read_placement(text), Some(placement));
        }
    }

    #[test]
    fn what_no_host_has_written_is_refused() {
        for wrong in [
            "",
            "datanode x",
            "datanode worker-1..2=1",
            "datanode worker-1..2=1..3",
            "datanode worker-2..1=2..1",
            "datanode worker-1..4000000000=1..4000000000",
            "datanode worker=x",
        ] {
            assert_eq!(read_placement(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_again(members in prop::collection::vec(
            ("(master|worker|worker-0?[1-9]{1,2}|e2-[1-3])", 1u32..8), 0..12,
        )) {
            let members: Vec<(&str, u32)> = members.iter().map(|(node, index)| (node.as_str(), *index)).collect();
            let placement = placement(&members);
            prop_assert_eq!(read_placement(&write_placement(&placement)), Some(placement));
        }
    }
}
