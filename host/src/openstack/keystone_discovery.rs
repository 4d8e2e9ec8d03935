//! Finds out which API version a Keystone speaks: v3, or on old clouds only v2.0.
//!
//! Where the user wrote a version, its address is asked first for its document, else the root,
//! where Keystone answers a GET with 300 and a document of its versions. Some clouds put a proxy
//! before Keystone that answers either with a page of its own, a redirect, an error, or a demand
//! for credentials; then the others are asked, v3 before v2.0. Where nothing tells, the version
//! that the user wrote is taken: so does the `openstack` client, and the login shows whether it is
//! there.

use reqwest::Method;
use serde_json::Value;

use super::{
    CloudConfig, CloudError,
    api_request::ApiRequest,
    keystone_address::{KeystoneAddress, KeystoneVersion},
    transport::HttpTransport,
};

/// The version to speak.
#[derive(Debug)]
pub(super) enum VersionFinding {
    /// Keystone says that it speaks this one, and where.
    Told(KeystoneVersion, KeystoneAddress),
    /// Keystone tells nothing, and this one is in the address.
    Written(KeystoneVersion),
}

/// The best version that the Keystone at this address speaks.
///
/// # Errors
/// [`CloudError::Config`] when it names neither and the address names none; or why it cannot be
/// asked.
pub(super) async fn discover_version(
    http: &HttpTransport,
    config: &CloudConfig,
    address: &KeystoneAddress,
) -> Result<VersionFinding, CloudError> {
    let written = address.written_version;
    let versions = [KeystoneVersion::V3, KeystoneVersion::V2];
    let others = versions
        .into_iter()
        .filter(|version| Some(*version) != written);
    let places = written.map(KeystoneVersion::path).into_iter();
    let places = places.chain([""]).chain(others.map(KeystoneVersion::path));
    let mut trouble = None;
    for place in places {
        match http.send(&version_request(config, address, place)).await {
            // A proxy may answer anything with a page of its own.
            Ok(answer) => {
                let document = answer.json().ok();
                if let Some((version, link)) = document.as_ref().and_then(best_version) {
                    let linked = link.and_then(|link| address.follow_link(place, link, version));
                    let found = linked.unwrap_or_else(|| address.clone());
                    return Ok(VersionFinding::Told(version, found));
                }
            }
            Err(failure) => match failure.error {
                error @ (CloudError::Unreachable { .. } | CloudError::Untrusted { .. }) => {
                    return Err(error);
                }
                // Who is away tells nothing at the next address either.
                CloudError::Overloaded { .. } if written.is_some() => break,
                error if error.is_transient() => trouble = trouble.or(Some(error)),
                _ => {}
            },
        }
    }
    match (written, trouble) {
        (Some(version), _) => Ok(VersionFinding::Written(version)),
        // A cloud that is down is not called "no Keystone".
        (None, Some(error)) => Err(error),
        (None, None) => Err(CloudError::config(format!(
            "{} is no Keystone: it names neither version 3 nor 2.0; check DESIGN_URI or OS_AUTH_URL",
            address.as_str()
        ))),
    }
}

fn version_request<'a>(
    config: &CloudConfig,
    address: &KeystoneAddress,
    path: &str,
) -> ApiRequest<'a> {
    address.request(config, "name its versions", Method::GET, path, None)
}

/// By `{"versions": {"values": [{"id": "v3.14", "status": "stable"}]}}` of the root or
/// `{"version": {"id": "v3.14"}}` of one version; v3 before v2.0. With the address that it calls its
/// own.
fn best_version(document: &Value) -> Option<(KeystoneVersion, Option<&str>)> {
    let listed = document
        .get("versions")
        .map(|versions| versions.get("values").unwrap_or(versions))
        .and_then(Value::as_array);
    let versions = listed.into_iter().flatten().chain(document.get("version"));
    let named: Vec<_> = versions
        .filter_map(|version| Some((version.get("id")?.as_str()?, own_link(version))))
        .collect();
    [(KeystoneVersion::V3, "v3"), (KeystoneVersion::V2, "v2")]
        .into_iter()
        .find_map(|(version, prefix)| {
            let found = named.iter().find(|(id, _)| id.starts_with(prefix))?;
            Some((version, found.1))
        })
}

fn own_link(version: &Value) -> Option<&str> {
    let links = version.get("links")?.as_array()?;
    let own = links.iter().find(|link| {
        let rel = link.get("rel").and_then(Value::as_str);
        rel.is_some_and(|rel| rel.eq_ignore_ascii_case("self"))
    });
    own?.get("href")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v3_is_preferred_and_v2_is_found() {
        let of = |text: &str| {
            let document: Value = serde_json::from_str(text).expect("JSON");
            best_version(&document).map(|(version, _)| version)
        };
        assert_eq!(
            of(r#"{"versions": {"values": [{"id": "v2.0"}, {"id": "v3.14"}]}}"#),
            Some(KeystoneVersion::V3)
        );
        assert_eq!(
            of(r#"{"versions": {"values": [{"id": "v2.0"}]}}"#),
            Some(KeystoneVersion::V2)
        );
        assert_eq!(of(r#"{"versions": [{"id": "v1.0"}]}"#), None);
        assert_eq!(
            of(r#"{"version": {"id": "v3.14"}}"#),
            Some(KeystoneVersion::V3)
        );
        assert_eq!(of("[]"), None);
    }
}
