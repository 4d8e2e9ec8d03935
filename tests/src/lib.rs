//! What several of the test programs share.
//!
//! Layout
//! - [`testbed`]: the real OpenStack
//! - [`fake_openstack`]: a fake one in this process
//! - [`client`], [`host`]: a client of the host, and the host as a process
//! - [`service_manager`], [`projects`]: hurtle's Service Manager replayed; two projects at one host
//! - [`endless_lists`]: a host whose lists do not end
//! - [`wire`]: HTTP as bytes; [`node_script`]: what nodes are given, in plain text
//! - [`artifacts`]: where the build puts things; [`own_plugins`]: plugins that become others
//! - [`usage`]: what a process has cost
//! - `wait`: polling, by [`wait_until`]

pub mod artifacts;
pub mod client;
pub mod endless_lists;
pub mod fake_openstack;
pub mod host;
pub mod node_script;
pub mod own_plugins;
pub mod projects;
pub mod service_manager;
pub mod testbed;
pub mod usage;
mod wait;
pub mod wire;

pub use wait::wait_until;

/// An HTTP client with a time limit for each request.
///
/// # Errors
/// The client cannot be made.
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    // An error says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(60))
        .build()?)
}
