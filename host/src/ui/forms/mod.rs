//! Pages on which clusters are asked for and changed: the form, its preview, and files of a request.
//! They show what the orchestrator tells of a request, whether it is sound or not, and ask it for
//! what was seen.
//!
//! Layout
//! - [`FormDesk`]: a request's way to its answer; `form_path`: which page a path is of
//! - `upgrade_page`: its answers where an upgrade is asked for
//! - [`typed_request`]: what was typed (pure)
//! - [`form_data`], made by `form_page` over `field_label`, and `preview_page`: the data of the pages (pure); `templates/`: their HTML

mod field_label;
pub mod form_data;
pub mod form_page;
pub mod form_path;
pub mod preview_page;
pub mod typed_request;
mod upgrade_page;

use http::StatusCode;
use serde_json::{Value, json};

use self::form_page::form_page;
pub use self::form_path::FormPath;
use self::preview_page::{draw_nodes, preview_files, preview_page};
use self::typed_request::TypedRequest;
use super::texts::say;
use crate::cluster::{ClusterState, request_entry::values_to_restore};
use crate::orchestrator::{
    Caller, CreateOutcome, FormDepth, JournalQuery, Orchestrator, OrchestratorError, RequestForm,
    RequestForms,
};
use crate::system::utc_time::format_utc;

/// The templates of these pages, by name; they extend `layout.html`, with the blocks `title` and
/// `main`.
pub const TEMPLATES: [(&str, &str); 10] = [
    ("form_head.html", include_str!("templates/form_head.html")),
    ("form_note.html", include_str!("templates/form_note.html")),
    ("fields.html", include_str!("templates/fields.html")),
    ("request.html", include_str!("templates/request.html")),
    (
        "change_diff.html",
        include_str!("templates/change_diff.html"),
    ),
    ("new.html", include_str!("templates/new.html")),
    ("preview.html", include_str!("templates/preview.html")),
    ("change.html", include_str!("templates/change.html")),
    (
        "form_faults.html",
        include_str!("templates/form_faults.html"),
    ),
    ("upgrade.html", include_str!("templates/upgrade.html")),
];

/// The part of a form's page that is sent again while somebody types.
const PARTIAL: &str = "request.html";

/// A request for a form's page.
#[derive(Clone, Debug)]
pub struct FormRequest<'a> {
    /// What it is of.
    pub path: FormPath,
    /// What stands before the paths of pages, such as `/ui`.
    pub base: &'a str,
    /// The fields of the body, or of the URL where there is none.
    pub fields: &'a [u8],
    /// Whether a body was sent.
    pub is_sent: bool,
    /// Whether a script asks for the part that changes.
    pub is_partial: bool,
}

/// The answer.
#[derive(Debug)]
pub enum FormAnswer {
    /// A page.
    Page {
        /// Whether what was asked for was done.
        status: StatusCode,
        /// Which template.
        template: &'static str,
        /// Its data, as templates know it: `page`.
        data: Value,
    },
    /// A file to keep.
    File {
        /// Its name.
        name: String,
        /// What is in it.
        text: String,
    },
    /// It was done: see there.
    SeeOther(String),
}

/// Answers requests for forms.
pub struct FormDesk<'a> {
    /// Whom it asks.
    pub orchestrator: &'a Orchestrator,
    /// For whom.
    pub caller: &'a Caller,
}

/// Requests that are read for a page: what a cluster was after one of them is made of all before it.
pub(super) const READ_REQUESTS: usize = 200;

/// What is told above a form.
type FormNotice = Option<(StatusCode, String)>;

