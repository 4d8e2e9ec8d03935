//! The URL of this service as a client knows it: scheme, authority and a path prefix, which a proxy
//! in front may have taken away before this host sees the request.

use std::str::FromStr;

use url::Url;

/// The schemes that clients can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlScheme {
    /// Plain.
    Http,
    /// With TLS, which ends at a proxy.
    Https,
}

impl UrlScheme {
    /// Of its name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that URLs of this scheme leave out.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// `https://so.example.org/stampede`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl {
    base: String,
    /// Where the authority begins and ends in `base`.
    authority: (usize, usize),
    /// The authority that the request itself names, where it is another one.
    alias: Option<String>,
}

impl ServiceUrl {
    /// Of parts that were checked.
    pub(super) fn from_parts(scheme: UrlScheme, authority: &str, prefix: &str) -> Self {
        let begin = format!("{}://", scheme.name());
        let authority_at = (begin.len(), begin.len() + authority.len());
        Self {
            base: format!("{begin}{authority}{prefix}"),
            authority: authority_at,
            alias: None,
        }
    }

    /// `http://` and an authority.
    pub fn plain(authority: &str) -> Self {
        Self::from_parts(UrlScheme::Http, authority, "")
    }

    /// The same, for a request that names this authority.
    pub(super) fn with_alias(&self, requested: Option<String>) -> Self {
        Self {
            alias: requested.filter(|requested| requested != self.authority()),
            ..self.clone()
        }
    }

    /// The whole, to which a path is added.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        let (from, to) = self.authority;
        self.base.get(from..to).unwrap_or_default()
    }

    /// What stands before every path: empty, or as `/stampede`.
    pub fn prefix(&self) -> &str {
        self.base.get(self.authority.1..).unwrap_or_default()
    }

    /// The authorities by which this request's client can name the service.
    pub fn authorities(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.authority()).chain(self.alias.as_deref())
    }

    /// A path without the prefix; `None` where it does not begin with one.
    pub fn strip_prefix<'a>(&self, path: &'a str) -> Option<&'a str> {
        Some(self.prefix())
            .filter(|prefix| !prefix.is_empty())
            .and_then(|prefix| path.strip_prefix(prefix))
            .filter(|rest| rest.starts_with('/'))
    }

    /// The path of a location that is a path, or a URL of this service, without the prefix.
    pub fn local_path<'a>(&self, location: &'a str) -> Option<&'a str> {
        self.local_paths(location).last()
    }

    /// What the path of such a location can be: as it stands, and without the prefix, which can be
    /// the beginning of a path of this service's too.
    pub fn local_paths<'a>(&self, location: &'a str) -> impl Iterator<Item = &'a str> {
        let path = match location.split_once("://") {
            None => Some(location),
            Some((_, rest)) => self
                .authorities()
                .find_map(|authority| rest.strip_prefix(authority))
                .filter(|path| path.starts_with('/')),
        };
        let bare = path.and_then(|path| self.strip_prefix(path));
        path.into_iter().chain(bare)
    }
}

impl FromStr for ServiceUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            Err(format!(
                "`{text}` is not this service's URL: {why}; expected https://HOST, with a port and a path where there are some"
            ))
        };
        let Ok(url) = Url::parse(text) else {
            return wrong("it is no URL");
        };
        let Some(scheme) = UrlScheme::from_name(url.scheme()) else {
            return wrong("its scheme is neither http nor https");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("it holds a user");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return wrong("it holds a query or a fragment");
        }
        let authority = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => return wrong("it has no host"),
        };
        if !is_authority(&authority) {
            return wrong("its host is no name and no address");
        }
        match read_prefix(url.path()) {
            Some(prefix) => Ok(Self::from_parts(scheme, &authority, prefix)),
            None => wrong("its path holds more than letters, digits and ._~-"),
        }
    }
}

/// Whether a text is a host and perhaps a port. Responses repeat it between quotes in headers, where
/// a comma, a quote or a `;` would begin another item.
pub(super) fn is_authority(text: &str) -> bool {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let (host, port) = split_port(text);
    text.chars().all(is_plain)
        && !host.is_empty()
        && port.is_none_or(|port| port.parse::<u16>().is_ok())
        && text.parse::<http::uri::Authority>().is_ok()
}

/// Host and port of an authority.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// The authority with that port, unless it has one or the scheme implies it.
pub(super) fn with_port(authority: &str, port: u16, scheme: UrlScheme) -> String {
    if split_port(authority).1.is_some() || port == scheme.default_port() {
        authority.to_owned()
    } else {
        format!("{authority}:{port}")
    }
}

/// The authority in the form in which two of them can be compared: in lower case, without the port
/// that the scheme implies.
pub(super) fn normal_authority(authority: &str, scheme: UrlScheme) -> String {
    let (host, port) = split_port(authority);
    let port = port.filter(|port| port.parse() != Ok(scheme.default_port()));
    port.map_or_else(
        || host.to_ascii_lowercase(),
        |port| format!("{}:{port}", host.to_ascii_lowercase()),
    )
}

/// A path as a prefix of paths, without a slash at its end; `None` where it holds more than plain
/// names.
pub(super) fn read_prefix(path: &str) -> Option<&str> {
    let prefix = path.strip_suffix('/').unwrap_or(path);
    let is_plain = |name: &str| {
        !matches!(name, "" | "." | "..")
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b))
    };
    let is_prefix = prefix.is_empty()
        || prefix
            .strip_prefix('/')
            .is_some_and(|names| names.split('/').all(is_plain));
    is_prefix.then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_or_refused_in_words() {
        for (text, base, prefix) in [
            ("https://so.example.org", "https://so.example.org", ""),
            ("https://so.example.org:443/", "https://so.example.org", ""),
            (
                "HTTPS://SO.example.org:8443/a/b/",
                "https://so.example.org:8443/a/b",
                "/a/b",
            ),
            ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080", ""),
        ] {
            let url: ServiceUrl = text.parse().unwrap();
            assert_eq!((url.base(), url.prefix()), (base, prefix), "{text}");
        }
        for text in [
            "so.example.org",
            "ftp://so.example.org",
            "https://",
            "https://user:pw@so.example.org",
            "https://so.example.org?x",
            "https://so.example.org/a b",
            "https://so.example.org/a%22b",
        ] {
            let refused = text.parse::<ServiceUrl>().unwrap_err();
            assert!(refused.contains("expected https://HOST"), "{refused}");
        }
    }

    #[test]
    fn locations_are_paths_or_urls_of_this_service() {
        let url: ServiceUrl = "https://so.example.org/pre".parse().unwrap();
        let url = url.with_alias(Some("10.0.0.5:8080".to_owned()));
        for location in [
            "/a/b",
            "/pre/a/b",
            "https://so.example.org/pre/a/b",
            "http://so.example.org/a/b",
            "http://10.0.0.5:8080/a/b",
            "http://10.0.0.5:8080/pre/a/b",
        ] {
            assert_eq!(url.local_path(location), Some("/a/b"), "{location}");
        }
        assert_eq!(url.local_path("/prefix/b"), Some("/prefix/b"));
        for foreign in [
            "http://elsewhere/a/b",
            "http://so.example.org",
            "http://10.0.0.5:80801/a",
        ] {
            assert_eq!(url.local_path(foreign), None, "{foreign}");
        }
    }
}
