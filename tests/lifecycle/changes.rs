//! Changes of clusters that the shipped plugins make: who is told what, and when, as members come, go
//! and move; and that what stands on the nodes then is what a plan of that cluster says.

use std::sync::{Arc, LazyLock};

use stampede::{
    cluster::{ClusterState, component::ComponentPlacement},
    orchestrator::{
        Caller, ClusterPlanner, Orchestrator,
        planning::{
            planner::{ClaimedCluster, ResolvedFlavors},
            plugin_planner::PluginPlanner,
        },
    },
    plugin::{PluginLimits, PluginRegistry},
    store::ClusterRecord,
};
use stampede_tests::{artifacts, fake_openstack::UpdateFails};

use crate::{
    fixture::{LifecycleFixture, eventually, pairs, problems},
    update::{metadata, rest, servers, told},
};

static SHIPPED: LazyLock<Arc<dyn ClusterPlanner>> = LazyLock::new(|| {
    let folder = artifacts::plugins_folder().unwrap();
    let cache = artifacts::target_folder().join("guests/cache");
    let registry = PluginRegistry::load(&folder, Some(&cache), PluginLimits::default()).unwrap();
    assert!(registry.disabled().is_empty(), "{:?}", registry.disabled());
    Arc::new(PluginPlanner(registry))
});

/// A cluster of these that is complete, with nodes that are large enough.
struct RunningCluster {
    world: LifecycleFixture,
    host: Orchestrator,
    caller: Caller,
    stack: String,
}

impl RunningCluster {
    /// The host goes, and all tokens with it.
    fn lose_host(self) -> (LifecycleFixture, String) {
        let Self {
            world,
            host,
            caller,
            stack,
        } = self;
        drop((host, caller));
        world.cloud.expire_tokens();
        (world, stack)
    }

    async fn of(set: &[(&str, &str)]) -> Self {
        let mut world = LifecycleFixture::new().await;
        world.use_plugins(Arc::clone(&SHIPPED));
        let host = world.host().await;
        let caller = world.caller(&host, "demo").await;
        let sizes = [
            ("stampede.master.flavor", "m1.2xlarge"),
            ("stampede.worker.flavor", "m1.2xlarge"),
        ];
        let set = pairs(&[&sizes[..], set].concat());
        host.request(&caller, "default", set).await.unwrap();
        host.deploy(&caller, "default", vec![]).await.unwrap();
        world.cloud.finish();
        let view = host.view(&caller, "default").await.unwrap();
        assert_eq!(view.state, ClusterState::Active);
        let stack = world.cloud.stacks()[0].0.clone();
        Self {
            world,
            host,
            caller,
            stack,
        }
    }

    async fn update(&self, set: &[(&str, &str)]) {
        let asked = self.host.update(&self.caller, "default", pairs(set));
        asked.await.unwrap();
    }

    /// The steps that are recorded, by their titles.
    async fn titles(&self) -> Vec<String> {
        let record = self.record().await;
        let steps = record.change().into_iter().flat_map(|change| &change.steps);
        steps.map(|step| step.title.clone()).collect()
    }

    /// The change comes to its end; its steps, each with who was told, which stages, and what it was
    /// told of members.
    async fn steps(&self) -> Vec<String> {
        let mut seen: Vec<String> = Vec::new();
        let mut note = |record: &ClusterRecord| {
            let Some(step) = record.change().and_then(|change| change.step()) else {
                return;
            };
            if record.change().unwrap().sent_s.is_none() {
                return;
            }
            let (nodes, stages) = (step.told.join(" "), step.stages.join(" "));
            let line = format!(
                "{} | {nodes} | {stages} | {}",
                step.title,
                step.components.join(" ")
            );
            if seen.last() != Some(&line) {
                seen.push(line);
            }
        };
        let view = eventually("the cluster rests", async || {
            note(&self.record().await);
            self.world.cloud.step();
            let view = self.host.view(&self.caller, "default").await.ok()?;
            (!view.state.is_moving()).then_some(view)
        })
        .await;
        assert_eq!((view.state, view.change), (ClusterState::Active, None));
        self.check_plan().await;
        seen
    }

    async fn changed(&self, set: &[(&str, &str)]) -> Vec<String> {
        self.update(set).await;
        self.steps().await
    }

    async fn record(&self) -> ClusterRecord {
        self.world.records().await.remove(0)
    }

