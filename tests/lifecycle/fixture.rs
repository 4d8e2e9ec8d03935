//! A fake OpenStack, a store on disk, and orchestrators over both that start and stop.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use sqlx::{Connection as _, SqliteConnection};
use stampede::{
    bundle::node_script::{NodeContent, NodeFile},
    cluster::{
        ClusterSpec, FrameworkDescriptor, OperatorDefaults, Problem,
        cluster_endpoint::ClusterEndpoint, framework::NodeResources,
    },
    openstack::{self, CloudClient},
    orchestrator::{
        Caller, ClusterPlanner, ClusterView, Orchestrator, OrchestratorConfig, OrchestratorError,
        OrchestratorLimits,
        planning::planner::{ClaimedCluster, PluginChain, ResolvedFlavors, StackPlan},
    },
    store::{ClusterRecord, RecordStore},
    system::clock::HostClock,
};
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};

/// How long [`eventually`] waits; only a failing test waits as long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The cloud and what outlives a host.
pub(crate) struct LifecycleFixture {
    pub(crate) cloud: FakeOpenStack,
    data: tempfile::TempDir,
    /// The region that hosts are started for.
    region: std::sync::Mutex<Option<&'static str>>,
    pub(crate) planner: Arc<Plans>,
    /// Other plugins than these.
    others: Option<Arc<dyn ClusterPlanner>>,
}

impl LifecycleFixture {
    /// A fresh cloud and an empty store.
    pub(crate) async fn new() -> Self {
        let cloud = FakeOpenStack::start(FakeConfig::default()).await.unwrap();
        Self {
            cloud,
            data: tempfile::tempdir().unwrap(),
            region: std::sync::Mutex::default(),
            planner: Arc::new(Plans::new()),
            others: None,
        }
    }

    /// Hosts that begin from now on have these plugins.
    pub(crate) fn use_plugins(&mut self, plugins: Arc<dyn ClusterPlanner>) {
        self.others = Some(plugins);
    }

    /// Until every host with other plugins is gone, with all that it did in the background.
    pub(crate) async fn plugins_are_idle(&self) {
        let others = self.others.as_ref().unwrap();
        eventually("nothing runs on", async || {
            (Arc::strong_count(others) == 1).then_some(())
        })
        .await;
    }

    /// A host over the store as it is.
    pub(crate) async fn host(&self) -> Orchestrator {
        self.host_with(limits()).await
    }

    /// A host over the store as it is, for this region.
    pub(crate) async fn host_in(&self, region: &'static str) -> Orchestrator {
        *self.region.lock().unwrap() = Some(region);
        self.host().await
    }

    /// A host for this region, with these limits.
    pub(crate) async fn host_of_region(
        &self,
        region: &'static str,
        limits: OrchestratorLimits,
    ) -> Orchestrator {
        *self.region.lock().unwrap() = Some(region);
        self.host_with(limits).await
    }

    /// A host with these limits.
    pub(crate) async fn host_with(&self, limits: OrchestratorLimits) -> Orchestrator {
        self.host_on(
            "tests",
            RecordStore::open(self.data.path()).await.unwrap(),
            limits,
        )
        .await
    }

    /// A host over this store, by this clock.
    pub(crate) async fn host_made_of(
        &self,
        store: RecordStore,
        clock: HostClock,
        limits: OrchestratorLimits,
    ) -> Orchestrator {
        self.make("tests", store, limits, OperatorDefaults::default(), clock)
            .await
    }

    /// A host of this name whose disk is empty; the others' name is `tests`.
    pub(crate) async fn host_with_empty_store(&self, name: &str) -> Orchestrator {
        self.host_on(name, RecordStore::in_memory().await.unwrap(), limits())
            .await
    }

    /// A host over the store as it is, whose operator has set these defaults.
    pub(crate) async fn host_with_defaults(&self, defaults: OperatorDefaults) -> Orchestrator {
        self.make(
            "tests",
            RecordStore::open(self.data.path()).await.unwrap(),
            limits(),
            defaults,
            HostClock::default(),
        )
        .await
    }

