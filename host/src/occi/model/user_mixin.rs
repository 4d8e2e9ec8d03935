//! User-defined mixins, as OCCI calls them: tags that a project defines and gives to its clusters.
//! They have no attributes and change nothing in a cluster. The orchestrator keeps each as a group
//! of clusters, whose definition only this file reads and writes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::error::ApiError;
use super::super::terms::{
    Category, CategoryDefinition, FRAMEWORK_SCHEME, OWN_LOCATIONS, SERVICE_SCHEME,
};
use crate::addressing::ServiceUrl;
use crate::orchestrator::ClusterGroup;

/// Prefixes of schemes that only this service and OCCI itself define.
const RESERVED_SCHEMES: [&str; 4] = [
    SERVICE_SCHEME,
    FRAMEWORK_SCHEME,
    "http://schemas.ogf.org/occi/",
    "urn:x-stampede:",
];
/// Bytes of a term, scheme, location, title or `rel`.
pub const TEXT_BYTES: usize = 255;

/// A mixin of one project, with its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMixin {
    /// Term and scheme.
    pub category: Category,
    /// `/mymix/`.
    pub location: String,
    definition: MixinDefinition,
    /// Ids of its clusters.
    members: BTreeSet<String>,
}

/// A mixin's definition as it is recorded, in JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct MixinDefinition {
    term: String,
    scheme: String,
    rel: Option<String>,
    title: Option<String>,
}

impl UserMixin {
    /// The mixin of a recorded group.
    pub fn from_group(group: &ClusterGroup) -> Self {
        let definition: MixinDefinition =
            serde_json::from_str(&group.definition).unwrap_or_default();
        let category = Category {
            term: definition.term.clone(),
            scheme: definition.scheme.clone(),
        };
        Self {
            category,
            location: group.place.clone(),
            definition,
            members: group.clusters.clone(),
        }
    }

    /// The mixins of all recorded groups of a project.
    pub fn from_groups(groups: &[ClusterGroup]) -> Vec<Self> {
        groups.iter().map(Self::from_group).collect()
    }

    /// Validates a definition and makes the group that is to be recorded for it. `service`
    /// is its own URL, for locations that are whole URLs.
    ///
    /// # Errors
    /// `Malformed` with what is wrong; `Reserved` for a scheme that is not the project's to define.
    pub fn build_group(
        defined: &CategoryDefinition,
        service: &ServiceUrl,
    ) -> Result<ClusterGroup, ApiError> {
        let Category { term, scheme } = &defined.category;
        let malformed = |what: &str| Err(ApiError::Malformed(format!("category {term}: {what}")));
        if defined.parameter("class") != Some("mixin") {
            return malformed("expected class=\"mixin\", nothing else can be defined here");
        }
        if defined
            .parameter("attributes")
            .or(defined.parameter("actions"))
            .is_some_and(|text| !text.trim().is_empty())
        {
            return malformed("a mixin of a project is a tag: it has no attributes and no actions");
        }
        let texts = [
            Some(term.as_str()),
            Some(scheme),
            defined.parameter("rel"),
            defined.parameter("title"),
            defined.parameter("location"),
        ];
        if texts
            .into_iter()
            .flatten()
            .any(|text| text.len() > TEXT_BYTES)
        {
            return malformed(&format!(
                "no part of it may have more than {TEXT_BYTES} bytes"
            ));
        }
        if RESERVED_SCHEMES
            .iter()
            .any(|reserved| scheme.starts_with(reserved))
        {
            return Err(ApiError::Reserved(defined.category.identifier()));
        }
        if !scheme.ends_with('#')
            || !scheme
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"\"<>\\".contains(&b))
        {
            return malformed("expected a scheme that is a URI and ends in #");
        }
        let location = match defined.parameter("location") {
            None => format!("/{term}/"),
            Some(location) => service.local_path(location).unwrap_or_default().to_owned(),
        };
        if !is_free_location(&location) {
            return malformed("expected a location as /my/mixin/ that is not the service's own");
        }
        let text = |name| {
            defined
                .parameter(name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let recorded = MixinDefinition {
            term: term.clone(),
            scheme: scheme.clone(),
            rel: text("rel"),
            title: text("title"),
        };
        let definition = serde_json::to_string(&recorded).map_err(ApiError::internal)?;
        Ok(ClusterGroup {
            name: defined.category.identifier(),
            place: location,
            definition,
            clusters: BTreeSet::new(),
        })
    }

    /// Whether the cluster of this id is a member.
    pub fn has_member(&self, id: &str) -> bool {
        self.members.contains(id)
    }

    /// What the mixin is related to, as its definition says.
    pub fn related(&self) -> Option<&str> {
        self.definition.rel.as_deref()
    }

    /// For people.
    pub fn title(&self) -> Option<&str> {
        self.definition.title.as_deref()
    }
}

/// Whether a mixin can be located there: a path of plain names that is none of the service's own.
fn is_free_location(location: &str) -> bool {
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
            && name != "."
            && name != ".."
    };
    let names = location
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    names.is_some_and(|names| names.split('/').all(plain))
        && !OWN_LOCATIONS.iter().any(|own| location.starts_with(own))
}

#[cfg(test)]
mod tests {
    use super::super::super::parse::category::parse_categories;
    use super::*;

    fn define(text: &str) -> Result<ClusterGroup, ApiError> {
        UserMixin::build_group(
            &parse_categories(text).unwrap().remove(0),
            &ServiceUrl::plain("h:8080"),
        )
    }

    #[test]
    fn what_is_the_services_own_or_no_tag_is_refused() {
        for text in [
            "a; scheme=\"s#\"",
            "a; scheme=\"s#\"; class=\"kind\"",
            "a; scheme=\"s#\"; class=\"mixin\"; attributes=\"x\"",
            "a; scheme=\"s#\"; class=\"mixin\"; actions=\"x\"",
            "a; scheme=\"s\"; class=\"mixin\"",
            "a; scheme=\"s \u{e9}#\"; class=\"mixin\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/a\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"a/\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/-/\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/a//\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/../\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/a b/\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/orchestrator/\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/orchestrator/a/\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/.well-known/x/\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"/api/v1/clusters/\"",
            "ui; scheme=\"s#\"; class=\"mixin\"",
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"http://elsewhere/a/\"",
        ] {
            assert!(
                matches!(define(text), Err(ApiError::Malformed(_))),
                "{text}"
            );
        }
        for scheme in [
            SERVICE_SCHEME,
            FRAMEWORK_SCHEME,
            "http://schemas.ogf.org/occi/core#",
        ] {
            assert!(
                matches!(
                    define(&format!("a; scheme=\"{scheme}\"; class=\"mixin\"")),
                    Err(ApiError::Reserved(_))
                ),
                "{scheme}"
            );
        }
        let long = |bytes: usize| {
            define(&format!(
                "a; scheme=\"s#\"; class=\"mixin\"; title=\"{}\"",
                "t".repeat(bytes)
            ))
        };
        assert!(long(TEXT_BYTES).is_ok() && long(TEXT_BYTES + 1).is_err());
    }
}
