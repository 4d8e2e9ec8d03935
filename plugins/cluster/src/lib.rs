//! The plugin `cluster`: network, nodes, addresses, readiness, and no framework. Every chain begins
//! with it; what others refer to are the names of its resources (`network`, `subnet`, `router`,
//! `router_interface`, `security_group`, `<node>_server`, `<node>_port`), which are contract.
//!
//! Layout
//! - `settings`: its parameters
//! - `network`: network, subnet, router, security group, the master's floating IP
//! - `nodes`: a port and a server a node, and what the server is told at boot
//! - `readiness`: how nodes report, and when the stack is complete

use stampede_plugin::{
    Bundle, Cardinality, Descriptor, Guest, Problem, Request, Role, Service, Share, Size, bundle,
    descriptor, hot::TemplatePart, settings::read_settings,
};

mod network;
mod nodes;
mod readiness;
mod settings;

#[cfg(test)]
mod tests;

use settings::ClusterSettings;

/// Its name, and that of the service which it provides.
const NAME: &str = "cluster";
/// The roles that every cluster has nodes of.
const ROLES: [&str; 2] = ["master", "worker"];
/// The smallest node that boots a cloud image.
const SMALLEST: Size = Size {
    vcpus: 1,
    ram_mib: 256,
    disk_gib: 0,
};

/// The plugin.
pub struct ClusterPlugin;

impl Guest for ClusterPlugin {
    fn describe() -> Descriptor {
        Descriptor {
            provides: vec![NAME.to_owned()],
            roles: vec![
                Role {
                    name: ROLES[0].to_owned(),
                    cardinality: Cardinality::ExactlyOne,
                    smallest: SMALLEST,
                },
                Role {
                    name: ROLES[1].to_owned(),
                    cardinality: Cardinality::OneOrMore,
                    smallest: SMALLEST,
                },
            ],
            parameters: settings::schema(),
            resource_types: [network::TYPES, nodes::TYPES, readiness::TYPES]
                .concat()
                .into_iter()
                .map(str::to_owned)
                .collect(),
            ..descriptor(
                NAME,
                "Cluster",
                "A network of its own with nodes that report how they come up; what every framework stands on.",
            )
        }
    }

    fn generate(request: Request) -> Result<Bundle, Vec<Problem>> {
        let settings: ClusterSettings = read_settings(NAME, &request)?;
        let mut problems = network::check_network(&request);
        problems.extend(readiness::check_wait_condition(&request));
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut template = TemplatePart::new();
        nodes::add_parameters(&mut template, &request);
        network::add_network(&mut template, &request, &settings);
        readiness::add_readiness(&mut template, &request);
        nodes::add_nodes(&mut template, &request, &settings);
        let master = request
            .master()
            .map(|master| master.name.clone())
            .unwrap_or_default();
        let attributes = vec![("cidr".to_owned(), request.network.cidr.clone())];
        Ok(Bundle {
            services: vec![Service {
                name: NAME.to_owned(),
                plugin: NAME.to_owned(),
                node: master,
                attributes,
            }],
            // Other groups are of frameworks that run there; a plugin speaks for its own roles alone.
            taken: request
                .groups
                .iter()
                .filter(|group| ROLES.contains(&group.role.as_str()))
                .map(|group| Share {
                    role: group.role.clone(),
                    plugin: NAME.to_owned(),
                    memory_mib: 0,
                    ports: vec![22],
                })
                .collect(),
            ..bundle(template)
        })
    }
}

stampede_plugin::export!(ClusterPlugin);
