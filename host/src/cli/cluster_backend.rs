//! Where a command's clusters are looked after: by an orchestrator in this process, or by a host that is
//! driven over its API. Commands ask the same of both.

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::{
    cloud::{CloudArgs, LocalOrchestrator, RenewalFailure},
    line_printer::LinePrinter,
    output_format::FormatArgs,
    preview,
    server_mode::ServerHost,
};
use crate::{
    api::request_shapes::PastRequest,
    cluster::ClusterState,
    openstack::CloudSession,
    orchestrator::{
        ClientAttributes, ClusterView, CreateOutcome, DeletionAnswer, JournalQuery,
        OrchestratorError, state::node_access::NodeAccess,
    },
};

/// Who looks after the clusters.
pub(super) enum ClusterBackend {
    Local(Box<LocalOrchestrator>),
    Server(Box<ServerHost>),
}

impl ClusterBackend {
    /// Logs in; what is pending in the project goes on, where this process does that.
    pub(super) async fn connect(args: &CloudArgs) -> Result<Self> {
        match args.server() {
            Some(_) => Self::connect_server(args).await,
            None => Ok(Self::Local(Box::new(args.connect().await?))),
        }
    }

    /// The same for a preview: nothing goes on.
    pub(super) async fn connect_read_only(args: &CloudArgs) -> Result<Self> {
        match args.server() {
            Some(_) => Self::connect_server(args).await,
            None => Ok(Self::Local(Box::new(args.connect_read_only().await?))),
        }
    }

    async fn connect_server(args: &CloudArgs) -> Result<Self> {
        let url = args.server().cloned();
        let url = url.ok_or_else(|| OrchestratorError::internal("no server is named"))?;
        let host = ServerHost::new(&url, args.log_in().await?, args.data_dir()?)?;
        Ok(Self::Server(Box::new(host)))
    }

    pub(super) fn project_name(&self) -> &str {
        match self {
            Self::Local(cloud) => cloud.caller.project_name(),
            Self::Server(host) => host.project_name(),
        }
    }

    /// The token and its project.
    pub(super) fn session(&self) -> &CloudSession {
        match self {
            Self::Local(cloud) => cloud.caller.session(),
            Self::Server(host) => host.session(),
        }
    }

    /// Where keys of nodes are remembered: of each server by itself.
    pub(super) fn known_hosts(&self) -> PathBuf {
        const KIND: &str = "known_hosts";
        match self {
            Self::Local(cloud) => cloud.data_dir.join(KIND),
            Self::Server(host) => host.data_dir.join(host.url().file_name(KIND)),
        }
    }

    /// How a person gets to the nodes of a cluster; none before it is deployed.
    pub(super) async fn node_access(&self, name: &str) -> Result<Option<NodeAccess>> {
        match self {
            Self::Local(cloud) => {
                let found = cloud.orchestrator.find(&cloud.caller, name).await?;
                Ok(found.node_access())
            }
            Self::Server(host) => Ok(Some(host.node_access(name).await?)),
        }
    }

