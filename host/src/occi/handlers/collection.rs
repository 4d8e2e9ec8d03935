//! The verbs of the collection `/orchestrator/`, and listing and actions for any set of entities,
//! which the locations of user-defined mixins use too.

use http::StatusCode;
use serde_json::Value;

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::UserMixin;
use super::super::render::text::value_text;
use super::super::terms::{COLLECTION_PATH, FRAMEWORK_ATTRIBUTE, LifecycleAction};
use super::context::{HandlerContext, HandlerResult};
use super::resolve::ResolvedRequest;
use crate::cluster::framework::CLUSTER;
use crate::orchestrator::{ClusterView, CreateOutcome, OrchestratorError};

/// The entities below a path: all of the project, or the members of one mixin.
pub(super) struct EntityScope<'a> {
    path: &'a str,
    mixin: Option<&'a UserMixin>,
}

impl<'a> EntityScope<'a> {
    const ALL: EntityScope<'static> = EntityScope {
        path: COLLECTION_PATH,
        mixin: None,
    };

    /// The members of a mixin, at its location.
    pub(super) fn members_of(mixin: &'a UserMixin) -> Self {
        Self {
            path: &mixin.location,
            mixin: Some(mixin),
        }
    }

    fn contains(&self, view: &ClusterView) -> bool {
        self.mixin.is_none_or(|mixin| mixin.has_member(&view.id))
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
        .request(&context.caller, &new_name(), resolved.attributes.clone())
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
    let frameworks: Vec<&str> = parsed
        .categories
        .iter()
        .filter_map(
            |definition| match context.model.find_category(mixins, &definition.category) {
                Some(CategoryRef::Framework(mixin)) if mixin.term != CLUSTER => {
                    Some(mixin.term.as_str())
                }
                _ => None,
            },
        )
        .collect();
    let is_wanted = |entity: &OcciEntity| {
        resolved
            .user_mixins
            .iter()
            .all(|identifier| has_mixin(entity, identifier))
            && parsed
                .attributes
                .iter()
                .all(|(name, value)| has_attribute(entity, name, value))
            && frameworks
                .iter()
                .all(|framework| has_framework(entity, framework))
            && (resolved.action.is_none() || entity.action == resolved.action)
    };
    let views = context.clusters.list(&context.caller).await?;
    let entities: Vec<OcciEntity> = views
        .into_iter()
        .filter(|view| scope.contains(view))
        .map(|view| OcciEntity::from_view(view, mixins))
        .filter(is_wanted)
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
        if !scope.contains(&view) {
            continue;
        }
        let view = context
            .run_action(action, &view.name, resolved.attributes.clone())
            .await?;
        entities.push(OcciEntity::from_view(view, mixins));
    }
    context.renderer.render_collection(scope.path, &entities)
}

fn has_mixin(entity: &OcciEntity, identifier: &str) -> bool {
    entity
        .mixins
        .iter()
        .any(|mixin| mixin.category.identifier() == identifier)
}

fn has_attribute(entity: &OcciEntity, name: &str, value: &str) -> bool {
    entity
        .attributes
        .get(name)
        .is_some_and(|found| value_text(found) == value)
}

fn has_framework(entity: &OcciEntity, framework: &str) -> bool {
    let names = entity
        .attributes
        .get(FRAMEWORK_ATTRIBUTE)
        .and_then(Value::as_str)
        .unwrap_or_default();
    names.split([',', ' ']).any(|name| name == framework)
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
