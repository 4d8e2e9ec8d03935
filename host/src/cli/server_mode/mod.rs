//! `--server URL`: clusters that a host looks after, driven by its JSON API with the token of the cloud's
//! credentials. What it answers becomes what commands have of clusters of their own, so that both
//! are printed by the same code.
//!
//! - [`ServerHost`]: what commands ask a host for
//! - `event_reader`: a cluster's stream of events
//! - `connection`: requests, and what is wrong in words and exit codes
//! - `cluster_answer`, `dry_run_answer`: answers, as what commands print
//! - `page_markers`: how far a list is followed

mod cluster_answer;
mod connection;
mod dry_run_answer;
mod event_reader;
mod page_markers;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

pub(super) use self::connection::ServerFailure;
pub(super) use self::dry_run_answer::{ServerChangePlan, ServerDeployPlan};

use self::cluster_answer::ClusterAnswer;
use self::connection::ServerConnection;
use self::event_reader::{EventReader, StreamEvent};
use self::page_markers::PageMarkers;
use super::cloud::{CloudLogin, RenewalFailure};
use super::server_url::ServerUrl;
use crate::{
    api::{access_shapes::AccessDetail, request_shapes::PastRequest},
    cluster::attribute_names::PREFIX,
    openstack::CloudSession,
    orchestrator::{
        ClientAttributes, ClusterView, DeletionAnswer, DeletionStage,
        state::node_access::NodeAccess,
    },
};

/// The most clusters on a page of a list.
const PAGE: &str = "500";
/// For how long a stream may say nothing, not even a comment, before it is asked for again.
const SILENCE_LIMIT: Duration = Duration::from_secs(40);
/// The pause before a look that follows one that failed.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Looks that may fail in a row before a wait gives up.
const FAILED_LOOKS: u32 = 30;

/// A host, and us as its client.
pub(super) struct ServerHost {
    connection: ServerConnection,
    login: CloudLogin,
    stream: Option<EventReader>,
    failed_looks: u32,
    /// Heat had not taken the deletion that was asked for last.
    deletion_waits: bool,
    /// Where this program remembers what it has to.
    pub(super) data_dir: PathBuf,
}

/// A page of a list.
#[derive(Deserialize)]
struct ListAnswer {
    clusters: Vec<ClusterAnswer>,
    next_marker: Option<String>,
}

/// A page of requests that were made before.
#[derive(Deserialize)]
struct HistoryAnswer {
    requests: Vec<PastRequest>,
    matching: usize,
}

/// What became of a deletion.
#[derive(Deserialize)]
struct DeletionTold {
    waits_for: Option<String>,
}

/// An endpoint's secret.
#[derive(Deserialize)]
struct SecretAnswer {
    secret: String,
}

