//! Maps paths to routes, and routes to the methods that they know.

use http::Method;
use percent_encoding::percent_decode_str;

use super::BASE_PATH;

/// A path of this API; names are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApiRoute {
    /// `/api/v1`: says which API this is.
    Root,
    /// `/api/v1/openapi.json`.
    Document,
    /// `/api/v1/session`.
    Session,
    /// `/api/v1/frameworks`.
    Frameworks,
    /// `/api/v1/frameworks/<name>`.
    Framework(String),
    /// `/api/v1/attributes`.
    Attributes,
    /// `/api/v1/cloud/<list>`.
    Cloud(CloudList),
    /// `/api/v1/clusters`.
    Clusters,
    /// `/api/v1/clusters/<name>`.
    Cluster(String),
    /// `/api/v1/clusters/<name>/events`.
    Events(String),
    /// `/api/v1/clusters/<name>/access`.
    Access(String),
    /// `/api/v1/clusters/<name or id>/requests`.
    ClusterRequests(String),
    /// `/api/v1/requests`.
    Requests,
    /// `/api/v1/clusters/<name>/endpoints/<endpoint>/secret`.
    Secret { cluster: String, endpoint: String },
}

/// A list of what the cloud has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloudList {
    Flavors,
    Images,
    Keys,
    Networks,
    Zones,
    Quotas,
}

const READ: &[Method] = &[Method::GET];

impl ApiRoute {
    /// The route of a path; `None` where there is nothing.
    pub(super) fn from_path(path: &str) -> Option<Self> {
        let rest = path.strip_prefix(BASE_PATH)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Some(Self::Root);
        }
        let decode = |part: &str| {
            let text = percent_decode_str(part).decode_utf8().ok()?;
            (!text.is_empty()).then(|| text.into_owned())
        };
        let parts: Vec<&str> = rest.strip_prefix('/')?.split('/').collect();
        Some(match parts.as_slice() {
            ["openapi.json"] => Self::Document,
            ["session"] => Self::Session,
            ["frameworks"] => Self::Frameworks,
            ["frameworks", name] => Self::Framework(decode(name)?),
            ["attributes"] => Self::Attributes,
            ["cloud", list] => Self::Cloud(CloudList::from_name(list)?),
            ["clusters"] => Self::Clusters,
            ["clusters", name] => Self::Cluster(decode(name)?),
            ["clusters", name, "events"] => Self::Events(decode(name)?),
            ["clusters", name, "access"] => Self::Access(decode(name)?),
            ["clusters", name, "requests"] => Self::ClusterRequests(decode(name)?),
            ["requests"] => Self::Requests,
            ["clusters", name, "endpoints", endpoint, "secret"] => Self::Secret {
                cluster: decode(name)?,
                endpoint: decode(endpoint)?,
            },
            _ => return None,
        })
    }

    /// The methods, with GET for HEAD.
    pub(super) fn methods(&self) -> &'static [Method] {
        match self {
            Self::Clusters => &[Method::GET, Method::POST],
            Self::Cluster(_) => &[Method::GET, Method::PATCH, Method::DELETE],
            _ => READ,
        }
    }

    /// Whether everybody may ask for it.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Root | Self::Document)
    }

    /// The route's kind in one word, for spans and logs.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Document => "document",
            Self::Session => "session",
            Self::Frameworks | Self::Framework(_) => "frameworks",
            Self::Attributes => "attributes",
            Self::Cloud(_) => "cloud",
            Self::Clusters => "clusters",
            Self::Cluster(_) => "cluster",
            Self::Events(_) => "events",
            Self::Access(_) => "access",
            Self::ClusterRequests(_) | Self::Requests => "requests",
            Self::Secret { .. } => "secret",
        }
    }
}

impl CloudList {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "flavors" => Self::Flavors,
            "images" => Self::Images,
            "keys" => Self::Keys,
            "networks" => Self::Networks,
            "zones" => Self::Zones,
            "quotas" => Self::Quotas,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_say_and_nowhere_else() {
        let of = |path: &str| ApiRoute::from_path(&format!("{BASE_PATH}{path}"));
        assert_eq!(of(""), Some(ApiRoute::Root));
        assert_eq!(of("/clusters/"), Some(ApiRoute::Clusters));
        assert_eq!(of("/clusters/a%2Fb"), Some(ApiRoute::Cluster("a/b".into())));
        assert_eq!(of("/cloud/zones"), Some(ApiRoute::Cloud(CloudList::Zones)));
        let secret = ApiRoute::Secret {
            cluster: "a".into(),
            endpoint: "lab".into(),
        };
        assert_eq!(of("/clusters/a/endpoints/lab/secret"), Some(secret));
        for nowhere in [
            "//",
            "x",
            "/x",
            "/clusters//",
            "/clusters//events",
            "/clusters/%ff",
            "/cloud/x",
        ] {
            assert_eq!(of(nowhere), None, "{nowhere}");
        }
    }
}
