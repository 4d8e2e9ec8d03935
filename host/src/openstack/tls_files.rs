//! Reads the files of TLS: the cloud's own authority, and what proves who we are.

use std::path::Path;

use reqwest::{Certificate, Identity};

use super::{CloudError, config::ClientCertificate, error::SettingProblem};

/// The text of a file of certificates, or of all files of a folder of them, as `/etc/ssl/certs` is.
///
/// # Errors
/// What the system says; of a folder's files those that cannot be read are passed over.
pub(super) fn read_ca_text(path: &Path) -> std::io::Result<Vec<u8>> {
    if !path.is_dir() {
        return std::fs::read(path);
    }
    let mut files: Vec<_> = std::fs::read_dir(path)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|file| std::fs::canonicalize(file).ok())
        .filter(|file| file.is_file())
        .collect();
    // Each certificate has a second name there, by its hash.
    files.sort_unstable();
    files.dedup();
    let mut text = Vec::new();
    for file in files {
        let bytes = std::fs::read(file).unwrap_or_default();
        if bytes.starts_with(b"-----BEGIN") || bytes.windows(11).any(|at| at == b"\n-----BEGIN") {
            text.extend(bytes);
            text.push(b'\n');
        }
    }
    Ok(text)
}

/// The certificates of the cloud's own authority.
pub(super) fn read_ca_file(path: &Path) -> Result<Vec<Certificate>, CloudError> {
    let message = |what: String| {
        format!(
            "the CA file {} {what}; give a PEM file of certificates, or a folder of them",
            path.display()
        )
    };
    let pem = read_ca_text(path).map_err(|error| {
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

/// A client that trusts these authorities besides the public ones.
pub(super) fn build_trusting(
    builder: impl Fn() -> reqwest::ClientBuilder,
    authorities: Vec<Certificate>,
) -> Result<reqwest::Client, CloudError> {
    // A minimal image has no certificates of its own, which must not keep it from a service on
    // plain HTTP or with a CA file.
    builder()
        .tls_certs_merge(authorities.clone())
        .build()
        .or_else(|_| builder().tls_certs_only(authorities).build())
        .map_err(|error| {
            let message = format!("the TLS library cannot start: {}", innermost_cause(&error));
            CloudError::Config(SettingProblem::with_source(message, error))
        })
}

/// A client for a service beside the cloud, which trusts what the cloud's is told to trust, and always
/// checks certificates.
///
/// # Errors
/// The CA file cannot be read, or the TLS library cannot start.
pub fn build_client_beside_cloud(
    config: &super::CloudConfig,
    builder: impl Fn() -> reqwest::ClientBuilder,
) -> Result<reqwest::Client, CloudError> {
    let authorities = config.ca_file.as_deref().map(read_ca_file);
    build_trusting(builder, authorities.transpose()?.unwrap_or_default())
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
        if String::from_utf8_lossy(&bytes).contains("ENCRYPTED") {
            return Err(CloudError::config(format!(
                "the key in {} is encrypted, and nobody is asked for its passphrase here; write it without one (openssl pkey)",
                path.display()
            )));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encrypted_key_is_called_so() {
        let dir = tempfile::tempdir().expect("a folder");
        for text in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        ] {
            let certificate = dir.path().join("both.pem");
            std::fs::write(&certificate, text).expect("write");
            let files = ClientCertificate {
                certificate,
                key: None,
            };
            let error = read_client_certificate(&files).map(|_| ());
            let error = error.expect_err("refused").to_string();
            assert!(
                error.contains("encrypted") && !error.contains("AAAA"),
                "{error}"
            );
        }
    }
}
