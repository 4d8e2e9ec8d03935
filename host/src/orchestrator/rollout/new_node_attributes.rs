//! For which new nodes an attribute of a running cluster may be another one: what made those that are
//! there may be gone. Pure.

use crate::cluster::{
    ClusterSpec, NodeIds, Problem,
    attribute_schema::{AttributeSchema, AttributeValue},
    contract_bridge,
    default_groups::many_nodes,
    group_attributes::find_row,
    group_value::{GroupAttribute, GroupValue, attribute_of},
};

/// What a running cluster may be given for nodes that the same update adds: what made the others may
/// be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NewNodes {
    /// Of any group that can grow.
    OfAny(Vec<String>),
    /// Of this one.
    Of(String),
}

impl NewNodes {
    /// For which new nodes an attribute of this name may be another one.
    pub(crate) fn for_attribute(name: &str, from: &ClusterSpec, to: &ClusterSpec) -> Option<Self> {
        if matches!(name, "image" | "image.has_java" | "key") {
            let groups = to.groups.with_nodes().map(|group| group.name.clone());
            return Some(Self::OfAny(
                groups
                    .filter(|name| contract_bridge::may_grow(name))
                    .collect(),
            ));
        }
        let row = find_row(name, to.groups.names())?;
        let of_group = group_attribute(&row)?;
        let is_made_of = match of_group.value {
            GroupValue::Flavor | GroupValue::Image => true,
            // One for all nodes of a group, for as long as it is there.
            GroupValue::Zone | GroupValue::RootVolume | GroupValue::Volume => {
                !from.groups.has_nodes(&of_group.group)
            }
            GroupValue::Count { .. } | GroupValue::Components | GroupValue::Remove => false,
        };
        let may_grow = contract_bridge::may_grow(&of_group.group);
        (is_made_of && may_grow).then(|| Self::Of(of_group.group.to_string()))
    }

    pub(crate) fn are_among(&self, joining: &NodeIds) -> bool {
        match self {
            Self::OfAny(_) => !joining.is_empty(),
            Self::Of(group) => joining.contains_key(group),
        }
    }

    pub(crate) fn problem(&self, name: &str) -> Problem {
        let groups = match self {
            Self::OfAny(groups) => groups.as_slice(),
            Self::Of(group) => std::slice::from_ref(group),
        };
        let many = match groups {
            [group] => many_nodes(group),
            _ => "nodes".to_owned(),
        };
        let counts = groups
            .iter()
            .map(|group| format!("`{}`", attribute_of(group, "count")));
        Problem::new(
            name,
            format!("cannot be changed in a running cluster but for new {many}"),
            format!(
                "raise {} in the same update, or leave it as it is",
                counts.collect::<Vec<_>>().join(" or ")
            ),
        )
    }
}

/// What a row says of a group, where it does.
pub(crate) fn group_attribute(row: &AttributeSchema) -> Option<&GroupAttribute> {
    match &row.value {
        AttributeValue::OfGroup(of_group) => Some(of_group),
        _ => None,
    }
}
