//! Resolves the categories of a request: whether they name the kind, which action, which
//! user-defined mixins, and which frameworks, which become an attribute.

use super::super::error::ApiError;
use super::super::limits::OcciLimits;
use super::super::model::categories::{CategoryModel, CategoryRef};
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::UserMixin;
use super::super::render::escape::{escape_header, escape_line, escape_name};
use super::super::render::text::value_text;
use super::super::terms::{
    CategoryDefinition, FRAMEWORK_ATTRIBUTE, FRAMEWORK_SCHEME, LifecycleAction, ParsedRequest,
    is_read_only,
};
use crate::orchestrator::ClientAttributes;

/// What a request asks for, its categories resolved.
pub(super) struct ResolvedRequest {
    pub(super) has_kind: bool,
    pub(super) action: Option<LifecycleAction>,
    /// As they came.
    attributes_given: ClientAttributes,
    /// Without those that clients cannot set.
    attributes: ClientAttributes,
    /// Frameworks that mixins name, where no attribute says which.
    frameworks: Vec<String>,
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
            // Attached to every cluster, or our kind's parents.
            CategoryRef::Core(_) => {}
            CategoryRef::BuiltIn(mixin) => frameworks.extend(mixin.framework().map(str::to_owned)),
            CategoryRef::UserMixin(mixin) => user_mixins.push(mixin.category.identifier()),
        }
    }
    let attributes_given = parsed.attributes.clone();
    let attributes: ClientAttributes = attributes_given
        .iter()
        .filter(|(name, _)| !is_read_only(name))
        .cloned()
        .collect();
    let names_framework = |(name, _): &(String, String)| name == FRAMEWORK_ATTRIBUTE;
    if attributes.iter().any(names_framework) {
        frameworks.clear();
    }
    Ok(ResolvedRequest {
        has_kind,
        action,
        attributes_given,
        attributes,
        frameworks,
        user_mixins,
    })
}

impl ResolvedRequest {
    /// What a new cluster is to have: the frameworks of mixins too.
    pub(super) fn initial_attributes(&self) -> ClientAttributes {
        self.add_frameworks(self.attributes.clone(), |_| true)
    }

    /// What is asked of a cluster that is shown so: neither what it was shown as nor the mixins that
    /// it has.
    pub(super) fn requested_of(
        &self,
        entity: &OcciEntity,
        limits: &OcciLimits,
    ) -> ClientAttributes {
        let header = |value: &str| escape_header(value, limits.header_value_bytes);
        let attributes = entity.requested_of(
            self.attributes_given.clone(),
            &[&escape_line, &header],
            |value| value_text(value).into_owned(),
            escape_name,
        );
        let is_new = |framework: &str| !entity.has_mixin(&format!("{FRAMEWORK_SCHEME}{framework}"));
        self.add_frameworks(attributes, is_new)
    }

    fn add_frameworks(
        &self,
        mut attributes: ClientAttributes,
        is_wanted: impl Fn(&str) -> bool,
    ) -> ClientAttributes {
        if self.frameworks.iter().any(|framework| is_wanted(framework)) {
            let all = self.frameworks.join(",");
            attributes.push((FRAMEWORK_ATTRIBUTE.to_owned(), all));
        }
        attributes
    }
}