impl FormDesk<'_> {
    /// Answers one.
    ///
    /// # Errors
    /// `Unauthorized` where the caller has to sign in again, `NotFound`, `Internal`.
    pub async fn answer(&self, request: &FormRequest<'_>) -> Result<FormAnswer, OrchestratorError> {
        let typed = TypedRequest::from_fields(request.fields);
        // Large: all that the orchestrator does for a page is in it.
        Box::pin(self.answer_typed(request, &typed)).await
    }

    async fn answer_typed(
        &self,
        request: &FormRequest<'_>,
        typed: &TypedRequest,
    ) -> Result<FormAnswer, OrchestratorError> {
        match &request.path {
            FormPath::New => {
                match typed_name(request.fields, "like").filter(|_| !request.is_sent) {
                    Some(like) => self.another_like(request, &like).await,
                    None => self.show_new(request, typed, None).await,
                }
            }
            FormPath::Import => self.import(request).await,
            FormPath::Preview => self.preview(request, typed).await,
            FormPath::PreviewFile(name) => self.preview_file(request, typed, name).await,
            FormPath::Create => self.create(request, typed).await,
            FormPath::Export(name) => self.export(name).await,
            FormPath::Change(name) => {
                match typed_name(request.fields, "request").filter(|_| !request.is_sent) {
                    Some(number) => self.back_to(request, name, &number).await,
                    None => self.show_change(request, name, typed, None).await,
                }
            }
            FormPath::Apply(name) => self.apply(request, name, typed).await,
            FormPath::Upgrade(name) => {
                self.show_upgrade(request, name, &typed.revision, None)
                    .await
            }
            FormPath::BeginUpgrade(name) => {
                self.begin_upgrade(request, name, &typed.revision).await
            }
        }
    }

    async fn ask_new(
        &self,
        forms: RequestForms,
        typed: &TypedRequest,
        depth: FormDepth,
    ) -> Result<RequestForm, OrchestratorError> {
        let attributes = typed.client_attributes();
        let form = forms.new_cluster(self.caller, &typed.name, attributes, depth);
        Box::pin(form).await
    }

    async fn show_new(
        &self,
        request: &FormRequest<'_>,
        typed: &TypedRequest,
        notice: FormNotice,
    ) -> Result<FormAnswer, OrchestratorError> {
        let forms = self.forms(&notice);
        let form = self.ask_new(forms, typed, FormDepth::Typing).await?;
        let here = format!("{}/new", request.base);
        Ok(self.form_answer(request, ("new.html", here), &form, typed, notice))
    }

    /// After a refusal, what the cloud has is shown as it is now.
    fn forms(&self, notice: &FormNotice) -> RequestForms {
        let forms = self.orchestrator.forms();
        match notice {
            Some(_) => forms.afresh(),
            None => forms,
        }
    }

    fn form_answer(
        &self,
        request: &FormRequest<'_>,
        (template, here): (&'static str, String),
        form: &RequestForm,
        typed: &TypedRequest,
        notice: FormNotice,
    ) -> FormAnswer {
        let (status, notice) = notice.unwrap_or((StatusCode::OK, String::new()));
        FormAnswer::Page {
            status,
            template: if request.is_partial {
                PARTIAL
            } else {
                template
            },
            data: json!({
                "form": form_page(form, typed),
                "change": form.change,
                "project": self.caller.project_name(),
                // An empty form is not scolded for what nobody has typed yet.
                "asked": request.is_sent || !typed.attributes.is_empty(),
                "here": here,
                "notice": notice,
                "is_fault": status != StatusCode::OK,
            }),
        }
    }

    /// A form that is filled with what another cluster was asked for.
    async fn another_like(
        &self,
        request: &FormRequest<'_>,
        name: &str,
    ) -> Result<FormAnswer, OrchestratorError> {
        let view = self.orchestrator.view(self.caller, name).await?;
        let typed = TypedRequest::like(&view.attributes);
        self.show_new(request, &typed, None).await
    }

    async fn import(&self, request: &FormRequest<'_>) -> Result<FormAnswer, OrchestratorError> {
        let text = typed_name(request.fields, "file").unwrap_or_default();
        match TypedRequest::from_toml(&text) {
            Ok(typed) => self.show_new(request, &typed, None).await,
            Err(problem) => {
                let notice = (StatusCode::UNPROCESSABLE_ENTITY, problem.to_string());
                let nothing = TypedRequest::default();
                self.show_new(request, &nothing, Some(notice)).await
            }
        }
    }

    async fn preview(
        &self,
        request: &FormRequest<'_>,
        typed: &TypedRequest,
    ) -> Result<FormAnswer, OrchestratorError> {
        let forms = self.orchestrator.forms();
        let form = self.ask_new(forms, typed, FormDepth::Whole).await?;
        let here = format!("{}/new", request.base);
        let Some(preview) = form.preview.as_ref().filter(|_| form.refusal().is_none()) else {
            let unsound = Some((StatusCode::UNPROCESSABLE_ENTITY, String::new()));
            return Ok(self.form_answer(request, ("new.html", here), &form, typed, unsound));
        };
        Ok(FormAnswer::Page {
            status: StatusCode::OK,
            template: "preview.html",
            data: json!({
                "form": form_page(&form, typed),
                "preview": preview_page(preview, typed),
                "drawing": draw_nodes(&form.groups),
                "fields": typed.fields(),
                "here": here,
            }),
        })
    }

    async fn preview_file(
        &self,
        request: &FormRequest<'_>,
        typed: &TypedRequest,
        name: &str,
    ) -> Result<FormAnswer, OrchestratorError> {
        // As the preview has it, which remembers nothing.
        let forms = self.orchestrator.forms().afresh();
        let form = self.ask_new(forms, typed, FormDepth::Typing).await?;
        let files = form
            .preview
            .as_ref()
            .map(|preview| preview_files(preview, typed));
        match files {
            None => {
                let here = format!("{}/new", request.base);
                let unsound = Some((StatusCode::UNPROCESSABLE_ENTITY, String::new()));
                Ok(self.form_answer(request, ("new.html", here), &form, typed, unsound))
            }
            Some(mut files) => match files.remove(name) {
                Some(text) => Ok(FormAnswer::File {
                    name: name.to_owned(),
                    text,
                }),
                None => Err(OrchestratorError::NotFound(name.to_owned())),
            },
        }
    }

    async fn create(
        &self,
        request: &FormRequest<'_>,
        typed: &TypedRequest,
    ) -> Result<FormAnswer, OrchestratorError> {
        match Box::pin(self.request_and_deploy(typed)).await {
            Ok(()) => Ok(cluster_page(request.base, &typed.name)),
            Err(error @ OrchestratorError::Unauthorized(_)) => Err(error),
            Err(error) => {
                let words = match &error {
                    // They are told beside their fields.
                    OrchestratorError::Invalid(_) => String::new(),
                    other => other.to_string(),
                };
                let notice = Some((StatusCode::UNPROCESSABLE_ENTITY, words));
                self.show_new(request, typed, notice).await
            }
        }
    }

    /// Where nothing was recorded for the cloud, the name is not kept either.
    async fn request_and_deploy(&self, typed: &TypedRequest) -> Result<(), OrchestratorError> {
        let (orchestrator, caller) = (self.orchestrator, self.caller);
        let (name, attributes) = (&typed.name, typed.client_attributes());
        let requested = orchestrator
            .request(caller, name, attributes.clone())
            .await?;
        if matches!(requested, CreateOutcome::Existing(_)) {
            let words = say("form.name_taken", &[("name", name)]);
            return Err(OrchestratorError::Conflict(words));
        }
        let deployed = orchestrator.deploy(caller, name, attributes).await;
        let Err(error) = deployed else { return Ok(()) };
        let left = orchestrator.view(caller, name).await;
        if left.is_ok_and(|view| view.state == ClusterState::Requested) {
            if let Err(error) = orchestrator.delete(caller, name).await {
                tracing::warn!("`{name}` is still listed: {error}");
            }
            return Err(error);
        }
        // What is wanted stands, and the page of the cluster tells how it goes on.
        Ok(())
    }

    async fn export(&self, name: &str) -> Result<FormAnswer, OrchestratorError> {
        let view = self.orchestrator.view(self.caller, name).await?;
        let like = TypedRequest::like(&view.attributes);
        let kept = TypedRequest {
            name: name.to_owned(),
            ..like
        };
        Ok(FormAnswer::File {
            name: format!("{name}.toml"),
            text: kept.to_toml(),
        })
    }

    async fn show_change(
        &self,
        request: &FormRequest<'_>,
        name: &str,
        typed: &TypedRequest,
        notice: FormNotice,
    ) -> Result<FormAnswer, OrchestratorError> {
        let forms = self.forms(&notice);
        let attributes = typed.client_attributes();
        let form = Box::pin(forms.change(self.caller, name, attributes)).await?;
        let seen = &typed.revision;
        let is_old = !seen.is_empty() && form.revision.as_ref() != Some(seen);
        let notice = notice.or_else(|| is_old.then(somebody_else));
        let typed = TypedRequest {
            name: form.name.clone(),
            ..typed.clone()
        };
        let here = format!("{}/clusters/{name}/change", request.base);
        Ok(self.form_answer(request, ("change.html", here), &form, &typed, notice))
    }

    /// A form that is filled with what the cluster was after a former request.
    async fn back_to(
        &self,
        request: &FormRequest<'_>,
        name: &str,
        number: &str,
    ) -> Result<FormAnswer, OrchestratorError> {
        let view = self.orchestrator.view(self.caller, name).await?;
        let query = JournalQuery {
            cluster_id: Some(&view.id),
            limit: READ_REQUESTS,
            ..JournalQuery::default()
        };
        let journal = self.orchestrator.journal();
        let entries = journal.of_project(self.caller, query).await?.entries;
        let number: i64 = number.parse().unwrap_or(0);
        let found = entries.iter().find(|entry| entry.number == number);
        let values = values_to_restore(&entries, number, &view.attributes, &view.node_counts);
        let (notice, typed) = match found.filter(|_| !values.is_empty()) {
            Some(entry) => {
                let when = format_utc(entry.asked_s);
                let words = say("history.filled", &[("when", &when)]);
                ((StatusCode::OK, words), TypedRequest::like(&values))
            }
            None => {
                let words = say("history.lost", &[]);
                ((StatusCode::NOT_FOUND, words), TypedRequest::default())
            }
        };
        self.show_change(request, name, &typed, Some(notice)).await
    }

    async fn apply(
        &self,
        request: &FormRequest<'_>,
        name: &str,
        typed: &TypedRequest,
    ) -> Result<FormAnswer, OrchestratorError> {
        let (orchestrator, attributes) = (self.orchestrator, typed.client_attributes());
        // A request without one has seen nothing.
        let revision = Some(typed.revision.as_str());
        let updated = orchestrator
            .update_at(self.caller, name, attributes, revision)
            .await;
        match updated {
            Ok(_) => Ok(cluster_page(request.base, name)),
            Err(error) => {
                let notice = tell_refusal(error, somebody_else)?;
                self.show_change(request, name, typed, Some(notice)).await
            }
        }
    }
}

