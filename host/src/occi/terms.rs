//! The vocabulary of this API as constants and plain types: schemes, paths, attribute names,
//! categories, actions, and what a parsed request holds. All other files of this folder use it and
//! it uses none of them, which is what keeps them free of circles.

use crate::orchestrator::LifecyclePhase;

/// The Server header of all responses.
pub const SERVER_NAME: &str = concat!("stampede/", env!("CARGO_PKG_VERSION"), " OCCI/1.1");

/// Scheme of the kind and its actions; hurtle's Service Manager sends it.
pub const SERVICE_SCHEME: &str = "http://schemas.mobile-cloud-networking.eu/occi/service#";
/// Term of the kind.
pub const KIND_TERM: &str = "orchestrator";
/// What the kind is related to.
pub const RELATED_KIND: &str = "http://schemas.ogf.org/occi/core#resource";
/// Scheme of the frameworks' mixins.
pub const FRAMEWORK_SCHEME: &str = "urn:x-stampede:framework#";
/// The path of the collection of all entities; an entity's path begins with it.
pub const COLLECTION_PATH: &str = "/orchestrator/";

/// Heat's status of the stack; with [`STACK_ID`] the kind's attributes, which clients cannot set.
pub const STACK_STATE: &str = "occi.mcn.stack.state";
/// Region and id of the stack.
pub const STACK_ID: &str = "occi.mcn.stack.id";
/// The entity's path.
pub const CORE_ID: &str = "occi.core.id";
/// The attribute that a framework's mixin stands for.
pub const FRAMEWORK_ATTRIBUTE: &str = "stampede.framework";

/// Attributes that responses carry and requests cannot set.
const READ_ONLY: &[&str] = &[
    STACK_STATE,
    STACK_ID,
    CORE_ID,
    "stampede.state",
    "stampede.failure",
    "stampede.cloud.error",
    "stampede.stack.reason",
];
/// Prefixes of read-only attributes, one for each node or endpoint.
const READ_ONLY_PREFIXES: &[&str] = &["stampede.progress.", "stampede.endpoint."];

/// Whether only this service sets the attribute. A request that carries one is accepted and the
/// attribute ignored, so that clients can send back an entity as they received it.
pub fn is_read_only(name: &str) -> bool {
    READ_ONLY.contains(&name)
        || READ_ONLY_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// The path of the entity of that name.
pub fn entity_path(name: &str) -> String {
    format!("{COLLECTION_PATH}{name}")
}

/// A category as a client names it. Class, location and the rest may be there; only term and scheme
/// tell which it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// `orchestrator`.
    pub term: String,
    /// Ends in `#`.
    pub scheme: String,
}

impl Category {
    /// Scheme and term in one, as JSON and `rel` write it.
    pub fn identifier(&self) -> String {
        format!("{}{}", self.scheme, self.term)
    }
}

/// A category with all parameters that its client sent with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CategoryDefinition {
    /// Which it is.
    pub category: Category,
    /// `class`, `rel`, `location` and the others, the scheme among them.
    pub parameters: Vec<(String, String)>,
}

impl CategoryDefinition {
    /// The parameter of this name, the last of several.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .rev()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The categories, attributes and locations of one request, whichever rendering they came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParsedRequest {
    /// In their order; headers first.
    pub categories: Vec<CategoryDefinition>,
    /// In their order; headers first, later duplicates count.
    pub attributes: Vec<(String, String)>,
    /// `X-OCCI-Location`: URLs and paths, as they stand; headers first.
    pub locations: Vec<String>,
}

/// An action of the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleAction {
    /// Creates the stack.
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
        format!("{SERVICE_SCHEME}{}", self.term())
    }

    /// The action of that term.
    pub fn from_term(term: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.term() == term)
    }

    /// The action that an entity of this phase offers.
    pub fn next_after(phase: LifecyclePhase) -> Option<Self> {
        match phase {
            LifecyclePhase::Initialised => Some(Self::Deploy),
            LifecyclePhase::Deployed => Some(Self::Provision),
            LifecyclePhase::Provisioned => None,
        }
    }
}

/// A framework as a mixin: the attributes that a request may carry for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameworkMixin {
    /// The framework's name; `cluster` holds what all have in common.
    pub term: String,
    /// For people.
    pub title: String,
    /// Attribute names, `stampede.` included.
    pub attributes: Vec<String>,
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
            assert!(is_read_only(name), "{name}");
        }
        for name in [
            "occi.core.title",
            "stampede.workers",
            "stampede.progress",
            "my.param",
        ] {
            assert!(!is_read_only(name), "{name}");
        }
    }
}