impl ServerHost {
    /// A host at this URL.
    pub(super) fn new(url: &ServerUrl, login: CloudLogin, data_dir: PathBuf) -> Result<Self> {
        Ok(Self {
            connection: ServerConnection::new(url, login.config())?,
            login,
            stream: None,
            failed_looks: 0,
            deletion_waits: false,
            data_dir,
        })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &ServerUrl {
        self.connection.url()
    }

    /// The token and its project.
    pub(super) fn session(&self) -> &CloudSession {
        self.login.session()
    }

    /// How a person gets to the nodes of a cluster. The nodes' keys are remembered here.
    pub(super) async fn node_access(&self, name: &str) -> Result<NodeAccess> {
        let detail: AccessDetail = self.read(&["clusters", name, "access"]).await?;
        let dir = &self.data_dir;
        let making = std::fs::create_dir_all(dir);
        making.with_context(|| format!("cannot make {}", dir.display()))?;
        if !detail.is_plain() {
            let wrong = "tells names of nodes that no host of stampede gives";
            return Err(self.connection.failure(wrong.to_owned()));
        }
        Ok(detail.into())
    }

    /// The name of the project.
    pub(super) fn project_name(&self) -> &str {
        &self.login.session().project().name
    }

    pub(super) async fn keep_login(&mut self) -> Result<(), RenewalFailure> {
        self.login.renew_where_due().await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<(StatusCode, T)> {
        let token = self.login.session().token();
        let answer = self
            .connection
            .send(token, method, path, query, body)
            .await?;
        let status = answer.status;
        // An answer without a body is one of no fields.
        let text = if answer.body.is_empty() {
            b"{}"
        } else {
            &answer.body[..]
        };
        let read = serde_json::from_slice(text);
        let value = read.map_err(|error| {
            self.connection.failure(format!(
                "answers something else than this program knows: {error}"
            ))
        })?;
        Ok((status, value))
    }

    /// What a GET of this path answers.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T> {
        let (_, told) = self.ask(Method::GET, path, &[], None).await?;
        Ok(told)
    }

    /// The clusters; those that are being deleted where that is said.
    async fn pages(&self, deleting: bool) -> Result<Vec<ClusterView>> {
        let (mut views, mut markers) = (Vec::new(), PageMarkers::default());
        loop {
            let mut query = vec![("limit", PAGE)];
            if deleting {
                query.push(("deleting", "true"));
            }
            if let Some(marker) = markers.last() {
                query.push(("marker", marker));
            }
            let (_, page): (_, ListAnswer) =
                self.ask(Method::GET, &["clusters"], &query, None).await?;
            views.extend(page.clusters.into_iter().map(ClusterAnswer::into_view));
            let Some(next) = page.next_marker else {
                break;
            };
            let followed = markers.follow(next);
            followed.map_err(|why| self.connection.failure(why))?;
        }
        if deleting {
            for view in &mut views {
                view.deletion = DeletionStage::Taken;
            }
        }
        Ok(views)
    }

    /// The requests that were made for a cluster, or in the whole project; the newest, and how many
    /// there are.
    pub(super) async fn history(
        &self,
        cluster: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<PastRequest>, usize)> {
        let path: &[&str] = match cluster {
            Some(name) => &["clusters", name, "requests"],
            None => &["requests"],
        };
        let limit = limit.to_string();
        let query = [("limit", limit.as_str())];
        let asking = self.ask(Method::GET, path, &query, None);
        let (_, page): (_, HistoryAnswer) = asking.await?;
        Ok((page.requests, page.matching))
    }

    /// All clusters, those that are being deleted among them.
    pub(super) async fn list(&self) -> Result<Vec<ClusterView>> {
        let mut views = self.pages(false).await?;
        views.extend(self.pages(true).await?);
        Ok(views)
    }

    /// The living cluster of this name.
    pub(super) async fn view(&self, name: &str) -> Result<ClusterView> {
        let path = ["clusters", name];
        let (_, found): (_, ClusterAnswer) = self.ask(Method::GET, &path, &[], None).await?;
        Ok(found.into_view())
    }

    /// The cluster of this name whose deletion has not come to its end.
    pub(super) async fn find_deleting(&self, name: &str) -> Result<Option<ClusterView>> {
        let all = self.pages(true).await?;
        Ok(all.into_iter().find(|view| view.name == name))
    }

    /// The cluster of this name and id, living or not; none where nothing is left of it.
    pub(super) async fn find_by_id(&self, name: &str, id: &str) -> Result<Option<ClusterView>> {
        let all = self.pages(true).await?;
        if let Some(mut found) = all.into_iter().find(|view| view.id == id) {
            if self.deletion_waits {
                found.deletion = DeletionStage::Asked;
            }
            return Ok(Some(found));
        }
        match self.view(name).await {
            Ok(view) => Ok(Some(view).filter(|view| view.id == id)),
            Err(error) if ServerFailure::is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn deploy(
        &self,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView> {
        let body = json!({ "name": name, "attributes": own_names(attributes) });
        let made = self.ask(Method::POST, &["clusters"], &[], Some(body)).await;
        let (_, made): (_, ClusterAnswer) = made?;
        Ok(made.into_view())
    }

    pub(super) async fn plan_deploy(
        &self,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ServerDeployPlan> {
        let body = json!({ "name": name, "attributes": own_names(attributes) });
        let query = [("dry_run", "true")];
        let (_, plan) = self
            .ask(Method::POST, &["clusters"], &query, Some(body))
            .await?;
        Ok(ServerDeployPlan(plan))
    }

    pub(super) async fn update(
        &self,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView> {
        let body = json!({ "attributes": own_names(attributes) });
        let path = ["clusters", name];
        let changed = self.ask(Method::PATCH, &path, &[], Some(body)).await;
        let (_, changed): (_, ClusterAnswer) = changed?;
        Ok(changed.into_view())
    }

    pub(super) async fn plan_update(
        &self,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ServerChangePlan> {
        let body = json!({ "attributes": own_names(attributes) });
        let (path, query) = (["clusters", name], [("dry_run", "true")]);
        let (_, plan) = self.ask(Method::PATCH, &path, &query, Some(body)).await?;
        Ok(ServerChangePlan(plan))
    }

    /// None where there is no living cluster of this name.
    pub(super) async fn delete(&mut self, name: &str) -> Result<Option<DeletionAnswer>> {
        let path = ["clusters", name];
        match self
            .ask::<DeletionTold>(Method::DELETE, &path, &[], None)
            .await
        {
            Ok((StatusCode::NO_CONTENT, _)) => Ok(Some(DeletionAnswer::Gone)),
            Ok((_, told)) => {
                self.deletion_waits = told.waits_for.is_some();
                let answer = told.waits_for.map(DeletionAnswer::Recorded);
                Ok(Some(answer.unwrap_or(DeletionAnswer::Taken)))
            }
            Err(error) if ServerFailure::is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The secret that an endpoint asks for; without a name that of the only one that asks.
    pub(super) async fn endpoint_secret(
        &self,
        name: &str,
        endpoint: Option<&str>,
    ) -> Result<secrecy::SecretString> {
        let named = match endpoint {
            Some(endpoint) => endpoint.to_owned(),
            None => self.only_asking_endpoint(name).await?,
        };
        let path = ["clusters", name, "endpoints", &named, "secret"];
        let (_, told): (_, SecretAnswer) = self.ask(Method::GET, &path, &[], None).await?;
        Ok(told.secret.into())
    }

    async fn only_asking_endpoint(&self, name: &str) -> Result<String> {
        let view = self.view(name).await?;
        let asking = view.endpoint_access.iter();
        let asking: Vec<&String> = asking
            .filter(|(_, access)| access.asks_for_secret)
            .map(|(name, _)| name)
            .collect();
        match asking.as_slice() {
            [one] => Ok((*one).clone()),
            _ => {
                let hint = "`stampede show` lists endpoints";
                let message = "name one: not exactly one endpoint asks for a secret";
                Err(super::RefusedRequest::of("ENDPOINT", message, hint))
            }
        }
    }

    /// The cluster once there is news of it, by its stream; a stream that breaks off is opened again. None
    /// where the host has not answered for now.
    pub(super) async fn next_view(&mut self, name: &str) -> Result<Option<ClusterView>> {
        let read = self.read_stream(name).await;
        if read.is_err() {
            self.stream = None;
        }
        self.bear_failed_look(read).await
    }

    /// The same of one that is to be deleted; within it none where nothing is left of it.
    pub(super) async fn look_for(
        &mut self,
        name: &str,
        id: &str,
    ) -> Result<Option<Option<ClusterView>>> {
        let found = self.find_by_id(name, id).await;
        self.bear_failed_look(found).await
    }

    /// None, after a pause, for a look of a wait that another one may do better.
    async fn bear_failed_look<T>(&mut self, look: Result<T>) -> Result<Option<T>> {
        match look {
            Ok(seen) => {
                self.failed_looks = 0;
                Ok(Some(seen))
            }
            Err(error) if ServerFailure::is_passing(&error) => {
                if ServerFailure::is_of_token(&error) {
                    self.login.renew_soon();
                }
                self.failed_looks += 1;
                if self.failed_looks > FAILED_LOOKS {
                    return Err(error);
                }
                tokio::time::sleep(LOOK_AGAIN).await;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn read_stream(&mut self, name: &str) -> Result<ClusterView> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let token = self.login.session().token();
                let opening = self.connection.open_stream(token, name);
                let opened = timeout(SILENCE_LIMIT, opening).await;
                let answer = opened.map_err(|_| self.connection.broke_off(false))??;
                none.insert(EventReader::new(answer))
            }
        };
        loop {
            let event = timeout(SILENCE_LIMIT, stream.next_event()).await;
            let event = event.ok().and_then(|read| read.ok().flatten());
            let Some(StreamEvent { name: kind, data }) = event else {
                return Err(self.connection.broke_off(false));
            };
            match kind.as_str() {
                "cluster" => {
                    let read: ClusterAnswer = serde_json::from_str(&data)
                        .map_err(|error| anyhow!("an event is no cluster: {error}"))?;
                    return Ok(read.into_view());
                }
                "end" => {
                    let end: StreamEnding = serde_json::from_str(&data).unwrap_or_default();
                    return Err(match end.reason.as_str() {
                        "gone" => ServerFailure::not_found(end.detail),
                        reason => self.connection.broke_off(reason == "token"),
                    });
                }
                _ => {}
            }
        }
    }
}

/// Why a stream has ended.
#[derive(Default, Deserialize)]
struct StreamEnding {
    reason: String,
    detail: String,
}

/// Attributes as the API has them: without `stampede.`; an empty one is let go.
fn own_names(attributes: ClientAttributes) -> Map<String, Value> {
    let own = attributes.into_iter().map(|(name, value)| {
        let name = name.strip_prefix(PREFIX).map(str::to_owned).unwrap_or(name);
        (name, Value::from(value))
    });
    own.collect()
}
