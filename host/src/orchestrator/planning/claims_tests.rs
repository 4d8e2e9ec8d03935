//! Frameworks as they would claim, alone and in pairs, on every flavor.

use proptest::prelude::*;

use super::*;
use crate::cluster::component::{ComponentSpec, EVERY_GROUP};
use crate::cluster::flavor_choice::smallest_fitting;
use crate::orchestrator::planning::placement::{PlacementGroup, place_components};

/// A framework: its components and what they need on each node.
struct TriedFramework {
    name: &'static str,
    components: Vec<ComponentSpec>,
    claims: FrameworkClaims,
}

/// A component with its groups, nodes, memory (least, most, weight) and port.
type Row = (
    &'static str,
    &'static [&'static str],
    u32,
    (u32, u32, u32),
    u16,
);

const BOTH: &[&str] = &["master", "worker"];
const COMPUTING: &[&str] = &["worker", "compute"];
const HADOOP: &[Row] = &[
    ("namenode", &["master"], 1, (384, 8_320, 3), 9_870),
    ("secondarynamenode", &["master"], 1, (384, 8_320, 3), 9_868),
    ("datanode", &["worker"], 0, (384, 1_152, 1), 9_864),
    ("resourcemanager", &["master"], 1, (384, 4_224, 3), 8_088),
    ("nodemanager", COMPUTING, 0, (896, 0, 14), 8_042),
    ("historyserver", &["master"], 1, (384, 1_152, 2), 19_888),
    ("hadoop_client", &[EVERY_GROUP], 0, (0, 0, 0), 0),
];
const SPARK: &[Row] = &[
    ("spark_master", &["master"], 1, (384, 1_152, 1), 7_077),
    ("spark_worker", COMPUTING, 0, (1_024, 0, 8), 8_091),
    (
        "spark_history_server",
        &["master"],
        1,
        (384, 1_152, 1),
        18_080,
    ),
    ("spark_client", &[EVERY_GROUP], 0, (0, 0, 0), 7_337),
];
const ZOOKEEPER: &[Row] = &[("zookeeper_server", BOTH, 3, (384, 1_152, 1), 2_181)];
const KAFKA: &[Row] = &[
    ("kafka_controller", BOTH, 3, (384, 1_152, 1), 9_093),
    ("kafka_broker", &["worker"], 0, (1_024, 0, 4), 9_092),
];
const JUPYTERLAB: &[Row] = &[("jupyterlab", &["edge", "master"], 1, (1_024, 0, 4), 8_888)];
const RAY: &[Row] = &[
    ("ray_head", &["master"], 1, (2_560, 4_096, 2), 6_379),
    ("ray_worker", COMPUTING, 0, (1_280, 0, 8), 0),
];

fn framework(name: &'static str, rows: &[Row]) -> TriedFramework {
    let need = |(name, _, _, (least, most, weight), port): &Row| ComponentNeed {
        component: (*name).to_owned(),
        least_mib: *least,
        most_mib: *most,
        weight: *weight,
        disk_gib: 2,
        ports: (*port != 0).then_some(*port).into_iter().collect(),
    };
    let component = |(name, groups, nodes, _, _): &Row| ComponentSpec {
        name: (*name).to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        nodes: *nodes,
        most: 0,
        odd: *nodes == 3,
    };
    TriedFramework {
        name,
        components: rows.iter().map(component).collect(),
        claims: FrameworkClaims {
            needs: rows.iter().map(need).collect(),
            ..FrameworkClaims::default()
        },
    }
}

fn all_frameworks() -> Vec<TriedFramework> {
    vec![
        framework("hadoop", HADOOP),
        framework("spark", SPARK),
        framework("zookeeper", ZOOKEEPER),
        framework("kafka", KAFKA),
        framework("jupyterlab", JUPYTERLAB),
        framework("ray", RAY),
    ]
}

/// Every framework alone, and every pair in both orders.
fn combinations(all: &[TriedFramework]) -> Vec<Vec<&TriedFramework>> {
    let pairs = all
        .iter()
        .flat_map(|one| all.iter().map(move |other| (one, other)));
    pairs
        .map(|(one, other)| {
            let mut chosen = vec![one];
            chosen.extend((one.name != other.name).then_some(other));
            chosen
        })
        .collect()
}

fn groups(counts: &[(&str, u32)]) -> Vec<PlacementGroup> {
    let group = |(name, count): &(&str, u32)| PlacementGroup {
        name: (*name).to_owned(),
        nodes: (1..=*count).map(|id| format!("{name}-{id}")).collect(),
        wishes: Vec::new(),
    };
    counts.iter().map(group).collect()
}