    async fn host_on(
        &self,
        name: &str,
        store: RecordStore,
        limits: OrchestratorLimits,
    ) -> Orchestrator {
        let defaults = OperatorDefaults::default();
        self.make(name, store, limits, defaults, HostClock::default())
            .await
    }

    async fn make(
        &self,
        name: &str,
        store: RecordStore,
        limits: OrchestratorLimits,
        defaults: OperatorDefaults,
        clock: HostClock,
    ) -> Orchestrator {
        let mut config = openstack::CloudConfig::new(self.cloud.url());
        config.region = self.region.lock().unwrap().map(str::to_owned);
        config.limits.attempts = 2;
        config.limits.backoff = Duration::from_millis(1);
        config.limits.backoff_max = Duration::from_millis(5);
        let client = CloudClient::new(config).unwrap();
        let planner = match &self.others {
            Some(others) => Arc::clone(others),
            None => Arc::clone(&self.planner) as Arc<dyn ClusterPlanner>,
        };
        let parts = OrchestratorConfig {
            host: name.to_owned(),
            client,
            planner,
            store,
            defaults,
            limits,
            metrics: Arc::default(),
            clock,
        };
        Orchestrator::new(parts).await.unwrap()
    }

    /// A caller of the project with a new token.
    pub(crate) async fn caller(&self, host: &Orchestrator, project: &str) -> Caller {
        host.authenticate(SecretString::from(self.cloud.issue_token(project)), project)
            .await
            .unwrap()
    }

    /// A caller of the project `demo` who is somebody else than its user of that name.
    pub(crate) async fn user(&self, host: &Orchestrator, user: &str) -> Caller {
        host.authenticate(
            SecretString::from(self.cloud.issue_token_of(user, "demo")),
            "demo",
        )
        .await
        .unwrap()
    }

    /// The store's file by itself, to write what no version of now would write.
    pub(crate) async fn database(&self) -> SqliteConnection {
        let path = self.data.path().join(stampede::store::FILE_NAME);
        let url = format!("sqlite://{}", path.display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    /// The store, beside whatever host uses it.
    pub(crate) async fn store(&self) -> RecordStore {
        RecordStore::open(self.data.path()).await.unwrap()
    }

    /// The records that the store has.
    pub(crate) async fn records(&self) -> Vec<ClusterRecord> {
        self.store().await.all().await.unwrap().records
    }

    /// The cloud is well again, but no token is good any more: until every host is gone, with all
    /// that it did in the background.
    pub(crate) async fn ended(&self) {
        self.cloud.expire_tokens();
        self.cloud.heal();
        self.idle().await;
    }

    /// Until every host is gone, with all that it did in the background.
    pub(crate) async fn idle(&self) {
        eventually("nothing runs on", async || {
            (Arc::strong_count(&self.planner) == 1).then_some(())
        })
        .await;
    }

    /// A host, its caller in `demo`, and a cluster `default` that is deployed.
    pub(crate) async fn deployed(&self) -> (Orchestrator, Caller, ClusterView) {
        let host = self.host().await;
        let caller = self.caller(&host, "demo").await;
        host.request(&caller, "default", vec![]).await.unwrap();
        let view = host.deploy(&caller, "default", vec![]).await.unwrap();
        (host, caller, view)
    }

    /// How often Heat was asked to create a stack.
    pub(crate) fn creates(&self) -> usize {
        self.cloud
            .requests()
            .iter()
            .filter(|asked| {
                asked.service == "heat" && asked.method == "POST" && asked.path.ends_with("/stacks")
            })
            .count()
    }

    /// How often the cloud was looked up: flavors, images, networks, quotas at once.
    pub(crate) fn look_ups(&self) -> usize {
        self.cloud.count_of("nova", "GET", "/flavors/detail")
    }

    /// How often Heat was asked to delete a stack.
    pub(crate) fn deletes(&self) -> usize {
        self.cloud.count_of("heat", "DELETE", "/stacks/")
    }
}

/// No pause that a test would have to wait for; every look asks Heat.
pub(crate) fn limits() -> OrchestratorLimits {
    OrchestratorLimits {
        looks_a_second: 100_000,
        observe_every: Duration::ZERO,
        shown_age: Duration::ZERO,
        patience: PATIENCE,
        follow_every: Duration::from_millis(5),
        backoff: Duration::from_millis(5),
        backoff_max: Duration::from_millis(20),
        create_grace: Duration::ZERO,
        lease: Duration::ZERO,
        ..OrchestratorLimits::default()
    }
}

/// Waits until `found` finds something.
pub(crate) async fn eventually<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            match found().await {
                Some(thing) => return thing,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, looking)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"))
}

/// Pairs for a request.
pub(crate) fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The messages of an `Invalid`.
pub(crate) fn problems(refused: &OrchestratorError) -> Vec<String> {
    match refused {
        OrchestratorError::Invalid(problems) => problems.iter().map(Problem::to_string).collect(),
        other => panic!("not invalid but {other:?}"),
    }
}

/// Plans made up of nothing, counted.
pub(crate) struct Plans {
    hadoop: FrameworkDescriptor,
    made: AtomicUsize,
    ordered: AtomicUsize,
    version: AtomicUsize,
    panics_at: AtomicUsize,
}

impl Plans {
    pub(crate) fn new() -> Self {
        Self {
            hadoop: hadoop(),
            made: AtomicUsize::new(0),
            ordered: AtomicUsize::new(0),
            version: AtomicUsize::new(1),
            panics_at: AtomicUsize::new(0),
        }
    }

