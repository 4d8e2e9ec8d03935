//! Reads who asks: a token of the cloud, and the project where the token is not to say it.

use http::HeaderMap;
use http::header::USER_AGENT;
use secrecy::SecretString;

use super::problem::ApiProblem;
use crate::cluster::request_entry::RequestFace;
use crate::orchestrator::{Caller, Orchestrator};

/// The header of the token.
pub(super) const TOKEN: &str = "x-auth-token";
/// The header of the project, by name or id, as OCCI has it.
pub(super) const PROJECT: &str = "x-tenant-name";

/// Token and project of a request, not validated yet.
#[derive(Clone)]
pub(super) struct ApiCredentials {
    token: SecretString,
    project: Option<String>,
    face: RequestFace,
}

/// What the command line calls itself over this API: `stampede/0.1.0`.
const COMMAND_LINE: &str = "stampede/";

/// Through what a client asks, by its own word.
fn face_of(headers: &HeaderMap) -> RequestFace {
    let agent = headers.get(USER_AGENT);
    let agent = agent.and_then(|agent| agent.to_str().ok());
    match agent {
        Some(agent) if agent.starts_with(COMMAND_LINE) => RequestFace::CommandLine,
        _ => RequestFace::Api,
    }
}

impl ApiCredentials {
    /// Those of the headers alone: a cookie counts for nothing.
    ///
    /// # Errors
    /// There is no token, or a header is no single line of text.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, ApiProblem> {
        let text = |name: &'static str| {
            let mut lines = headers.get_all(name).iter();
            let (first, further) = (lines.next(), lines.next());
            match (
                first.map(|line| std::str::from_utf8(line.as_bytes())),
                further,
            ) {
                (None, _) => Ok(None),
                (Some(Ok(text)), None) => Ok(Some(text.to_owned()).filter(|text| !text.is_empty())),
                _ => Err(ApiProblem::bad_header(name)),
            }
        };
        let token = text(TOKEN)?.ok_or_else(ApiProblem::no_token)?;
        Ok(Self {
            token: token.into(),
            project: text(PROJECT)?,
            face: face_of(headers),
        })
    }

    /// Who it is, by Keystone's word or what it has said of late.
    ///
    /// # Errors
    /// The token is not good, or not for the project; Keystone cannot be asked.
    pub(super) async fn authenticate(
        &self,
        orchestrator: &Orchestrator,
    ) -> Result<Caller, ApiProblem> {
        let token = self.token.clone();
        let caller = match &self.project {
            Some(project) => orchestrator.authenticate(token, project).await,
            None => orchestrator.authenticate_scoped(token).await,
        };
        Ok(caller?.through(self.face))
    }
}
