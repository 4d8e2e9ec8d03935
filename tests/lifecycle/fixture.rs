//! A fake OpenStack, a store on disk, and orchestrators over both that start and stop.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use sqlx::{Connection as _, SqliteConnection};
use stampede::{
    cluster::{OperatorDefaults, Problem},
    openstack::{self, CloudClient},
    orchestrator::{
        Caller, ClusterPlanner, ClusterView, Orchestrator, OrchestratorConfig, OrchestratorError,
        OrchestratorLimits,
    },
    store::{ClusterRecord, RecordStore},
    system::clock::HostClock,
};
use stampede_tests::fake_openstack::{FakeConfig, FakeOpenStack};

use crate::made_up_plans::Plans;

/// How long [`eventually`] waits; only a failing test waits as long.
const PATIENCE: Duration = Duration::from_secs(60);

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
