//! Which entities of a collection a request means: those that it names by their locations, and those
//! that have its categories and attributes. Listing, deleting and acting on a collection all ask here,
//! so that none of them reaches further than the others.

use super::super::cluster_service::ClusterService;
use super::super::error::ApiError;
use super::super::http::route::OcciRoute;
use super::super::model::categories::CategoryRef;
use super::super::model::entity::OcciEntity;
use super::super::model::user_mixin::UserMixin;
use super::super::render::text::value_text;
use super::super::terms::{CoreKind, LifecycleAction, entity_path};
use super::context::HandlerContext;
use super::resolve::ResolvedRequest;
use crate::addressing::ServiceUrl;

/// What a request says of the entities that it means. One that says nothing means all.
#[derive(Default)]
pub(super) struct EntitySelection {
    /// By their locations; none where the request has no locations.
    names: Option<Vec<String>>,
    /// Identifiers of mixins that they all have.
    mixins: Vec<String>,
    attributes: Vec<(String, String)>,
    action: Option<LifecycleAction>,
    /// Whether a kind is asked for that nothing here is of.
    is_empty: bool,
}

impl EntitySelection {
    /// For a request that does not change what it means: all that it holds is a filter.
    ///
    /// # Errors
    /// `NotFound` with the first location that is not an entity of this service.
    pub(super) fn of_listing<C: ClusterService>(
        context: &HandlerContext<'_, C>,
        resolved: &ResolvedRequest,
        mixins: &[UserMixin],
    ) -> Result<Self, ApiError> {
        let mut selection = Self {
            attributes: context.parsed.attributes.clone(),
            action: resolved.action,
            ..Self::of_action(context, resolved)?
        };
        for definition in &context.parsed.categories {
            match context.model.find_category(mixins, &definition.category) {
                Some(CategoryRef::BuiltIn(mixin)) => {
                    selection.mixins.push(mixin.category.identifier())
                }
                Some(CategoryRef::Core(CoreKind::Link)) => selection.is_empty = true,
                _ => {}
            }
        }
        Ok(selection)
    }

    /// For an action, where attributes and the service's own mixins are what is asked of the entities.
    ///
    /// # Errors
    /// As [`Self::of_listing`].
    pub(super) fn of_action<C: ClusterService>(
        context: &HandlerContext<'_, C>,
        resolved: &ResolvedRequest,
    ) -> Result<Self, ApiError> {
        let parsed = &context.parsed;
        let names = parsed
            .names_entities
            .then(|| entity_names(&parsed.locations, context.address()))
            .transpose()?;
        Ok(Self {
            names,
            mixins: resolved.user_mixins.clone(),
            ..Self::default()
        })
    }

    /// Refuses a DELETE that seems to mean some entities in a way that is not understood here: to
    /// pass it over would delete all.
    ///
    /// # Errors
    /// `Malformed`.
    pub(super) fn check_for_delete<C: ClusterService>(
        &self,
        context: &HandlerContext<'_, C>,
    ) -> Result<(), ApiError> {
        let refuse = |what: &str| {
            Err(ApiError::Malformed(format!(
                "{what}; nothing was deleted. Name clusters by X-OCCI-Location, or DELETE the collection without it to delete all"
            )))
        };
        if !context.query.is_empty() {
            return refuse("a query says nothing to DELETE here");
        }
        if context.parsed.has_unread_body {
            return refuse("a body of type text/occi is not read");
        }
        Ok(())
    }

    /// Whether the entity of that name is meant.
    pub(super) fn contains(&self, name: &str, entity: &OcciEntity) -> bool {
        self.is_named(name) && self.is_like(entity)
    }

    /// The names of the entities that are meant.
    ///
    /// # Errors
    /// `Malformed` where locations are announced and none is given, or an entity that is named is not
    /// as the request says; `NotFound` with the first that is not there.
    pub(super) fn choose_exactly<'a>(
        &self,
        entities: &'a [(String, OcciEntity)],
    ) -> Result<Vec<&'a str>, ApiError> {
        let names = self.names.as_deref();
        if names.is_some_and(<[String]>::is_empty) {
            return Err(ApiError::Malformed(
                "no location: name the clusters that are meant".to_owned(),
            ));
        }
        for name in names.unwrap_or_default() {
            let Some((_, entity)) = entities.iter().find(|(found, _)| found == name) else {
                return Err(ApiError::NotFound(entity_path(name)));
            };
            if !self.is_like(entity) {
                return Err(ApiError::Malformed(format!(
                    "{} is named, and is not as the categories and attributes of the request say; nothing was done",
                    entity_path(name)
                )));
            }
        }
        let meant = entities
            .iter()
            .filter(|(name, entity)| self.contains(name, entity));
        Ok(meant.map(|(name, _)| name.as_str()).collect())
    }

    fn is_named(&self, name: &str) -> bool {
        self.names
            .as_ref()
            .is_none_or(|names| names.iter().any(|named| named == name))
    }

    fn is_like(&self, entity: &OcciEntity) -> bool {
        let has_attribute = |(name, value): &(String, String)| {
            entity
                .attributes
                .get(name)
                .is_some_and(|found| value_text(found) == *value)
        };
        !self.is_empty
            && self.mixins.iter().all(|mixin| entity.has_mixin(mixin))
            && self.attributes.iter().all(has_attribute)
            && (self.action.is_none() || entity.action == self.action)
    }
}

/// The names of the entities at the locations.
///
/// # Errors
/// `NotFound` with the first location that is not an entity of this service.
pub(super) fn entity_names(
    locations: &[String],
    service: &ServiceUrl,
) -> Result<Vec<String>, ApiError> {
    let name_at = |location: &String| {
        service
            .local_paths(location)
            .find_map(|path| match OcciRoute::from_path(path) {
                Some(OcciRoute::Entity(name)) => Some(name),
                _ => None,
            })
            .ok_or_else(|| ApiError::NotFound(location.clone()))
    };
    locations.iter().map(name_at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_paths_or_urls_of_this_service() {
        let names =
            |location: &str| entity_names(&[location.to_owned()], &ServiceUrl::plain("h:8080"));
        for good in [
            "/orchestrator/a",
            "http://h:8080/orchestrator/a",
            "https://h:8080/orchestrator/a",
        ] {
            assert_eq!(names(good).unwrap(), ["a"], "{good}");
        }
        for bad in [
            "",
            "a",
            "/",
            "/orchestrator/",
            "http://h/orchestrator/a",
            "http://h:8080",
            "http://h:80801/orchestrator/a",
            "/a/b",
        ] {
            let error = names(bad).expect_err(bad);
            assert!(
                matches!(&error, ApiError::NotFound(location) if location == bad),
                "{error:?}"
            );
        }
    }
}