/// What is told above a form of a change that was refused; `superseded` says that it was since the
/// cluster is another by now.
///
/// # Errors
/// What a page of its own tells.
fn tell_refusal(
    error: OrchestratorError,
    superseded: impl FnOnce() -> (StatusCode, String),
) -> Result<(StatusCode, String), OrchestratorError> {
    match error {
        OrchestratorError::Unauthorized(_) | OrchestratorError::NotFound(_) => Err(error),
        OrchestratorError::Superseded(_) => Ok(superseded()),
        // They are told beside their fields.
        OrchestratorError::Invalid(_) => Ok((StatusCode::UNPROCESSABLE_ENTITY, String::new())),
        other => Ok((StatusCode::CONFLICT, other.to_string())),
    }
}

/// The cluster is not what was seen, or nobody has seen it.
fn somebody_else() -> (StatusCode, String) {
    (StatusCode::CONFLICT, say("form.superseded", &[]))
}

fn cluster_page(base: &str, name: &str) -> FormAnswer {
    FormAnswer::SeeOther(format!("{base}/clusters/{name}"))
}

/// One field of those that were sent.
fn typed_name(fields: &[u8], name: &str) -> Option<String> {
    let mut all = url::form_urlencoded::parse(fields);
    let found = all.find(|(field, _)| field == name);
    found.map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests;
