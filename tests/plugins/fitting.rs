//! Every shipped plugin, every pair of them and the chain of three, over node groups and flavors of
//! any shape: a plan, or a refusal with the sum and a flavor that does; never more than a node has;
//! more memory is never less for anyone.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stampede::cluster::framework_request::ComponentGrant;
use stampede::cluster::group_attributes::sized_new_group;
use stampede::cluster::problem::lines;
use stampede::cluster::spec::FrameworkChoice;
use stampede::cluster::{CloudAccess, ClusterSpec, Flavor, Problem, attribute_schema};
use stampede::orchestrator::planning::ask_claims::claim_cluster;
use stampede::orchestrator::planning::framework_plan::plan_frameworks;
use stampede::orchestrator::planning::memory_share::shareable_mib;
use stampede::orchestrator::planning::planner::{ClaimedCluster, ResolvedFlavors};
use stampede::orchestrator::planning::plugin_chain::order_plugins;
use stampede::plugin::{PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

const NAMES: [&str; 4] = ["hadoop", "spark", "zookeeper", "jupyterlab"];
const GROUPS: [&str; 4] = ["master", "worker", "compute", "edge"];
/// Shapes that each set of frameworks is planned on.
const CASES: u32 = 2;
const DISK_GIB: u32 = 60;

static SHIPPED: LazyLock<PluginRegistry> = LazyLock::new(|| {
    let target = artifacts::target_folder();
    let cache = target.join("guests/cache");
    let limits = PluginLimits::default();
    let registry = PluginRegistry::load(&target.join("plugins"), Some(&cache), limits).unwrap();
    assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
    registry
});

/// How many nodes a group has, of how much memory in MiB and how many processors.
type GroupShape = (u32, u32, u32);

fn shapes() -> impl Strategy<Value = ([GroupShape; 4], u32)> {
    // Half of them small, where it is decided who fits.
    let memory = prop_oneof![2_048..5_000_u32, 2_048..70_000_u32];
    let of = |nodes: std::ops::Range<u32>| (nodes, memory.clone(), 1..33_u32);
    ((of(1..2), of(1..6), of(0..3), of(0..2)), 0..20_000_u32)
        .prop_map(|((master, worker, compute, edge), more)| ([master, worker, compute, edge], more))
}

fn spec(frameworks: &[&str], shapes: &[GroupShape; 4]) -> ClusterSpec {
    let choice = |name: &&str| FrameworkChoice {
        name: (*name).to_owned(),
        version: None,
    };
    let mut spec = ClusterSpec {
        name: "demo".to_owned(),
        frameworks: frameworks.iter().map(choice).collect(),
        image: Some("debian-12".to_owned()),
        external_network: Some("public".to_owned()),
        ..attribute_schema::default_spec()
    };
    for (group, (nodes, ..)) in GROUPS.iter().zip(shapes) {
        match spec.groups.get_mut(group) {
            Some(known) => known.count = *nodes,
            None if *nodes > 0 => spec.groups.add(sized_new_group(group, *nodes)),
            None => {}
        }
    }
    spec
}

fn flavor(group: &str, memory_mib: u32, vcpus: u32) -> Flavor {
    Flavor {
        name: format!("{group}.{memory_mib}"),
        vcpus,
        ram_mib: memory_mib,
        disk_gib: DISK_GIB,
    }
}

/// What is granted, by plugin; the problems of a cluster that is refused.
type Planned = Result<BTreeMap<String, Vec<ComponentGrant>>, Vec<Problem>>;

struct Fitting {
    claimed: ClaimedCluster,
    frameworks: Vec<String>,
}

impl Fitting {
    async fn claim(frameworks: &[&str], shapes: &[GroupShape; 4]) -> Result<Self, Vec<Problem>> {
        let spec = spec(frameworks, shapes);
        let there = SHIPPED.frameworks();
        let there: Vec<_> = there.map(|one| one.descriptor()).collect();
        let chain = order_plugins(&spec.frameworks, &there)?;
        let claimed = claim_cluster(&spec, &chain, &*SHIPPED).await;
        Ok(Self {
            claimed: claimed.map_err(stampede_problems)?,
            frameworks: frameworks.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    async fn plan(&self, flavors: &BTreeMap<String, Flavor>) -> Planned {
        let there = SHIPPED.frameworks();
        let there: Vec<_> = there.map(|one| one.descriptor()).collect();
        let mut spec = self.claimed.spec.clone();
        let chain = order_plugins(&spec.frameworks, &there)?;
        for group in spec.groups.iter_mut() {
            group.flavor = flavors.get(&group.name).map(|flavor| flavor.name.clone());
        }
        // A ladder beside them, for advice.
        let ladder = (4..80).map(|half| flavor("ladder", half * 512, 2));
        let chosen = ResolvedFlavors {
            flavors: ladder.chain(flavors.values().cloned()).collect(),
            groups: flavors.clone(),
            signal_transport: "HEAT_SIGNAL".to_owned(),
            access: CloudAccess::default(),
        };
        let plan = plan_frameworks(&spec, &chosen, &self.claimed, &chain, &*SHIPPED).await;
        plan.map(|plan| plan.grants).map_err(stampede_problems)
    }
}

fn stampede_problems(
    error: stampede::orchestrator::planning::plan_error::PlanError,
) -> Vec<Problem> {
    error.into_problems()
}

type Grants = BTreeMap<String, Vec<ComponentGrant>>;

async fn check(
    frameworks: &[&str],
    shapes: &[GroupShape; 4],
    more: u32,
) -> Result<(), TestCaseError> {
    let what = format!("{frameworks:?} on {shapes:?}");
    let fitting = match Fitting::claim(frameworks, shapes).await {
        Ok(fitting) => fitting,
        Err(problems) => {
            let voters = shapes[1].0 < 3 && frameworks.contains(&"zookeeper");
            prop_assert!(
                voters && problems.len() == 1,
                "{what}: {}",
                lines(&problems)
            );
            prop_assert_eq!(&problems[0].path, "zookeeper.least_voters");
            return Ok(());
        }
    };
    let sized = GROUPS.iter().zip(shapes);
    let sized = sized.filter(|(_, (nodes, ..))| *nodes > 0);
    let sized = sized
        .map(|(group, (_, memory, vcpus))| ((*group).to_owned(), flavor(group, *memory, *vcpus)));
    let mut flavors: BTreeMap<String, Flavor> = sized.collect();
    let grants = fit_or_advise(&fitting, &mut flavors, &what).await?;
    hold_to_nodes(&grants, &flavors, &what)?;
    let larger = flavors.iter();
    let larger =
        larger.map(|(group, one)| (group.clone(), flavor(group, one.ram_mib + more, one.vcpus)));
    let grown = fitting.plan(&larger.collect()).await;
    prop_assert!(
        grown.is_ok(),
        "{what}: {more} MiB more are refused: {}",
        lines(&grown.unwrap_err())
    );
    for (plugin, own) in grown.unwrap_or_default() {
        prop_assert!(plugin == "cluster" || fitting.frameworks.contains(&plugin));
        for (small, large) in grants[&plugin].iter().zip(&own) {
            prop_assert_eq!(
                (&small.component, &small.group),
                (&large.component, &large.group)
            );
            prop_assert!(
                large.memory_mib >= small.memory_mib,
                "{what}, {more} MiB more: {small:?}, {large:?}"
            );
        }
    }
    Ok(())
}

/// What is granted on these flavors, or on those that the refusal advises, which they are then.
async fn fit_or_advise(
    fitting: &Fitting,
    flavors: &mut BTreeMap<String, Flavor>,
    what: &str,
) -> Result<Grants, TestCaseError> {
    let problems = match fitting.plan(flavors).await {
        Ok(grants) => return Ok(grants),
        Err(problems) => problems,
    };
    // Each with the sum by component, and a flavor that does.
    for problem in &problems {
        let group = problem.path.strip_suffix(".flavor");
        prop_assert!(group.is_some(), "{what}: {problem}");
        let group = group.unwrap_or_default();
        prop_assert!(
            problem.message.contains("`node` of cluster 0 MiB"),
            "{what}: {problem}"
        );
        let name = problem.hint.split('`').nth(1).unwrap_or_default();
        let memory = name.rsplit('.').next().and_then(|mib| mib.parse().ok());
        prop_assert!(memory.is_some(), "{what}: no flavor in {problem}");
        let advised = flavor(group, memory.unwrap_or_default(), flavors[group].vcpus);
        flavors.insert(group.to_owned(), advised);
    }
    fitting.plan(flavors).await.map_err(|problems| {
        TestCaseError::fail(format!(
            "{what}: the flavors that were advised do not do: {}",
            lines(&problems)
        ))
    })
}

fn hold_to_nodes(
    grants: &Grants,
    flavors: &BTreeMap<String, Flavor>,
    what: &str,
) -> Result<(), TestCaseError> {
    for (group, flavor) in flavors {
        let all = grants.values().flatten();
        let here: Vec<_> = all.filter(|grant| grant.group == *group).collect();
        let sum: u32 = here.iter().map(|grant| grant.memory_mib).sum();
        prop_assert!(
            sum <= shareable_mib(flavor.ram_mib),
            "{what}: {sum} on {group}"
        );
        let mut here = here.iter();
        prop_assert!(here.all(|grant| grant.vcpus == flavor.vcpus && grant.disk_gib == DISK_GIB));
    }
    Ok(())
}

fn run(sets: &[&[&str]]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for frameworks in sets {
        let mut runner = TestRunner::new(Config::with_cases(CASES));
        let checked = runner.run(&shapes(), |(shapes, more)| {
            runtime.block_on(check(frameworks, &shapes, more))
        });
        checked.unwrap_or_else(|failed| panic!("{frameworks:?}: {failed}"));
    }
}

#[test]
fn each_fits_by_itself_or_is_told_what_would_do() {
    run(&NAMES.each_ref().map(std::slice::from_ref));
}

#[test]
fn every_pair_fits_or_is_told_what_would_do() {
    let mut pairs: Vec<Vec<&str>> = Vec::new();
    for (at, one) in NAMES.iter().enumerate() {
        pairs.extend(NAMES[at + 1..].iter().map(|other| vec![*one, *other]));
    }
    let pairs: Vec<&[&str]> = pairs.iter().map(Vec::as_slice).collect();
    run(&pairs);
}

#[test]
fn hadoop_spark_and_notebooks_fit_or_are_told_what_would_do() {
    run(&[&["hadoop", "spark", "jupyterlab"]]);
}
