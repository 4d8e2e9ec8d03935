//! One cluster: what it is, what goes on, and how it is reached.

use http::{Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::answer::PageError;
use super::cluster_view::{ClusterData, cluster_data, path_part};
use super::commands::cluster_command;
use super::history::{HistoryData, cluster_history};
use super::request::SignedIn;
use crate::answer::AnswerBody;
use crate::orchestrator::{Caller, ClusterView, Orchestrator, OrchestratorError, ViewVersion};
use crate::system::clock::unix_now_s;

/// A cluster as a page shows it, what that depends on, and whether it changes by itself.
pub(super) struct LiveCluster {
    pub(super) data: ClusterData,
    pub(super) edition: Option<ViewVersion>,
    pub(super) is_moving: bool,
    view: ClusterView,
}

/// The cluster of this name, also one that is being deleted.
pub(super) async fn look_up(
    orchestrator: &Orchestrator,
    caller: &Caller,
    name: &str,
) -> Result<LiveCluster, OrchestratorError> {
    let (view, access, edition) = match orchestrator.find(caller, name).await {
        Ok(found) => (
            found.view(),
            found.node_access(),
            Some(found.edition().clone()),
        ),
        Err(OrchestratorError::NotFound(_)) => {
            let deleting = orchestrator.list_deleting(caller).await?;
            let view = deleting.into_iter().find(|view| view.name == name);
            let missing = || OrchestratorError::NotFound(name.to_owned());
            (view.ok_or_else(missing)?, None, None)
        }
        Err(error) => return Err(error),
    };
    Ok(LiveCluster {
        data: cluster_data(&view, access.as_ref(), caller.user_id(), unix_now_s()),
        edition,
        is_moving: view.state.is_moving(),
        view,
    })
}

/// The page.
pub(super) async fn show(
    signed_in: &SignedIn,
    name: &str,
) -> Result<Response<AnswerBody>, PageError> {
    let shown = look_up(&signed_in.state.orchestrator, &signed_in.caller, name).await?;
    let history = cluster_history(signed_in, &shown.view, shown.data.is_going).await?;
    let data = shown.data;
    signed_in.page(StatusCode::OK, "cluster.html", &PageData { data, history })
}

/// The page's data: what renews itself, and what stays.
#[derive(Serialize)]
struct PageData {
    #[serde(flatten)]
    data: ClusterData,
    history: HistoryData,
}

#[derive(Serialize)]
struct SecretData<'a> {
    name: &'a str,
    path: String,
    endpoint: &'a str,
    secret: &'a str,
    command: String,
}

/// The secret that an endpoint asks for. By POST, so that no link shows it and no browser keeps it.
pub(super) async fn show_secret(
    signed_in: &SignedIn,
    name: &str,
) -> Result<Response<AnswerBody>, PageError> {
    let form = signed_in.request.form()?;
    let endpoint = form.get("endpoint");
    let orchestrator = &signed_in.state.orchestrator;
    let asked = Some(endpoint).filter(|endpoint| !endpoint.is_empty());
    let secret = orchestrator
        .endpoint_secret(&signed_in.caller, name, asked)
        .await?;
    let data = SecretData {
        name,
        path: path_part(name),
        endpoint,
        secret: secret.expose_secret(),
        command: cluster_command("secret", &[name, endpoint]),
    };
    signed_in.page(StatusCode::OK, "secret.html", &data)
}
