//! The categories that this service lists: hurtle's kind with its two actions, OCCI's core kinds, a
//! mixin for every framework, mixins for what is shown of a cluster, and the user-defined mixins of
//! the caller's project.
//!
//! A strict client takes an entity only if its kind, or a mixin that is attached to it, defines each
//! of its attributes. So every attribute that an entity can have is defined here: what is known at
//! the start by [`CategoryModel`], and the names that only clusters bring (nodes, outputs, clients'
//! own) by the mixin `details`, whose attributes are those that the project's clusters have.

use std::collections::BTreeMap;

use super::super::terms::{
    CORE_SCHEME, Category, CoreKind, DETAILS_TERM, FRAMEWORK_SCHEME, KIND_TERM, LifecycleAction,
    SERVICE_SCHEME, SHOWN_ATTRIBUTES, SHOWN_SCHEME, STATUS_TERM,
};
use super::attribute_definition::AttributeDefinition;
use super::user_mixin::UserMixin;
use crate::cluster::attribute_schema::ATTRIBUTES;
use crate::cluster::{FrameworkDescriptor, framework::CLUSTER};

/// A mixin of this service's own.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltInMixin {
    /// Term and scheme.
    pub category: Category,
    /// The path of the clusters that it is attached to.
    pub location: String,
    /// For people.
    pub title: String,
    /// What it defines.
    pub attributes: Vec<AttributeDefinition>,
}

impl BuiltInMixin {
    fn new(scheme: &str, term: &str, location: String, title: &str) -> Self {
        Self {
            category: Category {
                term: term.to_owned(),
                scheme: scheme.to_owned(),
            },
            location,
            title: title.to_owned(),
            attributes: Vec::new(),
        }
    }

    fn of_framework(term: &str, title: &str) -> Self {
        Self::new(FRAMEWORK_SCHEME, term, format!("/framework/{term}/"), title)
    }

    fn of_shown(term: &str, title: &str) -> Self {
        Self::new(SHOWN_SCHEME, term, format!("/cluster/{term}/"), title)
    }

    /// The framework that it stands for; the mixin `cluster` holds what all have in common.
    pub fn framework(&self) -> Option<&str> {
        let Category { term, scheme } = &self.category;
        (scheme == FRAMEWORK_SCHEME && term != CLUSTER).then_some(term)
    }

    /// Whether it is the mixin whose attributes depend on the project's clusters.
    pub fn is_details(&self) -> bool {
        self.category.scheme == SHOWN_SCHEME && self.category.term == DETAILS_TERM
    }
}

