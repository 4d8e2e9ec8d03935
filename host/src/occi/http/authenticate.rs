//! Reads the credentials of a request, token and project, from their headers. Keystone validates the
//! token; this file only reads it.

use http::{HeaderMap, HeaderName};
use secrecy::SecretString;

use super::super::error::ApiError;

static TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
static TENANT: HeaderName = HeaderName::from_static("x-tenant-name");

/// Token and project of a request, not validated yet.
pub struct Credentials {
    /// A token of Keystone; never shown or logged.
    pub token: SecretString,
    /// The project's name.
    pub project: String,
}

/// Token and project of a request.
///
/// # Errors
/// `MissingCredentials`, `Malformed` for what is not UTF-8.
pub fn read_credentials(headers: &HeaderMap) -> Result<Credentials, ApiError> {
    let read_text = |header: &HeaderName, name: &'static str| {
        let value = headers
            .get(header)
            .ok_or(ApiError::MissingCredentials(name))?;
        let text = std::str::from_utf8(value.as_bytes());
        text.map(str::to_owned)
            .map_err(|_| ApiError::Malformed(format!("header {name}: expected UTF-8")))
    };
    // Both are read before either is judged, and the token's error comes first.
    let (token, project) = (
        read_text(&TOKEN, "X-Auth-Token"),
        read_text(&TENANT, "X-Tenant-Name"),
    );
    Ok(Credentials {
        token: SecretString::from(token?),
        project: project?,
    })
}