fn flavor(ram_mib: u32) -> Flavor {
    Flavor {
        name: format!("m{ram_mib}"),
        vcpus: 4,
        ram_mib,
        disk_gib: 100,
    }
}

/// All flavors that there are.
const SIZES_MIB: [u32; 12] = [
    2_048, 3_072, 4_096, 4_097, 5_120, 6_144, 8_192, 12_288, 16_384, 32_768, 65_536, 262_144,
];

/// Flavors as the host chooses them, by the smallest node alone, and what is granted on them.
#[derive(Debug, Default)]
struct GrantPlan {
    flavors: BTreeMap<String, Flavor>,
    grants: BTreeMap<String, Vec<ComponentGrant>>,
}

fn planned(
    chosen: &[&TriedFramework],
    counts: &[(&str, u32)],
    ram_mib: Option<u32>,
    share: Option<u32>,
) -> Result<GrantPlan, Vec<Problem>> {
    let groups = groups(counts);
    let components: Vec<ComponentSpec> = chosen
        .iter()
        .flat_map(|one| one.components.clone())
        .collect();
    let placements = place_components(&components, &groups, &[])?;
    let plugins = chosen.iter().enumerate().map(|(at, one)| ClaimingPlugin {
        name: one.name,
        memory_share: share.filter(|_| at == 0),
        claims: &one.claims,
    });
    let plugins: Vec<ClaimingPlugin<'_>> = plugins.collect();
    let there = groups.iter().filter(|group| !group.nodes.is_empty());
    let claimed: Vec<ClaimedGroup<'_>> = there
        .map(|group| ClaimedGroup {
            name: &group.name,
            nodes: &group.nodes,
        })
        .collect();
    let flavors = SIZES_MIB.map(flavor);
    let offers: Vec<FlavorOffer<'_>> = flavors.iter().map(FlavorOffer::from).collect();
    let smallest = smallest_nodes(&plugins, &claimed, &placements)?;
    let choose = |group: &ClaimedGroup<'_>| {
        let needed = &smallest[group.name];
        let chosen = ram_mib.map(flavor);
        let chosen = chosen.or_else(|| smallest_fitting(offers.iter().copied(), needed).cloned());
        (group.name.to_owned(), chosen.unwrap())
    };
    let flavors: BTreeMap<String, Flavor> = claimed.iter().map(choose).collect();
    let sized: Vec<SizedGroup<'_>> = claimed
        .iter()
        .map(|group| SizedGroup {
            group: *group,
            flavor: &flavors[group.name],
            root_volume_gib: None,
            volume_gib: 0,
        })
        .collect();
    let grants = grant_claims(&plugins, &sized, &placements, &offers, None)?;
    Ok(GrantPlan { flavors, grants })
}

/// What each component gets in each group.
fn memory(plan: &GrantPlan) -> BTreeMap<(String, String), u32> {
    let grants = plan.grants.values().flatten();
    grants
        .map(|grant| {
            (
                (grant.group.clone(), grant.component.clone()),
                grant.memory_mib,
            )
        })
        .collect()
}

/// Never more than a node has, and nobody under what he claims.
fn assert_fits(plan: &GrantPlan, chosen: &[&TriedFramework]) {
    for (group, flavor) in &plan.flavors {
        let here = plan
            .grants
            .values()
            .flatten()
            .filter(|grant| grant.group == *group);
        let sum: u64 = here.map(|grant| u64::from(grant.memory_mib)).sum();
        assert!(sum < u64::from(flavor.ram_mib), "{sum} of {flavor:?}");
    }
    let needs: Vec<&ComponentNeed> = chosen.iter().flat_map(|one| &one.claims.needs).collect();
    for ((_, component), mib) in memory(plan) {
        let need = needs
            .iter()
            .find(|need| need.component == component)
            .unwrap();
        assert!(mib >= need.least_mib, "{component} has {mib}");
        assert!(
            need.most_mib == 0 || mib <= need.most_mib,
            "{component} has {mib}"
        );
    }
}

const CLUSTERS: [&[(&str, u32)]; 4] = [
    &[("master", 1), ("worker", 1)],
    &[("master", 1), ("worker", 4)],
    &[("master", 3), ("worker", 250), ("compute", 3)],
    &[("master", 1), ("worker", 3), ("edge", 1)],
];