/// A category that this service lists.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CategoryRef<'a> {
    /// The kind `orchestrator`.
    Kind,
    /// An action of it.
    Action(LifecycleAction),
    /// A kind of OCCI's core, which ours is related to.
    Core(CoreKind),
    /// A mixin of this service's own.
    BuiltIn(&'a BuiltInMixin),
    /// A mixin that the client's project has defined.
    UserMixin(&'a UserMixin),
}

/// All categories but the user-defined ones, made once at the start from the frameworks'
/// descriptors.
#[derive(Clone, Debug)]
pub struct CategoryModel {
    mixins: Vec<BuiltInMixin>,
    /// Which mixin defines an attribute, and how.
    definitions: BTreeMap<String, (usize, usize)>,
}

impl CategoryModel {
    /// A model with a mixin for each framework.
    pub fn from_frameworks(frameworks: &[&FrameworkDescriptor]) -> Self {
        let mut common = BuiltInMixin::of_framework(CLUSTER, "Cluster");
        common.attributes = ATTRIBUTES
            .iter()
            .map(AttributeDefinition::from_row)
            .collect();
        let mut status = BuiltInMixin::of_shown(STATUS_TERM, "What becomes of a cluster");
        let shown = SHOWN_ATTRIBUTES.iter().filter(|shown| !shown.names_follow);
        status.attributes = shown.map(AttributeDefinition::shown).collect();
        let details =
            BuiltInMixin::of_shown(DETAILS_TERM, "What a cluster's nodes, stack and client say");
        let mut others: Vec<BuiltInMixin> = Vec::new();
        for descriptor in frameworks {
            let attributes = AttributeDefinition::of_framework(descriptor);
            if descriptor.name == CLUSTER {
                common.attributes.extend(attributes);
                continue;
            }
            let mut mixin = BuiltInMixin::of_framework(&descriptor.name, &descriptor.title);
            mixin.attributes.extend(attributes);
            others.push(mixin);
        }
        let mixins: Vec<_> = [common]
            .into_iter()
            .chain(others)
            .chain([status, details])
            .collect();
        let mut definitions = BTreeMap::new();
        for (at, mixin) in mixins.iter().enumerate() {
            for (which, attribute) in mixin.attributes.iter().enumerate() {
                definitions
                    .entry(attribute.name.clone())
                    .or_insert((at, which));
            }
        }
        Self {
            mixins,
            definitions,
        }
    }

    /// The kind, its actions in the recorded order, the kinds that it is related to, the mixins.
    pub fn list_categories(&self) -> impl Iterator<Item = CategoryRef<'_>> {
        let first = [
            CategoryRef::Kind,
            CategoryRef::Action(LifecycleAction::Provision),
            CategoryRef::Action(LifecycleAction::Deploy),
        ];
        first
            .into_iter()
            .chain(CoreKind::ALL.into_iter().map(CategoryRef::Core))
            .chain(self.mixins.iter().map(CategoryRef::BuiltIn))
    }

    /// This service's own mixins.
    pub fn mixins(&self) -> &[BuiltInMixin] {
        &self.mixins
    }

    /// The mixin that defines an attribute, with its definition; none where only the mixin `details`
    /// can.
    pub fn find_definition(&self, name: &str) -> Option<(&BuiltInMixin, &AttributeDefinition)> {
        let (at, which) = self.definitions.get(name)?;
        let mixin = self.mixins.get(*at)?;
        Some((mixin, mixin.attributes.get(*which)?))
    }

    /// Finds a client's category; `user_mixins` are those of its project.
    pub fn find_category<'a>(
        &'a self,
        user_mixins: &'a [UserMixin],
        category: &Category,
    ) -> Option<CategoryRef<'a>> {
        let built_in = |mixin: &&BuiltInMixin| mixin.category == *category;
        match (category.scheme.as_str(), category.term.as_str()) {
            (SERVICE_SCHEME, KIND_TERM) => Some(CategoryRef::Kind),
            (SERVICE_SCHEME, term) => LifecycleAction::from_term(term).map(CategoryRef::Action),
            (CORE_SCHEME, term) => CoreKind::from_term(term).map(CategoryRef::Core),
            _ => self
                .mixins
                .iter()
                .find(built_in)
                .map(CategoryRef::BuiltIn)
                .or_else(|| {
                    user_mixins
                        .iter()
                        .find(|mixin| mixin.category == *category)
                        .map(CategoryRef::UserMixin)
                }),
        }
    }

    /// The category whose entities are at this path; not the kind and user-defined mixins.
    pub fn find_location(&self, path: &str) -> Option<CategoryRef<'_>> {
        let core = CoreKind::ALL
            .into_iter()
            .find(|kind| kind.location() == Some(path));
        let mixin = || self.mixins.iter().find(|mixin| mixin.location == path);
        core.map(CategoryRef::Core)
            .or_else(|| mixin().map(CategoryRef::BuiltIn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_finds_kind_and_actions_by_term_and_scheme() {
        let model = CategoryModel::from_frameworks(&[]);
        let find = |term: &str, scheme: &str| {
            model.find_category(
                &[],
                &Category {
                    term: term.into(),
                    scheme: scheme.into(),
                },
            )
        };
        assert_eq!(
            find("orchestrator", SERVICE_SCHEME),
            Some(CategoryRef::Kind)
        );
        assert_eq!(
            find("deploy", SERVICE_SCHEME),
            Some(CategoryRef::Action(LifecycleAction::Deploy))
        );
        for (term, scheme) in [("cluster", FRAMEWORK_SCHEME), ("status", SHOWN_SCHEME)] {
            assert!(matches!(find(term, scheme), Some(CategoryRef::BuiltIn(_))));
        }
        assert_eq!(
            find("resource", CORE_SCHEME),
            Some(CategoryRef::Core(CoreKind::Resource))
        );
        assert_eq!(find("nosuch", SERVICE_SCHEME), None);
        assert_eq!(find("deploy", "http://elsewhere#"), None);
        assert_eq!(find("deploy", FRAMEWORK_SCHEME), None);
    }

    #[test]
    fn every_category_but_the_abstract_kind_has_a_place_of_its_own() {
        let model = CategoryModel::from_frameworks(&[]);
        let mut places: Vec<String> = model
            .mixins()
            .iter()
            .map(|mixin| mixin.location.clone())
            .collect();
        let core = CoreKind::ALL.into_iter().filter_map(CoreKind::location);
        places.extend(core.map(str::to_owned));
        for place in &places {
            assert!(model.find_location(place).is_some(), "{place}");
        }
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), model.mixins().len() + 2);
        assert_eq!(model.find_location("/nosuch/"), None);
    }
}
