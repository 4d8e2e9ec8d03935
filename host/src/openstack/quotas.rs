//! The project's quotas of Nova and Neutron together, asked for at the same time. Cinder's are
//! asked for apart, since only clusters with volumes need them.

use super::{CloudError, CloudSession, ProjectQuotas};

impl CloudSession {
    /// What the project may still have, of Nova and Neutron.
    ///
    /// # Errors
    /// When either cannot be asked; what it merely does not tell is `None`.
    pub async fn quotas(&self) -> Result<ProjectQuotas, CloudError> {
        let (compute, network) =
            futures_util::future::join(self.fetch_compute_quotas(), self.fetch_network_quotas())
                .await;
        let (compute, network) = (compute?, network?);
        Ok(ProjectQuotas {
            ports: network.ports,
            networks: network.networks,
            subnets: network.subnets,
            routers: network.routers,
            floating_ips: network.floating_ips,
            security_groups: network.security_groups,
            security_group_rules: network.security_group_rules,
            ..compute
        })
    }
}
