//! Where a host is that a command drives, as its users write it. No I/O.

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::api::BASE_PATH;

/// Bytes of a URL's digest that files are called by.
const DIGEST_BYTES: usize = 16;

/// The URL of a host's JSON API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerUrl(Url);

impl ServerUrl {
    /// Reads `https://stampede.example.org`, with or without the path of the API.
    ///
    /// # Errors
    /// It is no URL of HTTP, has more than a path, or would have the token read on its way.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "must be a URL, such as https://stampede.example.org".to_owned();
        let mut url = Url::parse(text.trim()).map_err(|_| wrong())?;
        let is_bare = url.query().is_none() && url.fragment().is_none();
        let has_login = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || !is_bare || has_login {
            return Err(wrong());
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix(BASE_PATH).unwrap_or(path);
        let path = format!("{path}{BASE_PATH}");
        url.set_path(&path);
        let server = Self(url);
        if server.0.scheme() == "http" && !server.is_loopback() {
            return Err("must begin with https:// where it is not on this machine: the token could be read on its way".to_owned());
        }
        Ok(server)
    }

    /// Without the API's path, for people.
    pub(super) fn shown(&self) -> &str {
        let url = self.0.as_str();
        url.strip_suffix(BASE_PATH).unwrap_or(url)
    }

    /// A name for a file of what is remembered of this server, and of no other: hosts call clusters and
    /// nodes as they like.
    pub(super) fn file_name(&self, kind: &str) -> String {
        let digest = Sha256::digest(self.0.as_str());
        let server: String = digest[..DIGEST_BYTES]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{kind}-{server}")
    }

    /// The API's path with these names below it, each as one part.
    pub(super) fn below(&self, names: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.extend(names);
        }
        url
    }

    /// Whether it is on this machine, where no proxy leads to.
    pub(super) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_by_the_server_however_its_url_is_written() {
        let file = |url: &str| ServerUrl::parse(url).unwrap().file_name("known_hosts");
        let one = file("https://a.example");
        assert_eq!(one.len(), "known_hosts-".len() + 32);
        assert_eq!(file("https://A.example:443/api/v1/"), one);
        for other in [
            "https://b.example",
            "https://a.example:8443",
            "https://a.example/x",
            "https://a.example/y",
        ] {
            assert_ne!(file(other), one, "{other}");
        }
        assert_ne!(file("https://a.example/x"), file("https://a.example/y"));
    }

    #[test]
    fn a_host_is_named_with_or_without_its_apis_path() {
        for (text, url) in [
            (
                "https://a.example",
                "https://a.example/api/v1/clusters/b%2Fc",
            ),
            (
                "https://a.example/api/v1/",
                "https://a.example/api/v1/clusters/b%2Fc",
            ),
            (
                "http://[::1]:8080/x/",
                "http://[::1]:8080/x/api/v1/clusters/b%2Fc",
            ),
        ] {
            let read = ServerUrl::parse(text).unwrap();
            assert_eq!(read.below(&["clusters", "b/c"]).as_str(), url);
            assert_eq!(read.is_loopback(), text.contains("::1"));
        }
        for wrong in [
            "",
            "a.example",
            "ftp://a",
            "https://u:p@a",
            "https://a?x",
            "https://a#x",
            "http://a.example",
            "http://192.0.2.1:8080",
        ] {
            assert!(ServerUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
