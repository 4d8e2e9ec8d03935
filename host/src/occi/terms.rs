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
/// Scheme of OCCI's core kinds.
pub const CORE_SCHEME: &str = "http://schemas.ogf.org/occi/core#";
/// Scheme of the frameworks' mixins.
pub const FRAMEWORK_SCHEME: &str = "urn:x-stampede:framework#";
/// Scheme of the mixins that define what is shown of a cluster.
pub const SHOWN_SCHEME: &str = "urn:x-stampede:cluster#";
/// Term of the mixin of what is shown of every cluster.
pub const STATUS_TERM: &str = "status";
/// Term of the mixin whose attributes are what the project's clusters bring.
pub const DETAILS_TERM: &str = "details";
/// Where this service has collections and other APIs of its own, so that no user-defined mixin can be
/// there.
pub const OWN_LOCATIONS: [&str; 9] = [
    COLLECTION_PATH,
    "/-/",
    "/.well-known/",
    "/framework/",
    "/cluster/",
    "/resource/",
    "/link/",
    "/api/v1/",
    "/ui/",
];
/// The path of the collection of all entities; an entity's path begins with it.
pub const COLLECTION_PATH: &str = "/orchestrator/";
/// What stands between an entity's path and the name of an endpoint whose secret is meant.
pub const SECRET: &str = "secret";

/// Heat's status of the stack; with [`STACK_ID`] the kind's attributes, which clients cannot set.
pub const STACK_STATE: &str = "occi.mcn.stack.state";
/// Region and id of the stack.
pub const STACK_ID: &str = "occi.mcn.stack.id";
/// The entity's path.
pub const CORE_ID: &str = "occi.core.id";
/// Its title, which its client gives.
pub const CORE_TITLE: &str = "occi.core.title";
/// Its summary, likewise.
pub const CORE_SUMMARY: &str = "occi.core.summary";
/// The attribute that a framework's mixin stands for.
pub const FRAMEWORK_ATTRIBUTE: &str = "stampede.framework";

/// Attributes of OCCI's core kinds and of ours, which need no mixin.
const CORE_ATTRIBUTES: [&str; 5] = [CORE_ID, CORE_TITLE, CORE_SUMMARY, STACK_STATE, STACK_ID];

/// Whether the kind or one that it is related to defines the attribute.
pub fn is_core(name: &str) -> bool {
    CORE_ATTRIBUTES.contains(&name)
}

/// An attribute by which this service says something of a cluster.
#[derive(Debug)]
pub struct ShownAttribute {
    /// Its name, or what all its names begin with.
    pub name: &'static str,
    /// Whether a name follows, of a node, a component or an endpoint.
    pub names_follow: bool,
    /// For people.
    pub description: &'static str,
}

impl ShownAttribute {
    const fn one(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            names_follow: false,
            description,
        }
    }

    const fn many(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            names_follow: true,
            description,
        }
    }
}

/// The attributes that this service shows, each of them by its row in [`SHOWN_ATTRIBUTES`].
impl ShownAttribute {
    /// Where the cluster stands.
    pub const STATE: Self = Self::one("stampede.state", "where the cluster stands");
    /// Why it failed.
    pub const FAILURE: Self = Self::one(
        "stampede.failure",
        "node, stage and reason of the first failure",
    );
    /// The change.
    pub const UPDATE: Self = Self::one(
        "stampede.update",
        "the change under way, or why the last one was rolled back",
    );
    /// Heat's words.
    pub const STACK_REASON: Self = Self::one(
        "stampede.stack.reason",
        "Heat's own words beside its status",
    );
    /// Why it may be old, or does not go on.
    pub const CLOUD_ERROR: Self = Self::one(
        "stampede.cloud.error",
        "why what is shown may be old, or does not go on",
    );
    /// Its end.
    pub const END: Self = Self::one(
        "stampede.end",
        "that the cluster's end is near or has come, and what becomes of it",
    );
    /// The cluster's colour.
    pub const HEALTH: Self = Self::one(
        "stampede.health",
        "green, yellow or red: that of the cluster's worst service",
    );
    /// One for each service.
    pub const SERVICE_HEALTH: Self = Self::many(
        "stampede.health.",
        "the colour of a service, why, and when its nodes have looked",
    );
    /// One for each node.
    pub const PROGRESS: Self = Self::many("stampede.progress.", "what a node reported last");
    /// One for each endpoint of which more is known than its URL.
    pub const ACCESS: Self = Self::many(
        "stampede.access.",
        "who reaches an endpoint, what it is for, and where the secret is that it asks for",
    );
    /// One for each endpoint.
    pub const ENDPOINT: Self = Self::many("stampede.endpoint.", "a URL of the cluster");
}

