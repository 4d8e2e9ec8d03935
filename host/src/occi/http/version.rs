//! The version of OCCI that a client expects: it names it in its User-Agent, as in `client/1.0
//! OCCI/1.2` (GFD.223, section 5.3).

use http::HeaderMap;
use http::header::USER_AGENT;

use super::super::error::ApiError;

/// The version that has a JSON rendering of its own (GFD.226).
pub const OCCI_1_2: OcciVersion = OcciVersion(1, 2);

/// Major and minor number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OcciVersion(pub u32, pub u32);

impl OcciVersion {
    /// `1.2`.
    pub fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

/// The version that the User-Agent names; the highest of several, `None` where it names none.
pub fn expected_version(headers: &HeaderMap) -> Option<OcciVersion> {
    let agent = headers.get(USER_AGENT)?.to_str().ok()?;
    // A product stands between blanks; some clients put it into a comment's brackets.
    let products = agent.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';'));
    products
        .filter_map(|product| {
            let (name, version) = product.split_once('/')?;
            let is_occi = name.eq_ignore_ascii_case("occi");
            is_occi.then(|| OcciVersion::parse(version)).flatten()
        })
        .max()
}

/// Refuses a client that expects a higher version than there is, as GFD.223 wants it.
///
/// # Errors
/// `UnknownVersion`.
pub fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    match expected_version(headers) {
        Some(version) if version > OCCI_1_2 => Err(ApiError::UnknownVersion(version.0, version.1)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_the_user_agent() {
        for (agent, version) in [
            ("curl/8.5.0", None),
            ("python-requests/2.11.0", None),
            (
                "rOCCI-core/4.3.6 rOCCI-api/4.3.9 OCCI/1.1 ruby-x86_64-linux-gnu/2.1.5p273",
                Some(OcciVersion(1, 1)),
            ),
            (
                "occi-client/1.1 (linux) libcurl/7.19.4 OCCI/1.2",
                Some(OCCI_1_2),
            ),
            ("x (OCCI/1.2)", Some(OCCI_1_2)),
            ("occi/1.2", Some(OCCI_1_2)),
            ("OCCI/1.1 OCCI/1.2", Some(OCCI_1_2)),
            ("OCCI/2.0", Some(OcciVersion(2, 0))),
            ("OCCI/x.y", None),
            ("my-OCCI/1.2", None),
        ] {
            let headers = HeaderMap::from_iter([(USER_AGENT, agent.parse().unwrap())]);
            assert_eq!(expected_version(&headers), version, "{agent}");
            let refused = check_version(&headers).is_err();
            assert_eq!(refused, version > Some(OCCI_1_2), "{agent}");
        }
    }
}
