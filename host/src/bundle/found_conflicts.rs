//! What was found that cannot stand on one node together, and which nodes a thing is for. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::component_set::ComponentSet;
use super::node_classes::NodeClass;

/// Conflicts of one cluster that are told.
pub(super) const MOST_TOLD: usize = 100;

/// Things that cannot stand on one node together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeConflict {
    /// Whose they are.
    pub plugins: BTreeSet<String>,
    /// A lowercase fragment: what, and on which node for one.
    pub message: String,
}

/// Which nodes a thing is for.
pub(super) struct ThingPlace<'a> {
    pub(super) plugin: &'a str,
    pub(super) components: ComponentSet,
    /// None: all.
    pub(super) groups: BTreeSet<&'a str>,
}

impl ThingPlace<'_> {
    pub(super) fn is_on(&self, class: &NodeClass, components: &ComponentSet) -> bool {
        (self.groups.is_empty() || self.groups.contains(class.group.as_str()))
            && self.components.meets(components)
    }
}

#[derive(Default)]
pub(super) struct FoundConflicts(BTreeMap<(BTreeSet<String>, String), String>);

impl FoundConflicts {
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST_TOLD
    }

    pub(super) fn add<const N: usize>(
        &mut self,
        plugins: [&str; N],
        what: String,
        class: &NodeClass,
    ) {
        if !self.is_full() {
            let plugins = plugins.into_iter().map(str::to_owned).collect();
            let example = class.example.clone();
            self.0.entry((plugins, what)).or_insert(example);
        }
    }

    pub(super) fn into_list(self) -> Vec<NodeConflict> {
        let found = self.0.into_iter();
        found
            .map(|((plugins, what), example)| NodeConflict {
                plugins,
                message: format!("{what}: {example} for one"),
            })
            .collect()
    }
}
