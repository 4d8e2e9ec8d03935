//! Maps paths to routes, and routes to the methods that they know.

use http::Method;

use super::BASE_PATH;

/// A path of this API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApiRoute {
    /// `/api/v1`: says which API this is, to everybody.
    Root,
}

impl ApiRoute {
    /// The route of a path; `None` where there is nothing.
    pub(super) fn from_path(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(BASE_PATH)?;
        match rest.strip_suffix('/').unwrap_or(rest) {
            "" => Some(Self::Root),
            _ => None,
        }
    }

    /// The methods, with GET for HEAD.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Root => &[Method::GET],
        }
    }
}