#[test]
fn every_pair_on_every_flavor_is_planned_or_refused_with_the_sum_and_what_would_do() {
    let all = all_frameworks();
    let (mut plans, mut refusals) = (0, 0);
    for chosen in combinations(&all) {
        for counts in CLUSTERS {
            let mut before: Option<GrantPlan> = None;
            for ram_mib in SIZES_MIB {
                match planned(&chosen, counts, Some(ram_mib), None) {
                    Ok(plan) => {
                        assert_fits(&plan, &chosen);
                        let now = memory(&plan);
                        for (who, mib) in before.iter().flat_map(memory) {
                            assert!(now[&who] >= mib, "{who:?} has less on {ram_mib}");
                        }
                        before = Some(plan);
                        plans += 1;
                    }
                    Err(problems) => {
                        assert!(
                            before.is_none(),
                            "refused on {ram_mib}, and less had done: {problems:?}"
                        );
                        for problem in &problems {
                            assert!(problem.path.ends_with(".flavor"), "{problem}");
                            assert!(
                                problem.message.contains("each of its nodes needs"),
                                "{problem}"
                            );
                            // What the advice names does.
                            let name = problem.hint.split('`').nth(1).unwrap();
                            let advised = name.trim_start_matches('m').parse().unwrap();
                            let group = problem.path.trim_end_matches(".flavor");
                            let plan = planned(&chosen, counts, Some(advised), None);
                            let others =
                                |problem: &Problem| problem.path != format!("{group}.flavor");
                            assert!(plan.is_ok() || plan.unwrap_err().iter().all(others));
                        }
                        refusals += 1;
                    }
                }
            }
            assert!(before.is_some(), "nothing does");
            // Where nothing is named, the smallest that does is taken for each group.
            let chosen_by_host = planned(&chosen, counts, None, None).unwrap();
            assert_fits(&chosen_by_host, &chosen);
            let largest = chosen_by_host
                .flavors
                .values()
                .map(|flavor| flavor.ram_mib)
                .max()
                .unwrap();
            assert!(planned(&chosen, counts, Some(largest), None).is_ok());
            if let Some(at) = SIZES_MIB
                .iter()
                .position(|size| *size == largest)
                .filter(|at| *at > 0)
            {
                assert!(planned(&chosen, counts, Some(SIZES_MIB[at - 1]), None).is_err());
            }
        }
    }
    assert!(
        plans > 1_000 && refusals > 100,
        "{plans} plans, {refusals} refusals"
    );
}

#[test]
fn hadoop_works_on_workers_of_two_gib_and_the_order_of_writing_changes_nobodys_memory() {
    let all = all_frameworks();
    let hadoop = &all[..1];
    let alone: Vec<&TriedFramework> = hadoop.iter().collect();
    let counts = &[("master", 1), ("worker", 3)];
    let plan = planned(&alone, counts, None, None).unwrap();
    assert_eq!(plan.flavors["worker"].ram_mib, 2_048);
    let (one, other) = ([&all[0], &all[1], &all[4]], [&all[4], &all[1], &all[0]]);
    let (one, other) = (
        planned(&one, counts, Some(16_384), None).unwrap(),
        planned(&other, counts, Some(16_384), None).unwrap(),
    );
    assert_eq!(memory(&one), memory(&other));
}

#[test]
fn a_flavor_that_is_too_small_is_refused_with_the_sum_by_component_and_what_would_do() {
    let all = all_frameworks();
    let chosen = [&all[0], &all[1]];
    let problems =
        planned(&chosen, &[("master", 1), ("worker", 2)], Some(2_048), None).unwrap_err();
    let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[1],
        "worker.flavor: `m2048` has 2048 MiB of memory and 100 GiB of disk, and each of its nodes needs 2816 MiB and 10 GiB: \
         `datanode` of hadoop 384 MiB and 2 GiB, `nodemanager` of hadoop 896 MiB and 2 GiB, `hadoop_client` of hadoop 0 MiB and 2 GiB, \
         `spark_worker` of spark 1024 MiB and 2 GiB, `spark_client` of spark 0 MiB and 2 GiB, the node itself the rest \
         (the smallest that fits is `m3072`)"
    );
}

