//! Neutron: external networks, one network by name or id, and quotas of ports, networks and what
//! hangs on them.

use serde::Deserialize;

use super::{
    CloudError, CloudNetwork, CloudSession, ProjectQuotas, ResourceQuota, ServiceName,
    error::none_if_hidden, session::expect_at_most_one,
};

const NEUTRON: ServiceName = ServiceName::Neutron;

impl CloudSession {
    /// The external networks that the project sees.
    ///
    /// # Errors
    /// When Neutron cannot be asked.
    pub async fn external_networks(&self) -> Result<Vec<CloudNetwork>, CloudError> {
        self.list_networks_where(&[("router:external", "true")])
            .await
    }

    /// The network with this id, or else the one with this name; `None` where there is none.
    ///
    /// # Errors
    /// [`CloudError::Ambiguous`] when several bear the name.
    pub async fn find_network(&self, name_or_id: &str) -> Result<Option<CloudNetwork>, CloudError> {
        if uuid::Uuid::try_parse(name_or_id).is_ok()
            && let Some(network) = self.list_networks_where(&[("id", name_or_id)]).await?.pop()
        {
            return Ok(Some(network));
        }
        expect_at_most_one(
            self.list_networks_where(&[("name", name_or_id)]).await?,
            "network",
            name_or_id,
            |network| &network.id,
        )
    }

    async fn list_networks_where(
        &self,
        filter: &[(&str, &str)],
    ) -> Result<Vec<CloudNetwork>, CloudError> {
        let answer = self
            .get(NEUTRON, &["networks"], filter, "list networks".to_owned())
            .await?
            .json::<Networks>()?;
        Ok(answer
            .networks
            .into_iter()
            .map(CloudNetwork::from)
            .collect())
    }

    /// The quotas that Neutron keeps: ports, networks, subnets, routers, floating IPs, security
    /// groups and their rules.
    ///
    /// # Errors
    /// When Neutron cannot be asked; what it merely does not tell is `None`.
    pub(super) async fn fetch_network_quotas(&self) -> Result<ProjectQuotas, CloudError> {
        let details = ["quotas", self.project().id.as_str(), "details.json"];
        let answer = self
            .get(
                NEUTRON,
                &details,
                &[],
                "show the project's quotas".to_owned(),
            )
            .await;
        let Some(answer) = none_if_hidden(answer)? else {
            return Ok(ProjectQuotas::default());
        };
        let neutron = answer.json::<QuotaDetails>()?.quota;
        Ok(ProjectQuotas {
            ports: neutron.port.map(ResourceQuota::from),
            networks: neutron.network.map(ResourceQuota::from),
            subnets: neutron.subnet.map(ResourceQuota::from),
            routers: neutron.router.map(ResourceQuota::from),
            floating_ips: neutron.floatingip.map(ResourceQuota::from),
            security_groups: neutron.security_group.map(ResourceQuota::from),
            security_group_rules: neutron.security_group_rule.map(ResourceQuota::from),
            ..ProjectQuotas::default()
        })
    }
}

#[derive(Deserialize)]
struct Networks {
    networks: Vec<RawNetwork>,
}

#[derive(Deserialize)]
struct RawNetwork {
    id: String,
    name: String,
    #[serde(rename = "router:external", default)]
    external: bool,
    #[serde(default)]
    is_default: bool,
}

impl From<RawNetwork> for CloudNetwork {
    fn from(raw: RawNetwork) -> Self {
        Self {
            id: raw.id,
            name: raw.name,
            external: raw.external,
            is_default: raw.is_default,
        }
    }
}

#[derive(Deserialize)]
struct QuotaDetails {
    quota: QuotaFields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct QuotaFields {
    port: Option<QuotaUsage>,
    network: Option<QuotaUsage>,
    subnet: Option<QuotaUsage>,
    router: Option<QuotaUsage>,
    floatingip: Option<QuotaUsage>,
    security_group: Option<QuotaUsage>,
    security_group_rule: Option<QuotaUsage>,
}

#[derive(Deserialize)]
struct QuotaUsage {
    limit: i64,
    #[serde(default)]
    used: u64,
    #[serde(default)]
    reserved: u64,
}

impl From<QuotaUsage> for ResourceQuota {
    fn from(raw: QuotaUsage) -> Self {
        Self {
            limit: u64::try_from(raw.limit).ok(),
            used: raw.used + raw.reserved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_counts_as_used() {
        let usage = QuotaUsage {
            limit: 10,
            used: 3,
            reserved: 2,
        };
        assert_eq!(ResourceQuota::from(usage).free(), Some(5));
    }
}
