//! A [`ClusterService`] that keeps clusters in memory: the rules of the life cycle without a cloud,
//! and names of clusters that make it panic or wait.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use secrecy::{ExposeSecret, SecretString};
use stampede::cluster::FrameworkDescriptor;
use stampede::cluster::{ClusterState, Problem, request_entry::RequestFace};
use stampede::occi::ClusterService;
use stampede::occi::cluster_service::FoundCluster;
use stampede::orchestrator::{
    ClientAttributes, ClusterGroup, ClusterView, CreateOutcome, LifecyclePhase, MembershipChange,
    OrchestratorError, ViewVersion,
};
use tokio::sync::Semaphore;

/// Every call for a cluster of this name panics.
pub(crate) const PANICS: &str = "panics";
/// A cluster of this name waits in every call until the test lets it go on.
pub(crate) const WAITS: &str = "waits";

type Key = (String, String);

#[derive(Clone, Default)]
pub(crate) struct MemoryClusters {
    clusters: Arc<Mutex<BTreeMap<Key, ClusterView>>>,
    /// Each with its project.
    groups: Arc<Mutex<Vec<(String, ClusterGroup)>>>,
    shown_groups: Arc<Mutex<BTreeMap<String, Arc<Vec<ClusterGroup>>>>>,
    /// Of all clusters together.
    revision: Arc<AtomicI64>,
    /// The attributes of the last update.
    last_update: Arc<Mutex<ClientAttributes>>,
    /// Whether the cloud cannot be asked which clusters there are.
    pub is_away: Arc<AtomicBool>,
    /// How often a view was made.
    pub views: Arc<AtomicUsize>,
    /// How often a token was validated.
    pub authentications: Arc<AtomicUsize>,
    /// Calls that have come to [`WAITS`].
    pub waiting: Arc<AtomicUsize>,
    /// Calls to [`WAITS`] that ended.
    pub finished: Arc<AtomicUsize>,
    /// A permit lets one call to [`WAITS`] go on.
    pub go_on: Arc<Gate>,
}

