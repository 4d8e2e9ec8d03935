//! Resolves the categories of a request: whether they name the kind, which action, which
//! user-defined mixins, and which frameworks, which become an attribute.

use super::super::error::ApiError;
use super::super::model::categories::{CategoryModel, CategoryRef};
use super::super::model::user_mixin::UserMixin;
use super::super::terms::{
    CategoryDefinition, FRAMEWORK_ATTRIBUTE, LifecycleAction, ParsedRequest, is_read_only,
};
use crate::cluster::framework::CLUSTER;
use crate::orchestrator::ClientAttributes;

/// What a request asks for, its categories resolved.
pub(super) struct ResolvedRequest {
    pub(super) has_kind: bool,
    pub(super) action: Option<LifecycleAction>,
    /// Without those that clients cannot set.
    pub(super) attributes: ClientAttributes,
    /// Identifiers of the project's mixins.
    pub(super) user_mixins: Vec<String>,
}

/// Resolves the categories; `mixins` are the project's. A framework's mixin means that framework,
/// unless an attribute says which.
///
/// # Errors
/// `UnknownCategory`.
pub(super) fn resolve_request(
    model: &CategoryModel,
    mixins: &[UserMixin],
    parsed: &ParsedRequest,
) -> Result<ResolvedRequest, ApiError> {
    let (mut has_kind, mut action) = (false, None);
    let (mut frameworks, mut user_mixins) = (Vec::new(), Vec::new());
    for CategoryDefinition { category, .. } in &parsed.categories {
        match model
            .find_category(mixins, category)
            .ok_or_else(|| ApiError::UnknownCategory(category.identifier()))?
        {
            CategoryRef::Kind => has_kind = true,
            CategoryRef::Action(found) => action = action.or(Some(found)),
            // The mixin `cluster` holds what all clusters have and is no framework.
            CategoryRef::Framework(mixin) if mixin.term == CLUSTER => {}
            CategoryRef::Framework(mixin) => frameworks.push(mixin.term.as_str()),
            CategoryRef::UserMixin(mixin) => user_mixins.push(mixin.category.identifier()),
        }
    }
    let mut attributes: ClientAttributes = parsed
        .attributes
        .iter()
        .filter(|(name, _)| !is_read_only(name))
        .cloned()
        .collect();
    let names_framework = |(name, _): &(String, String)| name == FRAMEWORK_ATTRIBUTE;
    if !frameworks.is_empty() && !attributes.iter().any(names_framework) {
        attributes.push((FRAMEWORK_ATTRIBUTE.to_owned(), frameworks.join(",")));
    }
    Ok(ResolvedRequest {
        has_kind,
        action,
        attributes,
        user_mixins,
    })
}