#[test]
fn shares_over_the_whole_and_those_that_leave_others_nothing_are_refused() {
    let all = all_frameworks();
    let chosen = [&all[0], &all[1]];
    let counts = &[("master", 1), ("worker", 2)];
    let refused = |share: u32| {
        let problems = planned(&chosen, counts, Some(65_536), Some(share)).unwrap_err();
        problems.iter().map(Problem::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        refused(101)[0],
        "hadoop.memory_share: is 101 percent of a node's memory (a number from 1 to 100)"
    );
    assert_eq!(refused(0).len(), 1, "{:?}", refused(0));
    assert_eq!(
        refused(100),
        ["hadoop.memory_share: leaves spark nothing on worker (less than all of it)"],
        "on masters hadoop cannot use all of it"
    );
    let (even, more) = (
        planned(&chosen, counts, Some(16_384), None).unwrap(),
        planned(&chosen, counts, Some(16_384), Some(80)).unwrap(),
    );
    let of = |plan: &GrantPlan, component: &str| {
        memory(plan)[&("worker".to_owned(), component.to_owned())]
    };
    assert!(of(&more, "nodemanager") > of(&even, "nodemanager"));
    assert!(of(&more, "spark_worker") < of(&even, "spark_worker"));
    let plugin = |name, memory_share| ClaimingPlugin {
        name,
        memory_share,
        claims: &all[0].claims,
    };
    let both = [plugin("hadoop", Some(60)), plugin("spark", Some(41))];
    assert_eq!(
        check_percents(&both)[0].to_string(),
        "spark.memory_share: all shares together are 101 percent: hadoop 60, spark 41 (at most 100 together, and less where others have none)"
    );
}

#[test]
fn what_is_claimed_and_on_no_node_is_refused_and_ports_of_one_node_as_well() {
    let mut notebook = framework("jupyterlab", JUPYTERLAB);
    notebook.components[0].groups = vec!["nowhere".to_owned()];
    let mut other = framework(
        "other",
        &[("other_page", &["master"], 1, (64, 0, 0), 9_870)],
    );
    other.components[0].most = 1;
    let hadoop = framework("hadoop", HADOOP);
    let problems = planned(
        &[&hadoop, &notebook, &other],
        CLUSTERS[0],
        Some(65_536),
        None,
    )
    .unwrap_err();
    let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[0],
        "framework: jupyterlab needs `jupyterlab`, which is on no node (name a group that has nodes by GROUP.components=jupyterlab)"
    );
    assert!(
        said[1].contains(
            "`namenode` of hadoop and `other_page` of other both listen on port 9870, on master-1"
        ),
        "{said:?}"
    );
}

#[test]
fn extensions_reach_who_provides_the_service_in_the_order_of_the_plugins() {
    let extension = |service: &str, value: &str| ConfigExtension {
        service: service.to_owned(),
        key: "key".to_owned(),
        value: value.to_owned(),
    };
    let claims = |extensions: Vec<ConfigExtension>| FrameworkClaims {
        extensions,
        ..FrameworkClaims::default()
    };
    let (one, two) = (
        claims(vec![extension("yarn", "1"), extension("metrics", "2")]),
        claims(vec![extension("hdfs", "3"), extension("nobody", "4")]),
    );
    let plugin = |name, claims| ClaimingPlugin {
        name,
        memory_share: None,
        claims,
    };
    let reached = extensions_of(
        &["hdfs".to_owned(), "yarn".to_owned()],
        &[plugin("b", &one), plugin("a", &two)],
    );
    let values: Vec<&str> = reached
        .iter()
        .map(|extension| extension.value.as_str())
        .collect();
    assert_eq!(values, ["1", "3"]);
}

proptest! {
    /// Any number of frameworks on any group sizes: what is planned fits, and more is never less.
    #[test]
    fn whatever_is_chosen_fits_or_is_refused_and_more_is_never_less(
        which in prop::collection::btree_set(0usize..6, 1..7), masters in 1u32..4, workers in 1u32..6,
        ram_mib in 2_048u32..40_000, more in 0u32..9_000, share in prop::option::of(1u32..100),
    ) {
        let all = all_frameworks();
        let chosen: Vec<&TriedFramework> = which.iter().map(|at| &all[*at]).collect();
        let counts = [("master", masters), ("worker", workers)];
        let small = planned(&chosen, &counts, Some(ram_mib), share);
        let large = planned(&chosen, &counts, Some(ram_mib + more), share);
        if let Ok(small) = &small {
            assert_fits(small, &chosen);
            prop_assert!(large.is_ok());
            let large = memory(&large.unwrap_or_default());
            for (who, mib) in memory(small) {
                prop_assert!(large[&who] >= mib, "{:?}", who);
            }
        }
    }
}
