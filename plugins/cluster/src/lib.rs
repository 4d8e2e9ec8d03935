//! The plugin `cluster`: network, nodes, addresses, readiness, and no framework. Every cluster begins
//! with it; what others refer to are the names of its resources (`network`, `subnet`, `router`,
//! `router_interface`, `security_group`, `<node>_server`, `<node>_port`), which are contract.
//!
//! It alone is told of the cloud, by settings that the host fills in; who may reach the nodes is the
//! host's to say.
//!
//! Layout
//! - `settings`: its parameters, and what the host fills in
//! - `network`: network, subnet, router, security group, the master's floating IP
//! - `nodes`: a port, a server and, where asked for, a volume a node, and what the server is told at
//!   boot
//! - `readiness`: how nodes report, and when the stack is complete

use stampede_framework::{
    Bundle, Claims, Descriptor, Extension, Grant, Guest, Problem, Request, component, descriptor,
    hot::StackPart, need, parameters::read_settings, service,
};

mod network;
mod nodes;
mod readiness;
mod settings;

#[cfg(test)]
mod tests;

use settings::{ClusterSettings, HostFacts};

/// Its name, and that of the service which it provides.
const NAME: &str = "cluster";
/// Its component, on every node.
const NODE: &str = "node";
/// The system of a cloud image, with room for its updates and logs.
const SYSTEM_DISK_GIB: u32 = 4;

/// The plugin.
pub struct ClusterPlugin;

impl Guest for ClusterPlugin {
    fn describe() -> Descriptor {
        let types = [network::TYPES, nodes::TYPES, readiness::TYPES].concat();
        Descriptor {
            resource_types: types.into_iter().map(str::to_owned).collect(),
            ..descriptor(
                NAME,
                "Cluster",
                "A network of its own with nodes that report how they come up; what every framework stands on.",
            )
        }
        .providing(&[NAME])
        .with_components([component(NODE, &["*"])])
        .with_parameters(settings::parameters())
    }

    fn claim(_: Request, _: Option<Request>) -> Result<Claims, Vec<Problem>> {
        Ok(Claims::of([need(NODE).disk(SYSTEM_DISK_GIB)]))
    }

    fn generate(
        request: Request,
        _: Vec<Grant>,
        _: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        let settings: ClusterSettings = read_settings(NAME, &request)?;
        let facts: HostFacts = read_settings(NAME, &request)?;
        let mut problems = network::check_network(&facts);
        problems.extend(readiness::check_wait_condition(&facts));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut template = StackPart::new();
        nodes::add_parameters(&mut template, &facts);
        network::add_network(&mut template, &request.cluster, &facts, &settings);
        readiness::add_readiness(&mut template, &facts);
        nodes::add_nodes(&mut template, &request.cluster, &facts, &settings);
        Ok(Bundle {
            template: template.into_json(),
            services: vec![service(NAME, [("cidr", facts.network.cidr)])],
            ..Bundle::default()
        })
    }
}

stampede_framework::export!(ClusterPlugin);
