//! Sizes of nodes: their disks, and what no node is large enough for.

use super::*;
use crate::cluster::component::ComponentMember;

fn server(least_mib: u32, disk_gib: u32) -> ComponentNeed {
    ComponentNeed {
        component: "server".to_owned(),
        least_mib,
        disk_gib,
        ..ComponentNeed::default()
    }
}

/// What comes of this claim on the only worker, of a plugin for each share.
fn granted(
    need: ComponentNeed,
    shares: &[Option<u32>],
    root_volume_gib: Option<u32>,
) -> Result<Vec<ComponentGrant>, Vec<String>> {
    let claims = FrameworkClaims {
        needs: vec![need],
        ..FrameworkClaims::default()
    };
    let plugin = |memory_share: &Option<u32>| ClaimingPlugin {
        name: "one",
        memory_share: *memory_share,
        claims: &claims,
    };
    let plugins: Vec<ClaimingPlugin<'_>> = shares.iter().map(plugin).collect();
    let placement = ComponentPlacement {
        component: "server".to_owned(),
        members: vec![ComponentMember {
            node: "worker-1".to_owned(),
            index: 1,
        }],
    };
    let flavor = Flavor {
        name: "m8192".to_owned(),
        vcpus: 4,
        ram_mib: 8_192,
        disk_gib: 100,
    };
    let sized = SizedGroup {
        group: ClaimedGroup {
            name: "worker",
            nodes: &["worker-1".to_owned()],
        },
        flavor: &flavor,
        root_volume_gib,
        volume_gib: 500,
    };
    grant_claims(&plugins, &[sized], &[placement], &[], None)
        .map(|grants| grants["one"].clone())
        .map_err(|problems| problems.iter().map(Problem::to_string).collect())
}

#[test]
fn a_grant_says_what_disks_its_node_has_and_the_root_volume_is_what_counts() {
    let disks = |disk_gib: u32, root: Option<u32>| {
        granted(server(64, disk_gib), &[None], root)
            .map(|grants| (grants[0].disk_gib, grants[0].volume_gib))
    };
    assert_eq!(disks(100, None), Ok((100, 500)));
    assert_eq!(disks(200, Some(200)), Ok((200, 500)));
    let small = disks(101, None).unwrap_err();
    let said = "worker.flavor: `m8192` has 8192 MiB of memory and 100 GiB of disk, and ";
    assert!(small[0].starts_with(said), "{small:?}");
    let small = disks(50, Some(49)).unwrap_err();
    let said = "worker.root_volume_gib: `m8192` has 8192 MiB of memory and 49 GiB of disk, and ";
    assert!(small[0].starts_with(said), "{small:?}");
}

#[test]
fn more_memory_than_any_node_has_is_told_in_its_own_words_and_wrong_shares_once() {
    let said =
        |least: u32, shares: &[Option<u32>]| granted(server(least, 1), shares, None).unwrap_err();
    assert!(said(MOST_MIB, &[None])[0].starts_with("worker.flavor: "));
    assert_eq!(
        said(MOST_MIB / 2 + 1, &[None, None]),
        [
            "framework: each node of worker needs 16777218 MiB, and no node has more than 16777216: \
             `server` of one 8388609 MiB, `server` of one 8388609 MiB \
             (ask the frameworks for less, or place them on several groups)"
        ]
    );
    assert_eq!(said(MOST_MIB, &[Some(10), None]).len(), 1);
    let over = said(64, &[Some(60), Some(41)]);
    assert!(
        over.len() == 1 && over[0].contains("101 percent"),
        "{over:?}"
    );
    let far_over = said(64, &[Some(u32::MAX), Some(u32::MAX)]);
    assert_eq!(far_over.len(), 2, "{far_over:?}");
}
