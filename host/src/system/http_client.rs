//! Begins every HTTP client of this host with what all of them need: TLS by ring, and no redirect
//! followed, since a redirect to another host would carry the token along.

/// A client still to be given its timeouts and certificates.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where an HTTP client begins"
)]
pub fn new_builder() -> reqwest::ClientBuilder {
    // An error says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none())
}
