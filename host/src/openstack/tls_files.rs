//! Reads the files of TLS: the cloud's own authority, and what proves who we are.

use std::path::Path;

use reqwest::{Certificate, Identity};

use super::{CloudError, config::ClientCertificate, error::SettingProblem};

/// The certificates of the cloud's own authority.
pub(super) fn read_ca_file(path: &Path) -> Result<Vec<Certificate>, CloudError> {
    let message = |what: String| {
        format!(
            "the CA file {} {what}; give a PEM file of certificates",
            path.display()
        )
    };
    let pem = std::fs::read(path).map_err(|error| {
        let message = message(format!("cannot be read: {error}"));
        CloudError::Config(SettingProblem::with_source(message, error))
    })?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| {
        let message = message(format!("is no PEM: {}", innermost_cause(&error)));
        CloudError::Config(SettingProblem::with_source(message, error))
    })?;
    if certificates.is_empty() {
        return Err(CloudError::config(message(
            "holds no certificate".to_owned(),
        )));
    }
    Ok(certificates)
}

/// Our own certificate and its key.
pub(super) fn read_client_certificate(files: &ClientCertificate) -> Result<Identity, CloudError> {
    let mut pem = Vec::new();
    for path in std::iter::once(&files.certificate).chain(&files.key) {
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!(
                "the client's certificate or key {} cannot be read: {error}",
                path.display()
            );
            CloudError::Config(SettingProblem::with_source(message, error))
        })?;
        pem.extend(bytes);
        pem.push(b'\n');
    }
    // The library's error is not shown: it is about a private key.
    Identity::from_pem(&pem).map_err(|_| {
        CloudError::config(format!(
            "{} (and the key beside it) is no PEM file of a certificate with its private key",
            files.certificate.display()
        ))
    })
}

/// The innermost cause: what reqwest says above it only repeats the URL.
pub(super) fn innermost_cause(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}
