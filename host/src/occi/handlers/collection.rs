//! The verbs of the collection `/orchestrator/`, and listing and actions for any set of entities,
//! which the locations of user-defined mixins use too.

use http::{Method, StatusCode};

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::UserMixin;
use super::super::render::text::value_text;
use super::super::terms::{COLLECTION_PATH, CoreKind, LifecycleAction};
use super::context::{HandlerContext, HandlerResult};
use super::resolve::ResolvedRequest;
use crate::orchestrator::{CreateOutcome, OrchestratorError};

/// The entities below a path: all of the project, or those of one category.
pub(super) struct EntityScope<'a> {
    path: &'a str,
    /// The mixin's identifier; none where every entity belongs there.
    mixin: Option<String>,
    /// Whether no entity can be there.
    is_empty: bool,
}

impl<'a> EntityScope<'a> {
    const ALL: EntityScope<'static> = EntityScope {
        path: COLLECTION_PATH,
        mixin: None,
        is_empty: false,
    };

    /// The members of a mixin, at its location.
    pub(super) fn members_of(mixin: &'a UserMixin) -> Self {
        Self {
            path: &mixin.location,
            mixin: Some(mixin.category.identifier()),
            is_empty: false,
        }
    }

    /// The entities at the location of a category of this service's own.
    pub(super) fn of_category(category: CategoryRef<'_>, path: &'a str) -> Self {
        let mixin = match category {
            CategoryRef::BuiltIn(mixin) => Some(mixin.category.identifier()),
            _ => None,
        };
        Self {
            path,
            mixin,
            is_empty: category == CategoryRef::Core(CoreKind::Link),
        }
    }

    fn contains(&self, entity: &OcciEntity) -> bool {
        let has = |mixin: &String| entity.has_mixin(mixin);
        !self.is_empty && self.mixin.as_ref().is_none_or(has)
    }
}

/// A request at the location of a category of this service's own: its entities are listed, and an
/// action is done to all of them.
pub(super) async fn serve_own_location<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    category: CategoryRef<'_>,
    path: &str,
    method: &Method,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    let scope = EntityScope::of_category(category, path);
    match *method {
        Method::GET => list_entities(context, &scope, &resolved, &mixins).await,
        Method::POST => match context.requested_action(&resolved)? {
            Some(action) => run_on_entities(context, &scope, action, &resolved, &mixins).await,
            None => Err(ApiError::MethodNotAllowed("GET, HEAD")),
        },
        _ => Err(ApiError::MethodNotAllowed("GET, HEAD, POST")),
    }
}

/// GET of the collection.
pub(super) async fn get_collection<C: ClusterService>(
    context: &HandlerContext<'_, C>,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    list_entities(context, &EntityScope::ALL, &resolved, &mixins).await
}

/// POST to the collection: an action on all entities, or a new one, which this host names.
pub(super) async fn post_collection<C: ClusterService>(
    context: &HandlerContext<'_, C>,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    if let Some(action) = context.requested_action(&resolved)? {
        return run_on_entities(context, &EntityScope::ALL, action, &resolved, &mixins).await;
    }
    if !resolved.has_kind {
        return Err(ApiError::MissingKind);
    }
    let outcome = context
        .clusters
        .request(&context.caller, &new_name(), resolved.initial_attributes())
        .await?;
    match outcome {
        CreateOutcome::New(view) | CreateOutcome::Existing(view) => {
            context.render_created(view, &resolved, mixins).await
        }
    }
}

/// DELETE of the collection: of all its entities.
pub(super) async fn delete_collection<C: ClusterService>(
    context: &HandlerContext<'_, C>,
) -> HandlerResult {
    context.resolve(&context.user_mixins())?;
    for view in context.clusters.list(&context.caller).await? {
        match context.clusters.delete(&context.caller, &view.name).await {
            // Another request has deleted it meanwhile.
            Ok(()) | Err(OrchestratorError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(context.renderer.render_ok(StatusCode::OK))
}

/// Renders the entities of a scope; categories and attributes in the request are a filter.
pub(super) async fn list_entities<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    scope: &EntityScope<'_>,
    resolved: &ResolvedRequest,
    mixins: &[UserMixin],
) -> HandlerResult {
    let parsed = &context.parsed;
    let built_in: Vec<String> = parsed
        .categories
        .iter()
        .filter_map(
            |definition| match context.model.find_category(mixins, &definition.category) {
                Some(CategoryRef::BuiltIn(mixin)) => Some(mixin.category.identifier()),
                _ => None,
            },
        )
        .collect();
    let is_wanted = |entity: &OcciEntity| {
        resolved
            .user_mixins
            .iter()
            .chain(&built_in)
            .all(|identifier| entity.has_mixin(identifier))
            && parsed
                .attributes
                .iter()
                .all(|(name, value)| has_attribute(entity, name, value))
            && (resolved.action.is_none() || entity.action == resolved.action)
    };
    let views = context.clusters.list(&context.caller).await?;
    let entities: Vec<OcciEntity> = views
        .into_iter()
        .map(|view| context.describe(view, mixins))
        .filter(|entity| scope.contains(entity) && is_wanted(entity))
        .collect();
    context.renderer.render_collection(scope.path, &entities)
}

/// Performs an action on all entities of a scope, one after the other. The first failure ends it;
/// what was started before goes on.
pub(super) async fn run_on_entities<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    scope: &EntityScope<'_>,
    action: LifecycleAction,
    resolved: &ResolvedRequest,
    mixins: &[UserMixin],
) -> HandlerResult {
    let mut entities = Vec::new();
    for view in context.clusters.list(&context.caller).await? {
        let name = view.name.clone();
        if !scope.contains(&context.describe(view.clone(), mixins)) {
            continue;
        }
        let attributes = context.requested_of(view, resolved, mixins);
        let view = context.run_action(action, &name, attributes).await?;
        entities.push(context.describe(view, mixins));
    }
    context.renderer.render_collection(scope.path, &entities)
}

fn has_attribute(entity: &OcciEntity, name: &str, value: &str) -> bool {
    entity
        .attributes
        .get(name)
        .is_some_and(|found| value_text(found) == value)
}

/// A UUID that begins with a letter, as names of clusters must.
fn new_name() -> String {
    loop {
        let name = crate::system::random::new_uuid().to_string();
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return name;
        }
    }
}