    /// Who deletes a cluster at its end: a command is over before.
    pub(super) fn who_ends(&self) -> &'static str {
        match self {
            Self::Local(_) => {
                "a service over this data directory deletes it then, or your first command after that"
            }
            Self::Server(_) => "the host deletes it then",
        }
    }

    /// The requests that were made for a cluster, or in the whole project; the newest, and how many
    /// there are.
    pub(super) async fn history(
        &self,
        cluster: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<PastRequest>, usize)> {
        let cloud = match self {
            Self::Local(cloud) => cloud,
            Self::Server(host) => return host.history(cluster, limit).await,
        };
        let journal = cloud.orchestrator.journal();
        let query = JournalQuery {
            limit,
            ..JournalQuery::default()
        };
        let found = match cluster {
            Some(name) => journal.of_cluster(&cloud.caller, name, query).await,
            None => journal.of_project(&cloud.caller, query).await,
        };
        let page = found.map_err(|error| match error {
            OrchestratorError::NotFound(_) => {
                let place = cloud.data_dir.display();
                anyhow::Error::from(error).context(format!(
                    "{place} remembers nothing of it; what a host was asked it tells with --server URL"
                ))
            }
            error => error.into(),
        })?;
        let entries = page.entries.into_iter().map(PastRequest::from);
        Ok((entries.collect(), page.matching))
    }

    /// All clusters, those that are being deleted among them.
    pub(super) async fn list(&self) -> Result<Vec<ClusterView>> {
        match self {
            Self::Local(cloud) => {
                let mut views = cloud.orchestrator.list(&cloud.caller).await?;
                views.extend(cloud.orchestrator.list_deleting(&cloud.caller).await?);
                Ok(views)
            }
            Self::Server(host) => host.list().await,
        }
    }

    /// The living cluster of this name.
    pub(super) async fn view(&self, name: &str) -> Result<ClusterView> {
        match self {
            Self::Local(cloud) => Ok(cloud.orchestrator.view(&cloud.caller, name).await?),
            Self::Server(host) => host.view(name).await,
        }
    }

    /// The living cluster of this name; none where there is none.
    pub(super) async fn find(&self, name: &str) -> Result<Option<ClusterView>> {
        match self.view(name).await {
            Ok(view) => Ok(Some(view)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The cluster of this name whose deletion has not come to its end.
    pub(super) async fn find_deleting(&self, name: &str) -> Result<Option<ClusterView>> {
        match self {
            Self::Local(cloud) => {
                let all = cloud.orchestrator.list_deleting(&cloud.caller).await?;
                Ok(all.into_iter().find(|view| view.name == name))
            }
            Self::Server(host) => host.find_deleting(name).await,
        }
    }

    /// The cluster of this id, living or not; none where nothing is left of it.
    pub(super) async fn find_by_id(&self, name: &str, id: &str) -> Result<Option<ClusterView>> {
        match self {
            Self::Local(cloud) => cloud.find_by_id(id).await,
            Self::Server(host) => host.find_by_id(name, id).await,
        }
    }

    pub(super) async fn deploy(
        &self,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView> {
        match self {
            Self::Local(cloud) => Ok(request_and_deploy(cloud, name, attributes).await?),
            Self::Server(host) => host.deploy(name, attributes).await,
        }
    }

    pub(super) async fn update(
        &self,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView> {
        match self {
            Self::Local(cloud) => {
                let updating = cloud.orchestrator.update(&cloud.caller, name, attributes);
                Ok(updating.await?)
            }
            Self::Server(host) => host.update(name, attributes).await,
        }
    }

    /// None where there is no living cluster of this name.
    pub(super) async fn delete(&mut self, name: &str) -> Result<Option<DeletionAnswer>> {
        match self {
            Self::Local(cloud) => match cloud.orchestrator.delete(&cloud.caller, name).await {
                Ok(answer) => Ok(Some(answer)),
                Err(OrchestratorError::NotFound(_)) => Ok(None),
                Err(error) => Err(error.into()),
            },
            Self::Server(host) => host.delete(name).await,
        }
    }

    /// Prints what a deployment would make.
    pub(super) async fn preview_deploy(
        &self,
        name: &str,
        attributes: ClientAttributes,
        format: &FormatArgs,
        out: &mut LinePrinter<'_>,
    ) -> Result<()> {
        match self {
            Self::Local(cloud) => {
                let planning = cloud
                    .orchestrator
                    .preview_deploy(&cloud.caller, name, attributes);
                let planned = planning.await?;
                print_plan(&planned, format, out, preview::print_deploy)
            }
            Self::Server(host) => {
                let planned = host.plan_deploy(name, attributes).await?;
                print_plan(&planned, format, out, |out, planned| planned.print(out))
            }
        }
    }

    /// Prints what a change would do.
    pub(super) async fn preview_update(
        &self,
        name: &str,
        attributes: ClientAttributes,
        format: &FormatArgs,
        out: &mut LinePrinter<'_>,
    ) -> Result<()> {
        match self {
            Self::Local(cloud) => {
                let planning = cloud
                    .orchestrator
                    .preview_update(&cloud.caller, name, attributes);
                let planned = planning.await?;
                print_plan(&planned, format, out, preview::print_change)
            }
            Self::Server(host) => {
                let planned = host.plan_update(name, attributes).await?;
                print_plan(&planned, format, out, |out, planned| planned.print(out))
            }
        }
    }

    /// The secret that an endpoint asks for.
    pub(super) async fn endpoint_secret(
        &self,
        name: &str,
        endpoint: Option<&str>,
    ) -> Result<secrecy::SecretString> {
        match self {
            Self::Local(cloud) => {
                let orchestrator = &cloud.orchestrator;
                let asking = orchestrator.endpoint_secret(&cloud.caller, name, endpoint);
                Ok(asking.await?)
            }
            Self::Server(host) => host.endpoint_secret(name, endpoint).await,
        }
    }

    /// Sees to it that the login is good.
    pub(super) async fn keep_login(&mut self) -> Result<(), RenewalFailure> {
        match self {
            Self::Local(cloud) => cloud.keep_login().await,
            Self::Server(host) => host.keep_login().await,
        }
    }

    /// The living cluster as it is now; of a host, once there is news of it. None where nobody can say so
    /// for now.
    pub(super) async fn next_view(&mut self, name: &str) -> Result<Option<ClusterView>> {
        match self {
            Self::Local(_) => Ok(Some(self.view(name).await?)),
            Self::Server(host) => host.next_view(name).await,
        }
    }

    /// The cluster of this id that is to be deleted as it is now; within it none where nothing is left of
    /// it. None where nobody can say so for now.
    pub(super) async fn look_for(
        &mut self,
        name: &str,
        id: &str,
    ) -> Result<Option<Option<ClusterView>>> {
        match self {
            Self::Local(cloud) => Ok(Some(cloud.find_by_id(id).await?)),
            Self::Server(host) => host.look_for(name, id).await,
        }
    }

    /// Why nobody goes on with a cluster, where that is so. A host goes on by itself.
    pub(super) fn standstill(&self, id: &str) -> Option<String> {
        match self {
            Self::Local(cloud) => cloud.orchestrator.standstill(&cloud.caller, id),
            Self::Server(_) => None,
        }
    }

    /// Whether a look at a living cluster waits for news by itself.
    pub(super) fn waits_for_news(&self) -> bool {
        matches!(self, Self::Server(_))
    }
}

/// Prints a plan as its own table, or as a record of all its fields.
fn print_plan<P: Serialize>(
    planned: &P,
    format: &FormatArgs,
    out: &mut LinePrinter<'_>,
    print_table: impl FnOnce(&mut LinePrinter<'_>, &P) -> Result<()>,
) -> Result<()> {
    if format.is_plain_table() {
        return print_table(out, planned);
    }
    format.print_record(out, planned)
}

fn is_not_found(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(OrchestratorError::NotFound(_)))
        || super::server_mode::ServerFailure::is_not_found(error)
}

async fn request_and_deploy(
    cloud: &LocalOrchestrator,
    name: &str,
    attributes: ClientAttributes,
) -> Result<ClusterView, OrchestratorError> {
    let (orchestrator, caller) = (&cloud.orchestrator, &cloud.caller);
    let requested = orchestrator
        .request(caller, name, attributes.clone())
        .await?;
    let deployed = orchestrator.deploy(caller, name, attributes).await;
    if deployed.is_err() && matches!(requested, CreateOutcome::New(_)) {
        // Where nothing was recorded for the cloud, the name is not to be kept either.
        let left = orchestrator.view(caller, name).await;
        if left.is_ok_and(|view| view.state == ClusterState::Requested)
            && let Err(error) = orchestrator.delete(caller, name).await
        {
            tracing::warn!("`{name}` is still listed, delete it: {error}");
        }
    }
    deployed
}
