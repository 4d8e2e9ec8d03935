//! Under which address a request's client knows this service, and whether a browser sends the
//! request for a page of another site. Pure functions of a request's head, the ends of its
//! connection and the operator's settings, shared by the APIs of both ports.
//!
//! Layout
//! - [`AddressingConfig`]: the settings, and [`AddressingConfig::resolve`]
//! - [`service_url`]: the service's own URL
//! - [`forwarded`]: what proxies say in `Forwarded` and `X-Forwarded-*`
//! - [`cross_site`]: requests for pages of other sites

pub mod cross_site;
pub mod forwarded;
pub mod service_url;

use std::net::SocketAddr;

use http::header::HOST;
use http::{HeaderMap, Uri};

pub use cross_site::is_cross_site;
pub use forwarded::TrustedProxies;
pub use service_url::ServiceUrl;

use service_url::UrlScheme;

/// Both ends of a request's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionEnds {
    /// The address that the request came in on.
    pub local: SocketAddr,
    /// The client, or the proxy in front of it.
    pub peer: SocketAddr,
}

/// What the operator says of the way from clients to this service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressingConfig {
    /// The URL that all clients use; nothing in a request changes it.
    pub public_url: Option<ServiceUrl>,
    /// Whose `Forwarded` and `X-Forwarded-*` count.
    pub trusted_proxies: TrustedProxies,
}

/// Which header does not say how the client knows this service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The Host header, or the authority of an absolute URI.
    #[error("header Host: expected a host name or an address, and a port")]
    Host,
    /// A header of a trusted proxy; says which and what is expected.
    #[error("header {0}: expected {1}")]
    Forwarded(&'static str, &'static str),
}

impl AddressingConfig {
    /// The service's URL as this request's client knows it: the public one where there is one, else
    /// what a trusted proxy says, else `http://` and the Host.
    ///
    /// # Errors
    /// A header that counts cannot be a part of a URL.
    pub fn resolve(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        ends: ConnectionEnds,
    ) -> Result<ServiceUrl, AddressError> {
        let requested = requested_authority(uri, headers)?;
        if let Some(public) = &self.public_url {
            return Ok(public.with_alias(requested));
        }
        let said = if self.trusted_proxies.contains(ends.peer.ip()) {
            forwarded::read_forwarded(headers, &self.trusted_proxies)?
        } else {
            forwarded::ForwardedAddress::default()
        };
        let scheme = said.scheme.unwrap_or(UrlScheme::Http);
        let authority = said
            .authority
            .or_else(|| requested.clone())
            .unwrap_or_else(|| ends.local.to_string());
        let authority = match said.port {
            Some(port) => service_url::with_port(&authority, port, scheme),
            None => authority,
        };
        let prefix = said.prefix.unwrap_or_default();
        Ok(ServiceUrl::from_parts(scheme, &authority, &prefix).with_alias(requested))
    }
}

