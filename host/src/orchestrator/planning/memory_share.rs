//! How a node's memory is shared among its components. Pure.
//!
//! Each gets its least and `weight * level` more, its most at most, with the largest whole level for
//! which there is enough. Allotments rise with the level and the level with the memory, so that more
//! memory is never less for anyone.

use crate::cluster::component::ComponentNeed;
use crate::cluster::limits::MAX_MEMORY_SHARE;

/// Percent of a node: the most that all shares together may be.
pub const WHOLE_PERCENT: u32 = MAX_MEMORY_SHARE;

/// What the system of a node keeps for itself, in MiB: up to this much memory 512, above it 1,024.
pub const SMALL_NODE_MIB: u32 = 4_096;
/// What the system of a small node keeps.
pub const SMALL_NODE_RESERVE_MIB: u32 = 512;
/// What the system of any other node keeps.
pub const NODE_RESERVE_MIB: u32 = 1_024;

/// The memory that components can have on a node.
pub fn shareable_mib(node_mib: u32) -> u32 {
    let reserve = if node_mib <= SMALL_NODE_MIB {
        SMALL_NODE_RESERVE_MIB
    } else {
        NODE_RESERVE_MIB
    };
    // Just above a small node there is not less to share than on it.
    node_mib.saturating_sub(reserve).max(
        node_mib
            .min(SMALL_NODE_MIB)
            .saturating_sub(SMALL_NODE_RESERVE_MIB),
    )
}

/// The smallest node whose memory holds this much beside what the system keeps.
pub fn node_for_mib(needed_mib: u32) -> u32 {
    if needed_mib <= SMALL_NODE_MIB - SMALL_NODE_RESERVE_MIB {
        needed_mib.saturating_add(SMALL_NODE_RESERVE_MIB)
    } else {
        needed_mib.saturating_add(NODE_RESERVE_MIB)
    }
}

/// What all components take at least.
pub fn sum_of_least_mib(needs: &[&ComponentNeed]) -> u32 {
    needs
        .iter()
        .fold(0, |sum, need| sum.saturating_add(need.least_mib))
}

/// What each gets of this much, in their order; none where the sum of what they take at least is
/// more.
pub fn share_memory(shareable_mib: u32, needs: &[&ComponentNeed]) -> Option<Vec<u32>> {
    let at = |level: u64| -> Vec<u64> { needs.iter().map(|need| allotment(need, level)).collect() };
    let fits = |level: u64| at(level).iter().sum::<u64>() <= u64::from(shareable_mib);
    if !fits(0) {
        return None;
    }
    // Beyond it a component of the smallest weight alone would have more than there is.
    let (mut low, mut high) = (0, u64::from(shareable_mib) + 1);
    while low + 1 < high {
        let middle = u64::midpoint(low, high);
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    // What fits a node has fewer bits than its memory.
    at(low)
        .into_iter()
        .map(|mib| u32::try_from(mib).ok())
        .collect()
}

/// What one framework needs on a node, and how much of it its user wants it to have.
#[derive(Clone, Debug, Default)]
pub struct FrameworkNeeds<'a> {
    /// `memory_share`: the percent of what can be shared that it gets, and no more.
    pub percent: Option<u32>,
    /// Of its components that are there.
    pub needs: Vec<&'a ComponentNeed>,
}

/// What each component of each framework gets of this much, in their order; none where it is not
/// enough. A framework with a percent gets that part: its least where that is more, and no more than
/// it can use. All others share the rest.
pub fn share_among(shareable_mib: u32, frameworks: &[FrameworkNeeds<'_>]) -> Option<Vec<Vec<u32>>> {
    let part = |percent: u32| u64::from(shareable_mib) * u64::from(percent) / 100;
    let own_part = |framework: &FrameworkNeeds<'_>| {
        let least = u64::from(sum_of_least_mib(&framework.needs));
        framework.percent.map(|percent| {
            let usable = usable_mib(&framework.needs);
            part(percent).min(usable.unwrap_or(u64::MAX)).max(least)
        })
    };
    let percents = frameworks.iter().filter_map(|framework| framework.percent);
    let percent = percents.fold(0_u32, u32::saturating_add);
    // Rounded by itself, and what comes to it and goes from it by themselves: so it never shrinks
    // where the parts grow.
    let mut rest = part(WHOLE_PERCENT.checked_sub(percent)?);
    let mut beyond = 0;
    for framework in frameworks {
        if let (Some(own), Some(percent)) = (own_part(framework), framework.percent) {
            rest += part(percent).saturating_sub(own);
            beyond += own.saturating_sub(part(percent));
        }
    }
    let rest = u32::try_from(rest.checked_sub(beyond)?).ok()?;
    let open = frameworks
        .iter()
        .filter(|framework| framework.percent.is_none());
    let open: Vec<&ComponentNeed> = open
        .flat_map(|framework| framework.needs.iter().copied())
        .collect();
    let mut shared = share_memory(rest, &open)?.into_iter();
    frameworks
        .iter()
        .map(|framework| match own_part(framework) {
            Some(part) => share_memory(u32::try_from(part).ok()?, &framework.needs),
            None => Some(shared.by_ref().take(framework.needs.len()).collect()),
        })
        .collect()
}

