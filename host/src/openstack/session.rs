//! An authenticated session: a validated token, its project and its catalog, and the calls to
//! services that they make possible. What each service is asked stands in the file of that service.

use std::{fmt, sync::Arc, time::SystemTime};

use reqwest::Method;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{
    CloudConfig, CloudError, Project, ServiceName, User,
    answer_memory::{AnswerKey, AnswerMemory},
    api_request::{ApiRequest, ApiResponse},
    keystone_wire::TokenIdentity,
    retry::{CallFailure, RetryPolicy},
    service_address::TokenOwner,
    token_cache::{TokenCache, TokenKey},
    transport::HttpTransport,
};
use crate::system::clock::monotonic_now;

/// What all sessions of a cloud share.
#[derive(Debug)]
pub(super) struct SharedCloud {
    pub(super) http: HttpTransport,
    pub(super) config: CloudConfig,
    pub(super) tokens: TokenCache,
    pub(super) answers: AnswerMemory,
    /// Of the CA file, as nodes are given them.
    pub(super) node_certificates: String,
}

/// A validated token with its project. Cheap to clone; `Debug` never shows the token.
#[derive(Clone)]
pub struct CloudSession {
    cloud: Arc<SharedCloud>,
    identity: Arc<TokenIdentity>,
    project: Arc<Project>,
    key: Option<TokenKey>,
    /// Where calls go; none where the catalog has Heat in several regions and none is named: then
    /// only what says where it lives can be asked about.
    region: Option<Arc<str>>,
    /// Whether reads may be answered with what was read a few seconds ago.
    remembers: bool,
}

impl CloudSession {
    pub(super) fn new(
        cloud: Arc<SharedCloud>,
        identity: Arc<TokenIdentity>,
        project: Arc<Project>,
        key: Option<TokenKey>,
    ) -> Self {
        let region = identity.catalog.choose_region(&cloud.config).ok();
        let region = region.map(Arc::from);
        Self {
            cloud,
            identity,
            project,
            key,
            region,
            remembers: false,
        }
    }

    /// The same, with reads of what the cloud has that may be a few seconds old: to show it.
    #[must_use]
    pub fn remembering(&self) -> Self {
        Self {
            remembers: true,
            ..self.clone()
        }
    }

    /// The same token, with calls that go to another region. An empty name is none: records of
    /// clouds without regions have it.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let mut session = self.clone();
        if !region.is_empty() && self.region.as_deref() != Some(region) {
            session.region = Some(region.into());
        }
        session
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

    /// Whether the token was got by an application credential, which cannot create the trust that
    /// Heat needs.
    pub fn application_credential(&self) -> bool {
        self.identity.application_credential
    }

