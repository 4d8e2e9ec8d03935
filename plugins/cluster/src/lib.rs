//! The plugin `cluster`: network, nodes, addresses, readiness; no framework.

use stampede_plugin::{Bundle, Descriptor, Guest, Problem, Request, hot::Template};

/// The plugin.
pub struct Cluster;

impl Guest for Cluster {
    fn describe() -> Descriptor {
        Descriptor {
            provides: vec!["cluster".into()],
            ..stampede_plugin::descriptor("cluster", "Cluster", "Network, nodes, addresses and readiness.")
        }
    }

    fn generate(_request: Request) -> Result<Bundle, Vec<Problem>> {
        Ok(stampede_plugin::bundle(Template::new()))
    }
}

stampede_plugin::export!(Cluster);
