//! The verbs of the collection `/orchestrator/`, and listing and actions for any set of entities,
//! which the locations of user-defined mixins use too.

use http::{Method, StatusCode};

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::UserMixin;
use super::super::terms::{COLLECTION_PATH, CoreKind, LifecycleAction};
use super::context::{HandlerContext, HandlerResult};
use super::resolve::ResolvedRequest;
use super::selection::EntitySelection;
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

/// DELETE of the collection: of those of its entities that a GET with the same content lists, which
/// are all where the request names none.
pub(super) async fn delete_collection<C: ClusterService>(
    context: &HandlerContext<'_, C>,
) -> HandlerResult {
    let mixins = context.user_mixins();
    let resolved = context.resolve(&mixins)?;
    let selection = EntitySelection::of_listing(context, &resolved, &mixins)?;
    selection.check_for_delete(context)?;
    let mut entities = Vec::new();
    for view in context.clusters.list(&context.caller).await? {
        let name = view.name.clone();
        entities.push((name, context.describe(view, &mixins)));
    }
    for name in selection.choose_exactly(&entities)? {
        match context.clusters.delete(&context.caller, name).await {
            // Another request has deleted it meanwhile.
            Ok(()) | Err(OrchestratorError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(context.renderer.render_ok(StatusCode::OK))
}

/// Renders the entities of a scope; categories, attributes and locations in the request are a
/// filter.
pub(super) async fn list_entities<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    scope: &EntityScope<'_>,
    resolved: &ResolvedRequest,
    mixins: &[UserMixin],
) -> HandlerResult {
    let selection = EntitySelection::of_listing(context, resolved, mixins)?;
    let mut entities = Vec::new();
    for view in context.clusters.list(&context.caller).await? {
        let name = view.name.clone();
        let entity = context.describe(view, mixins);
        if scope.contains(&entity) && selection.contains(&name, &entity) {
            entities.push(entity);
        }
    }
    context.renderer.render_collection(scope.path, &entities)
}

/// Performs an action on all entities of a scope, or those of them that the request names, one after
/// the other. The first failure ends it; what was started before goes on.
pub(super) async fn run_on_entities<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    scope: &EntityScope<'_>,
    action: LifecycleAction,
    resolved: &ResolvedRequest,
    mixins: &[UserMixin],
) -> HandlerResult {
    let selection = EntitySelection::of_action(context, resolved)?;
    let (mut views, mut shown) = (Vec::new(), Vec::new());
    for view in context.clusters.list(&context.caller).await? {
        let entity = context.describe(view.clone(), mixins);
        if scope.contains(&entity) {
            shown.push((view.name.clone(), entity));
            views.push(view);
        }
    }
    let chosen = selection.choose_exactly(&shown)?;
    let mut entities = Vec::new();
    for view in views {
        let name = view.name.clone();
        if !chosen.contains(&name.as_str()) {
            continue;
        }
        let attributes = context.requested_of(view, resolved, mixins);
        let view = context.run_action(action, &name, attributes).await?;
        entities.push(context.describe(view, mixins));
    }
    context.renderer.render_collection(scope.path, &entities)
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
