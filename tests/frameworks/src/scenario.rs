//! What a scenario asks for: groups, frameworks in order, and members by hand.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use stampede_framework::{Request, rehearsal::Rehearsal};

/// A cluster, as JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeScenario {
    /// Name, number of nodes, memory of each in MiB.
    pub groups: Vec<(String, u32, u32)>,
    /// In the order of the chain.
    pub frameworks: Vec<AskedFramework>,
    /// Members and their indexes, in place of those that are placed.
    #[serde(default)]
    pub members: BTreeMap<String, Vec<(String, u32)>>,
    /// Who has come, is to leave, has gone: `joined`, `leaving`, `left`, by component.
    #[serde(default)]
    pub change: BTreeMap<String, BTreeMap<String, Vec<(String, u32)>>>,
    /// Where wheels come from.
    #[serde(default)]
    pub python_index: String,
}

/// A framework of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedFramework {
    /// The plugin.
    pub name: String,
    /// Its first when empty.
    #[serde(default)]
    pub version: String,
    /// Beside the defaults.
    #[serde(default)]
    pub settings: Value,
}

impl NodeScenario {
    /// Its groups, without components.
    pub(crate) fn cluster(&self) -> Rehearsal {
        let groups: Vec<(&str, u32, u32)> = self
            .groups
            .iter()
            .map(|(name, nodes, memory)| (name.as_str(), *nodes, *memory))
            .collect();
        Rehearsal::new(&groups)
    }

    /// Each node and its group.
    pub(crate) fn nodes(&self) -> Vec<(String, String)> {
        let all = self.groups.iter().flat_map(|(group, nodes, _)| {
            (1..=*nodes).map(move |id| {
                let is_first = id == 1 && group == "master";
                (
                    if is_first {
                        group.clone()
                    } else {
                        format!("{group}-{id}")
                    },
                    group.clone(),
                )
            })
        });
        all.collect()
    }

    /// Indexes as they were given by hand.
    pub(crate) fn number_members(&self, request: &mut Request) {
        for placement in &mut request.placements {
            let Some(members) = self.members.get(&placement.component) else {
                continue;
            };
            for (member, (_, index)) in placement.members.iter_mut().zip(members) {
                member.index = *index;
            }
        }
    }
}