    /// `voter worker-1=1 worker-3=4`.
    async fn members(&self, component: &str) -> String {
        let spec = self.record().await.spec.clone().unwrap();
        let placements = spec.pins.unwrap().placements;
        let of = |one: &ComponentPlacement| {
            let members = one.members.iter();
            let members = members.map(|member| format!("{}={}", member.node, member.index));
            members.collect::<Vec<_>>().join(" ")
        };
        let mut named = placements.iter().filter(|one| one.component == component);
        named.next().map_or_else(String::new, of)
    }

    /// What is recorded to stand on the nodes is what a plan of the cluster as it is says.
    async fn check_plan(&self) {
        let record = self.record().await;
        let spec = record.spec.clone().unwrap();
        let pins = spec.pins.clone().unwrap();
        let chain = SHIPPED.order_plugins(&spec).unwrap();
        let plugins = chain.plugins.iter();
        let claimed = ClaimedCluster {
            spec: spec.clone(),
            placements: pins.placements.clone(),
            claims: plugins.map(|plugin| pins.claims_of(plugin)).collect(),
            grants: Some(pins.grants.clone()),
            ..ClaimedCluster::default()
        };
        let facts = ResolvedFlavors {
            flavors: Vec::new(),
            groups: pins.flavors.groups.clone(),
            signal_transport: record.notified.transport.clone(),
            access: pins.flavors.access.clone(),
        };
        let plan = SHIPPED.plan(&spec, &chain, &claimed, &facts).await.unwrap();
        assert_eq!(plan.installed(), record.notified.installed);
    }
}

const ZOOKEEPER: &[(&str, &str)] = &[
    ("stampede.framework", "zookeeper"),
    ("stampede.workers", "4"),
];

#[tokio::test]
async fn voters_stay_while_workers_come_and_one_takes_the_place_of_one_that_goes() {
    let cluster = RunningCluster::of(ZOOKEEPER).await;
    let voters = "worker-1=1 worker-2=2 worker-3=3";
    assert_eq!(cluster.members("zookeeper_server").await, voters);
    let steps = cluster.changed(&[("stampede.workers", "5")]).await;
    assert_eq!(steps, ["adding worker-5 |  |  | "], "nobody votes anew");
    assert_eq!(cluster.members("zookeeper_server").await, voters);

    cluster
        .update(&[("stampede.workers.remove", "worker-2")])
        .await;
    assert_eq!(
        cluster.titles().await.len(),
        5,
        "{:?}",
        cluster.titles().await
    );
    cluster.world.cloud.step();
    let gaining = told(&cluster.world, &cluster.stack, "worker-4");
    assert!(
        gaining
            .contains("\nmembers\tcomponent=zookeeper_server\tnodes=worker-[1-4]\tindexes=1-4\n")
            && gaining
                .contains("\njoined\tcomponent=zookeeper_server\tnodes=worker-4\tindexes=4\n"),
        "{gaining}"
    );
    let steps = cluster.steps().await;
    assert_eq!(
        steps,
        [
            "setting up what is new on worker-4 | worker-4 | setup ready | ",
            "taking in worker-4 | worker-1 | members | zookeeper_server",
            "letting go of worker-2 | worker-1 | drain | zookeeper_server",
            "taking away worker-2 |  |  | ",
            "going on without worker-2 | worker-1 | members | zookeeper_server",
        ]
    );
    let last = told(&cluster.world, &cluster.stack, "worker-1");
    assert!(
        last.contains("left\tcomponent=zookeeper_server\tnodes=worker-2\tindexes=2\n")
            && last.contains("runner\tcomponent=zookeeper_server\n"),
        "{last}"
    );
    assert_eq!(
        cluster.members("zookeeper_server").await,
        "worker-1=1 worker-3=3 worker-4=4"
    );
    // The number of who has gone is free again.
    cluster
        .changed(&[("stampede.workers.remove", "worker-1")])
        .await;
    assert_eq!(
        cluster.members("zookeeper_server").await,
        "worker-5=2 worker-3=3 worker-4=4"
    );
}

#[tokio::test]
async fn what_a_plugin_refuses_of_a_running_cluster_is_refused_before_anything_is_done() {
    let cluster = RunningCluster::of(ZOOKEEPER).await;
    let asked = pairs(&[("stampede.workers.remove", "worker-1,worker-2")]);
    let refused = cluster.host.update(&cluster.caller, "default", asked).await;
    let words = problems(&refused.unwrap_err());
    assert!(
        words
            .iter()
            .any(|line| line.contains("2 of 3 servers would leave at once")),
        "{words:?}"
    );
    assert_eq!(servers(&cluster.world, &cluster.stack).len(), 5);
}