/// All of them.
pub static SHOWN_ATTRIBUTES: [ShownAttribute; 11] = [
    ShownAttribute::STATE,
    ShownAttribute::FAILURE,
    ShownAttribute::UPDATE,
    ShownAttribute::STACK_REASON,
    ShownAttribute::CLOUD_ERROR,
    ShownAttribute::END,
    ShownAttribute::HEALTH,
    ShownAttribute::SERVICE_HEALTH,
    ShownAttribute::PROGRESS,
    ShownAttribute::ACCESS,
    ShownAttribute::ENDPOINT,
];

/// Whether only this service sets the attribute. A request that carries one is accepted and the
/// attribute ignored, so that clients can send back an entity as they received it.
pub fn is_read_only(name: &str) -> bool {
    [STACK_STATE, STACK_ID, CORE_ID].contains(&name)
        || SHOWN_ATTRIBUTES.iter().any(|shown| {
            if shown.names_follow {
                name.starts_with(shown.name)
            } else {
                name == shown.name
            }
        })
}

/// The path of the secret that an endpoint asks for.
pub fn secret_path(cluster: &str, endpoint: &str) -> String {
    format!("{COLLECTION_PATH}{cluster}/{SECRET}/{endpoint}")
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
    /// Whether it names entities by their locations, be it none.
    pub names_entities: bool,
    /// Whether it has a body that its Content-Type says nothing is in.
    pub has_unread_body: bool,
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

/// A kind of OCCI's core model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreKind {
    /// Abstract: what all kinds come from.
    Entity,
    /// What our kind comes from.
    Resource,
    /// What connects resources; here are none.
    Link,
}

impl CoreKind {
    /// All, each behind the one that it comes from.
    pub const ALL: [Self; 3] = [Self::Entity, Self::Resource, Self::Link];

    /// The kind's term.
    pub fn term(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Resource => "resource",
            Self::Link => "link",
        }
    }

    /// The kind of that term.
    pub fn from_term(term: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.term() == term)
    }

    /// For people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Entity => "Entity",
            Self::Resource => "Resource",
            Self::Link => "Link",
        }
    }

    /// Scheme and term of the kind that it comes from.
    pub fn parent(self) -> Option<String> {
        (self != Self::Entity).then(|| format!("{CORE_SCHEME}{}", Self::Entity.term()))
    }

    /// The path of its entities. An abstract kind has none.
    pub fn location(self) -> Option<&'static str> {
        match self {
            Self::Entity => None,
            Self::Resource => Some("/resource/"),
            Self::Link => Some("/link/"),
        }
    }

    /// Its attributes, each with whether clients may set it.
    pub fn attributes(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Entity => &[(CORE_ID, false), (CORE_TITLE, true)],
            Self::Resource => &[(CORE_SUMMARY, true)],
            Self::Link => &[
                ("occi.core.source", true),
                ("occi.core.target", true),
                ("occi.core.target.kind", true),
            ],
        }
    }
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
            "stampede.update",
            "stampede.endpoint.x",
            "stampede.health",
            "stampede.health.datanode",
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
