//! The mixins that projects define for themselves: tags of their clusters, without attributes and
//! without meaning here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::error::ApiError;
use super::model::{FRAMEWORK_SCHEME, LOCATION, SCHEME};
use super::route::OcciRoute;
use super::syntax::category::{Category, CategoryDefinition};
use super::syntax::escape;
use crate::orchestrator::ClusterGroup;

/// The beginnings of schemes that nobody else defines.
const RESERVED_SCHEMES: [&str; 4] = [
    SCHEME,
    FRAMEWORK_SCHEME,
    "http://schemas.ogf.org/occi/",
    "urn:x-stampede:",
];
/// Bytes of a term, scheme, location, title or `rel`.
const TEXT_BYTES: usize = 255;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMixin {
    /// Term and scheme.
    pub category: Category,
    /// `/mymix/`.
    pub location: String,
    said: MixinDefinition,
    clusters: BTreeSet<String>,
}

/// What its maker said besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct MixinDefinition {
    term: String,
    scheme: String,
    rel: Option<String>,
    title: Option<String>,
}

impl UserMixin {
    /// Of what was remembered.
    pub fn of(group: &ClusterGroup) -> Self {
        let said: MixinDefinition = serde_json::from_str(&group.definition).unwrap_or_default();
        let category = Category {
            term: said.term.clone(),
            scheme: said.scheme.clone(),
        };
        Self {
            category,
            location: group.place.clone(),
            said,
            clusters: group.clusters.clone(),
        }
    }

    /// Of all that was remembered of a project.
    pub fn all(groups: &[ClusterGroup]) -> Vec<Self> {
        groups.iter().map(Self::of).collect()
    }

    /// What is to be remembered of a definition. `host` is the service's own, for locations that
    /// are whole URLs.
    ///
    /// # Errors
    /// `Malformed` with what is wrong; `Reserved` for what is the service's own.
    pub fn define(described: &CategoryDefinition, host: &str) -> Result<ClusterGroup, ApiError> {
        let Category { term, scheme } = &described.category;
        let wrong = |what: &str| Err(ApiError::Malformed(format!("category {term}: {what}")));
        if described.get("class") != Some("mixin") {
            return wrong("expected class=\"mixin\", nothing else can be defined here");
        }
        if described
            .get("attributes")
            .or(described.get("actions"))
            .is_some_and(|text| !text.trim().is_empty())
        {
            return wrong("a mixin of a project is a tag: it has no attributes and no actions");
        }
        let texts = [
            Some(term.as_str()),
            Some(scheme),
            described.get("rel"),
            described.get("title"),
            described.get("location"),
        ];
        if texts
            .into_iter()
            .flatten()
            .any(|text| text.len() > TEXT_BYTES)
        {
            return wrong(&format!(
                "no part of it may have more than {TEXT_BYTES} bytes"
            ));
        }
        if RESERVED_SCHEMES
            .iter()
            .any(|reserved| scheme.starts_with(reserved))
        {
            return Err(ApiError::Reserved(described.category.identifier()));
        }
        if !scheme.ends_with('#')
            || !scheme
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"\"<>\\".contains(&b))
        {
            return wrong("expected a scheme that is a URI and ends in #");
        }
        let place = match described.get("location") {
            None => format!("/{term}/"),
            Some(location) => path(location, host).unwrap_or_default().to_owned(),
        };
        if !is_place(&place) {
            return wrong("expected a location as /my/mixin/ that is not the service's own");
        }
        let text = |name| {
            described
                .get(name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let said = MixinDefinition {
            term: term.clone(),
            scheme: scheme.clone(),
            rel: text("rel"),
            title: text("title"),
        };
        let definition = serde_json::to_string(&said).map_err(|_| ApiError::Defect)?;
        Ok(ClusterGroup {
            name: described.category.identifier(),
            place,
            definition,
            clusters: BTreeSet::new(),
        })
    }

    /// Whether the cluster of this id bears it.
    pub fn has(&self, id: &str) -> bool {
        self.clusters.contains(id)
    }

    /// For people; may be empty.
    pub fn title(&self) -> &str {
        self.said.title.as_deref().unwrap_or_default()
    }

    /// As a line of text; `base` is `http://HOST`.
    pub fn line(&self, base: &str) -> String {
        let (term, scheme) = (
            escape::name(&self.category.term),
            escape::header(&self.category.scheme, TEXT_BYTES),
        );
        let said = |name: &str, value: &Option<String>| {
            value.as_ref().map_or_else(String::new, |value| {
                format!("; {name}=\"{}\"", escape::header(value, 3 * TEXT_BYTES))
            })
        };
        let (rel, title) = (said("rel", &self.said.rel), said("title", &self.said.title));
        format!(
            "{term}; scheme=\"{scheme}\"; class=\"mixin\"{rel}{title}; location=\"{base}{}\"",
            self.location
        )
    }

    /// In JSON.
    pub fn json(&self) -> serde_json::Value {
        let mut json = serde_json::json!({"location": self.location, "scheme": self.category.scheme, "term": self.category.term});
        for (key, value) in [
            (
                "related",
                self.said.rel.as_ref().map(|rel| vec![rel.as_str()].into()),
            ),
            ("title", self.said.title.clone().map(Into::into)),
        ] {
            if let Some(value) = value {
                json[key] = value;
            }
        }
        json
    }
}

/// The path of a location that is one, or a URL of this service.
pub fn path<'a>(location: &'a str, host: &str) -> Option<&'a str> {
    let Some((_, rest)) = location.split_once("://") else {
        return Some(location);
    };
    rest.strip_prefix(host).filter(|path| path.starts_with('/'))
}