    /// How often plugins were asked for a plan.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    /// How often the chain of plugins was worked out.
    pub(crate) fn ordered(&self) -> usize {
        self.ordered.load(Ordering::Relaxed)
    }

    /// The n-th plan of all, from 1, meets a defect of this host.
    pub(crate) fn panic_at(&self, n: usize) {
        self.panics_at.store(n, Ordering::Relaxed);
    }

    /// From now on the plugins are others: what they say of the nodes is not what it was.
    pub(crate) fn replace_plugins(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }
}

fn hadoop() -> FrameworkDescriptor {
    let parameters =
        json!({ "properties": { "replication": {}, "data_volume_gib": { "x-fixed": true } } });
    FrameworkDescriptor {
        name: "hadoop".to_owned(),
        title: "Hadoop".to_owned(),
        versions: vec!["3.5.0".to_owned()],
        parameters: parameters.into(),
        ..FrameworkDescriptor::default()
    }
}

impl ClusterPlanner for Plans {
    fn descriptors(&self) -> Vec<&FrameworkDescriptor> {
        vec![&self.hadoop]
    }

    fn order_plugins(&self, _: &ClusterSpec) -> Result<PluginChain, Vec<Problem>> {
        self.ordered.fetch_add(1, Ordering::Relaxed);
        Ok(PluginChain::default())
    }

    fn check_settings(&self, _: &ClusterSpec, _: &PluginChain) -> Vec<Problem> {
        Vec::new()
    }

    fn claim<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        _: &'a PluginChain,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<ClaimedCluster, Vec<Problem>>> + Send + 'a>>
    {
        let size = |ram_mib| NodeResources {
            vcpus: 1,
            ram_mib,
            disk_gib: 10,
        };
        let claimed = ClaimedCluster {
            spec: spec.clone(),
            smallest: BTreeMap::from([
                ("master".to_owned(), size(2_000)),
                ("worker".to_owned(), size(1_000)),
            ]),
            ..ClaimedCluster::default()
        };
        Box::pin(std::future::ready(Ok(claimed)))
    }

