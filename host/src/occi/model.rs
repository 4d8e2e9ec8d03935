//! The categories of this service: hurtle's kind with its two actions, and a mixin for every
//! framework that can be asked for.

use super::syntax::category::Category;
use super::user_mixin::UserMixin;
use crate::cluster::attribute_names::{CLUSTER, PREFIX};
use crate::cluster::attribute_schema::ATTRIBUTES;
use crate::cluster::framework::PluginDescriptor;
use crate::orchestrator::LifecyclePhase;

/// Scheme of the kind and its actions; the Service Manager sends it.
pub const SCHEME: &str = "http://schemas.mobile-cloud-networking.eu/occi/service#";
/// Term of the kind.
pub const KIND: &str = "orchestrator";
/// What the kind is related to.
pub const RELATED: &str = "http://schemas.ogf.org/occi/core#resource";
/// Scheme of the frameworks' mixins.
pub const FRAMEWORK_SCHEME: &str = "urn:x-stampede:framework#";
/// Where entities live.
pub const LOCATION: &str = "/orchestrator/";

/// The attributes that clients cannot set, in the kind's order.
pub const STATE: &str = "occi.mcn.stack.state";
/// Region and id of the stack.
pub const STACK_ID: &str = "occi.mcn.stack.id";
/// The entity's path.
pub const CORE_ID: &str = "occi.core.id";

/// Attributes of ours that answers carry and requests cannot set.
const SHOWN_ONLY: &[&str] = &[
    STATE,
    STACK_ID,
    CORE_ID,
    "stampede.state",
    "stampede.failure",
    "stampede.cloud.error",
    "stampede.stack.reason",
];
/// The beginnings of their names, where there are many.
const SHOWN_ONLY_PREFIXES: &[&str] = &["stampede.progress.", "stampede.endpoint."];

/// Whether an attribute is this service's to say. A client that sends back what it was shown does
/// not change it.
pub fn is_shown_only(name: &str) -> bool {
    SHOWN_ONLY.contains(&name)
        || SHOWN_ONLY_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// What can be done with an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleAction {
    /// Make the stack.
    Deploy,
    /// hurtle's last step.
    Provision,
}

impl LifecycleAction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Deploy, Self::Provision];

    /// The action's term, and its name in a query.
    pub fn term(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Provision => "provision",
        }
    }

    /// Scheme and term.
    pub fn identifier(self) -> String {
        format!("{SCHEME}{}", self.term())
    }

    /// The one of that term.
    pub fn by_term(term: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.term() == term)
    }

    /// What may be done next.
    pub fn next(phase: LifecyclePhase) -> Option<Self> {
        match phase {
            LifecyclePhase::Initialised => Some(Self::Deploy),
            LifecyclePhase::Deployed => Some(Self::Provision),
            LifecyclePhase::Provisioned => None,
        }
    }
}

/// A framework as a mixin: what a request may carry for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameworkMixin {
    /// The framework's name; `cluster` holds what all have in common.
    pub term: String,
    /// For people.
    pub title: String,
    /// Attribute names, `stampede.` included.
    pub attributes: Vec<String>,
}

/// A category that this service lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CategoryRef<'a> {
    /// The kind `orchestrator`.
    Kind,
    /// An action of it.
    Action(LifecycleAction),
    /// A framework.
    Mixin(&'a FrameworkMixin),
    /// A mixin of the client's project.
    Own(&'a UserMixin),
}

/// All categories.
#[derive(Clone, Debug)]
pub struct CategoryModel {
    mixins: Vec<FrameworkMixin>,
}

impl CategoryModel {
    /// With a mixin for each descriptor.
    pub fn of(frameworks: &[&PluginDescriptor]) -> Self {
        let own = ATTRIBUTES.iter().map(|own| format!("{PREFIX}{}", own.name));
        let mut common = FrameworkMixin {
            term: CLUSTER.to_owned(),
            title: "Cluster".to_owned(),
            attributes: own.collect(),
        };
        let mut mixins = Vec::new();
        for descriptor in frameworks {
            let attributes = parameters(descriptor);
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

    /// The kind, its actions in the recorded order, the mixins.
    pub fn listed(&self) -> impl Iterator<Item = CategoryRef<'_>> {
        let first = [
            CategoryRef::Kind,
            CategoryRef::Action(LifecycleAction::Provision),
            CategoryRef::Action(LifecycleAction::Deploy),
        ];
        first
            .into_iter()
            .chain(self.mixins.iter().map(CategoryRef::Mixin))
    }

    /// What a client's category is here, if it is anything; `own` are the mixins of its project.
    pub fn find<'a>(
        &'a self,
        own: &'a [UserMixin],
        category: &Category,
    ) -> Option<CategoryRef<'a>> {
        match (category.scheme.as_str(), category.term.as_str()) {
            (SCHEME, KIND) => Some(CategoryRef::Kind),
            (SCHEME, term) => LifecycleAction::by_term(term).map(CategoryRef::Action),
            (FRAMEWORK_SCHEME, term) => self
                .mixins
                .iter()
                .find(|mixin| mixin.term == term)
                .map(CategoryRef::Mixin),
            _ => own
                .iter()
                .find(|own| own.category == *category)
                .map(CategoryRef::Own),
        }
    }
}

fn parameters(descriptor: &PluginDescriptor) -> Vec<String> {
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
    fn what_answers_say_cannot_be_set() {
        for name in [
            "occi.core.id",
            "occi.mcn.stack.state",
            "occi.mcn.stack.id",
            "stampede.progress.worker-1",
            "stampede.state",
        ] {
            assert!(is_shown_only(name), "{name}");
        }
        for name in [
            "occi.core.title",
            "stampede.workers",
            "stampede.progress",
            "my.param",
        ] {
            assert!(!is_shown_only(name), "{name}");
        }
    }

    #[test]
    fn a_client_finds_kind_and_actions_by_term_and_scheme() {
        let model = CategoryModel::of(&[]);
        let find = |term: &str, scheme: &str| {
            model.find(
                &[],
                &Category {
                    term: term.into(),
                    scheme: scheme.into(),
                },
            )
        };
        assert_eq!(find("orchestrator", SCHEME), Some(CategoryRef::Kind));
        assert_eq!(
            find("deploy", SCHEME),
            Some(CategoryRef::Action(LifecycleAction::Deploy))
        );
        assert!(matches!(
            find("cluster", FRAMEWORK_SCHEME),
            Some(CategoryRef::Mixin(_))
        ));
        assert_eq!(find("nosuch", SCHEME), None);
        assert_eq!(find("deploy", "http://elsewhere#"), None);
        assert_eq!(find("deploy", FRAMEWORK_SCHEME), None);
    }
}
