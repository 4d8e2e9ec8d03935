//! Who is asking, for which project, and the way to each service.

use std::{fmt, sync::Arc, time::SystemTime};

use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::{
    Config, Error, Project, User,
    catalog::Service,
    http::{Answer, Call, Failure, Reached, Repeat, Transport},
    keystone::Identity,
    tokens::{Key, Tokens},
};

/// What all sessions of a cloud share.
#[derive(Debug)]
pub(super) struct Cloud {
    pub(super) http: Transport,
    pub(super) config: Config,
    pub(super) tokens: Tokens,
}

/// A validated token with its project. Cheap to clone; `Debug` never shows the token.
#[derive(Clone)]
pub struct Session {
    cloud: Arc<Cloud>,
    identity: Arc<Identity>,
    project: Project,
    key: Option<Key>,
}

impl Session {
    pub(super) fn new(cloud: Arc<Cloud>, identity: Arc<Identity>, project: Project, key: Option<Key>) -> Self {
        Self { cloud, identity, project, key }
    }

    /// The token's project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The token's user.
    pub fn user(&self) -> &User {
        &self.identity.user
    }

    /// The names of the user's roles in the project.
    pub fn roles(&self) -> &[String] {
        &self.identity.roles
    }

    /// Whether the token was got by an application credential, which cannot create the trust that Heat needs.
    pub fn application_credential(&self) -> bool {
        self.identity.application_credential
    }

    /// When the token ends, where Keystone says so.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.identity.expires
    }

    /// The region whose endpoints are used, for names in renderings.
    pub fn region(&self) -> &str {
        self.identity.catalog.region(&self.cloud.config)
    }

    /// Whether the catalog has a service of this type in our region: `cloudformation`, `object-store`.
    pub fn has_service(&self, service_type: &str) -> bool {
        self.identity.catalog.has(service_type, &self.cloud.config)
    }

    pub(super) fn config(&self) -> &Config {
        &self.cloud.config
    }

    /// A call to `path` below the service's address; each part becomes one segment, whatever characters it holds.
    pub(super) fn call(&self, service: Service, method: Method, path: &[&str], action: String) -> Result<Call<'_>, Error> {
        let mut url = self.identity.catalog.base(service, &self.project.id, &self.cloud.config)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let repeat = if method == Method::POST || method == Method::PUT { Repeat::Unacted } else { Repeat::Safe };
        let (token, timeout) = (Some(&self.identity.token), self.cloud.config.limits.answer);
        Ok(Call { service: service.name(), action, method, url, token, subject: false, body: None, repeat, timeout })
    }

    /// A GET with a query.
    pub(super) async fn get(&self, service: Service, path: &[&str], query: &[(&str, &str)], action: String) -> Result<Answer, Error> {
        let mut call = self.call(service, Method::GET, path, action)?;
        add_query(&mut call.url, query);
        Ok(self.send(&call).await?)
    }

    /// A POST or PUT.
    pub(super) async fn write(&self, mut call: Call<'_>, body: Value) -> Result<Answer, Failure> {
        call.body = Some(body);
        call.timeout = self.cloud.config.limits.answer_heat_write;
        self.send(&call).await
    }

    /// Sends the call; a token that a service refuses is forgotten.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let sent = self.cloud.http.send(call).await;
        if let (Err(failure), Some(key)) = (&sent, &self.key)
            && failure.error.is_token()
        {
            self.cloud.tokens.forget(key);
        }
        sent
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Session");
        out.field("project", &self.project.name).field("user", &self.identity.user.name).finish_non_exhaustive()
    }
}

impl From<Error> for Failure {
    /// For what was wrong before anything was sent.
    fn from(error: Error) -> Self {
        Self { error, reached: Reached::Answered }
    }
}

/// Adds to the query what is not empty.
pub(super) fn add_query(url: &mut Url, query: &[(&str, &str)]) {
    let mut given = query.iter().filter(|(_, value)| !value.is_empty()).peekable();
    if given.peek().is_some() {
        url.query_pairs_mut().extend_pairs(given);
    }
}