    /// Whether both come from one validation of one token.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.identity, &other.identity) && self.key == other.key
    }

    /// Whether both use one token, whenever it was validated.
    pub fn is_same_token(&self, other: &Self) -> bool {
        match (&self.key, &other.key) {
            (Some(one), Some(other)) => one == other,
            _ => Arc::ptr_eq(&self.identity, &other.identity),
        }
    }

    /// When the token ends, where Keystone says so.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.identity.expires
    }

    /// The region whose endpoints are used.
    ///
    /// # Errors
    /// [`CloudError::SeveralRegions`] where one has to be named.
    pub fn region(&self) -> Result<&str, CloudError> {
        self.region
            .as_deref()
            .ok_or_else(|| self.identity.catalog.several_regions(&self.cloud.config))
    }

    /// The regions where the catalog has Heat, by name.
    pub fn heat_regions(&self) -> Vec<&str> {
        self.identity.catalog.heat_regions(&self.cloud.config)
    }

    /// Whether the catalog has a service of this type in our region: `cloudformation`,
    /// `object-store`.
    pub fn has_service(&self, service_type: &str) -> bool {
        self.region.as_deref().is_some_and(|region| {
            self.identity
                .catalog
                .has_endpoint(service_type, region, &self.cloud.config)
        })
    }

    /// The token, for who keeps it for the user's next request.
    pub fn token(&self) -> &SecretString {
        &self.identity.token
    }

    /// Whether tokens of application credentials are taken for good although no trust can be made
    /// with them.
    pub fn allows_application_credentials(&self) -> bool {
        self.cloud.config.allow_application_credentials
    }

    /// Drops what is remembered of the token's validation.
    pub(super) fn forget_validation(&self) {
        if let Some(key) = &self.key {
            self.cloud.tokens.forget(key);
        }
    }

    pub(super) fn config(&self) -> &CloudConfig {
        &self.cloud.config
    }

    pub(super) fn node_certificates(&self) -> &str {
        &self.cloud.node_certificates
    }

    /// A service's address in the catalog.
    pub(super) fn service_url(&self, service: ServiceName) -> Result<Url, CloudError> {
        let owner = TokenOwner {
            project_id: &self.project.id,
            user_id: &self.identity.user.id,
        };
        self.identity
            .catalog
            .base_url(service, owner, self.region()?, &self.cloud.config)
    }

    /// A call to `path` below the service's address; each part becomes one segment, whatever
    /// characters it holds.
    pub(super) fn build_request(
        &self,
        service: ServiceName,
        method: Method,
        path: &[&str],
        action: String,
    ) -> Result<ApiRequest<'_>, CloudError> {
        let mut url = self.service_url(service)?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        // A DELETE that is repeated finds the thing gone or going, which is as good.
        let retry = if method == Method::POST || method == Method::PUT {
            RetryPolicy::OnlyIfNotActed
        } else {
            RetryPolicy::Idempotent
        };
        let circuit = format!(
            "{} {} {} {}",
            service.as_str(),
            url.origin().ascii_serialization(),
            self.region()?,
            self.project.id
        );
        let (token, timeout) = (Some(&self.identity.token), self.cloud.config.limits.answer);
        Ok(ApiRequest {
            service,
            action,
            method,
            url,
            circuit,
            token,
            is_token_subject: false,
            body: None,
            retry,
            timeout,
        })
    }

    /// A GET with a query.
    pub(super) async fn get(
        &self,
        service: ServiceName,
        path: &[&str],
        query: &[(&str, &str)],
        action: String,
    ) -> Result<ApiResponse, CloudError> {
        let mut call = self.build_request(service, Method::GET, path, action)?;
        add_query(&mut call.url, query);
        let owner = self.key.filter(|_| self.remembers);
        let key = owner.and_then(|owner| AnswerKey::new(owner, service, call.url.as_str()));
        let answers = &self.cloud.answers;
        let known = key
            .as_ref()
            .and_then(|key| answers.find(key, monotonic_now()));
        if let Some(known) = known {
            return Ok(known);
        }
        let answer = self.send_request(&call).await?;
        if let Some(key) = key {
            answers.keep(key, &answer, monotonic_now());
        }
        Ok(answer)
    }

    /// A whole list, page by page, from behind the item `after` on.
    ///
    /// # Errors
    /// [`CloudError::BadAnswer`] when there are more pages than the limit: a part of a list must
    /// not be taken for the whole; or when a page comes again.
    pub(super) async fn list<P: ListPage>(
        &self,
        service: ServiceName,
        path: &[&str],
        filter: &[(&str, &str)],
        action: &str,
        after: Option<&str>,
    ) -> Result<Vec<P::Item>, CloudError> {
        let limits = &self.cloud.config.limits;
        let limit = limits.page_items.to_string();
        let bad = |reason: String| {
            Err(CloudError::BadAnswer {
                service: service.as_str(),
                action: action.to_owned(),
                reason,
                source: None,
            })
        };
        let mut marker = after.unwrap_or_default().to_owned();
        let mut all = Vec::new();
        for _ in 0..limits.pages {
            let mut query = vec![("limit", limit.as_str()), ("marker", &marker)];
            query.extend(filter);
            let page = self
                .get(service, path, &query, action.to_owned())
                .await?
                .json::<P>()?;
            let announces_more = page.announces_more();
            let items = page.items();
            // A service may give smaller pages than asked for, and says so.
            let more = !items.is_empty() && (announces_more || items.len() >= limits.page_items);
            let last = items.last().map(P::id).unwrap_or_default();
            // Whoever takes no notice of markers would be asked for the first page up to the limit.
            let is_again = more && last == marker;
            marker = last.to_owned();
            all.extend(items);
            if is_again {
                return bad("the same page again behind its last item".to_owned());
            }
            if !more {
                return Ok(all);
            }
        }
        bad(format!(
            "more than the limit of {} pages of {} items",
            limits.pages, limits.page_items
        ))
    }

    /// A POST or PUT.
    pub(super) async fn send_with_body(
        &self,
        mut call: ApiRequest<'_>,
        body: Value,
    ) -> Result<ApiResponse, CallFailure> {
        call.body = Some(body);
        call.timeout = self.cloud.config.limits.answer_heat_write;
        self.send_request(&call).await
    }

    /// Sends the call. A 401 from any service ends what is remembered of the token: it may have
    /// been revoked, or have expired by the service's clock, while Keystone's last word on it is
    /// still fresh. The next request with it is validated by Keystone anew, and answered as that
    /// says.
    pub(super) async fn send_request(
        &self,
        call: &ApiRequest<'_>,
    ) -> Result<ApiResponse, CallFailure> {
        let result = self.cloud.http.send(call).await;
        if let Err(failure) = &result
            && failure.error.is_token()
        {
            self.forget_validation();
        }
        result
    }
}

/// One page of a list.
pub(super) trait ListPage: DeserializeOwned {
    /// What is listed.
    type Item;
    /// The page's items, in order.
    fn items(self) -> Vec<Self::Item>;
    /// What marks where the next page begins.
    fn id(item: &Self::Item) -> &str;
    /// Whether the service says that there are more.
    fn announces_more(&self) -> bool {
        false
    }
}

impl fmt::Debug for CloudSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("CloudSession");
        out.field("project", &self.project.name)
            .field("user", &self.identity.user.name)
            .finish_non_exhaustive()
    }
}

/// Adds to the query what is not empty.
pub(super) fn add_query(url: &mut Url, query: &[(&str, &str)]) {
    let mut given = query
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .peekable();
    if given.peek().is_some() {
        url.query_pairs_mut().extend_pairs(given);
    }
}

/// The one of these that bears the name, or none.
///
/// # Errors
/// [`CloudError::Ambiguous`] when there are several.
pub(super) fn expect_at_most_one<T>(
    mut candidates: Vec<T>,
    what: &'static str,
    name: &str,
    id: impl Fn(&T) -> &str,
) -> Result<Option<T>, CloudError> {
    if candidates.len() > 1 {
        let ids = candidates.iter().map(&id).collect::<Vec<_>>().join(", ");
        return Err(CloudError::Ambiguous {
            what,
            name: name.to_owned(),
            ids,
        });
    }
    Ok(candidates.pop())
}
