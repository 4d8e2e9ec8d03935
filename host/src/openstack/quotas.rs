//! What the project may still have, as Nova, Neutron and Cinder tell it.

use serde::Deserialize;

use super::{
    CloudError, CloudSession, ProjectQuotas, ResourceQuota,
    catalog::ServiceType::{Cinder, Neutron, Nova},
};

impl CloudSession {
    /// What the project may still have, of Nova and Neutron.
    ///
    /// # Errors
    /// When either cannot be asked; what it merely does not tell is `None`.
    pub async fn quotas(&self) -> Result<ProjectQuotas, CloudError> {
        let project = self.project().id.as_str();
        let details = ["quotas", project, "details.json"];
        let (nova, neutron) = futures_util::future::join(
            self.get(
                Nova,
                &["limits"],
                &[],
                "show the project's limits".to_owned(),
            ),
            self.get(
                Neutron,
                &details,
                &[],
                "show the project's quotas".to_owned(),
            ),
        )
        .await;
        let nova = match untold(nova)? {
            Some(answer) => answer.json::<LimitsResponse>()?.limits.absolute,
            None => AbsoluteLimits::default(),
        };
        let neutron = match untold(neutron)? {
            Some(answer) => answer.json::<QuotaDetails>()?.quota,
            None => QuotaDetail::default(),
        };
        Ok(ProjectQuotas {
            servers: quota(nova.max_total_instances, nova.total_instances_used),
            server_groups: quota(nova.max_server_groups, nova.total_server_groups_used),
            // Of each group, so that a new one has used none of it.
            server_group_members: quota(nova.max_server_group_members, Some(0)),
            vcpus: quota(nova.max_total_cores, nova.total_cores_used),
            ram_mib: quota(nova.max_total_ram_size, nova.total_ram_used),
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

    /// Whether there is a volume service.
    pub fn has_volumes(&self) -> bool {
        Cinder
            .types()
            .iter()
            .any(|service_type| self.has_service(service_type))
    }

    /// What the project may still have, of Cinder: `(volumes, GiB in all of them)`.
    ///
    /// # Errors
    /// When it cannot be asked; what it merely does not tell is `None`.
    pub async fn volume_quotas(
        &self,
    ) -> Result<(Option<ResourceQuota>, Option<ResourceQuota>), CloudError> {
        let answer = self
            .get(
                Cinder,
                &["limits"],
                &[],
                "show the project's limits".to_owned(),
            )
            .await;
        let Some(answer) = untold(answer)? else {
            return Ok((None, None));
        };
        let cinder = answer.json::<LimitsResponse>()?.limits.absolute;
        let volumes = quota(cinder.max_total_volumes, cinder.total_volumes_used);
        Ok((
            volumes,
            quota(
                cinder.max_total_volume_gigabytes,
                cinder.total_gigabytes_used,
            ),
        ))
    }
}

/// A service without the extension, or one that does not show it to this user, tells nothing; that
/// is no reason to refuse a cluster.
fn untold<T>(outcome: Result<T, CloudError>) -> Result<Option<T>, CloudError> {
    match outcome {
        Ok(answer) => Ok(Some(answer)),
        Err(CloudError::NotFound { .. } | CloudError::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// -1 is OpenStack's "no limit".
fn quota(limit: Option<i64>, used: Option<i64>) -> Option<ResourceQuota> {
    Some(ResourceQuota {
        limit: u64::try_from(limit?).ok(),
        used: used.and_then(|used| u64::try_from(used).ok()).unwrap_or(0),
    })
}

#[derive(Deserialize)]
struct LimitsResponse {
    limits: LimitsInner,
}

#[derive(Deserialize)]
struct LimitsInner {
    absolute: AbsoluteLimits,
}

/// Nova's and Cinder's, whose names do not meet.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AbsoluteLimits {
    max_total_instances: Option<i64>,
    total_instances_used: Option<i64>,
    max_total_cores: Option<i64>,
    total_cores_used: Option<i64>,
    #[serde(rename = "maxTotalRAMSize")]
    max_total_ram_size: Option<i64>,
    #[serde(rename = "totalRAMUsed")]
    total_ram_used: Option<i64>,
    max_server_groups: Option<i64>,
    total_server_groups_used: Option<i64>,
    max_server_group_members: Option<i64>,
    max_total_volumes: Option<i64>,
    total_volumes_used: Option<i64>,
    max_total_volume_gigabytes: Option<i64>,
    total_gigabytes_used: Option<i64>,
}

#[derive(Deserialize)]
struct QuotaDetails {
    quota: QuotaDetail,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct QuotaDetail {
    port: Option<Used>,
    network: Option<Used>,
    subnet: Option<Used>,
    router: Option<Used>,
    floatingip: Option<Used>,
    security_group: Option<Used>,
    security_group_rule: Option<Used>,
}

#[derive(Deserialize)]
struct Used {
    limit: i64,
    #[serde(default)]
    used: u64,
    #[serde(default)]
    reserved: u64,
}

impl From<Used> for ResourceQuota {
    fn from(raw: Used) -> Self {
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
    fn no_limit_is_none_and_free_never_underflows() {
        assert_eq!(
            quota(Some(-1), Some(3)),
            Some(ResourceQuota {
                limit: None,
                used: 3
            })
        );
        assert_eq!(
            quota(Some(10), Some(3)).and_then(ResourceQuota::free),
            Some(7)
        );
        assert_eq!(
            quota(Some(2), Some(3)).and_then(ResourceQuota::free),
            Some(0)
        );
        assert_eq!(quota(None, Some(3)), None);
        assert_eq!(
            ResourceQuota::from(Used {
                limit: 10,
                used: 3,
                reserved: 2
            })
            .free(),
            Some(5)
        );
    }
}
