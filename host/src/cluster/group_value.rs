//! What can be said of a node group, as texts and in a spec: `<group>.count` and so on, and the names
//! of all groups. Which attributes there are is [`super::attribute_schema`]'s and
//! [`super::group_attributes`]' to know. Pure.

use std::borrow::Cow;

use super::{
    Problem,
    default_groups::{GROUPS, canonical_name, many_nodes, sized_group},
    limits::{
        MAX_CLOUD_NAME_CHARS, MAX_GROUP_COMPONENTS, MAX_GROUP_NODES, MAX_ROOT_VOLUME_GIB,
        MAX_VOLUME_GIB, MIN_GROUP_NODES,
    },
    name_lists::{parse_components, render_components},
    node_group::NodeGroups,
    parse_value::{parse_cloud_name, parse_number},
};

/// The attribute that names the groups.
pub const GROUPS_ATTRIBUTE: &str = "groups";
/// The attribute of a group by its name behind the group's, under the name that people see.
pub fn attribute_of(group: &str, attribute: &str) -> String {
    canonical_name(&format!("{group}.{attribute}")).to_owned()
}

/// What is said of one group.
#[derive(Clone, Debug)]
pub struct GroupAttribute {
    /// The group.
    pub group: Cow<'static, str>,
    /// What of it.
    pub value: GroupValue,
}

/// What can be said of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupValue {
    /// How many nodes.
    Count {
        /// Where none is given.
        default: u32,
    },
    /// Their flavor: a name or id in the cloud.
    Flavor,
    /// Their image: a name or id in the cloud.
    Image,
    /// Where they are: the name of an availability zone in the cloud.
    Zone,
    /// The size of the volume that each boots from, in GiB.
    RootVolume,
    /// The size of the volume for data that each has, in GiB.
    Volume,
    /// Components that are to be on its nodes, each on so many of them where that is said.
    Components,
    /// Names of nodes that an update takes away: no part of a spec.
    Remove,
}

impl GroupAttribute {
    pub(super) fn type_name(&self) -> &'static str {
        match self.value {
            GroupValue::Count { .. } | GroupValue::RootVolume | GroupValue::Volume => "integer",
            _ => "string",
        }
    }

    pub(super) fn default_text(&self) -> String {
        match self.value {
            GroupValue::Count { default } => default.to_string(),
            GroupValue::Flavor => "the smallest that fits".to_owned(),
            GroupValue::Image | GroupValue::Zone | GroupValue::RootVolume => {
                "that of all nodes".to_owned()
            }
            GroupValue::Volume => "0".to_owned(),
            GroupValue::Components => "as the frameworks say".to_owned(),
            GroupValue::Remove => "the last ones".to_owned(),
        }
    }

    /// Whether that is a value, and no words for one.
    pub(super) fn has_default_value(&self) -> bool {
        matches!(self.value, GroupValue::Count { .. } | GroupValue::Volume)
    }

    pub(super) fn range_text(&self) -> String {
        match self.value {
            GroupValue::Count { .. } => format!("{MIN_GROUP_NODES} to {MAX_GROUP_NODES}"),
            GroupValue::RootVolume => format!("0 to {MAX_ROOT_VOLUME_GIB}"),
            GroupValue::Volume => format!("0 to {MAX_VOLUME_GIB}"),
            GroupValue::Flavor | GroupValue::Image | GroupValue::Zone => {
                format!("up to {MAX_CLOUD_NAME_CHARS} characters")
            }
            GroupValue::Components => {
                format!("0 to {MAX_GROUP_COMPONENTS} names, each with `:NODES` or without")
            }
            GroupValue::Remove => {
                format!("names of {}, in an update", many_nodes(&self.group))
            }
        }
    }

    /// Parses a text that is clean and not empty. `name` is the attribute's.
    pub(super) fn parse_into(
        &self,
        name: &str,
        groups: &mut NodeGroups,
        text: &str,
    ) -> Result<(), Problem> {
        let Some(group) = groups.get_mut(&self.group) else {
            let message = format!("there is no group `{}`", self.group);
            let hint = format!("name it in `{GROUPS_ATTRIBUTE}`");
            return Err(Problem::new(name, message, hint));
        };
        match self.value {
            GroupValue::Count { .. } => {
                group.count = parse_number(name, text, MIN_GROUP_NODES, MAX_GROUP_NODES)?;
            }
            GroupValue::Flavor => group.flavor = Some(parse_cloud_name(name, text)?),
            GroupValue::Image => group.image = Some(parse_cloud_name(name, text)?),
            GroupValue::Zone => group.availability_zone = Some(parse_cloud_name(name, text)?),
            GroupValue::RootVolume => {
                let size = parse_number(name, text, 0, MAX_ROOT_VOLUME_GIB)?;
                group.root_volume_gib = Some(size);
            }
            GroupValue::Volume => {
                group.volume_gib = Some(parse_number(name, text, 0, MAX_VOLUME_GIB)?);
            }
            GroupValue::Components => group.components = parse_components(name, text)?,
            GroupValue::Remove => {
                let hint = format!("say how many with `{}`", attribute_of(&self.group, "count"));
                let message = "only an update of a running cluster takes it";
                return Err(Problem::new(name, message, hint));
            }
        }
        Ok(())
    }

    /// The text of its value; none where it has none, or goes without saying.
    pub(super) fn render(&self, groups: &NodeGroups) -> Option<String> {
        let group = groups.get(&self.group).filter(|group| !group.is_empty())?;
        match self.value {
            GroupValue::Count { default } => {
                let is_size = self.group == sized_group().name;
                (is_size || group.count != default).then(|| group.count.to_string())
            }
            GroupValue::Flavor => group.flavor.clone(),
            GroupValue::Image => group.image.clone(),
            GroupValue::Zone => group.availability_zone.clone(),
            GroupValue::RootVolume => group.root_volume_gib.map(|size| size.to_string()),
            GroupValue::Volume => group.volume_gib.map(|size| size.to_string()),
            GroupValue::Components => {
                let components = &group.components;
                (!components.is_empty()).then(|| render_components(components))
            }
            GroupValue::Remove => None,
        }
    }

    /// Gives `to` the value that `from` has; what a group is before anything is said of it, where
    /// `from` has no such group.
    pub(super) fn copy_value(&self, from: &NodeGroups, to: &mut NodeGroups) {
        let from = from.get(&self.group);
        let Some(to) = to.get_mut(&self.group) else {
            return;
        };
        match self.value {
            GroupValue::Count { default } => to.count = from.map_or(default, |from| from.count),
            GroupValue::Flavor => to.flavor = from.and_then(|from| from.flavor.clone()),
            GroupValue::Image => to.image = from.and_then(|from| from.image.clone()),
            GroupValue::Zone => {
                to.availability_zone = from.and_then(|from| from.availability_zone.clone());
            }
            GroupValue::RootVolume => {
                to.root_volume_gib = from.and_then(|from| from.root_volume_gib);
            }
            GroupValue::Volume => to.volume_gib = from.and_then(|from| from.volume_gib),
            GroupValue::Components => {
                let components = from.map(|from| from.components.clone());
                to.components = components.unwrap_or_default();
            }
            GroupValue::Remove => {}
        }
    }
}

/// The text of `groups`; none for those that every cluster has.
pub(super) fn render_groups(groups: &NodeGroups) -> Option<String> {
    let groups = groups.iter().filter(|group| !group.is_empty());
    let names: Vec<&str> = groups.map(|group| group.name.as_str()).collect();
    let names = names.join(",");
    (names != GROUPS).then_some(names)
}
