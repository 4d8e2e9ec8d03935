//! What plugins of contract 0.1.0 are not told of node groups, laid over the template that they make.
//! Pure.

use serde_json::Value;

use crate::{
    bundle::policy::READY,
    cluster::{ClusterSpec, GroupSpec, default_groups::find_default},
};

/// Lays it over a template of a cluster.
pub fn lay_group_values(template: &mut Value, spec: &ClusterSpec) {
    let has_further = spec
        .groups
        .iter()
        .any(|group| find_default(&group.name).is_none());
    // The plugins see no group that is gone, and of each the nodes that are there: with groups that
    // come and go beside each other, signals of those that went would count for those that come.
    if has_further
        && let Some(count) = template.pointer_mut(&format!("/resources/{READY}/properties/count"))
    {
        let given = spec.groups.iter().map(GroupSpec::last_id);
        let given = u64::from(given.fold(0, u32::saturating_add));
        *count = count.as_u64().unwrap_or(0).max(given).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        cluster::test_groups::group, orchestrator::planning::resolve::tests_support::spec,
    };

    #[test]
    fn every_id_that_was_ever_given_out_counts_where_there_are_or_were_further_groups() {
        let counted = |spec: &ClusterSpec| {
            let count = spec.groups.node_count();
            let ready = json!({ "properties": { "count": count } });
            let mut template = json!({ "resources": { "ready": ready } });
            lay_group_values(&mut template, spec);
            template["resources"]["ready"]["properties"]["count"].clone()
        };
        let alone = spec().with_workers(vec![1, 2, 3]).with_workers(vec![1]);
        assert_eq!(counted(&alone), 2, "as the plugin has it");
        let mut with_edge = alone;
        with_edge.groups.add(group("edge", 2));
        assert_eq!(counted(&with_edge), 1 + 3 + 2);
        let edge = with_edge.groups.get_mut("edge").unwrap();
        *edge = edge.emptied();
        assert_eq!(counted(&with_edge), 1 + 3 + 2, "a group that is gone");
    }
}