#[tokio::test]
async fn spark_workers_come_and_are_let_go_by_their_master() {
    let cluster = RunningCluster::of(&[("stampede.framework", "spark")]).await;
    let steps = cluster.changed(&[("stampede.workers", "3")]).await;
    assert_eq!(steps[0], "adding worker-3 |  |  | ");
    let steps = cluster
        .changed(&[("stampede.workers.remove", "worker-1")])
        .await;
    assert_eq!(
        steps,
        [
            "letting go of worker-1 | master | drain | spark_master",
            "taking away worker-1 |  |  | "
        ]
    );
    assert_eq!(
        cluster.members("spark_worker").await,
        "worker-2=2 worker-3=3"
    );
}

const HADOOP: &[(&str, &str)] = &[("stampede.framework", "hadoop"), ("stampede.workers", "3")];

#[tokio::test]
async fn a_group_that_computes_comes_grows_and_shrinks() {
    let cluster = RunningCluster::of(HADOOP).await;
    let groups = [
        ("stampede.groups", "master,worker,compute"),
        ("stampede.compute.count", "1"),
        ("stampede.compute.flavor", "m1.xlarge"),
    ];
    let steps = cluster.changed(&groups).await;
    // The others have to know the names of its nodes.
    assert_eq!(
        steps[0],
        "adding compute | master worker-1 worker-2 worker-3 |  | "
    );
    assert_eq!(
        cluster.members("nodemanager").await,
        "worker-1=1 worker-2=2 worker-3=3 compute=4"
    );
    let steps = cluster.changed(&[("stampede.compute.count", "3")]).await;
    assert_eq!(steps[0], "adding compute-2, compute-3 |  |  | ");
    let steps = cluster.changed(&[("stampede.compute.count", "1")]).await;
    assert_eq!(
        steps[..2],
        [
            "letting go of compute-2, compute-3 | master | drain | resourcemanager namenode",
            "taking away compute-2, compute-3 |  |  | "
        ]
    );
    assert_eq!(
        cluster.members("nodemanager").await,
        "worker-1=1 worker-2=2 worker-3=3 compute=4"
    );
}

#[tokio::test]
async fn a_component_moves_to_another_group_and_is_set_up_before_it_goes() {
    let edge = [
        ("stampede.groups", "master,worker,edge"),
        ("stampede.edge.flavor", "m1.2xlarge"),
    ];
    let cluster = RunningCluster::of(&[HADOOP, &edge].concat()).await;
    assert_eq!(cluster.members("jobhistory").await, "master=1");
    let steps = cluster
        .changed(&[("stampede.edge.components", "jobhistory")])
        .await;
    assert_eq!(
        steps[0],
        "setting up what is new on edge | edge | setup ready | "
    );
    let last = steps.iter().rfind(|step| step.contains("setup")).unwrap();
    assert_eq!(
        last,
        "taking components from master | master | setup ready | "
    );
    assert_eq!(cluster.members("jobhistory").await, "edge=2");
}

#[tokio::test]
async fn a_node_that_comes_while_a_component_moves_knows_where_it_is_in_the_end() {
    let edge = [
        ("stampede.groups", "master,worker,edge"),
        ("stampede.edge.flavor", "m1.2xlarge"),
    ];
    let cluster = RunningCluster::of(&[HADOOP, &edge].concat()).await;
    let asked = [
        ("stampede.groups", "master,worker,edge,compute"),
        ("stampede.compute.flavor", "m1.2xlarge"),
        ("stampede.edge.components", "jobhistory"),
    ];
    cluster.update(&asked).await;
    cluster.world.cloud.step();
    // Files come with its turn; who comes with its group is known before.
    let first = told(&cluster.world, &cluster.stack, "edge");
    assert!(
        first.contains("compute") && !first.contains("/opt/stampede/files/"),
        "{first}"
    );
    let last = eventually("who has come is told", async || {
        cluster.world.cloud.step();
        let record = cluster.record().await;
        let change = record.change()?;
        let is_told = change.step()?.told.contains(&"compute".to_owned());
        // The cloud takes its time until the node can read it.
        let generation = change.step()?.generation.to_string();
        let shown = metadata(&cluster.world, &cluster.stack, "compute");
        let is_whole =
            shown["stampede_generation"] == generation && shown["stampede_parts"].is_string();
        (is_told && is_whole).then(|| told(&cluster.world, &cluster.stack, "compute"))
    })
    .await;
    assert!(last.contains("<value>edge:10020</value>"), "{last}");
    cluster.steps().await;
}

