//! Maps paths to routes, and routes to the methods and renderings that they know. Values in queries
//! are taken apart here too.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use super::super::terms::{COLLECTION_PATH, SECRET};
use super::negotiate::Rendering;

/// A path of this API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcciRoute {
    /// `/`: 200, with or without credentials.
    Root,
    /// `/-/` and `/.well-known/org/ogf/occi/-/`: the query interface.
    Query,
    /// `/orchestrator/`.
    Collection,
    /// `/orchestrator/<name>`; holds the name, decoded.
    Entity(String),
    /// `/orchestrator/<name>/secret/<endpoint>`: what an endpoint of a cluster asks for; both decoded.
    Secret {
        /// The cluster's name.
        cluster: String,
        /// The endpoint's.
        endpoint: String,
    },
    /// Any other path that ends in `/`: where a project may have put a user-defined mixin.
    Other {
        /// As it came.
        path: String,
        /// Without the prefix of the service's URL, where it begins with that.
        bare: Option<String>,
    },
}

impl OcciRoute {
    /// The route of a path; `None` where there is nothing.
    pub fn from_path(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Root),
            "/-/" | "/.well-known/org/ogf/occi/-/" => Some(Self::Query),
            COLLECTION_PATH => Some(Self::Collection),
            _ => {
                let Some(name) = path.strip_prefix(COLLECTION_PATH) else {
                    return (path.starts_with('/') && path.ends_with('/')).then(|| Self::Other {
                        path: path.to_owned(),
                        bare: None,
                    });
                };
                let decode = |part: &str| {
                    let text = percent_decode_str(part).decode_utf8().ok()?;
                    Some(text.into_owned())
                };
                match name.split('/').collect::<Vec<_>>().as_slice() {
                    [name] => Some(Self::Entity(decode(name)?)),
                    [cluster, SECRET, endpoint] if !endpoint.is_empty() => Some(Self::Secret {
                        cluster: decode(cluster)?,
                        endpoint: decode(endpoint)?,
                    }),
                    _ => None,
                }
            }
        }
    }

    /// The route of a path that is `bare` without the prefix of the service's URL. A path of the
    /// service's own counts as it came; where only mixins can be, both are looked at, and the root
    /// is what is left, at once for who has no credentials to look with.
    pub fn from_paths(
        path: &str,
        bare: Option<&str>,
        has_credentials: impl FnOnce() -> bool,
    ) -> Option<Self> {
        let as_it_came = Self::from_path(path);
        let stripped = bare.and_then(Self::from_path);
        match (as_it_came, stripped) {
            (Some(Self::Other { path, .. }), Some(Self::Root)) if has_credentials() => {
                Some(Self::Other {
                    path,
                    bare: bare.map(str::to_owned),
                })
            }
            (Some(Self::Other { path, .. }), Some(Self::Other { path: bare, .. })) => {
                Some(Self::Other {
                    path,
                    bare: Some(bare),
                })
            }
            (Some(Self::Other { .. }) | None, Some(stripped)) => Some(stripped),
            (as_it_came, _) => as_it_came,
        }
    }

    /// The route's kind in one word, for spans and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Query => "query",
            Self::Collection => "collection",
            Self::Entity(_) => "entity",
            Self::Secret { .. } => "secret",
            Self::Other { .. } => "mixin",
        }
    }

    /// The value of the Allow header.
    pub fn allowed_methods(&self) -> &'static str {
        match self {
            Self::Root | Self::Secret { .. } => "GET, HEAD",
            Self::Query => "GET, HEAD, POST, DELETE",
            Self::Collection => "GET, HEAD, POST, DELETE",
            Self::Entity(_) | Self::Other { .. } => "GET, HEAD, PUT, POST, DELETE",
        }
    }

    /// Whether the path knows the method.
    pub fn allows_method(&self, method: &Method) -> bool {
        self.allowed_methods()
            .split(", ")
            .any(|allowed| allowed == method.as_str())
    }

    /// The renderings that a response can take here, the default first.
    pub fn offered_renderings(&self) -> &'static [Rendering] {
        match self {
            Self::Root | Self::Collection | Self::Other { .. } => Rendering::COLLECTION,
            Self::Query | Self::Entity(_) => Rendering::ENTITY,
            Self::Secret { .. } => Rendering::TEXT,
        }
    }
}

