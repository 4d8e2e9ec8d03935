//! The categories that this service lists: hurtle's kind with its two actions, a mixin for every
//! framework, and the user-defined mixins of the caller's project.

use super::super::terms::{
    Category, FRAMEWORK_SCHEME, FrameworkMixin, KIND_TERM, LifecycleAction, SERVICE_SCHEME,
};
use super::user_mixin::UserMixin;
use crate::cluster::attribute_names::PREFIX;
use crate::cluster::attribute_schema::ATTRIBUTES;
use crate::cluster::framework::{CLUSTER, PluginDescriptor};

/// A category that this service lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CategoryRef<'a> {
    /// The kind `orchestrator`.
    Kind,
    /// An action of it.
    Action(LifecycleAction),
    /// A framework.
    Framework(&'a FrameworkMixin),
    /// A mixin that the client's project has defined.
    UserMixin(&'a UserMixin),
}

/// All categories but the user-defined ones, made once at the start from the frameworks'
/// descriptors.
#[derive(Clone, Debug)]
pub struct CategoryModel {
    mixins: Vec<FrameworkMixin>,
}

impl CategoryModel {
    /// A model with a mixin for each descriptor.
    pub fn from_frameworks(frameworks: &[&PluginDescriptor]) -> Self {
        let builtin = ATTRIBUTES
            .iter()
            .map(|attribute| format!("{PREFIX}{}", attribute.name));
        let mut common = FrameworkMixin {
            term: CLUSTER.to_owned(),
            title: "Cluster".to_owned(),
            attributes: builtin.collect(),
        };
        let mut mixins = Vec::new();
        for descriptor in frameworks {
            let attributes = attribute_names(descriptor);
            if descriptor.name == CLUSTER {
                common.attributes.extend(attributes);
            } else {
                mixins.push(FrameworkMixin {
                    term: descriptor.name.clone(),
                    title: descriptor.title.clone(),
                    attributes,
                });
            }
        }
        mixins.insert(0, common);
        Self { mixins }
    }

    /// The kind, its actions in the recorded order, the frameworks' mixins.
    pub fn list_categories(&self) -> impl Iterator<Item = CategoryRef<'_>> {
        let first = [
            CategoryRef::Kind,
            CategoryRef::Action(LifecycleAction::Provision),
            CategoryRef::Action(LifecycleAction::Deploy),
        ];
        first
            .into_iter()
            .chain(self.mixins.iter().map(CategoryRef::Framework))
    }

    /// Finds a client's category; `user_mixins` are those of its project.
    pub fn find_category<'a>(
        &'a self,
        user_mixins: &'a [UserMixin],
        category: &Category,
    ) -> Option<CategoryRef<'a>> {
        match (category.scheme.as_str(), category.term.as_str()) {
            (SERVICE_SCHEME, KIND_TERM) => Some(CategoryRef::Kind),
            (SERVICE_SCHEME, term) => LifecycleAction::from_term(term).map(CategoryRef::Action),
            (FRAMEWORK_SCHEME, term) => self
                .mixins
                .iter()
                .find(|mixin| mixin.term == term)
                .map(CategoryRef::Framework),
            _ => user_mixins
                .iter()
                .find(|mixin| mixin.category == *category)
                .map(CategoryRef::UserMixin),
        }
    }
}

/// The names of a framework's attributes: its version, if it has several, and its parameters.
fn attribute_names(descriptor: &PluginDescriptor) -> Vec<String> {
    let versions =
        (!descriptor.versions.is_empty()).then(|| format!("{PREFIX}{}.version", descriptor.name));
    let properties = descriptor
        .parameters
        .get("properties")
        .and_then(serde_json::Value::as_object);
    let names = properties
        .into_iter()
        .flatten()
        .map(|(name, _)| format!("{PREFIX}{}.{name}", descriptor.name));
    versions.into_iter().chain(names).collect()
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
        assert!(matches!(
            find("cluster", FRAMEWORK_SCHEME),
            Some(CategoryRef::Framework(_))
        ));
        assert_eq!(find("nosuch", SERVICE_SCHEME), None);
        assert_eq!(find("deploy", "http://elsewhere#"), None);
        assert_eq!(find("deploy", FRAMEWORK_SCHEME), None);
    }
}
