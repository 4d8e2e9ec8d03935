//! The page of an upgrade: what it would change, and the button that begins it.

use http::StatusCode;
use serde_json::json;

use super::super::cluster_view::path_part;
use super::super::commands::upgrade_command;
use super::super::texts::say;
use super::super::work_view::say_newer;
use super::form_page::form_page;
use super::typed_request::TypedRequest;
use super::{FormAnswer, FormDesk, FormNotice, FormRequest, cluster_page, tell_refusal};
use crate::cluster::attribute_schema::UPGRADE;
use crate::orchestrator::OrchestratorError;

impl FormDesk<'_> {
    /// `seen` is the revision that was looked at; empty: none.
    pub(super) async fn show_upgrade(
        &self,
        request: &FormRequest<'_>,
        name: &str,
        seen: &str,
        notice: FormNotice,
    ) -> Result<FormAnswer, OrchestratorError> {
        let view = self.orchestrator.view(self.caller, name).await?;
        let asked = upgrade_of(name);
        let forms = self.orchestrator.forms().afresh();
        let form = Box::pin(forms.change(self.caller, name, asked.client_attributes())).await?;
        let is_old = !seen.is_empty() && form.revision.as_deref() != Some(seen);
        let notice = notice.or_else(|| is_old.then(somebody_else));
        let (status, notice) = notice.unwrap_or((StatusCode::OK, String::new()));
        let is_sound = form.refusal().is_none();
        let mut shown = form_page(&form, &asked);
        shown.command = upgrade_command(name);
        for problem in &mut shown.problems {
            // Their fields stand on another page.
            problem.field.clear();
        }
        let cluster = format!("{}/clusters/{}", request.base, path_part(name));
        Ok(FormAnswer::Page {
            status,
            template: "upgrade.html",
            data: json!({
                "form": shown,
                "change": form.change,
                "offer": view.upgrade.as_ref().map(say_newer),
                "can_begin": view.upgrade.is_some() && is_sound && form.change.is_some(),
                "is_nothing": view.upgrade.is_none() && is_sound,
                "asked": true,
                "here": format!("{cluster}/upgrade"),
                "cluster": cluster,
                "notice": notice,
                "is_fault": status != StatusCode::OK,
            }),
        })
    }

    pub(super) async fn begin_upgrade(
        &self,
        request: &FormRequest<'_>,
        name: &str,
        seen: &str,
    ) -> Result<FormAnswer, OrchestratorError> {
        let attributes = upgrade_of(name).client_attributes();
        // A request without a revision has seen nothing.
        let begun = self
            .orchestrator
            .update_at(self.caller, name, attributes, Some(seen))
            .await;
        match begun {
            Ok(_) => Ok(cluster_page(request.base, name)),
            Err(error) => {
                let notice = tell_refusal(error, somebody_else)?;
                self.show_upgrade(request, name, "", Some(notice)).await
            }
        }
    }
}

/// As if it had been typed.
fn upgrade_of(name: &str) -> TypedRequest {
    TypedRequest {
        name: name.to_owned(),
        attributes: [(UPGRADE.to_owned(), "true".to_owned())].into(),
        ..TypedRequest::default()
    }
}

/// The cluster is not what was seen, or nobody has seen it.
fn somebody_else() -> (StatusCode, String) {
    (StatusCode::CONFLICT, say("upgrade.superseded", &[]))
}
