//! Recognizes requests that a browser sends for a page of another site. Where a proxy adds the token
//! for a browser, or where a port is open to a browser without one, such a page could otherwise
//! change something (CSRF).
//!
//! Browsers send `Sec-Fetch-Site` to TLS and to the machine itself, `Origin` with every form, and
//! `Referer` where they know no Origin; other clients send none of them. Our own pages say
//! `Referrer-Policy: same-origin`: with `no-referrer` a browser's Origin is `null` even for them.

use http::{HeaderMap, HeaderName};

use super::ServiceUrl;
use super::service_url::{UrlScheme, normal_authority};

/// Whether a browser sends this for a page of another site than this service, which its client knows
/// as `own`; where that cannot be told, any page is another site's.
pub fn is_cross_site(headers: &HeaderMap, own: Option<&ServiceUrl>) -> bool {
    let values = |name: &'static str| {
        let lines = headers.get_all(HeaderName::from_static(name)).iter();
        lines
            .map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned())
            .collect::<Vec<_>>()
    };
    let sites = values("sec-fetch-site");
    if !sites.is_empty() {
        return !sites
            .iter()
            .all(|site| matches!(site.as_str(), "same-origin" | "none"));
    }
    let pages = match values("origin") {
        none if none.is_empty() => values("referer"),
        origins => origins,
    };
    !pages
        .iter()
        .all(|page| own.is_some_and(|own| is_own_page(page, own)))
}

/// Whether a URL, or an origin, is of this service. The scheme may be another one: TLS ends at a
/// proxy.
fn is_own_page(page: &str, own: &ServiceUrl) -> bool {
    let Some((scheme, rest)) = page.split_once("://") else {
        return false;
    };
    let Some(scheme) = UrlScheme::from_name(scheme) else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let page = normal_authority(authority, scheme);
    own.authorities()
        .any(|own| normal_authority(own, scheme) == page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_other_sites_are_told_apart() {
        for (pairs, foreign) in [
            (vec![], false),
            (
                vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
                false,
            ),
            (vec![("sec-fetch-site", "none")], false),
            (vec![("sec-fetch-site", "same-site")], true),
            (vec![("sec-fetch-site", "cross-site")], true),
            (
                vec![
                    ("sec-fetch-site", "same-origin"),
                    ("sec-fetch-site", "cross-site"),
                ],
                true,
            ),
            (vec![("sec-fetch-site", "")], true),
            (vec![("origin", "http://so.example.org")], false),
            (vec![("origin", "https://so.example.org")], false),
            (vec![("origin", "https://so.example.org:443")], false),
            (vec![("origin", "http://SO.Example.org:80")], false),
            (vec![("origin", "http://so.example.org:8080")], true),
            (vec![("origin", "http://so.example.org.evil")], true),
            (vec![("origin", "http://evil/so.example.org")], true),
            (vec![("origin", "null")], true),
            (vec![("origin", "")], true),
            (vec![("origin", "file://so.example.org")], true),
            (
                vec![
                    ("origin", "http://so.example.org"),
                    ("origin", "http://evil"),
                ],
                true,
            ),
            (
                vec![("referer", "http://so.example.org/orchestrator/a")],
                false,
            ),
            (
                vec![("referer", "http://evil/?http://so.example.org/")],
                true,
            ),
            (
                vec![
                    ("origin", "http://so.example.org"),
                    ("referer", "http://evil/"),
                ],
                false,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in &pairs {
                headers.append(*name, value.parse().unwrap());
            }
            let own = ServiceUrl::plain("so.example.org");
            assert_eq!(is_cross_site(&headers, Some(&own)), foreign, "{pairs:?}");
            let nobody = !pairs.is_empty() && !pairs[0].0.starts_with("sec") || foreign;
            assert_eq!(is_cross_site(&headers, None), nobody, "{pairs:?}");
        }
    }

    #[test]
    fn the_address_that_was_asked_counts_beside_the_public_one() {
        let own: ServiceUrl = "https://so.example.org/pre".parse().unwrap();
        let own = own.with_alias(Some("10.0.0.5:8080".to_owned()));
        let mut headers = HeaderMap::new();
        for (origin, foreign) in [
            ("https://so.example.org", false),
            ("http://10.0.0.5:8080", false),
            ("http://10.0.0.5", true),
        ] {
            headers.insert("origin", origin.parse().unwrap());
            assert_eq!(is_cross_site(&headers, Some(&own)), foreign, "{origin}");
        }
    }
}
