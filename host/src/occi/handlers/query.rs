//! The query interface: GET lists the categories, POST defines user-defined mixins and DELETE
//! removes them.

use std::collections::BTreeMap;

use http::StatusCode;

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::super::model::categories::{BuiltInMixin, CategoryRef};
use super::super::model::user_mixin::UserMixin;
use super::super::terms::CategoryDefinition;
use super::context::{HandlerContext, HandlerResult};

/// GET of the query interface; categories in the request are a filter.
pub(super) async fn get_categories<C: ClusterService>(
    context: &HandlerContext<'_, C>,
) -> HandlerResult {
    let mixins = context.user_mixins();
    context.resolve(&mixins)?;
    let filter: Vec<CategoryRef<'_>> = context
        .parsed
        .categories
        .iter()
        .filter_map(|definition| context.model.find_category(&mixins, &definition.category))
        .collect();
    let all = context
        .model
        .list_categories()
        .chain(mixins.iter().map(CategoryRef::UserMixin));
    let mut listed: Vec<_> = all
        .filter(|category| filter.is_empty() || filter.contains(category))
        .collect();
    let details = find_details(context, &listed, &mixins).await?;
    for category in &mut listed {
        if let (CategoryRef::BuiltIn(mixin), Some(details)) = (*category, &details)
            && mixin.is_details()
        {
            *category = CategoryRef::BuiltIn(details);
        }
    }
    context.renderer.render_categories(listed.into_iter())
}

/// The mixin `details` with the attributes that the project's clusters have, if it is listed.
async fn find_details<C: ClusterService>(
    context: &HandlerContext<'_, C>,
    listed: &[CategoryRef<'_>],
    mixins: &[UserMixin],
) -> Result<Option<BuiltInMixin>, ApiError> {
    let empty = listed.iter().find_map(|category| match category {
        CategoryRef::BuiltIn(mixin) if mixin.is_details() => Some(*mixin),
        _ => None,
    });
    let Some(empty) = empty else {
        return Ok(None);
    };
    let mut attributes = BTreeMap::new();
    // What there is to ask for is told, though no cluster can be looked for.
    let listed = context.clusters.list(&context.caller).await;
    for view in listed.unwrap_or_default() {
        for attribute in context.describe(view, mixins).details {
            attributes.insert(attribute.name.clone(), attribute);
        }
    }
    Ok(Some(BuiltInMixin {
        attributes: attributes.into_values().collect(),
        ..empty.clone()
    }))
}

/// POST to the query interface: each category is a mixin's definition. All are validated before the
/// first is recorded. They are not resolved, since a definition names what is not known yet.
pub(super) async fn post_definitions<C: ClusterService>(
    context: &HandlerContext<'_, C>,
) -> HandlerResult {
    let definitions = &context.parsed.categories;
    if definitions.is_empty() {
        return Err(missing_category());
    }
    let groups = definitions
        .iter()
        .map(|definition| UserMixin::build_group(definition, context.address()))
        .collect::<Result<Vec<_>, _>>()?;
    let mixins = UserMixin::from_groups(&groups);
    for group in groups {
        context
            .clusters
            .define_group(&context.caller, group)
            .await?;
    }
    context
        .renderer
        .render_categories(mixins.iter().map(CategoryRef::UserMixin))
}

/// DELETE at the query interface: removes the mixins that the request names; their clusters stay.
pub(super) async fn delete_definitions<C: ClusterService>(
    context: &HandlerContext<'_, C>,
) -> HandlerResult {
    if context.parsed.categories.is_empty() {
        return Err(missing_category());
    }
    let mixins = context.user_mixins();
    let mut names = Vec::new();
    for CategoryDefinition { category, .. } in &context.parsed.categories {
        match context.model.find_category(&mixins, category) {
            Some(CategoryRef::UserMixin(_)) => names.push(category.identifier()),
            Some(_) => return Err(ApiError::Reserved(category.identifier())),
            None => return Err(ApiError::UnknownCategory(category.identifier())),
        }
    }
    for name in names {
        context
            .clusters
            .remove_group(&context.caller, &name)
            .await?;
    }
    Ok(context.renderer.render_ok(StatusCode::OK))
}

fn missing_category() -> ApiError {
    ApiError::Malformed("no Category: name the mixin that is meant".to_owned())
}
