//! Cinder: whether there is one, and quotas of volumes and their GiB.

use serde::Deserialize;

use super::{
    CloudError, CloudSession, ResourceQuota, ServiceName, error::none_if_hidden,
    service_catalog::service_types,
};

const CINDER: ServiceName = ServiceName::Cinder;

impl CloudSession {
    /// Whether there is a volume service.
    pub fn has_volumes(&self) -> bool {
        service_types(CINDER, self.config())
            .into_iter()
            .any(|service_type| self.has_service(service_type))
    }

    /// The quotas that Cinder keeps: `(volumes, GiB in all of them)`.
    ///
    /// # Errors
    /// When it cannot be asked; what it merely does not tell is `None`.
    pub async fn volume_quotas(
        &self,
    ) -> Result<(Option<ResourceQuota>, Option<ResourceQuota>), CloudError> {
        let answer = self
            .get(
                CINDER,
                &["limits"],
                &[],
                "show the project's limits".to_owned(),
            )
            .await;
        let Some(answer) = none_if_hidden(answer)? else {
            return Ok((None, None));
        };
        let cinder = answer.json::<LimitsResponse>()?.limits.absolute;
        let volumes =
            ResourceQuota::from_limit(cinder.max_total_volumes, cinder.total_volumes_used);
        Ok((
            volumes,
            ResourceQuota::from_limit(
                cinder.max_total_volume_gigabytes,
                cinder.total_gigabytes_used,
            ),
        ))
    }
}

#[derive(Deserialize)]
struct LimitsResponse {
    limits: LimitGroups,
}

#[derive(Deserialize)]
struct LimitGroups {
    absolute: AbsoluteLimits,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AbsoluteLimits {
    max_total_volumes: Option<i64>,
    total_volumes_used: Option<i64>,
    max_total_volume_gigabytes: Option<i64>,
    total_gigabytes_used: Option<i64>,
}
