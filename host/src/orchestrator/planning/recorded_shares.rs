//! What the components of a running cluster have of its nodes' memory: it stays where nothing is asked
//! otherwise. Pure.

use std::collections::BTreeMap;

use crate::cluster::component::ComponentNeed;
use crate::cluster::framework_request::ComponentGrant;

/// What the components of a running cluster have, and by which needs.
#[derive(Clone, Copy, Debug)]
pub struct RecordedShares<'a> {
    /// By plugin.
    pub grants: &'a ComponentGrants,
    /// By plugin.
    pub needs: &'a BTreeMap<String, Vec<ComponentNeed>>,
    /// What the user gave plugins of each node's memory, in percent.
    pub memory_shares: &'a BTreeMap<String, u32>,
}

/// What each component is granted, by plugin.
pub type ComponentGrants = BTreeMap<String, Vec<ComponentGrant>>;

impl RecordedShares<'_> {
    /// Whether the user gives plugins of the memory what he gave them before. Otherwise all of it is
    /// shared anew.
    pub fn is_of<'b>(&self, mut shares: impl Iterator<Item = (&'b str, Option<u32>)>) -> bool {
        shares.all(|(plugin, share)| share == self.memory_shares.get(plugin).copied())
    }

    /// What a component keeps on the nodes of a group: what it has, where its need is what it was.
    pub fn kept(&self, plugin: &str, need: &ComponentNeed, group: &str) -> Option<u32> {
        let before = self.needs.get(plugin)?;
        let before = before.iter().find(|one| one.component == need.component)?;
        let memory = |need: &ComponentNeed| (need.least_mib, need.most_mib, need.weight);
        let grants = self.grants.get(plugin)?.iter();
        let mut there = grants.filter(|one| one.group == group && one.component == need.component);
        let kept = there.next()?.memory_mib;
        (memory(before) == memory(need)).then_some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Flavor;
    use crate::cluster::component::{ComponentMember, ComponentPlacement};
    use crate::cluster::framework_request::FrameworkClaims;
    use crate::orchestrator::planning::claims::{
        ClaimedGroup, ClaimingPlugin, SizedGroup, grant_claims,
    };

    fn need(component: &str, least_mib: u32) -> ComponentNeed {
        ComponentNeed {
            component: component.to_owned(),
            least_mib,
            weight: 1,
            ..ComponentNeed::default()
        }
    }

    /// What each component has on a node with 4,096 MiB, of which 3,584 can be shared.
    fn granted(
        needs: &[ComponentNeed],
        before: Option<(&ComponentGrants, &[ComponentNeed])>,
    ) -> ComponentGrants {
        let claims = FrameworkClaims {
            needs: needs.to_vec(),
            ..FrameworkClaims::default()
        };
        let plugin = ClaimingPlugin {
            name: "toy",
            memory_share: None,
            claims: &claims,
        };
        let nodes = ["worker-1".to_owned()];
        let flavor = Flavor {
            name: "f".to_owned(),
            vcpus: 1,
            ram_mib: 4_096,
            disk_gib: 10,
        };
        let sized = SizedGroup {
            group: ClaimedGroup {
                name: "worker",
                nodes: &nodes,
            },
            flavor: &flavor,
            root_volume_gib: None,
            volume_gib: 0,
        };
        let place = |need: &ComponentNeed| ComponentPlacement {
            component: need.component.clone(),
            members: vec![ComponentMember {
                node: nodes[0].clone(),
                index: 1,
            }],
        };
        let placements: Vec<ComponentPlacement> = needs.iter().map(place).collect();
        let recorded = before
            .map(|(grants, needs)| (grants, BTreeMap::from([("toy".to_owned(), needs.to_vec())])));
        let shares = BTreeMap::new();
        let recorded = recorded.as_ref().map(|(grants, needs)| RecordedShares {
            grants,
            needs,
            memory_shares: &shares,
        });
        grant_claims(&[plugin], &[sized], &placements, &[], recorded).unwrap()
    }

    fn mib(grants: &ComponentGrants) -> Vec<u32> {
        grants["toy"].iter().map(|one| one.memory_mib).collect()
    }

    #[test]
    fn shares_stay_but_where_the_need_is_another_and_where_it_fits() {
        let before = [need("a", 500), need("b", 500)];
        let first = granted(&before, None);
        assert_eq!(mib(&first), [1_792, 1_792]);
        // What comes gets what is free; here that is nothing, so that all are shared anew.
        let more = [need("a", 500), need("b", 500), need("c", 500)];
        assert_eq!(mib(&granted(&more, Some((&first, &before)))), [1_194; 3]);
        // Another need, beside one that keeps its share.
        let other = [need("a", 500), need("b", 1_000)];
        assert_eq!(
            mib(&granted(&other, Some((&first, &before)))),
            [1_792, 1_792]
        );
        let less = [need("a", 500)];
        assert_eq!(
            mib(&granted(&less, Some((&first, &before)))),
            [1_792],
            "and no more"
        );
    }
}