#[tokio::test]
async fn settings_go_from_node_to_node_and_back_where_one_fails() {
    let cluster = RunningCluster::of(HADOOP).await;
    let size = [("stampede.hadoop.block_size_mib", "64")];
    cluster.update(&size).await;
    assert_eq!(cluster.titles().await[0], "new settings on master");
    cluster.world.cloud.step();
    let first = told(&cluster.world, &cluster.stack, "master");
    assert!(first.contains("/opt/stampede/files/"), "{first}");
    let steps = cluster.steps().await;
    let nodes: Vec<&str> = steps
        .iter()
        .map(|step| step.split(" | ").nth(1).unwrap())
        .collect();
    assert_eq!(
        nodes,
        ["master", "worker-1", "worker-2", "worker-3"],
        "{steps:?}"
    );

    let before = cluster.record().await;
    cluster
        .update(&[("stampede.hadoop.block_size_mib", "32")])
        .await;
    cluster.world.cloud.next_update_fails(UpdateFails::Answer {
        node: "worker-1".into(),
        text: "hadoop ready line 3: no".into(),
    });
    let view = rest(&cluster.world, &cluster.host, &cluster.caller).await;
    assert_eq!(view.state, ClusterState::Active);
    assert!(
        view.change
            .unwrap()
            .contains("worker-1: hadoop ready line 3: no"),
    );
    let after = cluster.record().await;
    assert_eq!(after.notified.installed, before.notified.installed);
    assert_eq!(
        after.spec.clone().unwrap().pins,
        before.spec.clone().unwrap().pins
    );
    let back = told(&cluster.world, &cluster.stack, "worker-1");
    assert!(back.contains("/opt/stampede/files/"), "{back}");
}

#[tokio::test]
async fn another_host_goes_on_from_the_stack_alone() {
    let cluster = RunningCluster::of(ZOOKEEPER).await;
    cluster
        .update(&[("stampede.workers.remove", "worker-2")])
        .await;
    let (world, stack) = cluster.lose_host();
    let other = world.host_with_empty_store("tests").await;
    let caller = world.caller(&other, "demo").await;
    let view = rest(&world, &other, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    assert_eq!(
        servers(&world, &stack),
        ["master", "worker-1", "worker-3", "worker-4"]
    );
    // It plans the next change as the first one would have.
    let asked = pairs(&[("stampede.workers", "5")]);
    other.update(&caller, "default", asked).await.unwrap();
    rest(&world, &other, &caller).await;
    assert!(servers(&world, &stack).contains(&"worker-6".to_owned()));
}

#[tokio::test]
async fn a_host_that_starts_anew_in_the_middle_goes_on() {
    let copies = [("stampede.hadoop.replication", "2")];
    let cluster = RunningCluster::of(&[HADOOP, &copies].concat()).await;
    cluster
        .update(&[
            ("stampede.hadoop.block_size_mib", "64"),
            ("stampede.workers.remove", "worker-1"),
        ])
        .await;
    let (world, stack) = cluster.lose_host();
    let host = world.host().await;
    let caller = world.caller(&host, "demo").await;
    let view = rest(&world, &host, &caller).await;
    assert_eq!((view.state, view.change), (ClusterState::Active, None));
    assert_eq!(servers(&world, &stack), ["master", "worker-2", "worker-3"]);
    let generation = |node: &str| metadata(&world, &stack, node)["stampede_generation"].clone();
    assert!(generation("worker-2").is_string() && generation("master").is_string());
}

#[tokio::test]
async fn a_node_that_boots_in_a_change_knows_who_has_come() {
    let cluster = RunningCluster::of(HADOOP).await;
    cluster.update(&[("stampede.workers", "4")]).await;
    let (_, files) = cluster.world.cloud.template(&cluster.stack).unwrap();
    let script = stampede_tests::node_script::unpack_node_script(&files["node-worker.sh"]);
    assert!(script.contains("STAMPEDE_GENERATION='1'\n"));
    assert!(script.contains("joined\tcomponent=datanode\tnodes=worker-4\tindexes=4\n"));
    cluster.steps().await;
}

#[tokio::test]
async fn a_node_that_asks_for_it_takes_its_turn_after_the_others_once() {
    let cluster = RunningCluster::of(HADOOP).await;
    cluster.world.cloud.next_update_fails(UpdateFails::Later {
        node: "master".into(),
    });
    let size = [("stampede.hadoop.block_size_mib", "64")];
    let steps = cluster.changed(&size).await;
    let told: Vec<&str> = steps
        .iter()
        .map(|step| step.split(" | ").nth(1).unwrap())
        .collect();
    assert_eq!(
        told,
        ["master", "worker-1", "worker-2", "worker-3", "master"],
        "{steps:?}"
    );
}
