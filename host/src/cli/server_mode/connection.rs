//! Requests to a host over HTTP, and what is wrong with them (RFC 9457) as this program's own errors, each
//! with its exit code. Certificates are always checked; the CA file of the cloud counts.

use std::time::Duration;

use anyhow::Result;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header::CONTENT_TYPE};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use super::super::{RefusedRequest, exit_code::CommandExit, server_url::ServerUrl};
use crate::{
    cluster::Problem,
    openstack::{CloudConfig, build_client_beside_cloud},
    system::http_client,
};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long an answer may take: a new cluster is planned, and checked by the cloud, before it comes.
const ANSWER_LIMIT: Duration = Duration::from_secs(180);
/// Bytes of an answer: a plan has the template and all scripts.
const ANSWER_BYTES: usize = 64 << 20;
/// The media type of problems.
const PROBLEM_JSON: &str = "application/problem+json";

/// Why a host does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(in super::super) struct ServerFailure {
    /// How the command ends.
    pub(in super::super) exit: CommandExit,
    message: String,
    remedy: FailureRemedy,
}

/// What may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureRemedy {
    /// Another request.
    None,
    /// Another try.
    Again,
    /// Another login.
    Login,
}

impl ServerFailure {
    /// There is no such cluster.
    pub(super) fn not_found(message: String) -> anyhow::Error {
        let failure = Self {
            exit: CommandExit::NotFound,
            message,
            remedy: FailureRemedy::None,
        };
        failure.into()
    }

    /// Whether that is why.
    pub(in super::super) fn is_not_found(error: &anyhow::Error) -> bool {
        let failure = error.downcast_ref::<Self>();
        failure.is_some_and(|failure| failure.exit == CommandExit::NotFound)
    }

    /// Whether another try may do, with the same login or another one.
    pub(super) fn is_passing(error: &anyhow::Error) -> bool {
        let failure = error.downcast_ref::<Self>();
        failure.is_some_and(|failure| failure.remedy != FailureRemedy::None)
    }

    /// Whether another login may do.
    pub(super) fn is_of_token(error: &anyhow::Error) -> bool {
        let failure = error.downcast_ref::<Self>();
        failure.is_some_and(|failure| failure.remedy == FailureRemedy::Login)
    }
}

/// A problem, as RFC 9457 and the API's document have it.
#[derive(Deserialize)]
struct ProblemTold {
    #[serde(default)]
    detail: String,
    #[serde(default)]
    problems: Vec<FieldTold>,
}

/// One thing that is wrong.
#[derive(Deserialize)]
struct FieldTold {
    #[serde(default)]
    path: String,
    attribute: Option<String>,
    message: String,
    #[serde(default)]
    hint: String,
}

/// An answer that is no problem.
pub(super) struct ServerAnswer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

/// The way to a host.
pub(super) struct ServerConnection {
    url: ServerUrl,
    http: Client,
}

impl ServerConnection {
    /// # Errors
    /// The cloud's CA file cannot be read.
    pub(super) fn new(url: &ServerUrl, cloud: &CloudConfig) -> Result<Self> {
        let is_loopback = url.is_loopback();
        let http = build_client_beside_cloud(cloud, || {
            let builder = http_client::new_builder()
                .user_agent(concat!("stampede/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_LIMIT);
            if is_loopback {
                builder.no_proxy()
            } else {
                builder
            }
        })?;
        Ok(Self {
            url: url.clone(),
            http,
        })
    }

    /// Where the host is.
    pub(super) fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// One request, and its answer.
    pub(super) async fn send(
        &self,
        token: &SecretString,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<ServerAnswer> {
        let mut url = self.url.below(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url).timeout(ANSWER_LIMIT);
        if let Some(body) = body {
            let kind = "application/json";
            request = request.header(CONTENT_TYPE, kind).body(body.to_string());
        }
        let answer = self.exchange(token, request).await?;
        let status = answer.status();
        let body = self.read_body(answer).await?;
        Ok(ServerAnswer { status, body })
    }

    /// The stream of a cluster's events.
    pub(super) async fn open_stream(&self, token: &SecretString, name: &str) -> Result<Response> {
        let url = self.url.below(&["clusters", name, "events"]);
        self.exchange(token, self.http.get(url)).await
    }

    async fn exchange(&self, token: &SecretString, request: RequestBuilder) -> Result<Response> {
        let request = request.header("x-auth-token", token.expose_secret());
        let answer = request.send().await.map_err(|error| {
            // The URL may hold a cluster's name, and is told already.
            let error = anyhow::Error::from(error.without_url());
            let cause = error.root_cause();
            self.passing(format!("does not answer: {cause}"))
        })?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let kind = answer.headers().get(CONTENT_TYPE);
        let is_problem =
            kind.is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_JSON.as_bytes()));
        let body = self.read_body(answer).await.unwrap_or_default();
        let told: Option<ProblemTold> = serde_json::from_slice(&body).ok().filter(|_| is_problem);
        Err(self.refusal(status, told))
    }

    async fn read_body(&self, mut answer: Response) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(None) => return Ok(body),
                Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_BYTES => {
                    return Err(self.failure(format!("answers more than {ANSWER_BYTES} bytes")));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(_) => return Err(self.passing("did not end its answer".to_owned())),
            }
        }
    }

    fn refusal(&self, status: StatusCode, told: Option<ProblemTold>) -> anyhow::Error {
        let Some(told) = told else {
            let message = format!("answers {status} as no host of stampede does");
            let is_passing = status.is_server_error();
            return if is_passing {
                self.passing(message)
            } else {
                self.failure(message)
            };
        };
        if !told.problems.is_empty() {
            let problem = |one: FieldTold| {
                let path = one
                    .attribute
                    .unwrap_or_else(|| one.path.trim_start_matches('/').to_owned());
                Problem::new(path, one.message, one.hint)
            };
            return RefusedRequest(told.problems.into_iter().map(problem).collect()).into();
        }
        let failure = ServerFailure {
            exit: exit_of(status),
            message: told.detail,
            remedy: match status.as_u16() {
                401 => FailureRemedy::Login,
                408 | 429 | 502 | 503 => FailureRemedy::Again,
                _ => FailureRemedy::None,
            },
        };
        failure.into()
    }

    /// What is wrong with the host for now.
    fn passing(&self, what: String) -> anyhow::Error {
        self.failed(what, FailureRemedy::Again)
    }

    /// What is wrong with the host.
    pub(super) fn failure(&self, what: String) -> anyhow::Error {
        self.failed(what, FailureRemedy::None)
    }

    /// A stream has ended before its time; `of_token` where the token did.
    pub(super) fn broke_off(&self, of_token: bool) -> anyhow::Error {
        let remedy = if of_token {
            FailureRemedy::Login
        } else {
            FailureRemedy::Again
        };
        self.failed("has ended its stream of events".to_owned(), remedy)
    }

    fn failed(&self, what: String, remedy: FailureRemedy) -> anyhow::Error {
        let failure = ServerFailure {
            exit: CommandExit::CloudFailed,
            message: format!("the server {} {what}", self.url.shown()),
            remedy,
        };
        failure.into()
    }
}

/// How a command ends that was answered so: as it ends where this program has found it itself.
fn exit_of(status: StatusCode) -> CommandExit {
    match status.as_u16() {
        404 => CommandExit::NotFound,
        401 | 403 | 408 | 429 | 502 | 503 => CommandExit::CloudFailed,
        400..=499 => CommandExit::Refused,
        _ => CommandExit::HostFailed,
    }
}
