//! Signing in, by what Keystone takes, and signing out.

use std::sync::Arc;

use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};
use secrecy::SecretString;
use serde::Serialize;
use tokio::sync::Semaphore;

use super::answer::{MessageData, PageError, page_answer, redirect};
use super::attempts::AttemptKey;
use super::cluster_view::path_part;
use super::cookie::{SessionId, drop_cookie};
use super::render::{PageFrame, render_page};
use super::request::{FormFields, PageRequest, call_as};
use super::route::PageRoute;
use super::sessions::{KeptForm, PageSession};
use super::texts::say;
use super::{BASE_PATH, PageState};
use crate::answer::AnswerBody;
use crate::cluster::ClusterState;
use crate::openstack::UserLogin;
use crate::orchestrator::{Caller, ClusterView, OrchestratorError};
use crate::system::clock::{monotonic_now, wall_now};
use crate::system::random::random_256;

/// The form, with what was typed but for secrets.
#[derive(Debug, Default, Serialize)]
struct SignInData {
    /// Whether what is typed stays between the browser and this service.
    is_private: bool,
    error: Option<String>,
    way: String,
    user: String,
    domain: String,
    project: String,
    project_domain: String,
    region: String,
    regions: Vec<String>,
    credential: String,
    next: String,
    /// What was typed into the form that `next` is.
    kept: String,
    /// What became of what was asked for when the session had ended.
    ended: Option<String>,
}

impl SignInData {
    fn of_form(form: &FormFields) -> Self {
        let text = |name: &str| form.get(name).to_owned();
        Self {
            is_private: true,
            way: text("way"),
            user: text("user"),
            domain: text("domain"),
            project: text("project"),
            project_domain: text("project_domain"),
            region: text("region"),
            credential: text("credential"),
            next: text("next"),
            kept: text("kept"),
            ..Self::default()
        }
    }

    fn answer(
        &self,
        request: &PageRequest,
        status: StatusCode,
    ) -> Result<Response<AnswerBody>, PageError> {
        let frame = PageFrame {
            prefix: request.prefix().to_owned(),
            ..PageFrame::default()
        };
        Ok(page_answer(
            status,
            render_page("sign_in.html", &frame, self)?,
        ))
    }
}

/// The form; who has signed in already is led on.
pub(super) async fn show_form(
    state: &Arc<PageState>,
    request: &PageRequest,
) -> Result<Response<AnswerBody>, PageError> {
    let next = request.query()?.get("next").to_owned();
    let id = SessionId::from_headers(&request.head.headers);
    if id.is_some_and(|id| state.sessions.find(id, monotonic_now(), true).is_some()) {
        return Ok(redirect(&next_path(request, &next)));
    }
    let form = SignInData {
        is_private: request.is_private(),
        next,
        ..SignInData::default()
    };
    form.answer(request, StatusCode::OK)
}

/// The form, where a form was sent whose session had ended: nothing is done, and what was typed is
/// kept for the page that comes after signing in.
pub(super) fn ask_again(
    state: &Arc<PageState>,
    request: &PageRequest,
    route: &PageRoute,
) -> Result<Response<AnswerBody>, PageError> {
    let (next, kept) = match route {
        PageRoute::Form(path) => (path.form(), request.form()?.encode()),
        PageRoute::Delete(name) => (
            format!("/clusters/{}/delete", path_part(name)),
            String::new(),
        ),
        PageRoute::Secret(name) => (format!("/clusters/{}", path_part(name)), String::new()),
        _ => ("/clusters".to_owned(), String::new()),
    };
    let fits = kept.len() <= state.sessions.limits().kept_bytes;
    let words = match (kept.is_empty(), fits) {
        (true, _) => "sign_in.ended",
        (false, true) => "sign_in.ended_kept",
        (false, false) => "sign_in.ended_lost",
    };
    let form = SignInData {
        is_private: request.is_private(),
        next: format!("{BASE_PATH}{next}"),
        kept: if fits { kept } else { String::new() },
        ended: Some(say(words, &[])),
        ..SignInData::default()
    };
    let mut answer = form.answer(request, StatusCode::UNAUTHORIZED)?;
    answer.headers_mut().insert(SET_COOKIE, drop_cookie());
    Ok(answer)
}

