//! Deletes a cluster: shows what goes and what stays, and asks for its name.

use http::{Response, StatusCode};
use serde::Serialize;

use super::answer::{PageError, redirect};
use super::cluster_view::{node_number, node_sentence, path_part};
use super::commands::cluster_command;
use super::request::SignedIn;
use super::texts::{say, say_number};
use crate::answer::AnswerBody;
use crate::orchestrator::ClusterView;

#[derive(Debug, Serialize)]
struct DeletionData {
    name: String,
    path: String,
    goes: Vec<String>,
    stays: Vec<String>,
    command: String,
    error: Option<String>,
}

/// The form.
pub(super) async fn show_form(
    signed_in: &SignedIn,
    name: &str,
) -> Result<Response<AnswerBody>, PageError> {
    answer(signed_in, name, StatusCode::OK, None).await
}

/// Has it deleted, where the name was typed.
pub(super) async fn delete(
    signed_in: &SignedIn,
    name: &str,
) -> Result<Response<AnswerBody>, PageError> {
    let form = signed_in.request.form()?;
    if form.get("name") != name {
        let error = say("delete.wrong_name", &[("name", &name)]);
        return answer(
            signed_in,
            name,
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(error),
        )
        .await;
    }
    signed_in
        .state
        .orchestrator
        .delete(&signed_in.caller, name)
        .await?;
    let path = format!("/clusters?deleted={}", path_part(name));
    Ok(redirect(&signed_in.request.path(&path)))
}

async fn answer(
    signed_in: &SignedIn,
    name: &str,
    status: StatusCode,
    error: Option<String>,
) -> Result<Response<AnswerBody>, PageError> {
    let view = signed_in
        .state
        .orchestrator
        .view(&signed_in.caller, name)
        .await?;
    let data = DeletionData {
        path: path_part(&view.name),
        goes: what_goes(&view),
        stays: what_stays(&view),
        command: cluster_command("delete", &[&view.name]),
        name: view.name,
        error,
    };
    signed_in.page(status, "delete.html", &data)
}

fn what_goes(view: &ClusterView) -> Vec<String> {
    let mut goes = Vec::new();
    if let Some((_, id)) = &view.stack_id {
        let number = say_number("cluster.node_count", node_number(view));
        let groups = node_sentence(view);
        goes.push(say(
            "delete.nodes",
            &[("nodes", &number), ("groups", &groups)],
        ));
        goes.push(say("delete.data", &[]));
        goes.push(say("delete.stack", &[("id", id)]));
    }
    goes.push(say("delete.record", &[]));
    goes
}

fn what_stays(view: &ClusterView) -> Vec<String> {
    let mut stays = vec![say("delete.cloud", &[])];
    if view.stack_id.is_some() {
        stays.push(say("delete.outside", &[]));
    }
    stays
}