    fn plan<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        _: &'a PluginChain,
        _: &'a ClaimedCluster,
        _: &'a ResolvedFlavors,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<StackPlan, Vec<Problem>>> + Send + 'a>> {
        let made = 1 + self.made.fetch_add(1, Ordering::Relaxed);
        assert_ne!(
            made,
            self.panics_at.load(Ordering::Relaxed),
            "broken on purpose"
        );
        let version = self.version.load(Ordering::Relaxed);
        Box::pin(async move {
            let mut plan = planned(spec);
            for content in plan.contents.values_mut() {
                let version = ("STAMPEDE_VERSION", version.to_string());
                content.variables.push(version);
            }
            Ok(plan)
        })
    }
}

fn planned(spec: &ClusterSpec) -> StackPlan {
    let template: Value = json!({
        "heat_template_version": "2018-08-31",
        "resources": resources(spec),
        "outputs": { "namenode_ui": { "value": "http://192.0.2.7:9870/" } },
    });
    let endpoints = BTreeMap::from([(
        "namenode_ui".to_owned(),
        ClusterEndpoint::of_output("namenode_ui"),
    )]);
    let computed = BTreeMap::from([(
        "hadoop".to_owned(),
        BTreeMap::from([("replication".to_owned(), workers(spec).min(3).to_string())]),
    )]);
    let replication = spec
        .settings_of("hadoop")
        .remove("replication")
        .unwrap_or_else(|| workers(spec).min(3).to_string());
    let content = |role: &str| NodeContent {
        variables: vec![
            ("STAMPEDE_ROLE", role.to_owned()),
            ("STAMPEDE_LEAVING", String::new()),
        ],
        files: vec![NodeFile {
            mode: 0o644,
            path: "/etc/replication".to_owned(),
            content: format!("{replication}\n"),
        }],
    };
    let contents = spec
        .groups
        .names()
        .map(|role| (role.to_owned(), content(role)))
        .collect();
    StackPlan {
        template,
        endpoints,
        computed,
        contents,
        ..StackPlan::default()
    }
}

fn workers(spec: &ClusterSpec) -> u32 {
    spec.groups.get("worker").unwrap().count
}

/// Nodes, their volumes, and what waits for them.
fn resources(spec: &ClusterSpec) -> Map<String, Value> {
    let nodes = spec.node_names();
    let nodes: Vec<String> = nodes.iter().map(|node| node.replace('-', "_")).collect();
    let worker = spec.groups.get("worker").unwrap();
    let mut resources = Map::new();
    for handle in ["progress_handle", "ready_handle"] {
        resources.insert(
            handle.to_owned(),
            json!({ "type": "OS::Heat::WaitConditionHandle" }),
        );
    }
    for node in &nodes {
        let named = spec.groups.find_node(&node.replace('_', "-"));
        let (group, _) = named.unwrap();
        let role = &group.name;
        let properties = json!({
            "name": node, "image": spec.image_of(group), "flavor": group.flavor, "networks": [], "user_data": "",
            "metadata": { "stampede_role": role },
        });
        resources.insert(
            format!("{node}_server"),
            json!({ "type": "OS::Nova::Server", "properties": properties }),
        );
    }
    let gib = spec
        .settings
        .get("hadoop")
        .and_then(|settings| settings.get("data_volume_gib"))
        .and_then(|text| text.parse::<u32>().ok());
    for (node, gib) in nodes.iter().skip(1).filter_map(|node| Some((node, gib?))) {
        resources.insert(
            format!("hadoop_{node}_volume"),
            json!({ "type": "OS::Cinder::Volume", "properties": { "size": gib } }),
        );
    }
    let properties = json!({ "handle": { "get_resource": "ready_handle" }, "count": 1 + worker.node_ids().iter().max().unwrap(), "timeout": spec.timeout_s });
    resources.insert(
        "ready".to_owned(),
        json!({ "type": "OS::Heat::WaitCondition", "properties": properties }),
    );
    resources
}