/// Signs in. A session that the browser has already ends, and the new one has another id: nobody can
/// have somebody else sign in to a session that they know.
pub(super) async fn sign_in(
    state: &Arc<PageState>,
    request: &PageRequest,
) -> Result<Response<AnswerBody>, PageError> {
    let form = request.form()?;
    let mut data = SignInData::of_form(&form);
    if !request.is_private() {
        data.is_private = false;
        return data.answer(request, StatusCode::FORBIDDEN);
    }
    let (login, account) = match read_login(&form) {
        Ok(read) => read,
        Err(missing) => {
            data.error = Some(say(missing, &[]));
            return data.answer(request, StatusCode::BAD_REQUEST);
        }
    };
    let keys: Vec<_> = account
        .into_iter()
        .chain(request.peer.map(AttemptKey::Address))
        .collect();
    if let Err(wait) = state.attempts.begin(&keys, monotonic_now()) {
        let seconds = wait.as_secs() + 1;
        data.error = Some(say("sign_in.too_often", &[("seconds", &seconds)]));
        let mut answer = data.answer(request, StatusCode::TOO_MANY_REQUESTS)?;
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
        return Ok(answer);
    }
    let caller = match state.orchestrator.sign_in(&login).await {
        Ok(caller) => caller,
        Err(error) => {
            let is_guess = matches!(
                error,
                OrchestratorError::Unauthorized(_) | OrchestratorError::Forbidden(_)
            );
            if !is_guess {
                state.attempts.forgive(&keys, false);
            }
            data.error = Some(describe_refusal(&error));
            let status = if is_guess {
                StatusCode::UNAUTHORIZED
            } else {
                StatusCode::BAD_GATEWAY
            };
            return data.answer(request, status);
        }
    };
    state.attempts.forgive(&keys, true);
    let regions = caller.session().heat_regions();
    let region = match choose_region(&caller, &data.region) {
        Ok(region) => region,
        Err(text) => {
            let names = regions.join(", ");
            data.error = Some(say(text, &[("regions", &names)]));
            data.regions = regions.into_iter().map(str::to_owned).collect();
            return data.answer(request, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    Ok(begin_session(state, request, &caller, region, data))
}

/// Opens the session, and leads on to where the form says.
fn begin_session(
    state: &PageState,
    request: &PageRequest,
    caller: &Caller,
    region: Option<String>,
    form: SignInData,
) -> Response<AnswerBody> {
    if let Some(former) = SessionId::from_headers(&request.head.headers) {
        state.sessions.end(former);
    }
    let id = SessionId(random_256());
    let session = open_session(state, caller, region);
    tracing::info!(
        user.id = session.user_id,
        project.id = session.project_id,
        "signed in"
    );
    state.sessions.open(id, session, monotonic_now());
    let mut answer = redirect(&next_path(request, &form.next));
    if !form.kept.is_empty() {
        let kept = KeptForm {
            page: form.next,
            fields: form.kept,
        };
        state.sessions.keep_form(id, kept);
    }
    if let Some(cookie) = id.set_cookie() {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

/// Ends the session and its token.
pub(super) async fn sign_out(
    state: &Arc<PageState>,
    request: &PageRequest,
) -> Result<Response<AnswerBody>, PageError> {
    let id = SessionId::from_headers(&request.head.headers);
    let mut lines = vec![say("sign_out.done", &[])];
    if let Some(session) = id.and_then(|id| state.sessions.end(id))
        && let Ok(caller) = call_as(state, &session).await
    {
        let waiting = waiting_clusters(state, &caller).await;
        if !waiting.is_empty() {
            lines.push(say("sign_out.waiting", &[("names", &waiting.join(", "))]));
        }
        match state.orchestrator.sign_out(&caller).await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!("a token was not ended: {error}");
                lines = vec![say("sign_out.token_lasts", &[])];
            }
        }
    }
    let frame = PageFrame {
        prefix: request.prefix().to_owned(),
        ..PageFrame::default()
    };
    let message = MessageData {
        title: say("sign_out.title", &[]),
        lines,
        failed: false,
        next: Some(("/sign-in".to_owned(), say("sign_in.again", &[]))),
    };
    let mut answer = page_answer(
        StatusCode::OK,
        render_page("message.html", &frame, &message)?,
    );
    answer.headers_mut().insert(SET_COOKIE, drop_cookie());
    // Whatever the browser still keeps of our pages.
    answer.headers_mut().insert(
        "clear-site-data",
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    Ok(answer)
}

/// The user's clusters that go on with their token alone.
async fn waiting_clusters(state: &PageState, caller: &Caller) -> Vec<String> {
    let waits = |view: &ClusterView| {
        matches!(view.state, ClusterState::Planned | ClusterState::Updating)
            && view.owner.as_deref() == Some(caller.user_id())
    };
    let views = state.orchestrator.list(caller).await.unwrap_or_default();
    let waiting = views.into_iter().filter(waits);
    waiting.map(|view| view.name).collect()
}

/// What was typed, and whose failures are counted; or the text that says what is missing.
fn read_login(form: &FormFields) -> Result<(UserLogin, Option<AttemptKey>), &'static str> {
    let secret = |name: &str| {
        let text = form.get_whole(name);
        (!text.is_empty()).then(|| SecretString::from(text))
    };
    let account = |name: &str, domain: &str| {
        let folded = |text: &str| text.to_lowercase();
        Some(AttemptKey::Account(folded(name), folded(domain)))
    };
    match form.get("way") {
        "token" => {
            let token = form.get("token");
            if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err("sign_in.no_token");
            }
            Ok((UserLogin::with_token(SecretString::from(token)), None))
        }
        "credential" => {
            let id = form.get("credential");
            let secret = secret("secret").filter(|_| !id.is_empty());
            let secret = secret.ok_or("sign_in.no_credential")?;
            let login = UserLogin::with_application_credential(id, secret);
            Ok((login, account(id, "application credential")))
        }
        _ => {
            let (user, domain) = (form.get("user"), form.get("domain"));
            let password = secret("password").filter(|_| !user.is_empty());
            let password = password.ok_or("sign_in.no_password")?;
            let project = (form.get("project"), form.get("project_domain"));
            let login = UserLogin::with_password((user, domain), password, project);
            Ok((login, account(user, domain)))
        }
    }
}

/// Keystone's own words, but where they would send a person to variables that they do not have.
fn describe_refusal(error: &OrchestratorError) -> String {
    match error {
        OrchestratorError::Unauthorized(_) => say("sign_in.refused", &[]),
        OrchestratorError::Forbidden(_) => say("sign_in.no_project", &[]),
        OrchestratorError::Internal(_) => say("error.internal_why", &[]),
        other => say("sign_in.cloud", &[("why", other)]),
    }
}

/// The region of the session, or the text that says what is wrong with it.
fn choose_region(caller: &Caller, asked: &str) -> Result<Option<String>, &'static str> {
    let known = caller.session().heat_regions();
    match asked {
        "" if known.len() > 1 && caller.region().is_err() => Err("sign_in.several_regions"),
        "" => Ok(caller
            .region()
            .ok()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)),
        name if known.contains(&name) => Ok(Some(name.to_owned())),
        _ => Err("sign_in.no_region"),
    }
}

fn open_session(state: &PageState, caller: &Caller, region: Option<String>) -> PageSession {
    let session = caller.session();
    let limits = state.sessions.limits();
    let life = limits.life;
    let left = session.expires_at().map_or(life, |ends| {
        ends.duration_since(wall_now())
            .unwrap_or_default()
            .min(life)
    });
    PageSession {
        token: session.token().clone(),
        project_id: caller.project_id().to_owned(),
        project_name: caller.project_name().to_owned(),
        user_id: caller.user_id().to_owned(),
        user_name: session.user().name.clone(),
        only_looks: session.application_credential() && !session.allows_application_credentials(),
        region,
        ends: monotonic_now() + left,
        streams: Arc::new(Semaphore::new(limits.streams)),
    }
}

/// Where to go on after signing in: a path of the page's, never one of another site.
fn next_path(request: &PageRequest, next: &str) -> String {
    let is_ours = next.starts_with(&format!("{BASE_PATH}/"))
        && !next.contains(['\\', '\r', '\n'])
        && !next.contains("//")
        && !next.contains("..");
    if is_ours {
        format!("{}{next}", request.prefix())
    } else {
        request.path("/clusters")
    }
}