pub(crate) struct Gate(pub Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

static HADOOP: LazyLock<FrameworkDescriptor> = LazyLock::new(|| FrameworkDescriptor {
    name: "hadoop".to_owned(),
    title: "Apache Hadoop".to_owned(),
    description: "HDFS, YARN and MapReduce".to_owned(),
    versions: vec!["3.5.0".to_owned()],
    parameters:
        serde_json::json!({"type": "object", "properties": {"replication": {"type": "integer"}}})
            .into(),
    ..FrameworkDescriptor::default()
});

impl MemoryClusters {
    /// Changes a cluster of the project `demo` as the cloud would.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut ClusterView)) {
        self.change_in("demo", name, change);
    }

    /// Changes a cluster of another project likewise.
    pub(crate) fn change_in(
        &self,
        project: &str,
        name: &str,
        change: impl FnOnce(&mut ClusterView),
    ) {
        self.update_view(project, name, |view| {
            change(view);
            Ok(())
        })
        .expect("the cluster is there");
    }

    /// What the last update of any cluster asked for.
    pub(crate) fn last_update(&self) -> ClientAttributes {
        self.last_update.lock().unwrap().clone()
    }

    /// What is recorded of a cluster of the project `demo` as given by its client.
    pub(crate) fn given(&self, name: &str) -> BTreeMap<String, String> {
        let clusters = self.clusters.lock().unwrap();
        clusters[&("demo".to_owned(), name.to_owned())]
            .attributes
            .clone()
    }

    /// The names of the clusters of the project `demo`.
    pub(crate) fn names(&self) -> Vec<String> {
        self.clusters
            .lock()
            .unwrap()
            .keys()
            .filter(|(project, _)| project == "demo")
            .map(|(_, name)| name.clone())
            .collect()
    }

    async fn misbehave(&self, name: &str) {
        assert!(name != PANICS, "a defect, as this test wants it");
        if name == WAITS {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            self.go_on
                .0
                .acquire()
                .await
                .expect("the gate stays open")
                .forget();
            self.finished.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn update_view(
        &self,
        project: &str,
        name: &str,
        change: impl FnOnce(&mut ClusterView) -> Result<(), OrchestratorError>,
    ) -> Result<ClusterView, OrchestratorError> {
        let mut clusters = self.clusters.lock().unwrap();
        let view = clusters
            .get_mut(&(project.to_owned(), name.to_owned()))
            .ok_or_else(|| OrchestratorError::NotFound(name.to_owned()))?;
        change(view)?;
        self.revision.fetch_add(1, Ordering::SeqCst);
        Ok(view.clone())
    }

    fn groups_changed(&self) {
        self.shown_groups.lock().unwrap().clear();
    }
}

/// A cluster as it was found.
pub(crate) struct MemoryLookup {
    view: ClusterView,
    edition: ViewVersion,
    views: Arc<AtomicUsize>,
}

impl FoundCluster for MemoryLookup {
    fn id(&self) -> &str {
        &self.view.id
    }

    fn edition(&self) -> &ViewVersion {
        &self.edition
    }

    fn view(&self) -> ClusterView {
        self.views.fetch_add(1, Ordering::SeqCst);
        self.view.clone()
    }
}

/// Stampede's own of them.
fn own_attributes(attributes: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = attributes
        .iter()
        .filter(|(name, _)| name.starts_with("stampede."));
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn new_view(name: &str, attributes: ClientAttributes) -> ClusterView {
    ClusterView {
        name: name.to_owned(),
        id: uuid::Uuid::new_v4().to_string(),
        created_s: 0,
        owner: None,
        frameworks: Vec::new(),
        node_counts: BTreeMap::new(),
        phase: LifecyclePhase::Initialised,
        state: ClusterState::Requested,
        stack_status: None,
        stack_id: None,
        attributes: attributes.into_iter().collect(),
        brought: Default::default(),
        outputs: BTreeMap::new(),
        endpoints: BTreeMap::new(),
        endpoint_access: BTreeMap::new(),
        health: Vec::new(),
        region: "RegionOne".to_owned(),
        progress: Vec::new(),
        change: None,
        failure: None,
        ends_s: None,
        end_notice: None,
        idle: None,
        time_left: None,
        upgrade: None,
        deletion: stampede::orchestrator::DeletionStage::NotWanted,
        cloud_error: None,
        silent_since_s: None,
        stack_status_reason: String::new(),
    }
}

impl ClusterService for MemoryClusters {
    /// The project.
    type Caller = String;
    type Found = MemoryLookup;

    fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        vec![&HADOOP]
    }

    async fn ready(&self) -> Result<(), OrchestratorError> {
        Ok(())
    }

    /// `token-demo` is good for the project `demo`, and so on.
    async fn authenticate(
        &self,
        token: SecretString,
        project: &str,
        _: RequestFace,
    ) -> Result<String, OrchestratorError> {
        self.authentications.fetch_add(1, Ordering::SeqCst);
        match token.expose_secret().strip_prefix("token-") {
            None => Err(OrchestratorError::Unauthorized(
                "the token is unknown or has expired".into(),
            )),
            Some(own) if own != project => Err(OrchestratorError::Forbidden(
                format!("the token is not for project `{project}`").into(),
            )),
            Some(own) => Ok(own.to_owned()),
        }
    }

    /// The endpoint `notebooks` of each cluster asks for one.
    async fn endpoint_secret(
        &self,
        project: &String,
        name: &str,
        endpoint: Option<&str>,
    ) -> Result<SecretString, OrchestratorError> {
        self.find(project, name).await?;
        match endpoint {
            Some("notebooks") => Ok(SecretString::from(format!("digits-of-{project}-{name}"))),
            _ => Err(OrchestratorError::Invalid(vec![Problem::new(
                "ENDPOINT",
                "asks for no secret",
                "one of notebooks",
            )])),
        }
    }

    async fn request(
        &self,
        project: &String,
        name: &str,
        given: ClientAttributes,
    ) -> Result<CreateOutcome, OrchestratorError> {
        self.misbehave(name).await;
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(OrchestratorError::Invalid(vec![Problem::new(
                "name",
                "must begin with a letter",
                "",
            )]));
        }
        let mut clusters = self.clusters.lock().unwrap();
        let key = (project.clone(), name.to_owned());
        if let Some(view) = clusters.get(&key) {
            return Ok(CreateOutcome::Existing(view.clone()));
        }
        let mut view = new_view(name, given);
        view.brought = own_attributes(&view.attributes);
        clusters.insert(key, view.clone());
        Ok(CreateOutcome::New(view))
    }

    async fn find(&self, project: &String, name: &str) -> Result<MemoryLookup, OrchestratorError> {
        self.misbehave(name).await;
        let clusters = self.clusters.lock().unwrap();
        let view = clusters
            .get(&(project.clone(), name.to_owned()))
            .cloned()
            .ok_or_else(|| OrchestratorError::NotFound(name.to_owned()))?;
        let edition = ViewVersion {
            revision: self.revision.load(Ordering::SeqCst),
            cloud_error: None,
        };
        Ok(MemoryLookup {
            view,
            edition,
            views: Arc::clone(&self.views),
        })
    }

    async fn list(&self, project: &String) -> Result<Vec<ClusterView>, OrchestratorError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(OrchestratorError::cloud("heat is away"));
        }
        Ok(self
            .clusters
            .lock()
            .unwrap()
            .iter()
            .filter(|((own, _), _)| own == project)
            .map(|(_, view)| view.clone())
            .collect())
    }

    async fn deploy(
        &self,
        project: &String,
        name: &str,
        given: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        self.misbehave(name).await;
        self.update_view(project, name, |view| {
            if view.phase != LifecyclePhase::Initialised {
                return Err(OrchestratorError::NotApplicable(
                    "it is deployed already".to_owned(),
                ));
            }
            view.attributes.extend(given);
            view.brought = own_attributes(&view.attributes);
            (view.phase, view.state) = (LifecyclePhase::Deployed, ClusterState::Deploying);
            view.stack_status = Some("CREATE_IN_PROGRESS".to_owned());
            view.stack_id = Some((
                "RegionOne".to_owned(),
                "9445a2fc-b88a-4372-9e45-5bad947dd3e7".to_owned(),
            ));
            Ok(())
        })
    }

    async fn provision(
        &self,
        project: &String,
        name: &str,
        given: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        self.update_view(project, name, |view| {
            if view.phase != LifecyclePhase::Deployed {
                return Err(OrchestratorError::NotApplicable(
                    "it is not deployed, or provisioned already".to_owned(),
                ));
            }
            view.attributes.extend(given);
            view.phase = LifecyclePhase::Provisioned;
            Ok(())
        })
    }

    async fn update(
        &self,
        project: &String,
        name: &str,
        given: ClientAttributes,
    ) -> Result<ClusterView, OrchestratorError> {
        self.misbehave(name).await;
        *self.last_update.lock().unwrap() = given.clone();
        self.update_view(project, name, |view| {
            view.attributes.extend(given);
            Ok(())
        })
    }

    async fn delete(&self, project: &String, name: &str) -> Result<(), OrchestratorError> {
        let gone = self
            .clusters
            .lock()
            .unwrap()
            .remove(&(project.clone(), name.to_owned()));
        gone.map(drop)
            .ok_or_else(|| OrchestratorError::NotFound(name.to_owned()))
    }
    async fn groups(&self, project: &String) -> Result<Arc<Vec<ClusterGroup>>, OrchestratorError> {
        let all = self.groups.lock().unwrap();
        let of_project = || {
            Arc::new(
                all.iter()
                    .filter(|(own, _)| own == project)
                    .map(|(_, group)| group.clone())
                    .collect(),
            )
        };
        Ok(Arc::clone(
            self.shown_groups
                .lock()
                .unwrap()
                .entry(project.clone())
                .or_insert_with(of_project),
        ))
    }

    async fn define_group(
        &self,
        project: &String,
        group: ClusterGroup,
    ) -> Result<(), OrchestratorError> {
        let mut groups = self.groups.lock().unwrap();
        let taken = |(own, known): &(String, ClusterGroup)| {
            own == project && (known.name == group.name || known.place == group.place)
        };
        if groups.iter().any(taken) {
            return Err(OrchestratorError::Conflict("in use already".to_owned()));
        }
        groups.push((project.clone(), group));
        self.groups_changed();
        Ok(())
    }

    async fn remove_group(&self, project: &String, name: &str) -> Result<(), OrchestratorError> {
        self.groups
            .lock()
            .unwrap()
            .retain(|(own, group)| own != project || group.name != name);
        self.groups_changed();
        Ok(())
    }

    async fn group_members(
        &self,
        project: &String,
        name: &str,
        how: MembershipChange,
        clusters: &[String],
    ) -> Result<(), OrchestratorError> {
        let ids = clusters.iter().map(|cluster| {
            self.update_view(project, cluster, |_| Ok(()))
                .map(|view| view.id)
        });
        let ids = ids.collect::<Result<_, _>>()?;
        let mut groups = self.groups.lock().unwrap();
        let group = groups
            .iter_mut()
            .find(|(own, group)| own == project && group.name == name)
            .map(|(_, group)| group);
        let group = group.ok_or_else(|| OrchestratorError::NotFound(name.to_owned()))?;
        group.clusters = match how {
            MembershipChange::Add => &group.clusters | &ids,
            MembershipChange::Remove => &group.clusters - &ids,
            MembershipChange::Only => ids,
        };
        self.groups_changed();
        Ok(())
    }
}
