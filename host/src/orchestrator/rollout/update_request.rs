//! What an update asks for beside attributes that stay: nodes to take away, an upgrade. Pure.

use std::collections::BTreeMap;

use crate::orchestrator::{
    context::ClientAttributes, error::OrchestratorError,
    rollout::new_node_attributes::group_attribute,
};
use crate::{
    cluster::{
        attribute_names::{AttributeNames, kept_name},
        attribute_schema::{UPGRADE, find_attribute},
        attributes,
        group_attributes::group_of_attribute,
        group_value::{GroupValue, attribute_of},
        parse_flag,
    },
    store::ClusterRecord,
};

/// What a request asks for.
#[derive(Clone)]
pub(crate) struct UpdateRequest {
    /// All but the nodes to take away.
    pub(crate) given: ClientAttributes,
    /// The names of the nodes to take away, by group. They are used up by the update that bears
    /// them.
    pub(crate) remove: BTreeMap<String, Vec<String>>,
    /// What it says of an upgrade. It is used up like that.
    pub(crate) upgrade: Option<String>,
}

impl UpdateRequest {
    /// `record` is that of the cluster.
    pub(crate) fn from_attributes(
        given: ClientAttributes,
        names: &AttributeNames,
        record: &ClusterRecord,
    ) -> Self {
        let spec = record.spec.as_ref();
        let has_group = |name: &str| spec.is_some_and(|spec| spec.groups.get(name).is_some());
        let is_other = |name: &str| names.has_framework(name) && !has_group(name);
        let (mut remove, mut upgrade) = (BTreeMap::new(), None);
        let mut kept = ClientAttributes::new();
        for (name, value) in given {
            match removal_group(&name, is_other) {
                Some(group) => drop(remove.insert(group, split_names(&value))),
                None if is_upgrade_word(&name) => upgrade = Some(value),
                None => kept.push((name, value)),
            }
        }
        remove.retain(|_, nodes: &mut Vec<String>| !nodes.is_empty());
        Self {
            given: kept,
            remove,
            upgrade: upgrade.filter(|value| !value.trim().is_empty()),
        }
    }

    /// Whether it says how many nodes of a group there are to be.
    pub(crate) fn counts(&self, group: &str) -> bool {
        let count = format!("{}{}", attributes::PREFIX, attribute_of(group, "count"));
        let mut names = self.given.iter().map(|(name, _)| kept_name(name));
        names.any(|name| name == count)
    }

    /// Whether it asks for an upgrade.
    ///
    /// # Errors
    /// What it says is neither true nor false.
    pub(crate) fn wants_upgrade(&self) -> Result<bool, OrchestratorError> {
        match self.upgrade.as_deref() {
            None => Ok(false),
            Some(text) => parse_flag(UPGRADE, text.trim())
                .map_err(|problem| OrchestratorError::Invalid(vec![problem])),
        }
    }

    /// Its attributes that are not ours.
    pub(crate) fn foreign(&self) -> ClientAttributes {
        self.given
            .iter()
            .filter(|(name, _)| !attributes::is_ours(name))
            .cloned()
            .collect()
    }
}

/// The group whose nodes an attribute of this name takes away. Whether the cluster has it is found
/// out with the cluster; `is_other` knows names that are no group's.
fn removal_group(name: &str, is_other: impl Fn(&str) -> bool) -> Option<String> {
    let kept = kept_name(name);
    let own = kept.strip_prefix(attributes::PREFIX)?;
    if let Some(row) = find_attribute(own) {
        let of_group = group_attribute(row)?;
        let is_removal = of_group.value == GroupValue::Remove;
        return is_removal.then(|| of_group.group.to_string());
    }
    let group = group_of_attribute(own)?;
    let is_removal = own.strip_prefix(group) == Some(".remove") && !is_other(group);
    is_removal.then(|| group.to_owned())
}

fn is_upgrade_word(name: &str) -> bool {
    kept_name(name).strip_prefix(attributes::PREFIX) == Some(UPGRADE)
}

fn split_names(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