/// The least that can be shared so that all have enough; none where no amount is.
pub fn least_to_share(frameworks: &[FrameworkNeeds<'_>], most_mib: u32) -> Option<u32> {
    let is_enough = |mib: u32| share_among(mib, frameworks).is_some();
    let (mut low, mut high) = (0, most_mib);
    if !is_enough(high) {
        return None;
    }
    while low < high {
        let middle = u32::midpoint(low, high);
        if is_enough(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// The most that all of them can use together; none where there is no bound.
fn usable_mib(needs: &[&ComponentNeed]) -> Option<u64> {
    let of = |need: &ComponentNeed| match (need.weight, need.most_mib) {
        (0, _) => Some(need.least_mib),
        (_, 0) => None,
        (_, most) => Some(most.max(need.least_mib)),
    };
    let each = needs.iter().map(|need| of(need).map(u64::from));
    each.sum()
}

fn allotment(need: &ComponentNeed, level: u64) -> u64 {
    let least = u64::from(need.least_mib);
    let wanted = least + u64::from(need.weight) * level;
    match need.most_mib {
        0 => wanted,
        most => wanted.min(u64::from(most).max(least)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn need(least_mib: u32, most_mib: u32, weight: u32) -> ComponentNeed {
        ComponentNeed {
            least_mib,
            most_mib,
            weight,
            ..ComponentNeed::default()
        }
    }

    #[test]
    fn the_rest_is_shared_by_weight_and_who_is_full_leaves_it_to_others() {
        let (datanode, nodemanager, voter) =
            (need(384, 1_024, 1), need(896, 0, 6), need(384, 384, 0));
        let shares = share_memory(3_072, &[&datanode, &nodemanager, &voter]).unwrap();
        assert_eq!(shares, [384 + 201, 896 + 6 * 201, 384]);
        let shares = share_memory(15_360, &[&datanode, &nodemanager, &voter]).unwrap();
        assert_eq!((shares[0], shares[2]), (1_024, 384));
        assert!(15_360 - shares.iter().sum::<u32>() < 7, "{shares:?}");
        assert_eq!(
            share_memory(1_663, &[&datanode, &nodemanager, &voter]),
            None
        );
        assert_eq!(
            share_memory(1_664, &[&datanode, &nodemanager, &voter]),
            Some(vec![384, 896, 384])
        );
    }

    #[test]
    fn hadoop_has_room_on_a_worker_of_two_gib() {
        let (datanode, nodemanager) = (need(384, 1_024, 1), need(896, 0, 6));
        assert!(share_memory(shareable_mib(2_048), &[&datanode, &nodemanager]).is_some());
        assert_eq!(node_for_mib(384 + 896), 1_792);
    }

    #[test]
    fn a_share_shifts_memory_between_frameworks_and_takes_nobody_his_least() {
        let (hadoop, spark) = (need(1_280, 0, 7), need(1_024, 0, 8));
        let of = |percent: Option<u32>, mib: u32| {
            let all = [
                FrameworkNeeds {
                    percent,
                    needs: vec![&hadoop],
                },
                FrameworkNeeds {
                    percent: None,
                    needs: vec![&spark],
                },
            ];
            share_among(mib, &all).map(|shares| (shares[0][0], shares[1][0]))
        };
        assert_eq!(of(None, 8_000), Some((1_280 + 7 * 379, 1_024 + 8 * 379)));
        assert_eq!(
            of(Some(75), 8_000),
            Some((1_280 + 7 * 674, 1_024 + 8 * 122))
        );
        assert_eq!(
            of(Some(10), 8_000),
            Some((1_280, 6_720)),
            "not less than its least"
        );
        assert_eq!(
            of(Some(90), 8_000),
            None,
            "800 are left, and 1024 are needed"
        );
        assert_eq!(of(Some(100), 1_000_000), None);
        let all = [
            FrameworkNeeds {
                percent: Some(90),
                needs: vec![&hadoop],
            },
            FrameworkNeeds {
                percent: None,
                needs: vec![&spark],
            },
        ];
        assert_eq!(least_to_share(&all, 1 << 24), Some(10_240));
        assert!(of(Some(90), 10_240).is_some() && of(Some(90), 10_239).is_none());
        let whole = FrameworkNeeds {
            percent: Some(100),
            needs: vec![&hadoop],
        };
        assert_eq!(least_to_share(&[whole, all[1].clone()], 1 << 24), None);
    }

    #[test]
    fn what_a_framework_with_a_share_cannot_use_is_the_others() {
        let (client, page, worker) = (need(64, 0, 0), need(128, 256, 1), need(1_024, 0, 8));
        let of = |own: Vec<&ComponentNeed>, percent: u32, mib: u32| {
            let all = [
                FrameworkNeeds {
                    percent: Some(percent),
                    needs: own,
                },
                FrameworkNeeds {
                    percent: None,
                    needs: vec![&worker],
                },
            ];
            share_among(mib, &all).map(|shares| shares.concat())
        };
        assert_eq!(of(vec![&client], 60, 8_000), Some(vec![64, 7_936]));
        assert_eq!(
            of(vec![&client, &page], 60, 8_000),
            Some(vec![64, 256, 7_680])
        );
        assert_eq!(of(vec![], 60, 8_000), Some(vec![8_000]));
        // All of the memory for who can use little of it leaves others something after all.
        assert_eq!(of(vec![&client], 100, 2_000), Some(vec![64, 1_936]));
        assert_eq!(of(vec![&client, &worker], 60, 8_000).unwrap()[2], 3_200);
    }

    #[test]
    fn shares_beyond_all_numbers_are_too_much_and_no_more() {
        let worker = need(1_024, 0, 8);
        let one = |percent: u32| FrameworkNeeds {
            percent: Some(percent),
            needs: vec![&worker],
        };
        assert_eq!(share_among(8_000, &[one(u32::MAX), one(u32::MAX)]), None);
        assert_eq!(least_to_share(&[one(u32::MAX), one(1)], 1 << 24), None);
    }

    proptest! {
        #[test]
        fn with_shares_too_more_is_never_less_and_what_was_enough_stays_enough(
            frameworks in prop::collection::vec((prop::option::of(1u32..50), prop::collection::vec((0u32..3_000, 0u32..9_000, 0u32..20), 1..4)), 1..4),
            mib in 0u32..40_000, more in 0u32..3_000,
        ) {
            let owned: Vec<(Option<u32>, Vec<ComponentNeed>)> = frameworks
                .into_iter()
                .map(|(percent, needs)| (percent, needs.into_iter().map(|(least, most, weight)| need(least, most, weight)).collect()))
                .collect();
            let all: Vec<FrameworkNeeds<'_>> = owned
                .iter()
                .map(|(percent, needs)| FrameworkNeeds { percent: *percent, needs: needs.iter().collect() })
                .collect();
            let Some(shares) = share_among(mib, &all) else {
                let enough = least_to_share(&all, 1 << 24);
                prop_assert!(enough.is_none_or(|enough| enough > mib));
                return Ok(());
            };
            prop_assert!(shares.iter().flatten().map(|share| u64::from(*share)).sum::<u64>() <= u64::from(mib));
            let larger = share_among(mib + more, &all);
            prop_assert!(larger.is_some());
            for ((framework, shares), larger) in all.iter().zip(&shares).zip(&larger.unwrap_or_default()) {
                prop_assert_eq!(framework.needs.len(), shares.len());
                for ((need, share), larger) in framework.needs.iter().zip(shares).zip(larger) {
                    prop_assert!(*share >= need.least_mib && larger >= share);
                }
            }
        }

        #[test]
        fn never_more_than_there_is_and_more_is_never_less(
            needs in prop::collection::vec((0u32..4_000, 0u32..9_000, 0u32..1_000), 1..10), node in 0u32..300_000, more in 0u32..9_000,
        ) {
            let needs: Vec<ComponentNeed> = needs.into_iter().map(|(least, most, weight)| need(least, most, weight)).collect();
            let needs: Vec<&ComponentNeed> = needs.iter().collect();
            let (small, large) = (shareable_mib(node), shareable_mib(node + more));
            prop_assert!(small <= large && large <= node + more);
            let least = sum_of_least_mib(&needs);
            let shares = share_memory(small, &needs);
            prop_assert_eq!(shares.is_some(), least <= small);
            prop_assert!(shareable_mib(node_for_mib(least)) >= least);
            prop_assert!(node_for_mib(least) == 0 || shareable_mib(node_for_mib(least) - 1) < least || least == 0);
            let Some(shares) = shares else { return Ok(()) };
            prop_assert!(shares.iter().map(|share| u64::from(*share)).sum::<u64>() <= u64::from(small));
            let more = share_memory(large, &needs).unwrap();
            for ((need, share), more) in needs.iter().zip(&shares).zip(&more) {
                prop_assert!(*share >= need.least_mib && more >= share);
            }
        }
    }
}
