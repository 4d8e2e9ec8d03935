//! What each verb does. Everything that can be wrong with a request's form was found before.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};

use super::clusters::{ClusterService, FoundCluster as _};
use super::entity::{self, OcciEntity};
use super::error::ApiError;
use super::model::{
    CategoryModel, CategoryRef, FRAMEWORK_SCHEME, FrameworkMixin, LifecycleAction, is_shown_only,
};
use super::negotiate::Rendering;
use super::render::Renderer;
use super::request::{ParsedRequest, query_value};
use super::syntax::category::{Category, CategoryDefinition};
use super::user_mixin::UserMixin;
use super::{OcciApi, service_manager, syntax};
use crate::cluster::attribute_names::CLUSTER;
use crate::orchestrator::{
    ClientAttributes, ClusterView, CreateOutcome, MembershipChange, OrchestratorError,
};

/// The attribute that a framework's mixin stands for.
const FRAMEWORK: &str = "stampede.framework";

/// What a request wants, its categories resolved.
#[derive(Default)]
pub(super) struct ResolvedRequest {
    kind: bool,
    pub(super) action: Option<LifecycleAction>,
    pub(super) attributes: ClientAttributes,
    /// Identifiers of the project's own mixins.
    tags: Vec<String>,
}

impl<C: ClusterService> OcciApi<C> {
    /// Resolves the categories. A framework's mixin means that framework, unless an attribute says
    /// which.
    pub(super) fn wish(
        &self,
        own: &[UserMixin],
        carried: &ParsedRequest,
    ) -> Result<ResolvedRequest, ApiError> {
        let (mut kind, mut action, mut frameworks, mut tags) =
            (false, None, Vec::new(), Vec::new());
        for CategoryDefinition { category, .. } in &carried.categories {
            match self
                .model
                .find(own, category)
                .ok_or_else(|| ApiError::UnknownCategory(category.identifier()))?
            {
                CategoryRef::Kind => kind = true,
                CategoryRef::Action(one) => action = action.or(Some(one)),
                CategoryRef::Mixin(mixin) if mixin.term == CLUSTER => {}
                CategoryRef::Mixin(mixin) => frameworks.push(mixin.term.as_str()),
                CategoryRef::Own(own) => tags.push(own.category.identifier()),
            }
        }
        let mut attributes: ClientAttributes = carried
            .attributes
            .iter()
            .filter(|(name, _)| !is_shown_only(name))
            .cloned()
            .collect();
        if !frameworks.is_empty() && !attributes.iter().any(|(name, _)| name == FRAMEWORK) {
            attributes.push((FRAMEWORK.to_owned(), frameworks.join(",")));
        }
        Ok(ResolvedRequest {
            kind,
            action,
            attributes,
            tags,
        })
    }
}

/// One request's handlers.
pub(super) struct RequestHandlers<'a, C: ClusterService> {
    pub(super) clusters: &'a C,
    pub(super) model: &'a CategoryModel,
    /// The mixins of the caller's project.
    pub(super) own: Vec<UserMixin>,
    pub(super) caller: C::Caller,
    pub(super) style: Renderer<'a>,
    pub(super) wish: ResolvedRequest,
    /// Whether it is the Service Manager who asks.
    pub(super) service_manager: bool,
}

pub(super) type HandlerResponse = Result<Response<Bytes>, ApiError>;

