//! Which paths there are, and which methods each of them knows.

use http::Method;
use percent_encoding::percent_decode_str;

use super::model::LOCATION;

/// A path of this face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcciRoute {
    /// `/`: 200, whoever asks.
    Root,
    /// `/-/` and `/.well-known/org/ogf/occi/-/`: the query interface.
    Query,
    /// `/orchestrator/`.
    Collection,
    /// `/orchestrator/<name>`; holds the name, decoded.
    Entity(String),
    /// Any other path that ends in `/`: where a project may have put a mixin of its own.
    Other(String),
}

impl OcciRoute {
    /// The route of a path; `None` where there is nothing.
    pub fn of(path: &str) -> Option<Self> {
        match path {
            "/" => Some(Self::Root),
            "/-/" | "/.well-known/org/ogf/occi/-/" => Some(Self::Query),
            LOCATION => Some(Self::Collection),
            _ => {
                let Some(name) = path.strip_prefix(LOCATION) else {
                    return (path.starts_with('/') && path.ends_with('/'))
                        .then(|| Self::Other(path.to_owned()));
                };
                let name = percent_decode_str(name)
                    .decode_utf8()
                    .ok()
                    .filter(|_| !name.contains('/'))?;
                Some(Self::Entity(name.into_owned()))
            }
        }
    }

    /// The value of the Allow header.
    pub fn allowed(&self) -> &'static str {
        match self {
            Self::Root => "GET, HEAD",
            Self::Query => "GET, HEAD, POST, DELETE",
            Self::Collection => "GET, HEAD, POST, DELETE",
            Self::Entity(_) | Self::Other(_) => "GET, HEAD, PUT, POST, DELETE",
        }
    }

    /// Whether the path knows the method.
    pub fn allows(&self, method: &Method) -> bool {
        self.allowed()
            .split(", ")
            .any(|allowed| allowed == method.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods() {
        let entity = |name: &str| Some(OcciRoute::Entity(name.to_owned()));
        for (path, route) in [
            ("/", Some(OcciRoute::Root)),
            ("/-/", Some(OcciRoute::Query)),
            ("/.well-known/org/ogf/occi/-/", Some(OcciRoute::Query)),
            ("/orchestrator/", Some(OcciRoute::Collection)),
            ("/orchestrator/default", entity("default")),
            ("/orchestrator/d%65fault", entity("default")),
            ("/orchestrator/%ff", None),
            ("/orchestrator/a/b", None),
            ("/orchestrator/a/", None),
            ("/orchestrator", None),
            ("/foo/bar", None),
            ("//", Some(OcciRoute::Other("//".to_owned()))),
            ("/mymix/", Some(OcciRoute::Other("/mymix/".to_owned()))),
            ("", None),
        ] {
            assert_eq!(OcciRoute::of(path), route, "{path}");
        }
        assert!(
            OcciRoute::Collection.allows(&Method::POST)
                && !OcciRoute::Collection.allows(&Method::PUT)
        );
        assert!(OcciRoute::Root.allows(&Method::HEAD) && !OcciRoute::Root.allows(&Method::POST));
    }
}
