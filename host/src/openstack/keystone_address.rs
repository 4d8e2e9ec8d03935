//! Keystone's address as the operator gives it, without its version, and the requests below it.

use reqwest::Method;
use secrecy::SecretString;
use url::Url;

use super::{CloudConfig, CloudError, ServiceName, api_request::ApiRequest, retry::RetryPolicy};

/// The API that a Keystone speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeystoneVersion {
    V2,
    V3,
}

impl KeystoneVersion {
    /// The last part of the address of this version.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::V2 => "v2.0",
            Self::V3 => "v3",
        }
    }
}

/// The address of a Keystone, without version and trailing slash.
#[derive(Clone, Debug)]
pub(super) struct KeystoneAddress {
    base: Url,
    /// The version that the user wrote at the address's end.
    pub(super) written_version: Option<KeystoneVersion>,
}

impl KeystoneAddress {
    /// # Errors
    /// [`CloudError::Config`] when `auth_url` is no http(s) URL.
    pub(super) fn parse(auth_url: &str) -> Result<Self, CloudError> {
        let wrong = |what: &str| {
            CloudError::config(format!(
                "Keystone's address (DESIGN_URI, OS_AUTH_URL) {what}: `{auth_url}`"
            ))
        };
        let mut base =
            Url::parse(auth_url.trim()).map_err(|e| wrong(&format!("is no URL ({e})")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(wrong("is no http or https URL"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            // Not repeated in the message: it may hold a password.
            return Err(CloudError::config("Keystone's address (DESIGN_URI, OS_AUTH_URL) must not hold a user name or a password".to_owned()));
        }
        let path = base.path().trim_end_matches('/');
        let written = [KeystoneVersion::V3, KeystoneVersion::V2]
            .into_iter()
            .find_map(|version| {
                Some((
                    version,
                    path.strip_suffix(version.path())?.strip_suffix('/')?,
                ))
            });
        let (written_version, path) = match written {
            Some((version, path)) => (Some(version), path),
            None => (None, path),
        };
        let path = path.trim_end_matches('/').to_owned();
        base.set_path(&path);
        base.set_query(None);
        base.set_fragment(None);
        Ok(Self {
            base,
            written_version,
        })
    }

    /// The address of a version whose document, asked for at `place` below this one, names `link` as
    /// its own. As keystoneauth does it, only the path counts: documents often have a host and a
    /// scheme that clients do not reach, and no document may lead a password to another host.
    pub(super) fn follow_link(
        &self,
        place: &str,
        link: &str,
        version: KeystoneVersion,
    ) -> Option<Self> {
        let mut asked = self.base.clone();
        let path = format!("{}/{place}", self.base.path().trim_end_matches('/'));
        asked.set_path(&format!("{}/", path.trim_end_matches('/')));
        let linked = asked.join(link).ok()?;
        let is_same_server = linked.host_str() == asked.host_str() && linked.port() == asked.port();
        let path = linked.path().trim_end_matches('/');
        let path = path.strip_suffix(version.path())?.strip_suffix('/')?;
        is_same_server.then(|| {
            let mut base = self.base.clone();
            base.set_path(path.trim_end_matches('/'));
            Self {
                base,
                written_version: Some(version),
            }
        })
    }

    /// For messages.
    pub(super) fn as_str(&self) -> &str {
        self.base.as_str()
    }

    /// A request to `path` below the address. All requests to Keystone may be repeated, also the
    /// POST for a token: a second token for the same credentials does no harm.
    pub(super) fn request<'a>(
        &self,
        config: &CloudConfig,
        action: &str,
        method: Method,
        path: &str,
        token: Option<&'a SecretString>,
    ) -> ApiRequest<'a> {
        let mut url = self.base.clone();
        url.set_path(&format!(
            "{}/{path}",
            self.base.path().trim_end_matches('/')
        ));
        let circuit = format!("keystone {}", url.origin().ascii_serialization());
        ApiRequest {
            service: ServiceName::Keystone,
            action: action.to_owned(),
            method,
            url,
            circuit,
            token,
            is_token_subject: false,
            body: None,
            retry: RetryPolicy::Idempotent,
            timeout: config.limits.answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_its_version_and_slashes() {
        for address in [
            "http://k:5000",
            "http://k:5000/",
            "http://k:5000/v3",
            "http://k:5000/v2.0/",
            "http://k:5000//v3//",
        ] {
            assert_eq!(
                KeystoneAddress::parse(address)
                    .expect("an address")
                    .base
                    .as_str(),
                "http://k:5000/",
                "{address}"
            );
        }
        assert_eq!(
            KeystoneAddress::parse("https://c/identity/v3")
                .expect("an address")
                .base
                .as_str(),
            "https://c/identity"
        );
    }

    #[test]
    fn a_link_leads_to_another_path_and_to_no_other_host() {
        let at = |address: &str, place: &str, link: &str| {
            KeystoneAddress::parse(address)
                .expect("an address")
                .follow_link(place, link, KeystoneVersion::V3)
                .map(|found| found.base.to_string())
        };
        for (address, place, link, found) in [
            (
                "http://k:5000",
                "",
                "http://k:5000/v3/",
                Some("http://k:5000/"),
            ),
            (
                "http://k",
                "",
                "http://k/identity/v3/",
                Some("http://k/identity"),
            ),
            ("http://k", "", "identity/v3", Some("http://k/identity")),
            ("http://k/id", "", "v3/", Some("http://k/id")),
            ("http://k/id", "", "/v3/", Some("http://k/")),
            (
                "http://k/id/v3",
                "v3",
                "http://k/other/v3",
                Some("http://k/other"),
            ),
            (
                "https://k",
                "",
                "http://k/identity/v3",
                Some("https://k/identity"),
            ),
            ("http://k", "", "http://evil/v3", None),
            ("http://k", "", "//evil/v3", None),
            ("http://k:5000", "", "http://k:5001/v3", None),
            ("http://k", "", "http://k/identity/", None),
            ("http://k", "", "http://k/identity/v2.0", None),
        ] {
            assert_eq!(
                at(address, place, link).as_deref(),
                found,
                "{address} {link}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_a_password() {
        for address in ["", "k:5000", "ftp://k", "http://"] {
            assert!(
                matches!(KeystoneAddress::parse(address), Err(CloudError::Config(_))),
                "{address}"
            );
        }
        let message = KeystoneAddress::parse("http://u:hunter2@k")
            .expect_err("a password")
            .to_string();
        assert!(!message.contains("hunter2"), "{message}");
    }
}