impl<C: ClusterService> RequestHandlers<'_, C> {
    /// The query interface; categories in the request are a filter.
    pub(super) fn query(self, filter: &[CategoryDefinition]) -> HandlerResponse {
        let filter: Vec<CategoryRef<'_>> = filter
            .iter()
            .filter_map(|described| self.model.find(&self.own, &described.category))
            .collect();
        let listed = self
            .model
            .listed()
            .chain(self.own.iter().map(CategoryRef::Own));
        self.style
            .query(listed.filter(|listed| filter.is_empty() || filter.contains(listed)))
    }

    /// PUT: the entity is there afterwards.
    pub(super) async fn put(self, name: &str) -> HandlerResponse {
        if !self.wish.kind {
            return Err(ApiError::NoKind);
        }
        match self
            .clusters
            .request(&self.caller, name, self.wish.attributes.clone())
            .await?
        {
            CreateOutcome::Existing(view) => self.show(view),
            CreateOutcome::New(view) => self.created(view).await,
        }
    }

    /// POST with a query is an action, without one an update.
    pub(super) async fn post(self, name: &str, query: &str) -> HandlerResponse {
        let Some(action) = self.action(query)? else {
            let mut attributes = self.wish.attributes.clone();
            if self.service_manager {
                let found = self
                    .clusters
                    .find(&self.caller, name)
                    .await
                    .map_err(|refused| missing(refused, name))?;
                attributes = service_manager::wishes(attributes, &found.view().brought);
            }
            let view = self
                .clusters
                .update(&self.caller, name, attributes)
                .await
                .map_err(|refused| missing(refused, name))?;
            let own = self.tag(name).await?;
            return self.style.entity(&OcciEntity::of(view, &own));
        };
        let attributes = self.wish.attributes.clone();
        let view = self.act(action, name, attributes).await?;
        self.show(view)
    }

    /// DELETE of one.
    pub(super) async fn delete(self, name: &str) -> HandlerResponse {
        self.clusters
            .delete(&self.caller, name)
            .await
            .map_err(|refused| missing(refused, name))?;
        Ok(self.style.ok(StatusCode::OK))
    }

    /// GET of the collection; categories and attributes in the request are a filter.
    pub(super) async fn list(self, carried: &ParsedRequest) -> HandlerResponse {
        self.list_at(super::model::LOCATION, carried, |_| true)
            .await
    }

    /// GET of those that `wanted` finds.
    pub(super) async fn list_at(
        &self,
        path: &str,
        carried: &ParsedRequest,
        wanted: impl Fn(&ClusterView) -> bool + Send,
    ) -> HandlerResponse {
        let mixins: Vec<&FrameworkMixin> = carried
            .categories
            .iter()
            .filter_map(|described| self.mixin(&described.category))
            .collect();
        let views = self.clusters.list(&self.caller).await?;
        let entities: Vec<OcciEntity> = views
            .into_iter()
            .filter(wanted)
            .map(|view| OcciEntity::of(view, &self.own))
            .filter(|entity| {
                self.wish.tags.iter().all(|tag| {
                    entity
                        .mixins
                        .iter()
                        .any(|own| own.category.identifier() == *tag)
                })
            })
            .filter(|entity| {
                carried
                    .attributes
                    .iter()
                    .all(|(name, value)| has(entity, name, value))
            })
            .filter(|entity| {
                mixins
                    .iter()
                    .all(|mixin| mixin.term == CLUSTER || runs(entity, &mixin.term))
            })
            .filter(|entity| self.wish.action.is_none() || entity.action == self.wish.action)
            .collect();
        self.style.collection(path, &entities)
    }

    /// POST to the collection: an action on all of them, or a new one with a name of ours.
    pub(super) async fn post_collection(self, path: &str, query: &str) -> HandlerResponse {
        if let Some(action) = self.action(query)? {
            return self.act_on_all(path, action, |_| true).await;
        }
        if !self.wish.kind {
            return Err(ApiError::NoKind);
        }
        match self
            .clusters
            .request(&self.caller, &new_name(), self.wish.attributes.clone())
            .await?
        {
            CreateOutcome::New(view) | CreateOutcome::Existing(view) => self.created(view).await,
        }
    }

    /// An action on all that `wanted` finds.
    pub(super) async fn act_on_all(
        &self,
        path: &str,
        action: LifecycleAction,
        wanted: impl Fn(&ClusterView) -> bool + Send,
    ) -> HandlerResponse {
        let mut entities = Vec::new();
        for view in self
            .clusters
            .list(&self.caller)
            .await?
            .into_iter()
            .filter(wanted)
        {
            let view = self
                .act(action, &view.name, self.wish.attributes.clone())
                .await?;
            entities.push(OcciEntity::of(view, &self.own));
        }
        self.style.collection(path, &entities)
    }

    /// DELETE of all of them.
    pub(super) async fn delete_all(self) -> HandlerResponse {
        for view in self.clusters.list(&self.caller).await? {
            match self.clusters.delete(&self.caller, &view.name).await {
                // Somebody else was faster.
                Ok(()) | Err(OrchestratorError::NotFound(_)) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Ok(self.style.ok(StatusCode::OK))
    }

    /// The action that a POST means, if it means one: a query with `=` says that it does, the
    /// Category says which, and where there is none the query does.
    pub(super) fn action(&self, query: &str) -> Result<Option<LifecycleAction>, ApiError> {
        if !query.contains('=') {
            return Ok(None);
        }
        let named =
            || query_value(query, "action").and_then(|term| LifecycleAction::by_term(&term));
        self.wish
            .action
            .or_else(named)
            .map(Some)
            .ok_or(ApiError::NoAction)
    }

    async fn act(
        &self,
        action: LifecycleAction,
        name: &str,
        attributes: ClientAttributes,
    ) -> Result<ClusterView, ApiError> {
        let done = match action {
            LifecycleAction::Deploy => self.clusters.deploy(&self.caller, name, attributes).await,
            LifecycleAction::Provision => {
                self.clusters
                    .provision(&self.caller, name, attributes)
                    .await
            }
        };
        done.map_err(|refused| missing(refused, name))
    }

    fn show(&self, view: ClusterView) -> HandlerResponse {
        self.style.entity(&OcciEntity::of(view, &self.own))
    }

    /// Gives the cluster the project's mixins that the request names; the mixins as they are then.
    async fn tag(&self, name: &str) -> Result<Vec<UserMixin>, ApiError> {
        for tag in &self.wish.tags {
            self.clusters
                .group_members(&self.caller, tag, MembershipChange::Add, &[name.to_owned()])
                .await?;
        }
        if self.wish.tags.is_empty() {
            return Ok(self.own.clone());
        }
        Ok(UserMixin::all(&self.clusters.groups(&self.caller).await?))
    }

    /// 201, where it is, and `OK` or, in JSON and HTML, the entity.
    async fn created(&self, view: ClusterView) -> HandlerResponse {
        let own = self.tag(&view.name).await?;
        let location = format!(
            "{}{}",
            self.style.base,
            syntax::escape::name(&entity::path(&view.name))
        );
        let mut response = match self.style.rendering {
            Rendering::Json | Rendering::Html => self.style.entity(&OcciEntity::of(view, &own))?,
            _ => self.style.ok(StatusCode::CREATED),
        };
        *response.status_mut() = StatusCode::CREATED;
        response.headers_mut().insert(
            LOCATION,
            HeaderValue::try_from(location).map_err(|_| ApiError::Defect)?,
        );
        Ok(response)
    }

    fn mixin(&self, category: &Category) -> Option<&FrameworkMixin> {
        match self.model.find(&self.own, category) {
            Some(CategoryRef::Mixin(mixin)) if category.scheme == FRAMEWORK_SCHEME => Some(mixin),
            _ => None,
        }
    }
}

/// The recorded sentence for what is not there.
pub(super) fn missing(refused: OrchestratorError, name: &str) -> ApiError {
    match refused {
        OrchestratorError::NotFound(_) => ApiError::NotFound(entity::path(name)),
        other => other.into(),
    }
}

fn has(entity: &OcciEntity, name: &str, value: &str) -> bool {
    entity
        .attributes
        .get(name)
        .is_some_and(|found| super::render::text(found) == value)
}

fn runs(entity: &OcciEntity, framework: &str) -> bool {
    let asked = entity
        .attributes
        .get(FRAMEWORK)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    asked.split([',', ' ']).any(|name| name == framework)
}

/// A UUID that begins with a letter, as names of clusters do.
fn new_name() -> String {
    loop {
        let name = crate::system::random::new_uuid().to_string();
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return name;
        }
    }
}