/// The path without the escapes that it does not need: `/%2d/` is the same path as `/-/`
/// (RFC 3986, section 6.2.2.2).
pub fn normalize_path(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return path.into();
    }
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let code = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let plain = code
            .map(char::from)
            .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'));
        match (plain, after.get(2..)) {
            (Some(c), Some(behind)) => {
                normal.push(c);
                rest = behind;
            }
            _ => {
                normal.push('%');
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    normal.into()
}

/// The value of `key` in a query, percent-decoded.
pub fn query_value(query: &str, key: &str) -> Option<String> {
    let (_, value) = query
        .split('&')
        .filter_map(|part| part.split_once('='))
        .find(|(k, _)| *k == key)?;
    percent_decode_str(value)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(path: &str, bare: Option<&str>) -> Option<OcciRoute> {
        Some(OcciRoute::Other {
            path: path.to_owned(),
            bare: bare.map(str::to_owned),
        })
    }

    #[test]
    fn paths_and_methods() {
        let entity = |name: &str| Some(OcciRoute::Entity(name.to_owned()));
        let secret = |cluster: &str, endpoint: &str| {
            let (cluster, endpoint) = (cluster.to_owned(), endpoint.to_owned());
            Some(OcciRoute::Secret { cluster, endpoint })
        };
        for (path, route) in [
            ("/", Some(OcciRoute::Root)),
            ("/-/", Some(OcciRoute::Query)),
            ("/.well-known/org/ogf/occi/-/", Some(OcciRoute::Query)),
            ("/orchestrator/", Some(OcciRoute::Collection)),
            ("/orchestrator/default", entity("default")),
            ("/orchestrator/d%65fault", entity("default")),
            ("/orchestrator/%ff", None),
            ("/orchestrator/a/b", None),
            ("/orchestrator/a/secret/j%75pyter", secret("a", "jupyter")),
            ("/orchestrator/a/secret/", None),
            ("/orchestrator/a/secret/b/", None),
            ("/orchestrator/a/secret/%ff", None),
            ("/orchestrator/a/other/b", None),
            ("/orchestrator/a/", None),
            ("/orchestrator", None),
            ("/foo/bar", None),
            ("//", other("//", None)),
            ("/mymix/", other("/mymix/", None)),
            ("", None),
        ] {
            assert_eq!(OcciRoute::from_path(path), route, "{path}");
        }
        assert!(
            OcciRoute::Collection.allows_method(&Method::POST)
                && !OcciRoute::Collection.allows_method(&Method::PUT)
        );
        assert!(
            OcciRoute::Root.allows_method(&Method::HEAD)
                && !OcciRoute::Root.allows_method(&Method::POST)
        );
    }

    #[test]
    fn a_prefix_takes_no_path_of_the_services_own_away() {
        let route = |path: &str, prefix: &str, has_credentials: bool| {
            let bare = path.strip_prefix(prefix).filter(|p| p.starts_with('/'));
            OcciRoute::from_paths(path, bare, || has_credentials)
        };
        let entity = |name: &str| Some(OcciRoute::Entity(name.to_owned()));
        for (path, prefix, expected) in [
            (
                "/orchestrator/",
                "/orchestrator",
                Some(OcciRoute::Collection),
            ),
            ("/orchestrator/a", "/orchestrator", entity("a")),
            ("/orchestrator/orchestrator/a", "/orchestrator", entity("a")),
            ("/orchestrator/-/", "/orchestrator", Some(OcciRoute::Query)),
            ("/orchestrator/m/", "/orchestrator", other("/m/", None)),
            ("/-/", "/-", Some(OcciRoute::Query)),
            ("/m/", "/m", other("/m/", Some("/"))),
            ("/m/m/", "/m", other("/m/m/", Some("/m/"))),
            ("/m/orchestrator/a", "/m", entity("a")),
            ("/mm/", "/m", other("/mm/", None)),
            ("/x", "/m", None),
        ] {
            assert_eq!(route(path, prefix, true), expected, "{path} {prefix}");
        }
        assert_eq!(route("/m/", "/m", false), Some(OcciRoute::Root));
        assert_eq!(
            route("/orchestrator/", "/orchestrator", false),
            Some(OcciRoute::Collection)
        );
    }

    #[test]
    fn a_path_is_the_same_with_escapes_that_it_does_not_need() {
        for (path, normal) in [
            ("/-/", "/-/"),
            ("/%2d/", "/-/"),
            ("/%6Frchestrator/%64", "/orchestrator/d"),
            ("/a%2Fb%00%", "/a%2Fb%00%"),
            ("/%c3%a9%2", "/%c3%a9%2"),
            ("/%+1%2541", "/%+1%2541"),
        ] {
            assert_eq!(normalize_path(path), normal, "{path}");
        }
    }

    #[test]
    fn query_values_are_found() {
        assert_eq!(
            query_value("x=1&action=de%70loy", "action").as_deref(),
            Some("deploy")
        );
        assert_eq!(query_value("deploy", "action"), None);
    }
}