/// Whether a mixin may be found there: a path of plain names that nothing of the service's own is
/// at.
fn is_place(place: &str) -> bool {
    let plain = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
            && name != "."
            && name != ".."
    };
    let names = place
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    names.is_some_and(|names| names.split('/').all(plain))
        && !place.starts_with(LOCATION)
        && !place.starts_with("/-/")
        && !place.starts_with("/.well-known/")
}

/// The names of the entities that locations in a request mean.
///
/// # Errors
/// `NotFound` with the first that is none of this service's.
pub fn names(locations: &[String], host: &str) -> Result<Vec<String>, ApiError> {
    let name = |location: &String| match path(location, host).and_then(OcciRoute::of) {
        Some(OcciRoute::Entity(name)) => Ok(name),
        _ => Err(ApiError::NotFound(location.clone())),
    };
    locations.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::super::syntax::category;
    use super::*;

    fn define(text: &str) -> Result<ClusterGroup, ApiError> {
        UserMixin::define(&category::parse(text).unwrap().remove(0), "h:8080")
    }

    #[test]
    fn a_definition_is_shown_as_it_was_given() {
        let group = define(
            "mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"/mymix/\"",
        )
        .unwrap();
        let shown = UserMixin::of(&group).line("http://h");
        assert_eq!(
            shown,
            "mymix; scheme=\"http://example.org/m#\"; class=\"mixin\"; location=\"http://h/mymix/\""
        );
        let whole = "a; scheme=\"s#\"; class=\"mixin\"; rel=\"r#x\"; title=\"A, \\\"B\\\"\"; location=\"http://h:8080/my/a/\"";
        let own = UserMixin::of(&define(whole).unwrap());
        assert_eq!((own.location.as_str(), own.title()), ("/my/a/", "A, \"B\""));
        let again = category::parse(&own.line("http://h:8080"))
            .unwrap()
            .remove(0);
        assert_eq!(
            (&again.category, again.get("rel")),
            (&own.category, Some("r#x"))
        );
        assert_eq!(own.json()["related"][0], "r#x");
        assert_eq!(
            UserMixin::of(&define("b; scheme=\"s#\"; class=mixin").unwrap()).location,
            "/b/"
        );
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
            "a; scheme=\"s#\"; class=\"mixin\"; location=\"http://elsewhere/a/\"",
        ] {
            assert!(
                matches!(define(text), Err(ApiError::Malformed(_))),
                "{text}"
            );
        }
        for scheme in [
            SCHEME,
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

    #[test]
    fn locations_are_paths_or_urls_of_this_service() {
        let names = |location: &str| names(&[location.to_owned()], "h:8080");
        for good in [
            "/orchestrator/a",
            "http://h:8080/orchestrator/a",
            "https://h:8080/orchestrator/a",
        ] {
            assert_eq!(names(good), Ok(vec!["a".to_owned()]), "{good}");
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
            assert_eq!(names(bad), Err(ApiError::NotFound(bad.to_owned())), "{bad}");
        }
    }
}