/// The authority that the request names: that of an absolute URI, which RFC 9112 puts before the
/// Host header, or the Host; `None` where there is neither.
fn requested_authority(uri: &Uri, headers: &HeaderMap) -> Result<Option<String>, AddressError> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(AddressError::Host);
    }
    let named = match (uri.authority(), host) {
        (Some(authority), _) => authority.as_str(),
        (None, Some(host)) => host.to_str().map_err(|_| AddressError::Host)?,
        (None, None) => return Ok(None),
    };
    if named.is_empty() {
        Ok(None)
    } else if service_url::is_authority(named) {
        Ok(Some(named.to_owned()))
    } else {
        Err(AddressError::Host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn base(
        config: &AddressingConfig,
        peer: &str,
        uri: &str,
        pairs: &[(&'static str, &str)],
    ) -> Result<String, AddressError> {
        let ends = ConnectionEnds {
            local: "192.0.2.5:8080".parse().unwrap(),
            peer: peer.parse().unwrap(),
        };
        config
            .resolve(&uri.parse().unwrap(), &headers(pairs), ends)
            .map(|url| url.base().to_owned())
    }

    fn trusting(proxies: &str) -> AddressingConfig {
        AddressingConfig {
            trusted_proxies: proxies.parse().unwrap(),
            ..AddressingConfig::default()
        }
    }

    const CLIENT: &str = "203.0.113.9:4711";
    const PROXY: &str = "10.0.0.2:4711";

    #[test]
    fn without_settings_the_host_counts_and_nothing_else() {
        let config = AddressingConfig::default();
        for (uri, pairs, url) in [
            (
                "/",
                vec![("host", "so.example.org")],
                "http://so.example.org",
            ),
            (
                "/",
                vec![("host", "[2001:db8::1]:8080")],
                "http://[2001:db8::1]:8080",
            ),
            ("/", vec![], "http://192.0.2.5:8080"),
            ("/", vec![("host", "")], "http://192.0.2.5:8080"),
            (
                "http://abs.example.org/x",
                vec![("host", "other")],
                "http://abs.example.org",
            ),
            (
                "/",
                vec![
                    ("host", "h"),
                    ("x-forwarded-proto", "https"),
                    ("forwarded", "proto=https;host=x"),
                ],
                "http://h",
            ),
        ] {
            assert_eq!(
                base(&config, CLIENT, uri, &pairs).as_deref(),
                Ok(url),
                "{pairs:?}"
            );
        }
        for host in [
            "a,b", "a b", "a/b", "h:99999", "h:x", ":80", "u@h", "a\"b", "[::1", "a;b",
        ] {
            assert_eq!(
                base(&config, CLIENT, "/", &[("host", host)]),
                Err(AddressError::Host),
                "{host}"
            );
        }
        let two = [("host", "a"), ("host", "b")];
        assert_eq!(base(&config, CLIENT, "/", &two), Err(AddressError::Host));
    }

    #[test]
    fn a_public_url_is_what_everybody_reads() {
        let config = AddressingConfig {
            public_url: Some("https://so.example.org/stampede/".parse().unwrap()),
            trusted_proxies: "10.0.0.0/8".parse().unwrap(),
        };
        for pairs in [
            vec![],
            vec![("host", "10.0.0.5:8080")],
            vec![
                ("host", "h"),
                ("x-forwarded-proto", "http"),
                ("x-forwarded-host", "evil"),
            ],
        ] {
            assert_eq!(
                base(&config, PROXY, "/", &pairs).as_deref(),
                Ok("https://so.example.org/stampede")
            );
        }
    }

    #[test]
    fn a_proxys_word_counts_only_where_it_is_trusted() {
        let pairs = [
            ("host", "127.0.0.1:8080"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "so.example.org"),
            ("x-forwarded-prefix", "/stampede"),
        ];
        let config = trusting("10.0.0.0/8,::1");
        for (peer, url) in [
            (PROXY, "https://so.example.org/stampede"),
            ("[::ffff:10.0.0.2]:1", "https://so.example.org/stampede"),
            ("[::1]:1", "https://so.example.org/stampede"),
            (CLIENT, "http://127.0.0.1:8080"),
            ("[2001:db8::1]:1", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(
                base(&config, peer, "/", &pairs).as_deref(),
                Ok(url),
                "{peer}"
            );
        }
    }

    /// What a proxy says, and the URL that its client has used.
    const WORDS: &[(&[(&str, &str)], &str)] = &[
        (
            &[("forwarded", "for=1.2.3.4;proto=https;host=so.example.org")],
            "https://so.example.org",
        ),
        (
            &[(
                "forwarded",
                "For=\"[2001:db8:cafe::17]:4711\";Proto=HTTPS; host=\"so.example.org:8443\"",
            )],
            "https://so.example.org:8443",
        ),
        (&[("forwarded", "proto=https")], "https://h"),
        // The client's own word stands left of what the proxy adds.
        (
            &[(
                "forwarded",
                "proto=https;host=evil, for=1.2.3.4;proto=http;host=so.example.org",
            )],
            "http://so.example.org",
        ),
        (
            &[
                ("forwarded", "proto=https;host=evil"),
                ("forwarded", "for=1.2.3.4;proto=http;host=b"),
            ],
            "http://b",
        ),
        // Two proxies, both trusted: the outer one knows what the client used.
        (
            &[(
                "forwarded",
                "for=1.2.3.4;proto=https;host=so.example.org, for=10.0.0.3;proto=http;host=inner",
            )],
            "https://so.example.org",
        ),
        (
            &[(
                "forwarded",
                "for=1.2.3.4;proto=https, for=10.0.0.3;proto=http;host=inner",
            )],
            "https://inner",
        ),
        (
            &[(
                "forwarded",
                "for=9.9.9.9;host=evil, for=1.2.3.4;proto=https;host=a, for=10.0.0.3;host=b",
            )],
            "https://a",
        ),
        (
            &[("forwarded", "for=unknown;proto=https;host=\"[::1]:80\"")],
            "https://[::1]:80",
        ),
        (&[("x-forwarded-proto", "https")], "https://h"),
        (&[("x-forwarded-proto", "HTTPS ")], "https://h"),
        (&[("x-forwarded-proto", "https, http")], "http://h"),
        (
            &[
                ("x-forwarded-proto", "https, http"),
                ("x-forwarded-for", "1.2.3.4, 10.0.0.3"),
            ],
            "https://h",
        ),
        (
            &[
                ("x-forwarded-proto", "https"),
                ("x-forwarded-for", "1.2.3.4, 10.0.0.3"),
            ],
            "https://h",
        ),
        (
            &[
                ("x-forwarded-host", "evil, so.example.org"),
                ("x-forwarded-proto", "https"),
            ],
            "https://so.example.org",
        ),
        (
            &[("x-forwarded-proto", "https"), ("x-forwarded-port", "443")],
            "https://h",
        ),
        (
            &[("x-forwarded-proto", "https"), ("x-forwarded-port", "8443")],
            "https://h:8443",
        ),
        (
            &[
                ("x-forwarded-host", "so:9000"),
                ("x-forwarded-port", "8443"),
            ],
            "http://so:9000",
        ),
        (
            &[
                ("x-forwarded-host", "[2001:db8::1]"),
                ("x-forwarded-port", "8443"),
            ],
            "http://[2001:db8::1]:8443",
        ),
        (&[("x-forwarded-prefix", "/a/b/")], "http://h/a/b"),
        (&[("x-forwarded-prefix", "/")], "http://h"),
        (&[("x-forwarded-prefix", "")], "http://h"),
        (&[("x-forwarded-proto", "")], "http://h"),
        (
            &[
                ("forwarded", "proto=https;host=a"),
                ("x-forwarded-proto", "https"),
            ],
            "https://a",
        ),
    ];

    #[test]
    fn each_form_of_a_proxys_word_is_read() {
        let config = trusting("10.0.0.0/8, 127.0.0.1, 2001:db8::/32");
        for (pairs, url) in WORDS {
            let pairs = [&[("host", "h")], *pairs].concat();
            assert_eq!(
                base(&config, PROXY, "/", &pairs).as_deref(),
                Ok(*url),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_url_is_refused_and_never_repeated() {
        let config = trusting("10.0.0.0/8");
        for (name, value) in [
            ("x-forwarded-host", "a\", x; y"),
            ("x-forwarded-host", "a/b"),
            ("x-forwarded-host", "user@h"),
            ("x-forwarded-host", "h:70000"),
            ("x-forwarded-host", "<script>"),
            ("x-forwarded-proto", "javascript"),
            ("x-forwarded-proto", "https://x"),
            ("x-forwarded-port", "x"),
            ("x-forwarded-port", "0"),
            ("x-forwarded-port", "65536"),
            ("x-forwarded-prefix", "stampede"),
            ("x-forwarded-prefix", "//evil.example.org"),
            ("x-forwarded-prefix", "/a/../b"),
            ("x-forwarded-prefix", "/a\"b"),
            ("x-forwarded-prefix", "/a?b"),
            ("forwarded", "host=\"a, b"),
            ("forwarded", "host=a/b"),
            ("forwarded", "proto"),
            ("forwarded", "proto=ftp"),
        ] {
            let refused = base(&config, PROXY, "/", &[("host", "h"), (name, value)]);
            assert!(
                matches!(refused, Err(AddressError::Forwarded(..))),
                "{name}: {value}: {refused:?}"
            );
            assert_eq!(
                base(&config, CLIENT, "/", &[("host", "h"), (name, value)]).as_deref(),
                Ok("http://h"),
                "nobody asked {name}"
            );
        }
        // A client's own header that a proxy lets through beside its own.
        let both = [
            ("host", "h"),
            ("forwarded", "proto=http"),
            ("x-forwarded-proto", "https"),
        ];
        assert!(base(&config, PROXY, "/", &both).is_err());
    }
}
