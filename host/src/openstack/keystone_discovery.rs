//! Finds out which API version a Keystone speaks: v3, or on old clouds only v2.0.
//!
//! Keystone answers a GET of its root with 300 and a document of its versions; that is asked first,
//! as one call settles it. Some clouds put a proxy before Keystone that answers the root with a
//! page of its own, with 403 or 404, or with a demand for credentials. There each version's own
//! address is asked for its document, v3 first. Failures that say nothing about versions (no
//! connection, overload, 5xx) are returned as they are, so that a cloud that is down is not called
//! "no Keystone".

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{
    CloudConfig, CloudError, api_request::ApiRequest, keystone_address::KeystoneAddress,
    transport::HttpTransport,
};

/// The API that a Keystone speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeystoneVersion {
    V2,
    V3,
}

/// The best version that the Keystone at this address speaks.
///
/// # Errors
/// [`CloudError::Config`] when it names neither; or why it cannot be asked.
pub(super) async fn discover_version(
    http: &HttpTransport,
    config: &CloudConfig,
    address: &KeystoneAddress,
) -> Result<KeystoneVersion, CloudError> {
    if let Some(version) = version_of_root(http, config, address).await? {
        return Ok(version);
    }
    for (version, path) in [(KeystoneVersion::V3, "v3"), (KeystoneVersion::V2, "v2.0")] {
        let document = http.send(&version_request(config, address, path)).await;
        // A proxy may answer anything with a page of its own.
        let id = document
            .ok()
            .and_then(|answer| answer.json::<Value>().ok())
            .and_then(|json| Some(json["version"]["id"].as_str()?.to_owned()));
        if id.is_some_and(|id| id.starts_with(&path[..2])) {
            return Ok(version);
        }
    }
    Err(CloudError::config(format!(
        "{} is no Keystone: it names neither version 3 nor 2.0; check DESIGN_URI or OS_AUTH_URL",
        address.as_str()
    )))
}

/// By the document at the root; `None` where something else stands there.
async fn version_of_root(
    http: &HttpTransport,
    config: &CloudConfig,
    address: &KeystoneAddress,
) -> Result<Option<KeystoneVersion>, CloudError> {
    match http.send(&version_request(config, address, "")).await {
        Ok(answer)
            if answer.status.is_success() || answer.status == StatusCode::MULTIPLE_CHOICES =>
        {
            Ok(answer.json().ok().as_ref().and_then(best_version))
        }
        Ok(_) => Ok(None),
        Err(failure) => match failure.error {
            CloudError::NotFound { .. }
            | CloudError::Forbidden { .. }
            | CloudError::BadCredentials { .. } => Ok(None),
            error => Err(error),
        },
    }
}

fn version_request<'a>(
    config: &CloudConfig,
    address: &KeystoneAddress,
    path: &str,
) -> ApiRequest<'a> {
    address.request(config, "name its versions", Method::GET, path, None)
}

/// `{"versions": {"values": [{"id": "v3.14", "status": "stable"}]}}`; v3 before v2.0.
fn best_version(document: &Value) -> Option<KeystoneVersion> {
    let versions = document
        .get("versions")
        .map(|versions| versions.get("values").unwrap_or(versions))?
        .as_array()?;
    let has = |prefix: &str| {
        versions.iter().any(|v| {
            v.get("id")
                .and_then(Value::as_str)
                .is_some_and(|id| id.starts_with(prefix))
        })
    };
    if has("v3") {
        Some(KeystoneVersion::V3)
    } else if has("v2") {
        Some(KeystoneVersion::V2)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v3_is_preferred_and_v2_is_found() {
        let of = |text: &str| best_version(&serde_json::from_str(text).expect("JSON"));
        assert_eq!(
            of(r#"{"versions": {"values": [{"id": "v2.0"}, {"id": "v3.14"}]}}"#),
            Some(KeystoneVersion::V3)
        );
        assert_eq!(
            of(r#"{"versions": {"values": [{"id": "v2.0"}]}}"#),
            Some(KeystoneVersion::V2)
        );
        assert_eq!(of(r#"{"versions": [{"id": "v1.0"}]}"#), None);
        assert_eq!(of("[]"), None);
    }
}
