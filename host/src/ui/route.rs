//! Maps paths to routes, and routes to the methods that they know.

use http::Method;
use percent_encoding::percent_decode_str;

use super::BASE_PATH;
use super::forms::FormPath;

/// A path of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PageRoute {
    /// `/ui/`: leads to the list.
    Home,
    /// `/ui/static/HASH/FILE`.
    Asset { hash: String, file: String },
    /// `/ui/sign-in`.
    SignIn,
    /// `/ui/sign-out`.
    SignOut,
    /// `/ui/clusters`.
    Clusters,
    /// `/ui/clusters/NAME`.
    Cluster(String),
    /// `/ui/clusters/NAME/events`.
    Events(String),
    /// `/ui/clusters/NAME/secret`.
    Secret(String),
    /// `/ui/clusters/NAME/delete`.
    Delete(String),
    /// `/ui/clusters/NAME/end`.
    End(String),
    /// `/ui/new`, `/ui/clusters/NAME/change` and what is below them.
    Form(FormPath),
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const GET_POST: &[Method] = &[Method::GET, Method::POST];

impl PageRoute {
    /// The route of a path; `None` where there is nothing.
    pub(super) fn from_path(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(BASE_PATH)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let decoded = |part: &str| {
            let text = percent_decode_str(part).decode_utf8().ok()?;
            (!text.is_empty()).then(|| text.into_owned())
        };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            [""] => Some(Self::Home),
            ["", "static", hash, file] => Some(Self::Asset {
                hash: (*hash).to_owned(),
                file: (*file).to_owned(),
            }),
            ["", "sign-in"] => Some(Self::SignIn),
            ["", "sign-out"] => Some(Self::SignOut),
            ["", "clusters"] => Some(Self::Clusters),
            ["", "clusters", name] => decoded(name).map(Self::Cluster),
            ["", "clusters", name, "events"] => decoded(name).map(Self::Events),
            ["", "clusters", name, "secret"] => decoded(name).map(Self::Secret),
            ["", "clusters", name, "end"] => decoded(name).map(Self::End),
            ["", "clusters", name, "delete"] => decoded(name).map(Self::Delete),
            _ => FormPath::from_path(rest).map(Self::Form),
        }
    }

    /// The methods, with GET for HEAD.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Form(path) => path.methods(),
            Self::SignIn | Self::Delete(_) => GET_POST,
            Self::SignOut | Self::Secret(_) | Self::End(_) => POST,
            Self::Home
            | Self::Asset { .. }
            | Self::Clusters
            | Self::Cluster(_)
            | Self::Events(_) => GET,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_one_route_and_others_none() {
        let cluster = || "a b".to_owned();
        for (path, route) in [
            ("/ui", Some(PageRoute::Home)),
            ("/ui/", Some(PageRoute::Home)),
            ("/ui/sign-in", Some(PageRoute::SignIn)),
            ("/ui/clusters/", Some(PageRoute::Clusters)),
            ("/ui/clusters/a%20b", Some(PageRoute::Cluster(cluster()))),
            (
                "/ui/clusters/a%20b/events",
                Some(PageRoute::Events(cluster())),
            ),
            (
                "/ui/clusters/a%20b/delete/",
                Some(PageRoute::Delete(cluster())),
            ),
            ("/ui/clusters/a%20b/end", Some(PageRoute::End(cluster()))),
            ("/ui/clusters//delete", None),
            ("/ui/clusters/%ff", None),
            ("/ui/clusters/a/other", None),
            ("/uix", None),
            ("/", None),
        ] {
            assert_eq!(PageRoute::from_path(path), route, "{path}");
        }
    }
}
